use std::time::{Duration, Instant};

/// What a session waits for by itself. What depends on the last PDU is computed from it: enquire_link and inactivity.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    /// A bind is to be accepted (message centre), or to be sent (ESME).
    SessionInit,
    /// The bind is to be answered.
    Bind,
    /// A PDU is to be whole.
    Read,
    /// What is unanswered holds back an unbind no longer.
    Drain,
    /// The unbind is to be answered, or the peer to have closed.
    Unbind,
}

/// When each timer fires.
#[derive(Clone, Debug, Default)]
pub(super) struct TimerTable([Option<Instant>; 5]);

impl TimerTable {
    /// Lets a timer fire after a while. A time that cannot be told apart from never is never.
    pub(super) fn set(&mut self, timer: Timer, now: Instant, after: Duration) {
        self.put(timer, now.checked_add(after));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.put(timer, None);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0.get(timer as usize).is_some_and(Option::is_some)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the timer if it is due, and says whether it was.
    pub(super) fn take_due(&mut self, timer: Timer, now: Instant) -> bool {
        let due = self.0.get(timer as usize).copied().flatten().is_some_and(|at| at <= now);
        if due {
            self.stop(timer);
        }
        due
    }

    fn put(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = at;
        }
    }
}
