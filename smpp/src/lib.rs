#![doc = include_str!("../README.md")]

pub mod codec;
pub mod pdu;
pub mod text;
pub mod tlv;
pub mod types;
