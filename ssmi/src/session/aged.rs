use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Values by key, first in first out for each key, bounded in number and in age: the oldest go first.
#[derive(Clone, Debug)]
pub(super) struct Aged<K, V> {
    age: Duration,
    limit: usize,
    /// Number of the next value; numbers follow the order of arrival, and so of expiry.
    next: u64,
    entries: BTreeMap<u64, Entry<K, V>>,
    by_key: HashMap<K, VecDeque<u64>>,
}

#[derive(Clone, Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    /// None for never.
    expires: Option<Instant>,
}

impl<K: Clone + Eq + Hash, V> Aged<K, V> {
    pub(super) fn new(limit: usize, age: Duration) -> Self {
        Self { age, limit, next: 0, entries: BTreeMap::new(), by_key: HashMap::new() }
    }

    /// Other bounds from now on. What is held keeps its age; what is too many is pushed out by and by.
    pub(super) fn set_bounds(&mut self, limit: usize, age: Duration) {
        self.limit = limit;
        self.age = age;
    }

    /// Adds a value; gives the one that it pushed out, which is the value itself if nothing may be held.
    pub(super) fn insert(&mut self, key: K, value: V, now: Instant) -> Option<V> {
        if self.limit == 0 {
            return Some(value);
        }
        let pushed_out = if self.is_full() { self.pop_oldest() } else { None };
        let number = self.next;
        self.next = number.saturating_add(1);
        self.by_key.entry(key.clone()).or_default().push_back(number);
        self.entries.insert(number, Entry { key, value, expires: now.checked_add(self.age) });
        pushed_out
    }

    /// Takes the oldest value of a key.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        let numbers = self.by_key.get_mut(key)?;
        let number = numbers.pop_front()?;
        if numbers.is_empty() {
            self.by_key.remove(key);
        }
        self.entries.remove(&number).map(|entry| entry.value)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    /// Takes the oldest value if its time is over.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<V> {
        if self.next_expiry()? <= now { self.pop_oldest() } else { None }
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.entries.first_key_value().and_then(|(_, entry)| entry.expires)
    }

    /// Takes the oldest value of all.
    pub(super) fn pop_oldest(&mut self) -> Option<V> {
        let (_, entry) = self.entries.pop_first()?;
        // The oldest of all is the oldest of its key.
        if let Some(numbers) = self.by_key.get_mut(&entry.key) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_key.remove(&entry.key);
            }
        }
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::now;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_key_is_first_in_first_out() {
        let mut aged = Aged::new(10, SECOND);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3)] {
            assert_eq!(aged.insert(key, value, now()), None);
        }
        assert_eq!([aged.take(&"a"), aged.take(&"a"), aged.take(&"a")], [Some(1), Some(3), None]);
        assert!(!aged.contains(&"a") && aged.contains(&"b"));
        assert_eq!((aged.entries.len(), aged.by_key.len()), (1, 1));
    }

    #[test]
    fn the_bound_pushes_the_oldest_out() {
        let mut aged = Aged::new(2, SECOND);
        assert_eq!(aged.insert("a", 1, now()), None);
        assert_eq!(aged.insert("b", 2, now()), None);
        assert_eq!(aged.insert("a", 3, now()), Some(1));
        assert_eq!(aged.take(&"a"), Some(3));
        assert_eq!(Aged::new(0, SECOND).insert("a", 1, now()), Some(1));
    }

    #[test]
    fn what_is_old_expires_in_order() {
        let start = now();
        let mut aged = Aged::new(9, SECOND);
        aged.insert("a", 1, start);
        aged.insert("b", 2, start + SECOND);
        assert_eq!(aged.next_expiry(), Some(start + SECOND));
        assert_eq!(aged.take_expired(start), None);
        assert_eq!(aged.take_expired(start + SECOND), Some(1));
        assert_eq!(aged.take_expired(start + SECOND), None);
        assert_eq!(aged.take_expired(start + 2 * SECOND), Some(2));
        assert_eq!(aged.next_expiry(), None);
    }

    #[test]
    fn an_endless_age_is_never() {
        let mut aged = Aged::new(9, Duration::MAX);
        aged.insert("a", 1, now());
        assert_eq!(aged.next_expiry(), None);
        assert_eq!(aged.take_expired(now() + SECOND), None);
    }
}
