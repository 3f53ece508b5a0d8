//! The floor: a scan by hand that takes a PDU apart as slices of its octets, with no value checked.

use bytes::{Buf, BufMut, BytesMut};
use memchr::memchr;

use super::{Contender, WRITE};

/// PDUs by hand; they are held as octets, for they have no other form.
#[derive(Default)]
pub(super) struct Hand {
    prepared: Vec<u8>,
    written: BytesMut,
}

impl Contender for Hand {
    fn name(&self) -> &'static str {
        "scan by hand"
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> usize {
        let mut count = 0;
        while let Some(pdu) = scan(buffer) {
            let length = std::hint::black_box(&pdu).length;
            buffer.advance(length);
            count += 1;
        }
        count
    }

    fn prepare(&mut self, stream: &[u8]) {
        self.prepared = stream.to_vec();
    }

    fn encode(&mut self, written: &mut dyn FnMut(&[u8])) {
        let mut rest = self.prepared.as_slice();
        while let Some(pdu) = scan(rest) {
            rest = &rest[pdu.length..];
            write(&pdu, &mut self.written);
            if self.written.len() >= WRITE {
                written(&self.written);
                self.written.clear();
            }
        }
        written(&self.written);
        self.written.clear();
    }
}

/// A PDU taken apart.
struct Scan<'a> {
    length: usize,
    header: [u32; 4],
    body: Body<'a>,
    /// As octets; their lengths were followed to the end.
    tlvs: &'a [u8],
}

enum Body<'a> {
    Empty,
    MessageId(&'a [u8]),
    Message(Message<'a>),
}

/// submit_sm or deliver_sm.
struct Message<'a> {
    service_type: &'a [u8],
    source: (&'a [u8], &'a [u8]),
    destination: (&'a [u8], &'a [u8]),
    mode: &'a [u8],
    schedule_delivery_time: &'a [u8],
    validity_period: &'a [u8],
    handling: &'a [u8],
    text: &'a [u8],
}

/// Octets that are still to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn octet(&mut self) -> Option<u8> {
        let (&first, tail) = self.0.split_first()?;
        self.0 = tail;
        Some(first)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn string(&mut self, max: usize) -> Option<&'a [u8]> {
        let end = memchr(0, &self.0[..self.0.len().min(max)])?;
        let text = self.take(end)?;
        self.octet()?;
        Some(text)
    }
}

/// What a decoder has to do at least. None if the PDU is not whole.
#[inline(always)]
fn scan(octets: &[u8]) -> Option<Scan<'_>> {
    let (numbers, _) = octets.first_chunk::<16>()?.as_chunks::<4>();
    let header = [numbers[0], numbers[1], numbers[2], numbers[3]].map(u32::from_be_bytes);
    let length = header[0] as usize;
    let mut cursor = Cursor(octets.get(16..length)?);
    let body = match header[1] {
        4 | 5 => Body::Message(Message {
            service_type: cursor.string(6)?,
            source: (cursor.take(2)?, cursor.string(21)?),
            destination: (cursor.take(2)?, cursor.string(21)?),
            mode: cursor.take(3)?,
            schedule_delivery_time: cursor.string(17)?,
            validity_period: cursor.string(17)?,
            handling: cursor.take(4)?,
            text: {
                let length = cursor.octet()?;
                cursor.take(length.into())?
            },
        }),
        0x8000_0004 => Body::MessageId(cursor.string(65)?),
        _ => Body::Empty,
    };
    let tlvs = cursor.0;
    while !cursor.0.is_empty() {
        let (_tag, length) = (cursor.number()?, cursor.number()?);
        cursor.take(length.into())?;
    }
    Some(Scan { length, header, body, tlvs })
}

/// The same, written.
fn write(scan: &Scan<'_>, dst: &mut BytesMut) {
    let string = |dst: &mut BytesMut, text: &[u8]| {
        dst.put_slice(text);
        dst.put_u8(0);
    };
    dst.reserve(scan.length);
    dst.put_slice(scan.header.map(u32::to_be_bytes).as_flattened());
    match &scan.body {
        Body::Message(message) => {
            string(dst, message.service_type);
            dst.put_slice(message.source.0);
            string(dst, message.source.1);
            dst.put_slice(message.destination.0);
            string(dst, message.destination.1);
            dst.put_slice(message.mode);
            string(dst, message.schedule_delivery_time);
            string(dst, message.validity_period);
            dst.put_slice(message.handling);
            dst.put_u8(message.text.len() as u8);
            dst.put_slice(message.text);
        }
        Body::MessageId(id) => string(dst, id),
        Body::Empty => {}
    }
    dst.put_slice(scan.tlvs);
}
