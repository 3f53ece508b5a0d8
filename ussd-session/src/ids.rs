//! Names of links, sessions, turns, and what the network calls them.

use std::{fmt, num::NonZeroU64, sync::Arc};

use crate::time::Millis;

/// One gateway account, or one group of binds to the same gateway: where a phone is reached.
///
/// Two binds to one gateway share a link, because the answer may come on the other one.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct LinkId(pub u16);

/// Names one session, once: never given again, also not after a restart and not on another machine.
///
/// The upper 12 bits are the node, the lower 52 count on from the time of the start ([`SessionIds`]).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct SessionId(NonZeroU64);

impl SessionId {
    /// Reads an id back, for example from a message that quotes it; zero is no id.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// The id as a number, to be quoted.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Gives out session ids.
///
/// A node that starts anew must not give old ids again, so the count begins at 1,024 ids for each millisecond since
/// 1970: a node would have to open a million sessions a second all its life to catch up with the clock.
#[derive(Clone, Debug)]
pub struct SessionIds {
    node: u64,
    next: u64,
    /// From one id to the next.
    stride: u64,
}

impl SessionIds {
    const COUNT: u64 = (1 << 52) - 1;

    /// Ids for `node` (its lower 12 bits count; give each machine its own), begun at `now`.
    #[must_use]
    pub fn new(node: u16, now: Millis) -> Self {
        Self { node: (u64::from(node) & 0xFFF) << 52, next: (now.0 << 10) & Self::COUNT, stride: 1 }
    }

    /// Every `stride`-th id only, from the `first` on: for several that share a node.
    pub(crate) fn every(mut self, stride: u64, first: u64) -> Self {
        (self.next, self.stride) = ((self.next + first) & Self::COUNT, stride);
        self
    }

    /// Never gives out this id, which was given before.
    pub(crate) fn pass(&mut self, id: SessionId) {
        let given = id.to_bits() & Self::COUNT;
        if id.to_bits() & !Self::COUNT == self.node && given >= self.next {
            let steps = (given - self.next) / self.stride + 1;
            self.next = (self.next + steps * self.stride) & Self::COUNT;
        }
    }

    /// A fresh id.
    pub fn fresh(&mut self) -> SessionId {
        let id = self.peek();
        self.next = (self.next + self.stride) & Self::COUNT;
        id
    }

    /// The id that comes next.
    pub(crate) fn peek(&self) -> SessionId {
        SessionId(NonZeroU64::new(self.node | self.next).unwrap_or(NonZeroU64::MAX))
    }
}

/// One turn of one session: what every reply of an application quotes.
///
/// A reply that quotes another turn than the current one is refused, so no late, doubled or lost reply is ever shown
/// to the user, least of all within the next session of the same phone.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct TurnToken {
    /// The session.
    pub session: SessionId,
    /// The turn: 1 for the dialled code, one more for every answer; 0 for a push that nobody has answered yet.
    pub turn: u16,
}

impl fmt::Display for TurnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.session, self.turn)
    }
}

/// What the network calls the dialogue: raw octets, echoed as they came, perhaps none.
///
/// Never a key by itself: some gateways have no such id, some use 8 bits, some reuse it, some change it with each
/// message. Up to 14 octets live in place.
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Vec<u8>", into = "Vec<u8>"))]
pub struct NetId(Repr);

#[derive(Clone, Eq, PartialEq)]
enum Repr {
    Inline { len: u8, octets: [u8; NetId::INLINE] },
    // A thin pointer: long ids are rare, and the record stays small.
    Shared(Arc<Box<[u8]>>),
}

impl NetId {
    /// No id.
    pub const NONE: Self = Self(Repr::Inline { len: 0, octets: [0; Self::INLINE] });

    /// Octets of the longest id.
    pub const MAX: usize = 64;

    const INLINE: usize = 14;

    /// An id of up to [`NetId::MAX`] octets.
    ///
    /// # Errors
    /// It is longer.
    pub fn new(octets: &[u8]) -> Result<Self, NetIdTooLong> {
        if octets.len() > Self::MAX {
            return Err(NetIdTooLong { len: octets.len() });
        }
        let mut place = [0; Self::INLINE];
        match (place.get_mut(..octets.len()), u8::try_from(octets.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(octets);
                Ok(Self(Repr::Inline { len, octets: place }))
            }
            _ => Ok(Self(Repr::Shared(Arc::new(octets.into())))),
        }
    }

    /// The octets, as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, octets } => octets.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Shared(octets) => octets,
        }
    }

    /// True if the network gave no id.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Repr::Inline { len: 0, .. })
    }
}

impl Default for NetId {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Debug for NetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetId({})", self.as_bytes().escape_ascii())
    }
}

impl TryFrom<Vec<u8>> for NetId {
    type Error = NetIdTooLong;

    fn try_from(octets: Vec<u8>) -> Result<Self, NetIdTooLong> {
        Self::new(&octets)
    }
}

impl From<NetId> for Vec<u8> {
    fn from(id: NetId) -> Self {
        id.as_bytes().to_vec()
    }
}

/// An id of the network of more than [`NetId::MAX`] octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the network's session id has {len} octets, at most {} are kept", NetId::MAX)]
pub struct NetIdTooLong {
    /// How long it is.
    pub len: usize,
}

/// What tells a message sent twice from two messages: the gateway's own key, where it has one (a sequence number, an
/// idempotency header, the full path of a concatenating gateway).
///
/// Two messages of one session with equal keys are one message. Links without such a key give none.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct DedupKey(NonZeroU64);

impl DedupKey {
    /// The key for these octets, the same on every machine.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        Self(NonZeroU64::new(fingerprint(octets)).unwrap_or(NonZeroU64::MAX))
    }

    /// The key as a number, to be written down.
    #[cfg(feature = "store")]
    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// Reads it back; zero is no key.
    #[cfg(feature = "store")]
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }
}

/// FNV-1a: stable on all machines. What it compares comes from one phone, so nobody gains by a collision.
pub(crate) fn fingerprint(octets: &[u8]) -> u64 {
    octets.iter().fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_ids_keep_their_octets() {
        for len in 0..=NetId::MAX {
            let octets = vec![0xA5; len];
            assert_eq!(NetId::new(&octets).unwrap().as_bytes(), octets);
        }
        assert_eq!(NetId::new(&[0; 65]), Err(NetIdTooLong { len: 65 }));
        assert_eq!(size_of::<NetId>(), 16);
    }

    #[test]
    fn session_ids_go_on_after_a_restart() {
        let mut before = SessionIds::new(7, Millis(1_790_000_000_000));
        let old = (0..1000).map(|_| before.fresh()).max().unwrap();
        let new = SessionIds::new(7, Millis(1_790_000_000_001)).fresh();
        assert!(new > old);
        assert_eq!(new.to_bits() >> 52, 7);
        assert_eq!(SessionId::from_bits(new.to_bits()), Some(new));
    }

    #[test]
    fn session_ids_are_shared_out_and_passed() {
        let start = SessionIds::new(7, Millis(1_790_000_000_000));
        let mut shards: Vec<_> = (0..3).map(|first| start.clone().every(3, first)).collect();
        let given: Vec<u64> = (0..9).map(|n| shards[n % 3].fresh().to_bits() - start.peek().to_bits()).collect();
        assert_eq!(given, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let far = SessionId::from_bits(start.peek().to_bits() + 100).unwrap();
        for ids in &mut shards {
            let before = ids.peek();
            ids.pass(SessionId::from_bits(1).unwrap()); // another node's
            ids.pass(SessionId::from_bits(start.peek().to_bits()).unwrap()); // long ago
            assert_eq!(ids.peek(), before);
            ids.pass(far);
            assert!(ids.peek() > far && ids.peek().to_bits() - far.to_bits() <= 3);
            assert_eq!((ids.peek().to_bits() - before.to_bits()) % 3, 0);
        }
    }

    #[test]
    fn fingerprint_is_fnv_1a() {
        assert_eq!(fingerprint(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xAF63_DC4C_8601_EC8C);
    }
}
