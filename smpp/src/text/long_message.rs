use bytes::Bytes;

use super::{Body, Codings, Concatenation, ConcatenationKind, Decoded, Gsm7};
use crate::types::DataCoding;

/// One part of a long message, as it is handed to a [`Reassembler`](super::Reassembler). Only copies of it are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Part<'a, T> {
    /// Number of the link: parts from two links never mix. Links of one pool may share a number.
    pub link: u64,
    /// Octets of the source address.
    pub source: &'a [u8],
    /// Octets of the destination address.
    pub destination: &'a [u8],
    /// Which part of which message.
    pub concatenation: Concatenation,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// The tables that its header chooses.
    pub tables: Gsm7,
    /// Octets that its header took.
    pub header_length: usize,
    /// What stands behind the header.
    pub text: &'a [u8],
    /// What the caller wants back.
    pub tag: T,
}

impl<'a, T> Part<'a, T> {
    /// The part that a PDU with this body is; none if it is a whole message.
    pub fn of(body: &'a Body, link: u64, source: &'a [u8], destination: &'a [u8], tag: T) -> Option<Self> {
        Some(Self {
            link,
            source,
            destination,
            concatenation: body.concatenation?,
            data_coding: body.data_coding,
            tables: body.tables(),
            header_length: body.header_length,
            text: &body.text,
            tag,
        })
    }
}

/// A long message, or what has come of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LongMessage<T> {
    /// Number of the link.
    pub link: u64,
    /// Octets of the source address.
    pub source: Bytes,
    /// Octets of the destination address.
    pub destination: Bytes,
    /// Where the parts say that they are parts.
    pub kind: ConcatenationKind,
    /// The reference that they share.
    pub reference: u16,
    /// Number of parts that the message has.
    pub total: u8,
    /// The parts that have come, by their numbers.
    pub parts: Vec<HeldPart<T>>,
}

/// One part that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldPart<T> {
    /// Its number, from 1.
    pub number: u8,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// The tables that its header chose.
    pub tables: Gsm7,
    /// Octets that its header took.
    pub header_length: usize,
    /// What stood behind the header: a copy, which keeps no read buffer alive.
    pub text: Bytes,
    /// What the caller handed in with it.
    pub tag: T,
}

impl<T> LongMessage<T> {
    /// Whether all parts have come.
    pub fn is_complete(&self) -> bool {
        self.parts.len() == usize::from(self.total)
    }

    /// The octets of all parts that have come, in order.
    pub fn octets(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|part| &part.text).copied().collect()
    }

    /// The text of all parts that have come; none if a part is no text. Parts that follow each other in the same coding
    /// are read as one.
    pub fn decode(&self, codings: &Codings) -> Option<Decoded<'static>> {
        let mut text = String::new();
        let mut lossy = false;
        for run in self.parts.chunk_by(HeldPart::continues) {
            let HeldPart { data_coding, tables, .. } = run.first()?;
            let octets = run.iter().map(|part| (&part.text[..], part.header_length));
            let decoded = codings.decode_parts(*data_coding, *tables, octets)?;
            text.push_str(&decoded.text);
            lossy |= decoded.lossy;
        }
        Some(Decoded { text: text.into(), lossy })
    }
}

impl<T> HeldPart<T> {
    pub(super) fn detached(part: Part<'_, T>) -> Self {
        Self {
            number: part.concatenation.part,
            data_coding: part.data_coding,
            tables: part.tables,
            header_length: part.header_length,
            text: Bytes::copy_from_slice(part.text),
            tag: part.tag,
        }
    }

    /// Whether a part says the same as this one.
    pub(super) fn equals<U>(&self, part: &Part<'_, U>) -> bool {
        (self.data_coding, self.tables, &self.text[..]) == (part.data_coding, part.tables, part.text)
    }

    fn continues(&self, next: &Self) -> bool {
        self.number.checked_add(1) == Some(next.number)
            && (self.data_coding, self.tables) == (next.data_coding, next.tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(number: u8, data_coding: u8, text: &'static [u8]) -> HeldPart<()> {
        let text = Bytes::from_static(text);
        HeldPart {
            number,
            data_coding: DataCoding(data_coding),
            tables: Gsm7::DEFAULT,
            header_length: 6,
            text,
            tag: (),
        }
    }

    fn read(parts: Vec<HeldPart<()>>) -> Option<Decoded<'static>> {
        let message = LongMessage {
            link: 0,
            source: Bytes::new(),
            destination: Bytes::new(),
            kind: ConcatenationKind::Sar,
            reference: 0,
            total: 3,
            parts,
        };
        message.decode(&Codings::default())
    }

    #[test]
    fn parts_are_joined_only_if_they_follow_each_other() {
        let pair = [held(1, 8, b"\0A\xd8\x3d"), held(2, 8, b"\xde\x00")].to_vec();
        assert_eq!(read(pair), Some(Decoded { text: "A\u{1f600}".into(), lossy: false }));
        let gap = [held(1, 8, b"\0A\xd8\x3d"), held(3, 8, b"\xde\x00")].to_vec();
        assert_eq!(read(gap), Some(Decoded { text: "A\u{fffd}\u{fffd}".into(), lossy: true }));
    }

    #[test]
    fn each_part_has_its_own_coding() {
        let mixed = [held(1, 0, b"\x01"), held(2, 3, b"\xe9"), held(3, 8, b"\x04\x16")].to_vec();
        assert_eq!(read(mixed).unwrap().text, "\u{a3}\u{e9}\u{416}");
        assert_eq!(read([held(1, 0, b"a"), held(2, 4, b"b")].to_vec()), None);
    }
}
