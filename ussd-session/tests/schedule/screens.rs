//! Random texts, keys and redials, for what screens do.

use std::time::Duration;

use proptest::prelude::*;
use ussd_session::{
    Action, Callback, DedupKey, Effect, Event, Fit, NetId, Overflow, Phase, Policy, Resume, SessionId, State, Text,
    TurnToken, Verb,
};

use super::{START, phone};
use crate::world::{Host, describe};

/// One thing that happens to one phone.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Dial(u8),
    Type(&'static str),
    /// The last key again, as the network says it twice.
    Twice,
    HangUp,
    /// The application answers the turn that it was given last; true if it asks for a secret.
    Reply(String, Verb, bool),
    Wait(u64),
    LinkDown,
    LinkUp,
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    let plain = "[a-e \n€]{0,40}|[0-9. a\n]{100,300}|[a-e]{170,400}|([1-9]\\. [a-z]{5,40}\n){1,12}";
    prop_oneof![4 => plain, 1 => "[a-cሀ😀 \n]{60,200}"]
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = prop::sample::select(vec!["98", "98", "98", "0", "0", "988", "00", "1", "2", "x", ""]);
    let verb = prop_oneof![5 => Just(Verb::Continue), 1 => Just(Verb::End)];
    let wait = prop::sample::select(vec![1, 300, 2_500, 9_999, 10_000, 65_000, 70_000, 600_000]);
    let op = prop_oneof![
        6 => (0..3_u8).prop_map(Op::Dial),
        14 => key.prop_map(Op::Type),
        2 => Just(Op::Twice),
        2 => Just(Op::HangUp),
        12 => (text(), verb, prop::bool::weighted(0.1)).prop_map(|(text, verb, pin)| Op::Reply(text, verb, pin)),
        3 => wait.prop_map(Op::Wait),
        1 => Just(Op::LinkDown),
        1 => Just(Op::LinkUp),
    ];
    prop::collection::vec(op, 1..40)
}

pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let ask = Resume::Ask { question: "Go on?\n1. Yes\n2. No".into(), go_on: "1".into(), start: "2".into() };
    let resume = prop::sample::select(vec![Resume::Start, Resume::Offer, Resume::Continue, ask]);
    let overflow = prop::sample::select(vec![Overflow::Page, Overflow::Page, Overflow::Page, Overflow::Cut]);
    let fit = (50..=182_u16, 36..=80_u16, overflow);
    let fit = fit.prop_map(|(gsm7, ucs2, overflow)| Fit::default().gsm7(gsm7).ucs2(ucs2).overflow(overflow));
    let fit = prop_oneof![5 => fit.prop_map(Some), 1 => Just(None)];
    let tombstone = prop::sample::select(vec![60_000, 60_000, 1_000, 0]);
    (resume, fit, tombstone).prop_map(|(resume, fit, tombstone)| {
        let policy = Policy::default().fit(fit).resume(resume).tombstone(Duration::from_millis(tombstone));
        policy.service("*0#").service("*1#").park(Duration::from_secs(300))
    })
}

/// What is seen of each thing that happens, and the state after it.
pub(crate) fn run(host: &mut impl Host, ops: &[Op]) -> Vec<(String, Option<(State, u16)>)> {
    let (mut now, mut given, mut sessions) = (START, None::<TurnToken>, Vec::<SessionId>::new());
    let (mut last, mut keys) = ("", 0_u32);
    let mut seen = Vec::new();
    for op in ops {
        let mut lines = Vec::new();
        let (answers, before) = (given, now);
        let mut sink = |effect: Effect<'_>| {
            if let Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) = effect.action {
                given = Some(token);
            }
            let secret = match &effect.action {
                Action::Send(frame) if frame.text.expects_secret() => "?",
                _ => "",
            };
            lines.push(describe(&effect, &mut sessions) + secret);
        };
        let (from, net) = (phone(0), NetId::NONE);
        if matches!(op, Op::Type(_)) {
            keys += 1;
        }
        let dedup = Some(DedupKey::of(&keys.to_be_bytes()));
        let dialled = ["*0#", "*1#", "*1*5#"];
        match op {
            Op::Dial(code) => {
                let dialled = dialled[usize::from(*code)];
                host.handle(Event::Begin { from, dialled, net, phase: Phase::Two, dedup: None }, now, &mut sink);
            }
            Op::Type(_) | Op::Twice => {
                if let Op::Type(key) = op {
                    last = key;
                }
                host.handle(Event::Answer { from, text: Text::public(last), net, dedup }, now, &mut sink);
            }
            Op::HangUp => host.handle(Event::UserEnd { from, net, text: None }, now, &mut sink),
            Op::Reply(text, verb, pin) => {
                let text = if *pin { Text::public(text).expecting_secret() } else { Text::public(text) };
                if let Some(token) = answers {
                    host.handle(Event::Reply { to: from, token, verb: *verb, text }, now, &mut sink);
                }
            }
            Op::Wait(span) => {
                // Somebody looks before a store forgets by itself.
                for step in [100_000; 6] {
                    let waited = step.min(span.saturating_sub(now.0 - before.0));
                    now = now.after(Duration::from_millis(waited));
                    host.tick(now, &mut sink);
                }
            }
            Op::LinkDown => host.handle(Event::LinkDown, now, &mut sink),
            Op::LinkUp => host.handle(Event::LinkUp, now, &mut sink),
        }
        lines.extend(host.resumed());
        let state = host.state(from).filter(|(state, _)| !matches!(state, State::Closed(_)));
        seen.push((lines.join(" ") + " ", state));
    }
    seen
}
