//! Several machines over one store, as a host: events come to them in turn.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
#[cfg(feature = "redis")]
use ussd_session::store::RedisStore;
use ussd_session::{
    Action, Callback, Config, Effect, Event, Millis, NetId, OwnedEffect, OwnedEvent, Policy, State, Subscriber,
    TurnToken,
    store::{Driver, Expect, Fault, Found, Key, MemoryStore, Open, Stepped, Store, Swapped, Tag, Write},
};

#[cfg(feature = "redis")]
use super::redis_server::{Connection, RedisServer};
use super::{Host, LINK, describe, screened::told};

#[derive(Debug)]
pub(crate) struct Stored<S> {
    pub(crate) runtime: Runtime,
    pub(crate) machines: Vec<Driver<S>>,
    turn: AtomicUsize,
    now: Millis,
    resumed: Option<String>,
    /// Tells the store what time it is.
    clock: fn(&S, Millis),
}

pub(crate) fn key(subscriber: Subscriber) -> Key {
    Key { link: LINK, subscriber }
}

/// Two machines over a store in memory.
pub(crate) fn in_memory(policy: &Policy) -> Stored<MemoryStore> {
    with_limits(&Config::default().policy(policy.clone()))
}

/// The same, with more than a policy.
pub(crate) fn with_limits(config: &Config) -> Stored<MemoryStore> {
    let store = MemoryStore::new();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    Stored::new(runtime, [store.clone(), store], config, |store, now| store.set_time(now))
}

/// Two machines over a Redis, each with a connection of its own.
#[cfg(feature = "redis")]
pub(crate) fn in_redis(server: &RedisServer, policy: &Policy) -> Stored<RedisStore<Connection>> {
    in_redis_with_limits(server, &Config::default().policy(policy.clone()))
}

/// The same, with more than a policy.
#[cfg(feature = "redis")]
pub(crate) fn in_redis_with_limits(server: &RedisServer, config: &Config) -> Stored<RedisStore<Connection>> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let stores = runtime.block_on(async { [server.store().await, server.store().await] });
    Stored::new(runtime, stores, config, |_, _| {})
}

/// What a machine was to do, in words.
pub(crate) fn lines(stepped: &Stepped) -> Vec<String> {
    stepped.effects.iter().map(|effect| describe(&effect.as_effect(), &mut Vec::new())).collect()
}

/// The turn that an application was given last.
pub(crate) fn token(stepped: &Stepped) -> TurnToken {
    let mut calls = stepped.effects.iter().filter_map(|effect| match effect.as_effect().action {
        Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => Some(token),
        _ => None,
    });
    calls.next_back().expect("a turn")
}

impl<S: Store> Stored<S> {
    pub(crate) fn new(
        runtime: Runtime,
        stores: impl IntoIterator<Item = S>,
        config: &Config,
        clock: fn(&S, Millis),
    ) -> Self {
        let machine = |(node, store)| Driver::new(store, config.clone().node(node)).takeover(Duration::ZERO);
        let machines = (1..).zip(stores).map(machine).collect();
        Self { runtime, machines, turn: AtomicUsize::new(0), now: Millis(0), resumed: None, clock }
    }

    fn next(&self) -> &Driver<S> {
        &self.machines[self.turn.fetch_add(1, Ordering::Relaxed) % self.machines.len()]
    }

    /// Lets the store know what time it is.
    pub(crate) fn clock(&mut self, now: Millis) {
        self.now = self.now.max(now);
        for machine in &self.machines {
            (self.clock)(machine.store(), self.now);
        }
    }

    fn record(&self, phone: Subscriber) -> Option<ussd_session::Record> {
        let record = self.runtime.block_on(self.next().record(key(phone))).unwrap();
        // A tombstone stands until its time is over, whenever it is cleared away.
        record.filter(|record| record.deadline() > self.now)
    }

    /// What is kept of a phone's session.
    pub(crate) fn octets(&self, phone: Subscriber) -> Vec<u8> {
        self.content(phone).1
    }

    /// Writes the session down again as if it were in that turn.
    pub(crate) fn put_turn(&self, phone: Subscriber, turn: u16) {
        /// Where it stands in the octets of a session.
        const TURN: Range<usize> = 35..37;
        let (tag, mut octets) = self.content(phone);
        octets[TURN].copy_from_slice(&turn.to_be_bytes());
        let (tag, expect) = (Tag { version: tag.version + 1, ..tag }, Expect::Is(tag));
        let deadline = self.deadline(phone).unwrap();
        let open = Some(Open { deadline, node: 1, limit: None });
        let write = Write::Put { tag, octets: &octets, ttl: Duration::from_secs(3600), open };
        let swapped = self.runtime.block_on(self.machines[0].store().swap(key(phone), expect, write));
        assert_eq!(swapped.unwrap(), Swapped::Done);
        assert_eq!(self.record(phone).map(|record| (record.token().turn, record.deadline())), Some((turn, deadline)));
    }

    fn content(&self, phone: Subscriber) -> (Tag, Vec<u8>) {
        let found = self.runtime.block_on(self.machines[0].store().load(key(phone), &NetId::NONE)).unwrap();
        let Found::Session { tag, octets } = found else { panic!("{found:?}") };
        (tag, octets)
    }

    /// Does what is due: for each machine its own, then what the other has left.
    async fn due(machine: &Driver<S>, now: Millis) -> Vec<OwnedEffect> {
        let mut effects = Vec::new();
        loop {
            let mut keys = machine.due_here(now, 2);
            if keys.is_empty() {
                keys = machine.due_anywhere(now, 2).await.unwrap();
            }
            if keys.is_empty() {
                return effects;
            }
            for key in keys {
                effects.extend(machine.tick(key, now).await.unwrap().effects);
            }
        }
    }
}

impl Stored<MemoryStore> {
    /// Two events at once, one at each machine: both look before either writes.
    pub(crate) fn at_once(&mut self, events: &[OwnedEvent; 2], now: Millis) -> [Stepped; 2] {
        self.clock(now);
        let [one, two] = &self.machines[..] else { panic!("two machines") };
        one.store().faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
        let [first, second] = events.each_ref().map(OwnedEvent::as_event);
        let (first, second) = self
            .runtime
            .block_on(async { tokio::join!(one.handle(LINK, &first, now), two.handle(LINK, &second, now)) });
        one.store().faults(|_, _| Fault::None);
        [first.unwrap(), second.unwrap()]
    }
}

impl<S: Store> Host for Stored<S> {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.clock(now);
        let stepped = self.runtime.block_on(self.next().handle(LINK, &event, now)).unwrap();
        stepped.effects.iter().for_each(|effect| out(effect.as_effect()));
        self.resumed = stepped.resumed.map(|resumed| told(&resumed.split().1));
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.clock(now);
        for _ in 0..self.machines.len() {
            let effects = self.runtime.block_on(Self::due(self.next(), now));
            effects.iter().for_each(|effect| out(effect.as_effect()));
        }
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.record(phone).map(|record| (record.state(), record.token().turn))
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.record(phone).map(|record| record.deadline())
    }

    fn resumed(&mut self) -> Option<String> {
        self.resumed.take()
    }
}
