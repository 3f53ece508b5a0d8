//! Calls that wait for another session's last callback.

use std::collections::HashMap;

use crate::{action::Action, ids::SessionId, owned::OwnedEffect};

/// Calls for new sessions, each of which waits for the last callback of the session that it may resume. Any number of
/// phones may dial again while an application hangs, so nothing is searched for here.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// By the session that is waited for.
    calls: HashMap<SessionId, OwnedEffect>,
    /// By the session that waits: for whom.
    waits: HashMap<SessionId, SessionId>,
}

impl Deferred {
    /// Lets a call wait for `before`.
    pub(super) fn insert(&mut self, before: SessionId, call: OwnedEffect) {
        if let Some(session) = called(&call) {
            self.take(before);
            self.waits.insert(session, before);
            self.calls.insert(before, call);
        }
    }

    /// True if the call for this session waits.
    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.waits.contains_key(&session)
    }

    /// The call that waited for `before`.
    pub(super) fn take(&mut self, before: SessionId) -> Option<OwnedEffect> {
        let call = self.calls.remove(&before)?;
        if let Some(session) = called(&call) {
            self.waits.remove(&session);
        }
        Some(call)
    }

    /// The session is over before its call was made.
    pub(super) fn forget(&mut self, session: SessionId) {
        if let Some(before) = self.waits.remove(&session) {
            self.calls.remove(&before);
        }
    }
}

/// The session that is called, if it is a call.
fn called(effect: &OwnedEffect) -> Option<SessionId> {
    match effect.as_effect().action {
        Action::Call(callback) => Some(callback.token().session),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Callback, Effect, LinkId, TurnToken};

    fn id(bits: u64) -> SessionId {
        SessionId::from_bits(bits).unwrap()
    }

    fn call(session: u64) -> OwnedEffect {
        let token = TurnToken { session: id(session), turn: 1 };
        let action = Action::Call(Callback::New { token, dialled: "*1#", orphan: None });
        Effect { link: LinkId(0), subscriber: "27831234567".parse().unwrap(), dialled: "*1#", action }.into()
    }

    #[test]
    fn a_call_waits_until_it_is_taken_or_its_session_is_over() {
        let mut deferred = Deferred::default();
        deferred.insert(id(1), call(2));
        deferred.insert(id(3), call(4));
        let take = |deferred: &mut Deferred, before| deferred.take(id(before)).as_ref().and_then(called);
        assert!(deferred.holds(id(2)) && deferred.holds(id(4)) && !deferred.holds(id(1)));
        assert_eq!(take(&mut deferred, 1), Some(id(2)));
        deferred.forget(id(4));
        assert_eq!((take(&mut deferred, 1), take(&mut deferred, 3)), (None, None));
        // Another session waits for the same one.
        deferred.insert(id(1), call(5));
        deferred.insert(id(1), call(6));
        assert_eq!((deferred.holds(id(5)), take(&mut deferred, 1)), (false, Some(id(6))));
        assert_eq!((deferred.calls.len(), deferred.waits.len()), (0, 0));
    }
}
