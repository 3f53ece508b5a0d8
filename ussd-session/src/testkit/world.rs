//! An application, its phones, and a clock that stands still.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use tokio::{runtime::Runtime, sync::mpsc, task::JoinHandle};

use super::{
    gateway::{Gateway, Whose},
    host::LINK,
    line::{Line, matches},
};
use crate::{
    action::{Action, Callback, CloseReason},
    app::UssdApp,
    clock::Clock,
    engine::Config,
    event::Event,
    ids::{LinkId, SessionId},
    owned::{OwnedEffect, OwnedEvent},
    policy::Policy,
    runner::Runner,
    subscriber::Subscriber,
    time::Millis,
};

/// An application on a node, a gateway, and as many phones as are dialled with.
///
/// The application runs as it does in production, by a [`Runner`], on a clock that stands still but for what the test
/// lets pass; an application that sleeps by tokio's clock sleeps no real time. Each thing that is done takes a
/// millisecond. What a phone does is a [`Line`], done by [`World::play`], or in words by [`World::phone`].
///
/// ```
/// use std::time::Duration;
/// use ussd_session::{Dialled, Done, Policy, Session, Turn, UssdApp, testkit::World};
///
/// struct Echo;
/// impl UssdApp for Echo {
///     type State = ();
///     async fn new_session(&self, _: &mut Session<()>, turn: Turn, _: Dialled<'_>) -> Done {
///         turn.cont("Hello..")
///     }
///     async fn existing_session(&self, _: &mut Session<()>, turn: Turn, message: &str) -> Done {
///         turn.cont(message)
///     }
/// }
///
/// let mut world = World::new(Echo, Policy::default());
/// world.phone("+27831234567").dials("*120*663*79#").sees("Hello*").types("hi").sees("hi");
/// world.twice(); // the gateway passes the next message on twice
/// world.phone("+27831234567").types("one").sees("one").waits(Duration::from_secs(66)).closed("the user was too slow");
/// ```
pub struct World {
    runtime: Runtime,
    clock: Clock,
    /// Starts a node with the application.
    start: Box<dyn Fn(Inbox, Outbox) -> JoinHandle<()>>,
    node: Node,
    pub(super) gateway: Gateway,
    policy: Policy,
    hand: Option<Subscriber>,
    transcript: Vec<Line>,
    failures: usize,
    open: HashSet<SessionId>,
    watch: Vec<String>,
}

type Inbox = mpsc::Receiver<(LinkId, OwnedEvent)>;
type Outbox = mpsc::Sender<OwnedEffect>;

/// A process that serves sessions.
struct Node {
    events: mpsc::Sender<(LinkId, OwnedEvent)>,
    effects: mpsc::Receiver<OwnedEffect>,
    task: JoinHandle<()>,
}

/// What is not as expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The number of a phone is none.
    #[error("{0:?} is no phone number")]
    Number(String),
    /// No phone is in hand.
    #[error("no phone is in hand")]
    NoPhone,
    /// The phone waits for a screen, so nothing can be typed.
    #[error("the phone waits for a screen")]
    Waits,
    /// The screen is another.
    #[error("the screen shows\n{}\nexpected\n{expected}", seen.as_deref().unwrap_or("nothing yet"))]
    Screen {
        /// The pattern.
        expected: String,
        /// The screen; none if the phone still waits, or never showed one.
        seen: Option<String>,
    },
    /// The dialogue is over, or is not.
    #[error("the dialogue is {}", if *open { "still open" } else { "over" })]
    Open {
        /// True if it is still open.
        open: bool,
    },
    /// The session has ended another way.
    #[error("the session ended as {seen:?}, expected {expected:?}")]
    Closed {
        /// How it should have.
        expected: String,
        /// How it has, if it has.
        seen: Option<String>,
    },
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
}

impl World {
    /// An application under this policy.
    ///
    /// # Panics
    /// The system has no room for a tokio runtime.
    #[must_use]
    pub fn new<A: UssdApp>(app: A, policy: Policy) -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[expect(clippy::expect_used, reason = "a test cannot go on without")]
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let (app, config) = (Arc::new(app), Config::default().policy(policy.clone()));
        let start = move |inbox: Inbox, outbox: Outbox| {
            let runner = Runner::new(Arc::clone(&app), config.clone());
            tokio::spawn(async move {
                runner.run(inbox, outbox).await;
            })
        };
        let start: Box<dyn Fn(Inbox, Outbox) -> JoinHandle<()>> = Box::new(start);
        let (clock, node) = {
            let _inside = runtime.enter();
            (Clock::system(), Node::new(&start))
        };
        let gateway = Gateway::default();
        let (transcript, watch) = (Vec::new(), Vec::new());
        Self {
            runtime,
            clock,
            start,
            node,
            gateway,
            policy,
            hand: None,
            transcript,
            failures: 0,
            open: HashSet::new(),
            watch,
        }
    }

    /// A gateway that gives no ids for dialogues and no keys against doubles, as SSMI's.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.gateway.plain = true;
        self
    }

    /// How long the network waits for a user. Default: for ever, so that the policy's own timer ends the session.
    #[must_use]
    pub fn user_timer(mut self, span: Duration) -> Self {
        self.gateway.user_timer = Some(span);
        self
    }

    /// Takes a phone in hand.
    ///
    /// # Panics
    /// It is no phone number.
    #[track_caller]
    pub fn phone(&mut self, number: &str) -> Phone<'_> {
        let mut phone = Phone { world: self };
        phone.must(Line::Phone(number.to_owned()));
        phone
    }

    /// The gateway passes the next message of a phone on twice.
    pub fn twice(&mut self) {
        self.done(Line::Twice);
    }

    /// The next message of a phone takes that long.
    pub fn late(&mut self, span: Duration) {
        self.done(Line::Late(span));
    }

    /// The next screen never reaches its phone.
    pub fn lose(&mut self) {
        self.done(Line::Lose);
    }

    /// The gateway refuses the next screen.
    pub fn refuse(&mut self) {
        self.done(Line::Refuse);
    }

    /// The next screen takes that long.
    pub fn slow(&mut self, span: Duration) {
        self.done(Line::Slow(span));
    }

    /// The node dies and starts anew.
    pub fn crash(&mut self) {
        self.done(Line::Crash);
    }

    /// Time passes.
    pub fn wait(&mut self, span: Duration) {
        self.done(Line::Wait(span));
    }

    /// An event of the test's own, for example a push.
    pub fn event(&mut self, event: Event<'_>) {
        // A node that has stopped is noticed by what is expected next.
        let _ = self.tell(event.into());
        self.settle();
    }

    /// Screens that were sent to phones which had nothing open, or another dialogue.
    #[must_use]
    pub fn stray(&self) -> usize {
        self.gateway.stray
    }

    /// Sessions that ended because the application failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// How many sessions are open, as far as has been heard.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.open.len()
    }

    /// Lets so much time pass that every session ends.
    pub fn run_out(&mut self) {
        let policy = &self.policy;
        let longest = policy.total_timer.saturating_add(policy.grace).saturating_add(policy.tombstone);
        self.wait(Duration::from_millis(longest.into()));
    }

    /// What happened so far, as a transcript. Secrets are left out.
    #[must_use]
    pub fn transcript(&self) -> String {
        self.transcript.iter().map(|line| format!("{line}\n")).collect()
    }

    /// What the session layer did since the last call, in short lines, for who wants to watch.
    pub fn watch(&mut self) -> Vec<String> {
        std::mem::take(&mut self.watch)
    }

    /// Whose turn it is in the session of the phone in hand, or how its last one has ended.
    #[must_use]
    pub fn state(&self) -> String {
        let handset = self.hand.map(|phone| self.gateway.phone(phone)).unwrap_or_default();
        match (handset.turn, handset.closed) {
            (Some((Whose::Application, token)), _) => format!("the application's turn {}", token.turn),
            (Some((Whose::User, token)), _) => format!("the user's turn {}", token.turn),
            (None, Some(reason)) => reason.to_string(),
            (None, None) => "no session".to_owned(),
        }
    }

    /// What the phone in hand shows; none while it waits or shows nothing.
    #[must_use]
    pub fn screen(&mut self) -> Option<String> {
        let phone = self.hand?;
        self.wait_for_screen(phone);
        let handset = self.gateway.phone(phone);
        (!handset.waits && (handset.open || !handset.screen.is_empty())).then_some(handset.screen)
    }

    /// True if a dialogue is open on the phone in hand.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.hand.is_some_and(|phone| self.gateway.phone(phone).open)
    }

    /// Does, or checks, one line.
    ///
    /// # Errors
    /// It is not as the line says, or cannot be done now.
    pub fn play(&mut self, line: &Line) -> Result<(), Mismatch> {
        let now = self.now();
        let hand = self.hand.ok_or(Mismatch::NoPhone);
        match line {
            Line::Phone(number) => {
                self.hand = Some(number.parse().map_err(|_| Mismatch::Number(number.clone()))?);
            }
            Line::Type(text) => {
                let phone = hand?;
                self.wait_for_screen(phone);
                let handset = self.gateway.phone(phone);
                if handset.waits {
                    return Err(Mismatch::Waits);
                }
                let now = self.now();
                if handset.open {
                    self.gateway.answer(phone, text, now);
                } else {
                    self.gateway.dial(phone, text, now);
                }
                if handset.expects_secret && handset.open {
                    self.write(Line::Type("(secret)".to_owned()));
                    return self.pump();
                }
            }
            Line::Redial(code) => self.gateway.dial(hand?, code, now),
            Line::HangUp => self.gateway.hang_up(hand?, now),
            Line::NetTimeout => self.gateway.time_out(hand?, now),
            Line::See { text, last } => {
                let phone = hand?;
                self.wait_for_screen(phone);
                let handset = self.gateway.phone(phone);
                let seen = if handset.is_secret { "(secret)".to_owned() } else { handset.screen.clone() };
                if handset.waits || !matches(text, &handset.screen) {
                    let seen = (!handset.waits).then_some(seen);
                    return Err(Mismatch::Screen { expected: text.clone(), seen });
                }
                self.write(Line::See { text: seen, last: !handset.open });
                return if handset.open == *last { Err(Mismatch::Open { open: handset.open }) } else { Ok(()) };
            }
            Line::Closed(expected) => {
                let seen = self.gateway.phone(hand?).closed.map(|reason| reason.to_string());
                if seen.as_ref() != Some(expected) {
                    return Err(Mismatch::Closed { expected: expected.clone(), seen });
                }
            }
            Line::Wait(span) => self.pass(now.after(*span)),
            Line::Twice => self.gateway.faults.twice = true,
            Line::Late(span) => self.gateway.faults.late = Some(*span),
            Line::Lose => self.gateway.faults.lose = true,
            Line::Refuse => self.gateway.faults.refuse = true,
            Line::Slow(span) => self.gateway.faults.slow = Some(*span),
            Line::Down => self.tell(Event::LinkDown.into())?,
            Line::Up => self.tell(Event::LinkUp.into())?,
            Line::Crash => {
                self.node.task.abort();
                self.open.clear();
                let _inside = self.runtime.enter();
                self.node = Node::new(&self.start);
            }
        }
        self.write(line.clone());
        self.pump()
    }

    fn now(&self) -> Millis {
        // Outside of its runtime tokio's clock is the system's.
        let _inside = self.runtime.enter();
        self.clock.now()
    }

    /// A line that cannot fail but for a node that has stopped, which is noticed by what is expected next.
    fn done(&mut self, line: Line) {
        let _ = self.play(&line);
    }

    fn write(&mut self, line: Line) {
        self.transcript.push(line);
    }

    /// Lets the sessions have what the gateway says, until all is quiet.
    fn pump(&mut self) -> Result<(), Mismatch> {
        self.settle();
        loop {
            let said = self.gateway.said();
            if said.is_empty() {
                return Ok(());
            }
            for event in said {
                self.tell(event)?;
            }
            self.settle();
        }
    }

    fn tell(&mut self, event: OwnedEvent) -> Result<(), Mismatch> {
        let events = self.node.events.clone();
        self.runtime.block_on(async { events.send((LINK, event)).await }).map_err(|_| Mismatch::Stopped)
    }

    /// Runs all that can run without time passing, and one millisecond.
    fn settle(&mut self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        self.take_effects();
    }

    fn take_effects(&mut self) {
        while let Ok(effect) = self.node.effects.try_recv() {
            self.take(&effect);
        }
        let now = self.now();
        self.gateway.poll(now);
    }

    fn take(&mut self, effect: &OwnedEffect) {
        let effect = effect.as_effect();
        match &effect.action {
            Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. })
            | Action::Pushed { token, .. } => {
                self.open.insert(token.session);
            }
            Action::Closed(summary) => {
                self.open.remove(&summary.session);
                self.failures += usize::from(summary.reason == CloseReason::HandlerFailed);
            }
            _ => {}
        }
        self.watch.push(told(&effect.action));
        let now = self.now();
        self.gateway.effect(&effect, now);
    }

    /// Time passes, and whatever is due in it happens.
    fn pass(&mut self, until: Millis) {
        loop {
            let now = self.now();
            let next = self.gateway.next().filter(|next| *next < until).unwrap_or(until);
            if next > now {
                self.runtime.block_on(async { tokio::time::sleep(next.since(now)).await });
            }
            self.take_effects();
            for event in self.gateway.said() {
                // As above: a node that has stopped is noticed by what is expected next.
                let _ = self.tell(event);
            }
            if next >= until {
                return;
            }
        }
    }

    /// Lets the application work, as long as it may.
    fn wait_for_screen(&mut self, phone: Subscriber) {
        let patience = Duration::from_millis(u64::from(self.policy.app_timer) + 1_000);
        let end = self.now().after(patience);
        while self.gateway.phone(phone).waits && self.now() < end {
            let until = self.gateway.next().unwrap_or(end).min(end);
            let left = until.since(self.now());
            let effects = &mut self.node.effects;
            let effect = self.runtime.block_on(async { tokio::time::timeout(left, effects.recv()).await });
            match effect {
                Ok(Some(effect)) => self.take(&effect),
                Ok(None) => return,
                Err(_) => {}
            }
            self.take_effects();
            for event in self.gateway.said() {
                if self.tell(event).is_err() {
                    return;
                }
            }
        }
    }
}

impl Node {
    fn new(start: &dyn Fn(Inbox, Outbox) -> JoinHandle<()>) -> Self {
        let (events, inbox) = mpsc::channel(1024);
        let (outbox, effects) = mpsc::channel(1024);
        Self { events, effects, task: start(inbox, outbox) }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("hand", &self.hand).finish_non_exhaustive()
    }
}

/// A phone in hand. What it does and sees can be strung together; what is not as expected stops the test, and the
/// message holds the transcript so far.
#[derive(Debug)]
pub struct Phone<'w> {
    world: &'w mut World,
}

/// Words for a test.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) => $line:expr;)*) => { impl Phone<'_> { $(
        $(#[$doc])*
        ///
        /// # Panics
        /// It cannot be done, or is not so.
        #[track_caller]
        #[allow(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "strung together or not")]
        pub fn $name(mut self $(, $argument: $kind)*) -> Self {
            self.must($line);
            self
        }
    )* } };
}

words! {
    /// Dials a code. A dialogue that is open is left without a word to the network.
    dials(code: &str) => Line::Redial(code.to_owned());
    /// Types an answer to what is on the screen.
    types(text: &str) => Line::Type(text.to_owned());
    /// This is on the screen, and the dialogue is open; a `*` stands for anything.
    sees(text: &str) => Line::See { text: text.to_owned(), last: false };
    /// This is on the screen, and the dialogue is over.
    sees_last(text: &str) => Line::See { text: text.to_owned(), last: true };
    /// Lets time pass.
    waits(span: Duration) => Line::Wait(span);
    /// Hangs up.
    cancels() => Line::HangUp;
    /// The network stops waiting.
    times_out() => Line::NetTimeout;
    /// The last session has ended so ([`CloseReason`], as displayed).
    closed(reason: &str) => Line::Closed(reason.to_owned());
}

impl Phone<'_> {
    #[track_caller]
    #[expect(clippy::panic, reason = "it is what a test does")]
    fn must(&mut self, line: Line) {
        if let Err(mismatch) = self.world.play(&line) {
            panic!("{line}: {mismatch}\nso far:\n{}", self.world.transcript());
        }
    }
}

/// What the session layer did, in short. Texts are left out.
fn told(action: &Action<'_>) -> String {
    match action {
        Action::Send(frame) => format!("sends {:?}{}", frame.kind, if frame.again { " again" } else { "" }),
        Action::Call(Callback::New { token, .. }) => format!("calls new_session, turn {token}"),
        Action::Call(Callback::Existing { token, .. }) => format!("calls existing_session, turn {token}"),
        Action::Call(Callback::TimedOut { side, .. }) => format!("calls timed_out_session, {side:?}"),
        Action::Call(Callback::Ended { why, .. }) => format!("calls end_session, {why:?}"),
        Action::Closed(summary) => format!("closed: {}, {} turns", summary.reason, summary.turns),
        Action::Reject { why, .. } => format!("refuses: {why}"),
        Action::Coalesced { token } => format!("waits with turn {token}"),
        Action::Ignored(why) => format!("ignores: {why:?}"),
        other => format!("{other:?}"),
    }
}
