//! USSD sessions: whatever happens in whatever order, what is said about each session keeps to its grammar, and in the
//! end nothing is left of any.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use ussd_session::{
    Action, Callback, Config, DedupKey, Discard, Effect, Engine, Event, LinkId, Millis, NetId, NetWhy, Phase, Policy,
    PushKind, SendWhy, SessionId, Subscriber, Text, TurnToken, Verb,
};

const PHONES: [&str; 3] = ["+27831234567", "+27831234568", "12345"];
const CODES: [&str; 3] = ["*120#", "*120*1#", ""];
const MAX_LIVE: usize = 2;
const MAX_CLOSED: usize = 4;

pub(super) fn events(octets: &[u8]) {
    // It ends when the octets do.
    let _ = play(&mut Unstructured::new(octets));
}

fn play(input: &mut Unstructured<'_>) -> Result<()> {
    let policy = Policy::default();
    let mut engine = Engine::new(Config::default().max_live(MAX_LIVE).max_closed(MAX_CLOSED).policy(policy));
    let (mut now, mut story) = (Millis(1_790_000_000_000), Story::default());
    let outcome = loop {
        match next(input, &mut engine, &mut now, &mut story) {
            Ok(true) => story.check(&engine),
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    while let Some(deadline) = engine.next_deadline() {
        now = now.max(deadline);
        while engine.poll(now, 3, |effect: Effect<'_>| story.take(&effect)).more {}
    }
    story.check(&engine);
    assert!(story.open.is_empty(), "sessions without an end: {:?}", story.open);
    assert_eq!((engine.live(), engine.closed(), engine.scheduled()), (0, 0, 0));
    outcome
}

/// One event out of the octets; false when they are used up.
fn next(input: &mut Unstructured<'_>, engine: &mut Engine, now: &mut Millis, story: &mut Story) -> Result<bool> {
    if input.is_empty() {
        return Ok(false);
    }
    let phone: Subscriber = input.choose(&PHONES)?.parse().expect("a number");
    let link = LinkId(input.int_in_range(0..=1)?);
    let net = NetId::new(input.choose(&[&b""[..], b"a", b"b"])?).expect("a short id");
    let dedup = *input.choose(&[None, Some(1u8), Some(2)])?;
    let dedup = dedup.map(|key| DedupKey::of(&[key]));
    let text = Text::public(input.choose(&["", "1", "hello"])?);
    let token = match input.ratio(3, 4)? {
        true => engine.record(link, phone).map(|record| record.token()),
        false => story.tokens.get(input.choose_index(story.tokens.len().max(1))?).copied(),
    };
    let event = match input.int_in_range(0..=13)? {
        0 | 1 => {
            let phase = *input.choose(&[Phase::Unknown, Phase::One, Phase::Two])?;
            Event::Begin { from: phone, dialled: input.choose(&CODES)?, net, phase, dedup }
        }
        2 | 3 => Event::Answer { from: phone, text, net, dedup },
        4 => Event::NotifyOk { from: phone, net },
        5 => Event::UserEnd { from: phone, net, text: Some(text) },
        6 => Event::NetTimeout { from: phone, net, text: None },
        7 => Event::NetError { from: phone, net, why: *input.choose(&[NetWhy::UssdBusy, NetWhy::Aborted])? },
        8 if input.arbitrary()? => Event::LinkDown,
        8 => Event::LinkUp,
        9 => {
            *now = Millis(now.0.saturating_add(input.int_in_range(0..=200_000)?));
            engine.poll(*now, input.int_in_range(0..=4)?, |effect: Effect<'_>| story.take(&effect));
            return Ok(true);
        }
        10 => {
            let kind = *input.choose(&[PushKind::Ask, PushKind::Tell, PushKind::TellFirst])?;
            Event::Push { to: phone, kind, text, correlation: input.arbitrary()? }
        }
        choice => {
            let Some(token) = token else { return Ok(true) };
            match (choice, input.int_in_range(0..=5)?) {
                (11, _) => Event::Reply { to: phone, token, verb: Verb::Continue, text },
                (12, _) => Event::Reply { to: phone, token, verb: Verb::End, text },
                (_, 0) => Event::Abort { to: phone, token },
                (_, 1) => Event::Redirect { to: phone, token, target: "*121#" },
                (_, 2) => Event::HandlerFailed { to: phone, token },
                (_, 3) => Event::SendFailed { to: phone, token, why: SendWhy::NoLink },
                (_, 4) => Event::Discard { to: phone, session: token.session, why: Discard::Orphan },
                _ => Event::SendOk { to: phone, token },
            }
        }
    };
    engine.handle(link, event, *now, |effect: Effect<'_>| story.take(&effect));
    Ok(true)
}

/// What was said so far.
#[derive(Default)]
struct Story {
    open: BTreeMap<SessionId, Open>,
    closed: BTreeSet<SessionId>,
    tokens: Vec<TurnToken>,
}

/// What was said about an open session.
#[derive(Debug)]
struct Open {
    phone: (LinkId, Subscriber),
    turn: u16,
    /// The application was told of the end.
    told: bool,
    /// A final text went out.
    last: bool,
}

impl Story {
    fn take(&mut self, effect: &Effect<'_>) {
        let phone = (effect.link, effect.subscriber);
        match &effect.action {
            Action::Call(Callback::New { token, .. }) | Action::Pushed { token, .. } => {
                assert!(!self.closed.contains(&token.session), "a session id is used again");
                assert!(self.open.values().all(|open| open.phone != phone), "two sessions of one phone");
                let open = Open { phone, turn: token.turn, told: false, last: false };
                assert!(self.open.insert(token.session, open).is_none(), "a session begins twice");
                self.tokens.push(*token);
            }
            Action::Call(Callback::Existing { token, .. }) => {
                let open = self.open_session(token.session);
                assert_eq!(token.turn, open.turn + 1, "a turn is left out or called twice");
                assert!(!open.told && !open.last, "a call after the end");
                open.turn = token.turn;
                self.tokens.push(*token);
            }
            Action::Call(Callback::TimedOut { token, .. } | Callback::Ended { token, .. }) => {
                assert!(!std::mem::replace(&mut self.open_session(token.session).told, true), "told twice");
            }
            Action::Send(frame) => {
                let Some(token) = frame.token else { return };
                // What opens a push is sent before the session has its name.
                if let Some(open) = self.open.get_mut(&token.session) {
                    use ussd_session::FrameKind::{Abort, Final, Redirect};
                    assert!(!open.last, "a frame after the last one");
                    open.last = matches!(frame.kind, Final | Abort | Redirect);
                } else {
                    assert!(!self.closed.contains(&token.session), "a frame after the end");
                }
            }
            Action::Closed(summary) => {
                assert!(self.open.remove(&summary.session).is_some(), "closed without having begun, or twice");
                self.closed.insert(summary.session);
            }
            _ => {}
        }
    }

    fn open_session(&mut self, session: SessionId) -> &mut Open {
        self.open.get_mut(&session).expect("said of a session that is not open")
    }

    fn check(&self, engine: &Engine) {
        assert_eq!(engine.live(), self.open.len(), "sessions are lost");
        assert_eq!(engine.scheduled(), engine.live() + engine.closed(), "timers are lost");
        assert!(engine.live() <= MAX_LIVE && engine.closed() <= MAX_CLOSED);
    }
}
