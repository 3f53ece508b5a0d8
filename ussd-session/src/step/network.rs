//! What the network does.

use super::{
    Callback, CloseReason, Core, DedupKey, Dialogue, EndWhy, Ignored, NetId, Opening, Phase, PushKind, Rest, Side,
    State, Subscriber, Text, TurnToken, age, fingerprint,
};
use crate::{
    action::Action,
    event::{NetWhy, SendWhy},
    policy::Orphans,
    time::Millis,
};

impl<'a> Dialogue<'a, '_> {
    /// The phone dialled: whatever was open is dead, unless this is the code that opened it, received twice.
    pub(super) fn begin(
        &mut self,
        from: Subscriber,
        dialled: &'a str,
        net: &NetId,
        phase: Phase,
        dedup: Option<DedupKey>,
    ) {
        let now = self.at.now;
        let window = self.policy.duplicates;
        let double = |core: &&mut Core| opened_by(core, self.rest, dialled, net, dedup, now, window);
        if let Some(core) = self.core.as_mut().filter(double) {
            self.rest.begun = core.offset(now);
            self.changed = true;
            return match core.state {
                State::Closed(_) => self.answer_late(net, Ignored::DuplicateBegin),
                _ => self.repeat(net),
            };
        }
        if self.core.as_ref().is_some_and(Core::is_open) {
            self.ended(EndWhy::Replaced, None);
            self.close(CloseReason::Replaced);
        }
        self.open(from, net, Opening { dialled, dedup, phase, ..Opening::default() });
        self.call_new(dialled, None);
    }

    /// The user answered. In AppTurn no prompt is out, so this cannot be a new answer; in UserTurn it is one, unless
    /// a key says that it is the previous one.
    pub(super) fn answer(&mut self, from: Subscriber, text: Text<'a>, net: &NetId, dedup: Option<DedupKey>) {
        let now = self.at.now;
        let Some(core) = self.core.as_ref() else {
            return self.orphan(from, text, net, dedup, Ignored::OrphanAnswer);
        };
        let double = dedup.is_some() && core.has(Core::KEYED) && dedup == self.rest.answer_key();
        match core.state {
            State::Closed(_) if double => self.answer_late(net, Ignored::DuplicateAnswer),
            // Our last frame ended the dialogue, so nothing is left to be answered.
            State::Closed(_) if core.has(Core::RELEASED) => self.answer_late(net, Ignored::LateAnswer),
            State::Closed(_) => self.orphan(from, text, net, dedup, Ignored::LateAnswer),
            _ if self.is_foreign(net) => self.orphan(from, text, net, dedup, Ignored::NetIdMismatch),
            State::AppTurn => {
                self.know(dedup);
                self.repeat(net);
            }
            State::UserTurn if double => self.repeat(net),
            State::UserTurn if dedup.is_none() && age(core, now) < self.policy.min_human => self.repeat(net),
            State::UserTurn | State::Inviting | State::Notifying => self.next_turn(text, net, dedup),
        }
    }

    pub(super) fn notify_ok(&mut self, net: &NetId) {
        let push = self.core.as_ref().and_then(|core| core.push);
        match (self.state(), push) {
            (Some(State::Notifying), _) if self.is_foreign(net) => self.ignore(Ignored::NetIdMismatch),
            (Some(State::Notifying), Some(PushKind::TellFirst)) => self.next_turn(Text::default(), net, None),
            (Some(State::Notifying), _) => {
                if let Some(core) = self.core.as_mut() {
                    core.set(Core::RELEASED, true);
                }
                self.close(CloseReason::AppEnd);
            }
            _ => self.ignore(Ignored::OutOfPlace),
        }
    }

    pub(super) fn user_end(&mut self, net: &NetId, text: Option<Text<'a>>) {
        if let Some(why) = self.not_for_us(net) {
            return self.ignore(why);
        }
        self.ended(EndWhy::User, text);
        self.close(CloseReason::User);
    }

    pub(super) fn net_timeout(&mut self, net: &NetId, text: Option<Text<'a>>) {
        if let Some(why) = self.not_for_us(net) {
            return self.ignore(why);
        }
        let side = if self.state() == Some(State::AppTurn) { Side::Net } else { Side::User };
        self.timed_out(side, text);
        self.close(CloseReason::Net);
    }

    pub(super) fn net_error(&mut self, net: &NetId, why: NetWhy) {
        if let Some(why) = self.not_for_us(net) {
            return self.ignore(why);
        }
        match self.state() {
            Some(State::Inviting | State::Notifying) => {
                self.ended(EndWhy::PushFailed(why), None);
                self.close(CloseReason::PushFailed(why));
            }
            // It is about a push whose place a dialled session has taken.
            _ if why == NetWhy::UssdBusy => self.ignore(Ignored::OutOfPlace),
            _ => {
                self.ended(EndWhy::Network(why), None);
                self.close(CloseReason::Net);
            }
        }
    }

    pub(super) fn send_failed(&mut self, token: TurnToken, why: SendWhy) {
        let Some(core) = self.core.as_ref().filter(|core| core.token() == token) else {
            return self.ignore(Ignored::OutOfPlace);
        };
        match core.state {
            State::UserTurn => {
                self.ended(EndWhy::SendFailed(why), None);
                self.close(CloseReason::SendFailed);
            }
            State::Inviting | State::Notifying => {
                self.ended(EndWhy::PushFailed(NetWhy::NotSent), None);
                self.close(CloseReason::PushFailed(NetWhy::NotSent));
            }
            State::Closed(_) => self.ignore(Ignored::FinalLost),
            State::AppTurn => self.ignore(Ignored::OutOfPlace),
        }
    }

    /// Gives the turn to the application.
    fn next_turn(&mut self, text: Text<'a>, net: &NetId, dedup: Option<DedupKey>) {
        let Some(core) = self.core.as_mut() else { return };
        let Some(turn) = core.turn.checked_add(1) else {
            self.send_fallback();
            self.timed_out(Side::App, None);
            return self.close(CloseReason::TooLong);
        };
        core.turn = turn;
        // The rest is left alone where there is nothing in it and nothing to be put there.
        if dedup.is_some() || core.has(Core::KEYED) {
            self.rest.set_answer_key(dedup);
            core.set(Core::KEYED, dedup.is_some());
        }
        if !net.is_none() {
            self.rest.set_net(net);
            core.set(Core::NAMED, true);
        }
        let text = text.marked(core.take(Core::SECRET));
        let token = core.token();
        self.enter(State::AppTurn, self.policy.app_timer);
        self.out.push(|| Action::Call(Callback::Existing { token, text }));
    }

    /// The network repeats itself: the reply under way will do, or the last prompt again.
    fn repeat(&mut self, net: &NetId) {
        let Some(core) = self.core.as_ref() else { return };
        let token = core.token();
        let net = if net.is_none() { self.rest.net().clone() } else { net.clone() };
        match core.state {
            State::AppTurn => self.act(Action::Coalesced { token }),
            _ if self.policy.resend && !core.has(Core::UNLINKED) => self.act(Action::Again { token, net }),
            _ => self.ignore(Ignored::NothingToRepeat),
        }
    }

    /// Takes the key of an answer for that of the turn, if the turn has none: when it comes again, it is known.
    fn know(&mut self, dedup: Option<DedupKey>) {
        if let Some(core) = self.core.as_mut().filter(|core| !core.has(Core::KEYED) && dedup.is_some()) {
            core.set(Core::KEYED, true);
            self.rest.set_answer_key(dedup);
            self.changed = true;
        }
    }

    /// An answer that belongs to no session, or not to the open one.
    fn orphan(&mut self, from: Subscriber, text: Text<'a>, net: &NetId, dedup: Option<DedupKey>, why: Ignored) {
        match self.policy.orphans {
            Orphans::Final => self.send_expired(net),
            Orphans::Adopt if !self.core.as_ref().is_some_and(Core::is_open) => {
                self.open(from, net, Opening::default());
                self.know(dedup);
                return self.call_new("", Some(text));
            }
            Orphans::Adopt | Orphans::Ignore => {
                if self.policy.must_answer {
                    self.send_expired(net);
                }
            }
        }
        self.ignore(why);
    }

    /// Something for a session that our own frame has ended: answered only if the gateway waits.
    fn answer_late(&mut self, net: &NetId, why: Ignored) {
        if self.policy.must_answer {
            self.send_expired(net);
        }
        self.ignore(why);
    }

    fn call_new(&mut self, dialled: &'a str, orphan: Option<Text<'a>>) {
        if let Some(token) = self.core.as_ref().map(Core::token) {
            self.call(Callback::New { token, dialled, orphan });
        }
    }

    /// True if the network means another dialogue than the record's.
    fn is_foreign(&self, net: &NetId) -> bool {
        let named = self.core.as_ref().is_some_and(|core| core.has(Core::NAMED));
        named && !net.is_none() && !self.policy.net_id_unstable && self.rest.net() != net
    }

    /// Why an end reported by the network does not end the session.
    fn not_for_us(&self, net: &NetId) -> Option<Ignored> {
        let core = self.core.as_ref().filter(|core| core.is_open());
        let Some(core) = core else { return Some(Ignored::OrphanClose) };
        if self.is_foreign(net) {
            return Some(Ignored::NetIdMismatch);
        }
        let idless = net.is_none() && !core.has(Core::NAMED);
        let early = core.offset(self.at.now) < self.policy.late_close_guard;
        (core.has(Core::REPLACED) && idless && early).then_some(Ignored::LateClose)
    }
}

/// True if this code is the one that opened the session, received again.
fn opened_by(
    core: &Core,
    rest: &Rest,
    dialled: &str,
    net: &NetId,
    dedup: Option<DedupKey>,
    now: Millis,
    window: u32,
) -> bool {
    if core.push.is_some() {
        return false;
    }
    if let (Some(key), Some(opener)) = (dedup, rest.begin_key()) {
        return key == opener;
    }
    // A phone that hung up, or was cut off, and dials again means it.
    let may_be = core.is_open() || core.has(Core::RELEASED);
    may_be
        && core.turn == 1
        && rest.code == fingerprint(dialled.as_bytes())
        && rest.net() == net
        && core.offset(now).saturating_sub(rest.begun) < window
}
