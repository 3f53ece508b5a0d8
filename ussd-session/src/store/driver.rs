//! Events over a store: load, step, swap, again if somebody was faster, and only then act.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Error, Expect, Failed, Found, Key, Open, Owner, Page, Stepped, Store, StoreCounters, Swapped, Tag, Write,
    cell::{Advance, Cell, Scene, advance},
    timers::Timers,
};
use crate::{
    action::{Action, Frame, FrameKind, Reject},
    engine::{Config, Effect, Gauges, overload},
    event::{At, Event},
    ids::{LinkId, NetId, SessionId, SessionIds, TurnToken},
    observe::hashed,
    owned::OwnedEffect,
    policy::Policy,
    record::Record,
    text::Text,
    time::Millis,
};

/// Handles the events of sessions that are kept in a [`Store`].
///
/// It does for a store what the [`Engine`](crate::Engine) does in memory, with the same policies, and gives the same
/// effects. A program that embeds it does three things:
///
/// 1. [`Driver::handle`] for every event, with the time; the effects that come back are done in order. When they come
///    back the session is written, so what a phone is shown has always happened.
/// 2. [`Driver::tick`] for every key of [`Driver::due_here`], when [`Driver::next_deadline`] has come: sessions whose
///    last event this machine has handled.
/// 3. [`Driver::tick`] for every key of [`Driver::due_anywhere`], every second or so: sessions of machines that are
///    gone.
///
/// All take `&self`, and may be called at once, for one phone too: the store lets one of them win, and the others look
/// again. Events of one phone that are to be handled in the order in which they came are awaited one by one.
///
/// It also does what [`Screens`](crate::Screens) do in one process: texts fit ([`Policy::fit`]), and a key for the next
/// page is taken and answered in one write, by whichever machine gets it; sessions that broke off go on
/// ([`Policy::resume`]) on any. So all machines are to have the same policies. What that needs is kept beside the
/// record, at most [`Fit::LONGEST`](crate::Fit::LONGEST) octets of a text, and never a secret: a secret text that is
/// longer than a screen is refused ([`FitError::TooLong`](crate::FitError::TooLong)), and no secret screen is resumed.
///
/// [`Config::max_live`] is the most sessions open in the store, whichever machines handle them. The store counts them,
/// in the same step with the write that begins one, so the limit is met exactly: not one more, however many machines
/// take calls at once. (A Redis cluster may be over it by what begins at the same moment: `RedisStore::cluster`.) A
/// session counts until its end is written, so those of a lost machine count until another looks at them
/// ([`Driver::due_anywhere`]). Sessions that another program has begun are taken over also beyond the limit. Of
/// machines with different limits, each keeps its own. [`Config::max_closed`] does not count here.
#[derive(Debug)]
pub struct Driver<S> {
    store: S,
    config: Config,
    time_limit: Duration,
    attempts: u32,
    takeover: Duration,
    parking: usize,
    local: Mutex<Local>,
}

/// What this machine knows by itself.
#[derive(Debug, Default)]
struct Local {
    now: Millis,
    ids: Option<SessionIds>,
    timers: Timers,
    counters: StoreCounters,
}

impl<S: Store> Driver<S> {
    /// How long the store keeps what all machines have forgotten.
    const SLACK: Duration = Duration::from_secs(60);

    /// A driver over a store. Each machine has its own [`Config::node`]: session ids depend on it.
    #[must_use]
    pub fn new(store: S, config: Config) -> Self {
        Self {
            store,
            config,
            time_limit: Duration::from_secs(1),
            attempts: 10,
            takeover: Duration::from_secs(3),
            parking: 16 * 1024,
            local: Mutex::default(),
        }
    }

    /// How long the store may take for one event, all attempts together. Default 1 s: well below the time that a
    /// gateway gives an application.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How many times an event is tried while other machines are faster; at least once. Default 10.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long a session of another machine has to be overdue before this one takes it over. More than the clocks
    /// of the machines may differ. Default 3 s.
    #[must_use]
    pub fn takeover(mut self, margin: Duration) -> Self {
        self.takeover = margin;
        self
    }

    /// Octets that sessions of one phone on one link may take while they wait to be resumed
    /// ([`Policy::resume`](crate::Policy::resume)), their last screens and what the application kept included. Beyond, the
    /// oldest is forgotten. They wait for [`Policy::park`](crate::Policy::park), at most one for a service and sixteen
    /// services. Default 16 KiB.
    #[must_use]
    pub fn parking(mut self, octets: usize) -> Self {
        self.parking = octets;
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Handles an event. One that concerns a whole link is done session by session, so that it takes its time.
    ///
    /// # Errors
    /// The store cannot be reached, does not answer in time, or holds what cannot be read; or other machines were
    /// faster every time. Whether the event has happened is then open; it is not tried again.
    pub async fn handle(&self, link: LinkId, event: &Event<'_>, now: Millis) -> Result<Stepped, Failed<S::Error>> {
        match event.subscriber() {
            Some(subscriber) => self.one(Key { link, subscriber }, event, None, now).await,
            None if *event == Event::Tick => Ok(Stepped::default()),
            None => self.whole_link(link, event, now).await,
        }
    }

    /// Handles an event, and has the application's own octets kept with the session, in the same write: an event that
    /// is refused changes neither. Meant for replies. They come back in [`Stepped::app`] with the next event.
    ///
    /// # Errors
    /// As for [`Driver::handle`].
    pub async fn handle_and_keep(
        &self,
        link: LinkId,
        event: &Event<'_>,
        app: &[u8],
        now: Millis,
    ) -> Result<Stepped, Failed<S::Error>> {
        match event.subscriber() {
            Some(subscriber) => self.one(Key { link, subscriber }, event, Some(app), now).await,
            None => self.handle(link, event, now).await,
        }
    }

    /// Has the application's own octets kept with a session, if it is still open or waits to be resumed.
    ///
    /// # Errors
    /// As for [`Driver::handle`].
    pub async fn keep(&self, key: Key, session: SessionId, app: &[u8], now: Millis) -> Result<(), Error<S::Error>> {
        let at = self.at(key.link, now);
        let work = self.swapped(key, &NetId::NONE, at, |cell| {
            let kept = cell.and_then(|mut cell| cell.keep(session, app, self.parking).then_some(cell));
            (kept.map_or(Fate::Stays, |cell| Fate::Becomes(Some(cell))), ())
        });
        self.within_limit(work).await.map(|_| ())
    }

    /// Does what is due of one session, if it is still due.
    ///
    /// # Errors
    /// As for [`Driver::handle`]. The session is due again a second later.
    pub async fn tick(&self, key: Key, now: Millis) -> Result<Stepped, Failed<S::Error>> {
        let at = self.at(key.link, now);
        let (scene, given_up) = (self.scene(key, at), self.local().timers.given_up(key));
        let work = self.swapped(key, &NetId::NONE, at, |cell| {
            // Written even if nothing was due: that puts right what the store lists as due.
            let mut advance = advance(cell, &Event::Tick, scene);
            (Fate::Becomes(advance.cell.take()), advance)
        });
        match self.within_limit(work).await {
            Ok(advance) => Ok(advance.map(|advance| stepped(advance, given_up)).unwrap_or_default()),
            Err(error) => {
                let mut local = self.local();
                local.timers.put_back(key, at.now.after(Duration::from_secs(1)));
                Err(Failed { error, effects: Vec::new() })
            }
        }
    }

    /// Takes at most `max` sessions that are due and whose last event this machine has handled: for
    /// [`Driver::tick`].
    #[must_use]
    pub fn due_here(&self, now: Millis, max: usize) -> Vec<Key> {
        let mut local = self.local();
        let now = local.clock(now);
        std::iter::from_fn(|| local.timers.due(now)).take(max).collect()
    }

    /// Sessions of any machine that have been due for longer than [`Driver::takeover`], at most `max`: for
    /// [`Driver::tick`].
    ///
    /// # Errors
    /// The store cannot be reached, or does not answer in time.
    pub async fn due_anywhere(&self, now: Millis, max: usize) -> Result<Vec<Key>, Error<S::Error>> {
        let now = self.local().clock(now);
        let margin = u64::try_from(self.takeover.as_millis()).unwrap_or(u64::MAX);
        let until = Millis(now.0.saturating_sub(margin));
        self.within_limit(async { self.store.due(until, max).await.map_err(Error::Store) }).await
    }

    /// When [`Driver::due_here`] has work at the earliest; none if there is nothing to wait for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.local().timers.next()
    }

    /// How many sessions this machine watches: those whose last event it has handled.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.local().timers.len()
    }

    /// The record of a phone: its open session, or the tombstone of the last one.
    ///
    /// # Errors
    /// The store cannot be reached, does not answer in time, or holds what cannot be read.
    pub async fn record(&self, key: Key) -> Result<Option<Record>, Error<S::Error>> {
        let load = self.within_limit(async { self.store.load(key, &NetId::NONE).await.map_err(Error::Store) });
        match load.await? {
            Found::Session { octets, .. } => Ok(Some(Cell::decode(&octets)?.record)),
            Found::Nothing | Found::Foreign(_) => Ok(None),
        }
    }

    /// The session that a phone is in, and the machine that handled its last event.
    ///
    /// # Errors
    /// The store cannot be reached, or does not answer in time.
    pub async fn owner(&self, key: Key) -> Result<Option<Owner>, Error<S::Error>> {
        self.within_limit(async { self.store.owner(key).await.map_err(Error::Store) }).await
    }

    /// Some of a link's open sessions, as [`Store::open`].
    ///
    /// # Errors
    /// The store cannot be reached, or does not answer in time.
    pub async fn open(&self, link: LinkId, from: Option<u64>) -> Result<Page, Error<S::Error>> {
        self.within_limit(async { self.store.open(link, from).await.map_err(Error::Store) }).await
    }

    /// What happened so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> StoreCounters {
        self.local().counters
    }

    /// How things stand on this machine: the sessions that it [watches](Driver::watched), by the state in which it left
    /// them, and how late [`Driver::due_here`] is. Tombstones are the store's.
    ///
    /// A session whose events go from machine to machine is counted on each, until its deadline there has come.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let local = self.local();
        local.timers.gauges(local.now)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// What happens to one session. For an event of a link, which names no phone, the key does.
    pub(super) async fn one(
        &self,
        key: Key,
        event: &Event<'_>,
        app: Option<&[u8]>,
        now: Millis,
    ) -> Result<Stepped, Failed<S::Error>> {
        let at = self.at(key.link, now);
        let (scene, given_up) = (self.scene(key, at), self.local().timers.given_up(key));
        let work = self.swapped(key, net_of(event), at, |cell| {
            let mut advance = advance(cell, event, scene);
            if !advance.changed {
                return (Fate::Stays, advance);
            }
            let mut cell = advance.cell.take();
            if let (Some(cell), Some(app)) = (&mut cell, app) {
                let session = event.answers().map_or(cell.record.session(), |token| token.session);
                cell.keep(session, app, self.parking);
            }
            (Fate::Becomes(cell), advance)
        });
        match self.within_limit(work).await {
            Ok(Some(advance)) => Ok(stepped(advance, given_up)),
            Ok(None) => Ok(Stepped { effects: effects(key, overload(event, scene.policy)), ..Stepped::default() }),
            Err(error) => Err(Failed { error, effects: self.without_store(key, event, scene.policy) }),
        }
    }

    /// An event of a link, session by session.
    async fn whole_link(&self, link: LinkId, event: &Event<'_>, now: Millis) -> Result<Stepped, Failed<S::Error>> {
        let mut all = Stepped::default();
        let mut from = None;
        loop {
            let page = match self.open(link, from).await {
                Ok(page) => page,
                Err(error) => return Err(Failed { error, effects: all.effects }),
            };
            for key in page.keys {
                match self.one(key, event, None, now).await {
                    Ok(stepped) => all.effects.extend(stepped.effects),
                    Err(failed) => {
                        all.effects.extend(failed.effects);
                        return Err(Failed { effects: all.effects, ..failed });
                    }
                }
            }
            if page.next.is_none() {
                return Ok(all);
            }
            from = page.next;
        }
    }

    /// Load, decide, swap; again while other machines are faster. None if a session would begin and there are too many.
    async fn swapped<T>(
        &self,
        key: Key,
        net: &NetId,
        at: At,
        mut decide: impl FnMut(Option<Cell>) -> (Fate, T),
    ) -> Result<Option<T>, Error<S::Error>> {
        for _ in 0..self.attempts {
            let (cell, expect) = match self.store.load(key, net).await.map_err(Error::Store)? {
                Found::Nothing => (None, Expect::Absent),
                Found::Session { tag, octets } => (Some(Cell::decode(&octets)?), Expect::Is(tag)),
                Found::Foreign(foreign) => {
                    let policy = self.config.policy_of(key.link);
                    (Some(Cell::adopted(foreign, key, net, at, policy)), Expect::Foreign(net))
                }
            };
            let was_open = cell.as_ref().is_some_and(|cell| cell.record.is_open());
            let (fate, decided) = decide(cell);
            let cell = match fate {
                Fate::Stays => return Ok(Some(decided)),
                Fate::Becomes(cell) => cell,
            };
            let swapped = match &cell {
                None => self.store.swap(key, expect, Write::Delete).await,
                Some(cell) => {
                    let octets = cell.encode();
                    self.store.swap(key, expect, self.put(cell, &octets, expect, was_open, at.now)).await
                }
            };
            match swapped.map_err(Error::Store)? {
                Swapped::Done => {
                    self.written(key, cell.as_ref(), expect);
                    return Ok(Some(decided));
                }
                Swapped::Full => {
                    self.local().counters.refused += 1;
                    return Ok(None);
                }
                Swapped::Conflict => {
                    self.local().counters.conflicts += 1;
                    #[cfg(feature = "metrics")]
                    metrics::counter!("ussd_cas_conflicts_total").increment(1);
                    tracing::debug!(
                        link = key.link.0,
                        subscriber_hash = %hashed(key.subscriber),
                        "another machine was faster"
                    );
                }
            }
        }
        Err(Error::Contended(self.attempts))
    }

    fn put<'c>(&self, cell: &Cell, octets: &'c [u8], expect: Expect<'_>, was_open: bool, now: Millis) -> Write<'c> {
        let (record, policy) = (&cell.record, self.config.policy_of(cell.record.link()));
        let version = match expect {
            Expect::Is(tag) if tag.session == record.session() => tag.version + 1,
            _ => 1,
        };
        // What waits to be resumed may outlast all else.
        let waits = cell.aside.as_ref().and_then(|aside| aside.until());
        let last = waits.unwrap_or_default().max(record.deadline());
        let left = last.since(now).saturating_add(Self::SLACK);
        let (ttl, open) = if record.is_open() {
            let total = left.max(Duration::from_millis(u64::from(policy.total_timer)) + Self::SLACK);
            let tombstone = Duration::from_millis(u64::from(policy.tombstone));
            let limit = (!was_open).then_some(self.config.max_live);
            (total + tombstone, Some(Open { deadline: record.deadline(), node: self.config.node, limit }))
        } else {
            (left, None)
        };
        Write::Put { tag: Tag { session: record.session(), version }, octets, ttl, open }
    }

    /// Remembers what was written.
    fn written(&self, key: Key, cell: Option<&Cell>, expect: Expect<'_>) {
        let mut local = self.local();
        local.counters.writes += 1;
        local.counters.taken_over += u64::from(matches!(expect, Expect::Foreign(_)));
        match cell.map(|cell| &cell.record).filter(|record| record.is_open()) {
            Some(record) => local.timers.watch(key, record),
            None => local.timers.forget(key),
        }
    }

    /// What is to be done about an event when nobody knows what is kept.
    fn without_store(&self, key: Key, event: &Event<'_>, policy: &Policy) -> Vec<OwnedEffect> {
        let mut local = self.local();
        local.counters.failures += 1;
        let mut actions = Vec::new();
        let mut fallback = |net: &NetId, token| {
            let text = policy.fallback.as_deref().map(Text::public);
            let frame = |text| Frame { kind: FrameKind::Final, net: net.clone(), token, text, again: false };
            actions.extend(text.map(|text| Action::Send(frame(text))));
        };
        match *event {
            Event::Begin { ref net, .. } | Event::Answer { ref net, .. } => fallback(net, None),
            Event::Reply { token, .. } | Event::Redirect { token, .. } | Event::HandlerFailed { token, .. } => {
                // Only for the turn that the user waits in, as far as this machine knows.
                if let Some(net) = local.timers.give_up(key, token) {
                    fallback(&net, Some(token));
                }
            }
            _ => {}
        }
        actions.extend(event.subject().map(|subject| Action::Reject { subject, why: Reject::Unavailable }));
        effects(key, actions)
    }

    async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, Error<S::Error>>>,
    ) -> Result<T, Error<S::Error>> {
        tokio::time::timeout(self.time_limit, work).await.unwrap_or(Err(Error::Silent(self.time_limit)))
    }

    /// Where and by which rules it happens.
    fn scene(&self, key: Key, at: At) -> Scene<'_> {
        Scene { key, at, policy: self.config.policy_of(key.link), parking: self.parking }
    }

    /// Where and when an event happens.
    fn at(&self, link: LinkId, now: Millis) -> At {
        let mut local = self.local();
        let now = local.clock(now);
        let fresh = local.ids.get_or_insert_with(|| SessionIds::new(self.config.node, now)).fresh();
        At { link, now, fresh }
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        // What it holds is whole after every statement.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Local {
    /// Takes the time; it never goes back.
    fn clock(&mut self, now: Millis) -> Millis {
        self.now = self.now.max(now);
        self.now
    }
}

/// What becomes of what is kept.
enum Fate {
    Stays,
    Becomes(Option<Cell>),
}

/// What is to be done for a phone, apart from any session.
fn effects(Key { link, subscriber }: Key, actions: Vec<Action<'_>>) -> Vec<OwnedEffect> {
    actions.into_iter().map(|action| Effect { link, subscriber, dialled: "", action }.into()).collect()
}

/// What follows, once it is written. In a turn that was given up the user has seen the fallback text already.
fn stepped(advance: Advance, given_up: Option<TurnToken>) -> Stepped {
    let Advance { mut effects, app, resumed, observed, .. } = advance;
    if given_up.is_some() {
        effects.retain(|effect| {
            let action = effect.as_effect().action;
            !matches!(action, Action::Send(Frame { kind: FrameKind::Final, token, .. }) if token == given_up)
        });
    }
    Stepped {
        effects,
        app,
        resumed,
        observed,
        #[cfg(feature = "metrics")]
        alphabet: advance.alphabet,
    }
}

/// What the network calls the dialogue that an event belongs to.
fn net_of<'e>(event: &'e Event<'_>) -> &'e NetId {
    match event {
        Event::Begin { net, .. }
        | Event::Answer { net, .. }
        | Event::NotifyOk { net, .. }
        | Event::UserEnd { net, .. }
        | Event::NetTimeout { net, .. }
        | Event::NetError { net, .. } => net,
        _ => const { &NetId::NONE },
    }
}
