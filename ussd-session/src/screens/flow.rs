//! How replies and effects pass the screens: the same in one process and over a store.

use std::time::Duration;

use super::{
    Passed,
    parking::{Key, Parked},
    shown::{Kept, Shown},
};
use crate::{
    action::{Action, Callback, CloseReason, Reject},
    dialled::Dialled,
    engine::Effect,
    event::{Event, Phase, Verb},
    fit::{Alphabet, Fit, Pager},
    ids::{LinkId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
    policy::{Policy, Resume},
    record::{Record, State},
    time::Millis,
};

/// Where screens are kept: those of all sessions of a process, or those of one phone beside its record.
pub(crate) trait Keeper<P> {
    /// True if a secret may be held while its user turns its pages.
    const HOLDS_SECRETS: bool;

    /// The screen of a session.
    fn shown(&mut self, session: SessionId) -> Option<&mut Shown<P>>;

    /// The screen of a session, an empty one if it has none yet.
    fn show(&mut self, session: SessionId, at: Key) -> &mut Shown<P>;

    /// Takes the screen of a session that is over.
    fn take(&mut self, session: SessionId) -> Option<Shown<P>>;

    /// Lets a session wait to be resumed.
    fn park(&mut self, at: Key, parked: Parked<P>);

    /// Takes the session of this phone and service that waits; none if it cannot go on.
    fn unpark(&mut self, at: &Key, now: Millis) -> Option<Parked<P>>;

    /// Takes a reply that came too late for its session; true if it is what the user is to see.
    fn late(&mut self, token: TurnToken, reply: impl FnOnce() -> Kept) -> bool;
}

/// What becomes of an event of the application.
pub(crate) enum Said {
    /// It is to be handed in as it is.
    AsIs,
    /// The same, and it is kept for the next time that the phone dials.
    Late,
    /// This is to be handed in instead.
    Fitted {
        event: OwnedEvent,
        /// How the text is written, if it was fitted.
        alphabet: Option<Alphabet>,
    },
}

/// An event of the application on its way in. `record` is the phone's.
///
/// # Errors
/// The text can be shown on no screen of the link.
pub(crate) fn reply<P, K: Keeper<P>>(
    keeper: &mut K,
    policy: &Policy,
    link: LinkId,
    event: &Event<'_>,
    record: Option<&Record>,
) -> Result<Said, Reject> {
    let (fit, resumes) = (policy.fit.as_deref(), policy.resume != Resume::Start);
    match *event {
        Event::Reply { to, token, verb, text } if fit.is_some() || resumes => {
            let Some(record) = record.filter(|record| awaits(record, token)) else {
                let is_kept = keeper.late(token, || Kept::new(None, verb, text));
                return Ok(if is_kept { Said::Late } else { Said::AsIs });
            };
            let is_last = verb == Verb::End || record.phase() == Phase::One;
            let pager = match fit {
                Some(fit) if record.phase() == Phase::One => Some(Pager::one_screen(fit, text.as_str())),
                Some(fit) if text.is_secret() && !K::HOLDS_SECRETS => Some(Pager::undivided(fit, text.as_str())),
                Some(fit) => Some(Pager::new(fit, text.as_str())),
                None => None,
            };
            let mut screen = Kept::new(pager.transpose().map_err(Reject::Unfit)?, verb, text);
            let offered = keeper.shown(token.session).and_then(|shown| shown.offered.take());
            if let Some(offered) = offered.filter(|offered| offered.text == screen.text) {
                screen.pager = offered.pager.or(screen.pager);
            }
            let event = screen.reply(policy, to, token);
            let alphabet = screen.pager.as_ref().map(Pager::alphabet);
            let turns_pages = screen.pager.as_ref().is_some_and(Pager::is_paged);
            let is_resumable = resumes && !is_last && !text.is_secret() && text.as_str().len() <= Fit::LONGEST;
            if turns_pages || is_resumable {
                let shown = keeper.show(token.session, (link, to, "".into()));
                (shown.screen, shown.answered) = (Some(screen), false);
            } else if let Some(shown) = keeper.shown(token.session) {
                (shown.screen, shown.answered) = (None, false);
            }
            Ok(Said::Fitted { event, alphabet })
        }
        Event::Push { to, kind, text, correlation } => {
            let Some(fit) = fit else { return Ok(Said::AsIs) };
            let pager = Pager::one_screen(fit, text.as_str()).map_err(Reject::Unfit)?;
            let page = pager.page(fit).to_string();
            let event = Event::Push { to, kind, text: text.with(&page), correlation }.into();
            Ok(Said::Fitted { event, alphabet: None })
        }
        _ => Ok(Said::AsIs),
    }
}

/// An effect on its way out.
pub(crate) fn effect<P, K: Keeper<P>>(keeper: &mut K, policy: &Policy, effect: OwnedEffect, now: Millis) -> Passed<P> {
    let Effect { link, subscriber, dialled, action } = effect.as_effect();
    match action {
        Action::Call(Callback::New { token, orphan: None, .. }) if policy.resume != Resume::Start => {
            let at = (link, subscriber, policy.service_of(Dialled::new(dialled)).into());
            let parked = keeper.unpark(&at, now);
            let shown = keeper.show(token.session, at);
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
            let Some(shown) = keeper.shown(token.session) else { return Passed::On(effect) };
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
            match keeper.shown(token.session) {
                Some(shown) if shown.asking.is_some() || shown.has_ended() => Passed::Nothing,
                _ => Passed::On(effect),
            }
        }
        Action::Closed(summary) => {
            if let Some(shown) = keeper.take(summary.session) {
                let may_resume = policy.resume != Resume::Start && is_broken_off(summary.reason);
                match (shown.asking, shown.screen) {
                    (Some(parked), _) => keeper.park(shown.at, *parked),
                    (None, Some(screen)) if may_resume && screen.may_be_parked() && !shown.at.2.is_empty() => {
                        let token = TurnToken { session: summary.session, turn: summary.turns };
                        let until = now.after(Duration::from_millis(policy.park.into()));
                        keeper.park(shown.at, Parked::new(token, screen, shown.answered, now, until));
                    }
                    _ => {}
                }
            }
            Passed::On(effect)
        }
        _ => Passed::On(effect),
    }
}

fn continued<P>(effect: OwnedEffect, reply: OwnedEvent, parked: Parked<P>, now: Millis) -> Passed<P> {
    match parked.resumed(now) {
        Some(resumed) => Passed::Continued(effect, reply, Box::new(resumed)),
        None => Passed::Answered(reply),
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
