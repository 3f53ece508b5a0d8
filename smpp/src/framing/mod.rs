//! PDUs out of a stream.
//!
//! A PDU begins with command_length, which counts itself and the rest of the header. It is judged on its four octets,
//! before anything is reserved; a length that cannot be is the end of the stream, since where the next PDU begins is
//! then not known.

#[cfg(feature = "tokio")]
mod tokio;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use crate::codec::{HEADER, LeniencyCounts, Limits, command_length, header};
use crate::pdu::{BadPdu, Frame, GenericNack, Header, Pdu, RawPdu};
use crate::types::{CommandId, CommandStatus, SequenceNumber};

#[cfg(feature = "tokio")]
pub use self::tokio::{Codec, FramingError};

/// Largest command_length by default: a submit_sm with the largest message_payload has about 66,000 octets.
pub const MAX_PDU: u32 = 128 * 1024;

/// Largest command_length before a bind, by default: no bind is longer than 99 octets with an ordinary password.
pub const MAX_PDU_UNBOUND: u32 = 1024;

/// Octets that a PDU's header has, and so the least command_length.
pub const MIN_PDU: u32 = 16;

/// Cuts a stream into PDUs, however it arrives.
///
/// Append what was read to a buffer and call [`cut`](Self::cut) until it gives `None`. The buffer then holds less than
/// one PDU. The limit is asked anew for each PDU, so that it may be raised between a bind_resp and what follows in the
/// same segment.
///
/// ```
/// use bytes::BytesMut;
/// use smpp::framing::PduCutter;
/// use smpp::types::CommandId;
///
/// let mut cutter = PduCutter::default();
/// let mut buffer = BytesMut::from(&[0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0][..]);
/// assert_eq!(cutter.cut(&mut buffer)?, None);
/// buffer.extend_from_slice(&[0, 0, 0, 0, 0, 1]);
/// assert_eq!(cutter.cut(&mut buffer)?.unwrap().command_id, CommandId::ENQUIRE_LINK);
/// # Ok::<(), smpp::framing::BadLength>(())
/// ```
#[derive(Clone, Debug)]
pub struct PduCutter {
    limit: u32,
    /// Octets of the stream before the buffer.
    offset: u64,
}

/// A command_length that cannot be. The stream cannot be read on: send [`answer`](Self::answer) and close it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("command_length {command_length} at octet {offset} of the stream is not within {MIN_PDU} to {limit}")]
pub struct BadLength {
    /// Where the PDU begins in the stream.
    pub offset: u64,
    /// What it says.
    pub command_length: u32,
    /// The largest that is taken.
    pub limit: u32,
    /// The PDU's sequence number, if it is above the limit and its header was there already; 0 otherwise.
    pub sequence_number: u32,
}

impl BadLength {
    /// The generic_nack that is due before the connection is closed.
    pub fn answer(&self) -> Frame {
        Frame::response(self.sequence_number, CommandStatus::RINVCMDLEN, GenericNack::default())
    }
}

impl Default for PduCutter {
    /// With a limit of [`MAX_PDU`].
    fn default() -> Self {
        Self { limit: MAX_PDU, offset: 0 }
    }
}

impl PduCutter {
    /// With another limit, as by [`set_limit`](Self::set_limit).
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.set_limit(limit);
        self
    }

    /// Sets the limit for the PDUs that come: the largest command_length that is taken, at least [`MIN_PDU`].
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit.max(MIN_PDU);
    }

    /// The limit.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Octets of the stream before the buffer: where the next PDU begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next whole PDU off the front of the buffer; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// A command_length below 16 or above the limit. It is known as soon as its four octets are there, and every later
    /// call says it again.
    #[inline(always)]
    pub fn cut(&mut self, buffer: &mut BytesMut) -> Result<Option<RawPdu>, BadLength> {
        let Some(head) = self.cut_header(buffer)? else { return Ok(None) };
        let body = if head.body == 0 { Bytes::new() } else { buffer.split_to(head.body).freeze() };
        Ok(Some(RawPdu { command_id: head.command_id, header: head.header, body }))
    }

    /// Takes the header of the next PDU, which is whole, off the front of the buffer.
    #[inline(always)]
    fn cut_header(&mut self, buffer: &mut BytesMut) -> Result<Option<Head>, BadLength> {
        let Some(command_length) = command_length(buffer) else { return Ok(None) };
        if !(MIN_PDU..=self.limit).contains(&command_length) {
            return Err(self.bad_length(command_length, buffer));
        }
        let length = usize::try_from(command_length).unwrap_or(usize::MAX);
        if buffer.len() < length {
            return Ok(None);
        }
        let Some([_, id, status, sequence_number]) = header(buffer) else { return Ok(None) };
        self.offset = self.offset.wrapping_add(command_length.into());
        buffer.advance(HEADER);
        let header = Header { command_status: CommandStatus(status), sequence_number };
        Ok(Some(Head { command_id: CommandId(id), header, body: length.saturating_sub(HEADER) }))
    }

    /// As [`cut_header`](Self::cut_header) for a PDU that keeps a link alive and is a header and no more, in order, which
    /// any limit allows: it is known by two comparisons. Whether it is a response, and its number.
    #[inline(always)]
    fn cut_alive(&mut self, buffer: &mut BytesMut) -> Option<(bool, u32)> {
        let [command_length, id, status, sequence_number] = header(buffer)?;
        let (id, numbers) = (CommandId(id), u64::from(status) << 32 | u64::from(sequence_number));
        let is_alone = command_length == MIN_PDU && id.keeps_alive();
        if !is_alone || !(1..=SequenceNumber::MAX.into()).contains(&numbers) {
            return None;
        }
        self.offset = self.offset.wrapping_add(MIN_PDU.into());
        buffer.advance(HEADER);
        Some((id.is_response(), sequence_number))
    }

    /// Octets of the PDU whose beginning stands in the buffer, once its length is known and allowed.
    pub fn wanted(&self, buffer: &BytesMut) -> Option<u32> {
        command_length(buffer).filter(|length| (MIN_PDU..=self.limit).contains(length))
    }

    #[cold]
    fn bad_length(&self, command_length: u32, buffer: &BytesMut) -> BadLength {
        let number = header(buffer).map(|[_, _, _, number]| number).filter(|_| command_length > self.limit);
        BadLength {
            offset: self.offset,
            command_length,
            limit: self.limit,
            sequence_number: number.unwrap_or_default(),
        }
    }
}

/// The header of a PDU.
struct Head {
    command_id: CommandId,
    header: Header,
    /// Octets behind it.
    body: usize,
}

/// A PDU, good or bad.
type Item = Result<Frame, BadPdu>;

/// A cutter and a decoder in one: what [`Limits`] take of a stream, with counts of what was forgiven.
#[derive(Clone, Debug, Default)]
pub struct StreamDecoder {
    cutter: PduCutter,
    limits: Limits,
    counts: LeniencyCounts,
}

impl StreamDecoder {
    /// For a stream whose PDUs are judged by these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// With another largest command_length.
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.cutter.set_limit(limit);
        self
    }

    /// The cutter: its limit, and where in the stream it stands.
    pub fn cutter_mut(&mut self) -> &mut PduCutter {
        &mut self.cutter
    }

    /// What is taken and forgiven.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets what is taken and forgiven from the next PDU on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// For how many PDUs each leniency was used.
    pub fn counts(&self) -> &LeniencyCounts {
        &self.counts
    }

    /// Takes the next whole PDU off the front of the buffer and reads it; `None` if there is none yet. A PDU with a bad
    /// body is an item, and the stream goes on behind it.
    ///
    /// # Errors
    ///
    /// As [`PduCutter::cut`].
    #[inline(always)]
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Result<Frame, BadPdu>>, BadLength> {
        self.next(buffer, 0)
    }

    /// As [`decode`](Self::decode); makes room for so many octets if no whole PDU is there.
    #[inline(always)]
    fn next<E: From<BadLength>>(&mut self, buffer: &mut BytesMut, room: usize) -> Result<Option<Item>, E> {
        if let Some((is_response, sequence_number)) = self.cutter.cut_alive(buffer) {
            return Pdu::alive(is_response, sequence_number);
        }
        match self.cutter.cut_header(buffer) {
            Ok(Some(Head { command_id, header, body })) => {
                Pdu::next(command_id, header, buffer, body, &self.limits, &mut self.counts)
            }
            Ok(None) => {
                buffer.reserve(room);
                Ok(None)
            }
            Err(bad) => Err(bad.into()),
        }
    }
}

#[cfg(test)]
mod tests;
