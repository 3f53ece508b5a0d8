//! The last prompts of the sessions, one behind the other in chunks.
//!
//! A prompt is written where the one before it ended, whosever that was, and not where its session lies: keeping it
//! touches memory that is at hand. What it replaces stays behind as waste. When that is too much, the chunk with the
//! most of it is emptied into a new one.

use super::slots::{NONE, PAGE, of, of_mut};

/// Octets of a chunk.
const CHUNK: usize = u16::MAX as usize;

/// Octets of the longest prompt that is kept, far more than a phone shows. What is kept in the worst chunk always fits
/// into a new one beside it.
const LONGEST: usize = 8_000;

/// Waste may be this part of what is kept.
const WASTE: usize = 4;

/// Chunks that nobody needs may lie by for this part of those in use.
const SPARE: usize = 16;

/// Chunks that may be waste, or lie by, however little is kept.
const FEW: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Prompts {
    /// By slot. Pages come to be when a prompt is kept, so that who keeps none pays nothing.
    places: Vec<Vec<Place>>,
    chunks: Vec<Chunk>,
    /// The chunk that is being written.
    current: u32,
    /// Chunks that hold nothing, with their buffers.
    spare: Vec<u32>,
    /// Chunks without a buffer.
    free: Vec<u32>,
    /// Octets of what is kept, with the heads.
    kept: usize,
}

/// Where a prompt lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    /// Or [`NONE`].
    chunk: u32,
    /// Of the head; the text is behind it.
    start: u16,
    /// Of the text.
    length: u16,
}

#[derive(Debug, Default)]
struct Chunk {
    /// Heads and texts.
    octets: Vec<u8>,
    /// Octets of what is still kept.
    kept: usize,
}

/// What stands in front of a text: whose it is, and its length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Head {
    slot: u32,
    length: u16,
}

impl Head {
    const OCTETS: usize = 6;

    fn write(self, octets: &mut Vec<u8>) {
        octets.extend_from_slice(&self.slot.to_le_bytes());
        octets.extend_from_slice(&self.length.to_le_bytes());
    }

    /// The first head, its text, and what comes after.
    fn read(octets: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let (slot, rest) = octets.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let head = Self { slot: u32::from_le_bytes(*slot), length: u16::from_le_bytes(*length) };
        let (text, rest) = rest.split_at_checked(head.length.into())?;
        Some((head, text, rest))
    }
}

impl Place {
    const NOWHERE: Self = Self { chunk: NONE, start: 0, length: 0 };

    /// What it takes in its chunk.
    fn octets(self) -> usize {
        Head::OCTETS + usize::from(self.length)
    }
}

impl Prompts {
    pub(super) fn get(&self, slot: u32) -> Option<&str> {
        let place = of(&self.places, slot)?;
        let octets = self.chunks.get(place.chunk as usize)?.octets.get(place.start.into()..)?;
        let (_, text, _) = Head::read(octets)?;
        str::from_utf8(text).ok()
    }

    /// Reads a little of what `keep` would read first.
    pub(super) fn touch(&self, slot: u32) -> u32 {
        of(&self.places, slot).map_or(NONE, |place| place.chunk)
    }

    /// Keeps a prompt in place of the one before, unless it is too long.
    pub(super) fn keep(&mut self, slot: u32, text: &str) {
        self.forget(slot);
        let Some(length) = u16::try_from(text.len()).ok().filter(|_| text.len() <= LONGEST) else { return };
        let has_room = |chunk: &Chunk| chunk.octets.len() + Head::OCTETS + text.len() <= CHUNK;
        if !self.chunks.get(self.current as usize).is_some_and(has_room) {
            self.next_chunk();
        }
        self.write(Head { slot, length }, text.as_bytes());
    }

    /// Forgets the prompt of a slot, if it has one.
    pub(super) fn forget(&mut self, slot: u32) {
        let Some(place) = of_mut(&mut self.places, slot) else { return };
        let was = std::mem::replace(place, Place::NOWHERE);
        let Some(chunk) = self.chunks.get_mut(was.chunk as usize) else { return };
        chunk.kept -= was.octets();
        self.kept -= was.octets();
        if chunk.kept == 0 && was.chunk != self.current {
            self.give_back(was.chunk);
        }
    }

    /// Writes into the current chunk, which has room.
    fn write(&mut self, head: Head, text: &[u8]) {
        let Some(chunk) = self.chunks.get_mut(self.current as usize) else { return };
        let start = u16::try_from(chunk.octets.len()).unwrap_or(u16::MAX);
        let place = Place { chunk: self.current, start, length: head.length };
        head.write(&mut chunk.octets);
        chunk.octets.extend_from_slice(text);
        chunk.kept += place.octets();
        self.kept += place.octets();
        self.set_place(head.slot, place);
    }

    fn set_place(&mut self, slot: u32, place: Place) {
        if let Some(old) = of_mut(&mut self.places, slot) {
            *old = place;
            return;
        }
        let (page, at) = (slot as usize / PAGE, slot as usize % PAGE);
        if self.places.len() <= page {
            self.places.resize_with(page + 1, Vec::new);
        }
        if let Some(places) = self.places.get_mut(page) {
            // As with the slots, the first page grows as it is needed.
            if page > 0 {
                places.reserve_exact(PAGE - places.len());
            }
            places.resize(at, Place::NOWHERE);
            places.push(place);
        }
    }

    /// Begins a chunk.
    fn next_chunk(&mut self) {
        let full = self.current;
        self.current = self.spare.pop().unwrap_or_else(|| self.grow());
        if self.chunks.get(full as usize).is_some_and(|chunk| chunk.kept == 0) {
            self.give_back(full);
        }
        if self.waste() > self.kept / WASTE + FEW * CHUNK {
            self.empty_worst();
        }
    }

    /// One more chunk. The first grows as it is needed, the others come whole.
    fn grow(&mut self) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk::default());
            u32::try_from(self.chunks.len() - 1).unwrap_or(NONE)
        });
        let room = if self.chunks.len() > 1 { CHUNK } else { 0 };
        if let Some(chunk) = self.chunks.get_mut(number as usize) {
            chunk.octets.reserve_exact(room);
        }
        number
    }

    fn in_use(&self) -> usize {
        self.chunks.len() - self.spare.len() - self.free.len()
    }

    /// Octets of the full chunks that nobody needs.
    fn waste(&self) -> usize {
        (self.in_use() * CHUNK).saturating_sub(self.kept + CHUNK)
    }

    /// Empties the chunk that keeps least into the current one, which is empty.
    fn empty_worst(&mut self) {
        let full = (0..).zip(&self.chunks).filter(|(number, chunk)| *number != self.current && chunk.kept > 0);
        let Some((number, _)) = full.min_by_key(|(_, chunk)| chunk.kept) else { return };
        let Some(mut chunk) = self.chunks.get_mut(number as usize).map(std::mem::take) else { return };
        let mut rest = &chunk.octets[..];
        while let Some((head, text, after)) = Head::read(rest) {
            let start = u16::try_from(chunk.octets.len() - rest.len()).unwrap_or(u16::MAX);
            let place = Place { chunk: number, start, length: head.length };
            if of(&self.places, head.slot) == Some(&place) {
                self.kept -= place.octets();
                self.write(head, text);
            }
            rest = after;
        }
        chunk.kept = 0;
        if let Some(place) = self.chunks.get_mut(number as usize) {
            *place = chunk;
        }
        self.give_back(number);
    }

    /// Takes back a chunk that keeps nothing. Buffers are freed if many lie by.
    fn give_back(&mut self, number: u32) {
        if let Some(chunk) = self.chunks.get_mut(number as usize) {
            chunk.octets.clear();
        }
        self.spare.push(number);
        while self.spare.len() > self.in_use() / SPARE + FEW {
            let Some(number) = self.spare.pop() else { return };
            if let Some(chunk) = self.chunks.get_mut(number as usize) {
                chunk.octets = Vec::new();
            }
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    impl Prompts {
        /// Octets of all buffers.
        fn memory(&self) -> usize {
            self.chunks.iter().map(|chunk| chunk.octets.capacity()).sum()
        }
    }

    /// Sessions of which some never speak again, and so hold on to the chunks that all began in.
    #[test]
    fn waste_is_bounded() {
        let mut prompts = Prompts::default();
        let text = "a".repeat(900);
        for round in 0..40_u32 {
            for slot in (0..2_000).filter(|slot| round == 0 || slot % 10 > round / 4) {
                prompts.keep(slot, &text[..(slot * 31 % 900) as usize]);
            }
            let lying_by = prompts.in_use() / SPARE + FEW;
            let most = prompts.kept + prompts.kept / WASTE + (FEW + 2 + lying_by) * CHUNK;
            assert!(prompts.memory() <= most, "{} of {most} in round {round}", prompts.memory());
        }
        for slot in 0..2_000 {
            prompts.forget(slot);
        }
        assert_eq!(prompts.kept, 0);
        assert!(prompts.memory() <= (FEW + 2) * CHUNK, "{}", prompts.memory());
    }

    #[test]
    fn a_chunk_of_waste_alone_is_used_again() {
        let mut prompts = Prompts::default();
        for _ in 0..1_000 {
            prompts.keep(7, &"a".repeat(900));
        }
        assert!(prompts.memory() <= 3 * CHUNK, "{}", prompts.memory());
    }

    #[test]
    fn one_too_long_is_not_kept() {
        let mut prompts = Prompts::default();
        for (length, kept) in [(0, true), (LONGEST, true), (LONGEST + 1, false), (CHUNK + 2, false)] {
            prompts.keep(3, &"a".repeat(length));
            assert_eq!(prompts.get(3).map(str::len), kept.then_some(length));
        }
    }

    proptest! {
        #[test]
        fn they_are_kept_as_in_a_map(
            calls in prop::collection::vec((0..60_u32, prop::option::weighted(0.9, (0..4_usize, "[a-z\u{e9}]{0,5}"))), 0..800),
        ) {
            let (mut prompts, mut model) = (Prompts::default(), HashMap::new());
            for (slot, text) in calls {
                match text {
                    Some((long, text)) => {
                        let text = text.repeat([1, 10, 100, 800][long]);
                        prompts.keep(slot, &text);
                        model.insert(slot, text);
                    }
                    None => {
                        prompts.forget(slot);
                        model.remove(&slot);
                    }
                }
                prop_assert_eq!(prompts.get(slot).map(str::len), model.get(&slot).map(String::len));
            }
            for slot in 0..60 {
                prop_assert_eq!(prompts.get(slot), model.get(&slot).map(String::as_str));
            }
            let octets = model.values().map(|text| text.len() + Head::OCTETS).sum::<usize>();
            prop_assert_eq!(prompts.kept, octets);
        }
    }
}
