//! Text that fits a screen: counted in the units of the wire, cut into pages where it is too long.

mod alphabet;
mod cut;
mod pager;
mod prepare;

use self::prepare::{Prepared, prepare};
pub use self::{
    alphabet::{Alphabet, Odd},
    pager::{Page, Pager},
};

/// How texts are made to fit the screen of a link.
///
/// A text is written in the first alphabet that has all of its characters: the GSM alphabet (182 septets), ISO 8859-1
/// where the link says so, UCS-2 (80 units). A single character can halve the screen; [`Measure::why`] names it. Before
/// that, a letter and its accent are made one character, and marks are transliterated if that is asked for.
///
/// What is too long is shown in pages. A line that fits a page is never cut, so neither is an option of a menu; of a
/// longer line no word, of a longer word no grapheme. Below the text of a page stand the keys that lead on and back,
/// on the first page no way back, on the last no way on. Room for these, and for header, footer and prefix, is left
/// exactly. [`Policy::fit`](crate::Policy::fit) is the line that turns it on.
///
/// ```
/// use ussd_session::{Alphabet, Fit, Pager};
///
/// let fit = Fit::default().gsm7(36).more("98", "More").back("0", "Back");
/// let mut pager = Pager::new(&fit, "Choose:\n1. Airtime\n2. Data\n3. Balance")?;
/// assert_eq!(pager.page(&fit).to_string(), "Choose:\n1. Airtime\n2. Data\n98.More");
/// assert!(pager.turn(&fit, "98"));
/// assert_eq!(pager.page(&fit).to_string(), "3. Balance\n0.Back");
/// assert!(!pager.turn(&fit, "3")); // an answer for the application
///
/// let measure = fit.measure("Rafiki\u{2019}s")?;
/// assert_eq!((measure.alphabet, measure.units), (Alphabet::Ucs2, 8));
/// assert_eq!(measure.why.map(|odd| odd.character), Some('\u{2019}'));
/// # Ok::<(), ussd_session::FitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fit {
    gsm7: Option<u16>,
    latin1: Option<u16>,
    ucs2: Option<u16>,
    transliterate: Transliterate,
    beyond_bmp: Option<char>,
    unknown: Option<char>,
    overflow: Overflow,
    more: Key,
    back: Key,
    header: Box<str>,
    footer: Box<str>,
    prefix: Box<str>,
}

/// What is written differently so that a text stays in the alphabet with the most room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Transliterate {
    /// Nothing.
    #[default]
    Nothing,
    /// Quotes, dashes, spaces, dots and the like that word processors put in.
    Marks,
    /// These, and letters of the Latin script: they lose the accents that the alphabet lacks.
    Letters,
}

/// What becomes of a text that is too long for one screen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Overflow {
    /// It is shown in pages.
    #[default]
    Page,
    /// Its first page is shown and no more.
    Cut,
    /// It is refused ([`FitError::TooLong`]).
    Refuse,
}

/// Why a text does not fit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// It is longer than a screen, and is not to be cut.
    #[error("too long: more than {limit} units")]
    TooLong {
        /// Units of a screen in the text's alphabet, less header, footer and prefix.
        limit: usize,
    },
    /// No alphabet of the link has this character.
    #[error("no alphabet of the link has {0}")]
    Unencodable(Odd),
    /// The text alone would fit, but no alphabet of the link has it and its header, footer and key lines.
    #[error("no alphabet of the link has the text and what stands around it")]
    Chrome,
    /// Header, footer, prefix and key lines leave no room for a text.
    #[error("no room is left for the text")]
    NoRoom,
    /// It is longer than any text may be.
    #[error("a text of {octets} octets, at most {} are taken", Fit::LONGEST)]
    Endless {
        /// How long it is.
        octets: usize,
    },
    /// The link has no alphabet.
    #[error("the link has no alphabet")]
    NoAlphabet,
}

/// What a text takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Measure {
    /// How it is written.
    pub alphabet: Alphabet,
    /// How many units it takes.
    pub units: usize,
    /// How many there are on one screen, less header, footer and prefix.
    pub limit: usize,
    /// The character for which it is not written in the link's first alphabet.
    pub why: Option<Odd>,
}

/// A key and what it does, in the user's words.
#[derive(Clone, Debug)]
struct Key {
    key: Box<str>,
    label: Box<str>,
}

impl Default for Fit {
    fn default() -> Self {
        let key = |key: &str, label: &str| Key { key: key.into(), label: label.into() };
        Self {
            gsm7: Some(182),
            latin1: None,
            ucs2: Some(80),
            transliterate: Transliterate::Nothing,
            beyond_bmp: None,
            unknown: None,
            overflow: Overflow::Page,
            more: key("98", "More"),
            back: key("0", "Back"),
            header: "".into(),
            footer: "".into(),
            prefix: "".into(),
        }
    }
}

impl Fit {
    /// Octets of the longest text that is cut into pages.
    pub const LONGEST: usize = u16::MAX as usize;

    /// For a link that carries octets of ISO 8859-1 and nothing else: 160.
    #[must_use]
    pub fn latin1_only() -> Self {
        Self { gsm7: None, latin1: Some(160), ucs2: None, ..Self::default() }
    }

    /// Septets of a screen in the GSM alphabet; none if the link cannot write it. Default 182; several gateways
    /// document 160.
    #[must_use]
    pub fn gsm7(mut self, septets: impl Into<Option<u16>>) -> Self {
        self.gsm7 = septets.into();
        self
    }

    /// Octets of a screen in ISO 8859-1; none if the link cannot write it. Default none.
    #[must_use]
    pub fn latin1(mut self, octets: impl Into<Option<u16>>) -> Self {
        self.latin1 = octets.into();
        self
    }

    /// 16-bit units of a screen in UCS-2; none if the link cannot write it. Default 80.
    #[must_use]
    pub fn ucs2(mut self, units: impl Into<Option<u16>>) -> Self {
        self.ucs2 = units.into();
        self
    }

    /// What is written differently. Default [`Transliterate::Nothing`].
    #[must_use]
    pub fn transliterate(mut self, how: Transliterate) -> Self {
        self.transliterate = how;
        self
    }

    /// What stands for a character beyond U+FFFF, which many phones show as two boxes. Default none: it is sent.
    #[must_use]
    pub fn beyond_bmp(mut self, stand_in: impl Into<Option<char>>) -> Self {
        self.beyond_bmp = stand_in.into();
        self
    }

    /// What stands for a character that no alphabet of the link has. Default none: the text is refused.
    #[must_use]
    pub fn unknown(mut self, stand_in: impl Into<Option<char>>) -> Self {
        self.unknown = stand_in.into();
        self
    }

    /// What becomes of a text that is too long for one screen. Default [`Overflow::Page`].
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// The key for the next page and its label, shown as `98.More`. Default that.
    ///
    /// If the text has a line that begins with this key, an option of its own, the last digit of the key is repeated
    /// until it has none: `98` becomes `988`.
    #[must_use]
    pub fn more(mut self, key: &str, label: &str) -> Self {
        self.more = Key { key: key.into(), label: label.into() };
        self
    }

    /// The key for the page before and its label, shown as `0.Back`, or `00.Back` if the text has an option `0`.
    /// Default that.
    #[must_use]
    pub fn back(mut self, key: &str, label: &str) -> Self {
        self.back = Key { key: key.into(), label: label.into() };
        self
    }

    /// A line above every screen. Default none.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.header = line.into();
        self
    }

    /// A line below every screen. Default none.
    #[must_use]
    pub fn footer(mut self, line: &str) -> Self {
        self.footer = line.into();
        self
    }

    /// What the link's adapter writes before every text and the gateway counts, for example `CON `. Room is left for
    /// it, no more. Default none.
    #[must_use]
    pub fn prefix(mut self, text: &str) -> Self {
        self.prefix = text.into();
        self
    }

    /// How much of a screen the text takes, in which alphabet, and why. For tests of an application's texts.
    ///
    /// # Errors
    /// It can be shown on no screen of the link, however it is cut. That it is too long is none.
    pub fn measure(&self, text: &str) -> Result<Measure, FitError> {
        let Prepared { text, alphabet, why } = prepare(self, text, &[&self.header, &self.footer])?;
        let units = alphabet.units(&text).map_err(FitError::Unencodable)?;
        Ok(Measure { alphabet, units, limit: self.room(alphabet, &[]), why })
    }

    /// The alphabets of the link, in the order in which they are tried.
    fn alphabets(&self) -> impl Iterator<Item = Alphabet> + use<> {
        let of = |limit: Option<u16>, alphabet| limit.map(|_| alphabet);
        let (gsm7, latin1) = (of(self.gsm7, Alphabet::Gsm7), of(self.latin1, Alphabet::Latin1));
        [gsm7, latin1, of(self.ucs2, Alphabet::Ucs2)].into_iter().flatten()
    }

    /// Units that header, footer, prefix and these lines leave on a screen.
    fn room(&self, alphabet: Alphabet, lines: &[&str]) -> usize {
        let limit = match alphabet {
            Alphabet::Gsm7 => self.gsm7,
            Alphabet::Latin1 => self.latin1,
            Alphabet::Ucs2 => self.ucs2,
        };
        let units = |text: &str| alphabet.units(text).unwrap_or(text.len());
        let around = [&*self.header, &*self.footer].into_iter().filter(|line| !line.is_empty());
        let lines: usize = around.chain(lines.iter().copied()).map(|line| units(line) + 1).sum();
        usize::from(limit.unwrap_or(0)).saturating_sub(units(&self.prefix) + lines)
    }
}
