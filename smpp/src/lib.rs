#![doc = include_str!("../README.md")]

pub mod codec;
pub mod correlation;
pub mod framing;
pub mod message;
pub mod pdu;
pub mod profile;
pub mod receipt;
#[cfg(feature = "serde")]
mod serialize;
pub mod session;
pub mod text;
pub mod tlv;
pub mod types;
