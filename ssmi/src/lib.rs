#![doc = include_str!("../README.md")]

pub mod binary;
#[cfg(feature = "tokio")]
pub mod client;
pub mod codec;
pub mod command;
#[cfg(feature = "tokio")]
pub mod driver;
pub mod framing;
#[cfg(feature = "serde")]
mod serialize;
#[cfg(feature = "tokio")]
pub mod server;
pub mod session;
pub mod types;
#[cfg(feature = "vumi")]
pub mod vumi;
