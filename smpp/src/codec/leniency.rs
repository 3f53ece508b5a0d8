use std::fmt;

/// What is wrong with a PDU and is forgiven, one name each. [`Limits`](super::Limits) says which are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Leniency {
    /// Octets that are no TLVs behind a PDU that is a header only; they are kept in `rest`.
    ExtraOctets,
    /// A response without a body although its status is 0.
    MissingBody,
    /// A response with a body although its status is an error.
    BodyDespiteError,
    /// A response body that does not parse: it is absent, its octets are kept in `rest`.
    BrokenResponseBody,
    /// A response whose mandatory part is whole and whose TLVs are not: the broken tail is kept in `rest`.
    BrokenResponseTail,
    /// The same in a delivery receipt or intermediate notification: a receipt that is refused comes back for ever.
    BrokenReceiptTail,
    /// A TLV of a known tag and a length that the tag does not have, in a response. It is kept raw.
    TlvLengthInResponse,
    /// The same in a request.
    TlvLengthInRequest,
    /// A TLV whose text has no NUL at its end, or one before: the text goes up to the first NUL.
    TlvText,
    /// receipted_message_id of no octets: as if it were absent.
    EmptyReceiptedMessageId,
    /// A known TLV in a PDU that does not have it.
    UnexpectedTlv,
    /// A string longer than the specification allows, up to 255 octets.
    OverLongString,
    /// A time of another form than the specification's.
    OddTime,
    /// A string that is not ASCII.
    NotAscii,
    /// A reserved type of number or numbering plan.
    ReservedTonNpi,
    /// A request whose command_status is not 0.
    StatusInRequest,
    /// A sequence_number outside 1 to 0x7FFF_FFFF.
    SequenceNumber,
    /// A command_id that is in neither version.
    UnknownCommand,
}

impl Leniency {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::ExtraOctets,
        Self::MissingBody,
        Self::BodyDespiteError,
        Self::BrokenResponseBody,
        Self::BrokenResponseTail,
        Self::BrokenReceiptTail,
        Self::TlvLengthInResponse,
        Self::TlvLengthInRequest,
        Self::TlvText,
        Self::EmptyReceiptedMessageId,
        Self::UnexpectedTlv,
        Self::OverLongString,
        Self::OddTime,
        Self::NotAscii,
        Self::ReservedTonNpi,
        Self::StatusInRequest,
        Self::SequenceNumber,
        Self::UnknownCommand,
    ];

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of leniencies.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Leniencies(u32);

impl Leniencies {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = {
        let mut all = 0;
        let mut rest: &[Leniency] = &Leniency::ALL;
        while let [first, tail @ ..] = rest {
            all |= first.bit();
            rest = tail;
        }
        Self(all)
    };

    /// With one more.
    #[must_use]
    pub const fn with(self, leniency: Leniency) -> Self {
        Self(self.0 | leniency.bit())
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, leniency: Leniency) -> Self {
        Self(self.0 & !leniency.bit())
    }

    /// Whether it holds this one.
    pub const fn contains(self, leniency: Leniency) -> bool {
        self.0 & leniency.bit() != 0
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that it holds.
    pub fn iter(self) -> impl Iterator<Item = Leniency> {
        Leniency::ALL.into_iter().filter(move |leniency| self.contains(*leniency))
    }

    pub(crate) fn insert(&mut self, leniency: Leniency) {
        *self = self.with(leniency);
    }
}

impl FromIterator<Leniency> for Leniencies {
    fn from_iter<I: IntoIterator<Item = Leniency>>(leniencies: I) -> Self {
        leniencies.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Leniencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How many PDUs each leniency was used for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LeniencyCounts([u64; Leniency::ALL.len()]);

impl LeniencyCounts {
    /// For how many PDUs this one was used.
    pub fn get(&self, leniency: Leniency) -> u64 {
        self.0.get(leniency as usize).copied().unwrap_or_default()
    }

    /// Those that were used, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Leniency, u64)> {
        Leniency::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// Counts one PDU.
    #[inline]
    pub fn add(&mut self, used: Leniencies) {
        if used.is_empty() {
            return;
        }
        for leniency in used.iter() {
            if let Some(count) = self.0.get_mut(leniency as usize) {
                *count = count.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_counts() {
        let used = Leniencies::from_iter([Leniency::OddTime, Leniency::ExtraOctets]);
        assert_eq!(format!("{used:?}"), "{ExtraOctets, OddTime}");
        assert!(used.without(Leniency::OddTime).without(Leniency::ExtraOctets).is_empty());
        assert_eq!(Leniencies::ALL.iter().count(), Leniency::ALL.len());
        let mut counts = LeniencyCounts::default();
        counts.add(used);
        counts.add(Leniencies::NONE.with(Leniency::OddTime));
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(Leniency::ExtraOctets, 1), (Leniency::OddTime, 2)]);
    }
}
