//! Whose verdict counts when a body is read, and what the two Python programs take that we would not.

use serde_json::Value;

use crate::timestamp::{Timestamp, fraction_micros};

/// Whose verdict counts when a body is read.
///
/// The table of who takes what stands in the [crate documentation](crate#what-is-accepted).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Compat {
    /// Ours: absent fields get the defaults of vumi2, types and closed words are checked, unknown transport and address
    /// types are kept.
    #[default]
    Lenient,
    /// Accepts and refuses as vumi 0.6.19 does: late fields may be absent, the others may not; only the closed words
    /// are checked. What does not fit a field is kept in its `extra`.
    Vumi,
    /// Accepts and refuses as vumi2 0.3.3 does: few fields must be there, all enumerations are checked, other types are
    /// converted (we keep such a value in `extra` as it came). vumi2 knows user messages and events only; for the other
    /// two kinds this is [`Lenient`](Self::Lenient).
    Vumi2,
}

/// How to read a body: [`Compat`], and the [`Stamp`](crate::Stamp) for what is absent.
///
/// ```
/// # use vumi_message::{Compat, DecodeOptions, Stamp, UserMessage};
/// let options = DecodeOptions::default().compat(Compat::Vumi2).stamp(Stamp::now());
/// let body = r#"{"to_addr": "1", "from_addr": "2", "transport_name": "t", "transport_type": "sms"}"#;
/// assert!(UserMessage::decode(body).is_err()); // no message_id
/// assert_eq!(UserMessage::decode_with(body, &options)?.message_id.len(), 32);
/// # Ok::<(), vumi_message::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// Whose verdict counts. Default: [`Compat::Lenient`].
    pub compat: Compat,
    /// Stands in for an absent `message_id` or `event_id` and an absent `timestamp`, where `compat` lets them be absent.
    /// Default: none, and then they must be there. One stamp is good for one body.
    pub stamp: Option<crate::Stamp>,
}

impl DecodeOptions {
    /// Sets whose verdict counts.
    #[must_use]
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    /// Sets what stands in for an absent id or time.
    #[must_use]
    pub fn stamp(mut self, stamp: crate::Stamp) -> Self {
        self.stamp = Some(stamp);
        self
    }
}

/// A time as `strptime` reads it: one or two digits a field, blanks of any number and kind, a day padded with a blank.
/// `blank` says what counts as a blank; it differs between Python 2 and 3.
pub(crate) fn strptime(text: &str, blank: fn(char) -> bool) -> Option<Timestamp> {
    let (year, rest) = number(text, 4, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    let rest = rest.strip_prefix('-')?;
    let (day, rest) = match rest.strip_prefix(' ') {
        Some(padded) => number(padded, 1, 1)?,
        None => number(rest, 1, 2)?,
    };
    let clock = rest.trim_start_matches(blank);
    if clock.len() == rest.len() {
        return None;
    }
    let (hour, rest) = number(clock, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let micros = match rest.strip_prefix('.') {
        Some(digits) => fraction_micros(digits)?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let small = |value: u16| u8::try_from(value).ok();
    Timestamp::from_parts([year, month, day], [small(hour)?, small(minute)?, small(second)?], micros)
}

/// The leading ASCII digits, at least `min` and at most `max` of them, and what follows.
fn number(text: &str, min: usize, max: usize) -> Option<(u16, &str)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    (length >= min).then_some((digits.parse().ok()?, rest))
}

/// What Python 2's `\s` matches.
pub(crate) fn blank_in_python_2(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C')
}

/// What Python 3's `\s` matches.
pub(crate) fn blank_in_python_3(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1C'..='\x1F')
}

/// Whether Python's `dict(value)` succeeds: an object, or items of two each whose first can be a key.
pub(crate) fn python_dict(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(|item| match item {
            Value::Array(pair) => pair.len() == 2 && !pair.first().is_some_and(|key| key.is_array() || key.is_object()),
            Value::Object(pair) => pair.len() == 2,
            Value::String(pair) => pair.chars().count() == 2,
            _ => false,
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strptime_reads_more_than_the_specification() {
        for text in [
            "2026-01-02 03:04:05.000006",
            "2026-1-2 3:4:5",
            "2026-01- 2 03:04:05",
            "2026-01-02 \t 03:04:05",
            "2026-01-02\u{B}03:04:05",
        ] {
            assert!(strptime(text, blank_in_python_2).is_some(), "{text}");
        }
        for text in [
            "2026-01-02",
            "2026-01-  2 03:04:05",
            "2026-01- 22 03:04:05",
            "2026-01- 0 03:04:05",
            "2026-01-0203:04:05",
            "2026-001-02 03:04:05",
            "2026-0-02 03:04:05",
            "2026-01-32 03:04:05",
            "2026-01-02 03:04:05 ",
            "2026-01-02 03:04:60",
            "2026-01-02\u{A0}03:04:05",
            "2026-01-02 03:04:05.",
            "2026-01-02 03:04:05.1234567",
            "0000-01-02 03:04:05",
            "é026-01-02 03:04:05",
        ] {
            assert_eq!(strptime(text, blank_in_python_2), None, "{text}");
        }
        assert!(strptime("2026-01-02\u{A0}03:04:05", blank_in_python_3).is_some());
    }

    #[test]
    fn dict_takes_pairs() {
        for taken in [json!({}), json!([]), json!(""), json!([["a", 1]]), json!(["ab"]), json!([{"a": 1, "b": 2}])] {
            assert!(python_dict(&taken), "{taken}");
        }
        for refused in [json!(null), json!(7), json!("a"), json!(["abc"]), json!([[[], 1]]), json!([7]), json!([["a"]])]
        {
            assert!(!python_dict(&refused), "{refused}");
        }
    }
}
