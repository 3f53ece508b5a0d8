//! An id and a time for a message that is being made: the one place that reads the clock and draws at random.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::Timestamp;

/// What a new message needs from the world outside: an id and the time.
///
/// Constructors take one, so that whoever needs the same message twice (a test, a replay) can have it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Stamp {
    /// Becomes the `message_id` or `event_id`. To peers an opaque text; [`Stamp::now`] makes 32 lower-case hex digits.
    pub id: String,
    /// Becomes the `timestamp`.
    pub timestamp: Timestamp,
}

impl Stamp {
    /// A stamp of this id and time.
    pub fn new(id: impl Into<String>, timestamp: Timestamp) -> Self {
        Self { id: id.into(), timestamp }
    }

    /// The present time and a random id: a UUID of version 4 without dashes, as Vumi makes them.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may read the clock and draw at random")]
    pub fn now() -> Self {
        // A clock that stands outside the years 1 to 9999 counts as not set.
        let timestamp = Timestamp::try_from(OffsetDateTime::now_utc()).unwrap_or_default();
        Self::new(Uuid::new_v4().simple().to_string(), timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_hex_digits_and_differ() {
        let (one, other) = (Stamp::now(), Stamp::now());
        for stamp in [&one, &other] {
            assert_eq!(stamp.id.len(), 32);
            assert!(stamp.id.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')));
            assert!(stamp.timestamp > "2020-01-01 00:00:00".parse().unwrap());
        }
        assert_ne!(one.id, other.id);
    }
}
