//! The one place of this crate that reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, Sleep};

use crate::time::Millis;

/// Time for the [`Runner`](crate::Runner): read from the system once, then counted on by tokio's clock. So it never
/// goes back, and stands still while tokio's clock is paused in a test.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Millis,
    start: Instant,
}

impl Clock {
    /// Reads the system's time. Within a tokio runtime.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the runner's clock")]
    pub fn system() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { epoch: Millis(0).after(since_epoch), start: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.epoch.after(self.start.elapsed())
    }

    /// Sleeps until that time has come.
    pub(crate) fn until(&self, deadline: Millis) -> Sleep {
        // A part of a millisecond may be left when the milliseconds are equal.
        let span = deadline.since(self.epoch);
        let far = Duration::from_secs(24 * 3600);
        match self.start.checked_add(span) {
            Some(at) => tokio::time::sleep_until(at),
            None => tokio::time::sleep(far),
        }
    }
}
