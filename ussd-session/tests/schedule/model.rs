//! A naive model: three phones, each a handful of variables, and the rules written down as they are told, in the words
//! of the tables. It knows nothing of the machine but its events and the notation.

use ussd_session::{Orphans, PushKind, TurnToken, Verb};

use super::{Op, PolicyData, START, Step};

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Nothing,
    App,
    User,
    Push,
    Closed(&'static str),
}

#[derive(Clone, Debug)]
struct Phone {
    at: At,
    /// The token of the current turn, learned from the trace: the model does not make ids.
    token: Option<TurnToken>,
    turn: u32,
    opened: u64,
    begun: u64,
    since: u64,
    until: u64,
    total: u64,
    grace: Option<u64>,
    code: Option<u8>,
    net: u8,
    begin_key: Option<u16>,
    answer_key: Option<u16>,
    phase_1: bool,
    push: Option<PushKind>,
    replaced: bool,
    /// A final text, abort or redirect of ours went out.
    over: bool,
    held: Option<Verb>,
}

pub(crate) struct Model {
    policy: PolicyData,
    now: u64,
    phones: Vec<Phone>,
}

const SORRY: &str = "F(Sorry, try again)";

impl Model {
    pub(crate) fn new(policy: PolicyData) -> Self {
        let phone = Phone {
            at: At::Nothing,
            token: None,
            turn: 0,
            opened: 0,
            begun: 0,
            since: 0,
            until: 0,
            total: 0,
            grace: None,
            code: None,
            net: 0,
            begin_key: None,
            answer_key: None,
            phase_1: false,
            push: None,
            replaced: false,
            over: false,
            held: None,
        };
        Self { policy, now: START.0, phones: vec![phone; 3] }
    }

    /// What should follow from this step. Of what did follow, the model looks only at the ids of new turns.
    pub(crate) fn happens(&mut self, step: &Step) -> Vec<String> {
        self.now = self.now.max(step.now.0);
        let mut lines = Vec::new();
        for at in 0..3 {
            let whole_link = step.op.phone().is_none();
            if whole_link || step.op.phone() == Some(at) {
                let (now, policy) = (self.now, self.policy.clone());
                let mut said = Vec::new();
                self.phones[at].happens(&step.op, step.token, now, &policy, &mut said);
                lines.extend(said.into_iter().map(|line| format!("{at} {line}")));
            }
            if let Some(seen) = step.seen.iter().rfind(|seen| {
                seen.phone == at
                    && (seen.line == "New"
                        || seen.line == "Pushed"
                        || seen.line.starts_with("Ex(")
                        || seen.line.starts_with("New("))
            }) {
                let session = ussd_session::SessionId::from_bits(seen.session.unwrap()).unwrap();
                self.phones[at].token = Some(TurnToken { session, turn: seen.turn });
            }
        }
        lines
    }
}

impl Phone {
    fn open(&self) -> bool {
        !matches!(self.at, At::Nothing | At::Closed(_))
    }

    fn happens(&mut self, op: &Op, token: Option<TurnToken>, now: u64, policy: &PolicyData, out: &mut Vec<String>) {
        let mut say = |line: &str| out.push(line.to_owned());
        match op {
            Op::Wait(_) | Op::ClockBack => self.time(now, policy, out),
            Op::LinkDown => {
                if self.open() && self.grace.is_none() {
                    self.grace = Some(now + 30_000);
                }
            }
            Op::LinkUp => {
                let was_down = self.grace.take().is_some();
                if let Some(verb) = self.held.take()
                    && was_down
                {
                    self.reply(verb, now, out);
                }
            }
            Op::Begin { code, net, key, phase_1, .. } => {
                let known = self.at != At::Nothing && self.push.is_none();
                let double = match (key, self.begin_key) {
                    (Some(key), Some(first)) => known && *key == first,
                    _ => {
                        known
                            && (self.open() || self.over)
                            && self.turn == 1
                            && self.code == Some(*code)
                            && self.net == *net
                            && now - self.begun < 2_000
                    }
                };
                if double {
                    self.begun = now;
                    match self.at {
                        At::App => say("Coalesced"),
                        At::Closed(_) => {
                            if policy.must_answer {
                                say("F(expired)");
                            }
                            say("!DuplicateBegin");
                        }
                        _ => say(if self.grace.is_some() { "!NothingToRepeat" } else { "P(reply)again" }),
                    }
                    return;
                }
                let replaced = self.open();
                if replaced {
                    say("End(Replaced)");
                    self.close("Replaced", now, out);
                }
                self.begin(now, Some(*code), *net, *key, *phase_1);
                self.replaced = replaced;
                out.push("New".into());
            }
            Op::Answer { net, key, .. } => {
                let double = key.is_some() && *key == self.answer_key;
                let foreign = !policy.unstable && self.net != 0 && *net != 0 && self.net != *net;
                let quick = key.is_none() && now - self.since < policy.min_human;
                let expired_if_waiting = if policy.must_answer { Some("F(expired)") } else { None };
                match self.at {
                    At::Closed(_) if double || self.over => {
                        expired_if_waiting.into_iter().for_each(&mut say);
                        say(if double { "!DuplicateAnswer" } else { "!LateAnswer" });
                    }
                    At::Nothing | At::Closed(_) => {
                        let why = if self.at == At::Nothing { "!OrphanAnswer" } else { "!LateAnswer" };
                        match policy.orphans {
                            Orphans::Final => {
                                say("F(expired)");
                                say(why);
                            }
                            Orphans::Adopt => {
                                self.begin(now, None, *net, None, false);
                                self.answer_key = *key;
                                say("New(orphan typed)");
                            }
                            _ => {
                                expired_if_waiting.into_iter().for_each(&mut say);
                                say(why);
                            }
                        }
                    }
                    _ if foreign => {
                        if policy.orphans == Orphans::Final {
                            say("F(expired)");
                        } else {
                            expired_if_waiting.into_iter().for_each(&mut say);
                        }
                        say("!NetIdMismatch");
                    }
                    At::App => {
                        self.answer_key = self.answer_key.or(*key);
                        say("Coalesced");
                    }
                    At::User if double || quick => {
                        say(if self.grace.is_some() { "!NothingToRepeat" } else { "P(reply)again" });
                    }
                    At::User | At::Push => {
                        self.next_turn(*net, *key, now);
                        say("Ex(typed)");
                    }
                }
            }
            Op::NotifyOk { net, .. } => {
                let waiting = self.at == At::Push && self.push != Some(PushKind::Ask);
                if waiting && !policy.unstable && self.net != 0 && *net != 0 && self.net != *net {
                    say("!NetIdMismatch");
                } else if waiting && self.push == Some(PushKind::TellFirst) {
                    self.next_turn(*net, None, now);
                    say("Ex()");
                } else if waiting {
                    self.over = true;
                    self.close("AppEnd", now, out);
                } else {
                    say("!OutOfPlace");
                }
            }
            Op::UserEnd { net, .. } | Op::NetTimeout { net, .. } | Op::NetError { net, .. } => {
                if !self.open() {
                    return say("!OrphanClose");
                }
                if !policy.unstable && self.net != 0 && *net != 0 && self.net != *net {
                    return say("!NetIdMismatch");
                }
                if self.replaced && self.net == 0 && *net == 0 && now - self.opened < policy.guard {
                    return say("!LateClose");
                }
                match op {
                    Op::UserEnd { .. } => {
                        say("End(User)");
                        self.close("User", now, out);
                    }
                    Op::NetTimeout { .. } => {
                        say(if self.at == At::App { "TO(Net)" } else { "TO(User)" });
                        self.close("Net", now, out);
                    }
                    Op::NetError { busy, .. } => {
                        let why = if *busy { "UssdBusy" } else { "Absent" };
                        if self.at == At::Push {
                            say(&format!("End(PushFailed({why}))"));
                            let reason = if *busy { "PushFailed(UssdBusy)" } else { "PushFailed(Absent)" };
                            self.close(reason, now, out);
                        } else if *busy {
                            say("!OutOfPlace");
                        } else {
                            say("End(Network(Absent))");
                            self.close("Net", now, out);
                        }
                    }
                    _ => unreachable!(),
                }
            }
            Op::SendFailed { .. } => match self.at {
                _ if self.at == At::Nothing || token != self.token => say("!OutOfPlace"),
                At::User => {
                    say("End(SendFailed(NoAnswer))");
                    self.close("SendFailed", now, out);
                }
                At::Push => {
                    say("End(PushFailed(NotSent))");
                    self.close("PushFailed(NotSent)", now, out);
                }
                At::Closed(_) => say("!FinalLost"),
                _ => say("!OutOfPlace"),
            },
            Op::Reply { verb, .. } => match self.refusal(token, false) {
                Some(why) => say(&why),
                None if self.grace.is_some() => self.held = Some(*verb),
                None => self.reply(*verb, now, out),
            },
            Op::Redirect { .. } => match self.refusal(token, false) {
                Some(why) => say(&why),
                None if policy.can_redirect && self.grace.is_none() => {
                    say("Rd(*9#)");
                    self.over = true;
                    self.close("Redirected", now, out);
                }
                None => say("Rej(Unsupported)"),
            },
            Op::Abort { .. } => match self.refusal(token, true) {
                Some(why) => say(&why),
                None => {
                    if self.grace.is_none() && (policy.can_abort || self.at == At::App) {
                        say(if policy.can_abort { "Ab" } else { "F()" });
                        self.over = true;
                    }
                    self.close("AppAbort", now, out);
                }
            },
            Op::Push { kind, .. } => {
                if self.open() {
                    return say("Rej(Busy)");
                }
                self.begin(now, None, 0, None, false);
                (self.at, self.push, self.turn, self.until) = (At::Push, Some(*kind), 0, now + 30_000);
                say("Pushed");
                say(if *kind == PushKind::Ask { "Ask(push)" } else { "Tell(push)" });
            }
            Op::HandlerFailed { .. } => match self.refusal(token, false) {
                Some(_) => say("!OutOfPlace"),
                None => {
                    if self.grace.is_none() {
                        say(SORRY);
                        self.over = true;
                    }
                    self.close("HandlerFailed", now, out);
                }
            },
        }
    }

    /// Why the application may not do this now.
    fn refusal(&self, token: Option<TurnToken>, abort: bool) -> Option<String> {
        let (quoted, own) = (token.unwrap(), self.token);
        let why = match self.at {
            At::Nothing => "Unknown",
            _ if own.map(|own| own.session) != Some(quoted.session) => "Stale",
            At::Closed(reason) => return Some(format!("Rej(Closed({reason}))")),
            _ if u32::from(quoted.turn) != self.turn => "Stale",
            _ if self.held.is_some() => "AlreadyReplied",
            At::User if !abort => "AlreadyReplied",
            At::Push if !abort => "NotYourTurn",
            _ => return None,
        };
        Some(format!("Rej({why})"))
    }

    fn reply(&mut self, verb: Verb, now: u64, out: &mut Vec<String>) {
        if verb == Verb::Continue && !self.phase_1 {
            out.push("P(reply)".into());
            (self.at, self.since, self.until) = (At::User, now, now + 65_000);
            return;
        }
        out.push("F(reply)".into());
        if verb == Verb::Continue {
            out.push("!PhaseOne".into());
        }
        self.over = true;
        self.close("AppEnd", now, out);
    }

    fn begin(&mut self, now: u64, code: Option<u8>, net: u8, key: Option<u16>, phase_1: bool) {
        *self = Self {
            at: At::App,
            token: self.token,
            turn: 1,
            opened: now,
            begun: now,
            since: now,
            until: now + 10_000,
            total: now + 185_000,
            grace: None,
            code,
            net,
            begin_key: key,
            answer_key: None,
            phase_1,
            push: None,
            replaced: false,
            over: false,
            held: None,
        };
    }

    fn next_turn(&mut self, net: u8, key: Option<u16>, now: u64) {
        if net != 0 {
            self.net = net;
        }
        self.answer_key = key;
        self.turn += 1;
        (self.at, self.since, self.until) = (At::App, now, now + 10_000);
    }

    fn close(&mut self, reason: &'static str, now: u64, out: &mut Vec<String>) {
        if self.held.take().is_some() {
            out.push(format!("Rej(Closed({reason}))"));
        }
        out.push(format!("Cl({reason})"));
        (self.at, self.since, self.until, self.grace) = (At::Closed(reason), now, now + 60_000, None);
    }

    fn time(&mut self, now: u64, policy: &PolicyData, out: &mut Vec<String>) {
        if let At::Closed(_) = self.at
            && now >= self.until
        {
            self.at = At::Nothing;
        }
        let grace = self.grace.unwrap_or(u64::MAX);
        let first = self.until.min(self.total).min(grace);
        if !self.open() || now < first {
            return;
        }
        if first == grace && grace < self.until && grace < self.total {
            out.push("End(LinkLost)".into());
            return self.close("LinkLost", now, out);
        }
        let too_long = self.total < self.until;
        match self.at {
            At::App => {
                if self.grace.is_none() {
                    out.push(SORRY.into());
                    self.over = true;
                }
                out.push("TO(App)".into());
                self.close(if too_long { "TooLong" } else { "AppSlow" }, now, out);
            }
            At::User => {
                if self.grace.is_none() && policy.can_abort && policy.abort_on_user_slow {
                    out.push("Ab".into());
                    self.over = true;
                }
                out.push("TO(User)".into());
                self.close(if too_long { "TooLong" } else { "UserSlow" }, now, out);
            }
            _ => {
                out.push("TO(User)".into());
                self.close(if too_long { "TooLong" } else { "PushUnanswered" }, now, out);
            }
        }
    }
}
