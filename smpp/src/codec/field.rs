//! How each type of field is read, written and shown.

use super::incoming::{SliceCutter, Slices};
use super::primitives::{Fault, Reader};
use super::{DecodeProblem, Leniency, Room};
use crate::types::*;

/// A field of a body, or several that are one value: an address is three on the wire, a message two.
pub(crate) trait Field: Sized {
    /// As `Default`.
    const EMPTY: Self;

    /// Reads it into an empty value, where that stands; a slice of the PDU is only noted. The fault of a field with parts
    /// says which part.
    fn read(&mut self, reader: &mut Reader<'_>, slices: &mut Slices) -> Result<(), Fault>;

    /// Reads a value of its own.
    fn parse(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut field = Self::EMPTY;
        field.read(reader, &mut Slices::default())?;
        Ok(field)
    }

    /// The same with the slice that was noted for it, if it is one.
    #[inline(always)]
    fn with_slice(self, _: &mut SliceCutter<'_, '_>) -> Self {
        self
    }

    /// Octets on the wire, but for what stands behind the fields.
    fn length(&self) -> usize;

    /// Writes exactly [`length`](Self::length) octets.
    fn write(&self, room: &mut Room<'_>);

    /// Octets that stand behind all other fields, as they are: a message's text, which is the last mandatory field, and
    /// TLVs.
    #[inline(always)]
    fn behind(&self) -> &[u8] {
        &[]
    }

    /// Appends name and value of each part.
    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>);

    /// The specification's name of a part of the field `name`.
    fn part(name: &'static str, _part: u8) -> &'static str {
        name
    }
}

/// A field by its name in the specification, for people and logs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValue<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Value<'a>,
    /// What the value means, in short; empty if it says all itself.
    pub meaning: String,
}

/// The value of a field as it stands on the wire.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// One octet.
    U8(u8),
    /// Four octets.
    U32(u32),
    /// A string; its NUL is not shown.
    Text(&'a [u8]),
    /// A string that must not be shown.
    Secret(&'a [u8]),
    /// Octets of a length given elsewhere.
    Octets(&'a [u8]),
    /// Entries with fields of their own.
    List(Vec<Vec<FieldValue<'a>>>),
}

impl Value<'_> {
    /// Octets on the wire, a string's NUL included.
    pub fn length(&self) -> usize {
        match self {
            Self::U8(_) => 1,
            Self::U32(_) => 4,
            Self::Text(text) | Self::Secret(text) => text.len().saturating_add(1),
            Self::Octets(octets) => octets.len(),
            Self::List(entries) => entries.iter().flatten().map(|field| field.value.length()).sum(),
        }
    }
}

impl<'a> FieldValue<'a> {
    pub(crate) fn new(name: &'static str, value: Value<'a>) -> Self {
        Self { name, value, meaning: String::new() }
    }
}

impl<const N: usize> Field for COctetString<N> {
    const EMPTY: Self = Self::EMPTY;

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        reader.c_octet_string(self)
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.len().saturating_add(1)
    }

    #[inline(always)]
    fn write(&self, room: &mut Room<'_>) {
        room.c_octet_string(self);
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        shown.push(FieldValue::new(name, Value::Text(self.as_slice())));
    }
}

impl Field for Password {
    const EMPTY: Self = Self::EMPTY;

    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        *self = reader.c_octet_string_up_to(reader.limits().max_password())?.into();
        Ok(())
    }

    fn length(&self) -> usize {
        self.expose().length()
    }

    fn write(&self, room: &mut Room<'_>) {
        self.expose().write(room);
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        shown.push(FieldValue::new(name, Value::Secret(self.expose().as_slice())));
    }
}

impl Field for SmppTime {
    const EMPTY: Self = Self::UNSET;

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        if !reader.skip_nul() {
            *self = parse_time(reader)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.as_octets().length()
    }

    #[inline(always)]
    fn write(&self, room: &mut Room<'_>) {
        self.as_octets().write(room);
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        self.as_octets().show(name, shown);
    }
}

/// A time that is set.
fn parse_time(reader: &mut Reader<'_>) -> Result<SmppTime, Fault> {
    let before = reader.mark();
    let time = SmppTime::from_peer(COctetString::parse(reader)?);
    // A message centre's local time of 12 digits is a form that 3.4 has for final_date.
    let local = reader.is_response() && time.as_octets().len() == 12;
    let rule = if local { time.value().map(drop) } else { time.validate() };
    if let Err(problem) = rule
        && let Err(fault) = reader.forgive(Leniency::OddTime, problem.into())
    {
        reader.reset(before);
        return Err(fault);
    }
    Ok(time)
}

impl<const N: usize> Field for Address<N> {
    const EMPTY: Self = Self { ton: Ton(0), npi: Npi(0), addr: COctetString::EMPTY };

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        let ton = reader.u8_known(Leniency::ReservedTonNpi, |ton| Ton(ton).meaning().is_some())?;
        let npi = reader.u8_known(Leniency::ReservedTonNpi, |npi| Npi(npi).meaning().is_some());
        let npi = npi.map_err(|fault| fault.in_part(1))?;
        (self.ton, self.npi) = (Ton(ton), Npi(npi));
        reader.c_octet_string(&mut self.addr).map_err(|fault| fault.in_part(2))
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.addr.length().saturating_add(2)
    }

    #[inline(always)]
    fn write(&self, room: &mut Room<'_>) {
        room.array([self.ton.0, self.npi.0]);
        self.addr.write(room);
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        let [ton, npi, addr] = address_parts(name);
        self.ton.show(ton, shown);
        self.npi.show(npi, shown);
        self.addr.show(addr, shown);
    }

    fn part(name: &'static str, part: u8) -> &'static str {
        address_parts(name).get(usize::from(part)).copied().unwrap_or(name)
    }
}

/// The specification's names of an address's fields: type of number, numbering plan, address.
pub(crate) fn address_parts(name: &'static str) -> [&'static str; 3] {
    match name {
        "source" => ["source_addr_ton", "source_addr_npi", "source_addr"],
        "destination" => ["dest_addr_ton", "dest_addr_npi", "destination_addr"],
        "esme" => ["esme_addr_ton", "esme_addr_npi", "esme_addr"],
        "address_range" => ["addr_ton", "addr_npi", "address_range"],
        _ => [name; 3],
    }
}

impl Field for ShortMessage {
    const EMPTY: Self = Self::EMPTY;

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, slices: &mut Slices) -> Result<(), Fault> {
        let length = usize::from(reader.peek()?);
        let left = reader.left().saturating_sub(1);
        let max = reader.limits().max_short_message();
        match length {
            _ if length > left => Err(DecodeProblem::MessageCut { length, left }.into()),
            _ if length > max => Err(DecodeProblem::MessageTooLong { length, max }.into()),
            _ => {
                reader.u8()?;
                slices.text = reader.recognize(|reader| reader.octets(length).map(drop))?;
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn with_slice(self, cutter: &mut SliceCutter<'_, '_>) -> Self {
        Self::from_valid(cutter.cut(cutter.slices.text))
    }

    #[inline(always)]
    fn length(&self) -> usize {
        1
    }

    #[inline(always)]
    fn write(&self, room: &mut Room<'_>) {
        room.octet(self.length_octet());
    }

    #[inline(always)]
    fn behind(&self) -> &[u8] {
        self.as_ref()
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        shown.push(FieldValue::new("sm_length", Value::U8(self.length_octet())));
        shown.push(FieldValue::new(name, Value::Octets(self.as_bytes())));
    }

    fn part(_: &'static str, _: u8) -> &'static str {
        "sm_length"
    }
}

impl Field for u8 {
    const EMPTY: Self = 0;

    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        *self = reader.u8()?;
        Ok(())
    }

    #[inline(always)]
    fn length(&self) -> usize {
        1
    }

    #[inline(always)]
    fn write(&self, room: &mut Room<'_>) {
        room.octet(*self);
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        shown.push(FieldValue::new(name, Value::U8(*self)));
    }
}

impl Field for CommandStatus {
    const EMPTY: Self = Self(0);

    fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
        self.0 = reader.u32()?;
        Ok(())
    }

    fn length(&self) -> usize {
        4
    }

    fn write(&self, room: &mut Room<'_>) {
        room.array(self.0.to_be_bytes());
    }

    fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        shown.push(FieldValue { name, value: Value::U32(self.0), meaning: self.to_string() });
    }
}

/// Fields of one octet with meanings.
macro_rules! octet_fields {
    ($($octet:ty $(, $note:ident)?;)*) => {
        $(impl Field for $octet {
            const EMPTY: Self = Self(0);

            #[inline(always)]
            fn read(&mut self, reader: &mut Reader<'_>, _: &mut Slices) -> Result<(), Fault> {
                self.0 = reader.u8()?;
                $(reader.$note(*self);)?
                Ok(())
            }

            #[inline(always)]
            fn length(&self) -> usize {
                1
            }

            #[inline(always)]
            fn write(&self, room: &mut Room<'_>) {
                room.octet(self.0);
            }

            fn show<'a>(&'a self, name: &'static str, shown: &mut Vec<FieldValue<'a>>) {
                shown.push(FieldValue { name, value: Value::U8(self.0), meaning: self.to_string() });
            }
        })*
    };
}

octet_fields! {
    DataCoding;
    EsmClass, note;
    InterfaceVersion;
    MessageState;
    Npi;
    PriorityFlag;
    ProtocolId;
    RegisteredDelivery;
    ReplaceIfPresent;
    Ton;
}
