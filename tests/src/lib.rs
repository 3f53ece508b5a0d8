//! What the conformance tests, the `trace` tool and the benches share.

pub mod capture;
pub mod fuzzing;
pub mod vectors;
