//! What one machine remembers of the sessions that it has handled last: when they are due.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use super::Key;
use crate::{
    engine::{Census, Gauges},
    ids::{NetId, TurnToken},
    record::{Record, State},
    time::Millis,
};

/// Deadlines of sessions whose last event was handled here. An entry goes when its deadline has come: if another
/// machine handles the session by then, it finds nothing to do.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_key: HashMap<Key, Watched>,
    by_deadline: BTreeSet<(Millis, Key)>,
    census: Census,
}

/// A session that is watched.
#[derive(Debug)]
struct Watched {
    deadline: Millis,
    /// None if it was never seen.
    state: Option<State>,
    /// The turn, and the network's id, while the user waits for the application.
    waits: Option<(TurnToken, NetId)>,
    /// The turn for which the fallback text went out without the store's knowledge.
    given_up: Option<TurnToken>,
}

impl Timers {
    /// Watches an open session.
    pub(super) fn watch(&mut self, key: Key, record: &Record) {
        let waits =
            (record.state() == State::AppTurn && !record.is_unlinked()).then(|| (record.token(), record.net().clone()));
        let given_up = self.take(key).and_then(|was| was.given_up);
        let (deadline, state) = (record.deadline(), Some(record.state()));
        self.insert(key, Watched { deadline, state, waits, given_up });
    }

    /// Watches it no longer.
    pub(super) fn forget(&mut self, key: Key) {
        self.take(key);
    }

    /// The next session that is due. It stays known, but is not due again.
    pub(super) fn due(&mut self, now: Millis) -> Option<Key> {
        let (deadline, key) = *self.by_deadline.first()?;
        if deadline > now {
            return None;
        }
        self.by_deadline.remove(&(deadline, key));
        Some(key)
    }

    /// Has a session looked at again that could not be.
    pub(super) fn put_back(&mut self, key: Key, deadline: Millis) {
        let was = self.take(key).unwrap_or(Watched { deadline, state: None, waits: None, given_up: None });
        self.insert(key, Watched { deadline, ..was });
    }

    /// Notes that the user was told that nothing comes in this turn; the network's id to tell it with. None if the
    /// user does not wait in this turn, or was told.
    pub(super) fn give_up(&mut self, key: Key, token: TurnToken) -> Option<NetId> {
        let watched = self.by_key.get_mut(&key)?;
        let (_, net) = watched.waits.take_if(|(waiting, _)| *waiting == token)?;
        watched.given_up = Some(token);
        Some(net)
    }

    /// The turn that was given up.
    pub(super) fn given_up(&self, key: Key) -> Option<TurnToken> {
        self.by_key.get(&key)?.given_up
    }

    pub(super) fn next(&self) -> Option<Millis> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// How things stand at `now`.
    pub(super) fn gauges(&self, now: Millis) -> Gauges {
        let behind = self.next().map_or(Duration::ZERO, |next| now.since(next));
        Gauges { behind, ..self.census.gauges() }
    }

    fn take(&mut self, key: Key) -> Option<Watched> {
        let was = self.by_key.remove(&key)?;
        self.by_deadline.remove(&(was.deadline, key));
        self.census.moves(was.state, None);
        Some(was)
    }

    fn insert(&mut self, key: Key, watched: Watched) {
        self.by_deadline.insert((watched.deadline, key));
        self.census.moves(None, watched.state);
        self.by_key.insert(key, watched);
    }
}
