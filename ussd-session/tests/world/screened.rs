//! Screens before an engine, as a runner has them: an application that keeps nothing.

use std::collections::VecDeque;

use ussd_session::{
    Action, Callback, Config, Effect, Engine, Event, Millis, OwnedEffect, OwnedEvent, Passed, Policy, Resumed, Screens,
    State, Subject, Subscriber,
};

use super::{Host, LINK};

pub(crate) struct Screened {
    engine: Engine,
    screens: Screens<()>,
    resumed: Option<String>,
    /// What the first call of a session is to be told that goes on without one.
    goes_on: Option<String>,
}

impl Screened {
    pub(crate) fn new(policy: Policy) -> Self {
        let config = Config::default().policy(policy);
        Self { screens: Screens::new(&config), engine: Engine::new(config), resumed: None, goes_on: None }
    }

    /// Lets effects pass the screens, and gives the engine what these answer.
    fn pass(&mut self, mut effects: VecDeque<OwnedEffect>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        while let Some(effect) = effects.pop_front() {
            let over = match effect.as_effect().action {
                Action::Closed(summary) => Some(summary.session),
                _ => None,
            };
            match self.screens.effect(effect, now) {
                Passed::On(effect) => {
                    match effect.as_effect().action {
                        Action::Call(Callback::Existing { .. }) => self.resumed = self.goes_on.take(),
                        Action::Closed(_) => self.goes_on = None,
                        _ => {}
                    }
                    out(effect.as_effect());
                }
                Passed::Offered(effect, resumed) => {
                    self.resumed = Some(told(&resumed.split().1));
                    out(effect.as_effect());
                }
                Passed::Answered(reply) => self.answer(&reply, now, &mut effects),
                Passed::Continued(_, reply, resumed) => {
                    self.goes_on = Some(told(&resumed.split().1));
                    self.answer(&reply, now, &mut effects);
                }
                Passed::Nothing => {}
                other => panic!("{other:?}"),
            }
            if let Some(session) = over {
                self.screens.park(session, ());
            }
        }
    }

    fn answer(&mut self, reply: &OwnedEvent, now: Millis, effects: &mut VecDeque<OwnedEffect>) {
        let sink = |effect: Effect<'_>| effects.push_back(effect.into());
        self.engine.handle(LINK, reply.as_event(), now, sink);
    }
}

/// What is left of an earlier session, in the notation of the tables.
pub(crate) fn told(resumed: &Resumed<()>) -> String {
    let (turn, ago) = (resumed.token().turn, resumed.ago().as_secs());
    format!("goes on from turn {turn} after {ago} s: {}", resumed.text())
}

impl Host for Screened {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        let record = event.subscriber().and_then(|subscriber| self.engine.record(LINK, subscriber));
        let fitted = match (self.screens.reply(LINK, &event, record.as_ref()), &event) {
            (Ok(fitted), _) => fitted,
            (Err(why), Event::Reply { to, token, .. }) => {
                let action = Action::Reject { subject: Subject::Turn(*token), why };
                return out(Effect { link: LINK, subscriber: *to, dialled: "", action });
            }
            (Err(why), event) => panic!("{event:?}: {why}"),
        };
        let mut effects = VecDeque::new();
        let event = fitted.as_ref().map_or(event, |fitted| fitted.as_event());
        self.engine.handle(LINK, event, now, |effect: Effect<'_>| effects.push_back(effect.into()));
        self.pass(effects, now, out);
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        let mut effects = VecDeque::new();
        while self.engine.poll(now, 3, |effect: Effect<'_>| effects.push_back(effect.into())).more {}
        self.pass(effects, now, out);
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.engine.state(phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.engine.deadline(phone)
    }

    fn resumed(&mut self) -> Option<String> {
        self.resumed.take()
    }
}
