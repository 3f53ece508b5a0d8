use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::size_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{ConcatenationKind, HeldPart, LongMessage, Part};

/// Collects the parts of long messages. It reads no clock: `now` is an argument.
///
/// Parts belong together if they have in common: the link, source and destination address, where the part says that it
/// is one (header with a reference of one or of two octets, or TLVs), the reference, and the total. What is held is
/// bounded ([`ReassemblyLimits`]), overall and for each source. Nothing is lost in silence: what must go is handed back
/// with a reason.
///
/// `T` is what the caller wants back with each part, such as the sequence number to answer. Its own heap is not counted.
///
/// Order of calls: [`insert`](Self::insert) for each part, [`expire`](Self::expire) at
/// [`next_timeout`](Self::next_timeout).
///
/// ```
/// use std::time::Instant;
///
/// use bytes::Bytes;
/// use smpp::text::{Body, Codings, Outcome, Part, Reassembler};
/// use smpp::tlv::Tlvs;
/// use smpp::types::{DataCoding, EsmClass, ShortMessage};
///
/// # fn example(now: Instant) -> Result<(), smpp::types::MessageTooLong> {
/// let mut reassembler = Reassembler::default();
/// let mut whole = None;
/// for (tag, octets) in [&b"\x05\x00\x03\x2a\x02\x02world"[..], b"\x05\x00\x03\x2a\x02\x01Hello "].iter().enumerate() {
///     let short_message = ShortMessage::new(Bytes::from_static(octets))?;
///     let body = Body::new(EsmClass::UDHI, DataCoding::DEFAULT, &short_message, &Tlvs::new());
///     let part = Part::of(&body, 1, b"27831234567", b"31234", tag).unwrap();
///     match reassembler.insert(part, now).outcome {
///         Outcome::Complete(message) => whole = Some(message),
///         outcome => assert_eq!(outcome, Outcome::Stored),
///     }
/// }
/// let message = whole.unwrap();
/// assert_eq!(message.decode(&Codings::default()).unwrap().text, "Hello world");
/// assert_eq!(message.parts.iter().map(|part| part.tag).collect::<Vec<_>>(), [1, 0]);
/// # Ok(())
/// # }
/// # #[expect(clippy::disallowed_methods)]
/// # example(Instant::now()).unwrap();
/// ```
#[derive(Debug)]
pub struct Reassembler<T> {
    limits: ReassemblyLimits,
    /// By number, which grows with the time of the first part.
    groups: BTreeMap<u64, Group<T>>,
    by_key: HashMap<Arc<Key>, u64>,
    by_source: HashMap<Source, Usage>,
    next: u64,
    octets: usize,
}

/// How much a [`Reassembler`] holds, and for how long. Octets are those of texts and addresses with an allowance for
/// the records around them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct ReassemblyLimits {
    groups: usize,
    groups_per_source: usize,
    octets: usize,
    octets_per_source: usize,
    age: Duration,
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            groups: 10_000,
            groups_per_source: 64,
            octets: 16 << 20,
            octets_per_source: 1 << 20,
            age: Duration::from_secs(3_600),
        }
    }
}

impl ReassemblyLimits {
    /// Most unfinished messages. Default: 10,000.
    #[must_use]
    pub const fn with_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Most unfinished messages of one source on one link. Default: 64.
    #[must_use]
    pub const fn with_groups_per_source(self, groups_per_source: usize) -> Self {
        Self { groups_per_source, ..self }
    }

    /// Most octets held. Default: 16 MiB.
    #[must_use]
    pub const fn with_octets(self, octets: usize) -> Self {
        Self { octets, ..self }
    }

    /// Most octets held of one source on one link. Default: 1 MiB.
    #[must_use]
    pub const fn with_octets_per_source(self, octets_per_source: usize) -> Self {
        Self { octets_per_source, ..self }
    }

    /// How long after its first part a message may come to its end. Default: one hour.
    #[must_use]
    pub const fn with_age(self, age: Duration) -> Self {
        Self { age, ..self }
    }
}

/// What came of a part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Insertion<T> {
    /// Of the part itself.
    pub outcome: Outcome<T>,
    /// Messages that had to go.
    pub abandoned: Vec<Abandoned<T>>,
}

/// What became of one part.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// It is held until the others come.
    Stored,
    /// It was the last one.
    Complete(LongMessage<T>),
    /// The same part had come before; this one is dropped.
    Duplicate(T),
    /// It alone exceeds what may be held, or its number is not from 1 to its total; it is not held.
    Refused(T),
}

/// A message that will not become whole, with the parts that have come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Abandoned<T> {
    /// What has come of it.
    pub message: LongMessage<T>,
    /// Why it is handed back.
    pub reason: AbandonReason,
}

/// Why a message is handed back unfinished.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AbandonReason {
    /// It is too old.
    Expired,
    /// A part came that has the number of one that was there, but says something else: the reference is in use for
    /// another message, which now has a group of its own. The two are never mixed.
    Conflict,
    /// There are too many unfinished messages, or too many octets of them; it was the oldest.
    Evicted,
    /// As `Evicted`, but of its source.
    SourceEvicted,
    /// The caller has [closed its link](Reassembler::close_link).
    LinkClosed,
}

type Source = (u64, Bytes);

/// What parts must have in common.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Key {
    link: u64,
    source: Bytes,
    destination: Bytes,
    kind: ConcatenationKind,
    reference: u16,
    total: u8,
}

#[derive(Debug)]
struct Group<T> {
    key: Arc<Key>,
    opened: Instant,
    /// By number.
    parts: Vec<HeldPart<T>>,
    octets: usize,
}

/// What one source has here.
#[derive(Debug, Default)]
struct Usage {
    groups: BTreeSet<u64>,
    octets: usize,
}

/// Octets for the records of a group, beside its addresses: itself, its key, its entries in the maps and the source's
/// record, with the slack that they grow with.
const GROUP: usize = 1_024;

impl<T> Default for Reassembler<T> {
    fn default() -> Self {
        Self::new(ReassemblyLimits::default())
    }
}

impl<T> Reassembler<T> {
    /// A reassembler that holds nothing yet.
    pub fn new(limits: ReassemblyLimits) -> Self {
        Self { limits, groups: BTreeMap::new(), by_key: HashMap::new(), by_source: HashMap::new(), next: 0, octets: 0 }
    }

    /// Takes a part.
    pub fn insert(&mut self, part: Part<'_, T>, now: Instant) -> Insertion<T> {
        let mut abandoned = self.expire(now);
        let outcome = self.take(part, now, &mut abandoned);
        Insertion { outcome, abandoned }
    }

    /// Hands back what has become too old.
    pub fn expire(&mut self, now: Instant) -> Vec<Abandoned<T>> {
        let mut expired = Vec::new();
        while let Some((&number, group)) = self.groups.first_key_value() {
            let age = now.saturating_duration_since(group.opened);
            if age < self.limits.age {
                break;
            }
            self.abandon(number, AbandonReason::Expired, &mut expired);
        }
        expired
    }

    /// When the next message becomes too old; none if nothing is held, or if the limit lies beyond what the clock can
    /// say.
    pub fn next_timeout(&self) -> Option<Instant> {
        let (_, group) = self.groups.first_key_value()?;
        group.opened.checked_add(self.limits.age)
    }

    /// Hands back all of one link.
    pub fn close_link(&mut self, link: u64) -> Vec<Abandoned<T>> {
        let of_link = self.groups.iter().filter(|(_, group)| group.key.link == link);
        let numbers: Vec<u64> = of_link.map(|(number, _)| *number).collect();
        let mut closed = Vec::new();
        for number in numbers {
            self.abandon(number, AbandonReason::LinkClosed, &mut closed);
        }
        closed
    }

    /// Number of unfinished messages.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Octets held, as the limits count them.
    pub fn octets(&self) -> usize {
        self.octets
    }

    fn take(&mut self, part: Part<'_, T>, now: Instant, abandoned: &mut Vec<Abandoned<T>>) -> Outcome<T> {
        let concatenation = part.concatenation;
        if !(1..=concatenation.total).contains(&concatenation.part) {
            return Outcome::Refused(part.tag);
        }
        let key = Key {
            link: part.link,
            source: Bytes::copy_from_slice(part.source),
            destination: Bytes::copy_from_slice(part.destination),
            kind: concatenation.kind,
            reference: concatenation.reference,
            total: concatenation.total,
        };
        if concatenation.total == 1 {
            return Outcome::Complete(message(&key, vec![HeldPart::detached(part)]));
        }
        let mut number = self.by_key.get(&key).copied();
        if let Some(group) = number.and_then(|number| self.groups.get(&number))
            && let Ok(at) = group.position(concatenation.part)
            && let Some(held) = group.parts.get(at)
        {
            if held.equals(&part) {
                return Outcome::Duplicate(part.tag);
            }
            if let Some(number) = number.take() {
                self.abandon(number, AbandonReason::Conflict, abandoned);
            }
        }
        let own = number.and_then(|number| self.groups.get(&number));
        if own.is_some_and(|group| group.parts.len().saturating_add(1) == usize::from(concatenation.total)) {
            if let Some(mut group) = number.and_then(|number| self.remove(number)) {
                group.put(HeldPart::detached(part), 0);
                return Outcome::Complete(message(&group.key, group.parts));
            }
            return Outcome::Refused(part.tag);
        }
        let cost = part.text.len().saturating_add(size_of::<HeldPart<T>>().saturating_mul(2));
        let opening = match own {
            Some(_) => 0,
            None => key.source.len().saturating_mul(2).saturating_add(key.destination.len()).saturating_add(GROUP),
        };
        if !self.make_room(&key, number, cost.saturating_add(opening), abandoned) {
            return Outcome::Refused(part.tag);
        }
        let number = number.unwrap_or_else(|| self.open(key, now, opening));
        if let Some(group) = self.groups.get_mut(&number) {
            group.put(HeldPart::detached(part), cost);
            self.octets = self.octets.saturating_add(cost);
            let source = (group.key.link, group.key.source.clone());
            self.by_source.entry(source).or_default().octets += cost;
        }
        Outcome::Stored
    }

    /// Evicts until `cost` octets more, and a group if there is no `own` one, are within the limits. False if they
    /// cannot be.
    fn make_room(&mut self, key: &Key, own: Option<u64>, cost: usize, abandoned: &mut Vec<Abandoned<T>>) -> bool {
        let limits = self.limits;
        let held = own.and_then(|own| self.groups.get(&own)).map_or(0, |group| group.octets);
        let alone = held.saturating_add(cost);
        if alone > limits.octets.min(limits.octets_per_source) || limits.groups.min(limits.groups_per_source) == 0 {
            return false;
        }
        let opened = usize::from(own.is_none());
        let source = (key.link, key.source.clone());
        while let Some(usage) = self.by_source.get(&source)
            && (usage.groups.len().saturating_add(opened) > limits.groups_per_source
                || usage.octets.saturating_add(cost) > limits.octets_per_source)
            && let Some(oldest) = usage.groups.iter().copied().find(|number| Some(*number) != own)
        {
            self.abandon(oldest, AbandonReason::SourceEvicted, abandoned);
        }
        while (self.groups.len().saturating_add(opened) > limits.groups
            || self.octets.saturating_add(cost) > limits.octets)
            && let Some(oldest) = self.groups.keys().copied().find(|number| Some(*number) != own)
        {
            self.abandon(oldest, AbandonReason::Evicted, abandoned);
        }
        true
    }

    fn open(&mut self, key: Key, now: Instant, cost: usize) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        let usage = self.by_source.entry((key.link, key.source.clone())).or_default();
        usage.groups.insert(number);
        usage.octets = usage.octets.saturating_add(cost);
        self.octets = self.octets.saturating_add(cost);
        let key = Arc::new(key);
        self.by_key.insert(Arc::clone(&key), number);
        self.groups.insert(number, Group { key, opened: now, parts: Vec::new(), octets: cost });
        number
    }

    fn remove(&mut self, number: u64) -> Option<Group<T>> {
        let group = self.groups.remove(&number)?;
        self.by_key.remove(&group.key);
        self.octets = self.octets.saturating_sub(group.octets);
        let source = (group.key.link, group.key.source.clone());
        if let Some(usage) = self.by_source.get_mut(&source) {
            usage.octets = usage.octets.saturating_sub(group.octets);
            usage.groups.remove(&number);
            if usage.groups.is_empty() {
                self.by_source.remove(&source);
            }
        }
        Some(group)
    }

    fn abandon(&mut self, number: u64, reason: AbandonReason, abandoned: &mut Vec<Abandoned<T>>) {
        if let Some(group) = self.remove(number) {
            abandoned.push(Abandoned { message: message(&group.key, group.parts), reason });
        }
    }
}

impl<T> Group<T> {
    fn position(&self, number: u8) -> Result<usize, usize> {
        self.parts.binary_search_by_key(&number, |part| part.number)
    }

    fn put(&mut self, part: HeldPart<T>, cost: usize) {
        let (Ok(at) | Err(at)) = self.position(part.number);
        self.parts.insert(at, part);
        self.octets = self.octets.saturating_add(cost);
    }
}

fn message<T>(key: &Key, parts: Vec<HeldPart<T>>) -> LongMessage<T> {
    LongMessage {
        link: key.link,
        source: key.source.clone(),
        destination: key.destination.clone(),
        kind: key.kind,
        reference: key.reference,
        total: key.total,
        parts,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Codings, Concatenation, Gsm7};
    use super::*;
    use crate::types::DataCoding;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
        Instant::now()
    }

    fn part(reference: u16, total: u8, part: u8, text: &[u8], tag: usize) -> Part<'_, usize> {
        Part {
            link: 1,
            source: b"27831234567",
            destination: b"31234",
            concatenation: Concatenation { kind: ConcatenationKind::Udh8, reference, total, part },
            data_coding: DataCoding::DEFAULT,
            tables: Gsm7::DEFAULT,
            header_length: 6,
            text,
            tag,
        }
    }

    fn tags<T: Copy>(message: &LongMessage<T>) -> Vec<T> {
        message.parts.iter().map(|part| part.tag).collect()
    }

    #[test]
    fn parts_in_any_order() {
        let mut reassembler = Reassembler::default();
        let now = start();
        assert_eq!(reassembler.insert(part(1, 3, 3, b"c", 0), now).outcome, Outcome::Stored);
        assert_eq!(reassembler.insert(part(1, 3, 1, b"a", 1), now).outcome, Outcome::Stored);
        let Outcome::Complete(message) = reassembler.insert(part(1, 3, 2, b"b", 2), now).outcome else { panic!() };
        assert_eq!((message.octets(), tags(&message)), (b"abc".to_vec(), vec![1, 2, 0]));
        assert_eq!(message.decode(&Codings::default()).unwrap().text, "abc");
        assert!(message.is_complete());
        assert_eq!((reassembler.groups(), reassembler.octets(), reassembler.next_timeout()), (0, 0, None));
        assert!(reassembler.by_source.is_empty() && reassembler.by_key.is_empty());
    }

    #[test]
    fn a_message_of_one_part_is_whole_at_once() {
        let outcome = Reassembler::default().insert(part(1, 1, 1, b"a", 0), start()).outcome;
        assert!(matches!(outcome, Outcome::Complete(message) if message.parts.len() == 1));
    }

    #[test]
    fn all_of_the_key_counts() {
        let first = part(1, 2, 1, b"a", 0);
        let concatenation = first.concatenation;
        for other in [
            Part { link: 2, ..first },
            Part { source: b"27831234568", ..first },
            Part { destination: b"31235", ..first },
            Part { concatenation: Concatenation { kind: ConcatenationKind::Udh16, ..concatenation }, ..first },
            Part { concatenation: Concatenation { kind: ConcatenationKind::Sar, ..concatenation }, ..first },
            Part { concatenation: Concatenation { reference: 2, ..concatenation }, ..first },
            Part { concatenation: Concatenation { total: 3, ..concatenation }, ..first },
        ] {
            let mut reassembler = Reassembler::default();
            reassembler.insert(first, start());
            let other = Part { concatenation: Concatenation { part: 2, ..other.concatenation }, ..other };
            assert_eq!(reassembler.insert(other, start()).outcome, Outcome::Stored, "{other:?}");
            assert_eq!(reassembler.groups(), 2);
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let mut reassembler = Reassembler::default();
        for (total, number) in [(0, 0), (2, 0), (2, 3), (0, 1)] {
            assert_eq!(reassembler.insert(part(1, total, number, b"a", 7), start()).outcome, Outcome::Refused(7));
        }
    }

    #[test]
    fn duplicates_and_conflicts() {
        let mut reassembler = Reassembler::default();
        let now = start();
        reassembler.insert(part(1, 2, 1, b"old", 0), now);
        assert_eq!(reassembler.insert(part(1, 2, 1, b"old", 1), now).outcome, Outcome::Duplicate(1));
        let Insertion { outcome, abandoned } = reassembler.insert(part(1, 2, 1, b"new", 2), now);
        assert_eq!(outcome, Outcome::Stored);
        let [Abandoned { message, reason: AbandonReason::Conflict }] = &abandoned[..] else { panic!("{abandoned:?}") };
        assert_eq!(tags(message), [0]);
        let Outcome::Complete(message) = reassembler.insert(part(1, 2, 2, b"er", 3), now).outcome else { panic!() };
        assert_eq!(message.octets(), b"newer");
    }

    #[test]
    fn old_messages_are_handed_back() {
        let mut reassembler = Reassembler::new(ReassemblyLimits::default().with_age(Duration::from_secs(60)));
        let now = start();
        reassembler.insert(part(1, 2, 1, b"a", 0), now);
        reassembler.insert(part(2, 2, 1, b"b", 1), now + Duration::from_secs(30));
        assert_eq!(reassembler.next_timeout(), Some(now + Duration::from_secs(60)));
        assert_eq!(reassembler.expire(now + Duration::from_secs(59)), []);
        let Insertion { outcome, abandoned } =
            reassembler.insert(part(1, 2, 2, b"c", 2), now + Duration::from_secs(60));
        assert_eq!((outcome, abandoned.len(), abandoned[0].reason), (Outcome::Stored, 1, AbandonReason::Expired));
        assert_eq!(reassembler.groups(), 2);
        // A clock that goes back makes nothing older.
        assert_eq!(reassembler.expire(now), []);
        let closed = reassembler.close_link(1);
        assert_eq!(
            closed.iter().map(|old| (tags(&old.message), old.reason)).collect::<Vec<_>>(),
            [(vec![1], AbandonReason::LinkClosed), (vec![2], AbandonReason::LinkClosed),]
        );
    }

    #[test]
    fn one_source_cannot_push_out_another() {
        let mut reassembler = Reassembler::new(ReassemblyLimits::default().with_groups_per_source(3).with_groups(5));
        let now = start();
        reassembler.insert(Part { source: b"honest", ..part(9, 2, 1, b"a", 100) }, now);
        for reference in 0..50 {
            let Insertion { abandoned, .. } = reassembler.insert(part(reference, 2, 1, b"x", reference.into()), now);
            let reasons: Vec<_> = abandoned.iter().map(|old| (tags(&old.message), old.reason)).collect();
            let oldest = usize::from(reference).checked_sub(3);
            let expected: Vec<_> =
                oldest.map(|oldest| (vec![oldest], AbandonReason::SourceEvicted)).into_iter().collect();
            assert_eq!(reasons, expected);
        }
        assert_eq!(reassembler.groups(), 4);
    }

    #[test]
    fn a_part_that_alone_is_too_much_pushes_nothing_out() {
        let mut reassembler = Reassembler::new(ReassemblyLimits::default().with_octets_per_source(4_000));
        reassembler.insert(part(1, 2, 1, b"a", 0), start());
        let big = vec![b'x'; 4_000];
        let Insertion { outcome, abandoned } = reassembler.insert(part(2, 2, 1, &big, 1), start());
        assert_eq!((outcome, abandoned, reassembler.groups()), (Outcome::Refused(1), vec![], 1));
        let mut nothing = Reassembler::new(ReassemblyLimits::default().with_groups(0));
        assert_eq!(nothing.insert(part(2, 2, 1, b"", 1), start()).outcome, Outcome::Refused(1));
    }

    #[test]
    fn parts_keep_no_read_buffer_alive() {
        let buffer = Bytes::from(vec![b'x'; 65_536]);
        let mut reassembler = Reassembler::default();
        reassembler.insert(part(1, 2, 1, &buffer[..10], 0), start());
        assert!(buffer.is_unique());
    }

    /// One step of a run: after how many seconds which part comes.
    #[derive(Clone, Debug)]
    struct Step {
        seconds: u64,
        source: u8,
        reference: u16,
        total: u8,
        number: u8,
        text: Vec<u8>,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let text = prop_oneof![Just(b"a".to_vec()), Just(b"b".to_vec()), Just(vec![b'c'; 900])];
        let step = (0u64..15, 0u8..3, 0u16..3, 0u8..4, 0u8..4, text).prop_map(
            |(seconds, source, reference, total, number, text)| Step {
                seconds,
                source,
                reference,
                total,
                number,
                text,
            },
        );
        prop::collection::vec(step, 0..80)
    }

    /// The naive model: a list of messages, oldest first, looked through from end to end.
    #[derive(Default)]
    struct Model(Vec<ModelGroup>);

    struct ModelGroup {
        key: (u8, u16, u8),
        opened: u64,
        parts: BTreeMap<u8, (Vec<u8>, usize)>,
    }

    const AGE: u64 = 60;
    const GROUPS: usize = 4;
    const PER_SOURCE: usize = 2;

    impl Model {
        fn tags(group: ModelGroup) -> Vec<usize> {
            group.parts.into_values().map(|(_, tag)| tag).collect()
        }

        /// Tags of what is handed back with the reason, and what became of the part.
        fn insert(&mut self, step: &Step, tag: usize, now: u64) -> (Vec<(Vec<usize>, AbandonReason)>, String) {
            let mut gone = Vec::new();
            while self.0.first().is_some_and(|group| now - group.opened >= AGE) {
                gone.push((Self::tags(self.0.remove(0)), AbandonReason::Expired));
            }
            if step.number == 0 || step.number > step.total {
                return (gone, format!("refused {tag}"));
            }
            if step.total == 1 {
                return (gone, format!("complete {:?}", [tag]));
            }
            let key = (step.source, step.reference, step.total);
            if let Some(at) = self.0.iter().position(|group| group.key == key) {
                match self.0[at].parts.get(&step.number) {
                    Some((text, _)) if *text == step.text => return (gone, format!("duplicate {tag}")),
                    Some(_) => gone.push((Self::tags(self.0.remove(at)), AbandonReason::Conflict)),
                    None => {
                        self.0[at].parts.insert(step.number, (step.text.clone(), tag));
                        if self.0[at].parts.len() == usize::from(step.total) {
                            return (gone, format!("complete {:?}", Self::tags(self.0.remove(at))));
                        }
                        return (gone, "stored".into());
                    }
                }
            }
            let of_source: Vec<usize> = (0..self.0.len()).filter(|at| self.0[*at].key.0 == step.source).collect();
            if of_source.len() == PER_SOURCE {
                gone.push((Self::tags(self.0.remove(of_source[0])), AbandonReason::SourceEvicted));
            }
            if self.0.len() == GROUPS {
                gone.push((Self::tags(self.0.remove(0)), AbandonReason::Evicted));
            }
            let parts = BTreeMap::from([(step.number, (step.text.clone(), tag))]);
            self.0.push(ModelGroup { key, opened: now, parts });
            (gone, "stored".into())
        }
    }

    fn run(reassembler: &mut Reassembler<usize>, step: &Step, tag: usize, now: Instant) -> Insertion<usize> {
        let part = part(step.reference, step.total, step.number, &step.text, tag);
        reassembler.insert(Part { source: &[step.source], ..part }, now)
    }

    fn words(outcome: &Outcome<usize>) -> String {
        match outcome {
            Outcome::Stored => "stored".into(),
            Outcome::Complete(message) => format!("complete {:?}", tags(message)),
            Outcome::Duplicate(tag) => format!("duplicate {tag}"),
            Outcome::Refused(tag) => format!("refused {tag}"),
        }
    }

    proptest! {
        #[test]
        fn as_the_naive_model(steps in steps()) {
            let limits = ReassemblyLimits::default()
                .with_age(Duration::from_secs(AGE))
                .with_groups(GROUPS)
                .with_groups_per_source(PER_SOURCE);
            let (mut reassembler, mut model) = (Reassembler::new(limits), Model::default());
            let (start, mut now) = (start(), 0);
            for (tag, step) in steps.iter().enumerate() {
                now += step.seconds;
                let Insertion { outcome, abandoned } = run(&mut reassembler, step, tag, start + Duration::from_secs(now));
                let abandoned: Vec<_> = abandoned.iter().map(|old| (tags(&old.message), old.reason)).collect();
                prop_assert_eq!((abandoned, words(&outcome)), model.insert(step, tag, now));
                prop_assert_eq!(reassembler.groups(), model.0.len());
            }
        }

        #[test]
        fn bounded_and_nothing_lost(steps in steps()) {
            let limits = ReassemblyLimits::default().with_octets(9_000).with_octets_per_source(5_000);
            let mut reassembler = Reassembler::new(limits);
            let now = start();
            let mut back = BTreeSet::new();
            for (tag, step) in steps.iter().enumerate() {
                let Insertion { outcome, abandoned } = run(&mut reassembler, step, tag, now);
                let mut returned: Vec<usize> = abandoned.iter().flat_map(|old| tags(&old.message)).collect();
                match outcome {
                    Outcome::Stored => {}
                    Outcome::Complete(message) => returned.extend(tags(&message)),
                    Outcome::Duplicate(tag) | Outcome::Refused(tag) => returned.push(tag),
                }
                for tag in returned {
                    prop_assert!(back.insert(tag), "{tag} came back twice");
                }
                prop_assert!(reassembler.octets() <= 9_000);
                let counted: usize = reassembler.groups.values().map(|group| group.octets).sum();
                prop_assert_eq!(reassembler.octets(), counted);
                for usage in reassembler.by_source.values() {
                    let of_source: usize = usage.groups.iter().map(|number| reassembler.groups[number].octets).sum();
                    prop_assert_eq!(usage.octets, of_source);
                    prop_assert!(usage.octets <= 5_000);
                }
            }
            for old in reassembler.close_link(1) {
                for tag in tags(&old.message) {
                    prop_assert!(back.insert(tag), "{tag} came back twice");
                }
            }
            prop_assert_eq!(back, (0..steps.len()).collect::<BTreeSet<_>>());
            prop_assert_eq!((reassembler.octets(), reassembler.by_source.len()), (0, 0));
        }
    }
}
