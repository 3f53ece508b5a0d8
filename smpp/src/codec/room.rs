//! A PDU on its way out.

use std::mem;

use bytes::{BufMut, BytesMut};

use super::HEADER;
use crate::types::COctetString;

/// Room for the fields of a PDU, whose lengths were added up before; there may be more. What does not fit is not written.
pub(crate) struct Room<'a>(&'a mut [u8]);

impl Room<'_> {
    #[inline(always)]
    pub(crate) fn octet(&mut self, octet: u8) {
        self.array([octet]);
    }

    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self, octets: [u8; N]) {
        if let Some((room, rest)) = mem::take(&mut self.0).split_first_chunk_mut::<N>() {
            *room = octets;
            self.0 = rest;
        }
    }

    #[inline(always)]
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        if let Some((room, rest)) = mem::take(&mut self.0).split_at_mut_checked(octets.len()) {
            room.copy_from_slice(octets);
            self.0 = rest;
        }
    }

    /// A string and its NUL. Most are empty; the rest are copied as the whole block that they stand in, if there is room
    /// for it: what follows the NUL is overwritten by the next fields.
    #[inline(always)]
    pub(crate) fn c_octet_string<const N: usize>(&mut self, string: &COctetString<N>) {
        if string.is_empty() {
            return self.octet(0);
        }
        if let Some(block) = string.block()
            && let Some(room) = self.0.first_chunk_mut::<N>()
        {
            *room = *block;
            self.0 = mem::take(&mut self.0).get_mut(string.len().saturating_add(1)..).unwrap_or_default();
            return;
        }
        self.octets(string.as_slice());
        self.octet(0);
    }
}

/// Octets that are made at once, which takes fewer steps than a number of them that varies. Most PDUs have no more than
/// the first, few have more than the second, text and TLVs not counted.
const BLOCK: usize = 64;
const LARGE_BLOCK: usize = 128;

/// Appends so many octets, which `fill` writes.
#[inline(always)]
pub(crate) fn append(dst: &mut BytesMut, length: usize, fill: impl FnOnce(&mut Room<'_>)) {
    let before = dst.len();
    if length <= BLOCK {
        dst.put_slice(&[0; BLOCK]);
    } else if length <= LARGE_BLOCK {
        dst.put_slice(&[0; LARGE_BLOCK]);
    } else {
        dst.put_bytes(0, length);
    }
    fill(&mut Room(dst.get_mut(before..).unwrap_or_default()));
    dst.truncate(before.saturating_add(length));
}

/// The numbers of a header as they stand on the wire.
#[inline(always)]
pub(crate) fn header_octets(numbers: [u32; 4]) -> [u8; HEADER] {
    let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = numbers.map(u32::to_be_bytes);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Appends octets, if there are any.
#[inline(always)]
pub(crate) fn put_octets(dst: &mut BytesMut, octets: &[u8]) {
    if !octets.is_empty() {
        dst.put_slice(octets);
    }
}

/// Appends a TLV; its value has at most 65,535 octets.
pub(crate) fn put_tlv(dst: &mut BytesMut, tag: u16, value: &[u8]) {
    dst.put_u16(tag);
    dst.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    dst.put_slice(value);
}
