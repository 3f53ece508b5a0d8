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

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Compat, DecodeOptions, Rule};

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            Just(json!("2015-01-02 23:14:11")),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn metadata() -> impl Strategy<Value = Metadata> {
        btree_map(".{0,6}", json_value(), 0..4).prop_map(|map| map.into_iter().collect())
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        option::of(prop_oneof![any::<String>(), Just("2015-01-02 23:14:11".to_owned())])
    }

    prop_compose! {
        fn message()(
            ids in (any::<String>(), any::<i64>()),
            addresses in (text(), text(), text(), text()),
            others in (text(), text(), text(), option::of("[a-z_]{0,9}")),
            event in option::of(prop_oneof![
                Just(SessionEvent::New), Just(SessionEvent::Resume), Just(SessionEvent::Close)
            ]),
            objects in (metadata(), metadata(), metadata(), metadata()),
            types in (option::of("[a-z_]{0,9}"), option::of(Just("msisdn".to_owned()))),
        ) -> UserMessage {
            UserMessage {
                message_id: ids.0,
                timestamp: Timestamp::from_unix_micros(ids.1),
                to_addr: addresses.0,
                from_addr: addresses.1,
                content: addresses.2,
                session_event: event,
                in_reply_to: addresses.3,
                group: others.0,
                provider: others.1,
                transport_name: others.2,
                transport_type: others.3.map(TransportType::from),
                transport_metadata: objects.0,
                helper_metadata: objects.1,
                routing_metadata: objects.2,
                to_addr_type: types.0.map(AddressType::from),
                from_addr_type: types.1.map(AddressType::from),
                extra: objects.3.into_iter().filter(|(key, _)| !UserMessage::FIELDS.contains(&key.as_str())).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn any_message_comes_back(message in message()) {
            prop_assert_eq!(UserMessage::decode(message.to_vec()), Ok(message.clone()));
            prop_assert_eq!(UserMessage::decode(message.to_json()), Ok(message.clone()));
            let value = serde_json::to_value(&message).unwrap();
            prop_assert_eq!(serde_json::from_value::<UserMessage>(value).unwrap(), message.clone());
            let vumi = DecodeOptions::default().compat(Compat::Vumi);
            prop_assert_eq!(UserMessage::decode_with(message.to_vec(), &vumi), Ok(message));
        }

        #[test]
        fn no_field_value_is_lost_or_stops_us(field in prop::sample::select(UserMessage::FIELDS), value in json_value()) {
            let mut body = serde_json::to_value(UserMessage::default()).unwrap();
            body[field] = value.clone();
            let vumi = DecodeOptions::default().compat(Compat::Vumi);
            if let Ok(message) = UserMessage::decode_with(body.to_string(), &vumi) {
                let written = serde_json::to_value(&message).unwrap();
                if field == "timestamp" && message.extra.is_empty() {
                    body[field] = Value::from(message.timestamp.to_string());
                }
                prop_assert_eq!(written, body.clone());
            }
            match UserMessage::decode(body.to_string()) {
                Ok(message) => prop_assert!(message.extra.keys().all(|key| key == "message_type")),
                Err(error) => prop_assert_eq!(error.field, Some(field)),
            }
        }

        #[test]
        fn no_octets_stop_us(body in vec(any::<u8>(), 0..200)) {
            for compat in [Compat::Lenient, Compat::Vumi, Compat::Vumi2] {
                let _verdict = UserMessage::decode_with(&body, &DecodeOptions::default().compat(compat));
            }
        }
    }

    #[test]
    fn every_field_is_written_even_where_null() {
        let body = serde_json::to_value(UserMessage::default()).unwrap();
        for field in UserMessage::FIELDS {
            assert!(body.get(field).is_some(), "{field}");
        }
        assert_eq!(body.as_object().unwrap().len(), UserMessage::FIELDS.len());
    }

    #[test]
    fn an_absent_id_or_time_is_the_stamps() {
        let body = r#"{"message_version":"20110921","to_addr":"1","from_addr":null,"transport_name":"t",
            "transport_type":"old_simple_http"}"#;
        let error = UserMessage::decode(body).unwrap_err();
        assert_eq!((error.field, error.rule), (Some("message_id"), Rule::Missing));
        let stamp = crate::Stamp::new("s1", Timestamp::from_unix_millis(5));
        let message = UserMessage::decode_with(body, &DecodeOptions::default().stamp(stamp)).unwrap();
        assert_eq!((message.message_id.as_str(), message.timestamp.unix_millis()), ("s1", 5));
    }
}
