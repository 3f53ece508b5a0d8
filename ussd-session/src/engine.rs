//! Many sessions in memory.

mod codes;
mod config;
mod counters;
mod gauges;
mod index;
mod lists;
mod prompts;
mod saved;
mod sessions;
mod shards;
mod slots;
mod sweeps;
mod tombstones;
mod wheel;

pub use self::{config::Config, counters::Counters, gauges::Gauges, saved::Saved, shards::Shards};
#[cfg(feature = "store")]
pub(crate) use self::{gauges::Census, sessions::overload};
use self::{
    sessions::{Hint, Sessions},
    sweeps::Swept,
};
use crate::{action::Action, event::Event, ids::LinkId, record::Record, subscriber::Subscriber, time::Millis};

/// Holds the sessions of one process, finds the one that an event concerns, steps it, and keeps its timers.
///
/// It does no IO, reads no clock and starts no thread. A program that embeds it does three things, in this order:
///
/// 1. [`Engine::handle`] for every event, with the time. What follows goes to the sink, in order, before it returns.
/// 2. [`Engine::poll`] when [`Engine::next_deadline`] has come, again at once while it says that there is more.
///    Events may be handled in between.
/// 3. Whatever the sink was given is done: frames are sent, the application is called; its replies are events.
///
/// Time that goes back counts as the latest time seen.
///
/// No call looks at more sessions than it is told to ([`Config::at_once`], the budget of a poll), however many there are:
/// what concerns them all goes on from poll to poll, and links that come and go meanwhile add no visits. Nothing is
/// allocated once the tables have grown, and they grow in pieces: sessions and codes in pages of 1,024, the index by one
/// of its 256 parts. Only the heap of what is due in the current eighth of a second grows whole, 16 octets an entry. The
/// longest pause is thus that of a poll with the host's budget; what it takes is measured by the bench `sessions`.
///
/// A whole loop:
///
/// ```
/// use ussd_session::{Action, Callback, Config, Engine, Event, LinkId, Millis, NetId, Phase, Text, Verb};
///
/// let mut engine = Engine::new(Config::default());
/// let (link, phone) = (LinkId(0), "+27831234567".parse()?);
/// let mut now = Millis(1_790_000_000_000);
///
/// let dialled = Event::Begin { from: phone, dialled: "*120#", net: NetId::NONE, phase: Phase::Two, dedup: None };
/// let mut calls = Vec::new();
/// engine.handle(link, dialled, now, |effect: ussd_session::Effect<'_>| {
///     if let Action::Call(Callback::New { token, .. }) = effect.action {
///         calls.push((effect.subscriber, token));
///     }
/// });
/// for (to, token) in calls {
///     let reply = Event::Reply { to, token, verb: Verb::Continue, text: Text::public("Hello..") };
///     engine.handle(link, reply, now, |effect: ussd_session::Effect<'_>| {
///         let Action::Send(frame) = effect.action else { panic!("{effect:?}") };
///         assert_eq!(frame.text.as_str(), "Hello..");
///     });
/// }
/// // Nobody answers: the session ends, and in the end nothing is left of it.
/// while let Some(deadline) = engine.next_deadline() {
///     now = now.max(deadline); // a real host sleeps until then
///     while engine.poll(now, 1000, |_: ussd_session::Effect<'_>| {}).more {}
/// }
/// assert_eq!((engine.live(), engine.closed()), (0, 0));
/// # Ok::<(), ussd_session::SubscriberError>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    config: Config,
    sessions: Sessions,
}

/// Events of a batch whose memory is read ahead: about as many waits as a core can have under way.
const BATCH: usize = 32;

/// Who does what follows: any `FnMut(Effect<'_>)` is one.
pub trait Sink {
    /// Takes one thing to do. Called in order.
    fn accept(&mut self, effect: Effect<'_>);
}

impl<F: FnMut(Effect<'_>)> Sink for F {
    fn accept(&mut self, effect: Effect<'_>) {
        self(effect);
    }
}

/// One thing to do, and for whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect<'a> {
    /// The link.
    pub link: LinkId,
    /// The phone.
    pub subscriber: Subscriber,
    /// The code that the session was opened with; empty for a push and for what belongs to no session.
    pub dialled: &'a str,
    /// What to do.
    pub action: Action<'a>,
}

/// What [`Engine::poll`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Polled {
    /// How many entries of the timer wheel it looked at.
    pub looked_at: usize,
    /// True if more may be due already.
    pub more: bool,
}

impl Engine {
    /// An engine without sessions.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config: config.within_reach(), sessions: Sessions::new() }
    }

    /// Takes one event. What concerns a whole link visits [some sessions](Config::at_once) at once, and leaves the
    /// others to [`Engine::poll`]; to the sessions it is the same. If the link breaks or comes back again before all were
    /// visited, those hear of the last break and the last return only. [`Event::Tick`] does nothing, see
    /// [`Engine::poll`].
    pub fn handle(&mut self, link: LinkId, event: Event<'_>, now: Millis, mut sink: impl Sink) {
        self.sessions.clock(now);
        self.handle_near(link, &event, None, &mut sink);
    }

    /// Takes many events at once, in order: the same as [`Engine::handle`] for each.
    ///
    /// With many sessions an event is mostly a wait for memory. Of a batch, what the events will need is read first, for
    /// 32 at a time, so that these waits overlap. A host that finds several events in its socket saves most of them.
    pub fn handle_batch(&mut self, events: &[(LinkId, Event<'_>)], now: Millis, mut sink: impl Sink) {
        self.sessions.clock(now);
        for batch in events.chunks(BATCH) {
            let hints: [Hint; BATCH] = self.sessions.touch(batch);
            for ((link, event), hint) in batch.iter().zip(hints) {
                self.handle_near(*link, event, Some(hint), &mut sink);
            }
        }
    }

    /// Handles an event of which it may be known where its session probably is.
    fn handle_near(&mut self, link: LinkId, event: &Event<'_>, hint: Option<Hint>, sink: &mut impl Sink) {
        match (event, event.subscriber()) {
            (_, Some(subscriber)) => {
                let key = (link, subscriber);
                let slot = match hint {
                    Some(hint) => self.sessions.find_near(hint, key),
                    None => self.sessions.find(key),
                };
                self.sessions.apply(&self.config, key, slot, event, sink);
            }
            (Event::LinkDown, None) => self.begin_sweep(Swept::Down(link), sink),
            (Event::LinkUp, None) => self.begin_sweep(Swept::Up(link), sink),
            _ => {}
        }
    }

    fn begin_sweep(&mut self, swept: Swept, sink: &mut impl Sink) {
        self.sessions.begin_sweep(swept);
        let mut budget = self.config.at_once;
        self.sessions.sweep(&self.config, &mut budget, sink);
    }

    /// Ends what is due at `now`, and goes on with what concerns a whole link, looking at no more than `budget` entries
    /// (at least one); a session that ends costs two or three. Sessions that end together by the hundred thousand are
    /// thus no pause for the others.
    pub fn poll(&mut self, now: Millis, budget: usize, mut sink: impl Sink) -> Polled {
        self.sessions.clock(now);
        let budget = budget.max(1);
        // Half of it is for what is due, lest a link that comes and goes for ever lets nobody's time run out.
        let mut half = budget.div_ceil(2);
        self.sessions.sweep(&self.config, &mut half, &mut sink);
        let mut left = budget / 2 + half;
        while let Some((slot, key)) = self.sessions.due(&mut left) {
            self.sessions.apply(&self.config, key, Some(slot), &Event::Tick, &mut sink);
        }
        self.sessions.sweep(&self.config, &mut left, &mut sink);
        Polled { looked_at: budget - left, more: self.sessions.is_behind() }
    }

    /// When [`Engine::poll`] has work at the earliest; none if there is nothing to wait for. It may be early,
    /// and is never late: a poll too early costs little and changes nothing.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.sessions.next_deadline()
    }

    /// Tells all open sessions that the program stops: users who wait get the fallback text, the application its
    /// callbacks. It visits [some](Config::at_once) at once; [`Engine::poll`] visits the others, so poll until nothing
    /// is left:
    ///
    /// ```
    /// # use ussd_session::{Config, Effect, Engine, Millis};
    /// # let (mut engine, now) = (Engine::new(Config::default()), Millis(1_790_000_000_000));
    /// engine.shutdown(now, |_: Effect<'_>| {});
    /// while engine.poll(now, 1000, |_: Effect<'_>| {}).more {}
    /// assert_eq!(engine.live(), 0);
    /// ```
    pub fn shutdown(&mut self, now: Millis, mut sink: impl Sink) {
        self.sessions.clock(now);
        self.begin_sweep(Swept::Shutdown, &mut sink);
    }

    /// The record of a phone: its open session, or the tombstone of the last one.
    #[must_use]
    pub fn record(&self, link: LinkId, subscriber: Subscriber) -> Option<Record> {
        self.sessions.slots.record(self.sessions.find((link, subscriber))?)
    }

    /// How many sessions are open.
    #[must_use]
    pub fn live(&self) -> usize {
        self.sessions.census.live()
    }

    /// How many tombstones are kept.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.sessions.tombstones.len()
    }

    /// How many entries stand in the timer wheel: one for each open session and each tombstone.
    #[must_use]
    pub fn scheduled(&self) -> usize {
        self.sessions.wheel.len()
    }

    /// What happened so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.sessions.counters
    }

    /// How things stand, in numbers, at the latest time seen.
    ///
    /// ```
    /// # use ussd_session::{Config, Effect, Engine, Event, LinkId, Millis, NetId, Phase};
    /// let (mut engine, now) = (Engine::new(Config::default()), Millis(1_790_000_000_000));
    /// let from = "+27831234567".parse()?;
    /// let begin = Event::Begin { from, dialled: "*120#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    /// engine.handle(LinkId(0), begin, now, |_: Effect<'_>| {});
    /// assert_eq!((engine.gauges().app_turn, engine.gauges().live()), (1, 1));
    /// # Ok::<(), ussd_session::SubscriberError>(())
    /// ```
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        self.sessions.gauges()
    }
}
