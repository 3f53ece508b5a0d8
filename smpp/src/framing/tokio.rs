use std::io;

use bytes::BytesMut;
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use super::{BadLength, StreamDecoder};
use crate::codec::{EncodeError, LeniencyCounts, Limits};
use crate::pdu::{BadPdu, Frame};

/// Either end of a stream, for [`tokio_util::codec::Framed`]: PDUs in and out.
///
/// A PDU with a bad body is an item, so the stream goes on behind it; only a command_length that cannot be ends it.
#[derive(Clone, Debug, Default)]
pub struct Codec(StreamDecoder);

/// Octets that the buffer makes room for ahead of a PDU that is not whole; more comes as the octets arrive.
const RESERVE: usize = 8 * 1024;

impl Codec {
    /// For a stream whose PDUs are judged by these limits.
    pub fn new(limits: Limits) -> Self {
        Self(StreamDecoder::new(limits))
    }

    /// With another largest command_length, of PDUs that are read and that are written.
    #[must_use]
    pub fn with_limit(self, limit: u32) -> Self {
        Self(self.0.with_limit(limit))
    }

    /// The decoder: its limits can be set between two PDUs.
    pub fn decoder_mut(&mut self) -> &mut StreamDecoder {
        &mut self.0
    }

    /// For how many PDUs each leniency was used.
    pub fn counts(&self) -> &LeniencyCounts {
        self.0.counts()
    }
}

/// Why a framed stream ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FramingError {
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A command_length that cannot be.
    #[error(transparent)]
    BadLength(#[from] BadLength),
    /// A PDU cannot be written; nothing of it was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The stream ended inside a PDU.
    #[error("the stream ended {octets} octets into a PDU")]
    Unfinished {
        /// Octets of it that had come.
        octets: usize,
    },
}

impl Decoder for Codec {
    type Error = FramingError;
    type Item = Result<Frame, BadPdu>;

    #[inline(always)]
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FramingError> {
        self.0.next(src, RESERVE)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FramingError> {
        match self.0.decode(src)? {
            None if !src.is_empty() => {
                let octets = src.len();
                src.clear();
                Err(FramingError::Unfinished { octets })
            }
            item => Ok(item),
        }
    }
}

impl Encoder<Frame> for Codec {
    type Error = FramingError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), FramingError> {
        self.encode(&frame, dst)
    }
}

impl Encoder<&Frame> for Codec {
    type Error = FramingError;

    /// The limit holds for what is written too: a peer of the same limit would close the connection.
    #[inline]
    fn encode(&mut self, frame: &Frame, dst: &mut BytesMut) -> Result<(), FramingError> {
        Ok(frame.encode_up_to(self.0.cutter_mut().limit(), dst)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::{EnquireLink, SubmitSm};
    use crate::tlv::{MessagePayload, TlvOctets, Tlvs};
    use crate::types::SequenceNumber;

    fn frame() -> Frame {
        Frame::request(SequenceNumber::MIN, EnquireLink::default())
    }

    #[test]
    fn both_ends_understand_each_other() {
        let mut wire = BytesMut::new();
        Codec::default().encode(frame(), &mut wire).unwrap();
        wire.extend_from_slice(&[0, 0, 0, 16, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]);
        Codec::default().encode(&frame(), &mut wire).unwrap();
        wire.extend_from_slice(&[0, 0, 0]);
        let mut server = Codec::new(Limits::message_centre());
        assert_eq!(server.decode(&mut wire).unwrap(), Some(Ok(frame())));
        assert_eq!(server.decode(&mut wire).unwrap().unwrap().unwrap_err().header.sequence_number, 9);
        assert_eq!(server.decode(&mut wire).unwrap(), Some(Ok(frame())));
        assert_eq!(server.decode(&mut wire).unwrap(), None);
        assert!(matches!(server.decode_eof(&mut wire), Err(FramingError::Unfinished { octets: 3 })));
        assert!(server.decode_eof(&mut wire).unwrap().is_none());
    }

    #[test]
    fn the_limit_holds_both_ways() {
        let mut codec = Codec::default().with_limit(64);
        let payload = MessagePayload(TlvOctets::new(vec![0; 64]).unwrap());
        let long = SubmitSm { tlvs: Tlvs::new().with(&payload), ..Default::default() };
        let mut wire = BytesMut::from(&b"before"[..]);
        let error = codec.encode(Frame::request(SequenceNumber::MIN, long), &mut wire).unwrap_err();
        assert!(matches!(error, FramingError::Encode(_)), "{error}");
        assert_eq!(&wire[..], b"before");
        let error = codec.decode(&mut BytesMut::from(&[0, 0, 0, 65][..])).unwrap_err();
        assert!(matches!(error, FramingError::BadLength(BadLength { command_length: 65, .. })), "{error}");
    }
}
