#![doc = include_str!("../README.md")]

pub mod codec;
pub mod command;
pub mod framing;
pub mod session;
pub mod types;
