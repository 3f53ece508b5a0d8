#![doc = include_str!("../README.md")]

pub mod binary;
pub mod codec;
pub mod command;
pub mod framing;
#[cfg(feature = "serde")]
mod serialize;
pub mod session;
pub mod types;
