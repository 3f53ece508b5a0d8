//! The wire's date and time: `YYYY-MM-DD HH:MM:SS.ffffff`, meaning UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use time::{Date, Month, OffsetDateTime};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// The Julian day of 1 January 1970.
const UNIX_EPOCH_JULIAN_DAY: i64 = 2_440_588;

/// A moment in UTC, to the microsecond, from year 1 to year 9999: what the wire's `timestamp` can say.
///
/// `Display` and serde write the canonical form with six fraction digits. [`FromStr`] and serde read that form with no
/// fraction or one of 1 to 6 digits, and with an optional `Z` at the end; nothing else.
///
/// ```
/// # use vumi_message::Timestamp;
/// let at: Timestamp = "2015-01-02 23:14:11.456".parse()?;
/// assert_eq!(at.to_string(), "2015-01-02 23:14:11.456000");
/// assert!("2015-01-02T23:14:11".parse::<Timestamp>().is_err());
/// # Ok::<(), vumi_message::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1 January 1970, 00:00:00: the default.
    pub const UNIX_EPOCH: Self = Self(0);
    /// 1 January of the year 1, 00:00:00.
    pub const MIN: Self = Self(-62_135_596_800 * MICROS_PER_SECOND);
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_800 * MICROS_PER_SECOND - 1);

    /// The moment `micros` microseconds after 1970 (before, if negative), held within [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX).
    pub fn from_unix_micros(micros: i64) -> Self {
        Self(micros).clamp(Self::MIN, Self::MAX)
    }

    /// The moment `millis` milliseconds after 1970 (before, if negative), held within [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX).
    pub fn from_unix_millis(millis: i64) -> Self {
        Self::from_unix_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since 1970, negative before.
    pub fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970, negative before; the rest is cut off towards the past.
    pub fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This moment `seconds` later, held at [`MAX`](Self::MAX).
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self::from_unix_micros(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// The moment as the `time` crate has it, in UTC.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// From the calendar's parts, if there is such a day and such a time. A leap second is none.
    pub(crate) fn from_parts(date: [u16; 3], clock: [u8; 3], micros: u32) -> Option<Self> {
        let [year, month, day] = date;
        let [hour, minute, second] = clock.map(i64::from);
        if year == 0 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
        let days = i64::from(date.to_julian_day()) - UNIX_EPOCH_JULIAN_DAY;
        let seconds = days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second;
        Some(Self(seconds * MICROS_PER_SECOND + i64::from(micros)))
    }

    /// The canonical form.
    fn text(self) -> [u8; 26] {
        let (seconds, micro) = (self.0.div_euclid(MICROS_PER_SECOND), self.0.rem_euclid(MICROS_PER_SECOND));
        let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        // Within MIN and MAX every conversion succeeds.
        let julian_day = i32::try_from(days + UNIX_EPOCH_JULIAN_DAY).unwrap_or_default();
        let (year, month, day) = Date::from_julian_day(julian_day).unwrap_or(Date::MIN).to_calendar_date();
        let [y1, y2, y3, y4] = digits(i64::from(year));
        let [m1, m2] = digits(i64::from(u8::from(month)));
        let [d1, d2] = digits(i64::from(day));
        let [h1, h2] = digits(second / 3_600);
        let [n1, n2] = digits(second / 60 % 60);
        let [s1, s2] = digits(second % 60);
        let [f1, f2, f3, f4, f5, f6] = digits(micro);
        [
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3, f4,
            f5, f6,
        ]
    }
}

/// Cut off to the microsecond; an error outside the years 1 to 9999.
impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(moment: OffsetDateTime) -> Result<Self, TimestampError> {
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        match i64::try_from(micros).map(Self) {
            Ok(timestamp) if (Self::MIN..=Self::MAX).contains(&timestamp) => Ok(timestamp),
            _ => Err(TimestampError),
        }
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_utc()
    }
}

/// A text that is no timestamp, or a moment outside the years 1 to 9999.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not a UTC date and time `YYYY-MM-DD HH:MM:SS[.ffffff][Z]` of the years 1 to 9999")]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse(text).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a UTC date and time `YYYY-MM-DD HH:MM:SS.ffffff`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The form of the specification: fixed widths, one blank, 0 to 6 fraction digits, an optional `Z`.
fn parse(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (whole, micros) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction_micros(fraction)?),
        None => (text, 0),
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2] = whole.as_bytes()
    else {
        return None;
    };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let small = |tens, ones| u8::try_from(pair(tens, ones)?).ok();
    Timestamp::from_parts(
        [year, pair(m1, m2)?, pair(d1, d2)?],
        [small(h1, h2)?, small(n1, n2)?, small(s1, s2)?],
        micros,
    )
}

/// Two decimal digits.
fn pair(tens: u8, ones: u8) -> Option<u16> {
    let digit = |octet: u8| octet.is_ascii_digit().then(|| u16::from(octet - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// The last `N` decimal digits.
fn digits<const N: usize>(mut value: i64) -> [u8; N] {
    let mut text = [b'0'; N];
    for octet in text.iter_mut().rev() {
        *octet += u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
    text
}

/// One to six digits after the dot as microseconds.
pub(crate) fn fraction_micros(digits: &str) -> Option<u32> {
    if !(1..=6).contains(&digits.len()) || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let value: u32 = digits.parse().ok()?;
    let missing = u32::try_from(6 - digits.len()).ok()?;
    Some(value * 10_u32.pow(missing))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_forms_of_the_wire() {
        for (text, canonical) in [
            ("2026-01-02 03:04:05.000006", "2026-01-02 03:04:05.000006"),
            ("2026-01-02 03:04:05", "2026-01-02 03:04:05.000000"),
            ("2026-01-02 03:04:05.1", "2026-01-02 03:04:05.100000"),
            ("2026-01-02 03:04:05.123", "2026-01-02 03:04:05.123000"),
            ("2026-01-02 03:04:05Z", "2026-01-02 03:04:05.000000"),
            ("2026-01-02 03:04:05.25Z", "2026-01-02 03:04:05.250000"),
            ("2024-02-29 23:59:59.999999", "2024-02-29 23:59:59.999999"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00.000000"),
            ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn refuses_every_other_form() {
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05.",
            "2026-01-02 03:04:05.Z",
            "2026-01-02 03:04:05.1234567",
            "2026-01-02 03:04:05z",
            "2026-01-02 03:04:05ZZ",
            "2026-01-02 03:04:05+00:00",
            "2026-01-02  03:04:05",
            " 2026-01-02 03:04:05",
            "2026-01-02 03:04:05 ",
            "2026-1-2 3:4:5",
            "2026-01-02 24:00:00",
            "2026-01-02 03:04:60",
            "2026-02-30 03:04:05",
            "26-01-02 03:04:05",
            "02026-01-02 03:04:05",
            "0000-01-02 03:04:05",
            "2026-01-02 03:04:+5",
            "2026-01-02 03:04:05.+1",
            "٢٠٢٦-01-02 03:04:05",
            "yesterday",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_hold() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01 00:00:00.000000");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31 23:59:59.999999");
        assert_eq!(Timestamp::from_unix_micros(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.plus_seconds(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_unix_micros(-1).unix_millis(), -1);
        assert_eq!(Timestamp::from_unix_millis(1).to_string(), "1970-01-01 00:00:00.001000");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let timestamp = Timestamp::from_unix_micros(micros);
            prop_assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
            prop_assert_eq!(Timestamp::try_from(timestamp.to_utc()), Ok(timestamp));
        }

        #[test]
        fn the_written_form_sorts_as_time_does(a in Timestamp::MIN.0..=Timestamp::MAX.0, b in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let (a, b) = (Timestamp(a), Timestamp(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn no_text_stops_the_reader(text in ".{0,40}") {
            let _verdict = text.parse::<Timestamp>();
        }
    }
}
