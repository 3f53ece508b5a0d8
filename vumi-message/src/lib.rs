#![doc = include_str!("../README.md")]

mod body;
mod compat;
pub mod dispatch;
mod endpoint;
mod error;
mod event;
mod failure;
mod message;
mod reply;
mod sniff;
mod stamp;
mod status;
mod timestamp;
mod user_message;
mod values;
mod wire;

// The public interface is:
pub use compat::{Compat, DecodeOptions};
pub use endpoint::DEFAULT_ENDPOINT;
pub use error::{DecodeError, Rule};
pub use event::{Event, EventType};
pub use failure::Failure;
pub use message::{Kind, Message};
pub use stamp::Stamp;
pub use status::Status;
pub use timestamp::{Timestamp, TimestampError};
pub use user_message::UserMessage;
pub use values::{AddressType, DeliveryStatus, FailureCode, SessionEvent, StatusLevel, TransportType, Unlisted};

/// A JSON object of metadata.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// The only `message_version` there is.
pub const MESSAGE_VERSION: &str = "20110921";
