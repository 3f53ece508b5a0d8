//! Sessions written down, to go on after a restart.

use std::fmt;

use super::{Config, Engine, sessions::Held};
use crate::{
    event::Verb,
    record::{Core, Record},
    text::Text,
    time::Millis,
};

/// One session as it is written down: its record, and what the [`Engine`] keeps beside it. With feature `serde` it can
/// be stored anywhere; `Debug` shows no text.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Saved {
    pub(super) record: Record,
    pub(super) dialled: String,
    pub(super) prompt: Option<String>,
    pub(super) held: Option<SavedReply>,
}

/// A reply that waits for its link.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub(super) struct SavedReply {
    pub(super) verb: Verb,
    pub(super) text: String,
    pub(super) expects_secret: bool,
}

impl Saved {
    /// The record.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The code that the session was opened with; empty if it has ended, or was a push.
    #[must_use]
    pub fn dialled(&self) -> &str {
        &self.dialled
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("record", &self.record)
            .field("dialled", &self.dialled)
            .field("prompt", &self.prompt.as_deref().map(Text::public))
            .field("held", &self.held.as_ref().map(|held| Text::public(&held.text)))
            .finish()
    }
}

impl Engine {
    /// All sessions and tombstones, to be written down when the program stops: an engine [restored](Engine::restore)
    /// from them goes on where this one was. The open ones come first, then the tombstones, the oldest first.
    ///
    /// Poll first until there is nothing [more](crate::Polled::more): the news of a link that has not reached a session
    /// yet is not written down. Nor is a secret reply that waits for its link; its turn is open to be replied again.
    ///
    /// ```
    /// use ussd_session::{Config, Effect, Engine, Event, LinkId, Millis, NetId, Phase, Saved};
    ///
    /// let (link, from, now) = (LinkId(0), "27831234567".parse()?, Millis(1_790_000_000_000));
    /// let mut engine = Engine::new(Config::default());
    /// let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    /// engine.handle(link, begin, now, |_: Effect<'_>| {});
    ///
    /// let saved: Vec<Saved> = engine.snapshot().collect();
    /// let restored = Engine::restore(Config::default(), saved, Millis(now.0 + 1000));
    /// assert_eq!(restored.record(link, from), engine.record(link, from));
    /// # Ok::<(), ussd_session::SubscriberError>(())
    /// ```
    pub fn snapshot(&self) -> impl Iterator<Item = Saved> + '_ {
        let slots = &self.sessions.slots;
        let open = (0..slots.end()).filter(|slot| slots.core(*slot).is_some_and(Core::is_open));
        let oldest = self.sessions.tombstones.oldest();
        let closed = std::iter::successors(oldest, |slot| slots.newer(*slot));
        open.chain(closed).filter_map(|slot| self.sessions.save(slot))
    }

    /// An engine that goes on with these sessions. What has become due in the meantime happens at the next poll; of
    /// two sessions of one phone the first counts. All are taken in, also beyond [`Config::max_live`], up to
    /// [`Config::MOST`].
    #[must_use]
    pub fn restore(config: Config, saved: impl IntoIterator<Item = Saved>, now: Millis) -> Self {
        let mut engine = Self::new(config);
        engine.take_in(saved, now);
        engine
    }

    /// Adds sessions that were written down.
    pub(super) fn take_in(&mut self, saved: impl IntoIterator<Item = Saved>, now: Millis) {
        self.sessions.clock(now);
        for saved in saved {
            self.sessions.take_in(&self.config, saved);
        }
    }
}

impl From<&Held> for Option<SavedReply> {
    fn from(held: &Held) -> Self {
        let reply = || SavedReply { verb: held.verb, text: held.text.clone(), expects_secret: held.expects_secret };
        (!held.secret).then(reply)
    }
}
