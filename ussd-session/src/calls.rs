//! The callbacks of an application: a task for each, those of one session one after another.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
};
use tracing::{Instrument, Span};

use crate::{
    action::{Action, Callback, CloseReason},
    app::{Session, Turn, UssdApp},
    dialled::Dialled,
    engine::Effect,
    event::Event,
    ids::{LinkId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
    subscriber::Subscriber,
};

/// Where turns are answered.
pub(crate) type Replies = mpsc::UnboundedSender<(LinkId, OwnedEvent)>;

/// How a callback's task ended.
pub(crate) type Ended<S> = Result<(Id, Session<S>), JoinError>;

/// The session that came back; or what is left of one whose callback panicked.
pub(crate) type PutBack<S> = Result<SessionId, Option<Box<(SessionId, Served<S>)>>>;

/// Callbacks that run, and those that wait for them.
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
    pub(crate) session: Option<Session<S>>,
    /// Callbacks that wait for the one that runs: an answer and an end at most.
    waiting: VecDeque<OwnedEffect>,
    closing: Option<CloseReason>,
    pub(crate) over: bool,
}

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

    /// True if this session is served.
    pub(crate) fn knows(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// Serves a session from now on.
    pub(crate) fn insert(&mut self, session: Session<A::State>) {
        let (link, subscriber) = (session.link(), session.subscriber());
        let id = session.id();
        let (waiting, session) = (VecDeque::new(), Some(session));
        self.sessions.insert(id, Served { link, subscriber, session, waiting, closing: None, over: false });
    }

    /// Has a callback wait for its turn; `closing` is how the session ends with it.
    pub(crate) fn wait(&mut self, id: SessionId, call: OwnedEffect, closing: Option<CloseReason>) {
        if let Some(served) = self.sessions.get_mut(&id) {
            served.closing = closing;
            served.waiting.push_back(call);
        }
    }

    /// No more callbacks are to come for a session.
    pub(crate) fn is_over(&mut self, id: SessionId) {
        if let Some(served) = self.sessions.get_mut(&id) {
            served.over = true;
        }
    }

    /// Says something in the application's place.
    pub(crate) fn say(&self, link: LinkId, event: Event<'_>) {
        // Fails only if the runner is gone, and then nobody waits.
        let _ = self.replies.send((link, OwnedEvent::from(event)));
    }

    /// Starts the next callback of a session, unless one runs. A session that is over and has none left is forgotten,
    /// and handed back.
    pub(crate) fn start(&mut self, id: SessionId, span: impl FnOnce(&Effect<'_>) -> Span) -> Option<Served<A::State>> {
        let served = self.sessions.get_mut(&id)?;
        let mut session = served.session.take()?;
        let Some(call) = served.waiting.pop_front() else {
            served.session = Some(session);
            return if served.over { self.sessions.remove(&id) } else { None };
        };
        if self.tasks.len() >= self.max_running {
            tracing::warn!(session = %id, "too many callbacks are running");
            served.session = Some(session);
            if let Some(turn) = turn_of(&call, &self.replies) {
                drop(turn);
            }
            return if served.over && served.waiting.is_empty() { self.sessions.remove(&id) } else { None };
        }
        session.closed = served.closing;
        let span = span(&call.as_effect());
        let call = one_call(Arc::clone(&self.app), session, call, self.replies.clone());
        let task = self.tasks.spawn(call.instrument(span));
        self.of_task.insert(task.id(), id);
        None
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
                Err(self.sessions.remove(&id).map(|served| Box::new((id, served))))
            }
        }
    }
}

/// For runners that keep no session between its callbacks.
#[cfg(feature = "store")]
impl<A: UssdApp> Calls<A> {
    /// True while a callback of this session runs.
    pub(crate) fn is_running(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|served| served.session.is_none())
    }

    /// The session, unless a callback has it.
    pub(crate) fn session(&self, id: SessionId) -> Option<&Session<A::State>> {
        self.sessions.get(&id)?.session.as_ref()
    }

    /// Forgets a session that no callback has and none waits for.
    pub(crate) fn forget_idle(&mut self, id: SessionId) {
        if self.sessions.get(&id).is_some_and(|served| served.session.is_some() && served.waiting.is_empty()) {
            self.sessions.remove(&id);
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
