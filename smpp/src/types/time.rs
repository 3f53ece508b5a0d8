use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::COctetString;

/// A time on the wire: schedule_delivery_time, validity_period, final_date.
///
/// It is empty (not set) or has 16 characters, `YYMMDDhhmmsstnnp`: absolute with an offset from UTC in quarter hours
/// (`p` is `+` or `-`), or relative (`p` is `R`). Values that are built are of this form; what a peer sent in another
/// form is kept if the decoder was told to ([`OddTime`](crate::codec::Leniency::OddTime)).
///
/// ```
/// use smpp::types::{SmppTime, TimeValue};
/// use std::time::Duration;
///
/// let validity = SmppTime::relative(Duration::from_secs(3 * 86_400))?;
/// assert_eq!(validity.as_octets(), "000003000000000R");
/// let schedule: SmppTime = "260112133559008+".parse()?;
/// let Some(TimeValue::Absolute(at)) = schedule.value()? else { panic!() };
/// assert_eq!(at.unix_timestamp(), 1_768_217_759);
/// # Ok::<(), smpp::types::InvalidTime>(())
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct SmppTime(COctetString<17>);

/// What a time says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TimeValue {
    /// A point in time.
    Absolute(OffsetDateTime),
    /// A time span from now.
    Relative(RelativeTime),
    /// A point in the message centre's local time, whose offset it does not say: 10 or 12 digits, as some write in
    /// final_date.
    Local(PrimitiveDateTime),
}

/// A time span in calendar units. Years and months have no fixed length.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct RelativeTime {
    /// Years, 0 to 99.
    pub years: u8,
    /// Months, 0 to 99.
    pub months: u8,
    /// Days, 0 to 99.
    pub days: u8,
    /// Hours, 0 to 99.
    pub hours: u8,
    /// Minutes, 0 to 99.
    pub minutes: u8,
    /// Seconds, 0 to 99.
    pub seconds: u8,
}

/// Why a time cannot be read, or not be written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidTime {
    /// Neither empty nor 16 characters.
    #[error("{length} characters; a time has 16, or none")]
    Length {
        /// Number of characters.
        length: usize,
    },
    /// Not digits, or not `+`, `-` or `R` at the end.
    #[error("not of the form YYMMDDhhmmsstnnp")]
    Form,
    /// No such month, day, hour, minute, second or offset.
    #[error("no such date or time of day")]
    Calendar,
    /// A year outside 2000 to 2099, or a span of 100 days or more.
    #[error("beyond what the form can say")]
    Range,
}

impl SmppTime {
    /// Not set.
    pub const UNSET: Self = Self(COctetString::EMPTY);

    /// A point in time, to the tenth of a second. An offset that is not a whole quarter of an hour, or beyond 12 hours,
    /// is turned into UTC.
    ///
    /// # Errors
    ///
    /// A year outside 2000 to 2099: the form has two digits for it, which are taken for 20xx.
    pub fn absolute(at: OffsetDateTime) -> Result<Self, InvalidTime> {
        let seconds = at.offset().whole_seconds();
        let at = match seconds % QUARTER == 0 && seconds.abs() <= MAX_QUARTERS * QUARTER {
            true => at,
            false => at.to_offset(UtcOffset::UTC),
        };
        let year = at.year().checked_sub(CENTURY).filter(|year| (0..=99).contains(year)).ok_or(InvalidTime::Range)?;
        let seconds = at.offset().whole_seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        format!(
            "{year:02}{:02}{:02}{:02}{:02}{:02}{}{:02}{sign}",
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond() / 100,
            seconds.abs() / QUARTER,
        )
        .parse()
    }

    /// A time span from now in days, hours, minutes and seconds; fractions of a second are dropped.
    ///
    /// # Errors
    ///
    /// 100 days or more.
    pub fn relative(span: Duration) -> Result<Self, InvalidTime> {
        let seconds = span.as_secs();
        let [days, hours, minutes] = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60];
        match days {
            0..=99 => format!("0000{days:02}{hours:02}{minutes:02}{:02}000R", seconds % 60).parse(),
            _ => Err(InvalidTime::Range),
        }
    }

    /// What it says; none if it is not set, which a span of zero is taken for. A leap second is read as second 59.
    ///
    /// # Errors
    ///
    /// A peer sent something else.
    pub fn value(&self) -> Result<Option<TimeValue>, InvalidTime> {
        let octets = self.0.as_slice();
        match *octets {
            [] => Ok(None),
            [ref date @ .., _, _, _, b'R'] if date.len() == 12 => {
                check_digits(octets)?;
                let [years, months, days, hours, minutes, seconds] = pairs(date)?;
                let span = RelativeTime { years, months, days, hours, minutes, seconds };
                Ok((span != RelativeTime::default()).then_some(TimeValue::Relative(span)))
            }
            [ref date @ .., tenths, tens, units, sign @ (b'+' | b'-')] if date.len() == 12 => {
                check_digits(octets)?;
                let [tenths, quarters] = pairs(&[b'0', tenths, tens, units])?;
                let seconds = match i32::from(quarters) {
                    quarters if quarters > MAX_QUARTERS => return Err(InvalidTime::Calendar),
                    quarters if sign == b'-' => -quarters * QUARTER,
                    quarters => quarters * QUARTER,
                };
                let offset = UtcOffset::from_whole_seconds(seconds).map_err(|_| InvalidTime::Calendar)?;
                let at = calendar(pairs(date)?)?.replace_millisecond(u16::from(tenths) * 100);
                let at = at.map_err(|_| InvalidTime::Calendar)?.assume_offset(offset);
                Ok(Some(TimeValue::Absolute(at)))
            }
            _ if octets.len() == 16 => Err(InvalidTime::Form),
            _ if octets.len() == 12 => Ok(Some(TimeValue::Local(calendar(pairs(octets)?)?))),
            _ if octets.len() == 10 => {
                let [year, month, day, hour, minute] = pairs(octets)?;
                Ok(Some(TimeValue::Local(calendar([year, month, day, hour, minute, 0])?)))
            }
            _ => Err(InvalidTime::Length { length: octets.len() }),
        }
    }

    /// Whether it is not set: empty on the wire.
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    /// The characters as they stand on the wire.
    pub fn as_octets(&self) -> &COctetString<17> {
        &self.0
    }

    /// Keeps what a peer sent, whatever its form.
    pub(crate) fn from_peer(octets: COctetString<17>) -> Self {
        Self(octets)
    }

    /// The one rule for times that are built, and for requests that a message centre takes.
    pub(crate) fn validate(&self) -> Result<(), InvalidTime> {
        match self.value()? {
            Some(TimeValue::Local(_)) => Err(InvalidTime::Length { length: self.0.len() }),
            _ => Ok(()),
        }
    }
}

/// Seconds in a quarter of an hour.
const QUARTER: i32 = 900;
const MAX_QUARTERS: i32 = 48;
/// What two digits of a year are added to.
const CENTURY: i32 = 2000;

impl RelativeTime {
    /// The point in time that lies this far behind `from`: years and months by the calendar (from 31 January one month
    /// on is the last of February), then the rest. None if it is beyond the calendar.
    pub fn after(&self, from: OffsetDateTime) -> Option<OffsetDateTime> {
        let months = i32::from(self.years) * 12 + i32::from(self.months) + i32::from(u8::from(from.month())) - 1;
        let year = from.year().checked_add(months.div_euclid(12))?;
        let month = Month::try_from(u8::try_from(months.rem_euclid(12)).ok()?.checked_add(1)?).ok()?;
        let date = Date::from_calendar_date(year, month, from.day().min(month.length(year))).ok()?;
        let [days, hours, minutes] = [self.days, self.hours, self.minutes].map(i64::from);
        let span = time::Duration::days(days) + time::Duration::hours(hours) + time::Duration::minutes(minutes);
        from.replace_date(date).checked_add(span + time::Duration::seconds(self.seconds.into()))
    }
}

impl FromStr for SmppTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets = COctetString::new(text.as_bytes()).map_err(|_| InvalidTime::Length { length: text.len() })?;
        let time = Self(octets);
        time.validate()?;
        Ok(time)
    }
}

impl TryFrom<OffsetDateTime> for SmppTime {
    type Error = InvalidTime;

    fn try_from(at: OffsetDateTime) -> Result<Self, Self::Error> {
        Self::absolute(at)
    }
}

impl fmt::Debug for SmppTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for SmppTime {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let time = match u.int_in_range(0..=2)? {
            0 => Ok(Self::UNSET),
            1 => Self::relative(Duration::from_secs(u.int_in_range(0..=100 * 86_400 - 1)?)),
            _ => OffsetDateTime::from_unix_timestamp(u.int_in_range(946_684_800..=4_102_444_799)?)
                .map_err(|_| InvalidTime::Range)
                .and_then(Self::absolute),
        };
        time.map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

/// All but the last character are digits.
fn check_digits(octets: &[u8]) -> Result<(), InvalidTime> {
    let digits = octets.iter().rev().skip(1).all(u8::is_ascii_digit);
    if digits { Ok(()) } else { Err(InvalidTime::Form) }
}

/// Two digits each, as numbers.
fn pairs<const N: usize>(octets: &[u8]) -> Result<[u8; N], InvalidTime> {
    let mut numbers = [0; N];
    let (pairs, _) = octets.as_chunks::<2>();
    for (number, [tens, units]) in numbers.iter_mut().zip(pairs) {
        if !(tens.is_ascii_digit() && units.is_ascii_digit()) {
            return Err(InvalidTime::Form);
        }
        *number = (tens - b'0') * 10 + (units - b'0');
    }
    Ok(numbers)
}

fn calendar([year, month, day, hour, minute, second]: [u8; 6]) -> Result<PrimitiveDateTime, InvalidTime> {
    let month = Month::try_from(month).map_err(|_| InvalidTime::Calendar)?;
    let second = if second == 60 { 59 } else { second };
    let date = Date::from_calendar_date(CENTURY + i32::from(year), month, day).map_err(|_| InvalidTime::Calendar)?;
    date.with_hms(hour, minute, second).map_err(|_| InvalidTime::Calendar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Option<TimeValue>, InvalidTime> {
        SmppTime::from_peer(COctetString::over_long(text.as_bytes()).unwrap()).value()
    }

    #[test]
    fn absolute_times_both_ways() {
        for text in ["260112133559008+", "260112133559920-", "991231235959048+", "240229000000000+"] {
            let Ok(Some(TimeValue::Absolute(at))) = value(text) else { panic!("{text}") };
            assert_eq!(SmppTime::absolute(at).unwrap().as_octets(), &text, "{at}");
        }
        let Ok(Some(TimeValue::Absolute(at))) = value("260112133559008+") else { panic!() };
        assert_eq!(at.to_offset(UtcOffset::UTC).hour(), 11);
        let odd = at.to_offset(UtcOffset::from_whole_seconds(60).unwrap());
        assert_eq!(SmppTime::absolute(odd).unwrap().as_octets(), &"260112113559000+");
        assert_eq!(SmppTime::absolute(at.replace_year(1999).unwrap()), Err(InvalidTime::Range));
    }

    #[test]
    fn relative_times_both_ways() {
        let span = RelativeTime { years: 2, months: 6, days: 10, hours: 23, minutes: 34, seconds: 29 };
        assert_eq!(value("020610233429000R"), Ok(Some(TimeValue::Relative(span))));
        assert_eq!(value("000000000000000R"), Ok(None));
        let day = SmppTime::relative(Duration::from_secs(86_400 + 3_600 + 61)).unwrap();
        assert_eq!(day.as_octets(), &"000001010101000R");
        assert_eq!(SmppTime::relative(Duration::from_secs(8_640_000)), Err(InvalidTime::Range));
    }

    #[test]
    fn months_are_added_by_the_calendar() {
        let Ok(Some(TimeValue::Absolute(from))) = value("240131120000000+") else { panic!() };
        let after = |months, days| RelativeTime { months, days, ..Default::default() }.after(from).unwrap().date();
        assert_eq!(after(1, 0), Date::from_calendar_date(2024, Month::February, 29).unwrap());
        assert_eq!(after(13, 1), Date::from_calendar_date(2025, Month::March, 1).unwrap());
        assert_eq!(after(0, 99).to_string(), "2024-05-09");
    }

    #[test]
    fn odd_forms() {
        for (text, problem) in [
            ("261301000000000+", InvalidTime::Calendar),
            ("260230000000000+", InvalidTime::Calendar),
            ("260112133559049+", InvalidTime::Calendar),
            ("260112133559008Z", InvalidTime::Form),
            ("YYMMDDhhmmss000R", InvalidTime::Form),
            ("2601", InvalidTime::Length { length: 4 }),
            ("260112133559008++", InvalidTime::Length { length: 17 }),
        ] {
            assert_eq!(value(text), Err(problem), "{text}");
        }
        assert!(matches!(value("260131120100"), Ok(Some(TimeValue::Local(_)))));
        assert!(matches!(value("2601311201"), Ok(Some(TimeValue::Local(_)))));
        assert_eq!("2601311201".parse::<SmppTime>(), Err(InvalidTime::Length { length: 10 }));
        assert_eq!(value("260630235960000+"), value("260630235959000+"));
    }
}
