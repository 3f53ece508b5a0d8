//! Sessions in Redis.
//!
//! | key | type | what |
//! |---|---|---|
//! | `<prefix>:{<phone>}:<link>:s` | string | tag (8 octets session, 8 octets version), then the session |
//! | `<prefix>:{<phone>}:<link>:o` | string | the owner: session in hex, a blank, the machine |
//! | `<prefix>:due` | sorted set | `<link>.<phone>` of each open session, by its deadline in milliseconds |
//!
//! All of a phone lies in one slot of a cluster. Each write is one script, and gives every key that it touches a time
//! to live in the same breath. What waits to be resumed is a part of the session's own octets.
//!
//! In a cluster the list of what is due lies in another slot and is written by calls of its own: before the first write
//! of a session, and after every other. So a machine may be lost, or a call fail, between the two:
//!
//! * Before a session's first write: an entry without a session. It is looked at once, and taken off.
//! * After a later write: the session stands at the deadline of the turn before. If that is earlier, it is looked at
//!   once, and put right; if it is later, the session's end is told so much later, at most by the longest timer.
//! * After the last write: an entry of a session that is over. It is looked at once, and taken off.
//!
//! The same comes of the calls of two machines that overtake one another, but for one case: the call that takes a session
//! off comes after those that list the phone's next one. Then that one is missing until its next write. And a server
//! that is lost may take the last writes of the list with it. In both cases the machine that has handled the session
//! last still ends it in time; if that one is lost too, [`RedisStore::repair`] finds what is missing, and without that
//! it goes with its time to live, and the application is not told.

mod repair;
mod vumi;

use std::{sync::Arc, time::Duration};

use redis::{
    Client, Cmd, RedisError, Script,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cmd,
};

pub use self::{
    repair::Repaired,
    vumi::{VumiLayout, VumiTransport},
};
use super::{Expect, Found, Key, Owner, Page, Store, Swapped, Tag, Write};
use crate::{
    ids::{LinkId, NetId, SessionId},
    observe::hashed,
    time::{Millis, millis},
};

/// Octets of a [`Tag`].
const TAG: usize = 16;

/// How many sessions of a link Redis is asked for at once.
const PAGE: usize = 1000;

/// A [`Store`] in Redis 5 or newer, or what speaks its language (Valkey, KeyDB).
///
/// `C` is a connection that can be shared: redis' `ConnectionManager` (which connects again by itself),
/// `MultiplexedConnection`, or `ClusterConnection`.
///
/// ```no_run
/// use std::time::Duration;
/// use ussd_session::{Config, LinkId, store::{Driver, RedisStore, VumiLayout, VumiTransport}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1/", Duration::from_secs(1))?
///     // Sessions that Vumi's TruTeq transport has left behind go on here.
///     .take_over(LinkId(1), VumiLayout::new(VumiTransport::TruTeq, "truteq_transport"));
/// let driver = Driver::new(store, Config::default().node(7));
/// # let _ = driver;
/// # Ok(())
/// # }
/// ```
///
/// Redis answers from memory that a crash may lose, unless it is told to write every change to disk (`appendfsync
/// always`), and a replica that takes over may lack the last writes. A session lost in this way is like one that never
/// began: the next answer belongs to no session ([`Policy::orphans`](crate::Policy::orphans)). Run it with
/// `maxmemory-policy noeviction`: a full Redis is then an error and not a loss.
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    prefix: Arc<str>,
    cluster: bool,
    foreign: Arc<[(LinkId, VumiLayout)]>,
    swap: Arc<Script>,
    list: Arc<Script>,
    repair: Arc<Script>,
}

/// Why Redis could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisStoreError {
    /// Redis cannot be reached, or refused a command.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// A key of ours holds what we did not write.
    #[error("what is kept for a phone is no session: {problem}")]
    NotOurs {
        /// The key. The message leaves it out, since it holds the phone's number.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl RedisStore<ConnectionManager> {
    /// A store at `redis://host:port/db` (or `redis+unix:///path`), with a connection of its own, which is made when it
    /// is needed, and again when it breaks. Within a tokio runtime.
    ///
    /// `time_limit` is for connecting and for each answer.
    ///
    /// # Errors
    /// The address is not one of Redis.
    pub fn connect(url: &str, time_limit: Duration) -> Result<Self, RedisStoreError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(time_limit))
            .set_response_timeout(Some(time_limit))
            .set_max_delay(time_limit);
        Ok(Self::over(ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// A store over a connection.
    #[must_use]
    pub fn over(connection: C) -> Self {
        let list = "return list(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1')";
        let due = include_str!("redis/due.lua");
        let with_due = |script: &str| Arc::new(Script::new(&format!("{due}\n{script}")));
        Self {
            connection,
            prefix: "ussd".into(),
            cluster: false,
            foreign: Arc::new([]),
            swap: with_due(include_str!("redis/swap.lua")),
            list: with_due(list),
            repair: with_due(include_str!("redis/repair.lua")),
        }
    }

    /// What all keys begin with. Default `ussd`. Braces are left out: they would say which slot a key is in.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.replace(['{', '}'], "").into();
        self
    }

    /// Says that Redis is a cluster: what is due, and a session taken over, then lie in other slots than the session
    /// and are written by calls of their own. Default no.
    ///
    /// A session is listed before it is first written, so that a machine may be lost at any moment: another one ends
    /// the session and tells the application, late by no more than the policy's longest timer. The list may still lose
    /// a session: with the last writes of a server that is lost, or where two machines write the end of one session and
    /// the phone's next one at once. The machine that has handled that one last ends it all the same; if it is lost too,
    /// [`RedisStore::repair`] finds the session. Without that it is forgotten after its time to live, and the
    /// application is not told.
    ///
    /// The list is counted for [`Config::max_live`](crate::Config::max_live) a moment before a session is listed, so as
    /// many sessions more may be open as begin at the same moment.
    ///
    /// A session of another program that was taken over may be left behind by a machine that is lost in that moment, and
    /// taken over again once the one that came of it is forgotten.
    #[must_use]
    pub fn cluster(mut self, yes: bool) -> Self {
        self.cluster = yes;
        self
    }

    /// Takes over the open sessions that a Vumi transport has left behind, when their phones send something. The
    /// transport is to have stopped: Vumi writes back what it once read.
    #[must_use]
    pub fn take_over(mut self, link: LinkId, layout: VumiLayout) -> Self {
        self.foreign = self.foreign.iter().cloned().chain([(link, layout)]).collect();
        self
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisStoreError> {
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    async fn load_own(&self, key: Key) -> Result<Found, RedisStoreError> {
        let name = self.session_key(key);
        let content: Option<Vec<u8>> = self.ask(cmd("GET").arg(&name)).await?;
        content.map_or(Ok(Found::Nothing), |content| found(&name, &content))
    }

    fn session_key(&self, key: Key) -> String {
        format!("{}:{{{}}}:{}:s", self.prefix, key.subscriber, key.link.0)
    }

    fn owner_key(&self, key: Key) -> String {
        format!("{}:{{{}}}:{}:o", self.prefix, key.subscriber, key.link.0)
    }

    /// Notes when a session is due, by a call of its own; true if it was not on the list.
    async fn list(&self, key: Key, deadline: &str, ttl: u64, only_new: bool) -> Result<bool, RedisStoreError> {
        let mut call = self.list.prepare_invoke();
        call.key(self.due_key()).arg(deadline).arg(member(key)).arg(ttl).arg(u8::from(only_new));
        Ok(call.invoke_async(&mut self.connection.clone()).await?)
    }

    fn due_key(&self) -> String {
        format!("{}:due", self.prefix)
    }

    /// True if as many sessions are open and this one is not among them.
    async fn is_full(&self, limit: usize, member: &str) -> Result<bool, RedisStoreError> {
        let open: usize = self.ask(cmd("ZCARD").arg(self.due_key())).await?;
        if open < limit {
            return Ok(false);
        }
        let listed: Option<f64> = self.ask(cmd("ZSCORE").arg(self.due_key()).arg(member)).await?;
        Ok(listed.is_none())
    }

    /// The sessions that another program may have begun for this phone.
    fn foreign_keys(&self, key: Key, net: &NetId) -> impl Iterator<Item = (&VumiLayout, String)> {
        let layouts = self.foreign.iter().filter(move |(link, _)| *link == key.link);
        layouts.filter_map(move |(_, layout)| Some((layout, layout.key(key.subscriber, net)?)))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    type Error = RedisStoreError;

    async fn load(&self, key: Key, net: &NetId) -> Result<Found, RedisStoreError> {
        let own = self.load_own(key).await?;
        let foreign: Vec<_> = self.foreign_keys(key, net).collect();
        if own != Found::Nothing || foreign.is_empty() {
            return Ok(own);
        }
        for (layout, name) in foreign {
            let fields: Vec<(String, Vec<u8>)> = self.ask(cmd("HGETALL").arg(&name)).await?;
            if let Some(foreign) = layout.read(key.subscriber, &fields) {
                return Ok(Found::Foreign(foreign));
            }
        }
        // Another machine may have taken it over after the first look.
        self.load_own(key).await
    }

    async fn swap(&self, key: Key, expect: Expect<'_>, write: Write<'_>) -> Result<Swapped, RedisStoreError> {
        let expected = match expect {
            Expect::Is(tag) => tag_octets(tag).to_vec(),
            Expect::Absent | Expect::Foreign(_) => Vec::new(),
        };
        let before = if let Expect::Is(tag) = expect { tag.session.to_string() } else { String::new() };
        let foreign = match expect {
            Expect::Foreign(net) => self.foreign_keys(key, net).map(|(_, name)| name).next(),
            _ => None,
        };
        let (mut content, mut ttl, mut owner, mut deadline) = (Vec::new(), 0, String::new(), String::new());
        let (mut begins, mut limit) = (false, None);
        if let Write::Put { tag, octets, ttl: span, open } = write {
            content = [&tag_octets(tag)[..], octets].concat();
            ttl = millis(span).max(1);
            if let Some(open) = open {
                owner = format!("{} {}", tag.session, open.node);
                deadline = open.deadline.0.to_string();
                limit = open.limit;
                begins = !matches!(expect, Expect::Is(before) if before.session == tag.session);
            }
        }
        let is_full = match limit.take_if(|_| self.cluster) {
            Some(limit) => self.is_full(limit, &member(key)).await?,
            None => false,
        };
        if is_full {
            return Ok(Swapped::Full);
        }
        let is_listed = self.cluster && begins && self.list(key, &deadline, ttl, true).await?;
        let mut call = self.swap.prepare_invoke();
        call.key(self.session_key(key)).key(self.owner_key(key));
        let taken_here = foreign.as_ref().filter(|_| !self.cluster);
        if !self.cluster {
            call.key(self.due_key());
        }
        if let Some(foreign) = taken_here {
            call.key(foreign);
        }
        call.arg(expected).arg(content).arg(ttl).arg(owner).arg(before).arg(&deadline).arg(member(key));
        call.arg(u8::from(!self.cluster)).arg(u8::from(taken_here.is_some()));
        call.arg(limit.map(|limit| limit.to_string()).unwrap_or_default());
        let mut connection = self.connection.clone();
        match call.invoke_async::<u8>(&mut connection).await? {
            0 => return Ok(Swapped::Conflict),
            2 => return Ok(Swapped::Full),
            _ => {}
        }
        if self.cluster {
            let listed = match is_listed {
                true => Ok(true),
                false => self.list(key, &deadline, ttl, false).await,
            };
            let taken = match foreign {
                Some(foreign) => self.ask(cmd("DEL").arg(foreign)).await,
                None => Ok(()),
            };
            // The session is written, and that is what counts.
            if let Err(error) = listed.and(taken) {
                let (link, subscriber_hash) = (key.link.0, hashed(key.subscriber));
                tracing::warn!(link, %subscriber_hash, %error, "a session is written, but not what lies beside it");
            }
        }
        Ok(Swapped::Done)
    }

    async fn due(&self, until: Millis, max: usize) -> Result<Vec<Key>, RedisStoreError> {
        let mut command = cmd("ZRANGEBYSCORE");
        command.arg(self.due_key()).arg("-inf").arg(until.0).arg("LIMIT").arg(0).arg(max);
        let members: Vec<String> = self.ask(&command).await?;
        Ok(members.iter().filter_map(|member| listed(member)).collect())
    }

    async fn open(&self, link: LinkId, from: Option<u64>) -> Result<Page, RedisStoreError> {
        let mut command = cmd("ZSCAN");
        command.arg(self.due_key()).arg(from.unwrap_or(0)).arg("MATCH").arg(format!("{}.*", link.0));
        command.arg("COUNT").arg(PAGE);
        let (next, members): (u64, Vec<(String, String)>) = self.ask(&command).await?;
        let keys = members.iter().filter_map(|(member, _)| listed(member)).collect();
        Ok(Page { keys, next: (next != 0).then_some(next) })
    }

    async fn owner(&self, key: Key) -> Result<Option<Owner>, RedisStoreError> {
        let name = self.owner_key(key);
        let Some(owner): Option<String> = self.ask(cmd("GET").arg(&name)).await? else { return Ok(None) };
        let parts = owner.split_once(' ').and_then(|(session, node)| {
            let session = SessionId::from_bits(u64::from_str_radix(session, 16).ok()?)?;
            Some(Owner { session, node: node.parse().ok()? })
        });
        parts.map(Some).ok_or(RedisStoreError::NotOurs { key: name, problem: "not an owner" })
    }
}

impl<C> std::fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut store = f.debug_struct("RedisStore");
        store.field("prefix", &self.prefix).field("cluster", &self.cluster).field("foreign", &self.foreign);
        store.finish_non_exhaustive()
    }
}

fn tag_octets(tag: Tag) -> [u8; TAG] {
    let mut octets = [0; TAG];
    let (session, version) = octets.split_at_mut(TAG / 2);
    session.copy_from_slice(&tag.session.to_bits().to_be_bytes());
    version.copy_from_slice(&tag.version.to_be_bytes());
    octets
}

fn found(name: &str, content: &[u8]) -> Result<Found, RedisStoreError> {
    let not_ours = |problem| RedisStoreError::NotOurs { key: name.to_owned(), problem };
    let (session, rest) = content.split_first_chunk().ok_or_else(|| not_ours("no tag"))?;
    let (version, octets) = rest.split_first_chunk().ok_or_else(|| not_ours("no tag"))?;
    let session = SessionId::from_bits(u64::from_be_bytes(*session)).ok_or_else(|| not_ours("no session id"))?;
    let tag = Tag { session, version: u64::from_be_bytes(*version) };
    Ok(Found::Session { tag, octets: octets.to_vec() })
}

/// What a session is called among what is due.
fn member(key: Key) -> String {
    format!("{}.{}", key.link.0, key.subscriber)
}

/// What an entry among what is due names; none if it is not one of ours.
fn listed(member: &str) -> Option<Key> {
    let (link, subscriber) = member.split_once('.')?;
    Some(Key { link: LinkId(link.parse().ok()?), subscriber: subscriber.parse().ok()? })
}
