//! What a reassembler says that it holds is no less than what it takes from the allocator.

#![allow(clippy::disallowed_methods, reason = "any instant will do to count from")]

use std::alloc::System;
use std::time::Instant;

use smpp::text::{Concatenation, ConcatenationKind, Gsm7, Part, Reassembler, ReassemblyLimits};
use smpp::types::DataCoding;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn part<'a>(source: &'a [u8], reference: u16, total: u8, part: u8, text: &'a [u8]) -> Part<'a, u32> {
    Part {
        link: 1,
        source,
        destination: b"31234",
        concatenation: Concatenation { kind: ConcatenationKind::Udh16, reference, total, part },
        data_coding: DataCoding::DEFAULT,
        tables: Gsm7::DEFAULT,
        header_length: 7,
        text,
        tag: 0,
    }
}

/// Puts one part in.
type Flood<'a> = &'a dyn Fn(u16, &mut Reassembler<u32>);

#[test]
fn floods_are_held_within_the_limit() {
    const LIMIT: usize = 1 << 20;
    let limits =
        ReassemblyLimits::default().with_octets(LIMIT).with_octets_per_source(LIMIT).with_groups_per_source(10_000);
    let now = Instant::now();
    let text = [b'x'; 140];
    // First parts with ever other references, of ever other sources; messages of many parts; and empty parts.
    let many = |step: u16| (step / 250, u8::try_from(step % 250 + 1).unwrap());
    let floods: [Flood<'_>; 4] = [
        &|step, held| drop(held.insert(part(b"27831234567", step, 3, 1, &text), now)),
        &|step, held| drop(held.insert(part(&step.to_be_bytes(), 1, 3, 1, &text), now)),
        &|step, held| drop(held.insert(part(b"27831234567", many(step).0, 255, many(step).1, &text), now)),
        &|step, held| drop(held.insert(part(&step.to_be_bytes(), 1, 255, 1, b""), now)),
    ];
    for (flood, number) in floods.iter().zip(0..) {
        let mut reassembler = Reassembler::new(limits);
        let region = Region::new(ALLOCATOR);
        let mut most = 0;
        for step in 0..20_000 {
            flood(step, &mut reassembler);
            let stats = region.change();
            most = most.max(stats.bytes_allocated as isize - stats.bytes_deallocated as isize);
            assert!(reassembler.octets() <= LIMIT);
        }
        assert!(reassembler.octets() > LIMIT * 9 / 10, "flood {number} does not reach the limit");
        assert!(most <= LIMIT as isize, "flood {number} takes {most} octets");
    }
}
