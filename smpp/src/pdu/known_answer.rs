//! Known answers: octets, the PDU they are, and the same octets again.

use bytes::BytesMut;

use super::{Frame, Header, Pdu};
use crate::codec::Limits;
use crate::types::CommandStatus;

/// These octets are this PDU with status 0, both ways and by strict rules.
#[track_caller]
pub(crate) fn known(hex: &str, sequence_number: u32, pdu: impl Into<Pdu>) {
    let header = Header { command_status: CommandStatus::ROK, sequence_number };
    let expect = Frame { header, pdu: pdu.into(), rest: Default::default() };
    assert_eq!(Frame::decode(octets(hex), &Limits::strict()), Ok(expect.clone()));
    assert_eq!(hex::encode(encoded(&expect)), hex);
}

/// These octets are a PDU that is written as it came.
#[track_caller]
pub(crate) fn known_frame(hex: &str) -> Frame {
    let frame = Frame::decode(octets(hex), &Limits::esme()).unwrap();
    assert_eq!(hex::encode(encoded(&frame)), hex);
    frame
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

pub(crate) fn encoded(frame: &Frame) -> BytesMut {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    octets
}
