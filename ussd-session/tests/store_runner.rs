//! An application on two machines over one store, on a clock that stands still unless all wait.
#![cfg(feature = "store")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle, time::sleep};
use ussd_session::{
    Config, Dialled, Done, EndWhy, Event, Fit, LinkId, NetId, Overflow, OwnedEffect, OwnedEvent, Phase, Policy, Resume,
    Session, Side, Text, Turn, UssdApp,
    store::{Driver, Fault, MemoryStore, StoreRunner},
};
use world::{LINK, describe, until};

/// An application that does what the phone says, and remembers what that was.
#[derive(Clone, Default)]
struct Puppet {
    told: Arc<Mutex<Vec<String>>>,
}

impl UssdApp for Puppet {
    type State = Vec<String>;

    async fn new_session(&self, session: &mut Session<Vec<String>>, turn: Turn, dialled: Dialled<'_>) -> Done {
        if let Some(resumed) = session.resumed() {
            self.tell(format!("offered {} after {}", resumed.text(), session.state.join(" ")));
            return turn.cont(resumed.screen());
        }
        self.existing_session(session, turn, dialled.as_str()).await
    }

    async fn existing_session(&self, session: &mut Session<Vec<String>>, turn: Turn, message: &str) -> Done {
        if let Some(resumed) = session.resumed() {
            self.tell(format!("goes on from {} after {}", resumed.text(), session.state.join(" ")));
        }
        session.state.push(message.to_owned());
        let heard = session.state.join(" ");
        match message {
            "panic" => {
                turn.cont("never shown");
                panic!("as told");
            }
            "drop" => {
                drop(turn);
                std::future::pending().await
            }
            "work" => {
                let done = turn.cont(heard);
                sleep(Duration::from_secs(2)).await;
                session.state.push("worked".to_owned());
                done
            }
            "slow" => {
                sleep(Duration::from_secs(12)).await;
                turn.cont("too late")
            }
            "later" => {
                let (replier, done) = turn.later();
                tokio::spawn(async {
                    sleep(Duration::from_secs(3)).await;
                    replier.cont("at last");
                });
                done
            }
            "long" => turn.cont(long()),
            "wide" => turn.cont("\u{1200}".repeat(81)),
            "redirect" => turn.redirect("*9#"),
            "0" => turn.end("bye"),
            _ => turn.cont(heard),
        }
    }

    async fn timed_out_session(&self, session: &mut Session<Vec<String>>, side: Side) {
        self.tell(format!("TO({side:?}) after {}", session.state.join(" ")));
    }

    async fn end_session(&self, session: &mut Session<Vec<String>>, why: EndWhy) {
        self.tell(format!("End({why:?}) after {}", session.state.join(" ")));
    }
}

impl Puppet {
    fn tell(&self, line: String) {
        self.told.lock().unwrap().push(line);
    }
}

/// Nine options of 38 characters: four on a page, and five on the last.
fn long() -> String {
    (1..=9).map(|n| format!("{n}. {}", "a".repeat(35))).collect::<Vec<_>>().join("\n")
}

/// One machine.
struct Machine {
    events: mpsc::Sender<(LinkId, OwnedEvent)>,
    effects: mpsc::Receiver<OwnedEffect>,
    runner: JoinHandle<()>,
    driver: Arc<Driver<MemoryStore>>,
}

impl Machine {
    fn new(node: u16, store: &MemoryStore, app: &Puppet, policy: Policy) -> Self {
        let (events, inbox) = mpsc::channel(64);
        let (outbox, effects) = mpsc::channel(1024);
        let config = Config::default().node(node).policy(policy);
        let driver = Arc::new(Driver::new(store.clone(), config));
        let runner = StoreRunner::new(app.clone(), Arc::clone(&driver)).max_in_hand(4);
        Self { events, effects, runner: tokio::spawn(runner.run(inbox, outbox)), driver }
    }

    async fn begin(&self, phone: &str, dialled: &str) {
        let (from, net) = (phone.parse().unwrap(), NetId::NONE);
        self.send(Event::Begin { from, dialled, net, phase: Phase::Two, dedup: None }).await;
    }

    async fn answer(&self, phone: &str, text: &str) {
        let (from, text, net) = (phone.parse().unwrap(), Text::public(text), NetId::NONE);
        self.send(Event::Answer { from, text, net, dedup: None }).await;
    }

    async fn send(&self, event: Event<'_>) {
        self.events.send((LINK, event.into())).await.unwrap();
    }

    async fn hangs_up(&mut self, phone: &str) {
        self.send(Event::UserEnd { from: phone.parse().unwrap(), net: NetId::NONE, text: None }).await;
        self.until("Cl(User)").await;
    }

    /// Effects until the wanted one, callbacks left out.
    async fn until(&mut self, wanted: &str) -> Vec<String> {
        until(&mut self.effects, wanted).await
    }
}

const PHONE: &str = "27830000000";

fn two() -> (MemoryStore, Puppet, [Machine; 2]) {
    two_under(&Policy::default())
}

fn two_under(policy: &Policy) -> (MemoryStore, Puppet, [Machine; 2]) {
    let (store, app) = (MemoryStore::new(), Puppet::default());
    let machines = [1, 2].map(|node| Machine::new(node, &store, &app, policy.clone()));
    (store, app, machines)
}

#[tokio::test(start_paused = true)]
async fn the_state_follows_the_session_from_machine_to_machine() {
    let (_store, app, [mut one, mut two]) = two();
    one.begin(PHONE, "a").await;
    assert_eq!(one.until("P(a)").await, ["P(a)"]);
    two.answer(PHONE, "b").await;
    assert_eq!(two.until("P(a b)").await, ["P(a b)"]);
    one.answer(PHONE, "c").await;
    assert_eq!(one.until("P(a b c)").await, ["P(a b c)"]);
    two.send(Event::UserEnd { from: PHONE.parse().unwrap(), net: NetId::NONE, text: None }).await;
    assert_eq!(two.until("Cl(User)").await, ["Cl(User)"]);
    two.begin("27830000001", "0").await;
    assert_eq!(two.until("Cl(AppEnd)").await, ["F(bye)", "Cl(AppEnd)"]);
    assert_eq!(*app.told.lock().unwrap(), ["End(User) after a b c"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_goes_out_with_its_state() {
    let (store, _app, [mut one, mut two]) = two();
    one.begin(PHONE, "work").await;
    sleep(Duration::from_secs(1)).await;
    assert!(one.effects.try_recv().is_ok(), "the callback is announced");
    assert!(one.effects.try_recv().is_err(), "and the reply waits until it has returned");
    one.until("P(work)").await;
    two.answer(PHONE, "b").await;
    two.until("P(work worked b)").await;
    // A reply from elsewhere leaves the state as the callback left it.
    two.answer(PHONE, "later").await;
    two.until("P(at last)").await;
    one.answer(PHONE, "c").await;
    one.until("P(work worked b later c)").await;
    one.answer(PHONE, "redirect").await; // the link cannot
    let expected = ["Rej(Unsupported)", "F(Sorry, try again)", "Cl(HandlerFailed)"];
    assert_eq!(one.until("Cl(HandlerFailed)").await, expected);
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn n23_handler_fails() {
    let (_store, app, [mut one, _two]) = two();
    for how in ["panic", "drop"] {
        one.begin(PHONE, how).await;
        assert_eq!(one.until("Cl(HandlerFailed)").await, ["F(Sorry, try again)", "Cl(HandlerFailed)"], "{how}");
    }
    one.begin("27830000001", "a").await;
    one.until("P(a)").await;
    assert!(app.told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn n02_app_too_slow() {
    let (_store, app, [mut one, mut two]) = two();
    one.begin(PHONE, "slow").await;
    assert_eq!(one.until("Cl(AppSlow)").await, ["F(Sorry, try again)", "Cl(AppSlow)"]);
    assert!(app.told.lock().unwrap().is_empty(), "the callback has not returned yet");
    one.until("Rej(Closed(AppSlow))").await;
    one.begin("27830000001", "a").await;
    one.until("P(a)").await;
    assert_eq!(app.told.lock().unwrap().len(), 1);
    assert!(two.effects.try_recv().is_err(), "the machine that has the session does what is due");
}

#[tokio::test(start_paused = true)]
async fn n13_another_machine_ends_what_a_lost_one_left() {
    let (_store, app, [mut one, mut two]) = two();
    one.begin(PHONE, "a").await;
    one.until("P(a)").await;
    one.runner.abort();
    let start = now();
    assert_eq!(two.until("Cl(UserSlow)").await, ["Cl(UserSlow)"]);
    let waited = start.elapsed();
    assert!((Duration::from_secs(68)..Duration::from_secs(71)).contains(&waited), "{waited:?}");
    two.begin("27830000001", "b").await;
    two.until("P(b)").await;
    assert_eq!(*app.told.lock().unwrap(), ["TO(User) after a"], "with the state that it had");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_inbox_ends_no_session() {
    let (_store, app, [mut one, mut two]) = two();
    one.begin(PHONE, "work").await;
    drop(one.events);
    one.runner.await.unwrap();
    let mut shown = Vec::new();
    while let Ok(effect) = one.effects.try_recv() {
        shown.push(describe(&effect.as_effect(), &mut Vec::new()));
    }
    assert_eq!(shown, ["New", "P(work)"], "the callback under way came to its end");
    two.answer(PHONE, "b").await;
    two.until("P(work worked b)").await;
    assert!(app.told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn links_break_for_all_their_sessions() {
    let (_store, app, [mut one, _two]) = two();
    for phone in 0..20 {
        one.begin(&format!("278300000{phone:02}"), "a").await;
        one.until("P(a)").await;
    }
    one.send(Event::LinkDown).await;
    one.send(Event::LinkUp).await;
    one.send(Event::LinkDown).await;
    for _ in 0..20 {
        one.until("Cl(LinkLost)").await;
    }
    one.begin("27830000099", "b").await;
    one.until("P(b)").await;
    assert_eq!(*app.told.lock().unwrap(), vec!["End(LinkLost) after a"; 20]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_gone_leaves_nobody_waiting() {
    let (store, _app, [mut one, _two]) = two();
    one.begin(PHONE, "a").await;
    one.until("P(a)").await;
    store.faults(|_, _| Fault::Stuck);
    let start = now();
    one.answer(PHONE, "b").await;
    assert_eq!(one.until("F(Sorry, try again)").await, ["F(Sorry, try again)"]);
    assert!(start.elapsed() <= Duration::from_millis(1100), "{:?}", start.elapsed());
    store.faults(|_, _| Fault::None);
    one.begin(PHONE, "c").await;
    one.until("P(c)").await;
    assert!(one.driver.counters().failures > 0);
}

#[tokio::test(start_paused = true)]
async fn s15_any_machine_turns_the_page() {
    let (_store, app, [mut one, mut two]) = two_under(&Policy::default().fit(Fit::default()));
    let lines: Vec<String> = long().lines().map(str::to_owned).collect();
    let page = |range: std::ops::Range<usize>, keys: &str| format!("P({}{keys})", lines[range].join("\n"));
    let (first, second) = (page(0..4, "\n98.More"), page(4..8, "\n98.More\n0.Back"));
    one.begin(PHONE, "long").await;
    assert_eq!(one.until(&first).await.join(" "), first);
    two.answer(PHONE, "98").await;
    assert_eq!(two.until(&second).await.join(" "), second);
    two.runner.abort();
    one.answer(PHONE, "98").await;
    one.until(&page(8..9, "\n0.Back")).await;
    one.answer(PHONE, "0").await;
    one.until(&second).await;
    one.answer(PHONE, "b").await;
    one.until("P(long b)").await;
    assert!(app.told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn s16_a_text_that_may_not_be_cut_is_refused() {
    let (_store, _app, [mut one, _two]) = two_under(&Policy::default().fit(Fit::default().overflow(Overflow::Refuse)));
    one.begin(PHONE, "wide").await;
    let refused = ["Rej(Unfit(TooLong { limit: 80 }))", "F(Sorry, try again)", "Cl(HandlerFailed)"];
    assert_eq!(one.until("Cl(HandlerFailed)").await, refused);
}

#[tokio::test(start_paused = true)]
async fn s12_another_machine_goes_on() {
    for (resume, told) in [(Resume::Offer, "offered a b after a b"), (Resume::Continue, "goes on from a b after a b")] {
        let (_store, app, [mut one, mut two]) = two_under(&Policy::default().resume(resume));
        one.begin(PHONE, "a").await;
        one.until("P(a)").await;
        two.answer(PHONE, "b").await;
        two.until("P(a b)").await;
        one.hangs_up(PHONE).await;
        two.begin(PHONE, "a").await;
        two.until("P(a b)").await;
        one.answer(PHONE, "c").await;
        one.until("P(a b c)").await;
        two.answer(PHONE, "d").await;
        two.until("P(a b c d)").await;
        assert_eq!(*app.told.lock().unwrap(), ["End(User) after a b", told]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_too_late_is_seen_at_another_machine() {
    let (_store, app, [mut one, mut two]) = two_under(&Policy::default().resume(Resume::Continue));
    one.begin(PHONE, "a").await;
    one.until("P(a)").await;
    one.answer(PHONE, "slow").await;
    one.until("Cl(AppSlow)").await;
    // While the application works it is not asked again: a new session begins.
    two.begin("27830000001", "b").await;
    two.until("P(b)").await;
    one.until("Rej(Closed(AppSlow))").await;
    two.begin(PHONE, "a").await;
    two.until("P(too late)").await;
    one.answer(PHONE, "c").await;
    one.until("P(a slow c)").await;
    assert_eq!(*app.told.lock().unwrap(), ["TO(App) after a slow", "goes on from too late after a slow"]);
}

#[tokio::test(start_paused = true)]
async fn s13_what_waits_is_the_services_own() {
    let policy =
        Policy::default().resume(Resume::Continue).park(Duration::from_secs(600)).service("*1#").service("*2#");
    let (_store, app, [mut one, mut two]) = two_under(&policy);
    one.begin(PHONE, "*1#").await;
    one.until("P(*1#)").await;
    one.hangs_up(PHONE).await;
    two.begin(PHONE, "*2#").await;
    two.until("P(*2#)").await;
    two.answer(PHONE, "0").await;
    two.until("Cl(AppEnd)").await;
    two.begin(PHONE, "*1*5#").await;
    two.until("P(*1#)").await;
    one.hangs_up(PHONE).await;
    sleep(Duration::from_secs(600)).await;
    one.begin(PHONE, "*1#").await;
    one.until("P(*1#)").await;
    two.answer(PHONE, "x").await;
    two.until("P(*1# x)").await;
    assert_eq!(*app.told.lock().unwrap(), ["End(User) after *1#", "End(User) after *1#"], "it began anew");
}

#[expect(clippy::disallowed_methods, reason = "measures on the paused clock")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
