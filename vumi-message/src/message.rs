//! All four kinds in one type, for hosts that carry them alike.

use serde::{Deserialize, Serialize, Serializer};

use crate::{DecodeError, DecodeOptions, Event, Failure, Status, UserMessage};

/// The kinds of message. The queue that a body comes from says which one it is, not the body.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`UserMessage`].
    User,
    /// [`Event`].
    Event,
    /// [`Status`].
    Status,
    /// [`Failure`].
    Failure,
}

impl Kind {
    /// The `message_type` that this kind is written with.
    pub fn message_type(self) -> &'static str {
        match self {
            Self::User => "user_message",
            Self::Event => "event",
            Self::Status => "status_event",
            Self::Failure => "failure_message",
        }
    }

    /// The kind that travels under a routing key of Vumi: `X.inbound`, `X.outbound`, `X.event`, `X.status.status`,
    /// `X.failures`.
    pub fn from_routing_key(key: &str) -> Option<Self> {
        let (connector, queue) = key.rsplit_once('.')?;
        match queue {
            _ if connector.is_empty() => None,
            "inbound" | "outbound" => Some(Self::User),
            "event" => Some(Self::Event),
            "failures" => Some(Self::Failure),
            "status" if connector.strip_suffix(".status").is_some_and(|name| !name.is_empty()) => Some(Self::Status),
            _ => None,
        }
    }
}

/// A message of any kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A text to or from a person.
    User(UserMessage),
    /// What became of a text.
    Event(Event),
    /// How well a component is.
    Status(Status),
    /// A message that could not be sent.
    Failure(Failure),
}

impl Message {
    /// Reads a body as a message of this kind.
    ///
    /// ```
    /// # use vumi_message::{DecodeOptions, Kind, Message};
    /// let kind = Kind::from_routing_key("sms_transport.event").ok_or("unknown queue")?;
    /// let error = Message::decode(kind, "{}", &DecodeOptions::default()).unwrap_err();
    /// assert_eq!(error.to_string(), "message_version: is missing");
    /// # Ok::<(), &str>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field that breaks a rule.
    pub fn decode(kind: Kind, body: impl AsRef<[u8]>, options: &DecodeOptions) -> Result<Self, DecodeError> {
        match kind {
            Kind::User => UserMessage::decode_with(body, options).map(Self::User),
            Kind::Event => Event::decode_with(body, options).map(Self::Event),
            Kind::Status => Status::decode_with(body, options).map(Self::Status),
            Kind::Failure => Failure::decode_with(body, options).map(Self::Failure),
        }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Event(_) => Kind::Event,
            Self::Status(_) => Kind::Status,
            Self::Failure(_) => Kind::Failure,
        }
    }

    /// The body to publish.
    pub fn to_vec(&self) -> Vec<u8> {
        crate::wire::to_vec(self)
    }

    /// [`to_vec`](Self::to_vec) as text.
    pub fn to_json(&self) -> String {
        String::from_utf8(self.to_vec()).unwrap_or_default()
    }
}

/// As the message in it. There is no `Deserialize`: a body does not say what it is.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::User(message) => message.serialize(serializer),
            Self::Event(event) => event.serialize(serializer),
            Self::Status(status) => status.serialize(serializer),
            Self::Failure(failure) => failure.serialize(serializer),
        }
    }
}

macro_rules! from_kind {
    ($($variant:ident($name:ident)),+) => {
        $(impl From<$name> for Message {
            fn from(message: $name) -> Self {
                Self::$variant(message)
            }
        })+
    };
}
from_kind!(User(UserMessage), Event(Event), Status(Status), Failure(Failure));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_says_the_kind() {
        for (key, kind) in [
            ("bind_a.inbound", Some(Kind::User)),
            ("bind_a.outbound", Some(Kind::User)),
            ("a.b.event", Some(Kind::Event)),
            ("bind_a.failures", Some(Kind::Failure)),
            ("bind_a.status.status", Some(Kind::Status)),
            ("bind_a.status", None),
            (".inbound", None),
            (".status.status", None),
            ("inbound", None),
            ("heartbeat.inbounds", None),
        ] {
            assert_eq!(Kind::from_routing_key(key), kind, "{key}");
        }
    }

    #[test]
    fn the_body_does_not() {
        let event = Event::default();
        let error = Message::decode(Kind::User, event.to_vec(), &DecodeOptions::default()).unwrap_err();
        assert_eq!(error.field, Some("to_addr"));
        let mut body = serde_json::to_value(UserMessage::default()).unwrap();
        body["message_type"] = "event".into();
        let message = Message::decode(Kind::User, body.to_string(), &DecodeOptions::default()).unwrap();
        assert_eq!(message.kind(), Kind::User);
        assert_eq!(serde_json::to_value(&message).unwrap(), body);
    }
}
