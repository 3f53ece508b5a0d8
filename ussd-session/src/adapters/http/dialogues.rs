//! What is kept of sessions from one request to the next, in memory.

use std::{collections::BTreeMap, time::Duration};

use hashbrown::HashMap;

use super::{Call, Dialogue, Error, Received};
use crate::time::Millis;

/// The [`Dialogue`]s of one process. A host with several keeps them where all can reach them, and calls
/// [`Call::event`] itself.
///
/// At most as many as are allowed for, each of a fixed size beside its key: beyond, the one that was silent longest is
/// forgotten. One that is silent for the lifetime is forgotten too.
#[derive(Debug)]
pub struct Dialogues {
    of: HashMap<Box<str>, Kept>,
    /// By the order of their last requests.
    order: BTreeMap<u64, Box<str>>,
    next: u64,
    capacity: usize,
    lifetime: Duration,
}

#[derive(Debug)]
struct Kept {
    dialogue: Dialogue,
    order: u64,
    at: Millis,
}

impl Dialogues {
    /// Room for so many (at least one), each for ten minutes after its last request.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let lifetime = Duration::from_secs(600);
        Self { of: HashMap::new(), order: BTreeMap::new(), next: 0, capacity: capacity.max(1), lifetime }
    }

    /// Another lifetime: longer than a session may last.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// What a request means, by what is known of its session; and that is brought up to date.
    ///
    /// # Errors
    /// As [`Call::event`].
    pub fn receive(&mut self, call: &Call, now: Millis) -> Result<Received, Error> {
        self.forget_the_old(now);
        let (received, dialogue) = call.event(self.of.get(call.key()).map(|kept| &kept.dialogue))?;
        if let Some(dialogue) = dialogue {
            self.keep(call.key(), dialogue, now);
        }
        Ok(received)
    }

    /// To be called when the last text of a session has been sent: what still comes for it is late.
    pub fn close(&mut self, key: &str) {
        if let Some(kept) = self.of.get_mut(key) {
            kept.dialogue.close();
        }
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// True if none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    fn keep(&mut self, key: &str, dialogue: Dialogue, at: Millis) {
        let order = self.next;
        self.next += 1;
        if let Some(before) = self.of.insert(key.into(), Kept { dialogue, order, at }) {
            self.order.remove(&before.order);
        }
        self.order.insert(order, key.into());
        while self.of.len() > self.capacity {
            self.forget_the_oldest();
        }
    }

    fn forget_the_old(&mut self, now: Millis) {
        let is_old = |kept: &Kept| now.since(kept.at) > self.lifetime;
        let mut old = 0_usize;
        for key in self.order.values() {
            if !self.of.get(key).is_some_and(is_old) {
                break;
            }
            old += 1;
        }
        for _ in 0..old {
            self.forget_the_oldest();
        }
    }

    fn forget_the_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.of.remove(&key);
        }
    }
}
