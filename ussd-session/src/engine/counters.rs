//! What happened, in numbers.

use crate::action::{Action, Callback, Ignored};

/// Counts since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counters {
    /// Sessions opened, by a phone or by a push.
    pub opened: u64,
    /// Open sessions taken over from a snapshot.
    pub restored: u64,
    /// Sessions ended.
    pub closed: u64,
    /// Turns given to the application.
    pub turns: u64,
    /// Frames sent.
    pub frames: u64,
    /// Replies and pushes refused.
    pub rejected: u64,
    /// Messages of the network that came twice while the application was working.
    pub coalesced: u64,
    /// Prompts sent again.
    pub repeated: u64,
    /// Tombstones forgotten before their time, because there were too many.
    pub forgotten: u64,
    ignored: [u64; Ignored::COUNT],
}

impl Counters {
    /// Events that changed nothing, for this reason.
    #[must_use]
    pub fn ignored(&self, why: Ignored) -> u64 {
        self.ignored.get(why.index()).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, action: &Action<'_>) {
        match action {
            Action::Send(frame) => {
                self.frames += 1;
                self.repeated += u64::from(frame.again);
            }
            Action::Call(Callback::New { .. }) => {
                self.opened += 1;
                self.turns += 1;
            }
            Action::Call(Callback::Existing { .. }) => self.turns += 1,
            Action::Pushed { .. } => self.opened += 1,
            Action::Reject { .. } => self.rejected += 1,
            Action::Coalesced { .. } => self.coalesced += 1,
            Action::Closed(_) => self.closed += 1,
            Action::Ignored(why) => {
                if let Some(count) = self.ignored.get_mut(why.index()) {
                    *count += 1;
                }
            }
            Action::Call(_) | Action::Hold { .. } | Action::Release { .. } | Action::Again { .. } => {}
        }
    }
}
