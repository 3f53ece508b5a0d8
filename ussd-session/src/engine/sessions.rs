//! Slots, index, wheel and tombstones, and one event through all of them.

use std::{collections::HashMap, hash::BuildHasher};

use compact_str::CompactString;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Config, Counters, Effect, Sink, slots::Slots, tombstones::Tombstones, wheel::Wheel};
use crate::{
    action::{Action, Actions, Callback, Frame, FrameKind, Ignored, Next, Reject, Subject},
    event::{At, Event, Verb},
    ids::{LinkId, NetId, SessionId, SessionIds, TurnToken},
    policy::Policy,
    record::Record,
    step::{step, step_in_place},
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
    hasher: DefaultHashBuilder,
    pub(super) wheel: Wheel,
    pub(super) tombstones: Tombstones,
    ids: Option<SessionIds>,
    now: Millis,
    pub(super) live: usize,
    /// Replies that wait for a link, by slot.
    held: HashMap<u32, Held>,
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
            hasher: DefaultHashBuilder::default(),
            wheel: Wheel::new(),
            tombstones: Tombstones::default(),
            ids: None,
            now: Millis(0),
            live: 0,
            held: HashMap::new(),
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
        let (policy, at) = (config.policy_of(link), At { link, now, fresh });
        let mut absent = None;
        let record = slot.and_then(|slot| self.slots.get_mut(slot)).map_or(&mut absent, |place| &mut place.record);
        let was = record.as_ref().map(|record| (record.is_open(), record.session()));
        if self.live >= config.max_live && was.is_none_or(|(open, _)| !open) {
            // The event may open a session too many: that is tried on a copy.
            let next = step(record.as_ref(), event, at, policy, &mut Actions::new());
            if matches!(&next, Next::Put(record) if record.session() == fresh) {
                for action in overload(event, policy) {
                    self.counters.count(&action);
                    sink.accept(Effect { link, subscriber: to, dialled: "", action });
                }
                return;
            }
        }
        let mut out = Actions::new();
        let changed = step_in_place(record, event, at, policy, &mut out);
        if let Some(ids) = self.ids.as_mut().filter(|_| record.as_ref().is_some_and(|record| record.session() == fresh))
        {
            ids.fresh();
        }
        let slot = match slot {
            Some(slot) => self.commit(slot, (link, to), was, changed),
            None => absent.map(|record| self.insert(record)),
        };
        let resend = policy.resend;
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
            let Some(slot) = slot else {
                self.counters.count(&action);
                sink.accept(Effect { link, subscriber: to, dialled: "", action });
                continue;
            };
            remember(&mut self.slots, slot, &action, resend);
            let action = match action {
                Action::Again { token, net } => again(self.slots.prompt(slot), token, net),
                action => action,
            };
            self.counters.count(&action);
            let dialled = self.slots.get(slot).map_or("", |place| place.dialled.as_str());
            sink.accept(Effect { link, subscriber: to, dialled, action });
        }
        self.tidy(config, slot);
        if let Some(token) = released {
            self.release(config, link, to, slot, token, sink);
        }
    }

    /// Makes good what hangs on a record that was stepped: index, wheel, tombstones, counts. None if it is gone.
    fn commit(
        &mut self,
        slot: u32,
        key: (LinkId, Subscriber),
        was: Option<(bool, SessionId)>,
        changed: bool,
    ) -> Option<u32> {
        let place = self.slots.get_mut(slot)?;
        let (was_open, session) = was.map_or((false, None), |(open, session)| (open, Some(session)));
        let Some(record) = &place.record else {
            self.live -= usize::from(was_open);
            self.remove(slot, key, !was_open);
            return None;
        };
        let (open, deadline) = (record.is_open(), record.deadline());
        if changed {
            if session != Some(record.session()) {
                self.slots.drop_prompt(slot);
            }
            match (was_open, open) {
                (false, true) => {
                    self.live += 1;
                    self.tombstones.unlink(&mut self.slots, slot);
                }
                (true, false) => {
                    self.live -= 1;
                    self.tombstones.push(&mut self.slots, slot);
                }
                _ => {}
            }
        }
        // A due entry has left the wheel, perhaps before its time.
        self.wheel.arm(&mut self.slots, slot, deadline);
        Some(slot)
    }

    fn insert(&mut self, record: Record) -> u32 {
        let (link, subscriber) = (record.link(), record.subscriber());
        let (open, deadline) = (record.is_open(), record.deadline());
        let slot = self.slots.insert(record);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash =
            |slot: &u32| slots.record(*slot).map_or(0, |record| hasher.hash_one((record.link(), record.subscriber())));
        self.index.insert_unique(hasher.hash_one((link, subscriber)), slot, hash);
        if open {
            self.live += 1;
        } else {
            self.tombstones.push(&mut self.slots, slot);
        }
        self.wheel.arm(&mut self.slots, slot, deadline);
        slot
    }

    /// Gives back the slot of this phone; `dead` if it stands among the tombstones.
    fn remove(&mut self, slot: u32, (link, subscriber): (LinkId, Subscriber), dead: bool) {
        self.wheel.disarm(&mut self.slots, slot);
        let hash = self.hasher.hash_one((link, subscriber));
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
        if dead {
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
            self.slots.drop_prompt(slot);
            self.held.remove(&slot);
        }
        while self.tombstones.len() > config.max_closed {
            let Some(oldest) = self.tombstones.oldest() else { return };
            let Some(record) = self.slots.record(oldest) else { return };
            self.remove(oldest, (record.link(), record.subscriber()), true);
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
fn remember(slots: &mut Slots, slot: u32, action: &Action<'_>, resend: bool) {
    let dialled = match action {
        Action::Call(Callback::New { dialled, .. }) => CompactString::new(dialled),
        Action::Pushed { .. } => CompactString::const_new(""),
        Action::Send(Frame { kind: FrameKind::Prompt, text, .. }) if resend && !text.is_secret() => {
            return slots.keep_prompt(slot, text.as_str());
        }
        Action::Send(Frame { kind: FrameKind::Prompt, .. }) => return slots.drop_prompt(slot),
        _ => return,
    };
    if let Some(place) = slots.get_mut(slot) {
        place.dialled = dialled;
    }
}

/// The last prompt as a frame, if it was kept.
fn again(prompt: Option<&str>, token: TurnToken, net: NetId) -> Action<'_> {
    match prompt.map(Text::public) {
        Some(text) => Action::Send(Frame { kind: FrameKind::Prompt, net, token: Some(token), text, again: true }),
        None => Action::Ignored(Ignored::NothingToRepeat),
    }
}
