use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// Octets of a PDU, which may be a slice of the read buffer. To have none costs nothing, neither to make nor to drop, and
/// most PDUs have none of most kinds.
///
/// ```
/// use bytes::Bytes;
/// use smpp::types::Octets;
///
/// assert!(Octets::EMPTY.is_empty());
/// let octets = Octets::from(Bytes::from_static(b"\x00\x01"));
/// assert_eq!(*octets, [0, 1]);
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Octets(Option<Bytes>);

impl Octets {
    /// None.
    pub const EMPTY: Self = Self(None);

    /// Whether there are none.
    #[inline(always)]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The same as [`Bytes`], to be sliced and shared.
    pub fn as_bytes(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        self.0.as_ref().unwrap_or(&NONE)
    }

    /// A copy that does not keep the read buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Bytes::copy_from_slice(self).into()
    }
}

impl Deref for Octets {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Some(octets) => octets,
            None => &[],
        }
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

impl From<Bytes> for Octets {
    #[inline(always)]
    fn from(octets: Bytes) -> Self {
        Self(if octets.is_empty() { None } else { Some(octets) })
    }
}

impl From<Octets> for Bytes {
    #[inline(always)]
    fn from(octets: Octets) -> Self {
        octets.0.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_are_none_however_they_came() {
        let octets = Bytes::from_static(b"ab");
        assert_eq!(Octets::from(octets.slice(1..1)), Octets::EMPTY);
        assert_ne!(Octets::from(octets.slice(1..)), Octets::EMPTY);
        assert_eq!(Octets::from(octets.clone()).as_bytes(), &octets);
    }
}
