//! Nanoseconds, memory and heap allocations of a session event: `cargo bench -p conformance --bench ussd_session`.
//!
//! An event is an answer of a user or a reply of the application, each through the engine: index, step, timer, effects.
//! Phones take turns in an order that no cache foresees; every session speaks once in 20 seconds of the engine's time,
//! and the engine is polled every millisecond of it, as a host would. Events are handled one by one (an iteration is two
//! events), and in batches of 32, as a host does that finds several in its socket (an iteration is 64 events). What is
//! printed as `thrpt` counts events, so its inverse is the time of one.
//!
//! With 100,000 sessions an event waits for memory, and what that costs is up to the machine's other tenants, who share
//! its cache. So a table comes first: nanoseconds an event in the quickest, the middle and the slowest of 60 pieces of
//! 102,400 events, and beside them what one read of memory that depends on the one before cost in the same seconds.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use ussd_session::{
    Action, Callback, Config, Effect, Engine, Event, LinkId, Millis, NetId, Phase, Policy, Subscriber, Text, TurnToken,
    Verb,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LINK: LinkId = LinkId(0);
const MENU: &str = "Welcome, Thandi.\n1. Balance\n2. Airtime\n3. Data\n0. Quit";
const SIZES: [u32; 2] = [1_000, 100_000];
/// Events in which allocations are counted, twice the sessions at least.
const COUNTED: u32 = 400_000;
/// Events that are handled at once.
const BATCH: usize = 32;
/// Pieces of a row in the table of times, and turns of one: each session has its turn in one, if they are many.
const PIECES: usize = 60;
const TURNS: usize = 51_200;
/// Octets of memory in which reads are timed; the sessions take about as many.
const MEMORY: usize = 10 << 20;
/// Reads that are timed at once: few, lest they drive the sessions out of the cache.
const READS: usize = 5_000;
/// In this time of the engine every session speaks once.
const ROUND: Duration = Duration::from_secs(20);

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    println!("{:<14} {:>12} {:>20} {:>20}", "live sessions", "prompts kept", "bytes per session", "allocations/event");
    for sessions in SIZES {
        for kept in [false, true] {
            measure(sessions, kept);
        }
    }
    println!(
        "\n{:<14} {:>12} {:>6} {:>9} {:>8} {:>8} {:>16}",
        "live sessions", "prompts kept", "batch", "quickest", "median", "slowest", "a read of memory"
    );
    for sessions in SIZES {
        for (kept, batch) in [(false, 1), (true, 1), (false, BATCH), (true, BATCH)] {
            time(sessions, kept, batch);
        }
    }
    for (title, events) in [("session event", 2), ("session event in batches", 2 * BATCH)] {
        let mut group = criterion.benchmark_group(title);
        group.throughput(Throughput::Elements(events as u64));
        for sessions in SIZES {
            for kept in [false, true] {
                let mut crowd = Crowd::new(sessions, kept);
                let name = if kept { "prompts kept" } else { "no prompts" };
                group.bench_function(BenchmarkId::new(name, sessions), |bencher| match events {
                    2 => bencher.iter(|| crowd.turn()),
                    _ => bencher.iter(|| crowd.batch()),
                });
                assert_eq!(crowd.engine.live(), sessions as usize, "all sessions live on");
            }
        }
        group.finish();
    }
    criterion.final_summary();
}

/// Prints what a session takes in memory, and what an event takes from the heap.
fn measure(sessions: u32, kept: bool) {
    let region = Region::new(ALLOCATOR);
    let mut crowd = Crowd::new(sessions, kept);
    let change = region.change();
    let own = crowd.phones.len() * size_of::<Subscriber>();
    let bytes = change.bytes_allocated - change.bytes_deallocated - own;
    for _ in 0..2 * sessions {
        crowd.turn(); // the tables grow to what they need
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..COUNTED / 2 {
        crowd.turn();
    }
    let change = region.change();
    let allocations = change.allocations + change.reallocations;
    println!(
        "{:<14} {:>12} {:>20.1} {:>20.6}",
        sessions,
        if kept { "yes" } else { "no" },
        bytes as f64 / f64::from(sessions),
        allocations as f64 / f64::from(COUNTED),
    );
}

/// Prints nanoseconds an event, piece by piece.
fn time(sessions: u32, kept: bool, batch: usize) {
    let mut crowd = Crowd::new(sessions, kept);
    let mut piece = || (0..TURNS / batch).for_each(|_| if batch == 1 { crowd.turn() } else { crowd.batch() });
    (0..PIECES / 10).for_each(|_| piece()); // the tables grow to what they need
    let memory = Memory::new();
    let (mut events, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..PIECES {
        events.push(nanoseconds(&mut piece) / (2 * TURNS) as f64);
        reads.push(nanoseconds(|| memory.read()) / READS as f64);
    }
    events.sort_by(f64::total_cmp);
    reads.sort_by(f64::total_cmp);
    println!(
        "{:<14} {:>12} {:>6} {:>9.0} {:>8.0} {:>8.0} {:>16.0}",
        sessions,
        if kept { "yes" } else { "no" },
        batch,
        events[0],
        events[PIECES / 2],
        events[PIECES - 1],
        reads[PIECES / 2],
    );
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn nanoseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Cache lines, each of which names the one to be read next, in an order that nothing foresees.
struct Memory(Vec<Line>);

#[repr(align(64))]
struct Line(usize);

impl Memory {
    fn new() -> Self {
        let count = MEMORY / size_of::<Line>();
        // A full period over a power of two and less, by skipping what lies beyond (Hull and Dobell).
        let step = |at: usize| (at * 1_664_525 + 1_013_904_223) % count.next_power_of_two();
        let next = |at: usize| std::iter::successors(Some(step(at)), |at| Some(step(*at))).find(|at| *at < count);
        Self((0..count).map(|at| Line(next(at).expect("a full period"))).collect())
    }

    /// Reads some.
    fn read(&self) {
        black_box((0..READS).fold(black_box(0), |at, _| self.0[at].0));
    }
}

/// Many phones, each with an open session that waits for its user.
struct Crowd {
    engine: Engine,
    /// In the order in which they speak.
    phones: Vec<Subscriber>,
    next: usize,
    now: Millis,
    /// So many turns from poll to poll, and so many milliseconds.
    turns: usize,
    millis: u64,
    passed: usize,
}

impl Crowd {
    fn new(sessions: u32, kept: bool) -> Self {
        // Sessions are not to end here: a turn number would run out before the bench does.
        let policy = Policy::default().total_timer(Policy::LONGEST).resend(kept);
        let engine = Engine::new(Config::default().max_live(1_000_000).policy(policy));
        let (round, count) = (ROUND.as_millis() as usize, sessions as usize);
        let (turns, millis) = ((count / round).max(1), (round / count).max(1) as u64);
        let now = Millis(1_790_000_000_000);
        let mut crowd = Self { engine, phones: Vec::new(), next: 0, now, turns, millis, passed: 0 };
        for at in 0..sessions {
            crowd.open(phone(at));
        }
        // A full period over all sessions, for counts whose prime factors are 2 and 5.
        let follow = |at: &u64| Some((at * 48_261 + 7_919) % u64::from(sessions));
        crowd.phones.reserve_exact(sessions as usize);
        crowd.phones.extend(std::iter::successors(Some(0), follow).take(sessions as usize).map(|at| phone(at as u32)));
        crowd
    }

    fn open(&mut self, from: Subscriber) {
        let begin = Event::Begin { from, dialled: "*120*8864*1377#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        let token = self.handle(begin).expect("a session opens");
        self.reply(from, token, Verb::Continue);
    }

    /// One user answers, and the application replies: two events.
    fn turn(&mut self) {
        let from = self.phones[self.next];
        let text = Text::public("1");
        let answer = Event::Answer { from, text, net: NetId::NONE, dedup: None };
        match self.handle(answer) {
            Some(token) => self.reply(from, token, Verb::Continue),
            None => self.open(from), // its turns were used up
        }
        self.next = if self.next + 1 == self.phones.len() { 0 } else { self.next + 1 };
        self.pass(1);
    }

    /// As many users answer as a batch has room for, and the application replies to all.
    fn batch(&mut self) {
        let upcoming = self.phones.iter().cycle().skip(self.next).take(BATCH);
        let mut answers = [const { (LINK, Event::Tick) }; BATCH];
        for (answer, from) in answers.iter_mut().zip(upcoming) {
            answer.1 = Event::Answer { from: *from, text: Text::public("1"), net: NetId::NONE, dedup: None };
        }
        let mut replies = [const { (LINK, Event::Tick) }; BATCH];
        let mut given = 0;
        self.engine.handle_batch(&answers, self.now, |effect: Effect<'_>| {
            if let (Some(token), Some(reply)) = (given_by(&effect), replies.get_mut(given)) {
                let (to, text) = (effect.subscriber, Text::public(MENU));
                reply.1 = Event::Reply { to, token, verb: Verb::Continue, text };
                given += 1;
            }
        });
        self.engine.handle_batch(&replies[..given], self.now, |effect: Effect<'_>| {
            black_box(&effect);
        });
        if given < BATCH {
            for from in answers.iter().filter_map(|(_, event)| event.subscriber()) {
                if !self.engine.record(LINK, from).is_some_and(|record| record.is_open()) {
                    self.open(from); // its turns were used up
                }
            }
        }
        self.next = (self.next + BATCH) % self.phones.len();
        self.pass(BATCH);
    }

    /// So many turns are over.
    fn pass(&mut self, turns: usize) {
        self.passed += turns;
        while self.passed >= self.turns {
            self.passed -= self.turns;
            self.now = Millis(self.now.0 + self.millis);
            black_box(self.engine.poll(self.now, 1000, |effect: Effect<'_>| {
                black_box(&effect);
            }));
        }
    }

    /// The turn that the application is given, if it is given one.
    fn handle(&mut self, event: Event<'_>) -> Option<TurnToken> {
        let mut given = None;
        self.engine.handle(LINK, event, self.now, |effect: Effect<'_>| {
            given = given_by(&effect).or(given);
        });
        given
    }

    fn reply(&mut self, to: Subscriber, token: TurnToken, verb: Verb) {
        let reply = Event::Reply { to, token, verb, text: Text::public(MENU) };
        self.engine.handle(LINK, reply, self.now, |effect: Effect<'_>| {
            black_box(&effect);
        });
    }
}

/// The turn that the application is given, if it is given one.
fn given_by(effect: &Effect<'_>) -> Option<TurnToken> {
    match effect.action {
        Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => Some(token),
        _ => None,
    }
}

/// Numbers as an operator gives them out: the same start, then anything.
fn phone(at: u32) -> Subscriber {
    let mut text = *b"27830000000";
    let mut rest = u64::from(at) * 9_176_263 % 100_000_000;
    for digit in text.iter_mut().rev().take(8) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let text = str::from_utf8(&text).expect("digits");
    text.parse().expect("a number")
}
