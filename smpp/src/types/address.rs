use std::str::FromStr;

use super::open::open_integer;
use super::{COctetString, InvalidCOctetString};

open_integer! {
    /// Type of number of an address (section 5.2.5).
    Ton(u8) {
        UNKNOWN = 0 "unknown",
        INTERNATIONAL = 1 "international",
        NATIONAL = 2 "national",
        NETWORK_SPECIFIC = 3 "network specific",
        SUBSCRIBER_NUMBER = 4 "subscriber number",
        ALPHANUMERIC = 5 "alphanumeric",
        ABBREVIATED = 6 "abbreviated",
    }
}

open_integer! {
    /// Numbering plan indicator of an address (section 5.2.6).
    Npi(u8) {
        UNKNOWN = 0 "unknown",
        ISDN = 1 "ISDN (E.163, E.164)",
        DATA = 3 "data (X.121)",
        TELEX = 4 "telex (F.69)",
        LAND_MOBILE = 6 "land mobile (E.212)",
        NATIONAL = 8 "national",
        PRIVATE = 9 "private",
        ERMES = 10 "ERMES",
        INTERNET = 14 "Internet (IP)",
        WAP_CLIENT_ID = 18 "WAP client id",
    }
}

/// Type of number, numbering plan and address: three fields on the wire.
///
/// The address has at most `N` octets with its NUL: 21 in most PDUs, 65 in data_sm and alert_notification, 41 for the
/// address_range of a bind, which may be a pattern.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Address<const N: usize> {
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan indicator.
    pub npi: Npi,
    /// The address itself.
    pub addr: COctetString<N>,
}

/// Shortest number that is taken for an international one.
const MIN_INTERNATIONAL: usize = 7;

impl<const N: usize> Address<N> {
    /// An address with its kind given.
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn new(ton: Ton, npi: Npi, addr: &str) -> Result<Self, InvalidCOctetString> {
        Ok(Self { ton, npi, addr: addr.parse()? })
    }

    /// An international number, a leading `+` taken off: TON 1, NPI 1.
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn international(number: &str) -> Result<Self, InvalidCOctetString> {
        Self::new(Ton::INTERNATIONAL, Npi::ISDN, number.strip_prefix('+').unwrap_or(number))
    }

    /// An alphanumeric sender: TON 5, NPI 0. On the air at most 11 characters of the GSM alphabet fit.
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn alphanumeric(name: &str) -> Result<Self, InvalidCOctetString> {
        Self::new(Ton::ALPHANUMERIC, Npi::UNKNOWN, name)
    }

    /// A short code: TON 3, NPI 0. Message centres differ here; some want 6/0, 0/1 or 0/0.
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn short_code(code: &str) -> Result<Self, InvalidCOctetString> {
        Self::new(Ton::NETWORK_SPECIFIC, Npi::UNKNOWN, code)
    }

    /// Guesses the kind: empty is unknown; digits are a short code up to 6 of them and an international number from 7
    /// on; `+` and digits are an international number; digits with `*` or `#` (a USSD code) are unknown; all else is
    /// alphanumeric.
    ///
    /// ```
    /// use smpp::types::{Address, Ton};
    ///
    /// assert_eq!(Address::<21>::infer("+27831234567")?.addr, "27831234567");
    /// assert_eq!(Address::<21>::infer("31234")?.ton, Ton::NETWORK_SPECIFIC);
    /// assert_eq!(Address::<21>::infer("Kudu Bank")?.ton, Ton::ALPHANUMERIC);
    /// # Ok::<(), smpp::types::InvalidCOctetString>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Longer than the field, or a NUL inside.
    pub fn infer(address: &str) -> Result<Self, InvalidCOctetString> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        match address.strip_prefix('+') {
            Some(number) if digits(number) => Self::international(number),
            _ if digits(address) && address.len() >= MIN_INTERNATIONAL => Self::international(address),
            _ if digits(address) => Self::short_code(address),
            _ if address.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'*' | b'#')) => {
                Self::new(Ton::UNKNOWN, Npi::UNKNOWN, address)
            }
            _ => Self::alphanumeric(address),
        }
    }
}

/// As [`Address::infer`].
impl<const N: usize> FromStr for Address<N> {
    type Err = InvalidCOctetString;

    fn from_str(address: &str) -> Result<Self, Self::Err> {
        Self::infer(address)
    }
}

/// The address itself.
impl<const N: usize> std::fmt::Display for Address<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.addr.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_inferred() {
        for (text, ton, npi, addr) in [
            ("", 0, 0, ""),
            ("+27831234567", 1, 1, "27831234567"),
            ("27831234567", 1, 1, "27831234567"),
            ("123456", 3, 0, "123456"),
            ("*120*8864#", 0, 0, "*120*8864#"),
            ("+", 5, 0, "+"),
            ("+1 234", 5, 0, "+1 234"),
            ("Kudu", 5, 0, "Kudu"),
        ] {
            let address: Address<21> = text.parse().unwrap();
            assert_eq!((address.ton, address.npi), (Ton(ton), Npi(npi)), "{text}");
            assert_eq!(address.addr, addr);
        }
    }

    #[test]
    fn unknown_values_are_kept_and_shown() {
        assert_eq!(format!("{:?} {:?}", Ton(7), Npi::ISDN), "Ton(7) ISDN");
        assert_eq!(format!("{} {}", Ton(7), Npi(19)), "7 19");
    }
}
