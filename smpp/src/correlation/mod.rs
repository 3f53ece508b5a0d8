//! Which message a receipt is for, and what the receipts of its parts say together.
//!
//! A [`Correlator`] keeps that in memory, without IO and without a clock. [`CorrelationStore`] is what a client asks;
//! [`MemoryStore`] is a correlator behind it, and a store that outlives the process implements the same four operations.

mod correlator;
mod early;
mod report;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use self::correlator::{Answer, CorrelationConfig, Correlator, Credit, Credited, Expired};
pub use self::report::{MessageReport, PartReport};
pub use self::store::{CorrelationStore, MemoryStore, StoreError, StoreFuture};

/// Names a message that was sent, whatever its parts: the program's own name for it, or one that a client made up. It is
/// to be used once.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageKey(Arc<str>);

impl MessageKey {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MessageKey {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for MessageKey {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for MessageKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
