use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::codec::Leniency;
use crate::pdu::Pdu;

fn buffer(hex: &str) -> BytesMut {
    hex::decode(hex.replace(' ', "")).unwrap().as_slice().into()
}

/// The events of a stream that arrives in pieces.
fn events(octets: &[u8], pieces: &[usize]) -> (Vec<Result<Frame, BadPdu>>, Option<BadLength>, LeniencyCounts) {
    let mut decoder = StreamDecoder::new(Limits::message_centre()).with_limit(200);
    let (mut events, mut buffer, mut rest) = (Vec::new(), BytesMut::new(), octets);
    for piece in pieces.iter().copied().chain([octets.len()]) {
        let (head, tail) = rest.split_at(piece.min(rest.len()));
        buffer.extend_from_slice(head);
        rest = tail;
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(bad) => return (events, Some(BadLength { sequence_number: 0, ..bad }), decoder.counts().clone()),
            }
        }
    }
    (events, None, decoder.counts().clone())
}

#[test]
fn impossible_lengths_are_known_on_four_octets() {
    for hex in ["00000000", "00000004", "0000000f", "00020001", "7fffffff", "80000010", "ffffffff"] {
        let error = PduCutter::default().cut(&mut buffer(hex)).unwrap_err();
        assert_eq!(error.command_length, u32::from_str_radix(hex, 16).unwrap());
        assert_eq!((error.sequence_number, error.offset), (0, 0));
    }
    let mut whole = buffer("7fffffff 00000004 00000000 00000005");
    assert_eq!(PduCutter::default().cut(&mut whole).unwrap_err().answer().header.sequence_number, 5);
    let mut short = buffer("0000000f 00000004 00000000 00000005");
    assert_eq!(PduCutter::default().cut(&mut short).unwrap_err().answer().header.sequence_number, 0);
}

#[test]
fn the_limit_may_be_raised_between_two_pdus() {
    let mut cutter = PduCutter::default().with_limit(16);
    let mut stream = buffer("00000010 80000009 00000000 00000001 00000011 80000005 00000000 00000002 00");
    assert_eq!(cutter.cut(&mut stream).unwrap().unwrap().command_id, CommandId::BIND_TRANSCEIVER_RESP);
    assert_eq!(cutter.cut(&mut stream).unwrap_err().offset, 16);
    cutter.set_limit(MAX_PDU);
    assert_eq!(cutter.cut(&mut stream).unwrap().unwrap().body, &[0][..]);
    assert_eq!(cutter.offset(), 33);
}

#[test]
fn a_bad_body_costs_one_pdu() {
    let octets = buffer("00000010 00000004 00000000 0000001e 00000011 00000015 00000000 00000003 00");
    let (events, ended, counts) = events(&octets, &[]);
    let Err(bad) = &events[0] else { panic!("{events:?}") };
    assert_eq!(bad.error.to_string(), "submit_sm service_type at octet 16: the PDU ends before this field is whole");
    assert_eq!(bad.answer(), Some(Frame::response(30, CommandStatus::RINVCMDLEN, Pdu::SubmitSmResp(None))));
    assert_eq!((events[1].is_ok(), ended), (true, None));
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Leniency::ExtraOctets, 1)]);
}

#[test]
fn nothing_is_reserved_for_what_has_not_come() {
    let mut buffer = buffer("00020000 00000004");
    let before = buffer.capacity();
    let cutter = PduCutter::default();
    assert_eq!(cutter.clone().cut(&mut buffer), Ok(None));
    assert_eq!((cutter.wanted(&buffer), buffer.capacity()), (Some(131_072), before));
}

proptest! {
    /// However a stream is cut, the events are those of the whole stream, but for the sequence number of the nack of an
    /// over-long PDU.
    #[test]
    fn any_cutting_gives_the_same_events(
        pdus in prop::collection::vec((0u32..0x16, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
        bad_length in prop::option::of(prop_oneof![0u32..16, 201u32..=u32::MAX]),
        pieces in prop::collection::vec(0usize..50, 0..40),
    ) {
        let mut stream = Vec::new();
        for (index, (id, body)) in pdus.iter().enumerate() {
            let id = if index % 3 == 2 { id | 0x8000_0000 } else { *id };
            let length = u32::try_from(body.len()).unwrap() + 16;
            stream.extend([length, id, 0, u32::try_from(index).unwrap()].map(u32::to_be_bytes).concat());
            stream.extend(body);
        }
        stream.extend(bad_length.map(u32::to_be_bytes).into_iter().flatten());
        let whole = events(&stream, &[]);
        prop_assert_eq!(whole.0.len(), pdus.len());
        prop_assert_eq!(whole.1.map(|bad| bad.command_length), bad_length);
        prop_assert_eq!(events(&stream, &pieces), whole);
    }
}
