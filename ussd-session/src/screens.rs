//! What stands between an application and its sessions: texts that fit, pages that turn, sessions that go on.

pub(crate) mod flow;
pub(crate) mod parking;
pub(crate) mod shown;

use std::{collections::HashMap, fmt};

pub use self::parking::Resumed;
use self::{
    flow::{Keeper, Said},
    parking::{Key, Parked, Parking},
    shown::{Kept, Shown},
};
use crate::{
    action::{Action, Callback, Reject},
    dialled::Dialled,
    engine::{Config, Effect},
    event::Event,
    fit::Alphabet,
    ids::{LinkId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
    record::Record,
    time::Millis,
};

/// Fits what an application shows ([`Policy::fit`](crate::Policy::fit)), turns pages and resumes sessions
/// ([`Policy::resume`](crate::Policy::resume)) in its place.
///
/// It does no IO and reads no clock. The [`Runner`](crate::Runner) has one; a host with an engine of its own lets all
/// replies go through [`Screens::reply`] before the engine takes them, and all effects through [`Screens::effect`]
/// before anybody else sees them. To the engine a page that was turned is a turn like any other, answered in no time:
/// so late, doubled and crossing keys are as harmless as late, doubled and crossing answers. `P` is what the host keeps
/// of a session for its application.
///
/// What it holds is bounded: the screen of each open session where the policy fits or resumes, and the sessions that
/// wait to be resumed ([`Screens::max_parked`]). A program that stops loses both: users see the expired text, as they
/// do for the engine's own sessions.
pub struct Screens<P> {
    config: Config,
    all: All<P>,
    /// How the last text was written.
    written: Option<Alphabet>,
}

/// The screens of all sessions of a process.
struct All<P> {
    shown: HashMap<SessionId, Shown<P>>,
    parking: Parking<P>,
}

/// What becomes of an effect.
#[derive(Debug)]
#[non_exhaustive]
pub enum Passed<P> {
    /// It is to be done.
    On(OwnedEffect),
    /// It is to be done: a call for a session in which the application finds what it kept of an earlier one.
    Offered(OwnedEffect, Box<Resumed<P>>),
    /// The application is not called: the engine is to be given this reply.
    Answered(OwnedEvent),
    /// As [`Passed::Answered`], and the application's next call in this session finds what it kept of an earlier one.
    /// The effect is the one that came in.
    Continued(OwnedEffect, OwnedEvent, Box<Resumed<P>>),
    /// The application is not called.
    Nothing,
}

impl<P> Screens<P> {
    /// For the links and policies of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let all = All { shown: HashMap::new(), parking: Parking::new(100_000) };
        Self { config: config.clone(), all, written: None }
    }

    /// The most sessions that wait to be resumed; beyond, the oldest is forgotten. Default 100,000.
    #[must_use]
    pub fn max_parked(mut self, sessions: usize) -> Self {
        self.all.parking = Parking::new(sessions);
        self
    }

    /// An event of the application on its way to the engine: what it says fits the screen then. `record` is the
    /// phone's, from [`Engine::record`](crate::Engine::record). None if the event is to be handed in as it is.
    ///
    /// # Errors
    /// The text can be shown on no screen of the link. The engine is to be given nothing; the turn is open.
    pub fn reply(
        &mut self,
        link: LinkId,
        event: &Event<'_>,
        record: Option<&Record>,
    ) -> Result<Option<OwnedEvent>, Reject> {
        let policy = self.config.policy_of(link);
        match flow::reply(&mut self.all, policy, link, event, record)? {
            Said::AsIs | Said::Late => Ok(None),
            Said::Fitted { event, alphabet } => {
                self.written = alphabet;
                Ok(Some(event))
            }
        }
    }

    /// An effect of the engine on its way out.
    pub fn effect(&mut self, effect: OwnedEffect, now: Millis) -> Passed<P> {
        flow::effect(&mut self.all, self.config.policy_of(effect.as_effect().link), effect, now)
    }

    /// The earlier session that would go on with this call, were what the host keeps of it here already
    /// ([`Screens::park`]): the effect may wait for that.
    #[must_use]
    pub fn waits_for(&self, effect: &Effect<'_>, now: Millis) -> Option<SessionId> {
        let Action::Call(Callback::New { orphan: None, dialled, .. }) = effect.action else { return None };
        let policy = self.config.policy_of(effect.link);
        let service = policy.service_of(Dialled::new(dialled)).into();
        self.all.parking.waits_for(&(effect.link, effect.subscriber, service), now)
    }

    /// Keeps what the host has of a session that ended, if it can be resumed: without that it is not. To be called
    /// when the last callback of the session has returned.
    pub fn park(&mut self, session: SessionId, kept: P) {
        self.all.parking.keep(session, kept);
    }

    /// The alphabet of the text that was fitted last, once.
    #[cfg(feature = "metrics")]
    pub(crate) fn written(&mut self) -> Option<Alphabet> {
        self.written.take()
    }

    /// How many sessions wait to be resumed.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.all.parking.len()
    }
}

impl<P> Keeper<P> for All<P> {
    const HOLDS_SECRETS: bool = true;

    fn shown(&mut self, session: SessionId) -> Option<&mut Shown<P>> {
        self.shown.get_mut(&session)
    }

    fn show(&mut self, session: SessionId, at: Key) -> &mut Shown<P> {
        self.shown.entry(session).or_insert_with(|| Shown::new(at))
    }

    fn take(&mut self, session: SessionId) -> Option<Shown<P>> {
        self.shown.remove(&session)
    }

    fn park(&mut self, at: Key, parked: Parked<P>) {
        self.parking.put(at, parked);
    }

    fn unpark(&mut self, at: &Key, now: Millis) -> Option<Parked<P>> {
        self.parking.take(at, now)
    }

    fn late(&mut self, token: TurnToken, reply: impl FnOnce() -> Kept) -> bool {
        self.parking.late(token, reply)
    }
}

impl<P> fmt::Debug for Screens<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut screens = f.debug_struct("Screens");
        screens.field("shown", &self.all.shown.len()).field("parked", &self.all.parking.len()).finish_non_exhaustive()
    }
}
