//! What all four kinds share between the JSON object and the struct: one reader of fields, one writer.

use serde::de::{Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::body::Body;
use crate::compat::{self, Compat, DecodeOptions};
use crate::error::{DecodeError, Rule};
use crate::timestamp::Timestamp;
use crate::{Kind, MESSAGE_VERSION};

/// One kind of message: its field list, how its fields are read and how they are written.
pub(crate) trait Wire: Extra + Sized {
    const KIND: Kind;
    /// The keys that belong to the kind, in the order in which they are read.
    const FIELDS: &'static [&'static str];

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError>;
    fn write<M: SerializeMap>(&self, out: &mut Writer<'_, M>) -> Result<(), M::Error>;
}

/// The keys that are no field, or no value for their field. Every kind has them.
pub(crate) trait Extra {
    fn extra(&self) -> &Map<String, Value>;
    fn extra_mut(&mut self) -> &mut Map<String, Value>;
}

pub(crate) fn decode<T: Wire>(body: &[u8], options: &DecodeOptions) -> Result<T, DecodeError> {
    let compat = effective(T::KIND, options.compat);
    decode_object(Body::parse(body, T::FIELDS, compat)?, compat, options)
}

/// Reads an object that is JSON already.
pub(crate) fn decode_map<T: Wire>(object: Map<String, Value>, options: &DecodeOptions) -> Result<T, DecodeError> {
    let compat = effective(T::KIND, options.compat);
    let body = Body::read(Value::Object(object), T::FIELDS)
        .map_err(|error| DecodeError::body(Rule::Json { problem: error.to_string() }))?;
    decode_object(body, compat, options)
}

/// The verdict that serde gives: lenient, without a stamp.
pub(crate) fn deserialize<'de, T: Wire, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let body = Body::read(deserializer, T::FIELDS)?;
    decode_object(body, Compat::Lenient, &DecodeOptions::default()).map_err(D::Error::custom)
}

pub(crate) fn serialize<T: Wire, S: Serializer>(message: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = Writer { map: serializer.serialize_map(None)?, extra: message.extra(), written: Vec::new() };
    out.plain("message_version", true, MESSAGE_VERSION)?;
    out.plain("message_type", true, T::KIND.message_type())?;
    message.write(&mut out)?;
    out.finish()
}

pub(crate) fn to_vec<T: Serialize>(message: &T) -> Vec<u8> {
    // A message of any kind with short metadata fits.
    let mut out = Vec::with_capacity(640);
    let written = serde_json::to_writer(&mut out, message);
    debug_assert!(written.is_ok(), "memory takes everything, and every key is a string");
    out
}

/// vumi2 has two of the kinds only.
fn effective(kind: Kind, compat: Compat) -> Compat {
    match (kind, compat) {
        (Kind::Status | Kind::Failure, Compat::Vumi2) => Compat::Lenient,
        _ => compat,
    }
}

fn decode_object<T: Wire>(body: Body, compat: Compat, options: &DecodeOptions) -> Result<T, DecodeError> {
    let mut fields = Fields { body, compat, options, kind: T::KIND };
    fields.check_reserved()?;
    fields.check_version()?;
    fields.check_type()?;
    let mut message = T::read(&mut fields)?;
    *message.extra_mut() = fields.body.other;
    Ok(message)
}

/// Hands out the fields of a body, each checked by the rule of its type as [`Compat`] has it. A value that is accepted
/// but does not fit the type stays behind among the other keys.
pub(crate) struct Fields<'a> {
    body: Body,
    compat: Compat,
    options: &'a DecodeOptions,
    kind: Kind,
}

impl Fields<'_> {
    pub(crate) fn require(&self, names: &[&'static str]) -> Result<(), DecodeError> {
        names.iter().try_for_each(|name| match self.body.has(name) {
            true => Ok(()),
            false => Err(DecodeError::missing(name)),
        })
    }

    /// Fields that vumi wants to see; the others have a default for them.
    pub(crate) fn vumi_requires(&self, names: &[&'static str]) -> Result<(), DecodeError> {
        if self.compat == Compat::Vumi { self.require(names) } else { Ok(()) }
    }

    /// An id: a string. When absent, the stamp's, unless vumi judges.
    pub(crate) fn id(&mut self, name: &'static str) -> Result<String, DecodeError> {
        if self.body.has(name) {
            return self.text(name);
        }
        match &self.options.stamp {
            Some(stamp) if self.compat != Compat::Vumi => Ok(stamp.id.clone()),
            _ => Err(DecodeError::missing(name)),
        }
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, DecodeError> {
        const NAME: &str = "timestamp";
        let Some(value) = self.body.take(NAME) else {
            let stamp = self.options.stamp.as_ref().filter(|_| self.compat != Compat::Vumi);
            return stamp.map(|stamp| stamp.timestamp).ok_or_else(|| DecodeError::missing(NAME));
        };
        let text = value.as_str().unwrap_or_default();
        let read = match self.compat {
            Compat::Lenient => text.parse().ok(),
            Compat::Vumi => compat::strptime(text, compat::blank_in_python_2),
            Compat::Vumi2 => compat::strptime(text.strip_suffix('Z').unwrap_or(text), compat::blank_in_python_3),
        };
        match read {
            Some(timestamp) => Ok(timestamp),
            None => self.misfit(NAME, value, Rule::Timestamp, self.compat == Compat::Vumi),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, DecodeError> {
        match self.body.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(value) => self.misfit(name, value, Rule::Text, self.compat != Compat::Lenient),
            None => Ok(String::new()),
        }
    }

    /// A string or null; null when absent.
    pub(crate) fn nullable_text(&mut self, name: &'static str) -> Result<Option<String>, DecodeError> {
        match self.body.take(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) | None => Ok(None),
            Some(value) => self.misfit(name, value, Rule::TextOrNull, self.compat != Compat::Lenient),
        }
    }

    /// An object; empty when absent, and lenient also when null.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Map<String, Value>, DecodeError> {
        match self.body.take(name) {
            Some(Value::Object(object)) => Ok(object),
            None => Ok(Map::new()),
            Some(Value::Null) if self.compat == Compat::Lenient => Ok(Map::new()),
            Some(value) => {
                let accepted = match self.compat {
                    Compat::Lenient => false,
                    Compat::Vumi => true,
                    Compat::Vumi2 => compat::python_dict(&value) || (self.null_fits(name) && value.is_null()),
                };
                self.misfit(name, value, Rule::Object, accepted)
            }
        }
    }

    /// An object that must be one, also to the lenient.
    pub(crate) fn required_object(&mut self, name: &'static str) -> Result<Map<String, Value>, DecodeError> {
        match self.body.take(name) {
            Some(Value::Object(object)) => Ok(object),
            Some(value) => self.misfit(name, value, Rule::Object, self.compat == Compat::Vumi),
            None => Ok(Map::new()),
        }
    }

    /// An array; empty when absent or null.
    pub(crate) fn array(&mut self, name: &'static str) -> Result<Vec<Value>, DecodeError> {
        match self.body.take(name) {
            Some(Value::Array(items)) => Ok(items),
            None => Ok(Vec::new()),
            Some(Value::Null) if self.compat == Compat::Lenient => Ok(Vec::new()),
            Some(value) => self.misfit(name, value, Rule::Array, self.compat == Compat::Vumi),
        }
    }

    /// A word of an open list, or null. `listed` holds the words that vumi2 knows, `null` says whether it takes null.
    pub(crate) fn open<T: From<String>>(
        &mut self,
        name: &'static str,
        listed: &'static [&'static str],
        null: bool,
    ) -> Result<Option<T>, DecodeError> {
        let strict = self.compat == Compat::Vumi2;
        match self.body.take(name) {
            Some(Value::String(word)) if !strict || listed.contains(&word.as_str()) => Ok(Some(word.into())),
            None => Ok(None),
            Some(Value::Null) if !strict || null => Ok(None),
            Some(value) => {
                let rule = match (strict, null) {
                    (false, _) => Rule::TextOrNull,
                    (true, false) => Rule::OneOf(listed),
                    (true, true) => Rule::NullOrOneOf(listed),
                };
                self.misfit(name, value, rule, self.compat == Compat::Vumi)
            }
        }
    }

    /// A word of a closed list.
    pub(crate) fn closed<T>(
        &mut self,
        name: &'static str,
        listed: &'static [&'static str],
        read: fn(&str) -> Option<T>,
    ) -> Result<T, DecodeError> {
        self.require(&[name])?;
        let value = self.body.take(name).unwrap_or_default();
        value.as_str().and_then(read).ok_or_else(|| DecodeError::field(name, Rule::OneOf(listed), &value))
    }

    /// A word of a closed list, or null; null when absent.
    pub(crate) fn nullable_closed<T>(
        &mut self,
        name: &'static str,
        listed: &'static [&'static str],
        read: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        match self.body.take(name) {
            Some(Value::Null) | None => Ok(None),
            Some(value) => match value.as_str().and_then(read) {
                Some(word) => Ok(Some(word)),
                None => Err(DecodeError::field(name, Rule::NullOrOneOf(listed), &value)),
            },
        }
    }

    /// A string that must be there and must not be null.
    pub(crate) fn present_text(&mut self, name: &'static str) -> Result<String, DecodeError> {
        self.require(&[name])?;
        match self.body.take(name) {
            Some(Value::Null) => Err(DecodeError::field(name, Rule::NotNull, &Value::Null)),
            Some(Value::String(text)) => Ok(text),
            Some(value) => self.misfit(name, value, Rule::Text, self.compat != Compat::Lenient),
            None => Ok(String::new()),
        }
    }

    /// A string or null that this message has no use for: kept as it came, unless null.
    pub(crate) fn unused_text(&mut self, name: &'static str) -> Result<(), DecodeError> {
        if let Some(text) = self.nullable_text(name)? {
            self.body.other.insert(name.to_owned(), Value::String(text));
        }
        Ok(())
    }

    /// A word of a closed list, or null, that this message has no use for: kept as it came, unless null. vumi does not
    /// look at it.
    pub(crate) fn unused_word(
        &mut self,
        name: &'static str,
        listed: &'static [&'static str],
    ) -> Result<(), DecodeError> {
        let Some(value) = self.body.take(name).filter(|value| !value.is_null()) else {
            return Ok(());
        };
        let known = value.as_str().is_some_and(|word| listed.contains(&word));
        self.misfit(name, value, Rule::NullOrOneOf(listed), known || self.compat == Compat::Vumi)
    }

    /// A value that its field cannot hold: kept among the other keys if the one who judges accepts it.
    fn misfit<T: Default>(
        &mut self,
        name: &'static str,
        value: Value,
        rule: Rule,
        accepted: bool,
    ) -> Result<T, DecodeError> {
        if !accepted {
            return Err(DecodeError::field(name, rule, &value));
        }
        self.body.other.insert(name.to_owned(), value);
        Ok(T::default())
    }

    /// vumi2 lets the transport's metadata be null on events alone.
    fn null_fits(&self, name: &str) -> bool {
        self.kind == Kind::Event && name == "transport_metadata"
    }

    /// Two keys collide with arguments of the function that vumi hands all keys to.
    fn check_reserved(&self) -> Result<(), DecodeError> {
        if self.compat != Compat::Vumi {
            return Ok(());
        }
        ["_process_fields", "self"].into_iter().try_for_each(|name| match self.body.other.get(name) {
            Some(value) => Err(DecodeError::field(name, Rule::Reserved, value)),
            None => Ok(()),
        })
    }

    fn check_version(&mut self) -> Result<(), DecodeError> {
        const NAME: &str = "message_version";
        match (self.body.take(NAME), self.compat) {
            (Some(value), _) if value.as_str() == Some(MESSAGE_VERSION) => Ok(()),
            (None, Compat::Vumi2) => Ok(()),
            (None, _) => Err(DecodeError::missing(NAME)),
            (Some(value), compat) => self.misfit(NAME, value, Rule::Version, compat == Compat::Vumi2),
        }
    }

    /// The queue says what a body is, not this field: it only must not be null. One that disagrees is kept.
    fn check_type(&mut self) -> Result<(), DecodeError> {
        const NAME: &str = "message_type";
        self.vumi_requires(&[NAME, "timestamp"])?;
        match self.body.take(NAME) {
            None => Ok(()),
            Some(value) if value.as_str() == Some(self.kind.message_type()) => Ok(()),
            Some(value) => {
                let (rule, accepted) = match (&value, self.compat) {
                    (Value::Null, compat) => (Rule::NotNull, compat == Compat::Vumi2),
                    (Value::String(_), _) => (Rule::Text, true),
                    (_, compat) => (Rule::Text, compat != Compat::Lenient),
                };
                self.misfit(NAME, value, rule, accepted)
            }
        }
    }
}

/// Writes the fields of one object. A field at its default gives way to a key of that name in `extra`; every other field
/// wins over it.
pub(crate) struct Writer<'a, M> {
    map: M,
    extra: &'a Map<String, Value>,
    /// Fields that won over a key of `extra`.
    written: Vec<&'static str>,
}

impl<M: SerializeMap> Writer<'_, M> {
    /// A field that is at its default if it equals `T::default()`.
    pub(crate) fn field<T>(&mut self, name: &'static str, value: &T) -> Result<(), M::Error>
    where
        T: Default + PartialEq + Serialize,
    {
        // The comparison is needed only where something could stand in.
        let default = !self.extra.is_empty() && *value == T::default();
        self.plain(name, default, value)
    }

    pub(crate) fn plain<T>(&mut self, name: &'static str, default: bool, value: &T) -> Result<(), M::Error>
    where
        T: Serialize + ?Sized,
    {
        if self.extra.contains_key(name) {
            if default {
                return Ok(());
            }
            self.written.push(name);
        }
        self.map.serialize_entry(name, value)
    }

    fn finish(mut self) -> Result<M::Ok, M::Error> {
        for (key, value) in self.extra {
            if !self.written.contains(&key.as_str()) {
                self.map.serialize_entry(key, value)?;
            }
        }
        self.map.end()
    }
}

/// The methods and serde implementations that every kind has.
macro_rules! wire_message {
    ($name:ident) => {
        impl $name {
            /// Reads a body as [`Compat::Lenient`](crate::Compat) without a stamp.
            ///
            /// # Errors
            ///
            /// The first field that breaks a rule.
            pub fn decode(body: impl AsRef<[u8]>) -> Result<Self, crate::DecodeError> {
                Self::decode_with(body, &crate::DecodeOptions::default())
            }

            /// Reads a body as `options` say.
            ///
            /// # Errors
            ///
            /// The first field that breaks a rule, in the order in which vumi checks them.
            pub fn decode_with(
                body: impl AsRef<[u8]>,
                options: &crate::DecodeOptions,
            ) -> Result<Self, crate::DecodeError> {
                crate::wire::decode(body.as_ref(), options)
            }

            /// The body to publish: one JSON object in UTF-8 with every field of the kind, so that vumi and vumi2 both
            /// read it, and all of `extra`.
            pub fn to_vec(&self) -> Vec<u8> {
                crate::wire::to_vec(self)
            }

            /// [`to_vec`](Self::to_vec) as text.
            pub fn to_json(&self) -> String {
                String::from_utf8(self.to_vec()).unwrap_or_default()
            }
        }

        impl crate::wire::Extra for $name {
            fn extra(&self) -> &serde_json::Map<String, serde_json::Value> {
                &self.extra
            }

            fn extra_mut(&mut self) -> &mut serde_json::Map<String, serde_json::Value> {
                &mut self.extra
            }
        }

        /// Every field of the kind, and all of `extra`.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::wire::serialize(self, serializer)
            }
        }

        /// By the rules of [`Compat::Lenient`](crate::Compat), without a stamp.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::wire::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use wire_message;
