#![doc = include_str!("../README.md")]

pub mod codec;
pub mod framing;
pub mod pdu;
#[cfg(feature = "serde")]
mod serialize;
pub mod text;
pub mod tlv;
pub mod types;
