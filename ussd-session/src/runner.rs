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

use crate::{
    action::{Action, Callback},
    app::{Session, Turn, UssdApp},
    clock::Clock,
    dialled::Dialled,
    engine::{Config, Effect, Engine, Polled},
    event::{Discard, Event},
    ids::{LinkId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
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
/// When the inbox is closed, open sessions end as by [`Engine::shutdown`], and the runner returns.
#[derive(Debug)]
pub struct Runner<A: UssdApp> {
    app: Arc<A>,
    engine: Engine,
    clock: Clock,
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
        Self { app: Arc::new(app), engine: Engine::new(config), clock: Clock::system(), max_running: 100_000 }
    }

    /// The most callbacks that run at once, those included that hang after their session is over. One more fails as
    /// if its handler had. Default 100,000.
    #[must_use]
    pub fn max_running(mut self, callbacks: usize) -> Self {
        self.max_running = callbacks;
        self
    }

    /// Runs until the inbox is closed; then the engine, with its counters.
    pub async fn run(self, inbox: mpsc::Receiver<(LinkId, OwnedEvent)>, outbox: mpsc::Sender<OwnedEffect>) -> Engine {
        let (replies, answers) = mpsc::unbounded_channel();
        let running = Running {
            engine: self.engine,
            clock: self.clock,
            outbox,
            effects: VecDeque::new(),
            calls: Calls::new(self.app, self.max_running, replies),
        };
        running.run(inbox, answers).await
    }
}

pub(crate) type Replies = mpsc::UnboundedSender<(LinkId, OwnedEvent)>;

struct Running<A: UssdApp> {
    engine: Engine,
    clock: Clock,
    outbox: mpsc::Sender<OwnedEffect>,
    /// What the engine said and is not done yet.
    effects: VecDeque<OwnedEffect>,
    calls: Calls<A>,
}

/// The callbacks of an application: those that run, and those that wait for them.
pub(crate) struct Calls<A: UssdApp> {
    app: Arc<A>,
    max_running: usize,
    replies: Replies,
    sessions: HashMap<SessionId, Served<A::State>>,
    tasks: JoinSet<Session<A::State>>,
    of_task: HashMap<Id, SessionId>,
}

/// A session that the application serves.
pub(crate) struct Served<S> {
    pub(crate) link: LinkId,
    pub(crate) subscriber: Subscriber,
    /// None while a callback has it.
    session: Option<Session<S>>,
    /// Callbacks that wait for the one that runs: an answer and an end at most.
    waiting: VecDeque<OwnedEffect>,
    over: bool,
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
                Some((link, event)) = answers.recv() => self.handle(link, &event.as_event()),
                Some(ended) = self.calls.ended() => self.calls.returned(ended),
                () = sleep => {
                    self.poll();
                }
                event = inbox.recv() => match event {
                    Some((link, event)) => self.handle(link, &event.as_event()),
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
            self.handle(link, &event.as_event());
        }
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.shutdown(now, |effect: Effect<'_>| effects.push_back(effect.into()));
        self.flush().await;
        while self.poll().more {
            self.flush().await;
        }
        self.flush().await;
        let last_calls = async {
            while let Some(ended) = self.calls.ended().await {
                self.calls.returned(ended);
                self.flush().await;
            }
        };
        if tokio::time::timeout(Runner::<A>::LAST_CALLS, last_calls).await.is_err() {
            tracing::warn!(callbacks = self.calls.running(), "callbacks still running at the end were cut off");
        }
    }

    fn handle(&mut self, link: LinkId, event: &Event<'_>) {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.handle(link, event.clone(), now, |effect: Effect<'_>| effects.push_back(effect.into()));
    }

    fn poll(&mut self) -> Polled {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.poll(now, Runner::<A>::BUDGET, |effect: Effect<'_>| effects.push_back(effect.into()))
    }

    /// Does what the engine said, in order.
    async fn flush(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            self.calls.serve(&effect, None);
            // Nobody may be watching, and then there is nobody to send to either.
            let _ = self.outbox.send(effect).await;
        }
    }
}

/// How a callback's task ended.
pub(crate) type Ended<S> = Result<(Id, Session<S>), JoinError>;

/// The session that came back; or what is left of one whose callback panicked.
pub(crate) type PutBack<S> = Result<SessionId, Option<(SessionId, Served<S>)>>;

impl<A: UssdApp> Calls<A> {
    pub(crate) fn new(app: Arc<A>, max_running: usize, replies: Replies) -> Self {
        let (sessions, of_task) = (HashMap::new(), HashMap::new());
        Self { app, max_running, replies, sessions, tasks: JoinSet::new(), of_task }
    }

    /// The next callback that comes back; none if none runs.
    pub(crate) async fn ended(&mut self) -> Option<Ended<A::State>> {
        self.tasks.join_next_with_id().await
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Starts callbacks, or lets them wait for the one that runs. If none does, the session's state becomes `state`,
    /// where one is given.
    pub(crate) fn serve(&mut self, effect: &OwnedEffect, state: Option<A::State>) {
        match effect.as_effect() {
            Effect { action: Action::Call(callback), link, subscriber, dialled } => {
                let id = callback.token().session;
                let served = self.sessions.entry(id).or_insert_with(|| Served {
                    link,
                    subscriber,
                    session: Some(Session::new(&callback, link, subscriber, dialled)),
                    waiting: VecDeque::new(),
                    over: false,
                });
                if let (Some(session), Some(state)) = (&mut served.session, state) {
                    session.state = state;
                }
                served.waiting.push_back(effect.clone());
                self.start(id);
            }
            Effect { action: Action::Closed(summary), .. } => {
                tracing::debug!(session = %summary.session, reason = %summary.reason, turns = summary.turns, "closed");
                if let Some(served) = self.sessions.get_mut(&summary.session) {
                    served.over = true;
                }
                self.start(summary.session);
            }
            Effect { action: Action::Reject { subject, why }, .. } => {
                tracing::debug!(?subject, %why, "rejected");
            }
            _ => {}
        }
    }

    /// Starts the next callback of a session, unless one runs; forgets a session that is over and has none left.
    pub(crate) fn start(&mut self, id: SessionId) {
        let Some(served) = self.sessions.get_mut(&id) else { return };
        let Some(session) = served.session.take() else { return };
        let Some(call) = served.waiting.pop_front() else {
            if served.over {
                self.sessions.remove(&id);
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
                self.sessions.remove(&id);
            }
            return;
        }
        let task = self.tasks.spawn(one_call(Arc::clone(&self.app), session, call, self.replies.clone()));
        self.of_task.insert(task.id(), id);
    }

    /// True while a callback of this session runs.
    #[cfg(feature = "store")]
    pub(crate) fn is_running(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|served| served.session.is_none())
    }

    /// The session, unless a callback has it.
    #[cfg(feature = "store")]
    pub(crate) fn session(&self, id: SessionId) -> Option<&Session<A::State>> {
        self.sessions.get(&id)?.session.as_ref()
    }

    /// Starts the next callback of a session; forgets the session if there is none.
    #[cfg(feature = "store")]
    pub(crate) fn start_or_forget(&mut self, id: SessionId) {
        self.start(id);
        if self.sessions.get(&id).is_some_and(|served| served.session.is_some() && served.waiting.is_empty()) {
            self.sessions.remove(&id);
        }
    }

    /// A callback has come back, or has panicked and taken the session's state with it.
    fn returned(&mut self, ended: Ended<A::State>) {
        match self.put_back(ended) {
            Ok(id) => self.start(id),
            Err(Some((id, served))) if !served.over => {
                // Its turn, dropped by the panic, has ended the session, unless it was answered before.
                let discard = Event::Discard { to: served.subscriber, session: id, why: Discard::Orphan };
                let _ = self.replies.send((served.link, OwnedEvent::from(discard)));
            }
            Err(_) => {}
        }
    }

    /// Takes a session back from its callback; after a panic it is gone, and here is what was left of it.
    pub(crate) fn put_back(&mut self, ended: Ended<A::State>) -> PutBack<A::State> {
        match ended {
            Ok((task, session)) => {
                let id = session.id();
                self.of_task.remove(&task);
                if let Some(served) = self.sessions.get_mut(&id) {
                    served.session = Some(session);
                }
                Ok(id)
            }
            Err(error) => {
                tracing::error!(%error, "a callback panicked");
                let id = self.of_task.remove(&error.id()).ok_or(None)?;
                Err(self.sessions.remove(&id).map(|served| (id, served)))
            }
        }
    }
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
