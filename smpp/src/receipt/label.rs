/// A field of a receipt's text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Label {
    Id,
    Sub,
    Dlvrd,
    SubmitDate,
    DoneDate,
    Stat,
    Err,
    Text,
}

/// The spellings of the labels, in lower case.
const SPELLINGS: [(&[u8], Label); 13] = [
    (b"id", Label::Id),
    (b"sub", Label::Sub),
    (b"dlvrd", Label::Dlvrd),
    (b"submit date", Label::SubmitDate),
    (b"submit_date", Label::SubmitDate),
    (b"submitdate", Label::SubmitDate),
    (b"done date", Label::DoneDate),
    (b"done_date", Label::DoneDate),
    (b"donedate", Label::DoneDate),
    (b"stat", Label::Stat),
    (b"err", Label::Err),
    (b"text", Label::Text),
    (b"txt", Label::Text),
];

const COUNT: usize = 8;

/// The fields of a receipt's text, found in one pass.
///
/// A label stands at the start or behind white space, in either case, with a colon or an equals sign behind it. Its
/// field goes up to the next label; that of the text up to the end. Of two fields with one label the first counts.
#[derive(Debug, Default)]
pub(super) struct Labels<'a>([Option<&'a [u8]>; COUNT]);

impl<'a> Labels<'a> {
    pub(super) fn find(octets: &'a [u8]) -> Self {
        let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last.saturating_add(1));
        let octets = octets.get(..end).unwrap_or_default();
        let mut labels = Self::default();
        // The label whose field is being looked for, and where the field begins.
        let mut open: Option<(Label, usize)> = None;
        let mut at = 0usize;
        let mut boundary = true;
        while let Some((octet, rest)) = octets.get(at..).and_then(<[u8]>::split_first) {
            if boundary && let Some((label, length)) = label(*octet, rest) {
                if let Some((previous, start)) = open {
                    labels.set(previous, octets.get(start..at));
                }
                at = at.saturating_add(length);
                open = Some((label, at));
                if label == Label::Text {
                    break;
                }
                boundary = true;
                continue;
            }
            boundary = octet.is_ascii_whitespace();
            at = at.saturating_add(1);
        }
        if let Some((label, start)) = open {
            labels.set(label, octets.get(start..));
        }
        labels
    }

    /// Whether there is no label.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The first word of a field.
    pub(super) fn word(&self, label: Label) -> Option<&'a [u8]> {
        let field = self.field(label)?.trim_ascii_start();
        field.split(u8::is_ascii_whitespace).next().filter(|word| !word.is_empty())
    }

    /// The identifier: a word, or the whole field if that is octets and no text.
    pub(super) fn id(&self) -> Option<&'a [u8]> {
        let field = self.field(Label::Id)?;
        let is_text = |octet: &u8| !octet.is_ascii_control() || octet.is_ascii_whitespace();
        if field.iter().all(is_text) && field.is_ascii() {
            return self.word(Label::Id);
        }
        // One space parts it from the next label.
        let octets = field.strip_suffix(b" ").unwrap_or(field);
        (!octets.is_empty()).then_some(octets)
    }

    /// The text, with its spaces.
    pub(super) fn text(&self) -> Option<&'a [u8]> {
        self.field(Label::Text)
    }

    fn field(&self, label: Label) -> Option<&'a [u8]> {
        self.0.get(label as usize).copied().flatten()
    }

    fn set(&mut self, label: Label, field: Option<&'a [u8]>) {
        if let Some(slot) = self.0.get_mut(label as usize).filter(|slot| slot.is_none()) {
            *slot = field;
        }
    }
}

/// The label that octets begin with, and its length with its separator.
fn label(first: u8, rest: &[u8]) -> Option<(Label, usize)> {
    SPELLINGS.iter().find_map(|(spelling, label)| {
        let (initial, others) = spelling.split_first()?;
        let (name, behind) = rest.split_at_checked(others.len())?;
        let matches = first.eq_ignore_ascii_case(initial)
            && name.eq_ignore_ascii_case(others)
            && matches!(behind.first(), Some(b':' | b'='));
        matches.then_some((*label, spelling.len().saturating_add(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_at_a_boundary() {
        let labels = Labels::find(b"grid:7 ID:8 xstat:A\tStat=B\r\nerr: 5  sub: dlvrd:001");
        assert_eq!(labels.word(Label::Id), Some(&b"8"[..]));
        assert_eq!(labels.word(Label::Stat), Some(&b"B"[..]));
        assert_eq!(labels.word(Label::Err), Some(&b"5"[..]));
        assert_eq!(labels.word(Label::Sub), None);
        assert_eq!(labels.word(Label::Dlvrd), Some(&b"001"[..]));
    }

    #[test]
    fn nothing_counts_behind_the_text() {
        let labels = Labels::find(b"id:1 text: id:2 stat:DELIVRD ");
        assert_eq!(labels.word(Label::Id), Some(&b"1"[..]));
        assert_eq!((labels.word(Label::Stat), labels.text()), (None, Some(&b" id:2 stat:DELIVRD "[..])));
        assert_eq!(Labels::find(b"id:1 id:2").word(Label::Id), Some(&b"1"[..]));
        assert_eq!(Labels::find(b"id:1 text:").text(), Some(&b""[..]));
    }

    #[test]
    fn many_boundaries_take_no_longer_than_their_octets() {
        let hostile = b"id ".repeat(100_000);
        assert!(Labels::find(&hostile).is_empty());
        let hostile = b"submit date:".repeat(50_000);
        assert!(Labels::find(&hostile).word(Label::SubmitDate).is_none());
    }
}
