use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use thiserror::Error;

use super::LinkSettings;
use crate::session::BindKind;
use crate::types::InterfaceVersion;

/// The links of a [`Client`](super::Client) as they were at one moment: one for each address, in the order in which the
/// builder was given them, which is that of the numbers in events.
///
/// Its methods are what [`Client::wait_for`](super::Client::wait_for) is asked for most.
#[derive(Clone, Debug)]
pub struct Links(Vec<LinkInfo>);

/// One link, bound or not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkInfo {
    /// Where it goes, and how it binds.
    pub settings: Arc<LinkSettings>,
    /// How it stands.
    pub state: LinkState,
}

/// How a link stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LinkState {
    /// Its first attempt has not ended.
    Connecting,
    /// It is bound.
    Bound {
        /// The version of the protocol that was negotiated.
        version: InterfaceVersion,
    },
    /// It was lost, or could not be bound, and is tried again.
    Lost {
        /// Why.
        reason: String,
    },
    /// It is not tried again: its credentials were refused and
    /// [`refused`](super::ReconnectConfig#structfield.refused) is none, or the client is shut down.
    Over {
        /// Why.
        reason: String,
    },
}

/// What was waited for cannot come any more: no link is tried again.
#[derive(Clone, Debug, Error)]
#[error("no link is tried again: {links}")]
pub struct LinksOver {
    /// The links.
    pub links: Links,
}

impl Links {
    pub(super) fn new(settings: impl Iterator<Item = Arc<LinkSettings>>) -> Self {
        Self(settings.map(|settings| LinkInfo { settings, state: LinkState::Connecting }).collect())
    }

    pub(super) fn set(&mut self, number: usize, state: LinkState) {
        if let Some(link) = self.0.get_mut(number) {
            link.state = state;
        }
    }

    /// How many are bound.
    pub fn bound(&self) -> usize {
        self.iter().filter(|link| link.is_bound()).count()
    }

    /// Whether the first attempt of each has ended, well or not.
    pub fn tried(&self) -> bool {
        self.iter().all(|link| link.state != LinkState::Connecting)
    }

    /// Whether all are bound.
    pub fn all_bound(&self) -> bool {
        self.iter().all(LinkInfo::is_bound)
    }

    /// Whether one is bound that submits: as a transmitter or transceiver.
    pub fn can_submit(&self) -> bool {
        self.iter().any(LinkInfo::can_submit)
    }

    /// Whether one is bound that receives: as a receiver or transceiver.
    pub fn can_receive(&self) -> bool {
        self.iter().any(LinkInfo::can_receive)
    }

    /// Whether none is bound or tried again.
    pub fn are_over(&self) -> bool {
        self.iter().all(|link| matches!(link.state, LinkState::Over { .. }))
    }
}

impl Deref for Links {
    type Target = [LinkInfo];

    fn deref(&self) -> &[LinkInfo] {
        &self.0
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, link) in self.iter().enumerate() {
            write!(f, "{}{link}", if number > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl LinkInfo {
    /// Whether it is bound.
    pub fn is_bound(&self) -> bool {
        matches!(self.state, LinkState::Bound { .. })
    }

    /// Whether it is bound and submits.
    pub fn can_submit(&self) -> bool {
        self.is_bound() && self.settings.bind != BindKind::Receiver
    }

    /// Whether it is bound and receives.
    pub fn can_receive(&self) -> bool {
        self.is_bound() && self.settings.bind != BindKind::Transmitter
    }
}

/// Its URL without the password, and how it stands.
impl fmt::Display for LinkInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.settings)?;
        match &self.state {
            LinkState::Connecting => f.write_str("connecting"),
            LinkState::Bound { .. } => f.write_str("bound"),
            LinkState::Lost { reason } => write!(f, "{reason}; it is tried again"),
            LinkState::Over { reason } => f.write_str(reason),
        }
    }
}
