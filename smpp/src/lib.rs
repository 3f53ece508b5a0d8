#![doc = include_str!("../README.md")]

pub mod codec;
pub mod framing;
pub mod pdu;
pub mod tlv;
pub mod types;
