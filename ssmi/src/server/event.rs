use std::fmt;
use std::net::SocketAddr;

use thiserror::Error;

use crate::session::{CloseReason, SendError, ServerEvent};
use crate::types::Octets;

/// Names a connection of a [`Server`](super::Server); never used again by the same server.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub(super) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the program of a [`Server`](super::Server) is told, and of which connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The connection.
    pub connection: ConnectionId,
    /// Where it comes from, if the stream has an address.
    pub peer: Option<SocketAddr>,
    /// The username of its last login, accepted or not; empty before.
    pub account: Octets,
    /// What happened.
    pub what: What,
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// What the session says. Never [`LoginRequested`](ServerEvent::LoginRequested): the hook answers that.
    Session(ServerEvent),
    /// The connection is over. Nothing follows of it.
    Closed(CloseReason),
}

/// Why a response was not sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The account is not logged in, or its connection ended before the response was written.
    #[error("the account is not logged in")]
    NotLoggedIn,
    /// The session does not send such a response.
    #[error("the response was not sent: {0}")]
    NotSent(SendError),
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotOpen { .. } => Self::NotLoggedIn,
            error => Self::NotSent(error),
        }
    }
}

/// Why a connection was turned away before it was served.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Rejected {
    /// There are as many connections as may be.
    #[error("there are too many connections")]
    Connections,
    /// As many as may be are not logged in yet.
    #[error("too many connections are not logged in")]
    BeforeLogin,
    /// As many as may be come from this address.
    #[error("there are too many connections from this address")]
    Address,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}
