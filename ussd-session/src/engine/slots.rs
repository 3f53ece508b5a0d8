//! Where sessions live in memory: a slab in pages, so that it grows without copying what is there.

use compact_str::CompactString;

use super::wheel::Marks;
use crate::record::Record;

/// One session and what is kept beside its record: what every turn touches comes first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Slot {
    /// None if the place is free.
    pub(super) record: Option<Record>,
    /// When the timer wheel looks at the slot. They stay when the slot is given back.
    pub(super) marks: Marks,
    /// The code as dialled.
    pub(super) dialled: CompactString,
    /// Neighbours among the tombstones, by the time of their end.
    pub(super) older: u32,
    pub(super) newer: u32,
}

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

const PAGE: usize = 256;

/// Buffers kept for prompts to come.
const SPARE: usize = 1024;

/// All slots. An index stays good until its slot is given back.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pages: Vec<Vec<Slot>>,
    /// The last prompts, by slot. Pages come to be when a prompt is kept, so that who keeps none pays nothing.
    prompts: Vec<Vec<Option<String>>>,
    /// Buffers of prompts no longer needed.
    spare: Vec<String>,
    free: Vec<u32>,
    len: usize,
}

impl Slots {
    pub(super) fn get(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        self.pages.get(index / PAGE)?.get(index % PAGE)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Slot> {
        let index = index as usize;
        self.pages.get_mut(index / PAGE)?.get_mut(index % PAGE)
    }

    /// The record in a slot that is taken.
    pub(super) fn record(&self, index: u32) -> Option<&Record> {
        self.get(index)?.record.as_ref()
    }

    /// The prompt kept for a slot.
    pub(super) fn prompt(&self, index: u32) -> Option<&str> {
        let index = index as usize;
        self.prompts.get(index / PAGE)?.get(index % PAGE)?.as_deref()
    }

    /// Keeps a prompt for a slot.
    pub(super) fn keep_prompt(&mut self, index: u32, text: &str) {
        let index = index as usize;
        if self.prompts.len() <= index / PAGE {
            self.prompts.resize_with(index / PAGE + 1, Vec::new);
        }
        let Some(page) = self.prompts.get_mut(index / PAGE) else { return };
        if page.is_empty() {
            page.resize_with(PAGE, || None);
        }
        if let Some(place) = page.get_mut(index % PAGE) {
            let prompt = place.get_or_insert_with(|| self.spare.pop().unwrap_or_default());
            prompt.clear();
            prompt.push_str(text);
        }
    }

    /// Forgets the prompt of a slot, and keeps its buffer for another.
    pub(super) fn drop_prompt(&mut self, index: u32) {
        let index = index as usize;
        let place = self.prompts.get_mut(index / PAGE).and_then(|page| page.get_mut(index % PAGE));
        if let Some(prompt) = place.and_then(Option::take)
            && self.spare.len() < SPARE
        {
            self.spare.push(prompt);
        }
    }

    /// Takes a free slot for this record.
    pub(super) fn insert(&mut self, record: Record) -> u32 {
        if let Some(index) = self.free.pop() {
            if let Some(slot) = self.get_mut(index) {
                slot.record = Some(record);
            }
            return index;
        }
        let slot = Slot {
            record: Some(record),
            dialled: CompactString::const_new(""),
            marks: Marks::default(),
            older: NONE,
            newer: NONE,
        };
        let index = u32::try_from(self.len).unwrap_or(NONE);
        self.len += 1;
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(slot),
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(slot);
                self.pages.push(page);
            }
        }
        index
    }

    /// Gives a slot back.
    pub(super) fn remove(&mut self, index: u32) {
        if let Some(slot) = self.get_mut(index) {
            slot.record = None;
            self.free.push(index);
        }
    }

    /// All slots ever taken, free ones included, as indices.
    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.len).unwrap_or(NONE)
    }
}
