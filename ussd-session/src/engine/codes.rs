//! The codes that open sessions were opened with: each once, however many sessions share it.

use std::hash::BuildHasher;

use compact_str::CompactString;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::slots::NONE;

/// The codes, by number. A number stays good while it is in use.
#[derive(Debug, Default)]
pub(super) struct Codes {
    codes: Vec<Code>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Code {
    text: CompactString,
    uses: u32,
}

impl Codes {
    /// The code as dialled; empty if there is none.
    pub(super) fn text(&self, code: u32) -> &str {
        self.codes.get(code as usize).map_or("", |code| code.text.as_str())
    }

    /// A number for this code, in use once more.
    pub(super) fn take(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let hash = self.hasher.hash_one(text);
        let is = |code: &u32| self.codes.get(*code as usize).is_some_and(|code| code.text == text);
        if let Some(number) = self.index.find(hash, is).copied() {
            if let Some(code) = self.codes.get_mut(number as usize) {
                code.uses += 1;
            }
            return number;
        }
        let code = Code { text: text.into(), uses: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(place) = self.codes.get_mut(number as usize) {
                    *place = code;
                }
                number
            }
            None => {
                self.codes.push(code);
                u32::try_from(self.codes.len() - 1).unwrap_or(NONE)
            }
        };
        let (codes, hasher) = (&self.codes, &self.hasher);
        self.index.insert_unique(hash, number, |number| {
            codes.get(*number as usize).map_or(0, |code| hasher.hash_one(code.text.as_str()))
        });
        number
    }

    /// The number is in use once less; with its last use the code is forgotten.
    pub(super) fn give_back(&mut self, number: u32) {
        let Some(code) = self.codes.get_mut(number as usize) else { return };
        code.uses = code.uses.saturating_sub(1);
        if code.uses > 0 {
            return;
        }
        let text = std::mem::take(&mut code.text);
        if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(text.as_str()), |other| *other == number) {
            entry.remove();
            self.free.push(number);
        }
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
        assert_eq!((codes.text(one), codes.index.len()), ("", 1));
        // The place is used again.
        assert_eq!(codes.take("*3#"), one);
        assert_eq!((codes.text(one), codes.text(other)), ("*3#", "*2#"));
    }
}
