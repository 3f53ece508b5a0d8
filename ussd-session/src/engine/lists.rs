//! Lists of slot indices in chunks of a cache line, from one pool: to append touches one line and mostly allocates
//! nothing, and an empty list costs nothing.

use std::hint::black_box;

use super::slots::NONE;

/// Items of a chunk: with the two fields beside them they fill 64 octets.
const ITEMS: usize = 14;

/// Of a place, the bits that say where in its chunk it is. The others number the chunks.
const BITS: u32 = 4;

/// Chunks of a page; the pool grows without copying what is there.
const PAGE: usize = 64;

#[derive(Debug)]
struct Chunk {
    /// The next chunk of the list, or of the free ones.
    next: u32,
    len: u32,
    items: [u32; ITEMS],
}

/// A fixed number of lists. The last item of each comes out first.
#[derive(Debug)]
pub(super) struct Lists {
    heads: Box<[u32]>,
    pages: Vec<Vec<Chunk>>,
    free: u32,
}

impl Lists {
    /// As many empty lists.
    pub(super) fn new(lists: usize) -> Self {
        Self { heads: vec![NONE; lists].into_boxed_slice(), pages: Vec::new(), free: NONE }
    }

    pub(super) fn is_empty(&self, list: usize) -> bool {
        self.heads.get(list).is_none_or(|head| *head == NONE)
    }

    /// Appends an item; its place stays good until the item is taken out.
    pub(super) fn push(&mut self, list: usize, item: u32) -> u32 {
        let Some(head) = self.heads.get(list).copied() else { return NONE };
        if let Some(chunk) = self.chunk(head)
            && let Some(place) = chunk.items.get_mut(chunk.len as usize)
        {
            *place = item;
            chunk.len += 1;
            return head << BITS | (chunk.len - 1);
        }
        let mut items = [NONE; ITEMS];
        if let Some(first) = items.first_mut() {
            *first = item;
        }
        let fresh = self.take(Chunk { next: head, len: 1, items });
        if let Some(head) = self.heads.get_mut(list) {
            *head = fresh;
        }
        fresh << BITS
    }

    /// Puts another item in the place of one that has not been taken out.
    pub(super) fn replace(&mut self, place: u32, item: u32) {
        let within = (place & ((1 << BITS) - 1)) as usize;
        if let Some(old) = self.chunk(place >> BITS).and_then(|chunk| chunk.items.get_mut(within)) {
            *old = item;
        }
    }

    /// Takes items out while `budget` lasts and there is room for more; those that were replaced by none are dropped.
    pub(super) fn take_out<'o>(&mut self, list: usize, out: &'o mut [u32], budget: &mut usize) -> &'o [u32] {
        let mut taken = 0;
        while let Some(head) = self.heads.get(list).copied().filter(|head| *head != NONE) {
            let (free, next) = (self.free, self.chunk(head).map_or(NONE, |chunk| chunk.next));
            // The next chunk is on its way while this one is emptied.
            black_box(self.chunk(next).map(|chunk| chunk.len));
            let Some(chunk) = self.chunk(head) else { break };
            while chunk.len > 0 {
                let Some(place) = out.get_mut(taken).filter(|_| *budget > 0) else {
                    return out.get(..taken).unwrap_or_default();
                };
                *budget -= 1;
                chunk.len -= 1;
                *place = chunk.items.get(chunk.len as usize).copied().unwrap_or(NONE);
                taken += usize::from(*place != NONE);
            }
            chunk.next = free;
            self.free = head;
            if let Some(head) = self.heads.get_mut(list) {
                *head = next;
            }
        }
        out.get(..taken).unwrap_or_default()
    }

    fn chunk(&mut self, index: u32) -> Option<&mut Chunk> {
        let index = index as usize;
        self.pages.get_mut(index / PAGE)?.get_mut(index % PAGE)
    }

    /// Puts a chunk in a free place, or in a new one.
    fn take(&mut self, chunk: Chunk) -> u32 {
        let index = self.free;
        if let Some(place) = self.chunk(index) {
            let next = place.next;
            *place = chunk;
            self.free = next;
            return index;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let full = self.pages.len().saturating_sub(1) * PAGE;
        let Some(page) = self.pages.last_mut() else { return NONE };
        page.push(chunk);
        u32::try_from(full + page.len() - 1).unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chunk_is_a_cache_line() {
        assert_eq!(size_of::<Chunk>(), 64);
    }

    /// However much comes and goes, no more chunks are made than are in use at a time.
    #[test]
    fn chunks_are_used_again() {
        let mut lists = Lists::new(2);
        for round in 0..10_000 {
            for item in 0..100 {
                lists.push(round % 2, item);
            }
            assert_eq!(lists.take_out(round % 2, &mut [NONE; 200], &mut 200).len(), 100);
        }
        assert_eq!(lists.pages.len(), 1);
    }

    proptest! {
        #[test]
        fn as_vectors(
            ops in prop::collection::vec((0usize..3, any::<bool>(), 0u32..1000, 0usize..40, 0usize..40), 0..600),
        ) {
            let (mut lists, mut naive) = (Lists::new(3), vec![Vec::new(); 3]);
            for (list, push, item, room, mut budget) in ops {
                if push {
                    // Some are replaced at once, some by none.
                    let place = lists.push(list, item);
                    let item = if item % 3 == 0 { NONE } else { item / 3 };
                    lists.replace(place, item);
                    naive[list].push(item);
                } else {
                    let (mut out, mut expected, mut left) = (vec![NONE; room], Vec::new(), budget);
                    let out = lists.take_out(list, &mut out, &mut budget);
                    while left > 0 && expected.len() < room && let Some(item) = naive[list].pop() {
                        left -= 1;
                        expected.extend((item != NONE).then_some(item));
                    }
                    prop_assert_eq!((out, budget), (&expected[..], left));
                }
                prop_assert_eq!(lists.is_empty(list), naive[list].is_empty());
            }
        }
    }
}
