#![doc = include_str!("../README.md")]

mod action;
mod dialled;
mod engine;
mod event;
mod ids;
mod policy;
mod record;
mod step;
mod subscriber;
mod text;
mod time;

pub use action::{
    Action, Actions, Callback, CloseReason, EndWhy, Frame, FrameKind, Ignored, Next, Reject, Side, Subject, Summary,
};
pub use dialled::Dialled;
pub use engine::{Config, Counters, Effect, Engine, Polled, Sink};
pub use event::{At, Discard, Event, NetWhy, Phase, PushKind, SendWhy, Verb};
pub use ids::{DedupKey, LinkId, NetId, NetIdTooLong, SessionId, SessionIds, TurnToken};
pub use policy::{Orphans, Policy};
pub use record::{Record, State};
pub use step::step;
pub use subscriber::{Digits, Subscriber, SubscriberError};
pub use text::Text;
pub use time::Millis;
