use crate::profile::AddressProfile;
use crate::types::{Address, InvalidCOctetString};

/// A sender or a recipient: text whose kind is inferred by the link's [profile](AddressProfile), or an address whose
/// kind is given.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Party {
    /// Text, such as `+4917012345678`, `31234` or `ACME`.
    Text(String),
    /// An address with its kind.
    Address(Address<21>),
}

impl Party {
    pub(super) fn address(&self, profile: &AddressProfile) -> Result<Address<21>, InvalidCOctetString> {
        match self {
            Self::Text(text) => profile.address(text),
            Self::Address(address) => Ok(address.clone()),
        }
    }
}

/// Nobody: as a sender, whoever the message centre puts there.
impl Default for Party {
    fn default() -> Self {
        Self::Address(Address::default())
    }
}

impl From<&str> for Party {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Party {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Address<21>> for Party {
    fn from(address: Address<21>) -> Self {
        Self::Address(address)
    }
}
