//! Ways to run many sessions, each against the plain engine on the same random schedule: in batches, in shards, through
//! a restart before every event, and with links and shutdown that reach the sessions bit by bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod schedule;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use schedule::{Op, Plan, Step, plan, run};
use ussd_session::{
    Action, Callback, CloseReason, Config, Effect, Engine, Event, LinkId, Millis, NetId, OwnedEvent, Phase, Record,
    Saved, Shards, State, Subscriber, Text, Verb,
};
use world::{Host, LINK, describe};

fn config(plan: &Plan) -> Config {
    Config::default().policy(plan.policy.clone())
}

/// What each phone saw, step by step. (Phones are independent: their order within one instant is nobody's promise.)
fn by_phone(trace: &[Step]) -> Vec<[Vec<String>; 3]> {
    let of = |step: &Step| [0, 1, 2].map(|at| step.seen.iter().filter(|seen| seen.phone == at).map(line).collect());
    trace.iter().map(of).collect()
}

fn line(seen: &schedule::Seen) -> String {
    seen.line.clone()
}

/// Writes down what happens to an engine, and what follows.
struct Recorder {
    engine: Engine,
    script: Vec<(Option<OwnedEvent>, Millis)>,
    lines: Vec<String>,
}

impl Host for Recorder {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.script.push((Some(event.clone().into()), now));
        Host::handle(&mut self.engine, event, now, &mut |effect| {
            self.lines.push(describe(&effect, &mut Vec::new()));
            out(effect);
        });
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.script.push((None, now));
        Host::tick(&mut self.engine, now, &mut |effect| {
            self.lines.push(describe(&effect, &mut Vec::new()));
            out(effect);
        });
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        Host::state(&self.engine, phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        Host::deadline(&self.engine, phone)
    }
}

impl Host for Shards {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        Shards::handle(self, LINK, event, now, |effect: Effect<'_>| out(effect));
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        for shard in 0..self.count() {
            Host::tick(&mut *self.shard(shard), now, out);
        }
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        Host::state(&*self.shard(self.shard_of(phone)), phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        Host::deadline(&*self.shard(self.shard_of(phone)), phone)
    }
}

/// Starts anew from what was written down, before everything that happens.
struct Restarted {
    config: Config,
    engine: Engine,
    now: Millis,
}

impl Restarted {
    fn restart(&mut self, now: Millis) {
        self.now = self.now.max(now);
        let saved: Vec<Saved> = self.engine.snapshot().collect();
        #[cfg(feature = "serde")]
        let saved: Vec<Saved> = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        let before = (self.engine.live(), self.engine.closed(), self.engine.scheduled());
        self.engine = Engine::restore(self.config.clone(), saved, self.now);
        assert_eq!((self.engine.live(), self.engine.closed(), self.engine.scheduled()), before);
        assert_eq!(self.engine.counters().restored, before.0 as u64);
    }
}

impl Host for Restarted {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.restart(now);
        Host::handle(&mut self.engine, event, now, out);
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.restart(now);
        Host::tick(&mut self.engine, now, out);
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        Host::state(&self.engine, phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        Host::deadline(&self.engine, phone)
    }
}

/// Polls after every event, but looks at few sessions only, or at none.
struct Dawdling {
    engine: Engine,
    budgets: Vec<usize>,
    next: usize,
}

impl Host for Dawdling {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        Host::handle(&mut self.engine, event, now, out);
        self.next += 1;
        let budget = self.budgets[self.next % self.budgets.len()];
        if budget > 0 {
            self.engine.poll(now, budget, |effect: Effect<'_>| out(effect));
        }
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        Host::tick(&mut self.engine, now, out);
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        Host::state(&self.engine, phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        Host::deadline(&self.engine, phone)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Events in batches of any size do what they do one by one, also where a phone gets the place of another one that
    /// was forgotten within the batch.
    #[test]
    fn batches(plan in plan(), dense in any::<bool>(), size in 1..100_usize, closed in 0..3_usize) {
        let config = config(&plan).max_closed(closed);
        let ops: Vec<Op> = plan.ops.iter().filter(|op| !(dense && matches!(op, Op::Wait(_)))).cloned().collect();
        let mut one_by_one = Recorder { engine: Engine::new(config.clone()), script: Vec::new(), lines: Vec::new() };
        run(&mut one_by_one, &ops);
        let (mut engine, mut lines) = (Engine::new(config), Vec::new());
        let mut sink = |effect: Effect<'_>| lines.push(describe(&effect, &mut Vec::new()));
        // What happens at one time, and no tick in between, may be one batch.
        for moment in one_by_one.script.chunk_by(|one, next| one.0.is_some() && next.0.is_some() && one.1 == next.1) {
            for batch in moment.chunks(size) {
                let (_, now) = batch[0];
                let events: Vec<_> =
                    batch.iter().filter_map(|(event, _)| Some((LINK, event.as_ref()?.as_event()))).collect();
                engine.handle_batch(&events, now, &mut sink);
                if events.is_empty() {
                    Host::tick(&mut engine, now, &mut sink);
                }
            }
        }
        prop_assert_eq!(lines, one_by_one.lines);
        prop_assert_eq!(engine.counters(), one_by_one.engine.counters());
    }

    /// Three shards do what one engine does.
    #[test]
    fn shards(plan in plan(), count in 1..5_usize) {
        let expected = by_phone(&run(&mut Engine::new(config(&plan)), &plan.ops));
        let mut shards = Shards::new(config(&plan), count);
        let trace = run(&mut shards, &plan.ops);
        prop_assert_eq!(by_phone(&trace), expected);
        // No id is given twice.
        let opened = trace.iter().flat_map(|step| &step.seen);
        let opened = opened.filter(|seen| matches!(seen.kind, schedule::Kind::New | schedule::Kind::Pushed));
        let mut ids: Vec<_> = opened.map(|seen| seen.session.unwrap()).collect();
        let given = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), given);
    }

    /// A restart before everything that happens changes nothing.
    #[test]
    fn restarts(plan in plan()) {
        let expected = by_phone(&run(&mut Engine::new(config(&plan)), &plan.ops));
        let engine = Engine::new(config(&plan));
        let mut restarted = Restarted { config: config(&plan), engine, now: schedule::START };
        prop_assert_eq!(by_phone(&run(&mut restarted, &plan.ops)), expected);
    }

    /// With few places, few tombstones and nothing done before it has to be, the gauges say what is there. (The host
    /// counts all records after every event.)
    #[test]
    fn gauges(plan in plan(), live in 0..4_usize, closed in 0..3_usize) {
        let config = config(&plan).max_live(live).max_closed(closed).at_once(0);
        let mut engine = Engine::new(config);
        run(&mut engine, &plan.ops);
        prop_assert!(engine.gauges().live() <= live && engine.gauges().closed <= closed);
    }

    /// A link that breaks or comes back, when the news reaches no session before it has to: each phone sees the same.
    #[test]
    fn sweeps(plan in plan()) {
        // All that a phone sees, in order: what a sweep brings may come later.
        let whole = |trace: Vec<Step>| -> Vec<Vec<String>> {
            let steps = by_phone(&trace);
            (0..3).map(|phone| steps.iter().flat_map(|step| step[phone].clone()).collect()).collect()
        };
        let ops: Vec<Op> = plan.ops.iter().cloned().chain([Op::Wait(0)]).collect();
        let expected = whole(run(&mut Engine::new(config(&plan)), &ops));
        let mut lazy = Engine::new(config(&plan).at_once(0));
        prop_assert_eq!(whole(run(&mut lazy, &ops)), expected);
    }

    /// The same with links that flutter, and a host that polls a little in between.
    #[test]
    fn sweeps_in_pieces(plan in plan(), flutter in prop::collection::vec((0..4_usize, 0..4_usize), 80)) {
        let links: [&[Op]; 4] = [&[], &[Op::LinkDown], &[Op::LinkUp], &[Op::LinkUp, Op::LinkDown]];
        let with_links = plan.ops.iter().zip(&flutter).flat_map(|(op, (link, _))| links[*link].iter().chain([op]));
        let ops: Vec<Op> = with_links.cloned().chain([Op::Wait(0)]).collect();
        let whole = |trace: Vec<Step>| -> Vec<Vec<String>> {
            let steps = by_phone(&trace);
            (0..3).map(|phone| steps.iter().flat_map(|step| step[phone].clone()).collect()).collect()
        };
        let expected = whole(run(&mut Engine::new(config(&plan)), &ops));
        let budgets: Vec<usize> = flutter.iter().map(|(_, budget)| *budget).collect();
        let mut dawdling = Dawdling { engine: Engine::new(config(&plan).at_once(0)), budgets, next: 0 };
        prop_assert_eq!(whole(run(&mut dawdling, &ops)), expected);
    }
}

/// So many phones, each with a session that waits for its application.
fn crowd(config: Config, phones: u32) -> (Engine, Vec<(Subscriber, ussd_session::TurnToken)>) {
    let (mut engine, mut tokens) = (Engine::new(config), Vec::new());
    for at in 0..phones {
        let from: Subscriber = format!("2783{at:07}").parse().unwrap();
        let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        engine.handle(LINK, begin, schedule::START, |effect: Effect<'_>| {
            if let Action::Call(Callback::New { token, .. }) = effect.action {
                tokens.push((from, token));
            }
        });
    }
    (engine, tokens)
}

/// A host that does not poll falls behind, and can tell; one that polls catches up.
#[test]
fn who_does_not_poll_falls_behind() {
    let (mut engine, _) = crowd(Config::default(), 5000);
    assert_eq!(engine.gauges().behind, Duration::ZERO);
    // The application has 10 s.
    let late = schedule::START.after(Duration::from_secs(17));
    engine.handle(LinkId(9), Event::LinkUp, late, |_: Effect<'_>| {});
    assert!((7000..7128).contains(&engine.gauges().behind.as_millis()), "{:?}", engine.gauges());
    let mut behind = Vec::new();
    while engine.poll(late, 1000, |_: Effect<'_>| {}).more {
        behind.push(engine.gauges().behind);
    }
    assert!(behind.len() > 5 && behind.iter().all(|behind| *behind >= Duration::from_secs(7)), "{behind:?}");
    assert_eq!((engine.gauges().behind, engine.gauges().closed), (Duration::ZERO, 5000));
}

/// Shards are counted together.
#[test]
fn gauges_of_shards() {
    let shards = Shards::new(Config::default(), 3);
    for at in 0..100 {
        let from: Subscriber = format!("2783{at:07}").parse().unwrap();
        let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        shards.handle(LINK, begin, schedule::START, |_: Effect<'_>| {});
        if at < 40 {
            let end = Event::UserEnd { from, net: NetId::NONE, text: None };
            shards.handle(LINK, end, schedule::START, |_: Effect<'_>| {});
        }
    }
    let gauges = shards.gauges();
    assert_eq!((gauges.app_turn, gauges.live(), gauges.closed, gauges.behind), (60, 60, 40, Duration::ZERO));
    // The last shard alone is late.
    let late = schedule::START.after(Duration::from_secs(25));
    shards.shard(2).handle(LinkId(9), Event::LinkUp, late, |_: Effect<'_>| {});
    assert!(shards.gauges().behind >= Duration::from_secs(15));
}

/// A link of thousands breaks: no call visits more than it may, and who speaks first is up to date first.
#[test]
fn a_broken_link_is_no_pause() {
    let (mut engine, tokens) = crowd(Config::default(), 5000);
    let now = schedule::START;
    let unlinked =
        |engine: &Engine| tokens.iter().filter(|(phone, _)| engine.record(LINK, *phone).unwrap().is_unlinked()).count();
    engine.handle(LINK, Event::LinkDown, now, |_: Effect<'_>| {});
    assert_eq!((unlinked(&engine), engine.next_deadline()), (1024, Some(now)));
    // A reply in the part that has not been visited is held all the same.
    let (to, token) = tokens[4000];
    let reply = Event::Reply { to, token, verb: Verb::Continue, text: Text::public("menu") };
    engine.handle(LINK, reply, now, |effect: Effect<'_>| panic!("{effect:?}"));
    assert_eq!(unlinked(&engine), 1025);
    // So is one whose session ends and begins anew: the link broke before it.
    let (from, token) = tokens[4001];
    engine.handle(LINK, Event::HandlerFailed { to: from, token }, now, |_: Effect<'_>| {});
    let begin = Event::Begin { from, dialled: "*2#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    engine.handle(LINK, begin, now, |_: Effect<'_>| {});
    let mut polls = 0;
    while engine.poll(now, 100, |effect: Effect<'_>| panic!("{effect:?}")).more {
        polls += 1;
    }
    assert_eq!((unlinked(&engine), polls), (4999, (5000 - 1024) / 100));
    assert!(!engine.record(LINK, from).unwrap().is_unlinked());
    // Other links are not concerned.
    engine.handle(LinkId(9), Event::LinkUp, now, |_: Effect<'_>| {});
    while engine.poll(now, 1000, |_: Effect<'_>| {}).more {}
    assert_eq!(unlinked(&engine), 4999);
    // The held reply goes out when the link is back.
    let mut frames = Vec::new();
    engine.handle(LINK, Event::LinkUp, now, |effect: Effect<'_>| panic!("{effect:?}"));
    while engine.poll(now, 1000, |effect: Effect<'_>| frames.push(effect.subscriber)).more {}
    assert_eq!((unlinked(&engine), frames), (0, vec![to]));
}

/// A link that comes and goes faster than it is polled costs no more memory, and ends as it should.
#[test]
fn a_fluttering_link() {
    let (mut engine, tokens) = crowd(Config::default().at_once(0), 100);
    for turn in 0..101 {
        let event = if turn % 2 == 0 { Event::LinkDown } else { Event::LinkUp };
        engine.handle(LINK, event, schedule::START, |effect: Effect<'_>| panic!("{effect:?}"));
    }
    let mut looked_at = 0;
    loop {
        let polled = engine.poll(schedule::START, 10, |_: Effect<'_>| {});
        looked_at += polled.looked_at;
        if !polled.more {
            break;
        }
    }
    assert_eq!(looked_at, 100, "one visit to each");
    assert!(tokens.iter().all(|(phone, _)| engine.record(LINK, *phone).unwrap().is_unlinked()));
}

/// However many links come and go, and however often, no call visits more than it may, and none is forgotten.
#[test]
fn fluttering_links_are_no_pause() {
    let (mut engine, now) = (Engine::new(Config::default().at_once(10)), schedule::START);
    let phones: Vec<(LinkId, Subscriber)> =
        (0..1000_u16).map(|at| (LinkId(at % 40), format!("2783{at:07}").parse().unwrap())).collect();
    for (link, from) in &phones {
        let begin = Event::Begin { from: *from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        engine.handle(*link, begin, now, |_: Effect<'_>| {});
    }
    let records = |engine: &Engine| -> Vec<_> {
        phones.iter().map(|(link, phone)| engine.record(*link, *phone).unwrap()).collect()
    };
    let changed = |was: &[Record], is: &[Record]| was.iter().zip(is).filter(|(was, is)| was != is).count();
    let mut was = records(&engine);
    for turn in 0..201_u16 {
        // In the end the even links are broken, and the odd ones are not.
        for link in [LinkId(turn % 40), LinkId((turn + 20) % 40)] {
            let (first, last) =
                if link.0 % 2 == 0 { (Event::LinkDown, Event::LinkUp) } else { (Event::LinkUp, Event::LinkDown) };
            for event in [first.clone(), last, first] {
                engine.handle(link, event, now, |effect: Effect<'_>| panic!("{effect:?}"));
                let is = records(&engine);
                assert!(changed(&was, &is) <= 10, "{} visits", changed(&was, &is));
                assert_eq!(engine.gauges().unvisited, 990);
                was = is;
            }
        }
    }
    let mut polls = 0;
    loop {
        let polled = engine.poll(now, 100, |effect: Effect<'_>| panic!("{effect:?}"));
        let is = records(&engine);
        assert!(changed(&was, &is) <= 100 && polled.looked_at <= 100);
        was = is;
        polls += 1;
        if !polled.more {
            break;
        }
    }
    assert_eq!(polls, 10);
    assert!(phones.iter().zip(&was).all(|((link, _), record)| record.is_unlinked() == (link.0 % 2 == 0)));
}

/// A link that comes and goes for ever keeps nobody's time from running out.
#[test]
fn a_fluttering_link_stops_no_timer() {
    let (mut engine, _) = crowd(Config::default().at_once(0), 5000);
    let (late, mut polls) = (schedule::START.after(Duration::from_secs(10)), 0);
    while engine.live() > 0 {
        let event = if polls % 2 == 0 { Event::LinkUp } else { Event::LinkDown };
        // Not the link of these sessions: visits do nothing.
        engine.handle(LinkId(9), event, late, |_: Effect<'_>| {});
        assert!(engine.poll(late, 100, |_: Effect<'_>| {}).looked_at <= 100);
        polls += 1;
        assert!(polls <= 5000 * 3 / 50, "{:?}", engine.gauges());
    }
}

/// The end of the program reaches each session once, in polls that keep to their budget.
#[test]
fn a_shutdown_in_pieces() {
    let (mut engine, tokens) = crowd(Config::default().at_once(10), 3000);
    let (mut closed, mut calls) = (0, Vec::new());
    let mut sink = |effect: Effect<'_>| {
        if let Action::Closed(summary) = effect.action {
            assert_eq!(summary.reason, CloseReason::Shutdown);
            closed += 1;
        }
    };
    engine.shutdown(schedule::START, &mut sink);
    loop {
        let before = engine.live();
        let more = engine.poll(schedule::START, 100, &mut sink).more;
        calls.push(before - engine.live());
        if !more {
            break;
        }
    }
    assert_eq!((engine.live(), closed), (0, tokens.len()));
    assert!(calls.len() >= 29 && calls.iter().all(|ended| *ended <= 100), "{calls:?}");
}

/// What a secret reply said is not written down; its turn can be replied again.
#[test]
fn secrets_are_not_saved() {
    let (mut engine, tokens) = crowd(Config::default(), 2);
    engine.handle(LINK, Event::LinkDown, schedule::START, |_: Effect<'_>| {});
    for ((to, token), text) in tokens.iter().zip([Text::secret("balance 100"), Text::public("menu")]) {
        let reply = Event::Reply { to: *to, token: *token, verb: Verb::Continue, text };
        engine.handle(LINK, reply, schedule::START, |effect: Effect<'_>| panic!("{effect:?}"));
    }
    let saved: Vec<Saved> = engine.snapshot().collect();
    assert!(!format!("{saved:?}").contains("menu"), "texts are not shown");
    #[cfg(feature = "serde")]
    assert!(!serde_json::to_string(&saved).unwrap().contains("balance"), "secrets are not written");
    let mut restored = Engine::restore(Config::default(), saved, schedule::START);
    let mut seen = Vec::new();
    let mut sink = |effect: Effect<'_>| seen.push(describe(&effect, &mut Vec::new()));
    let (to, token) = tokens[0];
    let reply = Event::Reply { to, token, verb: Verb::Continue, text: Text::public("again") };
    restored.handle(LINK, reply, schedule::START, &mut sink);
    restored.handle(LINK, Event::LinkUp, schedule::START, &mut sink);
    assert_eq!(seen, ["P(again)", "P(menu)"]);
}

/// Phones are spread over the shards evenly, and a snapshot of some shards is good for others.
#[test]
fn shards_share_the_phones() {
    let phones: Vec<Subscriber> = (0..4000).map(|at| format!("2783{at:07}").parse().unwrap()).collect();
    let shards = Shards::new(Config::default(), 4);
    for from in &phones {
        let begin = Event::Begin { from: *from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        shards.handle(LINK, begin, schedule::START, |_: Effect<'_>| {});
    }
    assert!((0..4).all(|shard| (800..1200).contains(&shards.shard(shard).live())), "{shards:?}");
    let saved: Vec<Saved> = (0..4).flat_map(|shard| shards.shard(shard).snapshot().collect::<Vec<_>>()).collect();
    let restored = Shards::restore(Config::default(), 3, saved, schedule::START);
    assert_eq!((restored.count(), restored.live()), (3, 4000));
    for phone in &phones {
        let (before, after) = (shards.shard(shards.shard_of(*phone)), restored.shard(restored.shard_of(*phone)));
        assert_eq!(before.record(LINK, *phone), after.record(LINK, *phone));
    }
    let mut closed = 0;
    restored.shutdown(schedule::START, |effect: Effect<'_>| {
        closed += usize::from(matches!(effect.action, Action::Closed(_)));
    });
    assert_eq!(closed, 3 * 1024, "some of each shard at once");
}
