use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use thiserror::Error;

/// Text that ends with a NUL: at most `N` octets, the NUL included, so at most `N` - 1 octets of text.
///
/// It is octets and not `str`: the specification says ASCII, real senders are Latin-1 or UTF-8. Text within the limit
/// stands in the value itself. A peer's string beyond the limit is kept all the same, on the heap, if the decoder was
/// told to keep it ([`OverLongString`](crate::codec::Leniency::OverLongString)); [`is_over_long`](Self::is_over_long)
/// says so.
///
/// ```
/// use smpp::types::COctetString;
///
/// let service_type: COctetString<6> = "WAP".parse()?;
/// assert_eq!(service_type, "WAP");
/// assert!("toolong".parse::<COctetString<6>>().is_err());
/// # Ok::<(), smpp::types::InvalidCOctetString>(())
/// ```
#[derive(Clone)]
pub struct COctetString<const N: usize> {
    /// Text that is too long, which then stands here. Beside the text of the usual length and not in its place, because
    /// octets of two meanings would be moved as a block through memory where others are moved in registers.
    over_long: Option<Box<[u8; MAX_OVER_LONG]>>,
    length: u8,
    /// Behind `length` octets stands a NUL. What stands behind that is of no account.
    octets: [u8; N],
}

/// Longest text that [`COctetString::over_long`] takes, in octets.
pub const MAX_OVER_LONG: usize = 255;

impl<const N: usize> COctetString<N> {
    /// Most octets of text, the NUL not counted.
    pub const MAX_LENGTH: usize = {
        assert!(N >= 1 && N <= 256, "a C-octet string has 1 to 256 octets, its NUL included");
        N - 1
    };

    /// The empty string: one NUL on the wire.
    pub const EMPTY: Self = Self { over_long: None, length: 0, octets: [0; N] };

    /// Takes octets that hold no NUL, at most [`MAX_LENGTH`](Self::MAX_LENGTH) of them.
    ///
    /// # Errors
    ///
    /// Too long, or a NUL inside, which would end the string there.
    pub fn new(octets: &[u8]) -> Result<Self, InvalidCOctetString> {
        Self::validate(octets, Self::MAX_LENGTH)?;
        Ok(Self::from_valid(octets))
    }

    /// As [`new`](Self::new), but up to [`MAX_OVER_LONG`] octets: for a peer known to take more than the
    /// specification allows, such as a long password.
    ///
    /// # Errors
    ///
    /// Longer still, or a NUL inside.
    pub fn over_long(octets: &[u8]) -> Result<Self, InvalidCOctetString> {
        Self::validate(octets, MAX_OVER_LONG.max(Self::MAX_LENGTH))?;
        Ok(Self::from_valid(octets))
    }

    /// The octets, without the NUL.
    pub fn as_slice(&self) -> &[u8] {
        let octets: &[u8] = match &self.over_long {
            None => &self.octets,
            Some(octets) => octets.as_slice(),
        };
        octets.get(..self.len()).unwrap_or_default()
    }

    /// Number of octets, the NUL not counted.
    pub fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// The block in which the text stands, its NUL behind it; none if it is too long for one.
    #[inline(always)]
    pub(crate) fn block(&self) -> Option<&[u8; N]> {
        match self.over_long {
            None => Some(&self.octets),
            Some(_) => None,
        }
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the text is longer than the specification allows.
    pub fn is_over_long(&self) -> bool {
        self.over_long.is_some()
    }

    /// As text: UTF-8 if it is that (so ASCII as well), ISO-8859-1 otherwise. Never fails.
    pub fn to_text(&self) -> Cow<'_, str> {
        text(self.as_slice())
    }

    /// Octets that were checked to hold no NUL.
    pub(crate) fn from_valid(text: &[u8]) -> Self {
        let mut string = Self::EMPTY;
        let octets: &mut [u8] = match text.len() < N {
            true => &mut string.octets,
            false => string.over_long.insert(Box::new([0; MAX_OVER_LONG])).as_mut_slice(),
        };
        octets.iter_mut().zip(text).for_each(|(to, octet)| *to = *octet);
        string.length = u8::try_from(text.len().min(MAX_OVER_LONG)).unwrap_or(u8::MAX);
        string
    }

    /// Becomes the text before the first NUL, and says how long it is and whether it is ASCII. None if no NUL is there
    /// within `N` octets; the string is then of no use.
    #[inline(always)]
    pub(crate) fn set_up_to_nul(&mut self, source: &[u8]) -> Option<(usize, bool)> {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let Self { length, octets, .. } = self;
        let (mut before, mut high) = (0u8, 0u64);
        let (eights, _) = octets.as_chunks_mut::<8>();
        let (source_eights, _) = source.as_chunks::<8>();
        for (eight, source) in eights.iter_mut().zip(source_eights) {
            *eight = *source;
            let octets = u64::from_le_bytes(*source);
            // The lowest bit that is set belongs to the first NUL; those above it may be set by the borrow.
            let nuls = octets.wrapping_sub(LOW) & !octets & HIGH;
            if nuls != 0 {
                let text = nuls.wrapping_sub(1) & !nuls;
                *length = before.wrapping_add(u8::try_from(nuls.trailing_zeros() / 8).ok()?);
                return Some((usize::from(*length), (high | octets & text) & HIGH == 0));
            }
            high |= octets;
            before = before.wrapping_add(8);
        }
        let at = usize::from(before);
        for (to, &octet) in octets.get_mut(at..)?.iter_mut().zip(source.get(at..)?) {
            *to = octet;
            if octet == 0 {
                *length = before;
                return Some((usize::from(before), high & HIGH == 0));
            }
            high |= u64::from(octet);
            before = before.wrapping_add(1);
        }
        None
    }

    fn validate(octets: &[u8], max: usize) -> Result<(), InvalidCOctetString> {
        if let Some(offset) = octets.iter().position(|&octet| octet == 0) {
            return Err(InvalidCOctetString::Nul { offset });
        }
        match octets.len() {
            length if length > max => Err(InvalidCOctetString::TooLong { length, max }),
            _ => Ok(()),
        }
    }
}

/// UTF-8 if it is that, ISO-8859-1 otherwise.
pub(crate) fn text(octets: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => octets.iter().copied().map(char::from).collect::<String>().into(),
    }
}

/// Why octets are not a C-octet string.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidCOctetString {
    /// Longer than the field.
    #[error("{length} octets; at most {max} are possible")]
    TooLong {
        /// Octets of text.
        length: usize,
        /// Most octets of text.
        max: usize,
    },
    /// A NUL would end the string here.
    #[error("a NUL at octet {offset}")]
    Nul {
        /// The first NUL.
        offset: usize,
    },
}

impl<const N: usize> Default for COctetString<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> AsRef<[u8]> for COctetString<N> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<const N: usize> Eq for COctetString<N> {}

impl<const N: usize> PartialEq for COctetString<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const N: usize> PartialEq<str> for COctetString<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for COctetString<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl<const N: usize> Hash for COctetString<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl<const N: usize> Ord for COctetString<N> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl<const N: usize> PartialOrd for COctetString<N> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> fmt::Debug for COctetString<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_slice().escape_ascii())
    }
}

impl<const N: usize> fmt::Display for COctetString<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl<const N: usize> FromStr for COctetString<N> {
    type Err = InvalidCOctetString;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.as_bytes())
    }
}

impl<const N: usize> TryFrom<&str> for COctetString<N> {
    type Error = InvalidCOctetString;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::new(text.as_bytes())
    }
}

impl<const N: usize> TryFrom<&[u8]> for COctetString<N> {
    type Error = InvalidCOctetString;

    fn try_from(octets: &[u8]) -> Result<Self, Self::Error> {
        Self::new(octets)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a, const N: usize> arbitrary::Arbitrary<'a> for COctetString<N> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let length = u.int_in_range(0..=Self::MAX_LENGTH)?;
        let octets = u.bytes(length.min(u.len()))?;
        let text = octets.split(|&octet| octet == 0).next().unwrap_or_default();
        Self::new(text).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_the_nul() {
        assert_eq!(COctetString::<6>::new(b"12345").unwrap().len(), 5);
        assert_eq!(COctetString::<6>::new(b"123456").unwrap_err(), InvalidCOctetString::TooLong { length: 6, max: 5 });
        assert_eq!(COctetString::<6>::new(b"1\x002").unwrap_err(), InvalidCOctetString::Nul { offset: 1 });
    }

    #[test]
    fn the_text_ends_before_the_first_nul() {
        // Ones and high bits around it, which a sloppy search takes for NULs; a source as long as the string can be, and
        // longer, and one that ends with the NUL.
        for filler in [0x01, 0x7f, 0x80, 0x81, 0xff] {
            assert_eq!(COctetString::<21>::default().set_up_to_nul(&[filler; 30]), None);
            for (at, length) in (0..21).flat_map(|at| [(at, at + 1), (at, 21), (at, 30)]) {
                let mut source = vec![filler; length];
                source[at] = 0;
                if let Some(last) = source.get_mut(20.max(at)) {
                    *last = 0;
                }
                let mut string = COctetString::<21>::EMPTY;
                assert_eq!(string.set_up_to_nul(&source), Some((at, at == 0 || filler < 0x80)), "{filler:#x} {length}");
                assert_eq!(string, COctetString::new(&source[..at]).unwrap());
                assert_eq!(COctetString::<21>::default().set_up_to_nul(&source[..at]), None);
            }
        }
    }

    #[test]
    fn what_stands_behind_the_text_is_of_no_account() {
        let mut string = COctetString::<10>::EMPTY;
        assert_eq!(string.set_up_to_nul(b"ab\0\xffyz\0\0\0"), Some((2, true)));
        assert_eq!(string, COctetString::new(b"ab").unwrap());
        assert_eq!(format!("{string:?}"), r#""ab""#);
    }

    #[test]
    fn an_over_long_string_is_kept_and_says_so() {
        let long = COctetString::<9>::over_long(b"ninechars+").unwrap();
        assert!(long.is_over_long());
        assert_eq!(long, "ninechars+");
        assert!(!COctetString::<9>::over_long(b"8 octets").unwrap().is_over_long());
        assert!(COctetString::<9>::over_long(&[b'x'; MAX_OVER_LONG + 1]).is_err());
    }

    #[test]
    fn text_is_utf8_if_it_can_be() {
        assert_eq!(COctetString::<9>::new(b"Zo\xc3\xab").unwrap().to_text(), "Zo\u{eb}");
        assert_eq!(COctetString::<9>::new(b"Zo\xeb").unwrap().to_text(), "Zo\u{eb}");
    }
}
