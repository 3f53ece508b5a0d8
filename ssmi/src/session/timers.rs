use std::time::{Duration, Instant};

/// What a session waits for by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    /// The login is to be done.
    Login,
    /// The gateway is to have closed after a LOGOUT.
    Logout,
    /// The next link check is due.
    LinkCheck,
    /// The client is to have sent something.
    Idle,
}

/// When each timer fires.
#[derive(Clone, Debug, Default)]
pub(super) struct TimerTable {
    login: Option<Instant>,
    logout: Option<Instant>,
    link_check: Option<Instant>,
    idle: Option<Instant>,
}

impl TimerTable {
    /// Lets a timer fire after a while. A time that cannot be told apart from never is never.
    pub(super) fn set(&mut self, timer: Timer, now: Instant, after: Duration) {
        *self.slot(timer) = now.checked_add(after);
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        *self.slot(timer) = None;
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.login, self.logout, self.link_check, self.idle].into_iter().flatten().min()
    }

    /// Stops the timer if it is due, and says whether it was.
    pub(super) fn take_due(&mut self, timer: Timer, now: Instant) -> bool {
        let slot = self.slot(timer);
        let due = slot.is_some_and(|at| at <= now);
        if due {
            *slot = None;
        }
        due
    }

    fn slot(&mut self, timer: Timer) -> &mut Option<Instant> {
        match timer {
            Timer::Login => &mut self.login,
            Timer::Logout => &mut self.logout,
            Timer::LinkCheck => &mut self.link_check,
            Timer::Idle => &mut self.idle,
        }
    }
}
