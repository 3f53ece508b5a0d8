//! One session as a plain value.

use std::hint::black_box;

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

impl State {
    pub(crate) fn is_open(self) -> bool {
        !matches!(self, Self::Closed(_))
    }
}

/// All that [`step`](crate::step) knows of one session: a plain value, to be kept in memory or in a store.
///
/// It holds no text. The dialled code, the last prompt, and a reply that waits for its link are kept beside it by the
/// host, the [`Engine`](crate::Engine) or a store.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Record {
    pub(crate) core: Core,
    pub(crate) rest: Rest,
}

impl Record {
    /// The session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.core.session
    }

    /// The phone.
    #[must_use]
    pub fn subscriber(&self) -> Subscriber {
        self.core.subscriber
    }

    /// The link.
    #[must_use]
    pub fn link(&self) -> LinkId {
        self.core.link
    }

    /// Whose turn it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.core.state
    }

    /// The current turn, as a reply has to quote it.
    #[must_use]
    pub fn token(&self) -> TurnToken {
        self.core.token()
    }

    /// The network's id of the dialogue.
    #[must_use]
    pub fn net(&self) -> &NetId {
        self.rest.net()
    }

    /// What the phone can do.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.core.phase
    }

    /// True if a reply to the current turn waits for the link.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.core.has(Core::HELD)
    }

    /// When the session began.
    #[must_use]
    pub fn opened(&self) -> Millis {
        self.core.opened
    }

    /// When something is to be done at the latest: step a [`Tick`](crate::Event::Tick) then. For a tombstone: when
    /// it is to be forgotten.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        self.core.first_deadline(&self.rest)
    }

    /// True unless it is a tombstone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.core.is_open()
    }

    /// A tombstone that is over: to step it is to step none.
    #[cfg(feature = "store")]
    pub(crate) fn over(mut self, reason: CloseReason) -> Self {
        (self.core.state, self.core.deadline) = (State::Closed(reason), 0);
        self
    }

    /// True if the answer to the prompt on the screen is a secret.
    #[cfg(feature = "store")]
    pub(crate) fn expects_secret(&self) -> bool {
        self.core.has(Core::SECRET)
    }

    /// True while a break of the link is waited out.
    #[must_use]
    pub fn is_unlinked(&self) -> bool {
        self.core.has(Core::UNLINKED)
    }
}

/// What every event of a session reads or writes, in less than a cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub(crate) struct Core {
    pub(crate) session: SessionId,
    pub(crate) subscriber: Subscriber,
    pub(crate) opened: Millis,
    /// When it came to its state. Milliseconds from `opened`, as all that follow.
    pub(crate) since: u32,
    pub(crate) deadline: u32,
    pub(crate) total: u32,
    pub(crate) link: LinkId,
    pub(crate) turn: u16,
    pub(crate) state: State,
    pub(crate) phase: Phase,
    pub(crate) push: Option<PushKind>,
    pub(crate) flags: u8,
}

impl Core {
    /// The current prompt asks for a secret.
    pub(crate) const SECRET: u8 = 1;
    /// It took the place of another session of this phone.
    pub(crate) const REPLACED: u8 = 1 << 1;
    /// Our last frame ended the dialogue on the network.
    pub(crate) const RELEASED: u8 = 1 << 2;
    /// A reply to this turn waits for the link.
    pub(crate) const HELD: u8 = 1 << 3;
    /// The link is down; the rest says how long that is waited out.
    pub(crate) const UNLINKED: u8 = 1 << 4;
    /// The rest holds an id of the network.
    pub(crate) const NAMED: u8 = 1 << 5;
    /// The rest holds the key of an answer.
    pub(crate) const KEYED: u8 = 1 << 6;

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }

    /// Takes the flag away; true if it was there.
    pub(crate) fn take(&mut self, flag: u8) -> bool {
        let had = self.has(flag);
        self.set(flag, false);
        had
    }

    pub(crate) fn token(&self) -> TurnToken {
        TurnToken { session: self.session, turn: self.turn }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.is_open()
    }

    pub(crate) fn at(&self, offset: u32) -> Millis {
        Millis(self.opened.0.saturating_add(u64::from(offset)))
    }

    pub(crate) fn offset(&self, at: Millis) -> u32 {
        u32::try_from(at.0.saturating_sub(self.opened.0)).unwrap_or(u32::MAX)
    }

    /// When the first of its timers runs out. Without a broken link, the rest is not looked at.
    pub(crate) fn first_deadline(&self, rest: &Rest) -> Millis {
        let first = match self.state {
            State::Closed(_) => self.deadline,
            _ if self.has(Self::UNLINKED) => self.deadline.min(self.total).min(rest.grace()),
            _ => self.deadline.min(self.total),
        };
        self.at(first)
    }

    pub(crate) fn summary(&self, reason: CloseReason, now: Millis) -> Summary {
        Summary { session: self.session, reason, turns: self.turn, lasted: now.since(self.opened) }
    }
}

/// What few events of a session look at.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub(crate) struct Rest {
    /// What was dialled, as a fingerprint, to know the same code again.
    pub(crate) code: u64,
    /// When the code was dialled last, in milliseconds from the start.
    pub(crate) begun: u32,
    /// When the grace time is over, if the link is down.
    pub(crate) grace: u32,
    /// Many gateways give neither keys nor ids.
    names: Option<Box<Names>>,
}

/// What the gateway calls the dialogue and its messages.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
struct Names {
    begin: Option<DedupKey>,
    answer: Option<DedupKey>,
    net: NetId,
}

/// No id, to be borrowed.
static NO_NET: NetId = NetId::NONE;

impl Rest {
    /// When the grace time is over. Hidden from the compiler, which else reads it whether it is wanted or not, and that
    /// is a wait for memory in every event.
    fn grace(&self) -> u32 {
        black_box(self).grace
    }

    pub(crate) fn net(&self) -> &NetId {
        self.names.as_ref().map_or(&NO_NET, |names| &names.net)
    }

    pub(crate) fn begin_key(&self) -> Option<DedupKey> {
        self.names.as_ref().and_then(|names| names.begin)
    }

    pub(crate) fn answer_key(&self) -> Option<DedupKey> {
        self.names.as_ref().and_then(|names| names.answer)
    }

    pub(crate) fn set_net(&mut self, net: &NetId) {
        if let Some(names) = self.names(!net.is_none()) {
            names.net.clone_from(net);
        }
    }

    pub(crate) fn set_answer_key(&mut self, key: Option<DedupKey>) {
        if let Some(names) = self.names(key.is_some()) {
            names.answer = key;
        }
    }

    /// What a new session starts with; room that the one before had is used again.
    pub(crate) fn renew(&mut self, code: u64, begin: Option<DedupKey>, net: &NetId) {
        (self.code, self.begun, self.grace) = (code, 0, 0);
        if let Some(names) = self.names(begin.is_some() || !net.is_none()) {
            *names = Names { begin, answer: None, net: net.clone() };
        }
    }

    /// The names; none if there are none and none are needed.
    fn names(&mut self, needed: bool) -> Option<&mut Names> {
        if needed {
            return Some(self.names.get_or_insert_default());
        }
        self.names.as_deref_mut()
    }
}

/// Room for names and no names are the same.
impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        (self.code, self.begun, self.grace) == (other.code, other.begun, other.grace)
            && (self.begin_key(), self.answer_key(), self.net()) == (other.begin_key(), other.answer_key(), other.net())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!((size_of::<Core>(), size_of::<Option<Core>>(), size_of::<Rest>()), (48, 48, 24));
    }

    /// A slot that had names and is used again equals a fresh one.
    #[test]
    fn names_leave_no_trace() {
        let (key, net) = (Some(DedupKey::of(b"1")), NetId::new(b"net").unwrap());
        let mut used = Rest::default();
        used.renew(1, key, &net);
        used.set_answer_key(key);
        assert_eq!((used.begin_key(), used.answer_key(), used.net()), (key, key, &net));
        let mut fresh = Rest::default();
        assert_ne!(used, fresh);
        used.renew(2, None, &NetId::NONE);
        fresh.renew(2, None, &NetId::NONE);
        assert_eq!(used, fresh);
        assert!(fresh.names.is_none(), "no room is taken for names that are not there");
    }
}
