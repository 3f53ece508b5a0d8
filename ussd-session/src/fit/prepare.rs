//! A text in the form in which it takes the least room.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};

use super::{Alphabet, Fit, FitError, Odd, Transliterate};

/// A text as it is to be sent.
#[derive(Debug)]
pub(super) struct Prepared<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) alphabet: Alphabet,
    /// The character for which it is not in the alphabet that the fit likes best.
    pub(super) why: Option<Odd>,
}

/// Finds the alphabet for the text and all of `chrome`.
pub(super) fn prepare<'t>(fit: &Fit, text: &'t str, chrome: &[&str]) -> Result<Prepared<'t>, FitError> {
    let mut alphabets = fit.alphabets();
    let best = alphabets.next().ok_or(FitError::NoAlphabet)?;
    let has_chrome = |alphabet: Alphabet| chrome.iter().all(|line| alphabet.units(line).is_ok());
    if best.units(text).is_ok() && has_chrome(best) {
        return Ok(Prepared { text: Cow::Borrowed(text), alphabet: best, why: None });
    }
    // A letter and its accent as one character: it may be in the alphabet.
    let mut text = if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    if fit.transliterate != Transliterate::Nothing && best.units(&text).is_err() {
        text = Cow::Owned(transliterated(&text, best, fit.transliterate));
    }
    let why = best.units(&text).err();
    if why.is_none() && has_chrome(best) {
        return Ok(Prepared { text, alphabet: best, why: None });
    }
    if let Some(stand_in) = fit.beyond_bmp.filter(|_| text.chars().any(|character| character > '\u{ffff}')) {
        text = Cow::Owned(text.chars().map(|c| if c > '\u{ffff}' { stand_in } else { c }).collect());
    }
    let mut last = best;
    for alphabet in alphabets {
        last = alphabet;
        if alphabet.units(&text).is_ok() && has_chrome(alphabet) {
            return Ok(Prepared { text, alphabet, why });
        }
    }
    match (last.units(&text), fit.unknown) {
        (Err(_), Some(stand_in)) if last.units_of(stand_in).is_some() && has_chrome(last) => {
            let known = |c: char| if last.units_of(c).is_some() { c } else { stand_in };
            Ok(Prepared { text: Cow::Owned(text.chars().map(known).collect()), alphabet: last, why })
        }
        (Err(odd), _) => Err(FitError::Unencodable(odd)),
        (Ok(_), _) => Err(FitError::Chrome),
    }
}

/// The text with what the alphabet lacks written in what it has, where there is such a thing.
fn transliterated(text: &str, alphabet: Alphabet, how: Transliterate) -> String {
    let mut out = String::with_capacity(text.len());
    let has = |text: &str| alphabet.units(text).is_ok();
    for character in text.chars() {
        if alphabet.units_of(character).is_some() {
            out.push(character);
        } else if let Some(with) = same_mark(character).filter(|with| has(with)) {
            out.push_str(with);
        } else if how == Transliterate::Letters {
            let plain: String = std::iter::once(character).nfkd().filter(|c| !is_combining_mark(*c)).collect();
            match plain_letters(character) {
                Some(with) if has(with) => out.push_str(with),
                _ if has(&plain) && !plain.is_empty() => out.push_str(&plain),
                _ => out.push(character),
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// What stands for a mark that word processors put in, without another meaning. As the `smpp` crate has it: this crate
/// does not know that one, and a table of this size is no reason to.
const fn same_mark(character: char) -> Option<&'static str> {
    Some(match character {
        '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "\n",
        // Of no width: soft hyphen, zero-width space, word joiner, byte order mark.
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => "",
        '‘' | '’' | '‚' | '‛' | '′' | '´' | '`' | 'ʼ' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‹' => "<",
        '›' => ">",
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' => "-",
        '•' | '·' | '∙' => "*",
        '…' => "...",
        '⁄' | '∕' => "/",
        // Greek capitals that look as the Latin ones: the alphabet means these (3GPP TS 23.038, section 6.2.1).
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

/// Letters of the Latin script that are no letter with an accent.
const fn plain_letters(character: char) -> Option<&'static str> {
    Some(match character {
        'ı' => "i",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'ɓ' => "b",
        'Ɓ' => "B",
        'ɗ' => "d",
        'Ɗ' => "D",
        'ƙ' => "k",
        'Ƙ' => "K",
        'ŋ' => "n",
        'Ŋ' => "N",
        'œ' => "oe",
        'Œ' => "OE",
        'þ' => "th",
        'Þ' => "Th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_and_accent_become_one() {
        let prepared = prepare(&Fit::default(), "e\u{301}", &[]).unwrap();
        assert_eq!((&*prepared.text, prepared.alphabet), ("\u{e9}", Alphabet::Gsm7));
    }

    #[test]
    fn transliteration_is_done_on_request_only() {
        let text = "“Łódź” – ça va… ş";
        let of = |how| prepare(&Fit::default().transliterate(how), text, &[]).unwrap();
        let as_is = of(Transliterate::Nothing);
        assert_eq!((&*as_is.text, as_is.alphabet), (text, Alphabet::Ucs2));
        assert_eq!(as_is.why, Some(Odd { character: '“', offset: 0 }));
        let marks = of(Transliterate::Marks);
        assert_eq!((&*marks.text, marks.alphabet), ("\"Łódź\" - ça va... ş", Alphabet::Ucs2));
        assert_eq!(marks.why, Some(Odd { character: 'Ł', offset: 1 }));
        let letters = of(Transliterate::Letters);
        assert_eq!((&*letters.text, letters.alphabet, letters.why), ("\"Lodz\" - ca va... s", Alphabet::Gsm7, None));
    }

    #[test]
    fn what_no_alphabet_has() {
        let fit = Fit::default().ucs2(None);
        let odd = Odd { character: 'አ', offset: 2 };
        assert_eq!(prepare(&fit, "a አ", &[]).unwrap_err(), FitError::Unencodable(odd));
        assert_eq!(&*prepare(&fit.clone().unknown('?'), "a አ", &[]).unwrap().text, "a ?");
        assert_eq!(prepare(&fit, "a", &["አ"]).unwrap_err(), FitError::Chrome);
        assert_eq!(prepare(&fit.gsm7(None), "", &[]).unwrap_err(), FitError::NoAlphabet);
        let bmp = Fit::default().beyond_bmp('?');
        assert_eq!(&*prepare(&bmp, "አ 😀", &[]).unwrap().text, "አ ?");
        assert_eq!(&*prepare(&Fit::default(), "አ 😀", &[]).unwrap().text, "አ 😀");
    }

    #[test]
    fn chrome_decides_with_the_text() {
        let prepared = prepare(&Fit::default(), "a", &["አ"]).unwrap();
        assert_eq!((prepared.alphabet, prepared.why), (Alphabet::Ucs2, None));
    }
}
