//! What every store has to do, played on each.

use std::{future::Future, sync::Arc, time::Duration};

use ussd_session::{
    LinkId, Millis, NetId, SessionId,
    store::{Expect, Found, Key, Open, Owner, Page, Store, Swapped, Tag, Write},
};

/// A store, and what a test may do behind its back.
pub(crate) trait Bench {
    type Store: Store + 'static;

    fn store(&self) -> Arc<Self::Store>;

    /// Lets the time to live of a key run out.
    fn expire(&self, key: Key) -> impl Future<Output = ()>;
}

const HOUR: Duration = Duration::from_secs(3600);

fn key(link: u16, phone: u32) -> Key {
    Key { link: LinkId(link), subscriber: format!("+2783{phone:07}").parse().unwrap() }
}

fn tag(session: u64, version: u64) -> Tag {
    Tag { session: SessionId::from_bits(session).unwrap(), version }
}

fn open(tag: Tag, octets: &[u8], deadline: u64) -> Write<'_> {
    Write::Put { tag, octets, ttl: HOUR, open: Some(Open { deadline: Millis(deadline), node: 3, limit: None }) }
}

fn tombstone(tag: Tag) -> Write<'static> {
    Write::Put { tag, octets: b"over", ttl: HOUR, open: None }
}

/// A store with short words.
struct Short<'b, B: Bench>(&'b B);

impl<B: Bench> Short<'_, B> {
    async fn swap(&self, key: Key, expect: Expect<'_>, write: Write<'_>) -> bool {
        self.0.store().swap(key, expect, write).await.unwrap() == Swapped::Done
    }

    async fn load(&self, key: Key) -> Option<(Tag, Vec<u8>)> {
        match self.0.store().load(key, &NetId::NONE).await.unwrap() {
            Found::Nothing => None,
            Found::Session { tag, octets } => Some((tag, octets)),
            Found::Foreign(foreign) => panic!("{foreign:?}"),
        }
    }

    async fn due(&self, until: u64, max: usize) -> Vec<Key> {
        self.0.store().due(Millis(until), max).await.unwrap()
    }

    async fn owner(&self, key: Key) -> Option<Owner> {
        self.0.store().owner(key).await.unwrap()
    }

    async fn open(&self, link: u16) -> Vec<Key> {
        let (mut keys, mut from) = (Vec::new(), None);
        loop {
            let Page { keys: more, next } = self.0.store().open(LinkId(link), from).await.unwrap();
            keys.extend(more);
            if next.is_none() {
                keys.sort();
                keys.dedup();
                return keys;
            }
            from = next;
        }
    }
}

/// Plays everything, on a store that holds nothing.
pub(crate) async fn all(bench: &impl Bench) {
    compares_and_swaps(bench).await;
    keeps_octets(bench).await;
    tells_incarnations_apart(bench).await;
    lists_what_is_due(bench).await;
    knows_owners(bench).await;
    finds_the_open_sessions_of_a_link(bench).await;
    lets_one_of_many_win(bench).await;
    keeps_to_a_limit(bench).await;
}

async fn compares_and_swaps(bench: &impl Bench) {
    let (short, key, other) = (Short(bench), key(1, 1), key(2, 1));
    assert_eq!(short.load(key).await, None);
    assert!(!short.swap(key, Expect::Is(tag(1, 1)), open(tag(1, 2), b"x", 1)).await, "nothing is there");
    assert_eq!(short.load(key).await, None, "a conflict writes nothing");
    assert!(short.swap(key, Expect::Absent, open(tag(1, 1), b"a", 1)).await);
    assert!(!short.swap(key, Expect::Absent, open(tag(1, 1), b"b", 1)).await, "something is there");
    assert_eq!(short.load(key).await, Some((tag(1, 1), b"a".to_vec())));
    assert!(short.swap(key, Expect::Is(tag(1, 1)), open(tag(1, 2), b"c", 1)).await);
    for old in [tag(1, 1), tag(2, 2), tag(1, 3)] {
        assert!(!short.swap(key, Expect::Is(old), open(tag(1, 3), b"d", 1)).await, "{old:?}");
        assert!(!short.swap(key, Expect::Is(old), Write::Delete).await, "{old:?}");
    }
    assert_eq!(short.load(key).await, Some((tag(1, 2), b"c".to_vec())));
    assert_eq!(short.load(other).await, None, "a phone on another link is another key");
    assert!(short.swap(key, Expect::Is(tag(1, 2)), Write::Delete).await);
    assert_eq!(short.load(key).await, None);
    assert!(short.swap(key, Expect::Absent, Write::Delete).await, "to forget nothing is a write too");
}

async fn keeps_octets(bench: &impl Bench) {
    let (short, key) = (Short(bench), key(1, 2));
    let mut before = Expect::Absent;
    for (version, octets) in [vec![], vec![0], (0..=255).collect(), vec![0xA5; 100_000]].into_iter().enumerate() {
        let tag = tag(u64::MAX, u64::MAX - 4 + version as u64);
        assert!(short.swap(key, before, open(tag, &octets, 1)).await);
        assert_eq!(short.load(key).await, Some((tag, octets)));
        before = Expect::Is(tag);
    }
    assert!(short.swap(key, before, Write::Delete).await);
}

async fn tells_incarnations_apart(bench: &impl Bench) {
    let (short, key) = (Short(bench), key(1, 3));
    assert!(short.swap(key, Expect::Absent, open(tag(0xA, 1), b"A", 1)).await);
    bench.expire(key).await;
    assert_eq!(short.load(key).await, None);
    assert!(!short.swap(key, Expect::Is(tag(0xA, 1)), open(tag(0xA, 2), b"A again", 1)).await);
    assert_eq!(short.load(key).await, None, "what has expired does not come back");
    assert!(short.swap(key, Expect::Absent, open(tag(0xB, 1), b"B", 1)).await);
    assert!(!short.swap(key, Expect::Is(tag(0xA, 1)), open(tag(0xA, 2), b"A again", 1)).await);
    assert_eq!(short.load(key).await, Some((tag(0xB, 1), b"B".to_vec())));
    assert!(short.swap(key, Expect::Is(tag(0xB, 1)), Write::Delete).await);
}

async fn lists_what_is_due(bench: &impl Bench) {
    let (short, keys) = (Short(bench), [key(1, 4), key(2, 5), key(1, 6)]);
    for (at, deadline) in [(0, 1_790_000_000_300), (1, 1_790_000_000_100), (2, 1_790_000_000_200)] {
        assert!(short.swap(keys[at], Expect::Absent, open(tag(1, 1), b"", deadline)).await);
    }
    assert_eq!(short.due(1_790_000_000_099, 9).await, []);
    assert_eq!(short.due(1_790_000_000_200, 9).await, [keys[1], keys[2]]);
    assert_eq!(short.due(1_790_000_000_999, 2).await, [keys[1], keys[2]], "the earliest first");
    assert!(short.swap(keys[1], Expect::Is(tag(1, 1)), open(tag(1, 2), b"", 1_790_000_000_400)).await);
    assert_eq!(short.due(1_790_000_000_999, 9).await, [keys[2], keys[0], keys[1]], "a write moves it");
    assert!(!short.swap(keys[2], Expect::Is(tag(1, 9)), open(tag(1, 10), b"", 1)).await);
    assert_eq!(short.due(1_790_000_000_200, 9).await, [keys[2]], "a conflict does not");
    assert!(short.swap(keys[2], Expect::Is(tag(1, 1)), tombstone(tag(1, 2))).await);
    assert!(short.swap(keys[0], Expect::Is(tag(1, 1)), Write::Delete).await);
    assert_eq!(short.due(1_790_000_000_999, 9).await, [keys[1]], "tombstones are not due");
    bench.expire(keys[1]).await;
    assert!(short.swap(keys[1], Expect::Absent, Write::Delete).await);
    assert_eq!(short.due(u64::from(u32::MAX) << 20, 9).await, [], "what has expired can be taken off");
    assert!(short.swap(keys[2], Expect::Is(tag(1, 2)), Write::Delete).await);
}

async fn knows_owners(bench: &impl Bench) {
    let (short, key) = (Short(bench), key(1, 7));
    let owner = |session, node| Some(Owner { session: SessionId::from_bits(session).unwrap(), node });
    let by = |tag, node| Write::Put {
        tag,
        octets: b"",
        ttl: HOUR,
        open: Some(Open { deadline: Millis(1), node, limit: None }),
    };
    assert_eq!(short.owner(key).await, None);
    assert!(short.swap(key, Expect::Absent, by(tag(1, 1), 0)).await);
    assert_eq!(short.owner(key).await, owner(1, 0));
    assert!(!short.swap(key, Expect::Absent, by(tag(5, 1), 5)).await);
    assert_eq!(short.owner(key).await, owner(1, 0), "a conflict changes no owner");
    assert!(short.swap(key, Expect::Is(tag(1, 1)), by(tag(1, 2), 4095)).await);
    assert_eq!(short.owner(key).await, owner(1, 4095));
    assert!(short.swap(key, Expect::Is(tag(1, 2)), by(tag(u64::MAX, 1), 2)).await);
    assert_eq!(short.owner(key).await, owner(u64::MAX, 2), "a redial");
    assert!(short.swap(key, Expect::Is(tag(u64::MAX, 1)), tombstone(tag(u64::MAX, 2))).await);
    assert_eq!(short.owner(key).await, None, "nobody owns a tombstone");
    assert!(short.swap(key, Expect::Is(tag(u64::MAX, 2)), by(tag(7, 1), 2)).await);
    assert!(short.swap(key, Expect::Is(tag(7, 1)), Write::Delete).await);
    assert_eq!(short.owner(key).await, None);
}

async fn finds_the_open_sessions_of_a_link(bench: &impl Bench) {
    let short = Short(bench);
    // More than fit into one page, and numbers of links that begin alike.
    let keys: Vec<_> = (0..2500).map(|phone| key(if phone % 3 == 0 { 11 } else { 1 }, phone)).collect();
    for key in &keys {
        assert!(short.swap(*key, Expect::Absent, open(tag(1, 1), b"", 1)).await);
    }
    assert!(short.swap(keys[1], Expect::Is(tag(1, 1)), tombstone(tag(1, 2))).await);
    let expected: Vec<_> = keys.iter().copied().filter(|key| key.link == LinkId(1) && *key != keys[1]).collect();
    assert_eq!(short.open(1).await, expected);
    assert_eq!(short.open(11).await.len(), 834);
    assert_eq!(short.open(2).await, []);
    for (at, key) in keys.iter().enumerate() {
        let version = if at == 1 { 2 } else { 1 };
        assert!(short.swap(*key, Expect::Is(tag(1, version)), Write::Delete).await);
    }
    assert_eq!(short.open(1).await, []);
}

async fn lets_one_of_many_win(bench: &impl Bench) {
    let (short, key) = (Short(bench), key(1, 8));
    let mut before = Expect::<'static>::Absent;
    for version in 1..20 {
        let (store, next) = (bench.store(), tag(1, version));
        let tasks: Vec<_> = (0..8_u8)
            .map(|worker| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.swap(key, before, open(next, &[worker], 1)).await.unwrap() })
            })
            .collect();
        let mut winners = Vec::new();
        for (worker, task) in (0..).zip(tasks) {
            if task.await.unwrap() == Swapped::Done {
                winners.push(worker);
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(short.load(key).await, Some((next, winners)));
        before = Expect::Is(next);
    }
    assert!(short.swap(key, before, Write::Delete).await);
}

async fn keeps_to_a_limit(bench: &impl Bench) {
    let (short, store, keys) = (Short(bench), bench.store(), [key(1, 9), key(2, 10), key(1, 11)]);
    let begin = |tag, limit| {
        let open = Open { deadline: Millis(1), node: 3, limit: Some(limit) };
        Write::Put { tag, octets: b"", ttl: HOUR, open: Some(open) }
    };
    for (at, limit, expected) in
        [(0, 0, Swapped::Full), (0, 2, Swapped::Done), (1, 2, Swapped::Done), (2, 2, Swapped::Full)]
    {
        assert_eq!(store.swap(keys[at], Expect::Absent, begin(tag(1, 1), limit)).await.unwrap(), expected);
    }
    assert_eq!(short.load(keys[2]).await, None, "what is refused is not written");
    assert_eq!(short.owner(keys[2]).await, None);
    assert_eq!(short.due(9, 9).await, [keys[0], keys[1]]);
    let stale = store.swap(keys[0], Expect::Absent, begin(tag(1, 2), 2)).await.unwrap();
    assert_eq!(stale, Swapped::Conflict, "who is wrong learns that first");
    // One that counts already may be written: its content was lost, or it is replaced.
    bench.expire(keys[0]).await;
    assert_eq!(store.swap(keys[0], Expect::Absent, begin(tag(2, 1), 2)).await.unwrap(), Swapped::Done);
    // One that goes on is not asked.
    assert!(short.swap(keys[0], Expect::Is(tag(2, 1)), open(tag(2, 2), b"", 1)).await);
    assert!(short.swap(keys[1], Expect::Is(tag(1, 1)), tombstone(tag(1, 2))).await);
    assert_eq!(store.swap(keys[2], Expect::Absent, begin(tag(1, 1), 2)).await.unwrap(), Swapped::Done);
    let full = store.swap(keys[1], Expect::Is(tag(1, 2)), begin(tag(2, 1), 2)).await.unwrap();
    assert_eq!(full, Swapped::Full);
    assert_eq!(short.load(keys[1]).await, Some((tag(1, 2), b"over".to_vec())), "the tombstone stays");
    for (at, tag) in [(0, tag(2, 2)), (1, tag(1, 2)), (2, tag(1, 1))] {
        assert!(short.swap(keys[at], Expect::Is(tag), Write::Delete).await);
    }
}
