use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::session::{ClientEvent, CloseReason, SendError, Unanswered};
use crate::types::UnencodableText;

/// What the program of a [`Client`](super::Client) is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Logged in; again after each reconnect.
    Up,
    /// There is no session; the client connects again by itself.
    Down {
        /// Why.
        why: DownReason,
        /// After this delay.
        retry_in: Duration,
    },
    /// The client is over. Nothing follows.
    Stopped(CloseReason),
    /// What the session says: USSD, SMS, reports. What somebody waits for (a [`Submission`](super::Submission), a
    /// lookup) is told to them alone.
    Session(ClientEvent),
}

/// Why there is no session.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DownReason {
    /// Connecting failed, or took too long.
    #[error("connecting failed: {message}")]
    Connect {
        /// Kind of the error.
        kind: io::ErrorKind,
        /// Its text.
        message: String,
    },
    /// The session ended.
    #[error(transparent)]
    Session(CloseReason),
}

impl From<io::Error> for DownReason {
    fn from(error: io::Error) -> Self {
        Self::Connect { kind: error.kind(), message: error.to_string() }
    }
}

/// Where a [`Client`](super::Client) stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// Connecting or logging in.
    Connecting,
    /// Logged in.
    Up,
    /// Waiting to connect again.
    Waiting,
    /// Logging out, or closing.
    Leaving,
    /// Over.
    Stopped(CloseReason),
}

/// Why a request did not do what it was to do.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// There is no session, or it ended before the request was written. It was not sent.
    #[error("not connected: the request was not sent")]
    NotConnected,
    /// The client is over: logged out, or refused by the gateway. The request was not sent.
    #[error("the client has stopped: {0}")]
    Stopped(CloseReason),
    /// The text has a character that the link cannot carry. The request was not sent.
    #[error(transparent)]
    Text(#[from] UnencodableText),
    /// The session does not send such a request.
    #[error("the request was not sent: {0}")]
    NotSent(SendError),
    /// The request was sent, and no answer came.
    #[error("the request was sent, but {0}")]
    Unanswered(Unanswered),
}

impl Error {
    /// Whether the request was sent. What was sent and not answered may have been done.
    pub fn was_sent(&self) -> bool {
        matches!(self, Self::Unanswered(_))
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotOpen { .. } => Self::NotConnected,
            error => Self::NotSent(error),
        }
    }
}

impl From<Unanswered> for Error {
    fn from(why: Unanswered) -> Self {
        Self::Unanswered(why)
    }
}
