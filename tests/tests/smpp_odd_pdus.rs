//! Odd PDUs that real message centres send: each decodes with its octets kept, by one leniency with a name, is counted,
//! and is refused by strict rules.

use std::collections::BTreeSet;

use bytes::BytesMut;
use smpp::codec::{Leniencies, Leniency, Limits};
use smpp::framing::StreamDecoder;
use smpp::pdu::{Frame, InvalidFrame, Pdu};
use smpp::types::CommandStatus;

const SUBMIT_SM_RESP: u32 = 0x8000_0004;
const DELIVER_SM: u32 = 5;

fn pdu(command_id: u32, status: u32, sequence_number: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 16).unwrap();
    let header = [length, command_id, status, sequence_number].map(u32::to_be_bytes).concat();
    [&header, body].concat()
}

/// A deliver_sm with this sender, validity_period, esm_class, and octets behind the text.
fn deliver(sender: &[u8], validity: &[u8], esm_class: u8, tail: &[u8]) -> Vec<u8> {
    let body = [
        &b"\0\x01\x01"[..],
        sender,
        b"\0\x01\x0127831234567\0",
        &[esm_class, 0, 0, 0],
        validity,
        b"\0\0\0\0\0\x02hi",
        tail,
    ];
    pdu(DELIVER_SM, 0, 1, &body.concat())
}

fn with_ton_npi(ton: u8, npi: u8) -> Vec<u8> {
    let mut octets = deliver(b"27839876543", b"", 0, b"");
    octets[17..19].copy_from_slice(&[ton, npi]);
    octets
}

/// The odd PDUs: name, octets, what is forgiven.
fn odd_pdus() -> Vec<(&'static str, Vec<u8>, Vec<Leniency>)> {
    let response = |status, body: &[u8]| pdu(SUBMIT_SM_RESP, status, 1, body);
    let tlv = |tlv: &[u8]| deliver(b"27839876543", b"", 0, tlv);
    let receipt = |tail: &[u8]| deliver(b"27839876543", b"", 4, tail);
    vec![
        ("throttled, with a body", response(0x58, b"4f3a\0"), vec![Leniency::BodyDespiteError]),
        ("ok, no body", response(0, b""), vec![Leniency::MissingBody]),
        ("bound, no body", pdu(0x8000_0009, 0, 1, b""), vec![Leniency::MissingBody]),
        ("message_id of 80", response(0, &[[b'7'; 80].as_slice(), b"\0"].concat()), vec![Leniency::OverLongString]),
        ("message_id without NUL", response(0, b"4f3a"), vec![Leniency::BrokenResponseBody]),
        ("a response's TLV cut short", response(0, b"4f3a\0\x04\x28\x00\x01"), vec![Leniency::BrokenResponseTail]),
        (
            "two octets of congestion_state",
            response(0, b"4\0\x04\x28\x00\x02\0\0"),
            vec![Leniency::TlvLengthInResponse],
        ),
        ("Latin-1 sender", deliver(b"Zo\xeb", b"", 0, b""), vec![Leniency::NotAscii]),
        ("UTF-8 sender", deliver(b"Zo\xc3\xab", b"", 0, b""), vec![Leniency::NotAscii]),
        ("sender of 25", deliver(&[b'1'; 25], b"", 0, b""), vec![Leniency::OverLongString]),
        ("validity of 10 digits", deliver(b"27839876543", b"2601311201", 0, b""), vec![Leniency::OddTime]),
        ("receipted_message_id without NUL", receipt(b"\0\x1e\0\x024f"), vec![Leniency::TlvText]),
        ("empty receipted_message_id", receipt(b"\0\x1e\0\0"), vec![Leniency::EmptyReceiptedMessageId]),
        ("message_state of 2", receipt(b"\x04\x27\0\x02\0\x02"), vec![Leniency::TlvLengthInRequest]),
        ("network_error_code of 4", receipt(b"\x04\x23\0\x04\x03\0\0\0"), vec![Leniency::TlvLengthInRequest]),
        ("user_message_reference of 1", tlv(b"\x02\x04\0\x01\x07"), vec![Leniency::TlvLengthInRequest]),
        ("a receipt's TLV cut short", receipt(b"\x04\x27\0\x02\x02"), vec![Leniency::BrokenReceiptTail]),
        ("stray octets behind a receipt", receipt(b"err"), vec![Leniency::BrokenReceiptTail]),
        ("a known TLV in another PDU's place", tlv(b"\x04\x26\0\x01\x01"), vec![Leniency::UnexpectedTlv]),
        ("TON 7", with_ton_npi(7, 1), vec![Leniency::ReservedTonNpi]),
        ("NPI 0x13", with_ton_npi(1, 0x13), vec![Leniency::ReservedTonNpi]),
        ("vendor's command_id", pdu(0x0001_0201, 0, 1, b"abc"), vec![Leniency::UnknownCommand]),
        ("a NUL behind enquire_link", pdu(0x15, 0, 1, b"\0"), vec![Leniency::ExtraOctets]),
        ("a status in a request", pdu(0x15, 0x58, 1, b""), vec![Leniency::StatusInRequest]),
        ("sequence_number 0", pdu(0x15, 0, 0, b""), vec![Leniency::SequenceNumber]),
        ("sequence_number with bit 31", pdu(0x15, 0, 0x8000_0001, b""), vec![Leniency::SequenceNumber]),
        (
            "a sender of 25 in Latin-1",
            deliver(&[0xeb; 25], b"", 0, b""),
            vec![Leniency::OverLongString, Leniency::NotAscii],
        ),
    ]
}

#[test]
fn each_is_kept_and_counted_by_name() {
    for (name, octets, leniencies) in odd_pdus() {
        let mut decoder = StreamDecoder::new(Limits::esme());
        let frame = decoder.decode(&mut octets.as_slice().into()).unwrap().unwrap();
        let frame = frame.unwrap_or_else(|bad| panic!("{name}: {bad}"));
        let mut again = BytesMut::new();
        frame.encode(&mut again).unwrap();
        assert_eq!(again, octets, "{name}");
        let used: Leniencies = decoder.counts().iter().map(|(leniency, _)| leniency).collect();
        assert_eq!(used, leniencies.iter().copied().collect(), "{name}");
        assert!(leniencies.iter().all(|leniency| decoder.counts().get(*leniency) == 1), "{name}");
    }
}

#[test]
fn each_is_refused_without_its_leniency_and_by_strict_rules() {
    for (name, octets, leniencies) in odd_pdus() {
        for leniency in leniencies {
            let refused = Frame::decode(octets.clone(), &Limits::esme().refusing(leniency));
            // What cannot be forgiven by its own name may still be an absent body.
            let absent = matches!(&refused, Ok(frame) if !frame.pdu.has_body() && !frame.rest.is_empty());
            assert!(refused.is_err() || absent, "{name} without {leniency:?}: {refused:?}");
        }
        let Err(InvalidFrame::Bad(bad)) = Frame::decode(octets, &Limits::strict()) else { panic!("{name}") };
        assert!(!bad.to_string().is_empty());
        if bad.command_id.is_response() {
            assert_eq!(bad.answer(), None, "{name}");
        }
    }
}

#[test]
fn every_leniency_has_a_pdu() {
    let shown: BTreeSet<String> =
        odd_pdus().into_iter().flat_map(|odd| odd.2).map(|leniency| format!("{leniency:?}")).collect();
    let all: BTreeSet<String> = Leniency::ALL.iter().map(|leniency| format!("{leniency:?}")).collect();
    assert_eq!(shown, all);
}

#[test]
fn truly_broken_requests_are_refused_by_all() {
    let session = deliver(b"1", b"", 0, b"\x13\x83\0\x01\x12");
    let overrun = deliver(b"1", b"", 0, b"\x02\x04\0\x02\x12");
    let mut cut = deliver(b"1", b"", 0, b"");
    cut.truncate(cut.len() - 1);
    cut[3] -= 1;
    for (octets, status) in [
        (session, CommandStatus::RINVTLVLEN),
        (overrun, CommandStatus::RINVTLVSTREAM),
        (cut, CommandStatus::RINVMSGLEN),
    ] {
        let Err(InvalidFrame::Bad(bad)) = Frame::decode(octets, &Limits::esme()) else { panic!("{status}") };
        let answer = bad.answer().unwrap();
        assert_eq!((answer.header.command_status, answer.pdu), (status, Pdu::DeliverSmResp(None)));
    }
}

#[test]
fn tlvs_are_bounded() {
    let many = b"\x14\0\0\0".repeat(129);
    let refused = Frame::decode(deliver(b"1", b"", 0, &many), &Limits::esme()).unwrap_err();
    assert!(refused.to_string().ends_with("more than 128 TLVs"), "{refused}");
    let receipt = Frame::decode(deliver(b"1", b"", 4, &many), &Limits::esme()).unwrap();
    assert_eq!((receipt.pdu.tlvs().iter().count(), &receipt.rest[..]), (128, &b"\x14\0\0\0"[..]));
    assert!(Frame::decode(deliver(b"1", b"", 0, &many[4..]), &Limits::esme()).is_ok());
}
