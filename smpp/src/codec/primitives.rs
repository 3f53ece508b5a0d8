//! The only place that touches octets: a body is taken apart here, and put together.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

use super::{DecodeError, DecodeProblem, Field, Leniencies, Leniency, Limits, Wire};
use crate::types::{COctetString, CommandId, EsmClass, MAX_OVER_LONG};

/// Octets of a header.
pub(crate) const HEADER: usize = 16;
const NUL: u8 = 0;

/// A body that is being read. A failed read takes nothing, so the reader then stands where the field begins.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    body: &'a Bytes,
    rest: &'a [u8],
    command_id: CommandId,
    limits: &'a Limits,
    used: Leniencies,
    receipt: bool,
    error: Option<DecodeError>,
}

/// Where a reader stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    rest: &'a [u8],
    used: Leniencies,
}

/// What is wrong with a field, and with which part of it if it has parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) part: u8,
    pub(crate) problem: DecodeProblem,
}

impl From<DecodeProblem> for Fault {
    fn from(problem: DecodeProblem) -> Self {
        Self { part: 0, problem }
    }
}

impl Fault {
    /// The same in a part of a field.
    pub(crate) fn in_part(self, part: u8) -> Self {
        Self { part, ..self }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(command_id: CommandId, body: &'a Bytes, limits: &'a Limits) -> Self {
        Self { body, rest: body, command_id, limits, used: Leniencies::NONE, receipt: false, error: None }
    }

    pub(crate) fn command_id(&self) -> CommandId {
        self.command_id
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    pub(crate) fn is_response(&self) -> bool {
        self.command_id.is_response()
    }

    /// Whether this is a delivery receipt or an intermediate notification.
    pub(crate) fn is_receipt(&self) -> bool {
        self.receipt
    }

    /// Notes what the message says that it is.
    pub(crate) fn note(&mut self, esm_class: EsmClass) {
        let may_be = matches!(self.command_id, CommandId::DELIVER_SM | CommandId::DATA_SM);
        self.receipt = may_be && esm_class.is_receipt();
    }

    /// Leniencies used up to now.
    pub(crate) fn used(&self) -> Leniencies {
        self.used
    }

    /// Forgives, or not.
    #[cold]
    pub(crate) fn forgive(&mut self, leniency: Leniency, problem: DecodeProblem) -> Result<(), Fault> {
        match self.limits.forgiven().contains(leniency) {
            true => {
                self.used.insert(leniency);
                Ok(())
            }
            false => Err(problem.into()),
        }
    }

    /// The next field of a body. None if it is bad; the error is kept aside, where it is in the way of no good body.
    #[inline(always)]
    pub(crate) fn field<W: Wire, F: Field>(&mut self, name: &'static str, field: &mut F) -> Option<()> {
        match field.read(self) {
            Ok(()) => Some(()),
            Err(fault) => {
                self.refuse(self.error(Some(W::NAME), Some(F::part(name, fault.part)), fault.problem));
                None
            }
        }
    }

    /// Says why a body is refused.
    #[cold]
    pub(crate) fn refuse(&mut self, error: DecodeError) {
        self.error = Some(error);
    }

    /// Why the body is refused.
    pub(crate) fn take_error(&mut self) -> DecodeError {
        let error = self.error.take();
        error.unwrap_or_else(|| self.error(self.command_id.name(), None, DecodeProblem::Cut))
    }

    /// Where the reader stands, and what it has forgiven.
    #[inline(always)]
    pub(crate) fn mark(&self) -> Mark<'a> {
        Mark { rest: self.rest, used: self.used }
    }

    /// Goes back to a mark.
    pub(crate) fn reset(&mut self, mark: Mark<'a>) {
        self.rest = mark.rest;
        self.used = mark.used;
    }

    /// An error at the place where the reader stands.
    #[cold]
    pub(crate) fn error(
        &self,
        message: Option<&'static str>,
        field: Option<&'static str>,
        problem: DecodeProblem,
    ) -> DecodeError {
        let offset = HEADER.saturating_add(self.body.len().saturating_sub(self.rest.len()));
        DecodeError { message, field, offset, problem }
    }

    /// Number of octets that are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Takes all that is left, as a slice of the body.
    #[inline(always)]
    pub(crate) fn take_remainder(&mut self) -> Bytes {
        let left = std::mem::take(&mut self.rest);
        self.shared(left)
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.parse(be_u8)
    }

    /// The next octet, which is not taken.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Result<u8, Fault> {
        self.rest.first().copied().ok_or(DecodeProblem::Cut.into())
    }

    /// An octet of which some values are reserved.
    #[inline(always)]
    pub(crate) fn u8_known(&mut self, leniency: Leniency, known: impl FnOnce(u8) -> bool) -> Result<u8, Fault> {
        let before = self.rest;
        let value = self.u8()?;
        if !known(value) {
            let outcome = self.forgive(leniency, DecodeProblem::Reserved(value));
            if outcome.is_err() {
                self.rest = before;
            }
            outcome?;
        }
        Ok(value)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.parse(be_u32)
    }

    /// So many octets; see [`shared`](Self::shared).
    #[inline(always)]
    pub(crate) fn octets(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        self.parse(take(count))
    }

    /// What `f` reads, as octets. On an error nothing is taken.
    #[inline(always)]
    pub(crate) fn recognize(&mut self, f: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<&'a [u8], Fault> {
        let start = self.rest;
        f(self)?;
        let length = start.len().saturating_sub(self.rest.len());
        Ok(start.get(..length).unwrap_or_default())
    }

    /// Tag and value of the next TLV.
    #[inline]
    pub(crate) fn tlv(&mut self) -> Result<RawTlv<'a>, DecodeProblem> {
        let (rest, (tag, value)) = tlv(self.rest)?;
        self.rest = rest;
        Ok((tag, value))
    }

    /// Takes a NUL, if that is what comes next.
    #[inline(always)]
    pub(crate) fn skip_nul(&mut self) -> bool {
        let [NUL, rest @ ..] = self.rest else { return false };
        self.rest = rest;
        true
    }

    /// A string and its NUL. Most are empty, which shows on the first octet; the rest are looked for in a window of
    /// `N` octets, which is then copied whole to where the string stands.
    #[inline(always)]
    pub(crate) fn c_octet_string<const N: usize>(&mut self, string: &mut COctetString<N>) -> Result<(), Fault> {
        if self.skip_nul() {
            return Ok(());
        }
        if let Some((window, _)) = self.rest.split_first_chunk::<N>()
            && let Some(length) = find_nul(window)
            && let Ok(octet) = u8::try_from(length)
            && let Some((text, [NUL, rest @ ..])) = self.rest.split_at_checked(length)
        {
            // What stands behind the text is looked at first, because the window has a fixed size.
            if window.iter().fold(0, |all, octet| all | octet) >= 0x80 {
                self.check_ascii(text)?;
            }
            self.rest = rest;
            string.set_window(window, octet);
            return Ok(());
        }
        if self.rest.len() < N {
            return self.last_c_octet_string(string);
        }
        *string = self.odd_c_octet_string(COctetString::<N>::MAX_LENGTH)?;
        Ok(())
    }

    /// A string in a body that ends before the longest would.
    fn last_c_octet_string<const N: usize>(&mut self, string: &mut COctetString<N>) -> Result<(), Fault> {
        if let Some(length) = memchr(NUL, self.rest)
            && let Some((text, [NUL, rest @ ..])) = self.rest.split_at_checked(length)
        {
            if !text.is_ascii() {
                self.check_ascii(text)?;
            }
            self.rest = rest;
            string.set_valid(text);
            return Ok(());
        }
        *string = self.odd_c_octet_string(COctetString::<N>::MAX_LENGTH)?;
        Ok(())
    }

    /// As [`c_octet_string`](Self::c_octet_string) where a longer string may be within the limits all the same.
    pub(crate) fn c_octet_string_up_to<const N: usize>(&mut self, max: usize) -> Result<COctetString<N>, Fault> {
        self.odd_c_octet_string(max.max(COctetString::<N>::MAX_LENGTH))
    }

    /// A string near the end of the body, or one that is too long.
    #[inline(never)]
    fn odd_c_octet_string<const N: usize>(&mut self, max: usize) -> Result<COctetString<N>, Fault> {
        let forgiving = self.limits.forgiven().contains(Leniency::OverLongString);
        let bound = if forgiving { MAX_OVER_LONG } else { max };
        let window = self.rest.get(..=bound).unwrap_or(self.rest);
        match memchr(NUL, window) {
            Some(length) => {
                if length > max {
                    self.forgive(Leniency::OverLongString, DecodeProblem::TooLong { max })?;
                }
                self.check_ascii(window.get(..length).unwrap_or_default())?;
                let text = self.parse(take(length))?;
                self.u8()?;
                Ok(COctetString::from_valid(text))
            }
            None if window.len() > bound => Err(DecodeProblem::TooLong { max: bound }.into()),
            None if self.rest.is_empty() => Err(DecodeProblem::Cut.into()),
            None => Err(DecodeProblem::Unterminated.into()),
        }
    }

    #[cold]
    fn check_ascii(&mut self, text: &[u8]) -> Result<(), Fault> {
        match text.is_ascii() {
            true => Ok(()),
            false => self.forgive(Leniency::NotAscii, DecodeProblem::NotAscii),
        }
    }

    #[inline(always)]
    fn parse<T>(&mut self, mut parser: impl Parser<&'a [u8], Output = T, Error = ()>) -> Result<T, Fault> {
        match parser.parse(self.rest) {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(_) => Err(DecodeProblem::Cut.into()),
        }
    }

    /// Octets of the body as a slice that shares them.
    #[inline(always)]
    pub(crate) fn shared(&self, octets: &'a [u8]) -> Bytes {
        if octets.is_empty() { Bytes::new() } else { self.body.slice_ref(octets) }
    }
}

/// Where the first NUL stands in a window, eight octets at a time. For the 6 to 65 octets of a string this is done
/// before a search of any length has found its way.
#[inline(always)]
fn find_nul<const N: usize>(window: &[u8; N]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (eights, rest) = window.as_chunks::<8>();
    let mut before = 0usize;
    for eight in eights {
        let octets = u64::from_le_bytes(*eight);
        // The lowest bit that is set belongs to the first NUL; those above it may be set by the borrow.
        let nuls = octets.wrapping_sub(LOW) & !octets & HIGH;
        if nuls != 0 {
            return usize::try_from(nuls.trailing_zeros() / 8).ok().map(|at| before.saturating_add(at));
        }
        before = before.saturating_add(8);
    }
    rest.iter().position(|&octet| octet == NUL).map(|at| before.saturating_add(at))
}

/// Tag and value of a TLV.
type RawTlv<'a> = (u16, &'a [u8]);

/// The first TLV of a list: what follows it, its tag, its value.
#[inline]
pub(crate) fn tlv(octets: &[u8]) -> Result<(&[u8], RawTlv<'_>), DecodeProblem> {
    let header: IResult<&[u8], (u16, u16), ()> = (be_u16, be_u16).parse(octets);
    let Ok((behind, (tag, length))) = header else {
        return Err(DecodeProblem::TlvHeaderCut { left: octets.len() });
    };
    let length = usize::from(length);
    match behind.split_at_checked(length) {
        Some((value, rest)) => Ok((rest, (tag, value))),
        None => Err(DecodeProblem::TlvCut { tag, length, left: behind.len() }),
    }
}

/// Appends a TLV; its value has at most 65,535 octets.
pub(crate) fn put_tlv(dst: &mut BytesMut, tag: u16, value: &[u8]) {
    dst.put_u16(tag);
    dst.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    dst.put_slice(value);
}

/// Appends a string and its NUL.
#[inline]
pub(crate) fn put_c_octet_string<const N: usize>(dst: &mut BytesMut, text: &COctetString<N>) {
    if !text.is_empty() {
        dst.put_slice(text.as_slice());
    }
    dst.put_u8(NUL);
}

/// A header's four numbers, as they stand on the wire.
#[inline]
pub(crate) fn put_header(dst: &mut BytesMut, numbers: [u32; 4]) {
    dst.put_slice(numbers.map(u32::to_be_bytes).as_flattened());
}

/// A header's four numbers, if 16 octets are there, and what stands behind them.
#[inline]
pub(crate) fn header(octets: &[u8]) -> Option<[u32; 4]> {
    let (header, _) = octets.split_first_chunk::<HEADER>()?;
    let (numbers, _) = header.as_chunks::<4>();
    let numbers = <[[u8; 4]; 4]>::try_from(numbers).ok()?;
    Some(numbers.map(u32::from_be_bytes))
}

/// command_length, as soon as its four octets are there.
#[inline]
pub(crate) fn command_length(octets: &[u8]) -> Option<u32> {
    octets.first_chunk().copied().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_nul_of_a_window() {
        for at in 0..21 {
            // Ones and high bits around it, which a sloppy search takes for NULs.
            for filler in [0x01, 0x80, 0x81, 0xff] {
                let mut window = [filler; 21];
                assert_eq!(find_nul(&window), None);
                window[at] = 0;
                window[20] = 0;
                assert_eq!(find_nul(&window), Some(at), "{filler:#x}");
            }
        }
    }
}
