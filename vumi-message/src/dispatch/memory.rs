//! What a router remembers: a bounded map whose entries expire.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::TableError;
use crate::Timestamp;

/// Keys longer than this many octets are not remembered: ids and addresses are short, and peers choose them.
const LONGEST_KEY: usize = 256;

/// How much a router remembers, and for how long.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryLimits {
    /// Seconds until an entry expires; at least 1.
    pub seconds: u64,
    /// Entries at most, at least 1. A new entry beyond it makes the one be forgotten that would expire first; among
    /// those of one time, the oldest. An entry takes about 300 octets.
    #[serde(default = "default_entries")]
    pub entries: usize,
}

fn default_entries() -> usize {
    100_000
}

impl MemoryLimits {
    /// These seconds, and 100,000 entries.
    pub fn of_seconds(seconds: u64) -> Self {
        Self { seconds, entries: default_entries() }
    }

    pub(super) fn check(self) -> Result<Self, TableError> {
        for (key, limit) in [("memory.seconds", self.seconds == 0), ("memory.entries", self.entries == 0)] {
            if limit {
                return Err(TableError::Zero { key: key.to_owned() });
            }
        }
        Ok(self)
    }
}

/// What a dispatcher remembers, for keeping it over a restart.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Saved {
    /// How many times something was given out in turn.
    #[serde(default)]
    pub turn: u64,
    /// The entries, those that expire first before the others.
    #[serde(default)]
    pub remembered: Vec<Remembered>,
}

/// One thing remembered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Remembered {
    /// The user's address or the message's id.
    pub key: String,
    /// The user's group or the message's sender.
    pub value: String,
    /// When it is forgotten.
    pub expires: Timestamp,
}

/// A map from keys to names. Its order of forgetting is the order of expiry, then of arrival.
#[derive(Debug)]
pub(super) struct Memory {
    limits: MemoryLimits,
    entries: HashMap<String, Entry>,
    order: BTreeMap<Place, String>,
    arrivals: u64,
}

/// When an entry expires, and which one it was to arrive.
type Place = (Timestamp, u64);

#[derive(Debug)]
struct Entry {
    value: String,
    place: Place,
}

impl Memory {
    pub(super) fn new(limits: MemoryLimits) -> Self {
        Self { limits, entries: HashMap::new(), order: BTreeMap::new(), arrivals: 0 }
    }

    pub(super) fn get(&self, key: &str, now: Timestamp) -> Option<&str> {
        let entry = self.entries.get(key)?;
        (entry.place.0 > now).then_some(entry.value.as_str())
    }

    /// Remembers, or remembers anew, from now on.
    pub(super) fn insert(&mut self, key: &str, value: &str, now: Timestamp) {
        self.insert_until(key, value, now.plus_seconds(self.limits.seconds), now);
    }

    pub(super) fn save(&self) -> Vec<Remembered> {
        let remembered = |(place, key): (&Place, &String)| {
            let value = self.entries.get(key)?.value.clone();
            Some(Remembered { key: key.clone(), value, expires: place.0 })
        };
        self.order.iter().filter_map(remembered).collect()
    }

    /// Takes back entries whose value `fits` says is still good.
    pub(super) fn restore(&mut self, saved: Vec<Remembered>, now: Timestamp, fits: impl Fn(&str) -> bool) {
        let latest = now.plus_seconds(self.limits.seconds);
        for entry in saved.into_iter().filter(|entry| entry.expires > now && fits(&entry.value)) {
            self.insert_until(&entry.key, &entry.value, entry.expires.min(latest), now);
        }
    }

    fn insert_until(&mut self, key: &str, value: &str, expires: Timestamp, now: Timestamp) {
        if key.len() > LONGEST_KEY {
            return;
        }
        if let Some(former) = self.entries.remove(key) {
            self.order.remove(&former.place);
        }
        self.forget(now);
        let place = (expires, self.arrivals);
        self.arrivals = self.arrivals.wrapping_add(1);
        self.entries.insert(key.to_owned(), Entry { value: value.to_owned(), place });
        self.order.insert(place, key.to_owned());
    }

    /// Makes room for one entry: forgets all that has expired, and the first to expire if there is no room yet.
    fn forget(&mut self, now: Timestamp) {
        while let Some(first) = self.order.first_entry() {
            if first.key().0 > now && self.entries.len() < self.limits.entries {
                break;
            }
            let key = first.remove();
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1_000)
    }

    #[test]
    fn the_first_to_expire_is_forgotten_first() {
        let mut memory = Memory::new(MemoryLimits { seconds: 10, entries: 2 });
        memory.insert("a", "1", at(0));
        memory.insert("b", "2", at(1));
        memory.insert("a", "3", at(2));
        memory.insert("c", "4", at(2));
        assert_eq!(
            (memory.get("a", at(3)), memory.get("b", at(3)), memory.get("c", at(3))),
            (Some("3"), None, Some("4"))
        );
        assert_eq!(memory.get("a", at(11)), Some("3"));
        assert_eq!(memory.get("a", at(12)), None);
    }

    #[test]
    fn long_keys_are_not_remembered() {
        let mut memory = Memory::new(MemoryLimits::of_seconds(10));
        memory.insert(&"k".repeat(257), "1", at(0));
        assert!(memory.save().is_empty());
    }

    #[test]
    fn what_is_restored_is_held_to_the_limits() {
        let mut memory = Memory::new(MemoryLimits { seconds: 10, entries: 2 });
        let entry =
            |key: &str, value: &str, expires| Remembered { key: key.into(), value: value.into(), expires: at(expires) };
        let saved = vec![
            entry("old", "x", 5),
            entry("a", "x", 7),
            entry("b", "x", 8),
            entry("gone", "y", 9),
            entry("late", "x", 1_000),
        ];
        memory.restore(saved, at(5), |value| value == "x");
        assert_eq!(memory.save(), [entry("b", "x", 8), entry("late", "x", 15)]);
    }

    proptest! {
        /// The naive model: a list in the order of arrival, searched from end to end.
        #[test]
        fn behaves_as_a_list(
            entries in 1_usize..5,
            steps in prop::collection::vec((0_i64..4, "[a-f]", "[xy]", any::<bool>()), 0..60),
        ) {
            let mut memory = Memory::new(MemoryLimits { seconds: 5, entries });
            let mut model: Vec<(String, String, i64)> = Vec::new();
            let mut now = 0;
            for (wait, key, value, write) in steps {
                now += wait;
                model.retain(|(_, _, expires)| *expires > now);
                if write {
                    memory.insert(&key, &value, at(now));
                    model.retain(|(known, ..)| *known != key);
                    if model.len() == entries {
                        model.remove(0);
                    }
                    model.push((key.clone(), value, now + 5));
                }
                let expected = model.iter().find(|(known, ..)| *known == key).map(|(_, value, _)| value.as_str());
                prop_assert_eq!(memory.get(&key, at(now)), expected);
                prop_assert!(memory.entries.len() <= entries);
                prop_assert_eq!(memory.entries.len(), memory.order.len());
                let mut restored = Memory::new(memory.limits);
                restored.restore(memory.save(), at(now), |_| true);
                prop_assert_eq!(restored.get(&key, at(now)), expected);
            }
        }
    }
}
