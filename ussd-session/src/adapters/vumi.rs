//! Vumi: callbacks as messages to an application, its replies as events.
//!
//! | here | `session_event` | `content` |
//! |---|---|---|
//! | [`Callback::New`] | `new` | null |
//! | [`Callback::Existing`] | `resume` | what was typed, perhaps empty |
//! | [`Callback::TimedOut`], [`Callback::Ended`] | `close` | the gateway's text, or null |
//! | [`Event::Reply`], `Continue` | null or `resume`, with `in_reply_to` | null is the empty text |
//! | [`Event::Reply`], `End` | `close`, with `in_reply_to` | null is the empty text |
//! | [`Event::Push`], `Ask` | `new` | the question |
//!
//! The `message_id` of a message to the application holds the turn: 16 hex digits of session id, 4 of turn number,
//! and 12 of chance. A reply quotes it in `in_reply_to`, so no table is needed to know the turn again. Vumi cannot say
//! why a session ended; `helper_metadata.ussd` of a `close` does: `reason`, `session_id`, `turn`.

use serde_json::json;
use vumi_message::{Metadata, SessionEvent, Stamp, TransportType, UserMessage};

use crate::{
    action::{Action, Callback, EndWhy, Reject, Side},
    engine::Effect,
    event::{Event, PushKind, Verb},
    ids::{SessionId, TurnToken, fingerprint},
    owned::OwnedEvent,
    subscriber::{Subscriber, SubscriberError},
    text::Text,
};

/// What the host knows of its link and of the line that an event came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Via {
    /// The transport's name.
    pub transport_name: String,
    /// The network operator.
    pub provider: Option<String>,
    /// Notes on the line: for SSMI the genfields.
    pub helper_metadata: Metadata,
}

/// Why a message of an application is no event.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No `to_addr`.
    #[error("to_addr: null")]
    NoAddress,
    /// `to_addr` is no phone number.
    #[error("to_addr: {0}")]
    Address(#[from] SubscriberError),
    /// It is no push, and `in_reply_to` does not name a turn.
    #[error("in_reply_to: not the id of a message of this transport")]
    InReplyTo,
}

/// The message for the application, if the effect is a callback.
#[must_use]
pub fn message(effect: &Effect<'_>, stamp: &Stamp, via: &Via) -> Option<UserMessage> {
    let Action::Call(callback) = &effect.action else { return None };
    let token = callback.token();
    let owned = |text: &Option<Text<'_>>| text.map(|text| text.as_str().to_owned());
    let (session_event, content, reason) = match callback {
        Callback::New { orphan, .. } => (SessionEvent::New, owned(orphan), None),
        Callback::Existing { text, .. } => (SessionEvent::Resume, owned(&Some(*text)), None),
        Callback::TimedOut { side, text, .. } => (SessionEvent::Close, owned(text), Some(timed_out(*side))),
        Callback::Ended { why, text, .. } => (SessionEvent::Close, owned(text), Some(ended(*why))),
    };
    let mut helper_metadata = via.helper_metadata.clone();
    if let Some(reason) = reason {
        let notes = json!({ "reason": reason, "session_id": token.session.to_string(), "turn": token.turn });
        helper_metadata.insert("ussd".to_owned(), notes);
    }
    Some(UserMessage {
        message_id: message_id(token, stamp),
        timestamp: stamp.timestamp,
        from_addr: Some(effect.subscriber.to_string()),
        to_addr: Some(effect.dialled.to_owned()),
        session_event: Some(session_event),
        content,
        transport_name: Some(via.transport_name.clone()),
        transport_type: Some(TransportType::Ussd),
        provider: via.provider.clone(),
        helper_metadata,
        ..UserMessage::default()
    })
}

/// What a message of the application means.
///
/// Whether its turn is still the current one is the machine's to say: the engine answers with a
/// [`Action::Reject`] before it returns, and [`nack_reason`] puts that into words for a nack.
///
/// # Errors
/// It names no phone, or no turn.
pub fn event(message: &UserMessage) -> Result<OwnedEvent, Error> {
    let to: Subscriber = message.to_addr.as_deref().ok_or(Error::NoAddress)?.parse()?;
    let text = Text::public(message.content.as_deref().unwrap_or_default());
    let verb = match message.session_event {
        Some(SessionEvent::New) => {
            let correlation = correlation(message);
            return Ok(Event::Push { to, kind: PushKind::Ask, text, correlation }.into());
        }
        Some(SessionEvent::Close) => Verb::End,
        Some(SessionEvent::Resume) | None => Verb::Continue,
    };
    let token = message.in_reply_to.as_deref().and_then(token).ok_or(Error::InReplyTo)?;
    Ok(Event::Reply { to, token, verb, text }.into())
}

/// The turn that a `message_id` of ours holds; none if it is not ours.
#[must_use]
pub fn token(message_id: &str) -> Option<TurnToken> {
    let hex = message_id.len() == 32 && message_id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let session = u64::from_str_radix(message_id.get(..16).filter(|_| hex)?, 16).ok()?;
    let turn = u16::from_str_radix(message_id.get(16..20)?, 16).ok()?;
    Some(TurnToken { session: SessionId::from_bits(session)?, turn })
}

/// The mark with which a push comes back in [`Action::Pushed`] or [`Action::Reject`].
#[must_use]
pub fn correlation(message: &UserMessage) -> u64 {
    fingerprint(message.message_id.as_bytes())
}

/// Why a reply was refused, for the nack.
#[must_use]
pub fn nack_reason(why: Reject) -> String {
    why.to_string()
}

fn message_id(token: TurnToken, stamp: &Stamp) -> String {
    // A stamp's id may be any text; of the usual 32 hex digits its end is as good as chance.
    let chance = stamp.id.get(stamp.id.len().saturating_sub(12)..).and_then(|end| u64::from_str_radix(end, 16).ok());
    let chance = chance.unwrap_or_else(|| fingerprint(stamp.id.as_bytes())) & 0xFFFF_FFFF_FFFF;
    format!("{:016x}{:04x}{chance:012x}", token.session.to_bits(), token.turn)
}

fn timed_out(side: Side) -> &'static str {
    match side {
        Side::App => "timed_out_app",
        Side::User => "timed_out_user",
        Side::Net => "timed_out_network",
    }
}

fn ended(why: EndWhy) -> &'static str {
    match why {
        EndWhy::User => "user",
        EndWhy::Replaced => "replaced",
        EndWhy::Network(_) => "network",
        EndWhy::PushFailed(_) => "push_failed",
        EndWhy::SendFailed(_) => "send_failed",
        EndWhy::LinkLost => "link_lost",
        EndWhy::Shutdown => "shutdown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::NetWhy, ids::LinkId};

    const STAMP: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    fn turn(turn: u16) -> TurnToken {
        TurnToken { session: SessionId::from_bits(0x0123_4567_89AB_CDEF).unwrap(), turn }
    }

    fn said(callback: Callback<'_>) -> UserMessage {
        let subscriber = "27831112222".parse().unwrap();
        let effect = Effect { link: LinkId(0), subscriber, dialled: "*120#", action: Action::Call(callback) };
        let via = Via { transport_name: "truteq".into(), ..Via::default() };
        message(&effect, &Stamp::new(STAMP, Default::default()), &via).unwrap()
    }

    #[test]
    fn callbacks_as_messages() {
        let new = said(Callback::New { token: turn(1), dialled: "*120#", orphan: None });
        assert_eq!(new.message_id, "0123456789abcdef0001a5b4c3d2e1f0");
        assert_eq!((new.session_event, new.content.as_deref()), (Some(SessionEvent::New), None));
        assert_eq!((new.from_addr.as_deref(), new.to_addr.as_deref()), (Some("+27831112222"), Some("*120#")));
        assert!(new.helper_metadata.is_empty());

        let empty = said(Callback::Existing { token: turn(2), text: Text::default() });
        assert_eq!((empty.session_event, empty.content.as_deref()), (Some(SessionEvent::Resume), Some("")));

        let why = EndWhy::Network(NetWhy::Aborted);
        let close = said(Callback::Ended { token: turn(2), why, text: None });
        assert_eq!(close.session_event, Some(SessionEvent::Close));
        let notes = json!({ "reason": "network", "session_id": "0123456789abcdef", "turn": 2 });
        assert_eq!(close.helper_metadata.get("ussd"), Some(&notes));
    }

    #[test]
    fn replies_as_events() {
        let inbound = said(Callback::Existing { token: turn(7), text: Text::public("1") });
        let reply = |session_event| inbound.reply(Stamp::new("x", Default::default()), "Menu", session_event);
        let to = "27831112222".parse().unwrap();
        for (session_event, verb) in [
            (None, Verb::Continue),
            (Some(SessionEvent::Resume), Verb::Continue),
            (Some(SessionEvent::Close), Verb::End),
        ] {
            let expected = Event::Reply { to, token: turn(7), verb, text: Text::public("Menu") };
            assert_eq!(event(&reply(session_event)).unwrap().as_event(), expected);
        }
        let push = reply(Some(SessionEvent::New));
        let kind = PushKind::Ask;
        let expected = Event::Push { to, kind, text: Text::public("Menu"), correlation: correlation(&push) };
        assert_eq!(event(&push).unwrap().as_event(), expected);
        let silent = UserMessage { content: None, ..reply(None) };
        let expected = Event::Reply { to, token: turn(7), verb: Verb::Continue, text: Text::default() };
        assert_eq!(event(&silent).unwrap().as_event(), expected);
    }

    #[test]
    fn what_is_no_event() {
        let inbound = said(Callback::Existing { token: turn(7), text: Text::public("1") });
        let reply = inbound.reply(Stamp::new("x", Default::default()), "Menu", None);
        assert_eq!(event(&UserMessage { to_addr: None, ..reply.clone() }).unwrap_err(), Error::NoAddress);
        let nobody = UserMessage { to_addr: Some("irc".into()), ..reply.clone() };
        assert!(matches!(event(&nobody), Err(Error::Address(_))));
        for id in [None, Some("x"), Some("0000000000000000000100000000000g"), Some("00000000000000000001000000000000")]
        {
            let message = UserMessage { in_reply_to: id.map(Into::into), ..reply.clone() };
            assert_eq!(event(&message).unwrap_err(), Error::InReplyTo, "{id:?}");
        }
        assert!(token("0123456789ABCDEF0001a5b4c3d2e1f0").is_none());
        assert!(token("äääääääääääääääa").is_none());
    }
}
