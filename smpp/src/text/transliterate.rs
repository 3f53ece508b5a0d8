/// What stands for a character that the GSM alphabet does not have, without another meaning: quotes, dashes, spaces and
/// the like that word processors put in. None for all other characters; letters lose no accent.
///
/// ```
/// use smpp::text::transliterate;
///
/// assert_eq!(transliterate('\u{201c}'), Some("\""));
/// assert_eq!(transliterate('\u{2026}'), Some("..."));
/// assert_eq!(transliterate('\u{fa}'), None);
/// ```
pub const fn transliterate(character: char) -> Option<&'static str> {
    Some(match character {
        // Spaces of other widths, and those that do not break.
        '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' => "\n",
        // Of no width: soft hyphen, zero-width space, word joiner, byte order mark.
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => "",
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{60}' | '\u{2bc}' => "'",
        '\u{2039}' => "<",
        '\u{203a}' => ">",
        '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{2033}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' => "-",
        '\u{2022}' | '\u{b7}' | '\u{2219}' => "*",
        '\u{2026}' => "...",
        '\u{2044}' | '\u{2215}' => "/",
        // Greek capitals that look as the Latin ones: the alphabet means these (23.038, section 6.2.1).
        '\u{391}' => "A",
        '\u{392}' => "B",
        '\u{395}' => "E",
        '\u{396}' => "Z",
        '\u{397}' => "H",
        '\u{399}' => "I",
        '\u{39a}' => "K",
        '\u{39c}' => "M",
        '\u{39d}' => "N",
        '\u{39f}' => "O",
        '\u{3a1}' => "P",
        '\u{3a4}' => "T",
        '\u{3a5}' => "Y",
        '\u{3a7}' => "X",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Gsm7;
    use super::*;

    #[test]
    fn only_what_the_alphabet_lacks_is_replaced_and_by_what_it_has() {
        for character in '\0'..='\u{ffff}' {
            if let Some(with) = transliterate(character) {
                assert_eq!(Gsm7::DEFAULT.septets(character), None, "{character:?}");
                assert!(Gsm7::DEFAULT.encode(with).is_ok(), "{character:?}");
            }
        }
        assert_eq!(transliterate('\u{2019}'), Some("'"));
    }
}
