//! `user_message`: a text to or from a person.

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::wire::{Fields, Wire, Writer, wire_message};
use crate::{AddressType, Kind, Metadata, SessionEvent, Timestamp, TransportType};

/// A text to or from a person (`user_message`).
///
/// [`send`](Self::send) makes one that starts a talk, [`reply`](Self::reply) one that answers this one; every other is
/// built as a literal over `Default`, whose `message_id` is empty and whose `timestamp` is 1970: fill both from a
/// [`Stamp`](crate::Stamp). vumi2 reads neither a null `transport_type` nor null addresses rightly: set them for it.
#[doc(alias = "TransportUserMessage")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserMessage {
    /// The message's id, opaque.
    pub message_id: String,
    /// When the message was made.
    pub timestamp: Timestamp,
    /// Whom it is for; null for a message to a whole group.
    pub to_addr: Option<String>,
    /// Whom it is from; null where the transport decides.
    pub from_addr: Option<String>,
    /// The text; null is not the empty text: the first message of a USSD session has none.
    pub content: Option<String>,
    /// Where in a session the message stands; null where there is no session, and in answers that keep it open.
    pub session_event: Option<SessionEvent>,
    /// The id of the message that this one answers.
    pub in_reply_to: Option<String>,
    /// The group (channel, room) that the message belongs to.
    pub group: Option<String>,
    /// The network operator.
    pub provider: Option<String>,
    /// The transport that the message came through or shall go through.
    pub transport_name: Option<String>,
    /// The kind of network.
    pub transport_type: Option<TransportType>,
    /// What the transport wants back unchanged in a reply; opaque to everybody else.
    pub transport_metadata: Metadata,
    /// Notes of middleware, dispatchers and applications.
    pub helper_metadata: Metadata,
    /// The endpoint, see [`endpoint`](Self::endpoint).
    pub routing_metadata: Metadata,
    /// The kind of `to_addr`.
    pub to_addr_type: Option<AddressType>,
    /// The kind of `from_addr`.
    pub from_addr_type: Option<AddressType>,
    /// Keys that are none of the fields above (`__cache__` too), and values that only a
    /// [`Compat`](crate::Compat) other than lenient lets stand in a field; written back. A field at its default gives
    /// way to a key of its name here.
    pub extra: Map<String, Value>,
}

wire_message!(UserMessage);

impl Wire for UserMessage {
    const KIND: Kind = Kind::User;
    const FIELDS: &'static [&'static str] = &[
        "message_version",
        "message_type",
        "session_event",
        "message_id",
        "timestamp",
        "to_addr",
        "from_addr",
        "content",
        "in_reply_to",
        "group",
        "provider",
        "transport_name",
        "transport_type",
        "transport_metadata",
        "helper_metadata",
        "routing_metadata",
        "to_addr_type",
        "from_addr_type",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.vumi_requires(&["message_id"])?;
        fields.require(&["to_addr", "from_addr"])?;
        fields.vumi_requires(&["in_reply_to", "session_event", "content"])?;
        fields.require(&["transport_name", "transport_type"])?;
        fields.vumi_requires(&["transport_metadata"])?;
        Ok(Self {
            session_event: fields.nullable_closed("session_event", SessionEvent::WORDS, SessionEvent::from_word)?,
            message_id: fields.id("message_id")?,
            timestamp: fields.timestamp()?,
            to_addr: fields.nullable_text("to_addr")?,
            from_addr: fields.nullable_text("from_addr")?,
            content: fields.nullable_text("content")?,
            in_reply_to: fields.nullable_text("in_reply_to")?,
            group: fields.nullable_text("group")?,
            provider: fields.nullable_text("provider")?,
            transport_name: fields.nullable_text("transport_name")?,
            transport_type: fields.open("transport_type", TransportType::WORDS, false)?,
            transport_metadata: fields.object("transport_metadata")?,
            helper_metadata: fields.object("helper_metadata")?,
            routing_metadata: fields.object("routing_metadata")?,
            to_addr_type: fields.open("to_addr_type", AddressType::WORDS, true)?,
            from_addr_type: fields.open("from_addr_type", AddressType::WORDS, true)?,
            extra: Map::new(),
        })
    }

    fn keep(&mut self, extra: Map<String, Value>) {
        self.extra = extra;
    }

    fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    fn write<M: SerializeMap>(&self, out: &mut Writer<'_, M>) -> Result<(), M::Error> {
        out.field("session_event", &self.session_event)?;
        out.field("message_id", &self.message_id)?;
        out.field("timestamp", &self.timestamp)?;
        out.field("to_addr", &self.to_addr)?;
        out.field("from_addr", &self.from_addr)?;
        out.field("content", &self.content)?;
        out.field("in_reply_to", &self.in_reply_to)?;
        out.field("group", &self.group)?;
        out.field("provider", &self.provider)?;
        out.field("transport_name", &self.transport_name)?;
        out.field("transport_type", &self.transport_type)?;
        out.field("transport_metadata", &self.transport_metadata)?;
        out.field("helper_metadata", &self.helper_metadata)?;
        out.field("routing_metadata", &self.routing_metadata)?;
        out.field("to_addr_type", &self.to_addr_type)?;
        out.field("from_addr_type", &self.from_addr_type)
    }
}
