use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::BytesMut;
use clap::{Args, ValueEnum};
use conformance::capture;
use serde::{Serialize, Serializer};
use ssmi::codec::{DecodeProblem, is_secret};
use ssmi::command::{Request, Response, Unknown};
use ssmi::framing::{BadLine, Framing, Line, LineCutter};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Who sent the lines.
    #[arg(long)]
    direction: Direction,
    /// The server's port, in a capture file.
    #[arg(long)]
    port: Option<u16>,
    /// Skip blank lines and drop a line feed before a header, instead of reporting them.
    #[arg(long)]
    tolerant: bool,
    /// Show passwords.
    #[arg(long)]
    secrets: bool,
    /// Raw octets or a capture file; standard input if it is absent or `-`.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Direction {
    /// What a client sends.
    Client,
    /// What the gateway sends.
    Server,
}

#[derive(Serialize)]
struct Command<'a> {
    offset: u64,
    command: &'a str,
    id: String,
    fields: Fields<'a>,
    raw: String,
}

#[derive(Serialize)]
struct Bad<'a> {
    offset: u64,
    error: &'a str,
    field: Option<&'a str>,
    raw: String,
}

/// Name and octets of each field, and whether passwords are shown.
struct Fields<'a>(&'a [(&'static str, &'a [u8])], bool);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| match is_secret(name) && !self.1 {
            true => (name, MASK.to_owned()),
            false => (name, latin1(value)),
        }))
    }
}

const MASK: &str = "***";
const RETURN: &[u8] = b"\r";

/// Prints all lines; whether there was no error.
pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<bool> {
    let input = crate::read(arguments.file.as_ref())?;
    if !capture::is_capture(&input) {
        return stream(arguments, &input, out);
    }
    let port = arguments.port.context("a capture file needs --port")?;
    let mut clean = true;
    for connection in crate::connections(&input, port)? {
        clean &= match arguments.direction {
            Direction::Client => stream(arguments, &connection.client, out)?,
            Direction::Server => stream(arguments, &connection.server, out)?,
        };
    }
    Ok(clean)
}

/// Prints the lines of one stream.
fn stream(arguments: &Arguments, octets: &[u8], out: &mut impl Write) -> Result<bool> {
    let framing = if arguments.tolerant { Framing::Tolerant } else { Framing::Strict };
    let (mut cutter, mut buffer, mut clean) = (LineCutter::new(framing), BytesMut::from(octets), true);
    loop {
        match cutter.cut(&mut buffer) {
            Ok(Some(line)) => clean &= print_line(arguments, line, out)?,
            Ok(None) => break,
            Err(error) => {
                let seen = buffer.get(..=error.limit).unwrap_or(&buffer);
                let raw = raw(arguments, seen, b"");
                crate::print(out, &Bad { offset: error.offset, error: "too long", field: None, raw })?;
                return Ok(false);
            }
        }
    }
    if let Some(Line { offset, octets }) = cutter.finish(&mut buffer) {
        let raw = raw(arguments, &octets, b"");
        crate::print(out, &Bad { offset, error: "unterminated", field: None, raw })?;
        clean = false;
    }
    Ok(clean)
}

/// Prints one line; whether it is a command that is known.
fn print_line(arguments: &Arguments, line: Line, out: &mut impl Write) -> Result<bool> {
    let (offset, octets) = (line.offset, line.octets.clone());
    let mut command = |name, id: &[u8], fields: &[(&'static str, &[u8])]| {
        let password = fields.iter().any(|(name, _)| is_secret(name));
        let raw = if password { raw(arguments, &octets, RETURN) } else { hex::encode([&octets, RETURN].concat()) };
        let fields = Fields(fields, arguments.secrets);
        crate::print(out, &Command { offset, command: name, id: latin1(id), fields, raw })
    };
    let (error, field) = match arguments.direction {
        Direction::Client => match line.request() {
            Ok(Request::Unknown(Unknown { .. })) => ("unknown id", None),
            Ok(request) => return request.with_fields(&mut command).map(|()| true),
            Err(bad) => problem(&bad),
        },
        Direction::Server => match line.response() {
            Ok(Response::Unknown(Unknown { .. })) => ("unknown id", None),
            Ok(response) => return response.with_fields(&mut command).map(|()| true),
            Err(bad) => problem(&bad),
        },
    };
    crate::print(out, &Bad { offset, error, field, raw: raw(arguments, &octets, RETURN) })?;
    Ok(false)
}

/// An error in the words of the vectors, and the field.
fn problem(bad: &BadLine) -> (&'static str, Option<&'static str>) {
    let error = match bad.error.problem {
        DecodeProblem::NoId => "unknown id",
        DecodeProblem::TooFew => "too few",
        _ => "bad header",
    };
    (error, bad.error.field)
}

/// The octets in hexadecimal. What looks like a login, be it a bad one or in the wrong direction, has its password masked.
fn raw(arguments: &Arguments, line: &[u8], end: &[u8]) -> String {
    const LOGIN: &[u8] = b"SSMI,1,";
    let login = line.windows(LOGIN.len()).position(|window| window.eq_ignore_ascii_case(LOGIN));
    let username = login.map(|at| at + LOGIN.len());
    let password =
        username.and_then(|at| line[at..].iter().position(|&octet| octet == b',').map(|comma| at + comma + 1));
    match password.filter(|_| !arguments.secrets) {
        Some(at) => hex::encode([&line[..at], MASK.as_bytes(), end].concat()),
        None => hex::encode([line, end].concat()),
    }
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}
