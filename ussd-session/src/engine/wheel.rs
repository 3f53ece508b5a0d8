//! A hashed timer wheel with lazy deadlines.
//!
//! An event writes the deadline of its session and looks whether the session will be looked at in time; mostly it will.
//! Only a deadline that nobody would look at in time gets an entry: the slot's index, appended to the tick's list. When
//! a tick comes round, each of its entries is checked against the marks of its slot, and moves on if the deadline was put
//! off.
//!
//! A slot has two entries at most, because deadlines come in two kinds: far ones, while the user thinks, and near ones,
//! while the application works. The far one is left where it is and looked at when its tick comes. The near one is mostly
//! needless by then, since applications are quick: it is blanked as soon as the far one will do, so that its tick passes
//! without a look at the slot, which would be a cache miss; and it is put back if its tick suits the next near deadline,
//! so that no dialogue, however quick, leaves a trail of entries.
//!
//! An entry whose mark is gone is dropped when it is met; it belongs to the slot, not to its session, so that sessions
//! that come and go do not leave entries behind. Where an entry stands is kept apart from the deadline: whoever derives
//! one from the other loses entries.
//!
//! A tick is 128 ms. Entries of the current tick wait in a small heap, which makes expiry exact to the millisecond.

use std::{cmp::Reverse, collections::BinaryHeap, hint::black_box, num::NonZeroU32};

use super::{
    lists::Lists,
    slots::{NONE, Slot, Slots},
};
use crate::time::Millis;

/// Milliseconds of a tick, as a shift.
const TICK: u32 = 7;

/// Ticks of one round: about nine minutes. A deadline further away waits at the far end and is looked at again there.
const ROUND: u64 = 4096;

/// Entries whose slots are read ahead.
const AHEAD: usize = 32;

/// Where a slot is looked at next. The ticks are the lower bits of ticks since 1970; one that is not ahead of the
/// wheel means nothing any more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    far: Option<Low>,
    /// The tick of the near entry; of one in the heap, the time that it was placed for.
    near: Option<Low>,
    /// The place of the near entry in the list of its tick, or one of the two below.
    place: u32,
}

impl Marks {
    /// Beside a place: the entry there is blanked.
    const BLANK: u32 = 1 << 31;
    /// Instead of a place: the near entry is in the heap.
    const HEAP: u32 = u32::MAX;

    fn is_in_heap(&self) -> bool {
        self.near.is_some() && self.place == Self::HEAP
    }

    /// How many ticks ahead of `current` the near entry is, if it stands in the list of its tick or could again.
    fn near_ahead(&self, current: u64) -> Option<u64> {
        self.near.filter(|_| self.place != Self::HEAP)?.ticks_ahead(current)
    }
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

    /// How many ticks it is ahead, if it is ahead and within the round.
    fn ticks_ahead(self, current: u64) -> Option<u64> {
        let ahead = self.ahead_of(current);
        (1..ROUND).contains(&ahead).then_some(ahead)
    }
}

/// The wheel. Each live slot and each tombstone stands in it once.
#[derive(Debug)]
pub(super) struct Wheel {
    ticks: Lists,
    occupied: [u64; 64],
    /// Entries whose tick has come: `(placed, slot)`.
    near: BinaryHeap<Reverse<(u64, u32)>>,
    /// All ticks before this one have been emptied; this one has been, or is being.
    current: u64,
    len: usize,
    /// The slot that was found due last, and has not been armed or disarmed since.
    taken: Option<u32>,
}

impl Wheel {
    pub(super) fn new() -> Self {
        let ticks = Lists::new(usize::try_from(ROUND).unwrap_or(0));
        Self { ticks, occupied: [0; 64], near: BinaryHeap::new(), current: 0, len: 0, taken: None }
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

    /// Takes a slot in, to be looked at when `deadline` comes, or before.
    pub(super) fn enter(&mut self, marks: &mut Marks, index: u32, deadline: Millis) {
        self.len += 1;
        self.cover(marks, index, deadline.0);
    }

    /// Sees to it that a slot in the wheel, or just found due, is looked at when `deadline` comes, or before.
    pub(super) fn arm(&mut self, marks: &mut Marks, index: u32, deadline: Millis) {
        self.len += usize::from(self.taken.take_if(|taken| *taken == index).is_some());
        self.cover(marks, index, deadline.0);
    }

    /// Takes the slot out.
    pub(super) fn leave(&mut self, marks: &mut Marks, index: u32) {
        self.len -= usize::from(self.taken.take_if(|taken| *taken == index).is_none());
        if marks.is_in_heap() {
            marks.near = None;
        }
        self.blank(marks);
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
                let is = |marks: &Marks| marks.is_in_heap() && marks.near == Some(Low::of(placed));
                let Some(slot) = slots.get_mut(index).filter(|slot| is(&slot.marks)) else {
                    continue; // out of date
                };
                slot.marks.near = None;
                let Some(deadline) = slots.deadline(index).map(|deadline| deadline.0) else { continue };
                if deadline <= now.0 {
                    self.len -= 1;
                    self.taken = Some(index);
                    return Some(index);
                }
                if let Some(slot) = slots.get_mut(index) {
                    self.cover(&mut slot.marks, index, deadline);
                }
            }
            let emptied = self.current >= now.0 >> TICK && self.ticks.is_empty(bucket(self.current));
            if emptied || !self.advance(slots, now, budget) {
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
        // Nothing stands in the ticks between. Nothing is added to the list of a tick that has come.
        self.current = self.next_occupied().unwrap_or(last).min(last).max(self.current);
        let bucket = bucket(self.current);
        while !self.ticks.is_empty(bucket) {
            if *budget == 0 {
                return false;
            }
            let mut met = [NONE; AHEAD];
            let met = self.ticks.take_out(bucket, &mut met, budget);
            // Their slots are read ahead, so that the waits for memory overlap.
            black_box(met.iter().fold(0, |all, slot| all ^ slots.touch(*slot)));
            for index in met {
                self.look(slots, *index);
            }
        }
        if let Some(word) = self.occupied.get_mut(bucket / 64) {
            *word &= !(1 << (bucket % 64));
        }
        true
    }

    /// Looks at a slot whose entry was met in the current tick.
    fn look(&mut self, slots: &mut Slots, index: u32) {
        let deadline = slots.deadline(index);
        let Some(Slot { marks, .. }) = slots.get_mut(index) else { return };
        let here = Some(Low::of(self.current));
        if marks.near == here && marks.place != Marks::HEAP {
            marks.near = None;
        } else if marks.far == here {
            marks.far = None;
        } else {
            return; // out of date
        }
        // What is not due in this tick goes on round the wheel.
        if let Some(deadline) = deadline {
            self.cover(marks, index, deadline.0);
        }
    }

    /// Sees to it that the slot is looked at by the deadline.
    #[inline]
    fn cover(&mut self, marks: &mut Marks, index: u32, deadline: u64) {
        let ahead = (deadline >> TICK).saturating_sub(self.current).min(ROUND - 1);
        if marks.far.is_some_and(|far| far.ahead_of(self.current).wrapping_sub(1) < ahead) {
            return self.blank(marks);
        }
        self.cover_near(marks, index, ahead, deadline);
    }

    /// The same for a deadline that the far entry would miss.
    fn cover_near(&mut self, marks: &mut Marks, index: u32, ahead: u64, deadline: u64) {
        if ahead == 0 {
            return self.wait(marks, index, deadline);
        }
        if marks.is_in_heap() {
            return; // looked at within this tick
        }
        let tick = self.current + ahead;
        if marks.far.and_then(|far| far.ticks_ahead(self.current)).is_none() {
            marks.far = Some(Low::of(tick));
            self.push(tick, index);
            return self.blank(marks);
        }
        match marks.near_ahead(self.current) {
            Some(near) if near <= ahead => {
                if marks.place & Marks::BLANK != 0 {
                    marks.place &= !Marks::BLANK;
                    self.ticks.replace(marks.place, index);
                }
            }
            _ => {
                self.blank(marks);
                marks.near = Some(Low::of(tick));
                marks.place = self.push(tick, index);
            }
        }
    }

    /// Makes an entry; its place.
    fn push(&mut self, tick: u64, index: u32) -> u32 {
        let bucket = bucket(tick);
        if let Some(word) = self.occupied.get_mut(bucket / 64) {
            *word |= 1 << (bucket % 64);
        }
        self.ticks.push(bucket, index)
    }

    /// Blanks the near entry, if it stands in the list of a tick to come.
    #[inline]
    fn blank(&mut self, marks: &mut Marks) {
        if marks.place & Marks::BLANK == 0 && marks.near_ahead(self.current).is_some() {
            self.ticks.replace(marks.place, NONE);
            marks.place |= Marks::BLANK;
        }
    }

    /// Lets a slot wait in the heap, to be looked at within this tick.
    fn wait(&mut self, marks: &mut Marks, index: u32, deadline: u64) {
        // One that waits for an earlier time will do.
        let waits = |near: Low| (1..Low::BITS / 2).contains(&near.ahead_of(deadline));
        if !marks.is_in_heap() || marks.near.is_some_and(waits) {
            self.blank(marks);
            (marks.near, marks.place) = (Some(Low::of(deadline)), Marks::HEAP);
            self.near.push(Reverse((deadline, index)));
        }
    }

    /// The first tick from the current one on that holds an entry.
    fn next_occupied(&self) -> Option<u64> {
        let start = bucket(self.current);
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
            Some(self.current + (found + ROUND - start as u64) % ROUND)
        })
    }
}

fn bucket(tick: u64) -> usize {
    usize::try_from(tick % ROUND).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::prelude::*;

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
            Next::Put(record) => slots.insert(record.core, record.rest),
            next => panic!("{next:?}"),
        }
    }

    fn deadline(slots: &Slots, index: u32) -> Millis {
        slots.deadline(index).unwrap()
    }

    /// A slot with that deadline, in the wheel.
    fn enter(slots: &mut Slots, wheel: &mut Wheel, app_timer: Duration) -> u32 {
        let index = slot(slots, app_timer);
        let at = deadline(slots, index);
        wheel.enter(&mut slots.get_mut(index).unwrap().marks, index, at);
        index
    }

    /// Each entry comes when it is due, once, to the millisecond: within a tick, within a round, rounds away.
    #[test]
    fn entries_come_when_they_are_due() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let spans = [1, 2, 127, 128, 129, 500, 524_287, 524_288, 524_289, 600_000, 2_000_000, 604_000_000];
        for millis in spans {
            enter(&mut slots, &mut wheel, Duration::from_millis(millis));
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

    /// A deadline that comes nearer gets an entry, one that is put off takes it away; to and fro leaves no trail.
    #[test]
    fn entries_move_with_their_deadlines() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        let index = slot(&mut slots, Duration::from_secs(10));
        for neighbour in 0..3 {
            enter(&mut slots, &mut wheel, Duration::from_secs(65 + neighbour));
        }
        let (near, far) = (deadline(&slots, index), START.after(Duration::from_secs(90)));
        wheel.enter(&mut slots.get_mut(index).unwrap().marks, index, START.after(Duration::from_secs(65)));
        for last in [far, near] {
            for at in [near, far].repeat(100) {
                wheel.arm(&mut slots.get_mut(index).unwrap().marks, index, at);
            }
            wheel.arm(&mut slots.get_mut(index).unwrap().marks, index, last);
            assert_eq!(wheel.len(), 4);
            let mut budget = 100;
            let found = wheel.due(&mut slots, Millis(near.0 - u64::from(last == far)), &mut budget);
            assert_eq!(found, (last == near).then_some(index));
            assert!(budget >= 97, "{budget}");
        }
        assert_eq!(wheel.due(&mut slots, near, &mut 100), None);
        assert_eq!(wheel.len(), 3);
    }

    #[test]
    fn a_budget_bounds_the_work_and_loses_nothing() {
        let (mut slots, mut wheel) = (Slots::default(), Wheel::new());
        wheel.skip_to(START);
        for _ in 0..100 {
            enter(&mut slots, &mut wheel, Duration::from_secs(10));
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
            enter(&mut slots, &mut wheel, Duration::from_millis(tick + offset - START.0));
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
        let all: Vec<u32> = (0..3).map(|_| enter(&mut slots, &mut wheel, Duration::from_secs(10))).collect();
        wheel.leave(&mut slots.get_mut(all[1]).unwrap().marks, all[1]);
        slots.remove(all[1]);
        assert_eq!(wheel.len(), 2);
        let mut found = Vec::new();
        while let Some(index) = wheel.due(&mut slots, START.after(Duration::from_secs(11)), &mut 100) {
            found.push(index);
        }
        found.sort_unstable();
        assert_eq!(found, [all[0], all[2]]);
    }

    proptest! {
        /// As a naive list of deadlines: what is due is found once and in time, however deadlines moved before.
        #[test]
        fn as_a_list(
            ops in prop::collection::vec((0..8_u32, 0..6_usize, 0..40_u64, 1..50_usize), 1..300),
        ) {
            let (mut slots, mut wheel, mut now) = (Slots::default(), Wheel::new(), START);
            wheel.skip_to(START);
            let cores: Vec<_> = (0..8).map(|_| slot(&mut slots, Policy::LONGEST)).collect();
            let cores: Vec<_> = cores.iter().map(|index| slots.get_mut(*index).unwrap().core.take().unwrap()).collect();
            let mut naive = BTreeMap::new();
            for (index, span, wait, mut budget) in ops {
                let at = now.after(Duration::from_millis([1, 300, 10_000, 10_000, 65_000, 600_000][span]));
                let place = slots.get_mut(index).unwrap();
                let mut core = cores[index as usize];
                core.deadline = core.offset(at);
                place.core = Some(core);
                match naive.insert(index, at) {
                    None => wheel.enter(&mut place.marks, index, at),
                    Some(_) => wheel.arm(&mut place.marks, index, at),
                }
                // Mostly it stands still, so that entries come to stand side by side.
                now = Millis(now.0 + 10 * wait.saturating_sub(20).pow(3));
                while let Some(found) = wheel.due(&mut slots, now, &mut budget) {
                    prop_assert!(naive.remove(&found).is_some_and(|at| at <= now));
                    let place = slots.get_mut(found).unwrap();
                    wheel.leave(&mut place.marks, found);
                    place.core = None;
                }
                prop_assert!(budget == 0 || naive.values().all(|at| *at > now));
                prop_assert_eq!(wheel.is_behind(now), wheel.next().is_some_and(|next| next <= now));
                prop_assert!(wheel.next() <= naive.values().min().copied() || naive.is_empty());
                prop_assert_eq!(wheel.len(), naive.len());
            }
        }
    }
}
