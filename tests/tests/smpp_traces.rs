//! Recorded sessions of real SMPP programs: every octet belongs to a PDU, and the PDUs are what Wireshark says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bytes::BytesMut;
use conformance::{capture, smpp_vectors, vectors};
use serde_json::{Map, Value, json};
use smpp::codec::Limits;
use smpp::framing::StreamDecoder;
use smpp::pdu::{Frame, Pdu};
use smpp::tlv::{Tag, TagRegistry, TlvDisplay, TlvKind};
use smpp::types::{SmppTime, TimeValue};

/// The message centres' ports in the captures.
const PORTS: [u16; 5] = [2345, 2776, 2785, 8056, 9900];

/// Files in which a stream ends in a bad command_length that was sent on purpose, and how many do.
const BAD_LENGTHS: [(&str, usize); 5] =
    [("node-jsmpp-err", 2), ("node-netsmpp", 2), ("node-node-err", 2), ("node-twisted", 2), ("smpplib-node-mo", 1)];

/// What a stream held.
#[derive(Debug, Default, PartialEq)]
struct Story {
    pdus: usize,
    bad: Vec<String>,
    /// Where it ended in a bad command_length.
    ended: Option<u64>,
    rest: usize,
}

fn read(octets: &[u8], limits: Limits, cut: usize) -> Story {
    let (mut decoder, mut buffer, mut story) = (StreamDecoder::new(limits), BytesMut::new(), Story::default());
    let (head, tail) = octets.split_at(cut);
    let mut written = BytesMut::new();
    for read in [head, tail] {
        buffer.extend_from_slice(read);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(Ok(frame))) => {
                    frame.encode(&mut written).unwrap();
                    story.pdus += 1;
                }
                Ok(Some(Err(bad))) => {
                    story.bad.push(bad.to_string());
                    written.extend_from_slice(&octets[written.len()..bad.body.len() + 16 + written.len()]);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(written, octets[..written.len()]);
                    return Story { ended: Some(error.offset), ..story };
                }
            }
        }
    }
    story.rest = buffer.len();
    assert_eq!(written, octets[..octets.len() - story.rest]);
    story
}

/// Names of the files in the folder of traces with this ending, and their contents.
fn files(ending: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(vectors::path("traces/smpp")).unwrap().map(|file| file.unwrap().path());
    let named = files.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        Some((name, fs::read(&path).unwrap()))
    });
    named.collect()
}

/// Every direction of every connection: file, whether it goes to the message centre, octets.
fn streams() -> Vec<(String, bool, Vec<u8>)> {
    let mut streams = Vec::new();
    let files = files(".pcap");
    assert!(files.len() >= 30, "{} captures", files.len());
    for (name, file) in files {
        let before = streams.len();
        for port in PORTS {
            for connection in capture::connections(&file, port).unwrap() {
                streams.push((name.clone(), true, connection.client));
                streams.push((name.clone(), false, connection.server));
            }
        }
        assert!(streams.len() > before, "{name}: no connection");
    }
    streams
}

#[test]
fn every_octet_belongs_to_a_pdu() {
    let mut ended = BTreeMap::new();
    let mut bad = Vec::new();
    for (name, to_server, octets) in streams() {
        let story = read(&octets, Limits::esme(), 0);
        assert_eq!(story.rest, 0, "{name} {to_server}: {story:?}");
        *ended.entry(name.clone()).or_insert(0) += usize::from(story.ended.is_some());
        bad.extend(story.bad.into_iter().map(|bad| format!("{name}: {bad}")));
    }
    ended.retain(|_, count| *count > 0);
    assert_eq!(ended, BAD_LENGTHS.map(|(name, count)| (name.to_owned(), count)).into());
    // A bind without a body, sent on purpose.
    let on_purpose = |bad: &String| bad.contains("bad bind_transceiver with sequence_number 4712: ");
    assert!(bad.len() == 2 && bad.iter().all(on_purpose), "{bad:#?}");
}

#[test]
fn every_stream_reads_the_same_cut_at_any_octet() {
    for (name, _, octets) in streams() {
        let whole = read(&octets, Limits::esme(), 0);
        for cut in (0..octets.len()).filter(|cut| *cut < 100 || cut % 61 == 0) {
            assert_eq!(read(&octets, Limits::esme(), cut), whole, "{name} cut at {cut}");
        }
    }
}

/// What Wireshark shows otherwise, with the reason: by the name of its field, or by file and field.
fn known_limits() -> BTreeMap<String, String> {
    serde_json::from_slice(&fs::read(vectors::path("deviations/smpp-wireshark.json")).unwrap()).unwrap()
}

#[test]
fn wireshark_agrees_field_by_field() {
    let limits = known_limits();
    let (mut used, mut pdus) = (BTreeSet::new(), 0);
    let mut differences = Vec::new();
    for (name, file) in files(".json") {
        let frames: Vec<Value> = serde_json::from_slice(&file).unwrap();
        for pdu in frames.iter().flat_map(|frame| frame["pdus"].as_array().unwrap()) {
            let octets = hex::decode(pdu["raw"].as_str().unwrap()).unwrap();
            let Ok(frame) = Frame::decode(octets, &Limits::esme()) else { continue };
            pdus += 1;
            let ours = as_wireshark(&frame);
            for (field, theirs) in pdu["smpp"].as_object().unwrap() {
                let theirs = if field == "smpp.opt_params" { optional(theirs) } else { plain(theirs) };
                let agree = ours.get(field) == Some(&theirs);
                let keys = [field.clone(), format!("{name} {field}")];
                match keys.into_iter().find(|key| limits.contains_key(key)) {
                    _ if agree => {}
                    Some(key) => drop(used.insert(key)),
                    None => differences.push(format!("{name} {field}: {:?} and {theirs}", ours.get(field))),
                }
            }
        }
    }
    assert!(pdus >= 1_290, "{pdus} PDUs");
    assert!(differences.is_empty(), "{}: {differences:#?}", differences.len());
    let unused: Vec<&String> = limits.keys().filter(|field| !used.contains(*field)).collect();
    assert!(unused.is_empty(), "Wireshark agrees by now: {unused:?}");
}

/// A value of Wireshark's: numbers as numbers, whatever their base.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(hex) => json!(u64::from_str_radix(hex, 16).unwrap()),
            None => value.clone(),
        },
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Wireshark's TLVs: tag, length, and the value if it is one number or one text.
fn optional(params: &Value) -> Value {
    let params = match &params["smpp.opt_param"] {
        Value::Array(params) => params.clone(),
        one => vec![one.clone()],
    };
    let values = params.iter().map(|param| {
        let mut param = plain(param).as_object().unwrap().clone();
        let [tag, length] = ["tag", "len"].map(|part| param.remove(&format!("smpp.opt_param_{part}")).unwrap());
        let kind = Tag(u16::try_from(tag.as_u64().unwrap()).unwrap()).kind();
        let value = match (kind, param.values().next()) {
            (TlvKind::Integer | TlvKind::Text, Some(value)) if param.len() == 1 => match value.as_u64() {
                Some(number) => json!(number.to_string()),
                None => value.clone(),
            },
            _ => Value::Null,
        };
        json!([tag, length, value])
    });
    values.collect()
}

/// Our reading of a PDU in Wireshark's names and spelling.
fn as_wireshark(frame: &Frame) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut length = BytesMut::new();
    frame.encode(&mut length).unwrap();
    fields.insert("smpp.command_length".into(), json!(length.len().to_string()));
    fields.insert("smpp.command_id".into(), json!(frame.pdu.command_id().0));
    fields.insert("smpp.command_status".into(), json!(frame.header.command_status.0));
    fields.insert("smpp.sequence_number".into(), json!(frame.header.sequence_number.to_string()));
    for (name, value) in smpp_vectors::body(&frame.pdu) {
        insert(&mut fields, &name, value);
    }
    let (mut tlvs, registry) = (Vec::<Value>::new(), TagRegistry::default());
    for tlv in frame.pdu.tlvs() {
        let value = match registry.value(tlv) {
            TlvDisplay::Octets(_) => Value::Null,
            _ if tlv.tag == Tag::CALLBACK_NUM_PRES_IND => Value::Null,
            value => json!(value.to_string()),
        };
        tlvs.push(json!([tlv.tag.0, tlv.value.len().to_string(), value]));
    }
    fields.insert("smpp.opt_params".into(), tlvs.into());
    if let Some((schedule, validity)) = times(&frame.pdu) {
        insert_time(&mut fields, "smpp.schedule_delivery_time", schedule);
        insert_time(&mut fields, "smpp.validity_period", validity);
    }
    if let Pdu::QuerySmResp(Some(response)) = &frame.pdu {
        insert_time(&mut fields, "smpp.final_date", &response.final_date);
    }
    fields
}

fn insert(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let number = value.as_u64().unwrap_or_default();
    let (name, value) = match name {
        "esm_class" => {
            fields.insert("smpp.esm.submit.msg_mode".into(), json!(number & 3));
            fields.insert("smpp.esm.submit.msg_type".into(), json!(number >> 2 & 15));
            ("esm.submit.features", json!(number >> 6))
        }
        "registered_delivery" => {
            fields.insert("smpp.regdel.receipt".into(), json!(number & 3));
            fields.insert("smpp.regdel.acks".into(), json!(number >> 2 & 3));
            ("regdel.notif", json!(number >> 4 & 1))
        }
        "short_message" => {
            let octets = hex::decode(value.as_str().unwrap()).unwrap();
            ("message", json!(octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")))
        }
        "service_type" if value == "" => (name, json!("(Default)")),
        "dest_address" | "unsuccess_sme" => {
            let mut lists = Map::new();
            for (name, value) in value.as_array().unwrap().iter().flat_map(|entry| entry.as_object().unwrap()) {
                let list = lists.entry(format!("smpp.{name}")).or_insert(json!([]));
                list.as_array_mut().unwrap().push(value.clone());
            }
            lists.remove("smpp.dest_flag");
            (if name == "dest_address" { "dlist" } else { "dlist_resp" }, lists.into())
        }
        // Wireshark shows these in decimal.
        "interface_version" | "sm_length" | "sm_default_msg_id" | "message_state" | "error_code" => {
            (name, json!(number.to_string()))
        }
        _ => (name, value),
    };
    fields.insert(format!("smpp.{name}"), value);
}

fn times(pdu: &Pdu) -> Option<(&SmppTime, &SmppTime)> {
    match pdu {
        Pdu::SubmitSm(pdu) => Some((&pdu.schedule_delivery_time, &pdu.validity_period)),
        Pdu::DeliverSm(pdu) => Some((&pdu.schedule_delivery_time, &pdu.validity_period)),
        Pdu::SubmitMulti(pdu) => Some((&pdu.schedule_delivery_time, &pdu.validity_period)),
        Pdu::ReplaceSm(pdu) => Some((&pdu.schedule_delivery_time, &pdu.validity_period)),
        Pdu::BroadcastSm(pdu) => Some((&pdu.schedule_delivery_time, &pdu.validity_period)),
        _ => None,
    }
}

fn insert_time(fields: &mut Map<String, Value>, name: &str, time: &SmppTime) {
    fields.remove(name);
    match time.value() {
        Ok(None) => drop(fields.insert(format!("{name}_r"), json!("0.000000000"))),
        Ok(Some(TimeValue::Relative(span))) => {
            let [days, hours, minutes, seconds] = [span.days, span.hours, span.minutes, span.seconds].map(u32::from);
            let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
            fields.insert(format!("{name}_r"), json!(format!("{seconds}.000000000")));
        }
        Ok(Some(TimeValue::Absolute(at))) => {
            let at = at.to_utc();
            let month = &at.month().to_string()[..3];
            let [day, year] = [at.day().into(), at.year()];
            let text = format!("{month} {day:2}, {year} {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
            fields.insert(name.into(), json!(format!("{text}.{:03}000000 UTC", at.millisecond())));
        }
        _ => {}
    }
}
