//! Which slot belongs to a phone, and which number to a code: a hash table of its own kind.
//!
//! A general hash table would do, at a price that is the greater the more sessions there are: it reads one cache line
//! for its control octets and another for the entry, and when it grows it reads every key again, which are in the
//! slots, and stops the program for as long. Here an entry holds half of its hash beside the slot, so that a phone is
//! found with one line and no other slot than its own is touched, and the table is cut into segments that grow one by
//! one, each by a quarter.

use std::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;

use super::slots::NONE;
use crate::{ids::LinkId, subscriber::Subscriber};

/// What names a session: a phone holds at most one on a link.
pub(super) type Key = (LinkId, Subscriber);

/// Segments, as a shift.
const SEGMENTS: u32 = 8;

/// Half of a hash above, a slot below.
type Entry = u64;

/// Its lower half is no slot.
const EMPTY: Entry = Entry::MAX;

/// The table. The hash is seeded, because peers choose the numbers.
#[derive(Debug)]
pub(super) struct Index {
    hasher: DefaultHashBuilder,
    segments: Box<[Segment]>,
}

impl Default for Index {
    fn default() -> Self {
        let segments = (0..1 << SEGMENTS).map(|_| Segment::default()).collect();
        Self { hasher: DefaultHashBuilder::default(), segments }
    }
}

impl Index {
    pub(super) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The slot of this hash that `is` the right one.
    pub(super) fn find(&self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.segments.get(segment(hash))?.find(tag(hash), is).map(|(_, slot)| slot)
    }

    /// Reads what `find` would read first.
    pub(super) fn touch(&self, hash: u64) -> Entry {
        self.segments.get(segment(hash)).map_or(EMPTY, |segment| segment.touch(tag(hash)))
    }

    /// Adds a slot that is not in the table.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if let Some(segment) = self.segments.get_mut(segment(hash)) {
            segment.insert(tag(hash) << 32 | Entry::from(slot));
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if let Some(segment) = self.segments.get_mut(segment(hash)) {
            segment.remove(tag(hash), slot);
        }
    }
}

fn segment(hash: u64) -> usize {
    usize::try_from(hash >> (64 - SEGMENTS)).unwrap_or(0)
}

/// The half of the hash that an entry holds.
fn tag(hash: u64) -> u64 {
    hash & u64::from(u32::MAX)
}

/// Entries in the order in which they were met from where they belong: linear probing.
#[derive(Debug, Default)]
struct Segment {
    entries: Vec<Entry>,
    len: usize,
}

impl Segment {
    /// Where an entry with this tag belongs.
    fn home(&self, tag: u64) -> usize {
        // Below the number of entries, which are far fewer than 2^32.
        usize::try_from((tag * self.entries.len() as u64) >> 32).unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.entries.len() { 0 } else { at + 1 }
    }

    /// How far `to` lies after `from`, round the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.entries.len() - from }
    }

    fn touch(&self, tag: u64) -> Entry {
        self.entries.get(self.home(tag)).copied().unwrap_or(EMPTY)
    }

    fn find(&self, tag: u64, mut is: impl FnMut(u32) -> bool) -> Option<(usize, u32)> {
        let mut at = self.home(tag);
        loop {
            let entry = *self.entries.get(at)?;
            if entry >> 32 == tag && slot_of(entry) != NONE && is(slot_of(entry)) {
                return Some((at, slot_of(entry)));
            }
            if entry == EMPTY {
                return None;
            }
            at = self.after(at);
        }
    }

    fn insert(&mut self, entry: Entry) {
        // At most four fifths are taken, so that runs stay short.
        if (self.len + 1) * 5 > self.entries.len() * 4 {
            let room = (self.entries.len() + self.entries.len() / 4).max(8).next_multiple_of(8);
            let old = std::mem::replace(&mut self.entries, vec![EMPTY; room]);
            for entry in old.into_iter().filter(|entry| *entry != EMPTY) {
                self.place(entry);
            }
        }
        self.place(entry);
        self.len += 1;
    }

    /// Puts an entry in the first free place from where it belongs.
    fn place(&mut self, entry: Entry) {
        let mut at = self.home(entry >> 32);
        while let Some(place) = self.entries.get_mut(at) {
            if *place == EMPTY {
                *place = entry;
                return;
            }
            at = self.after(at);
        }
    }

    /// Takes an entry out, and moves up those that it kept from where they belong.
    fn remove(&mut self, tag: u64, slot: u32) {
        let Some((mut hole, _)) = self.find(tag, |other| other == slot) else { return };
        self.len -= 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let Some(entry) = self.entries.get(at).copied().filter(|entry| *entry != EMPTY) else { break };
            if self.distance(self.home(entry >> 32), at) >= self.distance(hole, at) {
                self.put(hole, entry);
                hole = at;
            }
        }
        self.put(hole, EMPTY);
    }

    fn put(&mut self, at: usize, entry: Entry) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }
}

fn slot_of(entry: Entry) -> u32 {
    u32::try_from(entry & Entry::from(u32::MAX)).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a map from hash to slot; hashes of few bits, so that they meet in every way.
        #[test]
        fn as_a_map(ops in prop::collection::vec((0u64..4, 0u64..40, any::<bool>()), 0..400)) {
            let (mut index, mut naive) = (Index::default(), BTreeMap::new());
            for (place, (high, low, add)) in ops.into_iter().enumerate() {
                // Neighbours in one segment, and equal halves in different ones; the last tag there is, too.
                let hash = high << 62 | (low << 26 | low >> 5).min(u64::from(u32::MAX));
                if add {
                    let slot = u32::try_from(place).unwrap();
                    index.insert(hash, slot);
                    naive.entry(hash).or_insert_with(Vec::new).push(slot);
                } else if let Some(slot) = naive.get_mut(&hash).and_then(Vec::pop) {
                    index.remove(hash, slot);
                }
                for (hash, slots) in &naive {
                    for slot in slots {
                        prop_assert_eq!(index.find(*hash, |other| other == *slot), Some(*slot));
                    }
                    let mut seen = Vec::new();
                    prop_assert_eq!(index.find(*hash, |other| { seen.push(other); false }), None);
                    seen.sort_unstable();
                    prop_assert_eq!(&seen, slots);
                }
            }
            let len: usize = index.segments.iter().map(|segment| segment.len).sum();
            prop_assert_eq!(len, naive.values().map(Vec::len).sum::<usize>());
        }
    }
}
