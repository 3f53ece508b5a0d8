//! Vumi bodies of real programs, and bodies that the real decoders judged.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use vumi_message::{Compat, DecodeError, DecodeOptions, Kind, Message, Stamp, Timestamp, UserMessage};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/vumi").join(name)
}

/// As hosts use it: with a stamp for what is absent.
fn options(compat: Compat) -> DecodeOptions {
    DecodeOptions::default().compat(compat).stamp(Stamp::new("stamped", Timestamp::UNIX_EPOCH))
}

fn decode(kind: Kind, body: &[u8], compat: Compat) -> Result<Message, DecodeError> {
    Message::decode(kind, body, &options(compat))
}

/// `accept-01-user.json`: the part before the ending names the kind.
fn kind_of_example(file: &str) -> Kind {
    let kind = file.trim_end_matches(".json").rsplit('-').next().unwrap();
    serde_json::from_value(kind.into()).unwrap()
}

/// Of the captures, and of them alone, `message_type` says the queue.
fn kind_of_capture(body: &[u8]) -> Kind {
    let body: Value = serde_json::from_slice(body).unwrap();
    let kinds = [Kind::User, Kind::Event, Kind::Status, Kind::Failure];
    kinds.into_iter().find(|kind| body["message_type"] == kind.message_type()).unwrap()
}

fn captures() -> Vec<(String, Kind, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder("captured"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let body = fs::read(path).unwrap();
            (name, kind_of_capture(&body), body)
        })
        .collect();
    found.sort();
    assert_eq!(found.len(), 106);
    found
}

/// Every key that a body carried has its value still; keys that it lacked are defaults.
fn assert_keeps(name: &str, before: &Value, after: &Value) {
    for (key, value) in before.as_object().unwrap() {
        assert_eq!(after.get(key), Some(value), "{name}: {key}");
    }
    for (key, value) in after.as_object().unwrap() {
        if before.get(key).is_none() {
            let empty = value.is_null() || *value == Value::Object(Map::new()) || *value == Value::Array(Vec::new());
            assert!(empty, "{name}: {key} came up as {value}");
        }
    }
}

#[test]
fn captured_bodies_keep_all_they_carried() {
    for (name, kind, body) in captures() {
        let before: Value = serde_json::from_slice(&body).unwrap();
        for compat in [Compat::Lenient, Compat::Vumi] {
            let message = decode(kind, &body, compat).unwrap_or_else(|error| panic!("{name} {compat:?}: {error}"));
            let after: Value = serde_json::from_slice(&message.to_vec()).unwrap();
            assert_keeps(&name, &before, &after);
            assert_eq!(decode(kind, &message.to_vec(), compat).as_ref(), Ok(&message), "{name}");
        }
    }
}

/// What we write, both of them read; vumi2 apart from the bodies that it refuses anyhow.
#[test]
fn captured_bodies_are_readable_by_both_after_us() {
    for (name, kind, body) in captures() {
        let message = decode(kind, &body, Compat::Lenient).unwrap();
        decode(kind, &message.to_vec(), Compat::Vumi).unwrap_or_else(|error| panic!("{name}: {error}"));
        let by_vumi2 = decode(kind, &message.to_vec(), Compat::Vumi2);
        assert_eq!(by_vumi2.is_ok(), decode(kind, &body, Compat::Vumi2).is_ok(), "{name}");
    }
}

#[test]
fn the_texts_of_people_are_no_dates() {
    let body = fs::read(folder("captured/v1-ctor-14-date-like-content.json")).unwrap();
    let text = String::from_utf8(body).unwrap().replace("2015-01-02 23:14:11.000000", "2015-01-02 23:14:11");
    let message = UserMessage::decode(&text).unwrap();
    assert_eq!(message.content.as_deref(), Some("2015-01-02 23:14:11"));
    assert!(message.to_json().contains("\"content\":\"2015-01-02 23:14:11\""));
}

#[derive(Deserialize)]
struct Judged {
    file: String,
    note: String,
    vumi: String,
    vumi2: String,
}

#[test]
fn examples_get_the_verdicts_of_the_real_decoders() {
    let index: Vec<Judged> = serde_json::from_slice(&fs::read(folder("examples/index.json")).unwrap()).unwrap();
    assert_eq!(index.len(), 75);
    for example in index {
        let kind = kind_of_example(&example.file);
        let body = fs::read(folder("examples").join(&example.file)).unwrap();
        for (compat, verdict) in [(Compat::Vumi, &example.vumi), (Compat::Vumi2, &example.vumi2)] {
            if verdict != "n/a" {
                let ours = decode(kind, &body, compat);
                let name = (&example.file, &example.note, compat);
                assert_eq!(ours.is_ok(), verdict == "accepts", "{name:?}: {verdict}, ours {ours:?}");
            }
        }
        let disputed = example.file.strip_prefix("disputed-").map(|rest| rest[..2].parse::<u8>().unwrap());
        let accepted = match disputed {
            Some(number) => matches!(number, 6..=17 | 24),
            None => example.file.starts_with("accept-"),
        };
        let ours = decode(kind, &body, Compat::Lenient);
        assert_eq!(ours.is_ok(), accepted, "{} lenient: {ours:?}", example.file);
    }
}

/// Vumi names one field, the first that it finds wrong: so do we, and the same one.
#[test]
fn examples_are_refused_for_the_same_field() {
    let index: Vec<Judged> = serde_json::from_slice(&fs::read(folder("examples/index.json")).unwrap()).unwrap();
    let mut compared = 0;
    for example in index {
        let body = fs::read(folder("examples").join(&example.file)).unwrap();
        let Err(error) = decode(kind_of_example(&example.file), &body, Compat::Vumi) else {
            continue;
        };
        if example.vumi.contains("MessageField") {
            let field = error.field.unwrap();
            assert!(example.vumi.contains(field), "{}: {} but {error}", example.file, example.vumi);
            compared += 1;
        } else if !example.vumi.contains("unhashable") {
            assert_eq!(error.field, None, "{}: {}", example.file, example.vumi);
        }
    }
    assert_eq!(compared, 34);
}

#[derive(Deserialize)]
struct Variation {
    base: Option<String>,
    field: Option<String>,
    #[serde(default, deserialize_with = "some")]
    value: Option<Value>,
    name: Option<String>,
    body: Option<String>,
    vumi: bool,
    vumi2: Option<bool>,
    #[serde(default)]
    deviates: bool,
}

/// Null is a value; only an absent key is none.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Variation {
    fn kind_and_body(&self) -> (Kind, Vec<u8>) {
        if let Some(body) = &self.body {
            return (Kind::User, hex::decode(body).unwrap());
        }
        let (base, field) = (self.base.as_ref().unwrap(), self.field.as_ref().unwrap());
        let mut body: Map<String, Value> =
            serde_json::from_slice(&fs::read(folder("examples").join(base)).unwrap()).unwrap();
        match &self.value {
            Some(value) => drop(body.insert(field.clone(), value.clone())),
            None => drop(body.remove(field)),
        }
        (kind_of_example(base), serde_json::to_vec(&body).unwrap())
    }
}

#[test]
fn variations_get_the_verdicts_of_the_real_decoders() {
    let mut wrong = Vec::new();
    let lines = fs::read_to_string(folder("verdicts.jsonl")).unwrap();
    for line in lines.lines() {
        let variation: Variation = serde_json::from_str(line).unwrap();
        let (kind, body) = variation.kind_and_body();
        for (compat, verdict) in [(Compat::Vumi, Some(variation.vumi)), (Compat::Vumi2, variation.vumi2)] {
            let ours = decode(kind, &body, compat);
            let expected = verdict.map(|accepted| accepted && !variation.deviates);
            if expected.is_some_and(|accepted| accepted != ours.is_ok()) {
                wrong.push(format!("{line}\n  {compat:?}: {:?} {:?}", variation.name, ours.map(drop)));
            }
        }
        // What is accepted is written back and comes again the same, whoever judges.
        for compat in [Compat::Lenient, Compat::Vumi, Compat::Vumi2] {
            if let Ok(message) = decode(kind, &body, compat) {
                assert_eq!(decode(kind, &message.to_vec(), compat).as_ref(), Ok(&message), "{line} {compat:?}");
            }
        }
    }
    assert!(lines.lines().count() > 1000);
    assert!(wrong.is_empty(), "{} verdicts differ:\n{}", wrong.len(), wrong.join("\n"));
}
