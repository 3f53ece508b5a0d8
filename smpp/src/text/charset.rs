use std::borrow::Cow;

use encoding_rs::{
    EUC_JP, EUC_KR, EncoderResult, Encoding, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS, UTF_16BE, UTF_16LE,
};
use thiserror::Error;

use super::Gsm7;

/// How text stands in octets.
///
/// ```
/// use smpp::text::Charset;
///
/// assert_eq!(Charset::Ucs2.encode("Hi \u{1f600}")?, b"\0H\0i\0 \xd8\x3d\xde\x00");
/// assert_eq!(Charset::Latin1.decode(b"caf\xe9").text, "caf\u{e9}");
/// # Ok::<(), smpp::text::Unencodable>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Charset {
    /// The GSM 7-bit default alphabet and its extension, one septet an octet. For other tables see [`Gsm7`].
    #[default]
    Gsm7,
    /// ASCII (IA5).
    Ascii,
    /// ISO-8859-1.
    Latin1,
    /// UCS-2 of the specification, read and written as UTF-16, big-endian. A byte order mark in front is taken off, and
    /// one of the other order is heeded.
    Ucs2,
    /// ISO-8859-5.
    Cyrillic,
    /// ISO-8859-8, in logical order.
    Hebrew,
    /// Shift_JIS.
    ShiftJis,
    /// ISO-2022-JP.
    Iso2022Jp,
    /// EUC-JP: JIS X 0208 written, JIS X 0212 read as well.
    EucJp,
    /// EUC-KR (KS C 5601).
    EucKr,
    /// UTF-8, which no data_coding names; some message centres have it as their default alphabet.
    Utf8,
}

/// Octets read as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decoded<'a> {
    /// The text; U+FFFD for what could not be read.
    pub text: Cow<'a, str>,
    /// Whether something could not be read. The octets are then worth keeping.
    pub lossy: bool,
}

/// A text has a character that the alphabet cannot carry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("character {character:?} at octet {offset} of the text is not in the alphabet")]
pub struct Unencodable {
    /// The first such character.
    pub character: char,
    /// Where it begins, in octets of the UTF-8 text.
    pub offset: usize,
}

/// The byte order mark, and what it looks like in the other order.
const MARKS: [char; 2] = ['\u{feff}', '\u{fffe}'];

impl Charset {
    /// Reads octets. Never fails, and makes at most three octets of UTF-8 of one.
    pub fn decode(self, octets: &[u8]) -> Decoded<'_> {
        match self {
            Self::Gsm7 => Gsm7::DEFAULT.decode(octets),
            Self::Ascii => match str::from_utf8(octets) {
                Ok(text) if text.is_ascii() => Decoded { text: text.into(), lossy: false },
                _ => {
                    let character = |octet: &u8| if octet.is_ascii() { char::from(*octet) } else { '\u{fffd}' };
                    Decoded { text: octets.iter().map(character).collect(), lossy: true }
                }
            },
            Self::Latin1 => Decoded { text: encoding_rs::mem::decode_latin1(octets), lossy: false },
            Self::Ucs2 => match octets {
                [0xff, 0xfe, rest @ ..] => foreign(UTF_16LE, rest),
                [0xfe, 0xff, rest @ ..] => foreign(UTF_16BE, rest),
                _ => foreign(UTF_16BE, octets),
            },
            Self::Utf8 => match String::from_utf8_lossy(octets) {
                Cow::Borrowed(text) => Decoded { text: text.into(), lossy: false },
                text => Decoded { text, lossy: true },
            },
            Self::Iso2022Jp => match without_idle_escapes(octets) {
                Cow::Borrowed(octets) => foreign(ISO_2022_JP, octets),
                Cow::Owned(octets) => {
                    let Decoded { text, lossy } = foreign(ISO_2022_JP, &octets);
                    Decoded { text: text.into_owned().into(), lossy }
                }
            },
            _ => self.encoding().map_or_else(|| Self::Ascii.decode(octets), |encoding| foreign(encoding, octets)),
        }
    }

    /// Writes text.
    ///
    /// UCS-2 is written without a byte order mark, unless the text begins with U+FEFF or U+FFFE, which would be taken
    /// for one.
    ///
    /// # Errors
    ///
    /// Names the first character that the character set does not have.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        match self {
            Self::Gsm7 => Gsm7::DEFAULT.encode(text),
            Self::Ascii => by_character(text, |character| u8::try_from(character).ok().filter(u8::is_ascii)),
            Self::Latin1 => by_character(text, |character| u8::try_from(character).ok()),
            Self::Ucs2 => {
                let mark = text.starts_with(MARKS).then_some(0xfeff);
                Ok(mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect())
            }
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            _ => self.encoding().map_or_else(|| Self::Ascii.encode(text), |encoding| to_foreign(encoding, text)),
        }
    }

    /// Whether a text is written so that it is read as the same text.
    pub(super) fn check(self, text: &str) -> Result<(), Unencodable> {
        match self {
            Self::Ucs2 | Self::Utf8 => Ok(()),
            _ => match text.char_indices().find(|(_, character)| self.width(*character).is_none()) {
                Some((offset, character)) => Err(Unencodable { character, offset }),
                None => Ok(()),
            },
        }
    }

    /// Octets (of GSM 7-bit: septets) that a character takes, where that does not depend on those before it; none if
    /// the character set does not have it.
    pub(super) fn width(self, character: char) -> Option<usize> {
        match self {
            Self::Gsm7 => Gsm7::DEFAULT.septets(character),
            Self::Ascii => character.is_ascii().then_some(1),
            Self::Latin1 => u8::try_from(character).ok().map(|_| 1),
            Self::Ucs2 => Some(2 * character.len_utf16()),
            Self::Utf8 => Some(character.len_utf8()),
            // Some sets write two characters with one code: the one that is read back counts.
            _ => {
                let mut text = [0; 4];
                let text = &*character.encode_utf8(&mut text);
                let octets = self.encode(text).ok()?;
                (self.decode(&octets).text == text).then_some(octets.len())
            }
        }
    }

    /// Octets (of GSM 7-bit: septets) in front of a text, before its first character.
    pub(super) fn mark(self, text: &str) -> usize {
        if self == Self::Ucs2 && text.starts_with(MARKS) { 2 } else { 0 }
    }

    fn encoding(self) -> Option<&'static Encoding> {
        match self {
            Self::Cyrillic => Some(ISO_8859_5),
            Self::Hebrew => Some(ISO_8859_8),
            Self::ShiftJis => Some(SHIFT_JIS),
            Self::Iso2022Jp => Some(ISO_2022_JP),
            Self::EucJp => Some(EUC_JP),
            Self::EucKr => Some(EUC_KR),
            Self::Gsm7 | Self::Ascii | Self::Latin1 | Self::Ucs2 | Self::Utf8 => None,
        }
    }
}

fn by_character(text: &str, octet: impl Fn(char) -> Option<u8>) -> Result<Vec<u8>, Unencodable> {
    text.char_indices().map(|(offset, character)| octet(character).ok_or(Unencodable { character, offset })).collect()
}

/// Octets of an escape sequence of ISO-2022-JP.
const ESCAPE: usize = 3;

fn foreign<'a>(encoding: &'static Encoding, octets: &'a [u8]) -> Decoded<'a> {
    let (text, lossy) = encoding.decode_without_bom_handling(octets);
    Decoded { text, lossy }
}

/// ISO-2022-JP without the escape sequences that choose a set which the next one leaves at once. They stand where parts
/// of a message are joined, each of which begins and ends in ASCII, and `encoding_rs` takes them for errors.
fn without_idle_escapes(octets: &[u8]) -> Cow<'_, [u8]> {
    let is_escape = |at: &[u8]| matches!(at, [0x1b, b'(', b'B' | b'I' | b'J', ..] | [0x1b, b'$', b'@' | b'B', ..]);
    let is_idle = |at: usize| {
        let from = octets.get(at..).unwrap_or_default();
        is_escape(from) && from.get(ESCAPE..).is_some_and(is_escape)
    };
    let Some(mut at) = (0..octets.len()).find(|at| is_idle(*at)) else { return octets.into() };
    let mut kept = octets.get(..at).unwrap_or_default().to_vec();
    while let Some(octet) = octets.get(at) {
        if is_idle(at) {
            at += ESCAPE;
        } else {
            kept.push(*octet);
            at += 1;
        }
    }
    kept.into()
}

fn to_foreign(encoding: &'static Encoding, text: &str) -> Result<Vec<u8>, Unencodable> {
    let mut encoder = encoding.new_encoder();
    let mut octets = Vec::with_capacity(text.len().saturating_add(16));
    let mut rest = text;
    loop {
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut octets, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return Ok(octets),
            EncoderResult::OutputFull => octets.reserve(octets.len().max(16)),
            EncoderResult::Unmappable(character) => {
                let offset = text.len().saturating_sub(rest.len()).saturating_sub(character.len_utf8());
                return Err(Unencodable { character, offset });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn known(charset: Charset, octets: &[u8], text: &str) {
        assert_eq!(charset.decode(octets), Decoded { text: text.into(), lossy: false });
        assert_eq!(charset.encode(text).as_deref(), Ok(octets));
    }

    #[test]
    fn known_answers() {
        known(Charset::Gsm7, b"\x00Hello", "@Hello");
        known(Charset::Ascii, b"Hello", "Hello");
        known(Charset::Latin1, b"caf\xe9 \xa35", "caf\u{e9} \u{a3}5");
        known(Charset::Ucs2, b"\0H\0i\0 \xd8\x3d\xde\x00", "Hi \u{1f600}");
        known(Charset::Cyrillic, b"\xbc\xd8\xe0", "\u{41c}\u{438}\u{440}");
        known(Charset::Hebrew, b"\xf9\xec\xe5\xed", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}");
        known(Charset::ShiftJis, b"\x83e\x83X\x83g", "\u{30c6}\u{30b9}\u{30c8}");
        known(Charset::Iso2022Jp, b"\x1b$B%F%9%H\x1b(B", "\u{30c6}\u{30b9}\u{30c8}");
        known(Charset::EucJp, b"\xa5\xc6\xa5\xb9", "\u{30c6}\u{30b9}");
        known(Charset::EucKr, b"\xc7\xd1\xb1\xdb", "\u{d55c}\u{ae00}");
        known(Charset::Utf8, b"caf\xc3\xa9", "caf\u{e9}");
    }

    #[test]
    fn utf16_that_is_broken_or_marked() {
        for (octets, text, lossy) in [
            (&b"\0A\0"[..], "A\u{fffd}", true),
            (b"\xd8\x3d\0A", "\u{fffd}A", true),
            (b"\xde\x00\0A", "\u{fffd}A", true),
            (b"\xfe\xff\0A", "A", false),
            (b"\xff\xfeA\0", "A", false),
            (b"", "", false),
        ] {
            assert_eq!(Charset::Ucs2.decode(octets), Decoded { text: text.into(), lossy });
        }
        assert_eq!(Charset::Ucs2.encode("\u{feff}A").unwrap(), b"\xfe\xff\xfe\xff\0A");
    }

    #[test]
    fn escapes_between_joined_parts_are_no_error() {
        let part = b"\x1b$B$!\x1b(B";
        for (octets, text) in [
            (part.repeat(3), "\u{3041}\u{3041}\u{3041}"),
            ([&part[..], b"\x1b(B\x1b(J\x1b$B$!"].concat(), "\u{3041}\u{3041}"),
            ([b"a\x1b(B", &part[..], b"b"].concat(), "a\u{3041}b"),
        ] {
            assert_eq!(Charset::Iso2022Jp.decode(&octets), Decoded { text: text.into(), lossy: false });
        }
        assert!(Charset::Iso2022Jp.decode(b"a\x1b(Xb").lossy);
    }

    #[test]
    fn characters_that_a_set_does_not_have() {
        for (charset, offset) in [
            (Charset::Gsm7, 3),
            (Charset::Ascii, 1),
            (Charset::Latin1, 3),
            (Charset::Cyrillic, 1),
            (Charset::Iso2022Jp, 1),
            (Charset::EucKr, 1),
        ] {
            let error = charset.encode("a\u{f6}\u{11f}").unwrap_err();
            assert_eq!(error.offset, offset, "{charset:?}");
            let text = "\u{41c}\u{30c6}";
            let offset = charset.encode(text).err().map(|error| error.offset);
            let expected = match charset {
                Charset::Cyrillic => Some(2),
                Charset::Iso2022Jp | Charset::EucKr => None,
                _ => Some(0),
            };
            assert_eq!(offset, expected, "{charset:?}");
        }
        assert_eq!(Charset::Ascii.decode(b"a\xf6"), Decoded { text: "a\u{fffd}".into(), lossy: true });
    }

    const ALL: [Charset; 11] = [
        Charset::Gsm7,
        Charset::Ascii,
        Charset::Latin1,
        Charset::Ucs2,
        Charset::Cyrillic,
        Charset::Hebrew,
        Charset::ShiftJis,
        Charset::Iso2022Jp,
        Charset::EucJp,
        Charset::EucKr,
        Charset::Utf8,
    ];

    proptest! {
        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            for charset in ALL {
                let decoded = charset.decode(&octets);
                prop_assert!(decoded.text.len() <= 3 * octets.len() + 3, "{charset:?}");
            }
        }

        #[test]
        fn parts_are_read_as_one_text(parts in prop::collection::vec("[a-c\u{3041}-\u{3044}\u{30a2}-\u{30a4}\u{410}]{0,4}", 0..6)) {
            for charset in [Charset::ShiftJis, Charset::Iso2022Jp, Charset::EucJp, Charset::EucKr, Charset::Utf8] {
                let octets: Vec<u8> = parts.iter().flat_map(|part| charset.encode(part).unwrap()).collect();
                prop_assert_eq!(charset.decode(&octets), Decoded { text: parts.concat().into(), lossy: false });
            }
        }

        #[test]
        fn any_text_is_carried_whole_by_unicode(text in any::<String>()) {
            for charset in [Charset::Ucs2, Charset::Utf8] {
                let octets = charset.encode(&text).unwrap();
                prop_assert_eq!(charset.decode(&octets), Decoded { text: text.as_str().into(), lossy: false });
                let width = text.chars().filter_map(|character| charset.width(character)).sum::<usize>();
                prop_assert_eq!(octets.len(), width + charset.mark(&text));
            }
        }
    }
}
