//! What stands between an application and its sessions: texts that fit, pages that turn, sessions that go on.

mod parking;

use std::{collections::HashMap, fmt};

pub use self::parking::Resumed;
use self::parking::{Key, Parked, Parking};
use crate::{
    action::{Action, Callback, CloseReason, Reject},
    dialled::Dialled,
    engine::{Config, Effect},
    event::{Event, Phase, Verb},
    fit::{Alphabet, Fit, Pager},
    ids::{LinkId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
    policy::{Policy, Resume},
    record::{Record, State},
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// Fits what an application shows ([`Policy::fit`]), turns pages and resumes sessions ([`Policy::resume`]) in its place.
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
    shown: HashMap<SessionId, Shown<P>>,
    parking: Parking<P>,
    /// How the last text was written.
    written: Option<Alphabet>,
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

/// What is on the screen of a session.
struct Shown<P> {
    at: Key,
    screen: Option<Kept>,
    /// The user has answered it, and the application has not replied yet.
    answered: bool,
    /// The question is on the screen whether an earlier session goes on.
    asking: Option<Box<Parked<P>>>,
    /// What the application was offered to show again.
    offered: Option<Kept>,
}

/// A screen as the application said it, and the page of it that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// None where nothing is fitted.
    pager: Option<Pager>,
    pub(crate) text: Box<str>,
    verb: Verb,
    pub(crate) secret: bool,
    pub(crate) expects_secret: bool,
}

impl<P> Screens<P> {
    /// For the links and policies of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), shown: HashMap::new(), parking: Parking::new(100_000), written: None }
    }

    /// The most sessions that wait to be resumed; beyond, the oldest is forgotten. Default 100,000.
    #[must_use]
    pub fn max_parked(mut self, sessions: usize) -> Self {
        self.parking = Parking::new(sessions);
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
        let (fit, resumes) = (policy.fit.as_deref(), policy.resume != Resume::Start);
        match *event {
            Event::Reply { to, token, verb, text } if fit.is_some() || resumes => {
                let Some(record) = record.filter(|record| awaits(record, token)) else {
                    self.parking.late(token, || Kept::new(None, verb, text));
                    return Ok(None);
                };
                let is_last = verb == Verb::End || record.phase() == Phase::One;
                let pager = match fit {
                    Some(fit) if record.phase() == Phase::One => Some(Pager::one_screen(fit, text.as_str())),
                    Some(fit) => Some(Pager::new(fit, text.as_str())),
                    None => None,
                };
                let mut screen = Kept::new(pager.transpose().map_err(Reject::Unfit)?, verb, text);
                let offered = self.shown.get_mut(&token.session).and_then(|shown| shown.offered.take());
                if let Some(offered) = offered.filter(|offered| offered.text == screen.text) {
                    screen.pager = offered.pager.or(screen.pager);
                }
                let reply = screen.reply(policy, to, token);
                self.written = screen.pager.as_ref().map(Pager::alphabet);
                let turns_pages = screen.pager.as_ref().is_some_and(Pager::is_paged);
                if turns_pages || resumes && !is_last && !text.is_secret() {
                    let shown = self.shown.entry(token.session);
                    let shown = shown.or_insert_with(|| Shown::new((link, to, "".into())));
                    (shown.screen, shown.answered) = (Some(screen), false);
                } else if let Some(shown) = self.shown.get_mut(&token.session) {
                    (shown.screen, shown.answered) = (None, false);
                }
                Ok(Some(reply))
            }
            Event::Push { to, kind, text, correlation } => {
                let Some(fit) = fit else { return Ok(None) };
                let pager = Pager::one_screen(fit, text.as_str()).map_err(Reject::Unfit)?;
                let page = pager.page(fit).to_string();
                Ok(Some(Event::Push { to, kind, text: text.with(&page), correlation }.into()))
            }
            _ => Ok(None),
        }
    }

    /// An effect of the engine on its way out.
    pub fn effect(&mut self, effect: OwnedEffect, now: Millis) -> Passed<P> {
        let Effect { link, subscriber, dialled, action } = effect.as_effect();
        let policy = self.config.policy_of(link);
        match action {
            Action::Call(Callback::New { token, orphan: None, .. }) if policy.resume != Resume::Start => {
                let at = (link, subscriber, policy.service_of(Dialled::new(dialled)).into());
                let parked = self.parking.take(&at, now);
                let shown = self.shown.entry(token.session).or_insert_with(|| Shown::new(at));
                let Some(parked) = parked else { return Passed::On(effect) };
                match &policy.resume {
                    Resume::Ask { .. } => {
                        shown.asking = Some(Box::new(parked));
                        shown.ask(policy, subscriber, token)
                    }
                    Resume::Continue => {
                        let reply = shown.go_on(policy, subscriber, token, &parked);
                        continued(effect, reply, parked, now)
                    }
                    _ => {
                        shown.offered = Some(parked.screen.clone());
                        match parked.resumed(now) {
                            Some(resumed) => Passed::Offered(effect, Box::new(resumed)),
                            None => Passed::On(effect),
                        }
                    }
                }
            }
            Action::Call(Callback::Existing { token, text }) => {
                let Some(shown) = self.shown.get_mut(&token.session) else { return Passed::On(effect) };
                if shown.asking.is_some() {
                    let Some(parked) = shown.goes_on(policy, text.as_str()) else {
                        return shown.asked(policy, &effect, token, text.as_str());
                    };
                    let reply = shown.go_on(policy, subscriber, token, &parked);
                    return continued(effect, reply, *parked, now);
                }
                let Some(screen) = &mut shown.screen else { return Passed::On(effect) };
                let turned = match (policy.fit.as_deref(), &mut screen.pager) {
                    (Some(fit), Some(pager)) => pager.turn(fit, text.as_str()),
                    _ => false,
                };
                // The application has said its last word: whatever is typed, the rest of it is all there is.
                if turned || screen.verb == Verb::End {
                    return Passed::Answered(screen.reply(policy, subscriber, token));
                }
                shown.answered = true;
                Passed::On(effect)
            }
            Action::Call(Callback::TimedOut { token, .. } | Callback::Ended { token, .. }) => {
                match self.shown.get(&token.session) {
                    Some(shown) if shown.asking.is_some() || shown.has_ended() => Passed::Nothing,
                    _ => Passed::On(effect),
                }
            }
            Action::Closed(summary) => {
                if let Some(shown) = self.shown.remove(&summary.session) {
                    let may_resume = policy.resume != Resume::Start && is_broken_off(summary.reason);
                    match (shown.asking, shown.screen) {
                        (Some(parked), _) => self.parking.put(shown.at, *parked),
                        (None, Some(screen)) if may_resume && screen.may_be_parked() && !shown.at.2.is_empty() => {
                            let token = TurnToken { session: summary.session, turn: summary.turns };
                            let until = now.after(std::time::Duration::from_millis(policy.park.into()));
                            self.parking.put(shown.at, Parked::new(token, screen, shown.answered, now, until));
                        }
                        _ => {}
                    }
                }
                Passed::On(effect)
            }
            _ => Passed::On(effect),
        }
    }

    /// The earlier session that would go on with this call, were what the host keeps of it here already
    /// ([`Screens::park`]): the effect may wait for that.
    #[must_use]
    pub fn waits_for(&self, effect: &Effect<'_>, now: Millis) -> Option<SessionId> {
        let Action::Call(Callback::New { orphan: None, dialled, .. }) = effect.action else { return None };
        let policy = self.config.policy_of(effect.link);
        let service = policy.service_of(Dialled::new(dialled)).into();
        self.parking.waits_for(&(effect.link, effect.subscriber, service), now)
    }

    /// Keeps what the host has of a session that ended, if it can be resumed: without that it is not. To be called
    /// when the last callback of the session has returned.
    pub fn park(&mut self, session: SessionId, kept: P) {
        self.parking.keep(session, kept);
    }

    /// The alphabet of the text that was fitted last, once.
    #[cfg(feature = "metrics")]
    pub(crate) fn written(&mut self) -> Option<Alphabet> {
        self.written.take()
    }

    /// How many sessions wait to be resumed.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.parking.len()
    }
}

impl<P> fmt::Debug for Screens<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut screens = f.debug_struct("Screens");
        screens.field("shown", &self.shown.len()).field("parked", &self.parking.len()).finish_non_exhaustive()
    }
}

impl<P> Shown<P> {
    fn new(at: Key) -> Self {
        Self { at, screen: None, answered: false, asking: None, offered: None }
    }

    /// True if the application has ended the session, and pages of its last text are left.
    fn has_ended(&self) -> bool {
        self.screen.as_ref().is_some_and(|screen| screen.verb == Verb::End)
    }

    /// Asks whether the parked session goes on.
    fn ask(&mut self, policy: &Policy, to: Subscriber, token: TurnToken) -> Passed<P> {
        let Resume::Ask { question, .. } = &policy.resume else { return Passed::Nothing };
        let pager = policy.fit.as_deref().and_then(|fit| Pager::one_screen(fit, question).ok());
        Passed::Answered(Kept::new(pager, Verb::Continue, Text::public(question)).reply(policy, to, token))
    }

    /// The parked session, if what the user says to that is the key for it.
    fn goes_on(&mut self, policy: &Policy, typed: &str) -> Option<Box<Parked<P>>> {
        match &policy.resume {
            Resume::Ask { go_on, .. } if typed.trim() == &**go_on => self.asking.take(),
            _ => None,
        }
    }

    /// Anything else: the key for a new session, or no key at all.
    fn asked(&mut self, policy: &Policy, effect: &OwnedEffect, token: TurnToken, typed: &str) -> Passed<P> {
        let Effect { link, subscriber, dialled, .. } = effect.as_effect();
        match &policy.resume {
            Resume::Ask { start, .. } if typed.trim() != &**start => self.ask(policy, subscriber, token),
            _ => {
                self.asking = None;
                let action = Action::Call(Callback::New { token, dialled, orphan: None });
                Passed::On(OwnedEffect::from(Effect { link, subscriber, dialled, action }))
            }
        }
    }

    /// Shows the last screen of the parked session.
    fn go_on(&mut self, policy: &Policy, to: Subscriber, token: TurnToken, parked: &Parked<P>) -> OwnedEvent {
        let mut screen = parked.screen.clone();
        if let (None, Some(fit)) = (&screen.pager, policy.fit.as_deref()) {
            // A reply that came late was never fitted.
            screen.pager = Pager::new(fit, &screen.text).ok();
        }
        let reply = screen.reply(policy, to, token);
        self.screen = Some(screen);
        reply
    }
}

fn continued<P>(effect: OwnedEffect, reply: OwnedEvent, parked: Parked<P>, now: Millis) -> Passed<P> {
    match parked.resumed(now) {
        Some(resumed) => Passed::Continued(effect, reply, Box::new(resumed)),
        None => Passed::Answered(reply),
    }
}

impl Kept {
    fn new(pager: Option<Pager>, verb: Verb, text: Text<'_>) -> Self {
        let (secret, expects_secret) = (text.is_secret(), text.expects_secret());
        Self { pager, text: text.as_str().into(), verb, secret, expects_secret }
    }

    fn may_be_parked(&self) -> bool {
        !self.secret && self.verb == Verb::Continue
    }

    /// The page on the screen as the application's reply to a turn.
    fn reply(&self, policy: &Policy, to: Subscriber, token: TurnToken) -> OwnedEvent {
        let page = match (policy.fit.as_deref(), &self.pager) {
            (Some(fit), Some(pager)) => Some(self.page(fit, pager)),
            _ => None,
        };
        let (page, more) = page.map_or((None, false), |(page, more)| (Some(page), more));
        let text = page.as_deref().unwrap_or(&self.text);
        let text = if self.secret { Text::secret(text) } else { Text::public(text) };
        let text = if self.expects_secret { text.expecting_secret() } else { text };
        let verb = if more { Verb::Continue } else { self.verb };
        Event::Reply { to, token, verb, text }.into()
    }

    fn page(&self, fit: &Fit, pager: &Pager) -> (String, bool) {
        let page = pager.page(fit);
        (page.to_string(), page.has_more())
    }
}

/// True if the reply to this turn will be taken.
fn awaits(record: &Record, token: TurnToken) -> bool {
    record.token() == token && record.state() == State::AppTurn && !record.is_held()
}

/// True if a session that ended so may be resumed.
fn is_broken_off(reason: CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::User
            | CloseReason::UserSlow
            | CloseReason::Net
            | CloseReason::AppSlow
            | CloseReason::LinkLost
            | CloseReason::SendFailed
            | CloseReason::Replaced
    )
}
