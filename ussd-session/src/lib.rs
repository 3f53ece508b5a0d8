#![doc = include_str!("../README.md")]

mod action;
pub mod adapters;
#[cfg(feature = "tokio")]
mod app;
#[cfg(feature = "tokio")]
mod calls;
#[cfg(feature = "tokio")]
mod clock;
mod dialled;
mod engine;
mod event;
mod fit;
mod ids;
#[cfg(feature = "tokio")]
mod observe;
mod owned;
mod policy;
mod record;
#[cfg(feature = "tokio")]
mod runner;
mod screens;
mod step;
#[cfg(feature = "store")]
pub mod store;
mod subscriber;
#[cfg(feature = "testkit")]
pub mod testkit;
mod text;
mod time;

pub use action::{
    Action, Actions, Callback, CloseReason, EndWhy, Frame, FrameKind, Ignored, Next, Reject, Side, Subject, Summary,
};
#[cfg(feature = "tokio")]
pub use app::{Done, Replier, Screen, Session, Turn, UssdApp};
#[cfg(feature = "tokio")]
pub use clock::Clock;
pub use dialled::Dialled;
pub use engine::{Config, Counters, Effect, Engine, Gauges, Polled, Saved, Shards, Sink};
pub use event::{At, Discard, Event, NetWhy, Phase, PushKind, SendWhy, Verb};
pub use fit::{Alphabet, Fit, FitError, Measure, Odd, Overflow, Page, Pager, Transliterate};
pub use ids::{DedupKey, LinkId, NetId, NetIdTooLong, SessionId, SessionIds, TurnToken};
pub use owned::{OwnedEffect, OwnedEvent};
pub use policy::{Orphans, Policy, Resume};
pub use record::{Record, State};
#[cfg(feature = "tokio")]
pub use runner::Runner;
pub use screens::{Passed, Resumed, Screens};
pub use step::step;
pub use subscriber::{Digits, Subscriber, SubscriberError};
pub use text::Text;
pub use time::Millis;
