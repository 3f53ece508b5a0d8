//! What holds sessions, as a test sees it.

use std::collections::BTreeMap;

use crate::{
    action::{Action, Actions, Frame, FrameKind, Ignored, Next},
    engine::{Config, Effect, Engine},
    event::{At, Event},
    ids::{LinkId, SessionIds},
    owned::{OwnedEffect, OwnedEvent},
    policy::Policy,
    record::Record,
    step::step,
    subscriber::Subscriber,
    time::Millis,
};

/// Whatever holds the sessions of one link: takes events, says what follows.
pub trait Host {
    /// Takes an event.
    fn handle(&mut self, event: &Event<'_>, now: Millis, sink: &mut dyn FnMut(Effect<'_>));

    /// Does what is due.
    fn poll(&mut self, now: Millis, sink: &mut dyn FnMut(Effect<'_>));

    /// How many records it holds, tombstones included.
    fn records(&self) -> usize;

    /// The node dies and another takes over. True if the sessions have survived it.
    fn crash(&mut self) -> bool;
}

/// The link of a host that has only one.
pub(super) const LINK: LinkId = LinkId(1);

/// An [`Engine`]: it loses its sessions in a crash.
#[derive(Debug)]
pub struct Memory {
    engine: Engine,
    config: Config,
}

impl Memory {
    /// With this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { engine: Engine::new(config.clone()), config }
    }
}

impl Host for Memory {
    fn handle(&mut self, event: &Event<'_>, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        self.engine.handle(LINK, event.clone(), now, sink);
    }

    fn poll(&mut self, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        while self.engine.poll(now, 100, &mut *sink).more {}
    }

    fn records(&self) -> usize {
        self.engine.live() + self.engine.closed()
    }

    fn crash(&mut self) -> bool {
        self.engine = Engine::new(self.config.clone());
        false
    }
}

/// What one step gives: the actions in order, and what becomes of the record.
pub type Stepped<'a> = (Vec<Action<'a>>, Next);

/// The plainest host: a map of records that outlives every crash, and a function that steps one of them. The function
/// is [`step`] unless a test puts another in its place.
#[derive(Debug)]
pub struct Bare<S> {
    policy: Policy,
    stepper: S,
    ids: SessionIds,
    records: BTreeMap<Subscriber, Record>,
    beside: BTreeMap<Subscriber, Beside>,
    now: Millis,
}

/// What a host keeps beside a record.
#[derive(Debug, Default)]
struct Beside {
    dialled: Box<str>,
    prompt: Option<OwnedEffect>,
    held: Option<OwnedEvent>,
}

impl Bare<()> {
    /// Around [`step`].
    #[must_use]
    pub fn new(policy: Policy) -> Bare<impl for<'a> FnMut(Option<&Record>, &Event<'a>, At, &'a Policy) -> Stepped<'a>> {
        Bare::with(policy, |record: Option<&Record>, event: &Event<'_>, at, policy| stepped(record, event, at, policy))
    }
}

/// [`step`] with its actions in a list.
fn stepped<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let mut out = Actions::new();
    let next = step(record, event, at, policy, &mut out);
    (out.into_iter().collect(), next)
}

impl<S> Bare<S>
where
    S: for<'a> FnMut(Option<&Record>, &Event<'a>, At, &'a Policy) -> Stepped<'a>,
{
    /// Around a function of the test's.
    pub fn with(policy: Policy, stepper: S) -> Self {
        let ids = SessionIds::new(1, Millis(1_790_000_000_000));
        Self { policy, stepper, ids, records: BTreeMap::new(), beside: BTreeMap::new(), now: Millis(0) }
    }

    /// The record of a phone.
    pub fn record(&self, phone: Subscriber) -> Option<&Record> {
        self.records.get(&phone)
    }

    fn one(&mut self, to: Subscriber, event: &Event<'_>, sink: &mut dyn FnMut(Effect<'_>)) {
        let at = At { link: LINK, now: self.now, fresh: self.ids.fresh() };
        let (actions, next) = (self.stepper)(self.records.get(&to), event, at, &self.policy);
        match next {
            Next::Keep => {}
            Next::Put(record) => {
                self.records.insert(to, record);
            }
            Next::Delete => {
                self.records.remove(&to);
            }
        }
        let beside = self.beside.entry(to).or_default();
        let mut released = None;
        for action in actions {
            match &action {
                Action::Hold { token, verb, text } => {
                    let reply = Event::Reply { to, token: *token, verb: *verb, text: *text };
                    beside.held = Some(reply.into());
                    continue;
                }
                Action::Release { .. } => {
                    released = beside.held.take();
                    continue;
                }
                Action::Call(crate::action::Callback::New { dialled, .. }) => beside.dialled = (*dialled).into(),
                _ => {}
            }
            let effect = Effect { link: LINK, subscriber: to, dialled: &beside.dialled, action };
            match &effect.action {
                Action::Again { token, net } => {
                    let kept = beside.prompt.as_ref().map(OwnedEffect::as_effect);
                    let action = match kept.map(|kept| kept.action) {
                        Some(Action::Send(frame)) => {
                            Action::Send(Frame { net: net.clone(), token: Some(*token), again: true, ..frame })
                        }
                        _ => Action::Ignored(Ignored::NothingToRepeat),
                    };
                    sink(Effect { action, ..effect });
                }
                Action::Send(Frame { kind: FrameKind::Prompt, .. }) => {
                    sink(effect.clone());
                    beside.prompt = Some(effect.into());
                }
                _ => sink(effect),
            }
        }
        if let Some(reply) = released {
            self.one(to, &reply.as_event(), sink);
        }
    }
}

impl<S> Host for Bare<S>
where
    S: for<'a> FnMut(Option<&Record>, &Event<'a>, At, &'a Policy) -> Stepped<'a>,
{
    fn handle(&mut self, event: &Event<'_>, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        self.now = self.now.max(now);
        match event.subscriber() {
            Some(to) => self.one(to, event, sink),
            None => {
                for to in self.records.keys().copied().collect::<Vec<_>>() {
                    self.one(to, event, sink);
                }
            }
        }
    }

    fn poll(&mut self, now: Millis, sink: &mut dyn FnMut(Effect<'_>)) {
        self.now = self.now.max(now);
        let due = self.records.values().filter(|record| record.deadline() <= self.now);
        for to in due.map(Record::subscriber).collect::<Vec<_>>() {
            self.one(to, &Event::Tick, sink);
        }
    }

    fn records(&self) -> usize {
        self.records.len()
    }

    fn crash(&mut self) -> bool {
        true
    }
}
