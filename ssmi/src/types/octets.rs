use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// The octets of one field, as they stand on the wire.
///
/// SSMI says nothing about a character set, so a field is octets and not text; [`TextEncoding`](super::TextEncoding)
/// turns one into the other. A decoded field is a slice of its line and shares the line's memory:
/// [`detach`](Self::detach) a field that is kept for long.
///
/// Any octets can be held. What may not stand in a field of a line (a carriage return, a comma outside the last
/// field) is refused when the line is encoded, with the name of the field.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Octets(Bytes);

impl Octets {
    /// A field of octets that live as long as the program.
    pub const fn from_static(octets: &'static [u8]) -> Self {
        Self(Bytes::from_static(octets))
    }

    /// The octets.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Number of octets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The octets as text: UTF-8 if they are that, else ISO-8859-1. For logs; the application knows its link's
    /// [`TextEncoding`](super::TextEncoding).
    pub fn to_text(&self) -> Cow<'_, str> {
        match str::from_utf8(&self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(self.0.iter().copied().map(char::from).collect()),
        }
    }

    /// A copy in memory of its own, so that the read buffer that the line was cut from can go.
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl From<Bytes> for Octets {
    fn from(octets: Bytes) -> Self {
        Self(octets)
    }
}

impl From<Octets> for Bytes {
    fn from(octets: Octets) -> Self {
        octets.0
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

/// The text's UTF-8 octets; for ASCII (numbers, codes, addresses) every encoding agrees.
impl From<String> for Octets {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// The text's UTF-8 octets; for ASCII (numbers, codes, addresses) every encoding agrees.
impl From<&str> for Octets {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl PartialEq<str> for Octets {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Octets {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<[u8]> for Octets {
    fn eq(&self, other: &[u8]) -> bool {
        self.0 == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_if_it_can_be() {
        assert_eq!(Octets::from_static(b"Zo\xc3\xab").to_text(), "Zo\u{eb}");
        assert_eq!(Octets::from_static(b"Zo\xeb").to_text(), "Zo\u{eb}");
    }

    #[test]
    fn debug_shows_every_octet() {
        let octets = Octets::from_static(b"a\r\xff");
        assert_eq!(format!("{octets:?}"), r#""a\r\xff""#);
    }
}
