use std::fmt;

use bytes::Bytes;
use thiserror::Error;

use super::Octets;

/// Message text of at most 255 octets, with its length on the wire (fields sm_length and short_message).
///
/// Version 3.4 allows 254 octets; a link that has agreed on it refuses to send 255. A received message is a slice of
/// the read buffer: [`detach`](Self::detach) one that is kept for long.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct ShortMessage(Octets);

impl ShortMessage {
    /// Most octets, in version 5.0.
    pub const MAX_LENGTH: usize = 255;
    /// Most octets in version 3.4.
    pub const MAX_LENGTH_34: usize = 254;

    /// Takes octets as they are to stand on the wire.
    ///
    /// # Errors
    ///
    /// More than 255.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, MessageTooLong> {
        let octets = octets.into();
        match octets.len() {
            length if length > Self::MAX_LENGTH => Err(MessageTooLong { length }),
            _ => Ok(Self(octets.into())),
        }
    }

    /// Octets whose number came from one octet.
    #[inline(always)]
    pub(crate) fn from_valid(octets: Octets) -> Self {
        Self(octets)
    }

    /// No octets.
    pub(crate) const EMPTY: Self = Self(Octets::EMPTY);

    /// The octets.
    pub fn as_bytes(&self) -> &Bytes {
        self.0.as_bytes()
    }

    /// Number of octets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy that does not keep the read buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(self.0.detach())
    }

    /// sm_length.
    pub(crate) fn length_octet(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

/// More octets than sm_length can say.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{length} octets; a short_message has at most 255")]
pub struct MessageTooLong {
    /// Their number.
    pub length: usize,
}

impl AsRef<[u8]> for ShortMessage {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ShortMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl TryFrom<Bytes> for ShortMessage {
    type Error = MessageTooLong;

    fn try_from(octets: Bytes) -> Result<Self, Self::Error> {
        Self::new(octets)
    }
}

impl TryFrom<&[u8]> for ShortMessage {
    type Error = MessageTooLong;

    fn try_from(octets: &[u8]) -> Result<Self, Self::Error> {
        Self::new(Bytes::copy_from_slice(octets))
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for ShortMessage {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let length = u.int_in_range(0..=Self::MAX_LENGTH)?;
        let octets = u.bytes(length.min(u.len()))?;
        Self::try_from(octets).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_octet_must_hold_its_length() {
        assert_eq!(ShortMessage::new(vec![0; 255]).unwrap().length_octet(), 255);
        assert_eq!(ShortMessage::new(vec![0; 256]), Err(MessageTooLong { length: 256 }));
    }
}
