//! What concerns many sessions at once, bit by bit: a link that breaks or comes back, the end of the program.
//!
//! A round goes through the slots in order, and brings each the news that it has not had. News that comes meanwhile
//! makes the round go on until every slot was visited once more: however often links come and go, a round is never longer
//! than one visit to each slot. Whatever happens to a session before the round has come to it makes up for the visit
//! first, so that nobody can tell that not all were visited at once.
//!
//! Of each link the latest break and the latest return are kept. A session that has missed more hears of these alone.

use std::collections::BTreeMap;

use crate::{
    event::{Discard, Event},
    ids::LinkId,
    record::Core,
    time::Millis,
};

/// What a visit brings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
        let event = match self {
            Self::Down(_) => Event::LinkDown,
            Self::Up(_) => Event::LinkUp,
            Self::Shutdown => Event::Discard { to: core.subscriber, session: core.session, why: Discard::Shutdown },
        };
        core.is_open().then_some(event)
    }
}

/// Visits that are still to be made, and what they bring.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    /// Of each link with news, the latest, and before it the latest of the other kind.
    links: BTreeMap<LinkId, [Option<News>; 2]>,
    shutdown: Option<News>,
    /// The number of the latest news, from 1.
    latest: u32,
    /// The slot to be visited next, and how many visits are left.
    next: u32,
    left: u32,
    /// All slots that there were at the latest news are below this one.
    end: u32,
    /// The latest news that each slot has had, in pages that come to be when they are needed.
    had: Vec<Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct News {
    swept: Swept,
    at: Millis,
    number: u32,
}

/// Slots of a page.
const PAGE: usize = 1024;

impl Sweeps {
    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Visits still to be made.
    pub(super) fn left(&self) -> usize {
        self.left as usize
    }

    /// Has all slots up to `end` visited.
    pub(super) fn begin(&mut self, swept: Swept, at: Millis, end: u32) {
        if self.left == 0 {
            self.links.clear();
            self.shutdown = None;
            // Long before the numbers run out.
            if self.latest > u32::MAX / 2 {
                self.latest = 0;
                self.had.clear();
            }
        }
        self.latest = self.latest.saturating_add(1);
        let news = News { swept, at, number: self.latest };
        match swept {
            Swept::Shutdown => self.shutdown = Some(news),
            Swept::Down(link) | Swept::Up(link) => {
                let [before, last] = self.links.entry(link).or_default();
                if last.is_some_and(|last| last.swept != swept) {
                    *before = *last;
                }
                *last = Some(news);
            }
        }
        self.end = self.end.max(end);
        self.left = self.end;
    }

    /// The next slot to be visited.
    pub(super) fn visit(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let slot = if self.next < self.end { self.next } else { 0 };
        self.next = slot + 1;
        Some(slot)
    }

    /// What this slot, whose session is of this link, has not had so far, in order. It counts as had.
    pub(super) fn catch_up(&mut self, slot: u32, link: LinkId) -> impl Iterator<Item = (Swept, Millis)> + use<> {
        let had = self.skip(slot);
        let [before, last] = self.links.get(&link).copied().unwrap_or_default();
        let mut news = [before, last, self.shutdown].map(|news| news.filter(|news| news.number > had));
        news.sort_unstable_by_key(|news| news.map(|news| news.number));
        news.into_iter().flatten().map(|news| (news.swept, news.at))
    }

    /// All news so far does not concern this slot; the latest that it has had.
    pub(super) fn skip(&mut self, slot: u32) -> u32 {
        let (page, within) = (slot as usize / PAGE, slot as usize % PAGE);
        if self.had.len() <= page {
            self.had.resize_with(page + 1, Vec::new);
        }
        let Some(page) = self.had.get_mut(page) else { return 0 };
        if page.is_empty() {
            page.resize(PAGE, 0);
        }
        page.get_mut(within).map_or(0, |had| std::mem::replace(had, self.latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: LinkId = LinkId(7);
    const DOWN: Swept = Swept::Down(LINK);
    const UP: Swept = Swept::Up(LINK);

    fn caught_up(sweeps: &mut Sweeps, slot: u32) -> Vec<(Swept, u64)> {
        sweeps.catch_up(slot, LINK).map(|(swept, at)| (swept, at.0)).collect()
    }

    /// Whoever has missed much hears of the last break and the last return, in order, and once.
    #[test]
    fn news_is_merged() {
        let mut sweeps = Sweeps::default();
        for (at, swept) in (1..).zip([UP, DOWN, UP, DOWN, DOWN]) {
            sweeps.begin(swept, Millis(at), 4);
            assert_eq!(sweeps.visit(), Some(u32::try_from(at - 1).unwrap() % 4));
            sweeps.begin(Swept::Down(LinkId(8)), Millis(90), 4);
        }
        assert_eq!(caught_up(&mut sweeps, 1), [(UP, 3), (DOWN, 5)]);
        sweeps.begin(Swept::Shutdown, Millis(6), 4);
        sweeps.begin(UP, Millis(7), 4);
        assert_eq!(caught_up(&mut sweeps, 1), [(Swept::Shutdown, 6), (UP, 7)]);
        assert_eq!(caught_up(&mut sweeps, 2), [(DOWN, 5), (Swept::Shutdown, 6), (UP, 7)]);
        assert_eq!(caught_up(&mut sweeps, 2), []);
        sweeps.skip(3);
        assert_eq!(caught_up(&mut sweeps, 3), []);
    }

    /// A round visits each slot once after the latest news, from where it was.
    #[test]
    fn a_round_is_one_visit_to_each_slot() {
        let mut sweeps = Sweeps::default();
        sweeps.begin(DOWN, Millis(1), 5);
        assert_eq!([sweeps.visit(), sweeps.visit(), sweeps.visit()], [Some(0), Some(1), Some(2)]);
        sweeps.begin(UP, Millis(2), 6);
        let round: Vec<u32> = std::iter::from_fn(|| sweeps.visit()).collect();
        assert_eq!((round, sweeps.left()), (vec![3, 4, 5, 0, 1, 2], 0));
    }

    #[test]
    fn numbers_do_not_run_out() {
        let mut sweeps = Sweeps::default();
        sweeps.begin(DOWN, Millis(1), 1);
        sweeps.latest = u32::MAX / 2 + 1;
        assert_eq!(sweeps.visit(), Some(0));
        assert_eq!(caught_up(&mut sweeps, 0), [(DOWN, 1)]);
        sweeps.begin(UP, Millis(2), 1);
        assert_eq!((sweeps.latest, sweeps.visit()), (1, Some(0)));
        assert_eq!(caught_up(&mut sweeps, 0), [(UP, 2)]);
    }
}
