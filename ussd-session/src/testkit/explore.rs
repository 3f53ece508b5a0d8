//! A search for schedules that break a promise.

use std::fmt;

use fastrand::Rng;

use super::{
    act::Act,
    check::{Broken, Checker},
    host::Host,
};
use crate::{
    action::{Action, Callback},
    engine::Effect,
    event::{Event, NetWhy, Phase, SendWhy},
    ids::{DedupKey, NetId, SessionId, TurnToken},
    owned::{OwnedEffect, OwnedEvent},
    policy::Policy,
    subscriber::Subscriber,
    text::Text,
    time::Millis,
};

/// Plays `schedules` random schedules on what `host` makes, and checks after every step what the machine promises.
///
/// The same seed gives the same schedules. See [`Explorer`] for more choices.
///
/// ```
/// use ussd_session::testkit::{Bare, explore};
///
/// let explored = explore(1, 200, |policy| Bare::new(policy.clone()))?;
/// assert_eq!(explored.schedules, 200);
/// # Ok::<(), ussd_session::testkit::Finding>(())
/// ```
///
/// # Errors
/// The shortest script that breaks a promise.
pub fn explore<H: Host>(seed: u64, schedules: u64, host: impl FnMut(&Policy) -> H) -> Result<Explored, Finding> {
    Explorer::new(seed).run(schedules, host)
}

/// What is explored, and how.
#[derive(Clone, Debug)]
pub struct Explorer {
    seed: u64,
    longest: usize,
    policy: Policy,
}

/// How much was explored without a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Explored {
    /// Schedules played.
    pub schedules: u64,
    /// Things that happened in them.
    pub acts: u64,
}

/// A promise that was broken, and the shortest script found that breaks it. `Display` prints both.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Finding {
    /// The seed of the search.
    pub seed: u64,
    /// The schedule, from 0, in which it was found.
    pub schedule: u64,
    /// True if the gateway gives each dialogue an id and each message a key against doubles.
    pub ids: bool,
    /// What is to happen for it, and no act of it can be left out.
    pub script: Vec<Act>,
    /// What was broken, and by what.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, schedule, ids, script, problem } = self;
        let ids = if *ids { "with" } else { "without" };
        writeln!(f, "seed {seed}, schedule {schedule}, {ids} ids and keys of the network:")?;
        script.iter().try_for_each(|act| writeln!(f, "    {act}"))?;
        write!(f, "{problem}")
    }
}

impl Explorer {
    /// Schedules of up to 40 acts, with the default policy and a link that can abort and redirect.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, longest: 40, policy: Policy::default().can_abort(true).can_redirect(true) }
    }

    /// The policy that the host is made with. Its guards against quick answers and late ends are to be off.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The most acts of a schedule.
    #[must_use]
    pub fn longest(mut self, acts: usize) -> Self {
        self.longest = acts.max(1);
        self
    }

    /// Plays the schedules. A host is used for many of them, one after the other; a finding is repeated on new ones.
    ///
    /// # Errors
    /// The shortest script that breaks a promise.
    pub fn run<H: Host>(&self, schedules: u64, mut make: impl FnMut(&Policy) -> H) -> Result<Explored, Finding> {
        let mut random = Rng::with_seed(self.seed);
        let (mut host, mut now, mut acts) = (make(&self.policy), START, 0);
        for schedule in 0..schedules {
            let script = self.draw(&mut random);
            // Half of the gateways give ids and keys.
            let ids = schedule % 2 == 0;
            acts += u64::try_from(script.len()).unwrap_or(u64::MAX);
            if let Err(broken) = Play::new(&self.policy, ids, now).all(&mut host, &script, &mut now) {
                let mut fails = |script: &[Act]| {
                    let mut now = START;
                    Play::new(&self.policy, ids, now).all(&mut make(&self.policy), script, &mut now).err()
                };
                let (script, broken) = shortest(script, broken, &mut fails);
                let problem = broken.to_string();
                return Err(Finding { seed: self.seed, schedule, ids, script, problem });
            }
        }
        Ok(Explored { schedules, acts })
    }

    fn draw(&self, random: &mut Rng) -> Vec<Act> {
        let len = random.usize(1..=self.longest);
        (0..len).map(|_| Act::draw(random)).collect()
    }
}

const START: Millis = Millis(1_790_000_000_000);

/// Leaves out what can be left out, and makes the rest as plain as can be.
fn shortest(script: Vec<Act>, broken: Broken, fails: &mut impl FnMut(&[Act]) -> Option<Broken>) -> (Vec<Act>, Broken) {
    let (mut best, mut why) = (script, broken);
    if fails(&best).is_none() {
        return (best, why); // it takes a host that has seen more
    }
    loop {
        let len = best.len();
        while let Some((shorter, broken)) = leave_out(&best, fails) {
            (best, why) = (shorter, broken);
        }
        for at in 0..best.len() {
            for plainer in best.get(at).map(|act| act.plainer()).unwrap_or_default() {
                let mut script = best.clone();
                if let Some(place) = script.get_mut(at) {
                    *place = plainer;
                }
                if let Some(broken) = fails(&script) {
                    (best, why) = (script, broken);
                    break;
                }
            }
        }
        if best.len() == len {
            return (best, why);
        }
    }
}

/// A script without some of its acts that still fails: halves, quarters, single ones; then any two, which alone would
/// make nonsense of the rest. None if none can be left out.
pub(super) fn leave_out<A: Clone, F>(script: &[A], fails: &mut impl FnMut(&[A]) -> Option<F>) -> Option<(Vec<A>, F)> {
    let (mut best, mut found) = (script.to_vec(), None);
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < best.len() {
            let without: Vec<A> = best.iter().take(at).chain(best.iter().skip(at + size)).cloned().collect();
            match fails(&without) {
                Some(failure) => (best, found) = (without, Some(failure)),
                None => at += size,
            }
        }
        size /= 2;
    }
    if let Some(found) = found {
        return Some((best, found));
    }
    let pairs = (0..best.len()).flat_map(|first| (first + 1..best.len()).map(move |second| (first, second)));
    for (first, second) in pairs {
        let rest = (0..).zip(&best).filter(|(at, _)| *at != first && *at != second);
        let without: Vec<A> = rest.map(|(_, act)| act.clone()).collect();
        if let Some(failure) = fails(&without) {
            return Some((without, failure));
        }
    }
    None
}

/// One schedule while it is played: the phones, their gateway, and an application that replies as it is told.
struct Play<'p> {
    checker: Checker<'p>,
    ids: bool,
    now: Millis,
    phones: [Phone; 3],
    /// Makes ids, keys and texts that no other has.
    count: u64,
    /// What follows next is lost.
    lost: bool,
}

/// A phone and what its gateway and its application remember.
#[derive(Default)]
struct Phone {
    net: Option<u64>,
    before: Option<u64>,
    said: Option<OwnedEvent>,
    turns: Vec<TurnToken>,
    sent: Option<TurnToken>,
}

impl<'p> Play<'p> {
    fn new(policy: &'p Policy, ids: bool, now: Millis) -> Self {
        let (checker, phones) = (Checker::new(policy), Default::default());
        Self { checker, ids, now, phones, count: 0, lost: false }
    }

    /// Plays a script, and then lets time pass until all is over.
    fn all(mut self, host: &mut impl Host, script: &[Act], now: &mut Millis) -> Result<(), Broken> {
        for act in script {
            self.one(host, *act)?;
        }
        let policy = self.checker.policy();
        // Tombstones a little longer: a session may have ended at this very tick.
        for span in [policy.total_timer, policy.tombstone + 10_000] {
            self.now = Millis(self.now.0 + u64::from(span));
            self.tick(host)?;
        }
        *now = self.now;
        self.checker.at_the_end()?;
        match host.records() {
            0 => Ok(()),
            left => Err(Broken::left(left)),
        }
    }

    fn one(&mut self, host: &mut impl Host, act: Act) -> Result<(), Broken> {
        match act {
            Act::Wait(span) => {
                self.now = Millis(self.now.0 + span);
                self.tick(host)
            }
            Act::ClockBack => {
                let mut effects = Vec::new();
                host.poll(Millis(self.now.0 - 100_000), &mut |effect| effects.push(OwnedEffect::from(effect)));
                self.follow(&Event::Tick, &effects)
            }
            Act::Crash => {
                // Whoever takes over needs a while.
                self.now = Millis(self.now.0 + 1_000);
                self.tick(host)?;
                self.lost = host.crash();
                if !self.lost {
                    self.checker.forget();
                }
                Ok(())
            }
            _ => match self.event(act) {
                Some(event) => {
                    let mut effects = Vec::new();
                    let event = event.as_event();
                    host.handle(&event, self.now, &mut |effect| effects.push(OwnedEffect::from(effect)));
                    self.follow(&event, &effects)
                }
                None => Ok(()),
            },
        }
    }

    fn tick(&mut self, host: &mut impl Host) -> Result<(), Broken> {
        let mut effects = Vec::new();
        host.poll(self.now, &mut |effect| effects.push(OwnedEffect::from(effect)));
        self.follow(&Event::Tick, &effects)
    }

    /// Checks what followed, and lets gateway and application hear of it.
    fn follow(&mut self, event: &Event<'_>, effects: &[OwnedEffect]) -> Result<(), Broken> {
        let effects: Vec<Effect<'_>> = effects.iter().map(OwnedEffect::as_effect).collect();
        self.checker.check(event, self.now, &effects)?;
        if std::mem::take(&mut self.lost) {
            return Ok(());
        }
        for effect in effects {
            let Some(phone) = (0..3).find(|at| number(*at) == Some(effect.subscriber)) else { continue };
            let Some(phone) = self.phones.get_mut(usize::from(phone)) else { continue };
            match effect.action {
                Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. })
                | Action::Pushed { token, .. } => phone.turns.push(token),
                Action::Send(frame) => phone.sent = frame.token,
                _ => {}
            }
        }
        Ok(())
    }

    /// What an act means now; none if it is about something that never was.
    fn event(&mut self, act: Act) -> Option<OwnedEvent> {
        self.count += 1;
        let (count, ids) = (self.count, self.ids);
        let to = act.phone().and_then(number);
        let (Some(to), Some(at)) = (to, act.phone()) else {
            return match act {
                Act::LinkDown => Some(Event::LinkDown.into()),
                Act::LinkUp => Some(Event::LinkUp.into()),
                _ => None,
            };
        };
        let phone = self.phones.get_mut(usize::from(at))?;
        let turn = |back: u8| {
            let known = phone.turns.len().checked_sub(1 + usize::from(back)).and_then(|at| phone.turns.get(at));
            known.copied().or_else(|| Some(TurnToken { session: SessionId::from_bits(7)?, turn: 1 }))
        };
        let net_id = |net: Option<u64>| match net.filter(|_| ids) {
            Some(net) => NetId::new(&net.to_be_bytes()).unwrap_or(NetId::NONE),
            None => NetId::NONE,
        };
        let (from, net, dedup) = (to, net_id(phone.net), ids.then(|| DedupKey::of(&count.to_be_bytes())));
        let text = format!("{count}");
        let event: OwnedEvent = match act {
            Act::Dial(_) | Act::DialPhaseOne(_) => {
                (phone.before, phone.net) = (phone.net, Some(count));
                let phase = if matches!(act, Act::Dial(_)) { Phase::Two } else { Phase::One };
                Event::Begin { from, dialled: "*120*1#", net: net_id(phone.net), phase, dedup }.into()
            }
            Act::Type(_) => Event::Answer { from, text: Text::public(&text), net, dedup }.into(),
            Act::HangUp(_) => Event::UserEnd { from, net, text: None }.into(),
            Act::Twice(_) => return phone.said.clone(),
            Act::LateHangUp(_) => {
                let net = net_id(Some(phone.before.filter(|_| ids)?));
                return Some(Event::UserEnd { from, net, text: None }.into());
            }
            Act::NetTimeout(_) => Event::NetTimeout { from, net, text: None }.into(),
            Act::NetError(_) => Event::NetError { from, net, why: NetWhy::Absent }.into(),
            Act::Busy(_) => Event::NetError { from, net, why: NetWhy::UssdBusy }.into(),
            Act::Shown(_) => Event::NotifyOk { from, net }.into(),
            Act::Refuse(_) => {
                return Some(Event::SendFailed { to, token: phone.sent?, why: SendWhy::NoAnswer }.into());
            }
            Act::Reply(_, back, verb) => {
                return Some(Event::Reply { to, token: turn(back)?, verb, text: Text::public(&text) }.into());
            }
            Act::Abort(_, back) => return Some(Event::Abort { to, token: turn(back)? }.into()),
            Act::Redirect(_, back) => {
                return Some(Event::Redirect { to, token: turn(back)?, target: "*9#" }.into());
            }
            Act::Fail(_, back) => return Some(Event::HandlerFailed { to, token: turn(back)? }.into()),
            Act::Push(_, kind) => {
                (phone.before, phone.net) = (phone.net, None);
                return Some(Event::Push { to, kind, text: Text::public(&text), correlation: count }.into());
            }
            Act::LinkDown | Act::LinkUp | Act::Wait(_) | Act::ClockBack | Act::Crash => return None,
        };
        phone.said = Some(event.clone());
        Some(event)
    }
}

/// The number of a phone.
fn number(phone: u8) -> Option<Subscriber> {
    const NUMBERS: [&str; 3] = ["27830000000", "27830000001", "27830000002"];
    NUMBERS.get(usize::from(phone))?.parse().ok()
}
