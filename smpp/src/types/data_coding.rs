use std::fmt;

use super::open::open_integer;

/// How the octets of a message are coded (section 5.2.19, and 3GPP TS 23.038 for the groups that GSM adds).
///
/// What 0 means is the link's choice: usually the GSM alphabet, often ISO-8859-1.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
pub struct DataCoding(pub u8);

/// The character set of a message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Alphabet {
    /// The message centre's default alphabet: a setting of the link.
    Default,
    /// The GSM 7-bit default alphabet of 3GPP TS 23.038, named as such by a GSM coding group.
    Gsm7,
    /// IA5, that is ASCII.
    Ascii,
    /// Octets that are no text.
    Binary,
    /// ISO-8859-1.
    Latin1,
    /// JIS X 0208; in practice Shift_JIS or ISO-2022-JP.
    Jis,
    /// ISO-8859-5.
    Cyrillic,
    /// ISO-8859-8.
    Hebrew,
    /// UCS-2, big-endian; in practice UTF-16.
    Ucs2,
    /// Pictograms.
    Pictogram,
    /// ISO-2022-JP, music codes.
    Iso2022Jp,
    /// JIS X 0212, extended kanji.
    ExtendedKanji,
    /// KS C 5601.
    Korean,
    /// A reserved value.
    Reserved,
}

open_integer! {
    /// Where a GSM message goes on the phone.
    MessageClass(u8) {
        FLASH = 0 "display at once",
        MOBILE_EQUIPMENT = 1 "mobile equipment",
        SIM = 2 "SIM",
        TERMINAL_EQUIPMENT = 3 "terminal equipment",
    }
}

open_integer! {
    /// What a message waiting indication tells of.
    WaitingKind(u8) {
        VOICEMAIL = 0 "voicemail",
        FAX = 1 "fax",
        EMAIL = 2 "e-mail",
        OTHER = 3 "other",
    }
}

/// A message waiting indication: the phone shows or clears a symbol.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MessageWaiting {
    /// Whether the symbol is shown.
    pub active: bool,
    /// Whether the message itself is to be stored, or may be discarded.
    pub store: bool,
    /// What is waiting.
    pub kind: WaitingKind,
}

impl DataCoding {
    /// The message centre's default alphabet.
    pub const DEFAULT: Self = Self(0);
    /// ASCII.
    pub const ASCII: Self = Self(1);
    /// ISO-8859-1.
    pub const LATIN1: Self = Self(3);
    /// Octets.
    pub const BINARY: Self = Self(4);
    /// UCS-2, big-endian.
    pub const UCS2: Self = Self(8);
    /// Class 0 (displayed at once) in the GSM alphabet.
    pub const FLASH: Self = Self(0xf0);
    /// Class 0 in UCS-2.
    pub const FLASH_UCS2: Self = Self(0x18);

    /// The character set. Values of SMPP's own list first, then the groups of 3GPP TS 23.038.
    pub const fn alphabet(self) -> Alphabet {
        match self.0 {
            0x00 => Alphabet::Default,
            0x01 => Alphabet::Ascii,
            0x02 | 0x04 => Alphabet::Binary,
            0x03 => Alphabet::Latin1,
            0x05 => Alphabet::Jis,
            0x06 => Alphabet::Cyrillic,
            0x07 => Alphabet::Hebrew,
            0x08 => Alphabet::Ucs2,
            0x09 => Alphabet::Pictogram,
            0x0a => Alphabet::Iso2022Jp,
            0x0d => Alphabet::ExtendedKanji,
            0x0e => Alphabet::Korean,
            0x0b | 0x0c | 0x0f => Alphabet::Reserved,
            0x10..=0x7f => match (self.0 >> 2) & 0b11 {
                0 => Alphabet::Gsm7,
                1 => Alphabet::Binary,
                2 => Alphabet::Ucs2,
                _ => Alphabet::Reserved,
            },
            0x80..=0xbf => Alphabet::Reserved,
            0xc0..=0xdf => Alphabet::Gsm7,
            0xe0..=0xef => Alphabet::Ucs2,
            0xf0..=0xff if self.0 & 0b100 != 0 => Alphabet::Binary,
            0xf0..=0xff => Alphabet::Gsm7,
        }
    }

    /// The message class, where the group states one.
    pub const fn class(self) -> Option<MessageClass> {
        match self.0 {
            0x10..=0x7f if self.0 & 0x10 != 0 => Some(MessageClass(self.0 & 0b11)),
            0xf0..=0xff => Some(MessageClass(self.0 & 0b11)),
            _ => None,
        }
    }

    /// Whether the message is displayed at once and not stored (class 0).
    pub const fn is_flash(self) -> bool {
        matches!(self.class(), Some(MessageClass::FLASH))
    }

    /// The message waiting indication, in the groups that are one.
    pub const fn message_waiting(self) -> Option<MessageWaiting> {
        match self.0 {
            0xc0..=0xef => Some(MessageWaiting {
                active: self.0 & 0b1000 != 0,
                store: self.0 >= 0xd0,
                kind: WaitingKind(self.0 & 0b11),
            }),
            _ => None,
        }
    }

    /// Whether the text is compressed (3GPP TS 23.042).
    pub const fn is_compressed(self) -> bool {
        matches!(self.0, 0x10..=0x7f) && self.0 & 0x20 != 0
    }

    /// Whether the message is marked for automatic deletion.
    pub const fn is_auto_delete(self) -> bool {
        matches!(self.0, 0x40..=0x7f)
    }
}

impl fmt::Debug for DataCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataCoding({:#04x})", self.0)
    }
}

/// Alphabet and class in words, such as `UCS-2, display at once`.
impl fmt::Display for DataCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.alphabet() {
            Alphabet::Default => "default alphabet",
            Alphabet::Gsm7 => "GSM 7-bit",
            Alphabet::Ascii => "ASCII",
            Alphabet::Binary => "octets",
            Alphabet::Latin1 => "ISO-8859-1",
            Alphabet::Jis => "JIS X 0208",
            Alphabet::Cyrillic => "ISO-8859-5",
            Alphabet::Hebrew => "ISO-8859-8",
            Alphabet::Ucs2 => "UCS-2",
            Alphabet::Pictogram => "pictogram",
            Alphabet::Iso2022Jp => "ISO-2022-JP",
            Alphabet::ExtendedKanji => "JIS X 0212",
            Alphabet::Korean => "KS C 5601",
            Alphabet::Reserved => "reserved",
        })?;
        if let Some(class) = self.class() {
            write!(f, ", {class}")?;
        }
        if let Some(waiting) = self.message_waiting() {
            let state = if waiting.active { "" } else { "no " };
            write!(f, ", {state}{} waiting", waiting.kind)?;
        }
        f.write_str(if self.is_compressed() { ", compressed" } else { "" })
    }
}

impl From<u8> for DataCoding {
    fn from(octet: u8) -> Self {
        Self(octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_23_038() {
        for (octet, alphabet, class) in [
            (0x00, Alphabet::Default, None),
            (0x08, Alphabet::Ucs2, None),
            (0x0f, Alphabet::Reserved, None),
            (0x10, Alphabet::Gsm7, Some(0)),
            (0x14, Alphabet::Binary, Some(0)),
            (0x18, Alphabet::Ucs2, Some(0)),
            (0x20, Alphabet::Gsm7, None),
            (0x1c, Alphabet::Reserved, Some(0)),
            (0x59, Alphabet::Ucs2, Some(1)),
            (0x80, Alphabet::Reserved, None),
            (0xc8, Alphabet::Gsm7, None),
            (0xe0, Alphabet::Ucs2, None),
            (0xf1, Alphabet::Gsm7, Some(1)),
            (0xf6, Alphabet::Binary, Some(2)),
        ] {
            let coding = DataCoding(octet);
            assert_eq!((coding.alphabet(), coding.class()), (alphabet, class.map(MessageClass)), "{coding:?}");
        }
        assert!(DataCoding(0x2a).is_compressed() && !DataCoding(0x0a).is_compressed());
        assert!(DataCoding::FLASH.is_flash() && DataCoding::FLASH_UCS2.is_flash() && !DataCoding::UCS2.is_flash());
        assert!(DataCoding(0x40).is_auto_delete());
    }

    #[test]
    fn message_waiting() {
        let waiting = DataCoding(0xda).message_waiting().unwrap();
        assert_eq!(waiting, MessageWaiting { active: true, store: true, kind: WaitingKind::EMAIL });
        assert!(!DataCoding(0xc1).message_waiting().unwrap().store);
        assert_eq!(DataCoding(0xc1).to_string(), "GSM 7-bit, no fax waiting");
        assert_eq!(DataCoding(0x18).to_string(), "UCS-2, display at once");
    }
}
