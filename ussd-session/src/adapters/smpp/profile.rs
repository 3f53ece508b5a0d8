//! What a message centre means, as data.

use smpp::{
    text::Codings,
    tlv::Tag,
    types::{COctetString, DataCoding, Npi, Ton, UssdServiceOp},
};

/// How a message centre speaks USSD. SMPP lists the operations and leaves the rest to it.
///
/// A profile is data: one of the functions below, its fields set as the link needs them, or, with feature `serde`, read
/// from a configuration file. What a file does not name is as in [`Profile::generic`].
///
/// ```
/// use smpp::tlv::Tag;
/// use ussd_session::adapters::smpp::{Mark, Profile};
///
/// let mut profile = Profile::sixdee();
/// profile.session_tag = Some(Tag(0x1501)); // a vendor's
/// profile.final_text = Mark::op(0x11);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Profile {
    /// A message with this service_type is about USSD, as is every one with the TLV ussd_service_op. Default `USSD`.
    pub service_types: Vec<COctetString<6>>,
    /// The service_type of what is sent. Default `USSD`.
    pub service_type: COctetString<6>,
    /// The TLV that holds the session id: its_session_info (the default), user_message_reference or a vendor's. None:
    /// the phone alone names the session.
    pub session_tag: Option<Tag>,
    /// The lowest bit of its_session_info ends the session, whatever the operation, and is no part of the id.
    /// Default yes.
    pub end_bit: bool,
    /// A final text sets the end bit. Default yes; without [`end_bit`](Self::end_bit) it counts for nothing.
    pub final_sets_end_bit: bool,
    /// The lower octet of its_session_info is the turn times 2 and the end bit, and the phone's answer brings it back:
    /// answers that come twice are known by it. Default no; the id is then both octets.
    pub turn_in_id: bool,
    /// The session id of a frame whose session has none, such as a push. Default none: the TLV is left out.
    pub absent_id: Option<u16>,
    /// Where the dialled code stands. Default [`CodeField::ShortMessage`].
    pub code: CodeField,
    /// The phone dialled. Default operation 1.
    pub begin: Vec<Mark>,
    /// The phone, which is of phase 1, dialled; one final text is all that it shows. Default operation 0.
    pub begin_phase_1: Vec<Mark>,
    /// The user answered. Default operation 18.
    pub answer: Vec<Mark>,
    /// The phone showed a notice. Default operation 19.
    pub notified: Vec<Mark>,
    /// The user hung up. Default none: the end bit says so.
    pub end: Vec<Mark>,
    /// The network stopped waiting. Default none.
    pub timeout: Vec<Mark>,
    /// What any other operation means. Default [`Unknown::Refuse`].
    pub unknown: Unknown,
    /// Shows a text and waits. Default operation 2.
    pub prompt: Mark,
    /// Shows a text and ends. Default operation 17.
    pub final_text: Mark,
    /// The same for a phone of phase 1. Default operation 16.
    pub final_phase_1: Mark,
    /// Opens a session with a question. Default operation 2.
    pub ask: Mark,
    /// Opens a session with a notice. Default operation 3.
    pub tell: Mark,
    /// Ends without a text. Default none: the message centre knows no such thing.
    pub abort: Option<Mark>,
    /// Hands the phone to another code, which is sent as the text. Default none; operation 4 has been seen.
    pub redirect: Option<Mark>,
    /// How texts are written and read.
    pub text: TextCoding,
    /// The source address of what is sent. Default none: the code that was dialled, if it has at most 20 characters,
    /// and otherwise none, for which the message centre puts the account's own.
    pub source: Option<COctetString<21>>,
    /// Type of number of the code. Default unknown.
    pub code_ton: Ton,
    /// Numbering plan of the code. Default unknown.
    pub code_npi: Npi,
    /// Type of number of the phone. Default international.
    pub phone_ton: Ton,
    /// Numbering plan of the phone. Default ISDN.
    pub phone_npi: Npi,
    /// Completes national numbers (with a leading 0). Default none: they are refused.
    pub country_code: Option<Box<str>>,
}

/// What tells one kind of message from another.
///
/// In a configuration a number is an operation and a text a service_type.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(untagged))]
pub enum Mark {
    /// The TLV ussd_service_op.
    Op(UssdServiceOp),
    /// The service_type, as with message centres that write two letters there: `B` begin, `C` continue, `E` end, `A`
    /// abort, and `R` request, `N` notify, `A` response, `F` release.
    ServiceType(COctetString<6>),
}

impl Mark {
    /// An operation by its number.
    #[must_use]
    pub const fn op(number: u8) -> Self {
        Self::Op(UssdServiceOp(number))
    }
}

/// Where the dialled code stands in the first message of a session. If that field is empty, the other one counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CodeField {
    /// In the text.
    #[default]
    ShortMessage,
    /// In the destination address.
    DestinationAddr,
}

/// What an operation means that a profile does not list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Unknown {
    /// Nothing: it is an error.
    #[default]
    Refuse,
    /// The user answered.
    Answer,
}

/// How texts are written and read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct TextCoding {
    /// What data_coding means. Default [`Scheme::Smpp`].
    pub scheme: Scheme,
    /// The message centre's default alphabet, and whether septets are packed. Default GSM 7-bit, unpacked.
    pub codings: Codings,
    /// The data_coding of a text in the default alphabet, which is GSM 7-bit by [`Scheme::Cbs`]. Default 0; 15 is
    /// usual on USSD gateways.
    pub data_coding: DataCoding,
    /// The data_coding of a UCS-2 text; none if the message centre does not take any. Default 8; 0x48 by
    /// [`Scheme::Cbs`].
    pub ucs2: Option<DataCoding>,
    /// Octets of the longest text, as it goes over the air: of 160, the default, come 182 septets of GSM 7-bit or 80
    /// units of UCS-2 (3GPP TS 29.002, maxUSSD-StringLength).
    pub max_octets: usize,
}

/// What the numbers of data_coding mean.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Scheme {
    /// SMPP's own list (section 5.2.19), except that the reserved 15 is GSM 7-bit, as on every USSD link that has it.
    #[default]
    Smpp,
    /// The scheme of cell broadcast and USSD (3GPP TS 23.038, section 5), in which 1 is English in GSM 7-bit and 8
    /// Portuguese.
    Cbs,
}

impl Default for TextCoding {
    fn default() -> Self {
        Self {
            scheme: Scheme::Smpp,
            codings: Codings::default(),
            data_coding: DataCoding::DEFAULT,
            ucs2: Some(DataCoding::UCS2),
            max_octets: 160,
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::generic()
    }
}

impl Profile {
    /// What the specification says, and most message centres do.
    #[must_use]
    pub fn generic() -> Self {
        Self {
            service_types: vec![service_type("USSD")],
            service_type: service_type("USSD"),
            session_tag: Some(Tag::ITS_SESSION_INFO),
            end_bit: true,
            final_sets_end_bit: true,
            turn_in_id: false,
            absent_id: None,
            code: CodeField::ShortMessage,
            begin: vec![Mark::op(1)],
            begin_phase_1: vec![Mark::op(0)],
            answer: vec![Mark::op(18)],
            notified: vec![Mark::op(19)],
            end: Vec::new(),
            timeout: Vec::new(),
            unknown: Unknown::Refuse,
            prompt: Mark::op(2),
            final_text: Mark::op(17),
            final_phase_1: Mark::op(16),
            ask: Mark::op(2),
            tell: Mark::op(3),
            abort: None,
            redirect: None,
            text: TextCoding::default(),
            source: None,
            code_ton: Ton::UNKNOWN,
            code_npi: Npi::UNKNOWN,
            phone_ton: Ton::INTERNATIONAL,
            phone_npi: Npi::ISDN,
            country_code: None,
        }
    }

    /// Tata, which is also what Vumi does by default: answers come as 2 or 18, an end as 17; a final text is a prompt
    /// with the end bit.
    #[must_use]
    pub fn tata() -> Self {
        Self {
            answer: vec![Mark::op(2), Mark::op(18)],
            end: vec![Mark::op(17)],
            final_text: Mark::op(2),
            absent_id: Some(0),
            ..Self::generic()
        }
    }

    /// 6D: 0x81 is the user's end, and a final text is operation 0x17 with the end bit. That is a reserved value: its
    /// peers wrote 17 in hexadecimal digits, and the gateways have got used to it.
    #[must_use]
    pub fn sixdee() -> Self {
        Self {
            end: vec![Mark::op(0x81)],
            final_text: Mark::op(0x17),
            unknown: Unknown::Answer,
            absent_id: Some(0),
            ..Self::generic()
        }
    }

    /// Mica: as 6D, but the session id is user_message_reference, and no its_session_info is sent.
    #[must_use]
    pub fn mica() -> Self {
        Self { session_tag: Some(Tag::USER_MESSAGE_REFERENCE), absent_id: None, ..Self::sixdee() }
    }

    /// For message centres that give no session id, or one that is new in every message, as Huawei's have been seen
    /// to do: the phone names the session. The code is the destination address, and operation 4 hands a phone on.
    #[must_use]
    pub fn by_phone() -> Self {
        Self { session_tag: None, code: CodeField::DestinationAddr, redirect: Some(Mark::op(4)), ..Self::generic() }
    }

    /// Two letters in service_type instead of an operation, as jsmpp's example for USSD writes them: `B` begin, `C`
    /// continue, `E` end, `A` abort, then `R` request, `N` notify, `A` response, `F` release. There is no session id; the
    /// phone names the session, and our source address is the code.
    ///
    /// Of what we send, `BR`, `CR` and `EF` are the example's; `BN` and `AF`, and all that comes from the message centre,
    /// follow from what the letters mean. `CA` answers a question and a notice alike, so a phone that has shown a notice
    /// gives the application an empty answer. `F` first, which is about charges, is refused.
    #[must_use]
    pub fn two_letters() -> Self {
        let over = ["ER", "EN", "EA", "EF", "AR", "AN", "AA", "AF"];
        Self {
            service_types: ["FR", "FN", "FA", "FF"].map(service_type).into(),
            session_tag: None,
            end_bit: false,
            final_sets_end_bit: false,
            code: CodeField::DestinationAddr,
            begin: vec![letters("BR")],
            begin_phase_1: Vec::new(),
            answer: vec![letters("CA"), letters("BA")],
            notified: Vec::new(),
            end: over.map(letters).into(),
            prompt: letters("CR"),
            final_text: letters("EF"),
            final_phase_1: letters("EF"),
            ask: letters("BR"),
            tell: letters("BN"),
            abort: Some(letters("AF")),
            ..Self::generic()
        }
    }
}

/// Two letters in service_type.
fn letters(text: &str) -> Mark {
    Mark::ServiceType(service_type(text))
}

/// A service_type of at most 5 characters.
fn service_type(text: &str) -> COctetString<6> {
    text.parse().unwrap_or_default()
}
