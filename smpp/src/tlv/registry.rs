use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::{Tag, Tlv, TlvKind};
use crate::types::text;

/// Names and kinds of tags for display: the specification's, and those of vendors that were added.
///
/// The same vendor tag means different things at different message centres, so there are no vendor tags in it at
/// first.
///
/// ```
/// use smpp::tlv::{Tag, TagRegistry, Tlv, TlvKind};
///
/// let mut registry = TagRegistry::default();
/// registry.insert(Tag(0x1403), "mcc_mnc", TlvKind::Text);
/// let tlv = Tlv { tag: Tag(0x1403), value: b"65501" };
/// assert_eq!(registry.name(tlv.tag), Some("mcc_mnc"));
/// assert_eq!(registry.value(tlv).to_string(), "65501");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
pub struct TagRegistry {
    /// By tag; a name here goes before the specification's.
    tags: BTreeMap<Tag, Entry>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
struct Entry {
    name: String,
    kind: TlvKind,
}

/// The value of a TLV for people.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlvDisplay<'a> {
    /// A number.
    Integer(u64),
    /// Text, up to the first NUL.
    Text(Cow<'a, str>),
    /// Octets, shown as hexadecimal digits.
    Octets(&'a [u8]),
}

impl TagRegistry {
    /// Adds a tag, or gives one another name.
    pub fn insert(&mut self, tag: Tag, name: impl Into<String>, kind: TlvKind) {
        self.tags.insert(tag, Entry { name: name.into(), kind });
    }

    /// The name of a tag.
    pub fn name(&self, tag: Tag) -> Option<&str> {
        self.tags.get(&tag).map(|entry| entry.name.as_str()).or_else(|| tag.name())
    }

    /// The kind of a tag; octets if it is not known.
    pub fn kind(&self, tag: Tag) -> TlvKind {
        self.tags.get(&tag).map_or_else(|| tag.kind(), |entry| entry.kind)
    }

    /// A value for people. What is not of its tag's kind or length is shown as octets.
    pub fn value<'a>(&self, tlv: Tlv<'a>) -> TlvDisplay<'a> {
        let fits = self.tags.contains_key(&tlv.tag) || tlv.tag.lengths().contains(&tlv.value.len());
        match self.kind(tlv.tag) {
            TlvKind::Integer if fits && matches!(tlv.value.len(), 1..=8) => {
                TlvDisplay::Integer(tlv.value.iter().fold(0, |number, &octet| number << 8 | u64::from(octet)))
            }
            TlvKind::Text => TlvDisplay::Text(text(tlv.value.split(|&octet| octet == 0).next().unwrap_or_default())),
            _ => TlvDisplay::Octets(tlv.value),
        }
    }
}

impl fmt::Display for TlvDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Octets(octets) => octets.iter().try_for_each(|octet| write!(f, "{octet:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_kind() {
        let registry = TagRegistry::default();
        let show = |tag, value| registry.value(Tlv { tag, value }).to_string();
        assert_eq!(show(Tag::QOS_TIME_TO_LIVE, &[0, 1, 0x51, 0x80]), "86400");
        assert_eq!(show(Tag::RECEIPTED_MESSAGE_ID, b"abc\0z"), "abc");
        assert_eq!(show(Tag::MESSAGE_STATE, &[0, 2]), "0002");
        assert_eq!(show(Tag(0x1403), b"65501"), "3635353031");
    }
}
