use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;
use vumi_message::{DecodeError, DecodeOptions, Kind, Message, Stamp};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What the bodies are, as the queue that they come from says; without it, what each says of itself.
    #[arg(long, value_enum)]
    kind: Option<Body>,
    /// Files of one body each; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Body {
    User,
    Event,
    Status,
    Failure,
}

impl From<Body> for Kind {
    fn from(body: Body) -> Self {
        match body {
            Body::User => Self::User,
            Body::Event => Self::Event,
            Body::Status => Self::Status,
            Body::Failure => Self::Failure,
        }
    }
}

#[derive(Serialize)]
struct Good<'a> {
    file: &'a str,
    message: Message,
}

#[derive(Serialize)]
struct Bad<'a> {
    file: &'a str,
    error: String,
    field: Option<&'static str>,
}

/// Prints a line for each file; whether all could be decoded. An id or a time that is absent is made up, as any receiver
/// has to.
pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<bool> {
    let mut clean = true;
    for path in &arguments.files {
        let file = &path.display().to_string();
        let body = crate::read(Some(path))?;
        let kind = arguments.kind.map_or_else(|| own_kind(&body), Kind::from);
        match Message::decode(kind, &body, &DecodeOptions::default().stamp(Stamp::now())) {
            Ok(message) => crate::print(out, &Good { file, message })?,
            Err(error @ DecodeError { field, .. }) => {
                crate::print(out, &Bad { file, error: error.to_string(), field })?;
                clean = false;
            }
        }
    }
    Ok(clean)
}

/// The kind that a body's `message_type` names; a user message if it names none.
fn own_kind(body: &[u8]) -> Kind {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = |kind: &Kind| body["message_type"] == kind.message_type();
    [Kind::Event, Kind::Status, Kind::Failure].into_iter().find(named).unwrap_or(Kind::User)
}
