//! Decoding and encoding a million user messages, beside plain `serde_json` into `Value` on the same bodies.
//!
//! The rounds of all candidates are interleaved, so that a busy machine slows them alike. The first argument that is a
//! number is the count of messages: `cargo bench -p conformance --bench vumi_message -- 100000`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench reads the clock and may stop")]

use std::alloc::System;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vumi_message::{Kind, UserMessage};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const DEFAULT_MESSAGES: usize = 1_000_000;
/// Messages per round of one candidate.
const ROUND: usize = 10_000;

fn main() {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(DEFAULT_MESSAGES);
    let rounds = (count / ROUND).max(1);
    let bodies = bodies();
    let octets: usize = bodies.iter().map(Vec::len).sum();
    println!(
        "{} messages, {} real bodies of {} octets on average",
        rounds * ROUND,
        bodies.len(),
        octets / bodies.len()
    );

    let values: Vec<Value> = bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
    let messages: Vec<UserMessage> = bodies.iter().map(|body| UserMessage::decode(body).unwrap()).collect();
    let index = |turn: usize| turn % bodies.len();
    compare(
        "decode",
        rounds,
        [
            ("serde_json to Value", &|turn| {
                drop(black_box(serde_json::from_slice::<Value>(&bodies[index(turn)]).unwrap()))
            }),
            ("UserMessage::decode", &|turn| drop(black_box(UserMessage::decode(&bodies[index(turn)]).unwrap()))),
        ],
    );
    compare(
        "encode",
        rounds,
        [
            ("serde_json of Value", &|turn| drop(black_box(serde_json::to_vec(&values[index(turn)]).unwrap()))),
            ("UserMessage::to_vec", &|turn| drop(black_box(messages[index(turn)].to_vec()))),
        ],
    );
    compare(
        "both",
        rounds,
        [
            ("serde_json and Value", &|turn| {
                let value: Value = serde_json::from_slice(&bodies[index(turn)]).unwrap();
                drop(black_box(serde_json::to_vec(&value).unwrap()));
            }),
            ("UserMessage", &|turn| drop(black_box(UserMessage::decode(&bodies[index(turn)]).unwrap().to_vec()))),
        ],
    );
}

type Candidate<'a> = (&'static str, &'a dyn Fn(usize));

/// Runs the candidates turn about; prints time and allocations of each, and the ratio to the first.
fn compare(what: &str, rounds: usize, candidates: [Candidate<'_>; 2]) {
    let mut times = [Duration::ZERO; 2];
    for _ in 0..rounds {
        for (time, (_, run)) in times.iter_mut().zip(&candidates) {
            let start = Instant::now();
            (0..ROUND).for_each(run);
            *time += start.elapsed();
        }
    }
    println!("\n{what:<24}{:>12}{:>10}{:>14}{:>14}", "ns/message", "ratio", "allocations", "octets");
    let [reference, _] = times;
    for (time, (name, run)) in times.iter().zip(&candidates) {
        let region = Region::new(ALLOCATOR);
        (0..ROUND).for_each(run);
        let heap = region.change();
        let each = |total: usize| total as f64 / ROUND as f64;
        println!(
            "{name:<24}{:>12.0}{:>10.2}{:>14.1}{:>14.0}",
            time.as_nanos() as f64 / (rounds * ROUND) as f64,
            time.as_secs_f64() / reference.as_secs_f64(),
            each(heap.allocations + heap.reallocations),
            each(heap.bytes_allocated),
        );
    }
}

/// The captured user messages.
fn bodies() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/vumi/captured");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let bodies = paths.into_iter().map(|path| fs::read(path).unwrap());
    bodies
        .filter(|body| serde_json::from_slice::<Value>(body).unwrap()["message_type"] == Kind::User.message_type())
        .collect()
}
