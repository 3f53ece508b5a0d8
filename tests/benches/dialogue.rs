//! A whole USSD dialogue through all layers: `cargo bench -p conformance --bench dialogue`.
//!
//! Lines of a gateway are cut and decoded, become session events, step the engine, become Vumi messages as JSON; the
//! application's reply is read from JSON, becomes an event, a frame, a line. One iteration is a dialogue of three turns
//! (dial, answer, answer and end): three lines in, three out.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use ssmi::framing::LineCutter;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use ussd_session::adapters::ssmi::{self as line, Dialect};
use ussd_session::adapters::vumi::{self, Via};
use ussd_session::{Action, Config, Effect, Engine, LinkId, Millis};
use vumi_message::{SessionEvent, Stamp, Timestamp, UserMessage};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LINK: LinkId = LinkId(0);
/// What the phone sends, and how the application answers it.
const DIALOGUE: [(&str, &str, Option<SessionEvent>); 3] = [
    ("1,2,*120*8864#\r", "Welcome.\n1. Balance\n2. Quit", None),
    ("2,2,1\r", "R12,50\n0. Back", None),
    ("2,2,2\r", "Bye", Some(SessionEvent::Close)),
];

struct World {
    engine: Engine,
    now: Millis,
    stamp: Stamp,
    via: Via,
    dialect: Dialect,
    cutter: LineCutter,
    input: BytesMut,
    output: BytesMut,
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::new(Config::default()),
            now: Millis(1_790_000_000_000),
            stamp: Stamp::new("0f1e2d3c4b5a69788796a5b4c3d2e1f0", Timestamp::default()),
            via: Via { transport_name: "truteq".to_owned(), ..Via::default() },
            dialect: Dialect::default(),
            cutter: LineCutter::default(),
            input: BytesMut::with_capacity(8192),
            output: BytesMut::with_capacity(8192),
        }
    }

    fn dialogue(&mut self, msisdn: &str) {
        for (typed, reply, session_event) in DIALOGUE {
            self.now = Millis(self.now.0 + 5_000);
            self.engine.poll(self.now, 100, |_: Effect<'_>| {});
            for part in ["SSMI,110,", msisdn, ",", typed] {
                self.input.extend_from_slice(part.as_bytes());
            }
            self.output.clear();
            self.turn(reply, session_event);
            assert!(self.output.ends_with(b"\r"), "no reply went out");
        }
    }

    /// From a line of the phone to the line of the reply.
    fn turn(&mut self, reply: &str, session_event: Option<SessionEvent>) {
        let line = self.cutter.cut(&mut self.input).expect("a short line").expect("a whole line");
        let event = line::event(&line.response().expect("a good line"), &self.dialect).expect("ussd").expect("ussd");
        let mut body = Vec::new();
        self.engine.handle(LINK, event.as_event(), self.now, |effect: Effect<'_>| {
            if let Some(message) = vumi::message(&effect, &self.stamp, &self.via) {
                body = message.to_vec();
            }
        });
        // Here the application would be, behind a queue.
        let message = UserMessage::decode(black_box(&body)).expect("a message");
        let body = message.reply(self.stamp.clone(), reply, session_event).to_vec();
        let event = vumi::event(&UserMessage::decode(black_box(&body)).expect("a message")).expect("a reply");
        self.engine.handle(LINK, event.as_event(), self.now, |effect: Effect<'_>| {
            if let Action::Send(frame) = &effect.action {
                let request = line::request(frame, effect.subscriber, &self.dialect).expect("a text for the link");
                request.encode(&mut self.output).expect("a line");
            }
        });
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    let phones: Vec<String> = (0..1_000).map(|phone| format!("2783111{phone:04}")).collect();
    let mut world = World::new();
    let region = Region::new(ALLOCATOR);
    phones.iter().for_each(|phone| world.dialogue(phone));
    let stats = region.change();
    let dialogues = phones.len() as f64;
    println!("heap allocations per dialogue: {:.1}", (stats.allocations + stats.reallocations) as f64 / dialogues);
    let mut phones = phones.iter().cycle();
    let mut group = criterion.benchmark_group("dialogue");
    group.throughput(Throughput::Elements(1));
    group.bench_function("three turns", |bencher| {
        bencher.iter(|| world.dialogue(phones.next().expect("a cycle")));
    });
    group.finish();
    criterion.final_summary();
}
