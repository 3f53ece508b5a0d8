//! What is kept of one session, and what an event makes of it: pure, and the same on every machine.

use std::{fmt, mem};

use super::{
    Foreign, Key,
    aside::{Aside, Beside, Earlier},
    parts::Parts,
};
use crate::{
    action::{Action, Actions, Callback, CloseReason, Frame, FrameKind, Ignored, Next},
    engine::Effect,
    event::{At, Event, Phase, Verb},
    fit::Alphabet,
    ids::{NetId, SessionId, TurnToken, fingerprint},
    owned::{OwnedEffect, OwnedEvent},
    policy::{Policy, Resume},
    record::{Record, State},
    screens::{
        Passed, Resumed,
        flow::{self, Said},
        shown::Kept,
    },
    step::step,
    text::Text,
    time::Millis,
};

/// A record, and what its host keeps beside it.
#[derive(Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) record: Record,
    /// The code as dialled.
    pub(super) dialled: String,
    /// The last prompt, if it is to be sent again.
    pub(super) prompt: Option<String>,
    /// A reply that waits for its link.
    pub(super) held: Option<Held>,
    /// What the application keeps, in its own words.
    pub(super) app: Vec<u8>,
    /// What is kept for the screens of the phone; none if nothing is.
    pub(super) aside: Option<Box<Aside>>,
}

/// A reply that waits for its link. Never a secret: that would be kept where others may read it.
#[derive(Clone, PartialEq)]
pub(super) struct Held {
    pub(super) verb: Verb,
    pub(super) text: String,
    pub(super) expects_secret: bool,
}

/// What an event makes of a cell.
pub(super) struct Advance {
    /// What is kept now; none if nothing is.
    pub(super) cell: Option<Cell>,
    /// False if that is what was kept before.
    pub(super) changed: bool,
    /// What is to be done, once that is written.
    pub(super) effects: Vec<OwnedEffect>,
    /// The effects for those who count, if the screens have changed what is to be done.
    pub(super) observed: Option<Vec<OwnedEffect>>,
    /// What the application kept before the event, for its callbacks.
    pub(super) app: Vec<u8>,
    /// The earlier session that the callback among the effects goes on with.
    pub(super) resumed: Option<Resumed<Vec<u8>>>,
    /// How the text of the event is written, if it was fitted.
    pub(super) alphabet: Option<Alphabet>,
    /// What lies beside the record, while this goes on.
    aside: Aside,
    /// The record that was forgotten.
    forgotten: Option<Record>,
}

/// Where and by which rules an event happens to a cell.
#[derive(Clone, Copy)]
pub(super) struct Scene<'p> {
    pub(super) key: Key,
    pub(super) at: At,
    pub(super) policy: &'p Policy,
    /// Octets that sessions which wait to be resumed may take.
    pub(super) parking: usize,
}

/// Steps a cell. Replies that were held are handed in again within the same step, and so are pages that were turned,
/// so that a machine lost in between loses nothing.
pub(super) fn advance(mut cell: Option<Cell>, event: &Event<'_>, scene: Scene<'_>) -> Advance {
    let app = cell.as_ref().map(|cell| cell.app.clone()).unwrap_or_default();
    let aside = cell.as_mut().and_then(|cell| cell.aside.take()).map(|aside| *aside).unwrap_or_default();
    let mut advance = Advance {
        cell,
        changed: false,
        effects: Vec::new(),
        observed: None,
        app,
        resumed: None,
        alphabet: None,
        aside,
        forgotten: None,
    };
    let Scene { key, policy, parking, .. } = scene;
    let mut beside = Beside { aside: &mut advance.aside, app: &advance.app, most: parking };
    let record = advance.cell.as_ref().map(|cell| &cell.record);
    let mut next = match flow::reply(&mut beside, policy, key.link, event, record) {
        Ok(Said::AsIs) => advance.one(event, scene),
        Ok(Said::Late) => {
            advance.changed = true;
            advance.one(event, scene)
        }
        Ok(Said::Fitted { event, alphabet }) => {
            advance.alphabet = alphabet;
            advance.one(&event.as_event(), scene)
        }
        Err(why) => {
            if let Some(subject) = event.subject() {
                advance.effects.push(effect(key, "", Action::Reject { subject, why }));
            }
            None
        }
    };
    while let Some(event) = next {
        next = advance.one(&event.as_event(), scene);
    }
    advance.end(scene.at.now);
    advance
}

impl Advance {
    /// One step; what is to be handed in next.
    fn one(&mut self, event: &Event<'_>, scene: Scene<'_>) -> Option<OwnedEvent> {
        let Scene { key, at, policy, .. } = scene;
        let mut out = Actions::new();
        let was = self.cell.take();
        let session = was.as_ref().map(|cell| cell.record.session());
        let stepped = step(was.as_ref().map(|cell| &cell.record), event, at, policy, &mut out);
        self.cell = match (was, stepped) {
            (was, Next::Keep) => was,
            (was, Next::Delete) => {
                self.forget(was, &out);
                None
            }
            (was, Next::Put(record)) => {
                self.changed = true;
                Some(match was {
                    Some(was) => Cell { record, ..was },
                    None => Cell::new(record),
                })
            }
        };
        if let Some(cell) = self.cell.as_mut().filter(|cell| Some(cell.record.session()) != session) {
            cell.prompt = None;
            cell.held = None;
            cell.app.clear();
        }
        let mut next = None;
        for action in out {
            if let Some(cell) = self.cell.as_mut() {
                cell.remember(&action, policy.resend);
            }
            let action = match action {
                Action::Hold { .. } => continue,
                Action::Release { token } => {
                    let held = self.cell.as_mut().and_then(|cell| cell.held.take());
                    next = Some(released(key, token, held));
                    continue;
                }
                Action::Again { token, net } => again(self.cell.as_ref(), token, net),
                action => action,
            };
            let dialled = self.cell.as_ref().map_or("", |cell| cell.dialled.as_str());
            let effect = effect(key, dialled, action);
            next = self.pass(effect, scene).or(next);
        }
        if let Some(cell) = self.cell.as_mut().filter(|cell| !cell.record.is_open()) {
            *cell = Cell::new(cell.record.clone());
        }
        next
    }

    /// Lets an effect pass the screens; what is to be handed in if they answer it.
    fn pass(&mut self, effect: OwnedEffect, scene: Scene<'_>) -> Option<OwnedEvent> {
        let Scene { at, policy, parking, .. } = scene;
        let (mut closing, mut may_differ) = (None, false);
        match effect.as_effect().action {
            Action::Closed(summary) => closing = Some(summary.session),
            Action::Call(_) => may_differ = self.aside.shown.is_some() || policy.resume != Resume::Start,
            _ => {}
        }
        let original = may_differ.then(|| effect.clone());
        let of_cell = self.cell.as_ref().filter(|cell| closing == Some(cell.record.session()));
        let app = of_cell.map_or(&self.app, |cell| &cell.app);
        let mut beside = Beside { aside: &mut self.aside, app, most: parking };
        let (effect, next) = match flow::effect(&mut beside, policy, effect, at.now) {
            Passed::On(effect) => {
                self.goes_on(&effect.as_effect());
                (Some(effect), None)
            }
            Passed::Offered(effect, resumed) => {
                self.keep(resumed.kept.clone());
                self.resumed = Some(*resumed);
                (Some(effect), None)
            }
            Passed::Answered(reply) => (None, Some(reply)),
            Passed::Continued(_, reply, resumed) => {
                self.aside.earlier = Some(Earlier { token: resumed.token, ago: resumed.ago });
                self.keep(resumed.kept);
                (None, Some(reply))
            }
            Passed::Nothing => (None, None),
        };
        self.push(original, effect);
        next
    }

    /// The first call of a session that goes on with an earlier one tells of that.
    fn goes_on(&mut self, effect: &Effect<'_>) {
        let Action::Call(Callback::Existing { .. }) = effect.action else { return };
        let (Some(Earlier { token, ago }), Some((_, shown))) = (self.aside.earlier.take(), &self.aside.shown) else {
            return;
        };
        if let Some(Kept { text, expects_secret, .. }) = shown.screen.clone() {
            self.resumed = Some(Resumed { token, ago, text, expects_secret, kept: self.app.clone() });
        }
    }

    /// The application keeps this of the session from now on.
    fn keep(&mut self, app: Vec<u8>) {
        if let Some(cell) = &mut self.cell {
            cell.app = app;
        }
    }

    /// Notes what is to be done, and what it was before it passed the screens, if that may differ.
    fn push(&mut self, original: Option<OwnedEffect>, effect: Option<OwnedEffect>) {
        let differs = original
            .as_ref()
            .is_some_and(|original| effect.as_ref().is_none_or(|effect| effect.as_effect() != original.as_effect()));
        match &mut self.observed {
            Some(observed) => observed.extend(original.or_else(|| effect.clone())),
            None if differs => self.observed = Some(self.effects.iter().cloned().chain(original).collect()),
            None => {}
        }
        self.effects.extend(effect);
    }

    /// The record is forgotten.
    fn forget(&mut self, cell: Option<Cell>, out: &Actions<'_>) {
        let Some(Cell { record, .. }) = cell else { return };
        let closed = out.iter().find_map(|action| match action {
            Action::Closed(summary) => Some(summary.reason),
            _ => None,
        });
        self.changed |= closed.is_some();
        let reason = match record.state() {
            State::Closed(reason) => reason,
            _ => closed.unwrap_or(CloseReason::Orphan),
        };
        self.forgotten = Some(record.over(reason));
    }

    /// What waits to be resumed outlives the tombstone: where it does, a tombstone that is over keeps its place.
    fn end(&mut self, now: Millis) {
        if let (None, Some(record)) = (&self.cell, self.forgotten.take()) {
            let waits = self.aside.until().is_some_and(|until| until > now);
            self.changed |= !waits;
            self.cell = waits.then(|| Cell::new(record));
        }
        if let Some(cell) = &mut self.cell {
            cell.aside = Some(mem::take(&mut self.aside)).filter(|aside| !aside.is_empty()).map(Box::new);
        }
    }
}

impl Cell {
    fn new(record: Record) -> Self {
        Self { record, dialled: String::new(), prompt: None, held: None, app: Vec::new(), aside: None }
    }

    /// The application keeps this of a session from now on, if the session is open or waits to be resumed, for which
    /// there are `parking` octets; true if it does.
    pub(super) fn keep(&mut self, session: SessionId, app: &[u8], parking: usize) -> bool {
        if self.record.is_open() && self.record.session() == session {
            self.app = app.to_vec();
            return true;
        }
        self.aside.as_mut().is_some_and(|aside| aside.keep(session, app, parking))
    }

    /// A session that another program has begun: a prompt is out, and the user is to answer it from now on.
    pub(super) fn adopted(foreign: Foreign, key: Key, net: &NetId, at: At, policy: &Policy) -> Self {
        let opened = foreign.opened.unwrap_or(at.now).min(at.now);
        let since = u32::try_from(at.now.0.saturating_sub(opened.0)).unwrap_or(u32::MAX);
        let parts = Parts {
            session: at.fresh,
            subscriber: key.subscriber,
            opened,
            code: fingerprint(foreign.dialled.as_bytes()),
            begin_key: None,
            answer_key: None,
            net: net.clone(),
            since,
            begun: 0,
            deadline: since.saturating_add(policy.user_timer),
            total: policy.total_timer,
            grace: None,
            link: key.link,
            turn: 1,
            state: State::UserTurn,
            phase: Phase::Unknown,
            push: None,
            secret: false,
            replaced: false,
            released: false,
            held: false,
        };
        Self { dialled: foreign.dialled, ..Self::new(parts.into()) }
    }

    /// Keeps what later actions need: the code, the last prompt, a reply that waits.
    fn remember(&mut self, action: &Action<'_>, resend: bool) {
        match action {
            Action::Hold { verb, text, .. } => {
                let held = Held { verb: *verb, text: text.as_str().to_owned(), expects_secret: text.expects_secret() };
                self.held = Some(held).filter(|_| !text.is_secret());
            }
            Action::Call(Callback::New { dialled, .. }) => self.dialled = (*dialled).to_owned(),
            Action::Pushed { .. } => self.dialled.clear(),
            Action::Send(Frame { kind: FrameKind::Prompt, text, .. }) => {
                self.prompt = Some(text.as_str().to_owned()).filter(|_| resend && !text.is_secret());
            }
            _ => {}
        }
    }
}

/// Texts may be secrets of the phone's user.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("record", &self.record).finish_non_exhaustive()
    }
}

/// The last prompt as a frame, if it was kept.
fn again(cell: Option<&Cell>, token: TurnToken, net: NetId) -> Action<'_> {
    let Some((cell, prompt)) = cell.and_then(|cell| Some((cell, cell.prompt.as_deref()?))) else {
        return Action::Ignored(Ignored::NothingToRepeat);
    };
    let text = Text::public(prompt).asking_for_secret(cell.record.expects_secret());
    Action::Send(Frame { kind: FrameKind::Prompt, net, token: Some(token), text, again: true })
}

/// The reply that waited for its link, to be handed in again.
fn released(key: Key, token: TurnToken, held: Option<Held>) -> OwnedEvent {
    let to = key.subscriber;
    match held {
        Some(Held { verb, text, expects_secret }) => {
            let text = Text::public(&text).asking_for_secret(expects_secret);
            Event::Reply { to, token, verb, text }.into()
        }
        // It was a secret and nobody kept it. The user is told at once rather than by the timer.
        None => Event::HandlerFailed { to, token }.into(),
    }
}

fn effect(key: Key, dialled: &str, action: Action<'_>) -> OwnedEffect {
    Effect { link: key.link, subscriber: key.subscriber, dialled, action }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fit::Fit, ids::LinkId};

    /// What follows from events, and what those see who count.
    #[test]
    fn who_counts_sees_what_screens_answer() {
        let policy = Policy::default().fit(Fit::default()).resume(Resume::Continue);
        let key = Key { link: LinkId(1), subscriber: "27831234567".parse().unwrap() };
        let (to, from, net, mut cell, mut ids) = (key.subscriber, key.subscriber, NetId::NONE, None, 0);
        let name = |effect: &OwnedEffect| match effect.as_effect().action {
            Action::Call(Callback::New { .. }) => "New",
            Action::Call(Callback::Existing { .. }) => "Existing",
            Action::Call(_) => "Ended",
            Action::Send(_) => "Send",
            Action::Closed(_) => "Closed",
            other => panic!("{other:?}"),
        };
        let mut happens = |event: Event<'_>| {
            ids += 1;
            let (now, fresh) = (Millis(1_790_000_000_000), SessionId::from_bits(ids).unwrap());
            let scene = Scene { key, at: At { link: key.link, now, fresh }, policy: &policy, parking: 1000 };
            let advance = advance(cell.take(), &event, scene);
            cell = advance.cell;
            let names = |effects: &[OwnedEffect]| effects.iter().map(name).collect::<Vec<_>>().join(" ");
            (names(&advance.effects), advance.observed.as_deref().map(names))
        };
        let begin = Event::Begin { from, dialled: "*1#", net: net.clone(), phase: Phase::Two, dedup: None };
        let answer = |text| Event::Answer { from, text: Text::public(text), net: net.clone(), dedup: None };
        let hangs_up = Event::UserEnd { from, net: net.clone(), text: None };
        let (token, text) = (TurnToken { session: SessionId::from_bits(1).unwrap(), turn: 1 }, "a".repeat(200));
        let reply = |turn| Event::Reply {
            to,
            token: TurnToken { turn, ..token },
            verb: Verb::Continue,
            text: Text::public(&text),
        };
        let same = |effects: &str| (effects.to_owned(), None);
        assert_eq!(happens(begin.clone()), same("New"));
        assert_eq!(happens(reply(1)), same("Send"));
        assert_eq!(happens(answer("98")), ("Send".into(), Some("Existing Send".into())));
        assert_eq!(happens(answer("1")), same("Existing"));
        assert_eq!(happens(reply(3)), same("Send"));
        assert_eq!(happens(hangs_up), same("Ended Closed"));
        assert_eq!(happens(begin), ("Send".into(), Some("New Send".into())));
    }
}
