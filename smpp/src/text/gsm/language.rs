use std::sync::LazyLock;

use super::latin::{DEFAULT, EXTENSION, Locking, Single};
use super::{indic, latin};

/// A language with tables of its own in 3GPP TS 23.038. The number is that of the elements 0x24 and 0x25 of a user data
/// header (section 6.2.1.2.4 there).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Language {
    /// Turkish.
    Turkish = 1,
    /// Spanish, which has no locking shift table.
    Spanish = 2,
    /// Portuguese.
    Portuguese = 3,
    /// Bengali and Assamese.
    Bengali = 4,
    /// Gujarati.
    Gujarati = 5,
    /// Hindi.
    Hindi = 6,
    /// Kannada.
    Kannada = 7,
    /// Malayalam.
    Malayalam = 8,
    /// Oriya.
    Oriya = 9,
    /// Punjabi.
    Punjabi = 10,
    /// Tamil.
    Tamil = 11,
    /// Telugu.
    Telugu = 12,
    /// Urdu.
    Urdu = 13,
}

impl Language {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Turkish,
        Self::Spanish,
        Self::Portuguese,
        Self::Bengali,
        Self::Gujarati,
        Self::Hindi,
        Self::Kannada,
        Self::Malayalam,
        Self::Oriya,
        Self::Punjabi,
        Self::Tamil,
        Self::Telugu,
        Self::Urdu,
    ];

    /// The language with this number; none for 0 and for reserved numbers, which a receiver is to ignore.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.number() == number)
    }

    /// The number in a user data header.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether there is a locking shift table: all have one but Spanish.
    pub const fn has_locking_shift(self) -> bool {
        !matches!(self, Self::Spanish)
    }
}

/// A table ready for both directions.
#[derive(Debug)]
pub(super) struct Index {
    /// By code; 0 for none.
    characters: [u16; 128],
    /// By code point below 0x100; [`NO_CODE`] for none.
    low: [u8; 256],
    /// Code points from 0x100 on with their codes, sorted.
    high: Vec<(u16, u8)>,
}

const NO_CODE: u8 = 0xff;

impl Index {
    /// The character of a code.
    pub(super) fn character(&self, code: u8) -> Option<char> {
        let point = self.characters.get(usize::from(code)).copied().filter(|point| *point != 0)?;
        char::from_u32(point.into())
    }

    /// The code of a character.
    pub(super) fn code(&self, character: char) -> Option<u8> {
        let point = u16::try_from(u32::from(character)).ok()?;
        match self.low.get(usize::from(point)) {
            Some(code) => Some(*code).filter(|code| *code != NO_CODE),
            None => {
                let at = self.high.binary_search_by_key(&point, |(point, _)| *point).ok()?;
                self.high.get(at).map(|(_, code)| *code)
            }
        }
    }

    fn new(entries: impl Iterator<Item = (u8, u16)>) -> Self {
        let mut index = Self { characters: [0; 128], low: [NO_CODE; 256], high: Vec::new() };
        for (code, point) in entries.filter(|(_, point)| *point != 0) {
            if let Some(character) = index.characters.get_mut(usize::from(code)) {
                *character = point;
            }
            match index.low.get_mut(usize::from(point)) {
                Some(low) => *low = code.min(*low),
                None => index.high.push((point, code)),
            }
        }
        index.high.sort_unstable();
        index.high.dedup_by_key(|(point, _)| *point);
        index
    }

    fn locking(table: &Locking) -> Self {
        Self::new((0..).zip(table.iter().copied()))
    }

    fn single(table: Single) -> Self {
        Self::new(table.iter().copied())
    }
}

/// The default alphabet or a locking shift table.
pub(super) fn locking(language: Option<Language>) -> &'static Index {
    static DEFAULT_INDEX: LazyLock<Index> = LazyLock::new(|| Index::locking(&DEFAULT));
    static TABLES: LazyLock<[Option<Index>; 13]> =
        LazyLock::new(|| Language::ALL.map(|language| locking_table(language).map(Index::locking)));
    let of = |language: Language| TABLES.get(usize::from(language.number()).checked_sub(1)?)?.as_ref();
    language.and_then(of).unwrap_or(&DEFAULT_INDEX)
}

/// The extension table or a single shift table.
pub(super) fn single(language: Option<Language>) -> &'static Index {
    static EXTENSION_INDEX: LazyLock<Index> = LazyLock::new(|| Index::single(EXTENSION));
    static TABLES: LazyLock<[Index; 13]> =
        LazyLock::new(|| Language::ALL.map(|language| Index::single(single_table(language))));
    let of = |language: Language| TABLES.get(usize::from(language.number()).checked_sub(1)?);
    language.and_then(of).unwrap_or(&EXTENSION_INDEX)
}

const fn locking_table(language: Language) -> Option<&'static Locking> {
    match language {
        Language::Turkish => Some(&latin::TURKISH_LOCKING),
        Language::Spanish => None,
        Language::Portuguese => Some(&latin::PORTUGUESE_LOCKING),
        Language::Bengali => Some(&indic::BENGALI_LOCKING),
        Language::Gujarati => Some(&indic::GUJARATI_LOCKING),
        Language::Hindi => Some(&indic::HINDI_LOCKING),
        Language::Kannada => Some(&indic::KANNADA_LOCKING),
        Language::Malayalam => Some(&indic::MALAYALAM_LOCKING),
        Language::Oriya => Some(&indic::ORIYA_LOCKING),
        Language::Punjabi => Some(&indic::PUNJABI_LOCKING),
        Language::Tamil => Some(&indic::TAMIL_LOCKING),
        Language::Telugu => Some(&indic::TELUGU_LOCKING),
        Language::Urdu => Some(&indic::URDU_LOCKING),
    }
}

const fn single_table(language: Language) -> Single {
    match language {
        Language::Turkish => latin::TURKISH_SINGLE,
        Language::Spanish => latin::SPANISH_SINGLE,
        Language::Portuguese => latin::PORTUGUESE_SINGLE,
        Language::Bengali => indic::BENGALI_SINGLE,
        Language::Gujarati => indic::GUJARATI_SINGLE,
        Language::Hindi => indic::HINDI_SINGLE,
        Language::Kannada => indic::KANNADA_SINGLE,
        Language::Malayalam => indic::MALAYALAM_SINGLE,
        Language::Oriya => indic::ORIYA_SINGLE,
        Language::Punjabi => indic::PUNJABI_SINGLE,
        Language::Tamil => indic::TAMIL_SINGLE,
        Language::Telugu => indic::TELUGU_SINGLE,
        Language::Urdu => indic::URDU_SINGLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_both_ways() {
        for (number, language) in (1..).zip(Language::ALL) {
            assert_eq!((language.number(), Language::from_number(number)), (number, Some(language)));
        }
        assert_eq!((Language::from_number(0), Language::from_number(14)), (None, None));
    }

    #[test]
    fn a_language_without_a_table_keeps_the_default_one() {
        assert_eq!(locking(Some(Language::Spanish)).character(0x04), Some('\u{e8}'));
        assert_eq!(locking(Some(Language::Turkish)).character(0x04), Some('\u{20ac}'));
        assert_eq!(single(Some(Language::Spanish)).character(0x41), Some('\u{c1}'));
    }

    #[test]
    fn every_character_finds_a_code_that_means_it() {
        for language in [None].into_iter().chain(Language::ALL.map(Some)) {
            for index in [locking(language), single(language)] {
                for character in (0..128).filter_map(|code| index.character(code)) {
                    let code = index.code(character).unwrap();
                    assert_eq!(index.character(code), Some(character), "{language:?}");
                }
            }
        }
    }
}
