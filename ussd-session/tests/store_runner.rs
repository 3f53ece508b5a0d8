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
    Config, Dialled, Done, EndWhy, Event, LinkId, NetId, OwnedEffect, OwnedEvent, Phase, Policy, Session, Side, Text,
    Turn, UssdApp,
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
        self.existing_session(session, turn, dialled.as_str()).await
    }

    async fn existing_session(&self, session: &mut Session<Vec<String>>, turn: Turn, message: &str) -> Done {
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

/// One machine.
struct Machine {
    events: mpsc::Sender<(LinkId, OwnedEvent)>,
    effects: mpsc::Receiver<OwnedEffect>,
    runner: JoinHandle<()>,
    driver: Arc<Driver<MemoryStore>>,
}

impl Machine {
    fn new(node: u16, store: &MemoryStore, app: &Puppet) -> Self {
        let (events, inbox) = mpsc::channel(64);
        let (outbox, effects) = mpsc::channel(1024);
        let config = Config::default().node(node).policy(Policy::default());
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

    /// Effects until the wanted one, callbacks left out.
    async fn until(&mut self, wanted: &str) -> Vec<String> {
        until(&mut self.effects, wanted).await
    }
}

const PHONE: &str = "27830000000";

fn two() -> (MemoryStore, Puppet, [Machine; 2]) {
    let (store, app) = (MemoryStore::new(), Puppet::default());
    let machines = [1, 2].map(|node| Machine::new(node, &store, &app));
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

#[expect(clippy::disallowed_methods, reason = "measures on the paused clock")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
