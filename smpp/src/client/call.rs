use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::{NotSent, RequestError};
use crate::pdu::{Frame, Pdu};
use crate::session::{self, Session, Unanswered};
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

    /// Sends the request, if it is still wanted; it is encoded from where it stands.
    pub(super) fn send(
        &self,
        session: &mut Session,
        now: Instant,
    ) -> Option<Result<SequenceNumber, session::RequestError>> {
        let mut state = self.call.as_ref()?.lock();
        let Stage::Waiting(pdu) = &state.stage else { return None };
        let sent = session.request_pdu(pdu, now);
        state.stage = Stage::Sent;
        state.number = sent.as_ref().ok().copied();
        Some(sent)
    }

    /// Tells the outcome; gives it back if nobody waits for it. Who waits is to be woken.
    pub(super) fn finish(mut self, outcome: Outcome, wakers: &mut Vec<Waker>) -> Option<Outcome> {
        let call = self.call.take()?;
        let mut state = call.lock();
        if matches!(state.stage, Stage::Over) {
            return Some(outcome);
        }
        state.stage = Stage::Done(outcome);
        wakers.extend(state.waker.take());
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
        let mut wakers = Vec::new();
        Self::new(&call, false).finish(Err(error), &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}
