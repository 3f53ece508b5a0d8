//! Slots, index, wheel and tombstones, and one event through all of them.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use compact_str::CompactString;
use hashbrown::{HashTable, hash_table::Entry};

use super::{
    Config, Counters, Effect, Sink,
    slots::{Slot, Slots},
    tombstones::Tombstones,
    wheel::Wheel,
};
use crate::{
    action::{Action, Actions, Callback, Frame, FrameKind, Ignored, Next, Reject, Subject},
    event::{At, Event, Verb},
    ids::{LinkId, NetId, SessionIds, TurnToken},
    policy::Policy,
    record::Record,
    step::step,
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// The sessions of an engine.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) slots: Slots,
    /// Slots by link and subscriber. The hash is seeded, because peers choose the numbers.
    index: HashTable<u32>,
    hasher: RandomState,
    pub(super) wheel: Wheel,
    pub(super) tombstones: Tombstones,
    ids: Option<SessionIds>,
    now: Millis,
    pub(super) live: usize,
    /// Replies that wait for a link, by slot.
    held: HashMap<u32, Held>,
    /// Buffers of prompts no longer needed.
    spare: Vec<String>,
    pub(super) counters: Counters,
}

/// A reply that waits for its link.
#[derive(Debug)]
struct Held {
    verb: Verb,
    text: String,
    secret: bool,
    expects_secret: bool,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            slots: Slots::default(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            wheel: Wheel::new(),
            tombstones: Tombstones::default(),
            ids: None,
            now: Millis(0),
            live: 0,
            held: HashMap::new(),
            spare: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Takes the time; it never goes back.
    pub(super) fn clock(&mut self, now: Millis) {
        self.now = self.now.max(now);
        self.wheel.skip_to(self.now);
    }

    /// The next session that is due.
    pub(super) fn due(&mut self, budget: &mut usize) -> Option<(u32, LinkId, Subscriber)> {
        let slot = self.wheel.due(&mut self.slots, self.now, budget)?;
        let record = self.slots.record(slot)?;
        Some((slot, record.link(), record.subscriber()))
    }

    pub(super) fn is_behind(&self) -> bool {
        self.wheel.is_behind(self.now)
    }

    pub(super) fn find(&self, link: LinkId, subscriber: Subscriber) -> Option<u32> {
        let hash = self.hasher.hash_one((link, subscriber));
        self.index.find(hash, |slot| is_of(&self.slots, *slot, link, subscriber)).copied()
    }

    /// Steps one session: decides, makes the record good, then lets the effects out.
    pub(super) fn apply(
        &mut self,
        config: &Config,
        link: LinkId,
        to: Subscriber,
        slot: Option<u32>,
        event: &Event<'_>,
        sink: &mut impl Sink,
    ) {
        let now = self.now;
        let fresh = self.ids.get_or_insert_with(|| SessionIds::new(config.node, now)).peek();
        let policy = config.policy_of(link);
        let record = slot.and_then(|slot| self.slots.record(slot));
        let was_open = record.is_some_and(Record::is_open);
        let mut out = Actions::new();
        let next = step(record, event, At { link, now, fresh }, policy, &mut out);
        let opens = matches!(&next, Next::Put(record) if record.session() == fresh);
        if opens && !was_open && self.live >= config.max_live {
            let refusals = overload(event, policy);
            for action in refusals {
                self.counters.count(&action);
                sink.accept(Effect { link, subscriber: to, dialled: "", action });
            }
            return;
        }
        if opens && let Some(ids) = &mut self.ids {
            ids.fresh();
        }
        let resend = policy.resend;
        let slot = self.commit(slot, next);
        let mut released = None;
        for action in out.drain() {
            match &action {
                Action::Hold { verb, text, .. } => {
                    self.hold(slot, *verb, *text);
                    continue;
                }
                Action::Release { token } => {
                    released = Some(*token);
                    continue;
                }
                _ => {}
            }
            let Some(place) = slot.and_then(|slot| self.slots.get_mut(slot)) else {
                self.counters.count(&action);
                sink.accept(Effect { link, subscriber: to, dialled: "", action });
                continue;
            };
            remember(place, &action, resend, &mut self.spare);
            let action = match action {
                Action::Again { token, net } => again(place.prompt.as_deref(), token, net),
                action => action,
            };
            self.counters.count(&action);
            sink.accept(Effect { link, subscriber: to, dialled: &place.dialled, action });
        }
        self.tidy(config, slot);
        if let Some(token) = released {
            self.release(config, link, to, slot, token, sink);
        }
    }

    /// Makes the next record good: slot, index, wheel, tombstones, counts.
    fn commit(&mut self, slot: Option<u32>, next: Next) -> Option<u32> {
        let old = slot.and_then(|slot| self.slots.record(slot)).map(Record::is_open);
        match (slot, next) {
            (slot, Next::Keep) => {
                // A due entry has left the wheel before its tick.
                if let Some(slot) = slot
                    && let Some(deadline) = self.slots.record(slot).map(Record::deadline)
                {
                    self.wheel.arm(&mut self.slots, slot, deadline);
                }
                slot
            }
            (None, Next::Delete) => None,
            (Some(slot), Next::Delete) => {
                self.count_live(old, None);
                self.remove(slot);
                None
            }
            (slot, Next::Put(record)) => {
                let (open, deadline) = (record.is_open(), record.deadline());
                self.count_live(old, Some(open));
                let slot = self.put(slot, record);
                match (old, open) {
                    (Some(false), true) => self.tombstones.unlink(&mut self.slots, slot),
                    (None | Some(true), false) => self.tombstones.push(&mut self.slots, slot),
                    _ => {}
                }
                self.wheel.arm(&mut self.slots, slot, deadline);
                Some(slot)
            }
        }
    }

    fn count_live(&mut self, old: Option<bool>, new: Option<bool>) {
        self.live += usize::from(new == Some(true));
        self.live -= usize::from(old == Some(true)).min(self.live);
    }

    fn put(&mut self, slot: Option<u32>, record: Record) -> u32 {
        if let Some(slot) = slot
            && let Some(place) = self.slots.get_mut(slot)
        {
            if place.record.as_ref().is_some_and(|old| old.session() != record.session()) {
                self.spare.extend(place.prompt.take().filter(|_| self.spare.len() < SPARE));
            }
            place.record = Some(record);
            return slot;
        }
        let (link, subscriber) = (record.link(), record.subscriber());
        let slot = self.slots.insert(record);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash =
            |slot: &u32| slots.record(*slot).map_or(0, |record| hasher.hash_one((record.link(), record.subscriber())));
        self.index.insert_unique(hasher.hash_one((link, subscriber)), slot, hash);
        slot
    }

    fn remove(&mut self, slot: u32) {
        self.wheel.disarm(&mut self.slots, slot);
        let Some(record) = self.slots.record(slot) else { return };
        let (key, open) = ((record.link(), record.subscriber()), record.is_open());
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash =
            |slot: &u32| slots.record(*slot).map_or(0, |record| hasher.hash_one((record.link(), record.subscriber())));
        if let Entry::Occupied(entry) = self.index.entry(hasher.hash_one(key), |other| *other == slot, hash) {
            entry.remove();
        }
        if !open {
            self.tombstones.unlink(&mut self.slots, slot);
        }
        self.slots.remove(slot);
    }

    /// Frees what a session that ended no longer needs, and forgets the oldest tombstones over the limit.
    fn tidy(&mut self, config: &Config, slot: Option<u32>) {
        if let Some(slot) = slot
            && let Some(place) = self.slots.get_mut(slot)
            && !place.record.as_ref().is_some_and(Record::is_open)
        {
            place.dialled = CompactString::const_new("");
            self.spare.extend(place.prompt.take().filter(|_| self.spare.len() < SPARE));
            self.held.remove(&slot);
        }
        while self.tombstones.len() > config.max_closed {
            let Some(oldest) = self.tombstones.oldest() else { return };
            self.remove(oldest);
            self.counters.forgotten += 1;
        }
    }

    fn hold(&mut self, slot: Option<u32>, verb: Verb, text: Text<'_>) {
        if let Some(slot) = slot {
            let (secret, expects_secret) = (text.is_secret(), text.expects_secret());
            self.held.insert(slot, Held { verb, text: text.as_str().to_owned(), secret, expects_secret });
        }
    }

    fn release(
        &mut self,
        config: &Config,
        link: LinkId,
        to: Subscriber,
        slot: Option<u32>,
        token: TurnToken,
        sink: &mut impl Sink,
    ) {
        let Some(held) = slot.and_then(|slot| self.held.remove(&slot)) else { return };
        let text = if held.secret { Text::secret(&held.text) } else { Text::public(&held.text) };
        let text = if held.expects_secret { text.expecting_secret() } else { text };
        self.apply(config, link, to, slot, &Event::Reply { to, token, verb: held.verb, text }, sink);
    }
}

/// Buffers kept for prompts to come.
const SPARE: usize = 1024;

fn is_of(slots: &Slots, slot: u32, link: LinkId, subscriber: Subscriber) -> bool {
    slots.record(slot).is_some_and(|record| record.subscriber() == subscriber && record.link() == link)
}

/// What a session too many is answered.
fn overload<'a>(event: &Event<'_>, policy: &'a Policy) -> Vec<Action<'a>> {
    let net = match event {
        Event::Begin { net, .. } | Event::Answer { net, .. } => net.clone(),
        Event::Push { correlation, .. } => {
            return vec![Action::Reject { subject: Subject::Push(*correlation), why: Reject::Busy }];
        }
        _ => return Vec::new(),
    };
    let text = Text::public(&policy.busy);
    let frame = Frame { kind: FrameKind::Final, net, token: None, text, again: false };
    vec![Action::Send(frame), Action::Ignored(Ignored::Overload)]
}

/// Keeps beside the record what later actions need: the code, the last prompt.
fn remember(place: &mut Slot, action: &Action<'_>, resend: bool, spare: &mut Vec<String>) {
    match action {
        Action::Call(Callback::New { dialled, .. }) => place.dialled = CompactString::new(dialled),
        Action::Pushed { .. } => place.dialled = CompactString::const_new(""),
        Action::Send(Frame { kind: FrameKind::Prompt, text, .. }) if resend && !text.is_secret() => {
            let prompt = place.prompt.get_or_insert_with(|| spare.pop().unwrap_or_default());
            prompt.clear();
            prompt.push_str(text.as_str());
        }
        Action::Send(Frame { kind: FrameKind::Prompt, .. }) => place.prompt = None,
        _ => {}
    }
}

/// The last prompt as a frame, if it was kept.
fn again(prompt: Option<&str>, token: TurnToken, net: NetId) -> Action<'_> {
    match prompt.map(Text::public) {
        Some(text) => Action::Send(Frame { kind: FrameKind::Prompt, net, token: Some(token), text, again: true }),
        None => Action::Ignored(Ignored::NothingToRepeat),
    }
}
