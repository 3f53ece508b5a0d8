//! Why a body is not a message: the field, the rule it breaks, and what stood there.

use std::fmt::{self, Write};

use serde_json::Value;
use thiserror::Error;

/// Characters of a wrong value that an error shows.
const SHOWN: usize = 64;

/// A body that is not a message of the kind asked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The field at fault, by its name on the wire; `None` when the body as a whole is.
    pub field: Option<&'static str>,
    /// The rule that is broken.
    pub rule: Rule,
    /// What stood there, as JSON, cut off after 64 characters; `None` where nothing stood.
    pub value: Option<String>,
}

impl DecodeError {
    pub(crate) fn body(rule: Rule) -> Self {
        Self { field: None, rule, value: None }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self { field: Some(field), rule: Rule::Missing, value: None }
    }

    pub(crate) fn field(field: &'static str, rule: Rule, value: &Value) -> Self {
        Self { field: Some(field), rule, value: Some(excerpt(value)) }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{}", self.rule)?;
        match &self.value {
            Some(value) => write!(f, ", found {value}"),
            None => Ok(()),
        }
    }
}

/// What a body or a field must be.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// The body is not one JSON value in UTF-8.
    #[error("not JSON: {problem}")]
    Json {
        /// What the JSON reader says, with line and column.
        problem: String,
    },
    /// The body is JSON but not an object.
    #[error("must be a JSON object")]
    BodyObject,
    /// The field must be there. An id or a timestamp may be absent where a [`Stamp`](crate::Stamp) stands in.
    #[error("is missing")]
    Missing,
    /// `message_version` must be `"20110921"`.
    #[error("must be \"20110921\"")]
    Version,
    /// Must not be null.
    #[error("must not be null")]
    NotNull,
    /// Must be a string.
    #[error("must be a string")]
    Text,
    /// Must be a string or null.
    #[error("must be a string or null")]
    TextOrNull,
    /// Must be a JSON object.
    #[error("must be an object")]
    Object,
    /// Must be a JSON array.
    #[error("must be an array")]
    Array,
    /// Must be one of these words.
    #[error("must be one of {}", .0.join(", "))]
    OneOf(&'static [&'static str]),
    /// Must be one of these words, or null.
    #[error("must be null or one of {}", .0.join(", "))]
    NullOrOneOf(&'static [&'static str]),
    /// Must be a UTC date and time.
    #[error("must be a UTC date and time YYYY-MM-DD HH:MM:SS.ffffff")]
    Timestamp,
    /// A key that Vumi's decoder cannot take, since it is the name of one of its own arguments.
    #[error("is a key that Vumi cannot take")]
    Reserved,
}

/// The value as JSON, cut off on a character's boundary; what is not shown is not rendered.
fn excerpt(value: &Value) -> String {
    let mut shown = Excerpt { text: String::new(), left: SHOWN };
    if write!(shown, "{value}").is_err() {
        shown.text.push_str("...");
    }
    shown.text
}

struct Excerpt {
    text: String,
    left: usize,
}

impl Write for Excerpt {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for character in part.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_says_field_rule_and_value() {
        let error = DecodeError::field("session_event", Rule::NullOrOneOf(&["new", "close"]), &json!("NEW"));
        assert_eq!(error.to_string(), "session_event: must be null or one of new, close, found \"NEW\"");
        assert_eq!(DecodeError::missing("to_addr").to_string(), "to_addr: is missing");
        assert_eq!(DecodeError::body(Rule::BodyObject).to_string(), "must be a JSON object");
    }

    #[test]
    fn values_are_cut_off_on_a_character() {
        assert_eq!(excerpt(&json!({"a": [1, null]})), "{\"a\":[1,null]}");
        let long = excerpt(&json!("ß".repeat(1000)));
        assert_eq!(long, format!("\"{}...", "ß".repeat(63)));
        assert_eq!(excerpt(&json!("x".repeat(62))), format!("\"{}\"", "x".repeat(62)));
    }
}
