use std::borrow::Cow;

use bytes::Bytes;
use thiserror::Error;

use super::segment::{Alphabet, Cut};
use super::{
    Charset, Codings, Concatenation, ConcatenationKind, Element, Gsm7, Language, LongMessages, Segment, Unencodable,
    UserDataHeader, pack, transliterate,
};
use crate::tlv::{SarMsgRefNum, SarSegmentSeqnum, SarTotalSegments, Tag, Tlvs};
use crate::types::{DataCoding, EsmClass, ShortMessage};

/// How texts become messages on a link.
///
/// ```
/// use smpp::text::{Charset, TextOptions};
/// use smpp::types::DataCoding;
///
/// let options = TextOptions::default().with_transliteration(true);
/// let short = options.compose("\u{201c}5 \u{20ac}\u{201d}", 1)?;
/// assert_eq!(short.segments[0].short_message.as_ref(), b"\"5 \x1b\x65\"");
///
/// let long = options.compose(&"\u{442}\u{435}\u{43a}\u{441}\u{442} ".repeat(20), 1)?;
/// assert_eq!((long.data_coding, long.segments.len()), (DataCoding::UCS2, 2));
/// assert!(long.esm_class().has_udh());
/// let reason = long.not_default.unwrap();
/// assert_eq!((reason.character, reason.offset), ('\u{442}', 0));
/// # Ok::<(), smpp::text::ComposeError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct TextOptions {
    codings: Codings,
    long_messages: LongMessages,
    languages: Vec<Language>,
    latin1: bool,
    transliteration: bool,
    graphemes: bool,
    part_octets: u8,
    max_parts: u8,
    #[cfg_attr(feature = "serde", serde(skip))]
    elements: Vec<Element>,
}

/// Octets of user data in one message on the air (3GPP TS 23.040).
const USER_DATA: u8 = 140;
const MIN_USER_DATA: u8 = 40;
/// Most octets of a header that is made from the text: its length, a place among parts, two tables.
const MADE_FROM_TEXT: u8 = 13;
/// Octets of the largest character.
const CHARACTER: u8 = 4;

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            codings: Codings::default(),
            long_messages: LongMessages::default(),
            languages: Vec::new(),
            latin1: false,
            transliteration: false,
            graphemes: false,
            part_octets: USER_DATA,
            max_parts: u8::MAX,
            elements: Vec::new(),
        }
    }
}

/// A text as user data, ready to be put into PDUs in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Composed {
    /// The data_coding of every PDU.
    pub data_coding: DataCoding,
    /// The character set; none for octets that are no text.
    pub charset: Option<Charset>,
    /// The tables chosen for GSM 7-bit text.
    pub tables: Gsm7,
    /// Why the link's default alphabet does not carry the text: the first character that it has not, in the text as it
    /// was given.
    pub not_default: Option<Unencodable>,
    /// Whether characters were replaced by such as the alphabet has.
    pub transliterated: bool,
    /// Whether a user data header stands in front of each segment.
    pub has_udh: bool,
    /// One for each PDU; at least one.
    pub segments: Vec<Segment>,
}

/// A text cannot be sent.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ComposeError {
    /// Too long for the number of parts that the options allow, or for message_payload.
    #[error("the text of {octets} octets does not fit into {max_parts} parts, or into message_payload")]
    TooLong {
        /// Octets of the text.
        octets: usize,
        /// Most parts.
        max_parts: u8,
    },
    /// An element was given for the header that is made from the text: its place among parts, or its tables.
    #[error("the element {0:#04x} is made from the text")]
    Element(u8),
    /// The elements that were given for the header leave no room for a text.
    #[error("the elements take {octets} octets, and {most} is the most")]
    HeaderTooLong {
        /// Octets of the elements.
        octets: usize,
        /// Most octets.
        most: usize,
    },
    /// Elements were given for the header, and the text is too long for one message and sent in a way in which the
    /// message centre makes the headers.
    #[error("a text too long for one message, sent by {0:?}, has no header of its own")]
    NoHeader(LongMessages),
}

impl TextOptions {
    /// What data_coding means on the link. Default: [`Codings::default`].
    #[must_use]
    pub const fn with_codings(mut self, codings: Codings) -> Self {
        self.codings = codings;
        self
    }

    /// How texts too long for one message are sent. Default: parts with a reference of one octet in the header.
    #[must_use]
    pub const fn with_long_messages(mut self, long_messages: LongMessages) -> Self {
        self.long_messages = long_messages;
        self
    }

    /// National tables that may be chosen where the default alphabet does not carry a text and they save parts. Not all
    /// phones know them. They need a header of ours, so none is chosen with [`LongMessages::Sar`] or
    /// [`LongMessages::Payload`]. Default: none.
    #[must_use]
    pub fn with_languages(mut self, languages: impl Into<Vec<Language>>) -> Self {
        self.languages = languages.into();
        self
    }

    /// Whether ISO-8859-1 (data_coding 3) may be chosen. Message centres differ in what they make of it. Default: no.
    #[must_use]
    pub const fn with_latin1(mut self, latin1: bool) -> Self {
        self.latin1 = latin1;
        self
    }

    /// Whether characters may be [replaced](transliterate) if the default alphabet then carries the text. Default: no.
    #[must_use]
    pub const fn with_transliteration(mut self, transliteration: bool) -> Self {
        self.transliteration = transliteration;
        self
    }

    /// Whether a text is never cut inside what a reader takes for one character, such as a letter with its accents or
    /// an emoji of several code points. Default: no. An escape or surrogate pair is never cut.
    #[must_use]
    pub const fn with_graphemes(mut self, graphemes: bool) -> Self {
        self.graphemes = graphemes;
        self
    }

    /// Octets of user data in one message, header and (as if packed) text: 40 to 140; what is
    /// beyond is taken for the nearer of the two. Default: 140.
    #[must_use]
    pub const fn with_part_octets(mut self, octets: u8) -> Self {
        self.part_octets = octets;
        self
    }

    /// Most parts of one text, at least 1. Default: 255, which is the most there can be.
    #[must_use]
    pub const fn with_max_parts(mut self, parts: u8) -> Self {
        self.max_parts = parts;
        self
    }

    /// Elements that stand in the header of each part whatever the text is, such as the [ports](Element::Ports16) of an
    /// application. They count in the cut; at most [`part_octets`](Self::with_part_octets) less 17 octets. With
    /// [`LongMessages::Sar`] or [`LongMessages::Payload`] the text must then fit into one message. Default: none.
    #[must_use]
    pub fn with_elements(mut self, elements: impl Into<Vec<Element>>) -> Self {
        self.elements = elements.into();
        self
    }

    /// What data_coding means on the link.
    pub const fn codings(&self) -> &Codings {
        &self.codings
    }

    /// Makes a text into user data in the smallest alphabet that carries it: the link's default alphabet if it does,
    /// otherwise the one that takes the fewest parts (and of those the fewest octets) of the national tables and
    /// ISO-8859-1, if the options allow them, and UCS-2, which carries all.
    ///
    /// `reference` tells the messages of one sender to one recipient apart: count up. With [`LongMessages::Udh8`] its
    /// lower octet counts.
    ///
    /// # Errors
    ///
    /// The text is too long, or the [elements](Self::with_elements) cannot go into the header.
    pub fn compose(&self, text: &str, reference: u16) -> Result<Composed, ComposeError> {
        let too_long = ComposeError::TooLong { octets: text.len(), max_parts: self.max_parts };
        let choice = self.choose(text);
        let alphabet = choice.alphabet;
        self.check_elements(|cut| cut.fits(alphabet, &choice.text).unwrap_or(false))?;
        let parts = self.cut().parts(alphabet, &choice.text).ok_or(too_long)?;
        let segments = (1..=u8::MAX)
            .zip(&parts)
            .map(|(number, part)| {
                let concatenation = self.concatenation(reference, parts.len(), number);
                let header = self.header(alphabet, concatenation).ok()?;
                let octets = self.encode(alphabet, part, number == 1, header.len())?;
                self.segment(alphabet, header, &octets, concatenation)
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(too_long)?;
        let (charset, tables) = match alphabet {
            Alphabet::Gsm7(tables) => (Charset::Gsm7, tables),
            Alphabet::Other(charset) => (charset, Gsm7::DEFAULT),
        };
        Ok(Composed {
            data_coding: choice.data_coding,
            charset: Some(charset),
            tables,
            not_default: choice.not_default,
            transliterated: matches!(choice.text, Cow::Owned(_)),
            has_udh: self.has_udh(alphabet, parts.len()),
            segments,
        })
    }

    /// Makes octets that are no text into user data: data_coding 4, cut if need be.
    ///
    /// # Errors
    ///
    /// There are too many, or the [elements](Self::with_elements) cannot go into the header.
    pub fn compose_octets(&self, octets: &[u8], reference: u16) -> Result<Composed, ComposeError> {
        let too_long = ComposeError::TooLong { octets: octets.len(), max_parts: self.max_parts };
        let alphabet = Alphabet::Other(Charset::Latin1);
        self.check_elements(|cut| octets.len() <= alphabet.room(cut.octets, cut.elements))?;
        let room = self.cut().octets_a_part(octets.len()).ok_or(too_long)?;
        let parts: Vec<&[u8]> = if octets.is_empty() { vec![octets] } else { octets.chunks(room.max(1)).collect() };
        let segments = (1..=u8::MAX)
            .zip(&parts)
            .map(|(number, part)| {
                let concatenation = self.concatenation(reference, parts.len(), number);
                let header = self.header(alphabet, concatenation).ok()?;
                self.segment(alphabet, header, part, concatenation)
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(too_long)?;
        Ok(Composed {
            data_coding: DataCoding::BINARY,
            charset: None,
            tables: Gsm7::DEFAULT,
            not_default: None,
            transliterated: false,
            has_udh: self.has_udh(alphabet, parts.len()),
            segments,
        })
    }
}

impl Composed {
    /// The esm_class of every PDU: that of an ordinary message, with the header indicator if there is a header.
    pub const fn esm_class(&self) -> EsmClass {
        if self.has_udh { EsmClass::UDHI } else { EsmClass::NORMAL }
    }
}

/// An alphabet, and the text as it carries it.
struct Choice<'a> {
    alphabet: Alphabet,
    data_coding: DataCoding,
    text: Cow<'a, str>,
    not_default: Option<Unencodable>,
}

impl TextOptions {
    fn cut(&self) -> Cut {
        Cut {
            method: self.long_messages,
            octets: self.part_octets.clamp(MIN_USER_DATA, USER_DATA).into(),
            elements: self.elements.iter().fold(0, |octets, element| octets.saturating_add(element.octets())),
            max_parts: self.max_parts.max(1).into(),
            graphemes: self.graphemes,
        }
    }

    /// Whether the elements can go into the headers of a text, of which `fits` says whether one message carries it.
    fn check_elements(&self, fits: impl FnOnce(&Cut) -> bool) -> Result<(), ComposeError> {
        if self.elements.is_empty() {
            return Ok(());
        }
        if let Some(made) = self.elements.iter().find(|element| element.is_made_from_text()) {
            return Err(ComposeError::Element(made.id()));
        }
        let cut = self.cut();
        let (octets, most) = (cut.elements, cut.octets.saturating_sub((MADE_FROM_TEXT + CHARACTER).into()));
        if octets > most {
            return Err(ComposeError::HeaderTooLong { octets, most });
        }
        match self.has_own_headers() || fits(&cut) {
            true => Ok(()),
            false => Err(ComposeError::NoHeader(self.long_messages)),
        }
    }

    /// Whether the parts of a long text have headers that are made here.
    fn has_own_headers(&self) -> bool {
        matches!(self.long_messages, LongMessages::Udh8 | LongMessages::Udh16)
    }

    fn choose<'a>(&self, text: &'a str) -> Choice<'a> {
        let default = match self.codings.default_alphabet() {
            Charset::Gsm7 => Alphabet::Gsm7(Gsm7::DEFAULT),
            charset => Alphabet::Other(charset),
        };
        let reason = match self.carried(text) {
            Ok(text) => return Choice { alphabet: default, data_coding: DataCoding::DEFAULT, text, not_default: None },
            Err(reason) => reason,
        };
        let languages =
            if self.has_own_headers() && default == Alphabet::Gsm7(Gsm7::DEFAULT) { &self.languages[..] } else { &[] };
        let national =
            languages.iter().copied().flat_map(tables_of).map(|tables| (Alphabet::Gsm7(tables), DataCoding::DEFAULT));
        let latin1 = self.latin1.then_some((Alphabet::Other(Charset::Latin1), DataCoding::LATIN1));
        let ucs2 = (Alphabet::Other(Charset::Ucs2), DataCoding::UCS2);
        let cut = self.cut();
        let size = |alphabet: Alphabet| Some((cut.parts(alphabet, text)?.len(), alphabet.octets(text)?));
        let (alphabet, data_coding) = national
            .chain(latin1)
            .filter_map(|(alphabet, data_coding)| Some((size(alphabet)?, (alphabet, data_coding))))
            .min_by_key(|(size, _)| *size)
            .filter(|(smallest, _)| size(ucs2.0).is_none_or(|ucs2| *smallest < ucs2))
            .map_or(ucs2, |(_, choice)| choice);
        Choice { alphabet, data_coding, text: text.into(), not_default: Some(reason) }
    }

    /// The text as the default alphabet carries it, with characters replaced if need and leave be.
    fn carried<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Unencodable> {
        let charset = self.codings.default_alphabet();
        match charset.check(text) {
            Ok(()) => Ok(text.into()),
            Err(reason) if !self.transliteration => Err(reason),
            Err(_) => {
                let mut carried = String::with_capacity(text.len());
                for (offset, character) in text.char_indices() {
                    match (charset.width(character), transliterate(character)) {
                        (Some(_), _) => carried.push(character),
                        (None, Some(with)) if charset.check(with).is_ok() => carried.push_str(with),
                        (None, _) => return Err(Unencodable { character, offset }),
                    }
                }
                Ok(carried.into())
            }
        }
    }

    fn encode(&self, alphabet: Alphabet, part: &str, first: bool, header: usize) -> Option<Vec<u8>> {
        let octets = match alphabet {
            Alphabet::Gsm7(tables) => tables.encode(part).ok()?,
            // A mark is for the text as a whole.
            Alphabet::Other(Charset::Ucs2) if !first => part.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Alphabet::Other(charset) => charset.encode(part).ok()?,
        };
        Some(if self.is_packed(alphabet) { pack(&octets, header) } else { octets })
    }

    fn concatenation(&self, reference: u16, count: usize, number: u8) -> Option<Concatenation> {
        let total = u8::try_from(count).ok().filter(|total| *total > 1)?;
        self.cut().concatenation(reference, total, number)
    }

    fn has_udh(&self, alphabet: Alphabet, count: usize) -> bool {
        let cut = self.concatenation(0, count, 1).is_some_and(|part| part.kind != ConcatenationKind::Sar);
        cut || !alphabet.elements().is_empty() || !self.elements.is_empty()
    }

    /// The header of a part; empty if there is none.
    fn header(&self, alphabet: Alphabet, part: Option<Concatenation>) -> Result<Vec<u8>, super::UdhTooLong> {
        let concatenation = part.filter(|part| part.kind != ConcatenationKind::Sar).map(Element::Concatenation);
        let given = self.elements.iter().cloned();
        let elements: Vec<_> = given.chain(concatenation).chain(alphabet.elements()).collect();
        if elements.is_empty() { Ok(Vec::new()) } else { UserDataHeader::new(elements).to_octets() }
    }

    fn segment(
        &self,
        alphabet: Alphabet,
        mut user_data: Vec<u8>,
        octets: &[u8],
        part: Option<Concatenation>,
    ) -> Option<Segment> {
        let mut tlvs = Tlvs::new();
        if let Some(part) = part.filter(|part| part.kind == ConcatenationKind::Sar) {
            tlvs.push(&SarMsgRefNum(part.reference));
            tlvs.push(&SarTotalSegments(part.total));
            tlvs.push(&SarSegmentSeqnum(part.part));
        }
        user_data.extend_from_slice(octets);
        let one_message = match self.is_packed(alphabet) {
            true => self.cut().octets,
            false => alphabet.room(self.cut().octets, 0),
        };
        if self.long_messages == LongMessages::Payload && user_data.len() > one_message {
            tlvs.push_raw(Tag::MESSAGE_PAYLOAD, &user_data).ok()?;
            user_data.clear();
        }
        Some(Segment { short_message: ShortMessage::new(Bytes::from(user_data)).ok()?, tlvs })
    }

    fn is_packed(&self, alphabet: Alphabet) -> bool {
        matches!(alphabet, Alphabet::Gsm7(_)) && self.codings.is_packed(DataCoding::DEFAULT)
    }
}

/// The ways to use a language's tables.
fn tables_of(language: Language) -> impl Iterator<Item = Gsm7> {
    let some = Some(language);
    let locking = language
        .has_locking_shift()
        .then_some([Gsm7 { locking: some, single: None }, Gsm7 { locking: some, single: some }]);
    [Gsm7 { locking: None, single: some }].into_iter().chain(locking.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::super::{Body, Outcome, Packing, Part, Reassembler};
    use super::*;

    fn reassembled(options: &TextOptions, composed: &Composed) -> String {
        #[expect(clippy::disallowed_methods, reason = "any instant will do")]
        let now = Instant::now();
        let mut reassembler = Reassembler::default();
        // Backwards, so that order is put right.
        for (tag, segment) in composed.segments.iter().enumerate().rev() {
            let body = Body::new(composed.esm_class(), composed.data_coding, &segment.short_message, &segment.tlvs);
            assert_eq!(body.invalid_header, None);
            assert_eq!(body.tables(), composed.tables);
            let elements = body.header.as_ref().map_or(&[][..], |header| &header.elements);
            assert!(options.elements.iter().all(|element| elements.contains(element)));
            let Some(part) = Part::of(&body, 1, b"1", b"2", tag) else {
                let decoded = body.decode(options.codings()).unwrap();
                assert!(!decoded.lossy && composed.segments.len() == 1);
                return decoded.text.into_owned();
            };
            if let Outcome::Complete(message) = reassembler.insert(part, now).outcome {
                let decoded = message.decode(options.codings()).unwrap();
                assert!(!decoded.lossy);
                return decoded.text.into_owned();
            }
        }
        panic!("not all parts are there");
    }

    #[test]
    fn the_smallest_alphabet_that_carries_the_text() {
        let plain = TextOptions::default();
        let turkish = plain.clone().with_languages([Language::Turkish]);
        let latin1 = plain.clone().with_latin1(true);
        for (options, text, charset, reason) in [
            (&plain, "caf\u{e9} [\u{20ac}]", Charset::Gsm7, None),
            (&plain, "\u{e9}\u{e7}", Charset::Ucs2, Some(('\u{e7}', 2))),
            (&latin1, "\u{e9}\u{e7}", Charset::Latin1, Some(('\u{e7}', 2))),
            (&latin1, "\u{e7}\u{11f}", Charset::Ucs2, Some(('\u{e7}', 0))),
            (&plain, "", Charset::Gsm7, None),
        ] {
            let composed = options.compose(text, 1).unwrap();
            assert_eq!(composed.charset, Some(charset), "{text}");
            assert_eq!(composed.not_default.map(|reason| (reason.character, reason.offset)), reason, "{text}");
        }
        let text = "\u{15f}eker \u{131}l\u{131}k ".repeat(10);
        let composed = turkish.compose(&text, 1).unwrap();
        assert_eq!(composed.tables.locking, Some(Language::Turkish));
        assert_eq!((composed.data_coding, composed.segments.len(), composed.has_udh), (DataCoding(0), 1, true));
        assert_eq!(reassembled(&turkish, &composed), text);
        assert_eq!(plain.compose(&text, 1).unwrap().segments.len(), 2);
    }

    #[test]
    fn national_tables_need_a_header_of_ours() {
        for method in [LongMessages::Sar, LongMessages::Payload] {
            let options = TextOptions::default().with_languages(Language::ALL).with_long_messages(method);
            let composed = options.compose(&"\u{15f}".repeat(300), 1).unwrap();
            assert_eq!((composed.charset, composed.has_udh), (Some(Charset::Ucs2), false));
        }
    }

    #[test]
    fn characters_are_replaced_only_if_that_saves_the_alphabet() {
        let options = TextOptions::default().with_transliteration(true);
        let composed = options.compose("\u{201c}It\u{2019}s\u{a0}5\u{2026}\u{201d}", 1).unwrap();
        assert_eq!(composed.segments[0].short_message.as_ref(), b"\"It's 5...\"");
        assert!(composed.transliterated && composed.not_default.is_none());
        let text = "\u{201c}\u{416}\u{201d}";
        let composed = options.compose(text, 1).unwrap();
        assert_eq!((composed.transliterated, reassembled(&options, &composed)), (false, text.to_owned()));
        assert_eq!(composed.not_default, Some(Unencodable { character: '\u{416}', offset: 3 }));
        assert!(!options.compose("\u{e9}", 1).unwrap().transliterated);
    }

    #[test]
    fn segments_on_the_wire() {
        let text = "a".repeat(161);
        let long = |method| TextOptions::default().with_long_messages(method).compose(&text, 0x1234).unwrap();
        let eight = long(LongMessages::Udh8);
        assert_eq!(eight.esm_class(), EsmClass::UDHI);
        assert_eq!(eight.segments[0].short_message.as_ref()[..7], *b"\x05\x00\x03\x34\x02\x01a");
        assert_eq!(eight.segments[1].short_message.as_ref(), b"\x05\x00\x03\x34\x02\x02aaaaaaaa");
        let sixteen = long(LongMessages::Udh16);
        assert_eq!(sixteen.segments[1].short_message.as_ref(), b"\x06\x08\x04\x12\x34\x02\x02aaaaaaaaa");
        let sar = long(LongMessages::Sar);
        assert_eq!((sar.esm_class(), sar.segments[1].short_message.as_ref()), (EsmClass::NORMAL, &b"aaaaaaaaa"[..]));
        assert_eq!(
            sar.segments[1].tlvs.as_bytes(),
            &b"\x02\x0c\x00\x02\x12\x34\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x02"[..]
        );
        let payload = long(LongMessages::Payload);
        assert!(payload.segments[0].short_message.is_empty() && !payload.has_udh);
        assert_eq!(payload.segments[0].tlvs.get_raw(Tag::MESSAGE_PAYLOAD), Some(text.as_bytes()));
        let short = TextOptions::default().with_long_messages(LongMessages::Payload).compose("hi", 1).unwrap();
        assert_eq!((short.segments[0].short_message.as_ref(), short.segments[0].tlvs.is_empty()), (&b"hi"[..], true));
    }

    #[test]
    fn packed_septets_begin_behind_the_fill() {
        let options = TextOptions::default().with_codings(Codings::default().with_packing(Packing::Packed));
        let composed = options.compose(&"a".repeat(161), 1).unwrap();
        assert_eq!(composed.segments[0].short_message.len(), 140);
        assert_eq!(reassembled(&options, &composed), "a".repeat(161));
    }

    #[test]
    fn octets_that_are_no_text() {
        let octets: Vec<u8> = (0..=255).collect();
        let composed = TextOptions::default().compose_octets(&octets, 1).unwrap();
        let lengths: Vec<_> = composed.segments.iter().map(|segment| segment.short_message.len()).collect();
        assert_eq!((composed.data_coding, lengths), (DataCoding::BINARY, vec![140, 6 + 122]));
        assert_eq!(TextOptions::default().compose_octets(&[], 1).unwrap().segments.len(), 1);
        assert!(TextOptions::default().compose_octets(&vec![0; 255 * 134 + 1], 1).is_err());
        let payload = TextOptions::default().with_long_messages(LongMessages::Payload);
        assert_eq!(payload.compose_octets(&vec![7; 65_535], 1).unwrap().segments.len(), 1);
        assert!(payload.compose_octets(&vec![7; 65_536], 1).is_err());
    }

    const PUSH: Element = Element::Ports16 { destination: 2948, source: 9200 };

    #[test]
    fn elements_stand_in_every_header_and_count() {
        let options = TextOptions::default().with_elements([PUSH]);
        let one = options.compose_octets(b"\x01\x06", 1).unwrap();
        assert_eq!(one.segments[0].short_message.as_ref(), b"\x06\x05\x04\x0b\x84\x23\xf0\x01\x06");
        assert!(one.has_udh);
        let two = options.compose_octets(&[7; 134], 0x2a).unwrap();
        assert_eq!(
            two.segments[1].short_message.as_ref(),
            b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x2a\x02\x02\x07\x07\x07\x07\x07\x07"
        );
        let lengths = |options: &TextOptions, text: &str| -> Vec<usize> {
            let composed = options.compose(text, 1).unwrap();
            assert_eq!(reassembled(options, &composed), text);
            composed.segments.iter().map(|segment| segment.short_message.len()).collect()
        };
        // 152 septets beside a header of 7 octets, 146 beside one of 12; of UCS-2 66 and 64.
        assert_eq!(lengths(&options, &"a".repeat(152)), [7 + 152]);
        assert_eq!(lengths(&options, &"a".repeat(153)), [12 + 146, 12 + 7]);
        assert_eq!(lengths(&options, &"\u{416}".repeat(66)), [7 + 132]);
        assert_eq!(lengths(&options, &"\u{416}".repeat(67)), [12 + 128, 12 + 6]);
        let turkish = options.clone().with_languages([Language::Turkish]);
        let header = turkish.compose(&"\u{15f}".repeat(100), 1).unwrap();
        assert_eq!(header.segments[0].short_message.as_ref()[..10], *b"\x09\x05\x04\x0b\x84\x23\xf0\x25\x01\x01");
    }

    #[test]
    fn elements_that_cannot_go_into_the_header() {
        let with = |element: Element| TextOptions::default().with_elements([element]);
        let other = |id, length: usize| Element::Other { id, data: vec![0; length].into() };
        let part = Concatenation { kind: ConcatenationKind::Udh8, reference: 300, total: 2, part: 1 };
        for (element, id) in [
            (Element::Concatenation(part), 8),
            (Element::Concatenation(Concatenation { reference: 3, ..part }), 0),
            (Element::SingleShift(Language::Turkish), 0x24),
            (Element::LockingShift(Language::Turkish), 0x25),
            (other(0, 3), 0),
            (other(0x24, 0), 0x24),
        ] {
            assert_eq!(with(element).compose("a", 1), Err(ComposeError::Element(id)));
        }
        let text = "\u{1f600}".repeat(3);
        let most = with(other(0x70, 121));
        assert_eq!(reassembled(&most, &most.compose(&text, 1).unwrap()), text);
        let too_long = |octets| ComposeError::HeaderTooLong { octets, most: 123 };
        assert_eq!(with(other(0x70, 122)).compose("", 1), Err(too_long(124)));
        assert_eq!(with(other(0x70, 1_000)).compose_octets(b"", 1), Err(too_long(1_002)));
        for method in [LongMessages::Sar, LongMessages::Payload] {
            let options = with(PUSH).with_long_messages(method);
            assert!(options.compose(&"a".repeat(152), 1).unwrap().has_udh);
            assert_eq!(options.compose(&"a".repeat(153), 1), Err(ComposeError::NoHeader(method)));
            assert!(options.compose_octets(&[0; 133], 1).unwrap().has_udh);
            assert_eq!(options.compose_octets(&[0; 134], 1), Err(ComposeError::NoHeader(method)));
        }
    }

    #[test]
    fn too_long() {
        let options = TextOptions::default().with_max_parts(2);
        assert_eq!(options.compose(&"a".repeat(306), 1).unwrap().segments.len(), 2);
        let error = options.compose(&"a".repeat(307), 1).unwrap_err();
        assert_eq!(error, ComposeError::TooLong { octets: 307, max_parts: 2 });
        assert!(TextOptions::default().compose(&"\u{416}".repeat(10_000_000), 1).is_err());
    }

    fn options() -> impl Strategy<Value = TextOptions> {
        use LongMessages::{Payload, Sar, Udh8, Udh16};
        let method = prop::sample::select(vec![Udh8, Udh16, Sar, Payload]);
        let charset = prop::sample::select(vec![
            Charset::Gsm7,
            Charset::Gsm7,
            Charset::Latin1,
            Charset::Ascii,
            Charset::ShiftJis,
            Charset::Iso2022Jp,
            Charset::Utf8,
        ]);
        let languages = prop::collection::vec(prop::sample::select(&Language::ALL[..]), 0..3);
        (method, charset, languages, any::<[bool; 4]>(), 40u8..=140).prop_map(
            |(method, charset, languages, [packed, latin1, graphemes, ports], octets)| {
                // A text may then be too long for one message without a header of its own.
                let ports = ports && matches!(method, Udh8 | Udh16);
                let packing = if packed { Packing::Packed } else { Packing::Unpacked };
                TextOptions::default()
                    .with_codings(Codings::default().with_default_alphabet(charset).with_packing(packing))
                    .with_long_messages(method)
                    .with_languages(languages)
                    .with_latin1(latin1)
                    .with_graphemes(graphemes)
                    .with_part_octets(octets)
                    .with_elements(if ports { vec![PUSH] } else { Vec::new() })
            },
        )
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[a-z@\\[\\]\u{20ac}^\r\n]{1,30}",
            "[\u{15f}\u{131}\u{11f}\u{e7}]{1,20}",
            "[\u{1f600}-\u{1f610}]{1,5}",
            "[\u{900}-\u{970}]{1,20}",
            "[\u{3040}-\u{30ff}]{1,10}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "[\u{feff}\u{fffe}\u{301}\u{0}]{1,3}",
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_cut_is_put_together(text in text(), options in options(), reference: u16) {
            let composed = options.compose(&text, reference).unwrap();
            // A carriage return at the end of a packed part may be doubled, which reads the same.
            let fold = |text: &str| match options.codings().packing() {
                Packing::Packed => text.replace('\r', ""),
                _ => text.to_owned(),
            };
            prop_assert_eq!(fold(&reassembled(&options, &composed)), fold(&text));
        }

        #[test]
        fn no_part_is_too_long_for_the_air(text in text(), options in options()) {
            let composed = options.compose(&text, 1).unwrap();
            let packed = options.codings().packing() == Packing::Packed;
            // The message centre cuts a message_payload by itself.
            let whole = |segment: &&super::Segment| segment.tlvs.get_raw(Tag::MESSAGE_PAYLOAD).is_none();
            for segment in composed.segments.iter().filter(whole) {
                let length = segment.short_message.len();
                let body =
                    Body::new(composed.esm_class(), composed.data_coding, &segment.short_message, &segment.tlvs);
                let on_air = match composed.charset {
                    Some(Charset::Gsm7) if !packed => {
                        let septets = (body.header_length * 8).div_ceil(7) + body.text.len();
                        (septets * 7).div_ceil(8)
                    }
                    _ => length,
                };
                // A doubled carriage return may need an octet more.
                prop_assert!(on_air <= usize::from(options.part_octets) + usize::from(packed), "{on_air}");
            }
        }
    }
}
