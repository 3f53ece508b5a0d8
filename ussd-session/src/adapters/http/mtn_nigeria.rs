//! MTN Nigeria: XML over TCP, each packet behind a header of 32 octets. This cuts the stream; the XML is the host's.
//!
//! | octets | what |
//! |---|---|
//! | 16 | session id, filled up with NULs |
//! | 16 | length of the packet with its header, in decimal digits, filled up with NULs |
//! | | XML in ISO-8859-1 |

/// One packet.
///
/// ```
/// use ussd_session::adapters::http::mtn_nigeria::{MAX_LENGTH, Packet};
///
/// let mut stream = Vec::new();
/// Packet { session: b"0001", body: b"<ENQRequest/>" }.encode(&mut stream)?;
/// let (packet, length) = Packet::decode(&stream, MAX_LENGTH)?.expect("it is whole");
/// assert_eq!((packet.session, packet.body, length), (&b"0001"[..], &b"<ENQRequest/>"[..], stream.len()));
/// # Ok::<(), ussd_session::adapters::http::mtn_nigeria::FramingError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// The session id, at most 16 octets and without NULs at its end.
    pub session: &'a [u8],
    /// The XML.
    pub body: &'a [u8],
}

/// Why octets are no packet, or a packet none that can be sent. A stream has no way on from here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// The length is not one.
    #[error("packet length at octet 16: \"{}\" is no decimal number", .0.escape_ascii())]
    Length([u8; FIELD]),
    /// Less than the header.
    #[error("packet length {length}: the header alone has {HEADER} octets")]
    TooShort {
        /// What the header says.
        length: usize,
    },
    /// More than is allowed for.
    #[error("packet length {length}: at most {max} are possible")]
    TooLong {
        /// What the header says, or would have to say.
        length: usize,
        /// The most.
        max: usize,
    },
    /// A session id that does not fit, or ends in a NUL.
    #[error("session id of {length} octets: at most {FIELD} without a NUL are possible")]
    Session {
        /// Its octets.
        length: usize,
    },
}

/// Octets of the longest packet that a careful reader allows for.
pub const MAX_LENGTH: usize = 16 * 1024;

/// Octets of a field of the header.
const FIELD: usize = 16;
const HEADER: usize = 2 * FIELD;

impl<'a> Packet<'a> {
    /// The first packet of a stream, and its length; none while more octets are needed. A packet longer than `max` is
    /// an error as soon as its header is there.
    ///
    /// # Errors
    /// The header is none.
    pub fn decode(stream: &'a [u8], max: usize) -> Result<Option<(Self, usize)>, FramingError> {
        let Some((session, rest)) = stream.split_first_chunk::<FIELD>() else { return Ok(None) };
        let Some((digits, rest)) = rest.split_first_chunk::<FIELD>() else { return Ok(None) };
        let number = trimmed(digits);
        let decimal = number.iter().all(u8::is_ascii_digit);
        let length = str::from_utf8(number).ok().filter(|_| decimal).and_then(|number| number.parse::<usize>().ok());
        let length = length.ok_or(FramingError::Length(*digits))?;
        if length > max {
            return Err(FramingError::TooLong { length, max });
        }
        let body = length.checked_sub(HEADER).ok_or(FramingError::TooShort { length })?;
        Ok(rest.get(..body).map(|body| (Self { session: trimmed(session), body }, length)))
    }

    /// Appends the packet to a stream.
    ///
    /// # Errors
    /// The session id does not fit; nothing is appended.
    pub fn encode(&self, stream: &mut Vec<u8>) -> Result<(), FramingError> {
        if self.session.len() > FIELD || self.session.contains(&0) {
            return Err(FramingError::Session { length: self.session.len() });
        }
        let length = self.body.len().saturating_add(HEADER);
        for field in [self.session, length.to_string().as_bytes()] {
            stream.extend_from_slice(field);
            stream.resize(stream.len() + FIELD.saturating_sub(field.len()), 0);
        }
        stream.extend_from_slice(self.body);
        Ok(())
    }
}

/// A field without the NULs that fill it up.
fn trimmed(field: &[u8]) -> &[u8] {
    let end = field.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    field.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OCTETS: &[u8] = b"sess-1\0\0\0\0\0\0\0\0\0\x0042\0\0\0\0\0\0\0\0\0\0\0\0\0\0<a>\xe9</a>.";

    #[test]
    fn octets_of_a_packet() {
        let packet = Packet { session: b"sess-1", body: b"<a>\xe9</a>." };
        let mut stream = Vec::new();
        packet.encode(&mut stream).unwrap();
        assert_eq!(stream, b"sess-1\0\0\0\0\0\0\0\0\0\x0041\0\0\0\0\0\0\0\0\0\0\0\0\0\0<a>\xe9</a>.");
        assert_eq!(Packet::decode(&stream, MAX_LENGTH), Ok(Some((packet, 41))));
        // Two in one segment, and every beginning of the second.
        stream.extend_from_slice(OCTETS);
        for end in 41..stream.len() {
            assert_eq!(Packet::decode(&stream[..end], MAX_LENGTH).unwrap().unwrap().1, 41);
            assert_eq!(Packet::decode(&stream[41..end], MAX_LENGTH), Ok(None), "{end}");
        }
    }

    #[test]
    fn headers_that_are_none() {
        let header = |length: &[u8]| {
            let mut octets = [0; HEADER + 4];
            octets[FIELD..FIELD + length.len()].copy_from_slice(length);
            octets
        };
        for length in [&b""[..], b"-1", b"4 1", b"+41", b"0x20", b"9999999999999999", b"\xff"] {
            assert!(Packet::decode(&header(length), MAX_LENGTH).is_err(), "{}", length.escape_ascii());
        }
        let refused = |length: &[u8]| Packet::decode(&header(length), 100).unwrap_err().to_string();
        assert_eq!(refused(b"31"), "packet length 31: the header alone has 32 octets");
        assert_eq!(refused(b"101"), "packet length 101: at most 100 are possible");
        assert!(refused(b"x").starts_with("packet length at octet 16: \"x\\x00"));
        assert_eq!(Packet::decode(&header(b"32"), 100).unwrap().unwrap().0, Packet { session: b"", body: b"" });
        for session in [&[b'1'; 17][..], b"a\0"] {
            let mut stream = Vec::new();
            assert!(Packet { session, body: b"" }.encode(&mut stream).is_err() && stream.is_empty());
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            session in prop::collection::vec(1_u8.., 0..=FIELD),
            body in prop::collection::vec(any::<u8>(), 0..200),
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let packet = Packet { session: &session, body: &body };
            let mut stream = Vec::new();
            packet.encode(&mut stream).unwrap();
            let length = stream.len();
            stream.extend_from_slice(&rest);
            prop_assert_eq!(Packet::decode(&stream, MAX_LENGTH), Ok(Some((packet, length))));
        }

        #[test]
        fn any_octets_will_do(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(Some((_, length))) = Packet::decode(&octets, MAX_LENGTH) {
                prop_assert!(length <= octets.len());
            }
        }
    }
}
