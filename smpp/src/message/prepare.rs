use thiserror::Error;

use super::{Content, References, Sms};
use crate::pdu::SubmitSm;
use crate::profile::Profile;
use crate::text::{Charset, ComposeError, Composed, TextOptions, Unencodable};
use crate::tlv::Tag;
use crate::types::{Alphabet, DataCoding, InvalidCOctetString, InvalidTime, MessageClass, SmppTime};

/// A message as PDUs, in the order of its parts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prepared {
    /// One for each part; at least one.
    pub parts: Vec<SubmitSm>,
    /// The character set; none for octets.
    pub charset: Option<Charset>,
    /// Why the link's default alphabet does not carry the text, if that was the choice: the first character that it has
    /// not.
    pub not_default: Option<Unencodable>,
    /// Whether characters were replaced by such as the alphabet has.
    pub transliterated: bool,
}

/// A message cannot be sent as it is.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// The field of [`Sms`], such as `destination`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field of a message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// Too long for its field, or a NUL inside.
    #[error(transparent)]
    Octets(#[from] InvalidCOctetString),
    /// A time that the form cannot say.
    #[error(transparent)]
    Time(#[from] InvalidTime),
    /// More than one message can hold, or a header that cannot be.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A character that the chosen coding does not have.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
    /// A data_coding that carries no text, with a text.
    #[error("{0:?} does not carry text")]
    NotText(DataCoding),
    /// A class, with a coding that cannot say one.
    #[error("{0:?} cannot say a class")]
    NoClass(DataCoding),
    /// More than the four classes there are.
    #[error("there is no class {}", .0.0)]
    NoSuchClass(MessageClass),
    /// A TLV that the text itself makes.
    #[error("the TLV {0} is made from the text")]
    Reserved(Tag),
}

impl Sms {
    /// Makes the message into PDUs: chooses the alphabet, cuts, numbers.
    ///
    /// A number is taken from `references` only if there is more than one part.
    ///
    /// # Errors
    ///
    /// The message cannot be sent as it is; the error names the field.
    pub fn prepare(&self, profile: &Profile, references: &mut References) -> Result<Prepared, Invalid> {
        let invalid = |field| move |problem: Problem| Invalid { field, problem };
        let destination = self.destination.address(&profile.addresses);
        let destination = destination.map_err(|error| invalid("destination")(error.into()))?;
        if destination.addr.is_empty() {
            return Err(invalid("destination")(Problem::Empty));
        }
        let source = self.source.address(&profile.addresses).map_err(|error| invalid("source")(error.into()))?;
        let service_type = self.service_type.parse();
        let service_type = service_type.map_err(|error: InvalidCOctetString| invalid("service_type")(error.into()))?;
        let validity_period = self.validity.map(SmppTime::relative).transpose();
        let validity_period = validity_period.map_err(|error| invalid("validity")(error.into()))?.unwrap_or_default();
        let schedule = self.schedule.map(SmppTime::absolute).transpose();
        let schedule_delivery_time = schedule.map_err(|error| invalid("schedule")(error.into()))?.unwrap_or_default();
        if let Some(reserved) = MADE_FROM_TEXT.into_iter().find(|tag| self.tlvs.get_raw(*tag).is_some()) {
            return Err(invalid("tlvs")(Problem::Reserved(reserved)));
        }

        let coder = Coder::new(self, profile)?;
        let mut composed = coder.compose(0)?;
        if composed.segments.len() > 1 {
            composed = coder.compose(references.next(destination.addr.as_slice()))?;
        }
        let data_coding = coder.data_coding(composed.data_coding);
        let esm_class = composed.esm_class();
        let template = SubmitSm {
            service_type,
            source,
            destination,
            esm_class,
            protocol_id: self.protocol_id,
            priority_flag: self.priority,
            schedule_delivery_time,
            validity_period,
            registered_delivery: self.registered_delivery,
            replace_if_present_flag: self.replace_if_present,
            data_coding,
            ..SubmitSm::default()
        };
        let parts = composed.segments.into_iter().map(|segment| {
            let mut tlvs = segment.tlvs;
            for tlv in self.tlvs.iter() {
                // It was in such a list before.
                let _fits = tlvs.push_raw(tlv.tag, tlv.value);
            }
            SubmitSm { short_message: segment.short_message, tlvs, ..template.clone() }
        });
        Ok(Prepared {
            parts: parts.collect(),
            charset: composed.charset,
            not_default: composed.not_default,
            transliterated: composed.transliterated,
        })
    }
}

/// TLVs that stand for parts of the text.
const MADE_FROM_TEXT: [Tag; 4] =
    [Tag::MESSAGE_PAYLOAD, Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM];

/// A content with all that decides how it is coded.
struct Coder<'a> {
    content: &'a Content,
    options: TextOptions,
    /// The data_coding that was asked for, in place of the one that composing gives.
    asked: Option<DataCoding>,
    class: Option<MessageClass>,
}

impl<'a> Coder<'a> {
    fn new(sms: &'a Sms, profile: &Profile) -> Result<Self, Invalid> {
        let mut text = profile.text.clone();
        if let Some(long_messages) = sms.long_messages {
            text.long_messages = long_messages;
        }
        if let Some(class) = sms.class {
            if class.0 > MessageClass::TERMINAL_EQUIPMENT.0 {
                return Err(Invalid { field: "class", problem: Problem::NoSuchClass(class) });
            }
            // The groups that say a class know the GSM alphabet, UCS-2 and octets alone.
            text.default_alphabet = Charset::Gsm7;
            text.latin1 = false;
        }
        if let Some(data_coding) = sms.data_coding {
            if sms.class.is_some() && with_class(data_coding, MessageClass::FLASH).is_none() {
                return Err(Invalid { field: "class", problem: Problem::NoClass(data_coding) });
            }
            if let Content::Text(_) = sms.content {
                let charset = match data_coding.alphabet() {
                    Alphabet::Default if sms.class.is_some() => Some(Charset::Gsm7),
                    _ => profile.text.codings().charset(data_coding),
                };
                let no_text = Invalid { field: "data_coding", problem: Problem::NotText(data_coding) };
                text.default_alphabet = charset.ok_or(no_text)?;
                // Nothing else may be chosen than what was asked for.
                text.languages.clear();
            }
        }
        let options = text.options().with_elements(&sms.header[..]);
        Ok(Self { content: &sms.content, options, asked: sms.data_coding, class: sms.class })
    }

    fn compose(&self, reference: u16) -> Result<Composed, Invalid> {
        let (field, composed) = match self.content {
            Content::Text(text) => ("text", self.options.compose(text, reference)),
            Content::Octets(octets) => ("octets", self.options.compose_octets(octets, reference)),
        };
        let composed = composed.map_err(|error| {
            let field = match error {
                ComposeError::Element(_) | ComposeError::HeaderTooLong { .. } | ComposeError::NoHeader(_) => "header",
                _ => field,
            };
            Invalid { field, problem: error.into() }
        })?;
        match composed.not_default.filter(|_| self.asked.is_some()) {
            Some(reason) => Err(Invalid { field, problem: reason.into() }),
            None => Ok(composed),
        }
    }

    fn data_coding(&self, composed: DataCoding) -> DataCoding {
        let coding = self.asked.unwrap_or(composed);
        self.class.and_then(|class| with_class(coding, class)).unwrap_or(coding)
    }
}

/// A coding and a class in one value; none if there is no such.
fn with_class(coding: DataCoding, class: MessageClass) -> Option<DataCoding> {
    let group = match coding.alphabet() {
        Alphabet::Default | Alphabet::Gsm7 => DataCoding::FLASH,
        Alphabet::Binary => DataCoding(0xf4),
        Alphabet::Ucs2 => DataCoding::FLASH_UCS2,
        _ => return None,
    };
    Some(DataCoding(group.0 | class.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;

    use super::*;
    use crate::profile::TextProfile;
    use crate::text::{Element, Language, LongMessages};
    use crate::tlv::{SarMsgRefNum, UserMessageReference};
    use crate::types::{Address, PriorityFlag, ProtocolId, ReplaceIfPresent, Ton};

    fn prepare(sms: &Sms) -> Result<Prepared, Invalid> {
        sms.prepare(&Profile::default(), &mut References::new(7))
    }

    fn coded(sms: Sms) -> Option<(u8, Vec<u8>)> {
        let prepared = prepare(&sms).ok()?;
        Some((prepared.parts[0].data_coding.0, prepared.parts[0].short_message.as_bytes().to_vec()))
    }

    #[test]
    fn fields_go_where_they_belong() {
        let sms = Sms::to("+491701234567")
            .from("31234")
            .text("Hi")
            .validity(Duration::from_secs(3 * 86_400))
            .schedule(OffsetDateTime::UNIX_EPOCH + time::Duration::days(11_000))
            .service_type("CMT")
            .priority(PriorityFlag::URGENT)
            .protocol_id(ProtocolId(0x40))
            .replace_if_present(ReplaceIfPresent(1))
            .tlv(&UserMessageReference(9));
        let pdu = &prepare(&sms).unwrap().parts[0];
        assert_eq!(pdu.validity_period.as_octets(), "000003000000000R");
        assert_eq!(pdu.schedule_delivery_time.as_octets(), "000213000000000+");
        assert_eq!((pdu.source.ton, &pdu.service_type), (Ton::NETWORK_SPECIFIC, &"CMT".parse().unwrap()));
        assert_eq!((pdu.priority_flag.0, pdu.protocol_id.0, pdu.replace_if_present_flag.0), (2, 0x40, 1));
        assert_eq!(pdu.tlvs.get(), Some(UserMessageReference(9)));
        assert_eq!(pdu.registered_delivery.0, 0);
    }

    #[test]
    fn the_field_at_fault_is_named() {
        let to = |text: &str| Sms::to(text.to_owned());
        let late = OffsetDateTime::UNIX_EPOCH + time::Duration::days(365 * 200);
        for (sms, says) in [
            (to(""), "destination: it is empty"),
            (to("+4917012345678901234567"), "destination: "),
            (to("1").from("a\0b"), "source: "),
            (to("1").service_type("TOOLONG"), "service_type: "),
            (to("1").validity(Duration::from_secs(100 * 86_400)), "validity: beyond what the form can say"),
            (to("1").schedule(late), "schedule: beyond what the form can say"),
            (to("1").text("a".repeat(40_000)), "text: "),
            (to("1").octets(vec![0; 134 * 255 + 1]), "octets: "),
            (to("1").text("\u{20ac}").data_coding(DataCoding::LATIN1), "text: character '\u{20ac}' at octet 0"),
            (to("1").text("a").data_coding(DataCoding::BINARY), "data_coding: DataCoding(0x04) does not carry text"),
            (to("1").text("a").data_coding(DataCoding::LATIN1).flash(), "class: DataCoding(0x03) cannot say a class"),
            (to("1").class(MessageClass(4)), "class: there is no class 4"),
            (
                to("1").element(Element::SingleShift(Language::Turkish)),
                "header: the element 0x24 is made from the text",
            ),
            (to("1").element(Element::Other { id: 0x70, data: vec![0; 200].into() }), "header: the elements take 202 "),
            (
                to("1").ports(1, 2).text("a".repeat(153)).long_messages(LongMessages::Sar),
                "header: a text too long for one message, sent by Sar, has no header of its own",
            ),
            (
                to("1").ports(1, 2).octets(vec![0; 134]).long_messages(LongMessages::Payload),
                "header: a text too long for one message, sent by Payload, ",
            ),
            (to("1").tlv(&SarMsgRefNum(1)), "tlvs: the TLV sar_msg_ref_num is made from the text"),
        ] {
            let error = prepare(&sms).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn ports_stand_in_every_part_and_take_room() {
        let ports = |sms: Sms| -> Vec<_> {
            let parts = prepare(&sms.ports(2948, 9200)).unwrap().parts;
            parts.iter().map(|pdu| (pdu.body().header.unwrap().ports(), pdu.body().text.len())).collect()
        };
        let push = Some((2948, 9200));
        assert_eq!(ports(Sms::to("1").octets(vec![0; 133])), [(push, 133)]);
        assert_eq!(ports(Sms::to("1").octets(vec![0; 134])), [(push, 128), (push, 6)]);
        assert_eq!(ports(Sms::to("1").text("a".repeat(153))), [(push, 146), (push, 7)]);
        let sar = Sms::to("1").text("a".repeat(152)).long_messages(LongMessages::Sar);
        assert_eq!(ports(sar), [(push, 152)]);
    }

    #[test]
    fn coding_and_class() {
        let text = |text: &str| Sms::to("1").text(text);
        assert_eq!(coded(text("@")), Some((0, vec![0])));
        assert_eq!(coded(text("@").data_coding(DataCoding::ASCII)), Some((1, b"@".to_vec())));
        assert_eq!(coded(text("@").data_coding(DataCoding::UCS2)), Some((8, b"\0@".to_vec())));
        assert_eq!(coded(text("@").flash()), Some((0xf0, vec![0])));
        assert_eq!(coded(text("\u{416}").flash()), Some((0x18, vec![4, 0x16])));
        assert_eq!(
            coded(text("@").data_coding(DataCoding::UCS2).class(MessageClass::SIM)),
            Some((0x1a, b"\0@".to_vec()))
        );
        assert_eq!(coded(Sms::to("1").octets(&b"\x01"[..])), Some((4, vec![1])));
        assert_eq!(coded(Sms::to("1").octets(&b"\x01"[..]).class(MessageClass::SIM)), Some((0xf6, vec![1])));
        assert_eq!(coded(Sms::to("1").octets(&b"\x01"[..]).data_coding(DataCoding(2))), Some((2, vec![1])));
    }

    #[test]
    fn a_class_is_said_in_the_gsm_alphabet_whatever_the_links_own_is() {
        let latin1 = Profile::default().text(TextProfile::default().default_alphabet(Charset::Latin1));
        for sms in [Sms::to("1").text("@").flash(), Sms::to("1").text("@").flash().data_coding(DataCoding::DEFAULT)] {
            let pdu = sms.prepare(&latin1, &mut References::new(0)).unwrap().parts.remove(0);
            assert_eq!((pdu.data_coding.0, &pdu.short_message.as_bytes()[..]), (0xf0, &b"\0"[..]));
        }
    }

    #[test]
    fn only_long_messages_take_a_number() {
        let mut references = References::new(7);
        let mut numbers = |sms: &Sms| -> Vec<u16> {
            let prepared = sms.prepare(&Profile::default(), &mut references).unwrap();
            let number = |pdu: &SubmitSm| pdu.body().concatenation.map(|part| part.reference);
            prepared.parts.iter().filter_map(number).collect()
        };
        assert_eq!(numbers(&Sms::to("1").text("short")), Vec::<u16>::new());
        assert_eq!(numbers(&Sms::to("1").text("a".repeat(161))), [7, 7]);
        assert_eq!(numbers(&Sms::to("1").text("a".repeat(161)).long_messages(LongMessages::Sar)), [8, 8]);
        assert_eq!(numbers(&Sms::to(Address::<21>::international("1").unwrap()).text("a".repeat(307))), [9, 9, 9]);
    }
}
