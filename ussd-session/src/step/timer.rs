//! What time does: timers, and links that break.

use super::{CloseReason, Core, Dialogue, EndWhy, Rest, Side, State};
use crate::action::Action;

impl Dialogue<'_, '_> {
    /// Does what was due by now: the end of an open session, then the end of its tombstone.
    pub(super) fn expire(&mut self) {
        while let Some(core) = self.core.as_ref().filter(|core| core.first_deadline(self.rest) <= self.at.now) {
            match (core.state, due(core, self.rest)) {
                (State::Closed(_), _) => {
                    *self.core = None;
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
        if let Some(core) = self.core.as_mut().filter(|core| core.is_open() && !core.has(Core::UNLINKED)) {
            core.set(Core::UNLINKED, true);
            self.rest.grace = core.offset(now).saturating_add(grace);
            self.changed = true;
        }
    }

    pub(super) fn link_up(&mut self) {
        let Some(core) = self.core.as_mut().filter(|core| core.has(Core::UNLINKED)) else { return };
        core.set(Core::UNLINKED, false);
        self.changed = true;
        if core.take(Core::HELD) {
            let token = core.token();
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

fn due(core: &Core, rest: &Rest) -> Due {
    let grace = if core.has(Core::UNLINKED) { rest.grace } else { u32::MAX };
    if core.deadline <= core.total && core.deadline <= grace {
        Due::State
    } else if core.total <= grace {
        Due::Total
    } else {
        Due::Grace
    }
}
