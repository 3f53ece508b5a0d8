use bytes::Bytes;
use nom::bytes::complete::take;
use nom::combinator::all_consuming;
use nom::multi::length_data;
use nom::number::complete::{be_u16, u8 as octet};
use nom::{IResult, Parser};
use thiserror::Error;

use super::{Gsm7, Language};

/// The user data header in front of a text (3GPP TS 23.040, section 9.2.3.24): it is there if esm_class says so.
///
/// ```
/// use bytes::Bytes;
/// use smpp::text::{ConcatenationKind, UserDataHeader};
///
/// let (header, text) = UserDataHeader::parse(&Bytes::from_static(b"\x05\x00\x03\x2a\x02\x01part one "))?;
/// let part = header.concatenation().unwrap();
/// assert_eq!((part.kind, part.reference, part.part, part.total), (ConcatenationKind::Udh8, 0x2a, 1, 2));
/// assert_eq!(&text[..], b"part one ");
/// # Ok::<(), smpp::text::InvalidUdh>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserDataHeader {
    /// Its elements, in order.
    pub elements: Vec<Element>,
    /// Octets behind the last whole element: one that claims to be longer than the header. Receivers ignore it.
    pub broken: Bytes,
}

/// One element of a user data header.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Element {
    /// A part of a longer message (elements 0x00 and 0x08), if its numbers make sense: a part from 1 to the total.
    Concatenation(Concatenation),
    /// Ports of an application in an octet each, 240 to 255 (element 0x04).
    Ports8 {
        /// Port that the message is for.
        destination: u8,
        /// Port that it comes from.
        source: u8,
    },
    /// Ports of an application (element 0x05).
    Ports16 {
        /// Port that the message is for.
        destination: u16,
        /// Port that it comes from.
        source: u16,
    },
    /// Table in place of the GSM alphabet's extension (element 0x24).
    SingleShift(Language),
    /// Table in place of the GSM default alphabet (element 0x25).
    LockingShift(Language),
    /// Any other element, or one of the above with data that does not fit it: kept, and without effect.
    Other {
        /// Identifier.
        id: u8,
        /// Data, at most 253 octets if it is the only element.
        data: Bytes,
    },
}

/// Which part of which longer message this is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Concatenation {
    /// Where it says so.
    pub kind: ConcatenationKind,
    /// The same in all parts of a message. One octet in a [`Udh8`](ConcatenationKind::Udh8).
    pub reference: u16,
    /// Number of parts.
    pub total: u8,
    /// Number of this part, from 1.
    pub part: u8,
}

/// Where a part says that it is one. Messages of different kinds are never mixed, whatever their references.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ConcatenationKind {
    /// Element 0x00 of a user data header: a reference of one octet.
    Udh8,
    /// Element 0x08 of a user data header: a reference of two octets.
    Udh16,
    /// The TLVs sar_msg_ref_num, sar_total_segments and sar_segment_seqnum.
    Sar,
}

/// User data does not begin with a user data header, though esm_class says so.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the header claims {claimed} octets, but {present} are there")]
pub struct InvalidUdh {
    /// Octets of the header as its first octet says.
    pub claimed: usize,
    /// Octets behind that octet.
    pub present: usize,
}

/// A header cannot be written: its elements do not fit, or a value does not.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a user data header has at most 255 octets, and an element of it 253")]
pub struct UdhTooLong;

const CONCATENATION_8: u8 = 0x00;
const PORTS_8: u8 = 0x04;
const PORTS_16: u8 = 0x05;
const CONCATENATION_16: u8 = 0x08;
const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

impl UserDataHeader {
    /// A header of these elements.
    pub fn new(elements: impl Into<Vec<Element>>) -> Self {
        Self { elements: elements.into(), broken: Bytes::new() }
    }

    /// Takes the header off the front of user data: the header, and the octets behind it. Both are slices of the user
    /// data.
    ///
    /// # Errors
    ///
    /// There are fewer octets than the header claims to have, or none at all.
    pub fn parse(user_data: &Bytes) -> Result<(Self, Bytes), InvalidUdh> {
        let claimed = user_data.first().copied().map_or(0, usize::from);
        let invalid = InvalidUdh { claimed, present: user_data.len().saturating_sub(1) };
        let (rest, mut header) = length_octets(user_data).map_err(|_| invalid)?;
        let mut elements = Vec::new();
        while let Ok((left, (id, data))) = element(header) {
            elements.push(
                Element::known(id, data).unwrap_or_else(|| Element::Other { id, data: user_data.slice_ref(data) }),
            );
            header = left;
        }
        Ok((Self { elements, broken: user_data.slice_ref(header) }, user_data.slice_ref(rest)))
    }

    /// The header as it stands in front of the text, its length octet included. What was parsed gives the same octets
    /// again.
    ///
    /// # Errors
    ///
    /// More than 255 octets.
    pub fn to_octets(&self) -> Result<Vec<u8>, UdhTooLong> {
        let mut octets = vec![0];
        for element in &self.elements {
            element.write(&mut octets)?;
        }
        octets.extend_from_slice(&self.broken);
        let length = octets.len().checked_sub(1).and_then(|length| u8::try_from(length).ok()).ok_or(UdhTooLong)?;
        if let Some(first) = octets.first_mut() {
            *first = length;
        }
        Ok(octets)
    }

    /// Which part of a longer message this is. Of several such elements the last counts (23.040).
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.last(|element| match element {
            Element::Concatenation(concatenation) => Some(*concatenation),
            _ => None,
        })
    }

    /// Destination and source port; of several such elements the last.
    pub fn ports(&self) -> Option<(u16, u16)> {
        self.last(|element| match *element {
            Element::Ports8 { destination, source } => Some((destination.into(), source.into())),
            Element::Ports16 { destination, source } => Some((destination, source)),
            _ => None,
        })
    }

    /// The tables for GSM 7-bit text. A locking shift to a language that has no such table is void.
    pub fn tables(&self) -> Gsm7 {
        Gsm7 {
            locking: self.last(|element| match element {
                Element::LockingShift(language) => language.has_locking_shift().then_some(*language),
                _ => None,
            }),
            single: self.last(|element| match element {
                Element::SingleShift(language) => Some(*language),
                _ => None,
            }),
        }
    }

    fn last<T>(&self, of_kind: impl FnMut(&Element) -> Option<T>) -> Option<T> {
        self.elements.iter().rev().find_map(of_kind)
    }
}

impl Element {
    /// Its identifier.
    pub fn id(&self) -> u8 {
        match *self {
            Self::Concatenation(Concatenation { kind: ConcatenationKind::Udh8, reference: 0..=0xff, .. }) => {
                CONCATENATION_8
            }
            Self::Concatenation(_) => CONCATENATION_16,
            Self::Ports8 { .. } => PORTS_8,
            Self::Ports16 { .. } => PORTS_16,
            Self::SingleShift(_) => SINGLE_SHIFT,
            Self::LockingShift(_) => LOCKING_SHIFT,
            Self::Other { id, .. } => id,
        }
    }

    /// Octets that it takes in a header, identifier and length among them.
    pub(super) fn octets(&self) -> usize {
        let data = match self {
            Self::Concatenation(_) if self.id() == CONCATENATION_8 => 3,
            Self::Concatenation(_) | Self::Ports16 { .. } => 4,
            Self::Ports8 { .. } => 2,
            Self::SingleShift(_) | Self::LockingShift(_) => 1,
            Self::Other { data, .. } => data.len(),
        };
        data.saturating_add(2)
    }

    /// Whether it says which part of a text this is, or in which tables the text is: it is made from the text.
    pub(super) fn is_made_from_text(&self) -> bool {
        matches!(self.id(), CONCATENATION_8 | CONCATENATION_16 | SINGLE_SHIFT | LOCKING_SHIFT)
    }

    fn known(id: u8, data: &[u8]) -> Option<Self> {
        let concatenation = |kind, reference, total, part| {
            let makes_sense = (1..=total).contains(&part);
            makes_sense.then_some(Self::Concatenation(Concatenation { kind, reference, total, part }))
        };
        match (id, data) {
            (CONCATENATION_8, &[reference, total, part]) => {
                concatenation(ConcatenationKind::Udh8, reference.into(), total, part)
            }
            (CONCATENATION_16, &[high, low, total, part]) => {
                concatenation(ConcatenationKind::Udh16, u16::from_be_bytes([high, low]), total, part)
            }
            (PORTS_8, &[destination, source]) => Some(Self::Ports8 { destination, source }),
            (PORTS_16, data) => {
                let (_, (destination, source)) = ports(data).ok()?;
                Some(Self::Ports16 { destination, source })
            }
            (SINGLE_SHIFT, &[number]) => Language::from_number(number).map(Self::SingleShift),
            (LOCKING_SHIFT, &[number]) => Language::from_number(number).map(Self::LockingShift),
            _ => None,
        }
    }

    fn write(&self, header: &mut Vec<u8>) -> Result<(), UdhTooLong> {
        let length = u8::try_from(self.octets().saturating_sub(2)).map_err(|_| UdhTooLong)?;
        header.extend_from_slice(&[self.id(), length]);
        match *self {
            Self::Concatenation(Concatenation { reference, total, part, .. }) => {
                let [high, low] = reference.to_be_bytes();
                if self.id() == CONCATENATION_16 {
                    header.push(high);
                }
                header.extend_from_slice(&[low, total, part]);
            }
            Self::Ports8 { destination, source } => header.extend_from_slice(&[destination, source]),
            Self::Ports16 { destination, source } => {
                header.extend_from_slice(&destination.to_be_bytes());
                header.extend_from_slice(&source.to_be_bytes());
            }
            Self::SingleShift(language) | Self::LockingShift(language) => header.push(language.number()),
            Self::Other { ref data, .. } => header.extend_from_slice(data),
        }
        Ok(())
    }
}

fn length_octets(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, length) = octet(input)?;
    take(length).parse(rest)
}

fn element(input: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    (octet, length_data(octet)).parse(input)
}

fn ports(input: &[u8]) -> IResult<&[u8], (u16, u16)> {
    all_consuming((be_u16, be_u16)).parse(input)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn known(user_data: &'static [u8], elements: &[Element], text: &[u8]) -> UserDataHeader {
        let header = UserDataHeader::new(elements);
        let parsed = UserDataHeader::parse(&Bytes::from_static(user_data)).unwrap();
        assert_eq!((&parsed.0, &parsed.1[..]), (&header, text));
        assert_eq!([&header.to_octets().unwrap(), text].concat(), user_data);
        header
    }

    fn part(kind: ConcatenationKind, reference: u16, total: u8, part: u8) -> Element {
        Element::Concatenation(Concatenation { kind, reference, total, part })
    }

    fn other(id: u8, data: &'static [u8]) -> Element {
        Element::Other { id, data: Bytes::from_static(data) }
    }

    #[test]
    fn known_answers() {
        use ConcatenationKind::{Udh8, Udh16};
        known(b"\x05\x00\x03\x2a\x02\x01part one ", &[part(Udh8, 0x2a, 2, 1)], b"part one ");
        known(b"\x06\x08\x04\x01\x02\x03\x01x", &[part(Udh16, 0x102, 3, 1)], b"x");
        let ports = Element::Ports16 { destination: 0x1581, source: 0x1581 };
        let header =
            known(b"\x0b\x05\x04\x15\x81\x15\x81\x00\x03\x63\x03\x02z", &[ports, part(Udh8, 0x63, 3, 2)], b"z");
        assert_eq!(header.ports(), Some((0x1581, 0x1581)));
        let header = known(b"\x04\x04\x02\xf0\xf1", &[Element::Ports8 { destination: 0xf0, source: 0xf1 }], b"");
        assert_eq!(header.ports(), Some((0xf0, 0xf1)));
        let shifts = [Element::LockingShift(Language::Turkish), Element::SingleShift(Language::Urdu)];
        let header = known(b"\x06\x25\x01\x01\x24\x01\x0d", &shifts, b"");
        assert_eq!(header.tables(), Gsm7 { locking: Some(Language::Turkish), single: Some(Language::Urdu) });
        known(b"\x00", &[], b"");
        known(b"\x04\x70\x02\xaa\xbb", &[other(0x70, b"\xaa\xbb")], b"");
    }

    #[test]
    fn elements_without_effect_are_kept() {
        for (user_data, element) in [
            // Part 0; part above the total; total 0; wrong lengths; languages that do not exist.
            (&b"\x05\x00\x03\x2a\x02\x00"[..], other(0, b"\x2a\x02\x00")),
            (b"\x05\x00\x03\x2a\x02\x03", other(0, b"\x2a\x02\x03")),
            (b"\x05\x00\x03\x2a\x00\x00", other(0, b"\x2a\x00\x00")),
            (b"\x04\x00\x02\x2a\x02", other(0, b"\x2a\x02")),
            (b"\x05\x08\x03\x2a\x02\x01", other(8, b"\x2a\x02\x01")),
            (b"\x03\x24\x01\x0e", other(0x24, b"\x0e")),
            (b"\x03\x25\x01\x00", other(0x25, b"\x00")),
        ] {
            let header = known(user_data, &[element], b"");
            assert_eq!((header.concatenation(), header.tables()), (None, Gsm7::DEFAULT));
        }
        let header = known(b"\x03\x25\x01\x02", &[Element::LockingShift(Language::Spanish)], b"");
        assert_eq!(header.tables(), Gsm7::DEFAULT);
    }

    #[test]
    fn the_last_of_several_counts() {
        let user_data = b"\x0b\x00\x03\x2a\x02\x01\x08\x04\x00\x01\x03\x02abc";
        let (header, text) = UserDataHeader::parse(&Bytes::from_static(user_data)).unwrap();
        let concatenation = header.concatenation().unwrap();
        assert_eq!((concatenation.kind, concatenation.reference), (ConcatenationKind::Udh16, 1));
        assert_eq!(&text[..], b"abc");
    }

    #[test]
    fn an_element_longer_than_the_header_is_ignored() {
        let user_data = b"\x05\x00\x06\x2a\x02\x01abc";
        let (header, text) = UserDataHeader::parse(&Bytes::from_static(user_data)).unwrap();
        assert_eq!(
            (header.elements.len(), &header.broken[..], &text[..]),
            (0, &b"\x00\x06\x2a\x02\x01"[..], &b"abc"[..])
        );
        assert_eq!(header.to_octets().unwrap(), user_data[..6]);
    }

    #[test]
    fn a_header_longer_than_the_user_data_is_none() {
        let parse = |user_data| UserDataHeader::parse(&Bytes::from_static(user_data)).unwrap_err();
        assert_eq!(parse(b""), InvalidUdh { claimed: 0, present: 0 });
        assert_eq!(parse(b"\x05\x00\x03"), InvalidUdh { claimed: 5, present: 2 });
    }

    #[test]
    fn a_header_never_grows_over_its_length_octet() {
        let element = |length: usize| Element::Other { id: 0x70, data: vec![1; length].into() };
        assert_eq!(UserDataHeader::new([element(253)]).to_octets().unwrap().len(), 256);
        assert_eq!(UserDataHeader::new([element(254)]).to_octets(), Err(UdhTooLong));
        assert_eq!(UserDataHeader::new([element(256)]).to_octets(), Err(UdhTooLong));
        assert_eq!(UserDataHeader::new([element(130), element(130)]).to_octets(), Err(UdhTooLong));
    }

    proptest! {
        #[test]
        fn any_header_is_written_as_it_was_read(
            user_data in prop_oneof![
                prop::collection::vec(0u8..12, 0..40),
                prop::collection::vec(any::<u8>(), 0..300),
            ],
        ) {
            let user_data = Bytes::from(user_data);
            if let Ok((header, text)) = UserDataHeader::parse(&user_data) {
                prop_assert_eq!([header.to_octets().unwrap(), text.to_vec()].concat(), &user_data[..]);
            }
        }
    }
}
