//! Counters, gauges and histograms.

use std::{cmp::Ordering, collections::HashMap, time::Duration};

use metrics::{Gauge, counter, gauge, histogram};

use crate::{
    action::{Action, Callback, CloseReason, FrameKind, Ignored, Reject},
    engine::{Config, Effect, Gauges},
    fit::Alphabet,
    ids::{LinkId, SessionId},
    policy::Policy,
    time::{Millis, millis},
};

/// Remembers of each open session when its turn began, and what the gauges were last told.
#[derive(Debug, Default)]
pub(super) struct Measure {
    turns: HashMap<SessionId, Turn>,
    /// How many turns may be remembered before those are looked for that have ended elsewhere.
    room: usize,
    told: Gauges,
}

/// The turn of a session, of the user or of the application.
#[derive(Debug)]
struct Turn {
    since: Millis,
    /// When the session is over in any case: its end may happen on another machine.
    over: Millis,
}

impl Measure {
    /// Few turns are not worth a look.
    const ROOM: usize = 1024;

    pub(super) fn effect(&mut self, config: &Config, effect: &Effect<'_>, now: Millis) {
        let link = || effect.link.0.to_string();
        let policy = config.policy_of(effect.link);
        match &effect.action {
            Action::Call(Callback::New { token, .. }) => {
                counter!("ussd_sessions_opened_total", "link" => link(), "kind" => "dialled").increment(1);
                counter!("ussd_turns_total", "link" => link()).increment(1);
                gauge!("ussd_sessions_open", "link" => link()).increment(1);
                self.turn(token.session, now, policy);
            }
            Action::Pushed { token, .. } => {
                counter!("ussd_sessions_opened_total", "link" => link(), "kind" => "push").increment(1);
                gauge!("ussd_sessions_open", "link" => link()).increment(1);
                self.turn(token.session, now, policy);
            }
            Action::Call(Callback::Existing { token, .. }) => {
                counter!("ussd_turns_total", "link" => link()).increment(1);
                if let Some(since) = self.turn(token.session, now, policy) {
                    histogram!("ussd_user_think_seconds", "link" => link()).record(now.since(since));
                }
            }
            Action::Send(frame) if !frame.again && !matches!(frame.kind, FrameKind::AskPush | FrameKind::TellPush) => {
                let Some(token) = frame.token else { return };
                if let Some(since) = self.turn(token.session, now, policy) {
                    let took = now.since(since);
                    histogram!("ussd_app_response_seconds", "link" => link()).record(took);
                    // Both alarms that an operator sets before users notice.
                    for (share, of_timer) in [(50, "50%"), (80, "80%")] {
                        if millis(took) * 100 >= u64::from(policy.app_timer) * share {
                            counter!("ussd_app_slow_total", "link" => link(), "of_timer" => of_timer).increment(1);
                        }
                    }
                }
            }
            Action::Closed(summary) => {
                self.turns.remove(&summary.session);
                counter!("ussd_sessions_closed_total", "link" => link(), "reason" => reason(summary.reason))
                    .increment(1);
                gauge!("ussd_sessions_open", "link" => link()).decrement(1);
                histogram!("ussd_session_duration_seconds", "link" => link()).record(summary.lasted);
                histogram!("ussd_session_turns", "link" => link()).record(f64::from(summary.turns));
            }
            Action::Reject { why, .. } => {
                if let Reject::Unfit(_) = why {
                    counter!("ussd_too_long_total", "link" => link()).increment(1);
                }
                counter!("ussd_rejected_total", "link" => link(), "why" => refusal(*why)).increment(1);
            }
            Action::Coalesced { .. } => counter!("ussd_coalesced_total", "link" => link()).increment(1),
            Action::Ignored(why) => {
                let event = match why {
                    Ignored::OrphanAnswer | Ignored::LateAnswer | Ignored::DuplicateAnswer => "answer",
                    Ignored::OrphanClose | Ignored::LateClose => "close",
                    Ignored::NetIdMismatch => "net_id_mismatch",
                    Ignored::Overload => "overload",
                    _ => "other",
                };
                counter!("ussd_orphans_total", "link" => link(), "event" => event).increment(1);
            }
            _ => {}
        }
    }

    /// A session's turn begins; when the one before did, if that is known.
    fn turn(&mut self, session: SessionId, now: Millis, policy: &Policy) -> Option<Millis> {
        if self.turns.len() >= self.room {
            self.turns.retain(|_, turn| turn.over > now);
            self.room = (2 * self.turns.len()).max(Self::ROOM);
        }
        let over = now.after(Duration::from_millis(u64::from(policy.total_timer)));
        self.turns.insert(session, Turn { since: now, over }).map(|turn| turn.since)
    }

    /// How things stand. The gauges are told what has changed, so that several runners of a process add up.
    pub(super) fn gauges(&mut self, now: Gauges) {
        let told = std::mem::replace(&mut self.told, now);
        for (state, was, is) in [
            ("app_turn", told.app_turn, now.app_turn),
            ("user_turn", told.user_turn, now.user_turn),
            ("inviting", told.inviting, now.inviting),
            ("notifying", told.notifying, now.notifying),
            ("closed", told.closed, now.closed),
        ] {
            change(was, is, || gauge!("ussd_sessions", "state" => state));
        }
        change(told.unvisited, now.unvisited, || gauge!("ussd_sessions_unvisited"));
        if told.behind != now.behind {
            gauge!("ussd_timers_behind_seconds").set(now.behind.as_secs_f64());
        }
    }
}

/// What is no longer run is no longer there.
impl Drop for Measure {
    fn drop(&mut self) {
        self.gauges(Gauges::default());
    }
}

fn change(was: usize, is: usize, gauge: impl FnOnce() -> Gauge) {
    // Far fewer than a float counts exactly.
    let float = |count: usize| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    match was.cmp(&is) {
        Ordering::Less => gauge().increment(float(is - was)),
        Ordering::Equal => {}
        Ordering::Greater => gauge().decrement(float(was - is)),
    }
}

/// A text was fitted.
pub(super) fn fitted(link: LinkId, alphabet: Alphabet) {
    let alphabet = match alphabet {
        Alphabet::Gsm7 => "gsm7",
        Alphabet::Latin1 => "latin1",
        Alphabet::Ucs2 => "ucs2",
    };
    counter!("ussd_fit_total", "link" => link.0.to_string(), "alphabet" => alphabet).increment(1);
}

/// A reason as a label.
fn reason(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::AppEnd => "app_end",
        CloseReason::AppAbort => "app_abort",
        CloseReason::Redirected => "redirected",
        CloseReason::User => "user",
        CloseReason::UserSlow => "user_slow",
        CloseReason::Net => "net",
        CloseReason::AppSlow => "app_slow",
        CloseReason::TooLong => "too_long",
        CloseReason::Replaced => "replaced",
        CloseReason::PushFailed(_) => "push_failed",
        CloseReason::PushUnanswered => "push_unanswered",
        CloseReason::SendFailed => "send_failed",
        CloseReason::LinkLost => "link_lost",
        CloseReason::Orphan => "orphan",
        CloseReason::Shutdown => "shutdown",
        CloseReason::HandlerFailed => "handler_failed",
    }
}

fn refusal(why: Reject) -> &'static str {
    match why {
        Reject::Unknown => "unknown",
        Reject::Stale => "stale",
        Reject::AlreadyReplied => "already_replied",
        Reject::NotYourTurn => "not_your_turn",
        Reject::Closed(_) => "closed",
        Reject::Busy => "busy",
        Reject::Unsupported => "unsupported",
        Reject::Unavailable => "unavailable",
        Reject::Unfit(_) => "unfit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions that end on another machine are forgotten all the same.
    #[test]
    fn turns_do_not_pile_up() {
        let (mut measure, policy) = (Measure::default(), Policy::default());
        for at in 1..100_000 {
            let now = Millis(at * 1000);
            assert_eq!(measure.turn(SessionId::from_bits(at).expect("not 0"), now, &policy), None);
        }
        // A session may last 185 s.
        assert!((185..=Measure::ROOM).contains(&measure.turns.len()), "{}", measure.turns.len());
        let last = SessionId::from_bits(99_999).expect("not 0");
        assert_eq!(measure.turn(last, Millis(100_000_000), &policy), Some(Millis(99_999_000)));
    }
}
