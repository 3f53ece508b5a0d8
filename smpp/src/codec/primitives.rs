//! The only place that touches octets on their way in: a body is taken apart here.

use memchr::memchr;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

use super::incoming::{Refused, Slices, Span};
use super::{DecodeError, DecodeProblem, Field, Leniencies, Leniency, Limits, Wire};
use crate::types::{COctetString, CommandId, EsmClass, MAX_OVER_LONG};

/// Octets of a header.
pub(crate) const HEADER: usize = 16;
const NUL: u8 = 0;

/// A body that is being read. A failed read takes nothing, so the reader then stands where the field begins.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Octets of the whole body.
    length: usize,
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
    #[inline(always)]
    pub(crate) fn new(command_id: CommandId, body: &'a [u8], limits: &'a Limits, used: Leniencies) -> Self {
        Self { rest: body, length: body.len(), command_id, limits, used, receipt: false, error: None }
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
    pub(crate) fn field<W: Wire, F: Field>(
        &mut self,
        name: &'static str,
        field: &mut F,
        slices: &mut Slices,
    ) -> Option<()> {
        match field.read(self, slices) {
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
    #[cold]
    pub(crate) fn refused(&self) -> Refused {
        let error = self.error.unwrap_or_else(|| self.error(self.command_id.name(), None, DecodeProblem::Cut));
        Refused { error, used: self.used }
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
        DecodeError { message, field, offset: HEADER.saturating_add(self.at()), problem }
    }

    /// Octets of the body that were read.
    #[inline(always)]
    fn at(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// Number of octets that are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// What is left.
    #[inline(always)]
    pub(crate) fn rest(&self) -> Span {
        Span { start: self.at(), end: self.length }
    }

    /// What was forgiven.
    #[inline(always)]
    pub(crate) fn used(&self) -> Leniencies {
        self.used
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

    /// So many octets.
    #[inline(always)]
    pub(crate) fn octets(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        self.parse(take(count))
    }

    /// Where the octets stand that `f` reads. On an error nothing is taken.
    #[inline(always)]
    pub(crate) fn recognize(&mut self, f: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<Span, Fault> {
        let start = self.at();
        f(self)?;
        Ok(Span { start, end: self.at() })
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

    /// A string and its NUL. Most are empty, which shows on the first octet; the rest are looked through and copied to
    /// where the string stands, eight octets at a time.
    #[inline(always)]
    pub(crate) fn c_octet_string<const N: usize>(&mut self, string: &mut COctetString<N>) -> Result<(), Fault> {
        if self.skip_nul() {
            return Ok(());
        }
        if let Some((length, ascii)) = string.set_up_to_nul(self.rest)
            && let Some((text, [NUL, rest @ ..])) = self.rest.split_at_checked(length)
        {
            if !ascii {
                self.check_ascii(text)?;
            }
            self.rest = rest;
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
