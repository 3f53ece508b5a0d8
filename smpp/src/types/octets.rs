use std::ops::Deref;

use bytes::Bytes;

/// Octets that may be a slice of the read buffer. To have none costs nothing, neither to make nor to drop.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Octets(Option<Bytes>);

impl Octets {
    pub(crate) const EMPTY: Self = Self(None);

    pub(crate) fn as_bytes(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        self.0.as_ref().unwrap_or(&NONE)
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0.unwrap_or_default()
    }

    /// A copy that does not keep the read buffer alive.
    pub(crate) fn detach(&self) -> Self {
        Bytes::copy_from_slice(self).into()
    }
}

impl From<Bytes> for Octets {
    #[inline(always)]
    fn from(octets: Bytes) -> Self {
        Self(if octets.is_empty() { None } else { Some(octets) })
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
