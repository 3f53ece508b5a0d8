//! The machine: one event, one record, what follows.

mod application;
mod network;
mod timer;

use crate::{
    action::{Action, Actions, Callback, CloseReason, EndWhy, Frame, FrameKind, Ignored, Next, Reject, Side, Subject},
    event::{At, Event, Phase, PushKind},
    ids::{DedupKey, NetId, TurnToken, fingerprint},
    policy::Policy,
    record::{Core, Record, Rest, State},
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// What one event does to one session.
///
/// `record` is the session of the event's subscriber on its link, if there is one. The function is total, pure and
/// deterministic: equal arguments give equal results, on every machine; nothing is read or kept beside them. What was
/// overdue at `at.now` happens first, so it does not matter when a [`Tick`](Event::Tick) came last.
///
/// The actions are put into `out`, at most [`Actions::MAX`]; what it held before is dropped. Make the answer good first
/// (keep, put or delete the record), then do them in order.
///
/// | event | no record | AppTurn | UserTurn | Inviting, Notifying | Closed |
/// |---|---|---|---|---|---|
/// | Begin, new | New | Ended(Replaced), New | Ended(Replaced), New | Ended(Replaced), New | New |
/// | Begin, double | | coalesced | prompt again | | - |
/// | Answer, fresh | orphan | coalesced | turn + 1, Existing | turn 1, Existing | orphan, late |
/// | Answer, double | orphan | coalesced | prompt again | | - |
/// | NotifyOk | - | - | - | closed, or Existing | - |
/// | UserEnd | - | Ended(User) | Ended(User) | Ended(User) | - |
/// | NetTimeout | - | TimedOut(Net) | TimedOut(User) | TimedOut(User) | - |
/// | NetError | - | Ended(Network) | Ended(Network) | Ended(PushFailed) | - |
/// | SendFailed, last frame | - | - | Ended(SendFailed) | Ended(PushFailed) | - |
/// | LinkDown, then grace over | - | Ended(LinkLost) | Ended(LinkLost) | Ended(LinkLost) | - |
/// | Reply Continue | Unknown | prompt | AlreadyReplied | NotYourTurn | Closed(reason) |
/// | Reply End | Unknown | final | AlreadyReplied | NotYourTurn | Closed(reason) |
/// | Reply, old turn or session | Unknown | Stale | Stale | Stale | Stale, Closed(reason) |
/// | Abort | Unknown | abort, or empty final | abort | abort | Closed(reason) |
/// | Redirect | Unknown | redirect, or Unsupported | AlreadyReplied | NotYourTurn | Closed(reason) |
/// | Push | push | Busy | Busy | Busy | push |
/// | HandlerFailed | - | final(fallback) | - | - | - |
/// | app timer, total | | final(fallback), TimedOut(App) | | | |
/// | user timer, total | | | TimedOut(User) | | |
/// | push timer, total | | | | TimedOut(User) | |
/// | tombstone timer | | | | | forgotten |
///
/// A prompt for a phase 1 phone goes out as a final text. While the link is down, a reply is held and nothing is sent.
pub fn step<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy, out: &mut Actions<'a>) -> Next {
    let (mut core, mut rest) = match record {
        Some(record) => (Some(record.core), record.rest.clone()),
        None => (None, Rest::default()),
    };
    *out = Actions::new();
    match (step_in_place(&mut core, &mut rest, event, at, policy, out), core) {
        (false, _) => Next::Keep,
        (true, Some(core)) => Next::Put(Record { core, rest }),
        (true, None) => Next::Delete,
    }
}

/// [`step`] on a record where it lies, in its two parts; true if it changed. Without a record, `rest` means nothing.
pub(crate) fn step_in_place<'a>(
    core: &mut Option<Core>,
    rest: &mut Rest,
    event: &Event<'a>,
    at: At,
    policy: &'a Policy,
    out: &mut Actions<'a>,
) -> bool {
    // Time never goes back for a session, whichever machine looks at it.
    let now = core.as_ref().map_or(at.now, |core| at.now.max(core.at(core.since)));
    let mut dialogue = Dialogue { core, rest, at: At { now, ..at }, policy, out, changed: false };
    dialogue.expire();
    match *event {
        Event::Begin { from, dialled, ref net, phase, dedup } => dialogue.begin(from, dialled, net, phase, dedup),
        Event::Answer { from, text, ref net, dedup } => dialogue.answer(from, text, net, dedup),
        Event::NotifyOk { ref net, .. } => dialogue.notify_ok(net),
        Event::UserEnd { ref net, text, .. } => dialogue.user_end(net, text),
        Event::NetTimeout { ref net, text, .. } => dialogue.net_timeout(net, text),
        Event::NetError { ref net, why, .. } => dialogue.net_error(net, why),
        Event::SendFailed { token, why, .. } => dialogue.send_failed(token, why),
        Event::LinkDown => dialogue.link_down(),
        Event::LinkUp => dialogue.link_up(),
        Event::Reply { token, verb, text, .. } => dialogue.reply(token, verb, text),
        Event::Abort { token, .. } => dialogue.abort(token),
        Event::Redirect { token, target, .. } => dialogue.redirect(token, target),
        Event::Push { to, kind, text, correlation } => dialogue.push(to, kind, text, correlation),
        Event::HandlerFailed { token, .. } => dialogue.handler_failed(token),
        Event::Discard { session, why, .. } => dialogue.discard(session, why),
        Event::SendOk { .. } | Event::Tick => {}
    }
    dialogue.changed
}

/// One session while an event happens to it. The events stand in the modules below: what the network does, what the
/// application does, what time does.
struct Dialogue<'a, 'o> {
    core: &'o mut Option<Core>,
    rest: &'o mut Rest,
    at: At,
    policy: &'a Policy,
    out: &'o mut Actions<'a>,
    changed: bool,
}

impl<'a> Dialogue<'a, '_> {
    /// The state; none without a record.
    fn state(&self) -> Option<State> {
        self.core.as_ref().map(|core| core.state)
    }

    fn act(&mut self, action: Action<'a>) {
        self.out.push(|| action);
    }

    fn call(&mut self, callback: Callback<'a>) {
        self.act(Action::Call(callback));
    }

    fn ignore(&mut self, why: Ignored) {
        self.act(Action::Ignored(why));
    }

    fn reject(&mut self, token: TurnToken, why: Reject) {
        self.act(Action::Reject { subject: Subject::Turn(token), why });
    }

    fn timed_out(&mut self, side: Side, text: Option<Text<'a>>) {
        if let Some(token) = self.core.as_ref().map(Core::token) {
            self.call(Callback::TimedOut { token, side, text });
        }
    }

    fn ended(&mut self, why: EndWhy, text: Option<Text<'a>>) {
        if let Some(token) = self.core.as_ref().map(Core::token) {
            self.call(Callback::Ended { token, why, text });
        }
    }

    /// Sends a frame of this session; false if its link is down.
    fn send(&mut self, kind: FrameKind, text: Text<'a>) -> bool {
        let Some(core) = self.core.as_mut().filter(|core| !core.has(Core::UNLINKED)) else { return false };
        let token = Some(core.token());
        let frame = |net| Action::Send(Frame { kind, net, token, text, again: false });
        core.set(Core::RELEASED, matches!(kind, FrameKind::Final | FrameKind::Abort | FrameKind::Redirect));
        if core.has(Core::NAMED) {
            self.out.push(|| frame(self.rest.net().clone()));
        } else {
            self.out.push(|| frame(NetId::NONE));
        }
        true
    }

    /// Sends the text for an application that has none.
    fn send_fallback(&mut self) {
        if let Some(text) = &self.policy.fallback {
            self.send(FrameKind::Final, Text::public(text));
        }
    }

    /// Ends a dialogue in which no reply is due, where the link can.
    fn send_abort(&mut self) {
        if self.policy.can_abort {
            self.send(FrameKind::Abort, Text::default());
        }
    }

    /// Answers what belongs to no session.
    fn send_expired(&mut self, net: &NetId) {
        let text = Text::public(&self.policy.expired);
        let frame = Frame { kind: FrameKind::Final, net: net.clone(), token: None, text, again: false };
        self.act(Action::Send(frame));
    }

    /// Goes to a state that lasts at most `timer`.
    fn enter(&mut self, state: State, timer: u32) {
        let now = self.at.now;
        if let Some(core) = self.core.as_mut() {
            core.since = core.offset(now);
            core.deadline = core.since.saturating_add(timer);
            core.state = state;
        }
        self.changed = true;
    }

    /// A new session of `subscriber` in place of whatever the record was.
    fn open(&mut self, subscriber: Subscriber, net: &NetId, opening: Opening<'_>) {
        let replaced = self.state().is_some_and(|state| state == State::Closed(CloseReason::Replaced));
        let mut core = Core {
            session: self.at.fresh,
            subscriber,
            opened: self.at.now,
            since: 0,
            deadline: 0,
            total: self.policy.total_timer,
            link: self.at.link,
            turn: u16::from(opening.push.is_none()),
            state: State::AppTurn,
            phase: opening.phase,
            push: opening.push,
            flags: 0,
        };
        core.set(Core::SECRET, opening.secret);
        core.set(Core::REPLACED, replaced);
        core.set(Core::NAMED, !net.is_none());
        *self.core = Some(core);
        self.rest.renew(fingerprint(opening.dialled.as_bytes()), opening.dedup, net);
        match opening.push {
            None => self.enter(State::AppTurn, self.policy.app_timer),
            Some(PushKind::Ask) => self.enter(State::Inviting, self.policy.push_timer),
            Some(PushKind::Tell | PushKind::TellFirst) => self.enter(State::Notifying, self.policy.push_timer),
        }
    }

    /// Ends the session and leaves its tombstone.
    fn close(&mut self, reason: CloseReason) {
        let now = self.at.now;
        let Some(core) = self.core.as_mut() else { return };
        let (summary, token, held) = (core.summary(reason, now), core.token(), core.take(Core::HELD));
        core.set(Core::UNLINKED, false);
        self.enter(State::Closed(reason), self.policy.tombstone);
        if held {
            self.reject(token, Reject::Closed(reason));
        }
        self.act(Action::Closed(summary));
    }
}

/// How a session opens.
#[derive(Default)]
struct Opening<'e> {
    dialled: &'e str,
    dedup: Option<DedupKey>,
    phase: Phase,
    push: Option<PushKind>,
    secret: bool,
}

/// Milliseconds that the session has been in its state.
fn age(core: &Core, now: Millis) -> u32 {
    core.offset(now).saturating_sub(core.since)
}
