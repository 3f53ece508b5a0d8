//! Random schedules on everything that holds sessions, and the same search on machines with a bug: it finds each.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use ussd_session::testkit::{Bare, Explorer, Memory, Stepped, explore};
use ussd_session::{
    Action, Actions, At, Callback, CloseReason, Config, DedupKey, EndWhy, Event, Millis, NetId, Next, Orphans, Phase,
    Policy, Record, State, step,
};

/// Schedules played on each of the two plain hosts.
const SCHEDULES: u64 = 50_000;

#[test]
fn an_engine_keeps_all_promises() {
    let explored = explore(1, SCHEDULES, |policy| Memory::new(Config::default().policy(policy.clone())));
    assert_eq!(explored.unwrap_or_else(|finding| panic!("{finding}")).schedules, SCHEDULES);
}

#[test]
fn a_bare_loop_keeps_all_promises() {
    let explored = explore(2, SCHEDULES, |policy| Bare::new(policy.clone()));
    assert_eq!(explored.unwrap_or_else(|finding| panic!("{finding}")).schedules, SCHEDULES);
}

/// Two machines over a store, which are lost with each crash.
#[cfg(feature = "store")]
#[test]
fn machines_over_a_store_keep_all_promises() {
    let explored = explore(8, 5_000, |policy| world::explored::Explored::new(policy, |store| store));
    assert_eq!(explored.unwrap_or_else(|finding| panic!("{finding}")).schedules, 5_000);
}

#[test]
fn other_policies_keep_all_promises() {
    let policies = [
        Policy::default(),
        Policy::ssmi(),
        Policy::default().must_answer(true).resend(false).fallback(None),
        Policy::default().can_abort(true).abort_on_user_slow(true).orphans(Orphans::Ignore),
        Policy::default().orphans(Orphans::Adopt),
    ];
    for (seed, policy) in (3..).zip(policies) {
        let explored = Explorer::new(seed).policy(policy).run(2_000, |policy| Bare::new(policy.clone()));
        explored.unwrap_or_else(|finding| panic!("{finding}"));
    }
}

#[test]
fn the_same_seed_finds_the_same() {
    let find = || explore(9, 10_000, |policy| Bare::with(policy.clone(), forgets_the_turn)).unwrap_err();
    let (one, other) = (find(), find());
    assert_eq!((one.schedule, &one.script), (other.schedule, &other.script));
}

/// A machine with a bug.
type Bug = for<'a> fn(Option<&Record>, &Event<'a>, At, &'a Policy) -> Stepped<'a>;

fn right<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let mut out = Actions::new();
    let next = step(record, event, at, policy, &mut out);
    (out.into_iter().collect(), next)
}

/// Shows a reply within whatever session the phone is in now.
fn shows_stale_replies<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match (event, record) {
        (Event::Reply { to, verb, text, .. }, Some(record)) => {
            let event = Event::Reply { to: *to, token: record.token(), verb: *verb, text: *text };
            right(Some(record), &event, at, policy)
        }
        _ => right(record, event, at, policy),
    }
}

/// Calls the application again for an answer that comes twice while it works.
fn calls_twice<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (mut actions, next) = right(record, event, at, policy);
    if let Event::Answer { text, .. } = event {
        for action in &mut actions {
            if let Action::Coalesced { token } = *action {
                *action = Action::Call(Callback::Existing { token, text: *text });
            }
        }
    }
    (actions, next)
}

/// Tells nobody that the user hung up.
fn swallows_the_end<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (mut actions, next) = right(record, event, at, policy);
    actions.retain(|action| !matches!(action, Action::Call(Callback::Ended { why: EndWhy::User, .. })));
    (actions, next)
}

/// Opens a new session beside the old one when the phone dials again.
fn leaves_the_old_one_open<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match event {
        Event::Begin { .. } => right(None, event, at, policy),
        _ => right(record, event, at, policy),
    }
}

/// Never notices that a user is silent.
fn waits_for_ever<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match (event, record.map(Record::state)) {
        (Event::Tick, Some(State::UserTurn)) => (Vec::new(), Next::Keep),
        _ => right(record, event, at, policy),
    }
}

/// Is five seconds ahead when time passes.
fn is_hasty<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let ahead = At { now: Millis(at.now.0 + 5_000), ..at };
    right(record, event, if matches!(event, Event::Tick | Event::LinkDown) { ahead } else { at }, policy)
}

/// Tells the application of the end that it made itself.
fn tells_of_its_own_end<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (mut actions, next) = right(record, event, at, policy);
    let end = actions.iter().position(|action| {
        matches!(action, Action::Closed(summary) if summary.reason == CloseReason::AppEnd && summary.turns > 0)
    });
    if let (Some(end), Some(record)) = (end, record) {
        let call = Callback::Ended { token: record.token(), why: EndWhy::User, text: None };
        actions.insert(end, Action::Call(call));
    }
    (actions, next)
}

/// Takes a code that comes twice for two sessions.
fn dials_twice<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match event {
        Event::Begin { from, dialled, phase, dedup: Some(_), .. } => {
            let (net, dedup) = (NetId::new(&at.fresh.to_bits().to_be_bytes()).unwrap(), None::<DedupKey>);
            right(record, &Event::Begin { from: *from, dialled, net, phase: *phase, dedup }, at, policy)
        }
        _ => right(record, event, at, policy),
    }
}

/// Lets a reply that it does not take vanish.
fn swallows_refusals<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (mut actions, next) = right(record, event, at, policy);
    actions.retain(|action| !matches!(action, Action::Reject { .. }));
    (actions, next)
}

/// Believes an end of the dialogue before.
fn ends_the_wrong_one<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match event {
        Event::UserEnd { from, text, .. } => {
            right(record, &Event::UserEnd { from: *from, net: NetId::NONE, text: *text }, at, policy)
        }
        _ => right(record, event, at, policy),
    }
}

/// Prompts a phone that cannot answer.
fn prompts_phase_one<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match event {
        Event::Begin { from, dialled, net, dedup, .. } => {
            let event = Event::Begin { from: *from, dialled, net: net.clone(), phase: Phase::Two, dedup: *dedup };
            right(record, &event, at, policy)
        }
        _ => right(record, event, at, policy),
    }
}

/// Does not make good that the user has answered.
fn forgets_the_turn<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (actions, next) = right(record, event, at, policy);
    match event {
        Event::Answer { .. } if record.is_some() => (actions, Next::Keep),
        _ => (actions, next),
    }
}

/// Sends what waited for the link, and then nothing of it.
fn loses_held_replies<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (mut actions, next) = right(record, event, at, policy);
    actions.retain(|action| !matches!(action, Action::Release { .. }));
    (actions, next)
}

/// Keeps tombstones for ever.
fn buries_nobody<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    match (event, record.map(Record::state)) {
        (Event::Tick, Some(State::Closed(_))) => (Vec::new(), Next::Keep),
        _ => right(record, event, at, policy),
    }
}

#[test]
fn each_bug_is_found_and_its_script_is_short() {
    let bugs: [(&str, Bug, usize, &str); 14] = [
        ("shows stale replies", shows_stale_replies, 2, "what is refused was said"),
        ("calls twice", calls_twice, 2, "one call for a turn"),
        ("swallows the end", swallows_the_end, 2, "told once of an end that it did not cause"),
        ("leaves the old one open", leaves_the_old_one_open, 2, "one session for a phone"),
        ("waits for ever", waits_for_ever, 3, "nothing overdue is left"),
        ("is hasty", is_hasty, 4, "nothing"),
        ("tells of its own end", tells_of_its_own_end, 2, "without a cause"),
        ("dials twice", dials_twice, 2, "what comes twice counts once"),
        ("swallows refusals", swallows_refusals, 1, "every other one refused"),
        ("ends the wrong one", ends_the_wrong_one, 3, "without a cause"),
        ("prompts phase one", prompts_phase_one, 2, "cannot answer it"),
        ("forgets the turn", forgets_the_turn, 4, "turn"),
        ("loses held replies", loses_held_replies, 4, "what waited for the link"),
        ("buries nobody", buries_nobody, 2, "nothing is left"),
    ];
    for (name, bug, longest, promise) in bugs {
        let explored = explore(7, 20_000, |policy| Bare::with(policy.clone(), bug));
        let finding = explored.err().unwrap_or_else(|| panic!("{name}: not found"));
        assert!(finding.script.len() <= longest, "{name}: {finding}");
        assert!(finding.problem.contains(promise), "{name}: {finding}");
    }
}

#[cfg(feature = "store")]
mod wrong_stores {
    use std::{
        collections::HashMap,
        sync::{Mutex, PoisonError},
    };

    use ussd_session::{
        LinkId, Millis, NetId,
        store::{Expect, Found, Key, MemoryStore, MemoryStoreError, Owner, Page, Store, Swapped, Write},
        testkit::explore,
    };

    use super::world::explored::Explored;

    /// A machine's way to the store, with a bug.
    struct Wrong {
        store: MemoryStore,
        bug: Bug,
        /// What this machine has seen.
        seen: Mutex<HashMap<Key, Found>>,
    }

    type Connect = fn(MemoryStore) -> Wrong;

    #[derive(Clone, Copy, Eq, PartialEq)]
    enum Bug {
        /// Takes what it saw before for what is kept, and writes over whatever is there.
        ComparesNothing,
        /// Does not list what is due.
        ListsNothing,
    }

    impl Wrong {
        fn new(store: MemoryStore, bug: Bug) -> Self {
            Self { store, bug, seen: Mutex::default() }
        }

        fn saw(&self, key: Key, found: Found) {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        }
    }

    impl Store for Wrong {
        type Error = MemoryStoreError;

        async fn load(&self, key: Key, net: &NetId) -> Result<Found, MemoryStoreError> {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            if let Some(seen) = seen.filter(|_| self.bug == Bug::ComparesNothing) {
                return Ok(seen);
            }
            let found = self.store.load(key, net).await?;
            self.saw(key, found.clone());
            Ok(found)
        }

        async fn swap(&self, key: Key, expect: Expect<'_>, write: Write<'_>) -> Result<Swapped, MemoryStoreError> {
            match (self.bug, write) {
                (Bug::ListsNothing, Write::Put { tag, octets, ttl, .. }) => {
                    self.store.swap(key, expect, Write::Put { tag, octets, ttl, open: None }).await
                }
                (Bug::ListsNothing, Write::Delete) => self.store.swap(key, expect, write).await,
                (Bug::ComparesNothing, _) => {
                    let expect = match self.store.load(key, &NetId::NONE).await? {
                        Found::Session { tag, .. } => Expect::Is(tag),
                        _ => Expect::Absent,
                    };
                    self.saw(
                        key,
                        match write {
                            Write::Put { tag, octets, .. } => Found::Session { tag, octets: octets.to_vec() },
                            Write::Delete => Found::Nothing,
                        },
                    );
                    self.store.swap(key, expect, write).await
                }
            }
        }

        async fn due(&self, until: Millis, max: usize) -> Result<Vec<Key>, MemoryStoreError> {
            self.store.due(until, max).await
        }

        async fn open(&self, link: LinkId, from: Option<u64>) -> Result<Page, MemoryStoreError> {
            self.store.open(link, from).await
        }

        async fn owner(&self, key: Key) -> Result<Option<Owner>, MemoryStoreError> {
            self.store.owner(key).await
        }
    }

    #[test]
    fn are_found_and_their_scripts_are_short() {
        let bugs: [(Connect, &str); 2] = [
            (|store| Wrong::new(store, Bug::ComparesNothing), "no frame but of the open session"),
            (|store| Wrong::new(store, Bug::ListsNothing), "nothing overdue is left"),
        ];
        for (bug, promise) in bugs {
            let explored = explore(7, 1_000, |policy| Explored::new(policy, bug));
            let finding = explored.err().unwrap_or_else(|| panic!("{promise}: not found"));
            assert!(finding.script.len() <= 2, "{finding}");
            assert!(finding.problem.contains(promise), "{finding}");
        }
    }
}
