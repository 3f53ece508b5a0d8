//! The text of a USSD message, by data_coding.

use smpp::{
    text::{Body, Charset, Gsm7, Packing, pack, unpack},
    types::DataCoding,
};

use super::{
    Error,
    profile::{Scheme, TextCoding},
};

/// How a text stands in octets.
#[derive(Clone, Copy)]
enum Alphabet {
    Gsm7,
    Octets,
    Ucs2,
}

/// The text of a message; what cannot be read becomes U+FFFD.
pub(super) fn read(body: &Body, coding: &TextCoding) -> String {
    let octets = &body.text[..];
    let cbs = |(alphabet, prefix)| by_alphabet(alphabet, prefix, octets, coding);
    match (coding.scheme, body.data_coding.0) {
        (Scheme::Cbs, number) => cbs(cbs_alphabet(number)),
        (Scheme::Smpp, 0x0F) => cbs((Alphabet::Gsm7, 0)),
        (Scheme::Smpp, _) => match body.decode(&coding.codings) {
            Some(decoded) => decoded.text.into_owned(),
            None => Charset::Latin1.decode(octets).text.into_owned(),
        },
    }
}

/// The octets of a text and their data_coding: the default alphabet if it can carry the text, and UCS-2 otherwise.
pub(super) fn write(text: &str, coding: &TextCoding) -> Result<(DataCoding, Vec<u8>), Error> {
    let charset = match coding.scheme {
        Scheme::Smpp => coding.codings.default_alphabet(),
        Scheme::Cbs => Charset::Gsm7,
    };
    let (data_coding, octets, on_air) = match (charset.encode(text), coding.ucs2) {
        (Ok(septets), _) if charset == Charset::Gsm7 => {
            let on_air = septets.len().saturating_mul(7).div_ceil(8);
            let octets = match coding.codings.packing() {
                Packing::Packed => pack(&septets, 0),
                _ => septets,
            };
            (coding.data_coding, octets, on_air)
        }
        (Ok(octets), _) => {
            let on_air = octets.len();
            (coding.data_coding, octets, on_air)
        }
        (Err(_), Some(ucs2)) => {
            let octets = Charset::Ucs2.encode(text)?;
            let on_air = octets.len();
            (ucs2, octets, on_air)
        }
        (Err(error), None) => return Err(error.into()),
    };
    if on_air > coding.max_octets {
        return Err(Error::TooLong { octets: on_air, max: coding.max_octets });
    }
    Ok((data_coding, octets))
}

/// Alphabet of a cell broadcast data coding, and the characters of the language in front of the text.
fn cbs_alphabet(number: u8) -> (Alphabet, usize) {
    let general = match (number >> 2) & 0b11 {
        1 => Alphabet::Octets,
        2 => Alphabet::Ucs2,
        _ => Alphabet::Gsm7,
    };
    match number {
        // Two letters and a CR, as septets.
        0x10 => (Alphabet::Gsm7, 3),
        // Two letters, packed into one unit.
        0x11 => (Alphabet::Ucs2, 1),
        0x40..=0x7F | 0x90..=0x9F => (general, 0),
        0xF0..=0xFF if number & 0b100 != 0 => (Alphabet::Octets, 0),
        _ => (Alphabet::Gsm7, 0),
    }
}

fn by_alphabet(alphabet: Alphabet, prefix: usize, octets: &[u8], coding: &TextCoding) -> String {
    match (alphabet, coding.codings.packing()) {
        (Alphabet::Gsm7, Packing::Packed) => {
            let mut septets = unpack(octets, 0);
            // A text that ends in a CR at the end of an octet got a second one; two mean no more than one.
            if septets.len() % 8 == 1 && septets.ends_with(b"\r\r") {
                septets.pop();
            }
            Gsm7::DEFAULT.decode(septets.get(prefix..).unwrap_or_default()).text.into_owned()
        }
        (Alphabet::Gsm7, _) => Gsm7::DEFAULT.decode(octets.get(prefix..).unwrap_or_default()).text.into_owned(),
        (Alphabet::Octets, _) => Charset::Latin1.decode(octets).text.into_owned(),
        (Alphabet::Ucs2, _) => {
            let units = octets.get(prefix.saturating_mul(2)..).unwrap_or_default();
            Charset::Ucs2.decode(units).text.into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use smpp::{text::Codings, tlv::Tlvs, types::EsmClass};

    use super::*;

    fn said(number: u8, octets: &'static [u8], coding: &TextCoding) -> String {
        let text = smpp::types::ShortMessage::new(octets).unwrap();
        read(&Body::new(EsmClass::NORMAL, DataCoding(number), &text, &Tlvs::new()), coding)
    }

    fn packed(scheme: Scheme) -> TextCoding {
        let codings = Codings::default().with_packing(Packing::Packed);
        TextCoding { scheme, codings, data_coding: DataCoding(15), ucs2: Some(DataCoding(0x48)), ..Default::default() }
    }

    #[test]
    fn one_number_has_two_meanings() {
        let smpp = TextCoding::default();
        let cbs = TextCoding { scheme: Scheme::Cbs, ..TextCoding::default() };
        for (number, octets, by_smpp, by_cbs) in [
            (0x00, &b"\x00\x11"[..], "@_", "@_"),
            (0x0F, b"\x2a4006#\x00", "*4006#@", "*4006#@"),
            (0x01, b"@", "@", "\u{a1}"),
            (0x08, b"\x12\x00\x12\x01", "\u{1200}\u{1201}", "\u{3a6}@\u{3a6}\u{a3}"),
            (0x48, b"\x12\x00", "\u{1200}", "\u{1200}"),
            (0x44, b"caf\xe9", "caf\u{e9}", "caf\u{e9}"),
            (0x10, b"en\rhi", "en\rhi", "hi"),
            (0x11, b"\x32\x3d\0h\0i", "2=\0h\0i".replace('\0', "@").as_str(), "hi"),
            (0xF5, b"\xe9", "\u{e9}", "\u{e9}"),
            (0x20, b"\x00", "\0", "@"),
        ] {
            assert_eq!(said(number, octets, &smpp), by_smpp, "{number:#x} by SMPP");
            assert_eq!(said(number, octets, &cbs), by_cbs, "{number:#x} by CBS");
        }
    }

    #[test]
    fn too_short_for_its_prefix_is_empty() {
        let cbs = TextCoding { scheme: Scheme::Cbs, ..TextCoding::default() };
        assert_eq!((said(0x10, b"en", &cbs), said(0x11, b"\x32", &cbs)), (String::new(), String::new()));
    }

    #[test]
    fn packed_texts_come_back() {
        for scheme in [Scheme::Smpp, Scheme::Cbs] {
            let coding = packed(scheme);
            // Seven septets leave seven spare bits, which are no `@`; a CR at the end of an octet stays.
            for text in ["hello", "1234567", "1234567\r", "", "12345678", "\u{20ac}5"] {
                let (data_coding, octets) = write(text, &coding).unwrap();
                assert_eq!(data_coding, DataCoding(15));
                assert_eq!(said(15, octets.leak(), &coding), text, "{scheme:?}");
            }
        }
        assert_eq!(write("hello", &packed(Scheme::Cbs)).unwrap().1, [0xE8, 0x32, 0x9B, 0xFD, 0x06]);
    }

    #[test]
    fn limits_to_the_unit() {
        let plain = TextCoding::default();
        for coding in [plain.clone(), packed(Scheme::Cbs)] {
            assert!(write(&"a".repeat(182), &coding).is_ok());
            let euro = "a".repeat(181) + "\u{20ac}";
            assert_eq!(write(&euro, &coding).unwrap_err(), Error::TooLong { octets: 161, max: 160 });
            assert_eq!(write(&"\u{1200}".repeat(80), &coding).unwrap().1.len(), 160);
            let emoji = "\u{1200}".repeat(79) + "\u{1f600}";
            assert_eq!(write(&emoji, &coding).unwrap_err(), Error::TooLong { octets: 162, max: 160 });
        }
        assert_eq!(write(&"a".repeat(182), &packed(Scheme::Smpp)).unwrap().1.len(), 160);
        let codings = Codings::default().with_default_alphabet(Charset::Latin1);
        let latin = TextCoding { codings, ..plain.clone() };
        assert_eq!(write(&"\u{e9}".repeat(161), &latin).unwrap_err(), Error::TooLong { octets: 161, max: 160 });
        let no_ucs2 = TextCoding { ucs2: None, ..plain };
        assert!(matches!(write("a\u{1200}", &no_ucs2), Err(Error::Unencodable(error)) if error.offset == 1));
    }
}
