//! Text of SMPP messages: the tables of 3GPP TS 23.038, the texts and headers of the shared vectors, and whatever real
//! programs sent.

use std::collections::BTreeMap;
use std::fs;

use conformance::smpp_vectors as vectors;
use conformance::vectors::path;
use serde::Deserialize;
use serde_json::{Value, json};
use smpp::codec::Limits;
use smpp::pdu::{Frame, Pdu};
use smpp::receipt::{Outcome, Receipt};
use smpp::text::{Charset, Codings, Gsm7, Language, UserDataHeader};
use smpp::types::CommandId;

/// One entry of `vectors/gsm-tables.json`: code points as `U+` and digits.
#[derive(Deserialize)]
struct Tables {
    language_identifier: Option<u8>,
    locking_or_basic: Option<Vec<Option<String>>>,
    single_shift_or_extension: BTreeMap<String, String>,
}

fn character(point: &str) -> char {
    let digits = point.strip_prefix("U+").unwrap();
    char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap()
}

#[test]
fn every_table_is_that_of_the_specification() {
    let octets = fs::read(path("vectors/gsm-tables.json")).unwrap();
    let tables: BTreeMap<String, Tables> = serde_json::from_slice(&octets).unwrap();
    assert_eq!(tables.len(), 1 + Language::ALL.len());
    for (name, tables) in tables {
        let language = tables.language_identifier.map(|number| Language::from_number(number).unwrap());
        assert_eq!(language.map_or("Default".to_owned(), |language| format!("{language:?}")), name);
        assert_eq!(language.is_none_or(Language::has_locking_shift), tables.locking_or_basic.is_some(), "{name}");
        let locking = Gsm7 { locking: language, single: None };
        let basic = tables.locking_or_basic.unwrap_or_default();
        for (code, point) in (0..).zip(&basic) {
            let text = point.as_deref().map_or(char::REPLACEMENT_CHARACTER, character).to_string();
            let decoded = locking.decode(std::slice::from_ref(&code));
            assert_eq!((&*decoded.text, decoded.lossy), (&*text, point.is_none()), "{name} {code:#x}");
            if point.is_some() {
                assert_eq!(locking.encode(&text).unwrap(), [code], "{name} {code:#x}");
            }
        }
        let single = Gsm7 { locking: None, single: language };
        let shifted: BTreeMap<u8, char> = tables
            .single_shift_or_extension
            .iter()
            .map(|(code, point)| (u8::from_str_radix(code, 16).unwrap(), character(point)))
            .collect();
        for code in (0..128).filter(|code| *code != 0x1b) {
            let escaped = [0x1b, code];
            let decoded = single.decode(&escaped).text;
            match shifted.get(&code) {
                Some(character) => {
                    assert_eq!(decoded, character.to_string(), "{name} {code:#x}");
                    let again = single.encode(&decoded).unwrap();
                    assert_eq!(single.decode(&again).text, decoded, "{name} {code:#x}");
                    let by_default = Gsm7::DEFAULT.encode(&decoded).is_ok_and(|septets| septets.len() == 1);
                    assert_eq!(again.len() == 1, by_default, "{name} {code:#x}");
                }
                None => assert_eq!(decoded, Gsm7::DEFAULT.decode(&[code]).text, "{name} {code:#x}"),
            }
        }
    }
}

/// A vector with what this test looks at.
#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    hex: Vec<u8>,
    expect: Value,
}

/// The elements of a header in the vectors' spelling, from its own octets.
fn elements(header: &UserDataHeader) -> Value {
    let octets = header.to_octets().unwrap();
    let (mut rest, mut elements) = (&octets[1..], Vec::new());
    while let [iei, length, data @ ..] = rest {
        let (data, behind) = data.split_at(usize::from(*length));
        elements.push(json!({ "iei": iei, "data": hex::encode(data) }));
        rest = behind;
    }
    elements.into()
}

#[test]
fn texts_and_headers_of_every_vector() {
    let octets = fs::read(path("vectors/smpp.json")).unwrap();
    let vectors: Vec<Vector> = serde_json::from_slice(&octets).unwrap();
    let codings = Codings::default();
    let (mut texts, mut headers) = (0, 0);
    for Vector { name, hex, expect } in vectors {
        let id = u32::from_be_bytes(hex[4..8].try_into().unwrap());
        let frame = Frame::decode(hex, &vectors::limits_of_receiver(CommandId(id))).unwrap();
        let body = frame.pdu.body();
        if let Some(text) = expect["text"].as_str() {
            let decoded = body.as_ref().unwrap().decode(&codings).unwrap();
            assert_eq!((&*decoded.text, decoded.lossy), (text, false), "{name}");
            let charset = match codings.charset(body.as_ref().unwrap().data_coding).unwrap() {
                Charset::Gsm7 => "gsm0338",
                Charset::Ascii => "ascii",
                Charset::Latin1 => "iso-8859-1",
                Charset::Ucs2 => "utf-16be",
                Charset::Cyrillic => "iso8859_5",
                other => panic!("{name}: {other:?}"),
            };
            let expected = expect["text_codec"].as_str().unwrap();
            assert_eq!(charset.replace(['-', '_'], ""), expected.replace(['-', '_'], ""), "{name}");
            texts += 1;
        }
        if !expect["udh"].is_null() {
            assert_eq!(elements(&body.unwrap().header.unwrap()), expect["udh"], "{name}");
            headers += 1;
        }
    }
    assert!(texts >= 43 && headers >= 6, "{texts} texts, {headers} headers");
}

#[test]
fn user_data_that_is_broken() {
    let malformed = vectors::malformed().unwrap();
    let body = |name: &str| {
        let vector = malformed.iter().find(|vector| vector.name == name).unwrap();
        Frame::decode(vector.octets(), &Limits::default()).unwrap().pdu.body().unwrap()
    };
    let text = |name: &str| {
        let body = body(name);
        let decoded = body.decode(&Codings::default()).unwrap();
        (decoded.text.into_owned(), decoded.lossy)
    };
    for (name, expected, lossy) in [
        ("udhi_but_empty", "", false),
        ("udh_ie_beyond_udhl", "abc", false),
        ("udh_concat_part_zero", "abc", false),
        ("udh_concat_wrong_ie_length", "abc", false),
        ("udh_two_concat_ies", "abc", false),
        ("ucs2_odd_length", "A\u{fffd}", true),
        ("ucs2_lone_high_surrogate", "\u{fffd}A", true),
        ("ucs2_with_bom", "A", false),
        ("gsm7_trailing_escape", "ab\u{fffd}", true),
    ] {
        assert_eq!(text(name), (expected.to_owned(), lossy), "{name}");
    }
    for name in ["udhi_but_empty", "udh_ie_beyond_udhl", "udh_concat_part_zero", "udh_concat_wrong_ie_length"] {
        assert_eq!(body(name).concatenation, None, "{name}");
    }
    assert_eq!(body("udh_two_concat_ies").concatenation.unwrap().total, 3);
    assert_eq!(body("udhi_and_sar_tlvs").concatenation.unwrap().reference, 0x2a);
}

#[test]
fn receipts_of_real_programs() {
    let mut outcomes = BTreeMap::new();
    for pdu in vectors::corpus().unwrap() {
        let limits = if pdu.to_server { Limits::message_centre() } else { Limits::esme() };
        let Ok(frame) = Frame::decode(pdu.octets.clone(), &limits) else { continue };
        if let Some(receipt) = Receipt::from_frame(&frame) {
            assert!(!receipt.is_empty(), "{}: {receipt:?}", pdu.place);
            assert!(receipt.id.is_some() && receipt.state.is_some(), "{}: {receipt:?}", pdu.place);
            let outcome = match receipt.outcome() {
                Outcome::Delivered => "delivered",
                Outcome::Failed => "failed",
                _ => "pending",
            };
            *outcomes.entry(outcome).or_insert(0) += 1;
        } else if let Pdu::DeliverSm(deliver_sm) = &frame.pdu {
            assert!(!deliver_sm.esm_class.is_receipt(), "{}", pdu.place);
        }
    }
    assert!(outcomes["delivered"] >= 10, "{outcomes:?}");
}
