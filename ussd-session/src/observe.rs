//! What the runner does, told to `tracing` and, with feature `metrics`, counted.

#[cfg(feature = "metrics")]
mod measure;

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use tracing::{Level, Span, debug, event, info, span, warn};

use crate::{
    action::{Action, Callback, FrameKind, Reject},
    engine::{Config, Effect},
    ids::SessionId,
    subscriber::Subscriber,
    time::Millis,
};

/// Tells what happens. Texts are never told, and of a number only a hash with a key of this process, unless asked for.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) numbers: bool,
    #[cfg(feature = "metrics")]
    measure: measure::Measure,
}

impl Observer {
    pub(crate) fn new() -> Self {
        Self {
            numbers: false,
            #[cfg(feature = "metrics")]
            measure: measure::Measure::default(),
        }
    }

    /// The span of a session: what the application tells in its callbacks is within it.
    pub(crate) fn span(&self, config: &Config, effect: &Effect<'_>, session: SessionId) -> Span {
        let Effect { link, subscriber, dialled, .. } = effect;
        let service = || config.policy_of(*link).service_of(crate::dialled::Dialled::new(dialled)).to_owned();
        span!(
            Level::INFO,
            "ussd.session",
            session_id = %session,
            link = link.0,
            service = service(),
            subscriber_hash = %self.name(*subscriber),
        )
    }

    /// A text was fitted.
    #[cfg(feature = "metrics")]
    pub(crate) fn fitted(&self, link: crate::ids::LinkId, alphabet: Option<crate::fit::Alphabet>) {
        if let Some(alphabet) = alphabet {
            measure::fitted(link, alphabet);
        }
    }

    /// How things stand, after whatever happened.
    #[cfg(feature = "metrics")]
    pub(crate) fn gauges(&mut self, gauges: crate::engine::Gauges) {
        self.measure.gauges(gauges);
    }

    /// One effect of the engine.
    pub(crate) fn effect(&mut self, config: &Config, effect: &Effect<'_>, now: Millis) {
        #[cfg(feature = "metrics")]
        self.measure.effect(config, effect, now);
        #[cfg(not(feature = "metrics"))]
        let _ = now;
        let session = match &effect.action {
            Action::Call(callback) => Some(callback.token().session),
            Action::Send(frame) => frame.token.map(|token| token.session),
            Action::Closed(summary) => Some(summary.session),
            Action::Coalesced { token } | Action::Pushed { token, .. } => Some(token.session),
            _ => None,
        };
        let _inside = session.map(|session| self.span(config, effect, session).entered());
        match &effect.action {
            Action::Call(Callback::New { token, .. }) | Action::Pushed { token, .. } => {
                debug!(turn = token.turn, "begin");
            }
            Action::Call(Callback::Existing { token, .. }) => debug!(turn = token.turn, "answer"),
            Action::Call(Callback::TimedOut { side, .. }) => debug!(?side, "timed out"),
            Action::Call(Callback::Ended { why, .. }) => debug!(?why, "ended"),
            Action::Send(frame) => match frame.kind {
                FrameKind::Prompt | FrameKind::AskPush => debug!(again = frame.again, "prompt"),
                kind => debug!(?kind, "final"),
            },
            Action::Coalesced { token } => debug!(turn = token.turn, "coalesced"),
            Action::Reject { subject, why: why @ Reject::Unfit(_) } => warn!(?subject, %why, "rejected"),
            Action::Reject { subject, why } => debug!(?subject, %why, "rejected"),
            Action::Closed(summary) => {
                let ms = u64::try_from(summary.lasted.as_millis()).unwrap_or(u64::MAX);
                info!(reason = %summary.reason, turns = summary.turns, ms, "closed");
            }
            Action::Ignored(why) => event!(Level::TRACE, ?why, "ignored"),
            _ => {}
        }
    }

    /// What a phone is called in what is told.
    pub(crate) fn name(&self, subscriber: Subscriber) -> String {
        if self.numbers { subscriber.to_string() } else { hashed(subscriber) }
    }
}

/// What a phone is called where its number is not told: the same in all that this process tells.
pub(crate) fn hashed(subscriber: Subscriber) -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{:016x}", KEY.hash_one(subscriber))
}
