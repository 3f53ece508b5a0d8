//! What is kept of one session, and what an event makes of it: pure, and the same on every machine.

use std::fmt;

use super::{Foreign, Key, parts::Parts};
use crate::{
    action::{Action, Actions, Callback, Frame, FrameKind, Ignored, Next},
    engine::Effect,
    event::{At, Event, Phase, Verb},
    ids::{NetId, TurnToken, fingerprint},
    owned::OwnedEffect,
    policy::Policy,
    record::{Core, Record, State},
    step::step,
    text::Text,
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
    /// What the application kept before the event, for its callbacks.
    pub(super) app: Vec<u8>,
}

/// Steps a cell. Replies that were held are handed in again within the same step, so that a machine lost in between
/// loses nothing.
pub(super) fn advance(cell: Option<Cell>, key: Key, event: &Event<'_>, at: At, policy: &Policy) -> Advance {
    let app = cell.as_ref().map(|cell| cell.app.clone()).unwrap_or_default();
    let mut advance = Advance { cell, changed: false, effects: Vec::new(), app };
    let released = advance.one(key, event, at, policy);
    if let Some((token, held)) = released {
        let to = key.subscriber;
        match held {
            Some(Held { verb, text, expects_secret }) => {
                let text = Text::public(&text);
                let text = if expects_secret { text.expecting_secret() } else { text };
                advance.one(key, &Event::Reply { to, token, verb, text }, at, policy);
            }
            // It was a secret and nobody kept it. The user is told at once rather than by the timer.
            None => _ = advance.one(key, &Event::HandlerFailed { to, token }, at, policy),
        }
    }
    advance
}

impl Advance {
    /// One step; a turn whose held reply is to be handed in again.
    fn one(&mut self, key: Key, event: &Event<'_>, at: At, policy: &Policy) -> Option<(TurnToken, Option<Held>)> {
        let mut out = Actions::new();
        let was = self.cell.take();
        let session = was.as_ref().map(|cell| cell.record.session());
        let next = step(was.as_ref().map(|cell| &cell.record), event, at, policy, &mut out);
        self.changed |= !matches!(next, Next::Keep);
        self.cell = match (was, next) {
            (was, Next::Keep) => was,
            (_, Next::Delete) => None,
            (Some(was), Next::Put(record)) => Some(Cell { record, ..was }),
            (None, Next::Put(record)) => Some(Cell::new(record)),
        };
        if let Some(cell) = self.cell.as_mut().filter(|cell| Some(cell.record.session()) != session) {
            cell.prompt = None;
            cell.held = None;
            cell.app.clear();
        }
        let mut released = None;
        for action in out {
            if let Some(cell) = self.cell.as_mut() {
                cell.remember(&action, policy.resend);
            }
            let action = match action {
                Action::Hold { .. } => continue,
                Action::Release { token } => {
                    released = Some((token, self.cell.as_mut().and_then(|cell| cell.held.take())));
                    continue;
                }
                Action::Again { token, net } => {
                    let secret = self.cell.as_ref().is_some_and(|cell| cell.record.core.has(Core::SECRET));
                    again(self.cell.as_ref().and_then(|cell| cell.prompt.as_deref()), secret, token, net)
                }
                action => action,
            };
            let dialled = self.cell.as_ref().map_or("", |cell| cell.dialled.as_str());
            self.effects.push(Effect { link: key.link, subscriber: key.subscriber, dialled, action }.into());
        }
        if let Some(cell) = self.cell.as_mut().filter(|cell| !cell.record.is_open()) {
            *cell = Cell::new(cell.record.clone());
        }
        released
    }
}

impl Cell {
    fn new(record: Record) -> Self {
        Self { record, dialled: String::new(), prompt: None, held: None, app: Vec::new() }
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
fn again(prompt: Option<&str>, expects_secret: bool, token: TurnToken, net: NetId) -> Action<'_> {
    match prompt.map(Text::public) {
        Some(text) => {
            let text = if expects_secret { text.expecting_secret() } else { text };
            Action::Send(Frame { kind: FrameKind::Prompt, net, token: Some(token), text, again: true })
        }
        None => Action::Ignored(Ignored::NothingToRepeat),
    }
}
