//! What comes of an event that is handled over a store.

use std::{error::Error as StdError, time::Duration};

use super::Unreadable;
use crate::{owned::OwnedEffect, screens::Resumed};

/// What an event led to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stepped {
    /// What is to be done, in order.
    pub effects: Vec<OwnedEffect>,
    /// What the application kept of the session before the event ([`Driver::handle_and_keep`](super::Driver::handle_and_keep)); nothing for a session
    /// that has just begun.
    pub app: Vec<u8>,
    /// The earlier session that goes on with the callback among the effects, and what the application kept of it
    /// ([`Policy::resume`](crate::Policy::resume)).
    pub resumed: Option<Resumed<Vec<u8>>>,
    /// The effects for those who count, if the screens have changed what is to be done.
    pub(super) observed: Option<Vec<OwnedEffect>>,
    /// How the text of the event is written, if it was fitted.
    #[cfg(feature = "metrics")]
    pub(super) alphabet: Option<crate::fit::Alphabet>,
}

/// An event that could not be handled.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct Failed<E: StdError + 'static> {
    /// The reason.
    #[source]
    pub error: Error<E>,
    /// What is to be done all the same: the fallback text for a user who waits, the refusal for an application.
    pub effects: Vec<OwnedEffect>,
}

/// Why an event could not be handled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E: StdError + 'static> {
    /// The store failed.
    #[error("the store of sessions failed: {0}")]
    Store(#[source] E),
    /// The store did not answer in time ([`Driver::time_limit`](super::Driver::time_limit)).
    #[error("the store of sessions did not answer within {0:?}")]
    Silent(Duration),
    /// Other machines were faster, every time ([`Driver::attempts`](super::Driver::attempts)).
    #[error("the session changed under {0} attempts")]
    Contended(u32),
    /// What is kept cannot be read; it stays as it is.
    #[error("the session kept cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
}

/// What a driver did, in numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoreCounters {
    /// Writes that happened.
    pub writes: u64,
    /// Writes that did not, because another machine was faster.
    pub conflicts: u64,
    /// Events that could not be handled.
    pub failures: u64,
    /// Sessions that another program had begun, taken over.
    pub taken_over: u64,
    /// Sessions that did not begin, because as many were open as may be.
    pub refused: u64,
}
