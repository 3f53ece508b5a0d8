//! Two machines over a store in memory, as a host of random schedules: with each crash others come in their place.

use std::time::Duration;

use tokio::runtime::Builder;
use ussd_session::{
    Config, Effect, Event, Millis, Policy,
    store::{MemoryStore, Store},
    testkit,
};

use super::{Host, stored::Stored};

pub(crate) struct Explored<S> {
    store: MemoryStore,
    connect: fn(MemoryStore) -> S,
    config: Config,
    stored: Stored<S>,
    now: Millis,
}

impl<S: Store> Explored<S> {
    /// Each machine has what `connect` makes of the one store.
    pub(crate) fn new(policy: &Policy, connect: fn(MemoryStore) -> S) -> Self {
        let (store, config) = (MemoryStore::new(), Config::default().policy(policy.clone()));
        let stored = machines(&store, connect, &config);
        Self { store, connect, config, stored, now: Millis(0) }
    }

    fn time(&mut self, now: Millis) {
        self.now = self.now.max(now);
        self.store.set_time(self.now);
    }
}

impl<S: Store> testkit::Host for Explored<S> {
    fn handle(&mut self, event: &Event<'_>, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        self.time(now);
        self.stored.handle(event.clone(), now, sink);
    }

    fn poll(&mut self, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        self.time(now);
        self.stored.tick(now, sink);
    }

    fn records(&self) -> usize {
        // A store forgets a tombstone a minute after its time.
        self.store.set_time(self.now.after(Duration::from_secs(60)));
        let listed = self.stored.runtime.block_on(self.store.due(Millis(u64::MAX), 10)).unwrap();
        self.store.len() + listed.len()
    }

    fn crash(&mut self) -> bool {
        self.stored = machines(&self.store, self.connect, &self.config);
        true
    }
}

fn machines<S: Store>(store: &MemoryStore, connect: fn(MemoryStore) -> S, config: &Config) -> Stored<S> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    Stored::new(runtime, [(); 2].map(|()| connect(store.clone())), config, |_, _| {})
}
