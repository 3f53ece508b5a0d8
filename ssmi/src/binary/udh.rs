use nom::bytes::complete::take;
use nom::combinator::all_consuming;
use nom::multi::{length_data, many0};
use nom::number::complete::{be_u16, u8 as octet};
use nom::{IResult, Parser};
use thiserror::Error;

use super::Reference;

/// The header at the front of a payload (3GPP TS 23.040, section 9.2.3.24).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserDataHeader {
    /// Its elements, in order.
    pub elements: Vec<Element>,
}

/// One element of a user data header.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Element {
    /// A part of a longer message, with a reference of one octet (element 00).
    Concatenated8 {
        /// The same in all parts.
        reference: u8,
        /// Number of parts.
        total: u8,
        /// Number of this part, from 1.
        part: u8,
    },
    /// A part of a longer message, with a reference of two octets (element 08).
    Concatenated16 {
        /// The same in all parts.
        reference: u16,
        /// Number of parts.
        total: u8,
        /// Number of this part, from 1.
        part: u8,
    },
    /// Ports of an application (element 05).
    Ports {
        /// Port that the message is for.
        destination: u16,
        /// Port that it comes from.
        source: u16,
    },
    /// Any other element, or one of the above with data of another length.
    Other {
        /// Identifier.
        id: u8,
        /// Data, at most 255 octets; what is longer is cut when written.
        data: Vec<u8>,
    },
}

/// A payload does not begin with a user data header.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidUdh {
    /// The payload is shorter than the header says it is.
    #[error("the payload of {length} octets ends inside its header")]
    Truncated {
        /// Octets of the payload.
        length: usize,
    },
    /// The elements do not fill the header.
    #[error("the elements do not fill the header of {length} octets")]
    Elements {
        /// Octets of the header, its length octet not counted.
        length: usize,
    },
}

impl Element {
    pub(super) fn concatenation(reference: Reference, total: u8, part: u8) -> Self {
        match reference {
            Reference::Octet(reference) => Self::Concatenated8 { reference, total, part },
            Reference::Word(reference) => Self::Concatenated16 { reference, total, part },
        }
    }

    fn parse(input: &[u8]) -> IResult<&[u8], Self> {
        let (rest, (id, data)) = (octet, length_data(octet)).parse(input)?;
        Ok((rest, Self::known(id, data).unwrap_or_else(|| Self::Other { id, data: data.to_vec() })))
    }

    fn known(id: u8, data: &[u8]) -> Option<Self> {
        fn whole<'a, T>(
            parser: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
            data: &'a [u8],
        ) -> Option<T> {
            all_consuming(parser).parse(data).ok().map(|(_, value)| value)
        }
        match id {
            0x00 => whole((octet, octet, octet), data).map(|(reference, total, part)| Self::Concatenated8 {
                reference,
                total,
                part,
            }),
            0x08 => whole((be_u16, octet, octet), data).map(|(reference, total, part)| Self::Concatenated16 {
                reference,
                total,
                part,
            }),
            0x05 => whole((be_u16, be_u16), data).map(|(destination, source)| Self::Ports { destination, source }),
            _ => None,
        }
    }

    fn write(&self, header: &mut Vec<u8>) {
        match self {
            Self::Concatenated8 { reference, total, part } => {
                header.extend_from_slice(&[0x00, 3, *reference, *total, *part]);
            }
            Self::Concatenated16 { reference, total, part } => {
                let [high, low] = reference.to_be_bytes();
                header.extend_from_slice(&[0x08, 4, high, low, *total, *part]);
            }
            Self::Ports { destination, source } => {
                header.extend_from_slice(&[0x05, 4]);
                header.extend_from_slice(&destination.to_be_bytes());
                header.extend_from_slice(&source.to_be_bytes());
            }
            Self::Other { id, data } => {
                let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
                header.extend_from_slice(&[*id, length]);
                header.extend(data.iter().take(length.into()));
            }
        }
    }
}

impl UserDataHeader {
    /// Takes the header off the front of a payload: the header, and the data behind it.
    ///
    /// # Errors
    ///
    /// The payload does not begin with one. Nothing on the wire says whether it should.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), InvalidUdh> {
        let truncated = |_| InvalidUdh::Truncated { length: payload.len() };
        let (rest, length) = octet::<_, nom::error::Error<_>>(payload).map_err(truncated)?;
        let (data, header) = take::<_, _, nom::error::Error<_>>(length).parse(rest).map_err(truncated)?;
        let (_, elements) = all_consuming(many0(Element::parse))
            .parse(header)
            .map_err(|_| InvalidUdh::Elements { length: header.len() })?;
        Ok((Self { elements }, data))
    }

    /// The header in front of data; the data alone if there are no elements. Elements that would not fit into the
    /// 255 octets of a header are left out.
    pub fn to_payload(&self, data: &[u8]) -> Vec<u8> {
        let mut header = Vec::new();
        for element in &self.elements {
            let end = header.len();
            element.write(&mut header);
            if header.len() > usize::from(u8::MAX) {
                header.truncate(end);
            }
        }
        match u8::try_from(header.len()) {
            Ok(length) if length > 0 => [&[length], header.as_slice(), data].concat(),
            _ => data.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn known(payload: &[u8], elements: &[Element], data: &[u8]) {
        let header = UserDataHeader { elements: elements.to_vec() };
        assert_eq!(UserDataHeader::parse(payload), Ok((header.clone(), data)));
        assert_eq!(header.to_payload(data), payload);
    }

    #[test]
    fn known_answers() {
        let part = Element::Concatenated8 { reference: 0x4d, total: 2, part: 1 };
        let ports = Element::Ports { destination: 0x0b84, source: 0x23f0 };
        known(b"\x05\x00\x03\x4d\x02\x01Part one, ", std::slice::from_ref(&part), b"Part one, ");
        known(
            b"\x06\x08\x04\x01\x02\x03\x01x",
            &[Element::Concatenated16 { reference: 0x0102, total: 3, part: 1 }],
            b"x",
        );
        known(b"\x06\x05\x04\x0b\x84\x23\xf0", std::slice::from_ref(&ports), b"");
        known(b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x4d\x02\x01z", &[ports, part], b"z");
        known(b"\x04\x00\x02\x4d\x02", &[Element::Other { id: 0, data: vec![0x4d, 2] }], b"");
    }

    #[test]
    fn what_is_no_header() {
        assert_eq!(UserDataHeader::parse(b""), Err(InvalidUdh::Truncated { length: 0 }));
        assert_eq!(UserDataHeader::parse(b"\x05\x00\x03"), Err(InvalidUdh::Truncated { length: 3 }));
        assert_eq!(UserDataHeader::parse(b"\x02\x00\x03\x01"), Err(InvalidUdh::Elements { length: 2 }));
    }

    #[test]
    fn a_header_never_grows_over_its_length_octet() {
        let element = Element::Other { id: 0x70, data: vec![1; 200] };
        let payload = UserDataHeader { elements: vec![element.clone(), element.clone()] }.to_payload(b"data");
        assert_eq!(UserDataHeader::parse(&payload), Ok((UserDataHeader { elements: vec![element] }, &b"data"[..])));
    }

    proptest! {
        #[test]
        fn any_header_is_written_as_it_was_read(payload in prop::collection::vec(0u8..12, 1..40)) {
            if let Ok((header, data)) = UserDataHeader::parse(&payload) && !header.elements.is_empty() {
                prop_assert_eq!(header.to_payload(data), payload);
            }
        }
    }
}
