//! `status_event`: how well one component of a transport is.

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::wire::{Fields, Wire, Writer, wire_message};
use crate::{Kind, Metadata, Stamp, StatusLevel, Timestamp};

/// How well one component of a transport is (`status_event`, vumi only). Published when it changes.
#[doc(alias = "TransportStatus")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// When this was found.
    pub timestamp: Timestamp,
    /// The part of the transport, such as `smpp`.
    pub component: String,
    /// How well it is (`status`).
    pub status: StatusLevel,
    /// What happened, as a word for programs, such as `bind_timeout` (`type`).
    #[doc(alias = "type")]
    pub status_type: String,
    /// What happened, for people.
    pub message: String,
    /// Why, in whatever form the sender likes.
    pub reasons: Vec<Value>,
    /// More about it.
    pub details: Metadata,
    /// Notes of middleware.
    pub helper_metadata: Metadata,
    /// The endpoint, see [`endpoint`](Self::endpoint).
    pub routing_metadata: Metadata,
    /// Keys that are none of the fields above, and values that only [`Compat::Vumi`](crate::Compat) lets stand in a
    /// field; written back. A field at its default gives way to a key of its name here.
    pub extra: Map<String, Value>,
}

impl Status {
    /// A status of the stamp's time; a status has no id.
    pub fn new(
        stamp: Stamp,
        component: impl Into<String>,
        status: StatusLevel,
        status_type: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            timestamp: stamp.timestamp,
            component: component.into(),
            status,
            status_type: status_type.into(),
            message: message.into(),
            ..Self::default()
        }
    }
}

wire_message!(Status);

impl Wire for Status {
    const KIND: Kind = Kind::Status;
    const FIELDS: &'static [&'static str] = &[
        "message_version",
        "message_type",
        "status",
        "timestamp",
        "component",
        "type",
        "message",
        "reasons",
        "details",
        "helper_metadata",
        "routing_metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.require(&["component", "status", "type", "message"])?;
        Ok(Self {
            status: fields.closed("status", StatusLevel::WORDS, StatusLevel::from_word)?,
            timestamp: fields.timestamp()?,
            component: fields.text("component")?,
            status_type: fields.text("type")?,
            message: fields.text("message")?,
            reasons: fields.array("reasons")?,
            details: fields.object("details")?,
            helper_metadata: fields.object("helper_metadata")?,
            routing_metadata: fields.object("routing_metadata")?,
            extra: Map::new(),
        })
    }

    fn write<M: SerializeMap>(&self, out: &mut Writer<'_, M>) -> Result<(), M::Error> {
        out.plain("status", false, &self.status)?;
        out.field("timestamp", &self.timestamp)?;
        out.field("component", &self.component)?;
        out.field("type", &self.status_type)?;
        out.field("message", &self.message)?;
        out.field("reasons", &self.reasons)?;
        out.field("details", &self.details)?;
        out.field("helper_metadata", &self.helper_metadata)?;
        out.field("routing_metadata", &self.routing_metadata)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Compat, DecodeOptions, Rule};

    fn bound() -> Status {
        let stamp = Stamp::new("", "2026-02-03 04:05:08".parse().unwrap());
        Status::new(stamp, "link", StatusLevel::Ok, "bound", "link is up")
    }

    #[test]
    fn the_whole_field_set_is_written() {
        assert_eq!(
            bound().to_json(),
            r#"{"message_version":"20110921","message_type":"status_event","status":"ok","#.to_owned()
                + r#""timestamp":"2026-02-03 04:05:08.000000","component":"link","type":"bound","#
                + r#""message":"link is up","reasons":[],"details":{},"helper_metadata":{},"routing_metadata":{}}"#
        );
        assert_eq!(Status::decode(bound().to_vec()), Ok(bound()));
    }

    #[test]
    fn fields_are_checked() {
        let cases = [
            ("status", json!("major"), Rule::OneOf(StatusLevel::WORDS)),
            ("component", json!(7), Rule::Text),
            ("reasons", json!({}), Rule::Array),
            ("details", json!([]), Rule::Object),
            ("timestamp", json!("now"), Rule::Timestamp),
        ];
        for (field, value, rule) in cases {
            let mut body = serde_json::to_value(bound()).unwrap();
            body[field] = value;
            let error = Status::decode(body.to_string()).unwrap_err();
            assert_eq!((error.field, error.rule), (Some(field), rule));
        }
        for field in ["status", "component", "type", "message", "timestamp", "message_version"] {
            let mut body = serde_json::to_value(bound()).unwrap();
            body.as_object_mut().unwrap().remove(field);
            let error = Status::decode(body.to_string()).unwrap_err();
            assert_eq!((error.field, error.rule), (Some(field), Rule::Missing));
        }
    }

    #[test]
    fn vumi_lets_anything_stand_and_it_is_written_back() {
        let mut body = serde_json::to_value(bound()).unwrap();
        body["component"] = json!(7);
        body["timestamp"] = json!("noon");
        body["reasons"] = Value::Null;
        let mut status = Status::decode_with(body.to_string(), &DecodeOptions::default().compat(Compat::Vumi)).unwrap();
        assert_eq!(status.component, "");
        assert_eq!(serde_json::to_value(&status).unwrap(), body);
        // A field that is given a value wins.
        status.component = "link".to_owned();
        body["component"] = json!("link");
        assert_eq!(serde_json::to_value(&status).unwrap(), body);
    }
}
