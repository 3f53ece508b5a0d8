//! What the engine is told at the start.

use super::index::Index;
use crate::{
    ids::{LinkId, SessionIds},
    policy::Policy,
    time::Millis,
};

/// Limits and policies of an [`Engine`](crate::Engine), built from [`Config::default`] and setters.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) node: u16,
    pub(crate) max_live: usize,
    pub(super) max_closed: usize,
    pub(super) at_once: usize,
    /// Which shard it is, of how many.
    shard: (u64, u64),
    policy: Policy,
    links: Vec<(LinkId, Policy)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: 0,
            max_live: 100_000,
            max_closed: 100_000,
            at_once: 1024,
            shard: (0, 1),
            policy: Policy::default(),
            links: Vec::new(),
        }
    }
}

impl Config {
    /// The most sessions open in one [`Engine`](crate::Engine), and the most tombstones, whatever the limits say: the
    /// table that finds them has places of 24 bits. Each of [`Shards`](crate::Shards) holds as many.
    pub const MOST: usize = (1 << 23) - 1;

    /// This machine's number, 0 to 4,095; each machine of an installation has its own. Default 0.
    #[must_use]
    pub fn node(mut self, node: u16) -> Self {
        self.node = node;
        self
    }

    /// The most sessions open at once. A code dialled beyond is answered with the text of [`Policy::busy`]; a redial
    /// is not a session more. Over a store it is the most sessions open in the store, on all machines together
    /// (`store::Driver`). Default 100,000; an engine holds [`Config::MOST`] at most.
    #[must_use]
    pub fn max_live(mut self, sessions: usize) -> Self {
        self.max_live = sessions;
        self
    }

    /// The most tombstones kept; beyond, the oldest is forgotten and counted. Default 100,000; an engine keeps
    /// [`Config::MOST`] at most.
    #[must_use]
    pub fn max_closed(mut self, sessions: usize) -> Self {
        self.max_closed = sessions;
        self
    }

    /// Sessions that are visited at once when a link breaks or comes back, or the program stops; the others are left to
    /// [`Engine::poll`](crate::Engine::poll), so that a million of them are no pause. Default 1,024: a tenth of a
    /// millisecond.
    #[must_use]
    pub fn at_once(mut self, sessions: usize) -> Self {
        self.at_once = sessions;
        self
    }

    /// The policy of links without one of their own. Default [`Policy::default`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The policy of one link.
    #[must_use]
    pub fn link(mut self, link: LinkId, policy: Policy) -> Self {
        self.links.retain(|(other, _)| *other != link);
        self.links.push((link, policy));
        self
    }

    /// The part of one shard.
    pub(super) fn shard(mut self, shard: usize, of: usize) -> Self {
        (self.max_live, self.max_closed) = (self.max_live.div_ceil(of), self.max_closed.div_ceil(of));
        self.shard = (shard as u64, of as u64);
        self
    }

    /// With no limit higher than an engine can hold.
    pub(super) fn within_reach(mut self) -> Self {
        (self.max_live, self.max_closed) = (self.max_live.min(Self::MOST), self.max_closed.min(Self::MOST));
        self
    }

    /// Ids from this time on.
    pub(super) fn ids(&self, now: Millis) -> SessionIds {
        SessionIds::new(self.node, now).every(self.shard.1, self.shard.0)
    }

    #[inline]
    pub(crate) fn policy_of(&self, link: LinkId) -> &Policy {
        if self.links.is_empty() {
            return &self.policy;
        }
        self.links.iter().find(|(other, _)| *other == link).map_or(&self.policy, |(_, policy)| policy)
    }
}

// With one session too many, until the oldest tombstone is forgotten.
const _: () = assert!(2 * Config::MOST < Index::END as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    #[test]
    fn an_engine_has_limits_of_its_own() {
        let engine = Engine::new(Config::default().max_live(usize::MAX).max_closed(Config::MOST + 1));
        assert_eq!((engine.config.max_live, engine.config.max_closed), (Config::MOST, Config::MOST));
    }
}
