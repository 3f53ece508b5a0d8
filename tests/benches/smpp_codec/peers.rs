//! The peers. `rusmpp` has a tokio codec; the others have functions a PDU, which stand here behind one dispatch on
//! command_id.

use std::hint::black_box;

use bytes::{Buf, BytesMut};
use rusmpp::Command;
use rusmpp::tokio_codec::CommandCodec;
use smpp_codec::pdus::{DeliverSmRequest, EnquireLinkRequest, SubmitSmRequest, SubmitSmResponse};
use smpp34::{CommandHeader, SmppError, deliver_sm, enquire_link, submit_sm, submit_sm_resp};
use tokio_util::codec::{Decoder, Encoder};

use super::{Contender, WRITE};

pub(super) fn all() -> Vec<Box<dyn Contender>> {
    vec![Box::<SmppCodec>::default(), Box::<Smpp34>::default(), Box::<Rusmpp>::default()]
}

const SUBMIT_SM: u32 = 4;
const DELIVER_SM: u32 = 5;
const ENQUIRE_LINK: u32 = 0x15;
const SUBMIT_SM_RESP: u32 = 0x8000_0004;

/// The first PDU, if it is whole.
fn first(octets: &[u8]) -> Option<&[u8]> {
    let length = u32::from_be_bytes(*octets.first_chunk()?);
    octets.get(..length as usize)
}

fn command_id(pdu: &[u8]) -> u32 {
    u32::from_be_bytes(pdu[4..8].try_into().unwrap())
}

/// The PDUs of a stream, each as octets.
fn pdus(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let pdu = first(stream)?;
        stream = &stream[pdu.len()..];
        Some(pdu)
    })
}

#[derive(Default)]
struct Rusmpp {
    codec: CommandCodec,
    prepared: Vec<Command>,
    written: BytesMut,
}

impl Contender for Rusmpp {
    fn name(&self) -> &'static str {
        "rusmpp"
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> usize {
        let mut count = 0;
        while let Ok(Some(command)) = &self.codec.decode(buffer) {
            black_box(command);
            count += 1;
        }
        count
    }

    fn prepare(&mut self, stream: &[u8]) {
        let mut buffer = BytesMut::from(stream);
        self.prepared = std::iter::from_fn(|| self.codec.decode(&mut buffer).unwrap()).collect();
    }

    fn encode(&mut self, written: &mut dyn FnMut(&[u8])) {
        for command in &self.prepared {
            self.codec.encode(command, &mut self.written).unwrap();
            if self.written.len() >= WRITE {
                written(&self.written);
                self.written.clear();
            }
        }
        written(&self.written);
        self.written.clear();
    }
}

/// What `smpp-codec` has in place of an enum.
enum SmppCodecPdu {
    SubmitSm(SubmitSmRequest),
    DeliverSm(DeliverSmRequest),
    SubmitSmResp(SubmitSmResponse),
    EnquireLink(EnquireLinkRequest),
}

impl SmppCodecPdu {
    #[inline]
    fn decode(pdu: &[u8]) -> Self {
        match command_id(pdu) {
            SUBMIT_SM => Self::SubmitSm(SubmitSmRequest::decode(pdu).unwrap()),
            DELIVER_SM => Self::DeliverSm(DeliverSmRequest::decode(pdu).unwrap()),
            SUBMIT_SM_RESP => Self::SubmitSmResp(SubmitSmResponse::decode(pdu).unwrap()),
            ENQUIRE_LINK => Self::EnquireLink(EnquireLinkRequest::decode(pdu).unwrap()),
            id => panic!("command_id {id:#x}"),
        }
    }
}

#[derive(Default)]
struct SmppCodec {
    prepared: Vec<SmppCodecPdu>,
    written: Vec<u8>,
}

impl Contender for SmppCodec {
    fn name(&self) -> &'static str {
        "smpp-codec"
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> usize {
        let mut count = 0;
        while let Some(pdu) = first(buffer) {
            let length = pdu.len();
            black_box(&SmppCodecPdu::decode(pdu));
            buffer.advance(length);
            count += 1;
        }
        count
    }

    fn prepare(&mut self, stream: &[u8]) {
        self.prepared = pdus(stream).map(SmppCodecPdu::decode).collect();
    }

    fn encode(&mut self, written: &mut dyn FnMut(&[u8])) {
        for pdu in &self.prepared {
            let dst = &mut self.written;
            match pdu {
                SmppCodecPdu::SubmitSm(pdu) => pdu.encode(dst),
                SmppCodecPdu::DeliverSm(pdu) => pdu.encode(dst),
                SmppCodecPdu::SubmitSmResp(pdu) => pdu.encode(dst),
                SmppCodecPdu::EnquireLink(pdu) => pdu.encode(dst),
            }
            .unwrap();
            if self.written.len() >= WRITE {
                written(&self.written);
                self.written.clear();
            }
        }
        written(&self.written);
        self.written.clear();
    }
}

/// What `smpp34` has in place of an enum.
#[derive(Clone)]
enum Smpp34Pdu {
    SubmitSm(submit_sm),
    DeliverSm(deliver_sm),
    SubmitSmResp(submit_sm_resp),
    EnquireLink(enquire_link),
}

impl Smpp34Pdu {
    #[inline]
    fn decode(pdu: &[u8]) -> Result<Self, SmppError> {
        let header = CommandHeader::decode(pdu)?;
        match header.command_id {
            SUBMIT_SM => submit_sm::decode(header, pdu).map(Self::SubmitSm),
            DELIVER_SM => deliver_sm::decode(header, pdu).map(Self::DeliverSm),
            SUBMIT_SM_RESP => submit_sm_resp::decode(header, pdu).map(Self::SubmitSmResp),
            ENQUIRE_LINK => enquire_link::decode(header, pdu).map(Self::EnquireLink),
            id => panic!("command_id {id:#x}"),
        }
    }
}

#[derive(Default)]
struct Smpp34 {
    prepared: Vec<Smpp34Pdu>,
    consumed: Vec<Smpp34Pdu>,
}

impl Contender for Smpp34 {
    fn name(&self) -> &'static str {
        "smpp34"
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> usize {
        let mut count = 0;
        while let Some(pdu) = first(buffer) {
            let length = pdu.len();
            assert!(black_box(&Smpp34Pdu::decode(pdu)).is_ok());
            buffer.advance(length);
            count += 1;
        }
        count
    }

    fn prepare(&mut self, stream: &[u8]) {
        self.prepared = pdus(stream).map(|pdu| Smpp34Pdu::decode(pdu).unwrap()).collect();
    }

    fn ready(&mut self) {
        self.consumed.clone_from(&self.prepared);
    }

    /// Its `encode` consumes the PDU and gives a `Vec` of its own.
    fn encode(&mut self, written: &mut dyn FnMut(&[u8])) {
        for pdu in self.consumed.drain(..) {
            let octets = match pdu {
                Smpp34Pdu::SubmitSm(pdu) => pdu.encode(),
                Smpp34Pdu::DeliverSm(pdu) => pdu.encode(),
                Smpp34Pdu::SubmitSmResp(pdu) => pdu.encode(),
                Smpp34Pdu::EnquireLink(pdu) => pdu.encode(),
            };
            written(&octets);
        }
    }
}
