use crate::session::config;
use crate::types::{Address, InvalidCOctetString, Npi, Ton};

/// Type of number and numbering plan.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct NumberKind {
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan indicator.
    pub npi: Npi,
}

impl NumberKind {
    const fn new(ton: Ton, npi: Npi) -> Self {
        Self { ton, npi }
    }
}

config! {
    /// Which types of numbers go with which addresses that are given as text. Message centres differ most in short
    /// codes: 3/0, 6/0, 0/1 and 0/0 are all in use.
    ///
    /// ```
    /// use smpp::profile::{AddressProfile, NumberKind};
    /// use smpp::types::{Npi, Ton};
    ///
    /// let addresses = AddressProfile::default().short_code(NumberKind { ton: Ton::ABBREVIATED, npi: Npi::UNKNOWN });
    /// assert_eq!(addresses.address::<21>("31234")?.ton, Ton::ABBREVIATED);
    /// assert_eq!(addresses.address::<21>("+4917012345678")?.ton, Ton::INTERNATIONAL);
    /// # Ok::<(), smpp::types::InvalidCOctetString>(())
    /// ```
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    AddressProfile {
        /// `+` and digits, or seven digits and more. 1/1.
        number: NumberKind = NumberKind::new(Ton::INTERNATIONAL, Npi::ISDN),
        /// Up to six digits. 3/0.
        short_code: NumberKind = NumberKind::new(Ton::NETWORK_SPECIFIC, Npi::UNKNOWN),
        /// All else, but nothing at all and USSD codes, which are 0/0. 5/0.
        alphanumeric: NumberKind = NumberKind::new(Ton::ALPHANUMERIC, Npi::UNKNOWN),
    }
}

impl AddressProfile {
    /// The address that a text stands for, its kind [inferred](Address::infer).
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn address<const N: usize>(&self, text: &str) -> Result<Address<N>, InvalidCOctetString> {
        let inferred = Address::infer(text)?;
        let kind = match inferred.ton {
            Ton::INTERNATIONAL => self.number,
            Ton::NETWORK_SPECIFIC => self.short_code,
            Ton::ALPHANUMERIC => self.alphanumeric,
            _ => return Ok(inferred),
        };
        Ok(Address { ton: kind.ton, npi: kind.npi, addr: inferred.addr })
    }
}
