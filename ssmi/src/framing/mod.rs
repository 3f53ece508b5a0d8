//! Lines out of a stream.
//!
//! A line ends at a carriage return and at nothing else: a line feed is data. By default the cutter forgives what
//! tired peers do at the border of two lines ([`Framing::Tolerant`]); it never touches the inside of one.

#[cfg(feature = "tokio")]
mod tokio;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use crate::codec::{DecodeError, HEADER, MAX_LINE, TERMINATOR, find};
use crate::command::{Request, Response};

#[cfg(feature = "tokio")]
pub use self::tokio::{ClientCodec, FramingError, ServerCodec};

/// How strictly lines are told apart.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Framing {
    /// Blank lines are skipped, and one line feed directly before `SSMI` is dropped: what a peer that ends lines
    /// with CR LF looks like. Both are counted.
    #[default]
    Tolerant,
    /// A line is what stands between two carriage returns.
    Strict,
}

/// One line, its carriage return taken off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Where its first octet stood in the stream.
    pub offset: u64,
    /// Its octets: a slice of the read buffer.
    pub octets: Bytes,
}

impl Line {
    /// Reads the line as one that a client sent.
    ///
    /// # Errors
    ///
    /// The line with what is wrong with it; the stream goes on behind it.
    pub fn request(self) -> Result<Request, BadLine> {
        Request::decode(&self.octets).map_err(|error| BadLine { line: self, error })
    }

    /// Reads the line as one that the gateway sent.
    ///
    /// # Errors
    ///
    /// The line with what is wrong with it; the stream goes on behind it.
    pub fn response(self) -> Result<Response, BadLine> {
        Response::decode(&self.octets).map_err(|error| BadLine { line: self, error })
    }
}

/// A line that is not a command. Only the line is lost to the stream, and it stands here.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("bad line at octet {} of the stream: {error}", line.offset)]
pub struct BadLine {
    /// The line.
    pub line: Line,
    /// What is wrong with it.
    #[source]
    pub error: DecodeError,
}

/// A line is longer than the limit. The stream cannot be read on, since its end is not known: close it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the line at octet {offset} of the stream is longer than {limit} octets")]
pub struct LineTooLong {
    /// Where the line begins in the stream.
    pub offset: u64,
    /// The limit, in octets, the carriage return not counted.
    pub limit: usize,
}

/// Cuts a stream into lines, however it arrives.
///
/// Append what was read to a buffer and call [`cut`](Self::cut) until it gives `None`. The buffer then holds less
/// than one line; it never needs to hold more than [`limit`](Self::with_limit) octets and one read.
///
/// ```
/// use bytes::BytesMut;
/// use ssmi::framing::LineCutter;
///
/// let mut cutter = LineCutter::default();
/// let mut buffer = BytesMut::from("SSMI,101,1\rSSMI,110,27831112222,1,2,*12");
/// assert_eq!(cutter.cut(&mut buffer)?.unwrap().octets, "SSMI,101,1");
/// assert_eq!(cutter.cut(&mut buffer)?, None);
/// buffer.extend_from_slice(b"0#\r");
/// assert_eq!(cutter.cut(&mut buffer)?.unwrap().octets, "SSMI,110,27831112222,1,2,*120#");
/// # Ok::<(), ssmi::framing::LineTooLong>(())
/// ```
#[derive(Clone, Debug)]
pub struct LineCutter {
    framing: Framing,
    limit: usize,
    /// Octets of the stream before the buffer.
    offset: u64,
    /// Octets of the buffer that are known to hold no carriage return.
    searched: usize,
    forgiven: u64,
}

impl Default for LineCutter {
    fn default() -> Self {
        Self::new(Framing::default())
    }
}

impl LineCutter {
    /// A cutter with a limit of [`MAX_LINE`] octets a line.
    pub fn new(framing: Framing) -> Self {
        Self { framing, limit: MAX_LINE, offset: 0, searched: 0, forgiven: 0 }
    }

    /// With another limit: octets of the longest line, its carriage return not counted.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Takes the next whole line off the front of the buffer; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// The line is over the limit. It is known as soon as that many octets are there, and every later call says it
    /// again: nothing more comes of this stream.
    pub fn cut(&mut self, buffer: &mut BytesMut) -> Result<Option<Line>, LineTooLong> {
        loop {
            let fresh = buffer.get(self.searched..).unwrap_or_default();
            let end = find(fresh, TERMINATOR).map(|at| self.searched.saturating_add(at));
            let length = end.unwrap_or(buffer.len());
            if length > self.limit {
                return Err(LineTooLong { offset: self.offset, limit: self.limit });
            }
            let Some(end) = end else {
                self.searched = buffer.len();
                return Ok(None);
            };
            let mut octets = buffer.split_to(end).freeze();
            buffer.advance(1);
            self.searched = 0;
            let offset = self.offset;
            self.offset = offset.saturating_add(length_as_u64(end)).saturating_add(1);
            if self.framing == Framing::Strict {
                return Ok(Some(Line { offset, octets }));
            }
            if octets.is_empty() || octets == "\n" {
                self.forgiven = self.forgiven.saturating_add(1);
            } else if octets.strip_prefix(b"\n").is_some_and(|line| line.starts_with(HEADER)) {
                self.forgiven = self.forgiven.saturating_add(1);
                octets.advance(1);
                return Ok(Some(Line { offset: offset.saturating_add(1), octets }));
            } else {
                return Ok(Some(Line { offset, octets }));
            }
        }
    }

    /// At the end of the stream: takes what is left in the buffer, a line that was never ended. `None` if there is
    /// nothing, or nothing but the line feed of a peer that ends lines with CR LF.
    pub fn finish(&mut self, buffer: &mut BytesMut) -> Option<Line> {
        let octets = buffer.split().freeze();
        let offset = self.offset;
        self.offset = offset.saturating_add(length_as_u64(octets.len()));
        self.searched = 0;
        let nothing = octets.is_empty() || (self.framing == Framing::Tolerant && octets == "\n");
        (!nothing).then_some(Line { offset, octets })
    }

    /// How many blank lines were skipped and line feeds dropped.
    pub fn forgiven(&self) -> u64 {
        self.forgiven
    }
}

fn length_as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
