//! The crate `smpp`.

use std::hint::black_box;

use bytes::BytesMut;
use smpp::codec::Limits;
use smpp::framing::{Codec, StreamDecoder};
use smpp::pdu::Frame;
use tokio_util::codec::{Decoder, Encoder};

use super::{Contender, WRITE};

#[derive(Default)]
pub(super) struct Ours {
    codec: Codec,
    prepared: Vec<Frame>,
    written: BytesMut,
}

impl Ours {
    pub(super) fn new() -> Self {
        Self { codec: Codec::new(Limits::message_centre()), ..Self::default() }
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "smpp"
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> usize {
        let (mut count, decoder) = (0, self.codec.decoder_mut());
        while let Ok(Some(Ok(frame))) = &decoder.decode(buffer) {
            black_box(frame);
            count += 1;
        }
        count
    }

    fn decode_stream(&mut self, buffer: &mut BytesMut) -> usize {
        let mut count = 0;
        while let Ok(Some(Ok(frame))) = &self.codec.decode(buffer) {
            black_box(frame);
            count += 1;
        }
        count
    }

    fn prepare(&mut self, stream: &[u8]) {
        let mut decoder = StreamDecoder::new(Limits::message_centre());
        let mut buffer = BytesMut::from(stream);
        self.prepared = std::iter::from_fn(|| decoder.decode(&mut buffer).unwrap().map(Result::unwrap)).collect();
    }

    fn encode(&mut self, written: &mut dyn FnMut(&[u8])) {
        for frame in &self.prepared {
            self.codec.encode(frame, &mut self.written).unwrap();
            if self.written.len() >= WRITE {
                written(&self.written);
                self.written.clear();
            }
        }
        written(&self.written);
        self.written.clear();
    }
}
