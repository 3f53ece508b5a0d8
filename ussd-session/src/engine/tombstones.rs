//! Sessions that ended, by the time of their end: a list through the slots.

use super::slots::{NONE, Slots};

/// The list of tombstones.
#[derive(Debug)]
pub(super) struct Tombstones {
    oldest: u32,
    newest: u32,
    len: usize,
}

impl Default for Tombstones {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE, len: 0 }
    }
}

impl Tombstones {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Adds a slot as the newest.
    pub(super) fn push(&mut self, slots: &mut Slots, slot: u32) {
        if let Some(place) = slots.beside_mut(slot) {
            (place.older, place.newer) = (self.newest, NONE);
        }
        match slots.beside_mut(self.newest) {
            Some(before) => before.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes a slot of the list out.
    pub(super) fn unlink(&mut self, slots: &mut Slots, slot: u32) {
        let Some(place) = slots.beside_mut(slot) else { return };
        let (older, newer) = (std::mem::replace(&mut place.older, NONE), std::mem::replace(&mut place.newer, NONE));
        match slots.beside_mut(older) {
            Some(before) => before.newer = newer,
            None => self.oldest = newer,
        }
        match slots.beside_mut(newer) {
            Some(after) => after.older = older,
            None => self.newest = older,
        }
        self.len -= 1;
    }
}
