//! The SMPP vectors below `tests/vectors`, and PDUs in their spelling.

use std::collections::BTreeMap;
use std::{fs, io};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};
use smpp::codec::{self, FieldValue, Limits};
use smpp::pdu::Pdu;
use smpp::tlv::{TagRegistry, TlvDisplay, Tlvs};
use smpp::types::CommandId;

use crate::vectors::path;

/// One entry of `vectors/smpp.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct SmppVector {
    /// What it shows.
    pub name: String,
    /// The whole PDU.
    #[serde(rename = "hex", deserialize_with = "hex::serde::deserialize")]
    pub octets: Vec<u8>,
    /// Its fields.
    pub expect: Expect,
}

/// The fields of a PDU.
#[derive(Clone, Debug, Deserialize)]
pub struct Expect {
    /// Octets.
    pub command_length: usize,
    /// As `0x` and eight digits.
    pub command_id: String,
    /// Name of the operation.
    pub command: String,
    /// As `0x` and eight digits.
    pub command_status: String,
    /// Its name in 5.0, if it has one.
    pub status_name: Option<String>,
    /// As it stands on the wire.
    pub sequence_number: u32,
    /// Whether there is a body.
    pub body_present: bool,
    /// The mandatory fields.
    pub body: Map<String, Value>,
    /// The TLVs.
    pub tlvs: Value,
    /// The text.
    #[serde(default)]
    pub text: Value,
    /// The character set that it was read in.
    #[serde(default)]
    pub text_codec: Value,
    /// The elements of its header.
    #[serde(default)]
    pub udh: Value,
}

/// One entry of `vectors/smpp-malformed.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Malformed {
    /// What it shows.
    pub name: String,
    /// What it is about; those of `state` need a session.
    pub category: String,
    /// Octets of the stream.
    #[serde(deserialize_with = "hex::serde::deserialize")]
    pub hex: Vec<u8>,
    /// More octets, all the same.
    pub append: Option<Append>,
    /// `mc` or `esme`.
    pub receiver: String,
    /// The receiver's state, such as `BOUND_TRX`.
    pub state: String,
    /// A request of the receiver's that is not answered, such as `submit_sm seq 5`.
    pub pending: Option<String>,
    /// What becomes of it.
    pub expect: Outcome,
}

/// An octet, so many times.
#[derive(Clone, Debug, Deserialize)]
pub struct Append {
    /// The octet.
    #[serde(deserialize_with = "hex::serde::deserialize")]
    pub octet: Vec<u8>,
    /// How often.
    pub count: usize,
}

/// What becomes of an input.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Outcome {
    /// `need_more`, `fatal_framing`, `reject`, `accept`, `ignore` or `fail_pending`.
    pub outcome: String,
    /// The answer, if one is due.
    pub reply: Option<Reply>,
    /// Whether the connection is closed.
    pub close: bool,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reply {
    /// Name of the operation.
    pub command: String,
    /// As `0x` and eight digits.
    pub command_status: String,
    /// Its name in 5.0.
    pub status_name: String,
    /// As it stands on the wire.
    pub sequence_number: u32,
    /// The whole PDU; none if the answering side must make up an identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

impl Malformed {
    /// The whole input.
    pub fn octets(&self) -> Vec<u8> {
        let more = self.append.iter().flat_map(|append| append.octet.repeat(append.count));
        self.hex.iter().copied().chain(more).collect()
    }
}

/// All of `vectors/smpp.json`.
pub fn good() -> io::Result<Vec<SmppVector>> {
    read("vectors/smpp.json")
}

/// All of `vectors/smpp-malformed.json`.
pub fn malformed() -> io::Result<Vec<Malformed>> {
    read("vectors/smpp-malformed.json")
}

/// `deviations/smpp-corpus.json`: what is decided otherwise than the vectors say, and PDUs of the corpus that are
/// refused, with the reason of each.
pub fn deviations() -> io::Result<BTreeMap<String, String>> {
    read("deviations/smpp-corpus.json")
}

fn read<T: DeserializeOwned>(name: &str) -> io::Result<T> {
    Ok(serde_json::from_str(&fs::read_to_string(path(name))?)?)
}

/// One line of `vectors/smpp-corpus.tsv`: a PDU that a real program sent.
#[derive(Clone, Debug)]
pub struct CorpusPdu {
    /// Session and frame, for messages.
    pub place: String,
    /// Whether it went to the message centre.
    pub to_server: bool,
    /// The whole PDU.
    pub octets: Vec<u8>,
}

/// All of `vectors/smpp-corpus.tsv`.
pub fn corpus() -> anyhow::Result<Vec<CorpusPdu>> {
    let text = fs::read_to_string(path("vectors/smpp-corpus.tsv"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [source, frame, direction, _, _, octets] = line.split('\t').collect::<Vec<_>>()[..] else {
                anyhow::bail!("not six columns: {line}");
            };
            Ok(CorpusPdu {
                place: format!("{source} {frame}"),
                to_server: direction == "c2s",
                octets: hex::decode(octets)?,
            })
        })
        .collect()
}

/// The mandatory fields in the spelling of `smpp.json`.
pub fn body(pdu: &Pdu) -> Map<String, Value> {
    match json!(Fields { fields: &pdu.fields(), secrets: true }) {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    }
}

/// Fields in the spelling of `smpp.json`, in their order on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The fields.
    pub fields: &'a [FieldValue<'a>],
    /// Whether passwords are shown; `***` stands for them otherwise.
    pub secrets: bool,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { secrets, .. } = *self;
        let value = |value: &codec::Value<'_>| match value {
            codec::Value::U8(number) => json!(number),
            codec::Value::U32(number) => json!(number),
            codec::Value::Secret(_) if !secrets => json!("***"),
            codec::Value::Text(text) | codec::Value::Secret(text) => {
                json!(text.iter().copied().map(char::from).collect::<String>())
            }
            codec::Value::List(entries) => entries.iter().map(|fields| json!(Fields { fields, secrets })).collect(),
            codec::Value::Octets(octets) => json!(hex::encode(octets)),
            other => panic!("{other:?}"),
        };
        serializer.collect_map(self.fields.iter().map(|field| (field.name, value(&field.value))))
    }
}

/// TLVs in the spelling of `smpp.json`.
pub fn tlvs(tlvs: &Tlvs) -> Value {
    let registry = TagRegistry::default();
    let tlv = |tlv: smpp::tlv::Tlv<'_>| {
        let mut shown = json!({
            "tag": format!("{:#06x}", tlv.tag.0),
            "name": registry.name(tlv.tag),
            "length": tlv.value.len(),
            "value_hex": hex::encode(tlv.value),
        });
        match registry.value(tlv) {
            TlvDisplay::Integer(number) => shown["value"] = json!(number),
            TlvDisplay::Text(text) => shown["value"] = json!(text),
            _ => {}
        }
        shown
    };
    tlvs.iter().map(tlv).collect()
}

/// The limits of the side that receives a PDU; a message centre's, if both may.
pub fn limits_of_receiver(command_id: CommandId) -> Limits {
    let from_centre = match command_id {
        CommandId::DELIVER_SM | CommandId::ALERT_NOTIFICATION | CommandId::OUTBIND => true,
        CommandId::DELIVER_SM_RESP => false,
        other => other.is_response(),
    };
    if from_centre { Limits::esme() } else { Limits::message_centre() }
}
