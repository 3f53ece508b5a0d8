use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::registry::Seat;
use super::{AccountLimits, Registry};
use crate::pdu::Pdu;
use crate::session::{BindKind, CloseReason, Counters};
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, InterfaceVersion, Password};

/// A connection of a server, by number; each has its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub(super) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a peer says when it binds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BindRequest {
    /// The connection.
    pub connection: ConnectionId,
    /// Where it comes from, if that is known.
    pub peer: Option<SocketAddr>,
    /// In which direction messages are to go.
    pub kind: BindKind,
    /// The account that it claims.
    pub system_id: COctetString<16>,
    /// Its password; see [`has_password`](Self::has_password).
    pub password: Password,
    /// Category of the ESME; empty nearly always.
    pub system_type: COctetString<13>,
    /// The version that it speaks.
    pub interface_version: InterfaceVersion,
    /// Addresses that it serves; empty nearly always.
    pub address_range: Address<41>,
    /// None by the specification.
    pub tlvs: Tlvs,
}

impl BindRequest {
    /// What a bind says; none if it is not one.
    pub(super) fn new(connection: ConnectionId, peer: Option<SocketAddr>, kind: BindKind, pdu: &Pdu) -> Option<Self> {
        macro_rules! bind {
            ($bind:ident) => {
                Self {
                    connection,
                    peer,
                    kind,
                    system_id: $bind.system_id.clone(),
                    password: $bind.password.clone(),
                    system_type: $bind.system_type.clone(),
                    interface_version: $bind.interface_version,
                    address_range: $bind.address_range.clone(),
                    tlvs: $bind.tlvs.clone(),
                }
            };
        }
        Some(match pdu {
            Pdu::BindTransmitter(bind) => bind!(bind),
            Pdu::BindReceiver(bind) => bind!(bind),
            Pdu::BindTransceiver(bind) => bind!(bind),
            _ => return None,
        })
    }

    /// Whether the password is this one. How long that takes says nothing about how much of it is right.
    pub fn has_password(&self, password: &[u8]) -> bool {
        let given = self.password.expose().as_slice();
        let mut different = given.len() ^ password.len();
        for (at, octet) in given.iter().enumerate() {
            let right = password.get(at).copied().unwrap_or_default();
            different |= usize::from(std::hint::black_box(octet ^ right));
        }
        different == 0
    }
}

/// The account that a bind is admitted for, and what it may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    pub(super) name: Arc<str>,
    pub(super) limits: Option<AccountLimits>,
}

impl Account {
    /// An account by the name that [`Registry::deliver`] knows it by, which need not be the system_id. It may do what
    /// [`Config::account`](super::Config#structfield.account) says.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), limits: None }
    }

    /// With limits of its own.
    #[must_use]
    pub fn limits(mut self, limits: AccountLimits) -> Self {
        self.limits = Some(limits);
        self
    }
}

/// A bound connection, as those see it who serve its requests.
pub struct Link {
    pub(super) connection: ConnectionId,
    pub(super) peer: Option<SocketAddr>,
    pub(super) account: Arc<str>,
    pub(super) system_id: COctetString<16>,
    pub(super) kind: BindKind,
    pub(super) version: InterfaceVersion,
    pub(super) registry: Registry,
}

impl Link {
    pub(super) fn new(seat: &Seat, bind: &BindRequest, account: &Arc<str>, version: InterfaceVersion) -> Self {
        Self {
            connection: bind.connection,
            peer: bind.peer,
            account: Arc::clone(account),
            system_id: bind.system_id.clone(),
            kind: bind.kind,
            version,
            registry: seat.registry().clone(),
        }
    }

    /// The connection.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Where the peer is, if that is known.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The account, as [`Service::on_bind`](super::Service::on_bind) gave it.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// What the peer bound as.
    pub fn system_id(&self) -> &COctetString<16> {
        &self.system_id
    }

    /// In which direction messages go.
    pub fn kind(&self) -> BindKind {
        self.kind
    }

    /// The version that both ends speak.
    pub fn version(&self) -> InterfaceVersion {
        self.version
    }

    /// The way to this and all other accounts' receivers, as for receipts.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("connection", &self.connection)
            .field("peer", &self.peer)
            .field("account", &self.account)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A connection that is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Closed {
    /// Which.
    pub connection: ConnectionId,
    /// Where its peer was, if that is known.
    pub peer: Option<SocketAddr>,
    /// What it was bound as, if it was.
    pub link: Option<Arc<Link>>,
    /// Why it is over.
    pub reason: CloseReason,
    /// What went over it.
    pub counters: Counters,
}
