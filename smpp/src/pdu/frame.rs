use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::{GenericNack, Pdu};
use crate::codec::{DecodeError, EncodeError, HEADER, Incoming, Leniencies, LeniencyCounts, Limits, Source, header};
use crate::types::{CommandId, CommandStatus, Octets, SequenceNumber};

/// What a header says beside the operation and the length, which stand in the PDU itself.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Header {
    /// The outcome, in a response. 0 in requests, where a receiver ignores it.
    pub command_status: CommandStatus,
    /// A response echoes that of its request. Whatever a peer sent is kept; this side makes
    /// [`SequenceNumber`]s.
    pub sequence_number: u32,
}

/// One PDU with its header, and with the octets that it has too many.
///
/// Decoding and then encoding gives the same octets for every PDU that was accepted.
// In this order, what every frame has stands in the same line of the cache, before fields that most PDUs do not have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct Frame {
    /// Status and sequence number.
    pub header: Header,
    /// Octets behind the PDU that belong to none of its fields; none in a PDU that keeps to the specification.
    /// Written back by [`encode`](Self::encode).
    pub rest: Octets,
    /// The PDU.
    pub pdu: Pdu,
}

/// A PDU that was cut from the stream and not looked into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawPdu {
    /// The operation.
    pub command_id: CommandId,
    /// Status and sequence number.
    pub header: Header,
    /// What follows the header.
    pub body: Bytes,
}

/// A PDU whose body is not what it should be. Only this PDU is lost to the stream, and it stands here.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("bad {command_id} with sequence_number {}: {error}", header.sequence_number)]
pub struct BadPdu {
    /// The operation.
    pub command_id: CommandId,
    /// Status and sequence number.
    pub header: Header,
    /// What follows the header.
    pub body: Bytes,
    /// What is wrong with it.
    #[source]
    pub error: DecodeError,
}

/// Octets that are not one PDU.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidFrame {
    /// Fewer than the 16 octets of a header.
    #[error("{octets} octets; a header has 16")]
    NoHeader {
        /// Their number.
        octets: usize,
    },
    /// command_length does not say how many octets there are.
    #[error("command_length is {command_length}, and there are {octets} octets")]
    Length {
        /// What the header says.
        command_length: u32,
        /// What there is.
        octets: usize,
    },
    /// The body is bad.
    #[error(transparent)]
    Bad(#[from] BadPdu),
}

impl Header {
    /// Whether nothing has to be forgiven.
    #[inline(always)]
    pub(crate) fn is_in_order(self, command_id: CommandId) -> bool {
        self.number_is_in_range(command_id) && self.status_is_in_place(command_id)
    }

    /// Whether the number is one that may be sent; 0 only in a generic_nack, which then answers no PDU.
    #[inline(always)]
    pub(super) fn number_is_in_range(self, command_id: CommandId) -> bool {
        match self.sequence_number {
            0 => command_id == CommandId::GENERIC_NACK,
            number => number <= SequenceNumber::MAX,
        }
    }

    /// Whether only a response has a status.
    #[inline(always)]
    pub(super) fn status_is_in_place(self, command_id: CommandId) -> bool {
        command_id.is_response() || self.command_status.is_ok()
    }
}

impl Frame {
    /// A request with its number.
    pub fn request(sequence_number: SequenceNumber, pdu: impl Into<Pdu>) -> Self {
        let header = Header { command_status: CommandStatus::ROK, sequence_number: sequence_number.get() };
        Self { header, pdu: pdu.into(), rest: Octets::EMPTY }
    }

    /// A response with the number of its request.
    pub fn response(sequence_number: u32, command_status: CommandStatus, pdu: impl Into<Pdu>) -> Self {
        Self { header: Header { command_status, sequence_number }, pdu: pdu.into(), rest: Octets::EMPTY }
    }

    /// Reads one whole PDU, such as one from a log. For PDUs of a stream see [`framing`](crate::framing).
    ///
    /// # Errors
    ///
    /// Not as many octets as command_length says, or a body that the limits refuse.
    pub fn decode(octets: impl Into<Bytes>, limits: &Limits) -> Result<Self, InvalidFrame> {
        Ok(RawPdu::new(octets.into())?.decode(limits)?)
    }

    /// Appends the PDU: header, body, and the octets in `rest`.
    ///
    /// # Errors
    ///
    /// More octets than command_length can say; the buffer is then as it was.
    #[inline]
    pub fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.encode_up_to(u32::MAX, dst)
    }

    /// As [`encode`](Self::encode), with a limit to the octets of the PDU.
    #[inline(always)]
    pub(crate) fn encode_up_to(&self, limit: u32, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.pdu.write(self.header, &self.rest, dst, limit)
    }

    /// The response that refuses this PDU: its own one without a body, or a generic_nack if the operation is not
    /// known. None if nothing answers it: responses, outbind, alert_notification.
    pub fn refusal(&self, command_status: CommandStatus) -> Option<Self> {
        let sequence_number = self.header.sequence_number;
        match &self.pdu {
            Pdu::Unknown(unknown) if unknown.command_id.is_response() => None,
            Pdu::Unknown(_) => Some(Self::response(sequence_number, command_status, GenericNack::default())),
            pdu => refusal(pdu.command_id(), sequence_number, command_status),
        }
    }
}

impl RawPdu {
    /// Takes one whole PDU apart into header and body.
    ///
    /// # Errors
    ///
    /// Not as many octets as command_length says.
    #[inline]
    pub fn new(mut octets: Bytes) -> Result<Self, InvalidFrame> {
        let Some([command_length, id, status, sequence_number]) = header(&octets) else {
            return Err(InvalidFrame::NoHeader { octets: octets.len() });
        };
        if usize::try_from(command_length) != Ok(octets.len()) {
            return Err(InvalidFrame::Length { command_length, octets: octets.len() });
        }
        bytes::Buf::advance(&mut octets, HEADER);
        let header = Header { command_status: CommandStatus(status), sequence_number };
        Ok(Self { command_id: CommandId(id), header, body: octets })
    }

    /// Reads the body.
    ///
    /// # Errors
    ///
    /// A body that the limits refuse. Only requests are refused, unless decoding is strict.
    #[inline]
    pub fn decode(self, limits: &Limits) -> Result<Frame, BadPdu> {
        self.decode_counting(limits, &mut LeniencyCounts::default())
    }

    /// As [`decode`](Self::decode), and counts what was forgiven.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    #[inline]
    pub fn decode_counting(self, limits: &Limits, counts: &mut LeniencyCounts) -> Result<Frame, BadPdu> {
        let Self { command_id, header, mut body } = self;
        let length = body.len();
        let source = Source::Shared(&mut body);
        Pdu::read(header, &mut Incoming { command_id, length, source, limits, used: Leniencies::NONE, counts })
    }
}

impl BadPdu {
    /// The answer that is due: the request's own response with the status that the error stands for. None if nothing
    /// answers this PDU.
    pub fn answer(&self) -> Option<Frame> {
        refusal(self.command_id, self.header.sequence_number, self.error.command_status())
    }

    /// The PDU without its body being looked into.
    pub fn into_raw(self) -> RawPdu {
        RawPdu { command_id: self.command_id, header: self.header, body: self.body }
    }
}

fn refusal(command_id: CommandId, sequence_number: u32, command_status: CommandStatus) -> Option<Frame> {
    let pdu = match (command_id.response(), command_id.name()) {
        (Some(response), _) => Pdu::without_body(response)?,
        (None, None) if !command_id.is_response() => GenericNack::default().into(),
        _ => return None,
    };
    Some(Frame::response(sequence_number, command_status, pdu))
}
