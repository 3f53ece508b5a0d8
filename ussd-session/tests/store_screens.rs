//! Pages and resumed sessions over a store: any machine turns the page, and what is kept for it is bounded.
#![cfg(feature = "store")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod schedule;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use schedule::screens::{Op, ops, policies, run};
use ussd_session::{
    Action, Callback, Config, DedupKey, Effect, Event, Fit, Millis, NetId, OwnedEvent, Phase, Policy, Resume,
    Subscriber, Text, TurnToken, Verb,
    store::{Driver, MemoryStore},
};
use world::{
    Host, LINK, Screened, World,
    stored::{Stored, in_memory, key, lines, token},
};

const START: Millis = Millis(1_790_000_000_000);

type Machine = Driver<MemoryStore>;

fn machine(node: u16, store: &MemoryStore, policy: &Policy) -> Machine {
    Driver::new(store.clone(), Config::default().node(node).policy(policy.clone()))
}

fn machines(store: &MemoryStore, policy: &Policy) -> [Machine; 2] {
    [1, 2].map(|node| machine(node, store, policy))
}

fn subscriber() -> Subscriber {
    "27831234567".parse().unwrap()
}

fn begin(dialled: &str) -> Event<'_> {
    Event::Begin { from: subscriber(), dialled, net: NetId::NONE, phase: Phase::Two, dedup: None }
}

fn answer<'t>(text: &'t str, dedup: &str) -> Event<'t> {
    let dedup = Some(dedup).filter(|key| !key.is_empty()).map(|key| DedupKey::of(key.as_bytes()));
    Event::Answer { from: subscriber(), text: Text::public(text), net: NetId::NONE, dedup }
}

fn reply(token: TurnToken, text: Text<'_>) -> Event<'_> {
    Event::Reply { to: subscriber(), token, verb: Verb::Continue, text }
}

fn hangs_up() -> Event<'static> {
    Event::UserEnd { from: subscriber(), net: NetId::NONE, text: None }
}

fn after(seconds: u64) -> Millis {
    Millis(START.0 + 1000 * seconds)
}

/// Nine options of 38 characters: four on the first page.
fn long() -> String {
    (1..=9).map(|n| format!("{n}. {}", "a".repeat(35))).collect::<Vec<_>>().join("\n")
}

fn paged() -> Policy {
    Policy::default().fit(Fit::default())
}

fn holds(store: &MemoryStore, what: &str) -> bool {
    let octets = store.octets(key(subscriber())).unwrap_or_default();
    octets.windows(what.len()).any(|window| window == what.as_bytes())
}

#[tokio::test(start_paused = true)]
async fn another_machine_turns_the_page_of_one_that_was_lost() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &paged());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    one.handle(LINK, &reply(given, Text::public(&long())), START).await.unwrap();
    drop(one);
    let second = two.handle(LINK, &answer("98", "k"), START).await.unwrap();
    let seen = lines(&second);
    assert!(seen.len() == 1 && seen[0].starts_with("P(5. "), "{seen:?}");
    assert_eq!(two.counters().writes, 1, "one write takes the key and turns the page");
    // What this machine had to send is lost with it; the network says the key again, and another one knows the page.
    drop((second, two));
    let three = machine(3, &store, &paged());
    let again = three.handle(LINK, &answer("98", "k"), START).await.unwrap();
    assert_eq!(lines(&again), [format!("{}again", seen[0])]);
    assert!(lines(&three.handle(LINK, &answer("0", "l"), START).await.unwrap())[0].starts_with("P(1. "));
    assert_eq!(lines(&three.handle(LINK, &answer("7", "m"), START).await.unwrap()), ["Ex(7)"]);
}

#[test]
fn a_page_that_two_machines_are_asked_for_at_once_is_turned_once() {
    let mut host = in_memory(&paged());
    let mut given = None;
    host.handle(begin("*1#"), START, &mut |effect: Effect<'_>| match effect.action {
        Action::Call(Callback::New { token, .. }) => given = Some(token),
        other => panic!("{other:?}"),
    });
    host.handle(reply(given.unwrap(), Text::public(&long())), START, &mut |_: Effect<'_>| {});
    let tap: OwnedEvent = answer("98", "k").into();
    let [first, second] = host.at_once(&[tap.clone(), tap], START);
    let mut seen = [lines(&first), lines(&second)].concat();
    seen.sort();
    assert!(seen.len() == 2 && seen.iter().all(|line| line.starts_with("P(5. ")), "{seen:?}");
    assert!(seen[1].ends_with("again") != seen[0].ends_with("again"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_what_was_sent() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &paged());
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    let pin = format!("{}\nYour PIN?", long());
    one.handle(LINK, &reply(given, Text::public(&pin).expecting_secret()), START).await.unwrap();
    let mut shown = Vec::new();
    for (machine, typed) in [(&two, "98"), (&one, "98"), (&two, "0"), (&one, "0")] {
        let stepped = machine.handle(LINK, &answer(typed, typed), START).await.unwrap();
        let Action::Send(frame) = stepped.effects[0].as_effect().action else { panic!("{stepped:?}") };
        shown.push((frame.again, frame.text.expects_secret()));
    }
    let expected = [false, true, false, true].map(|again| (again, true));
    assert_eq!(shown, expected, "the answer to every page, and to every repeated one, is a secret");
    let asked = one.handle(LINK, &answer("4321", "k"), START).await.unwrap();
    let Action::Call(Callback::Existing { text, .. }) = asked.effects[0].as_effect().action else {
        panic!("{asked:?}")
    };
    assert!(text.is_secret());
}

#[test]
fn secrets_are_not_kept() {
    let policy = paged().resume(Resume::Continue);
    let mut world = World::new(in_memory(&policy));
    let store = world.host.machines[0].store().clone();
    let balance = format!("Balance {}", "5 ".repeat(90));
    let table = format!(
        "
        B(*120#); c({balance})@1{{hidden}} | New Rej(Unfit(TooLong {{ limit: 182 }}))  | AppTurn 1
        c(Balance 5)@1{{hidden}}    | P(Balance 5)                      | UserTurn 1"
    );
    world.play("secrets", &table);
    assert!(!holds(&store, "Balance"));
    world.play(
        "secrets",
        "
        X; B(*120#)                 | End(User) Cl(User) New#2          | AppTurn 1
        c(a)@1; A(1)                | P(a) Ex(1)                        | AppTurn 2
        X; c(Balance 5)@2{hidden}   | End(User)#2 Cl(User)#2 Rej(Closed(User)) | Closed
        B(*120#)                    | New#3                             | AppTurn 1
        ",
    );
    assert!(!holds(&store, "Balance"));
}

#[tokio::test(start_paused = true)]
async fn what_waits_outlives_its_tombstone_and_then_nothing_is_left() {
    let store = MemoryStore::new();
    store.set_time(START);
    let [one, two] = machines(&store, &paged().resume(Resume::Continue).park(Duration::from_secs(600)));
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    one.handle_and_keep(LINK, &reply(given, Text::public("a")), b"kept", START).await.unwrap();
    two.handle(LINK, &hangs_up(), START).await.unwrap();
    // The tombstone's time is over: what concerns no session is no session's, and costs no write.
    store.set_time(after(61));
    let writes = one.counters().writes;
    let stray = one.handle(LINK, &answer("1", ""), after(61)).await.unwrap();
    assert_eq!((lines(&stray).join(" "), one.counters().writes), ("F(expired) !OrphanAnswer".to_owned(), writes));
    store.set_time(Millis(after(660).0 - 1));
    assert_eq!(store.len(), 1);
    store.set_time(after(660));
    assert_eq!(store.len(), 0, "its time, and a minute");
    // Where nothing waits any more, nothing is kept for it.
    let given = token(&one.handle(LINK, &begin("*1#"), after(700)).await.unwrap());
    one.handle_and_keep(LINK, &reply(given, Text::public("a")), b"kept", after(700)).await.unwrap();
    two.handle(LINK, &hangs_up(), after(700)).await.unwrap();
    assert_eq!(lines(&one.handle(LINK, &hangs_up(), after(1300)).await.unwrap()), ["!OrphanClose"]);
    assert_eq!(store.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_without_a_tombstone_waits_too() {
    let store = MemoryStore::new();
    let policy = paged().resume(Resume::Continue).tombstone(Duration::ZERO);
    let [one, two] = machines(&store, &policy);
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    one.handle(LINK, &reply(given, Text::public("a")), START).await.unwrap();
    // It ends before the event, and is forgotten in the same step; once.
    let ended = two.handle(LINK, &hangs_up(), after(66)).await.unwrap();
    assert_eq!(lines(&ended), ["TO(User)", "Cl(UserSlow)", "!OrphanClose"]);
    assert_eq!(lines(&one.handle(LINK, &hangs_up(), after(66)).await.unwrap()), ["!OrphanClose"]);
    let keys = one.due_here(after(67), 9);
    assert_eq!(lines(&one.tick(keys[0], after(67)).await.unwrap()), [""; 0]);
    assert_eq!(lines(&one.handle(LINK, &begin("*1#"), after(66)).await.unwrap()), ["P(a)"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_application_kept_goes_on() {
    let store = MemoryStore::new();
    let [one, two] = machines(&store, &Policy::default().resume(Resume::Continue));
    let given = token(&one.handle(LINK, &begin("*1#"), START).await.unwrap());
    one.handle_and_keep(LINK, &reply(given, Text::public("a")), b"first", START).await.unwrap();
    let second = token(&two.handle(LINK, &answer("1", ""), START).await.unwrap());
    // It is too slow. What it says after the end, and keeps then, is what the next session goes on with.
    let keys = two.due_here(after(10), 9);
    assert_eq!(lines(&two.tick(keys[0], after(10)).await.unwrap()).last().unwrap(), "Cl(AppSlow)");
    let late = one.handle_and_keep(LINK, &reply(second, Text::public("paid")), b"second", after(11)).await.unwrap();
    assert_eq!(lines(&late), ["Rej(Closed(AppSlow))"]);
    let redial = two.handle(LINK, &begin("*1#"), after(20)).await.unwrap();
    assert_eq!((lines(&redial), redial.resumed.is_none()), (vec!["P(paid)".to_owned()], true));
    let goes_on = one.handle(LINK, &answer("2", ""), after(20)).await.unwrap();
    assert_eq!((lines(&goes_on), &goes_on.app[..]), (vec!["Ex(2)".to_owned()], &b"second"[..]));
    let (kept, resumed) = goes_on.resumed.clone().unwrap().split();
    assert_eq!((kept, resumed.text(), resumed.token()), (b"second".to_vec(), "paid", second));
    assert_eq!(resumed.ago(), Duration::from_secs(10));
    // It is told once.
    one.handle(LINK, &reply(token(&goes_on), Text::public("b")), after(20)).await.unwrap();
    assert!(two.handle(LINK, &answer("3", ""), after(20)).await.unwrap().resumed.is_none());
    // What it keeps after the session has broken off is kept with that, and not with another one.
    one.handle(LINK, &reply(TurnToken { turn: 3, ..token(&goes_on) }, Text::public("c")), after(20)).await.unwrap();
    one.handle(LINK, &hangs_up(), after(20)).await.unwrap();
    two.keep(key(subscriber()), token(&goes_on).session, b"third", after(20)).await.unwrap();
    two.keep(key(subscriber()), given.session, b"lost", after(20)).await.unwrap();
    assert_eq!(lines(&one.handle(LINK, &begin("*1#"), after(20)).await.unwrap()), ["P(c)"]);
    assert_eq!(one.handle(LINK, &answer("4", ""), after(20)).await.unwrap().app, b"third");
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_stays_with_its_session() {
    let store = MemoryStore::new();
    let impatient = machine(1, &store, &Policy::default().resume(Resume::Continue).app_timer(Duration::ZERO));
    let patient = machine(2, &store, &Policy::default().resume(Resume::Offer));
    for (code, kept) in [("*1#", &b"one"[..]), ("*2#", b"two")] {
        let given = token(&patient.handle(LINK, &begin(code), START).await.unwrap());
        patient.handle_and_keep(LINK, &reply(given, Text::public(code)), kept, START).await.unwrap();
        if code == "*1#" {
            patient.handle(LINK, &hangs_up(), START).await.unwrap();
        }
    }
    // The second is open; the first goes on in its place, and breaks off again in the same step.
    let redial = impatient.handle(LINK, &begin("*1#"), START).await.unwrap();
    assert_eq!(lines(&redial).last().unwrap(), "Rej(Closed(AppSlow))");
    for (code, kept) in [("*1#", &b"one"[..]), ("*2#", b"two")] {
        let offered = patient.handle(LINK, &begin(code), after(5)).await.unwrap().resumed.unwrap();
        assert_eq!(offered.text(), code);
        assert_eq!(offered.split().0, kept);
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded() {
    let resumed = async |parking: usize, services: usize| {
        let store = MemoryStore::new();
        let policy = Policy::default().resume(Resume::Continue);
        let machine = machine(1, &store, &policy).parking(parking);
        for service in 0..services {
            let given = token(&machine.handle(LINK, &begin(&format!("*{service}#")), START).await.unwrap());
            machine.handle_and_keep(LINK, &reply(given, Text::public("a")), &[7; 100], START).await.unwrap();
            machine.handle(LINK, &hangs_up(), START).await.unwrap();
        }
        let mut resumed = Vec::new();
        for service in 0..services {
            let seen = lines(&machine.handle(LINK, &begin(&format!("*{service}#")), START).await.unwrap());
            if seen == ["P(a)"] {
                resumed.push(service);
            }
            machine.handle(LINK, &hangs_up(), START).await.unwrap();
        }
        resumed
    };
    assert_eq!(resumed(0, 2).await, [0; 0]);
    assert_eq!(resumed(350, 3).await, [1, 2], "the oldest is forgotten");
    assert_eq!(resumed(16 * 1024, 17).await, Vec::from_iter(1..17));
    // What is kept after the end, and what is said too late, counts too.
    for (kept, said) in [(Some(300), 1), (None, 300)] {
        let store = MemoryStore::new();
        let machine = machine(1, &store, &Policy::default().resume(Resume::Continue)).parking(300);
        let first = token(&machine.handle(LINK, &begin("*1#"), START).await.unwrap());
        machine.handle(LINK, &reply(first, Text::public("a")), START).await.unwrap();
        let second = token(&machine.handle(LINK, &answer("1", ""), START).await.unwrap());
        machine.handle(LINK, &hangs_up(), START).await.unwrap();
        let said = "b".repeat(said);
        machine.handle(LINK, &reply(second, Text::public(&said)), START).await.unwrap();
        if let Some(kept) = kept {
            machine.keep(key(subscriber()), second.session, &vec![7; kept], START).await.unwrap();
        }
        assert_eq!(lines(&machine.handle(LINK, &begin("*1#"), after(5)).await.unwrap()), ["New"]);
    }
}

#[test]
fn a_text_that_is_too_long_to_be_kept_is_shown_all_the_same() {
    let policy = Policy::default().resume(Resume::Continue);
    let reply = |octets| format!("c({})@1", "a".repeat(octets));
    for (octets, resumed) in [(Fit::LONGEST, true), (Fit::LONGEST + 1, false)] {
        assert_eq!(seen(&mut World::new(Screened::new(policy.clone())), &reply(octets)), (octets, resumed));
    }
    for (octets, resumed) in [(16_000, true), (17_000, false), (Fit::LONGEST + 1, false)] {
        assert_eq!(seen(&mut World::new(in_memory(&policy)), &reply(octets)), (octets, resumed));
    }

    /// Octets that are shown, and whether they are shown again after a redial.
    fn seen<H: Host>(world: &mut World<H>, reply: &str) -> (usize, bool) {
        world.happens("B(*1#)");
        let shown = world.happens(reply).concat();
        world.happens("X");
        (shown.len() - "P()".len(), world.happens("B(*1#)").concat() == shown)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is shown, typed and dialled: two machines that take turns show what one process shows.
    #[test]
    fn screens_over_a_store_are_as_in_one_process(policy in policies(), ops in ops()) {
        let plain = run(&mut Screened::new(policy.clone()), &ops);
        let stored = run(&mut in_memory(&policy), &ops);
        prop_assert_eq!(stored, plain);
    }

    /// Nor does it matter if a machine is lost between any two things that happen.
    #[test]
    fn machines_remember_nothing_of_screens(policy in policies(), ops in ops()) {
        let plain = run(&mut Screened::new(policy.clone()), &ops);
        let mut forgetful = Forgetful { stored: in_memory(&policy), policy, nodes: 3 };
        prop_assert_eq!(run(&mut forgetful, &ops), plain);
    }
}

/// Machines that are lost after each event, with others in their places.
struct Forgetful {
    stored: Stored<MemoryStore>,
    policy: Policy,
    /// The number of the next machine: a machine that starts anew would give the same ids, on this clock.
    nodes: u16,
}

impl Host for Forgetful {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.stored.handle(event, now, out);
        let store = self.stored.machines[0].store().clone();
        let new = |node| machine(node, &store, &self.policy).takeover(Duration::ZERO);
        self.stored.machines = (self.nodes..self.nodes + 2).map(new).collect();
        self.nodes += 2;
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.stored.tick(now, out);
    }

    fn state(&self, phone: Subscriber) -> Option<(ussd_session::State, u16)> {
        self.stored.state(phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.stored.deadline(phone)
    }

    fn resumed(&mut self) -> Option<String> {
        self.stored.resumed()
    }
}

/// A property over operations that open nothing would hold for any code.
#[test]
fn operations_do_what_they_are_for() {
    let ops = [Op::Dial(0), Op::Reply(long(), Verb::Continue, false), Op::Type("98"), Op::HangUp, Op::Dial(0)];
    let seen = run(&mut Screened::new(paged().resume(Resume::Continue)), &ops);
    let seen: Vec<&str> = seen.iter().map(|(lines, _)| lines.get(..4).unwrap_or_default()).collect();
    assert_eq!(seen, ["New ", "P(1.", "P(5.", "End(", "P(5."]);
}
