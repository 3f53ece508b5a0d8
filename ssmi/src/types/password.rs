use std::fmt;

use super::Octets;

/// The password of a LOGIN. `Debug` prints `***`, whatever it is.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Password(Octets);

impl Password {
    /// The password itself. Nothing in this crate logs it.
    pub fn expose(&self) -> &Octets {
        &self.0
    }
}

impl<T: Into<Octets>> From<T> for Password {
    fn from(octets: T) -> Self {
        Self(octets.into())
    }
}

impl AsRef<[u8]> for Password {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
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
        assert_eq!(format!("{:?}", Password::from("marmalade")), "***");
    }
}
