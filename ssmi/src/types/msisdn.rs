use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Octets;

/// A subscriber number in the form that the gateway uses: digits, international, without `+`.
///
/// Numbers on the wire are kept as they came ([`Octets`]); this is the one form that they are compared in.
/// Numbers of five characters or fewer are short codes and are left alone.
///
/// ```
/// use ssmi::types::Msisdn;
///
/// let number: Msisdn = "+27 83 111-2222".parse()?;
/// assert_eq!(number.as_str(), "27831112222");
/// assert_eq!("0027831112222".parse(), Ok(number));
/// assert_eq!(Msisdn::national("0831112222", "27")?.as_str(), "27831112222");
/// # Ok::<(), ssmi::types::InvalidMsisdn>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Msisdn(String);

/// Most digits of an international number (E.164).
const MAX_DIGITS: usize = 15;
/// Numbers up to this long are short codes.
const MAX_SHORT_CODE: usize = 5;

impl Msisdn {
    /// Reads a number, with the country code that stands for a leading `0` (`"27"` makes `0831112222` into
    /// `27831112222`).
    ///
    /// # Errors
    ///
    /// As [`FromStr`], but a national number is accepted.
    pub fn national(number: &str, country_code: &str) -> Result<Self, InvalidMsisdn> {
        Self::normalise(number, Some(country_code))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn normalise(number: &str, country_code: Option<&str>) -> Result<Self, InvalidMsisdn> {
        if let Some((offset, character)) = number.char_indices().find(|(offset, character)| {
            !(character.is_ascii_digit()
                || matches!(character, ' ' | '-' | '(' | ')' | '.')
                || (*offset, *character) == (0, '+'))
        }) {
            return Err(InvalidMsisdn::Character { character, offset });
        }
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let digits = match (digits.strip_prefix("00"), digits.strip_prefix('0')) {
            _ if number.starts_with('+') || digits.len() <= MAX_SHORT_CODE => digits,
            (Some(international), _) => international.to_owned(),
            (None, Some(national)) => {
                let country_code = country_code.ok_or(InvalidMsisdn::National)?;
                format!("{country_code}{national}")
            }
            (None, None) => digits,
        };
        match digits.len() {
            0 => Err(InvalidMsisdn::Empty),
            1..=MAX_DIGITS => Ok(Self(digits)),
            length => Err(InvalidMsisdn::TooLong { length }),
        }
    }
}

/// Accepts digits with an optional `+` or `00` in front; blanks, `-`, `.` and brackets are taken out.
impl FromStr for Msisdn {
    type Err = InvalidMsisdn;

    fn from_str(number: &str) -> Result<Self, Self::Err> {
        Self::normalise(number, None)
    }
}

impl TryFrom<&Octets> for Msisdn {
    type Error = InvalidMsisdn;

    fn try_from(octets: &Octets) -> Result<Self, Self::Error> {
        octets.to_text().parse()
    }
}

impl From<Msisdn> for Octets {
    fn from(msisdn: Msisdn) -> Self {
        msisdn.0.into()
    }
}

/// Shows the first five digits alone: a whole number belongs to a person.
impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..5).filter(|_| self.0.len() > MAX_SHORT_CODE).unwrap_or_default();
        write!(f, "Msisdn({shown}{:*<1$})", "", self.0.len() - shown.len())
    }
}

/// Shows the whole number, as the wire does.
impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a number was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidMsisdn {
    /// There is no digit in it.
    #[error("the number has no digits")]
    Empty,
    /// Something that is neither a digit nor a separator.
    #[error("character {character:?} at octet {offset} is not part of a number")]
    Character {
        /// The first such character.
        character: char,
        /// Where it begins, in octets.
        offset: usize,
    },
    /// It begins with a single `0`, and no country code is known.
    #[error("the number is national; a country code is needed")]
    National,
    /// More digits than E.164 allows.
    #[error("the number has {length} digits; at most 15 are possible")]
    TooLong {
        /// Its number of digits.
        length: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_in_many_spellings() {
        for spelling in ["27831112222", "+27831112222", "0027831112222", "27 83 111-2222", "+27 (83) 111.2222"] {
            assert_eq!(spelling.parse::<Msisdn>().unwrap().as_str(), "27831112222", "{spelling}");
        }
        assert_eq!("12345".parse::<Msisdn>().unwrap().as_str(), "12345");
        assert_eq!("00123".parse::<Msisdn>().unwrap().as_str(), "00123");
    }

    #[test]
    fn refusals_say_why() {
        assert_eq!("0831112222".parse::<Msisdn>(), Err(InvalidMsisdn::National));
        assert_eq!("".parse::<Msisdn>(), Err(InvalidMsisdn::Empty));
        assert_eq!("27x".parse::<Msisdn>(), Err(InvalidMsisdn::Character { character: 'x', offset: 2 }));
        assert_eq!("2+7".parse::<Msisdn>(), Err(InvalidMsisdn::Character { character: '+', offset: 1 }));
        assert_eq!("2783111222233334".parse::<Msisdn>(), Err(InvalidMsisdn::TooLong { length: 16 }));
    }

    #[test]
    fn debug_hides_most_of_it() {
        assert_eq!(format!("{:?}", "27831112222".parse::<Msisdn>().unwrap()), "Msisdn(27831******)");
        assert_eq!(format!("{:?}", "12345".parse::<Msisdn>().unwrap()), "Msisdn(*****)");
    }
}
