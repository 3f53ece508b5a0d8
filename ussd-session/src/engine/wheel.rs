//! A hashed timer wheel with lazy deadlines.
//!
//! An event writes the deadline of its session and looks whether the session will be looked at in time; mostly it will.
//! Only a deadline that nobody would look at in time gets an entry: the slot's index, appended to the tick's list. When
//! a tick comes round, each of its entries is checked against the marks of its slot, and moves on if the deadline was put
//! off.
//!
//! A slot has two marks, because deadlines come in two kinds: far ones, while the user thinks, and near ones, while the
//! application works. With both ticks marked, a dialogue goes to and fro between them without touching the wheel. An
//! entry whose mark is gone is dropped when it is met; it belongs to the slot, not to its session, so that sessions
//! that come and go do not leave entries behind. Where an entry stands is kept apart from the deadline: whoever derives
//! one from the other loses entries.
//!
//! A tick is 128 ms. Entries of the current tick wait in a small heap, which makes expiry exact to the millisecond.

use std::{cmp::Reverse, collections::BinaryHeap, num::NonZeroU32};

use super::{lists::Lists, slots::Slots};
use crate::time::Millis;

/// Milliseconds of a tick, as a shift.
const TICK: u32 = 7;

/// Ticks of one round: about nine minutes. A deadline further away waits at the far end and is looked at again there.
const ROUND: u64 = 4096;

/// Where a slot is looked at next. The ticks are the lower bits of ticks since 1970; one that is not ahead of the
/// wheel means nothing any more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    near: Option<Low>,
    far: Option<Low>,
    /// Its entry in the heap: the lower bits of the time that it was placed for.
    due: Option<Low>,
    /// A session or tombstone is to be looked at.
    armed: bool,
}

/// The lower 31 bits of a tick, or of a time in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Low(NonZeroU32);

impl Low {
    const BITS: u64 = (1 << 31) - 1;

    fn of(whole: u64) -> Self {
        let low = u32::try_from(whole & Self::BITS).unwrap_or_default();
        Self(NonZeroU32::MIN.saturating_add(low))
    }

    /// How far it is ahead of `whole`; something large if it is behind.
    fn ahead_of(self, whole: u64) -> u64 {
        u64::from(self.0.get() - 1).wrapping_sub(whole) & Self::BITS
    }
}

/// The wheel. Each live slot and each tombstone stands in it once.
#[derive(Debug)]
pub(super) struct Wheel {
    ticks: Lists,
    occupied: [u64; 64],
    /// Entries whose tick has come: `(placed, slot)`.
    near: BinaryHeap<Reverse<(u64, u32)>>,
    /// All ticks up to this one have been emptied.
    current: u64,
    len: usize,
}

impl Wheel {
    pub(super) fn new() -> Self {
        let ticks = Lists::new(usize::try_from(ROUND).unwrap_or(0));
        Self { ticks, occupied: [0; 64], near: BinaryHeap::new(), current: 0, len: 0 }
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
        let Some(slot) = slots.get_mut(index) else { return };
        self.len += usize::from(!slot.marks.armed);
        slot.marks.armed = true;
        self.cover(&mut slot.marks, index, deadline.0);
    }

    /// Takes the slot out.
    pub(super) fn disarm(&mut self, slots: &mut Slots, index: u32) {
        let Some(slot) = slots.get_mut(index) else { return };
        self.len -= usize::from(slot.marks.armed);
        slot.marks.armed = false;
        slot.marks.due = None;
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
                let Some(slot) = slots.get_mut(index).filter(|slot| slot.marks.due == Some(Low::of(placed))) else {
                    continue; // out of date
                };
                slot.marks.due = None;
                let deadline = slot.record.as_ref().map_or(0, |record| record.deadline().0);
                if deadline <= now.0 {
                    slot.marks.armed = false;
                    self.len -= 1;
                    return Some(index);
                }
                self.cover(&mut slot.marks, index, deadline);
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

    /// When `due` is worth calling next: never late, perhaps early.
    pub(super) fn next(&self) -> Option<Millis> {
        if self.len == 0 {
            return None;
        }
        // A tick may be emptied in part, so what waits in the heap need not be the first.
        let near = self.near.peek().map(|Reverse((placed, _))| *placed);
        let far = self.next_occupied().map(|tick| tick << TICK);
        near.into_iter().chain(far).min().map(Millis)
    }

    /// Looks at the entries of the next occupied tick up to `now`; false if the budget ran out.
    fn advance(&mut self, slots: &mut Slots, now: Millis, budget: &mut usize) -> bool {
        let last = now.0 >> TICK;
        let tick = self.next_occupied().unwrap_or(last).min(last);
        // Nothing stands in the ticks between.
        self.current = self.current.max(tick.saturating_sub(1));
        let bucket = bucket(tick);
        while !self.ticks.is_empty(bucket) {
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            let Some(index) = self.ticks.pop(bucket) else { break };
            let Some(slot) = slots.get_mut(index) else { continue };
            let marks = &mut slot.marks;
            let here = Some(Low::of(tick));
            if marks.near == here {
                marks.near = None;
            } else if marks.far == here {
                marks.far = None;
            } else {
                continue; // out of date
            }
            if marks.armed {
                let deadline = slot.record.as_ref().map_or(0, |record| record.deadline().0);
                // What is not due in this tick goes on round the wheel.
                if deadline >> TICK <= tick {
                    self.wait(marks, index, deadline);
                } else {
                    self.cover(marks, index, deadline);
                }
            }
        }
        if let Some(word) = self.occupied.get_mut(bucket / 64) {
            *word &= !(1 << (bucket % 64));
        }
        self.current = tick;
        true
    }

    /// Makes an entry for the deadline, unless the slot is looked at by then anyway.
    fn cover(&mut self, marks: &mut Marks, index: u32, deadline: u64) {
        let ahead = (deadline >> TICK).saturating_sub(self.current);
        if ahead == 0 {
            return self.wait(marks, index, deadline);
        }
        let ahead = ahead.min(ROUND - 1);
        let stands =
            |mark: Option<Low>| mark.map(|mark| mark.ahead_of(self.current)).filter(|ahead| (1..ROUND).contains(ahead));
        let (near, far) = (stands(marks.near), stands(marks.far));
        if marks.due.is_some() || [near, far].into_iter().flatten().any(|stands| stands <= ahead) {
            return;
        }
        let tick = self.current + ahead;
        match far {
            None => marks.far = Some(Low::of(tick)),
            Some(_) => marks.near = Some(Low::of(tick)),
        }
        let bucket = bucket(tick);
        self.ticks.push(bucket, index);
        if let Some(word) = self.occupied.get_mut(bucket / 64) {
            *word |= 1 << (bucket % 64);
        }
    }

    /// Lets a slot wait in the heap, to be looked at within this tick.
    fn wait(&mut self, marks: &mut Marks, index: u32, deadline: u64) {
        // One that waits for an earlier time will do.
        if marks.due.is_none_or(|due| (1..Low::BITS / 2).contains(&due.ahead_of(deadline))) {
            marks.due = Some(Low::of(deadline));
            self.near.push(Reverse((deadline, index)));
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

    /// A budget that ends within a tick, when what was found of it so far is not due yet.
    #[test]
    fn a_tick_emptied_in_part_is_still_behind() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let tick = ((START.0 >> TICK) + 10) << TICK;
        for offset in [10, 20, 100] {
            let index = slot(&mut slots, Duration::from_millis(tick + offset - START.0));
            let at = deadline(&slots, index);
            wheel.arm(&mut slots, index, at);
        }
        let (now, mut found) = (Millis(tick + 50), 0);
        for _ in 0..20 {
            found += usize::from(wheel.due(&mut slots, now, &mut 1).is_some());
            if !wheel.is_behind(now) {
                break;
            }
        }
        assert_eq!((found, wheel.len(), wheel.next()), (2, 1, Some(Millis(tick + 100))));
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
