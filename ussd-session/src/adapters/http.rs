//! HTTP: requests of aggregators to events, frames to responses. No server: the host has one.
//!
//! An aggregator sends a request for each thing that the user does, and shows what the response says. They all do the
//! same under other names, so there is one adapter, and a [`Table`] for each: [`Table::AFRICAS_TALKING`],
//! [`Table::SAFARICOM`], [`Table::AIRTEL`], [`Table::VODACOM_MESSAGING`] and [`Table::AAT`], [`Table::INFOBIP`],
//! [`Table::HUBTEL`], [`Table::IMIMOBILE`], [`Table::DMARK`], [`Table::CELLULANT`]. MTN Nigeria speaks XML over TCP:
//! see [`mtn_nigeria`] for its framing.
//!
//! What a host does:
//!
//! 1. [`Aggregator::read`] the request, [`Dialogues::receive`] the call. An error is answered by
//!    [`Aggregator::refuse`].
//! 2. Handle the event. If there is an answer already, send it. Otherwise hold the request until a frame for its phone
//!    comes: [`Aggregator::reply`] makes the response. After [`Action::Coalesced`](crate::Action::Coalesced) the
//!    request is to be answered with the same frame as the one that is held already.
//! 3. After a [`FrameKind::Final`] call [`Dialogues::close`].
//!
//! The link's policy needs [`Policy::must_answer`](crate::Policy::must_answer).
//!
//! ```
//! use ussd_session::adapters::http::{Aggregator, Dialogues, Table};
//! use ussd_session::{Action, Callback, Config, Effect, Engine, Event, LinkId, Millis, Policy, Text, Verb};
//!
//! let aggregator = Aggregator::new(Table::AFRICAS_TALKING);
//! let mut dialogues = Dialogues::new(100_000);
//! let mut engine = Engine::new(Config::default().policy(Policy::default().must_answer(true)));
//! let (link, now) = (LinkId(0), Millis(1_790_000_000_000));
//!
//! let body = "sessionId=ATUid_1&phoneNumber=%2B254711000111&serviceCode=*384*1234%23&text=";
//! let request = http::Request::post("/ussd").body(body)?;
//! let received = dialogues.receive(&aggregator.read(&request)?, now)?;
//! assert!(received.answer.is_none(), "it waits for a text");
//!
//! let mut turn = None;
//! let dialled = received.event.expect("a code was dialled");
//! engine.handle(link, dialled.as_event(), now, |effect: Effect<'_>| {
//!     if let Action::Call(Callback::New { token, .. }) = effect.action {
//!         turn = Some((effect.subscriber, token));
//!     }
//! });
//! let (to, token) = turn.expect("the application is called");
//! let reply = Event::Reply { to, token, verb: Verb::Continue, text: Text::public("1. Balance") };
//! engine.handle(link, reply, now, |effect: Effect<'_>| {
//!     let Action::Send(frame) = &effect.action else { panic!("{effect:?}") };
//!     let response = aggregator.reply(frame, effect.dialled).expect("it can be written");
//!     assert_eq!(response.body(), "CON 1. Balance");
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregators;
mod call;
mod dialogues;
pub mod mtn_nigeria;
mod parameters;
mod table;

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::json;

use self::parameters::Parameters;
pub use self::{
    call::{Call, Dialogue},
    dialogues::Dialogues,
    table::{Code, Escape, Form, LAST_SEGMENT, Means, Notice, SEGMENT_BEFORE_LAST, Screen, Start, Table, When},
};
use crate::{
    action::{Frame, FrameKind},
    event::Event,
    ids::NetIdTooLong,
    owned::OwnedEvent,
    subscriber::{Subscriber, SubscriberError},
};

/// Why a request is no event, or a frame no response.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Parameters are missing.
    #[error("missing parameter: {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// The phone's number is none, or is national.
    #[error("parameter {parameter}: {error}")]
    Msisdn {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        error: SubscriberError,
    },
    /// The session id is too long.
    #[error("session id: {0}")]
    SessionId(#[from] NetIdTooLong),
    /// A parameter is too long.
    #[error("parameter {parameter}: {length} octets, at most {max} are possible")]
    TooLong {
        /// The parameter.
        parameter: &'static str,
        /// Its octets.
        length: usize,
        /// The most.
        max: usize,
    },
    /// Query and body are too long.
    #[error("a request of {length} octets, at most {max} are possible")]
    RequestTooLong {
        /// Their octets.
        length: usize,
        /// The most.
        max: usize,
    },
    /// The body is no JSON object.
    #[error("body: no JSON object, at line {line} column {column}")]
    Json {
        /// Line of the first problem.
        line: usize,
        /// Column of the first problem.
        column: usize,
    },
    /// A parameter names no service ([`Aggregator::code`]).
    #[error("parameter {parameter}: no such service")]
    NoSuchService {
        /// The parameter.
        parameter: &'static str,
    },
    /// Nobody knows the session, and the request does not say which phone it is.
    #[error("unknown session {0}")]
    UnknownSession(Box<str>),
    /// All that was typed so far does not begin with what had been typed before: nobody can say what was typed now.
    /// To be counted, and answered as what belongs to no session.
    #[error("parameter {parameter}: does not go on from the request before")]
    PathReset {
        /// The parameter.
        parameter: &'static str,
    },
    /// The text holds the character that separates the fields of the response.
    #[error("text: {0:?} cannot be in it")]
    Text(char),
    /// There is no such response: an aggregator is answered, and cannot be asked or told anything.
    #[error("{0:?} is no response")]
    Unsupported(FrameKind),
}

/// What a request means.
#[derive(Clone, Debug)]
pub struct Received {
    /// What happened, to be handled.
    pub event: Option<OwnedEvent>,
    /// The response, if the request does not wait for a text.
    pub answer: Option<Response<String>>,
}

impl Received {
    fn waiting(event: Event<'_>) -> Self {
        Self { event: Some(event.into()), answer: None }
    }
}

/// One account with an aggregator: its table, and what is set for the account.
#[derive(Clone, Debug)]
pub struct Aggregator {
    table: Table,
    country_code: Option<Box<str>>,
    callback: Box<str>,
    codes: BTreeMap<Box<str>, Box<str>>,
}

impl Aggregator {
    /// An account without settings.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, country_code: None, callback: "".into(), codes: BTreeMap::new() }
    }

    /// Completes national numbers (with a leading 0) by this country code. Default none: they are refused.
    #[must_use]
    pub fn country_code(mut self, code: &str) -> Self {
        self.country_code = Some(code.into());
        self
    }

    /// The address for the next request, where prompts name it. Default empty.
    #[must_use]
    pub fn callback(mut self, url: &str) -> Self {
        self.callback = url.into();
        self
    }

    /// The code of a service, where requests give its name ([`Code::Named`]). Default none.
    #[must_use]
    pub fn code(mut self, name: &str, code: &str) -> Self {
        self.codes.insert(name.into(), code.into());
        self
    }

    /// Reads a request. Of its query and body at most 16 KiB are read, and values longer than [`Call::MAX_INPUT`] are
    /// refused.
    ///
    /// # Errors
    /// Something is missing or cannot be; [`Aggregator::refuse`] answers it.
    pub fn read<B: AsRef<[u8]>>(&self, request: &Request<B>) -> Result<Call, Error> {
        let parameters = Parameters::read(request, self.table.form)?;
        let parameter = self.table.phone;
        let number = |text: &str| {
            let number = match &self.country_code {
                Some(code) => Subscriber::parse_national(text, code),
                None => text.parse(),
            };
            number.map_err(|error| Error::Msisdn { parameter, error })
        };
        Call::read(&parameters, &self.table, number, |name| self.codes.get(name).cloned())
    }

    /// The response for a frame. `dialled` is the code of its session.
    ///
    /// # Errors
    /// The text cannot be written, or the frame is no answer. Something has to be answered all the same:
    /// [`Aggregator::refuse`].
    pub fn reply(&self, frame: &Frame<'_>, dialled: &str) -> Result<Response<String>, Error> {
        let screen = match frame.kind {
            FrameKind::Prompt => &self.table.prompt,
            FrameKind::Final | FrameKind::Abort => &self.table.last,
            other => return Err(Error::Unsupported(other)),
        };
        let text = frame.text.as_str();
        match self.table.escape {
            Escape::Without(separator) if text.contains(separator) => Err(Error::Text(separator)),
            _ => Ok(render(screen, text, &self.table, &self.callback_for(dialled))),
        }
    }

    /// The response to what went wrong; `text` is for the user, where one sees it.
    #[must_use]
    pub fn refuse(&self, error: &Error, text: &str) -> Response<String> {
        let last = || render(&self.table.last, text, &self.table, "");
        match (error, &self.table.unknown, &self.table.refusal) {
            (Error::UnknownSession(_), Some(screen), _) => render(screen, &error.to_string(), &self.table, ""),
            (Error::UnknownSession(_) | Error::PathReset { .. } | Error::Text(_) | Error::Unsupported(_), _, _) => {
                last()
            }
            (_, _, Some(screen)) if *screen == self.table.last => last(),
            (_, _, Some(screen)) => render(screen, &error.to_string(), &self.table, ""),
            (_, _, None) => {
                let body = match error {
                    Error::Missing(names) => json!({ "missing_parameter": names }),
                    other => json!({ "error": other.to_string() }),
                };
                let mut response = Response::new(body.to_string());
                *response.status_mut() = StatusCode::BAD_REQUEST;
                set(&mut response, CONTENT_TYPE, "application/json");
                response
            }
        }
    }

    fn callback_for(&self, dialled: &str) -> String {
        let Start::Absent(parameter) = self.table.start else { return self.callback.to_string() };
        let joint = if self.callback.contains('?') { '&' } else { '?' };
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(parameter, dialled).finish();
        format!("{}{joint}{query}", self.callback)
    }
}

/// A screen with its text.
fn render(screen: &Screen, text: &str, table: &Table, callback: &str) -> Response<String> {
    let mut body = screen.before.to_owned();
    if let Some(after) = screen.after {
        match table.escape {
            Escape::Plain => body.push_str(text),
            Escape::Without(separator) => body.extend(text.chars().filter(|character| *character != separator)),
            Escape::Json => body += &json!(text).to_string(),
            Escape::Xml => push_xml(&mut body, text),
        }
        match after.split_once("{callback}") {
            Some((before, after)) => {
                body.push_str(before);
                push_xml(&mut body, callback);
                body.push_str(after);
            }
            None => body.push_str(after),
        }
    }
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, screen.content_type);
    for (name, value) in screen.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            set(&mut response, name, value);
        }
    }
    response
}

fn set(response: &mut Response<String>, name: HeaderName, value: &'static str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Text and attribute values of XML 1.0; characters that it cannot hold are left out.
fn push_xml(body: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => body.push_str("&amp;"),
            '<' => body.push_str("&lt;"),
            '>' => body.push_str("&gt;"),
            '"' => body.push_str("&quot;"),
            '\n' | '\r' | '\t' => body.push(character),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {}
            other => body.push(other),
        }
    }
}
