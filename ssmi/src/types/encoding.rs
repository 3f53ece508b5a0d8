use std::borrow::Cow;

use thiserror::Error;

use super::Octets;

/// How text becomes octets and back. The protocol does not say, and the wire does not tell: it is agreed per link.
///
/// ```
/// use ssmi::types::TextEncoding;
///
/// let octets = TextEncoding::Latin1.encode("Zo\u{eb}")?;
/// assert_eq!(octets.as_slice(), b"Zo\xeb");
/// assert_eq!(TextEncoding::Latin1.decode(&octets), "Zo\u{eb}");
///
/// let error = TextEncoding::Latin1.encode("5 \u{20ac}").unwrap_err();
/// assert_eq!((error.character, error.offset), ('\u{20ac}', 2));
/// # Ok::<(), ssmi::types::UnencodableText>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum TextEncoding {
    /// ISO-8859-1, one octet a character up to U+00FF: what Vumi used on the live gateway, and the default.
    #[default]
    Latin1,
    /// UTF-8, as python-ssmi sent USSD text.
    Utf8,
}

impl TextEncoding {
    /// Reads a field as text. Never fails: every octet is a character of ISO-8859-1, and what is not UTF-8 becomes
    /// U+FFFD.
    pub fn decode<'a>(self, octets: &'a Octets) -> Cow<'a, str> {
        match self {
            Self::Latin1 => match str::from_utf8(octets.as_slice()) {
                Ok(text) if text.is_ascii() => Cow::Borrowed(text),
                _ => Cow::Owned(octets.as_slice().iter().copied().map(char::from).collect()),
            },
            Self::Utf8 => String::from_utf8_lossy(octets.as_slice()),
        }
    }

    /// Writes text as octets that can stand in a line: CR LF and CR become LF.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_lines(self, text: &str) -> Result<Octets, UnencodableText> {
        let octets = self.encode(text)?;
        if !octets.as_slice().contains(&b'\r') {
            return Ok(octets);
        }
        let mut lines = Vec::with_capacity(octets.len());
        let mut rest = octets.as_slice().iter().peekable();
        while let Some(&octet) = rest.next() {
            lines.push(if octet == b'\r' { b'\n' } else { octet });
            if octet == b'\r' {
                rest.next_if_eq(&&b'\n');
            }
        }
        Ok(lines.into())
    }

    /// Writes text as octets.
    ///
    /// # Errors
    ///
    /// Names the first character that the encoding does not have.
    pub fn encode(self, text: &str) -> Result<Octets, UnencodableText> {
        match self {
            Self::Latin1 if text.is_ascii() => Ok(Octets::from(text)),
            Self::Latin1 => text
                .char_indices()
                .map(|(offset, character)| u8::try_from(character).map_err(|_| UnencodableText { character, offset }))
                .collect::<Result<Vec<u8>, _>>()
                .map(Octets::from),
            Self::Utf8 => Ok(Octets::from(text)),
        }
    }
}

/// A text has a character that the link's [`TextEncoding`] cannot carry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("character {character:?} at octet {offset} of the text is not in ISO-8859-1")]
pub struct UnencodableText {
    /// The first such character.
    pub character: char,
    /// Where it begins, in octets of the UTF-8 text.
    pub offset: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin1_reads_every_octet() {
        let all = Octets::from((0..=255).collect::<Vec<u8>>());
        let text = TextEncoding::Latin1.decode(&all);
        assert_eq!(text.chars().map(u32::from).collect::<Vec<_>>(), (0..=255).collect::<Vec<_>>());
        assert_eq!(TextEncoding::Latin1.encode(&text), Ok(all));
    }

    #[test]
    fn line_breaks_of_all_kinds_become_line_feeds() {
        let octets = TextEncoding::Latin1.encode_lines("a\r\nb\rc\nd\r\r\n\u{eb}").unwrap();
        assert_eq!(octets.as_slice(), b"a\nb\nc\nd\n\n\xeb");
        // An error points into the text as it was given.
        assert_eq!(TextEncoding::Latin1.encode_lines("\r\n\u{20ac}").unwrap_err().offset, 2);
    }

    #[test]
    fn utf8_read_as_latin1_is_two_characters() {
        let octets = TextEncoding::Utf8.encode("\u{eb}").unwrap();
        assert_eq!(TextEncoding::Latin1.decode(&octets), "\u{c3}\u{ab}");
        assert_eq!(TextEncoding::Utf8.decode(&octets), "\u{eb}");
    }

    #[test]
    fn utf8_never_fails_to_read() {
        assert_eq!(TextEncoding::Utf8.decode(&Octets::from_static(b"a\xff")), "a\u{fffd}");
    }
}
