//! SMPP: what is accepted is written as it came, what is refused keeps its octets and has one answer, and any cutting of
//! a stream gives the same PDUs.

use arbitrary::{Arbitrary, Unstructured};
use bytes::{Bytes, BytesMut};
use smpp::codec::{FieldValue, Limits};
use smpp::framing::{BadLength, StreamDecoder};
use smpp::pdu::{BadPdu, Frame, Header, Pdu, RawPdu};
use smpp::receipt::Receipt;
use smpp::tlv::{Tag, TagRegistry, Tlvs};
use smpp::types::{CommandId, CommandStatus, InterfaceVersion};

const HEADER: usize = 16;

/// What decoders in use take, from the most forgiving to the strictest.
fn limits() -> [Limits; 4] {
    let old = Limits::message_centre().with_version(InterfaceVersion::V3_4);
    [Limits::esme(), Limits::message_centre(), old, Limits::strict()]
}

/// A whole PDU without its command_length: operation, status and sequence number, then the body.
pub(super) fn pdu(octets: &[u8]) {
    let Some((header, body)) = octets.split_at_checked(HEADER - 4) else { return };
    let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().expect("four octets"));
    let header = Header { command_status: CommandStatus(word(4)), sequence_number: word(8) };
    let raw = RawPdu { command_id: CommandId(word(0)), header, body: Bytes::copy_from_slice(body) };
    let accepted = limits().map(|limits| match raw.clone().decode(&limits) {
        Ok(frame) => {
            accepted(&frame, &raw, &limits);
            true
        }
        Err(bad) => {
            refused(bad, &raw);
            false
        }
    });
    // Who forgives more accepts more.
    assert!(accepted[0] || !accepted[1], "a message centre takes more than an ESME");
    assert!(accepted[0] || !accepted[3], "strict decoding takes more than lenient");
}

fn accepted(frame: &Frame, raw: &RawPdu, limits: &Limits) {
    let again = written(frame);
    assert_eq!(RawPdu::new(again.clone()).as_ref(), Ok(raw), "not written as it came");
    assert_eq!(Frame::decode(again, limits).as_ref(), Ok(frame), "not read as it was written");
    let mandatory: usize = frame.pdu.fields().iter().map(|field| field.value.length()).sum();
    let unknown = matches!(frame.pdu, Pdu::Unknown(_));
    let parts = mandatory + frame.pdu.tlvs().as_bytes().len() + frame.rest.len();
    assert!(unknown || parts == raw.body.len(), "octets without a field");
    assert!(frame.pdu.fields().iter().all(|FieldValue { name, .. }| !name.is_empty()));
    if let Some(answer) = frame.refusal(CommandStatus::RSYSERR) {
        assert!(!raw.command_id.is_response(), "a response is answered");
        assert_eq!(answer.header.sequence_number, raw.header.sequence_number);
    }
    if let Some(body) = frame.pdu.body() {
        assert!(body.header_length + body.text.len() <= raw.body.len());
    }
    // Receipts and JSON are made of any PDU.
    drop(Receipt::from_frame(frame));
    serde_json::to_string(frame).expect("any PDU has a JSON form");
}

fn refused(bad: BadPdu, raw: &RawPdu) {
    assert!((4..=HEADER + raw.body.len()).contains(&bad.error.offset), "{bad}");
    if let Some(answer) = bad.answer() {
        assert!(!raw.command_id.is_response(), "a response is answered");
        assert_eq!(answer.header.sequence_number, raw.header.sequence_number);
        assert!(!answer.header.command_status.is_ok());
        assert_eq!(answer.rest.len() + written(&answer).len(), HEADER, "an answer is a header");
    }
    assert_eq!(&bad.into_raw(), raw, "octets are lost");
}

/// The TLVs of a submit_sm.
pub(super) fn tlvs(octets: &[u8]) {
    const EMPTY_SUBMIT: [u8; 17] = [0; 17];
    let header = Header { command_status: CommandStatus::ROK, sequence_number: 1 };
    let body = [&EMPTY_SUBMIT, octets].concat().into();
    let Ok(frame) = (RawPdu { command_id: CommandId::SUBMIT_SM, header, body }).decode(&Limits::esme()) else { return };
    let tlvs = frame.pdu.tlvs();
    assert_eq!(tlvs.as_bytes(), octets);
    let (mut again, registry) = (Tlvs::new(), TagRegistry::default());
    for tlv in tlvs {
        again.push_raw(tlv.tag, tlv.value).expect("a value that was read");
        assert!(registry.value(tlv).to_string().len() <= 20.max(2 * tlv.value.len()));
        assert_eq!(tlvs.get_raw(tlv.tag), tlvs.iter().find(|first| first.tag == tlv.tag).map(|first| first.value));
    }
    assert_eq!(&again, tlvs);
    assert_eq!(&again.detach(), tlvs);
    for tag in [Tag::MESSAGE_PAYLOAD, Tag(0x1403)] {
        let mut without = tlvs.clone();
        let removed = without.remove(tag);
        assert_eq!(tlvs.iter().count(), without.iter().count() + removed);
        assert!(without.iter().all(|tlv| tlv.tag != tag));
    }
    typed(tlvs);
}

/// A typed value that was read is written so that it is read again.
fn typed(tlvs: &Tlvs) {
    macro_rules! check {
        ($($value:ident)*) => {$(
            if let Some(value) = tlvs.get::<smpp::tlv::$value>() {
                assert_eq!(Tlvs::new().with(&value).get(), Some(value));
            }
        )*};
    }
    check! {
        AdditionalStatusInfoText BroadcastAreaIdentifier BroadcastContentType BroadcastEndTime
        BroadcastFrequencyInterval BroadcastRepNum CallbackNum CallbackNumAtag DestSubaddress MessagePayload MsValidity
        QosTimeToLive ReceiptedMessageId SarMsgRefNum SourceNodeId UserMessageReference
    }
}

/// The first octet says how many cuts there are and each of the next where, in octets from the one before; then comes
/// the stream.
pub(super) fn stream(octets: &[u8]) {
    let Some((&count, octets)) = octets.split_first() else { return };
    let Some((cuts, octets)) = octets.split_at_checked(usize::from(count % 32)) else { return };
    for limits in [Limits::esme(), Limits::message_centre()] {
        let whole = events(octets, &[], &limits);
        assert_eq!(events(octets, cuts, &limits), whole);
        assert_eq!(events(octets, &vec![1; octets.len()], &limits), whole);
        let mut written = BytesMut::new();
        for pdu in &whole.pdus {
            match pdu {
                Ok(frame) => frame.encode(&mut written).expect("a PDU that was read"),
                Err(bad) => written.extend_from_slice(&octets[written.len()..][..HEADER + bad.body.len()]),
            }
        }
        assert!(octets.starts_with(&written), "an octet was lost");
        match whole.ended {
            None => assert_eq!(written.len() + whole.rest, octets.len()),
            Some(bad) => assert_eq!(bad.offset, written.len() as u64),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Events {
    pdus: Vec<Result<Frame, BadPdu>>,
    ended: Option<BadLength>,
    rest: usize,
}

fn events(octets: &[u8], cuts: &[u8], limits: &Limits) -> Events {
    const LIMIT: u32 = 512;
    let (mut decoder, mut buffer) = (StreamDecoder::new(limits.clone()).with_limit(LIMIT), BytesMut::new());
    let (mut events, mut left) = (Events { pdus: Vec::new(), ended: None, rest: 0 }, octets);
    for read in cuts.iter().map(|cut| usize::from(*cut)).chain([usize::MAX]) {
        let (read, behind) = left.split_at(read.min(left.len()));
        left = behind;
        buffer.extend_from_slice(read);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(pdu)) => events.pdus.push(pdu),
                Ok(None) => break,
                Err(bad) => {
                    // Its header may not have come yet.
                    return Events { ended: Some(BadLength { sequence_number: 0, ..bad }), ..events };
                }
            }
        }
        assert!(buffer.len() < LIMIT as usize, "{} octets are kept", buffer.len());
    }
    Events { rest: buffer.len(), ..events }
}

/// A PDU made of values keeps to the rules that they were made by: it is read as it was written, by every decoder.
pub(super) fn structured(octets: &[u8]) {
    let Ok((header, pdu)) = <(Header, Pdu)>::arbitrary(&mut Unstructured::new(octets)) else { return };
    let frame = Frame { header, pdu, ..Frame::default() };
    let octets = written(&frame);
    assert_eq!(Frame::decode(octets.clone(), &Limits::esme()).as_ref(), Ok(&frame));
    let RawPdu { command_id, header, .. } = RawPdu::new(octets).expect("a whole PDU");
    assert_eq!((command_id, header), (frame.pdu.command_id(), frame.header));
    for limits in limits() {
        if let Ok(again) = Frame::decode(written(&frame), &limits) {
            // An older version does not know the broadcast operations.
            assert!(again == frame || command_id.is_broadcast(), "{again:?} and {frame:?}");
        }
    }
}

fn written(frame: &Frame) -> Bytes {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).expect("a PDU below four gigabytes");
    octets.freeze()
}
