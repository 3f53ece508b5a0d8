use std::io;

use bytes::BytesMut;
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use super::{BadLine, LineCutter, LineTooLong};
use crate::codec::EncodeError;
use crate::command::{Request, Response};

/// A client's end of a stream, for [`tokio_util::codec::Framed`]: responses in, requests out.
///
/// A bad line is an item, so the stream goes on behind it; only a line over the limit ends it.
#[derive(Clone, Debug, Default)]
pub struct ClientCodec(LineCutter);

/// The gateway's end of a stream, for [`tokio_util::codec::Framed`]: requests in, responses out.
///
/// A bad line is an item, so the stream goes on behind it; only a line over the limit ends it.
#[derive(Clone, Debug, Default)]
pub struct ServerCodec(LineCutter);

/// Why a framed stream ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FramingError {
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is longer than the limit.
    #[error(transparent)]
    LineTooLong(#[from] LineTooLong),
    /// A command cannot be written as a line; nothing of it was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

macro_rules! codec {
    ($codec:ident: $incoming:ident by $read:ident, $outgoing:ident) => {
        impl $codec {
            /// With a cutter of other settings.
            pub fn new(cutter: LineCutter) -> Self {
                Self(cutter)
            }
        }

        impl Decoder for $codec {
            type Item = Result<$incoming, BadLine>;
            type Error = FramingError;

            fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FramingError> {
                Ok(self.0.cut(src)?.map(|line| line.$read()))
            }

            /// A line that was never ended is dropped.
            fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FramingError> {
                let item = self.decode(src)?;
                if item.is_none() {
                    self.0.finish(src);
                }
                Ok(item)
            }
        }

        impl<T: Into<$outgoing>> Encoder<T> for $codec {
            type Error = FramingError;

            fn encode(&mut self, command: T, dst: &mut BytesMut) -> Result<(), FramingError> {
                Ok(command.into().encode(dst)?)
            }
        }
    };
}

codec!(ClientCodec: Response by response, Request);
codec!(ServerCodec: Request by request, Response);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{LinkCheck, Logout};

    #[test]
    fn both_ends_understand_each_other() {
        let mut wire = BytesMut::new();
        ClientCodec::default().encode(LinkCheck {}, &mut wire).unwrap();
        wire.extend_from_slice(b"Garbage\r");
        ClientCodec::default().encode(Logout {}, &mut wire).unwrap();
        wire.extend_from_slice(b"SSMI,3");
        let mut server = ServerCodec::default();
        assert_eq!(server.decode_eof(&mut wire).unwrap(), Some(Ok(LinkCheck {}.into())));
        assert_eq!(server.decode_eof(&mut wire).unwrap().unwrap().unwrap_err().line.octets, "Garbage");
        assert_eq!(server.decode_eof(&mut wire).unwrap(), Some(Ok(Logout {}.into())));
        assert_eq!(server.decode_eof(&mut wire).unwrap(), None);
    }

    #[test]
    fn a_line_over_the_limit_ends_the_stream() {
        let mut codec = ServerCodec::new(LineCutter::default().with_limit(4));
        let error = codec.decode(&mut BytesMut::from("SSMI,")).unwrap_err();
        assert!(matches!(error, FramingError::LineTooLong(LineTooLong { offset: 0, limit: 4 })));
    }
}
