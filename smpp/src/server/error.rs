use thiserror::Error;

use crate::codec::EncodeError;
use crate::types::CommandStatus;

/// Why a delivery did not succeed, and what is known of it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DeliverError {
    /// The account has no bound receiver or transceiver. Nothing was sent.
    #[error("no receiver of this account is bound")]
    NotBound,
    /// The ESME refused it.
    #[error("refused: {status}")]
    Refused {
        /// With what.
        status: CommandStatus,
    },
    /// The link was over before it was written. It may be delivered again without a double.
    #[error("not sent: the link is over")]
    NotSent,
    /// It was written, and no answer came. The ESME may have taken it.
    #[error("no answer; it may have been taken")]
    Unanswered,
    /// It cannot be said in the version that the link speaks. Nothing was sent.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
}

/// Why a connection was not taken in.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Rejected {
    /// As many as there may be.
    #[error("too many connections")]
    Connections,
    /// As many that are not bound as there may be.
    #[error("too many connections that are not bound")]
    BeforeBind,
    /// As many from this address as there may be.
    #[error("too many connections from this address")]
    Address,
    /// The server is shutting down.
    #[error("shutting down")]
    ShuttingDown,
}
