//! Sessions that broke off and wait for their phone to dial again.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::Duration,
};

use super::shown::Kept;
use crate::{
    fit::Fit,
    ids::{LinkId, SessionId, TurnToken},
    subscriber::Subscriber,
    time::Millis,
};

/// Link, phone and service.
pub(crate) type Key = (LinkId, Subscriber, Box<str>);

/// Sessions that wait to be resumed, one for each phone and service.
pub(super) struct Parking<P> {
    parked: HashMap<Key, Parked<P>>,
    keys: HashMap<SessionId, Key>,
    /// By the time of their coming; what was taken since is still in it.
    order: VecDeque<(Key, SessionId)>,
    max: usize,
}

/// A session that broke off.
#[derive(Clone, PartialEq)]
pub(crate) struct Parked<P> {
    pub(crate) token: TurnToken,
    pub(crate) screen: Kept,
    /// The user had answered the screen, and the application's reply never came.
    pub(crate) answered: bool,
    pub(crate) ended: Millis,
    pub(crate) until: Millis,
    /// What the host keeps of it; none as long as a callback has that.
    pub(crate) kept: Option<P>,
}

/// What is left of an earlier session.
#[derive(Clone)]
pub struct Resumed<P> {
    pub(crate) token: TurnToken,
    pub(crate) ago: Duration,
    pub(crate) text: Box<str>,
    pub(crate) expects_secret: bool,
    pub(crate) kept: P,
}

impl<P> Parking<P> {
    pub(super) fn new(max: usize) -> Self {
        Self { parked: HashMap::new(), keys: HashMap::new(), order: VecDeque::new(), max }
    }

    pub(super) fn len(&self) -> usize {
        self.parked.len()
    }

    pub(super) fn put(&mut self, at: Key, parked: Parked<P>) {
        let session = parked.token.session;
        if let Some(old) = self.parked.insert(at.clone(), parked) {
            self.keys.remove(&old.token.session);
        }
        self.keys.insert(session, at.clone());
        self.order.push_back((at, session));
        self.forget(session);
    }

    /// The session of this phone and service, if it can go on. It is gone from here either way.
    pub(super) fn take(&mut self, at: &Key, now: Millis) -> Option<Parked<P>> {
        let parked = self.parked.remove(at)?;
        self.keys.remove(&parked.token.session);
        parked.can_go_on(now).then_some(parked)
    }

    /// The session that [`Parking::take`] would find, had its host kept its part.
    pub(super) fn waits_for(&self, at: &Key, now: Millis) -> Option<SessionId> {
        let parked = self.parked.get(at)?;
        let waits = now < parked.until && !parked.answered && parked.kept.is_none();
        waits.then_some(parked.token.session)
    }

    /// A reply that came too late for its session; true if it is what the user is to see.
    pub(super) fn late(&mut self, token: TurnToken, reply: impl FnOnce() -> Kept) -> bool {
        let parked = self.keys.get(&token.session).and_then(|at| self.parked.get_mut(at));
        parked.is_some_and(|parked| parked.late(token, reply))
    }

    pub(super) fn keep(&mut self, session: SessionId, kept: P) {
        if let Some(parked) = self.keys.get(&session).and_then(|at| self.parked.get_mut(at)) {
            parked.kept = Some(kept);
        }
    }

    /// Drops the oldest: those over the limit, those that were taken, and those whose time is over now that `latest`
    /// came.
    fn forget(&mut self, latest: SessionId) {
        let now = self.keys.get(&latest).and_then(|at| self.parked.get(at)).map_or(Millis(0), |parked| parked.ended);
        while let Some((at, session)) = self.order.front() {
            let is_here = self.keys.get(session) == Some(at);
            let is_over = self.parked.get(at).is_none_or(|parked| parked.until <= now);
            if is_here && !is_over && self.parked.len() <= self.max {
                return;
            }
            if is_here {
                self.parked.remove(at);
                self.keys.remove(session);
            }
            self.order.pop_front();
        }
        if self.order.len() > 2 * self.max {
            let keys = &self.keys;
            self.order.retain(|(at, session)| keys.get(session) == Some(at));
        }
    }
}

impl<P> Parked<P> {
    pub(crate) fn new(token: TurnToken, screen: Kept, answered: bool, ended: Millis, until: Millis) -> Self {
        Self { token, screen, answered, ended, until, kept: None }
    }

    /// True if the session can be resumed.
    pub(crate) fn can_go_on(&self, now: Millis) -> bool {
        now < self.until && !self.answered && self.kept.is_some()
    }

    /// Takes the reply that never came, if this is it; true if it does.
    pub(crate) fn late(&mut self, token: TurnToken, reply: impl FnOnce() -> Kept) -> bool {
        if !self.answered || self.token != token {
            return false;
        }
        let reply = reply();
        if reply.secret || reply.text.len() > Fit::LONGEST {
            return false;
        }
        (self.screen, self.answered) = (reply, false);
        true
    }

    pub(super) fn resumed(self, now: Millis) -> Option<Resumed<P>> {
        let Kept { text, expects_secret, .. } = self.screen;
        let ago = now.since(self.ended);
        Some(Resumed { token: self.token, ago, text, expects_secret, kept: self.kept? })
    }
}

impl<P> Resumed<P> {
    /// The last turn of the earlier session.
    #[must_use]
    pub fn token(&self) -> TurnToken {
        self.token
    }

    /// How long ago it broke off.
    #[must_use]
    pub fn ago(&self) -> Duration {
        self.ago
    }

    /// Its last screen, as the application said it. Said again, it is shown at the page that the user had reached.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the answer to that screen is a secret.
    #[must_use]
    pub fn expects_secret(&self) -> bool {
        self.expects_secret
    }

    /// What the host kept, and the rest without it.
    #[must_use]
    pub fn split(self) -> (P, Resumed<()>) {
        let Self { token, ago, text, expects_secret, kept } = self;
        (kept, Resumed { token, ago, text, expects_secret, kept: () })
    }
}

impl<P> fmt::Debug for Resumed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed").field("token", &self.token).field("ago", &self.ago).finish_non_exhaustive()
    }
}
