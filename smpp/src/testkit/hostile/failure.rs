use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::types::{CommandId, CommandStatus};

/// An attacked end did something else than it has to.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{attack}, {at}: {problem}")]
pub struct Failure {
    /// The attack.
    pub attack: &'static str,
    /// Where in it.
    pub at: At,
    /// What happened.
    pub problem: Problem,
}

/// A place in an attack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum At {
    /// While the link was to be bound.
    Bind,
    /// A step, by its index.
    Step(usize),
    /// Behind all steps.
    End,
    /// Where the bystander of a [`Storm`](super::Storm) was to be served.
    Bystander,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind => f.write_str("binding"),
            Self::Step(at) => write!(f, "step {at}"),
            Self::End => f.write_str("at the end"),
            Self::Bystander => f.write_str("the bystander"),
        }
    }
}

/// What an attacked end did wrong.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// A PDU did not come.
    #[error("no {0} came")]
    Missing(CommandId),
    /// A response came with another status or number.
    #[error("{command_id} has status {status} and number {number}")]
    Other {
        /// The response.
        command_id: CommandId,
        /// Its status.
        status: CommandStatus,
        /// Its number.
        number: u32,
    },
    /// The link was closed.
    #[error("the link was closed")]
    Closed,
    /// The link was not closed.
    #[error("the link was not closed")]
    Open,
    /// There was no connection for the bystander.
    #[error("no connection: {0}")]
    NoConnection(io::ErrorKind),
    /// Every attacker was let in, and none was closed again.
    #[error("all {0} attackers are in")]
    AllIn(u32),
    /// What should take its time did not.
    #[error("it took {0:?} only")]
    TooFast(Duration),
    /// A message of the bystander's was taken back, and not by the bystander.
    #[error("a message was cancelled by somebody else")]
    Cancelled,
}
