//! What is on the screen of one session, and what becomes of it when a key is pressed.

use super::{
    Passed,
    parking::{Key, Parked},
};
use crate::{
    action::{Action, Callback},
    engine::Effect,
    event::{Event, Verb},
    fit::{Fit, Pager},
    ids::TurnToken,
    owned::{OwnedEffect, OwnedEvent},
    policy::{Policy, Resume},
    subscriber::Subscriber,
    text::Text,
};

/// What is on the screen of a session.
#[derive(Clone, PartialEq)]
pub(crate) struct Shown<P> {
    pub(crate) at: Key,
    pub(crate) screen: Option<Kept>,
    /// The user has answered it, and the application has not replied yet.
    pub(crate) answered: bool,
    /// The question is on the screen whether an earlier session goes on.
    pub(crate) asking: Option<Box<Parked<P>>>,
    /// What the application was offered to show again.
    pub(crate) offered: Option<Kept>,
}

/// A screen as the application said it, and the page of it that is shown.
#[derive(Clone, PartialEq)]
pub(crate) struct Kept {
    /// None where nothing is fitted.
    pub(crate) pager: Option<Pager>,
    pub(crate) text: Box<str>,
    pub(crate) verb: Verb,
    pub(crate) secret: bool,
    pub(crate) expects_secret: bool,
}

impl<P> Shown<P> {
    pub(crate) fn new(at: Key) -> Self {
        Self { at, screen: None, answered: false, asking: None, offered: None }
    }

    /// True if the application has ended the session, and pages of its last text are left.
    pub(super) fn has_ended(&self) -> bool {
        self.screen.as_ref().is_some_and(|screen| screen.verb == Verb::End)
    }

    /// Asks whether the parked session goes on.
    pub(super) fn ask(&mut self, policy: &Policy, to: Subscriber, token: TurnToken) -> Passed<P> {
        let Resume::Ask { question, .. } = &policy.resume else { return Passed::Nothing };
        let pager = policy.fit.as_deref().and_then(|fit| Pager::one_screen(fit, question).ok());
        Passed::Answered(Kept::new(pager, Verb::Continue, Text::public(question)).reply(policy, to, token))
    }

    /// The parked session, if what the user says to that is the key for it.
    pub(super) fn goes_on(&mut self, policy: &Policy, typed: &str) -> Option<Box<Parked<P>>> {
        match &policy.resume {
            Resume::Ask { go_on, .. } if typed.trim() == &**go_on => self.asking.take(),
            _ => None,
        }
    }

    /// Anything else: the key for a new session, or no key at all.
    pub(super) fn asked(&mut self, policy: &Policy, effect: &OwnedEffect, token: TurnToken, typed: &str) -> Passed<P> {
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
    pub(super) fn go_on(
        &mut self,
        policy: &Policy,
        to: Subscriber,
        token: TurnToken,
        parked: &Parked<P>,
    ) -> OwnedEvent {
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

impl Kept {
    pub(crate) fn new(pager: Option<Pager>, verb: Verb, text: Text<'_>) -> Self {
        let (secret, expects_secret) = (text.is_secret(), text.expects_secret());
        Self { pager, text: text.as_str().into(), verb, secret, expects_secret }
    }

    pub(super) fn may_be_parked(&self) -> bool {
        !self.secret && self.verb == Verb::Continue
    }

    /// The page on the screen as the application's reply to a turn.
    pub(super) fn reply(&self, policy: &Policy, to: Subscriber, token: TurnToken) -> OwnedEvent {
        let page = match (policy.fit.as_deref(), &self.pager) {
            (Some(fit), Some(pager)) => Some(page(fit, pager)),
            _ => None,
        };
        let (page, more) = page.map_or((None, false), |(page, more)| (Some(page), more));
        let text = page.as_deref().unwrap_or(&self.text);
        let text = if self.secret { Text::secret(text) } else { Text::public(text) };
        let text = text.asking_for_secret(self.expects_secret);
        let verb = if more { Verb::Continue } else { self.verb };
        Event::Reply { to, token, verb, text }.into()
    }
}

/// The page that is shown; true if another follows.
fn page(fit: &Fit, pager: &Pager) -> (String, bool) {
    let page = pager.page(fit);
    (page.to_string(), page.has_more())
}
