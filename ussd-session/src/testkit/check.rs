//! What the machine promises, checked after every step.

use std::{collections::HashSet, fmt};

use crate::{
    action::{Action, Callback, CloseReason, EndWhy, Frame, FrameKind, Reject, Side, Subject},
    engine::Effect,
    event::{Event, Phase, PushKind, Verb},
    ids::{DedupKey, NetId, SessionId, TurnToken},
    policy::{Orphans, Policy},
    subscriber::Subscriber,
    time::Millis,
};

/// A promise that was broken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Broken {
    promise: &'static str,
    by: String,
}

impl Broken {
    pub(super) fn left(records: usize) -> Self {
        Self { promise: "nothing is left when all is over", by: format!("{records} records") }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.by)
    }
}

/// Follows the sessions of some phones by what is said of them, and knows nothing of how they are held.
pub(super) struct Checker<'p> {
    policy: &'p Policy,
    open: Vec<(Subscriber, Open)>,
    known: HashSet<SessionId>,
    now: Millis,
}

/// A session, as far as it has been heard of.
#[derive(Clone, Debug)]
struct Open {
    token: TurnToken,
    at: Turn,
    push: Option<PushKind>,
    opened: Millis,
    since: Millis,
    phase: Phase,
    net: NetId,
    begin_key: Option<DedupKey>,
    answer_key: Option<DedupKey>,
    grace: Option<Millis>,
    held: Option<(Verb, Box<str>)>,
    told: bool,
    /// A frame was sent after which the network has nothing open.
    released: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    App,
    User,
    Push,
}

/// How a reply fared.
#[derive(Default)]
struct Outcome {
    sent: usize,
    refused: usize,
    called: usize,
    begun: usize,
    closed: usize,
}

type Checked = Result<(), Broken>;

/// True unless both are ids and differ.
fn agree(one: &NetId, other: &NetId) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn ensure(holds: bool, promise: &'static str, by: &dyn fmt::Debug) -> Checked {
    if holds { Ok(()) } else { Err(Broken { promise, by: format!("{by:?}") }) }
}

impl<'p> Checker<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self { policy, open: Vec::new(), known: HashSet::new(), now: Millis(0) }
    }

    pub(super) fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// The sessions are gone, and nobody says so.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    /// One thing that happened, and all that followed.
    pub(super) fn check(&mut self, event: &Event<'_>, now: Millis, effects: &[Effect<'_>]) -> Checked {
        self.now = self.now.max(now);
        if let Event::LinkUp = event {
            self.open.iter_mut().for_each(|(_, open)| open.grace = None);
        }
        let phone = event.subscriber();
        let before = phone.and_then(|phone| self.of(phone).cloned()).filter(|open| open.due(self.policy) > self.now);
        let was_open = phone.is_some_and(|phone| self.of(phone).is_some());
        let mut outcome = Outcome::default();
        for effect in effects {
            ensure(phone.is_none_or(|phone| phone == effect.subscriber), "only the phone itself is concerned", effect)?;
            self.follow(event, effect, &mut outcome)?;
        }
        self.owed(event, before.as_ref(), was_open, &outcome)?;
        if let Event::LinkDown = event {
            let until = self.now.after(std::time::Duration::from_millis(self.policy.grace.into()));
            self.open.iter_mut().for_each(|(_, open)| open.grace = open.grace.or(Some(until)));
        }
        if let Event::Tick = event {
            let late = self.open.iter().find(|(_, open)| open.due(self.policy) <= self.now);
            ensure(late.is_none(), "nothing overdue is left", &late)?;
        }
        Ok(())
    }

    /// At the end of all time.
    pub(super) fn at_the_end(&self) -> Checked {
        ensure(self.open.is_empty(), "every session ends", &self.open.first())
    }

    fn of(&self, phone: Subscriber) -> Option<&Open> {
        self.open.iter().find(|(of, _)| *of == phone).map(|(_, open)| open)
    }

    fn follow(&mut self, event: &Event<'_>, effect: &Effect<'_>, outcome: &mut Outcome) -> Checked {
        let (policy, now) = (self.policy, self.now);
        let place = self.open.iter().position(|(of, _)| *of == effect.subscriber);
        let open = place.and_then(|place| self.open.get_mut(place)).map(|(_, open)| open);
        let by: &dyn fmt::Debug = &effect.action;
        match &effect.action {
            Action::Send(frame) if frame.token.is_none() => {
                let answers = matches!(event, Event::Begin { .. } | Event::Answer { .. });
                ensure(answers && frame.kind == FrameKind::Final, "who is in no session is told so, no more", by)
            }
            Action::Send(frame) => {
                let Some(open) = open.filter(|open| Some(open.token) == frame.token) else {
                    return ensure(false, "no frame but of the open session and its current turn", by);
                };
                ensure(!open.released, "no frame after the last one", by)?;
                ensure(open.grace.is_none(), "no frame while the link is down", by)?;
                outcome.sent += usize::from(open.frame(event, frame, policy, now)?);
                Ok(())
            }
            Action::Call(Callback::New { token, dialled, orphan }) => {
                ensure(open.is_none(), "one session for a phone at a time, the old one ends first", by)?;
                ensure(token.turn == 1, "turns count from 1", by)?;
                let open = match event {
                    Event::Begin { dialled: code, net, phase, dedup, .. } => {
                        ensure(code == dialled, "the code is given as dialled", by)?;
                        Open { phase: *phase, begin_key: *dedup, ..Open::new(*token, Turn::App, net, now) }
                    }
                    Event::Answer { net, dedup, .. } if policy.orphans == Orphans::Adopt && orphan.is_some() => {
                        Open { answer_key: *dedup, ..Open::new(*token, Turn::App, net, now) }
                    }
                    _ => return ensure(false, "a session begins when a phone dials", by),
                };
                outcome.begun += 1;
                self.begin(effect.subscriber, open)
            }
            Action::Pushed { token, .. } => {
                let Event::Push { kind, .. } = event else { return ensure(false, "pushes are asked for", by) };
                ensure(open.is_none() && token.turn == 0, "one session for a phone at a time", by)?;
                let open = Open { push: Some(*kind), ..Open::new(*token, Turn::Push, &NetId::NONE, now) };
                outcome.begun += 1;
                self.begin(effect.subscriber, open)
            }
            Action::Call(callback) => {
                let Some(open) = open.filter(|open| open.token.session == callback.token().session) else {
                    return ensure(false, "no call but of the open session", by);
                };
                ensure(!open.told, "no call after the last one", by)?;
                match callback {
                    Callback::Existing { token, .. } => {
                        outcome.called += 1;
                        open.existing(event, *token, callback, now)
                    }
                    _ => open.ended(event, callback, policy, now),
                }
            }
            Action::Reject { subject: Subject::Turn(token), why } => {
                let over = open.filter(|open| open.token == *token && matches!(why, Reject::Closed(_)));
                if over.and_then(|open| open.held.take()).is_some() {
                    return Ok(()); // what waited for the link
                }
                outcome.refused += 1;
                let asked = match event {
                    Event::Reply { token: quoted, .. }
                    | Event::Abort { token: quoted, .. }
                    | Event::Redirect { token: quoted, .. } => quoted == token,
                    _ => false,
                };
                ensure(asked, "what is refused was said", by)
            }
            Action::Reject { subject: Subject::Push(_), .. } => {
                outcome.refused += 1;
                ensure(matches!(event, Event::Push { .. }), "what is refused was said", by)
            }
            Action::Coalesced { token } => {
                let current = open.is_some_and(|open| open.token == *token && open.at == Turn::App);
                ensure(current, "doubles wait for the turn under way", by)
            }
            Action::Closed(summary) => {
                outcome.closed += 1;
                let Some((_, open)) = place.map(|place| self.open.remove(place)) else {
                    return ensure(false, "a session ends once", by);
                };
                ensure(open.token.session == summary.session, "it is the open session that ends", by)?;
                ensure(open.token.turn == summary.turns, "the turns are counted", by)?;
                ensure(open.held.is_none(), "every reply is sent or refused", by)?;
                open.closed(event, summary.reason, policy, now)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, phone: Subscriber, open: Open) -> Checked {
        ensure(self.known.insert(open.token.session), "no session id is given twice", &open.token)?;
        self.open.push((phone, open));
        Ok(())
    }

    /// What had to follow. `before` is the session before the event, unless it was over by then.
    fn owed(&mut self, event: &Event<'_>, before: Option<&Open>, was_open: bool, outcome: &Outcome) -> Checked {
        let answered = "every reply of the current turn is sent, every other one refused";
        match event {
            Event::Reply { to, token, verb, text } => {
                let accepted = before.filter(|open| open.awaits(*token));
                let expected = match accepted {
                    Some(open) if open.grace.is_some() => {
                        let kept = self.open.iter_mut().find(|(of, _)| of == to).map(|(_, open)| open);
                        if let Some(kept) = kept {
                            kept.held = Some((*verb, text.as_str().into()));
                        }
                        (0, 0)
                    }
                    Some(_) => (1, 0),
                    None => (usize::from(was_open && before.is_none()) * outcome.sent, 1),
                };
                ensure((outcome.sent, outcome.refused) == expected, answered, event)
            }
            Event::Abort { token, .. } => {
                let accepted = before.is_some_and(|open| open.token == *token && open.held.is_none());
                let closes = before.is_some() && outcome.closed == 1;
                ensure(closes == accepted && (outcome.refused == 1) != accepted, answered, event)
            }
            Event::Redirect { token, .. } => {
                let may = before.is_some_and(|open| open.awaits(*token) && open.grace.is_none());
                let accepted = may && self.policy.can_redirect;
                ensure((outcome.refused == 1) != accepted, answered, event)
            }
            Event::HandlerFailed { token, .. } => {
                let over = before.is_some_and(|open| open.awaits(*token));
                ensure(!over || outcome.closed == 1, "a handler that fails ends its session", event)
            }
            Event::Push { .. } => {
                let fits =
                    (outcome.begun, outcome.refused) == (usize::from(before.is_none()), usize::from(before.is_some()));
                ensure(fits, "a push goes out, or is refused when the phone is in a session", event)
            }
            Event::Begin { net, dedup, .. } => {
                let is_new = match before {
                    Some(open) => dedup.is_some() && open.begin_key.is_some() && open.begin_key != *dedup,
                    None => false,
                };
                ensure(!is_new || outcome.begun == 1, "who dials gets a session", event)?;
                let is_double = before.is_some_and(|open| {
                    dedup.is_some() && open.begin_key == *dedup && open.push.is_none() && open.net == *net
                });
                ensure(!is_double || outcome.begun == 0, "what comes twice counts once", event)
            }
            Event::Answer { net, dedup, .. } => {
                let counts = before.is_some_and(|open| {
                    let double = dedup.is_some() && open.answer_key == *dedup;
                    open.at != Turn::App && !double && agree(&open.net, net)
                });
                ensure(!counts || outcome.called == 1, "no answer is lost", event)?;
                if let Some(open) =
                    event.subscriber().and_then(|phone| self.open.iter_mut().find(|(of, _)| *of == phone))
                    && open.1.at == Turn::App
                    && outcome.called == 0
                    && agree(&open.1.net, net)
                {
                    open.1.answer_key = open.1.answer_key.or(*dedup);
                }
                Ok(())
            }
            Event::UserEnd { net, .. } | Event::NetTimeout { net, .. } => {
                let Some(open) = before else { return Ok(()) };
                if agree(&open.net, net) {
                    ensure(outcome.closed == 1, "an end of the network's is the end", event)
                } else {
                    ensure(outcome.closed == 0, "what belongs to another dialogue ends nothing", event)
                }
            }
            Event::LinkUp => {
                let held = self.open.iter().find(|(_, open)| open.held.is_some());
                ensure(held.is_none(), "what waited for the link is sent", &held)
            }
            _ => Ok(()),
        }
    }
}

impl Open {
    fn new(token: TurnToken, at: Turn, net: &NetId, now: Millis) -> Self {
        Self {
            token,
            at,
            push: None,
            opened: now,
            since: now,
            phase: Phase::Two,
            net: net.clone(),
            begin_key: None,
            answer_key: None,
            grace: None,
            held: None,
            told: false,
            released: false,
        }
    }

    /// True if a reply to this turn is welcome.
    fn awaits(&self, token: TurnToken) -> bool {
        self.token == token && self.at == Turn::App && self.held.is_none()
    }

    /// When the time of its state is over.
    fn state_due(&self, policy: &Policy) -> Millis {
        let timer = match self.at {
            Turn::App => policy.app_timer,
            Turn::User => policy.user_timer,
            Turn::Push => policy.push_timer,
        };
        Millis(self.since.0 + u64::from(timer))
    }

    fn total_due(&self, policy: &Policy) -> Millis {
        Millis(self.opened.0 + u64::from(policy.total_timer))
    }

    fn due(&self, policy: &Policy) -> Millis {
        let due = self.state_due(policy).min(self.total_due(policy));
        self.grace.map_or(due, |grace| due.min(grace))
    }

    /// A frame of the current turn; true if it is what the application said.
    fn frame(&mut self, event: &Event<'_>, frame: &Frame<'_>, policy: &Policy, now: Millis) -> Result<bool, Broken> {
        let held = self.held.clone();
        let said = match (event, &held) {
            (Event::Reply { token, verb, text, .. }, _) if *token == self.token => Some((*verb, text.as_str())),
            (Event::LinkUp, Some((verb, text))) => Some((*verb, &**text)),
            _ => None,
        };
        let own = said.filter(|(_, text)| *text == frame.text.as_str());
        let overdue = self.due(policy) <= now;
        match frame.kind {
            FrameKind::Prompt if frame.again => {
                let asked = matches!(event, Event::Begin { .. } | Event::Answer { .. });
                ensure(asked && self.at == Turn::User, "a prompt is repeated only for the network", frame)?;
            }
            FrameKind::Prompt => {
                ensure(self.phase != Phase::One, "no prompt for a phone that cannot answer it", frame)?;
                ensure(self.at == Turn::App, "between two prompts stands an answer", frame)?;
                let fits = own.is_some_and(|(verb, _)| verb == Verb::Continue);
                ensure(fits, "nothing is shown but what the current turn was answered with", frame)?;
                (self.at, self.since, self.held) = (Turn::User, now, None);
                return Ok(true);
            }
            FrameKind::Final => {
                self.released = true;
                let fallback = policy.fallback.as_deref() == Some(frame.text.as_str());
                let failed = matches!(event, Event::HandlerFailed { token, .. } if *token == self.token);
                let broken_off = matches!(event, Event::Abort { .. }) && frame.text.as_str().is_empty();
                let ours = fallback && (overdue || failed) || broken_off;
                ensure(self.at == Turn::App, "a last text answers a turn", frame)?;
                let ends = own.is_some_and(|(verb, _)| verb == Verb::End || self.phase == Phase::One);
                ensure(ends || ours, "nothing is shown but what the current turn was answered with", frame)?;
                self.held = None;
                return Ok(ends && !(overdue && fallback));
            }
            FrameKind::AskPush | FrameKind::TellPush => {
                let pushed = matches!(event, Event::Push { .. }) && self.at == Turn::Push && self.token.turn == 0;
                ensure(pushed, "a push goes out when it is asked for", frame)?;
            }
            FrameKind::Abort => {
                let slow = policy.abort_on_user_slow && overdue;
                ensure(matches!(event, Event::Abort { .. }) || slow, "who breaks off said so", frame)?;
                self.released = true;
            }
            FrameKind::Redirect => {
                let asked = matches!(event, Event::Redirect { token, .. } if *token == self.token);
                ensure(asked && self.at == Turn::App, "who hands on said so", frame)?;
                self.released = true;
            }
        }
        Ok(false)
    }

    fn existing(&mut self, event: &Event<'_>, token: TurnToken, by: &Callback<'_>, now: Millis) -> Checked {
        ensure(self.at != Turn::App, "one call for a turn", by)?;
        ensure(token.turn == self.token.turn + 1, "turns have no gaps", by)?;
        let Callback::Existing { text, .. } = by else { return Ok(()) };
        match event {
            Event::Answer { text: typed, net, dedup, .. } => {
                ensure(typed.as_str() == text.as_str(), "the answer is given as typed", by)?;
                ensure(agree(&self.net, net), "an answer of another dialogue is none", by)?;
                ensure(dedup.is_none() || self.answer_key != *dedup, "what comes twice counts once", by)?;
                self.answer_key = *dedup;
                if !net.is_none() {
                    self.net = net.clone();
                }
            }
            Event::NotifyOk { net, .. } => {
                ensure(self.push == Some(PushKind::TellFirst) && self.at == Turn::Push, "a notice is no answer", by)?;
                self.answer_key = None;
                if !net.is_none() {
                    self.net = net.clone();
                }
            }
            _ => return ensure(false, "answers come from the user", by),
        }
        (self.token, self.at, self.since) = (token, Turn::App, now);
        Ok(())
    }

    /// One of the last calls.
    fn ended(&mut self, event: &Event<'_>, by: &Callback<'_>, policy: &Policy, now: Millis) -> Checked {
        self.told = true;
        let state = self.state_due(policy).min(self.total_due(policy)) <= now;
        let agrees = |net: &NetId| agree(&self.net, net);
        let caused = match by {
            Callback::TimedOut { side: Side::App, .. } => state && self.at == Turn::App,
            Callback::TimedOut { side: Side::Net, .. } => {
                matches!(event, Event::NetTimeout { net, .. } if agrees(net)) && self.at == Turn::App
            }
            Callback::TimedOut { side: Side::User, .. } => {
                let network = matches!(event, Event::NetTimeout { net, .. } if agrees(net));
                (state || network) && self.at != Turn::App
            }
            Callback::Ended { why: EndWhy::User, .. } => matches!(event, Event::UserEnd { net, .. } if agrees(net)),
            Callback::Ended { why: EndWhy::Replaced, .. } => matches!(event, Event::Begin { .. }),
            Callback::Ended { why: EndWhy::Network(_), .. } => matches!(event, Event::NetError { .. }),
            Callback::Ended { why: EndWhy::PushFailed(_), .. } => {
                matches!(event, Event::NetError { .. } | Event::SendFailed { .. }) && self.at == Turn::Push
            }
            Callback::Ended { why: EndWhy::SendFailed(_), .. } => matches!(event, Event::SendFailed { .. }),
            Callback::Ended { why: EndWhy::LinkLost, .. } => self.grace.is_some_and(|grace| grace <= now),
            _ => true,
        };
        ensure(caused, "nothing ends before its time or without a cause", by)
    }

    /// The end.
    fn closed(&self, event: &Event<'_>, reason: CloseReason, policy: &Policy, now: Millis) -> Checked {
        let by: &dyn fmt::Debug = &reason;
        let (state, total) = (self.state_due(policy) <= now, self.total_due(policy) <= now);
        let caused = match reason {
            CloseReason::AppEnd => self.released || matches!(event, Event::NotifyOk { .. }),
            CloseReason::AppAbort => matches!(event, Event::Abort { token, .. } if *token == self.token),
            CloseReason::Redirected => matches!(event, Event::Redirect { token, .. } if *token == self.token),
            CloseReason::HandlerFailed => matches!(event, Event::HandlerFailed { token, .. } if *token == self.token),
            CloseReason::AppSlow => state && self.at == Turn::App,
            CloseReason::UserSlow => state && self.at == Turn::User,
            CloseReason::PushUnanswered => state && self.at == Turn::Push,
            CloseReason::TooLong => total,
            CloseReason::LinkLost => self.grace.is_some_and(|grace| grace <= now),
            CloseReason::User => matches!(event, Event::UserEnd { .. }),
            CloseReason::Replaced => matches!(event, Event::Begin { .. }),
            CloseReason::Net => matches!(event, Event::NetTimeout { .. } | Event::NetError { .. }),
            _ => true,
        };
        ensure(caused, "nothing ends before its time or without a cause", by)?;
        let own = matches!(
            reason,
            CloseReason::AppEnd
                | CloseReason::AppAbort
                | CloseReason::Redirected
                | CloseReason::HandlerFailed
                | CloseReason::Orphan
        );
        ensure(self.told != own, "the application is told once of an end that it did not cause, never of its own", by)
    }
}
