//! What is kept beside a record for the screens of its phone.

use std::time::Duration;

use crate::{
    ids::{SessionId, TurnToken},
    screens::{
        flow::Keeper,
        parking::{Key, Parked},
        shown::{Kept, Shown},
    },
    time::Millis,
};

/// The screen of the session, and the phone's sessions that wait to be resumed. Never a secret: that would be kept
/// where others may read it.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Aside {
    pub(super) shown: Option<(SessionId, Shown<Vec<u8>>)>,
    /// The session that this one goes on with, until the application is called for the first time.
    pub(super) earlier: Option<Earlier>,
    /// By service, the oldest first.
    pub(super) parked: Vec<(Box<str>, Parked<Vec<u8>>)>,
}

/// A session that another one goes on with: its last turn, and how long ago it broke off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Earlier {
    pub(super) token: TurnToken,
    pub(super) ago: Duration,
}

/// An [`Aside`] while something happens.
pub(super) struct Beside<'c> {
    pub(super) aside: &'c mut Aside,
    /// What the application keeps of the session.
    pub(super) app: &'c [u8],
    /// Octets that parked sessions may take.
    pub(super) most: usize,
}

impl Aside {
    /// Services of one phone, at most, of which a session waits.
    pub(super) const SERVICES: usize = 16;

    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_none() && self.earlier.is_none() && self.parked.is_empty()
    }

    /// When the last of what waits is over; none if nothing waits.
    pub(super) fn until(&self) -> Option<Millis> {
        self.parked.iter().map(|(_, parked)| parked.until).max()
    }

    /// Keeps what the application has of a session that waits; true if one does.
    pub(super) fn keep(&mut self, session: SessionId, app: &[u8], most: usize) -> bool {
        let Some(parked) = self.parked(session) else { return false };
        parked.kept = Some(app.to_vec());
        self.bound(most);
        true
    }

    /// What waits of a session.
    fn parked(&mut self, session: SessionId) -> Option<&mut Parked<Vec<u8>>> {
        self.parked.iter_mut().map(|(_, parked)| parked).find(|parked| parked.token.session == session)
    }

    /// Forgets the oldest while what waits takes more octets than it may.
    fn bound(&mut self, most: usize) {
        while self.parked.len() > Self::SERVICES || self.parked.iter().map(octets).sum::<usize>() > most {
            self.parked.remove(0);
        }
    }
}

impl Keeper<Vec<u8>> for Beside<'_> {
    const HOLDS_SECRETS: bool = false;

    fn shown(&mut self, session: SessionId) -> Option<&mut Shown<Vec<u8>>> {
        self.aside.shown.as_mut().filter(|(of, _)| *of == session).map(|(_, shown)| shown)
    }

    fn show(&mut self, session: SessionId, at: Key) -> &mut Shown<Vec<u8>> {
        let shown = self.aside.shown.take().filter(|(of, _)| *of == session);
        &mut self.aside.shown.insert(shown.unwrap_or_else(|| (session, Shown::new(at)))).1
    }

    fn take(&mut self, session: SessionId) -> Option<Shown<Vec<u8>>> {
        self.aside.earlier = None;
        self.aside.shown.take_if(|(of, _)| *of == session).map(|(_, shown)| shown)
    }

    fn park(&mut self, (_, _, service): Key, mut parked: Parked<Vec<u8>>) {
        parked.kept.get_or_insert_with(|| self.app.to_vec());
        let (all, ended) = (&mut self.aside.parked, parked.ended);
        all.retain(|(of, old)| *of != service && old.until > ended);
        all.push((service, parked));
        self.aside.bound(self.most);
    }

    fn unpark(&mut self, (_, _, service): &Key, now: Millis) -> Option<Parked<Vec<u8>>> {
        let at = self.aside.parked.iter().position(|(of, _)| of == service)?;
        let (_, parked) = self.aside.parked.remove(at);
        parked.can_go_on(now).then_some(parked)
    }

    fn late(&mut self, token: TurnToken, reply: impl FnOnce() -> Kept) -> bool {
        let is_kept = self.aside.parked(token.session).is_some_and(|parked| parked.late(token, reply));
        self.aside.bound(self.most);
        is_kept
    }
}

/// What a parked session takes, about.
fn octets((service, parked): &(Box<str>, Parked<Vec<u8>>)) -> usize {
    let screen = &parked.screen;
    let pager = screen.pager.as_ref().map_or(0, |pager| pager.text.len() + 2 * pager.starts.len());
    let kept = parked.kept.as_ref().map_or(0, Vec::len);
    64 + service.len() + screen.text.len() + pager + kept
}
