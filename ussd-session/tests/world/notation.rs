//! Reads `A(1){net=a}` and the like.

use ussd_session::{DedupKey, Event, NetId, NetWhy, Phase, PushKind, SendWhy, Subscriber, Text, TurnToken, Verb};

/// One thing said in a table.
pub(crate) struct Said<'s> {
    word: &'s str,
    argument: &'s str,
    /// Session and turn after the `@`.
    pub(crate) turn: Option<(Option<u16>, u16)>,
    options: Vec<(&'s str, &'s str)>,
}

impl<'s> Said<'s> {
    pub(crate) fn read(said: &'s str) -> Self {
        let (said, options) = match said.split_once('{') {
            Some((said, options)) => (said.trim(), options.trim_end_matches('}')),
            None => (said, ""),
        };
        let options = options.split_whitespace().map(|one| one.split_once('=').unwrap_or((one, ""))).collect();
        let (said, turn) = match said.rsplit_once('@') {
            Some((said, turn)) => {
                let turn = match turn.trim_start_matches('#').split_once('.') {
                    Some((session, turn)) => (Some(session.parse().unwrap()), turn.parse().unwrap()),
                    None => (None, turn.parse().unwrap()),
                };
                (said, Some(turn))
            }
            None => (said, None),
        };
        let (word, argument) = match said.split_once('(') {
            Some((word, argument)) => (word, argument.strip_suffix(')').expect("a closing parenthesis")),
            None => (said, ""),
        };
        Self { word, argument, turn, options }
    }

    pub(crate) fn option(&self, name: &str) -> Option<&'s str> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(crate) fn event(&self, phone: Subscriber, token: Option<TurnToken>) -> Event<'s> {
        let net = NetId::new(self.option("net").unwrap_or_default().as_bytes()).unwrap();
        let dedup = self.option("key").map(|key| DedupKey::of(key.as_bytes()));
        let text = match (self.option("secret"), self.option("hidden")) {
            (Some(_), _) => Text::public(self.argument).expecting_secret(),
            (_, Some(_)) => Text::secret(self.argument),
            _ => Text::public(self.argument),
        };
        let phase = if self.option("phase") == Some("1") { Phase::One } else { Phase::Two };
        let (from, to) = (phone, phone);
        let turn = || token.expect("a turn");
        match self.word {
            "B" => Event::Begin { from, dialled: self.argument, net, phase, dedup },
            "A" => Event::Answer { from, text, net, dedup },
            "X" => Event::UserEnd { from, net, text: None },
            "NT" => Event::NetTimeout { from, net, text: None },
            "NE" => {
                let why = if self.argument == "UssdBusy" { NetWhy::UssdBusy } else { NetWhy::Absent };
                Event::NetError { from, net, why }
            }
            "NotifyOk" => Event::NotifyOk { from, net },
            "c" => Event::Reply { to, token: turn(), verb: Verb::Continue, text },
            "e" => Event::Reply { to, token: turn(), verb: Verb::End, text },
            "ab" => Event::Abort { to, token: turn() },
            "rd" => Event::Redirect { to, token: turn(), target: self.argument },
            "fail" => Event::HandlerFailed { to, token: turn() },
            "KO" => Event::SendFailed { to, token: turn(), why: SendWhy::Refused(0x0B) },
            "push" => Event::Push { to, kind: PushKind::Ask, text, correlation: 1 },
            "note" => Event::Push { to, kind: PushKind::Tell, text, correlation: 1 },
            "note+" => Event::Push { to, kind: PushKind::TellFirst, text, correlation: 1 },
            "LinkDown" => Event::LinkDown,
            "LinkUp" => Event::LinkUp,
            other => panic!("what is {other}?"),
        }
    }
}
