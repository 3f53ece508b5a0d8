//! Values of fields. A value with a rule cannot be built wrong; a value with a list of meanings keeps the unknown ones.

mod address;
mod c_octet_string;
mod codes;
mod command_id;
mod command_status;
mod composite;
mod data_coding;
mod esm_class;
mod octets;
mod open;
mod password;
mod registered_delivery;
mod sequence_number;
mod short_message;
mod time;

pub use self::address::{Address, Npi, Ton};
pub(crate) use self::c_octet_string::text;
pub use self::c_octet_string::{COctetString, InvalidCOctetString, MAX_OVER_LONG};
pub use self::codes::*;
pub use self::command_id::CommandId;
pub use self::command_status::CommandStatus;
pub use self::composite::{ItsSessionInfo, NetworkErrorCode};
pub use self::data_coding::{Alphabet, DataCoding, MessageClass, MessageWaiting, WaitingKind};
pub use self::esm_class::{EsmClass, MessageType, MessagingMode};
pub use self::octets::Octets;
pub use self::password::Password;
pub use self::registered_delivery::RegisteredDelivery;
pub use self::sequence_number::{InvalidSequenceNumber, SequenceNumber};
pub use self::short_message::{MessageTooLong, ShortMessage};
pub use self::time::{InvalidTime, RelativeTime, SmppTime, TimeValue};
