//! Durations as seconds, whole or not, for `#[serde(with = "..")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    match duration.subsec_nanos() {
        0 => serializer.serialize_u64(duration.as_secs()),
        _ => serializer.serialize_f64(duration.as_secs_f64()),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    seconds(f64::deserialize(deserializer)?)
}

fn seconds<E: de::Error>(seconds: f64) -> Result<Duration, E> {
    Duration::try_from_secs_f64(seconds).map_err(E::custom)
}

/// The same of times that may be `false`, which is never.
pub(super) mod or_never {
    use serde::Serialize;

    use super::{Deserialize, Deserializer, Duration, Serializer, de, seconds};

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number of seconds, or false for never")]
    enum Time {
        Never(bool),
        Seconds(f64),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            None => false.serialize(serializer),
            Some(duration) => super::serialize(duration, serializer),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        match Time::deserialize(deserializer)? {
            Time::Never(false) => Ok(None),
            Time::Never(true) => Err(de::Error::custom("true is no time")),
            Time::Seconds(number) => seconds(number).map(Some),
        }
    }
}
