//! Several machines over one store: what the store has to do, what happens when machines race or are lost, and that
//! sessions in a store behave as sessions in memory.
#![cfg(feature = "store")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod conformance;
mod schedule;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use conformance::Bench;
use proptest::prelude::*;
use schedule::{Kind, Op, Player, Seen, Step, phone, plan, run};
use tokio::task::yield_now;
use ussd_session::{
    Config, Engine, Event, FrameKind, Millis, NetId, Phase, Policy, Subscriber, Text, TurnToken, Verb,
    store::{
        Driver, Error, Expect, Failed, Fault, Foreign, Found, Key, MemoryStore, MemoryStoreError, Operation, Owner,
        Page, Problem, Stepped, Store, Swapped, Tag, Write,
    },
};
use world::{
    Bare, Host, LINK, describe,
    stored::{in_memory, key, lines, token, with_limits},
};

const START: Millis = Millis(1_790_000_000_000);

struct Memory(Arc<MemoryStore>);

impl Bench for Memory {
    type Store = MemoryStore;

    fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.0)
    }

    async fn expire(&self, key: Key) {
        self.0.expire(key);
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_in_memory_conforms() {
    let store = Arc::new(MemoryStore::new());
    conformance::all(&Memory(Arc::clone(&store))).await;
    // The same when every operation takes its time, so that they overlap.
    store.faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
    conformance::all(&Memory(store)).await;
}

type Machine = Driver<MemoryStore>;

fn machines(store: &MemoryStore, policy: &Policy) -> [Machine; 2] {
    [1, 2].map(|node| Driver::new(store.clone(), Config::default().node(node).policy(policy.clone())))
}

fn subscriber() -> Subscriber {
    "27831234567".parse().unwrap()
}

fn begin(dialled: &str) -> Event<'_> {
    Event::Begin { from: subscriber(), dialled, net: NetId::NONE, phase: Phase::Two, dedup: None }
}

fn answer(text: &str) -> Event<'_> {
    Event::Answer { from: subscriber(), text: Text::public(text), net: NetId::NONE, dedup: None }
}

fn hangs_up() -> Event<'static> {
    Event::UserEnd { from: subscriber(), net: NetId::NONE, text: None }
}

fn reply(token: TurnToken, text: &str) -> Event<'_> {
    Event::Reply { to: subscriber(), token, verb: Verb::Continue, text: Text::public(text) }
}

/// A session in turn 2 whose user is to answer.
async fn user_turn_2(machine: &Machine) -> TurnToken {
    let first = token(&machine.handle(LINK, &begin("*1#"), START).await.unwrap());
    machine.handle(LINK, &reply(first, "a"), START).await.unwrap();
    let second = token(&machine.handle(LINK, &answer("1"), START).await.unwrap());
    machine.handle(LINK, &reply(second, "b"), START).await.unwrap();
    second
}

/// Lets all loads and writes from now on take so long that those of two machines overlap.
fn overlap(store: &MemoryStore) {
    store.faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
}

#[tokio::test(start_paused = true)]
async fn n12_two_machines_one_event_each_at_once() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    user_turn_2(&one).await;
    overlap(&store);
    let (answered, hung_up) = (answer("1"), hangs_up());
    let (first, second) = tokio::join!(one.handle(LINK, &answered, START), two.handle(LINK, &hung_up, START));
    let seen = [lines(&first.unwrap()), lines(&second.unwrap())];
    // The answer first, then the end of the session; or the end, then an answer that came too late.
    let orders: [[&[&str]; 2]; 2] =
        [[&["Ex(1)"], &["End(User)", "Cl(User)"]], [&["F(expired)", "!LateAnswer"], &["End(User)", "Cl(User)"]]];
    assert!(orders.iter().any(|order| seen[0] == order[0] && seen[1] == order[1]), "{seen:?}");
    assert_eq!(one.counters().conflicts + two.counters().conflicts, 1);
}

/// Each machine counts the sessions that it watches, by the state in which it left them.
#[tokio::test(start_paused = true)]
async fn gauges_of_machines() {
    let (store, key) = (MemoryStore::new(), key(subscriber()));
    let [one, two] = machines(&store, &Policy::default());
    user_turn_2(&one).await;
    assert_eq!((one.gauges().user_turn, one.gauges().live(), two.gauges().live()), (1, 1, 0));
    two.handle(LINK, &answer("1"), START).await.unwrap();
    assert_eq!((one.gauges().user_turn, two.gauges().app_turn), (1, 1));
    two.handle(LINK, &hangs_up(), START).await.unwrap();
    assert_eq!((one.gauges().user_turn, two.gauges().live(), two.gauges().closed), (1, 0, 0));
    // The first machine learns of it when the user's 65 s are over there.
    let late = START.after(Duration::from_secs(72));
    assert_eq!(one.due_here(late, 0), []);
    assert_eq!(one.gauges().behind, Duration::from_secs(7));
    assert_eq!(one.due_here(late, 10), [key]);
    one.tick(key, late).await.unwrap();
    assert_eq!((one.gauges().live(), one.gauges().behind), (0, Duration::ZERO));
}

/// Many phones dial at once, at two machines: not one more gets in than there are places.
#[tokio::test(start_paused = true)]
async fn n33_places_at_two_machines() {
    let store = MemoryStore::new();
    let machines = [1, 2].map(|node| Driver::new(store.clone(), Config::default().node(node).max_live(3)));
    overlap(&store);
    let dial = |phone: usize| {
        let from = format!("2783{phone:07}").parse().unwrap();
        let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        let machine = &machines[phone % 2];
        async move { lines(&machine.handle(LINK, &begin, START).await.unwrap()).join(" ") }
    };
    let seen = tokio::join!(dial(0), dial(1), dial(2), dial(3), dial(4), dial(5), dial(6));
    let mut seen = Vec::from(<[String; 7]>::from(seen));
    seen.sort();
    assert_eq!(seen, [["F(busy) !Overload"; 4].as_slice(), &["New"; 3]].concat());
    assert_eq!(machines[0].counters().refused + machines[1].counters().refused, 4);
    assert_eq!(machines[0].gauges().live() + machines[1].gauges().live(), 3);
}

/// A session that another program has begun goes on, however many there are.
#[tokio::test(start_paused = true)]
async fn what_is_taken_over_needs_no_place() {
    let (store, net) = (MemoryStore::new(), NetId::NONE);
    store.put_foreign(key(subscriber()), &net, Foreign { dialled: "*1#".into(), opened: Some(START) });
    let machine = Driver::new(store, Config::default().max_live(0));
    assert_eq!(lines(&machine.handle(LINK, &answer("1"), START).await.unwrap()), ["Ex(1)"]);
    // A redial is none more.
    let redial = machine.handle(LINK, &begin("*1#"), START).await.unwrap();
    assert_eq!(lines(&redial), ["End(Replaced)", "Cl(Replaced)", "New"]);
    assert_eq!(lines(&machine.handle(LINK, &hangs_up(), START).await.unwrap()), ["End(User)", "Cl(User)"]);
    assert_eq!(lines(&machine.handle(LINK, &begin("*1#"), START).await.unwrap()), ["F(busy)", "!Overload"]);
}

#[tokio::test(start_paused = true)]
async fn n05_double_tap_at_two_machines() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    user_turn_2(&one).await;
    overlap(&store);
    let tap = answer("1");
    let (first, second) = tokio::join!(one.handle(LINK, &tap, START), two.handle(LINK, &tap, START));
    let mut seen = [lines(&first.unwrap()), lines(&second.unwrap())].concat();
    seen.sort();
    assert_eq!(seen, ["Coalesced", "Ex(1)"], "one payment");
    assert_eq!(one.counters().conflicts + two.counters().conflicts, 1);
}

#[tokio::test(start_paused = true)]
async fn n30_two_replies_at_two_machines() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    overlap(&store);
    let (a, b) = (reply(given, "a"), reply(given, "b"));
    let (first, second) = tokio::join!(one.handle(LINK, &a, START), two.handle(LINK, &b, START));
    let seen = [lines(&first.unwrap()), lines(&second.unwrap())].concat();
    let shown = seen.iter().filter(|line| line.starts_with("P(")).count();
    assert_eq!((shown, seen.contains(&"Rej(AlreadyReplied)".to_owned())), (1, true), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn n13_crash_between_write_and_sending() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    // The reply is written, and the machine is lost with what it had to send.
    drop(one.handle(LINK, &reply(given, "menu"), START).await.unwrap());
    drop(one);
    let again = two.handle(LINK, &reply(given, "menu"), START).await.unwrap();
    assert_eq!(lines(&again), ["Rej(AlreadyReplied)"]);
    let (early, due) = (Millis(START.0 + 67_999), Millis(START.0 + 68_000));
    assert_eq!(two.due_anywhere(early, 9).await.unwrap(), []);
    assert_eq!(two.due_here(due, 9), [], "it has not handled the session's last event");
    let keys = two.due_anywhere(due, 9).await.unwrap();
    assert_eq!(keys, [key(subscriber())]);
    assert_eq!(lines(&two.tick(keys[0], due).await.unwrap()), ["TO(User)", "Cl(UserSlow)"]);
    assert_eq!(two.due_anywhere(due, 9).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn n26_aba_in_the_store() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    let old = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    // Machine one loads A:1 and is slow to write; the key expires; machine two creates B:1.
    store.faults(|operation, _| match operation {
        Operation::Swap => Fault::Delayed(Duration::from_millis(50)),
        _ => Fault::None,
    });
    let late = reply(old, "menu");
    let work = one.handle(LINK, &late, START);
    let meanwhile = async {
        for _ in 0..10 {
            yield_now().await;
        }
        store.faults(|_, _| Fault::None);
        store.expire(key(subscriber()));
        two.handle(LINK, &begin("*2#"), START).await.unwrap()
    };
    let (late, new) = tokio::join!(work, meanwhile);
    assert_eq!(lines(&late.unwrap()), ["Rej(Stale)"]);
    assert_eq!(one.counters().conflicts, 1);
    let record = two.record(key(subscriber())).await.unwrap().unwrap();
    assert_eq!(record.token(), token(&new), "B is as it was");
}

#[tokio::test(start_paused = true)]
async fn n29_what_has_expired_does_not_come_back() {
    let store = MemoryStore::new();
    let [one, _] = machines(&store, &Policy::default());
    store.set_time(START);
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    assert_eq!(store.len(), 1);
    // The total time, the tombstone's, and a minute.
    store.set_time(Millis(START.0 + 304_999));
    assert_eq!(store.len(), 1);
    store.set_time(Millis(START.0 + 305_000));
    assert_eq!(store.len(), 0);
    let late = one.handle(LINK, &reply(given, "menu"), Millis(START.0 + 305_000)).await.unwrap();
    assert_eq!((lines(&late), store.len()), (vec!["Rej(Unknown)".to_owned()], 0));
    // It stays on the list of what is due until somebody looks.
    let now = Millis(START.0 + 400_000);
    let keys = one.due_anywhere(now, 9).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(one.tick(keys[0], now).await.unwrap().effects.is_empty());
    assert_eq!((one.due_anywhere(now, 9).await.unwrap().len(), store.len(), one.watched()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_out_of_reach_is_an_error_and_a_fallback() {
    let store = MemoryStore::new();
    let [one, _] = machines(&store, &Policy::default());
    let failed = |result: Result<Stepped, Failed<MemoryStoreError>>| -> (String, Vec<String>) {
        let Failed { error, effects, .. } = result.unwrap_err();
        (error.to_string(), effects.iter().map(|effect| describe(&effect.as_effect(), &mut Vec::new())).collect())
    };
    let (lost, silent) = (
        "the store of sessions failed: lost, as told".to_owned(),
        "the store of sessions did not answer within 1s".to_owned(),
    );
    let sorry = || "F(Sorry, try again)".to_owned();

    store.faults(|_, _| Fault::Lost);
    assert_eq!(failed(one.handle(LINK, &begin("*1#"), START).await), (lost.clone(), vec![sorry()]));
    store.faults(|_, _| Fault::Stuck);
    assert_eq!(failed(one.handle(LINK, &answer("1"), START).await), (silent.clone(), vec![sorry()]));
    assert_eq!(failed(one.handle(LINK, &hangs_up(), START).await), (silent.clone(), vec![]));
    assert!(matches!(one.due_anywhere(START, 1).await, Err(Error::Silent(_))));

    // The application's reply is refused, and its user told, once.
    store.faults(|_, _| Fault::None);
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    store.faults(|operation, _| if operation == Operation::Swap { Fault::AnswerLost } else { Fault::None });
    let refused = || "Rej(Unavailable)".to_owned();
    assert_eq!(failed(one.handle(LINK, &reply(given, "menu"), START).await), (lost, vec![sorry(), refused()]));
    store.faults(|_, _| Fault::Stuck);
    assert_eq!(failed(one.handle(LINK, &reply(given, "menu"), START).await), (silent, vec![refused()]));
    store.faults(|_, _| Fault::None);
    // It was written all the same: the session waits for an answer that does not come.
    let keys = one.due_here(Millis(START.0 + 200_000), 9);
    assert_eq!(keys.len(), 1);
    let ended = one.tick(keys[0], Millis(START.0 + 200_000)).await.unwrap();
    assert_eq!(lines(&ended), ["TO(User)", "Cl(UserSlow)"]);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_was_told_is_not_told_again() {
    let store = MemoryStore::new();
    let [one, _] = machines(&store, &Policy::default());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    store.faults(|_, _| Fault::Lost);
    let failed = one.handle(LINK, &reply(given, "menu"), START).await.unwrap_err();
    assert_eq!(failed.effects.len(), 2);
    // The timer cannot be served either, and comes again.
    let now = Millis(START.0 + 10_000);
    let keys = one.due_here(now, 9);
    assert!(one.tick(keys[0], now).await.unwrap_err().effects.is_empty());
    store.faults(|_, _| Fault::None);
    assert_eq!(one.due_here(now, 9), []);
    let now = Millis(now.0 + 1_000);
    assert_eq!(one.next_deadline(), Some(now));
    let keys = one.due_here(now, 9);
    assert_eq!(lines(&one.tick(keys[0], now).await.unwrap()), ["TO(App)", "Cl(AppSlow)"]);
}

/// A store in which somebody else is always faster.
struct Contended(MemoryStore);

impl Store for Contended {
    type Error = MemoryStoreError;

    async fn load(&self, key: Key, net: &NetId) -> Result<Found, MemoryStoreError> {
        self.0.load(key, net).await
    }

    async fn swap(&self, _: Key, _: Expect<'_>, _: Write<'_>) -> Result<Swapped, MemoryStoreError> {
        Ok(Swapped::Conflict)
    }

    async fn due(&self, until: Millis, max: usize) -> Result<Vec<Key>, MemoryStoreError> {
        self.0.due(until, max).await
    }

    async fn open(&self, link: ussd_session::LinkId, from: Option<u64>) -> Result<Page, MemoryStoreError> {
        self.0.open(link, from).await
    }

    async fn owner(&self, key: Key) -> Result<Option<Owner>, MemoryStoreError> {
        self.0.owner(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let machine = Driver::new(Contended(MemoryStore::new()), Config::default()).attempts(3);
    let failed = machine.handle(LINK, &begin("*1#"), START).await.unwrap_err();
    assert!(matches!(failed.error, Error::Contended(3)), "{failed:?}");
    assert_eq!((machine.counters().conflicts, machine.counters().writes, failed.effects.len()), (3, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_left_alone() {
    let store = MemoryStore::new();
    let [one, _] = machines(&store, &Policy::default());
    one.handle(LINK, &begin("*1#"), START).await.unwrap();
    let mut octets = store.octets(key(subscriber())).unwrap();
    let Found::Session { tag, .. } = store.load(key(subscriber()), &NetId::NONE).await.unwrap() else { panic!() };
    octets[0] = 3;
    let newer = Tag { version: 9, ..tag };
    let write = Write::Put { tag: newer, octets: &octets, ttl: Duration::from_secs(60), open: None };
    assert_eq!(store.swap(key(subscriber()), Expect::Is(tag), write).await.unwrap(), Swapped::Done);
    for event in [begin("*2#"), answer("1"), hangs_up()] {
        let failed = one.handle(LINK, &event, START).await.unwrap_err();
        let Error::Unreadable(unreadable) = failed.error else { panic!("{failed:?}") };
        assert_eq!((unreadable.offset, unreadable.problem), (0, Problem::Version(3)));
    }
    assert_eq!(store.octets(key(subscriber())).unwrap(), octets);
}

#[tokio::test(start_paused = true)]
async fn the_applications_octets_stay_with_their_session() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    one.handle_and_keep(LINK, &reply(given, "menu"), b"first", START).await.unwrap();
    let refused = two.handle_and_keep(LINK, &reply(given, "menu"), b"refused", START).await.unwrap();
    assert_eq!((lines(&refused), &refused.app[..]), (vec!["Rej(AlreadyReplied)".to_owned()], &b"first"[..]));
    two.keep(key(subscriber()), given.session, b"second", START).await.unwrap();
    assert_eq!(one.handle(LINK, &answer("1"), START).await.unwrap().app, b"second");
    // A redial: the old session's octets come with its end, and the new one has none.
    let redial = one.handle(LINK, &begin("*2#"), START).await.unwrap();
    assert_eq!((lines(&redial).join(" "), &redial.app[..]), ("End(Replaced) Cl(Replaced) New".into(), &b"second"[..]));
    one.keep(key(subscriber()), given.session, b"third", START).await.unwrap();
    assert_eq!(one.handle(LINK, &hangs_up(), START).await.unwrap().app, b"");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_not_kept() {
    let store = MemoryStore::new();
    let [one, _] = machines(&store, &Policy::default());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    let (to, verb) = (subscriber(), Verb::Continue);
    let ask = Event::Reply { to, token: given, verb, text: Text::public("PIN?").expecting_secret() };
    one.handle(LINK, &ask, START).await.unwrap();
    let second = token(&one.handle(LINK, &answer("4321"), START).await.unwrap());
    one.handle(LINK, &Event::LinkDown, START).await.unwrap();
    let balance = Event::Reply { to, token: second, verb, text: Text::secret("balance 4321") };
    one.handle(LINK, &balance, START).await.unwrap();
    let octets = store.octets(key(subscriber())).unwrap();
    assert!(octets.windows(4).any(|window| window == b"PIN?"), "the prompt is kept");
    assert!(!octets.windows(4).any(|window| window == b"4321"), "{octets:?}");
    let back = one.handle(LINK, &Event::LinkUp, START).await.unwrap();
    assert_eq!(lines(&back), ["F(Sorry, try again)", "Cl(HandlerFailed)"], "the user is told at once");
    // Nor is a secret prompt, or what waited in a session that a redial has replaced.
    let holds = |what: &[u8]| store.octets(key(subscriber())).unwrap().windows(what.len()).any(|octets| octets == what);
    let given = token(&one.handle(LINK, &begin("*2#"), START).await.unwrap());
    let shown = Event::Reply { to, token: given, verb, text: Text::secret("balance 4321") };
    assert_eq!(lines(&one.handle(LINK, &shown, START).await.unwrap()), ["P(balance 4321)"]);
    assert!(!holds(b"4321"));
    let next = token(&one.handle(LINK, &answer("1"), START).await.unwrap());
    one.handle(LINK, &Event::LinkDown, START).await.unwrap();
    one.handle(LINK, &reply(next, "waits"), START).await.unwrap();
    assert!(holds(b"waits"));
    one.handle(LINK, &begin("*3#"), START).await.unwrap();
    assert!(!holds(b"waits"));
}

/// What one phone saw, and its application.
fn of(trace: &[Step], phone: usize) -> Vec<Vec<String>> {
    let seen =
        |step: &Step| step.seen.iter().filter(|seen| seen.phone == phone).map(|seen| seen.line.clone()).collect();
    trace.iter().map(seen).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: two machines over a store do what the plain loop in one memory does.
    #[test]
    fn the_store_is_as_the_engine(plan in plan()) {
        let (stored, plain) = (run(&mut in_memory(&plan.policy), &plan.ops), run(&mut Bare::new(plan.policy.clone()), &plan.ops));
        for phone in 0..3 {
            prop_assert_eq!(of(&stored, phone), of(&plain, phone));
        }
    }

    /// The same with few places: the store counts the sessions of all machines as the engine counts its own.
    #[test]
    fn places_are_counted_as_by_the_engine(plan in plan(), places in 0..4_usize) {
        let config = Config::default().policy(plan.policy.clone()).max_live(places);
        let stored = run(&mut with_limits(&config), &plan.ops);
        let engine = run(&mut Engine::new(config), &plan.ops);
        for phone in 0..3 {
            prop_assert_eq!(of(&stored, phone), of(&engine, phone));
        }
    }

    /// CAS refinement: two events of one phone at two machines at once give what one order or the other gives.
    #[test]
    fn p23_races_are_orders(plan in plan(), first in 0..1000_usize, second in 0..1000_usize) {
        let of_phone: Vec<&Op> = plan.ops.iter().filter(|op| op.phone() == Some(0)).collect();
        prop_assume!(!of_phone.is_empty());
        let pair = [first, second].map(|at| of_phone[at % of_phone.len()].clone());
        let orders = [[0, 1], [1, 0]].map(|order| {
            let mut host = Bare::new(plan.policy.clone());
            let mut player = Player::new();
            for op in &plan.ops {
                player.one(&mut host, op);
            }
            let events = pair.clone().map(|op| player.event(&op));
            let mut seen = [Vec::new(), Vec::new()];
            for at in order {
                host.handle(events[at].as_event(), player.now, &mut |effect| seen[at].push(describe(&effect, &mut Vec::new())));
            }
            (seen, host.state(phone(0)))
        });
        let mut host = in_memory(&plan.policy);
        let mut player = Player::new();
        for op in &plan.ops {
            player.one(&mut host, op);
        }
        let events = pair.map(|op| player.event(&op));
        let raced = host.at_once(&events, player.now);
        let seen = raced.map(|stepped| lines(&stepped));
        let state = host.state(phone(0));
        prop_assert!(orders.contains(&(seen.clone(), state)), "{events:?}: {seen:?} {state:?}, not one of {orders:?}");
    }

    /// Crash refinement: what was written and never done, because a machine was lost, breaks no promise.
    #[test]
    fn p24_lost_machines_break_no_promise(plan in plan(), lost in prop::collection::vec(prop::bool::weighted(0.2), 80)) {
        let mut host = in_memory(&plan.policy);
        let mut player = Player::new();
        let mut seen: Vec<Seen> = Vec::new();
        for (op, lost) in plan.ops.iter().zip(&lost) {
            let step = player.one(&mut host, op);
            if !lost {
                seen.extend(step.seen);
            }
        }
        // In the end nothing is left, whoever is lost.
        for wait in [Op::LinkUp, Op::Wait(1_000_000), Op::Wait(1_000_000)] {
            seen.extend(player.one(&mut host, &wait).seen);
        }
        prop_assert!((0..3).all(|at| host.state(phone(at)).is_none()));
        let (mut turns, mut ended, mut answered) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        for seen in &seen {
            let Some(session) = seen.session else { continue };
            let token = (session, seen.turn);
            match seen.kind {
                Kind::New | Kind::Existing => prop_assert!(turns.insert(token), "called twice: {seen:?}"),
                Kind::Frame(FrameKind::Prompt | FrameKind::Final | FrameKind::Redirect, false) if seen.text == "reply" => {
                    prop_assert!(answered.insert(token), "answered twice: {seen:?}");
                }
                Kind::Closed(_) => prop_assert!(ended.insert(session, ()).is_none(), "ended twice: {seen:?}"),
                _ => {}
            }
            let talks = !matches!(seen.kind, Kind::Reject | Kind::Closed(_));
            prop_assert!(!(talks && ended.contains_key(&session)), "after its end: {seen:?}");
        }
    }
}
