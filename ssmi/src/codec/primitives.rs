//! The only place that touches octets: a line is taken apart here, and put together.

use bytes::{BufMut, Bytes, BytesMut};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::combinator::eof;
use nom::{IResult, Parser};

use super::{DecodeError, DecodeProblem, EncodeError, EncodeProblem, MAX_LINE, Wire};
use crate::types::Octets;

/// First field of every line.
pub(crate) const HEADER: &[u8] = b"SSMI";
/// Ends a line. A line feed is data.
pub(crate) const TERMINATOR: u8 = b'\r';
const SEPARATOR: u8 = b',';

/// A line whose header and id were read: what stands behind the id.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    line: &'a Bytes,
    id: &'a [u8],
    /// What follows the last separator that was read; none if there was no separator.
    rest: Option<&'a [u8]>,
    message: Option<&'static str>,
    left: usize,
}

impl<'a> Fields<'a> {
    /// Reads header and id of a line, its carriage return taken off.
    pub(crate) fn new(line: &'a Bytes) -> Result<Self, DecodeError> {
        let error = |offset, problem| DecodeError { message: None, field: None, offset, problem };
        if let Some(offset) = find(line, TERMINATOR) {
            return Err(error(offset, DecodeProblem::CarriageReturn));
        }
        let (behind, _) = header(line).map_err(|_| error(0, DecodeProblem::BadHeader))?;
        let behind = separator(behind).ok_or_else(|| error(line.len(), DecodeProblem::NoId))?;
        let (id, rest) = split(behind);
        Ok(Self { line, id, rest, message: None, left: 0 })
    }

    /// The command id, as it stands on the wire.
    pub(crate) fn id(&self) -> &'a [u8] {
        self.id
    }

    /// Names the command whose fields are read next.
    pub(crate) fn begin<W: Wire>(&mut self) {
        self.message = Some(W::NAME);
        self.left = W::FIELDS.len();
        // A command of one field may come as its bare id, the field being empty.
        if self.left == 1 && self.rest.is_none() {
            self.rest = Some(self.line.get(self.line.len()..).unwrap_or_default());
        }
    }

    /// The next field: up to a comma, or, if it is the command's last one, all that is left.
    pub(crate) fn next(&mut self, field: &'static str) -> Result<Octets, DecodeError> {
        let Some(rest) = self.rest else {
            return Err(DecodeError {
                message: self.message,
                field: Some(field),
                offset: self.line.len(),
                problem: DecodeProblem::TooFew,
            });
        };
        self.left = self.left.saturating_sub(1);
        let (value, rest) = if self.left == 0 { (rest, None) } else { split(rest) };
        self.rest = rest;
        Ok(self.line.slice_ref(value).into())
    }

    /// The id and whatever follows it, of a command that is not known.
    pub(crate) fn unknown(&self) -> (Octets, Option<Octets>) {
        let rest = self.rest.map(|rest| self.line.slice_ref(rest).into());
        (self.line.slice_ref(self.id).into(), rest)
    }
}

/// Writes one line. On an error the buffer is as it was.
pub(crate) fn write_line(
    message: &'static str,
    id: &[u8],
    fields: &[(&'static str, &[u8])],
    dst: &mut BytesMut,
) -> Result<(), EncodeError> {
    let error = |field, offset, problem| EncodeError { message, field, offset, problem };
    let mut length = HEADER.len().saturating_add(1).saturating_add(id.len());
    check(id, false).map_err(|(offset, problem)| error("id", offset, problem))?;
    for (index, (name, value)) in fields.iter().enumerate() {
        let last = index.saturating_add(1) == fields.len();
        check(value, last).map_err(|(offset, problem)| error(name, offset, problem))?;
        length = length.saturating_add(1).saturating_add(value.len());
    }
    if length > MAX_LINE {
        let longest = fields.iter().max_by_key(|(_, value)| value.len());
        let (name, value) = longest.copied().unwrap_or(("id", id));
        return Err(error(name, value.len(), EncodeProblem::TooLong { limit: MAX_LINE }));
    }
    dst.reserve(length.saturating_add(1));
    dst.put_slice(HEADER);
    for value in std::iter::once(id).chain(fields.iter().map(|(_, value)| *value)) {
        dst.put_u8(SEPARATOR);
        dst.put_slice(value);
    }
    dst.put_u8(TERMINATOR);
    Ok(())
}

/// What may not stand in a field, and where it stands.
fn check(value: &[u8], last: bool) -> Result<(), (usize, EncodeProblem)> {
    let bad = value.iter().enumerate().find_map(|(offset, &octet)| match octet {
        TERMINATOR => Some((offset, EncodeProblem::CarriageReturn)),
        SEPARATOR if !last => Some((offset, EncodeProblem::Comma)),
        _ => None,
    });
    bad.map_or(Ok(()), Err)
}

/// Where an octet first stands.
pub(crate) fn find(octets: &[u8], octet: u8) -> Option<usize> {
    let (rest, taken) = till(octet, octets).ok()?;
    (!rest.is_empty()).then_some(taken.len())
}

/// Cuts at the first separator: what stands before it, and what behind it if there is one.
fn split(octets: &[u8]) -> (&[u8], Option<&[u8]>) {
    match till(SEPARATOR, octets) {
        Ok((rest, value)) => (value, separator(rest)),
        Err(_) => (octets, None),
    }
}

/// `SSMI`, and behind it a separator (not taken) or the end.
fn header(line: &[u8]) -> IResult<&[u8], &[u8]> {
    let (behind, header) = tag(HEADER).parse(line)?;
    alt((tag([SEPARATOR].as_slice()), eof)).parse(behind)?;
    Ok((behind, header))
}

fn separator(octets: &[u8]) -> Option<&[u8]> {
    octets.strip_prefix(&[SEPARATOR])
}

fn till(octet: u8, octets: &[u8]) -> IResult<&[u8], &[u8]> {
    take_till(|candidate| candidate == octet).parse(octets)
}
