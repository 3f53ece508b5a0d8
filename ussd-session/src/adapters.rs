//! Between the wire and the machine: pure functions, one file for each protocol.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "smpp")]
pub mod smpp;
#[cfg(feature = "ssmi")]
pub mod ssmi;
#[cfg(feature = "vumi")]
pub mod vumi;
