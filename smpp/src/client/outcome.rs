use std::io;
use std::sync::Weak;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

use super::pool::Inner;
use super::{BindError, InvalidSettings};
use crate::codec::EncodeError;
use crate::correlation::{MessageKey, MessageReport, StoreError};
use crate::message::Invalid;
use crate::session::Unanswered;
use crate::text::Charset;
use crate::types::CommandStatus;

/// A message that the message centre has taken, all parts of it.
#[derive(Debug)]
pub struct Sent {
    pub(super) key: MessageKey,
    pub(super) ids: Vec<String>,
    pub(super) charset: Option<Charset>,
    pub(super) report: Option<watch::Receiver<MessageReport>>,
    pub(super) client: Weak<Inner>,
}

impl Sent {
    /// What names it in events and in the store.
    pub fn key(&self) -> &MessageKey {
        &self.key
    }

    /// Of how many parts it was made.
    pub fn parts(&self) -> usize {
        self.ids.len()
    }

    /// The identifiers that the message centre gave its parts, in their order.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// How the text is coded; none for octets.
    pub fn charset(&self) -> Option<Charset> {
        self.charset
    }

    /// Waits for the receipts of all parts, merged: see [`MessageReport`]. May be called again.
    ///
    /// # Errors
    ///
    /// None was asked for, or what became of the message is not known.
    pub async fn receipt(&self, within: Duration) -> Result<MessageReport, ReceiptError> {
        let mut report = self.report.clone().ok_or(ReceiptError::NotRequested)?;
        let waited = tokio::time::timeout(within, report.wait_for(MessageReport::is_final)).await;
        let waited = waited.map(|last| last.map(|last| last.clone()));
        let known = || Box::new(report.borrow().clone());
        match waited {
            Ok(Ok(last)) => Ok(last),
            Ok(Err(_)) => Err(ReceiptError::GivenUp { report: known() }),
            Err(_) => Err(ReceiptError::TimedOut { report: known() }),
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(client) = self.client.upgrade() {
            client.forget(&self.key);
        }
    }
}

/// There is no final receipt: what became of the message is not known.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The message asked for none.
    #[error("no receipt was asked for")]
    NotRequested,
    /// It did not come in time. It may still come.
    #[error("no final receipt came in time")]
    TimedOut {
        /// What is known so far.
        report: Box<MessageReport>,
    },
    /// The store has given the message up, or the client is gone.
    #[error("nobody waits for the receipt any more")]
    GivenUp {
        /// What was known.
        report: Box<MessageReport>,
    },
}

/// Why a message was not taken, by what is known of it. Of several parts the one of which the least is known counts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// It cannot be sent as it is. Nothing was.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The message centre said no to a part. Others may have been taken.
    #[error("part {part} was refused: {status}")]
    Refused {
        /// What it said.
        status: CommandStatus,
        /// The number of the part, from 1.
        part: u8,
        /// Identifiers of parts that were taken.
        accepted: Vec<String>,
    },
    /// A part was not sent. Others may have been taken.
    #[error("not sent: {why}")]
    NotSent {
        /// Why.
        why: NotSentReason,
        /// Identifiers of parts that were taken.
        accepted: Vec<String>,
    },
    /// A part was sent, and what became of it is not known: it may have been taken.
    #[error("sent, and unanswered: {why}")]
    Unanswered {
        /// Why.
        why: Unanswered,
        /// Identifiers of parts that were taken.
        accepted: Vec<String>,
    },
}

impl SendError {
    /// Whether the message may be sent again without anybody getting a part of it twice.
    pub fn is_safe_to_retry(&self) -> bool {
        match self {
            Self::Invalid(_) => true,
            Self::Refused { accepted, .. } | Self::NotSent { accepted, .. } => accepted.is_empty(),
            Self::Unanswered { .. } => false,
        }
    }
}

/// Why a part was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotSentReason {
    /// No link that may submit was bound, or had room, in time.
    #[error("no link was free in time")]
    NoLink,
    /// The client is shutting down.
    #[error("the client is shutting down")]
    ShuttingDown,
    /// Nobody waits for it any more.
    #[error("nobody waits for it")]
    Dropped,
    /// It is beyond the version of the link, or above the largest PDU.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
    /// The correlation store has failed, so that no receipt could be credited.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An ESME may not submit on the link.
    #[error("{0}")]
    NotAllowed(super::NotSent),
}

/// Why there is no client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// There is no link in the pool.
    #[error("there is no link to connect")]
    NoLinks,
    /// No link could be bound; of several, what the first came to.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Bind(BindError::Connect(error))
    }
}
