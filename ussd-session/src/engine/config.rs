//! What the engine is told at the start.

use crate::{ids::LinkId, policy::Policy};

/// Limits and policies of an [`Engine`](crate::Engine), built from [`Config::default`] and setters.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) node: u16,
    pub(super) max_live: usize,
    pub(super) max_closed: usize,
    policy: Policy,
    links: Vec<(LinkId, Policy)>,
}

impl Default for Config {
    fn default() -> Self {
        Self { node: 0, max_live: 100_000, max_closed: 100_000, policy: Policy::default(), links: Vec::new() }
    }
}

impl Config {
    /// This machine's number, 0 to 4,095; each machine of an installation has its own. Default 0.
    #[must_use]
    pub fn node(mut self, node: u16) -> Self {
        self.node = node;
        self
    }

    /// The most sessions open at once. A code dialled beyond is answered with the text of [`Policy::busy`]; a redial
    /// is not a session more. Default 100,000.
    #[must_use]
    pub fn max_live(mut self, sessions: usize) -> Self {
        self.max_live = sessions;
        self
    }

    /// The most tombstones kept; beyond, the oldest is forgotten and counted. Default 100,000.
    #[must_use]
    pub fn max_closed(mut self, sessions: usize) -> Self {
        self.max_closed = sessions;
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

    pub(crate) fn policy_of(&self, link: LinkId) -> &Policy {
        self.links.iter().find(|(other, _)| *other == link).map_or(&self.policy, |(_, policy)| policy)
    }
}
