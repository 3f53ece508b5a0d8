//! A world in which scenarios are played: phones, one application, one link, a clock that stands still unless told.
//!
//! A scenario is a table. Each row holds what happens, what follows, and the state after it (may be left out):
//!
//! ```text
//! B(*120#)        | New          | AppTurn 1
//! c(Menu)@1       | P(Menu)      | UserTurn 1
//! +1; A(1)        | Ex(1)        | AppTurn 2
//! ```
//!
//! Happens: `B(code)` begin, `A(text)` answer, `X` user end, `NT` network time-out, `NE(why)` network error, `NotifyOk`,
//! `c(text)@n` and `e(text)@n` reply continue and end for turn n, `ab@n` abort, `rd(code)@n` redirect, `fail@n` handler
//! failed, `push(text)`, `note(text)`, `KO@n` sending failed, `LinkDown`, `LinkUp`, `+s` that many seconds pass. `@m.n`
//! quotes turn n of session m instead of the latest. `{net=a key=k from=number phase=1 secret hidden}` gives more: `secret`
//! is the answer to a text, `hidden` the text itself. Several are joined by `;`.
//!
//! Follows: callbacks `New Ex(text) TO(side) End(why)`, frames `P F Ask Tell Ab Rd`, `again` after a prompt that is
//! repeated, `Rej(why)`, `Coalesced`, `Cl(reason)`, `!Why` what is ignored and counted, `-` nothing. `#2` marks the
//! second session. `\n` is the end of a line, and what goes on from an earlier session follows its callback in brackets.
#![allow(dead_code, reason = "each test file uses a part")]

mod bare;
#[cfg(feature = "store")]
mod crowd;
#[cfg(all(feature = "store", feature = "testkit"))]
pub(crate) mod explored;
mod notation;
#[cfg(feature = "redis")]
pub(crate) mod redis_server;
mod screened;
#[cfg(feature = "store")]
pub(crate) mod stored;
mod through;

use std::time::Duration;

use tokio::sync::mpsc;
use ussd_session::{Action, Callback, Config, Effect, Engine, Event, FrameKind, LinkId, Millis, OwnedEffect, Policy};
use ussd_session::{SessionId, State, Subject, Subscriber, TurnToken, adapters::smpp::Profile};

pub(crate) use bare::Bare;
pub(crate) use screened::Screened;
pub(crate) use through::{Through, over_smpp::Smpp, over_ssmi::Ssmi, over_vumi::Vumi};

pub(crate) const LINK: LinkId = LinkId(1);
pub(crate) const PHONE: &str = "27831234567";

/// What takes events: the engine, or a bare loop around `step`.
pub(crate) trait Host {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>));
    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>));
    fn state(&self, phone: Subscriber) -> Option<(State, u16)>;
    fn deadline(&self, phone: Subscriber) -> Option<Millis>;

    /// What the last call of the application was told of an earlier session, if it goes on with one.
    fn resumed(&mut self) -> Option<String> {
        None
    }
}

impl Host for Engine {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        Engine::handle(self, LINK, event, now, |effect: Effect<'_>| out(effect));
        count(self, now);
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        while self.poll(now, 3, |effect: Effect<'_>| out(effect)).more {
            count(self, now);
        }
        count(self, now);
        let gauges = self.gauges();
        assert_eq!((gauges.behind, gauges.unvisited), (Duration::ZERO, 0), "nothing is left to do");
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.record(LINK, phone).map(|record| (record.state(), record.token().turn))
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.record(LINK, phone).map(|record| record.deadline())
    }
}

/// What an engine says of itself is what a look at all its records finds.
fn count(engine: &Engine, now: Millis) {
    let (mut states, mut first) = ([0; 5], None);
    for saved in engine.snapshot() {
        let record = saved.record();
        let state = match record.state() {
            State::AppTurn => 0,
            State::UserTurn => 1,
            State::Inviting => 2,
            State::Notifying => 3,
            _ => 4,
        };
        states[state] += 1;
        first = first.into_iter().chain([record.deadline()]).min();
    }
    let gauges = engine.gauges();
    let counted = [gauges.app_turn, gauges.user_turn, gauges.inviting, gauges.notifying, gauges.closed];
    assert_eq!(counted, states, "sessions by state");
    assert_eq!((engine.live(), engine.closed()), (gauges.live(), gauges.closed));
    assert_eq!(engine.scheduled(), engine.live() + engine.closed(), "the wheel holds each session once");
    let overdue = first.map_or(Duration::ZERO, |first| now.since(first));
    assert!(gauges.behind >= overdue, "{:?} behind, {overdue:?} overdue", gauges.behind);
}

/// One host, its clock, and the sessions seen so far.
pub(crate) struct World<H> {
    pub(crate) host: H,
    pub(crate) now: Millis,
    sessions: Vec<SessionId>,
    pub(crate) phone: Subscriber,
}

impl<H: Host> World<H> {
    pub(crate) fn new(host: H) -> Self {
        Self { host, now: Millis(1_790_000_000_000), sessions: Vec::new(), phone: PHONE.parse().unwrap() }
    }

    /// Plays the rows and compares.
    pub(crate) fn play(&mut self, name: &str, table: &str) {
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let mut columns = row.split('|').map(str::trim);
            let (when, then) = (columns.next().unwrap(), columns.next().expect("what follows"));
            let followed = when.split(';').flat_map(|one| self.happens(one.trim())).collect::<Vec<_>>().join(" ");
            let followed = if followed.is_empty() { "-".to_owned() } else { followed.replace('\n', "\\n") };
            assert_eq!(followed, then, "{name}: {row}");
            if let Some(state) = columns.next() {
                assert_eq!(self.state_name(), state, "{name}: state after {row}");
            }
        }
    }

    fn state_name(&self) -> String {
        match self.host.state(self.phone) {
            None => "None".into(),
            Some((State::Closed(_), _)) => "Closed".into(),
            Some((state @ (State::Inviting | State::Notifying), _)) => format!("{state:?}"),
            Some((state, turn)) => format!("{state:?} {turn}"),
        }
    }

    /// Does one thing; what follows, in the notation of the tables.
    pub(crate) fn happens(&mut self, one: &str) -> Vec<String> {
        let now = self.now;
        if let Some(seconds) = one.strip_prefix('+') {
            let span = Duration::from_secs_f64(seconds.parse().expect("seconds"));
            self.now = now.after(span);
            return self.tick();
        }
        if let Some(seconds) = one.strip_prefix("clock-") {
            let span: u64 = seconds.parse().expect("seconds");
            self.now = Millis(now.0 - span * 1000);
            return self.tick();
        }
        let said = notation::Said::read(one);
        if let Some(from) = said.option("from") {
            self.phone = from.parse().expect("a number");
        }
        let token = said.turn.map(|(session, turn)| {
            let session = session.map_or(self.sessions.len(), usize::from).checked_sub(1);
            let id = session.and_then(|at| self.sessions.get(at).copied());
            TurnToken { session: id.unwrap_or(SessionId::from_bits(77).unwrap()), turn }
        });
        let event = said.event(self.phone, token);
        let mut lines = Vec::new();
        let sessions = &mut self.sessions;
        self.host.handle(event, now, &mut |effect| lines.push(describe(&effect, sessions)));
        lines.extend(self.host.resumed().map(|resumed| format!("[{resumed}]")));
        lines
    }

    /// Lets the host do what is due.
    pub(crate) fn tick(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let sessions = &mut self.sessions;
        self.host.tick(self.now, &mut |effect| lines.push(describe(&effect, sessions)));
        lines
    }
}

/// Plays a table on the bare step, on the engine, on the engine behind each adapter, and on two machines over a store:
/// the one in memory, and if ignored tests are asked for a real Redis.
pub(crate) fn play(name: &str, policy: Policy, table: &str) {
    World::new(Bare::new(policy.clone())).play(&format!("{name}, bare"), table);
    let engine = || Engine::new(Config::default().policy(policy.clone()));
    World::new(engine()).play(&format!("{name}, engine"), table);
    World::new(Through::new(Ssmi::default(), engine())).play(&format!("{name}, SSMI"), table);
    World::new(Through::new(Vumi::default(), engine())).play(&format!("{name}, Vumi"), table);
    for (profile, vendor) in vendors() {
        World::new(Through::new(Smpp(profile), engine())).play(&format!("{name}, SMPP {vendor}"), table);
    }
    #[cfg(feature = "store")]
    World::new(stored::in_memory(&policy)).play(&format!("{name}, store"), table);
    #[cfg(feature = "redis")]
    if redis_server::is_asked_for() {
        let server = redis_server::RedisServer::start(&[]);
        World::new(stored::in_redis(&server, &policy)).play(&format!("{name}, Redis"), table);
    }
}

fn vendors() -> [(Profile, &'static str); 4] {
    let (generic, tata) = ((Profile::generic(), "generic"), (Profile::tata(), "Tata"));
    [generic, tata, (Profile::sixdee(), "6D"), (Profile::mica(), "Mica")]
}

/// As [`play`] for what screens do: on the engine with them before it, behind adapters that carry the text, and on two
/// machines over a store.
pub(crate) fn play_screens(name: &str, policy: &Policy, table: &str) {
    let screened = || Screened::new(policy.clone());
    World::new(screened()).play(&format!("{name}, screens"), table);
    World::new(Through::new(Vumi::default(), screened())).play(&format!("{name}, Vumi"), table);
    if table.is_ascii() {
        World::new(Through::new(Ssmi::default(), screened())).play(&format!("{name}, SSMI"), table);
        for (profile, vendor) in vendors() {
            World::new(Through::new(Smpp(profile), screened())).play(&format!("{name}, SMPP {vendor}"), table);
        }
    }
    #[cfg(feature = "store")]
    World::new(stored::in_memory(policy)).play(&format!("{name}, store"), table);
    #[cfg(feature = "redis")]
    if redis_server::is_asked_for() {
        let server = redis_server::RedisServer::start(&[]);
        World::new(stored::in_redis(&server, policy)).play(&format!("{name}, Redis"), table);
    }
}

/// An effect in the notation of the tables.
pub(crate) fn describe(effect: &Effect<'_>, sessions: &mut Vec<SessionId>) -> String {
    let mut mark = |session: SessionId| {
        let at = sessions.iter().position(|known| *known == session).unwrap_or_else(|| {
            sessions.push(session);
            sessions.len() - 1
        });
        if at == 0 { String::new() } else { format!("#{}", at + 1) }
    };
    match &effect.action {
        Action::Send(frame) => {
            let name = match frame.kind {
                FrameKind::Prompt => "P",
                FrameKind::Final => "F",
                FrameKind::AskPush => "Ask",
                FrameKind::TellPush => "Tell",
                FrameKind::Abort => return "Ab".into(),
                FrameKind::Redirect => "Rd",
                other => panic!("{other:?}"),
            };
            format!("{name}({}){}", frame.text.as_str(), if frame.again { "again" } else { "" })
        }
        Action::Call(Callback::New { token, orphan, .. }) => {
            let orphan = orphan.map(|text| format!("(orphan {})", text.as_str())).unwrap_or_default();
            format!("New{}{orphan}", mark(token.session))
        }
        Action::Call(Callback::Existing { text, .. }) => format!("Ex({})", text.as_str()),
        Action::Call(Callback::TimedOut { token, side, .. }) => format!("TO({side:?}){}", mark(token.session)),
        Action::Call(Callback::Ended { token, why, .. }) => format!("End({why:?}){}", mark(token.session)),
        Action::Reject { subject: Subject::Turn(_) | Subject::Push(_), why } => format!("Rej({why:?})"),
        Action::Pushed { token, .. } => format!("Pushed{}", mark(token.session)),
        Action::Coalesced { .. } => "Coalesced".into(),
        Action::Closed(summary) => format!("Cl({:?}){}", summary.reason, mark(summary.session)),
        Action::Ignored(why) => format!("!{why:?}"),
        other => panic!("not for a sink: {other:?}"),
    }
}

/// The effects of a runner until the wanted one, callbacks left out.
pub(crate) async fn until(effects: &mut mpsc::Receiver<OwnedEffect>, wanted: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let effect = tokio::time::timeout(Duration::from_secs(1000), effects.recv()).await;
        let effect = effect.unwrap_or_else(|_| panic!("{wanted} never came: {lines:?}")).unwrap();
        let effect = effect.as_effect();
        if !matches!(effect.action, Action::Call(_)) {
            lines.push(describe(&effect, &mut Vec::new()));
        }
        if lines.last().is_some_and(|line| line == wanted) {
            return lines;
        }
    }
}
