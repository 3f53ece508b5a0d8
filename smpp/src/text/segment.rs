use unicode_segmentation::UnicodeSegmentation;

use super::{Charset, Concatenation, ConcatenationKind, Element, Gsm7};
use crate::tlv::Tlvs;
use crate::types::ShortMessage;

/// How a text that is too long for one message is sent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum LongMessages {
    /// Parts with a user data header and a reference of one octet: what all phones know. 153 characters a part in the
    /// GSM alphabet, 67 in UCS-2, 134 octets.
    #[default]
    Udh8,
    /// Parts with a user data header and a reference of two octets: 152, 66, 133.
    Udh16,
    /// Parts with the TLVs sar_msg_ref_num, sar_total_segments and sar_segment_seqnum, from which the message centre
    /// makes a header. It may need two octets for the reference: 152, 66, 133.
    Sar,
    /// One PDU with the TLV message_payload, at most 65,535 octets: the message centre cuts.
    Payload,
}

/// The user data of one PDU.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Segment {
    /// The field short_message: header and text.
    pub short_message: ShortMessage,
    /// What the PDU needs beside it: nothing, the sar TLVs, or message_payload.
    pub tlvs: Tlvs,
}

/// Most octets of a message_payload.
const MAX_PAYLOAD: usize = 65_535;
/// Octets of a concatenation element in a header, with a reference of one and of two octets.
const CONCATENATION_8: usize = 5;
const CONCATENATION_16: usize = 6;
/// Octets of an element that chooses a table.
const SHIFT: usize = 3;

/// An alphabet as it is cut in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Alphabet {
    Gsm7(Gsm7),
    Other(Charset),
}

impl Alphabet {
    /// Octets or septets of a text; none if the alphabet does not carry it.
    fn width(self, text: &str) -> Option<usize> {
        text.chars().try_fold(0usize, |width, character| {
            let next = match self {
                Self::Gsm7(tables) => tables.septets(character)?,
                Self::Other(charset) => charset.width(character)?,
            };
            width.checked_add(next)
        })
    }

    /// Octets that a text takes, septets as if packed.
    pub(super) fn octets(self, text: &str) -> Option<usize> {
        let width = self.width(text)?;
        match self {
            Self::Gsm7(_) => Some(width.saturating_mul(7).div_ceil(8)),
            Self::Other(_) => Some(width),
        }
    }

    /// Octets or septets in front of the whole text.
    fn mark(self, text: &str) -> usize {
        match self {
            Self::Gsm7(_) => 0,
            Self::Other(charset) => charset.mark(text),
        }
    }

    /// Octets or septets of `octets` of user data behind a header of `elements` octets of elements.
    pub(super) fn room(self, octets: usize, elements: usize) -> usize {
        let header = if elements == 0 { 0 } else { elements.saturating_add(1) };
        let left = octets.saturating_sub(header);
        match self {
            Self::Gsm7(_) => left.saturating_mul(8) / 7,
            Self::Other(_) => left,
        }
    }

    /// The elements that choose its tables.
    pub(super) fn elements(self) -> Vec<Element> {
        match self {
            Self::Gsm7(Gsm7 { locking, single }) => {
                locking.map(Element::LockingShift).into_iter().chain(single.map(Element::SingleShift)).collect()
            }
            Self::Other(_) => Vec::new(),
        }
    }
}

/// How a text is cut: into one message, or into parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) method: LongMessages,
    /// Octets of user data in one message on the air.
    pub(super) octets: usize,
    /// Octets of elements that stand in each header whatever the text is.
    pub(super) elements: usize,
    /// Most parts.
    pub(super) max_parts: usize,
    /// Never inside what a reader takes for one character.
    pub(super) graphemes: bool,
}

impl Cut {
    /// The parts of a text; none if the alphabet does not carry it, or there would be too many.
    pub(super) fn parts<'a>(&self, alphabet: Alphabet, text: &'a str) -> Option<Vec<&'a str>> {
        let mark = alphabet.mark(text);
        // More octets than all parts together could hold: not worth a look.
        let most = alphabet.room(self.octets, 0).saturating_mul(self.max_parts).max(MAX_PAYLOAD);
        if text.len() > most.saturating_mul(4) {
            return None;
        }
        let width = alphabet.width(text)?.checked_add(mark)?;
        let elements = self.elements_with(alphabet);
        if width <= alphabet.room(self.octets, elements) {
            return Some(vec![text]);
        }
        let concatenation = match self.method {
            LongMessages::Payload => return (width <= MAX_PAYLOAD).then(|| vec![text]),
            LongMessages::Udh8 => CONCATENATION_8,
            LongMessages::Udh16 | LongMessages::Sar => CONCATENATION_16,
        };
        let room = alphabet.room(self.octets, elements.saturating_add(concatenation));
        let mut cutter = Cutter { text, start: 0, end: 0, used: mark, parts: Vec::new() };
        if self.graphemes {
            for (offset, cluster) in text.grapheme_indices(true) {
                let width = alphabet.width(cluster)?;
                match width > room {
                    // A cluster that no part holds is cut between its characters.
                    true => {
                        for (inner, character) in cluster.char_indices() {
                            let width = alphabet.width(character.encode_utf8(&mut [0; 4]))?;
                            cutter.add(offset.checked_add(inner)?, character.len_utf8(), width, room)?;
                        }
                    }
                    false => cutter.add(offset, cluster.len(), width, room)?,
                }
                if cutter.parts.len() >= self.max_parts {
                    return None;
                }
            }
        } else {
            for (offset, character) in text.char_indices() {
                let width = alphabet.width(character.encode_utf8(&mut [0; 4]))?;
                cutter.add(offset, character.len_utf8(), width, room)?;
                if cutter.parts.len() >= self.max_parts {
                    return None;
                }
            }
        }
        cutter.finish()
    }

    /// Whether a text fits into one message; none if the alphabet does not carry it.
    pub(super) fn fits(&self, alphabet: Alphabet, text: &str) -> Option<bool> {
        let width = alphabet.width(text)?.checked_add(alphabet.mark(text))?;
        Some(width <= alphabet.room(self.octets, self.elements_with(alphabet)))
    }

    /// Octets of the elements of each header, without that of the part.
    fn elements_with(&self, alphabet: Alphabet) -> usize {
        alphabet.elements().len().saturating_mul(SHIFT).saturating_add(self.elements)
    }

    /// The concatenation of one of several parts; none where the message centre cuts.
    pub(super) fn concatenation(&self, reference: u16, total: u8, part: u8) -> Option<Concatenation> {
        let [_, low] = reference.to_be_bytes();
        let (kind, reference) = match self.method {
            LongMessages::Udh8 => (ConcatenationKind::Udh8, low.into()),
            LongMessages::Udh16 => (ConcatenationKind::Udh16, reference),
            LongMessages::Sar => (ConcatenationKind::Sar, reference),
            LongMessages::Payload => return None,
        };
        Some(Concatenation { kind, reference, total, part })
    }

    /// Octets of text in each part of a message that is not text; none if there would be too many parts.
    pub(super) fn octets_a_part(&self, length: usize) -> Option<usize> {
        let room = |concatenation| {
            let elements = self.elements.saturating_add(concatenation);
            Alphabet::Other(Charset::Latin1).room(self.octets, elements)
        };
        if length <= room(0) {
            return Some(room(0));
        }
        let room = match self.method {
            LongMessages::Payload => return (length <= MAX_PAYLOAD).then_some(MAX_PAYLOAD),
            LongMessages::Udh8 => room(CONCATENATION_8),
            LongMessages::Udh16 | LongMessages::Sar => room(CONCATENATION_16),
        };
        (length.div_ceil(room.max(1)) <= self.max_parts).then_some(room)
    }
}

/// Fills one part after another.
struct Cutter<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    used: usize,
    parts: Vec<&'a str>,
}

impl<'a> Cutter<'a> {
    /// Adds what must not be cut: `length` octets of text at `offset`, of a width of `width`.
    fn add(&mut self, offset: usize, length: usize, width: usize, room: usize) -> Option<()> {
        let used = self.used.checked_add(width)?;
        if used > room && offset > self.start {
            self.parts.push(self.text.get(self.start..offset)?);
            (self.start, self.used) = (offset, width);
        } else {
            self.used = used;
        }
        self.end = offset.checked_add(length)?;
        Some(())
    }

    fn finish(mut self) -> Option<Vec<&'a str>> {
        self.parts.push(self.text.get(self.start..self.end)?);
        Some(self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::*;

    fn cut(method: LongMessages) -> Cut {
        Cut { method, octets: 140, elements: 0, max_parts: 255, graphemes: false }
    }

    fn lengths(cut: Cut, alphabet: Alphabet, text: &str) -> Vec<usize> {
        let parts = cut.parts(alphabet, text).unwrap();
        assert_eq!(parts.concat(), text);
        parts.iter().map(|part| part.chars().count()).collect()
    }

    const GSM: Alphabet = Alphabet::Gsm7(Gsm7::DEFAULT);
    const UCS2: Alphabet = Alphabet::Other(Charset::Ucs2);
    const LATIN1: Alphabet = Alphabet::Other(Charset::Latin1);

    #[test]
    fn sizes_of_parts() {
        use LongMessages::{Payload, Sar, Udh8, Udh16};
        for (alphabet, character, single, eight, sixteen) in
            [(GSM, "a", 160, 153, 152), (UCS2, "\u{416}", 70, 67, 66), (LATIN1, "\u{fe}", 140, 134, 133)]
        {
            for (method, part) in [(Udh8, eight), (Udh16, sixteen), (Sar, sixteen)] {
                assert_eq!(lengths(cut(method), alphabet, &character.repeat(single)), [single]);
                let rest = single + 1 - part;
                assert_eq!(lengths(cut(method), alphabet, &character.repeat(single + 1)), [part, rest]);
                let parts = lengths(cut(method), alphabet, &character.repeat(part * 255));
                assert_eq!(parts, vec![part; 255]);
                assert_eq!(cut(method).parts(alphabet, &character.repeat(part * 255 + 1)), None);
            }
            assert_eq!(lengths(cut(Payload), alphabet, &character.repeat(single + 1)), [single + 1]);
        }
        assert_eq!(cut(Payload).parts(LATIN1, &"a".repeat(65_536)), None);
    }

    #[test]
    fn tables_are_counted_in_the_header() {
        let text = "a".repeat(300);
        let one = Alphabet::Gsm7(Gsm7 { single: Some(Language::Turkish), locking: None });
        let both = Alphabet::Gsm7(Gsm7 { single: Some(Language::Turkish), locking: Some(Language::Turkish) });
        for (method, alphabet, parts) in [
            (LongMessages::Udh8, one, [149, 149, 2].as_slice()),
            (LongMessages::Udh8, both, &[146, 146, 8]),
            (LongMessages::Udh16, one, &[148, 148, 4]),
            (LongMessages::Udh16, both, &[145, 145, 10]),
        ] {
            assert_eq!(lengths(cut(method), alphabet, &text), parts);
        }
        assert_eq!(lengths(cut(LongMessages::Udh8), one, &"a".repeat(155)), [155]);
        assert_eq!(lengths(cut(LongMessages::Udh8), one, &"a".repeat(156)), [149, 7]);
        assert_eq!(lengths(cut(LongMessages::Udh8), both, &"a".repeat(153)), [146, 7]);
    }

    #[test]
    fn pairs_are_never_cut() {
        let text = format!("{}\u{20ac}{}", "a".repeat(152), "b".repeat(20));
        assert_eq!(lengths(cut(LongMessages::Udh8), GSM, &text), [152, 21]);
        let text = format!("{}\u{1f600}{}", "\u{416}".repeat(66), "\u{416}".repeat(9));
        assert_eq!(lengths(cut(LongMessages::Udh8), UCS2, &text), [66, 10]);
    }

    #[test]
    fn clusters_are_cut_only_if_no_part_holds_them() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        let text = format!("{}{family}{}", "\u{416}".repeat(64), "\u{416}".repeat(9));
        let whole = Cut { graphemes: true, ..cut(LongMessages::Udh8) };
        assert_eq!(lengths(whole, UCS2, &text), [64, 14]);
        assert_eq!(lengths(cut(LongMessages::Udh8), UCS2, &text), [66, 12]);
        let accents = format!("e{}", "\u{301}".repeat(100));
        assert_eq!(lengths(whole, UCS2, &accents), [67, 34]);
    }
}
