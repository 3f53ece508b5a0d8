//! The shared SSMI vectors: each line decodes to the fields that stand beside it, or is refused for the reason given.

use bytes::{Bytes, BytesMut};
use conformance::vectors::{self, SsmiVector};
use serde_json::{Map, Value};
use ssmi::codec::{DecodeError, DecodeProblem};
use ssmi::command::{Request, Response};
use ssmi::framing::{Framing, LineCutter};

/// What came of a line: name and fields, or the reason in the vectors' words.
type Outcome = Result<(String, Map<String, Value>), &'static str>;

fn outcome(vector: &SsmiVector, line: &Bytes, again: &mut BytesMut) -> Outcome {
    let command = |name: &str, _: &[u8], fields: &[(&'static str, &[u8])]| {
        let text = |octets: &[u8]| octets.iter().copied().map(char::from).collect::<String>();
        (name.to_owned(), fields.iter().map(|(name, value)| ((*name).to_owned(), text(value).into())).collect())
    };
    let refused = |error: DecodeError| match error.problem {
        DecodeProblem::BadHeader => "bad header",
        DecodeProblem::TooFew => "too few",
        DecodeProblem::NoId => "unknown id",
        _ => "another reason",
    };
    match vector.dir {
        'C' => match Request::decode(line).map_err(refused)? {
            Request::Unknown(_) => Err("unknown id"),
            request => {
                request.encode(again).unwrap();
                Ok(request.with_fields(command))
            }
        },
        _ => match Response::decode(line).map_err(refused)? {
            Response::Unknown(_) => Err("unknown id"),
            response => {
                response.encode(again).unwrap();
                Ok(response.with_fields(command))
            }
        },
    }
}

#[test]
fn every_vector() {
    let vectors = vectors::ssmi().unwrap();
    assert!(vectors.len() >= 75, "{} vectors", vectors.len());
    for vector in vectors {
        let mut buffer = BytesMut::from(vector.wire_hex.as_slice());
        let line = LineCutter::new(Framing::Strict).cut(&mut buffer).unwrap().unwrap().octets;
        assert!(buffer.is_empty(), "{vector:?}");
        let mut again = BytesMut::new();
        let expect = match &vector.name {
            Some(name) => Ok((name.clone(), vector.fields.clone().unwrap())),
            None => Err(vector.txssmi.as_str()),
        };
        assert_eq!(outcome(&vector, &line, &mut again), expect, "{vector:?}");
        match vector.txssmi.as_str() {
            "ok" => assert_eq!(again, vector.wire_hex, "{vector:?}"),
            "noncanonical" => assert!(again.len() < vector.wire_hex.len(), "{vector:?}"),
            _ => assert!(again.is_empty(), "{vector:?}"),
        }
    }
}
