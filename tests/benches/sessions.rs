//! The engine of `ussd-session` with very many sessions: `cargo bench -p conformance --bench sessions`, for other sizes
//! than 100 thousand and 1 million `.. -- 10000000`.
//!
//! Every event meets a session that no cache holds: phones answer in an order like chance, and each gets its reply when
//! some hundreds of others have had theirs. One by one, the next event is not known before the last is done, as on a
//! wire; in batches, 64 are. Beside the engine stands a bare loop, which does nothing but find the same cache lines, one
//! in an index and one in a slab, and write to the second: what the memory of the machine allows. The ratios are medians
//! of rounds in which both take turns, since other work on the machine slows memory down for both.
//!
//! Beside it too: a `HashMap` of records and a `BinaryHeap` of deadlines around `step`, as one would write it first.

use std::alloc::System;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use ussd_session::{
    Action, Actions, At, Callback, Config, Effect, Engine, Event, LinkId, Millis, NetId, Next, Phase, Policy, Record,
    Saved, SessionIds, Subscriber, Text, TurnToken, Verb, step,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LINK: LinkId = LinkId(0);
const START: Millis = Millis(1_790_000_000_000);
const SIZES: [usize; 2] = [100_000, 1_000_000];
/// Turns between an answer and its reply.
const LAG: usize = 320;
/// Events of a batch: as many answers as replies.
const BATCH: usize = 64;
const ROUNDS: usize = 7;
/// Turns of a round, two events each.
const TURNS: usize = 200_000;
/// In this time of the engine every session speaks once.
const SPOKEN: Duration = Duration::from_secs(20);

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if std::env::args().any(|arg| arg == "--test") { vec![1000] } else { given };
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    for sessions in sizes {
        println!("{sessions} sessions");
        speed(sessions);
        pauses(sessions);
        plain(sessions);
    }
}

fn row(name: &str, figure: f64, unit: &str) {
    println!("  {name:<44} {figure:>10.1} {unit}");
}

/// Bytes of a session, nanoseconds of an event, one by one and in batches, and the bare loop beside both.
fn speed(sessions: usize) {
    let region = Region::new(ALLOCATOR);
    let mut crowd = Crowd::new(sessions);
    let opened = time(|| crowd.open());
    row("open: an event", opened / (2 * sessions) as f64, "ns");
    for _ in 0..2 * sessions {
        crowd.turn(); // the tables grow to what they need
    }
    let change = region.change();
    let held = change.bytes_allocated - change.bytes_deallocated - crowd.own();
    row("memory of a session", held as f64 / sessions as f64, "bytes");

    let mut bare = Bare::new(&crowd.phones);
    let mut rounds = [const { Vec::new() }; 4];
    let region = Region::new(ALLOCATOR);
    let turns = TURNS.min(2 * sessions) / BATCH * BATCH;
    for _ in 0..ROUNDS {
        let each = [
            time(|| (0..turns).for_each(|_| crowd.turn())),
            time(|| (0..turns / (BATCH / 2)).for_each(|_| crowd.batch())),
            time(|| bare.one_by_one(turns)),
            time(|| bare.batched(turns)),
        ];
        for (all, one) in rounds.iter_mut().zip(each) {
            all.push(one / (2 * turns) as f64);
        }
    }
    let allocations = region.change().allocations + region.change().reallocations;
    let [single, batched, bare, bare_batched] = &rounds;
    row("an event, one by one", median(single.clone()), "ns");
    row("an event, in batches", median(batched.clone()), "ns");
    row("the bare loop, one by one", median(bare.clone()), "ns");
    row("the bare loop, in batches", median(bare_batched.clone()), "ns");
    let ratio = |of: &[f64], to: &[f64]| median(of.iter().zip(to).map(|(of, to)| of / to).collect());
    row("one by one, to the bare loop", ratio(single, bare), "times");
    row("in batches, to the bare loop one by one", ratio(batched, bare), "times");
    row("in batches, to the bare loop in batches", ratio(batched, bare_batched), "times");
    row("allocations of an event", allocations as f64 / (4 * ROUNDS * turns) as f64, "");
    assert_eq!(crowd.engine.live(), sessions, "all sessions live on");
}

/// What happens to all sessions at once, and the longest that another event would have to wait for it.
fn pauses(sessions: usize) {
    let mut crowd = Crowd::new(sessions);
    crowd.open();
    let engine = &mut crowd.engine;
    let mut longest = 0.0_f64;
    for (name, event) in [("a link breaks: a session", Event::LinkDown), ("it comes back: a session", Event::LinkUp)] {
        longest = longest.max(time(|| engine.handle(LINK, event, crowd.now, ignore)));
        let (total, most) = polled(engine, crowd.now);
        longest = longest.max(most);
        row(name, total / sessions as f64, "ns");
    }
    let mut saved: Vec<Saved> = Vec::with_capacity(sessions);
    let snapshot = time(|| saved.extend(engine.snapshot()));
    row("snapshot, in memory", snapshot / 1e6, "ms");
    let mut restored = None;
    let restore = time(|| restored = Some(Engine::restore(config(sessions), saved.drain(..), crowd.now)));
    row("restore, from memory", restore / 1e6, "ms");
    assert_eq!(restored.map(|engine| engine.live()), Some(sessions));
    let later = Millis(crowd.now.0 + 600_000);
    let (total, most) = polled(engine, later);
    row("all time out at once: a session", total / sessions as f64, "ns");
    assert_eq!((engine.live(), engine.closed()), (0, sessions));
    let (total, last) = polled(engine, Millis(later.0 + 600_000));
    row("all are forgotten at once: a session", total / sessions as f64, "ns");
    assert_eq!(engine.closed(), 0);
    row("the longest call, polls of 1,000 entries", longest.max(most).max(last) / 1e3, "us");
}

/// Polls until nothing is left; how long it took, and the longest poll.
fn polled(engine: &mut Engine, now: Millis) -> (f64, f64) {
    let (mut total, mut most, mut more) = (0.0, 0.0_f64, true);
    while more {
        let one = time(|| more = engine.poll(now, 1000, ignore).more);
        (total, most) = (total + one, most.max(one));
    }
    (total, most)
}

fn ignore(effect: Effect<'_>) {
    black_box(&effect);
}

fn config(sessions: usize) -> Config {
    // Sessions are not to end here: a turn number would run out before the bench does.
    let policy = Policy::default().total_timer(Policy::LONGEST).resend(false);
    Config::default().max_live(2 * sessions).max_closed(2 * sessions).policy(policy)
}

/// Many phones, each with an open session.
struct Crowd {
    engine: Engine,
    /// In the order in which they speak.
    phones: Vec<Subscriber>,
    /// The turns to be replied, by phone.
    tokens: Vec<Option<TurnToken>>,
    next: usize,
    /// Turns of a millisecond, and how many are left of this one.
    pace: usize,
    left: usize,
    now: Millis,
}

impl Crowd {
    fn new(sessions: usize) -> Self {
        let engine = Engine::new(config(sessions));
        let pace = (sessions / SPOKEN.as_millis() as usize).max(1);
        let (phones, tokens) = (spoken(sessions), vec![None; sessions]);
        Self { engine, phones, tokens, next: 0, pace, left: pace, now: START }
    }

    /// What the host holds itself.
    fn own(&self) -> usize {
        self.phones.capacity() * size_of::<Subscriber>() + self.tokens.capacity() * size_of::<Option<TurnToken>>()
    }

    /// All phones dial, in the order of their numbers, and are shown a menu; but for the last, who still wait for it.
    fn open(&mut self) {
        let mut order: Vec<u32> = (0..self.phones.len() as u32).collect();
        order.sort_unstable_by_key(|at| self.phones[*at as usize]);
        for at in order {
            let from = self.phones[at as usize];
            let net = NetId::NONE;
            let begin = Event::Begin { from, dialled: "*120*8864*1377#", net, phase: Phase::Two, dedup: None };
            let token = &mut self.tokens[at as usize];
            self.engine.handle(LINK, begin, self.now, |effect: Effect<'_>| *token = given(&effect));
            if (at as usize) < self.phones.len() - LAG {
                self.engine.handle(LINK, reply(from, *token), self.now, ignore);
            }
        }
    }

    /// One phone answers, and one that answered before is replied.
    fn turn(&mut self) {
        // Always nothing, but neither compiler nor processor can know before the last event is done.
        let late = self.lagging();
        let nothing = usize::from(self.tokens[late].map_or(0, |token| black_box(token.turn)) == u16::MAX);
        let (phone, at) = (self.phones[self.next + nothing], self.next);
        let token = &mut self.tokens[at];
        self.engine.handle(LINK, answer(phone), self.now, |effect: Effect<'_>| *token = given(&effect));
        let nothing = usize::from(self.tokens[at].map_or(0, |token| black_box(token.turn)) == u16::MAX);
        let to = self.phones[late + nothing];
        self.engine.handle(LINK, reply(to, self.tokens[late]), self.now, ignore);
        self.step();
    }

    /// The same for as many as make a batch.
    fn batch(&mut self) {
        let first = self.next;
        let mut events = [const { (LINK, Event::Tick) }; BATCH];
        for pair in events.chunks_exact_mut(2) {
            let late = self.lagging();
            pair[0].1 = answer(self.phones[self.next]);
            pair[1].1 = reply(self.phones[late], self.tokens[late]);
            self.next = self.after(self.next);
        }
        let (mut at, tokens) = (first, &mut self.tokens);
        self.engine.handle_batch(&events, self.now, |effect: Effect<'_>| match given(&effect) {
            Some(token) => {
                tokens[at] = Some(token);
                at = if at + 1 == tokens.len() { 0 } else { at + 1 };
            }
            None => ignore(effect),
        });
        self.next = first;
        for _ in 0..BATCH / 2 {
            self.step();
        }
    }

    fn lagging(&self) -> usize {
        if self.next >= LAG { self.next - LAG } else { self.next + self.phones.len() - LAG }
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.phones.len() { 0 } else { at + 1 }
    }

    /// Time goes on, and the engine is polled every millisecond of it, as a host would.
    fn step(&mut self) {
        self.next = self.after(self.next);
        self.left -= 1;
        if self.left == 0 {
            self.left = self.pace;
            self.now = Millis(self.now.0 + 1);
            black_box(self.engine.poll(self.now, 1000, ignore));
        }
    }
}

fn answer(from: Subscriber) -> Event<'static> {
    Event::Answer { from, text: Text::public("1"), net: NetId::NONE, dedup: None }
}

fn reply(to: Subscriber, token: Option<TurnToken>) -> Event<'static> {
    let text = Text::public("Welcome, Thandi.\n1. Balance\n2. Airtime\n3. Data\n0. Quit");
    Event::Reply { to, token: token.expect("a turn to reply"), verb: Verb::Continue, text }
}

/// The turn that the application is given.
fn given(effect: &Effect<'_>) -> Option<TurnToken> {
    match &effect.action {
        Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => Some(*token),
        _ => None,
    }
}

/// The bare loop: an index of hashes and places in one piece, records of one cache line.
struct Bare {
    hasher: RandomStateOf,
    index: Vec<u64>,
    slots: Vec<Line>,
    phones: Vec<Subscriber>,
    next: usize,
}

/// The hash that the engine takes.
type RandomStateOf = hashbrown::DefaultHashBuilder;

#[derive(Clone)]
#[repr(align(64))]
struct Line {
    phone: Subscriber,
    words: [u64; 7],
}

impl Bare {
    fn new(phones: &[Subscriber]) -> Self {
        let mut sorted = phones.to_vec();
        sorted.sort_unstable();
        let slots = sorted.into_iter().map(|phone| Line { phone, words: [1; 7] }).collect();
        let index = vec![u64::MAX; phones.len() * 7 / 5];
        let mut bare = Self { hasher: RandomStateOf::default(), index, slots, phones: phones.to_vec(), next: 0 };
        for place in 0..bare.slots.len() {
            let tag = bare.tag(bare.slots[place].phone);
            let mut at = bare.home(tag);
            while bare.index[at] != u64::MAX {
                at = (at + 1) % bare.index.len();
            }
            bare.index[at] = tag << 32 | place as u64;
        }
        bare
    }

    fn tag(&self, phone: Subscriber) -> u64 {
        self.hasher.hash_one((LINK, phone)) & u64::from(u32::MAX)
    }

    fn home(&self, tag: u64) -> usize {
        ((tag * self.index.len() as u64) >> 32) as usize
    }

    /// The slot of the first entry with this tag.
    fn candidate(&self, tag: u64) -> (usize, usize) {
        let mut at = self.home(tag);
        while self.index[at] >> 32 != tag {
            at = if at + 1 == self.index.len() { 0 } else { at + 1 };
        }
        (at, self.index[at] as u32 as usize)
    }

    /// Finds a phone's line and writes to it.
    fn touch(&mut self, tag: u64, phone: Subscriber) -> u64 {
        let (mut at, mut slot) = self.candidate(tag);
        while self.slots[slot].phone != phone {
            at = (at + 1) % self.index.len();
            slot = self.index[at] as u32 as usize;
        }
        let line = &mut self.slots[slot];
        line.words[2] += 1;
        line.words[6] ^= line.words[4];
        line.words[3]
    }

    /// The phone that speaks, and the one that is replied: two events.
    fn pair(&mut self) -> [Subscriber; 2] {
        let late = if self.next >= LAG { self.next - LAG } else { self.next + self.phones.len() - LAG };
        let pair = [self.phones[self.next], self.phones[late]];
        self.next = if self.next + 1 == self.phones.len() { 0 } else { self.next + 1 };
        pair
    }

    fn one_by_one(&mut self, turns: usize) {
        let mut last = 0;
        for _ in 0..turns {
            for phone in self.pair() {
                let nothing = u64::from(black_box(last) == u64::MAX);
                last = self.touch(self.tag(phone) + nothing, phone);
            }
        }
    }

    fn batched(&mut self, turns: usize) {
        for _ in 0..turns / (BATCH / 2) {
            let mut events = [(0, self.phones[0]); BATCH];
            for two in events.chunks_exact_mut(2) {
                for (event, phone) in two.iter_mut().zip(self.pair()) {
                    *event = (self.tag(phone), phone);
                }
            }
            black_box(events.iter().fold(0, |all, (tag, _)| all ^ self.index[self.home(*tag)]));
            black_box(events.iter().fold(0, |all, (tag, _)| all ^ self.slots[self.candidate(*tag).1].words[0]));
            for (tag, phone) in events {
                black_box(self.touch(tag, phone));
            }
        }
    }
}

/// What one would write first: a map of records, a heap of deadlines, and `step`.
fn plain(sessions: usize) {
    let region = Region::new(ALLOCATOR);
    let policy = Policy::default().total_timer(Policy::LONGEST).resend(false);
    let mut plain = Plain { policy, ids: SessionIds::new(0, START), records: HashMap::new(), due: BinaryHeap::new() };
    let phones = spoken(sessions);
    let mut tokens: Vec<Option<TurnToken>> = vec![None; sessions];
    for (at, from) in phones.iter().enumerate() {
        let net = NetId::NONE;
        let begin = Event::Begin { from: *from, dialled: "*120*8864*1377#", net, phase: Phase::Two, dedup: None };
        tokens[at] = plain.happens(*from, &begin, START);
        if at >= LAG {
            plain.happens(*from, &reply(*from, tokens[at]), START);
        }
    }
    let change = region.change();
    let own = phones.capacity() * size_of::<Subscriber>() + tokens.capacity() * size_of::<Option<TurnToken>>();
    let held = change.bytes_allocated - change.bytes_deallocated - own;
    let (mut next, mut now) = (LAG, START);
    let mut turns = |turns: usize| {
        for _ in 0..turns {
            let nothing = usize::from(tokens[next - LAG].map_or(0, |token| black_box(token.turn)) == u16::MAX);
            tokens[next] = plain.happens(phones[next], &answer(phones[next + nothing]), now);
            let nothing = usize::from(tokens[next].map_or(0, |token| black_box(token.turn)) == u16::MAX);
            let late = next - LAG + nothing;
            plain.happens(phones[late], &reply(phones[late], tokens[late]), now);
            next += 1;
            if next == sessions {
                // The last ones are replied before the order begins anew.
                for late in sessions - LAG..sessions {
                    plain.happens(phones[late], &reply(phones[late], tokens[late]), now);
                }
                for first in 0..LAG {
                    tokens[first] = plain.happens(phones[first], &answer(phones[first]), now);
                }
                next = LAG;
            }
            if next.is_multiple_of((sessions / SPOKEN.as_millis() as usize).max(1)) {
                now = Millis(now.0 + 1);
                plain.poll(now);
            }
        }
    };
    turns(2 * sessions);
    let counted = TURNS.min(2 * sessions);
    let spent = time(|| turns(counted));
    row("a HashMap and a BinaryHeap: an event", spent / (2 * counted) as f64, "ns");
    row("a HashMap and a BinaryHeap: a session, at first", held as f64 / sessions as f64, "bytes");
}

struct Plain {
    policy: Policy,
    ids: SessionIds,
    records: HashMap<(LinkId, Subscriber), Record, RandomState>,
    due: BinaryHeap<Reverse<(Millis, Subscriber)>>,
}

impl Plain {
    fn happens(&mut self, phone: Subscriber, event: &Event<'_>, now: Millis) -> Option<TurnToken> {
        let mut out = Actions::new();
        let at = At { link: LINK, now, fresh: self.ids.fresh() };
        match step(self.records.get(&(LINK, phone)), event, at, &self.policy, &mut out) {
            Next::Put(record) => {
                self.due.push(Reverse((record.deadline(), phone)));
                self.records.insert((LINK, phone), record);
            }
            Next::Delete => drop(self.records.remove(&(LINK, phone))),
            Next::Keep => {}
        }
        let mut given = None;
        for action in out {
            if let Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) = &action {
                given = Some(*token);
            }
            black_box(&action);
        }
        given
    }

    fn poll(&mut self, now: Millis) {
        while let Some(Reverse((deadline, phone))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            if self.records.get(&(LINK, phone)).is_some_and(|record| record.deadline() <= deadline) {
                self.happens(phone, &Event::Tick, now);
            }
        }
    }
}

/// So many phones in an order like chance: a full period over all, for counts whose prime factors are 2 and 5.
fn spoken(sessions: usize) -> Vec<Subscriber> {
    let follow = |at: &u64| Some((at * 48_261 + 7_919) % sessions as u64);
    let mut phones = Vec::with_capacity(sessions);
    phones.extend(std::iter::successors(Some(0), follow).take(sessions).map(phone));
    phones
}

/// Numbers as an operator gives them out: the same start, then anything.
fn phone(at: u64) -> Subscriber {
    format!("2783{:08}", at * 9_176_263 % 100_000_000).parse().expect("a number")
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Nanoseconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}
