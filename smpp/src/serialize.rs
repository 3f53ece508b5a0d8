//! PDUs and values for people and logs: field names as the specification has them, text as text, other octets as
//! hexadecimal digits, passwords as `***`. Values can be read back; PDUs cannot.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use crate::codec::{FieldValue, Leniencies, Leniency, LeniencyCounts, Value, Wire};
use crate::pdu::*;
use crate::tlv::{TagRegistry, Tlv, TlvDisplay, TlvOctets, TlvValue, Tlvs};
use crate::types::*;

/// Octets as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&TlvDisplay::Octets(self.0))
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::U8(number) => serializer.serialize_u8(*number),
            Self::U32(number) => serializer.serialize_u32(*number),
            Self::Text(octets) => serializer.serialize_str(&text(octets)),
            Self::Secret(_) => serializer.serialize_str("***"),
            Self::Octets(octets) => Hex(octets).serialize(serializer),
            Self::List(entries) => serializer.collect_seq(entries.iter().map(|entry| Fields(entry, None))),
        }
    }
}

/// Fields, and the TLVs behind them, as a map.
struct Fields<'a>(&'a [FieldValue<'a>], Option<&'a Tlvs>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(fields, tlvs) = self;
        let mut map = serializer.serialize_map(None)?;
        for field in *fields {
            map.serialize_entry(field.name, &field.value)?;
        }
        if let Some(tlvs) = tlvs.filter(|tlvs| !tlvs.is_empty()) {
            map.serialize_entry("tlvs", tlvs)?;
        }
        map.end()
    }
}

macro_rules! serialize_pdus {
    ($($pdu:ident),* $(,)?) => {
        /// A map of the mandatory fields, and `tlvs` if there are any.
        $(impl Serialize for $pdu {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Fields(&Wire::fields(self), Some(&self.tlvs)).serialize(serializer)
            }
        })*
    };
}

serialize_pdus!(
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    BroadcastSm,
    BroadcastSmResp,
    CancelBroadcastSm,
    CancelBroadcastSmResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QueryBroadcastSm,
    QueryBroadcastSmResp,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
);

/// A map of the mandatory fields, and `tlvs` if there are any; of an operation that is not known, its `body`.
impl Serialize for Pdu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown(unknown) => unknown.serialize(serializer),
            pdu => Fields(&pdu.fields(), Some(pdu.tlvs())).serialize(serializer),
        }
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("body", &Hex(&self.body))?;
        map.end()
    }
}

/// `command`, `command_id`, `command_status`, `sequence_number`, `body` (null if it is absent), and `rest` if there
/// is any.
impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frame = serializer.serialize_struct("Frame", 6)?;
        frame.serialize_field("command", self.pdu.name())?;
        frame.serialize_field("command_id", &self.pdu.command_id())?;
        frame.serialize_field("command_status", &self.header.command_status)?;
        frame.serialize_field("sequence_number", &self.header.sequence_number)?;
        frame.serialize_field("body", &self.pdu.has_body().then_some(&self.pdu))?;
        match self.rest.is_empty() {
            true => frame.skip_field("rest")?,
            false => frame.serialize_field("rest", &Hex(&self.rest))?,
        }
        frame.end()
    }
}

/// A list of `tag`, `name`, `length`, `value_hex`, and `value` where the tag's kind is known.
impl Serialize for Tlvs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        self.iter().try_for_each(|tlv| list.serialize_element(&tlv))?;
        list.end()
    }
}

impl Serialize for Tlv<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tlv = serializer.serialize_struct("Tlv", 5)?;
        tlv.serialize_field("tag", &format_args!("{:#06x}", self.tag.0))?;
        tlv.serialize_field("name", &self.tag.name())?;
        tlv.serialize_field("length", &self.value.len())?;
        tlv.serialize_field("value_hex", &Hex(self.value))?;
        match TagRegistry::default().value(*self) {
            TlvDisplay::Integer(number) => tlv.serialize_field("value", &number)?,
            TlvDisplay::Text(text) => tlv.serialize_field("value", &text)?,
            TlvDisplay::Octets(_) => tlv.skip_field("value")?,
        }
        tlv.end()
    }
}

macro_rules! as_number {
    ($($name:ident),*) => {
        /// The number, in hexadecimal digits as the specification prints it.
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&format_args!("{:#010x}", self.0))
            }
        }

        /// A number, or hexadecimal digits behind `0x`.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(untagged)]
                enum Either {
                    Number(u32),
                    Text(String),
                }
                match Either::deserialize(deserializer)? {
                    Either::Number(number) => Ok(Self(number)),
                    Either::Text(text) => {
                        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("no 0x before the digits"))?;
                        u32::from_str_radix(digits, 16).map(Self).map_err(D::Error::custom)
                    }
                }
            }
        })*
    };
}

as_number!(CommandId, CommandStatus);

/// As text, UTF-8 or ISO-8859-1.
impl<const N: usize> Serialize for COctetString<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de, const N: usize> Deserialize<'de> for COctetString<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Always `***`.
impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// At most 8 octets.
impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for SmppTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_octets().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SmppTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Octets as hexadecimal digits, both ways.
macro_rules! as_hex {
    ($([$($generics:tt)*] $name:ty;)*) => {
        $(impl<$($generics)*> Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Hex(self.as_ref()).serialize(serializer)
            }
        }

        impl<'de, $($generics)*> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(octets(&String::deserialize(deserializer)?).map_err(D::Error::custom)?).map_err(D::Error::custom)
            }
        })*
    };
}

as_hex! {
    [] ShortMessage;
    [const MIN: usize, const MAX: usize] TlvOctets<MIN, MAX>;
}

fn octets(digits: &str) -> Result<Vec<u8>, &'static str> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    match pairs.iter().map(pair).collect::<Option<_>>() {
        Some(octets) if rest.is_empty() => Ok(octets),
        _ => Err("not pairs of hexadecimal digits"),
    }
}

/// A value as long as its tag allows.
pub(crate) fn of_tag<T: TlvValue, E: Error>(value: T) -> Result<T, E> {
    let length = value.encode(<[u8]>::len);
    match T::TAG.lengths() {
        lengths if lengths.contains(&length) => Ok(value),
        lengths => {
            let (min, max) = (*lengths.start(), *lengths.end());
            Err(E::custom(format_args!("{} has {min} to {max} octets, not {length}", T::TAG)))
        }
    }
}

/// A list of names.
impl Serialize for Leniencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Leniencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Leniency>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A map of names and counts.
impl Serialize for LeniencyCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;
    use crate::codec::Limits;
    use crate::tlv::*;

    #[test]
    fn a_pdu_in_the_words_of_the_specification() {
        let query =
            QuerySm { message_id: "4f".parse().unwrap(), source: "27831234567".parse().unwrap(), ..Default::default() };
        let body =
            json!({"message_id": "4f", "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "27831234567"});
        assert_eq!(to_value(&query).unwrap(), body);
        let frame = Frame::request(SequenceNumber::MIN, query);
        let expect = json!({
            "command": "query_sm", "command_id": "0x00000003", "command_status": "0x00000000", "sequence_number": 1,
            "body": body,
        });
        assert_eq!(to_value(&frame).unwrap(), expect);
    }

    #[test]
    fn text_is_hexadecimal_and_tlvs_have_names() {
        let message = DeliverSm {
            short_message: ShortMessage::new(&b"hi"[..]).unwrap(),
            tlvs: Tlvs::new().with(&MessageState::DELIVERED),
            ..Default::default()
        };
        let value = to_value(Pdu::from(message)).unwrap();
        assert_eq!((&value["sm_length"], &value["short_message"]), (&json!(2), &json!("6869")));
        let state = json!({"tag": "0x0427", "name": "message_state", "length": 1, "value_hex": "02", "value": 2});
        assert_eq!(value["tlvs"], json!([state]));
    }

    #[test]
    fn a_password_is_never_written() {
        let bind = BindReceiver { password: "secret".try_into().unwrap(), ..Default::default() };
        let frame = Frame::request(SequenceNumber::MIN, bind.clone());
        for text in [serde_json::to_string(&bind).unwrap(), serde_json::to_string(&frame).unwrap()] {
            assert!(text.contains("***") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn tlvs_both_ways_within_the_lengths_of_their_tags() {
        let callback = json!({"ascii": true, "ton": 1, "npi": 1, "digits": "3237"});
        let number = from_value::<CallbackNum>(callback.clone()).unwrap();
        assert_eq!((number.digits.as_ref(), to_value(&number).unwrap()), (&b"27"[..], callback));
        let validity = MsValidity { behaviour: 4, span: Some((2, 12)) };
        assert_eq!(to_value(validity).unwrap(), json!({"behaviour": 4, "span": [2, 12]}));
        let area = json!({"format": 0, "area": "4a".repeat(101)});
        assert!(from_value::<BroadcastAreaIdentifier>(area).unwrap_err().to_string().contains("0 to 100 are possible"));
        assert_eq!(to_value(ReceiptedMessageId("4f".parse().unwrap())).unwrap(), json!("4f"));
        let error = from_value::<SourceNetworkId>(json!("1310")).unwrap_err();
        assert_eq!(error.to_string(), "source_network_id has 7 to 65 octets, not 5");
        assert_eq!(from_value::<SourceNetworkId>(json!("1310410")).unwrap().0, "1310410");
        assert!(from_value::<ItsSessionInfo>(json!({"reference": 0x8000, "end": false})).is_err());
        let session = ItsSessionInfo::new(0x12, 0x1a, true);
        assert_eq!(from_value::<ItsSessionInfo>(to_value(session).unwrap()).unwrap(), session);
    }

    #[test]
    fn values_both_ways_by_the_same_rules() {
        let address: Address<21> = "27831234567".parse().unwrap();
        assert_eq!(from_value::<Address<21>>(to_value(&address).unwrap()).unwrap(), address);
        assert!(from_value::<COctetString<6>>(json!("123456")).is_err());
        assert!(from_value::<Password>(json!("123456789")).is_err());
        assert!(from_value::<SmppTime>(json!("261301000000000+")).is_err());
        assert_eq!(from_value::<ShortMessage>(json!("00ff")).unwrap(), ShortMessage::new(&[0, 0xff][..]).unwrap());
        assert!(from_value::<ShortMessage>(json!("0g")).is_err());
        assert_eq!(from_value::<CommandStatus>(json!("0x58")).unwrap(), CommandStatus::RTHROTTLED);
        assert_eq!(from_value::<CommandStatus>(json!(88)).unwrap(), CommandStatus::RTHROTTLED);
        let limits: Limits = from_value(json!({"version": 0x34, "max-tlvs": 9, "forgiven": []})).unwrap();
        let expect = Limits::strict().with_version(InterfaceVersion::V3_4).with_max_tlvs(9);
        assert_eq!(limits, expect);
        assert_eq!(from_value::<Limits>(to_value(&limits).unwrap()).unwrap(), limits);
        let few = Leniencies::NONE.with(Leniency::OddTime);
        assert_eq!(to_value(few).unwrap(), json!(["odd_time"]));
        assert_eq!(from_value::<Leniencies>(json!(["odd_time"])).unwrap(), few);
    }
}
