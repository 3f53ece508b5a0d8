use std::collections::VecDeque;
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

/// One request from the task that makes it to the driver, and its outcome back: one allocation for both, made early,
/// since PDUs are too large to be moved from future to future.
pub(super) struct Call {
    /// Whether it takes a place in the window.
    pub(super) placed: bool,
    state: Mutex<State>,
}

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
    Answered(Frame),
    Failed(RequestError),
    /// Nobody waits for the outcome, or it was taken.
    Over,
}

impl Call {
    /// Waits for the outcome; of an answer, what is read in it.
    pub(super) fn poll<T>(
        &self,
        context: &mut Context<'_>,
        read: impl Fn(Frame) -> T,
    ) -> Poll<Result<T, RequestError>> {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Answered(_) | Stage::Failed(_)) {
            if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                state.waker = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut state.stage, Stage::Over) {
            Stage::Answered(response) if is_success(&response) => Poll::Ready(Ok(read(response))),
            Stage::Answered(response) => Poll::Ready(Err(refused(response))),
            Stage::Failed(error) => Poll::Ready(Err(error)),
            Stage::Waiting(_) | Stage::Sent | Stage::Over => Poll::Pending,
        }
    }

    /// The number that it was sent under; none if it was not.
    pub(super) fn number(&self) -> Option<SequenceNumber> {
        self.lock().number
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer is a success.
pub(super) fn judge(response: Frame) -> Outcome {
    if is_success(&response) { Ok(response) } else { Err(refused(response)) }
}

fn is_success(response: &Frame) -> bool {
    response.header.command_status.is_ok() && !matches!(response.pdu, Pdu::GenericNack(_))
}

#[cold]
fn refused(response: Frame) -> RequestError {
    RequestError::Refused { status: response.header.command_status, response: Box::new(response) }
}

/// The end of the task that waits. Dropped before the driver has seen the request, nothing is sent.
pub(super) struct Caller(Arc<Call>);

impl Caller {
    pub(super) fn new(pdu: Pdu, placed: bool) -> Self {
        let state = State { stage: Stage::Waiting(pdu), number: None, waker: None };
        Self(Arc::new(Call { placed, state: Mutex::new(state) }))
    }

    /// The driver's end.
    pub(super) fn callee(&self) -> Callee {
        Callee(Some(Arc::clone(&self.0)))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if !matches!(state.stage, Stage::Over) {
            state.stage = Stage::Over;
        }
    }
}

impl Deref for Caller {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.0
    }
}

/// The driver's end; empty once the outcome is told. Dropped without an outcome, the link is over.
pub(super) struct Callee(Option<Arc<Call>>);

impl Callee {
    /// Whether it holds a place in the window.
    pub(super) fn placed(&self) -> bool {
        self.0.as_ref().is_some_and(|call| call.placed)
    }

    /// Sends the request, if it is still wanted; it is encoded from where it stands.
    pub(super) fn send(
        &self,
        session: &mut Session,
        now: Instant,
    ) -> Option<Result<SequenceNumber, session::RequestError>> {
        let mut state = self.0.as_ref()?.lock();
        let Stage::Waiting(pdu) = &state.stage else { return None };
        let sent = session.request_pdu(pdu, now);
        state.stage = Stage::Sent;
        state.number = sent.as_ref().ok().copied();
        Some(sent)
    }

    /// Tells the answer; gives it back if nobody waits for it. Who waits is to be woken.
    pub(super) fn answer(self, response: Frame, tasks: &mut VecDeque<Waker>) -> Option<Frame> {
        self.tell(response, Stage::Answered, tasks)
    }

    /// Tells what became of it otherwise; gives it back if nobody waits for it. Who waits is to be woken.
    pub(super) fn fail(self, error: RequestError, tasks: &mut VecDeque<Waker>) -> Option<RequestError> {
        self.tell(error, Stage::Failed, tasks)
    }

    fn tell<T>(mut self, what: T, stage: impl FnOnce(T) -> Stage, tasks: &mut VecDeque<Waker>) -> Option<T> {
        let call = self.0.take()?;
        let mut state = call.lock();
        if matches!(state.stage, Stage::Over) {
            return Some(what);
        }
        state.stage = stage(what);
        tasks.extend(state.waker.take());
        None
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        let Some(call) = self.0.take() else { return };
        let sent = matches!(call.lock().stage, Stage::Sent);
        let error = match sent {
            true => RequestError::Unanswered(Unanswered::Closed),
            false => RequestError::NotSent(NotSent::Closed),
        };
        let mut tasks = VecDeque::new();
        Self(Some(call)).fail(error, &mut tasks);
        tasks.into_iter().for_each(Waker::wake);
    }
}
