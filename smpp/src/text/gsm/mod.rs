//! The GSM 7-bit alphabet (3GPP TS 23.038): default alphabet, extension, national tables, and septets packed into octets.

mod indic;
mod language;
mod latin;
mod packed;

use std::borrow::Cow;

pub use self::language::Language;
use self::language::{locking, single};
pub use self::packed::{pack, unpack};
use super::{Decoded, Unencodable};

/// The GSM 7-bit alphabet with the tables that a user data header has chosen; by default the default alphabet and its
/// extension.
///
/// Unpacked, a septet is an octet. A character of the extension or of a single shift table takes two: the escape and
/// its code.
///
/// ```
/// use smpp::text::{Gsm7, Language};
///
/// assert_eq!(Gsm7::DEFAULT.encode("[\u{20ac}5]")?, b"\x1b\x3c\x1b\x655\x1b\x3e");
/// assert_eq!(Gsm7::DEFAULT.decode(b"\x00\x01\x02").text, "@\u{a3}$");
///
/// let turkish = Gsm7 { single: Some(Language::Turkish), ..Gsm7::DEFAULT };
/// assert_eq!(turkish.decode(b"\x1b\x73eker").text, "\u{15f}eker");
///
/// let error = Gsm7::DEFAULT.encode("caf\u{e9} \u{15f}eker").unwrap_err();
/// assert_eq!((error.character, error.offset), ('\u{15f}', 6));
/// # Ok::<(), smpp::text::Unencodable>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct Gsm7 {
    /// The table in place of the default alphabet (element 0x25).
    pub locking: Option<Language>,
    /// The table in place of the extension (element 0x24).
    pub single: Option<Language>,
}

/// The escape to the extension or single shift table.
pub(super) const ESCAPE: u8 = 0x1b;

impl Gsm7 {
    /// The default alphabet and its extension.
    pub const DEFAULT: Self = Self { locking: None, single: None };

    /// How many septets a character takes: 1, or 2 if it needs the escape; none if the tables do not have it.
    pub fn septets(self, character: char) -> Option<usize> {
        if locking(self.locking).code(character).is_some() {
            return Some(1);
        }
        single(self.single).code(character).map(|_| 2)
    }

    /// Writes text as septets, one an octet.
    ///
    /// # Errors
    ///
    /// Names the first character that the tables do not have.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        if self.locking.is_none() && text.bytes().all(is_plain) {
            return Ok(text.as_bytes().to_vec());
        }
        let (locking, single) = (locking(self.locking), single(self.single));
        let mut septets = Vec::with_capacity(text.len());
        for (offset, character) in text.char_indices() {
            match (locking.code(character), single.code(character)) {
                (Some(code), _) => septets.push(code),
                (None, Some(code)) => septets.extend_from_slice(&[ESCAPE, code]),
                (None, None) => return Err(Unencodable { character, offset }),
            }
        }
        Ok(septets)
    }

    /// Reads septets, one an octet. Never fails: what means nothing (an octet above 0x7F, a code without a character,
    /// an escape at the end) becomes U+FFFD, and the answer says so. An escape before a code that its table does not
    /// have gives the character that the code has without it, and a double escape a space, both as 3GPP TS 23.038
    /// (section 6.2.1.1) wants.
    pub fn decode(self, septets: &[u8]) -> Decoded<'_> {
        if self.locking.is_none()
            && septets.iter().copied().all(is_plain)
            && let Ok(text) = str::from_utf8(septets)
        {
            return Decoded { text: Cow::Borrowed(text), lossy: false };
        }
        let (locking, single) = (locking(self.locking), single(self.single));
        let mut text = String::with_capacity(septets.len());
        let mut lossy = false;
        let mut codes = septets.iter().copied();
        while let Some(code) = codes.next() {
            let character = match code {
                ESCAPE => match codes.next() {
                    Some(ESCAPE) => Some(' '),
                    Some(code) => single.character(code).or_else(|| locking.character(code)),
                    None => None,
                },
                code => locking.character(code),
            };
            lossy |= character.is_none();
            text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Decoded { text: Cow::Owned(text), lossy }
    }
}

/// Whether an octet is the same character in ASCII and in the default alphabet.
const fn is_plain(octet: u8) -> bool {
    matches!(octet, b'\n' | b'\r' | b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_answers() {
        for (octets, text) in [
            (&b"Hello World"[..], "Hello World"),
            (b"\x00\x01\x02\x1b\x3c\x1b\x65\x1b\x3e", "@\u{a3}$[\u{20ac}]"),
            (b"\x1b\x0a\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3d\x1b\x40", "\u{c}^{}\\~|"),
            (b"\x09\x10\x7f\x5f", "\u{c7}\u{394}\u{e0}\u{a7}"),
            (b"\r\n", "\r\n"),
            (b"", ""),
        ] {
            assert_eq!(Gsm7::DEFAULT.decode(octets), Decoded { text: text.into(), lossy: false });
            assert_eq!(Gsm7::DEFAULT.encode(text).as_deref(), Ok(octets));
        }
        let both = Gsm7 { locking: Some(Language::Turkish), single: Some(Language::Turkish) };
        assert_eq!(both.decode(b"\x07\x0c\x1d\x1b\x65").text, "\u{131}\u{11f}\u{15f}\u{20ac}");
        // The euro has a code of its own in the Turkish locking shift table: one septet, not two.
        assert_eq!(both.encode("\u{20ac}").as_deref(), Ok(&[0x04][..]));
    }

    #[test]
    fn codes_that_mean_nothing() {
        for (octets, text, lossy) in [
            (&b"ab\x1b"[..], "ab\u{fffd}", true),
            (b"\x1b\x1bx", " x", false),
            (b"\x1bAB", "AB", false),
            (b"a\x80\xff", "a\u{fffd}\u{fffd}", true),
            (b"\x1b\x80", "\u{fffd}", true),
        ] {
            assert_eq!(Gsm7::DEFAULT.decode(octets), Decoded { text: text.into(), lossy });
        }
        let bengali = Gsm7 { locking: Some(Language::Bengali), single: None };
        assert_eq!(bengali.decode(b"\x0c").text, "\u{fffd}");
    }

    #[test]
    fn plain_octets_are_those_that_both_tables_have() {
        for octet in 0..=127 {
            let same = locking(None).character(octet) == Some(char::from(octet));
            assert_eq!(is_plain(octet), same, "{octet:#x}");
        }
    }

    #[test]
    fn a_cedilla_is_a_capital() {
        assert_eq!(Gsm7::DEFAULT.encode("\u{e7}"), Err(Unencodable { character: '\u{e7}', offset: 0 }));
    }

    fn tables() -> impl Strategy<Value = Gsm7> {
        let language = || prop::option::of(prop::sample::select(&Language::ALL[..]));
        (language(), language()).prop_map(|(locking, single)| Gsm7 { locking, single })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>(), gsm in tables()) {
            let kept: String = text.chars().filter(|character| gsm.septets(*character).is_some()).collect();
            let septets = gsm.encode(&kept).unwrap();
            prop_assert_eq!(septets.len(), kept.chars().filter_map(|character| gsm.septets(character)).sum::<usize>());
            prop_assert_eq!(gsm.decode(&septets), Decoded { text: kept.into(), lossy: false });
            let first = text.char_indices().find(|(_, character)| gsm.septets(*character).is_none());
            prop_assert_eq!(
                gsm.encode(&text).err().map(|error| (error.offset, error.character)),
                first
            );
        }

        #[test]
        fn any_octets_are_read_and_what_is_read_is_written(
            octets in prop::collection::vec(any::<u8>(), 0..200),
            gsm in tables(),
        ) {
            let decoded = gsm.decode(&octets);
            prop_assert!(decoded.text.len() <= 3 * octets.len());
            prop_assert_eq!(decoded.lossy, decoded.text.contains('\u{fffd}'));
            if !decoded.lossy {
                let again = gsm.encode(&decoded.text).unwrap();
                prop_assert_eq!(gsm.decode(&again).text, decoded.text);
            }
        }
    }
}
