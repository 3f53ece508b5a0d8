//! What the conformance tests, the `trace` tool and the benches share.

pub mod capture;
pub mod fuzzing;
pub mod smpp_vectors;
pub mod vectors;
