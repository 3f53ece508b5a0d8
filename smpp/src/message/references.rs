use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

/// Numbers for the parts of long messages, counted for each recipient, so that two messages to one phone get the same
/// number only after all others were used: 256 with a reference of one octet, 65,536 with two.
///
/// It holds a number for each of the last recipients of long messages, 10,000 if nothing else is said; one whose number
/// was forgotten begins somewhere else.
#[derive(Clone, Debug)]
pub struct References {
    /// The next number, and when it was taken last.
    by_recipient: HashMap<Bytes, (u16, u64)>,
    by_use: BTreeMap<u64, Bytes>,
    uses: u64,
    capacity: usize,
    /// Where the next new recipient begins.
    start: u16,
}

/// How many recipients are remembered.
const CAPACITY: usize = 10_000;
/// Between the beginnings of two recipients: odd, so that all numbers come about.
const STRIDE: u16 = 40_503;

impl References {
    /// Numbers that begin at `seed` for the first recipient: draw it at random, so that a program that was restarted
    /// does not use its last numbers again.
    pub fn new(seed: u16) -> Self {
        Self::with_capacity(seed, CAPACITY)
    }

    /// As [`new`](Self::new), with room for so many recipients, at least one.
    pub fn with_capacity(seed: u16, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { by_recipient: HashMap::new(), by_use: BTreeMap::new(), uses: 0, capacity, start: seed }
    }

    /// The number of the next long message to this recipient.
    pub fn next(&mut self, recipient: &[u8]) -> u16 {
        self.uses = self.uses.saturating_add(1);
        if let Some((next, used)) = self.by_recipient.get_mut(recipient) {
            let number = *next;
            *next = next.wrapping_add(1);
            let before = std::mem::replace(used, self.uses);
            if let Some(recipient) = self.by_use.remove(&before) {
                self.by_use.insert(self.uses, recipient);
            }
            return number;
        }
        if self.by_recipient.len() >= self.capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.by_recipient.remove(&oldest);
        }
        let number = self.start;
        self.start = self.start.wrapping_add(STRIDE);
        let recipient = Bytes::copy_from_slice(recipient);
        self.by_use.insert(self.uses, recipient.clone());
        self.by_recipient.insert(recipient, (number.wrapping_add(1), self.uses));
        number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_comes_twice_for_one_recipient() {
        let mut references = References::new(65_500);
        let mut octets = HashSet::new();
        for _ in 0..256 {
            assert!(octets.insert(references.next(b"1") % 256));
            references.next(b"2");
        }
        let mut numbers = HashSet::new();
        assert!((0..=u16::MAX).all(|_| numbers.insert(references.next(b"3"))));
        assert!(!numbers.insert(references.next(b"3")));
    }

    #[test]
    fn who_was_not_written_to_for_longest_is_forgotten() {
        let mut references = References::with_capacity(0, 2);
        let first = references.next(b"1");
        references.next(b"2");
        assert_eq!(references.next(b"1"), first + 1);
        references.next(b"3");
        assert_eq!(references.next(b"1"), first + 2);
        assert_eq!((references.by_recipient.len(), references.by_use.len()), (2, 2));
        assert!(!references.by_recipient.contains_key(&b"2"[..]));
    }
}
