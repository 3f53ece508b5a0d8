use std::fmt;
use std::marker::PhantomData;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::codec::{
    DecodeProblem, Fault, Field, FieldValue, Leniencies, Limits, Reader, Room, SliceCutter, Slices, Value,
    address_parts, append,
};
use crate::types::{Address, COctetString, CommandId, CommandStatus, Octets};

/// A list of submit_multi or of its response: a count in one octet, then the entries. At most 255.
///
/// It stays as it is on the wire: nothing is reserved by the count, which is checked against the octets that are
/// there. A received list is a slice of the read buffer.
///
/// ```
/// use smpp::pdu::{Destination, Destinations};
///
/// let mut destinations = Destinations::default();
/// destinations.push(&Destination::Sme("27831234567".parse()?))?;
/// destinations.push(&Destination::DistributionList("friends".parse()?))?;
/// assert_eq!(destinations.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Entries<T> {
    count: u8,
    octets: Octets,
    entries: PhantomData<fn() -> T>,
}

/// The recipients of a submit_multi.
pub type Destinations = Entries<Destination>;
/// The recipients that a message could not be submitted for.
pub type UnsuccessSmes = Entries<UnsuccessSme>;

/// One recipient of a submit_multi (dest_address).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Destination {
    /// An address (dest_flag 1).
    Sme(Address<21>),
    /// The name of a distribution list that the message centre holds (dest_flag 2).
    DistributionList(COctetString<21>),
}

/// A recipient that a message could not be submitted for. Those of a distribution list are not named.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct UnsuccessSme {
    /// The recipient.
    pub destination: Address<21>,
    /// Why.
    pub error_status_code: CommandStatus,
}

/// One entry more than a count of one octet can say.
#[derive(Clone, Copy, Debug, Default, Eq, Error, PartialEq)]
#[error("a list has at most 255 entries")]
pub struct TooManyEntries;

/// What stands in a list. Implemented here for both kinds.
#[expect(private_bounds, reason = "how an entry is read and written is no part of the interface")]
pub trait Entry: Layout {}

impl Entry for Destination {}
impl Entry for UnsuccessSme {}

impl<T: Entry> Entries<T> {
    /// Appends an entry.
    ///
    /// # Errors
    ///
    /// There are 255 already.
    pub fn push(&mut self, entry: &T) -> Result<(), TooManyEntries> {
        let count = self.count.checked_add(1).ok_or(TooManyEntries)?;
        let mut octets = BytesMut::from(Bytes::from(std::mem::take(&mut self.octets)));
        append(&mut octets, entry.length(), |room| entry.put(room));
        self.octets = octets.freeze().into();
        self.count = count;
        Ok(())
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        let mut reader = Reader::new(CommandId::SUBMIT_MULTI, &self.octets, &ANY, Leniencies::NONE);
        std::iter::from_fn(move || match reader.left() {
            0 => None,
            _ => T::take(&mut reader).ok(),
        })
    }

    /// Their number.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Octets that were taken once are read again by rules at least as lenient.
static ANY: Limits = Limits::esme();

/// How an entry stands on the wire.
trait Layout: Sized {
    /// The specification's name of the count.
    const COUNT: &'static str;
    /// The specification's name of the list.
    const LIST: &'static str;

    fn take(reader: &mut Reader<'_>) -> Result<Self, Fault>;
    fn length(&self) -> usize;
    fn put(&self, room: &mut Room<'_>);
    /// Whether the version allows a list of this length.
    fn check_count(count: u8, limits: &Limits) -> Result<(), DecodeProblem>;
    fn part(part: u8) -> &'static str;
    /// Name and value of each field.
    fn show(&self) -> Vec<(&'static str, Shown)>;
}

/// The value of an entry's field, of its own: the list holds octets and no entries.
enum Shown {
    U8(u8),
    U32(u32),
    Text(usize),
}

impl Layout for Destination {
    const COUNT: &'static str = "number_of_dests";
    const LIST: &'static str = "dest_address";

    fn take(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let flag = reader.peek().map_err(|fault| fault.in_part(1))?;
        match flag {
            SME => {
                reader.u8()?;
                let sme = Field::parse(reader).map_err(|fault: Fault| fault.in_part(fault.part.saturating_add(2)))?;
                Ok(Self::Sme(sme))
            }
            DISTRIBUTION_LIST => {
                reader.u8()?;
                Ok(Self::DistributionList(Field::parse(reader).map_err(|fault: Fault| fault.in_part(5))?))
            }
            flag => Err(Fault::from(DecodeProblem::DestFlag(flag)).in_part(1)),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Sme(address) => address.length().saturating_add(1),
            Self::DistributionList(name) => name.length().saturating_add(1),
        }
    }

    fn put(&self, room: &mut Room<'_>) {
        match self {
            Self::Sme(address) => {
                room.octet(SME);
                address.write(room);
            }
            Self::DistributionList(name) => {
                room.octet(DISTRIBUTION_LIST);
                name.write(room);
            }
        }
    }

    fn check_count(count: u8, limits: &Limits) -> Result<(), DecodeProblem> {
        match limits.max_destinations() {
            max if count == 0 || count > max => Err(DecodeProblem::DestinationCount { count, max }),
            _ => Ok(()),
        }
    }

    fn part(part: u8) -> &'static str {
        match part {
            0 => Self::COUNT,
            1 => "dest_flag",
            5 => "dl_name",
            _ => address_parts("destination").get(usize::from(part.saturating_sub(2))).copied().unwrap_or(Self::LIST),
        }
    }

    fn show(&self) -> Vec<(&'static str, Shown)> {
        match self {
            Self::Sme(address) => [("dest_flag", Shown::U8(SME))].into_iter().chain(show_address(address)).collect(),
            Self::DistributionList(name) => {
                vec![("dest_flag", Shown::U8(DISTRIBUTION_LIST)), ("dl_name", Shown::Text(name.len()))]
            }
        }
    }
}

/// dest_flag of an address.
const SME: u8 = 1;
/// dest_flag of a distribution list.
const DISTRIBUTION_LIST: u8 = 2;

impl Layout for UnsuccessSme {
    const COUNT: &'static str = "no_unsuccess";
    const LIST: &'static str = "unsuccess_sme";

    fn take(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let destination = Field::parse(reader).map_err(|fault: Fault| fault.in_part(fault.part.saturating_add(1)))?;
        let error_status_code = Field::parse(reader).map_err(|fault: Fault| fault.in_part(4))?;
        Ok(Self { destination, error_status_code })
    }

    fn length(&self) -> usize {
        self.destination.length().saturating_add(self.error_status_code.length())
    }

    fn put(&self, room: &mut Room<'_>) {
        self.destination.write(room);
        self.error_status_code.write(room);
    }

    fn check_count(_: u8, _: &Limits) -> Result<(), DecodeProblem> {
        Ok(())
    }

    fn part(part: u8) -> &'static str {
        match part {
            0 => Self::COUNT,
            4 => "error_status_code",
            _ => address_parts("destination").get(usize::from(part.saturating_sub(1))).copied().unwrap_or(Self::LIST),
        }
    }

    fn show(&self) -> Vec<(&'static str, Shown)> {
        let status = ("error_status_code", Shown::U32(self.error_status_code.0));
        show_address(&self.destination).into_iter().chain([status]).collect()
    }
}

fn show_address(address: &Address<21>) -> [(&'static str, Shown); 3] {
    let [ton, npi, addr] = address_parts("destination");
    [(ton, Shown::U8(address.ton.0)), (npi, Shown::U8(address.npi.0)), (addr, Shown::Text(address.addr.len()))]
}

impl<T: Entry> Field for Entries<T> {
    const EMPTY: Self = Self { count: 0, octets: Octets::EMPTY, entries: PhantomData };

    fn read(&mut self, reader: &mut Reader<'_>, slices: &mut Slices) -> Result<(), Fault> {
        let before = reader.mark();
        let count = reader.u8()?;
        // A count is believed as far as there are octets for it; only then is it held against the version.
        slices.list = reader.recognize(|reader| (0..count).try_for_each(|_| T::take(reader).map(drop)))?;
        if let Err(problem) = T::check_count(count, reader.limits()) {
            reader.reset(before);
            return Err(problem.into());
        }
        self.count = count;
        Ok(())
    }

    fn with_slice(self, cutter: &mut SliceCutter<'_, '_>) -> Self {
        Self { octets: cutter.cut(cutter.slices.list), ..self }
    }

    fn length(&self) -> usize {
        self.octets.len().saturating_add(1)
    }

    fn write(&self, room: &mut Room<'_>) {
        room.octet(self.count);
        room.octets(&self.octets);
    }

    fn show<'a>(&'a self, _: &'static str, shown: &mut Vec<FieldValue<'a>>) {
        let mut rest: &[u8] = &self.octets;
        let mut take = |length: usize, nul: usize| {
            let (value, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = behind.get(nul..).unwrap_or_default();
            value
        };
        let entries = self.iter().map(|entry| {
            let fields = entry.show().into_iter().map(|(name, value)| {
                let value = match value {
                    Shown::U8(value) => {
                        take(1, 0);
                        Value::U8(value)
                    }
                    Shown::U32(value) => {
                        take(4, 0);
                        Value::U32(value)
                    }
                    Shown::Text(length) => Value::Text(take(length, 1)),
                };
                FieldValue::new(name, value)
            });
            fields.collect()
        });
        let entries = Value::List(entries.collect());
        shown.push(FieldValue::new(T::COUNT, Value::U8(self.count)));
        shown.push(FieldValue::new(T::LIST, entries));
    }

    fn part(_: &'static str, part: u8) -> &'static str {
        T::part(part)
    }
}

impl<T: Entry> Default for Entries<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T: Entry + fmt::Debug> fmt::Debug for Entries<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(feature = "arbitrary")]
impl<'a, T: Entry + arbitrary::Arbitrary<'a>> arbitrary::Arbitrary<'a> for Entries<T> {
    /// One to four entries: a submit_multi without recipients is refused.
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut entries = Self::default();
        for _ in 0..u.int_in_range(1..=4)? {
            entries.push(&u.arbitrary()?).map_err(|_| arbitrary::Error::IncorrectFormat)?;
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_255() {
        let mut destinations = Destinations::default();
        let list = Destination::DistributionList("a".parse().unwrap());
        for _ in 0..255 {
            destinations.push(&list).unwrap();
        }
        assert_eq!(destinations.push(&list), Err(TooManyEntries));
        assert_eq!((destinations.len(), destinations.iter().count()), (255, 255));
    }
}
