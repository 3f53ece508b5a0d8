//! Runs an application: the engine, the clock, and a task for each callback.

mod deferred;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use self::deferred::Deferred;
use crate::{
    action::{Action, Actions, CloseReason, Subject},
    app::{Session, UssdApp},
    calls::{Calls, Ended},
    clock::Clock,
    dialled::Dialled,
    engine::{Config, Effect, Engine, Polled},
    event::{Discard, Event},
    ids::{LinkId, SessionId},
    observe::Observer,
    owned::{OwnedEffect, OwnedEvent},
    screens::{Passed, Resumed, Screens},
    subscriber::Subscriber,
};

/// Runs a [`UssdApp`] over an [`Engine`].
///
/// Events come from one channel, effects go to another: frames to be sent, and for who wants to watch, all else. It is
/// the same to the runner who stands at the other ends: a gateway's client with an adapter, a broker, a test.
///
/// Each callback is a task; those of one session follow one another. Both channels are bounded by who makes them; a
/// full outbox makes the runner wait. Callbacks that run at once are bounded by [`Runner::max_running`]; replies under
/// way are at most one for each turn.
///
/// Texts are made to fit, pages turned and sessions resumed as the links' policies say ([`Screens`]). A reply that fits
/// no screen is refused and ends the session with the fallback text, since the turn is gone with it.
///
/// It tells `tracing` what happens: a span `ussd.session` for each session, in which its callbacks run, and events
/// `begin`, `answer`, `prompt`, `final`, `coalesced`, `rejected` and `closed`. Texts are not told, nor numbers, but for a
/// hash ([`Runner::tell_numbers`]). With feature `metrics` it tells the metrics facade, all but the last rows by link:
///
/// | metric | is |
/// |---|---|
/// | `ussd_sessions_opened_total` | a counter by `kind`, `dialled` or `push` |
/// | `ussd_sessions_closed_total` | a counter by `reason` |
/// | `ussd_turns_total` | a counter of turns given to the application |
/// | `ussd_rejected_total` | a counter of replies and pushes refused, by the reason `why` |
/// | `ussd_too_long_total` | a counter of texts that fit no screen |
/// | `ussd_fit_total` | a counter of texts made to fit, by `alphabet` |
/// | `ussd_coalesced_total` | a counter of messages that came twice |
/// | `ussd_orphans_total` | a counter of what belonged to no session, by `event` |
/// | `ussd_app_slow_total` | a counter of replies that took `of_timer` of [`Policy::app_timer`](crate::Policy::app_timer) or more: `50%`, `80%` |
/// | `ussd_sessions_open` | a gauge |
/// | `ussd_app_response_seconds`, `ussd_user_think_seconds` | histograms of turns |
/// | `ussd_session_duration_seconds`, `ussd_session_turns` | histograms of sessions |
/// | `ussd_sessions` | a gauge by `state`: `app_turn`, `user_turn`, `inviting`, `notifying`, `closed` ([`Gauges`](crate::Gauges)) |
/// | `ussd_timers_behind_seconds` | a gauge: how late the timers are ([`Gauges::behind`](crate::Gauges::behind)); of several runners, the last that told |
/// | `ussd_sessions_unvisited` | a gauge: how many sessions the news of a link still has to reach |
/// | `ussd_cas_conflicts_total` | a counter of a driver over a store |
///
/// When the inbox is closed, open sessions end as by [`Engine::shutdown`], and the runner returns.
#[derive(Debug)]
pub struct Runner<A: UssdApp> {
    app: Arc<A>,
    engine: Engine,
    config: Config,
    screens: Screens<A::State>,
    clock: Clock,
    observer: Observer,
    max_running: usize,
}

impl<A: UssdApp> Runner<A> {
    /// Expiries looked at between two other events.
    const BUDGET: usize = 1000;

    /// How long callbacks may take after the end.
    const LAST_CALLS: Duration = Duration::from_secs(5);

    /// A runner with an engine of its own. Within a tokio runtime.
    #[must_use]
    pub fn new(app: A, config: Config) -> Self {
        let (screens, engine) = (Screens::new(&config), Engine::new(config.clone()));
        Self {
            app: Arc::new(app),
            engine,
            config,
            screens,
            clock: Clock::system(),
            observer: Observer::new(),
            max_running: 100_000,
        }
    }

    /// The most sessions that wait to be resumed, with what the application kept of them; beyond, the oldest is
    /// forgotten. Default 100,000.
    #[must_use]
    pub fn max_parked(mut self, sessions: usize) -> Self {
        self.screens = self.screens.max_parked(sessions);
        self
    }

    /// The most callbacks that run at once, those included that hang after their session is over. One more fails as
    /// if its handler had. Default 100,000.
    #[must_use]
    pub fn max_running(mut self, callbacks: usize) -> Self {
        self.max_running = callbacks;
        self
    }

    /// Tells `tracing` the numbers of phones instead of their hashes. Default no.
    #[must_use]
    pub fn tell_numbers(mut self, yes: bool) -> Self {
        self.observer.numbers = yes;
        self
    }

    /// Runs until the inbox is closed; then the engine, with its counters.
    pub async fn run(self, inbox: mpsc::Receiver<(LinkId, OwnedEvent)>, outbox: mpsc::Sender<OwnedEffect>) -> Engine {
        let (replies, answers) = mpsc::unbounded_channel();
        let running = Running {
            engine: self.engine,
            config: self.config,
            screens: self.screens,
            deferred: Deferred::default(),
            clock: self.clock,
            observer: self.observer,
            outbox,
            effects: VecDeque::new(),
            calls: Calls::new(self.app, self.max_running, replies),
        };
        running.run(inbox, answers).await
    }
}

struct Running<A: UssdApp> {
    engine: Engine,
    config: Config,
    screens: Screens<A::State>,
    deferred: Deferred,
    clock: Clock,
    observer: Observer,
    outbox: mpsc::Sender<OwnedEffect>,
    /// What the engine said and is not done yet.
    effects: VecDeque<OwnedEffect>,
    calls: Calls<A>,
}

impl<A: UssdApp> Running<A> {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<(LinkId, OwnedEvent)>,
        mut answers: mpsc::UnboundedReceiver<(LinkId, OwnedEvent)>,
    ) -> Engine {
        loop {
            let deadline = self.engine.next_deadline();
            let sleep = async {
                match deadline {
                    Some(deadline) => self.clock.until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((link, event)) = answers.recv() => self.handle(link, event),
                Some(ended) = self.calls.ended() => self.returned(ended),
                () = sleep => {
                    self.poll();
                }
                event = inbox.recv() => match event {
                    Some((link, event)) => self.handle(link, event),
                    None => break,
                },
            }
            self.flush().await;
            #[cfg(feature = "metrics")]
            self.observer.gauges(self.engine.gauges());
        }
        self.stop(&mut answers).await;
        self.engine
    }

    /// Ends all sessions and lets the last callbacks run.
    async fn stop(&mut self, answers: &mut mpsc::UnboundedReceiver<(LinkId, OwnedEvent)>) {
        while let Ok((link, event)) = answers.try_recv() {
            self.handle(link, event);
        }
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.shutdown(now, |effect: Effect<'_>| effects.push_back(effect.into()));
        self.flush().await;
        while self.poll().more {
            self.flush().await;
        }
        self.flush().await;
        let last_calls = async {
            while let Some(ended) = self.calls.ended().await {
                self.returned(ended);
                self.flush().await;
            }
        };
        if tokio::time::timeout(Runner::<A>::LAST_CALLS, last_calls).await.is_err() {
            tracing::warn!(callbacks = self.calls.running(), "callbacks still running at the end were cut off");
        }
    }

    fn handle(&mut self, link: LinkId, event: OwnedEvent) {
        let said = event.as_event();
        let record = match said {
            Event::Reply { to, .. } => self.engine.record(link, to),
            _ => None,
        };
        match self.screens.reply(link, &said, record.as_ref()) {
            Ok(None) => self.give(link, &event),
            Ok(Some(fitted)) => {
                #[cfg(feature = "metrics")]
                self.observer.fitted(link, self.screens.written());
                self.give(link, &fitted);
            }
            Err(why) => {
                let (Some(subscriber), Some(subject)) = (said.subscriber(), said.subject()) else { return };
                let action = Action::Reject { subject, why };
                self.effects.push_back(Effect { link, subscriber, dialled: "", action }.into());
                if let Subject::Turn(token) = subject {
                    self.give(link, &Event::HandlerFailed { to: subscriber, token }.into());
                }
            }
        }
    }

    /// Gives the engine an event.
    fn give(&mut self, link: LinkId, event: &OwnedEvent) {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.handle(link, event.as_event(), now, |effect: Effect<'_>| effects.push_back(effect.into()));
    }

    fn poll(&mut self) -> Polled {
        let (now, effects) = (self.clock.now(), &mut self.effects);
        self.engine.poll(now, Runner::<A>::BUDGET, |effect: Effect<'_>| effects.push_back(effect.into()))
    }

    /// Does what the engine said, in order.
    async fn flush(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            let now = self.clock.now();
            let at = effect.as_effect();
            let link = at.link;
            if let Some(before) = self.screens.waits_for(&at, now).filter(|before| self.calls.knows(*before)) {
                self.deferred.insert(before, effect);
                continue;
            }
            self.observer.effect(&self.config, &at, now);
            match self.screens.effect(effect, now) {
                Passed::On(effect) => self.serve(effect, None).await,
                Passed::Offered(effect, resumed) => self.serve(effect, Some(*resumed)).await,
                Passed::Answered(reply) => self.give(link, &reply),
                Passed::Continued(call, reply, resumed) => {
                    self.go_on(&call.as_effect(), *resumed);
                    self.give(link, &reply);
                }
                Passed::Nothing => {}
            }
        }
    }

    /// Starts callbacks, or lets them wait for the one that runs; then lets the effect out.
    async fn serve(&mut self, effect: OwnedEffect, resumed: Option<Resumed<A::State>>) {
        match effect.as_effect() {
            Effect { action: Action::Call(callback), link, subscriber, dialled } => {
                let id = callback.token().session;
                let reason = self.reason_of(id);
                if !self.deferred.holds(id) {
                    if !self.calls.knows(id) {
                        let (state, resumed) = resumed.map(Resumed::split).unzip();
                        let session = self.session(id, (link, subscriber), dialled, state.unwrap_or_default(), resumed);
                        self.calls.insert(session.first(&callback));
                    }
                    self.calls.wait(id, effect.clone(), reason);
                    self.start(id);
                }
            }
            Effect { action: Action::Closed(summary), .. } => {
                self.deferred.forget(summary.session);
                self.calls.is_over(summary.session);
                self.start(summary.session);
            }
            _ => {}
        }
        // Nobody may be watching, and then there is nobody to send to either.
        let _ = self.outbox.send(effect).await;
    }

    /// A session goes on with what the application kept of an earlier one, and without a call.
    fn go_on(&mut self, call: &Effect<'_>, resumed: Resumed<A::State>) {
        let Effect { action: Action::Call(callback), link, subscriber, dialled } = call else { return };
        let (state, resumed) = resumed.split();
        let id = callback.token().session;
        let session = self.session(id, (*link, *subscriber), dialled, state, Some(resumed));
        self.calls.insert(session);
    }

    fn session(
        &self,
        id: SessionId,
        (link, subscriber): (LinkId, Subscriber),
        dialled: &str,
        state: A::State,
        resumed: Option<Resumed<()>>,
    ) -> Session<A::State> {
        let service = self.config.policy_of(link).service_of(Dialled::new(dialled));
        Session::new(id, (link, subscriber), dialled, service, state, resumed)
    }

    /// How a session ends, if that is among what is to be done.
    fn reason_of(&self, id: SessionId) -> Option<CloseReason> {
        // It follows in the same step, if it does.
        self.effects.iter().take(Actions::MAX).find_map(|effect| match effect.as_effect().action {
            Action::Closed(summary) if summary.session == id => Some(summary.reason),
            _ => None,
        })
    }

    /// Starts the next callback of a session, unless one runs; parks a session that is over and has none left.
    fn start(&mut self, id: SessionId) {
        let (observer, config) = (&self.observer, &self.config);
        let Some(served) = self.calls.start(id, |call| observer.span(config, call, id)) else { return };
        if let Some(session) = served.session {
            self.screens.park(id, session.state);
        }
        self.effects.extend(self.deferred.take(id));
    }

    /// A callback has come back, or has panicked and taken the session's state with it.
    fn returned(&mut self, ended: Ended<A::State>) {
        match self.calls.put_back(ended) {
            Ok(id) => self.start(id),
            Err(lost) => {
                let Some((id, served)) = lost.map(|lost| *lost) else { return };
                self.effects.extend(self.deferred.take(id));
                // Its turn, dropped by the panic, has ended the session, unless it was answered before.
                if !served.over {
                    let discard = Event::Discard { to: served.subscriber, session: id, why: Discard::Orphan };
                    self.calls.say(served.link, discard);
                }
            }
        }
    }
}
