//! For tests: phones, a gateway that misbehaves, nodes that crash, and a search for schedules that break the rules.
//!
//! Four things:
//!
//! * [`World`]: the test of an application, in Rust. Phones dial and type, the clock stands still unless told.
//! * [`Transcript`]: the same in plain text, for people who write no Rust.
//! * [`Rehearsal`]: random transcripts for an application.
//! * [`explore`]: random schedules of all that can happen, played on whatever holds sessions (an
//!   [`Engine`](crate::Engine), a loop around [`step`](crate::step()), a store), with what the machine promises checked
//!   after every step. What breaks a promise is cut down to the shortest script that still does.

mod act;
mod check;
mod explore;
mod gateway;
mod host;
mod line;
mod rehearsal;
mod transcript;
mod world;

pub use self::{
    act::Act,
    explore::{Explored, Explorer, Finding, explore},
    host::{Bare, Host, Memory, Stepped},
    line::{Line, LineError},
    rehearsal::{Flop, Rehearsal},
    transcript::{Problem, Transcript, TranscriptError},
    world::{Mismatch, Phone, World},
};
