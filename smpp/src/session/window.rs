use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Sent;
use crate::types::{CommandId, SequenceNumber};

/// Whose request it is, and whether it takes a place in the window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The program's, in the window.
    Windowed,
    /// The program's enquire_link or bind.
    Control,
    /// The session's own enquire_link or unbind, of which the program is told nothing.
    Own,
}

/// The requests of this end that are unanswered, by number.
///
/// A power of two of slots, at least twice as many as requests; a number has the slot of its low bits. Numbers whose slot
/// is in use are skipped, so an unanswered one is never given again, and each look-up is one access. The requests that
/// time out are linked in the order in which they do.
#[derive(Clone, Debug)]
pub(super) struct Outstanding {
    slots: Vec<Slot>,
    next: SequenceNumber,
    len: usize,
    windowed: usize,
    /// The programs's, in the window or not.
    of_program: usize,
    oldest: u32,
    newest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The request; of a free slot the one that was answered last, or 0.
    number: u32,
    command_id: CommandId,
    /// None if the slot is free.
    kind: Option<Kind>,
    /// None for never.
    deadline: Option<Instant>,
    /// Slots of the requests that time out before and after.
    before: u32,
    after: u32,
    linked: bool,
}

const FREE: Slot =
    Slot { number: 0, command_id: CommandId(0), kind: None, deadline: None, before: NONE, after: NONE, linked: false };
const NONE: u32 = u32::MAX;
const FEWEST_SLOTS: usize = 8;

impl Outstanding {
    pub(super) fn new(first: SequenceNumber) -> Self {
        Self { slots: Vec::new(), next: first, len: 0, windowed: 0, of_program: 0, oldest: NONE, newest: NONE }
    }

    /// The next number, for a PDU that nothing answers.
    pub(super) fn number(&mut self) -> SequenceNumber {
        loop {
            let number = self.next;
            self.next = number.next();
            if self.slots.is_empty() || self.slot(number.get()).is_some_and(|slot| slot.kind.is_none()) {
                return number;
            }
        }
    }

    /// Adds a request and gives it the next number. Those with a deadline are to come in the order of their deadlines;
    /// `None` is for requests whose time is kept elsewhere.
    pub(super) fn insert(
        &mut self,
        command_id: CommandId,
        kind: Kind,
        deadline: Option<Option<Instant>>,
    ) -> SequenceNumber {
        if self.slots.len() < self.len.saturating_add(1).saturating_mul(2) {
            self.grow();
        }
        let number = self.number();
        self.place(number.get(), command_id, kind, deadline);
        number
    }

    /// Takes out the request of this number.
    pub(super) fn take(&mut self, number: u32) -> Option<(Sent, Kind)> {
        let slot = self.slot_mut(number)?;
        if slot.number != number {
            return None;
        }
        let kind = slot.kind.take()?;
        let taken = *slot;
        self.len = self.len.saturating_sub(1);
        match kind {
            Kind::Windowed => self.windowed = self.windowed.saturating_sub(1),
            Kind::Control | Kind::Own => {}
        }
        if kind != Kind::Own {
            self.of_program = self.of_program.saturating_sub(1);
        }
        if taken.linked {
            self.unlink(taken);
        }
        // Only numbers that were given stand here.
        let number = SequenceNumber::try_from(number).ok()?;
        Some((Sent { number, command_id: taken.command_id }, kind))
    }

    /// Takes out the oldest request whose time is over. A response that comes is not its second one.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<(Sent, Kind)> {
        let oldest = self.slots.get(self.oldest as usize)?;
        let number = oldest.number;
        if oldest.deadline? > now {
            return None;
        }
        let taken = self.take(number);
        self.forget(number);
        taken
    }

    /// Does not remember any longer that this number was answered.
    pub(super) fn forget(&mut self, number: u32) {
        if let Some(slot) = self.slot_mut(number).filter(|slot| slot.number == number && slot.kind.is_none()) {
            slot.number = 0;
        }
    }

    /// Takes out any request, the oldest first.
    pub(super) fn take_any(&mut self) -> Option<(Sent, Kind)> {
        let number = match self.slots.get(self.oldest as usize) {
            Some(oldest) => oldest.number,
            None => self.slots.iter().find(|slot| slot.kind.is_some())?.number,
        };
        self.take(number)
    }

    /// Whether this number was answered, as far as that is remembered: until its slot is used again.
    pub(super) fn was_answered(&self, number: u32) -> bool {
        number != 0 && self.slot(number).is_some_and(|slot| slot.number == number && slot.kind.is_none())
    }

    /// When the oldest request times out.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.slots.get(self.oldest as usize)?.deadline
    }

    /// Requests that take a place in the window.
    pub(super) fn windowed(&self) -> usize {
        self.windowed
    }

    /// Requests of the program that take none.
    pub(super) fn control(&self) -> usize {
        self.of_program.saturating_sub(self.windowed)
    }

    /// Requests of the program.
    pub(super) fn of_program(&self) -> usize {
        self.of_program
    }

    /// All of them.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Gives back memory if nothing is unanswered.
    pub(super) fn shrink(&mut self) {
        if self.len == 0 {
            self.slots = Vec::new();
        }
    }

    fn place(&mut self, number: u32, command_id: CommandId, kind: Kind, deadline: Option<Option<Instant>>) {
        let (index, newest) = (self.index(number), self.newest);
        let linked = deadline.is_some();
        let before = if linked { newest } else { NONE };
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        *slot =
            Slot { number, command_id, kind: Some(kind), deadline: deadline.flatten(), before, after: NONE, linked };
        if linked {
            match self.slots.get_mut(newest as usize) {
                Some(before) => before.after = index,
                None => self.oldest = index,
            }
            self.newest = index;
        }
        self.len = self.len.saturating_add(1);
        if kind == Kind::Windowed {
            self.windowed = self.windowed.saturating_add(1);
        }
        if kind != Kind::Own {
            self.of_program = self.of_program.saturating_add(1);
        }
    }

    fn unlink(&mut self, taken: Slot) {
        match self.slots.get_mut(taken.before as usize) {
            Some(before) => before.after = taken.after,
            None => self.oldest = taken.after,
        }
        match self.slots.get_mut(taken.after as usize) {
            Some(after) => after.before = taken.before,
            None => self.newest = taken.before,
        }
    }

    /// Twice as many slots. Two numbers that had two slots have two again.
    #[cold]
    fn grow(&mut self) {
        let length = self.slots.len().saturating_mul(2).max(FEWEST_SLOTS);
        let (old, mut at) = (std::mem::replace(&mut self.slots, vec![FREE; length]), self.oldest);
        (self.len, self.windowed, self.of_program, self.oldest, self.newest) = (0, 0, 0, NONE, NONE);
        for slot in old.iter().filter(|slot| !slot.linked) {
            if let Some(kind) = slot.kind {
                self.place(slot.number, slot.command_id, kind, None);
            }
        }
        while let Some(slot) = old.get(at as usize) {
            if let Some(kind) = slot.kind {
                self.place(slot.number, slot.command_id, kind, Some(slot.deadline));
            }
            at = slot.after;
        }
    }

    fn index(&self, number: u32) -> u32 {
        let mask = u32::try_from(self.slots.len()).unwrap_or(NONE).wrapping_sub(1);
        number & mask
    }

    #[inline]
    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(self.index(number) as usize)
    }

    #[inline]
    fn slot_mut(&mut self, number: u32) -> Option<&mut Slot> {
        let index = self.index(number);
        self.slots.get_mut(index as usize)
    }
}

/// Requests that timed out of late, bounded in number and in age.
#[derive(Clone, Debug)]
pub(super) struct TimedOut {
    requests: VecDeque<(Sent, Option<Instant>)>,
    limit: usize,
    age: Duration,
}

impl TimedOut {
    pub(super) fn new(limit: usize, age: Duration) -> Self {
        Self { requests: VecDeque::new(), limit, age }
    }

    pub(super) fn insert(&mut self, request: Sent, now: Instant) {
        self.forget_old(now);
        while self.requests.len() >= self.limit.max(1) {
            self.requests.pop_front();
        }
        if self.limit > 0 {
            self.requests.push_back((request, now.checked_add(self.age)));
        }
    }

    pub(super) fn take(&mut self, number: u32, now: Instant) -> Option<Sent> {
        self.forget_old(now);
        let at = self.requests.iter().position(|(request, _)| request.number.get() == number)?;
        self.requests.remove(at).map(|(request, _)| request)
    }

    fn forget_old(&mut self, now: Instant) {
        while self.requests.front().is_some_and(|(_, expires)| expires.is_some_and(|at| at <= now)) {
            self.requests.pop_front();
        }
    }
}
