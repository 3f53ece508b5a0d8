//! Counters and histograms.

use std::collections::HashMap;

use metrics::{counter, gauge, histogram};

use crate::{
    action::{Action, Callback, CloseReason, FrameKind, Ignored, Reject},
    engine::Effect,
    fit::Alphabet,
    ids::{LinkId, SessionId},
    time::Millis,
};

/// Remembers of each open session when its turn began.
#[derive(Debug, Default)]
pub(super) struct Measure {
    since: HashMap<SessionId, Millis>,
}

impl Measure {
    pub(super) fn effect(&mut self, effect: &Effect<'_>, now: Millis) {
        let link = || effect.link.0.to_string();
        match &effect.action {
            Action::Call(Callback::New { token, .. }) => {
                counter!("ussd_sessions_opened_total", "link" => link(), "kind" => "dialled").increment(1);
                counter!("ussd_turns_total", "link" => link()).increment(1);
                gauge!("ussd_sessions_open", "link" => link()).increment(1);
                self.since.insert(token.session, now);
            }
            Action::Pushed { token, .. } => {
                counter!("ussd_sessions_opened_total", "link" => link(), "kind" => "push").increment(1);
                gauge!("ussd_sessions_open", "link" => link()).increment(1);
                self.since.insert(token.session, now);
            }
            Action::Call(Callback::Existing { token, .. }) => {
                counter!("ussd_turns_total", "link" => link()).increment(1);
                if let Some(since) = self.since.insert(token.session, now) {
                    histogram!("ussd_user_think_seconds", "link" => link()).record(now.since(since));
                }
            }
            Action::Send(frame) if !frame.again && !matches!(frame.kind, FrameKind::AskPush | FrameKind::TellPush) => {
                let Some(token) = frame.token else { return };
                if let Some(since) = self.since.insert(token.session, now) {
                    histogram!("ussd_app_response_seconds", "link" => link()).record(now.since(since));
                }
            }
            Action::Closed(summary) => {
                self.since.remove(&summary.session);
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
