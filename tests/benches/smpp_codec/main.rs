//! What it costs to decode and encode PDUs, as multiples of a scan by hand, with heap allocations:
//!
//! ```sh
//! cargo bench -p conformance --features peers --bench smpp_codec
//! ```
//!
//! Without the feature `peers` there is only ours beside the scan. All contenders get the same octets, copied into a read
//! buffer as from a socket, 8 KiB at a time; each PDU is dropped before the next one is decoded. What is encoded was
//! decoded before, and is written to a buffer that is emptied at 8 KiB. PDUs of one kind are decoded without tokio where
//! a crate can do without (`rusmpp` cannot); the mixed stream goes through the tokio codec where there is one. Rounds are
//! interleaved: each one measures every contender, and the medians of the rounds' ratios are shown.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod hand;
mod ours;
#[cfg(feature = "peers")]
mod peers;

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use smpp::pdu::{DeliverSm, EnquireLink, Frame, SubmitSm, SubmitSmResp};
use smpp::tlv::{ReceiptedMessageId, Tlvs};
use smpp::types::*;

/// Rounds of each row: of PDUs of one kind, and of the mixed stream.
const ROUNDS: usize = 1_001;
const ROUNDS_MIXED: usize = 301;
/// PDUs of one round: of one kind, so few that they are still in the cache when they are encoded, as what a program has
/// just made is; and of the mixed stream, which are not.
const PDUS: usize = 200;
const MIXED: usize = 10_000;
/// Octets of one read, and of one write at least.
const READ: usize = 8192;
const WRITE: usize = READ;
/// The mixed stream: its row, and indices of [`frames`].
const STREAM: &str = "mixed stream";
const MIX: [usize; 10] = [0, 2, 1, 2, 0, 2, 3, 0, 1, 2];

/// A codec that is measured.
trait Contender {
    fn name(&self) -> &'static str;

    /// Decodes the whole PDUs at the front of the buffer, drops each, and says how many there were.
    fn decode(&mut self, buffer: &mut BytesMut) -> usize;

    /// As [`decode`](Self::decode), through the tokio codec if there is one.
    fn decode_stream(&mut self, buffer: &mut BytesMut) -> usize {
        self.decode(buffer)
    }

    /// Takes the PDUs of a stream, decoded, for [`encode`](Self::encode).
    fn prepare(&mut self, stream: &[u8]);

    /// Gets ready to encode once; not measured.
    fn ready(&mut self) {}

    /// Encodes all PDUs that it has, and hands on what it has written.
    fn encode(&mut self, written: &mut dyn FnMut(&[u8]));
}

fn main() {
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::<hand::Hand>::default(), Box::new(ours::Ours::new())];
    #[cfg(feature = "peers")]
    contenders.extend(peers::all());
    let frames = frames().map(|(name, frame)| (name, octets(&frame)));
    let mut rows: Vec<(&str, usize, Vec<u8>)> =
        frames.iter().map(|(name, pdu)| (*name, PDUS, pdu.repeat(PDUS))).collect();
    let mix = (0..MIXED).flat_map(|index| frames[MIX[index % MIX.len()]].1.clone()).collect();
    rows.push((STREAM, MIXED, mix));
    head(&contenders);
    for (name, pdus, stream) in &rows {
        decode(name, *pdus, stream, &mut contenders);
    }
    for (name, pdus, stream) in &rows {
        encode(name, *pdus, stream, &mut contenders);
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
        ("deliver_sm, receipt", Frame::request(number, deliver)),
        ("submit_sm_resp", Frame::response(4711, CommandStatus::ROK, response)),
        ("enquire_link", Frame::request(number, EnquireLink::default())),
    ]
}

fn octets(frame: &Frame) -> Bytes {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    octets.freeze()
}

fn decode(name: &str, pdus: usize, stream: &[u8], contenders: &mut [Box<dyn Contender>]) {
    let runs = contenders.iter_mut().map(|contender| {
        let mut buffer = BytesMut::with_capacity(READ);
        let run = move |meter: &mut Meter| {
            let mut count = 0;
            meter.measure(pdus, || {
                for read in stream.chunks(READ) {
                    buffer.extend_from_slice(read);
                    count += match name {
                        STREAM => contender.decode_stream(&mut buffer),
                        _ => contender.decode(&mut buffer),
                    };
                }
            });
            assert_eq!(count, pdus);
        };
        Box::new(run) as Run<'_>
    });
    compare(&format!("decode {name}"), runs.collect());
}

fn encode(name: &str, pdus: usize, stream: &[u8], contenders: &mut [Box<dyn Contender>]) {
    let runs = contenders.iter_mut().map(|contender| {
        contender.prepare(stream);
        contender.ready();
        let mut written = Vec::new();
        contender.encode(&mut |octets| written.extend_from_slice(octets));
        assert!(written == stream, "{} writes {name} in another way", contender.name());
        let run = move |meter: &mut Meter| {
            contender.ready();
            meter.measure(pdus, || {
                contender.encode(&mut |octets| {
                    black_box(octets);
                });
            });
        };
        Box::new(run) as Run<'_>
    });
    compare(&format!("encode {name}"), runs.collect());
}

/// Does the PDUs of a row once, and measures what counts of it.
type Run<'a> = Box<dyn FnMut(&mut Meter) + 'a>;

/// What one PDU takes.
enum Meter {
    Nanoseconds(f64),
    Allocations(f64),
}

impl Meter {
    fn measure(&mut self, pdus: usize, f: impl FnOnce()) {
        match self {
            // Counting would slow down those that allocate.
            Self::Nanoseconds(nanoseconds) => allocation_counter::opt_out(|| {
                let start = Instant::now();
                f();
                *nanoseconds = start.elapsed().as_nanos() as f64 / pdus as f64;
            }),
            Self::Allocations(allocations) => {
                *allocations = allocation_counter::measure(f).count_total as f64 / pdus as f64;
            }
        }
    }

    fn of(mut self, run: &mut Run<'_>) -> f64 {
        run(&mut self);
        let (Self::Nanoseconds(value) | Self::Allocations(value)) = self;
        value
    }
}

fn head(contenders: &[Box<dyn Contender>]) {
    let names = contenders.iter().map(|contender| contender.name());
    println!("| | {} | fastest peer / smpp |", names.collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---:|".repeat(contenders.len() + 1));
}

/// One row: nanoseconds a PDU of the first, which is the floor; times the floor and allocations a PDU of the others,
/// which are ours and the peers.
fn compare(name: &str, mut runs: Vec<Run<'_>>) {
    let count = if name.ends_with(STREAM) { ROUNDS_MIXED } else { ROUNDS };
    let rounds: Vec<Vec<f64>> =
        (0..count).map(|_| runs.iter_mut().map(|run| Meter::Nanoseconds(0.0).of(run)).collect()).collect();
    let median = |value: &dyn Fn(&[f64]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(|round| value(round)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    print!("| {name} | {:.0} ns |", median(&|round| round[0]));
    for (index, run) in runs.iter_mut().enumerate().skip(1) {
        let allocations = format!("{:.4}", Meter::Allocations(0.0).of(run));
        let allocations = allocations.trim_end_matches('0').trim_end_matches('.');
        let ratio = median(&|round| round[index] / round[0]);
        print!(" {ratio:.2} ({allocations}) |");
    }
    let fastest = |round: &[f64]| round[2..].iter().copied().fold(f64::INFINITY, f64::min);
    match runs.len() {
        0..=2 => println!(" |"),
        _ => println!(" {:.2} |", median(&|round| fastest(round) / round[1])),
    }
}
