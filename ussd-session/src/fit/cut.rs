//! Where a page ends.

use unicode_segmentation::UnicodeSegmentation;

use super::Alphabet;

/// The room of one page, in units of an alphabet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) alphabet: Alphabet,
    /// For the text of this page.
    pub(super) here: usize,
    /// For the text of a page in the middle: what is longer has to be cut somewhere. Not more than `here`.
    pub(super) full: usize,
}

/// A part of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cut {
    /// Octets that are shown.
    pub(super) end: usize,
    /// Where the next page begins: white space at which a page breaks is not shown.
    pub(super) next: usize,
}

/// Cuts off a page of a text that is too long for it: whole lines; of a line that is too long for any page, whole
/// words; of such a word, whole graphemes; of such a grapheme, whole characters.
pub(super) fn cut(rest: &str, room: Room) -> Cut {
    let mut taken = Taken { text: rest, room, end: 0, units: 0 };
    let mut start = 0;
    for line in rest.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        if !taken.take(start, start + bare.len()) {
            if room.is_too_long(bare) {
                taken.words(start, bare);
            }
            break;
        }
        start += line.len();
    }
    let end = taken.end;
    let after = rest.get(end..).unwrap_or_default();
    Cut { end, next: rest.len() - after.trim_start_matches(is_break).len() }
}

impl Room {
    fn is_too_long(self, text: &str) -> bool {
        self.alphabet.units_within(text, self.full).is_none()
    }
}

/// The start of a text, as far as it was taken.
struct Taken<'t> {
    text: &'t str,
    room: Room,
    end: usize,
    units: usize,
}

impl Taken<'_> {
    /// Takes all to `end`, in which `from` to `end` is a new piece, if there is room.
    fn take(&mut self, from: usize, end: usize) -> bool {
        // What stands before the piece is shown only if the piece is.
        let piece = self.text.get(self.end.min(from)..end).unwrap_or_default();
        let Some(units) = self.room.alphabet.units_within(piece, self.room.here - self.units) else { return false };
        self.units += units;
        self.end = end;
        true
    }

    fn words(&mut self, start: usize, line: &str) {
        let mut at = start;
        for word in line.split_inclusive(is_break) {
            let bare = word.trim_end_matches(is_break);
            if !bare.is_empty() && !self.take(at, at + bare.len()) {
                if self.room.is_too_long(bare) {
                    self.graphemes(at, bare);
                }
                return;
            }
            at += word.len();
        }
    }

    fn graphemes(&mut self, start: usize, word: &str) {
        for (at, grapheme) in word.grapheme_indices(true) {
            let (from, end) = (start + at, start + at + grapheme.len());
            if !self.take(from, end) {
                if self.room.is_too_long(grapheme) {
                    self.characters(from, grapheme);
                }
                return;
            }
        }
    }

    fn characters(&mut self, start: usize, grapheme: &str) {
        for (at, character) in grapheme.char_indices() {
            if !self.take(start + at, start + at + character.len_utf8()) {
                return;
            }
        }
    }
}

/// White space at which a line may break: not the kinds that are made to prevent it.
pub(super) fn is_break(character: char) -> bool {
    character.is_whitespace() && !matches!(character, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_pages_end() {
        for (text, here, full, shown, next) in [
            ("one\ntwo\nthree", 9, 9, "one\ntwo", "three"),
            ("one\r\ntwo\r\nthree", 9, 9, "one\r\ntwo", "three"),
            ("1.aaaa\n2.bbbb", 12, 10, "1.aaaa", "2.bbbb"), // an option is never cut
            ("head\nmany words here", 12, 9, "head\nmany", "words here"), // a line too long for any page is
            ("aa bb cc", 7, 6, "aa bb", "cc"),
            ("aa   bb", 4, 4, "aa", "bb"),
            ("aa\u{a0}bb c", 6, 6, "aa\u{a0}bb", "c"),
            ("abcdefgh", 3, 3, "abc", "defgh"),
            ("x abcdefgh", 4, 4, "x ab", "cdefgh"),
            ("ab€€", 3, 3, "ab", "€€"),
            ("e\u{301}e\u{301}e\u{301}", 4, 4, "e\u{301}e\u{301}", "e\u{301}"),
            ("a\u{301}\u{301}\u{301}\u{301}", 2, 2, "a\u{301}", "\u{301}\u{301}\u{301}"),
            ("\n\n\nab", 2, 2, "\n\n", "ab"),
        ] {
            let alphabet = if text.contains('\u{301}') { Alphabet::Ucs2 } else { Alphabet::Gsm7 };
            let cut = cut(text, Room { alphabet, here, full });
            assert_eq!((&text[..cut.end], &text[cut.next..]), (shown, next), "{text:?}");
        }
    }
}
