//! Traces, real peers and benches for the four crates.
