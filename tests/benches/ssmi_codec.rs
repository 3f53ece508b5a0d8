//! Nanoseconds and heap allocations of one SSMI line: `cargo bench -p conformance --bench ssmi_codec`.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput};
use ssmi::command::{Request, Response};
use ssmi::framing::LineCutter;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RESPONSES: [(&str, &str); 4] = [
    ("ack", "SSMI,101,2"),
    ("ussd", "SSMI,110,27831112222,2,2,1"),
    ("extended ussd", "SSMI,111,27831112222,1,0,655011234567890:1:3:4411902:7,*120*8864*1377#"),
    ("delivery report", "SSMI,104,27831112222,40001,0"),
];
const REQUESTS: [(&str, &str); 2] = [
    ("ussd menu", "SSMI,110,27831112222,2,Welcome, Thandi.\n1. Balance\n2. Airtime\n3. Data\n0. Quit"),
    ("sms", "SSMI,2,1440,27825550102,Lunch at 13:00, usual place?"),
];
/// Lines in the stream, and octets of one read.
const STREAM: usize = 10_000;
const READ: usize = 8192;
/// Rounds in which allocations are counted.
const ROUNDS: usize = 10_000;

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    println!("{:<28} {:>12}", "heap allocations", "per line");
    for (name, line) in RESPONSES {
        let line = held(line);
        measure(&mut criterion, &format!("decode {name}"), || {
            black_box(Response::decode(black_box(&line)).ok());
        });
    }
    let mut buffer = BytesMut::with_capacity(1024);
    for (name, line) in REQUESTS {
        let request = Request::decode(&held(line)).expect("a request");
        measure(&mut criterion, &format!("encode {name}"), || {
            buffer.clear();
            black_box(&request).encode(&mut buffer).expect("a line");
        });
    }
    stream(&mut criterion);
    criterion.final_summary();
}

/// A line as the cutter hands it out: a slice of a read buffer that others hold too.
fn held(line: &str) -> Bytes {
    let mut buffer = BytesMut::from(format!("{line}\rSSMI,101,2\r").as_str());
    LineCutter::default().cut(&mut buffer).expect("a line").expect("a line").octets
}

fn measure(criterion: &mut Criterion, name: &str, mut work: impl FnMut()) {
    let region = Region::new(ALLOCATOR);
    (0..ROUNDS).for_each(|_| work());
    let stats = region.change();
    println!("{name:<28} {:>12.4}", (stats.allocations + stats.reallocations) as f64 / ROUNDS as f64);
    criterion.bench_function(name, |bencher| bencher.iter(&mut work));
}

/// Lines of all kinds through the cutter, in reads of 8 KiB, each dropped at once.
fn stream(criterion: &mut Criterion) {
    let lines = RESPONSES.iter().map(|(_, line)| line).cycle().take(STREAM);
    let octets: Vec<u8> = lines.flat_map(|line| line.bytes().chain([b'\r'])).collect();
    let work = || {
        let (mut cutter, mut buffer, mut count) = (LineCutter::default(), BytesMut::with_capacity(READ), 0);
        for read in octets.chunks(READ) {
            buffer.extend_from_slice(read);
            while let Some(line) = cutter.cut(&mut buffer).expect("no line is too long") {
                black_box(line.response().ok());
                count += 1;
            }
        }
        assert_eq!(count, STREAM);
    };
    let region = Region::new(ALLOCATOR);
    work();
    let stats = region.change();
    println!("{:<28} {:>12.4}", "stream", (stats.allocations + stats.reallocations) as f64 / STREAM as f64);
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(STREAM as u64));
    group.bench_function("10,000 lines", |bencher| bencher.iter(work));
    group.finish();
}
