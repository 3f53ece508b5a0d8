//! The plainest host of `step`: a map of records, and beside each what a host keeps.

use std::collections::BTreeMap;

use ussd_session::{
    Action, Actions, At, Effect, Event, Frame, FrameKind, Ignored, Millis, Next, Policy, Record, SessionIds, State,
    Subscriber, Text, Verb, step,
};

use super::{Host, LINK};

#[derive(Default)]
struct Beside {
    dialled: String,
    prompt: Option<String>,
    held: Option<(Verb, String, bool)>,
}

pub(crate) struct Bare {
    policy: Policy,
    ids: SessionIds,
    pub(crate) records: BTreeMap<Subscriber, Record>,
    beside: BTreeMap<Subscriber, Beside>,
    now: Millis,
    /// Serialises every record after every step and goes on with what comes back.
    #[cfg(feature = "serde")]
    pub(crate) through_json: bool,
}

impl Bare {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            ids: SessionIds::new(1, Millis(1_790_000_000_000)),
            records: BTreeMap::new(),
            beside: BTreeMap::new(),
            now: Millis(0),
            #[cfg(feature = "serde")]
            through_json: false,
        }
    }

    fn one(&mut self, to: Subscriber, event: &Event<'_>, out: &mut dyn FnMut(Effect<'_>)) {
        let policy = self.policy.clone();
        let mut actions = Actions::new();
        let at = At { link: LINK, now: self.now, fresh: self.ids.fresh() };
        let next = step(self.records.get(&to), event, at, &policy, &mut actions);
        assert!(actions.len() <= Actions::MAX, "{actions:?}");
        match next {
            Next::Keep => {}
            Next::Put(record) => {
                #[cfg(feature = "serde")]
                let record = match self.through_json {
                    true => serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap(),
                    false => record,
                };
                self.records.insert(to, record);
            }
            Next::Delete => {
                self.records.remove(&to);
            }
        }
        let beside = self.beside.entry(to).or_default();
        let before = beside.prompt.clone();
        let mut released = None;
        for action in actions {
            let action = match action {
                Action::Hold { verb, text, .. } => {
                    beside.held = Some((verb, text.as_str().to_owned(), text.expects_secret()));
                    continue;
                }
                Action::Release { token } => {
                    released = beside.held.take().map(|held| (token, held));
                    continue;
                }
                Action::Again { token, net } => match &before {
                    Some(prompt) => Action::Send(Frame {
                        kind: FrameKind::Prompt,
                        net,
                        token: Some(token),
                        text: Text::public(prompt),
                        again: true,
                    }),
                    None => Action::Ignored(Ignored::NothingToRepeat),
                },
                Action::Send(frame) if frame.kind == FrameKind::Prompt => {
                    beside.prompt = Some(frame.text.as_str().to_owned());
                    Action::Send(frame)
                }
                action => action,
            };
            if let Action::Call(ussd_session::Callback::New { dialled, .. }) = &action {
                beside.dialled = (*dialled).to_owned();
                beside.prompt = None;
            }
            out(Effect { link: LINK, subscriber: to, dialled: &beside.dialled, action });
        }
        if let Some((token, (verb, text, secret))) = released {
            let text = if secret { Text::public(&text).expecting_secret() } else { Text::public(&text) };
            self.one(to, &Event::Reply { to, token, verb, text }, out);
        }
    }
}

impl Host for Bare {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.now = self.now.max(now);
        match event.subscriber() {
            Some(to) => self.one(to, &event, out),
            None => {
                for to in self.records.keys().copied().collect::<Vec<_>>() {
                    self.one(to, &event, out);
                }
            }
        }
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.now = self.now.max(now);
        let now = self.now;
        let mut due: Vec<_> = self.records.values().map(|record| (record.deadline(), record.subscriber())).collect();
        due.sort();
        for (_, to) in due.into_iter().take_while(|(deadline, _)| *deadline <= now) {
            self.one(to, &Event::Tick, out);
        }
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.records.get(&phone).map(|record| (record.state(), record.token().turn))
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.records.get(&phone).map(Record::deadline)
    }
}
