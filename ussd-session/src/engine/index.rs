//! Which slot belongs to a phone, and which number to a code: a hash table of its own kind.
//!
//! A general hash table would do, at a price that is the greater the more sessions there are: it reads one cache line
//! for its control octets and another for the entry, and when it grows it reads every key again, which are in the
//! slots, and stops the program for as long. Here an entry holds a little of its hash beside the slot, in 32 bits, so
//! that a phone is found with one line of a small table, and one time in 256 another slot than its own is touched. The
//! half of the hash that says where an entry belongs lies apart, since only entries that come, go or move need it. The
//! table is cut into segments that grow one by one, each by a quarter.

use std::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;

use crate::{ids::LinkId, subscriber::Subscriber};

/// What names a session: a phone holds at most one on a link.
pub(super) type Key = (LinkId, Subscriber);

/// Segments, as a shift.
const SEGMENTS: u32 = 8;

/// Some of a hash above, a slot below.
type Entry = u32;

/// The part of an entry that is the slot.
const SLOT: Entry = (1 << 24) - 1;

/// Its slot is none.
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
    /// It holds slots below this one.
    pub(super) const END: u32 = SLOT;

    pub(super) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The slot of this hash that `is` the right one.
    pub(super) fn find(&self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.segments.get(segment(hash))?.find(hash, is).map(|(_, slot)| slot)
    }

    /// Reads what `find` would read first.
    pub(super) fn touch(&self, hash: u64) -> Entry {
        self.segments.get(segment(hash)).map_or(EMPTY, |segment| segment.touch(tag(hash)))
    }

    /// Adds a slot that is not in the table.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        debug_assert!(slot < Self::END);
        if let Some(segment) = self.segments.get_mut(segment(hash)) {
            segment.insert(some(hash) | slot & SLOT, tag(hash));
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if let Some(segment) = self.segments.get_mut(segment(hash)) {
            segment.remove(hash, slot);
        }
    }
}

fn segment(hash: u64) -> usize {
    usize::try_from(hash >> (64 - SEGMENTS)).unwrap_or(0)
}

/// The half of the hash that says where in its segment an entry belongs.
fn tag(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

/// The part of the hash that an entry holds; neither the segment nor the tag tells it.
fn some(hash: u64) -> Entry {
    tag(hash >> 8) & !SLOT
}

/// Entries in the order in which they were met from where they belong: linear probing.
#[derive(Debug, Default)]
struct Segment {
    /// The entries, and behind them the tag of each.
    words: Vec<u32>,
    len: usize,
}

impl Segment {
    /// A segment with room for so many.
    fn with_room(room: usize) -> Self {
        Self { words: vec![EMPTY; 2 * room], len: 0 }
    }

    fn room(&self) -> usize {
        self.words.len() / 2
    }

    fn entries(&self) -> &[Entry] {
        self.words.get(..self.room()).unwrap_or_default()
    }

    /// The entries with their tags.
    fn pairs(&self) -> impl Iterator<Item = (Entry, u32)> {
        let (entries, tags) = self.words.split_at(self.room());
        entries.iter().copied().zip(tags.iter().copied()).filter(|(entry, _)| *entry != EMPTY)
    }

    /// Where an entry with this tag belongs.
    fn home(&self, tag: u32) -> usize {
        // Below the number of entries, which are far fewer than 2^32.
        usize::try_from((u64::from(tag) * self.room() as u64) >> 32).unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.room() { 0 } else { at + 1 }
    }

    /// How far `to` lies after `from`, round the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.room() - from }
    }

    fn touch(&self, tag: u32) -> Entry {
        self.entries().get(self.home(tag)).copied().unwrap_or(EMPTY)
    }

    fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<(usize, u32)> {
        let (entries, some) = (self.entries(), some(hash));
        let mut at = self.home(tag(hash));
        loop {
            let entry = *entries.get(at)?;
            let slot = entry & SLOT;
            if entry & !SLOT == some && slot != SLOT && is(slot) {
                return Some((at, slot));
            }
            if entry == EMPTY {
                return None;
            }
            at = self.after(at);
        }
    }

    fn insert(&mut self, entry: Entry, tag: u32) {
        // At most four fifths are taken, so that runs stay short.
        if (self.len + 1) * 5 > self.room() * 4 {
            let mut grown = Self::with_room((self.room() + self.room() / 4).max(8).next_multiple_of(8));
            for (entry, tag) in self.pairs() {
                grown.place(entry, tag);
            }
            *self = grown;
        }
        self.place(entry, tag);
    }

    /// Puts an entry in the first free place from where it belongs.
    fn place(&mut self, entry: Entry, tag: u32) {
        let mut at = self.home(tag);
        while self.entries().get(at).is_some_and(|place| *place != EMPTY) {
            at = self.after(at);
        }
        self.put(at, entry, tag);
        self.len += 1;
    }

    /// Takes an entry out, and moves up those that it kept from where they belong.
    fn remove(&mut self, hash: u64, slot: u32) {
        let Some((mut hole, _)) = self.find(hash, |other| other == slot) else { return };
        self.len -= 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let Some(entry) = self.entries().get(at).copied().filter(|entry| *entry != EMPTY) else { break };
            let tag = self.words.get(self.room() + at).copied().unwrap_or(0);
            if self.distance(self.home(tag), at) >= self.distance(hole, at) {
                self.put(hole, entry, tag);
                hole = at;
            }
        }
        self.put(hole, EMPTY, 0);
    }

    fn put(&mut self, at: usize, entry: Entry, tag: u32) {
        let room = self.room();
        for (at, word) in [(at, entry), (room + at, tag)] {
            if let Some(place) = self.words.get_mut(at) {
                *place = word;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a map from hash to slot; hashes of few bits, so that they meet in every way.
        #[test]
        fn as_a_map(ops in prop::collection::vec((0u64..4, 0u64..3, 0u64..40, any::<bool>()), 0..400)) {
            let (mut index, mut naive) = (Index::default(), BTreeMap::new());
            let mut hashes = Vec::new();
            for (high, mid, low, add) in ops {
                // Neighbours in one segment, and equal halves in different ones; the last tag there is, too.
                let hash = high << 62 | (mid * 0x7F) << 32 | (low << 26 | low >> 5).min(u64::from(u32::MAX));
                if add {
                    let slot = u32::try_from(hashes.len()).unwrap();
                    index.insert(hash, slot);
                    naive.entry(hash).or_insert_with(Vec::new).push(slot);
                    hashes.push(hash);
                } else if let Some(slot) = naive.get_mut(&hash).and_then(Vec::pop) {
                    index.remove(hash, slot);
                }
                for (hash, slots) in &naive {
                    for slot in slots {
                        prop_assert_eq!(index.find(*hash, |other| other == *slot), Some(*slot));
                    }
                    let mut seen = Vec::new();
                    prop_assert_eq!(index.find(*hash, |other| { seen.push(other); false }), None);
                    // Others of which an entry holds the same may be asked about as well.
                    prop_assert!(seen.iter().all(|other| some(hashes[*other as usize]) == some(*hash)));
                    seen.retain(|other| hashes[*other as usize] == *hash);
                    seen.sort_unstable();
                    prop_assert_eq!(&seen, slots);
                }
            }
            let len: usize = index.segments.iter().map(|segment| segment.len).sum();
            prop_assert_eq!(len, naive.values().map(Vec::len).sum::<usize>());
        }
    }
}
