use std::time::{Duration, Instant};

/// A rate: so many in a second, evenly spread, and after a pause what a burst's time brings at once, but at least one.
#[derive(Clone, Debug)]
pub(crate) struct TokenBucket {
    /// Between two, at the full rate.
    interval: Duration,
    /// What the bucket holds, as time, without the one that is taken.
    room: Duration,
    /// When the bucket is full again.
    full_at: Option<Instant>,
}

impl TokenBucket {
    /// At least one a second.
    pub(crate) fn new(per_second: u32, burst: Duration) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, room: burst.saturating_sub(interval), full_at: None }
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// None is there; when there will be one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let owed = full_at.saturating_duration_since(now);
        if owed > self.room {
            return Err(now.checked_add(owed.saturating_sub(self.room)).unwrap_or(now));
        }
        self.full_at = full_at.checked_add(self.interval);
        Ok(())
    }

    /// Whether a new bucket would hold no more.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_second_at_once_and_then_evenly() {
        let start = driver::now();
        let mut bucket = TokenBucket::new(10, SECOND);
        for _ in 0..10 {
            bucket.take(start).unwrap();
        }
        let next = bucket.take(start).unwrap_err();
        assert_eq!(next - start, Duration::from_millis(100));
        bucket.take(next).unwrap();
        assert!(bucket.take(next).is_err());
        assert!(!bucket.is_full(next) && bucket.is_full(next + SECOND));
        let later = start + Duration::from_secs(100);
        assert_eq!((0..100).filter(|_| bucket.take(later).is_ok()).count(), 10, "a pause saves up a second");
    }

    #[test]
    fn one_a_second() {
        let start = driver::now();
        let mut bucket = TokenBucket::new(0, SECOND);
        bucket.take(start).unwrap();
        assert_eq!(bucket.take(start), Err(start + SECOND));
    }
}
