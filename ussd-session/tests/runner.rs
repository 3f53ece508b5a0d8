//! The runner on a clock that stands still unless all wait.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::sleep};
use ussd_session::{
    Config, Dialled, Done, EndWhy, Event, LinkId, NetId, OwnedEffect, OwnedEvent, Phase, Policy, Replier, Runner,
    Session, Side, Text, Turn, UssdApp,
};
use world::{LINK, until};

/// An application that does what it is told by the phone.
#[derive(Default)]
struct Puppet {
    told: Arc<std::sync::Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// Counts the callbacks of one session.
#[derive(Default)]
struct Memory {
    calls: usize,
    inside: Arc<AtomicUsize>,
}

impl Puppet {
    fn tell(&self, line: String) {
        self.told.lock().unwrap().push(line);
    }
}

impl UssdApp for Puppet {
    type State = Memory;

    async fn new_session(&self, session: &mut Session<Memory>, turn: Turn, dialled: Dialled<'_>) -> Done {
        self.existing_session(session, turn, dialled.as_str()).await
    }

    async fn existing_session(&self, session: &mut Session<Memory>, turn: Turn, message: &str) -> Done {
        assert_eq!(session.state.inside.fetch_add(1, Ordering::SeqCst), 0, "callbacks of one session overlap");
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        session.state.calls += 1;
        let calls = session.state.calls;
        let done = match message {
            "panic" => panic!("as told"),
            "drop" => {
                drop(turn);
                std::future::pending().await
            }
            "slow" => {
                sleep(Duration::from_secs(12)).await;
                turn.cont("too late")
            }
            "answer then panic" => {
                turn.cont("fine");
                panic!("as told");
            }
            "answer then work" => {
                let done = turn.cont("fine");
                sleep(Duration::from_secs(2)).await;
                done
            }
            "later" => {
                let (replier, done) = turn.later();
                tokio::spawn(answer_later(replier));
                done
            }
            "redirect" => turn.redirect("*9#"),
            "0" => turn.end("bye"),
            _ => {
                sleep(Duration::from_millis(100)).await;
                turn.cont(format!("{message} {calls}"))
            }
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        session.state.inside.fetch_sub(1, Ordering::SeqCst);
        done
    }

    async fn timed_out_session(&self, session: &mut Session<Memory>, side: Side) {
        assert_eq!(session.state.inside.load(Ordering::SeqCst), 0);
        self.tell(format!("TO({side:?}) after {}", session.state.calls));
    }

    async fn end_session(&self, session: &mut Session<Memory>, why: EndWhy) {
        self.tell(format!("End({why:?}) after {}", session.state.calls));
    }
}

async fn answer_later(replier: Replier) {
    sleep(Duration::from_secs(3)).await;
    replier.cont("at last");
}

struct Stage {
    events: mpsc::Sender<(LinkId, OwnedEvent)>,
    effects: mpsc::Receiver<OwnedEffect>,
    told: Arc<std::sync::Mutex<Vec<String>>>,
    most: Arc<AtomicUsize>,
    runner: tokio::task::JoinHandle<ussd_session::Engine>,
}

impl Stage {
    fn new(policy: Policy) -> Self {
        Self::limited(policy, 100)
    }

    fn limited(policy: Policy, max_running: usize) -> Self {
        let (events, inbox) = mpsc::channel(64);
        let (outbox, effects) = mpsc::channel(1024);
        let app = Puppet::default();
        let (told, most) = (Arc::clone(&app.told), Arc::clone(&app.most));
        let runner = Runner::new(app, Config::default().policy(policy)).max_running(max_running);
        let runner = tokio::spawn(runner.run(inbox, outbox));
        Self { events, effects, told, most, runner }
    }

    async fn begin(&self, phone: &str, code: &str) {
        let begin = Event::Begin {
            from: phone.parse().unwrap(),
            dialled: code,
            net: NetId::NONE,
            phase: Phase::Two,
            dedup: None,
        };
        self.events.send((LINK, begin.into())).await.unwrap();
    }

    async fn answer(&self, phone: &str, text: &str) {
        let from = phone.parse().unwrap();
        let answer = Event::Answer { from, text: Text::public(text), net: NetId::NONE, dedup: None };
        self.events.send((LINK, answer.into())).await.unwrap();
    }

    /// Effects until the wanted one, callbacks left out.
    async fn until(&mut self, wanted: &str) -> Vec<String> {
        until(&mut self.effects, wanted).await
    }
}

#[tokio::test(start_paused = true)]
async fn callbacks_of_one_session_follow_one_another_and_sessions_run_in_parallel() {
    let mut stage = Stage::new(Policy::default());
    for n in 0..10 {
        stage.begin(&format!("2783000000{n}"), "hello").await;
    }
    for _ in 0..10 {
        stage.until("P(hello 1)").await;
    }
    assert_eq!(stage.most.load(Ordering::SeqCst), 10);
    stage.answer("27830000003", "answer then work").await;
    stage.until("P(fine)").await;
    stage.answer("27830000003", "next").await; // while the callback before still works
    assert_eq!(stage.until("P(next 3)").await, ["P(next 3)"]);
    stage.answer("27830000003", "0").await;
    assert_eq!(stage.until("Cl(AppEnd)").await, ["F(bye)", "Cl(AppEnd)"]);
}

#[tokio::test(start_paused = true)]
async fn n02_app_too_slow() {
    let mut stage = Stage::new(Policy::default());
    stage.begin("27830000000", "slow").await;
    assert_eq!(stage.until("Cl(AppSlow)").await, ["F(Sorry, try again)", "Cl(AppSlow)"]);
    assert!(stage.told.lock().unwrap().is_empty(), "the callback has not returned yet");
    stage.until("Rej(Closed(AppSlow))").await;
    stage.begin("27830000001", "hello").await;
    stage.until("P(hello 1)").await;
    assert_eq!(*stage.told.lock().unwrap(), ["TO(App) after 1"]);
}

#[tokio::test(start_paused = true)]
async fn n23_handler_fails() {
    let mut stage = Stage::new(Policy::default());
    for how in ["panic", "drop"] {
        let start = tokio_now();
        stage.begin("27830000000", how).await;
        assert_eq!(stage.until("Cl(HandlerFailed)").await, ["F(Sorry, try again)", "Cl(HandlerFailed)"], "{how}");
        assert!(start.elapsed() < Duration::from_millis(10), "at once, not after the application's timer");
    }
    stage.begin("27830000001", "answer then panic").await;
    assert_eq!(stage.until("Cl(Orphan)").await.last().unwrap(), "Cl(Orphan)");
    stage.begin("27830000002", "hello").await;
    assert_eq!(stage.until("P(hello 1)").await.last().unwrap(), "P(hello 1)", "others go on");
    assert!(stage.told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn later_answers_from_elsewhere_and_a_user_who_is_silent_times_out() {
    let mut stage = Stage::new(Policy::default());
    stage.begin("27830000000", "later").await;
    assert_eq!(stage.until("P(at last)").await, ["P(at last)"]);
    assert_eq!(stage.until("Cl(UserSlow)").await, ["Cl(UserSlow)"]);
    stage.begin("27830000000", "redirect").await; // the link cannot
    let expected = ["Rej(Unsupported)", "F(Sorry, try again)", "Cl(HandlerFailed)"];
    assert_eq!(stage.until("Cl(HandlerFailed)").await, expected);
    assert_eq!(*stage.told.lock().unwrap(), ["TO(User) after 1"]);
}

#[tokio::test(start_paused = true)]
async fn one_callback_too_many_fails_at_once() {
    let mut stage = Stage::limited(Policy::default(), 1);
    stage.begin("27830000000", "drop").await;
    stage.until("Cl(HandlerFailed)").await;
    stage.begin("27830000001", "hello").await;
    assert_eq!(stage.until("Cl(HandlerFailed)").await, ["F(Sorry, try again)", "Cl(HandlerFailed)"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_inbox_is_the_end() {
    let mut stage = Stage::new(Policy::default());
    stage.begin("27830000000", "hello").await;
    stage.until("P(hello 1)").await;
    stage.begin("27830000001", "drop").await; // its callback never returns
    stage.until("Cl(HandlerFailed)").await;
    drop(stage.events);
    let engine = stage.runner.await.unwrap();
    assert_eq!(engine.live(), 0);
    assert_eq!(*stage.told.lock().unwrap(), ["End(Shutdown) after 1"]);
}

#[expect(clippy::disallowed_methods, reason = "measures on the paused clock")]
fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
