//! Optional parameters: a list of tag, length and value behind the mandatory fields.
//!
//! A list stays as it is on the wire: order, duplicates, and tags that nobody knows. It is checked once, when it is
//! decoded, and read by type where a type is wanted.

mod registry;
mod tag;
mod value;

use std::fmt;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::codec::{
    DecodeProblem, Fault, Field, FieldValue, Leniency, Reader, Room, SliceCutter, Slices, put_tlv, tlv,
};
use crate::types::{CommandId, Octets};

pub use self::registry::{TagRegistry, TlvDisplay};
pub use self::tag::{Tag, TlvKind};
pub use self::value::*;

/// The TLVs of a PDU, in wire form and order.
///
/// ```
/// use smpp::tlv::{Tag, Tlvs, UserMessageReference};
/// use smpp::types::MessageState;
///
/// let mut tlvs = Tlvs::new();
/// tlvs.push(&MessageState::DELIVERED);
/// tlvs.push(&UserMessageReference(7));
/// tlvs.push_raw(Tag(0x1403), b"65501")?;
/// assert_eq!(tlvs.get::<MessageState>(), Some(MessageState::DELIVERED));
/// assert_eq!(tlvs.get_raw(Tag(0x1403)), Some(&b"65501"[..]));
/// assert_eq!(tlvs.iter().count(), 3);
/// # Ok::<(), smpp::tlv::TlvTooLong>(())
/// ```
///
/// A received list is a slice of the read buffer: [`detach`](Self::detach) one that is kept for long.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Tlvs(Octets);

/// One TLV of a list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tlv<'a> {
    /// Its tag.
    pub tag: Tag,
    /// Its value, exactly as long as it says.
    pub value: &'a [u8],
}

/// A value of more than 65,535 octets.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{length} octets; a TLV has at most 65535")]
pub struct TlvTooLong {
    /// Its octets.
    pub length: usize,
}

impl Tlvs {
    /// An empty list.
    pub const fn new() -> Self {
        Self(Octets::EMPTY)
    }

    /// Appends a value with the tag of its type.
    pub fn push<T: TlvValue>(&mut self, value: &T) {
        value.encode(|octets| self.append(T::TAG, octets));
    }

    /// The list with one value more: for literals of PDUs.
    #[must_use]
    pub fn with<T: TlvValue>(mut self, value: &T) -> Self {
        self.push(value);
        self
    }

    /// Appends octets with any tag, unchecked but for their number.
    ///
    /// # Errors
    ///
    /// More than 65,535 octets.
    pub fn push_raw(&mut self, tag: Tag, value: &[u8]) -> Result<(), TlvTooLong> {
        match u16::try_from(value.len()) {
            Ok(_) => {
                self.append(tag, value);
                Ok(())
            }
            Err(_) => Err(TlvTooLong { length: value.len() }),
        }
    }

    /// The first value of this type; none if there is none, or if the octets are not of the type.
    pub fn get<T: TlvValue>(&self) -> Option<T> {
        T::decode(self.as_bytes().slice_ref(self.get_raw(T::TAG)?))
    }

    /// All values of this type in order, without those whose octets are not of the type.
    pub fn get_all<T: TlvValue>(&self) -> impl Iterator<Item = T> {
        let of_type = self.iter().filter(|tlv| tlv.tag == T::TAG);
        of_type.filter_map(|tlv| T::decode(self.as_bytes().slice_ref(tlv.value)))
    }

    /// The octets of the first TLV with this tag.
    pub fn get_raw(&self, tag: Tag) -> Option<&[u8]> {
        self.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }

    /// Takes out all TLVs with this tag; says how many there were.
    pub fn remove(&mut self, tag: Tag) -> usize {
        let mut kept = BytesMut::with_capacity(self.0.len());
        let mut removed = 0usize;
        for tlv in self.iter() {
            match tlv.tag == tag {
                true => removed = removed.saturating_add(1),
                false => put_tlv(&mut kept, tlv.tag.0, tlv.value),
            }
        }
        self.0 = kept.freeze().into();
        removed
    }

    /// The TLVs in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(&self.0)
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole list as it stands on the wire.
    pub fn as_bytes(&self) -> &Bytes {
        self.0.as_bytes()
    }

    /// A copy that does not keep the read buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(self.0.detach())
    }

    fn append(&mut self, tag: Tag, value: &[u8]) {
        let mut octets = BytesMut::from(Bytes::from(std::mem::take(&mut self.0)));
        put_tlv(&mut octets, tag.0, value);
        self.0 = octets.freeze().into();
    }
}

/// Iterator over the TLVs of a list.
#[derive(Clone, Debug)]
pub struct Iter<'a>(&'a [u8]);

impl<'a> Iterator for Iter<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (rest, (tag, value)) = tlv(self.0).ok()?;
        self.0 = rest;
        Some(Tlv { tag: Tag(tag), value })
    }
}

impl<'a> IntoIterator for &'a Tlvs {
    type IntoIter = Iter<'a>;
    type Item = Tlv<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Tlvs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|tlv| (tlv.tag, tlv.value.escape_ascii().to_string()))).finish()
    }
}

impl Field for Tlvs {
    const EMPTY: Self = Self::new();

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, slices: &mut Slices) -> Result<(), Fault> {
        if reader.left() > 0 {
            slices.tlvs = reader.recognize(check)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn with_slice(self, cutter: &mut SliceCutter<'_, '_>) -> Self {
        Self(cutter.cut(cutter.slices.tlvs))
    }

    #[inline(always)]
    fn length(&self) -> usize {
        0
    }

    #[inline(always)]
    fn write(&self, _: &mut Room<'_>) {}

    #[inline(always)]
    fn behind(&self) -> &[u8] {
        &self.0
    }

    fn show<'a>(&'a self, _: &'static str, _: &mut Vec<FieldValue<'a>>) {}
}

/// Walks over all TLVs that are left, each within its own length; stops before a broken tail that is forgiven.
fn check(reader: &mut Reader<'_>) -> Result<(), Fault> {
    let max = reader.limits().max_tlvs();
    let mut count = 0usize;
    while reader.left() > 0 {
        let before = reader.mark();
        let outcome = match count {
            _ if count == max => Err(DecodeProblem::TooManyTlvs { max }),
            _ => reader.tlv(),
        };
        match outcome {
            Ok((tag, value)) => {
                if let Err(fault) = check_one(reader, Tag(tag), value) {
                    reader.reset(before);
                    return Err(fault);
                }
            }
            Err(problem) => return forgive_tail(reader, problem),
        }
        count = count.saturating_add(1);
    }
    Ok(())
}

fn check_one(reader: &mut Reader<'_>, tag: Tag, value: &[u8]) -> Result<(), Fault> {
    let Some(rule) = tag.rule() else { return Ok(()) };
    if !rule.lengths.contains(&value.len()) || (tag == Tag::MS_VALIDITY && matches!(value.len(), 2 | 3)) {
        let problem = DecodeProblem::TlvLength { tag: tag.0, length: value.len() };
        let leniency = match tag {
            _ if reader.is_response() => Leniency::TlvLengthInResponse,
            // Without its session a dialogue cannot go on.
            Tag::ITS_SESSION_INFO | Tag::USSD_SERVICE_OP => return Err(problem.into()),
            Tag::RECEIPTED_MESSAGE_ID if value.is_empty() => Leniency::EmptyReceiptedMessageId,
            _ => Leniency::TlvLengthInRequest,
        };
        reader.forgive(leniency, problem)?;
    } else if rule.kind == TlvKind::Text && value.iter().position(|&octet| octet == 0) != value.len().checked_sub(1) {
        reader.forgive(Leniency::TlvText, DecodeProblem::TlvText { tag: tag.0 })?;
    }
    if !rule.belongs_to(reader.command_id()) {
        reader.forgive(Leniency::UnexpectedTlv, DecodeProblem::TlvNotAllowed { tag: tag.0 })?;
    }
    Ok(())
}

/// A tail that is no list of TLVs: forgiven behind a header, in responses and in receipts.
fn forgive_tail(reader: &mut Reader<'_>, problem: DecodeProblem) -> Result<(), Fault> {
    match reader.command_id() {
        id if is_header_only(id) => {
            let count = reader.left();
            reader.forgive(Leniency::ExtraOctets, DecodeProblem::ExtraOctets { count })
        }
        id if id.is_response() => reader.forgive(Leniency::BrokenResponseTail, problem),
        _ if reader.is_receipt() => reader.forgive(Leniency::BrokenReceiptTail, problem),
        _ => Err(problem.into()),
    }
}

const fn is_header_only(command_id: CommandId) -> bool {
    matches!(
        command_id,
        CommandId::UNBIND
            | CommandId::UNBIND_RESP
            | CommandId::ENQUIRE_LINK
            | CommandId::ENQUIRE_LINK_RESP
            | CommandId::GENERIC_NACK
            | CommandId::CANCEL_SM_RESP
            | CommandId::REPLACE_SM_RESP
            | CommandId::CANCEL_BROADCAST_SM_RESP
    )
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Tlvs {
    /// Known tags get one of their lengths: the list is one that a strict decoder takes, but for where a TLV belongs.
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut tlvs = Self::new();
        for _ in 0..u.int_in_range(0..=4)? {
            let tag = match u.arbitrary()? {
                true => *u.choose(Tag::ALL)?,
                false => u.arbitrary()?,
            };
            let (min, max) = (*tag.lengths().start(), (*tag.lengths().end()).min(40).max(*tag.lengths().start()));
            let length = u.int_in_range(min..=max)?;
            let mut value = u.bytes(length.min(u.len()))?.to_vec();
            value.resize(length, 1);
            if tag.kind() == TlvKind::Text {
                value.iter_mut().for_each(|octet| *octet = (*octet).max(1));
                value.pop();
                value.push(0);
            }
            if tag == Tag::MS_VALIDITY {
                value.resize(1, 0);
            }
            tlvs.append(tag, &value);
        }
        Ok(tlvs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{MessageState, NetworkErrorCode};

    #[test]
    fn order_and_duplicates_are_kept() {
        let mut tlvs = Tlvs::new().with(&MessageState::DELIVERED);
        tlvs.push_raw(Tag::MESSAGE_STATE, &[9]).unwrap();
        tlvs.push_raw(Tag(0x3fff), b"").unwrap();
        assert_eq!(tlvs.as_bytes(), &b"\x04\x27\x00\x01\x02\x04\x27\x00\x01\x09\x3f\xff\x00\x00"[..]);
        assert_eq!(tlvs.get::<MessageState>(), Some(MessageState::DELIVERED));
        assert_eq!(tlvs.get_all::<MessageState>().collect::<Vec<_>>(), [MessageState(2), MessageState(9)]);
        assert_eq!(tlvs.get_raw(Tag(0x3fff)), Some(&b""[..]));
        assert_eq!(tlvs.remove(Tag::MESSAGE_STATE), 2);
        assert_eq!(tlvs.iter().map(|tlv| tlv.tag).collect::<Vec<_>>(), [Tag(0x3fff)]);
    }

    #[test]
    fn octets_of_another_size_have_no_typed_value() {
        let mut tlvs = Tlvs::new();
        tlvs.push_raw(Tag::NETWORK_ERROR_CODE, b"\x03\x00\x01\x02").unwrap();
        assert_eq!(tlvs.get::<NetworkErrorCode>(), None);
        assert_eq!(tlvs.get_raw(Tag::NETWORK_ERROR_CODE).map(<[u8]>::len), Some(4));
        assert_eq!(tlvs.push_raw(Tag(1), &vec![0; 65_536]), Err(TlvTooLong { length: 65_536 }));
    }
}
