use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use thiserror::Error;

use super::{Answer, CorrelationConfig, Correlator, Credit, Credited, Expired, MessageKey};
use crate::receipt::Receipt;

/// What a client asks to find the messages of receipts. The operations are those of a [`Correlator`], which is the
/// model of what they do.
///
/// A store that outlives the process keeps for each part its message, number and identifier, and beside the identifier
/// its [forms](crate::receipt::IdRule::of_response); it may ignore `now` for a clock of its own. An error of
/// [`receipt`](Self::receipt) makes a client refuse the receipt, so that it comes again.
pub trait CorrelationStore: Send + Sync + 'static {
    /// A message is about to be sent.
    fn open<'a>(
        &'a self,
        account: u64,
        message: &'a MessageKey,
        parts: u8,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Expired>>;

    /// A part was answered, perhaps late, or will not be.
    fn answered<'a>(
        &'a self,
        message: &'a MessageKey,
        part: u8,
        answer: Answer,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Credited>>;

    /// A receipt has come. Once this is done it is answered ESME_ROK.
    fn receipt<'a>(&'a self, account: u64, receipt: &'a Receipt, now: Instant) -> StoreFuture<'a, Credit>;

    /// Gives up what has waited too long. A client calls it about once a second.
    fn expire(&self, now: Instant) -> StoreFuture<'_, Vec<Expired>>;
}

/// What an operation of a store gives in the end.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store could not do what it was asked.
#[derive(Debug, Error)]
#[error("the correlation store failed: {0}")]
pub struct StoreError(Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// An error with its reason.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// A [`Correlator`] as a store: in memory, bounded, gone with the process. It never fails.
#[derive(Debug)]
pub struct MemoryStore(Mutex<Correlator>);

impl MemoryStore {
    /// A store that knows no message.
    pub fn new(config: CorrelationConfig) -> Self {
        Self(Mutex::new(Correlator::new(config)))
    }

    fn lock(&self) -> MutexGuard<'_, Correlator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(CorrelationConfig::default())
    }
}

impl CorrelationStore for MemoryStore {
    fn open<'a>(
        &'a self,
        account: u64,
        message: &'a MessageKey,
        parts: u8,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Expired>> {
        ready(self.lock().open(account, message, parts, now))
    }

    fn answered<'a>(
        &'a self,
        message: &'a MessageKey,
        part: u8,
        answer: Answer,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Credited>> {
        ready(self.lock().answered(message, part, answer, now))
    }

    fn receipt<'a>(&'a self, account: u64, receipt: &'a Receipt, now: Instant) -> StoreFuture<'a, Credit> {
        ready(self.lock().receipt(account, receipt, now))
    }

    fn expire(&self, now: Instant) -> StoreFuture<'_, Vec<Expired>> {
        ready(self.lock().expire(now))
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}
