use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

/// A sequence number that this side makes: 1 to 0x7FFF_FFFF, and after the last comes 1.
///
/// What a peer sends is any `u32` and is echoed as it is, so the header of a received PDU holds a plain number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SequenceNumber(NonZeroU32);

impl SequenceNumber {
    /// The first of a session.
    pub const MIN: Self = Self(NonZeroU32::MIN);
    /// The last before it starts again.
    pub const MAX: u32 = 0x7fff_ffff;

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self.get() {
            Self::MAX => Self::MIN,
            _ => Self(self.0.saturating_add(1)),
        }
    }
}

/// Zero, or beyond 0x7FFF_FFFF.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{0:#x} is not a sequence number that may be sent: 1 to 0x7fffffff")]
pub struct InvalidSequenceNumber(pub u32);

impl TryFrom<u32> for SequenceNumber {
    type Error = InvalidSequenceNumber;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        match NonZeroU32::new(number) {
            Some(nonzero) if number <= Self::MAX => Ok(Self(nonzero)),
            _ => Err(InvalidSequenceNumber(number)),
        }
    }
}

impl Default for SequenceNumber {
    fn default() -> Self {
        Self::MIN
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_last_comes_the_first() {
        let last = SequenceNumber::try_from(SequenceNumber::MAX).unwrap();
        assert_eq!(last.next(), SequenceNumber::MIN);
        assert_eq!(SequenceNumber::MIN.next().get(), 2);
        assert!(SequenceNumber::try_from(0).is_err());
        assert!(SequenceNumber::try_from(SequenceNumber::MAX + 1).is_err());
    }
}
