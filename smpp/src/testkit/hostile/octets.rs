//! PDUs as no library would make them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::pdu::{DeliverSm, EnquireLink, Frame, Header, Pdu, SubmitSm};
use crate::tlv::Tlvs;
use crate::types::{CommandId, CommandStatus, EsmClass, Octets, ShortMessage};

/// A frame as it goes over the wire; none of those made here is too long for one.
pub(super) fn encoded(frame: &Frame) -> Bytes {
    let mut octets = BytesMut::new();
    let _ = frame.encode(&mut octets);
    octets.freeze()
}

/// A whole PDU of any number, proper or not.
pub(super) fn request(number: u32, pdu: impl Into<Pdu>) -> Bytes {
    let header = Header { command_status: CommandStatus::ROK, sequence_number: number };
    encoded(&Frame { header, pdu: pdu.into(), rest: Octets::EMPTY })
}

/// A response.
pub(super) fn response(number: u32, status: CommandStatus, pdu: impl Into<Pdu>) -> Bytes {
    encoded(&Frame::response(number, status, pdu))
}

pub(super) fn enquire_link(number: u32) -> Bytes {
    request(number, EnquireLink::default())
}

/// A PDU with the right command_length and any body.
pub(super) fn raw(command_id: CommandId, number: u32, body: &[u8]) -> Bytes {
    let length = body.len().saturating_add(16);
    claiming(u32::try_from(length).unwrap_or(u32::MAX), command_id, number, body)
}

/// A PDU that claims any command_length.
pub(super) fn claiming(command_length: u32, command_id: CommandId, number: u32, body: &[u8]) -> Bytes {
    let mut octets = BytesMut::new();
    for word in [command_length, command_id.0, 0, number] {
        octets.put_u32(word);
    }
    octets.put_slice(body);
    octets.freeze()
}

/// The same PDUs with another number.
pub(super) fn numbered(octets: &[u8], number: u32) -> Bytes {
    let mut copy = BytesMut::from(octets);
    let mut start = 0;
    while let Some(pdu) = copy.get_mut(start..)
        && let Some((header, _)) = pdu.split_first_chunk_mut::<16>()
    {
        let [a, b, c, d, .., e, f, g, h] = header;
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        [*e, *f, *g, *h] = number.to_be_bytes();
        start = start.saturating_add(length.max(16));
    }
    copy.freeze()
}

/// The message of the other direction: what an ESME submits, what a message centre delivers.
#[derive(Clone, Copy)]
pub(super) enum Message {
    Submit,
    Deliver,
}

impl Message {
    pub(super) fn command_id(self) -> CommandId {
        match self {
            Self::Submit => CommandId::SUBMIT_SM,
            Self::Deliver => CommandId::DELIVER_SM,
        }
    }

    pub(super) fn response(self) -> CommandId {
        match self {
            Self::Submit => CommandId::SUBMIT_SM_RESP,
            Self::Deliver => CommandId::DELIVER_SM_RESP,
        }
    }

    /// A message that keeps to the specification.
    pub(super) fn proper(self, number: u32) -> Bytes {
        self.with(number, 0, 0, b"hello", Tlvs::new())
    }

    pub(super) fn with(self, number: u32, esm_class: u8, data_coding: u8, text: &[u8], tlvs: Tlvs) -> Bytes {
        let short_message = ShortMessage::new(Bytes::copy_from_slice(text)).unwrap_or_default();
        let (esm_class, data_coding) = (EsmClass(esm_class), data_coding.into());
        let source = SENDER.parse().unwrap_or_default();
        let destination = RECIPIENT.parse().unwrap_or_default();
        match self {
            Self::Submit => {
                let message =
                    SubmitSm { source, destination, esm_class, data_coding, short_message, tlvs, ..Default::default() };
                request(number, message)
            }
            Self::Deliver => {
                let message = DeliverSm {
                    source,
                    destination,
                    esm_class,
                    data_coding,
                    short_message,
                    tlvs,
                    ..Default::default()
                };
                request(number, message)
            }
        }
    }

    /// A message whose body is made of these parts: up to the recipient, times, and the rest from registered_delivery.
    pub(super) fn body(self, number: u32, source: &[u8], times: &[u8], rest: &[u8]) -> Bytes {
        let mut body = b"\0\x01\x01".to_vec();
        body.extend_from_slice(source);
        body.extend_from_slice(b"\x01\x0127839876543\0\0\0\0");
        body.extend_from_slice(times);
        body.extend_from_slice(rest);
        raw(self.command_id(), number, &body)
    }

    /// A proper message with any octets where its TLVs are to be.
    pub(super) fn with_tail(self, number: u32, tail: &[u8]) -> Bytes {
        let mut rest = b"\0\0\0\0\x05hello".to_vec();
        rest.extend_from_slice(tail);
        self.body(number, SOURCE, b"\0\0", &rest)
    }
}

/// Who sends the messages that keep to the specification.
pub(super) const SENDER: &str = "27831234567";

/// Whom they are for.
pub(super) const RECIPIENT: &str = "27839876543";

/// The sender as it goes over the wire.
pub(super) const SOURCE: &[u8] = b"27831234567\0";

/// One TLV of any value.
pub(super) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    [&tag.to_be_bytes()[..], &length.to_be_bytes()[..], value].concat()
}
