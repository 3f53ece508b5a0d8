//! The parameters of a request, wherever they stand.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Error,
    table::{Form, LAST_SEGMENT, SEGMENT_BEFORE_LAST},
};

/// Names and values, in order.
pub(super) struct Parameters<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

impl<'r> Parameters<'r> {
    /// Octets of query and body that are read.
    pub(super) const MAX_OCTETS: usize = 16 * 1024;

    pub(super) fn read<B: AsRef<[u8]>>(request: &'r http::Request<B>, form: Form) -> Result<Self, Error> {
        let (query, body) = (request.uri().query().unwrap_or_default().as_bytes(), request.body().as_ref());
        let length = query.len().saturating_add(body.len());
        if length > Self::MAX_OCTETS {
            return Err(Error::RequestTooLong { length, max: Self::MAX_OCTETS });
        }
        let mut segments = request.uri().path().rsplit('/').filter(|segment| !segment.is_empty());
        let mut all = Vec::new();
        for name in [LAST_SEGMENT, SEGMENT_BEFORE_LAST] {
            if let Some(segment) = segments.next() {
                all.push((Cow::Borrowed(name), Cow::Borrowed(segment)));
            }
        }
        match form {
            Form::Query => all.extend(form_urlencoded::parse(query)),
            Form::Body => all.extend(form_urlencoded::parse(body)),
            // A question without a body has its path to say what it asks.
            Form::Json if body.is_empty() => {}
            Form::Json => all.extend(members(body)?),
        }
        Ok(Self(all))
    }

    /// The first parameter with this name, whatever its case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// All of these that are missing.
    pub(super) fn require(&self, names: &[&'static str]) -> Result<(), Error> {
        let missing: Vec<_> = names.iter().copied().filter(|name| self.get(name).is_none()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::Missing(missing)) }
    }
}

/// The members of a JSON object that are texts, numbers or truth values; null is as good as missing.
fn members<'r>(body: &[u8]) -> Result<impl Iterator<Item = (Cow<'r, str>, Cow<'r, str>)> + use<'r>, Error> {
    let object: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| Error::Json { line: error.line(), column: error.column() })?;
    Ok(object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.into(), text.into())),
        Value::Number(number) => Some((name.into(), number.to_string().into())),
        Value::Bool(truth) => Some((name.into(), truth.to_string().into())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }))
}
