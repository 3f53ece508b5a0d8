//! Events and effects that own their texts, to go through channels.

use std::fmt;

use compact_str::CompactString;

use crate::{
    action::{Action, Callback, Frame},
    engine::Effect,
    event::Event,
    text::Text,
};

/// An [`Event`] that owns its text.
#[derive(Clone)]
pub struct OwnedEvent {
    /// The event with an empty text.
    bare: Event<'static>,
    text: CompactString,
}

impl OwnedEvent {
    /// The event, to be handled.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        retext_event(&self.bare, &self.text).0
    }
}

impl From<Event<'_>> for OwnedEvent {
    fn from(event: Event<'_>) -> Self {
        let (bare, text) = retext_event(&event, "");
        Self { bare, text: text.into() }
    }
}

impl fmt::Debug for OwnedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_event().fmt(f)
    }
}

/// An [`Effect`] that owns its texts.
#[derive(Clone)]
pub struct OwnedEffect {
    /// The effect with empty texts.
    bare: Effect<'static>,
    dialled: CompactString,
    text: CompactString,
}

impl OwnedEffect {
    /// The effect, to be done.
    #[must_use]
    pub fn as_effect(&self) -> Effect<'_> {
        let action = retext_action(&self.bare.action, &self.text, &self.dialled).0;
        Effect { dialled: &self.dialled, action, ..self.bare }
    }
}

impl From<Effect<'_>> for OwnedEffect {
    fn from(effect: Effect<'_>) -> Self {
        let (action, text) = retext_action(&effect.action, "", "");
        let bare = Effect { link: effect.link, subscriber: effect.subscriber, dialled: "", action };
        Self { bare, dialled: effect.dialled.into(), text: text.into() }
    }
}

impl fmt::Debug for OwnedEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_effect().fmt(f)
    }
}

/// The event with another text in place of its own, which is handed back.
fn retext_event<'a, 'b>(event: &Event<'a>, with: &'b str) -> (Event<'b>, &'a str) {
    let change = |text: Text<'a>| (text.with(with), text.as_str());
    let change_some = |text: Option<Text<'a>>| match text {
        Some(text) => (Some(text.with(with)), text.as_str()),
        None => (None, ""),
    };
    match event.clone() {
        Event::Begin { from, dialled, net, phase, dedup } => {
            (Event::Begin { from, dialled: with, net, phase, dedup }, dialled)
        }
        Event::Answer { from, text, net, dedup } => {
            let (text, old) = change(text);
            (Event::Answer { from, text, net, dedup }, old)
        }
        Event::UserEnd { from, net, text } => {
            let (text, old) = change_some(text);
            (Event::UserEnd { from, net, text }, old)
        }
        Event::NetTimeout { from, net, text } => {
            let (text, old) = change_some(text);
            (Event::NetTimeout { from, net, text }, old)
        }
        Event::Reply { to, token, verb, text } => {
            let (text, old) = change(text);
            (Event::Reply { to, token, verb, text }, old)
        }
        Event::Redirect { to, token, target } => (Event::Redirect { to, token, target: with }, target),
        Event::Push { to, kind, text, correlation } => {
            let (text, old) = change(text);
            (Event::Push { to, kind, text, correlation }, old)
        }
        Event::NotifyOk { from, net } => (Event::NotifyOk { from, net }, ""),
        Event::NetError { from, net, why } => (Event::NetError { from, net, why }, ""),
        Event::SendOk { to, token } => (Event::SendOk { to, token }, ""),
        Event::SendFailed { to, token, why } => (Event::SendFailed { to, token, why }, ""),
        Event::LinkDown => (Event::LinkDown, ""),
        Event::LinkUp => (Event::LinkUp, ""),
        Event::Abort { to, token } => (Event::Abort { to, token }, ""),
        Event::HandlerFailed { to, token } => (Event::HandlerFailed { to, token }, ""),
        Event::Discard { to, session, why } => (Event::Discard { to, session, why }, ""),
        Event::Tick => (Event::Tick, ""),
    }
}

/// The action with other texts in place of its own; its own text is handed back.
fn retext_action<'a, 'b>(action: &Action<'a>, with: &'b str, code: &'b str) -> (Action<'b>, &'a str) {
    match action.clone() {
        Action::Send(Frame { kind, net, token, text, again }) => {
            (Action::Send(Frame { kind, net, token, text: text.with(with), again }), text.as_str())
        }
        Action::Call(callback) => {
            let (callback, old) = retext_callback(callback, with, code);
            (Action::Call(callback), old)
        }
        Action::Hold { token, verb, text } => (Action::Hold { token, verb, text: text.with(with) }, text.as_str()),
        Action::Reject { subject, why } => (Action::Reject { subject, why }, ""),
        Action::Pushed { token, correlation } => (Action::Pushed { token, correlation }, ""),
        Action::Coalesced { token } => (Action::Coalesced { token }, ""),
        Action::Closed(summary) => (Action::Closed(summary), ""),
        Action::Ignored(why) => (Action::Ignored(why), ""),
        Action::Release { token } => (Action::Release { token }, ""),
        Action::Again { token, net } => (Action::Again { token, net }, ""),
    }
}

fn retext_callback<'a, 'b>(callback: Callback<'a>, with: &'b str, code: &'b str) -> (Callback<'b>, &'a str) {
    let change_some = |text: Option<Text<'a>>| match text {
        Some(text) => (Some(text.with(with)), text.as_str()),
        None => (None, ""),
    };
    match callback {
        Callback::New { token, orphan, .. } => {
            let (orphan, old) = change_some(orphan);
            (Callback::New { token, dialled: code, orphan }, old)
        }
        Callback::Existing { token, text } => (Callback::Existing { token, text: text.with(with) }, text.as_str()),
        Callback::TimedOut { token, side, text } => {
            let (text, old) = change_some(text);
            (Callback::TimedOut { token, side, text }, old)
        }
        Callback::Ended { token, why, text } => {
            let (text, old) = change_some(text);
            (Callback::Ended { token, why, text }, old)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{LinkId, NetId, SessionId, TurnToken},
        subscriber::Subscriber,
    };

    #[test]
    fn texts_survive() {
        let from: Subscriber = "27831234567".parse().unwrap();
        let event = Event::Answer { from, text: Text::secret("4321"), net: NetId::NONE, dedup: None };
        let owned = OwnedEvent::from(event.clone());
        assert_eq!(owned.as_event(), event);
        assert!(!format!("{owned:?}").contains("4321"));

        let token = TurnToken { session: SessionId::from_bits(5).unwrap(), turn: 1 };
        let action = Action::Call(Callback::New { token, dialled: "*1#", orphan: Some(Text::public("1")) });
        let effect = Effect { link: LinkId(3), subscriber: from, dialled: "*1#", action };
        assert_eq!(OwnedEffect::from(effect.clone()).as_effect(), effect);
    }
}
