//! `failure_message`: a message that a transport could not send, and why.

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::wire::{Fields, Wire, Writer, wire_message};
use crate::{DecodeOptions, FailureCode, Kind, Metadata, Stamp, Timestamp, UserMessage};

/// A message that a transport could not send, and why (`failure_message`, vumi only).
#[doc(alias = "FailureMessage")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// When it failed.
    pub timestamp: Timestamp,
    /// The whole message that failed, as it was; vumi's failure worker adds `retry_metadata` to it.
    pub message: Map<String, Value>,
    /// Whether it helps to try again; null if nobody knows.
    pub failure_code: Option<FailureCode>,
    /// Why; from vumi often a whole traceback.
    pub reason: String,
    /// Notes of middleware.
    pub helper_metadata: Metadata,
    /// Unused by vumi.
    pub routing_metadata: Metadata,
    /// Keys that are none of the fields above, and values that only [`Compat::Vumi`](crate::Compat) lets stand in a
    /// field; written back. A field at its default gives way to a key of its name here.
    pub extra: Map<String, Value>,
}

impl Failure {
    /// A failure of the stamp's time; a failure has no id.
    pub fn new(
        stamp: Stamp,
        message: &UserMessage,
        failure_code: impl Into<Option<FailureCode>>,
        reason: impl Into<String>,
    ) -> Self {
        let message = match serde_json::to_value(message) {
            Ok(Value::Object(object)) => object,
            // A message is always an object.
            _ => Map::new(),
        };
        Self {
            timestamp: stamp.timestamp,
            message,
            failure_code: failure_code.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The message that failed, read as `options` say.
    ///
    /// # Errors
    ///
    /// The first field of it that breaks a rule.
    pub fn user_message(&self, options: &DecodeOptions) -> Result<UserMessage, DecodeError> {
        crate::wire::decode_map(self.message.clone(), options)
    }
}

wire_message!(Failure);

impl Wire for Failure {
    const KIND: Kind = Kind::Failure;
    const FIELDS: &'static [&'static str] = &[
        "message_version",
        "message_type",
        "timestamp",
        "message",
        "failure_code",
        "reason",
        "helper_metadata",
        "routing_metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.require(&["message", "failure_code", "reason"])?;
        Ok(Self {
            timestamp: fields.timestamp()?,
            message: fields.required_object("message")?,
            failure_code: fields.open("failure_code", FailureCode::WORDS, true)?,
            reason: fields.text("reason")?,
            helper_metadata: fields.object("helper_metadata")?,
            routing_metadata: fields.object("routing_metadata")?,
            extra: Map::new(),
        })
    }

    fn write<M: SerializeMap>(&self, out: &mut Writer<'_, M>) -> Result<(), M::Error> {
        out.field("timestamp", &self.timestamp)?;
        out.field("message", &self.message)?;
        out.field("failure_code", &self.failure_code)?;
        out.field("reason", &self.reason)?;
        out.field("helper_metadata", &self.helper_metadata)?;
        out.field("routing_metadata", &self.routing_metadata)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Rule;

    #[test]
    fn the_message_is_kept_as_it_was() {
        let stamp = Stamp::new("m1", "2026-02-03 04:05:09".parse().unwrap());
        let message = UserMessage::send(stamp.clone(), "+27820000001", "2015-01-02 23:14:11");
        let mut failure = Failure::new(stamp, &message, FailureCode::Temporary, "gateway said no");
        failure.message.insert("retry_metadata".to_owned(), json!({"retries": 2, "delay": 3}));
        let read = Failure::decode(failure.to_vec()).unwrap();
        assert_eq!(read, failure);
        let mut inner = read.user_message(&DecodeOptions::default()).unwrap();
        assert!(inner.extra.remove("retry_metadata").is_some());
        assert_eq!(inner, message);
    }

    #[test]
    fn the_code_may_be_null_but_not_absent() {
        let body = r#"{"message_version":"20110921","message_type":"failure_message","reason":"","message":{},
            "timestamp":"2026-02-03 04:05:09","failure_code":null}"#;
        assert_eq!(Failure::decode(body).unwrap().failure_code, None);
        let error = Failure::decode(body.replace("failure_code", "code")).unwrap_err();
        assert_eq!((error.field, error.rule), (Some("failure_code"), Rule::Missing));
        let error = Failure::decode(body.replace("\"message\":{}", "\"message\":null")).unwrap_err();
        assert_eq!((error.field, error.rule), (Some("message"), Rule::Object));
    }
}
