//! A store within the process: for tests, of this crate and of programs that use it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Expect, Foreign, Found, Key, Open, Owner, Page, Store, Swapped, Tag, Write};
use crate::{
    ids::{LinkId, NetId},
    time::Millis,
};

/// A [`Store`] in memory. Clones share what they hold, as connections to one database do.
///
/// It keeps time only as it is told ([`MemoryStore::set_time`]), and fails only as it is told ([`MemoryStore::faults`]).
///
/// ```
/// use ussd_session::{Config, Event, LinkId, Millis, NetId, Phase, store::{Driver, Fault, MemoryStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let machines = [0, 1].map(|node| Driver::new(store.clone(), Config::default().node(node)));
///
/// let (link, from, now) = (LinkId(0), "+27831234567".parse()?, Millis(1_790_000_000_000));
/// let begin = Event::Begin { from, dialled: "*120#", net: NetId::NONE, phase: Phase::Two, dedup: None };
/// machines[0].handle(link, &begin, now).await?;
/// // The other machine knows the session.
/// let hung_up = Event::UserEnd { from, net: NetId::NONE, text: None };
/// assert_eq!(machines[1].handle(link, &hung_up, now).await?.effects.len(), 2); // Ended, Closed
///
/// store.faults(|_, _| Fault::Lost);
/// let failed = machines[0].handle(link, &begin, now).await.unwrap_err();
/// assert_eq!(failed.to_string(), "the store of sessions failed: lost, as told");
/// assert_eq!(failed.effects.len(), 1); // the fallback text for the user
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    /// Apart from what is kept, so that what is asked may look at that.
    faults: Arc<Mutex<Option<Faults>>>,
}

/// What is asked of a [`MemoryStore`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// [`Store::load`], [`Store::owner`].
    Load,
    /// [`Store::swap`].
    Swap,
    /// [`Store::due`], [`Store::open`].
    List,
}

/// What goes wrong with one operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    None,
    /// It does not happen, and fails.
    Lost,
    /// It happens, and fails all the same: the answer is lost.
    AnswerLost,
    /// It happens after this time, by tokio's clock.
    Delayed(Duration),
    /// It never ends, and never happens.
    Stuck,
}

/// A [`Fault`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("lost, as told")]
pub struct MemoryStoreError;

type Faults = Box<dyn FnMut(Operation, Option<Key>) -> Fault + Send>;

#[derive(Default)]
struct Inner {
    now: Millis,
    kept: BTreeMap<Key, Kept>,
    foreign: BTreeMap<(Key, Vec<u8>), Foreign>,
    due: BTreeSet<(Millis, Key)>,
}

#[derive(Clone)]
struct Kept {
    tag: Tag,
    octets: Vec<u8>,
    expires: Millis,
    open: Option<Open>,
}

impl MemoryStore {
    /// An empty store, at time 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets time pass: what has lived out its time is forgotten. Only a session's content goes, not its place among
    /// what is due, as in any store that forgets by itself.
    pub fn set_time(&self, now: Millis) {
        let mut inner = self.inner();
        inner.now = inner.now.max(now);
        let now = inner.now;
        inner.kept.retain(|_, kept| kept.expires > now);
    }

    /// Asks this, before each operation from now on, what goes wrong with it.
    pub fn faults(&self, faults: impl FnMut(Operation, Option<Key>) -> Fault + Send + 'static) {
        *lock(&self.faults) = Some(Box::new(faults));
    }

    /// Puts a session there as another program would have begun it, called `net` by the network.
    pub fn put_foreign(&self, key: Key, net: &NetId, foreign: Foreign) {
        self.inner().foreign.insert((key, net.as_bytes().to_vec()), foreign);
    }

    /// How many keys hold something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().kept.len()
    }

    /// True if no key holds anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets kept under a key.
    #[must_use]
    pub fn octets(&self, key: Key) -> Option<Vec<u8>> {
        self.inner().kept.get(&key).map(|kept| kept.octets.clone())
    }

    /// Forgets a key, as if its time to live were over.
    pub fn expire(&self, key: Key) {
        self.inner().kept.remove(&key);
    }

    async fn operate<T: Send>(
        &self,
        operation: Operation,
        key: Option<Key>,
        work: impl FnOnce(&mut Inner) -> T + Send,
    ) -> Result<T, MemoryStoreError> {
        let fault = lock(&self.faults).as_mut().map_or(Fault::None, |faults| faults(operation, key));
        match fault {
            Fault::Lost => return Err(MemoryStoreError),
            Fault::Stuck => pending().await,
            Fault::Delayed(span) => tokio::time::sleep(span).await,
            Fault::None | Fault::AnswerLost => {}
        }
        let done = work(&mut self.inner());
        if fault == Fault::AnswerLost { Err(MemoryStoreError) } else { Ok(done) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl Store for MemoryStore {
    type Error = MemoryStoreError;

    async fn load(&self, key: Key, net: &NetId) -> Result<Found, MemoryStoreError> {
        self.operate(Operation::Load, Some(key), |inner| match inner.kept.get(&key) {
            Some(kept) => Found::Session { tag: kept.tag, octets: kept.octets.clone() },
            None => match inner.foreign.get(&(key, net.as_bytes().to_vec())) {
                Some(foreign) => Found::Foreign(foreign.clone()),
                None => Found::Nothing,
            },
        })
        .await
    }

    async fn swap(&self, key: Key, expect: Expect<'_>, write: Write<'_>) -> Result<Swapped, MemoryStoreError> {
        self.operate(Operation::Swap, Some(key), |inner| inner.swap(key, expect, write)).await
    }

    async fn due(&self, until: Millis, max: usize) -> Result<Vec<Key>, MemoryStoreError> {
        self.operate(Operation::List, None, |inner| {
            inner.due.iter().take_while(|(deadline, _)| *deadline <= until).map(|(_, key)| *key).take(max).collect()
        })
        .await
    }

    async fn open(&self, link: LinkId, _from: Option<u64>) -> Result<Page, MemoryStoreError> {
        self.operate(Operation::List, None, |inner| {
            let keys = inner.due.iter().map(|(_, key)| *key).filter(|key| key.link == link).collect();
            Page { keys, next: None }
        })
        .await
    }

    async fn owner(&self, key: Key) -> Result<Option<Owner>, MemoryStoreError> {
        self.operate(Operation::Load, Some(key), |inner| {
            let kept = inner.kept.get(&key)?;
            Some(Owner { session: kept.tag.session, node: kept.open?.node })
        })
        .await
    }
}

impl Inner {
    fn swap(&mut self, key: Key, expect: Expect<'_>, write: Write<'_>) -> Swapped {
        let found = self.kept.get(&key).map(|kept| kept.tag);
        let as_expected = match expect {
            Expect::Absent => found.is_none(),
            Expect::Is(tag) => found == Some(tag),
            Expect::Foreign(net) => found.is_none() && self.foreign.remove(&(key, net.as_bytes().to_vec())).is_some(),
        };
        if !as_expected {
            return Swapped::Conflict;
        }
        if let Write::Put { open: Some(Open { limit: Some(limit), .. }), .. } = write
            && self.due.len() >= limit
            && !self.due.iter().any(|(_, listed)| *listed == key)
        {
            return Swapped::Full;
        }
        self.kept.remove(&key);
        self.due.retain(|(_, listed)| *listed != key);
        if let Write::Put { tag, octets, ttl, open } = write {
            self.due.extend(open.map(|open| (open.deadline, key)));
            let expires = self.now.after(ttl);
            self.kept.insert(key, Kept { tag, octets: octets.to_vec(), expires, open });
        }
        Swapped::Done
    }
}

/// What it guards is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("len", &self.len()).finish_non_exhaustive()
    }
}
