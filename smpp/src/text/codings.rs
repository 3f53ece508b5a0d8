use super::{Charset, Decoded, Gsm7, unpack};
use crate::types::{Alphabet, DataCoding};

/// How septets of the GSM alphabet stand in user data. The wire does not tell; it is agreed per link.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Packing {
    /// One septet an octet: what nearly all message centres want.
    #[default]
    Unpacked,
    /// Eight septets in seven octets.
    Packed,
}

/// What data_coding means on a link (section 5.2.19 of the specification leaves some of it open).
///
/// ```
/// use smpp::text::{Charset, Codings, Gsm7};
/// use smpp::types::DataCoding;
///
/// let gsm = Codings::default();
/// let latin = Codings::default().with_default_alphabet(Charset::Latin1);
/// let read = |codings: Codings| codings.decode(DataCoding::DEFAULT, Gsm7::DEFAULT, b"\x40").map(|read| read.text.into_owned());
/// assert_eq!(read(gsm).as_deref(), Some("\u{a1}"));
/// assert_eq!(read(latin).as_deref(), Some("@"));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct Codings {
    default_alphabet: Charset,
    packing: Packing,
    jis: Charset,
}

/// The GSM alphabet for data_coding 0, unpacked, and ISO-2022-JP for JIS.
impl Default for Codings {
    fn default() -> Self {
        Self { default_alphabet: Charset::Gsm7, packing: Packing::Unpacked, jis: Charset::Iso2022Jp }
    }
}

impl Codings {
    /// What data_coding 0 is, and reserved values with it. Default: the GSM alphabet; some message centres have
    /// ISO-8859-1 or ASCII.
    #[must_use]
    pub const fn with_default_alphabet(self, default_alphabet: Charset) -> Self {
        Self { default_alphabet, ..self }
    }

    /// How septets stand in user data. Default: unpacked.
    #[must_use]
    pub const fn with_packing(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// What data_coding 5 (JIS X 0208) is. Default: ISO-2022-JP; the other in use is Shift_JIS.
    #[must_use]
    pub const fn with_jis(self, jis: Charset) -> Self {
        Self { jis, ..self }
    }

    /// What data_coding 0 is.
    pub const fn default_alphabet(&self) -> Charset {
        self.default_alphabet
    }

    /// How septets stand in user data.
    pub const fn packing(&self) -> Packing {
        self.packing
    }

    /// The character set; none for octets that are no text, and for compressed text, which this crate does not read.
    pub const fn charset(&self, data_coding: DataCoding) -> Option<Charset> {
        if data_coding.is_compressed() {
            return None;
        }
        match data_coding.alphabet() {
            Alphabet::Default | Alphabet::Reserved => Some(self.default_alphabet),
            Alphabet::Gsm7 => Some(Charset::Gsm7),
            Alphabet::Ascii => Some(Charset::Ascii),
            Alphabet::Binary => None,
            Alphabet::Latin1 => Some(Charset::Latin1),
            Alphabet::Jis => Some(self.jis),
            Alphabet::Cyrillic => Some(Charset::Cyrillic),
            Alphabet::Hebrew => Some(Charset::Hebrew),
            Alphabet::Ucs2 => Some(Charset::Ucs2),
            Alphabet::Pictogram => Some(Charset::ShiftJis),
            Alphabet::Iso2022Jp => Some(Charset::Iso2022Jp),
            Alphabet::ExtendedKanji => Some(Charset::EucJp),
            Alphabet::Korean => Some(Charset::EucKr),
        }
    }

    /// Whether user data in this data_coding is packed septets.
    pub fn is_packed(&self, data_coding: DataCoding) -> bool {
        self.packing == Packing::Packed && self.charset(data_coding) == Some(Charset::Gsm7)
    }

    /// Reads the text of a message that came in one part without a header; `tables` are those of GSM 7-bit text. None
    /// for octets that are no text. A [`Body`](super::Body) knows of headers, and a
    /// [`LongMessage`](super::LongMessage) of several parts.
    pub fn decode<'a>(&self, data_coding: DataCoding, tables: Gsm7, octets: &'a [u8]) -> Option<Decoded<'a>> {
        self.decode_parts(data_coding, tables, [(octets, 0)].into_iter())
    }

    /// Reads one text from user data in parts, each with the octets that its header took. Parts are joined before they
    /// are read: some senders cut between an escape and its code, or inside a surrogate pair.
    pub(super) fn decode_parts<'a>(
        &self,
        data_coding: DataCoding,
        tables: Gsm7,
        mut parts: impl ExactSizeIterator<Item = (&'a [u8], usize)>,
    ) -> Option<Decoded<'a>> {
        let charset = self.charset(data_coding)?;
        let read =
            |octets: &'a [u8]| if charset == Charset::Gsm7 { tables.decode(octets) } else { charset.decode(octets) };
        let owned = |octets: Vec<u8>| {
            let decoded = if charset == Charset::Gsm7 { tables.decode(&octets) } else { charset.decode(&octets) };
            Decoded { text: decoded.text.into_owned().into(), lossy: decoded.lossy }
        };
        Some(match (self.is_packed(data_coding), parts.len()) {
            (true, _) => owned(parts.flat_map(|(octets, header)| unpack(octets, header)).collect()),
            (false, 1) => read(parts.next().map_or(&[], |(octets, _)| octets)),
            (false, _) => owned(parts.flat_map(|(octets, _)| octets).copied().collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_character_set_or_is_no_text() {
        let codings = Codings::default();
        for (octet, charset) in [
            (0x00, Some(Charset::Gsm7)),
            (0x01, Some(Charset::Ascii)),
            (0x02, None),
            (0x04, None),
            (0x05, Some(Charset::Iso2022Jp)),
            (0x08, Some(Charset::Ucs2)),
            (0x0d, Some(Charset::EucJp)),
            (0x0e, Some(Charset::EucKr)),
            (0x10, Some(Charset::Gsm7)),
            (0x18, Some(Charset::Ucs2)),
            (0x28, None),
            (0xe0, Some(Charset::Ucs2)),
            (0xf1, Some(Charset::Gsm7)),
            (0xf5, None),
        ] {
            assert_eq!(codings.charset(DataCoding(octet)), charset, "{octet:#x}");
        }
    }

    #[test]
    fn the_link_chooses_what_it_may_choose() {
        let codings = Codings::default().with_default_alphabet(Charset::Latin1).with_jis(Charset::ShiftJis);
        assert_eq!(codings.charset(DataCoding(0)), Some(Charset::Latin1));
        assert_eq!(codings.charset(DataCoding(0x0b)), Some(Charset::Latin1));
        assert_eq!(codings.charset(DataCoding(0x10)), Some(Charset::Gsm7));
        assert_eq!(codings.charset(DataCoding(5)), Some(Charset::ShiftJis));
        let packed = Codings::default().with_packing(Packing::Packed);
        let hello = packed.decode(DataCoding(0), Gsm7::DEFAULT, &[0xe8, 0x32, 0x9b, 0xfd, 0x06]).unwrap();
        assert_eq!(hello, Decoded { text: "hello".into(), lossy: false });
        assert!(!packed.is_packed(DataCoding(8)) && !packed.is_packed(DataCoding(4)));
    }

    #[test]
    fn pairs_cut_between_parts_are_whole_again() {
        let join = |data_coding, parts: [&'static [u8]; 2]| {
            let parts = parts.map(|octets| (octets, 6));
            Codings::default().decode_parts(DataCoding(data_coding), Gsm7::DEFAULT, parts.into_iter()).unwrap().text
        };
        assert_eq!(join(8, [b"\xd8\x3d", b"\xde\x00"]), "\u{1f600}");
        assert_eq!(join(0, [b"5\x1b", b"\x65"]), "5\u{20ac}");
    }
}
