#![doc = include_str!("../README.md")]

pub mod codec;
#[cfg(feature = "tokio")]
mod driver;
pub mod framing;
pub mod pdu;
pub mod receipt;
#[cfg(feature = "serde")]
mod serialize;
#[cfg(feature = "tokio")]
pub mod server;
pub mod session;
pub mod text;
pub mod tlv;
pub mod types;
