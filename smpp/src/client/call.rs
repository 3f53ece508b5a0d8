use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::{NotSent, RequestError};
use crate::pdu::{Frame, Pdu};
use crate::session::Unanswered;
use crate::types::SequenceNumber;

/// What a request ends in.
pub(super) type Outcome = Result<Frame, RequestError>;

/// One request from the task that makes it to the driver, and its outcome back: one allocation for both.
pub(super) struct Call(Mutex<State>);

struct State {
    stage: Stage,
    /// The number that it was sent under.
    number: Option<SequenceNumber>,
    waker: Option<Waker>,
}

enum Stage {
    /// The driver has not seen it.
    Waiting(Pdu),
    /// It was written.
    Sent,
    Done(Outcome),
    /// Nobody waits for the outcome, or it was taken.
    Over,
}

impl Call {
    pub(super) fn new(pdu: Pdu) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { stage: Stage::Waiting(pdu), number: None, waker: None })))
    }

    /// Waits for the outcome.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.stage, Stage::Over) {
            Stage::Done(outcome) => Poll::Ready(outcome),
            unfinished => {
                state.stage = unfinished;
                if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    state.waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The number that it was sent under; none if it was not.
    pub(super) fn number(&self) -> Option<SequenceNumber> {
        self.lock().number
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the task that waits. Dropped before the driver has seen the request, nothing is sent.
pub(super) struct Caller(pub(super) Arc<Call>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.lock().stage = Stage::Over;
    }
}

impl Deref for Caller {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.0
    }
}

/// The driver's end. Dropped without an outcome, the link is over.
pub(super) struct Callee {
    /// None once the outcome is told.
    call: Option<Arc<Call>>,
    /// Whether it holds a place in the window.
    pub(super) placed: bool,
}

impl Callee {
    pub(super) fn new(call: &Arc<Call>, placed: bool) -> Self {
        Self { call: Some(Arc::clone(call)), placed }
    }

    /// The request, if it is still wanted. It counts as sent from now on.
    pub(super) fn take(&self) -> Option<Pdu> {
        let mut state = self.call.as_ref()?.lock();
        match std::mem::replace(&mut state.stage, Stage::Sent) {
            Stage::Waiting(pdu) => Some(pdu),
            other => {
                state.stage = other;
                None
            }
        }
    }

    /// It was sent under this number.
    pub(super) fn sent(&self, number: SequenceNumber) {
        if let Some(call) = &self.call {
            call.lock().number = Some(number);
        }
    }

    /// Tells the outcome; gives it back if nobody waits for it.
    pub(super) fn finish(mut self, outcome: Outcome) -> Option<Outcome> {
        let call = self.call.take()?;
        let mut state = call.lock();
        if matches!(state.stage, Stage::Over) {
            return Some(outcome);
        }
        state.stage = Stage::Done(outcome);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let sent = matches!(call.lock().stage, Stage::Sent);
        let error = match sent {
            true => RequestError::Unanswered(Unanswered::Closed),
            false => RequestError::NotSent(NotSent::Closed),
        };
        Self::new(&call, false).finish(Err(error));
    }
}
