//! Binary SMS: hexadecimal payloads, user data headers, concatenation, WAP push.
//!
//! SSMI carries a binary message as hexadecimal digits and does not look inside; there is no flag that says whether
//! the payload begins with a user data header. These helpers build such payloads and take them apart.
//!
//! ```
//! use ssmi::binary::{self, Reference};
//! use ssmi::command::SendBinarySms;
//!
//! let ringtone = [0x55; 200];
//! let parts = binary::split(&ringtone, None, Reference::Octet(0x4d))?;
//! assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [140, 72]);
//! let sms = SendBinarySms::with_payload("27831112222", &parts[0]);
//! assert!(sms.hex_msg.to_text().starts_with("0500034d0201"));
//! # Ok::<(), ssmi::binary::TooLong>(())
//! ```

mod hex;
mod udh;
mod wap_push;

use thiserror::Error;

pub use self::hex::InvalidHex;
pub use self::udh::{Element, InvalidUdh, UserDataHeader};
pub use self::wap_push::{InvalidText, PushError, ServiceIndication};

/// Octets of user data in one SMS, its header included (3GPP TS 23.040).
pub const MAX_PAYLOAD: usize = 140;

/// Ports of an application, as in a user data header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ports {
    /// Port that the message is for.
    pub destination: u16,
    /// Port that it comes from.
    pub source: u16,
}

/// What the parts of one message share: another one for the next message to the same phone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reference {
    /// One octet: 134 octets of data a part, without ports.
    Octet(u8),
    /// Two octets: 133 octets of data a part, without ports.
    Word(u16),
}

/// The data would need more than 255 parts.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{length} octets need more than 255 parts")]
pub struct TooLong {
    /// Octets of the data.
    pub length: usize,
}

/// Splits data into payloads of at most [`MAX_PAYLOAD`] octets.
///
/// What fits into one message stays one, and then has a header only if there are ports. Otherwise each part begins
/// with a header that holds the ports, if any, the reference, the number of parts and its own, from 1.
///
/// # Errors
///
/// More than 255 parts.
pub fn split(data: &[u8], ports: Option<Ports>, reference: Reference) -> Result<Vec<Vec<u8>>, TooLong> {
    let ports = ports.map(|Ports { destination, source }| Element::Ports { destination, source });
    let single = UserDataHeader { elements: ports.iter().cloned().collect() }.to_payload(data);
    if single.len() <= MAX_PAYLOAD {
        return Ok(vec![single]);
    }
    let part_header = |total, part| UserDataHeader {
        elements: ports.iter().cloned().chain([Element::concatenation(reference, total, part)]).collect(),
    };
    let room = MAX_PAYLOAD.saturating_sub(part_header(0, 0).to_payload(&[]).len());
    let chunks: Vec<&[u8]> = data.chunks(room).collect();
    let total = u8::try_from(chunks.len()).map_err(|_| TooLong { length: data.len() })?;
    Ok((1..=total).zip(chunks).map(|(part, chunk)| part_header(total, part).to_payload(chunk)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_have_the_room_that_the_standard_gives() {
        let room = |ports, reference| {
            let parts = split(&[0; 1000], ports, reference).unwrap();
            UserDataHeader::parse(&parts[0]).unwrap().1.len()
        };
        let ports = Some(Ports { destination: 2948, source: 9200 });
        assert_eq!(room(None, Reference::Octet(1)), 134);
        assert_eq!(room(None, Reference::Word(1)), 133);
        assert_eq!(room(ports, Reference::Octet(1)), 128);
    }

    #[test]
    fn one_message_needs_no_header() {
        assert_eq!(split(&[7; 140], None, Reference::Octet(1)).unwrap(), [vec![7; 140]]);
        assert_eq!(split(&[7; 141], None, Reference::Octet(1)).unwrap().len(), 2);
    }

    #[test]
    fn at_most_255_parts() {
        assert_eq!(split(&vec![0; 255 * 134], None, Reference::Octet(1)).unwrap().len(), 255);
        let length = 255 * 134 + 1;
        assert_eq!(split(&vec![0; length], None, Reference::Octet(1)), Err(TooLong { length }));
    }

    proptest! {
        #[test]
        fn the_parts_are_the_data(data in prop::collection::vec(any::<u8>(), 141..2000), reference in any::<u16>()) {
            let parts = split(&data, None, Reference::Word(reference)).unwrap();
            let mut again = Vec::new();
            let total = u8::try_from(parts.len()).unwrap();
            for (number, part) in (1..=total).zip(&parts) {
                prop_assert!(part.len() <= MAX_PAYLOAD);
                let (header, rest) = UserDataHeader::parse(part).unwrap();
                prop_assert_eq!(header.elements, [Element::concatenation(Reference::Word(reference), total, number)]);
                again.extend_from_slice(rest);
            }
            prop_assert_eq!(again, data);
        }
    }
}
