//! Time as the host tells it.

use std::{fmt, time::Duration};

/// A point in time: milliseconds since the Unix epoch.
///
/// The core reads no clock; the host hands the time in with every call. Machines that share a store compare these
/// values, so their clocks are to agree within the margins of the timers. A time that goes back is taken for the
/// latest one seen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Millis(pub u64);

impl Millis {
    /// This point plus a span; stops at the largest value.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The span from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// A span in whole milliseconds; stops at the largest value.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Millis(5).after(Duration::from_millis(7)), Millis(12));
        assert_eq!(Millis(5).after(Duration::MAX), Millis(u64::MAX));
        assert_eq!(Millis(9).since(Millis(4)), Duration::from_millis(5));
        assert_eq!(Millis(4).since(Millis(9)), Duration::ZERO);
    }
}
