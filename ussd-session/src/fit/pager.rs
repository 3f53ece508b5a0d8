//! A long text, page by page.

use std::fmt;

use compact_str::{CompactString, format_compact};

use super::{
    Alphabet, Fit, FitError, Key, Overflow,
    cut::{Cut, Room, cut, is_break},
    prepare::{Prepared, prepare},
};

/// A text and the page of it that is on the screen: what is kept beside a session's record.
///
/// It holds the text and where its pages begin, and reckons the page anew from that, so that a page that is shown again
/// is the same to the octet. The [`Fit`] is handed in with every call and is to be the same.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Pager {
    pub(crate) text: Box<str>,
    pub(crate) alphabet: Alphabet,
    pub(crate) why: Option<char>,
    pub(crate) paged: bool,
    /// The first page is all there is.
    pub(crate) cut: bool,
    /// Where the pages begin that were turned to; the first is not among them.
    pub(crate) starts: Vec<u16>,
}

/// One screen. `Display` writes all of it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    fit: &'p Fit,
    text: &'p str,
    body: Cut,
    start: usize,
    more: bool,
    alphabet: Alphabet,
}

impl Pager {
    /// Units that a page has to have for its text at least: what one character may take.
    const LEAST: usize = 2;

    /// The first page of a text.
    ///
    /// # Errors
    /// It can be shown on no screen of the link, or is too long for one and not to be cut.
    pub fn new(fit: &Fit, text: &str) -> Result<Self, FitError> {
        Self::with(fit, text, fit.overflow)
    }

    /// A text of which one screen is shown, however long it is: for one that nobody can answer.
    ///
    /// # Errors
    /// It can be shown on no screen of the link.
    pub fn one_screen(fit: &Fit, text: &str) -> Result<Self, FitError> {
        Self::with(fit, text, Overflow::Cut)
    }

    /// A text that is refused rather than divided into pages.
    pub(crate) fn undivided(fit: &Fit, text: &str) -> Result<Self, FitError> {
        Self::with(fit, text, if fit.overflow == Overflow::Page { Overflow::Refuse } else { fit.overflow })
    }

    fn with(fit: &Fit, text: &str, overflow: Overflow) -> Result<Self, FitError> {
        if text.len() > Fit::LONGEST {
            return Err(FitError::Endless { octets: text.len() });
        }
        let around = [&*fit.header, &*fit.footer];
        let mut prepared = prepare(fit, text, &around)?;
        let limit = fit.room(prepared.alphabet, &[]);
        let mut paged = prepared.alphabet.units_within(&prepared.text, limit).is_none();
        if paged && overflow == Overflow::Refuse {
            return Err(FitError::TooLong { limit });
        }
        if paged && overflow == Overflow::Page {
            let lines = [fit.more.line(text, ""), fit.back.line(text, "")];
            prepared = prepare(fit, text, &[around[0], around[1], &lines[0], &lines[1]])?;
            // Another alphabet may have been found for the labels; it has less room.
            paged = prepared.alphabet.units_within(&prepared.text, fit.room(prepared.alphabet, &[])).is_none();
        }
        let Prepared { text, alphabet, why } = prepared;
        if text.len() > Fit::LONGEST {
            return Err(FitError::Endless { octets: text.len() });
        }
        let (why, cut) = (why.map(|odd| odd.character), overflow == Overflow::Cut);
        let pager = Self { text: text.into(), alphabet, why, paged, cut, starts: Vec::new() };
        if paged && pager.room(fit, !cut, !cut) < Self::LEAST {
            return Err(FitError::NoRoom);
        }
        Ok(pager)
    }

    /// The page on the screen.
    #[must_use]
    pub fn page<'p>(&'p self, fit: &'p Fit) -> Page<'p> {
        let (start, first) = match self.starts.last() {
            Some(start) => (usize::from(*start), false),
            None if self.paged => (self.text.len() - self.text.trim_start_matches(is_break).len(), true),
            None => (0, true),
        };
        let rest = self.text.get(start..).unwrap_or_default();
        let (mut body, mut more) = (Cut { end: rest.len(), next: rest.len() }, false);
        if self.paged {
            let fits = |text: &str, room: usize| self.alphabet.units_within(text, room).is_some();
            let last = self.room(fit, false, !first);
            let full = if self.cut { last } else { self.room(fit, true, true) };
            if fits(rest.trim_end_matches(is_break), last) {
                body.end = rest.trim_end_matches(is_break).len();
            } else {
                let here = if self.cut { last } else { self.room(fit, true, !first) };
                body = cut(rest, Room { alphabet: self.alphabet, here, full });
                more = !self.cut;
            }
        }
        let body = Cut { end: start + body.end, next: start + body.next };
        Page { fit, text: &self.text, body, start, more, alphabet: self.alphabet }
    }

    /// Takes what was typed: true if it was the key for more or back, and another page is on the screen now; false if
    /// it is an answer for the application.
    pub fn turn(&mut self, fit: &Fit, typed: &str) -> bool {
        let (page, typed) = (self.page(fit), typed.trim());
        if page.more && typed == fit.more.key_for(&self.text, "") {
            let Ok(next) = u16::try_from(page.body.next) else { return false };
            self.starts.push(next);
            return true;
        }
        page.is_after_the_first() && typed == page.back_key() && self.starts.pop().is_some()
    }

    /// True if there is more than one page.
    #[must_use]
    pub fn is_paged(&self) -> bool {
        self.paged && !self.cut
    }

    /// The text of all pages, as it is sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it is written.
    #[must_use]
    pub fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The character for which it is not written in the link's first alphabet.
    #[must_use]
    pub fn why(&self) -> Option<char> {
        self.why
    }

    /// Room for text on a page with or without these lines.
    fn room(&self, fit: &Fit, more: bool, back: bool) -> usize {
        let key = fit.more.key_for(&self.text, "");
        let lines = [fit.more.line(&self.text, ""), fit.back.line(&self.text, &key)];
        let shown: Vec<&str> =
            [more, back].iter().zip(&lines).filter(|(shown, _)| **shown).map(|(_, l)| &**l).collect();
        fit.room(self.alphabet, &shown)
    }
}

impl<'p> Page<'p> {
    /// The part of the text that it shows, without anything around it.
    #[must_use]
    pub fn body(&self) -> &'p str {
        self.text.get(self.start..self.body.end).unwrap_or_default()
    }

    /// Where that stands in [`Pager::text`], in octets. Between two pages is nothing but white space.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start..self.body.end
    }

    /// True if another page follows.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Units of the whole screen, the link's prefix included.
    #[must_use]
    pub fn units(&self) -> usize {
        let units = |text: &str| self.alphabet.units(text).unwrap_or(text.len());
        units(&self.fit.prefix) + units(&self.to_string())
    }

    fn is_after_the_first(&self) -> bool {
        self.text.get(..self.start).is_some_and(|before| before.contains(|c| !is_break(c)))
    }

    fn back_key(&self) -> CompactString {
        self.fit.back.key_for(self.text, &self.fit.more.key_for(self.text, ""))
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (more, back) = (&self.fit.more, &self.fit.back);
        if !self.fit.header.is_empty() {
            writeln!(f, "{}", self.fit.header)?;
        }
        f.write_str(self.body())?;
        if self.more {
            write!(f, "\n{}", more.line(self.text, ""))?;
        }
        if self.is_after_the_first() {
            write!(f, "\n{}", back.line(self.text, &more.key_for(self.text, "")))?;
        }
        if !self.fit.footer.is_empty() {
            write!(f, "\n{}", self.fit.footer)?;
        }
        Ok(())
    }
}

impl Key {
    /// The key in a text: not one that an option of the text has, nor `other`.
    fn key_for(&self, text: &str, other: &str) -> CompactString {
        let mut key = CompactString::new(&self.key);
        let Some(last) = key.chars().last() else { return key };
        while key == other || text.lines().any(|line| has_key(line, &key)) {
            key.push(last);
        }
        key
    }

    /// The line that says what the key does.
    fn line(&self, text: &str, other: &str) -> CompactString {
        format_compact!("{}.{}", self.key_for(text, other), self.label)
    }
}

/// True if the line is an option with this key.
fn has_key(line: &str, key: &str) -> bool {
    let rest = line.trim_start().strip_prefix(key);
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}
