//! Where sessions live in memory: a slab in pages, so that it grows without copying what is there.

use super::wheel::Marks;
use crate::{
    record::{Core, Record, Rest},
    time::Millis,
};

/// What every event of a session touches: one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Slot {
    /// None if the place is free.
    pub(super) core: Option<Core>,
    /// When the timer wheel looks at the slot. They stay when the slot is given back.
    pub(super) marks: Marks,
    /// The code as dialled, among the [`Codes`](super::codes::Codes).
    pub(super) code: u32,
}

/// What few events of a session touch.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) rest: Rest,
    /// Neighbours among the tombstones, by the time of their end.
    pub(super) older: u32,
    pub(super) newer: u32,
}

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Slots of a page.
pub(super) const PAGE: usize = 1024;

/// All slots. An index stays good until its slot is given back.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pages: Vec<Vec<Slot>>,
    beside: Vec<Vec<Beside>>,
    free: Vec<u32>,
    len: usize,
}

impl Slots {
    pub(super) fn get(&self, index: u32) -> Option<&Slot> {
        of(&self.pages, index)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Slot> {
        of_mut(&mut self.pages, index)
    }

    /// Reads a little of a slot.
    pub(super) fn touch(&self, index: u32) -> u32 {
        self.get(index).map_or(0, |slot| slot.code)
    }

    pub(super) fn beside_mut(&mut self, index: u32) -> Option<&mut Beside> {
        of_mut(&mut self.beside, index)
    }

    /// A slot with what lies beside it.
    pub(super) fn both_mut(&mut self, index: u32) -> Option<(&mut Slot, &mut Beside)> {
        Some((of_mut(&mut self.pages, index)?, of_mut(&mut self.beside, index)?))
    }

    /// The session in a slot that is taken.
    pub(super) fn core(&self, index: u32) -> Option<&Core> {
        self.get(index)?.core.as_ref()
    }

    /// The record in a slot that is taken.
    pub(super) fn record(&self, index: u32) -> Option<Record> {
        let (core, beside) = (*self.core(index)?, of(&self.beside, index)?);
        Some(Record { core, rest: beside.rest.clone() })
    }

    /// When the session in a slot is to be looked at.
    pub(super) fn deadline(&self, index: u32) -> Option<Millis> {
        Some(self.core(index)?.first_deadline(&of(&self.beside, index)?.rest))
    }

    /// The tombstone that ended next after this one.
    pub(super) fn newer(&self, index: u32) -> Option<u32> {
        of(&self.beside, index).map(|beside| beside.newer).filter(|newer| *newer != NONE)
    }

    /// Takes a free slot for this session. What lies beside it may hold room of the session before.
    pub(super) fn insert(&mut self, core: Core, rest: Rest) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        if let Some((slot, beside)) = self.both_mut(index) {
            (slot.core, slot.code, beside.rest) = (Some(core), NONE, rest);
        }
        index
    }

    /// One more slot. The first page grows as it is needed, the others come whole.
    fn grow(&mut self) -> u32 {
        let index = u32::try_from(self.len).unwrap_or(NONE);
        if self.len.is_multiple_of(PAGE) {
            let room = if self.len == 0 { 0 } else { PAGE };
            self.pages.push(Vec::with_capacity(room));
            self.beside.push(Vec::with_capacity(room));
        }
        if let (Some(page), Some(beside)) = (self.pages.last_mut(), self.beside.last_mut()) {
            page.push(Slot { code: NONE, ..Slot::default() });
            beside.push(Beside { rest: Rest::default(), older: NONE, newer: NONE });
            self.len += 1;
        }
        index
    }

    /// Gives a slot back.
    pub(super) fn remove(&mut self, index: u32) {
        if let Some(slot) = self.get_mut(index) {
            slot.core = None;
            self.free.push(index);
        }
    }

    /// All slots ever taken, free ones included, are below this one.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.len).unwrap_or(NONE)
    }
}

/// What stands for a slot in pages.
pub(super) fn of<T>(pages: &[Vec<T>], index: u32) -> Option<&T> {
    let index = index as usize;
    pages.get(index / PAGE)?.get(index % PAGE)
}

pub(super) fn of_mut<T>(pages: &mut [Vec<T>], index: u32) -> Option<&mut T> {
    let index = index as usize;
    pages.get_mut(index / PAGE)?.get_mut(index % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures that the documentation gives rest on these.
    #[test]
    fn a_slot_is_a_cache_line() {
        assert_eq!((size_of::<Slot>(), align_of::<Slot>(), size_of::<Beside>()), (64, 64, 32));
    }
}
