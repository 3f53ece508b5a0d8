use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::driver::TokenBucket;
use crate::session::config;
use crate::types::CommandStatus;

config! {
    /// How fast PDUs are sent, and what a message centre that says no to the rate is granted.
    PacerConfig {
        /// PDUs a second; 0 for no limit. 0.
        tps: u32 = 0,
        /// First pause after ESME_RTHROTTLED; each further one doubles it. 1 second.
        throttled: Duration = Duration::from_secs(1),
        /// Longest pause after ESME_RTHROTTLED. 30 seconds.
        max_throttled: Duration = Duration::from_secs(30),
        /// First pause after ESME_RMSGQFUL; each further one doubles it. 5 seconds.
        queue_full: Duration = Duration::from_secs(5),
        /// Longest pause after ESME_RMSGQFUL. 2 minutes.
        max_queue_full: Duration = Duration::from_secs(120),
    }
}

/// Says when the next PDU may be sent: a token bucket, and pauses when the message centre asks for them. It reads no
/// clock, and can be shared: clones are the same pacer, as the links of one account need.
///
/// The bucket holds what 50 milliseconds bring, at least one PDU: message centres count by the second, and a second's
/// worth saved up would be twice the rate for one of theirs.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use smpp::client::{Pacer, PacerConfig};
/// use smpp::types::CommandStatus;
///
/// # #[expect(clippy::disallowed_methods)]
/// let now = Instant::now();
/// let pacer = Pacer::new(PacerConfig::default().tps(10));
/// assert_eq!(pacer.take(now), Ok(()));
/// assert_eq!(pacer.take(now), Err(now + Duration::from_millis(100)));
/// pacer.answered(CommandStatus::RTHROTTLED, now);
/// assert_eq!(pacer.take(now), Err(now + Duration::from_secs(1)));
/// ```
#[derive(Clone, Debug)]
pub struct Pacer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    config: PacerConfig,
    /// None if there is no limit.
    bucket: Option<TokenBucket>,
    paused_until: Option<Instant>,
    throttled: Duration,
    queue_full: Duration,
    /// Whether something was sent since the last pause: only its answers tell whether the pause was long enough.
    tried: bool,
    /// Whether the message centre has taken something since.
    taken: bool,
}

/// What the bucket holds, as time.
const BURST: Duration = Duration::from_millis(50);

impl Pacer {
    /// A pacer that has sent nothing yet.
    pub fn new(config: PacerConfig) -> Self {
        let (throttled, queue_full) = (config.throttled, config.queue_full);
        let bucket = (config.tps > 0).then(|| TokenBucket::new(config.tps, BURST));
        let state = State { config, bucket, paused_until: None, throttled, queue_full, tried: true, taken: true };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Takes leave to send one PDU.
    ///
    /// # Errors
    ///
    /// Not yet: the next time to ask.
    pub fn take(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.lock();
        if let Some(until) = state.paused_until {
            if now < until {
                return Err(until);
            }
            state.paused_until = None;
        }
        if let Some(bucket) = &mut state.bucket {
            bucket.take(now)?;
        }
        state.tried = true;
        Ok(())
    }

    /// A PDU was answered with this status. Of answers to PDUs that were sent before a pause, only the first begins it.
    ///
    /// Says whether the PDU is to be sent again, in its place.
    pub fn answered(&self, status: CommandStatus, now: Instant) -> bool {
        let mut state = self.lock();
        let paused = state.paused_until.is_some_and(|until| now < until);
        let first = !paused && state.tried;
        match status {
            CommandStatus::RTHROTTLED => {
                if first {
                    let (pause, max) = (state.throttled, state.config.max_throttled);
                    state.throttled = pause.saturating_mul(2).min(max);
                    state.pause(pause.min(max), now);
                }
                true
            }
            CommandStatus::RMSGQFUL => {
                if first {
                    let (pause, max) = (state.queue_full, state.config.max_queue_full);
                    state.queue_full = pause.saturating_mul(2).min(max);
                    state.pause(pause.min(max), now);
                }
                true
            }
            _ => {
                if first {
                    (state.throttled, state.queue_full) = (state.config.throttled, state.config.queue_full);
                    state.taken = true;
                }
                false
            }
        }
    }

    /// Whether what is sent now is a trial, after a pause: nothing is to follow before its answer has come, or what is
    /// throttled again would be overtaken.
    pub fn is_trial(&self) -> bool {
        !self.lock().taken
    }

    /// Until when nothing is sent since the message centre said no; none if it did not.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.lock().paused_until.filter(|until| now < *until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pause(&mut self, pause: Duration, now: Instant) {
        self.paused_until = now.checked_add(pause);
        (self.tried, self.taken) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::driver;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_double_and_begin_anew_after_a_success() {
        let pacer = Pacer::new(PacerConfig::default().max_throttled(Duration::from_secs(3)));
        let mut now = driver::now();
        let pause = |status, now: &mut Instant| {
            let again = pacer.answered(status, *now);
            let until = pacer.take(*now).err();
            let pause = until.map(|until| (until - *now).as_secs());
            // More answers to what was on its way change nothing.
            pacer.answered(status, *now);
            assert_eq!(pacer.paused_until(*now), until);
            *now = until.unwrap_or(*now);
            // Nor does what was sent before.
            pacer.answered(CommandStatus::ROK, *now);
            assert_eq!(pacer.take(*now), Ok(()));
            assert_eq!(pacer.is_trial(), until.is_some());
            (again, pause)
        };
        let throttled = CommandStatus::RTHROTTLED;
        assert_eq!([(); 4].map(|()| pause(throttled, &mut now).1), [Some(1), Some(2), Some(3), Some(3)]);
        // The other reason has pauses of its own.
        assert_eq!(pause(CommandStatus::RMSGQFUL, &mut now), (true, Some(5)));
        assert_eq!(pause(CommandStatus::RMSGQFUL, &mut now), (true, Some(10)));
        assert_eq!(pause(CommandStatus::ROK, &mut now), (false, None));
        assert_eq!(pause(throttled, &mut now), (true, Some(1)));
        assert_eq!(pause(CommandStatus::RINVDSTADR, &mut now), (false, None));
    }

    #[test]
    fn clones_share_one_rate() {
        let pacer = Pacer::new(PacerConfig::default().tps(1));
        let now = driver::now();
        assert_eq!(pacer.clone().take(now), Ok(()));
        assert!(pacer.take(now).is_err());
    }

    proptest! {
        /// In any second at most what the rate and the bucket allow, and whoever waits as told gets it all.
        #[test]
        fn the_rate_is_kept(tps in 1u32..200, steps in prop::collection::vec(0u32..100, 1..300)) {
            let pacer = Pacer::new(PacerConfig::default().tps(tps));
            let mut now = driver::now();
            let mut taken = Vec::new();
            for step in steps {
                now += MILLISECOND * step;
                match pacer.take(now) {
                    Ok(()) => taken.push(now),
                    Err(at) => {
                        prop_assert!(at > now && pacer.take(at - Duration::from_nanos(1)).is_err());
                        now = at;
                        prop_assert_eq!(pacer.take(now), Ok(()));
                        taken.push(now);
                    }
                }
            }
            let burst = (tps as f64 * BURST.as_secs_f64()).max(1.0);
            for (at, first) in taken.iter().enumerate() {
                let in_second = taken[at..].iter().take_while(|taken| **taken < *first + Duration::from_secs(1)).count();
                prop_assert!(in_second as f64 <= f64::from(tps) + burst, "{} in a second", in_second);
            }
        }
    }
}
