//! What time does: timers, and links that break.

use super::{CloseReason, Dialogue, EndWhy, Record, Side, State};
use crate::action::Action;

impl Dialogue<'_, '_> {
    /// Does what was due by now: the end of an open session, then the end of its tombstone.
    pub(super) fn expire(&mut self) {
        while let Some(record) = self.record.as_ref().filter(|record| record.deadline() <= self.at.now) {
            match (record.state, due(record)) {
                (State::Closed(_), _) => {
                    *self.record = None;
                    self.changed = true;
                }
                (_, Due::Grace) => {
                    self.ended(EndWhy::LinkLost, None);
                    self.close(CloseReason::LinkLost);
                }
                (State::AppTurn, due) => {
                    self.send_fallback();
                    self.timed_out(Side::App, None);
                    self.close(due.or_too_long(CloseReason::AppSlow));
                }
                (State::UserTurn, due) => {
                    if self.policy.abort_on_user_slow {
                        self.send_abort();
                    }
                    self.timed_out(Side::User, None);
                    self.close(due.or_too_long(CloseReason::UserSlow));
                }
                (State::Inviting | State::Notifying, due) => {
                    self.timed_out(Side::User, None);
                    self.close(due.or_too_long(CloseReason::PushUnanswered));
                }
            }
        }
    }

    pub(super) fn link_down(&mut self) {
        let (now, grace) = (self.at.now, self.policy.grace);
        if let Some(record) = self.record.as_mut().filter(|record| record.is_open() && record.grace.is_none()) {
            record.grace = Some(record.offset(now).saturating_add(grace));
            self.changed = true;
        }
    }

    pub(super) fn link_up(&mut self) {
        let Some(record) = self.record.as_mut().filter(|record| record.grace.is_some()) else { return };
        record.grace = None;
        self.changed = true;
        if std::mem::take(&mut record.held) {
            let token = record.token();
            self.act(Action::Release { token });
        }
    }
}

/// Which timer of an open session ran out first.
#[derive(Clone, Copy)]
enum Due {
    State,
    Total,
    Grace,
}

impl Due {
    fn or_too_long(self, reason: CloseReason) -> CloseReason {
        match self {
            Self::Total => CloseReason::TooLong,
            Self::State | Self::Grace => reason,
        }
    }
}

fn due(record: &Record) -> Due {
    let grace = record.grace.unwrap_or(u32::MAX);
    if record.deadline <= record.total && record.deadline <= grace {
        Due::State
    } else if record.total <= grace {
        Due::Total
    } else {
        Due::Grace
    }
}
