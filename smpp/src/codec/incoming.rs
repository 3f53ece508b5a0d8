//! A PDU on its way in. Parts of it that stay where they are, text and TLVs, are noted while it is read, and cut from the
//! buffer once it is known to be good.

use std::mem;

use bytes::{Buf, Bytes, BytesMut};

use super::{DecodeError, Leniencies, LeniencyCounts, Limits, Reader};
use crate::types::{CommandId, Octets};

/// Where a part of a body stands, counted from its first octet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Whether there is nothing.
    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// The parts of a body that may be shared with the buffer, in the order in which they stand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slices {
    /// Destinations, or recipients that failed.
    pub(crate) list: Span,
    /// The text of a message.
    pub(crate) text: Span,
    pub(crate) tlvs: Span,
    /// What is left over; it ends where the body does.
    pub(crate) rest: Span,
}

/// Where the body of a PDU is. Each reference to the memory of a buffer costs as much as a few fields, so none is taken
/// that is not needed.
pub(crate) enum Source<'a> {
    /// At the front of the buffer, with other PDUs behind it.
    Buffer(&'a mut BytesMut),
    /// Cut off already: the last slice takes it over.
    Split(&'a mut BytesMut),
    /// The same of a PDU that was handed on.
    Shared(&'a mut Bytes),
}

impl Source<'_> {
    /// What begins with the body.
    #[inline(always)]
    pub(crate) fn octets(&self) -> &[u8] {
        match self {
            Self::Buffer(octets) => octets,
            Self::Split(octets) => octets,
            Self::Shared(octets) => octets,
        }
    }

    /// Takes so many octets off the front, and gives those behind the first `before`.
    #[inline(never)]
    fn cut_out(&mut self, before: usize, count: usize) -> Octets {
        let mut octets = self.cut_off(count);
        octets.advance(before);
        octets.into()
    }

    /// Takes so many octets off the front.
    fn cut_off(&mut self, count: usize) -> Bytes {
        match self {
            Self::Split(octets) if count == octets.len() => mem::take(*octets).freeze(),
            Self::Split(octets) => octets.split_to(count).freeze(),
            Self::Buffer(octets) => octets.split_to(count).freeze(),
            Self::Shared(octets) => octets.split_to(count),
        }
    }
}

/// A PDU whose header was read.
pub(crate) struct Incoming<'a> {
    pub(crate) command_id: CommandId,
    /// Octets of its body.
    pub(crate) length: usize,
    /// Begins with the body.
    pub(crate) source: Source<'a>,
    pub(crate) limits: &'a Limits,
    /// What its header was forgiven.
    pub(crate) used: Leniencies,
    pub(crate) counts: &'a mut LeniencyCounts,
}

/// Why a body is bad, and what was forgiven before.
pub(crate) struct Refused {
    pub(crate) error: DecodeError,
    pub(crate) used: Leniencies,
}

impl<'a> Incoming<'a> {
    #[inline(always)]
    pub(crate) fn reader(&self) -> Reader<'_> {
        let body = self.source.octets().get(..self.length).unwrap_or_default();
        Reader::new(self.command_id, body, self.limits, self.used)
    }

    /// Gives the slices of a good body, and counts what it was forgiven.
    #[inline(always)]
    pub(crate) fn cutter(&mut self, slices: Slices, used: Leniencies) -> SliceCutter<'_, 'a> {
        self.counts.add(used);
        SliceCutter { source: &mut self.source, at: 0, slices }
    }

    /// Gives the whole body, and counts what it was forgiven.
    pub(crate) fn take_body(&mut self, used: Leniencies) -> Bytes {
        self.counts.add(used);
        self.source.cut_off(self.length)
    }
}

/// Cuts slices, each behind the one before.
pub(crate) struct SliceCutter<'s, 'a> {
    source: &'s mut Source<'a>,
    /// Octets of the body that were cut off.
    at: usize,
    pub(crate) slices: Slices,
}

impl SliceCutter<'_, '_> {
    /// The octets there, which lie behind all that was cut before.
    #[inline(always)]
    pub(crate) fn cut(&mut self, span: Span) -> Octets {
        if span.is_empty() {
            return Octets::EMPTY;
        }
        let (before, end) = (span.start.saturating_sub(self.at), span.end.saturating_sub(self.at));
        self.at = span.end;
        self.source.cut_out(before, end)
    }

    /// What is left over. A buffer then begins behind the body.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> Octets {
        let rest = self.cut(self.slices.rest);
        if let Source::Buffer(buffer) = self.source {
            buffer.advance(self.slices.rest.end.saturating_sub(self.at));
        }
        rest
    }
}
