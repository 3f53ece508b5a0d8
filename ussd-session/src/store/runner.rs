//! Runs an application over a store.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
    time::MissedTickBehavior,
};

use super::{Driver, Error, Failed, Key, Page, Stepped, Store};
use crate::{
    action::{Action, Callback, CloseReason, Reject, Subject},
    app::{Session, UssdApp},
    calls::{Calls, Ended},
    clock::Clock,
    dialled::Dialled,
    engine::Effect,
    event::Event,
    ids::{LinkId, SessionId, TurnToken},
    observe::Observer,
    owned::{OwnedEffect, OwnedEvent},
    screens::Resumed,
};

/// Runs a [`UssdApp`] over a [`Driver`], on one of several machines.
///
/// It is to a store what [`Runner`](crate::Runner) is to the engine: the same callbacks, the same channels. What
/// differs follows from there being other machines:
///
/// * The application's state is kept with the session, as JSON, so that any machine can serve the next turn.
/// * A reply goes out when its callback has returned, in one write with the state. So no user sees a screen whose
///   state is lost; and a callback that panics after its reply ends the session with the fallback text.
/// * When the inbox is closed, sessions go on: other machines serve them. The runner lets its callbacks return and
///   ends.
/// * Callbacks of one session never overlap on one machine. If the user hangs up, and another machine is told while a
///   callback works here, that machine calls `end_session` at once.
/// * [`Session::adopted`](crate::Session::adopted) and [`Session::resumed`](crate::Session::resumed) are there in the
///   session's first callback only.
/// * Pages and sessions that wait to be resumed are kept beside the record, in the same writes, so that any machine turns
///   the page or goes on. A secret is not: one that is too long for a screen is refused rather than shown in pages
///   ([`FitError::TooLong`](crate::FitError)), and no secret screen is resumed. A phone that dials while the last
///   callback of its session works goes on with the state from before that callback.
///
/// With feature `metrics` it tells what a `Runner` does; the gauges by state are of the sessions that this machine
/// watches ([`Driver::gauges`]), without tombstones.
///
/// A store that is out of reach is logged; users who wait get the fallback text ([`Failed::effects`]).
#[derive(Debug)]
pub struct StoreRunner<A, S> {
    app: Arc<A>,
    driver: Arc<Driver<S>>,
    clock: Clock,
    observer: Observer,
    max_running: usize,
    max_in_hand: usize,
    sweep: Duration,
}

impl<A, S> StoreRunner<A, S>
where
    A: UssdApp,
    A::State: DeserializeOwned + Serialize,
    S: Store + 'static,
{
    /// Sessions that one sweep finds at most.
    const SWEPT: usize = 1000;

    /// How long callbacks and writes may take after the end.
    const LAST_CALLS: Duration = Duration::from_secs(5);

    /// A runner. Within a tokio runtime.
    #[must_use]
    pub fn new(app: A, driver: Arc<Driver<S>>) -> Self {
        let sweep = Duration::from_secs(1);
        let (app, clock, observer) = (Arc::new(app), Clock::system(), Observer::new());
        Self { app, driver, clock, observer, max_running: 100_000, max_in_hand: 1024, sweep }
    }

    /// As [`Runner::max_running`](crate::Runner::max_running). Default 100,000.
    #[must_use]
    pub fn max_running(mut self, callbacks: usize) -> Self {
        self.max_running = callbacks;
        self
    }

    /// The most events in hand: given to the store, or waiting for one before it of the same phone. Beyond, no event
    /// is taken from the inbox. Default 1,024.
    #[must_use]
    pub fn max_in_hand(mut self, events: usize) -> Self {
        self.max_in_hand = events.max(1);
        self
    }

    /// How often sessions are looked for that other machines have left behind. Default 1 s.
    #[must_use]
    pub fn sweep(mut self, every: Duration) -> Self {
        self.sweep = every.max(Duration::from_millis(1));
        self
    }

    /// As [`Runner::tell_numbers`](crate::Runner::tell_numbers), for what the runner tells: the driver and the store tell
    /// hashes all the same. Default no.
    #[must_use]
    pub fn tell_numbers(mut self, yes: bool) -> Self {
        self.observer.numbers = yes;
        self
    }

    /// Runs until the inbox is closed and what is in hand is done.
    pub async fn run(self, inbox: mpsc::Receiver<(LinkId, OwnedEvent)>, outbox: mpsc::Sender<OwnedEffect>) {
        let (replies, answers) = mpsc::unbounded_channel();
        let running = Running {
            calls: Calls::new(self.app, self.max_running, replies),
            driver: self.driver,
            clock: self.clock,
            observer: self.observer,
            max_in_hand: self.max_in_hand,
            outbox,
            answers,
            work: JoinSet::new(),
            key_of: HashMap::new(),
            lines: HashMap::new(),
            in_hand: 0,
            stashed: HashMap::new(),
            kept: HashMap::new(),
            listing: None,
        };
        running.run(inbox, self.sweep).await;
    }
}

/// One thing to do for one phone.
enum Job {
    Event {
        event: OwnedEvent,
        /// What the application keeps from now on.
        app: Option<Vec<u8>>,
    },
    Keep {
        session: SessionId,
        app: Vec<u8>,
    },
    Tick,
}

/// An event of a whole link, on its way through the link's sessions.
struct Listing {
    link: LinkId,
    event: OwnedEvent,
    from: Option<u64>,
    under_way: bool,
}

/// What the store was asked for.
enum Outcome<S: Store> {
    Stepped(Key, Result<Stepped, Failed<S::Error>>),
    Kept(Key, Result<(), Error<S::Error>>),
    Listed(Result<Page, Error<S::Error>>),
    Swept(Result<Vec<Key>, Error<S::Error>>),
}

/// What is known about an event to those who serve its callbacks.
struct Known {
    /// What the application kept of the session before it.
    app: Vec<u8>,
    resumed: Option<Resumed<Vec<u8>>>,
    /// The session that ends with it.
    closing: Option<(SessionId, CloseReason)>,
}

struct Running<A: UssdApp, S: Store> {
    calls: Calls<A>,
    driver: Arc<Driver<S>>,
    clock: Clock,
    observer: Observer,
    max_in_hand: usize,
    outbox: mpsc::Sender<OwnedEffect>,
    answers: mpsc::UnboundedReceiver<(LinkId, OwnedEvent)>,
    work: JoinSet<Outcome<S>>,
    /// Whose work a task does; none for lists.
    key_of: HashMap<Id, Option<Key>>,
    /// Phones with work under way, and what waits for it.
    lines: HashMap<Key, VecDeque<Job>>,
    /// Jobs under way and waiting.
    in_hand: usize,
    /// Replies of callbacks that still run.
    stashed: HashMap<SessionId, Vec<OwnedEvent>>,
    /// What the store keeps for the application, of sessions whose callbacks run.
    kept: HashMap<SessionId, Vec<u8>>,
    listing: Option<Listing>,
}

impl<A, S> Running<A, S>
where
    A: UssdApp,
    A::State: DeserializeOwned + Serialize,
    S: Store + 'static,
{
    async fn run(mut self, mut inbox: mpsc::Receiver<(LinkId, OwnedEvent)>, sweep: Duration) {
        let mut sweep = tokio::time::interval(sweep);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweeping = false;
        loop {
            let deadline = self.driver.next_deadline();
            let sleep = async {
                match deadline {
                    Some(deadline) => self.clock.until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let room = self.in_hand < self.max_in_hand;
            tokio::select! {
                biased;
                Some((link, event)) = self.answers.recv() => self.answered(link, event),
                Some(ended) = self.calls.ended() => self.returned(ended),
                Some(done) = self.work.join_next_with_id() => {
                    sweeping &= done.as_ref().is_ok_and(|(_, outcome)| !matches!(outcome, Outcome::Swept(_)));
                    self.done(done).await;
                }
                () = sleep, if room => self.tick(),
                _ = sweep.tick() => if room && !sweeping {
                    sweeping = true;
                    let (driver, now) = (Arc::clone(&self.driver), self.clock.now());
                    let due = async move { driver.due_anywhere(now, StoreRunner::<A, S>::SWEPT).await };
                    self.work(None, async { Outcome::Swept(due.await) });
                },
                event = inbox.recv(), if room && self.listing.is_none() => match event {
                    Some((link, event)) => self.happened(link, event),
                    None => break,
                },
            }
            self.list();
            #[cfg(feature = "metrics")]
            self.observer.gauges(self.driver.gauges());
        }
        if tokio::time::timeout(StoreRunner::<A, S>::LAST_CALLS, self.finish()).await.is_err() {
            tracing::warn!("callbacks or writes still under way at the end were cut off");
        }
    }

    /// Lets what is in hand come to its end.
    async fn finish(&mut self) {
        loop {
            self.list();
            tokio::select! {
                biased;
                Some((link, event)) = self.answers.recv() => self.answered(link, event),
                Some(ended) = self.calls.ended() => self.returned(ended),
                Some(done) = self.work.join_next_with_id() => self.done(done).await,
                else => return,
            }
            // The channel for replies never closes while this runs.
            if self.calls.running() == 0 && self.work.is_empty() && self.answers.is_empty() && self.listing.is_none() {
                return;
            }
        }
    }

    /// Something happened on the network.
    fn happened(&mut self, link: LinkId, event: OwnedEvent) {
        match event.as_event().subscriber() {
            Some(subscriber) => self.enqueue(Key { link, subscriber }, Job::Event { event, app: None }),
            None => self.listing = Some(Listing { link, event, from: None, under_way: false }),
        }
    }

    /// The application answered. While the callback runs, its answer waits for the state that goes with it; that it
    /// has none does not wait.
    fn answered(&mut self, link: LinkId, event: OwnedEvent) {
        let seen = event.as_event();
        let (Some(subscriber), Some(token)) = (seen.subscriber(), seen.answers()) else { return };
        let gave_up = matches!(seen, Event::HandlerFailed { .. }) && !self.stashed.contains_key(&token.session);
        if self.calls.is_running(token.session) && !gave_up {
            self.stashed.entry(token.session).or_default().push(event);
        } else {
            self.enqueue(Key { link, subscriber }, Job::Event { event, app: None });
        }
    }

    /// A callback has come back, with its state, or has panicked and taken the state with it.
    fn returned(&mut self, ended: Ended<A::State>) {
        // What it said before it came back is there by now.
        while let Ok((link, event)) = self.answers.try_recv() {
            self.answered(link, event);
        }
        let id = match self.calls.put_back(ended) {
            Ok(id) => id,
            Err(Some(lost)) => {
                let (id, served) = *lost;
                let key = Key { link: served.link, subscriber: served.subscriber };
                return self.failed(id, key);
            }
            Err(None) => return,
        };
        let Some(session) = self.calls.session(id) else { return };
        let key = Key { link: session.link(), subscriber: session.subscriber() };
        let kept = self.kept.remove(&id);
        let app = match serde_json::to_vec(&session.state) {
            Ok(app) => app,
            Err(error) => {
                tracing::error!(kind = ?error.classify(), "the application's state cannot be written down");
                self.failed(id, key);
                return self.start(id);
            }
        };
        let mut app = Some(app).filter(|app| kept.as_ref() != Some(app));
        let said = self.stashed.remove(&id).unwrap_or_default();
        if said.is_empty()
            && let Some(app) = app.take()
        {
            self.enqueue(key, Job::Keep { session: id, app });
        }
        for event in said {
            self.enqueue(key, Job::Event { event, app: app.take() });
        }
        self.start(id);
    }

    /// A callback has failed: what it said is void.
    fn failed(&mut self, id: SessionId, key: Key) {
        self.kept.remove(&id);
        for event in self.stashed.remove(&id).unwrap_or_default() {
            if let Some(token) = event.as_event().answers() {
                return self.fail(key, token);
            }
        }
    }

    fn tick(&mut self) {
        for key in self.driver.due_here(self.clock.now(), self.max_in_hand) {
            self.enqueue(key, Job::Tick);
        }
    }

    /// Asks for the next sessions of the link that an event concerns.
    fn list(&mut self) {
        let Some(listing) = self.listing.as_mut().filter(|listing| !listing.under_way) else { return };
        if self.in_hand >= self.max_in_hand {
            return;
        }
        listing.under_way = true;
        let (driver, link, from) = (Arc::clone(&self.driver), listing.link, listing.from);
        self.work(None, async move { Outcome::Listed(driver.open(link, from).await) });
    }

    fn enqueue(&mut self, key: Key, job: Job) {
        self.in_hand += 1;
        match self.lines.get_mut(&key) {
            Some(line) => line.push_back(job),
            None => {
                self.lines.insert(key, VecDeque::new());
                self.begin(key, job);
            }
        }
    }

    fn begin(&mut self, key: Key, job: Job) {
        let (driver, now) = (Arc::clone(&self.driver), self.clock.now());
        self.work(Some(key), async move {
            match job {
                Job::Event { event, app } => {
                    let stepped = driver.one(key, &event.as_event(), app.as_deref(), now).await;
                    Outcome::Stepped(key, stepped)
                }
                Job::Keep { session, app } => Outcome::Kept(key, driver.keep(key, session, &app, now).await),
                Job::Tick => Outcome::Stepped(key, driver.tick(key, now).await),
            }
        });
    }

    fn work(&mut self, key: Option<Key>, work: impl Future<Output = Outcome<S>> + Send + 'static) {
        let id = self.work.spawn(work).id();
        self.key_of.insert(id, key);
    }

    /// The store has answered.
    async fn done(&mut self, done: Result<(Id, Outcome<S>), JoinError>) {
        let key = match done {
            Ok((id, outcome)) => {
                self.key_of.remove(&id);
                match outcome {
                    Outcome::Stepped(key, stepped) => {
                        self.stepped(key, stepped).await;
                        Some(key)
                    }
                    Outcome::Kept(key, kept) => {
                        if let Err(error) = kept {
                            let (link, subscriber_hash) = (key.link.0, self.observer.name(key.subscriber));
                            tracing::error!(link, %subscriber_hash, %error, "the application's state was not kept");
                        }
                        Some(key)
                    }
                    Outcome::Listed(page) => return self.listed(page),
                    Outcome::Swept(due) => return self.swept(due),
                }
            }
            Err(error) => {
                tracing::error!(%error, "a store panicked");
                self.key_of.remove(&error.id()).flatten()
            }
        };
        let Some(key) = key else { return self.listing = None };
        self.in_hand -= 1;
        match self.lines.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(job) => self.begin(key, job),
            None => _ = self.lines.remove(&key),
        }
    }

    async fn stepped(&mut self, key: Key, stepped: Result<Stepped, Failed<S::Error>>) {
        let stepped = stepped.unwrap_or_else(|Failed { error, effects }| {
            let (link, subscriber_hash) = (key.link.0, self.observer.name(key.subscriber));
            tracing::error!(link, %subscriber_hash, %error, "an event could not be handled");
            Stepped { effects, ..Stepped::default() }
        });
        let now = self.clock.now();
        for effect in stepped.observed.as_ref().unwrap_or(&stepped.effects) {
            self.observer.effect(self.driver.config(), &effect.as_effect(), now);
        }
        #[cfg(feature = "metrics")]
        self.observer.fitted(key.link, stepped.alphabet);
        let Stepped { effects, app, resumed, .. } = stepped;
        let closing = effects.iter().find_map(|effect| match effect.as_effect().action {
            Action::Closed(summary) => Some((summary.session, summary.reason)),
            _ => None,
        });
        let mut known = Known { app, resumed, closing };
        for effect in effects {
            match effect.as_effect().action {
                Action::Call(callback) => self.serve(&effect, &callback, &mut known),
                // The turn is gone with the reply that fits no screen.
                Action::Reject { subject: Subject::Turn(token), why: Reject::Unfit(_) } => self.fail(key, token),
                _ => {}
            }
            // Nobody may be watching, and then there is nobody to send to either.
            let _ = self.outbox.send(effect).await;
        }
    }

    /// Starts a callback, or lets it wait for the one that runs.
    fn serve(&mut self, effect: &OwnedEffect, callback: &Callback<'_>, known: &mut Known) {
        let Effect { link, subscriber, dialled, .. } = effect.as_effect();
        let id = callback.token().session;
        if !self.calls.knows(id) {
            let is_new = matches!(callback, Callback::New { .. });
            let goes_on = matches!(callback, Callback::New { .. } | Callback::Existing { .. });
            let resumed = if goes_on { known.resumed.take() } else { None };
            let (app, resumed) = match resumed.map(Resumed::split) {
                Some((app, resumed)) => (app, Some(resumed)),
                None if is_new => (Vec::new(), None),
                None => (known.app.clone(), None),
            };
            let state = match &app[..] {
                [] => A::State::default(),
                app => match serde_json::from_slice(app) {
                    Ok(state) => state,
                    Err(error) => {
                        // Its message may quote the state.
                        let (kind, column) = (error.classify(), error.column());
                        tracing::error!(?kind, column, "the application's state cannot be read");
                        return self.fail(Key { link, subscriber }, callback.token());
                    }
                },
            };
            if !(is_new && app.is_empty()) {
                self.kept.insert(id, app);
            }
            let service = self.driver.config().policy_of(link).service_of(Dialled::new(dialled));
            let session = Session::new(id, (link, subscriber), dialled, service, state, resumed);
            self.calls.insert(session.first(callback));
        }
        let reason = known.closing.filter(|(session, _)| *session == id).map(|(_, reason)| reason);
        self.calls.wait(id, effect.clone(), reason);
        self.start(id);
    }

    /// The application has failed in this turn.
    fn fail(&mut self, key: Key, token: TurnToken) {
        let event = Event::HandlerFailed { to: key.subscriber, token }.into();
        self.enqueue(key, Job::Event { event, app: None });
    }

    /// Starts the next callback of a session; forgets the session if there is none.
    fn start(&mut self, id: SessionId) {
        let (observer, config) = (&self.observer, self.driver.config());
        self.calls.start(id, |call| observer.span(config, call, id));
        self.calls.forget_idle(id);
    }

    fn listed(&mut self, page: Result<Page, Error<S::Error>>) {
        let Some(listing) = self.listing.take() else { return };
        match page {
            Ok(page) => {
                for key in page.keys {
                    self.enqueue(key, Job::Event { event: listing.event.clone(), app: None });
                }
                if page.next.is_some() {
                    self.listing = Some(Listing { from: page.next, under_way: false, ..listing });
                }
            }
            // Its sessions end by their timers.
            Err(error) => tracing::error!(%error, "an event of a link did not reach its sessions"),
        }
    }

    fn swept(&mut self, due: Result<Vec<Key>, Error<S::Error>>) {
        match due {
            // What is in hand is looked at anyway.
            Ok(keys) => {
                for key in keys {
                    if !self.lines.contains_key(&key) {
                        self.enqueue(key, Job::Tick);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what other machines left behind could not be looked for"),
        }
    }
}
