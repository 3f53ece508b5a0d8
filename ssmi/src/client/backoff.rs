use std::time::Duration;

/// Delays that double up to a bound, each drawn from its upper half so that clients do not come back in step.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first.min(max) }
    }

    /// The next delay; `chance` is from 0 to 1.
    pub(super) fn next(&mut self, chance: f64) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.max);
        let half = delay / 2;
        half.saturating_add(half.mul_f64(chance.clamp(0.0, 1.0)))
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first.min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_bound_and_begins_anew() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 5 * second);
        assert_eq!([(); 5].map(|()| backoff.next(1.0).as_secs()), [1, 2, 4, 5, 5]);
        assert_eq!(backoff.next(0.0), Duration::from_millis(2500));
        backoff.reset();
        assert_eq!(backoff.next(0.5), Duration::from_millis(750));
    }

    #[test]
    fn survives_endless_delays() {
        let mut backoff = Backoff::new(Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            assert!(backoff.next(1.0) > Duration::from_secs(1 << 40));
        }
    }
}
