//! What concerns many sessions at once, bit by bit: a link that breaks or comes back, the end of the program.
//!
//! A sweep goes through the slots in order. Whatever happens to a session before the sweep has come to it makes up for
//! the sweep first, so that nobody can tell that not all were visited at once.

use std::collections::{HashSet, VecDeque};

use crate::{
    event::{Discard, Event},
    ids::LinkId,
    record::Core,
    time::Millis,
};

/// Sweeps under way. One more, and the first is finished without regard to a budget.
const MOST: usize = 8;

/// What a sweep brings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Swept {
    /// The link broke.
    Down(LinkId),
    /// The link is back.
    Up(LinkId),
    /// The program stops.
    Shutdown,
}

impl Swept {
    /// What it means to this session, if it does.
    pub(super) fn event(self, core: &Core) -> Option<Event<'static>> {
        match self {
            Self::Down(link) => (core.link == link).then_some(Event::LinkDown),
            Self::Up(link) => (core.link == link).then_some(Event::LinkUp),
            Self::Shutdown => {
                let event = Event::Discard { to: core.subscriber, session: core.session, why: Discard::Shutdown };
                core.is_open().then_some(event)
            }
        }
    }
}

/// Visits that are still to be made, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Sweeps(VecDeque<Sweep>);

#[derive(Debug)]
struct Sweep {
    swept: Swept,
    at: Millis,
    /// The slot to be visited next, and the end of those there were at the start.
    next: u32,
    end: u32,
    /// Slots ahead that need no visit any more.
    done: HashSet<u32>,
}

impl Sweeps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Visits still to be made.
    pub(super) fn left(&self) -> usize {
        self.0.iter().map(|sweep| (sweep.end - sweep.next) as usize).sum()
    }

    /// True if the first is to be finished before another begins.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    /// Begins a sweep over all slots up to `end`.
    pub(super) fn begin(&mut self, swept: Swept, at: Millis, end: u32) {
        if end > 0 {
            self.0.push_back(Sweep { swept, at, next: 0, end, done: HashSet::new() });
        }
    }

    /// The next visit.
    pub(super) fn visit(&mut self) -> Option<(Swept, Millis, u32)> {
        loop {
            let sweep = self.0.front_mut()?;
            if sweep.next >= sweep.end {
                self.0.pop_front();
                continue;
            }
            let slot = sweep.next;
            sweep.next += 1;
            if !sweep.done.remove(&slot) {
                return Some((sweep.swept, sweep.at, slot));
            }
        }
    }

    /// The visits that this slot has missed so far, in order. They count as made.
    pub(super) fn make_up(&mut self, slot: u32) -> Vec<(Swept, Millis)> {
        let missed = |sweep: &mut Sweep| {
            let ahead = (sweep.next..sweep.end).contains(&slot);
            (ahead && sweep.done.insert(slot)).then_some((sweep.swept, sweep.at))
        };
        self.0.iter_mut().filter_map(missed).collect()
    }
}
