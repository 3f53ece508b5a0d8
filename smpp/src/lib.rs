#![doc = include_str!("../README.md")]

#[cfg(feature = "tokio")]
pub mod client;
pub mod codec;
pub mod correlation;
#[cfg(feature = "tokio")]
mod driver;
pub mod framing;
pub mod message;
pub mod pdu;
pub mod profile;
pub mod receipt;
#[cfg(feature = "serde")]
mod serialize;
#[cfg(feature = "tokio")]
pub mod server;
pub mod session;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod text;
pub mod tlv;
pub mod types;
#[cfg(feature = "vumi")]
pub mod vumi;
