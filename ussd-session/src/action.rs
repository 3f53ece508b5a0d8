//! What follows from an event: frames, callbacks, refusals, and what observers are told.

use std::{array, fmt, iter::Flatten, slice, time::Duration};

use crate::{
    event::{NetWhy, SendWhy, Verb},
    fit::FitError,
    ids::{NetId, SessionId, TurnToken},
    record::Record,
    text::Text,
};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action<'a> {
    /// Send a frame to the gateway.
    Send(Frame<'a>),
    /// Call the application.
    Call(Callback<'a>),
    /// Tell the application that its reply or push was refused.
    Reject {
        /// What was refused.
        subject: Subject,
        /// The reason.
        why: Reject,
    },
    /// A push went out as this session.
    Pushed {
        /// The session, turn 0.
        token: TurnToken,
        /// The caller's mark.
        correlation: u64,
    },
    /// The network sent something twice while the application works on it: the reply to this turn answers both. On a
    /// link of requests and responses, the second request waits on this turn.
    Coalesced {
        /// The turn under way.
        token: TurnToken,
    },
    /// A session ended: exactly once for each, after all else that is said about it.
    Closed(Summary),
    /// The event changed nothing; here is why.
    Ignored(Ignored),
    /// The link is down: keep this reply beside the record. The [`Engine`](crate::Engine) does, and does not pass
    /// the action on.
    Hold {
        /// The turn that it answers.
        token: TurnToken,
        /// What comes after it.
        verb: Verb,
        /// What to show.
        text: Text<'a>,
    },
    /// The link is back: hand in the kept reply again. Done by the [`Engine`](crate::Engine) likewise.
    Release {
        /// The turn that it answers.
        token: TurnToken,
    },
    /// Send the last prompt again. The [`Engine`](crate::Engine) turns this into a [`Frame`] marked `again`.
    Again {
        /// The turn of the prompt.
        token: TurnToken,
        /// The network's id to send it with.
        net: NetId,
    },
}

/// A message to the phone.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// What it does.
    pub kind: FrameKind,
    /// The network's id of the dialogue, to be echoed.
    pub net: NetId,
    /// The turn that it ends; none if it answers what belongs to no session.
    pub token: Option<TurnToken>,
    /// What to show; for a redirect the other code.
    pub text: Text<'a>,
    /// True if it repeats the last prompt.
    pub again: bool,
}

/// What a [`Frame`] does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FrameKind {
    /// Shows a text and waits for an answer.
    Prompt,
    /// Shows a text and ends.
    Final,
    /// Opens a session with a question (USSR).
    AskPush,
    /// Opens a session with a notice (USSN).
    TellPush,
    /// Ends without a text.
    Abort,
    /// Hands the phone to another code.
    Redirect,
}

/// A call of the application.
///
/// For one session: `New`, or a push instead of it; any number of `Existing`; then at most one of `TimedOut` and
/// `Ended`, and nothing after. Ends that the application caused make no call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Callback<'a> {
    /// A session began; it waits for the reply to this turn.
    New {
        /// The turn to answer.
        token: TurnToken,
        /// The code as dialled; empty if an answer without a session was adopted.
        dialled: &'a str,
        /// The adopted answer ([`Orphans::Adopt`](crate::Orphans::Adopt)).
        orphan: Option<Text<'a>>,
    },
    /// The user answered; the session waits for the reply to this turn.
    Existing {
        /// The turn to answer.
        token: TurnToken,
        /// What was typed.
        text: Text<'a>,
    },
    /// Somebody was too slow; the session is over.
    TimedOut {
        /// The last turn.
        token: TurnToken,
        /// Who was too slow.
        side: Side,
        /// A text that the gateway sent along.
        text: Option<Text<'a>>,
    },
    /// The session is over, by no doing of the application.
    Ended {
        /// The last turn.
        token: TurnToken,
        /// The reason.
        why: EndWhy,
        /// A text that the gateway sent along.
        text: Option<Text<'a>>,
    },
}

impl Callback<'_> {
    /// The turn that it is about.
    #[must_use]
    pub fn token(&self) -> TurnToken {
        match self {
            Self::New { token, .. }
            | Self::Existing { token, .. }
            | Self::TimedOut { token, .. }
            | Self::Ended { token, .. } => *token,
        }
    }
}

/// Who was too slow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// The application.
    App,
    /// The user.
    User,
    /// The network ran out of patience while the application worked.
    Net,
}

/// Why a session ended that the application did not end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EndWhy {
    /// The user hung up.
    User,
    /// The user dialled again.
    Replaced,
    /// The network gave up.
    Network(NetWhy),
    /// The network refused the push.
    PushFailed(NetWhy),
    /// The prompt did not reach the gateway, so the user never saw it.
    SendFailed(SendWhy),
    /// The link did not come back in time.
    LinkLost,
    /// The program stops.
    Shutdown,
}

/// What a [`Action::Reject`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// A reply, abort or redirect that quoted this turn.
    Turn(TurnToken),
    /// The push with this mark of the caller.
    Push(u64),
}

/// Why a reply or a push was refused. Nothing was sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// No such session is known.
    #[error("unknown session")]
    Unknown,
    /// The session is gone and the phone has another, or the turn is not the current one.
    #[error("stale")]
    Stale,
    /// This turn has its reply.
    #[error("already replied")]
    AlreadyReplied,
    /// The user is to speak first: nobody has answered the push yet.
    #[error("not the application's turn")]
    NotYourTurn,
    /// The session is over.
    #[error("closed: {0}")]
    Closed(CloseReason),
    /// The phone is in a session, or there is no room for one more.
    #[error("busy")]
    Busy,
    /// The link cannot do this; the turn still waits for a reply.
    #[error("the link does not support this")]
    Unsupported,
    /// The store that keeps the sessions could not be asked.
    #[error("the store of sessions is out of reach")]
    Unavailable,
    /// The text cannot be shown on the link's screen; the turn still waits for a reply.
    #[error("the text does not fit: {0}")]
    Unfit(FitError),
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum CloseReason {
    /// The application ended it with a text, or its notice was shown.
    #[error("ended by the application")]
    AppEnd,
    /// The application broke it off.
    #[error("aborted by the application")]
    AppAbort,
    /// The application handed the phone to another code.
    #[error("redirected")]
    Redirected,
    /// The user hung up.
    #[error("ended by the user")]
    User,
    /// The user did not answer in time, by our guard timer.
    #[error("the user was too slow")]
    UserSlow,
    /// The network ended it: its own timer, or an error.
    #[error("ended by the network")]
    Net,
    /// The application did not reply in time.
    #[error("the application was too slow")]
    AppSlow,
    /// It lasted longer than a session may, or had more turns than can be counted.
    #[error("too long")]
    TooLong,
    /// The user dialled again.
    #[error("replaced by a new session")]
    Replaced,
    /// The network refused the push.
    #[error("push failed")]
    PushFailed(NetWhy),
    /// Nobody answered the push.
    #[error("push unanswered")]
    PushUnanswered,
    /// The prompt did not reach the gateway.
    #[error("sending failed")]
    SendFailed,
    /// The link did not come back in time.
    #[error("link lost")]
    LinkLost,
    /// The application's state for it was lost.
    #[error("orphaned")]
    Orphan,
    /// The program stopped.
    #[error("shutdown")]
    Shutdown,
    /// The application's handler panicked or went away without an answer.
    #[error("the handler failed")]
    HandlerFailed,
}

/// What is told about a session that ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Summary {
    /// The session.
    pub session: SessionId,
    /// How it ended.
    pub reason: CloseReason,
    /// How many turns the application was given.
    pub turns: u16,
    /// From the dialled code, or the push, to the end.
    pub lasted: Duration,
}

/// Why an event changed nothing. Each is counted by the [`Engine`](crate::Engine).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Ignored {
    /// An end or time-out for a phone without an open session.
    OrphanClose,
    /// An answer for a phone without an open session.
    OrphanAnswer,
    /// An answer to a session that has ended.
    LateAnswer,
    /// The network's id is another than the session's. If the gateway changes its ids within a dialogue, say so in
    /// the policy ([`Policy::net_id_unstable`](crate::Policy::net_id_unstable)).
    NetIdMismatch,
    /// A code that was received twice, after the session that it opened had ended.
    DuplicateBegin,
    /// An answer that was received twice, after its session had ended.
    DuplicateAnswer,
    /// A prompt was to be sent again, and none was kept.
    NothingToRepeat,
    /// An end that came so soon after a redial that it means the session before.
    LateClose,
    /// The final text did not reach the gateway.
    FinalLost,
    /// A prompt for a phase 1 phone: sent as a final text.
    PhaseOne,
    /// A code dialled when all places were taken: answered with the overload text.
    Overload,
    /// It does not concern the state that the session is in.
    OutOfPlace,
}

impl Ignored {
    pub(crate) const COUNT: usize = 12;

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::OrphanClose => 0,
            Self::OrphanAnswer => 1,
            Self::LateAnswer => 2,
            Self::NetIdMismatch => 3,
            Self::DuplicateBegin => 4,
            Self::DuplicateAnswer => 5,
            Self::NothingToRepeat => 6,
            Self::LateClose => 7,
            Self::FinalLost => 8,
            Self::PhaseOne => 9,
            Self::Overload => 10,
            Self::OutOfPlace => 11,
        }
    }
}

/// The actions of one step, in the order in which they are to be done. At most [`Actions::MAX`]; held in place.
#[derive(Clone, Default)]
pub struct Actions<'a> {
    /// The first `len` are taken.
    places: [Option<Action<'a>>; Actions::MAX],
    len: usize,
}

impl<'a> Actions<'a> {
    /// The most that one step gives: what was overdue, and what follows from the event.
    pub const MAX: usize = 6;

    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The actions, in order.
    pub fn iter(&self) -> Flatten<slice::Iter<'_, Option<Action<'a>>>> {
        self.places.iter().flatten()
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The actions, in order, for whoever takes them out.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Action<'a>> {
        self.places.iter_mut().map_while(Option::as_mut)
    }

    /// Adds the action that is made. It is made where it is to stand: to make it first and to move it there would be to
    /// read at once what was just written, which processors wait for if it was written in other pieces.
    #[inline]
    pub(crate) fn push(&mut self, action: impl FnOnce() -> Action<'a>) {
        debug_assert!(self.len < Self::MAX, "{self:?}");
        if let Some(place @ None) = self.places.get_mut(self.len) {
            *place = Some(action());
            self.len += 1;
        }
    }
}

impl fmt::Debug for Actions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'a> IntoIterator for Actions<'a> {
    type Item = Action<'a>;
    type IntoIter = Flatten<array::IntoIter<Option<Action<'a>>, { Actions::MAX }>>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter().flatten()
    }
}

impl<'a, 'b> IntoIterator for &'b Actions<'a> {
    type Item = &'b Action<'a>;
    type IntoIter = Flatten<slice::Iter<'b, Option<Action<'a>>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What becomes of the record. To be made good before any action is done: after a crash in between the user sees
/// nothing and the session times out, while the other order could show a prompt for a state that does not exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// It stays as it is.
    Keep,
    /// This is the record now.
    Put(Record),
    /// It is gone.
    Delete,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{At, Event, LinkId, Millis, Phase, Policy, SessionIds, step};

    /// A list may be used for one step after the other.
    #[test]
    fn a_list_holds_the_actions_of_the_last_step() {
        let (policy, mut ids, mut out) = (Policy::default(), SessionIds::new(0, Millis(9)), Actions::new());
        let from = "27831234567".parse().unwrap();
        for round in 0..Actions::MAX {
            let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
            let at = At { link: LinkId(0), now: Millis(10), fresh: ids.fresh() };
            step(None, &begin, at, &policy, &mut out);
            assert_eq!((out.len(), out.iter().count()), (1, 1), "round {round}: {out:?}");
        }
        assert!(matches!(out.iter().next(), Some(Action::Call(Callback::New { dialled: "*1#", .. }))));
        assert_eq!(format!("{out:?}"), format!("{:?}", out.clone().into_iter().collect::<Vec<_>>()));
    }
}
