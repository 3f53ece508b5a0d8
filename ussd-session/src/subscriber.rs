//! Who holds the phone.

use std::{fmt, num::NonZeroU64, str::FromStr};

/// Digits of the longest number (E.164).
const MAX_DIGITS: usize = 15;

/// Numbers up to this length are short codes: they carry no country code and are kept as they are.
const SHORT_CODE: usize = 5;

/// A phone number, normalised once, so that `27831234567`, `+27831234567` and `0027831234567` are one subscriber.
///
/// Fifteen digits and their count fit into 64 bits. `Display` writes `+27831234567`, for a short code of up to five
/// digits `12345`; [`Subscriber::digits`] is the form on most wires, without the plus sign. `Debug` hides the middle
/// digits.
///
/// ```
/// use ussd_session::Subscriber;
///
/// let phone: Subscriber = "0027 83 123-4567".parse()?;
/// assert_eq!(phone.to_string(), "+27831234567");
/// assert_eq!(phone.digits().as_str(), "27831234567");
/// assert_eq!(format!("{phone:?}"), "Subscriber(+2783*****67)");
/// assert!("0831234567".parse::<Subscriber>().is_err()); // which country?
/// assert_eq!(Subscriber::parse_national("0831234567", "27")?, phone);
/// # Ok::<(), ussd_session::SubscriberError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Subscriber(NonZeroU64);

impl Subscriber {
    /// Reads a number as [`FromStr`] does; a national one (with a leading 0) gets the country code.
    ///
    /// # Errors
    /// As for [`FromStr`], except that a national number is welcome.
    pub fn parse_national(text: &str, country_code: &str) -> Result<Self, SubscriberError> {
        match Self::from_str(text) {
            Err(SubscriberError::National) => {
                let rest = text.trim_start().strip_prefix('0').unwrap_or(text);
                Self::from_str(&format!("+{country_code}{rest}"))
            }
            other => other,
        }
    }

    /// The digits without a plus sign.
    #[must_use]
    pub fn digits(self) -> Digits {
        let bits = self.0.get();
        let len = usize::try_from(bits & 0xF).unwrap_or(0).min(MAX_DIGITS);
        let mut octets = [b'0'; MAX_DIGITS];
        for (place, octet) in octets.iter_mut().enumerate() {
            let nibble = (bits >> (60 - 4 * place)) & 0xF;
            *octet += u8::try_from(nibble).unwrap_or(0);
        }
        Digits { octets, len }
    }

    /// The packed form.
    #[cfg(feature = "store")]
    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// A number in its packed form; none if it is not one.
    #[cfg(feature = "store")]
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        let number = Self(NonZeroU64::new(bits)?);
        // What the digits say packs to the same bits, or they were none.
        let digits = number.digits();
        let digits = Some(digits.as_str().as_bytes()).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        Self::pack(digits?).filter(|again| *again == number)
    }

    /// Packs up to 15 ASCII digits, checked by the caller.
    fn pack(digits: &[u8]) -> Option<Self> {
        let len = u64::try_from(digits.len()).ok()?;
        let packed = digits
            .iter()
            .enumerate()
            .fold(len, |bits, (place, digit)| bits | (u64::from(digit.wrapping_sub(b'0')) << (60 - 4 * place)));
        NonZeroU64::new(packed).map(Self)
    }
}

impl FromStr for Subscriber {
    type Err = SubscriberError;

    /// Reads a number as gateways write it: `+27..`, `0027..`, `27..`, with blanks, hyphens, dots and parentheses
    /// anywhere. Up to five digits stay as they are (short codes).
    fn from_str(text: &str) -> Result<Self, SubscriberError> {
        let mut digits = [0_u8; MAX_DIGITS + 2];
        let mut len = 0_usize;
        let mut plus = false;
        for (offset, octet) in text.bytes().enumerate() {
            match octet {
                b'0'..=b'9' => {
                    *digits.get_mut(len).ok_or(SubscriberError::TooLong)? = octet;
                    len += 1;
                }
                b'+' if len == 0 && !plus => plus = true,
                b' ' | b'-' | b'.' | b'(' | b')' => {}
                _ => return Err(SubscriberError::Character { offset }),
            }
        }
        let digits = digits.get(..len).unwrap_or_default();
        let significant = match digits {
            [] => return Err(SubscriberError::Empty),
            _ if !plus && len <= SHORT_CODE => digits,
            [b'0', b'0', rest @ ..] if !plus => rest,
            [b'0', ..] if !plus => return Err(SubscriberError::National),
            _ => digits,
        };
        if significant.len() > MAX_DIGITS {
            return Err(SubscriberError::TooLong);
        }
        if significant.len() <= SHORT_CODE && (plus || significant.len() != len) {
            return Err(SubscriberError::TooShort);
        }
        Self::pack(significant).ok_or(SubscriberError::Empty)
    }
}

impl fmt::Display for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let sign = if digits.len > SHORT_CODE { "+" } else { "" };
        f.pad(&format!("{sign}{}", digits.as_str()))
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        f.write_str("Subscriber(")?;
        if digits.len > SHORT_CODE {
            f.write_str("+")?;
        }
        for (place, digit) in digits.as_str().chars().enumerate() {
            let hidden = digits.len > SHORT_CODE && place >= 4 && place + 2 < digits.len;
            write!(f, "{}", if hidden { '*' } else { digit })?;
        }
        f.write_str(")")
    }
}

impl TryFrom<String> for Subscriber {
    type Error = SubscriberError;

    fn try_from(text: String) -> Result<Self, SubscriberError> {
        text.parse()
    }
}

impl From<Subscriber> for String {
    fn from(subscriber: Subscriber) -> Self {
        subscriber.to_string()
    }
}

/// The digits of a [`Subscriber`], held in place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digits {
    octets: [u8; MAX_DIGITS],
    len: usize,
}

impl Digits {
    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.octets.get(..self.len).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default()
    }
}

/// Why a text is not a subscriber's number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriberError {
    /// No digit at all.
    #[error("a phone number without digits")]
    Empty,
    /// A character that no phone number holds.
    #[error("not a phone number: unexpected character at octet {offset}")]
    Character {
        /// Where it stands, in octets from the start.
        offset: usize,
    },
    /// A leading 0, and the country is not known.
    #[error("a national phone number, and no country code to complete it")]
    National,
    /// An international number of five digits or fewer.
    #[error("an international phone number of five digits or fewer")]
    TooShort,
    /// More than 15 digits (E.164).
    #[error("a phone number of more than 15 digits")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number() {
        for text in ["27831112222", "+27831112222", "0027831112222", "27 83 111-2222", "+27 (83) 111.2222"] {
            assert_eq!(text.parse::<Subscriber>().unwrap().to_string(), "+27831112222", "{text}");
        }
    }

    #[test]
    fn short_codes_stay_as_they_are() {
        for text in ["12345", "8864", "0", "00123"] {
            let short: Subscriber = text.parse().unwrap();
            assert_eq!(short.to_string(), text);
            assert_eq!(short.digits().as_str(), text);
        }
        assert_eq!("123456".parse::<Subscriber>().unwrap().to_string(), "+123456");
    }

    #[test]
    fn what_is_refused() {
        let cases = [
            ("", SubscriberError::Empty),
            ("+", SubscriberError::Empty),
            ("abc", SubscriberError::Character { offset: 0 }),
            ("27+83", SubscriberError::Character { offset: 2 }),
            ("0831112222", SubscriberError::National),
            ("+12345", SubscriberError::TooShort),
            ("0012345", SubscriberError::TooShort),
            ("1234567890123456", SubscriberError::TooLong),
            ("123456789012345678901234567890", SubscriberError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Subscriber>(), Err(error), "{text}");
        }
        assert_eq!("123456789012345".parse::<Subscriber>().unwrap().to_string(), "+123456789012345");
    }
}
