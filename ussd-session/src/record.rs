//! One session as a plain value.

use crate::{
    action::{CloseReason, Summary},
    event::{Phase, PushKind},
    ids::{DedupKey, LinkId, NetId, SessionId, TurnToken},
    subscriber::Subscriber,
    time::Millis,
};

/// Whose turn it is.
///
/// ```text
///         Begin                 Reply Continue
///  None ----------> AppTurn ---------------------> UserTurn
///   |  ^               ^  ^-------- Answer ------------|
///   |  | tombstone     | Answer                        |
///   |  | timer         |                               |
///   |  Closed <--------|-- Reply End / Abort / Redirect / UserEnd / NetTimeout / NetError
///   |  ^   ^           |   app, user, total timer / SendFailed / link lost / Begin (then New)
///   |  |   |           |
///   |  | NotifyOk   Inviting <-- Push Ask -- None
///   |  |               `-- push timer / UssdBusy / UserEnd --> Closed
///   `--Notifying <-- Push Tell
/// ```
///
/// `None` is the absence of a record. `Closed` is a state and not absence: it tells late from unknown, takes doubled
/// closes, and refuses old tokens with the reason.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum State {
    /// The application is to reply.
    AppTurn,
    /// A prompt is on the screen; the user is to answer.
    UserTurn,
    /// A question was pushed; nobody has answered yet.
    Inviting,
    /// A notice was pushed; the phone has not shown it yet.
    Notifying,
    /// The session is over; this is its tombstone.
    Closed(CloseReason),
}

/// All that [`step`](crate::step) knows of one session: a plain value, to be kept in memory or in a store.
///
/// It holds no text. The dialled code, the last prompt, and a reply that waits for its link are kept beside it by the
/// host, the [`Engine`](crate::Engine) or a store.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Record {
    pub(crate) session: SessionId,
    pub(crate) subscriber: Subscriber,
    pub(crate) opened: Millis,
    /// What was dialled, as a fingerprint, to know the same code again.
    pub(crate) code: u64,
    pub(crate) begin_key: Option<DedupKey>,
    pub(crate) answer_key: Option<DedupKey>,
    pub(crate) net: NetId,
    /// Milliseconds from `opened`, as all that follow.
    pub(crate) since: u32,
    pub(crate) begun: u32,
    pub(crate) deadline: u32,
    pub(crate) total: u32,
    /// When the grace time is over, if the link is down.
    pub(crate) grace: Option<u32>,
    pub(crate) link: LinkId,
    pub(crate) turn: u16,
    pub(crate) state: State,
    pub(crate) phase: Phase,
    pub(crate) push: Option<PushKind>,
    /// The current prompt asks for a secret.
    pub(crate) secret: bool,
    /// It took the place of another session of this phone.
    pub(crate) replaced: bool,
    /// Our last frame ended the dialogue on the network.
    pub(crate) released: bool,
    /// A reply to this turn waits for the link.
    pub(crate) held: bool,
}

impl Record {
    /// The session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The phone.
    #[must_use]
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber
    }

    /// The link.
    #[must_use]
    pub fn link(&self) -> LinkId {
        self.link
    }

    /// Whose turn it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The current turn, as a reply has to quote it.
    #[must_use]
    pub fn token(&self) -> TurnToken {
        TurnToken { session: self.session, turn: self.turn }
    }

    /// The network's id of the dialogue.
    #[must_use]
    pub fn net(&self) -> &NetId {
        &self.net
    }

    /// What the phone can do.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// True if a reply to the current turn waits for the link.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// When the session began.
    #[must_use]
    pub fn opened(&self) -> Millis {
        self.opened
    }

    /// When something is to be done at the latest: step a [`Tick`](crate::Event::Tick) then. For a tombstone: when
    /// it is to be forgotten.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        let first = if self.is_open() {
            self.deadline.min(self.total).min(self.grace.unwrap_or(u32::MAX))
        } else {
            self.deadline
        };
        self.at(first)
    }

    /// True unless it is a tombstone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// True while a break of the link is waited out.
    #[must_use]
    pub fn is_unlinked(&self) -> bool {
        self.grace.is_some()
    }

    pub(crate) fn at(&self, offset: u32) -> Millis {
        Millis(self.opened.0.saturating_add(u64::from(offset)))
    }

    pub(crate) fn offset(&self, at: Millis) -> u32 {
        u32::try_from(at.0.saturating_sub(self.opened.0)).unwrap_or(u32::MAX)
    }

    pub(crate) fn summary(&self, reason: CloseReason, now: Millis) -> Summary {
        Summary { session: self.session, reason, turns: self.turn, lasted: now.since(self.opened) }
    }
}
