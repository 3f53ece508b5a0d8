use std::fmt;

use super::{COctetString, InvalidCOctetString};

/// The password of a bind or an outbind: at most 8 octets by the specification. `Debug` prints `***`, whatever it is.
#[derive(Clone, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Password(COctetString<9>);

impl Password {
    pub(crate) const EMPTY: Self = Self(COctetString::EMPTY);

    /// Takes a password of at most 8 octets.
    ///
    /// # Errors
    ///
    /// Longer, or a NUL inside. It is never cut.
    pub fn new(password: &str) -> Result<Self, InvalidCOctetString> {
        COctetString::new(password.as_bytes()).map(Self)
    }

    /// Takes a password beyond 8 octets, for a message centre that wants such a one.
    ///
    /// # Errors
    ///
    /// Longer than [`MAX_OVER_LONG`](super::MAX_OVER_LONG), or a NUL inside.
    pub fn over_long(password: &str) -> Result<Self, InvalidCOctetString> {
        COctetString::over_long(password.as_bytes()).map(Self)
    }

    /// The password itself. Nothing in this crate logs it.
    pub fn expose(&self) -> &COctetString<9> {
        &self.0
    }
}

impl From<COctetString<9>> for Password {
    fn from(octets: COctetString<9>) -> Self {
        Self(octets)
    }
}

impl TryFrom<&str> for Password {
    type Error = InvalidCOctetString;

    fn try_from(password: &str) -> Result<Self, Self::Error> {
        Self::new(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_it() {
        assert_eq!(format!("{:?}", Password::new("secret").unwrap()), "***");
    }

    #[test]
    fn a_long_one_is_refused_and_not_cut() {
        assert_eq!(Password::new("123456789").unwrap_err(), InvalidCOctetString::TooLong { length: 9, max: 8 });
        assert_eq!(*Password::over_long("123456789").unwrap().expose(), "123456789");
    }
}
