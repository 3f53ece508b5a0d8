use std::time::{Duration, Instant};

use crate::session::config;
use crate::types::CommandStatus;

config! {
    /// When a link comes back that was lost or could not be bound.
    ReconnectConfig {
        /// First delay; each further one doubles it. 1 second.
        first: Duration = Duration::from_secs(1),
        /// Longest delay. 1 minute.
        max: Duration = Duration::from_secs(60),
        /// How many hundredths of each delay are drawn at random, so that clients do not come back in step. 50; at most
        /// 100.
        jitter: u8 = 50,
        /// How long a link must have been bound for the delays to begin anew. 30 seconds.
        stable: Duration = Duration::from_secs(30),
        /// Delay after a bind was refused with ESME_RALYBND: the message centre has not noticed yet that the link before
        /// is gone. 30 seconds.
        already_bound: Duration = Duration::from_secs(30),
        /// Delay after a bind was refused for its credentials (ESME_RINVPASWD, ESME_RINVSYSID, ESME_RINVSYSTYP,
        /// ESME_RBINDFAIL); `None` to give the link up. 5 minutes.
        refused: Option<Duration> = Some(Duration::from_secs(300)),
    }
}

/// Why there is no link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// It could not be connected, or was lost.
    Lost,
    /// The bind was refused.
    Refused(CommandStatus),
}

/// The delays of one link. Reads no clock.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    config: ReconnectConfig,
    next: Duration,
    bound_since: Option<Instant>,
    random: fastrand::Rng,
}

impl Backoff {
    pub(super) fn new(config: ReconnectConfig, seed: u64) -> Self {
        let next = config.first;
        Self { config, next, bound_since: None, random: fastrand::Rng::with_seed(seed) }
    }

    /// The link is bound.
    pub(super) fn bound(&mut self, now: Instant) {
        self.bound_since = Some(now);
    }

    /// How long to wait before the next attempt; none to give up.
    pub(super) fn delay(&mut self, failure: Failure, now: Instant) -> Option<Duration> {
        let since = self.bound_since.take();
        if since.is_some_and(|since| now.saturating_duration_since(since) >= self.config.stable) {
            self.next = self.config.first;
        }
        let base = match failure {
            Failure::Refused(CommandStatus::RALYBND) => self.config.already_bound,
            Failure::Refused(
                CommandStatus::RINVPASWD
                | CommandStatus::RINVSYSID
                | CommandStatus::RINVSYSTYP
                | CommandStatus::RBINDFAIL,
            ) => self.config.refused?,
            _ => {
                let base = self.next.min(self.config.max);
                self.next = self.next.saturating_mul(2).min(self.config.max);
                base
            }
        };
        let random = f64::from(self.config.jitter.min(100)) / 100.0 * self.random.f64();
        let part = |random: f64| Duration::try_from_secs_f64(base.as_secs_f64() * random).unwrap_or(base);
        // A message centre that asks for a time gets at least that.
        Some(match failure {
            Failure::Lost => base.saturating_sub(part(random)),
            Failure::Refused(_) => base.saturating_add(part(random / 4.0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver;

    fn seconds(delay: Option<Duration>) -> u64 {
        delay.unwrap().as_secs()
    }

    #[test]
    fn doubles_up_to_the_cap_and_begins_anew_once_bound_for_a_while() {
        let mut now = driver::now();
        let mut backoff = Backoff::new(ReconnectConfig::default().jitter(0), 0);
        let lost = |backoff: &mut Backoff, now| seconds(backoff.delay(Failure::Lost, now));
        assert_eq!([(); 8].map(|()| lost(&mut backoff, now)), [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.bound(now);
        now += Duration::from_secs(29);
        assert_eq!(lost(&mut backoff, now), 60, "bound for too short a time");
        backoff.bound(now);
        now += Duration::from_secs(30);
        assert_eq!([(); 2].map(|()| lost(&mut backoff, now)), [1, 2]);
        // That it was bound once does not count twice.
        now += Duration::from_secs(3_600);
        assert_eq!(lost(&mut backoff, now), 4);
    }

    #[test]
    fn refusals_have_delays_of_their_own() {
        let now = driver::now();
        let config = ReconnectConfig::default().jitter(0);
        let mut backoff = Backoff::new(config.clone(), 0);
        let mut refused = |status| seconds(backoff.delay(Failure::Refused(status), now));
        assert_eq!(refused(CommandStatus::RALYBND), 30);
        assert_eq!(refused(CommandStatus::RINVPASWD), 300);
        assert_eq!([(); 2].map(|()| refused(CommandStatus::RSYSERR)), [1, 2]);
        let mut backoff = Backoff::new(config.refused(None), 0);
        assert_eq!(backoff.delay(Failure::Refused(CommandStatus::RINVSYSID), now), None);
    }

    #[test]
    fn jitter_comes_from_the_seed_and_stays_in_its_bounds() {
        let now = driver::now();
        let config = ReconnectConfig::default().max(Duration::from_secs(1));
        let draw = |seed| {
            let mut backoff = Backoff::new(config.clone(), seed);
            [(); 20].map(|()| backoff.delay(Failure::Lost, now).unwrap())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|delay| (500..=1_000).contains(&delay.as_millis())));
        let mut endless = Backoff::new(ReconnectConfig::default().first(Duration::MAX).max(Duration::MAX), 1);
        assert!(endless.delay(Failure::Lost, now).is_some());
    }
}
