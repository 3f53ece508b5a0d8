//! What a character takes on the wire.

/// How the characters of a screen are written in the 160 octets that USSD has for them (3GPP TS 23.038, section 5).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub enum Alphabet {
    /// The GSM 7-bit default alphabet with its extension: 182 septets. A character of the extension takes two.
    Gsm7,
    /// Octets of ISO 8859-1: 160.
    Latin1,
    /// 16-bit units: 80. A character beyond U+FFFF takes two.
    Ucs2,
}

/// A character that an alphabet does not have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{character:?} at octet {offset}")]
pub struct Odd {
    /// The character.
    pub character: char,
    /// Where it stands, in octets of the text as it is to be sent.
    pub offset: usize,
}

impl Alphabet {
    /// How many units the character takes; none if the alphabet does not have it.
    #[must_use]
    pub const fn units_of(self, character: char) -> Option<usize> {
        let code = character as u32;
        match self {
            Self::Gsm7 => septets(character),
            Self::Latin1 if code <= 0xFF => Some(1),
            Self::Latin1 => None,
            Self::Ucs2 if code > 0xFFFF => Some(2),
            Self::Ucs2 => Some(1),
        }
    }

    /// How many units the text takes.
    ///
    /// ```
    /// use ussd_session::Alphabet;
    ///
    /// assert_eq!(Alphabet::Gsm7.units("5 \u{20ac}"), Ok(4));
    /// assert_eq!(Alphabet::Gsm7.units("d\u{b7}o").unwrap_err().character, '\u{b7}');
    /// assert_eq!(Alphabet::Ucs2.units("\u{1f600}!"), Ok(3));
    /// ```
    ///
    /// # Errors
    /// Names the first character that the alphabet does not have.
    pub fn units(self, text: &str) -> Result<usize, Odd> {
        let mut units = 0;
        for (offset, character) in text.char_indices() {
            units += self.units_of(character).ok_or(Odd { character, offset })?;
        }
        Ok(units)
    }

    /// The units of a text of this alphabet, if they are no more than `room`: stops as soon as they are.
    pub(super) fn units_within(self, text: &str, room: usize) -> Option<usize> {
        let mut units = 0;
        for character in text.chars() {
            units += self.units_of(character).unwrap_or(1);
            if units > room {
                return None;
            }
        }
        Some(units)
    }
}

/// Septets of a character. The order of the codes is no matter here, so the two tables are no more than two sets: it
/// is the protocols' crates that encode.
const fn septets(character: char) -> Option<usize> {
    match character {
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => Some(1),
        '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Æ' | 'æ' | 'ß' | 'É' => {
            Some(1)
        }
        '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_alphabet_has_127_characters_and_its_extension_10() {
        let of = |units| (0..=0xFFFF).filter_map(char::from_u32).filter(|c| septets(*c) == Some(units)).count();
        assert_eq!((of(1), of(2)), (127, 10)); // 128 codes, one of them the escape
    }

    #[test]
    fn units_of_each_alphabet() {
        for (text, gsm7, latin1, ucs2) in [
            ("", Some(0), Some(0), 0),
            ("Hello @ $5_", Some(11), Some(11), 11),
            ("[a|b]~", Some(10), Some(6), 6),
            ("é", Some(1), Some(1), 1),
            ("ç", None, Some(1), 1), // only the capital is in the GSM alphabet
            ("`", None, Some(1), 1),
            ("Ω€", Some(3), None, 2),
            ("አ", None, None, 1),
            ("😀", None, None, 2),
        ] {
            assert_eq!(Alphabet::Gsm7.units(text).ok(), gsm7, "{text}");
            assert_eq!(Alphabet::Latin1.units(text).ok(), latin1, "{text}");
            assert_eq!(Alphabet::Ucs2.units(text), Ok(ucs2), "{text}");
        }
        assert_eq!(Alphabet::Gsm7.units("één ž"), Err(Odd { character: 'ž', offset: 6 }));
    }
}
