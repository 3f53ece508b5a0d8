//! Sessions that several machines share: what a store is, and what is kept in it.
//!
//! The in-memory [`Engine`](crate::Engine) is the faster and simpler choice as long as one machine does: a store is
//! for going on when a machine is lost, not for speed.
//!
//! * [`Store`] is the little that a database has to do: load, compare and swap, say what is due.
//! * [`Driver`] handles events over a store: load, step, swap; if another machine was faster, the same again; and only
//!   then act. Any machine may take any event of any session.
//! * [`StoreRunner`] runs a [`UssdApp`](crate::UssdApp) over a driver.
//! * [`MemoryStore`] is a store within the process for tests: it can lose, delay and cut off.
//! * `RedisStore` (feature `redis`) is the one for production.

mod aside;
mod cell;
mod driver;
mod encoding;
mod memory;
mod outcome;
mod parts;
#[cfg(feature = "redis")]
mod redis;
mod runner;
mod timers;

use std::{fmt, future::Future, time::Duration};

#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreError, Repaired, VumiLayout, VumiTransport};
pub use self::{
    driver::Driver,
    encoding::{Problem, Unreadable},
    memory::{Fault, MemoryStore, MemoryStoreError, Operation},
    outcome::{Error, Failed, Stepped, StoreCounters},
    runner::StoreRunner,
};
use crate::{
    ids::{LinkId, NetId, SessionId},
    subscriber::Subscriber,
    time::Millis,
};

/// What keeps sessions for several machines.
///
/// All it has to know are octets under a key, and a [`Tag`] to compare. What makes it safe is one thing: that
/// [`Store::swap`] compares and writes in one step which no other write can come between.
///
/// The futures are to end in finite time; the [`Driver`] gives up on one that does not.
pub trait Store: Send + Sync {
    /// Why the store could not do it.
    type Error: std::error::Error + Send + Sync + 'static;

    /// What is kept under a key.
    ///
    /// `net` is what the network calls the dialogue, perhaps nothing: for stores that also know sessions of another
    /// program by that name ([`Found::Foreign`]).
    fn load(&self, key: Key, net: &NetId) -> impl Future<Output = Result<Found, Self::Error>> + Send;

    /// Writes if what is kept is still as expected, in one step with the time to live, the list of what is due, and
    /// the owner.
    ///
    /// An error means that nobody knows whether it was written.
    fn swap(
        &self,
        key: Key,
        expect: Expect<'_>,
        write: Write<'_>,
    ) -> impl Future<Output = Result<Swapped, Self::Error>> + Send;

    /// Open sessions whose deadline is `until` or earlier, the earliest first, at most `max`.
    ///
    /// It may name keys under which nothing is kept any more; to write [`Write::Delete`] there takes them off the list.
    fn due(&self, until: Millis, max: usize) -> impl Future<Output = Result<Vec<Key>, Self::Error>> + Send;

    /// Open sessions of a link, page by page: `from` is none for the first page, then [`Page::next`].
    ///
    /// What is open all the while is on one page at least.
    fn open(&self, link: LinkId, from: Option<u64>) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// The session that a phone is in, and the machine that handled its last event; none if it is in none.
    fn owner(&self, key: Key) -> impl Future<Output = Result<Option<Owner>, Self::Error>> + Send;
}

/// Under which a session is kept: a phone on a link. It holds at most one session, or the tombstone of the last.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The link.
    pub link: LinkId,
    /// The phone.
    pub subscriber: Subscriber,
}

/// What tells one content of a key from every other: which session, and how many times it was written.
///
/// The count alone would not do: a session that expired and one that began after it have both been written once.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tag {
    /// The session: its incarnation.
    pub session: SessionId,
    /// Writes of this session, from 1.
    pub version: u64,
}

/// What a store found under a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A session of ours, or its tombstone.
    Session {
        /// What to expect when it is written.
        tag: Tag,
        /// What was written.
        octets: Vec<u8>,
    },
    /// An open session that another program has begun.
    Foreign(Foreign),
}

/// What is known of a session that another program has begun. It is taken for one whose user is to answer.
#[derive(Clone, Eq, PartialEq)]
pub struct Foreign {
    /// The code as dialled; empty if not known.
    pub dialled: String,
    /// When it began, if known.
    pub opened: Option<Millis>,
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign").field("opened", &self.opened).finish_non_exhaustive()
    }
}

/// What has to be under a key for a write to happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expect<'a> {
    /// Nothing.
    Absent,
    /// This content.
    Is(Tag),
    /// Nothing of ours, and the other program's session of this name, which the write takes over.
    Foreign(&'a NetId),
}

/// What to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Write<'a> {
    /// This content.
    Put {
        /// Its tag.
        tag: Tag,
        /// The content.
        octets: &'a [u8],
        /// When the store may forget it by itself. Always set, and never what ends a session: it only clears away
        /// what all machines have left behind.
        ttl: Duration,
        /// What is known of an open session; none for a tombstone, which is neither due nor owned.
        open: Option<Open>,
    },
    /// Nothing: forget the key, its owner, and its place among what is due.
    Delete,
}

/// What a store keeps of an open session beside its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Open {
    /// When something is to be done about it.
    pub deadline: Millis,
    /// The machine that writes.
    pub node: u16,
    /// If the session begins with this write: how many may be open at the most, on all links, this one included; none if
    /// that does not matter. A store that has as many writes nothing, and says [`Swapped::Full`]. A key that counts as
    /// open already is none more.
    pub limit: Option<usize>,
}

/// Whether a write happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Swapped {
    /// It did.
    Done,
    /// It did not: something else is there by now.
    Conflict,
    /// It did not: as many sessions are open as may be ([`Open::limit`]).
    Full,
}

/// Some of a link's open sessions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// Their keys; one may be on several pages.
    pub keys: Vec<Key>,
    /// Where the next page begins; none after the last.
    pub next: Option<u64>,
}

/// Whose a phone is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The session that it is in.
    pub session: SessionId,
    /// The machine that handled the session's last event.
    pub node: u16,
}
