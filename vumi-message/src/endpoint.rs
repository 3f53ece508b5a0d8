//! `routing_metadata.endpoint_name`: which endpoint of a connector a message belongs to.

use serde_json::Value;

use crate::{Event, Metadata, Status, UserMessage};

/// The endpoint of a message that names none.
pub const DEFAULT_ENDPOINT: &str = "default";

const ENDPOINT_NAME: &str = "endpoint_name";

macro_rules! endpoint_methods {
    ($($name:ident),+) => {
        $(impl $name {
            /// The endpoint that `routing_metadata.endpoint_name` names; [`DEFAULT_ENDPOINT`] if it is absent, null or
            /// no string.
            pub fn endpoint(&self) -> &str {
                endpoint(&self.routing_metadata)
            }

            /// Writes `routing_metadata.endpoint_name`.
            pub fn set_endpoint(&mut self, endpoint: impl Into<String>) {
                set_endpoint(&mut self.routing_metadata, endpoint.into());
            }
        })+
    };
}
endpoint_methods!(UserMessage, Event, Status);

fn endpoint(routing_metadata: &Metadata) -> &str {
    routing_metadata.get(ENDPOINT_NAME).and_then(Value::as_str).unwrap_or(DEFAULT_ENDPOINT)
}

fn set_endpoint(routing_metadata: &mut Metadata, endpoint: String) {
    routing_metadata.insert(ENDPOINT_NAME.to_owned(), Value::String(endpoint));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_without_endpoint_is_of_the_default_one() {
        let mut message = UserMessage::default();
        assert_eq!(message.endpoint(), "default");
        for odd in [json!(null), json!(7)] {
            message.routing_metadata.insert(ENDPOINT_NAME.to_owned(), odd);
            assert_eq!(message.endpoint(), "default");
        }
        message.set_endpoint("sms_push");
        assert_eq!(message.endpoint(), "sms_push");
    }
}
