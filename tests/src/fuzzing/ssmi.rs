//! SSMI: what decodes is written as it came, and any cutting of a stream gives the same lines.

use bytes::{Bytes, BytesMut};
use ssmi::codec::{DecodeError, EncodeError};
use ssmi::command::{Request, Response};
use ssmi::framing::{Framing, LineCutter};

macro_rules! round_trip {
    ($name:ident, $table:ident) => {
        pub(super) fn $name(octets: &[u8]) {
            let line = Bytes::copy_from_slice(octets);
            match $table::decode(&line) {
                Ok(command) => {
                    let names = command.with_fields(|_, _, fields| fields.len());
                    let again = written(&line, names, |dst| command.encode(dst));
                    if let Some(again) = again {
                        assert_eq!($table::decode(&again), Ok(command));
                    }
                }
                Err(error) => refused(&line, error),
            }
        }
    };
}

round_trip!(request, Request);
round_trip!(response, Response);

/// Encodes what was decoded: it is the line again, apart from the three forms that are not kept. None if it cannot be
/// written, which only happens to a line that is over the limit or has a comma where an unknown command has none.
fn written(
    line: &Bytes,
    fields: usize,
    encode: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Option<Bytes> {
    let mut again = BytesMut::from("before");
    if let Err(error) = encode(&mut again) {
        assert_eq!(again, "before");
        assert!(line.len() > ssmi::codec::MAX_LINE, "{error}");
        return None;
    }
    let again = again.freeze().slice("before".len()..);
    let (terminator, again) = (again.last().copied(), again.slice(..again.len() - 1));
    assert_eq!(terminator, Some(b'\r'));
    let commas = line.iter().filter(|&&octet| octet == b',').count();
    match (fields, commas) {
        (0, 2..) => assert!(line.starts_with(&again)),
        (1, 1) => assert_eq!(again, [line, b",".as_slice()].concat()),
        _ => assert_eq!(again, line),
    }
    Some(again)
}

/// An error points into the line.
fn refused(line: &Bytes, error: DecodeError) {
    assert!(error.offset <= line.len(), "{error}");
    assert_eq!(error.message.is_some(), error.field.is_some(), "{error}");
}

/// The first octet says how long the reads are.
pub(super) fn stream(octets: &[u8]) {
    let Some((&size, octets)) = octets.split_first() else { return };
    for framing in [Framing::Strict, Framing::Tolerant] {
        let cut = lines(octets, usize::from(size).max(1), framing);
        assert_eq!(cut, lines(octets, octets.len().max(1), framing));
        if framing == Framing::Strict && cut.ended_well {
            let mut whole = cut.lines.join(&b'\r');
            whole.extend(cut.lines.last().map(|_| b'\r'));
            whole.extend(cut.rest);
            assert_eq!(whole, octets, "an octet was lost");
        }
    }
}

#[derive(Debug, Eq, PartialEq)]
struct Cut {
    lines: Vec<Vec<u8>>,
    rest: Vec<u8>,
    ended_well: bool,
}

fn lines(octets: &[u8], size: usize, framing: Framing) -> Cut {
    const LIMIT: usize = 64;
    let (mut cutter, mut buffer, mut lines) = (LineCutter::new(framing).with_limit(LIMIT), BytesMut::new(), Vec::new());
    for read in octets.chunks(size) {
        buffer.extend_from_slice(read);
        loop {
            match cutter.cut(&mut buffer) {
                Ok(Some(line)) => {
                    let at = usize::try_from(line.offset).expect("an offset of these octets");
                    assert_eq!(octets[at..][..line.octets.len()], line.octets, "the offset is wrong");
                    lines.push(line.octets.to_vec());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.limit, LIMIT);
                    return Cut { lines, rest: Vec::new(), ended_well: false };
                }
            }
        }
        assert!(buffer.len() <= LIMIT, "{} octets are kept", buffer.len());
    }
    let rest = cutter.finish(&mut buffer).map(|line| line.octets.to_vec()).unwrap_or_default();
    Cut { lines, rest, ended_well: true }
}
