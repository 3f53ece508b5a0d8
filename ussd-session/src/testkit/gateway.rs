//! A gateway and its phones, as the application's side sees them; it misbehaves when told.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    action::{Action, Callback, CloseReason, Frame, FrameKind},
    engine::Effect,
    event::{Event, NetWhy, Phase, SendWhy},
    ids::{DedupKey, NetId, TurnToken},
    owned::OwnedEvent,
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// The gateway: what goes in are screens, what comes out are messages for the sessions.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    phones: BTreeMap<Subscriber, Handset>,
    /// Ids and keys given so far.
    count: u64,
    /// No id for a dialogue, no keys against doubles.
    pub(super) plain: bool,
    pub(super) user_timer: Option<Duration>,
    pub(super) faults: Faults,
    /// What happens later, in no order.
    later: Vec<(Millis, Later)>,
    /// What the sessions are to be told.
    out: Vec<OwnedEvent>,
    /// Screens for phones that had nothing open.
    pub(super) stray: usize,
}

/// What is wrong with the next message or screen.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) twice: bool,
    pub(super) late: Option<Duration>,
    pub(super) lose: bool,
    pub(super) refuse: bool,
    pub(super) slow: Option<Duration>,
}

/// What a phone shows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Handset {
    pub(super) screen: String,
    pub(super) is_secret: bool,
    pub(super) expects_secret: bool,
    /// A dialogue is open.
    pub(super) open: bool,
    /// It waits for a screen.
    pub(super) waits: bool,
    pub(super) closed: Option<CloseReason>,
    /// Whose turn it is in which session.
    pub(super) turn: Option<(Whose, TurnToken)>,
    net: u64,
    /// Counts screens, to know one again.
    shown: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Whose {
    Application,
    User,
}

#[derive(Debug)]
enum Later {
    Say(OwnedEvent),
    Show(Subscriber, OwnedFrame),
    UserTimer(Subscriber, u64),
}

#[derive(Clone, Debug)]
struct OwnedFrame {
    kind: FrameKind,
    net: NetId,
    text: String,
    is_secret: bool,
    expects_secret: bool,
    again: bool,
}

impl Gateway {
    pub(super) fn phone(&self, phone: Subscriber) -> Handset {
        self.phones.get(&phone).cloned().unwrap_or_default()
    }

    /// Dials. A dialogue that was open is gone, and nobody says so.
    pub(super) fn dial(&mut self, from: Subscriber, code: &str, now: Millis) {
        self.count += 1;
        let (net, count) = (self.count, self.count);
        let handset = self.phones.entry(from).or_default();
        let (shown, turn, closed) = (handset.shown, handset.turn, handset.closed);
        *handset = Handset { open: true, waits: true, net, shown, turn, closed, ..Handset::default() };
        let (net, dedup) = self.marks(net, count);
        self.say(Event::Begin { from, dialled: code, net, phase: Phase::Two, dedup }, now);
    }

    /// Types an answer.
    pub(super) fn answer(&mut self, from: Subscriber, text: &str, now: Millis) {
        self.count += 1;
        let handset = self.phones.entry(from).or_default();
        handset.waits = true;
        let (net, dedup) = (handset.net, self.count);
        let (net, dedup) = self.marks(net, dedup);
        self.say(Event::Answer { from, text: Text::public(text), net, dedup }, now);
    }

    pub(super) fn hang_up(&mut self, from: Subscriber, now: Millis) {
        let net = self.leave(from);
        self.say(Event::UserEnd { from, net, text: None }, now);
    }

    pub(super) fn time_out(&mut self, from: Subscriber, now: Millis) {
        let net = self.leave(from);
        self.say(Event::NetTimeout { from, net, text: None }, now);
    }

    /// Takes what the sessions do.
    pub(super) fn effect(&mut self, effect: &Effect<'_>, now: Millis) {
        let handset = self.phones.entry(effect.subscriber).or_default();
        match &effect.action {
            Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => {
                handset.turn = Some((Whose::Application, *token));
            }
            Action::Send(frame) => {
                if let (Some(token), FrameKind::Prompt | FrameKind::AskPush) = (frame.token, frame.kind) {
                    handset.turn = Some((Whose::User, token));
                }
                self.send(effect.subscriber, frame, now);
            }
            Action::Closed(summary) => (handset.turn, handset.closed) = (None, Some(summary.reason)),
            _ => {}
        }
    }

    /// The time of the next thing that happens by itself.
    pub(super) fn next(&self) -> Option<Millis> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Does what is due.
    pub(super) fn poll(&mut self, now: Millis) {
        while let Some(due) = self.later.iter().position(|(at, _)| *at <= now) {
            match self.later.remove(due).1 {
                Later::Say(event) => self.out.push(event),
                Later::Show(phone, frame) => self.show(phone, &frame, now),
                Later::UserTimer(phone, shown) => {
                    let handset = self.phone(phone);
                    if handset.open && !handset.waits && handset.shown == shown {
                        self.time_out(phone, now);
                    }
                }
            }
        }
    }

    /// What the sessions are to be told now.
    pub(super) fn said(&mut self) -> Vec<OwnedEvent> {
        std::mem::take(&mut self.out)
    }

    fn say(&mut self, event: Event<'_>, now: Millis) {
        let event = OwnedEvent::from(event);
        if std::mem::take(&mut self.faults.twice) {
            self.out.push(event.clone());
        }
        match self.faults.late.take() {
            Some(late) => self.later.push((now.after(late), Later::Say(event))),
            None => self.out.push(event),
        }
    }

    fn send(&mut self, to: Subscriber, frame: &Frame<'_>, now: Millis) {
        if std::mem::take(&mut self.faults.refuse) {
            if let Some(token) = frame.token {
                self.out.push(Event::SendFailed { to, token, why: SendWhy::Refused(1) }.into());
            }
            return;
        }
        if std::mem::take(&mut self.faults.lose) {
            return;
        }
        let (is_secret, expects_secret) = (frame.text.is_secret(), frame.text.expects_secret());
        let (net, text) = (frame.net.clone(), frame.text.as_str().to_owned());
        let frame = OwnedFrame { kind: frame.kind, net, text, is_secret, expects_secret, again: frame.again };
        match self.faults.slow.take() {
            Some(slow) => self.later.push((now.after(slow), Later::Show(to, frame))),
            None => self.show(to, &frame, now),
        }
    }

    fn show(&mut self, to: Subscriber, frame: &OwnedFrame, now: Millis) {
        let net = self.marks(self.phone(to).net, 0).0;
        let handset = self.phones.entry(to).or_default();
        let pushed = matches!(frame.kind, FrameKind::AskPush | FrameKind::TellPush);
        if pushed && handset.open {
            let net = frame.net.clone();
            return self.out.push(Event::NetError { from: to, net, why: NetWhy::UssdBusy }.into());
        }
        if !pushed && !(handset.open && (frame.net.is_none() || frame.net == net)) {
            self.stray += 1;
            return;
        }
        handset.shown += 1;
        handset.waits = false;
        handset.open = matches!(frame.kind, FrameKind::Prompt | FrameKind::AskPush);
        handset.screen.clone_from(&frame.text);
        if !frame.again {
            (handset.is_secret, handset.expects_secret) = (frame.is_secret, frame.expects_secret);
        }
        if let (Some(timer), true) = (self.user_timer, handset.open) {
            self.later.push((now.after(timer), Later::UserTimer(to, handset.shown)));
        }
        if frame.kind == FrameKind::TellPush {
            self.out.push(Event::NotifyOk { from: to, net: frame.net.clone() }.into());
        }
    }

    /// Closes what is open on the phone; the network's id of it.
    fn leave(&mut self, phone: Subscriber) -> NetId {
        let handset = self.phones.entry(phone).or_default();
        (handset.open, handset.waits) = (false, false);
        handset.screen.clear();
        let net = handset.net;
        self.marks(net, 0).0
    }

    /// The id of a dialogue and the key of a message.
    fn marks(&self, net: u64, key: u64) -> (NetId, Option<DedupKey>) {
        if self.plain || net == 0 {
            return (NetId::NONE, None);
        }
        let id = NetId::new(&net.to_be_bytes()).unwrap_or(NetId::NONE);
        (id, Some(DedupKey::of(&key.to_be_bytes())))
    }
}
