//! `event`: what became of a user message.

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::wire::{Fields, Wire, Writer, wire_message};
use crate::{DeliveryStatus, Kind, Metadata, Stamp, Timestamp};

/// What became of one user message (`event`).
#[doc(alias = "TransportEvent")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// The event's own id, opaque.
    pub event_id: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The `message_id` of the message that it is about; null where the transport does not know it any more.
    pub user_message_id: Option<String>,
    /// What happened (`event_type` and the field that belongs to it).
    pub event_type: EventType,
    /// The transport that says so. vumi2 does not know this field.
    pub transport_name: Option<String>,
    /// What the transport has to say besides.
    pub transport_metadata: Metadata,
    /// Notes of middleware.
    pub helper_metadata: Metadata,
    /// The endpoint, see [`endpoint`](Self::endpoint).
    pub routing_metadata: Metadata,
    /// Keys that are none of the fields above, fields of the other event types that are not null (vumi2 writes
    /// `sent_message_id` on nacks), and values that only a [`Compat`](crate::Compat) other than lenient lets stand in a
    /// field; written back. A field at its default gives way to a key of its name here.
    pub extra: Map<String, Value>,
}

/// What happened to a message: `event_type` and the one field that belongs to it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventType {
    /// The network took the message (`ack`).
    Ack {
        /// The id that the network gave it; may be empty, and may join several ids with commas.
        sent_message_id: String,
    },
    /// The network did not take it (`nack`).
    Nack {
        /// Why, in free text.
        nack_reason: String,
    },
    /// What the network did with it later (`delivery_report`).
    DeliveryReport {
        /// What became of it.
        delivery_status: DeliveryStatus,
    },
}

impl EventType {
    const WORDS: &[&str] = &["ack", "nack", "delivery_report"];

    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ack { .. } => "ack",
            Self::Nack { .. } => "nack",
            Self::DeliveryReport { .. } => "delivery_report",
        }
    }
}

/// An ack with an empty id.
impl Default for EventType {
    fn default() -> Self {
        Self::Ack { sent_message_id: String::new() }
    }
}

impl Event {
    /// An event of the stamp's id and time about the message of this id.
    pub fn new(stamp: Stamp, user_message_id: impl Into<String>, event_type: EventType) -> Self {
        Self {
            event_id: stamp.id,
            timestamp: stamp.timestamp,
            user_message_id: Some(user_message_id.into()),
            event_type,
            ..Self::default()
        }
    }

    /// The event in one word: `ack`, `nack`, or `delivery_report.` and the status.
    pub fn status(&self) -> String {
        match &self.event_type {
            EventType::DeliveryReport { delivery_status } => format!("delivery_report.{delivery_status}"),
            other => other.as_str().to_owned(),
        }
    }
}

wire_message!(Event);

impl Wire for Event {
    const KIND: Kind = Kind::Event;
    const FIELDS: &'static [&'static str] = &[
        "message_version",
        "message_type",
        "event_type",
        "sent_message_id",
        "nack_reason",
        "delivery_status",
        "event_id",
        "timestamp",
        "user_message_id",
        "transport_name",
        "transport_metadata",
        "helper_metadata",
        "routing_metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.require(&["user_message_id"])?;
        fields.vumi_requires(&["event_id"])?;
        Ok(Self {
            event_type: read_event_type(fields)?,
            event_id: fields.id("event_id")?,
            timestamp: fields.timestamp()?,
            user_message_id: fields.nullable_text("user_message_id")?,
            transport_name: fields.nullable_text("transport_name")?,
            transport_metadata: fields.object("transport_metadata")?,
            helper_metadata: fields.object("helper_metadata")?,
            routing_metadata: fields.object("routing_metadata")?,
            extra: Map::new(),
        })
    }

    fn write<M: SerializeMap>(&self, out: &mut Writer<'_, M>) -> Result<(), M::Error> {
        let (mut ack, mut nack, mut report) = (None, None, None);
        match &self.event_type {
            EventType::Ack { sent_message_id } => ack = Some(sent_message_id),
            EventType::Nack { nack_reason } => nack = Some(nack_reason),
            EventType::DeliveryReport { delivery_status } => report = Some(delivery_status),
        }
        out.plain("event_type", false, self.event_type.as_str())?;
        // The two that this event does not use are null, as vumi2 writes them, or what came in.
        out.plain("sent_message_id", ack.is_none_or(String::is_empty), &ack)?;
        out.plain("nack_reason", nack.is_none_or(String::is_empty), &nack)?;
        out.plain("delivery_status", report.is_none(), &report)?;
        out.field("event_id", &self.event_id)?;
        out.field("timestamp", &self.timestamp)?;
        out.field("user_message_id", &self.user_message_id)?;
        out.field("transport_name", &self.transport_name)?;
        out.field("transport_metadata", &self.transport_metadata)?;
        out.field("helper_metadata", &self.helper_metadata)?;
        out.field("routing_metadata", &self.routing_metadata)
    }
}

fn read_event_type(fields: &mut Fields<'_>) -> Result<EventType, DecodeError> {
    let kind = fields.closed("event_type", EventType::WORDS, |word| match word {
        "ack" => Some(EventType::default()),
        "nack" => Some(EventType::Nack { nack_reason: String::new() }),
        "delivery_report" => Some(EventType::DeliveryReport { delivery_status: DeliveryStatus::Pending }),
        _ => None,
    })?;
    let event_type = match kind {
        EventType::Ack { .. } => EventType::Ack { sent_message_id: fields.present_text("sent_message_id")? },
        EventType::Nack { .. } => EventType::Nack { nack_reason: fields.present_text("nack_reason")? },
        EventType::DeliveryReport { .. } => EventType::DeliveryReport {
            delivery_status: fields.closed("delivery_status", DeliveryStatus::WORDS, DeliveryStatus::from_word)?,
        },
    };
    // At most two are left, since the one in use is taken.
    fields.unused_text("sent_message_id")?;
    fields.unused_text("nack_reason")?;
    fields.unused_word("delivery_status", DeliveryStatus::WORDS)?;
    Ok(event_type)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Compat, DecodeOptions, Rule};

    fn stamp() -> Stamp {
        Stamp::new("e1", "2026-02-03 04:05:07.1".parse().unwrap())
    }

    #[test]
    fn unused_fields_are_null() {
        let event = Event::new(stamp(), "m1", EventType::Ack { sent_message_id: "gw-77".to_owned() });
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            json!({
                "message_version": "20110921", "message_type": "event", "event_type": "ack",
                "sent_message_id": "gw-77", "nack_reason": null, "delivery_status": null,
                "event_id": "e1", "timestamp": "2026-02-03 04:05:07.100000", "user_message_id": "m1",
                "transport_name": null, "transport_metadata": {}, "helper_metadata": {}, "routing_metadata": {},
            })
        );
        assert_eq!(Event::decode(event.to_vec()), Ok(event));
    }

    #[test]
    fn a_nack_keeps_the_id_that_vumi2_writes_on_it() {
        let mut event = Event::new(stamp(), "m1", EventType::Nack { nack_reason: "no".to_owned() });
        event.extra.insert("sent_message_id".to_owned(), json!("m1"));
        assert_eq!(Event::decode(event.to_vec()), Ok(event.clone()));
        assert_eq!(serde_json::to_value(&event).unwrap()["sent_message_id"], json!("m1"));
        // Once it is an ack, its own field counts.
        event.event_type = EventType::Ack { sent_message_id: "gw".to_owned() };
        assert_eq!(serde_json::to_value(&event).unwrap()["sent_message_id"], json!("gw"));
    }

    #[test]
    fn the_field_of_the_type_must_be_there_and_not_null() {
        let status = DeliveryStatus::Delivered;
        for (event_type, field, null_rule) in [
            (EventType::Ack { sent_message_id: "1".to_owned() }, "sent_message_id", Rule::NotNull),
            (EventType::Nack { nack_reason: "1".to_owned() }, "nack_reason", Rule::NotNull),
            (
                EventType::DeliveryReport { delivery_status: status },
                "delivery_status",
                Rule::OneOf(DeliveryStatus::WORDS),
            ),
        ] {
            let mut body = serde_json::to_value(Event::new(stamp(), "m1", event_type)).unwrap();
            for compat in [Compat::Lenient, Compat::Vumi, Compat::Vumi2] {
                let options = DecodeOptions::default().compat(compat);
                body[field] = Value::Null;
                let error = Event::decode_with(body.to_string(), &options).unwrap_err();
                assert_eq!((error.field, &error.rule), (Some(field), &null_rule));
                let mut absent = body.clone();
                absent.as_object_mut().unwrap().remove(field);
                let error = Event::decode_with(absent.to_string(), &options).unwrap_err();
                assert_eq!((error.field, error.rule), (Some(field), Rule::Missing));
            }
        }
    }

    #[test]
    fn the_status_in_one_word() {
        let report = EventType::DeliveryReport { delivery_status: DeliveryStatus::Failed };
        assert_eq!(Event::new(stamp(), "m1", report).status(), "delivery_report.failed");
        assert_eq!(Event::new(stamp(), "m1", EventType::default()).status(), "ack");
    }
}
