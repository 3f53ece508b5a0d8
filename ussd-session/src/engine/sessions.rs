//! Slots, index, wheel and tombstones, and one event through all of them.

use std::{collections::BTreeMap, hint::black_box, time::Duration};

use super::{
    Config, Counters, Effect, Gauges, Saved, Sink,
    codes::Codes,
    gauges::Census,
    index::{Index, Key},
    prompts::Prompts,
    saved::SavedReply,
    slots::{NONE, Slots},
    sweeps::{Sweeps, Swept},
    tombstones::Tombstones,
    wheel::Wheel,
};
use crate::{
    action::{Action, Actions, Callback, Frame, FrameKind, Ignored, Next, Reject, Subject},
    event::{At, Event, Verb},
    ids::{LinkId, NetId, SessionId, SessionIds, TurnToken},
    policy::Policy,
    record::{Core, Record, Rest, State},
    step::{step, step_in_place},
    text::Text,
    time::Millis,
};

/// The sessions of an engine.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) slots: Slots,
    pub(super) index: Index,
    codes: Codes,
    prompts: Prompts,
    pub(super) wheel: Wheel,
    pub(super) tombstones: Tombstones,
    sweeps: Sweeps,
    ids: Option<SessionIds>,
    pub(super) now: Millis,
    /// Who is in which state.
    pub(super) census: Census,
    /// Replies that wait for a link, by slot.
    held: BTreeMap<u32, Held>,
    pub(super) counters: Counters,
}

/// Where a session probably is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    hash: u64,
    slot: u32,
}

/// A reply that waits for its link.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) verb: Verb,
    pub(super) text: String,
    pub(super) secret: bool,
    pub(super) expects_secret: bool,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            slots: Slots::default(),
            index: Index::default(),
            codes: Codes::default(),
            prompts: Prompts::default(),
            wheel: Wheel::new(),
            tombstones: Tombstones::default(),
            sweeps: Sweeps::default(),
            ids: None,
            now: Millis(0),
            census: Census::default(),
            held: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// Takes the time; it never goes back.
    pub(super) fn clock(&mut self, now: Millis) {
        self.now = self.now.max(now);
        self.wheel.skip_to(self.now);
    }

    /// The next session that is due.
    pub(super) fn due(&mut self, budget: &mut usize) -> Option<(u32, Key)> {
        let slot = self.wheel.due(&mut self.slots, self.now, budget)?;
        let core = self.slots.core(slot)?;
        Some((slot, key_of(core)))
    }

    /// True if something may be due, or a sweep is under way.
    pub(super) fn is_behind(&self) -> bool {
        !self.sweeps.is_empty() || self.wheel.is_behind(self.now)
    }

    /// When there is something to be done.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        if self.sweeps.is_empty() { self.wheel.next() } else { Some(self.now) }
    }

    /// How things stand.
    pub(super) fn gauges(&self) -> Gauges {
        let behind = self.wheel.next().map_or(Duration::ZERO, |next| self.now.since(next));
        Gauges { behind, unvisited: self.sweeps.left(), ..self.census.gauges() }
    }

    pub(super) fn find(&self, key: Key) -> Option<u32> {
        self.find_hashed(self.index.hash(key), key)
    }

    fn find_hashed(&self, hash: u64, key: Key) -> Option<u32> {
        self.index.find(hash, |slot| {
            // Where its prompt is kept is read meanwhile, so that the waits for memory overlap.
            black_box(self.prompts.touch(slot));
            self.is_of(slot, key)
        })
    }

    /// Reads what these events will need, so that the waits for memory overlap; where their sessions are.
    ///
    /// Each loop does one thing: the fewer instructions lie between two waits, the more of them a core has under way.
    pub(super) fn touch<const N: usize>(&self, events: &[(LinkId, Event<'_>)]) -> [Hint; N] {
        let mut hints = [Hint { hash: 0, slot: NONE }; N];
        for ((link, event), hint) in events.iter().zip(&mut hints) {
            if let Some(subscriber) = event.subscriber() {
                hint.hash = self.index.hash((*link, subscriber));
            }
        }
        let (used, _) = hints.split_at_mut(events.len().min(N));
        black_box(used.iter().fold(0, |all, hint| all ^ self.index.touch(hint.hash)));
        for hint in &mut *used {
            hint.slot = self.index.find(hint.hash, |_| true).unwrap_or(NONE);
        }
        black_box(used.iter().fold(0, |all, hint| all ^ self.slots.touch(hint.slot)));
        black_box(used.iter().fold(0, |all, hint| all ^ self.prompts.touch(hint.slot)));
        hints
    }

    /// The same as `find`, for a phone whose place was looked up before; what happened since may have changed it.
    pub(super) fn find_near(&self, Hint { hash, slot }: Hint, key: Key) -> Option<u32> {
        if self.is_of(slot, key) { Some(slot) } else { self.find_hashed(hash, key) }
    }

    /// True if this phone's session is in that slot.
    fn is_of(&self, slot: u32, key: Key) -> bool {
        self.slots.core(slot).is_some_and(|core| key_of(core) == key)
    }

    /// Begins what concerns many sessions; [`Sessions::sweep`] goes on with it.
    pub(super) fn begin_sweep(&mut self, swept: Swept) {
        self.sweeps.begin(swept, self.now, self.slots.end());
    }

    /// Visits slots while the budget lasts.
    pub(super) fn sweep(&mut self, config: &Config, budget: &mut usize, sink: &mut impl Sink) {
        while *budget > 0 {
            let Some(slot) = self.sweeps.visit() else { return };
            *budget -= 1;
            self.catch_up(config, slot, sink);
        }
    }

    /// Brings a session the news that it has not had.
    fn catch_up(&mut self, config: &Config, slot: u32, sink: &mut impl Sink) {
        let Some(core) = self.slots.core(slot) else { return };
        let key = key_of(core);
        for (swept, at) in self.sweeps.catch_up(slot, core.link) {
            if let Some(event) = self.slots.core(slot).and_then(|core| swept.event(core)) {
                self.apply_at(config, key, Some(slot), &event, at, sink);
            }
        }
    }

    /// Steps one session, after the news that it has not had.
    pub(super) fn apply(
        &mut self,
        config: &Config,
        key: Key,
        mut slot: Option<u32>,
        event: &Event<'_>,
        sink: &mut impl Sink,
    ) {
        if let Some(known) = slot.filter(|_| !self.sweeps.is_empty()) {
            self.catch_up(config, known, sink);
            slot = self.find(key);
        }
        self.apply_at(config, key, slot, event, self.now, sink);
    }

    /// Steps one session: decides, makes the record good, then lets the effects out.
    fn apply_at(
        &mut self,
        config: &Config,
        key: Key,
        slot: Option<u32>,
        event: &Event<'_>,
        now: Millis,
        sink: &mut impl Sink,
    ) {
        let (link, subscriber) = key;
        let fresh = self.ids.get_or_insert_with(|| config.ids(now)).peek();
        let (policy, at) = (config.policy_of(link), At { link, now, fresh });
        if self.census.live() >= config.max_live && self.is_too_many(slot, event, at, policy) {
            for action in overload(event, policy) {
                self.counters.count(&action);
                sink.accept(Effect { link, subscriber, dialled: "", action });
            }
            return;
        }
        let mut out = Actions::new();
        let (mut over, mut code) = (false, NONE);
        let slot = match slot {
            Some(index) => {
                let Some((place, beside)) = self.slots.both_mut(index) else { return };
                let Some(was) = place.core.as_ref().map(|core| (core.state, core.session)) else { return };
                step_in_place(&mut place.core, &mut beside.rest, event, at, policy, &mut out);
                code = place.code;
                match &place.core {
                    // A session that goes on, as most do.
                    Some(core) if core.is_open() && was.0.is_open() && was.1 == core.session => {
                        self.census.moves(Some(was.0), Some(core.state));
                        self.wheel.arm(&mut place.marks, index, core.first_deadline(&beside.rest));
                        Some(index)
                    }
                    _ => {
                        over = true;
                        self.commit(index, key, was, fresh)
                    }
                }
            }
            None => {
                let (mut core, mut rest) = (None, Rest::default());
                step_in_place(&mut core, &mut rest, event, at, policy, &mut out);
                core.map(|core| self.insert(core, rest))
            }
        };
        let mut released = None;
        for action in out.iter_mut() {
            match &*action {
                Action::Send(frame) => {
                    self.counters.frames += 1;
                    if let (FrameKind::Prompt, Some(slot)) = (frame.kind, slot) {
                        self.keep_prompt(slot, frame.text, policy.resend);
                    }
                }
                Action::Call(Callback::Existing { .. }) => self.counters.turns += 1,
                Action::Hold { verb, text, .. } => {
                    self.hold(slot, *verb, *text);
                    continue;
                }
                Action::Release { token } => {
                    released = Some(*token);
                    continue;
                }
                Action::Again { token, net } => {
                    let secret = slot.and_then(|slot| self.slots.core(slot)).is_some_and(|core| core.has(Core::SECRET));
                    let action = again(slot.and_then(|slot| self.prompts.get(slot)), secret, *token, net);
                    self.counters.count(&action);
                    sink.accept(Effect { link, subscriber, dialled: self.codes.text(code), action });
                    continue;
                }
                other => {
                    self.counters.count(other);
                    code = self.opened(slot, other).unwrap_or(code);
                }
            }
            let dialled = self.codes.text(code);
            // Moved as a whole: to take it out of its place would be to look at it in pieces.
            let action = std::mem::replace(action, Action::Ignored(Ignored::OutOfPlace));
            sink.accept(Effect { link, subscriber, dialled, action });
        }
        if over {
            self.tidy(config, slot);
        }
        if let Some(token) = released {
            self.release(config, key, slot, token, now, sink);
        }
    }

    /// Whether the event would open a session: that is tried on a copy.
    fn is_too_many(&self, slot: Option<u32>, event: &Event<'_>, at: At, policy: &Policy) -> bool {
        if slot.and_then(|slot| self.slots.core(slot)).is_some_and(Core::is_open) {
            return false;
        }
        let record = slot.and_then(|slot| self.slots.record(slot));
        let next = step(record.as_ref(), event, at, policy, &mut Actions::new());
        matches!(&next, Next::Put(record) if record.session() == at.fresh)
    }

    /// Makes good what hangs on a record that was stepped: index, wheel, tombstones, counts. None if it is gone.
    fn commit(&mut self, slot: u32, key: Key, was: (State, SessionId), fresh: SessionId) -> Option<u32> {
        let (place, beside) = self.slots.both_mut(slot)?;
        let was_open = was.0.is_open();
        self.census.moves(Some(was.0), place.core.as_ref().map(|core| core.state));
        let Some(core) = &place.core else {
            self.remove(slot, key, !was_open);
            return None;
        };
        let (open, session) = (core.is_open(), core.session);
        self.wheel.arm(&mut place.marks, slot, core.first_deadline(&beside.rest));
        if session == fresh
            && let Some(ids) = &mut self.ids
        {
            ids.fresh();
        }
        if was.1 != session {
            self.prompts.forget(slot);
        }
        match (was_open, open) {
            (false, true) => self.tombstones.unlink(&mut self.slots, slot),
            (true, false) => self.tombstones.push(&mut self.slots, slot),
            _ => {}
        }
        Some(slot)
    }

    /// Takes in a session that is not known yet.
    fn insert(&mut self, core: Core, rest: Rest) -> u32 {
        if let Some(ids) = self.ids.as_mut().filter(|ids| ids.peek() == core.session) {
            ids.fresh();
        }
        let (key, open, deadline) = (key_of(&core), core.is_open(), core.first_deadline(&rest));
        self.census.moves(None, Some(core.state));
        let slot = self.slots.insert(core, rest);
        self.index.insert(self.index.hash(key), slot);
        if !open {
            self.tombstones.push(&mut self.slots, slot);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            self.wheel.enter(&mut place.marks, slot, deadline);
        }
        // News from before the session does not concern it.
        if !self.sweeps.is_empty() {
            self.sweeps.skip(slot);
        }
        slot
    }

    /// Gives back the slot of this phone; `dead` if it stands among the tombstones.
    fn remove(&mut self, slot: u32, key: Key, dead: bool) {
        if let Some(place) = self.slots.get_mut(slot) {
            self.wheel.leave(&mut place.marks, slot);
        }
        self.index.remove(self.index.hash(key), slot);
        if dead {
            self.tombstones.unlink(&mut self.slots, slot);
        }
        self.forget(slot);
        self.slots.remove(slot);
    }

    /// Frees what a session that ended no longer needs, and forgets the oldest tombstones over the limit.
    fn tidy(&mut self, config: &Config, slot: Option<u32>) {
        if let Some(slot) = slot
            && !self.slots.core(slot).is_some_and(Core::is_open)
        {
            self.forget(slot);
        }
        while self.tombstones.len() > config.max_closed {
            let Some(oldest) = self.tombstones.oldest() else { return };
            let Some(core) = self.slots.core(oldest) else { return };
            let key = key_of(core);
            self.census.moves(Some(core.state), None);
            self.remove(oldest, key, true);
            self.counters.forgotten += 1;
        }
    }

    /// Keeps the code of a session that opens; its number.
    fn opened(&mut self, slot: Option<u32>, action: &Action<'_>) -> Option<u32> {
        match action {
            Action::Call(Callback::New { dialled, .. }) => Some(self.keep_code(slot?, dialled)),
            Action::Pushed { .. } => Some(self.keep_code(slot?, "")),
            _ => None,
        }
    }

    /// Writes a session down.
    pub(super) fn save(&self, slot: u32) -> Option<Saved> {
        let mut record = self.slots.record(slot)?;
        let held: Option<SavedReply> = self.held.get(&slot).and_then(Into::into);
        if held.is_none() {
            record.core.set(Core::HELD, false);
        }
        let code = self.slots.get(slot).map_or(NONE, |place| place.code);
        let prompt = self.prompts.get(slot).map(str::to_owned);
        Some(Saved { record, dialled: self.codes.text(code).to_owned(), prompt, held })
    }

    /// Takes in a session that was written down, unless its phone has one, or there is no room at all.
    pub(super) fn take_in(&mut self, config: &Config, saved: Saved) {
        let (now, Record { core, rest }) = (self.now, saved.record);
        self.ids.get_or_insert_with(|| config.ids(now)).pass(core.session);
        let full = core.is_open() && self.census.live() >= Config::MOST;
        if full || self.find(key_of(&core)).is_some() {
            return;
        }
        let slot = self.insert(core, rest);
        self.counters.restored += u64::from(core.is_open());
        if core.is_open() {
            self.keep_code(slot, &saved.dialled);
            if let Some(prompt) = saved.prompt {
                self.prompts.keep(slot, &prompt);
            }
            if let Some(SavedReply { verb, text, expects_secret }) = saved.held {
                self.held.insert(slot, Held { verb, text, secret: false, expects_secret });
            }
        }
        self.tidy(config, Some(slot));
    }

    /// Frees what is kept beside an open session.
    fn forget(&mut self, slot: u32) {
        self.keep_code(slot, "");
        self.prompts.forget(slot);
        self.held.remove(&slot);
    }

    /// Keeps a prompt, if policy wants it and it is no secret; only forgets the one before otherwise.
    fn keep_prompt(&mut self, slot: u32, text: Text<'_>, keep: bool) {
        if keep && !text.is_secret() {
            self.prompts.keep(slot, text.as_str());
        } else {
            self.prompts.forget(slot);
        }
    }

    /// Keeps the code that a session was opened with; its number.
    fn keep_code(&mut self, slot: u32, dialled: &str) -> u32 {
        let code = self.codes.take(dialled);
        if let Some(place) = self.slots.get_mut(slot) {
            self.codes.give_back(std::mem::replace(&mut place.code, code));
        }
        code
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
        key: Key,
        slot: Option<u32>,
        token: TurnToken,
        now: Millis,
        sink: &mut impl Sink,
    ) {
        let Some(held) = slot.and_then(|slot| self.held.remove(&slot)) else { return };
        let text = if held.secret { Text::secret(&held.text) } else { Text::public(&held.text) };
        let text = text.asking_for_secret(held.expects_secret);
        self.apply_at(config, key, slot, &Event::Reply { to: key.1, token, verb: held.verb, text }, now, sink);
    }
}

/// What names the session.
fn key_of(core: &Core) -> Key {
    (core.link, core.subscriber)
}

/// What a session too many is answered.
pub(crate) fn overload<'a>(event: &Event<'_>, policy: &'a Policy) -> Vec<Action<'a>> {
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

/// The last prompt as a frame, if it was kept.
fn again<'a>(prompt: Option<&'a str>, expects_secret: bool, token: TurnToken, net: &NetId) -> Action<'a> {
    match prompt.map(Text::public) {
        Some(text) => {
            let text = text.asking_for_secret(expects_secret);
            Action::Send(Frame { kind: FrameKind::Prompt, net: net.clone(), token: Some(token), text, again: true })
        }
        None => Action::Ignored(Ignored::NothingToRepeat),
    }
}
