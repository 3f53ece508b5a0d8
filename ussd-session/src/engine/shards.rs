//! Several engines side by side, for several cores.

use std::{
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashbrown::DefaultHashBuilder;

use super::{Config, Effect, Engine, Gauges, Saved, Sink};
use crate::{event::Event, ids::LinkId, subscriber::Subscriber, time::Millis};

/// Engines that share the phones among them, so that several threads can work at once.
///
/// A phone is always served by the same shard, so nothing changes for it. Threads may hand in events for any phone; the
/// shards wait for one another only when two events of one shard meet. Let each thread poll a shard of its own:
///
/// ```
/// use ussd_session::{Config, Effect, Event, LinkId, Millis, NetId, Phase, Shards};
///
/// let (shards, now) = (Shards::new(Config::default(), 4), Millis(1_790_000_000_000));
/// std::thread::scope(|threads| {
///     for thread in 0..4 {
///         let shards = &shards;
///         threads.spawn(move || {
///             let from = format!("2783000000{thread}").parse().unwrap();
///             let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
///             shards.handle(LinkId(0), begin, now, |_: Effect<'_>| {});
///             // Later, when the shard's `next_deadline` has come:
///             shards.shard(thread).poll(now, 1000, |_: Effect<'_>| {});
///         });
///     }
/// });
/// assert_eq!(shards.live(), 4);
/// ```
///
/// A sink must not call the shards: it is called while one is held. Limits are shared out evenly: each shard has its part of [`Config::max_live`] and [`Config::max_closed`].
#[derive(Debug)]
pub struct Shards {
    first: Mutex<Engine>,
    others: Box<[Mutex<Engine>]>,
    hasher: DefaultHashBuilder,
}

impl Shards {
    /// So many engines without sessions; at least one, at most [`Shards::MAX`].
    #[must_use]
    pub fn new(config: Config, shards: usize) -> Self {
        let shards = shards.clamp(1, Self::MAX);
        let of = |shard| Mutex::new(Engine::new(config.clone().shard(shard, shards)));
        Self { first: of(0), others: (1..shards).map(of).collect(), hasher: DefaultHashBuilder::default() }
    }

    /// The most shards: with more, session ids might run ahead of the clock they begin from.
    pub const MAX: usize = 64;

    /// Shards that go on with these sessions, as by [`Engine::restore`]; how many shards wrote them down does not matter.
    #[must_use]
    pub fn restore(config: Config, shards: usize, saved: impl IntoIterator<Item = Saved>, now: Millis) -> Self {
        let restored = Self::new(config, shards);
        for saved in saved {
            restored.of(saved.record().subscriber()).take_in([saved], now);
        }
        restored
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Which shard serves this phone.
    #[must_use]
    pub fn shard_of(&self, subscriber: Subscriber) -> usize {
        let hash = self.hasher.hash_one(subscriber) >> 32;
        usize::try_from((hash * self.count() as u64) >> 32).unwrap_or(0)
    }

    /// One shard, to poll it, to hand it a batch of its phones, or to look at it; held until it is dropped. A number
    /// too large counts on from the first.
    pub fn shard(&self, shard: usize) -> MutexGuard<'_, Engine> {
        let shard = self.others.get((shard % self.count()).wrapping_sub(1)).unwrap_or(&self.first);
        // An engine is whole whenever a sink is called, so a sink that panicked has broken nothing.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one event, as [`Engine::handle`]. What concerns a whole link goes to each shard in turn.
    pub fn handle(&self, link: LinkId, event: Event<'_>, now: Millis, mut sink: impl Sink) {
        match event.subscriber() {
            Some(subscriber) => self.of(subscriber).handle(link, event, now, sink),
            None => {
                for shard in 0..self.count() {
                    self.shard(shard).handle(link, event.clone(), now, |effect: Effect<'_>| sink.accept(effect));
                }
            }
        }
    }

    /// As [`Engine::shutdown`], for each shard in turn.
    pub fn shutdown(&self, now: Millis, mut sink: impl Sink) {
        for shard in 0..self.count() {
            self.shard(shard).shutdown(now, |effect: Effect<'_>| sink.accept(effect));
        }
    }

    /// How many sessions are open.
    #[must_use]
    pub fn live(&self) -> usize {
        (0..self.count()).map(|shard| self.shard(shard).live()).sum()
    }

    /// How things stand, all shards together; of what is [behind](Gauges::behind), the worst.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        (0..self.count()).map(|shard| self.shard(shard).gauges()).fold(Gauges::default(), Gauges::and)
    }

    fn of(&self, subscriber: Subscriber) -> MutexGuard<'_, Engine> {
        self.shard(self.shard_of(subscriber))
    }
}
