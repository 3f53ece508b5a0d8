//! One request, and what it means beside what is known of its session.

use std::fmt;

use super::{
    Error, Received,
    parameters::Parameters,
    table::{Code, Means, Screen, Start, Table, When},
};
use crate::{
    event::{Event, NetWhy, Phase},
    ids::{DedupKey, NetId, fingerprint},
    owned::OwnedEvent,
    subscriber::Subscriber,
    text::Text,
};

/// One request that was read. It says by [`Call::key`] which session it concerns; with what is known of that one,
/// [`Call::event`] says what it means. `Debug` does not show what was typed, which may be a secret.
#[derive(Clone)]
pub struct Call {
    key: Box<str>,
    net: NetId,
    phone: Option<Subscriber>,
    code: Result<Box<str>, Error>,
    kind: Kind,
    table: Table,
}

/// What is kept of a session from one request to the next: some aggregators do not say which request is the first, and
/// some send again all that was typed before. Nothing that was typed is in it, only what tells whether it comes again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Dialogue {
    phone: Subscriber,
    /// Of what the latest request is known by when it comes twice: all that was typed, the aggregator's key, or, only
    /// while nothing was answered, the first input.
    seen: u64,
    /// Octets of that.
    length: usize,
    /// Octets of the path before its last answer.
    before: usize,
    answered: bool,
    over: bool,
}

impl Dialogue {
    fn new(phone: Subscriber, seen: &str) -> Self {
        let (length, seen) = (seen.len(), fingerprint(seen.as_bytes()));
        Self { phone, seen, length, before: 0, answered: false, over: false }
    }

    fn is_at(&self, other: &Self) -> bool {
        (self.seen, self.length) == (other.seen, other.length)
    }

    /// Where the last answer of a path begins, if it goes on from here. Nothing is cut at a `*`, which users may type:
    /// it is what stands behind the path before.
    fn goes_on(&self, path: &str) -> Option<usize> {
        if self.length == 0 && !self.answered {
            return Some(0);
        }
        let (before, rest) = path.split_at_checked(self.length)?;
        let goes_on = fingerprint(before.as_bytes()) == self.seen && rest.starts_with('*');
        goes_on.then_some(self.length + 1)
    }

    /// Marks a session whose last text was sent.
    pub fn close(&mut self) {
        self.over = true;
    }

    /// True if its last text was sent, or it was ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }
}

#[derive(Clone)]
enum Kind {
    /// It waits for a text.
    Waits {
        starts: bool,
        input: Box<str>,
        key: Option<Box<str>>,
    },
    UserEnd,
    Timeout,
    Error(u16),
    Question(Screen, Screen),
    Nothing,
}

impl Call {
    /// Octets of the longest input, with all that was typed before it.
    pub const MAX_INPUT: usize = 4096;

    pub(super) fn read(
        parameters: &Parameters<'_>,
        table: &Table,
        number: impl Fn(&str) -> Result<Subscriber, Error>,
        named_code: impl Fn(&str) -> Option<Box<str>>,
    ) -> Result<Self, Error> {
        let kind = Kind::read(parameters, table)?;
        let phone = parameters.get(table.phone).map(number).transpose()?;
        let id = table.id.map(|name| parameters.get(name).ok_or(Error::Missing(vec![name]))).transpose()?;
        let (key, net) = match (id, phone) {
            (Some(""), _) => return Err(Error::Missing(table.id.into_iter().collect())),
            (Some(id), _) => (id.into(), NetId::new(id.as_bytes())?),
            (None, Some(phone)) => (phone.digits().as_str().into(), NetId::NONE),
            (None, None) => return Err(Error::Missing(vec![table.phone])),
        };
        let code = match (table.code, &kind) {
            (Code::Parameter(name), Kind::Waits { input, .. }) => match parameters.get(name) {
                Some(code) => Ok(star_code(code, if table.path { input } else { "" })),
                None => Err(Error::Missing(vec![name])),
            },
            (Code::Input, Kind::Waits { input, .. }) => Ok(star_code(input, "")),
            (Code::Named(name), Kind::Waits { .. }) => match parameters.get(name) {
                Some(segment) => Ok(named_code(segment).ok_or(Error::NoSuchService { parameter: name })?),
                None => Err(Error::Missing(vec![name])),
            },
            _ => Ok("".into()),
        };
        Ok(Self { key, net, phone, code, kind, table: *table })
    }

    /// What names the session: its id, or the digits of its phone.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the request means, and what is to be kept of its session.
    ///
    /// # Errors
    /// Nobody knows the session, and the request does not say whose it is; or its path does not go on from where the
    /// one before was. [`Aggregator::refuse`](super::Aggregator::refuse) answers it.
    pub fn event(&self, known: Option<&Dialogue>) -> Result<(Received, Option<Dialogue>), Error> {
        // What has ended counts only where nothing else tells a late request from the first one of a session.
        let outlives = self.table.start == Start::Unknown && self.table.id.is_some();
        let known = known.filter(|known| outlives || !known.over);
        let phone = || {
            let phone = self.phone.or(known.map(|known| known.phone));
            phone.ok_or_else(|| Error::UnknownSession(self.key.clone()))
        };
        let net = self.net.clone();
        let over = || known.map(|known| Dialogue { over: true, ..*known });
        let noted = |event: Option<Event<'_>>| Received {
            event: event.map(OwnedEvent::from),
            answer: Some(super::render(&self.table.noted, "", &self.table, "")),
        };
        Ok(match &self.kind {
            Kind::Waits { starts, input, key } => return self.waits(known, phone()?, *starts, input, key.as_deref()),
            Kind::UserEnd | Kind::Timeout | Kind::Error(_) if self.must_be_known() && known.is_none() => {
                return Err(Error::UnknownSession(self.key.clone()));
            }
            Kind::UserEnd => (noted(Some(Event::UserEnd { from: phone()?, net, text: None })), over()),
            Kind::Timeout => (noted(Some(Event::NetTimeout { from: phone()?, net, text: None })), over()),
            Kind::Error(code) => {
                (noted(Some(Event::NetError { from: phone()?, net, why: NetWhy::Other(*code) })), over())
            }
            Kind::Nothing => (noted(None), known.copied()),
            Kind::Question(yes, no) => {
                let screen = if known.is_some_and(|known| !known.over) { yes } else { no };
                let answer = Some(super::render(screen, "", &self.table, ""));
                (Received { event: None, answer }, known.copied())
            }
        })
    }

    fn waits(
        &self,
        known: Option<&Dialogue>,
        from: Subscriber,
        starts: bool,
        input: &str,
        key: Option<&str>,
    ) -> Result<(Received, Option<Dialogue>), Error> {
        // What a request that comes twice is known by, if it is known at all.
        let seen = if self.table.path { Some(input) } else { key };
        let dialogue = Dialogue::new(from, seen.unwrap_or(input));
        let again = known.is_some_and(|known| known.is_at(&dialogue));
        let dedup = |seen: &str| (!self.net.is_none()).then(|| self.dedup(seen));
        let net = self.net.clone();
        let opens = match known {
            None => starts || self.table.start == Start::Unknown,
            Some(known) => starts || (self.table.start == Start::Unknown && again && !known.answered),
        };
        if opens {
            let (dialled, dedup) = (self.code.as_ref().map_err(Error::clone)?, dedup(seen.unwrap_or(input)));
            let event = Event::Begin { from, dialled, net, phase: Phase::Two, dedup };
            return Ok((Received::waiting(event), Some(dialogue)));
        }
        let before = match known {
            Some(known) if self.table.path && again => known.before,
            Some(known) if self.table.path => {
                known.goes_on(input).ok_or(Error::PathReset { parameter: self.table.input })?
            }
            _ => 0,
        };
        let text = Text::public(input.get(before..).unwrap_or_default());
        let event = Event::Answer { from, text, net, dedup: seen.and_then(dedup) };
        let dialogue = known.map(|known| Dialogue { before, answered: true, over: known.over, ..dialogue });
        Ok((Received::waiting(event), dialogue))
    }

    /// True if an end of a session that nobody knows has an answer of its own.
    fn must_be_known(&self) -> bool {
        self.table.unknown.is_some()
    }

    fn dedup(&self, seen: &str) -> DedupKey {
        DedupKey::of(&[self.key.as_bytes(), &[0], seen.as_bytes()].concat())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut call = f.debug_struct("Call");
        call.field("aggregator", &self.table.name).field("net", &self.net).field("phone", &self.phone);
        call.finish_non_exhaustive()
    }
}

impl Kind {
    fn read(parameters: &Parameters<'_>, table: &Table) -> Result<Self, Error> {
        for notice in table.notices {
            if parameters.get(notice.parameter).is_some_and(|value| notice.when.holds(value)) {
                return Ok(match notice.means {
                    Means::UserEnd => Self::UserEnd,
                    Means::Timeout => Self::Timeout,
                    Means::Error(code) => {
                        let code = code.and_then(|name| parameters.get(name)).and_then(|code| code.parse().ok());
                        Self::Error(code.unwrap_or_default())
                    }
                    Means::Question(yes, no) => Self::Question(yes, no),
                    Means::Nothing => Self::Nothing,
                });
            }
        }
        parameters.require(table.required)?;
        let input = parameters.get(table.input).ok_or(Error::Missing(vec![table.input]))?;
        let key = table.key.and_then(|name| parameters.get(name));
        for (parameter, value) in [(table.input, Some(input)), (table.key.unwrap_or_default(), key)] {
            let length = value.map_or(0, str::len);
            if length > Call::MAX_INPUT {
                return Err(Error::TooLong { parameter, length, max: Call::MAX_INPUT });
            }
        }
        let starts = match table.start {
            Start::Unknown => false,
            Start::Is(name, value) => parameters.get(name).is_some_and(|is| is.eq_ignore_ascii_case(value)),
            Start::Absent(name) => parameters.get(name).is_none(),
        };
        Ok(Self::Waits { starts, input: input.into(), key: key.map(Into::into) })
    }
}

impl When {
    fn holds(self, value: &str) -> bool {
        let among = |values: &[&str]| values.iter().any(|one| one.eq_ignore_ascii_case(value));
        match self {
            Self::Present => true,
            Self::Is(values) => among(values),
            Self::IsNot(values) => !among(values),
            Self::Begins(start) => value.starts_with(start),
        }
    }
}

/// A code with its asterisk and number sign, and a shortcut behind it.
fn star_code(code: &str, shortcut: &str) -> Box<str> {
    let code = code.trim_end_matches('#');
    let (star, joint) = (if code.starts_with('*') { "" } else { "*" }, if shortcut.is_empty() { "" } else { "*" });
    format!("{star}{code}{joint}{shortcut}#").into()
}
