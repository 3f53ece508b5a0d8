use std::fmt;

use crate::server::Closed;
use crate::session::{CloseReason, Counters};

/// What went over the links of a [`Smsc`](super::Smsc) until it was finished.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The connections, in the order of their ends.
    pub closed: Vec<Closed>,
    /// Messages that were submitted and that no `expect_submit` took.
    pub unexpected_submits: usize,
    /// How many deliveries were sent again since they had got a temporary error. That alone is in order.
    pub resent: usize,
    /// Deliveries, receipts among them, that were not answered OK in the end.
    pub failed_deliveries: Vec<String>,
}

impl Report {
    /// What the program did wrong, in words; nothing if all was in order.
    ///
    /// In order is: every PDU could be read and was allowed where it came, every response answered a request, no
    /// connection was given up for the peer's sake, every message was expected, every delivery was answered OK.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for closed in &self.closed {
            let Counters { duplicate, unexpected, mismatched, misplaced, bad, timed_out, .. } = closed.counters;
            let counted = [
                (bad, "PDUs that cannot be read"),
                (misplaced, "requests that are not allowed there"),
                (unexpected, "responses to nothing"),
                (duplicate, "second responses"),
                (mismatched, "responses of another operation"),
                (timed_out, "requests left unanswered"),
            ];
            let counted = counted.into_iter().filter(|(count, _)| *count > 0);
            problems.extend(counted.map(|(count, what)| format!("connection {}: {count} {what}", closed.connection)));
            if is_fault(&closed.reason) {
                problems.push(format!("connection {}: {}", closed.connection, closed.reason));
            }
        }
        if self.unexpected_submits > 0 {
            problems.push(format!("{} messages were submitted and not expected", self.unexpected_submits));
        }
        problems.extend(self.failed_deliveries.iter().map(|failed| format!("a delivery failed: {failed}")));
        problems
    }

    /// Fails the test unless all was in order.
    ///
    /// # Panics
    ///
    /// There are [`problems`](Self::problems).
    #[track_caller]
    #[expect(clippy::panic, reason = "that is how a test fails")]
    pub fn assert_clean(&self) {
        let problems = self.problems();
        if !problems.is_empty() {
            panic!("the links were not clean:\n  {}", problems.join("\n  "));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems().join("\n"))
    }
}

/// Whether the peer is to blame for the end of a link.
fn is_fault(reason: &CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::DeadPeer
            | CloseReason::ReadTimeout
            | CloseReason::BadLength(_)
            | CloseReason::Faults
            | CloseReason::SessionInit
            | CloseReason::Failed(_)
    )
}
