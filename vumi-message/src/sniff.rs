//! The text of a body whose encoding vumi2 guesses, as Python's JSON reader does on octets.

use std::borrow::Cow;

/// The body as UTF-8 octets: UTF-16 and UTF-32 converted, a UTF-8 byte order mark taken off. `None` if the octets are
/// not of the encoding that their first four say.
///
/// A JSON text starts with an ASCII character, so the places of the zero octets tell the width and the order.
pub(crate) fn utf8(body: &[u8]) -> Option<Cow<'_, [u8]>> {
    match *body {
        [0, 0, 0xFE, 0xFF, ref rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xFF, 0xFE, 0, 0, ref rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0xFE, 0xFF, ref rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, ref rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, ref rest @ ..] => Some(Cow::Borrowed(rest)),
        [0, 0, _, _, ..] => utf32(body, u32::from_be_bytes),
        [0, _, _, _, ..] | [0, _] => utf16(body, u16::from_be_bytes),
        [_, 0, 0, 0, ..] => utf32(body, u32::from_le_bytes),
        [_, 0, _, _, ..] | [_, 0] => utf16(body, u16::from_le_bytes),
        _ => Some(Cow::Borrowed(body)),
    }
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, [u8]>> {
    let (units, []) = body.as_chunks::<2>() else {
        return None;
    };
    let text: String = char::decode_utf16(units.iter().map(|octets| unit(*octets))).collect::<Result<_, _>>().ok()?;
    Some(Cow::Owned(text.into_bytes()))
}

fn utf32(body: &[u8], unit: fn([u8; 4]) -> u32) -> Option<Cow<'_, [u8]>> {
    let (units, []) = body.as_chunks::<4>() else {
        return None;
    };
    let text: Option<String> = units.iter().map(|octets| char::from_u32(unit(*octets))).collect();
    Some(Cow::Owned(text?.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\": \"\u{1F44B}\u{E9}\"}";

    fn wide<const N: usize>(units: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
        units.flatten().collect()
    }

    #[test]
    fn every_encoding_is_told_from_the_first_octets() {
        let utf16 = || TEXT.encode_utf16();
        let utf32 = || TEXT.chars().map(u32::from);
        let with_mark = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for body in [
            TEXT.as_bytes().to_vec(),
            with_mark(b"\xEF\xBB\xBF", TEXT.into()),
            wide(utf16().map(u16::to_be_bytes)),
            wide(utf16().map(u16::to_le_bytes)),
            with_mark(b"\xFE\xFF", wide(utf16().map(u16::to_be_bytes))),
            with_mark(b"\xFF\xFE", wide(utf16().map(u16::to_le_bytes))),
            wide(utf32().map(u32::to_be_bytes)),
            wide(utf32().map(u32::to_le_bytes)),
            with_mark(b"\0\0\xFE\xFF", wide(utf32().map(u32::to_be_bytes))),
            with_mark(b"\xFF\xFE\0\0", wide(utf32().map(u32::to_le_bytes))),
        ] {
            assert_eq!(utf8(&body).as_deref(), Some(TEXT.as_bytes()), "{body:?}");
        }
    }

    #[test]
    fn broken_text_is_none() {
        for body in [&b"\xFE\xFF\0"[..], b"\xFE\xFF\xD8\0", b"\0\0\0{\0", b"\0\0\xFE\xFF\0\x11\0\0"] {
            assert_eq!(utf8(body), None, "{body:?}");
        }
        assert_eq!(utf8(b"").as_deref(), Some(&b""[..]));
        assert_eq!(utf8(b"7").as_deref(), Some(&b"7"[..]));
    }
}
