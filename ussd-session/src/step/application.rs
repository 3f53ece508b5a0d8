//! What the application and its host do.

use super::{
    Action, CloseReason, Core, Dialogue, EndWhy, FrameKind, Ignored, Opening, Phase, PushKind, Reject, State, Subject,
    Subscriber, Text, TurnToken,
};
use crate::{
    event::{Discard, Verb},
    ids::{NetId, SessionId},
};

impl<'a> Dialogue<'a, '_> {
    pub(super) fn reply(&mut self, token: TurnToken, verb: Verb, text: Text<'a>) {
        if let Err(why) = self.in_app_turn(token) {
            return self.reject(token, why);
        }
        let Some(core) = self.core.as_mut() else { return };
        if core.has(Core::UNLINKED) {
            core.set(Core::HELD, true);
            self.changed = true;
            return self.act(Action::Hold { token, verb, text });
        }
        match (verb, core.phase) {
            (Verb::Continue, Phase::Unknown | Phase::Two) => {
                core.set(Core::SECRET, text.expects_secret());
                self.send(FrameKind::Prompt, text);
                self.enter(State::UserTurn, self.policy.user_timer);
            }
            (Verb::Continue, Phase::One) => {
                self.send(FrameKind::Final, text);
                self.ignore(Ignored::PhaseOne);
                self.close(CloseReason::AppEnd);
            }
            (Verb::End, _) => {
                self.send(FrameKind::Final, text);
                self.close(CloseReason::AppEnd);
            }
        }
    }

    pub(super) fn abort(&mut self, token: TurnToken) {
        if let Err(why) = self.is_current(token) {
            return self.reject(token, why);
        }
        if self.state() == Some(State::AppTurn) && !self.policy.can_abort {
            self.send(FrameKind::Final, Text::default());
        } else {
            self.send_abort();
        }
        self.close(CloseReason::AppAbort);
    }

    pub(super) fn redirect(&mut self, token: TurnToken, target: &'a str) {
        if let Err(why) = self.in_app_turn(token) {
            return self.reject(token, why);
        }
        if self.policy.can_redirect && self.send(FrameKind::Redirect, Text::public(target)) {
            self.close(CloseReason::Redirected);
        } else {
            self.reject(token, Reject::Unsupported);
        }
    }

    pub(super) fn push(&mut self, to: Subscriber, kind: PushKind, text: Text<'a>, correlation: u64) {
        if self.core.as_ref().is_some_and(Core::is_open) {
            return self.act(Action::Reject { subject: Subject::Push(correlation), why: Reject::Busy });
        }
        let secret = text.expects_secret();
        self.open(to, &NetId::NONE, Opening { push: Some(kind), secret, ..Opening::default() });
        if let Some(token) = self.core.as_ref().map(Core::token) {
            self.act(Action::Pushed { token, correlation });
        }
        let frame = if kind == PushKind::Ask { FrameKind::AskPush } else { FrameKind::TellPush };
        self.send(frame, text);
    }

    pub(super) fn handler_failed(&mut self, token: TurnToken) {
        if self.in_app_turn(token).is_err() {
            return self.ignore(Ignored::OutOfPlace);
        }
        self.send_fallback();
        self.close(CloseReason::HandlerFailed);
    }

    pub(super) fn discard(&mut self, session: SessionId, why: Discard) {
        let state = self.core.as_ref().filter(|core| core.session == session).map(|core| core.state);
        match state {
            None | Some(State::Closed(_)) => return self.ignore(Ignored::OutOfPlace),
            Some(State::AppTurn) => self.send_fallback(),
            Some(State::UserTurn | State::Inviting | State::Notifying) => self.send_abort(),
        }
        match why {
            Discard::Orphan => self.close(CloseReason::Orphan),
            Discard::Shutdown => {
                self.ended(EndWhy::Shutdown, None);
                self.close(CloseReason::Shutdown);
            }
        }
    }

    /// Whether a reply to this turn is welcome.
    fn in_app_turn(&self, token: TurnToken) -> Result<(), Reject> {
        self.is_current(token)?;
        match self.state() {
            Some(State::AppTurn) => Ok(()),
            Some(State::UserTurn) => Err(Reject::AlreadyReplied),
            _ => Err(Reject::NotYourTurn),
        }
    }

    /// Whether this is the turn that the open session is in.
    fn is_current(&self, token: TurnToken) -> Result<(), Reject> {
        let core = self.core.as_ref().ok_or(Reject::Unknown)?;
        match core.state {
            _ if core.session != token.session => Err(Reject::Stale),
            State::Closed(reason) => Err(Reject::Closed(reason)),
            _ if core.turn != token.turn => Err(Reject::Stale),
            _ if core.has(Core::HELD) => Err(Reject::AlreadyReplied),
            _ => Ok(()),
        }
    }
}
