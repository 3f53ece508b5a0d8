//! Delivery receipts: what became of a message submitted earlier.
//!
//! A receipt comes in a deliver_sm or data_sm, as TLVs, as a line of text (Appendix B of 3.4, in some forty variants),
//! or as both. [`Receipt`] reads them all and never fails; [`IdMatcher`] finds the message that a receipt is for.

mod date;
mod id;
mod label;
mod state;
mod write;

use bytes::Bytes;

pub use self::date::ReceiptDate;
pub use self::id::{IdIndex, IdMatch, IdMatcher, IdMatching, IdRule, OutstandingIds};
pub use self::state::{Outcome, StateMap};

use self::label::{Label, Labels};
use crate::pdu::{DataSm, DeliverSm, Frame, Pdu};
use crate::text::{Body, Charset};
use crate::tlv::{Tag, Tlvs};
use crate::types::{DataCoding, EsmClass, MessageState, MessageType, NetworkErrorCode, text};

/// A delivery receipt. Every field may be absent.
///
/// TLVs come before the text: receipted_message_id before `id:`, message_state before `stat:`.
///
/// ```
/// use smpp::receipt::{Outcome, Receipt};
/// use smpp::types::MessageState;
///
/// let receipt = Receipt::from_text(
///     b"id:0059113978 sub:001 dlvrd:001 submit date:1002101730 done date:1002101731 stat:DELIVRD err:000 text:Hello",
/// );
/// assert_eq!(receipt.id.as_deref(), Some("0059113978"));
/// assert_eq!(receipt.state, Some(MessageState::DELIVERED));
/// assert_eq!(receipt.outcome(), Outcome::Delivered);
/// assert_eq!(receipt.done_date.unwrap().at.unwrap().to_string(), "2010-02-10 17:31:00.0");
/// assert_eq!(receipt.text.as_deref(), Some("Hello"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Receipt {
    /// Identifier of the message, as the response to its submission gave it or in another spelling ([`IdMatcher`]).
    pub id: Option<String>,
    /// The identifier in the text, if the TLV has another: some write it in decimal there and in hexadecimal here.
    pub text_id: Option<String>,
    /// State of the message: the TLV message_state if it is one of the specification's, or else what
    /// [`stat`](Self::stat) stands for, which is `UNKNOWN` for a word that is not known. None if there is neither.
    pub state: Option<MessageState>,
    /// The state's word as it stood, such as `DELIVRD`.
    pub stat: Option<String>,
    /// Number of messages submitted (`sub`), if it is one.
    pub submitted: Option<u32>,
    /// Number of messages delivered (`dlvrd`), if it is one. Some message centres always say 0.
    pub delivered: Option<u32>,
    /// When the message was submitted, by the message centre's clock.
    pub submit_date: Option<ReceiptDate>,
    /// When it reached its state.
    pub done_date: Option<ReceiptDate>,
    /// The network's or message centre's error code: digits, hexadecimal digits, or whatever was there.
    pub err: Option<String>,
    /// The TLV network_error_code.
    pub network_error: Option<NetworkErrorCode>,
    /// The beginning of the message, or what stood in its place, with its spaces. Empty if there was only the label.
    pub text: Option<String>,
    /// Whether it is an intermediate notification: another receipt follows.
    pub intermediate: bool,
    /// The whole text as octets, as it came.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub raw: Bytes,
}

impl Receipt {
    /// Reads the receipt in a frame: of a deliver_sm or data_sm whose esm_class says that it is one, or that has
    /// receipted_message_id and message_state. None for other PDUs.
    ///
    /// Text that an sm_length too small has cut off, and that so stands behind the PDU, is joined again.
    pub fn from_frame(frame: &Frame) -> Option<Self> {
        match &frame.pdu {
            Pdu::DeliverSm(pdu) if is_receipt(pdu.esm_class, &pdu.tlvs) => {
                Some(Self::new(pdu.esm_class, &pdu.body(), &pdu.tlvs, &frame.rest))
            }
            Pdu::DataSm(pdu) if is_receipt(pdu.esm_class, &pdu.tlvs) => {
                Some(Self::new(pdu.esm_class, &pdu.body(), &pdu.tlvs, &frame.rest))
            }
            _ => None,
        }
    }

    /// As [`from_frame`](Self::from_frame), of a deliver_sm.
    pub fn from_deliver_sm(pdu: &DeliverSm) -> Option<Self> {
        is_receipt(pdu.esm_class, &pdu.tlvs).then(|| Self::new(pdu.esm_class, &pdu.body(), &pdu.tlvs, &[]))
    }

    /// As [`from_frame`](Self::from_frame), of a data_sm.
    pub fn from_data_sm(pdu: &DataSm) -> Option<Self> {
        is_receipt(pdu.esm_class, &pdu.tlvs).then(|| Self::new(pdu.esm_class, &pdu.body(), &pdu.tlvs, &[]))
    }

    /// Reads a receipt's text alone, in ASCII or something near it. What is not a receipt has no field but
    /// [`raw`](Self::raw): [`is_empty`](Self::is_empty) tells. Whether an ordinary message is to be taken for a receipt
    /// because of its text is a choice that only the link's settings can make: anybody can write such a text.
    pub fn from_text(octets: &[u8]) -> Self {
        let mut receipt = Self { raw: Bytes::copy_from_slice(octets), ..Self::default() };
        receipt.read(&Labels::find(octets));
        receipt
    }

    /// Whether nothing was found: no field, whatever the text.
    pub fn is_empty(&self) -> bool {
        *self == Self { raw: self.raw.clone(), intermediate: self.intermediate, ..Self::default() }
    }

    /// Whether nothing more is to be expected: delivered or failed, and not an intermediate notification. `ACCEPTD` is
    /// not final here, though the specification says so: another receipt follows from many networks.
    pub fn is_final(&self) -> bool {
        self.outcome() != Outcome::Pending
    }

    /// What it means for the message. A [`StateMap`] knows more words than the usual ones.
    pub fn outcome(&self) -> Outcome {
        StateMap::default().outcome(self)
    }

    fn new(esm_class: EsmClass, body: &Body, tlvs: &Tlvs, rest: &[u8]) -> Self {
        let mut octets = body.text.clone();
        if !rest.is_empty() && rest.iter().all(|octet| !octet.is_ascii_control() || octet.is_ascii_whitespace()) {
            octets = [&octets[..], rest].concat().into();
        }
        let mut receipt = Self {
            intermediate: esm_class.message_type() == MessageType::IntermediateNotification,
            network_error: tlvs.get(),
            raw: octets.clone(),
            ..Self::default()
        };
        match utf16(body.data_coding, &octets) {
            Some(text) => receipt.read(&Labels::find(text.as_bytes())),
            None => receipt.read(&Labels::find(&octets)),
        }
        let id = tlvs.get_raw(Tag::RECEIPTED_MESSAGE_ID).map(until_nul).filter(|id| !id.is_empty());
        if let Some(id) = id.map(|id| text(id).into_owned()) {
            receipt.text_id = receipt.id.take().filter(|in_text| *in_text != id);
            receipt.id = Some(id);
        }
        let state = tlvs.get::<MessageState>().filter(|state| state.meaning().is_some());
        receipt.state = state.or(receipt.state);
        receipt
    }

    fn read(&mut self, labels: &Labels<'_>) {
        let word = |label| labels.word(label).map(|octets| text(octets).into_owned());
        let number = |label| str::from_utf8(labels.word(label)?).ok()?.parse().ok();
        let date = |label| word(label).map(ReceiptDate::read);
        self.id = labels.id().map(|octets| text(octets).into_owned());
        self.submitted = number(Label::Sub);
        self.delivered = number(Label::Dlvrd);
        self.submit_date = date(Label::SubmitDate);
        self.done_date = date(Label::DoneDate);
        self.stat = word(Label::Stat);
        self.state = self.stat.as_deref().map(|word| state::of_word(word).unwrap_or(MessageState::UNKNOWN));
        self.err = word(Label::Err);
        self.text = labels.text().map(|octets| text(octets).into_owned());
    }
}

/// Whether a message is a receipt: by its esm_class, or by its TLVs.
fn is_receipt(esm_class: EsmClass, tlvs: &Tlvs) -> bool {
    let has_tlvs = || {
        tlvs.get_raw(Tag::RECEIPTED_MESSAGE_ID).is_some_and(|id| !until_nul(id).is_empty())
            && tlvs.get_raw(Tag::MESSAGE_STATE).is_some()
    };
    esm_class.is_receipt() || (esm_class.message_type() == MessageType::Normal && has_tlvs())
}

/// The text of a receipt that is coded in UCS-2: only if it has labels then. Some say so of ASCII.
fn utf16(data_coding: DataCoding, octets: &[u8]) -> Option<String> {
    if Charset::Ucs2 != crate::text::Codings::default().charset(data_coding)? {
        return None;
    }
    let text = Charset::Ucs2.decode(octets).text;
    (!Labels::find(text.as_bytes()).is_empty()).then(|| text.into_owned())
}

fn until_nul(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
