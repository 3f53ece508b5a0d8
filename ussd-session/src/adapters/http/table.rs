//! What an aggregator's requests and replies look like, as data.

/// Name of the last segment of a request's path, in a [`Table`].
pub const LAST_SEGMENT: &str = "(last path segment)";

/// Name of the segment before the last.
pub const SEGMENT_BEFORE_LAST: &str = "(path segment before the last)";

/// The shape of one aggregator's requests and replies.
///
/// The known ones are constants of this type; another one is a literal with `..` of the one that it is most like.
/// Parameters are found whatever the case of their names, path segments by [`LAST_SEGMENT`] and
/// [`SEGMENT_BEFORE_LAST`]; the first of equal names counts, and what a table does not name is of no account.
///
/// ```
/// use ussd_session::adapters::http::Table;
///
/// /// As Safaricom, with names of its own, and only the last answer.
/// const BONGA: Table =
///     Table { name: "Bonga", id: Some("SESSIONID"), phone: "MSISDN", path: false, ..Table::SAFARICOM };
/// # let _ = BONGA;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The aggregator, for logs.
    pub name: &'static str,
    /// Where parameters are.
    pub form: Form,
    /// The parameter with the session id; none if the phone alone names the session.
    pub id: Option<&'static str>,
    /// The parameter with the phone's number.
    pub phone: &'static str,
    /// Where the dialled code stands when a session begins.
    pub code: Code,
    /// The parameter with what was typed.
    pub input: &'static str,
    /// The input is all that was typed so far, joined by `*`.
    pub path: bool,
    /// What marks the first request of a session.
    pub start: Start,
    /// Parameters without which a request that waits for a text is refused.
    pub required: &'static [&'static str],
    /// The parameter that is the same when a request comes twice, and only then. None if there is no such.
    pub key: Option<&'static str>,
    /// Requests that do not wait for a text. The first one that holds counts.
    pub notices: &'static [Notice],
    /// A text, and an answer is waited for.
    pub prompt: Screen,
    /// A text, and the session is over.
    pub last: Screen,
    /// The answer to a notice.
    pub noted: Screen,
    /// The answer to a request that cannot be read; none: HTTP status 400 and a body that names the parameters.
    pub refusal: Option<Screen>,
    /// The answer about a session that nobody knows, with its id in place of the text; none: the last screen.
    pub unknown: Option<Screen>,
    /// How texts are written into these.
    pub escape: Escape,
}

/// Where the parameters of a request are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// In the query of its target.
    Query,
    /// In the body, as a form (`application/x-www-form-urlencoded`).
    Body,
    /// In the body, as the members of a JSON object.
    Json,
}

/// Where the dialled code stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Code {
    /// In a parameter. The asterisk before it and the number sign behind may be missing. Of an aggregator that joins
    /// inputs, a first input that is not empty is a shortcut and goes behind the code.
    Parameter(&'static str),
    /// What was typed first is the code.
    Input,
    /// A parameter names it, as set by [`Aggregator::code`](super::Aggregator::code).
    Named(&'static str),
}

/// What marks the first request of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Start {
    /// Nothing but that nobody knows the session.
    Unknown,
    /// A parameter has this value, whatever its case.
    Is(&'static str, &'static str),
    /// A parameter is missing: it is part of the callback that each prompt names, and holds the code.
    Absent(&'static str),
}

/// A request that tells something and waits for no text.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// The parameter that says so.
    pub parameter: &'static str,
    /// How it says so.
    pub when: When,
    /// What it means.
    pub means: Means,
}

/// What is true of a parameter.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum When {
    /// It is there.
    Present,
    /// It has one of these values, whatever their case.
    Is(&'static [&'static str]),
    /// It is there and has none of these values.
    IsNot(&'static [&'static str]),
    /// Its value begins so.
    Begins(&'static str),
}

/// What a notice means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Means {
    /// The user hung up.
    UserEnd,
    /// The network stopped waiting.
    Timeout,
    /// The network gave up; the parameter with its code.
    Error(Option<&'static str>),
    /// The aggregator asks whether the session is open. The answers for yes and no.
    Question(Screen, Screen),
    /// Nothing: our own end is confirmed.
    Nothing,
}

/// A response: headers, and what stands before and after the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Screen {
    /// The content type.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// Before the text.
    pub before: &'static str,
    /// After the text; `{callback}` stands for the address of the next request. None: there is no place for a text.
    pub after: Option<&'static str>,
}

/// How a text stands in a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Escape {
    /// As it is.
    Plain,
    /// As it is, but this character, which separates fields, cannot be in it.
    Without(char),
    /// As a JSON string.
    Json,
    /// As XML text.
    Xml,
}

impl Screen {
    /// Plain text, with the text between these.
    #[must_use]
    pub const fn plain(before: &'static str, after: &'static str) -> Self {
        Self { content_type: "text/plain", headers: &[], before, after: Some(after) }
    }

    /// Plain text without a place for a text.
    #[must_use]
    pub const fn fixed(body: &'static str) -> Self {
        Self { content_type: "text/plain", headers: &[], before: body, after: None }
    }

    /// With another content type.
    #[must_use]
    pub const fn of_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    /// With headers.
    #[must_use]
    pub const fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}
