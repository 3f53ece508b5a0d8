//! Nanoseconds and heap allocations of one SMPP PDU beside a hand-written zero-copy scan:
//! `cargo bench -p conformance --bench smpp_codec`.
//!
//! Rounds are interleaved: each measures every contender, and what is shown is the median of the rounds' ratios.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::memchr;
use smpp::codec::Limits;
use smpp::framing::{Codec, StreamDecoder};
use smpp::pdu::{DeliverSm, EnquireLink, Frame, Pdu, RawPdu, SubmitSm, SubmitSmResp};
use smpp::tlv::{ReceiptedMessageId, Tlvs};
use smpp::types::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio_util::codec::Decoder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds, and PDUs of one round.
const ROUNDS: usize = 41;
const PDUS: usize = 20_000;
/// PDUs in the stream, and octets of one read.
const STREAM: usize = 10_000;
const READ: usize = 8192;

fn main() {
    println!("{:<26} {:>9} {:>9} {:>7} {:>13}", "", "hand ns", "ours ns", "ratio", "allocs a PDU");
    for (name, frame) in frames() {
        decode(name, &octets(&frame));
    }
    stream();
    for (name, frame) in frames() {
        encode(name, &frame);
    }
}

fn frames() -> [(&'static str, Frame); 4] {
    let text =
        "Dear customer, your parcel 4711 waits for you at the post office, open from 8 to 17. Bring this code: 99";
    let receipt =
        "id:4f3a9c21 sub:001 dlvrd:001 submit date:2601121335 done date:2601121336 stat:DELIVRD err:000 text:Dear";
    let submit = SubmitSm {
        source: "27831234567".parse().unwrap(),
        destination: "27839876543".parse().unwrap(),
        registered_delivery: RegisteredDelivery::FINAL,
        short_message: ShortMessage::new(&text.as_bytes()[..100]).unwrap(),
        ..Default::default()
    };
    let tlvs = Tlvs::new()
        .with(&ReceiptedMessageId("4f3a9c21".parse().unwrap()))
        .with(&MessageState::DELIVERED)
        .with(&NetworkErrorCode { network: ErrorNetwork::GSM, code: 0 });
    let deliver = DeliverSm {
        source: "27839876543".parse().unwrap(),
        destination: "27831234567".parse().unwrap(),
        esm_class: EsmClass::DELIVERY_RECEIPT,
        short_message: ShortMessage::new(receipt).unwrap(),
        tlvs,
        ..Default::default()
    };
    let response = SubmitSmResp { message_id: "0123456789abcdef".parse().unwrap(), ..Default::default() };
    let number = SequenceNumber::try_from(4711).unwrap();
    [
        ("submit_sm", Frame::request(number, submit)),
        ("deliver_sm receipt", Frame::request(number, deliver)),
        ("submit_sm_resp", Frame::response(4711, CommandStatus::ROK, response)),
        ("enquire_link", Frame::request(number, EnquireLink::default())),
    ]
}

fn octets(frame: &Frame) -> Bytes {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    octets.freeze()
}

/// Nanoseconds a time, of `count` times.
fn time(count: usize, mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        f();
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Rounds of both, interleaved; `per` PDUs are done at each call.
fn compare(name: &str, count: usize, per: usize, mut hand: impl FnMut(), mut ours: impl FnMut()) {
    let (mut hands, mut all, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let hand = time(count, &mut hand) / per as f64;
        let ours = time(count, &mut ours) / per as f64;
        hands.push(hand);
        all.push(ours);
        ratios.push(ours / hand);
    }
    let region = Region::new(ALLOCATOR);
    time(count, &mut ours);
    let change = region.change();
    let allocations = (change.allocations + change.reallocations) as f64 / (count * per) as f64;
    let [hand, ours, ratio] = [hands, all, ratios].map(median);
    println!("{name:<26} {hand:>9.1} {ours:>9.1} {ratio:>7.2} {allocations:>13.5}");
}

fn decode(name: &str, octets: &Bytes) {
    // A PDU in a read buffer that others hold too.
    let held = Bytes::from([octets.as_ref(), octets.as_ref()].concat()).slice(..octets.len());
    let limits = Limits::message_centre();
    let hand = || {
        black_box(&hand_scan(black_box(&held)));
    };
    let ours = || {
        let raw = RawPdu::new(black_box(&held).clone()).unwrap();
        black_box(&raw.decode(&limits));
    };
    compare(&format!("decode {name}"), PDUS, 1, hand, ours);
}

fn encode(name: &str, frame: &Frame) {
    let mut hand_buffer = BytesMut::with_capacity(4096);
    let mut our_buffer = BytesMut::with_capacity(4096);
    let octets = octets(frame);
    let hand = || {
        hand_buffer.clear();
        hand_write(black_box(&hand_scan(&octets).unwrap()), &mut hand_buffer);
        black_box(&hand_buffer);
    };
    let ours = || {
        our_buffer.clear();
        black_box(frame).encode(&mut our_buffer).unwrap();
        black_box(&our_buffer);
    };
    compare(&format!("encode {name}"), PDUS, 1, hand, ours);
}

fn stream() {
    let pdus = frames().map(|(_, frame)| octets(&frame));
    let order = [0, 2, 1, 2, 0, 2, 3, 0, 1, 2];
    let stream: Vec<u8> = (0..STREAM).flat_map(|index| pdus[order[index % order.len()]].to_vec()).collect();
    let hand = || {
        let (mut buffer, mut count) = (BytesMut::with_capacity(READ), 0);
        for read in stream.chunks(READ) {
            buffer.extend_from_slice(read);
            while let Some(pdu) = hand_scan(&buffer) {
                let length = black_box(&pdu).length;
                buffer.advance(length);
                count += 1;
            }
        }
        assert_eq!(count, STREAM);
    };
    let ours = || {
        let (mut codec, mut buffer, mut count) = (Codec::new(Limits::message_centre()), BytesMut::new(), 0);
        for read in stream.chunks(READ) {
            buffer.extend_from_slice(read);
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                assert!(black_box(&frame).is_ok());
                count += 1;
            }
        }
        assert_eq!(count, STREAM);
    };
    compare("decode stream, 8 KiB reads", 20, STREAM, hand, ours);
    let frames: Vec<Frame> = {
        let mut decoder = StreamDecoder::new(Limits::message_centre());
        let mut buffer = BytesMut::from(stream.as_slice());
        std::iter::from_fn(|| decoder.decode(&mut buffer).unwrap().map(Result::unwrap)).collect()
    };
    let mut our_buffer = BytesMut::with_capacity(stream.len());
    let mut hand_buffer = BytesMut::with_capacity(stream.len());
    let hand = || {
        hand_buffer.clear();
        let mut rest = stream.as_slice();
        while let Some(pdu) = hand_scan(rest) {
            rest = &rest[pdu.length..];
            hand_write(&pdu, &mut hand_buffer);
        }
        black_box(&hand_buffer);
    };
    let ours = || {
        our_buffer.clear();
        for frame in &frames {
            frame.encode(&mut our_buffer).unwrap();
        }
        black_box(&our_buffer);
    };
    compare("encode stream", 20, STREAM, hand, ours);
    assert!(matches!(frames[0].pdu, Pdu::SubmitSm(_)));
}

/// A PDU taken apart by hand, as slices of its octets.
#[derive(Default)]
struct Scan<'a> {
    length: usize,
    header: [u32; 4],
    strings: [&'a [u8]; 5],
    octets: [u8; 11],
    message: &'a [u8],
    tlvs: [(u16, &'a [u8]); 4],
    tlv_count: usize,
}

/// Octets that are still to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn octet(&mut self) -> Option<u8> {
        let (&first, tail) = self.0.split_first()?;
        self.0 = tail;
        Some(first)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn string(&mut self, max: usize) -> Option<&'a [u8]> {
        let end = memchr(0, &self.0[..self.0.len().min(max)])?;
        let text = self.take(end)?;
        self.octet()?;
        Some(text)
    }
}

/// The hand-written scan: what a decoder has to do at least.
fn hand_scan(octets: &[u8]) -> Option<Scan<'_>> {
    let mut scan = Scan::default();
    for (number, octets) in scan.header.iter_mut().zip(octets.get(..16)?.as_chunks::<4>().0) {
        *number = u32::from_be_bytes(*octets);
    }
    scan.length = scan.header[0] as usize;
    let mut body = Cursor(octets.get(16..scan.length)?);
    match scan.header[1] {
        4 | 5 => {
            scan.strings[0] = body.string(6)?;
            for index in [0, 2] {
                scan.octets[index] = body.octet()?;
                scan.octets[index + 1] = body.octet()?;
                scan.strings[1 + index / 2] = body.string(21)?;
            }
            for index in 4..7 {
                scan.octets[index] = body.octet()?;
            }
            scan.strings[3] = body.string(17)?;
            scan.strings[4] = body.string(17)?;
            for index in 7..11 {
                scan.octets[index] = body.octet()?;
            }
            let length = body.octet()?;
            scan.message = body.take(length.into())?;
        }
        0x8000_0004 => scan.strings[0] = body.string(65)?,
        _ => {}
    }
    while !body.0.is_empty() {
        let (tag, length) = (body.number()?, body.number()?);
        *scan.tlvs.get_mut(scan.tlv_count)? = (tag, body.take(length.into())?);
        scan.tlv_count += 1;
    }
    Some(scan)
}

/// The same, written.
fn hand_write(scan: &Scan<'_>, dst: &mut BytesMut) {
    let string = |dst: &mut BytesMut, text: &[u8]| {
        dst.put_slice(text);
        dst.put_u8(0);
    };
    dst.reserve(scan.length);
    dst.put_slice(scan.header.map(u32::to_be_bytes).as_flattened());
    match scan.header[1] {
        4 | 5 => {
            string(dst, scan.strings[0]);
            for index in [0, 2] {
                dst.put_slice(&scan.octets[index..index + 2]);
                string(dst, scan.strings[1 + index / 2]);
            }
            dst.put_slice(&scan.octets[4..7]);
            string(dst, scan.strings[3]);
            string(dst, scan.strings[4]);
            dst.put_slice(&scan.octets[7..11]);
            dst.put_u8(scan.message.len() as u8);
            dst.put_slice(scan.message);
        }
        0x8000_0004 => string(dst, scan.strings[0]),
        _ => {}
    }
    for (tag, value) in &scan.tlvs[..scan.tlv_count] {
        dst.put_u16(*tag);
        dst.put_u16(value.len() as u16);
        dst.put_slice(value);
    }
}
