//! What happens to a session: on the network, in the application, by the clock.

#[cfg(feature = "tokio")]
use crate::action::Subject;
use crate::{
    ids::{DedupKey, LinkId, NetId, SessionId, TurnToken},
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// One thing that happened.
///
/// All that concerns one session names its subscriber: together with the link that is the session's key, since a
/// phone holds at most one USSD transaction (3GPP TS 24.090, section 6.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The phone dialled a code.
    Begin {
        /// The phone.
        from: Subscriber,
        /// The code as dialled, shortcuts included, for example `*384*1234*3*1#`.
        dialled: &'a str,
        /// The network's id of the dialogue.
        net: NetId,
        /// What the phone can do.
        phase: Phase,
        /// The gateway's key against doubles.
        dedup: Option<DedupKey>,
    },
    /// The user answered the prompt. An empty text is an answer.
    Answer {
        /// The phone.
        from: Subscriber,
        /// What was typed.
        text: Text<'a>,
        /// The network's id of the dialogue.
        net: NetId,
        /// The gateway's key against doubles.
        dedup: Option<DedupKey>,
    },
    /// The phone showed a pushed notice.
    NotifyOk {
        /// The phone.
        from: Subscriber,
        /// The network's id of the dialogue.
        net: NetId,
    },
    /// The user hung up.
    UserEnd {
        /// The phone.
        from: Subscriber,
        /// The network's id of the dialogue.
        net: NetId,
        /// A text that the gateway sent along.
        text: Option<Text<'a>>,
    },
    /// The network stopped waiting.
    NetTimeout {
        /// The phone.
        from: Subscriber,
        /// The network's id of the dialogue.
        net: NetId,
        /// A text that the gateway sent along.
        text: Option<Text<'a>>,
    },
    /// The network gave up for another reason.
    NetError {
        /// The phone.
        from: Subscriber,
        /// The network's id of the dialogue.
        net: NetId,
        /// The reason.
        why: NetWhy,
    },
    /// The gateway took the frame of this turn.
    SendOk {
        /// The phone.
        to: Subscriber,
        /// The turn of the frame.
        token: TurnToken,
    },
    /// The gateway refused the frame of this turn, or it was never written.
    SendFailed {
        /// The phone.
        to: Subscriber,
        /// The turn of the frame.
        token: TurnToken,
        /// The reason.
        why: SendWhy,
    },
    /// The link to the gateway broke. Sessions wait for the grace time of the policy.
    LinkDown,
    /// The link is back.
    LinkUp,
    /// The application answers a turn.
    Reply {
        /// The phone.
        to: Subscriber,
        /// The turn that is answered.
        token: TurnToken,
        /// What comes after it.
        verb: Verb,
        /// What to show.
        text: Text<'a>,
    },
    /// The application breaks the session off without a text.
    Abort {
        /// The phone.
        to: Subscriber,
        /// The current turn.
        token: TurnToken,
    },
    /// The application hands the phone to another code.
    Redirect {
        /// The phone.
        to: Subscriber,
        /// The turn that is answered.
        token: TurnToken,
        /// The other code.
        target: &'a str,
    },
    /// The application opens a session by itself.
    Push {
        /// The phone.
        to: Subscriber,
        /// Ask or tell.
        kind: PushKind,
        /// What to show.
        text: Text<'a>,
        /// The caller's mark; comes back with the push's token or its rejection.
        correlation: u64,
    },
    /// The application's handler panicked or went away without an answer.
    HandlerFailed {
        /// The phone.
        to: Subscriber,
        /// The turn that it served.
        token: TurnToken,
    },
    /// The host gives a session up.
    Discard {
        /// The phone.
        to: Subscriber,
        /// The session; if the phone is in another by now, nothing happens.
        session: SessionId,
        /// The reason.
        why: Discard,
    },
    /// Time passed; nothing else.
    Tick,
}

impl Event<'_> {
    /// Whose session it concerns; none for what concerns a whole link, or the clock.
    #[must_use]
    pub fn subscriber(&self) -> Option<Subscriber> {
        match self {
            Self::Begin { from, .. }
            | Self::Answer { from, .. }
            | Self::NotifyOk { from, .. }
            | Self::UserEnd { from, .. }
            | Self::NetTimeout { from, .. }
            | Self::NetError { from, .. } => Some(*from),
            Self::SendOk { to, .. }
            | Self::SendFailed { to, .. }
            | Self::Reply { to, .. }
            | Self::Abort { to, .. }
            | Self::Redirect { to, .. }
            | Self::Push { to, .. }
            | Self::HandlerFailed { to, .. }
            | Self::Discard { to, .. } => Some(*to),
            Self::LinkDown | Self::LinkUp | Self::Tick => None,
        }
    }

    /// The turn that it answers, if it is an answer of the application.
    #[cfg(feature = "tokio")]
    pub(crate) fn answers(&self) -> Option<TurnToken> {
        match self {
            Self::Reply { token, .. }
            | Self::Abort { token, .. }
            | Self::Redirect { token, .. }
            | Self::HandlerFailed { token, .. } => Some(*token),
            _ => None,
        }
    }

    /// What its refusal is about, if it can be refused.
    #[cfg(feature = "tokio")]
    pub(crate) fn subject(&self) -> Option<Subject> {
        match self {
            Self::Push { correlation, .. } => Some(Subject::Push(*correlation)),
            Self::HandlerFailed { .. } => None,
            _ => self.answers().map(Subject::Turn),
        }
    }
}

/// Where and when an event happens, and the id that a session opened by it would get.
///
/// These are the three things that a pure function cannot know by itself.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The link that it came over, or goes to.
    pub link: LinkId,
    /// The host's time.
    pub now: Millis,
    /// An id that no session has had; used only if the event opens one.
    pub fresh: SessionId,
}

/// The phone's USSD phase. Phase 1 phones cannot answer a prompt (3GPP TS 24.090, section 6.2.2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub enum Phase {
    /// The gateway does not say; taken for phase 2.
    #[default]
    Unknown,
    /// Shows one final text and no more.
    One,
    /// Can hold a dialogue.
    Two,
}

/// Why the network gave up, or refused a push.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum NetWhy {
    /// The phone is in another USSD transaction.
    UssdBusy,
    /// The phone is off or out of reach.
    Absent,
    /// The phone or the network does not know the operation.
    NotSupported,
    /// The network has no room.
    Congestion,
    /// The dialogue was aborted inside the network.
    Aborted,
    /// The gateway handed the phone elsewhere.
    Redirected,
    /// The push never left: the gateway refused the frame.
    NotSent,
    /// The gateway's own code.
    Other(u16),
}

/// Why a frame did not reach the gateway.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum SendWhy {
    /// The gateway refused it with this status.
    Refused(u32),
    /// No link.
    NoLink,
    /// No answer from the gateway in time.
    NoAnswer,
    /// The text cannot be written in the link's encoding, or breaks its framing.
    Unencodable,
}

/// What comes after a reply.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub enum Verb {
    /// The user answers.
    Continue,
    /// Nothing: the session ends with this text.
    End,
}

/// What a push wants.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub enum PushKind {
    /// An answer (USSR).
    Ask,
    /// That it is shown, no more (USSN). The session ends when the phone has shown it.
    Tell,
    /// That it is shown, and then the application goes on: it is called as for an empty answer.
    TellFirst,
}

/// Why a host gives a session up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// Nobody serves it any more: the application's state for it is lost. Makes no callback.
    Orphan,
    /// The program stops.
    Shutdown,
}
