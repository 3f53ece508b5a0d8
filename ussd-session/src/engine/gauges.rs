//! How things stand, in numbers.

use std::time::Duration;

use crate::record::State;

/// How things stand: what is there now, where [`Counters`](crate::Counters) say what happened so far.
///
/// The sessions are counted as they change, so to ask costs next to nothing, however many there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Gauges {
    /// Sessions whose application is to reply ([`State::AppTurn`]).
    pub app_turn: usize,
    /// Sessions whose user is to answer ([`State::UserTurn`]).
    pub user_turn: usize,
    /// Questions that were pushed and that nobody has answered yet ([`State::Inviting`]).
    pub inviting: usize,
    /// Notices that were pushed and that no phone has shown yet ([`State::Notifying`]).
    pub notifying: usize,
    /// Tombstones ([`State::Closed`]).
    pub closed: usize,
    /// How long the earliest entry of the timer wheel has waited to be looked at; zero if none is overdue. An eighth of a
    /// second may be too much, since the wheel's ticks are that long. What grows here tells that the host polls too
    /// seldom, or with too small a budget.
    pub behind: Duration,
    /// Sessions still to be visited for a link that broke or came back, or for the end of the program.
    pub unvisited: usize,
}

impl Gauges {
    /// Open sessions, in whatever state.
    #[must_use]
    pub fn live(&self) -> usize {
        self.app_turn + self.user_turn + self.inviting + self.notifying
    }

    /// Both together; of what is behind, the worse.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            app_turn: self.app_turn + other.app_turn,
            user_turn: self.user_turn + other.user_turn,
            inviting: self.inviting + other.inviting,
            notifying: self.notifying + other.notifying,
            closed: self.closed + other.closed,
            behind: self.behind.max(other.behind),
            unvisited: self.unvisited + other.unvisited,
        }
    }
}

/// Sessions by state.
#[derive(Debug, Default)]
pub(crate) struct Census {
    states: [usize; 6],
    live: usize,
}

impl Census {
    /// A session goes from one state to another; none is where sessions come from and go to.
    #[inline]
    pub(crate) fn moves(&mut self, from: Option<State>, to: Option<State>) {
        if let Some(left) = self.states.get_mut(place(from)) {
            *left = left.wrapping_sub(1);
        }
        if let Some(joined) = self.states.get_mut(place(to)) {
            *joined = joined.wrapping_add(1);
        }
        let open = |state: Option<State>| usize::from(state.is_some_and(State::is_open));
        self.live = (self.live + open(to)).wrapping_sub(open(from));
    }

    /// Open sessions.
    #[inline]
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The counts, and nothing behind.
    pub(crate) fn gauges(&self) -> Gauges {
        let [app_turn, user_turn, inviting, notifying, closed, _] = self.states;
        Gauges { app_turn, user_turn, inviting, notifying, closed, ..Gauges::default() }
    }
}

/// Which count. The last one is not looked at: it spares a branch.
#[inline]
fn place(state: Option<State>) -> usize {
    match state {
        Some(State::AppTurn) => 0,
        Some(State::UserTurn) => 1,
        Some(State::Inviting) => 2,
        Some(State::Notifying) => 3,
        Some(State::Closed(_)) => 4,
        None => 5,
    }
}
