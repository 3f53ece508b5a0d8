use time::{Date, Month, PrimitiveDateTime, Time};

/// A date in a receipt's text, which has no time zone: it is the message centre's local time.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReceiptDate {
    /// The digits as they stand in the text.
    pub raw: String,
    /// What they say; none for zeros, for the beginning of 1970, and for what is no date.
    #[cfg_attr(feature = "serde", serde(serialize_with = "display"))]
    pub at: Option<PrimitiveDateTime>,
}

impl ReceiptDate {
    /// A date in the form of the specification, `YYMMDDhhmm`.
    pub fn new(at: PrimitiveDateTime) -> Self {
        let raw = format!(
            "{:02}{:02}{:02}{:02}{:02}",
            at.year().rem_euclid(100),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute()
        );
        Self { raw, at: Some(at) }
    }

    /// A date with seconds, `YYMMDDhhmmss`, which many message centres write.
    pub fn with_seconds(at: PrimitiveDateTime) -> Self {
        let minutes = Self::new(at);
        Self { raw: format!("{}{:02}", minutes.raw, at.second()), ..minutes }
    }

    /// Reads `YYMMDDhhmm`, `YYMMDDhhmmss` or `YYYYMMDDhhmmss`; of 12 digits that are no date in the second form and
    /// begin with 20, also `YYYYMMDDhhmm`.
    pub(super) fn read(raw: String) -> Self {
        let at = read(&raw).filter(|at| *at != PrimitiveDateTime::new(EPOCH, Time::MIDNIGHT));
        Self { raw, at }
    }
}

/// Zero, written as a Unix time.
const EPOCH: Date = match Date::from_ordinal_date(1970, 1) {
    Ok(date) => date,
    Err(_) => Date::MIN,
};

fn read(raw: &str) -> Option<PrimitiveDateTime> {
    if !raw.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let (pairs, []) = raw.as_bytes().as_chunks::<2>() else { return None };
    let numbers: Vec<u8> = pairs.iter().map(|[tens, units]| (tens - b'0') * 10 + (units - b'0')).collect();
    match numbers[..] {
        [year, month, day, hour, minute] => calendar(short(year), month, day, hour, minute, 0),
        [year, month, day, hour, minute, second] => calendar(short(year), month, day, hour, minute, second)
            // The same six pairs as YYYYMMDDhhmm.
            .or_else(|| (year == 20).then(|| calendar(2000 + i32::from(month), day, hour, minute, second, 0))?),
        [century, year, month, day, hour, minute, second] => {
            calendar(i32::from(century) * 100 + i32::from(year), month, day, hour, minute, second)
        }
        _ => None,
    }
}

/// Two digits of a year: 1970 to 2069.
fn short(year: u8) -> i32 {
    if year < 70 { 2000 + i32::from(year) } else { 1900 + i32::from(year) }
}

fn calendar(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<PrimitiveDateTime> {
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    date.with_hms(hour, minute, second).ok()
}

#[cfg(feature = "serde")]
fn display<S: serde::Serializer>(at: &Option<PrimitiveDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> String {
        ReceiptDate::read(raw.to_owned()).at.map_or_else(|| "-".to_owned(), |at| at.to_string())
    }

    #[test]
    fn forms() {
        for (raw, expected) in [
            ("1002101730", "2010-02-10 17:30:00.0"),
            ("141016003650", "2014-10-16 0:36:50.0"),
            ("20110314181534", "2011-03-14 18:15:34.0"),
            ("201506201641", "2015-06-20 16:41:00.0"),
            ("201231235959", "2020-12-31 23:59:59.0"),
            ("0000000000", "-"),
            ("000000000000", "-"),
            ("00000000000000", "-"),
            ("7001010000", "-"),
            ("700101000000", "-"),
            ("9912312359", "1999-12-31 23:59:00.0"),
            ("2602300000", "-"),
            ("26013112", "-"),
            ("260131120", "-"),
            ("null", "-"),
            ("YYMMDDhhmm", "-"),
            ("\u{661}\u{662}", "-"),
            ("", "-"),
        ] {
            assert_eq!(at(raw), expected, "{raw}");
        }
    }

    #[test]
    fn both_ways() {
        let date = ReceiptDate::read("141016003650".to_owned());
        assert_eq!(ReceiptDate::with_seconds(date.at.unwrap()), date);
        let date = ReceiptDate::read("2602282359".to_owned());
        assert_eq!(ReceiptDate::new(date.at.unwrap()), date);
    }
}
