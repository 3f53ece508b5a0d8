//! The plainest host of `step`, from the test kit; it counts the actions, and can write every record down.

use ussd_session::{
    Actions, At, Effect, Event, Millis, Next, Policy, Record, State, Subscriber, step,
    testkit::{self, Host as _, Stepped},
};

use super::Host;

type Stepper = Box<dyn for<'a> FnMut(Option<&Record>, &Event<'a>, At, &'a Policy) -> Stepped<'a>>;

pub(crate) struct Bare(testkit::Bare<Stepper>);

impl Bare {
    pub(crate) fn new(policy: Policy) -> Self {
        Self(testkit::Bare::with(policy, Box::new(counted)))
    }

    /// Serialises every record after every step and goes on with what comes back.
    #[cfg(feature = "serde")]
    pub(crate) fn through_json(policy: Policy) -> Self {
        Self(testkit::Bare::with(policy, Box::new(written)))
    }
}

fn counted<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let mut actions = Actions::new();
    let next = step(record, event, at, policy, &mut actions);
    assert!(actions.len() <= Actions::MAX, "{actions:?}");
    (actions.into_iter().collect(), next)
}

#[cfg(feature = "serde")]
fn written<'a>(record: Option<&Record>, event: &Event<'a>, at: At, policy: &'a Policy) -> Stepped<'a> {
    let (actions, next) = counted(record, event, at, policy);
    let next = match next {
        Next::Put(record) => Next::Put(serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()),
        next => next,
    };
    (actions, next)
}

impl Host for Bare {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.0.handle(&event, now, out);
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.0.poll(now, out);
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.0.record(phone).map(|record| (record.state(), record.token().turn))
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.0.record(phone).map(Record::deadline)
    }
}
