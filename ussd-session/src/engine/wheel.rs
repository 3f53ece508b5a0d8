//! A hashed timer wheel with lazy deadlines.
//!
//! An event that puts a session's deadline off writes the record alone; the entry stays where it is, is looked at when
//! its tick comes round, and moves on if it is not due. Only a deadline that comes nearer moves the entry at once.
//! Where an entry stands is therefore kept apart from the deadline: whoever derives one from the other loses entries.
//!
//! A tick is 128 ms. Entries of the current tick wait in a small heap, which makes expiry exact to the millisecond.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::slots::{NONE, Slots};
use crate::time::Millis;

/// Milliseconds of a tick, as a shift.
const TICK: u32 = 7;

/// Ticks of one round: about nine minutes. A deadline further away waits at the far end and is looked at again there.
const ROUND: u64 = 4096;

/// `next` of an entry that waits in the heap.
const NEAR: u32 = NONE - 1;

/// Where an entry stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Links {
    /// The deadline that it was placed for; zero if it is not placed.
    placed: u64,
    next: u32,
    prev: u32,
}

impl Links {
    pub(super) const NOWHERE: Self = Self { placed: 0, next: NONE, prev: NONE };
}

/// The wheel. Each live slot and each tombstone stands in it once.
#[derive(Debug)]
pub(super) struct Wheel {
    heads: Box<[u32]>,
    occupied: [u64; 64],
    /// Entries whose tick has come: `(placed, slot)`. One that is out of date is known by its slot's links.
    near: BinaryHeap<Reverse<(u64, u32)>>,
    /// All ticks up to this one have been emptied into the heap.
    current: u64,
    len: usize,
}

impl Wheel {
    pub(super) fn new() -> Self {
        let heads = vec![NONE; usize::try_from(ROUND).unwrap_or(0)].into_boxed_slice();
        Self { heads, occupied: [0; 64], near: BinaryHeap::new(), current: 0, len: 0 }
    }

    /// How many slots stand in the wheel.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Lets an empty wheel skip the time in which nothing stood in it.
    pub(super) fn skip_to(&mut self, now: Millis) {
        if self.len == 0 {
            self.near.clear();
            self.current = self.current.max(now.0 >> TICK);
        }
    }

    /// Sees to it that the slot is looked at when `deadline` comes, or before.
    pub(super) fn arm(&mut self, slots: &mut Slots, index: u32, deadline: Millis) {
        let Some(links) = slots.get(index).map(|slot| slot.links) else { return };
        if links == Links::NOWHERE {
            self.len += 1;
            self.place(slots, index, deadline.0);
        } else if deadline.0 < links.placed {
            self.unlink(slots, index, links);
            self.place(slots, index, deadline.0);
        }
    }

    /// Takes the slot out.
    pub(super) fn disarm(&mut self, slots: &mut Slots, index: u32) {
        let Some(links) = slots.get(index).map(|slot| slot.links) else { return };
        if links != Links::NOWHERE {
            self.unlink(slots, index, links);
            self.len -= 1;
        }
    }

    /// The next slot whose deadline has come, if one is found before `budget` entries have been looked at. It leaves
    /// the wheel.
    pub(super) fn due(&mut self, slots: &mut Slots, now: Millis, budget: &mut usize) -> Option<u32> {
        loop {
            while let Some(&Reverse((placed, index))) = self.near.peek() {
                if placed > now.0 {
                    break;
                }
                if *budget == 0 {
                    return None;
                }
                *budget -= 1;
                self.near.pop();
                let Some(slot) = slots.get_mut(index) else { continue };
                if slot.links.next != NEAR || slot.links.placed != placed {
                    continue; // out of date
                }
                let deadline = slot.record.as_ref().map_or(0, |record| record.deadline().0);
                if deadline <= now.0 {
                    slot.links = Links::NOWHERE;
                    self.len -= 1;
                    return Some(index);
                }
                self.place(slots, index, deadline);
            }
            if self.current >= now.0 >> TICK || !self.advance(slots, now, budget) {
                return None;
            }
        }
    }

    /// True if something may be due by `now`.
    pub(super) fn is_behind(&self, now: Millis) -> bool {
        self.next().is_some_and(|next| next <= now)
    }

    /// When `due` is worth calling next: never late, perhaps early by up to a tick.
    pub(super) fn next(&self) -> Option<Millis> {
        if self.len == 0 {
            return None;
        }
        if let Some(Reverse((placed, _))) = self.near.peek() {
            return Some(Millis(*placed));
        }
        self.next_occupied().map(|tick| Millis(tick << TICK))
    }

    /// Empties the next occupied tick up to `now` into the heap; false if the budget ran out.
    fn advance(&mut self, slots: &mut Slots, now: Millis, budget: &mut usize) -> bool {
        let last = now.0 >> TICK;
        let tick = self.next_occupied().unwrap_or(last).min(last);
        // Nothing stands in the ticks between.
        self.current = self.current.max(tick.saturating_sub(1));
        let bucket = bucket(tick);
        while let Some(index) = self.heads.get(bucket).copied().filter(|index| *index != NONE) {
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            let Some(slot) = slots.get(index) else { break };
            let (links, deadline) = (slot.links, slot.record.as_ref().map_or(0, |record| record.deadline().0));
            self.unlink(slots, index, links);
            // What is not due in this tick goes on round the wheel.
            if deadline >> TICK <= tick {
                self.place_near(slots, index, deadline.max(1));
            } else {
                self.place_far(slots, index, deadline, tick);
            }
        }
        self.current = tick;
        true
    }

    fn place(&mut self, slots: &mut Slots, index: u32, deadline: u64) {
        if deadline >> TICK <= self.current {
            self.place_near(slots, index, deadline.max(1));
        } else {
            self.place_far(slots, index, deadline, self.current);
        }
    }

    fn place_near(&mut self, slots: &mut Slots, index: u32, deadline: u64) {
        if let Some(slot) = slots.get_mut(index) {
            slot.links = Links { placed: deadline, next: NEAR, prev: NONE };
            self.near.push(Reverse((deadline, index)));
        }
    }

    /// Places an entry in a tick after `current`, at most one round away.
    fn place_far(&mut self, slots: &mut Slots, index: u32, deadline: u64, current: u64) {
        let tick = (deadline >> TICK).min(current + ROUND - 1);
        let placed = if tick == deadline >> TICK { deadline } else { tick << TICK };
        let bucket = bucket(tick);
        let Some(head) = self.heads.get_mut(bucket) else { return };
        let next = std::mem::replace(head, index);
        if let Some(slot) = slots.get_mut(index) {
            slot.links = Links { placed, next, prev: NONE };
        }
        if let Some(slot) = slots.get_mut(next) {
            slot.links.prev = index;
        }
        if let Some(word) = self.occupied.get_mut(bucket / 64) {
            *word |= 1 << (bucket % 64);
        }
    }

    fn unlink(&mut self, slots: &mut Slots, index: u32, links: Links) {
        if let Some(slot) = slots.get_mut(index) {
            slot.links = Links::NOWHERE;
        }
        if links.next == NEAR {
            return; // its entry in the heap is out of date now
        }
        if let Some(slot) = slots.get_mut(links.next) {
            slot.links.prev = links.prev;
        }
        if let Some(slot) = slots.get_mut(links.prev) {
            slot.links.next = links.next;
            return;
        }
        let bucket = bucket(links.placed >> TICK);
        if let Some(head) = self.heads.get_mut(bucket) {
            *head = links.next;
            if links.next == NONE
                && let Some(word) = self.occupied.get_mut(bucket / 64)
            {
                *word &= !(1 << (bucket % 64));
            }
        }
    }

    /// The first tick after the current one that holds an entry.
    fn next_occupied(&self) -> Option<u64> {
        let start = bucket(self.current + 1);
        let words = self.occupied.len();
        // The word of the start is looked at twice: its upper bits first, its lower ones last.
        (0..=words).find_map(|step| {
            let at = (start / 64 + step) % words;
            let word = *self.occupied.get(at)?;
            let word = match step {
                0 => word & (u64::MAX << (start % 64)),
                _ => word,
            };
            if word == 0 {
                return None;
            }
            let found = at as u64 * 64 + u64::from(word.trailing_zeros());
            Some(self.current + 1 + (found + ROUND - start as u64) % ROUND)
        })
    }
}

fn bucket(tick: u64) -> usize {
    usize::try_from(tick % ROUND).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Actions, At, Event, LinkId, Next, Phase, Policy, SessionIds, Subscriber, ids::NetId, step};

    const START: Millis = Millis(1_790_000_000_000);

    /// A slot whose deadline is `app_timer` after the start.
    fn slot(slots: &mut Slots, app_timer: Duration) -> u32 {
        let from: Subscriber = "27831234567".parse().unwrap();
        let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        let at = At { link: LinkId(0), now: START, fresh: SessionIds::new(0, START).fresh() };
        let policy = Policy::default().app_timer(app_timer).total_timer(Policy::LONGEST);
        match step(None, &begin, at, &policy, &mut Actions::new()) {
            Next::Put(record) => slots.insert(record),
            next => panic!("{next:?}"),
        }
    }

    fn deadline(slots: &Slots, index: u32) -> Millis {
        slots.record(index).unwrap().deadline()
    }

    /// Each entry comes when it is due, once, to the millisecond: within a tick, within a round, rounds away.
    #[test]
    fn entries_come_when_they_are_due() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let spans = [1, 2, 127, 128, 129, 500, 524_287, 524_288, 524_289, 600_000, 2_000_000, 604_000_000];
        for millis in spans {
            let index = slot(&mut slots, Duration::from_millis(millis));
            let at = deadline(&slots, index);
            wheel.arm(&mut slots, index, at);
        }
        assert_eq!(wheel.len(), spans.len());
        for (n, millis) in spans.into_iter().enumerate() {
            let at = START.after(Duration::from_millis(millis));
            let mut budget = usize::MAX;
            assert_eq!(wheel.due(&mut slots, Millis(at.0 - 1), &mut budget), None, "{millis}");
            let next = wheel.next().unwrap();
            assert!(next <= at, "{millis}");
            let index = wheel.due(&mut slots, at, &mut budget).unwrap();
            assert_eq!(deadline(&slots, index), at);
            assert_eq!(wheel.len(), spans.len() - n - 1);
        }
        assert_eq!(wheel.next(), None);
    }

    /// A deadline that comes nearer moves the entry; one that is put off leaves it, and it is not lost.
    #[test]
    fn entries_move_with_their_deadlines() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let index = slot(&mut slots, Duration::from_secs(10));
        for neighbour in 0..3 {
            let other = slot(&mut slots, Duration::from_secs(65 + neighbour));
            let at = deadline(&slots, other);
            wheel.arm(&mut slots, other, at);
        }
        wheel.arm(&mut slots, index, START.after(Duration::from_secs(65)));
        let at = deadline(&slots, index);
        wheel.arm(&mut slots, index, at); // nearer: 10 s
        wheel.arm(&mut slots, index, START.after(Duration::from_secs(90))); // put off, lazily
        assert_eq!(wheel.len(), 4);
        assert_eq!(wheel.due(&mut slots, at, &mut 100), Some(index));
        assert_eq!(wheel.due(&mut slots, at, &mut 100), None);
        assert_eq!(wheel.len(), 3);
    }

    #[test]
    fn a_budget_bounds_the_work_and_loses_nothing() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        for _ in 0..100 {
            let index = slot(&mut slots, Duration::from_secs(10));
            let at = deadline(&slots, index);
            wheel.arm(&mut slots, index, at);
        }
        let (now, mut found, mut calls) = (START.after(Duration::from_secs(10)), 0, 0);
        while wheel.is_behind(now) {
            let mut budget = 7;
            while wheel.due(&mut slots, now, &mut budget).is_some() {
                found += 1;
            }
            calls += 1;
        }
        assert_eq!((found, wheel.len()), (100, 0));
        assert!(calls >= 100 * 2 / 7, "{calls}");
    }

    #[test]
    fn an_entry_taken_out_leaves_its_neighbours() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let all: Vec<u32> = (0..3).map(|_| slot(&mut slots, Duration::from_secs(10))).collect();
        for index in &all {
            let at = deadline(&slots, *index);
            wheel.arm(&mut slots, *index, at);
        }
        wheel.disarm(&mut slots, all[1]);
        wheel.disarm(&mut slots, all[1]);
        assert_eq!(wheel.len(), 2);
        let mut found = Vec::new();
        while let Some(index) = wheel.due(&mut slots, START.after(Duration::from_secs(11)), &mut 100) {
            found.push(index);
        }
        found.sort_unstable();
        assert_eq!(found, [all[0], all[2]]);
    }
}
