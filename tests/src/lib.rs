//! What the conformance tests, the `trace` tool and the benches share.

pub mod capture;
pub mod fuzzing;
pub mod smpp_answers;
pub mod smpp_vectors;
pub mod vectors;

/// The programs of the README run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
