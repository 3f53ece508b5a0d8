//! Random schedules, and what is seen when they are played.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod model;
pub(crate) mod screens;

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use ussd_session::{
    Action, Callback, CloseReason, DedupKey, Effect, Event, FrameKind, Millis, NetId, NetWhy, Orphans, OwnedEvent,
    Phase, Policy, PushKind, SendWhy, SessionId, State, Subject, Subscriber, Text, TurnToken, Verb,
};

use crate::world::{Host, describe};

pub(crate) const START: Millis = Millis(1_790_000_000_000);

/// One of three phones.
pub(crate) fn phone(at: usize) -> Subscriber {
    format!("2783000000{at}").parse().unwrap()
}

/// One thing that happens. `back` counts tokens from the latest that the phone's application was given.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Begin { phone: usize, code: u8, net: u8, key: Option<u16>, phase_1: bool },
    Answer { phone: usize, net: u8, key: Option<u16> },
    NotifyOk { phone: usize, net: u8 },
    UserEnd { phone: usize, net: u8 },
    NetTimeout { phone: usize, net: u8 },
    NetError { phone: usize, net: u8, busy: bool },
    SendFailed { phone: usize, back: usize },
    Reply { phone: usize, back: usize, verb: Verb },
    Abort { phone: usize, back: usize },
    Redirect { phone: usize, back: usize },
    Push { phone: usize, kind: PushKind },
    HandlerFailed { phone: usize, back: usize },
    LinkDown,
    LinkUp,
    Wait(u64),
    ClockBack,
}

impl Op {
    pub(crate) fn phone(&self) -> Option<usize> {
        match self {
            Self::Begin { phone, .. }
            | Self::Answer { phone, .. }
            | Self::NotifyOk { phone, .. }
            | Self::UserEnd { phone, .. }
            | Self::NetTimeout { phone, .. }
            | Self::NetError { phone, .. }
            | Self::SendFailed { phone, .. }
            | Self::Reply { phone, .. }
            | Self::Abort { phone, .. }
            | Self::Redirect { phone, .. }
            | Self::Push { phone, .. }
            | Self::HandlerFailed { phone, .. } => Some(*phone),
            _ => None,
        }
    }

    pub(crate) fn may_open(&self) -> bool {
        matches!(self, Self::Begin { .. } | Self::Push { .. })
    }

    pub(crate) fn has_key(&self) -> bool {
        matches!(self, Self::Begin { .. } | Self::Answer { .. })
    }

    /// The same with a key that no other has.
    pub(crate) fn with_key(&self, next: &mut u16) -> Self {
        *next += 1;
        let mut op = self.clone();
        if let Self::Begin { key, .. } | Self::Answer { key, .. } = &mut op {
            *key = Some(*next);
        }
        op
    }

    pub(crate) fn phase_1(&self) -> Self {
        let mut op = self.clone();
        if let Self::Begin { phase_1, .. } = &mut op {
            *phase_1 = true;
        }
        op
    }
}

/// The decisions of a policy, open to the model.
#[derive(Clone, Debug)]
pub(crate) struct PolicyData {
    pub(crate) must_answer: bool,
    pub(crate) can_abort: bool,
    pub(crate) can_redirect: bool,
    pub(crate) unstable: bool,
    pub(crate) abort_on_user_slow: bool,
    pub(crate) guard: u64,
    pub(crate) min_human: u64,
    pub(crate) orphans: Orphans,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) policy: Policy,
    pub(crate) policy_data: PolicyData,
    pub(crate) ops: Vec<Op>,
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let switches = any::<[bool; 7]>();
    let orphans = prop_oneof![Just(Orphans::Final), Just(Orphans::Adopt), Just(Orphans::Ignore)];
    (switches, orphans, prop::collection::vec(op(), 1..80)).prop_map(|(switch, orphans, ops)| {
        let [must_answer, can_abort, can_redirect, unstable, guard, human, abort_on_user_slow] = switch;
        let (guard, min_human) = (if guard { 1000 } else { 0 }, if human { 250 } else { 0 });
        let policy = Policy::default()
            .must_answer(must_answer)
            .can_abort(can_abort)
            .can_redirect(can_redirect)
            .net_id_unstable(unstable)
            .abort_on_user_slow(abort_on_user_slow)
            .late_close_guard(Duration::from_millis(guard))
            .min_human(Duration::from_millis(min_human))
            .orphans(orphans);
        let policy_data = PolicyData {
            must_answer,
            can_abort,
            can_redirect,
            unstable,
            abort_on_user_slow,
            guard,
            min_human,
            orphans,
        };
        Plan { policy, policy_data, ops }
    })
}

fn op() -> impl Strategy<Value = Op> {
    let (phone, net, key) = (0..3_usize, 0..3_u8, prop::option::weighted(0.3, 0..3_u16));
    let back = prop_oneof![8 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(99)];
    let verb = prop_oneof![5 => Just(Verb::Continue), 1 => Just(Verb::End)];
    let kind = prop_oneof![Just(PushKind::Ask), Just(PushKind::Tell), Just(PushKind::TellFirst)];
    let wait = prop::sample::select(vec![0, 50, 300, 1_000, 2_500, 9_999, 10_000, 31_000, 60_000, 65_000, 186_000]);
    let (p, n, k, b) = (phone, net, key, back);
    prop_oneof![
        6 => (p.clone(), 0..2_u8, n.clone(), k.clone(), prop::bool::weighted(0.1))
            .prop_map(|(phone, code, net, key, phase_1)| Op::Begin { phone, code, net, key, phase_1 }),
        8 => (p.clone(), n.clone(), k).prop_map(|(phone, net, key)| Op::Answer { phone, net, key }),
        1 => (p.clone(), n.clone()).prop_map(|(phone, net)| Op::NotifyOk { phone, net }),
        1 => (p.clone(), n.clone()).prop_map(|(phone, net)| Op::UserEnd { phone, net }),
        1 => (p.clone(), n.clone()).prop_map(|(phone, net)| Op::NetTimeout { phone, net }),
        1 => (p.clone(), n, any::<bool>()).prop_map(|(phone, net, busy)| Op::NetError { phone, net, busy }),
        1 => (p.clone(), b.clone()).prop_map(|(phone, back)| Op::SendFailed { phone, back }),
        10 => (p.clone(), b.clone(), verb).prop_map(|(phone, back, verb)| Op::Reply { phone, back, verb }),
        1 => (p.clone(), b.clone()).prop_map(|(phone, back)| Op::Abort { phone, back }),
        1 => (p.clone(), b.clone()).prop_map(|(phone, back)| Op::Redirect { phone, back }),
        2 => (p.clone(), kind).prop_map(|(phone, kind)| Op::Push { phone, kind }),
        1 => (p, b).prop_map(|(phone, back)| Op::HandlerFailed { phone, back }),
        1 => Just(Op::LinkDown),
        1 => Just(Op::LinkUp),
        6 => wait.prop_map(Op::Wait),
        1 => Just(Op::ClockBack),
    ]
}

/// What was seen of one effect.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) phone: usize,
    pub(crate) session: Option<u64>,
    pub(crate) turn: u16,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: String,
    pub(crate) opened_by_push: bool,
}

impl Seen {
    /// What a message received twice may add: counts, prompts again, answers to what belongs to no session.
    pub(crate) fn is_repetition(&self) -> bool {
        let again = matches!(self.kind, Kind::Frame(_, true) | Kind::Coalesced | Kind::Ignored);
        again || matches!(self.kind, Kind::Frame(..)) && self.session.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Frame(FrameKind, bool),
    New,
    Existing,
    TimedOut,
    Ended,
    Reject,
    Pushed,
    Coalesced,
    Closed(CloseReason),
    Ignored,
}

/// One thing that happened, and what followed.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) now: Millis,
    /// The token that the application quoted.
    pub(crate) token: Option<TurnToken>,
    pub(crate) seen: Vec<Seen>,
    /// Phones with a record: deadline and state.
    pub(crate) records: Vec<(usize, Millis, State)>,
    pub(crate) debug: String,
}

/// Plays schedules on a host.
pub(crate) struct Player {
    pub(crate) now: Millis,
    tokens: [Vec<TurnToken>; 3],
    pushed: BTreeSet<u64>,
    /// Keep the debug output of all effects.
    pub(crate) watch: bool,
}

impl Player {
    pub(crate) fn new() -> Self {
        Self { now: START, tokens: Default::default(), pushed: BTreeSet::new(), watch: false }
    }

    /// What happens, with the token that the application would quote now.
    pub(crate) fn event(&self, op: &Op) -> OwnedEvent {
        event(op, self.token(op)).expect("an event").into()
    }

    /// The token that the application quotes.
    fn token(&self, op: &Op) -> Option<TurnToken> {
        let quoted = |at: usize, back: usize| {
            let tokens = &self.tokens[at];
            let known = tokens.len().checked_sub(1 + back).and_then(|place| tokens.get(place).copied());
            known.unwrap_or(TurnToken { session: SessionId::from_bits(7).unwrap(), turn: 1 })
        };
        match op {
            Op::SendFailed { phone, back }
            | Op::Reply { phone, back, .. }
            | Op::Abort { phone, back }
            | Op::Redirect { phone, back }
            | Op::HandlerFailed { phone, back } => Some(quoted(*phone, *back)),
            _ => None,
        }
    }

    pub(crate) fn one(&mut self, host: &mut impl Host, op: &Op) -> Step {
        let token = self.token(op);
        let (mut seen, mut debug) = (Vec::new(), String::new());
        let mut out = |effect: Effect<'_>| {
            if self.watch {
                debug += &format!("{effect:?}");
            }
            seen.push(see(&effect));
        };
        match event(op, token) {
            Some(event) => host.handle(event, self.now, &mut out),
            None => {
                let back = Duration::from_secs(100);
                match op {
                    Op::Wait(span) => self.now = self.now.after(Duration::from_millis(*span)),
                    _ => return self.step_back(host, op, self.now.since(START).min(back)),
                }
                host.tick(self.now, &mut out);
            }
        }
        for seen in &mut seen {
            if let (Kind::New | Kind::Existing | Kind::Pushed, Some(session)) = (seen.kind, seen.session) {
                let session = SessionId::from_bits(session).unwrap();
                self.tokens[seen.phone].push(TurnToken { session, turn: seen.turn });
            }
            if seen.kind == Kind::Pushed {
                self.pushed.extend(seen.session);
            }
            seen.opened_by_push = seen.session.is_some_and(|session| self.pushed.contains(&session));
        }
        let records = (0..3).filter_map(|at| {
            let (state, _) = host.state(phone(at))?;
            Some((at, host.deadline(phone(at))?, state))
        });
        Step { op: op.clone(), now: self.now, token, seen, records: records.collect(), debug }
    }

    /// Shows the host an old time once.
    fn step_back(&mut self, host: &mut impl Host, op: &Op, back: Duration) -> Step {
        let old = Millis(self.now.0 - u64::try_from(back.as_millis()).unwrap());
        let mut seen = Vec::new();
        host.tick(old, &mut |effect| seen.push(see(&effect)));
        Step { op: op.clone(), now: self.now, token: None, seen, records: Vec::new(), debug: String::new() }
    }
}

/// Plays a whole schedule.
pub(crate) fn run(host: &mut impl Host, ops: &[Op]) -> Vec<Step> {
    let mut player = Player::new();
    ops.iter().map(|op| player.one(host, op)).collect()
}

pub(crate) fn net(net: u8) -> NetId {
    let ids: [&[u8]; 3] = [b"", b"a", b"b"];
    NetId::new(ids[usize::from(net)]).unwrap()
}

fn event(op: &Op, token: Option<TurnToken>) -> Option<Event<'static>> {
    let token = token.unwrap_or(TurnToken { session: SessionId::from_bits(7).unwrap(), turn: 0 });
    let dedup = |key: &Option<u16>| key.map(|key| DedupKey::of(&key.to_be_bytes()));
    let text = Text::public("reply").expecting_secret();
    Some(match op {
        Op::Begin { phone: at, code, net: id, key, phase_1 } => Event::Begin {
            from: phone(*at),
            dialled: if *code == 0 { "*1#" } else { "*2#" },
            net: net(*id),
            phase: if *phase_1 { Phase::One } else { Phase::Unknown },
            dedup: dedup(key),
        },
        Op::Answer { phone: at, net: id, key } => {
            Event::Answer { from: phone(*at), text: Text::public("typed"), net: net(*id), dedup: dedup(key) }
        }
        Op::NotifyOk { phone: at, net: id } => Event::NotifyOk { from: phone(*at), net: net(*id) },
        Op::UserEnd { phone: at, net: id } => Event::UserEnd { from: phone(*at), net: net(*id), text: None },
        Op::NetTimeout { phone: at, net: id } => Event::NetTimeout { from: phone(*at), net: net(*id), text: None },
        Op::NetError { phone: at, net: id, busy } => {
            let why = if *busy { NetWhy::UssdBusy } else { NetWhy::Absent };
            Event::NetError { from: phone(*at), net: net(*id), why }
        }
        Op::SendFailed { phone: at, .. } => Event::SendFailed { to: phone(*at), token, why: SendWhy::NoAnswer },
        Op::Reply { phone: at, verb, .. } => Event::Reply { to: phone(*at), token, verb: *verb, text },
        Op::Abort { phone: at, .. } => Event::Abort { to: phone(*at), token },
        Op::Redirect { phone: at, .. } => Event::Redirect { to: phone(*at), token, target: "*9#" },
        Op::Push { phone: at, kind } => {
            Event::Push { to: phone(*at), kind: *kind, text: Text::public("push"), correlation: 1 }
        }
        Op::HandlerFailed { phone: at, .. } => Event::HandlerFailed { to: phone(*at), token },
        Op::LinkDown => Event::LinkDown,
        Op::LinkUp => Event::LinkUp,
        Op::Wait(_) | Op::ClockBack => return None,
    })
}

fn see(effect: &Effect<'_>) -> Seen {
    let line = describe(effect, &mut Vec::new());
    let at = (0..3).find(|at| phone(*at) == effect.subscriber).unwrap();
    let text = match &effect.action {
        Action::Send(frame) => frame.text.as_str().to_owned(),
        _ => String::new(),
    };
    let (kind, token) = match &effect.action {
        Action::Send(frame) => (Kind::Frame(frame.kind, frame.again), frame.token),
        Action::Call(call) => {
            let kind = match call {
                Callback::New { .. } => Kind::New,
                Callback::Existing { .. } => Kind::Existing,
                Callback::TimedOut { .. } => Kind::TimedOut,
                _ => Kind::Ended,
            };
            (kind, Some(call.token()))
        }
        Action::Reject { subject: Subject::Turn(token), .. } => (Kind::Reject, Some(*token)),
        Action::Reject { .. } => (Kind::Reject, None),
        Action::Pushed { token, .. } => (Kind::Pushed, Some(*token)),
        Action::Coalesced { token } => (Kind::Coalesced, Some(*token)),
        Action::Closed(summary) => {
            (Kind::Closed(summary.reason), Some(TurnToken { session: summary.session, turn: summary.turns }))
        }
        _ => (Kind::Ignored, None),
    };
    let (session, turn) = (token.map(|token| token.session.to_bits()), token.map_or(0, |token| token.turn));
    Seen { phone: at, session, turn, kind, text, line, opened_by_push: false }
}
