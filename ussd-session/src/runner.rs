//! Runs an application: the engine, the clock, and a task for each callback.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
};
use tracing::Instrument;

use crate::{
    action::{Action, Actions, Callback, CloseReason, Subject},
    app::{Session, Turn, UssdApp},
    clock::Clock,
    dialled::Dialled,
    engine::{Config, Effect, Engine, Polled},
    event::{Discard, Event},
    ids::{LinkId, SessionId, TurnToken},
    observe::Observer,
    owned::{OwnedEffect, OwnedEvent},
    screens::{Passed, Resumed, Screens},
    subscriber::Subscriber,
};

/// Runs a [`UssdApp`] over an [`Engine`].
///
/// Events come from one channel, effects go to another: frames to be sent, and for who wants to watch, all else. It is
/// the same to the runner who stands at the other ends: a gateway's client with an adapter, a broker, a test.
///
/// Each callback is a task; those of one session follow one another. Both channels are bounded by who makes them; a
/// full outbox makes the runner wait. Callbacks that run at once are bounded by [`Runner::max_running`]; replies under
/// way are at most one for each turn.
///
/// Texts are made to fit, pages turned and sessions resumed as the links' policies say ([`Screens`]). A reply that fits
/// no screen is refused and ends the session with the fallback text, since the turn is gone with it.
///
/// It tells `tracing` what happens: a span `ussd.session` for each session, in which its callbacks run, and events
/// `begin`, `answer`, `prompt`, `final`, `coalesced`, `rejected` and `closed`. Texts are not told, nor numbers, but for a
/// hash ([`Runner::tell_numbers`]). With feature `metrics` it counts `ussd_sessions_opened_total`,
/// `ussd_sessions_closed_total` by reason, `ussd_turns_total`, `ussd_rejected_total`, `ussd_too_long_total`,
/// `ussd_fit_total` by alphabet, `ussd_coalesced_total` and `ussd_orphans_total`, keeps the gauge `ussd_sessions_open`, and the histograms
/// `ussd_app_response_seconds`, `ussd_user_think_seconds`, `ussd_session_duration_seconds` and `ussd_session_turns`.
///
/// When the inbox is closed, open sessions end as by [`Engine::shutdown`], and the runner returns.
#[derive(Debug)]
pub struct Runner<A: UssdApp> {
    app: Arc<A>,
    engine: Engine,
    config: Config,
    screens: Screens<A::State>,
    clock: Clock,
    observer: Observer,
    max_running: usize,
}

impl<A: UssdApp> Runner<A> {
    /// Expiries looked at between two other events.
    const BUDGET: usize = 1000;

    /// How long callbacks may take after the end.
    const LAST_CALLS: Duration = Duration::from_secs(5);

    /// A runner with an engine of its own. Within a tokio runtime.
    #[must_use]
    pub fn new(app: A, config: Config) -> Self {
        let (screens, engine) = (Screens::new(&config), Engine::new(config.clone()));
        Self {
            app: Arc::new(app),
            engine,
            config,
            screens,
            clock: Clock::system(),
            observer: Observer::new(),
            max_running: 100_000,
        }
    }

    /// The most sessions that wait to be resumed, with what the application kept of them; beyond, the oldest is
    /// forgotten. Default 100,000.
    #[must_use]
    pub fn max_parked(mut self, sessions: usize) -> Self {
        self.screens = self.screens.max_parked(sessions);
        self
    }

    /// The most callbacks that run at once, those included that hang after their session is over. One more fails as
    /// if its handler had. Default 100,000.
    #[must_use]
    pub fn max_running(mut self, callbacks: usize) -> Self {
        self.max_running = callbacks;
        self
    }

    /// Tells `tracing` the numbers of phones instead of their hashes. Default no.
    #[must_use]
    pub fn tell_numbers(mut self, yes: bool) -> Self {
        self.observer.numbers = yes;
        self
    }

    /// Runs until the inbox is closed; then the engine, with its counters.
    pub async fn run(self, inbox: mpsc::Receiver<(LinkId, OwnedEvent)>, outbox: mpsc::Sender<OwnedEffect>) -> Engine {
        let (replies, answers) = mpsc::unbounded_channel();
        let running = Running {
            app: self.app,
            engine: self.engine,
            config: self.config,
            screens: self.screens,
            deferred: HashMap::new(),
            clock: self.clock,
            observer: self.observer,
            max_running: self.max_running,
            outbox,
            replies,
            effects: VecDeque::new(),
            sessions: HashMap::new(),
            tasks: JoinSet::new(),
            of_task: HashMap::new(),
        };
        running.run(inbox, answers).await
    }
}

type Replies = mpsc::UnboundedSender<(LinkId, OwnedEvent)>;

struct Running<A: UssdApp> {
    app: Arc<A>,
    engine: Engine,
    config: Config,
    screens: Screens<A::State>,
    /// Calls for new sessions that wait for the last callback of the session that they may resume.
    deferred: HashMap<SessionId, OwnedEffect>,
    clock: Clock,
    observer: Observer,
    max_running: usize,
    outbox: mpsc::Sender<OwnedEffect>,
    replies: Replies,
    /// What the engine said and is not done yet.
    effects: VecDeque<OwnedEffect>,
    sessions: HashMap<SessionId, Served<A::State>>,
    tasks: JoinSet<Session<A::State>>,
    of_task: HashMap<Id, SessionId>,
}

/// A session that the application serves.
struct Served<S> {
    link: LinkId,
    subscriber: Subscriber,
    /// None while a callback has it.
    session: Option<Session<S>>,
    /// Callbacks that wait for the one that runs: an answer and an end at most.
    waiting: VecDeque<OwnedEffect>,
    closing: Option<CloseReason>,
    over: bool,
}

impl<S> Served<S> {
    fn new(session: Session<S>) -> Self {
        let (link, subscriber) = (session.link(), session.subscriber());
        Self { link, subscriber, session: Some(session), waiting: VecDeque::new(), closing: None, over: false }
    }
}

impl<A: UssdApp> Running<A> {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<(LinkId, OwnedEvent)>,
        mut answers: mpsc::UnboundedReceiver<(LinkId, OwnedEvent)>,
    ) -> Engine {
        loop {
            let deadline = self.engine.next_deadline();
            let sleep = async {
                match deadline {
                    Some(deadline) => self.clock.until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((link, event)) = answers.recv() => self.handle(link, event),
                Some(ended) = self.tasks.join_next_with_id() => self.returned(ended),
                () = sleep => {
                    self.poll();
                }
                event = inbox.recv() => match event {
                    Some((link, event)) => self.handle(link, event),
                    None => break,
                },
            }
            self.flush().await;
        }
        self.stop(&mut answers).await;
        self.engine
    }

    /// Ends all sessions and lets the last callbacks run.
    async fn stop(&mut self, answers: &mut mpsc::UnboundedReceiver<(LinkId, OwnedEvent)>) {
        while let Ok((link, event)) = answers.try_recv() {
            self.handle(link, event);
        }
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.shutdown(now, |effect: Effect<'_>| effects.push_back(effect.into()));
        self.flush().await;
        while self.poll().more {
            self.flush().await;
        }
        self.flush().await;
        let last_calls = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.returned(ended);
                self.flush().await;
            }
        };
        if tokio::time::timeout(Runner::<A>::LAST_CALLS, last_calls).await.is_err() {
            tracing::warn!(callbacks = self.tasks.len(), "callbacks still running at the end were cut off");
        }
    }

    fn handle(&mut self, link: LinkId, event: OwnedEvent) {
        let said = event.as_event();
        let record = match said {
            Event::Reply { to, .. } => self.engine.record(link, to),
            _ => None,
        };
        match self.screens.reply(link, &said, record.as_ref()) {
            Ok(None) => self.give(link, &event),
            Ok(Some(fitted)) => {
                #[cfg(feature = "metrics")]
                self.observer.fitted(link, self.screens.written());
                self.give(link, &fitted);
            }
            Err(why) => {
                let (subscriber, subject) = match said {
                    Event::Reply { to, token, .. } => (to, Subject::Turn(token)),
                    Event::Push { to, correlation, .. } => (to, Subject::Push(correlation)),
                    _ => return,
                };
                let action = Action::Reject { subject, why };
                self.effects.push_back(Effect { link, subscriber, dialled: "", action }.into());
                if let Subject::Turn(token) = subject {
                    self.give(link, &Event::HandlerFailed { to: subscriber, token }.into());
                }
            }
        }
    }

    /// Gives the engine an event.
    fn give(&mut self, link: LinkId, event: &OwnedEvent) {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.handle(link, event.as_event(), now, |effect: Effect<'_>| effects.push_back(effect.into()));
    }

    fn poll(&mut self) -> Polled {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.poll(now, Runner::<A>::BUDGET, |effect: Effect<'_>| effects.push_back(effect.into()))
    }

    /// Does what the engine said, in order.
    async fn flush(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            let now = self.clock.now();
            let at = effect.as_effect();
            let link = at.link;
            if let Some(before) = self.screens.waits_for(&at, now).filter(|before| self.sessions.contains_key(before)) {
                self.deferred.insert(before, effect);
                continue;
            }
            self.observer.effect(&self.config, &at, now);
            match self.screens.effect(effect, now) {
                Passed::On(effect) => self.serve(effect, None).await,
                Passed::Offered(effect, resumed) => self.serve(effect, Some(*resumed)).await,
                Passed::Answered(reply) => self.give(link, &reply),
                Passed::Continued(call, reply, resumed) => {
                    self.go_on(&call.as_effect(), *resumed);
                    self.give(link, &reply);
                }
                Passed::Nothing => {}
            }
        }
    }

    /// Starts callbacks, or lets them wait for the one that runs; then lets the effect out.
    async fn serve(&mut self, effect: OwnedEffect, resumed: Option<Resumed<A::State>>) {
        match effect.as_effect() {
            Effect { action: Action::Call(callback), link, subscriber, dialled } => {
                let id = callback.token().session;
                let reason = self.reason_of(id);
                let deferred = self.deferred.values().any(|call| is_call_of(call, id));
                if !deferred {
                    if !self.sessions.contains_key(&id) {
                        let (state, resumed) = resumed.map(Resumed::split).unzip();
                        let session = self.session(id, (link, subscriber), dialled, state.unwrap_or_default(), resumed);
                        self.sessions.insert(id, Served::new(session.first(&callback)));
                    }
                    if let Some(served) = self.sessions.get_mut(&id) {
                        served.closing = reason;
                        served.waiting.push_back(effect.clone());
                    }
                    self.start(id);
                }
            }
            Effect { action: Action::Closed(summary), .. } => {
                self.deferred.retain(|_, call| !is_call_of(call, summary.session));
                if let Some(served) = self.sessions.get_mut(&summary.session) {
                    served.over = true;
                }
                self.start(summary.session);
            }
            _ => {}
        }
        // Nobody may be watching, and then there is nobody to send to either.
        let _ = self.outbox.send(effect).await;
    }

    /// A session goes on with what the application kept of an earlier one, and without a call.
    fn go_on(&mut self, call: &Effect<'_>, resumed: Resumed<A::State>) {
        let Effect { action: Action::Call(callback), link, subscriber, dialled } = call else { return };
        let (state, resumed) = resumed.split();
        let id = callback.token().session;
        let session = self.session(id, (*link, *subscriber), dialled, state, Some(resumed));
        self.sessions.insert(id, Served::new(session));
    }

    fn session(
        &self,
        id: SessionId,
        (link, subscriber): (LinkId, Subscriber),
        dialled: &str,
        state: A::State,
        resumed: Option<Resumed<()>>,
    ) -> Session<A::State> {
        let service = self.config.policy_of(link).service_of(Dialled::new(dialled));
        Session::new(id, (link, subscriber), dialled, service, state, resumed)
    }

    /// How a session ends, if that is among what is to be done.
    fn reason_of(&self, id: SessionId) -> Option<CloseReason> {
        // It follows in the same step, if it does.
        self.effects.iter().take(Actions::MAX).find_map(|effect| match effect.as_effect().action {
            Action::Closed(summary) if summary.session == id => Some(summary.reason),
            _ => None,
        })
    }

    /// Starts the next callback of a session, unless one runs; forgets a session that is over and has none left.
    fn start(&mut self, id: SessionId) {
        let Some(served) = self.sessions.get_mut(&id) else { return };
        let Some(mut session) = served.session.take() else { return };
        let Some(call) = served.waiting.pop_front() else {
            if served.over {
                self.screens.park(id, session.state);
                self.forget(id);
            } else {
                served.session = Some(session);
            }
            return;
        };
        if self.tasks.len() >= self.max_running {
            tracing::warn!(session = %id, "too many callbacks are running");
            served.session = Some(session);
            if let Some(turn) = turn_of(&call, &self.replies) {
                drop(turn);
            }
            if served.over && served.waiting.is_empty() {
                self.forget(id);
            }
            return;
        }
        session.closed = served.closing;
        let span = self.observer.span(&self.config, &call.as_effect(), id);
        let call = one_call(Arc::clone(&self.app), session, call, self.replies.clone());
        let task = self.tasks.spawn(call.instrument(span));
        self.of_task.insert(task.id(), id);
    }

    /// Forgets a session that has no callback left; what waited for that goes on.
    fn forget(&mut self, id: SessionId) -> Option<Served<A::State>> {
        self.effects.extend(self.deferred.remove(&id));
        self.sessions.remove(&id)
    }

    /// A callback has come back, or has panicked and taken the session's state with it.
    fn returned(&mut self, ended: Result<(Id, Session<A::State>), JoinError>) {
        match ended {
            Ok((task, session)) => {
                let id = session.id();
                self.of_task.remove(&task);
                if let Some(served) = self.sessions.get_mut(&id) {
                    served.session = Some(session);
                }
                self.start(id);
            }
            Err(error) => {
                let Some(id) = self.of_task.remove(&error.id()) else { return };
                let Some(served) = self.forget(id) else { return };
                tracing::error!(%error, "a callback panicked");
                // Its turn, dropped by the panic, has ended the session, unless it was answered before.
                if !served.over {
                    let discard = Event::Discard { to: served.subscriber, session: id, why: Discard::Orphan };
                    let _ = self.replies.send((served.link, OwnedEvent::from(discard)));
                }
            }
        }
    }
}

/// True if the effect is a call for this session.
fn is_call_of(effect: &OwnedEffect, id: SessionId) -> bool {
    matches!(effect.as_effect().action, Action::Call(callback) if callback.token().session == id)
}

/// The turn that a callback gets, if it gets one.
fn turn_of(call: &OwnedEffect, replies: &Replies) -> Option<Turn> {
    let effect = call.as_effect();
    let token: TurnToken = match &effect.action {
        Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => *token,
        _ => return None,
    };
    Some(Turn::new(effect.link, effect.subscriber, token, replies.clone()))
}

/// One callback, from its start to its end.
async fn one_call<A: UssdApp>(
    app: Arc<A>,
    mut session: Session<A::State>,
    call: OwnedEffect,
    replies: Replies,
) -> Session<A::State> {
    let turn = turn_of(&call, &replies);
    match (call.as_effect().action, turn) {
        (Action::Call(Callback::New { dialled, .. }), Some(turn)) => {
            app.new_session(&mut session, turn, Dialled::new(dialled)).await;
        }
        (Action::Call(Callback::Existing { text, .. }), Some(turn)) => {
            app.existing_session(&mut session, turn, text.as_str()).await;
        }
        (Action::Call(Callback::TimedOut { side, .. }), _) => app.timed_out_session(&mut session, side).await,
        (Action::Call(Callback::Ended { why, .. }), _) => app.end_session(&mut session, why).await,
        _ => {}
    }
    session
}
