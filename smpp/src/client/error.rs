use std::io;

use thiserror::Error;

use crate::codec::EncodeError;
use crate::pdu::Frame;
use crate::session::{self, CloseReason, State, Unanswered};
use crate::types::{CommandId, CommandStatus};

/// Why a request did not succeed, by what is known of it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The peer said no, by the operation's own response or by a generic_nack (whose status may be ESME_ROK). It was not
    /// done.
    #[error("refused: {status}")]
    Refused {
        /// The status.
        status: CommandStatus,
        /// The answer; its TLVs may say more.
        response: Box<Frame>,
    },
    /// Nothing of it was sent.
    #[error("not sent: {0}")]
    NotSent(NotSent),
    /// It was sent, and what became of it is not known: it may have been done.
    #[error("sent, and unanswered: {0}")]
    Unanswered(Unanswered),
    /// It is not fit for this link. Nothing of it was sent.
    #[error("not sent: {0}")]
    Invalid(EncodeError),
}

impl RequestError {
    /// Whether the peer may have done what was asked. If not, the same may be asked again without doing it twice.
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Unanswered(_))
    }
}

/// Why nothing of a request was sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NotSent {
    /// The link is over.
    #[error("the link is over")]
    Closed,
    /// The link is unbinding.
    #[error("the link is unbinding")]
    Unbinding,
    /// As many requests outside of the window as there may be are unanswered.
    #[error("too many requests are unanswered")]
    WindowFull,
    /// An ESME may not send it in this state.
    #[error("{command_id} may not be sent in the state {state:?}")]
    NotAllowed {
        /// The operation.
        command_id: CommandId,
        /// The state.
        state: State,
    },
    /// It is no request: a response, or an unbind, for which see [`Link::unbind`](super::Link::unbind).
    #[error("{0} is not sent as a request")]
    NotARequest(CommandId),
}

impl From<session::RequestError> for RequestError {
    fn from(error: session::RequestError) -> Self {
        Self::NotSent(match error {
            session::RequestError::Invalid(error) => return Self::Invalid(error),
            session::RequestError::WindowFull => NotSent::WindowFull,
            session::RequestError::NotAllowed { command_id, state } => NotSent::NotAllowed { command_id, state },
            session::RequestError::Unbinding => NotSent::Unbinding,
            session::RequestError::NotARequest(command_id) => NotSent::NotARequest(command_id),
        })
    }
}

/// Why there is no link.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Connecting failed, or took too long.
    #[error("connecting failed: {0}")]
    Connect(#[from] io::Error),
    /// The bind was refused.
    #[error("the bind was refused: {status}")]
    Refused {
        /// The status.
        status: CommandStatus,
        /// The answer.
        response: Box<Frame>,
    },
    /// The bind is not fit to be sent.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
    /// The link was over before the bind was answered.
    #[error("the bind is unanswered: {0}")]
    Closed(CloseReason),
}
