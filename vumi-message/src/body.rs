//! The outermost object of a body, its known keys sorted into slots while it is read.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::compat::Compat;
use crate::error::{DecodeError, Rule};
use crate::sniff;

/// The outermost object: a slot for each known key, and all other keys. Of a key that stands twice the last value
/// counts, as in Python.
pub(crate) struct Body {
    names: &'static [&'static str],
    slots: Vec<Option<Value>>,
    next: usize,
    pub(crate) other: Map<String, Value>,
}

impl Body {
    /// Reads one JSON object and nothing after it.
    pub(crate) fn parse(body: &[u8], names: &'static [&'static str], compat: Compat) -> Result<Self, DecodeError> {
        let json = |problem: String| DecodeError::body(Rule::Json { problem });
        let sniffed = match compat {
            Compat::Vumi2 => Some(sniff::utf8(body).ok_or_else(|| json("broken UTF-16 or UTF-32".to_owned()))?),
            Compat::Lenient | Compat::Vumi => None,
        };
        let mut reader = serde_json::Deserializer::from_slice(sniffed.as_deref().unwrap_or(body));
        let read = Self::read(&mut reader, names);
        read.and_then(|found| reader.end().map(|()| found)).map_err(|error| {
            if error.is_data() { DecodeError::body(Rule::BodyObject) } else { json(error.to_string()) }
        })
    }

    /// Reads one object from any format that describes itself.
    pub(crate) fn read<'de, D: Deserializer<'de>>(de: D, names: &'static [&'static str]) -> Result<Self, D::Error> {
        de.deserialize_map(ObjectVisitor { names })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names
            .iter()
            .position(|known| *known == name)
            .and_then(|slot| self.slots.get(slot))
            .is_some_and(Option::is_some)
    }

    /// Takes the value of a known key. Keys asked for in their order are found at once.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let slot = find(self.names, self.next, name)?;
        self.next = slot + 1;
        self.slots.get_mut(slot)?.take()
    }
}

/// The place of a name, looked for first where it is expected.
fn find(names: &[&str], expected: usize, name: &str) -> Option<usize> {
    if names.get(expected).is_some_and(|known| *known == name) {
        return Some(expected);
    }
    names.iter().position(|known| *known == name)
}

struct ObjectVisitor {
    names: &'static [&'static str],
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Body, A::Error> {
        let names = self.names;
        let mut body = Body { names, slots: vec![None; names.len()], next: 0, other: Map::new() };
        let mut expected = 0;
        while let Some(key) = object.next_key_seed(KeySeed { names, expected })? {
            let value = object.next_value()?;
            match key {
                Key::Known(slot) => {
                    if let Some(place) = body.slots.get_mut(slot) {
                        *place = Some(value);
                    }
                    expected = slot + 1;
                }
                Key::Other(key) => {
                    body.other.insert(key, value);
                }
            }
        }
        Ok(body)
    }
}

/// A key of the object: a known one costs no memory.
enum Key {
    Known(usize),
    Other(String),
}

struct KeySeed {
    names: &'static [&'static str],
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
        Ok(match find(self.names, self.expected, key) {
            Some(slot) => Key::Known(slot),
            None => Key::Other(key.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: &[&str] = &["a", "b"];

    #[test]
    fn keys_are_sorted_and_the_last_of_two_counts() {
        let text = br#" {"b": 1, "x": [2], "a": null, "b": {"a": 3}, "x": 4} "#;
        let mut body = Body::parse(text, NAMES, Compat::Lenient).unwrap();
        assert!(body.has("a") && body.has("b") && !body.has("x"));
        assert_eq!(body.take("b"), Some(json!({"a": 3})));
        assert_eq!(body.take("b"), None);
        assert_eq!(body.take("a"), Some(Value::Null));
        assert_eq!(Value::Object(body.other), json!({"x": 4}));
    }

    #[test]
    fn what_is_no_object_is_told_from_what_is_no_json() {
        for text in ["[]", "null", "\"hello\"", "7", "true", "[{}]"] {
            let error = Body::parse(text.as_bytes(), NAMES, Compat::Lenient).err().unwrap();
            assert_eq!(error.rule, Rule::BodyObject, "{text}");
        }
        for text in ["", "{", "{} x", "{\"a\": \"cut", "{\"a\": NaN}", "\u{FEFF}{}", "{1: 2}"] {
            let error = Body::parse(text.as_bytes(), NAMES, Compat::Lenient).err().unwrap();
            assert!(matches!(error.rule, Rule::Json { .. }), "{text}: {error}");
        }
        let error = Body::parse(b"{\"a\": \"\xC3\x28\"}", NAMES, Compat::Vumi2).err().unwrap();
        assert!(matches!(error.rule, Rule::Json { .. }));
    }
}
