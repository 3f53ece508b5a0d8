use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::mpsc::{self, error::TrySendError};
use tracing::warn;

/// What a program is told, in order: the receiving end of a bounded channel.
///
/// Nothing is lost to a slow reader: the connection is not read on until there is room, so the peer is held back.
/// Once this is dropped, events are dropped too.
pub struct Events<E>(mpsc::Receiver<E>);

impl<E> Events<E> {
    /// The next event; none once all is over and everything was taken. May be cancelled without a loss.
    pub async fn recv(&mut self) -> Option<E> {
        self.0.recv().await
    }

    /// The next event if one is there.
    pub fn try_recv(&mut self) -> Option<E> {
        self.0.try_recv().ok()
    }

    /// [`recv`](Self::recv) for who writes futures by hand.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<E>> {
        self.0.poll_recv(context)
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// The sending end, with the events that found no room.
pub(crate) struct Outbox<E> {
    sender: mpsc::Sender<E>,
    pending: VecDeque<E>,
    /// Whether the program reads.
    taken: Arc<AtomicBool>,
    /// Events that were dropped since it does not.
    dropped: u64,
}

impl<E> Outbox<E> {
    /// Hands on an event. If there is no room it waits here, and the connection is not to be read on; unless the
    /// program never asked for events: then it is dropped.
    pub(crate) fn push(&mut self, event: E) {
        if self.is_stalled() {
            self.pending.push_back(event);
            return;
        }
        match self.sender.try_send(event) {
            Err(TrySendError::Full(event)) if self.taken.load(Ordering::Acquire) => self.pending.push_back(event),
            Err(TrySendError::Full(_)) => {
                self.dropped = self.dropped.saturating_add(1);
                // The log is not to grow as the losses do.
                if self.dropped.is_power_of_two() {
                    warn!(dropped = self.dropped, "events were dropped: nobody reads them");
                }
            }
            Ok(()) | Err(TrySendError::Closed(_)) => {}
        }
    }

    /// Whether events wait for room.
    pub(crate) fn is_stalled(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Waits until no event waits. May be cancelled without a loss.
    pub(crate) async fn drain(&mut self) {
        while self.is_stalled() {
            match self.sender.reserve().await {
                Ok(permit) => {
                    if let Some(event) = self.pending.pop_front() {
                        permit.send(event);
                    }
                }
                Err(_) => self.pending.clear(),
            }
        }
    }
}

/// Another sender to the same program, with nothing waiting.
impl<E> Clone for Outbox<E> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), pending: VecDeque::new(), taken: Arc::clone(&self.taken), dropped: 0 }
    }
}

/// Where the program takes its [`Events`], once.
pub(crate) struct EventSource<E> {
    events: Mutex<Option<Events<E>>>,
    taken: Arc<AtomicBool>,
}

impl<E> EventSource<E> {
    pub(crate) fn take(&self) -> Option<Events<E>> {
        self.taken.store(true, Ordering::Release);
        self.events.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A channel for at most so many events, at least one.
pub(crate) fn channel<E>(bound: usize) -> (Outbox<E>, EventSource<E>) {
    let (sender, receiver) = mpsc::channel(bound.clamp(1, MAX_BOUND));
    let taken = Arc::new(AtomicBool::new(false));
    let outbox = Outbox { sender, pending: VecDeque::new(), taken: Arc::clone(&taken), dropped: 0 };
    (outbox, EventSource { events: Mutex::new(Some(Events(receiver))), taken })
}

/// More than this a channel of tokio may not hold on 32-bit machines.
const MAX_BOUND: usize = 1 << 24;
