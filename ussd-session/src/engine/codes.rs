//! The codes that open sessions were opened with: each once, however many sessions share it.

use compact_str::CompactString;

use super::{index::Index, slots::NONE};

/// The codes, by number. A number stays good while it is in use. Phones choose the codes, so there may be as many as
/// sessions: like the slots, the table grows in pages.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pages: Vec<Vec<Code>>,
    /// The free number to be given next; each names the one after it in the place of its uses.
    free: Option<u32>,
    len: usize,
    index: Index,
}

#[derive(Debug)]
struct Code {
    /// Empty if the number is free.
    text: CompactString,
    uses: u32,
}

const PAGE: usize = 1024;

impl Codes {
    /// The code as dialled; empty if there is none.
    pub(super) fn text(&self, code: u32) -> &str {
        self.get(code).map_or("", |code| code.text.as_str())
    }

    /// A number for this code, in use once more.
    pub(super) fn take(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let hash = self.index.hash(text);
        if let Some(number) = self.index.find(hash, |number| self.text(number) == text) {
            if let Some(code) = self.get_mut(number) {
                code.uses += 1;
            }
            return number;
        }
        let number = self.add(Code { text: text.into(), uses: 1 });
        self.index.insert(hash, number);
        number
    }

    /// The number is in use once less; with its last use the code is forgotten.
    pub(super) fn give_back(&mut self, number: u32) {
        let next = self.free.unwrap_or(NONE);
        let Some(code) = self.get_mut(number) else { return };
        code.uses = code.uses.saturating_sub(1);
        if code.uses > 0 {
            return;
        }
        let text = std::mem::take(&mut code.text);
        code.uses = next;
        self.free = Some(number);
        self.index.remove(self.index.hash(text.as_str()), number);
    }

    /// Gives a code a number.
    fn add(&mut self, code: Code) -> u32 {
        let free = self.free;
        if let Some((number, place)) = free.and_then(|free| Some((free, self.get_mut(free)?))) {
            let next = std::mem::replace(place, code).uses;
            self.free = Some(next).filter(|next| *next != NONE);
            return number;
        }
        if self.len.is_multiple_of(PAGE) {
            // The first page grows as it is needed: few applications have more than one code.
            self.pages.push(Vec::with_capacity(if self.len == 0 { 0 } else { PAGE }));
        }
        let number = u32::try_from(self.len).unwrap_or(NONE);
        if let Some(page) = self.pages.last_mut() {
            page.push(code);
            self.len += 1;
        }
        number
    }

    fn get(&self, number: u32) -> Option<&Code> {
        self.pages.get(number as usize / PAGE)?.get(number as usize % PAGE)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Code> {
        self.pages.get_mut(number as usize / PAGE)?.get_mut(number as usize % PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_kept_while_it_is_in_use() {
        let mut codes = Codes::default();
        let (one, other) = (codes.take("*1#"), codes.take("*2#"));
        assert_eq!((codes.take("*1#"), codes.take("")), (one, NONE));
        codes.give_back(one);
        assert_eq!((codes.text(one), codes.text(other), codes.text(NONE)), ("*1#", "*2#", ""));
        codes.give_back(one);
        codes.give_back(NONE);
        assert_eq!((codes.text(one), codes.index.find(codes.index.hash("*1#"), |_| true)), ("", None));
        // The place is used again.
        assert_eq!(codes.take("*3#"), one);
        assert_eq!((codes.text(one), codes.text(other)), ("*3#", "*2#"));
    }
}
