//! The table that a dispatcher is built from, and how it is checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    ContentKeywordTable, FromAddrMultiplexTable, LoadBalanceTable, RedirectTable, Routing, RoutingTable, ToAddrTable,
    TransportNameTable, TransportToTransportTable, UserGroupTable,
};

/// What a dispatcher is built from: the connectors at both sides, and a router with its own table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The transports; at least one.
    #[serde(alias = "receive_inbound_connectors")]
    pub transport_names: Vec<String>,
    /// The names under which applications see the dispatcher as a transport; at least one, except for
    /// `transport_to_transport`.
    #[serde(alias = "receive_outbound_connectors", default)]
    pub exposed_names: Vec<String>,
    /// How to decide.
    pub router: Router,
}

/// How a dispatcher decides. In JSON an object with one key, the router's name, which holds the router's table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Router {
    /// By the transport's name: vumi's `SimpleDispatchRouter`.
    TransportName(TransportNameTable),
    /// From transport to transport: `TransportToTransportRouter`.
    TransportToTransport(TransportToTransportTable),
    /// By patterns of `to_addr`: `ToAddrRouter` and vumi2's `ToAddressRouter`.
    ToAddr(ToAddrTable),
    /// Many transports of one address each, seen as one: `FromAddrMultiplexRouter`.
    FromAddrMultiplex(FromAddrMultiplexTable),
    /// Every user stays in a group: `UserGroupingRouter`.
    UserGroup(UserGroupTable),
    /// By the first word of the text: `ContentKeywordRouter`.
    ContentKeyword(ContentKeywordTable),
    /// One transport's traffic to another name: `RedirectRouter`.
    Redirect(RedirectTable),
    /// In turn over several transports: `LoadBalancingRouter`.
    LoadBalance(LoadBalanceTable),
    /// A fixed table of connectors and endpoints: `RoutingTableDispatcher`.
    RoutingTable(RoutingTable),
}

impl Router {
    pub(super) fn build(self, names: &Names) -> Result<Box<dyn Routing>, TableError> {
        if names.exposed.is_empty() && !matches!(self, Self::TransportToTransport(_)) {
            return Err(TableError::empty("exposed_names"));
        }
        Ok(match self {
            Self::TransportName(table) => Box::new(table.check(names)?),
            Self::TransportToTransport(table) => Box::new(table.check(names)?),
            Self::ToAddr(table) => Box::new(table.build(names)?),
            Self::FromAddrMultiplex(table) => Box::new(table.build(names)?),
            Self::UserGroup(table) => Box::new(table.build(names)?),
            Self::ContentKeyword(table) => Box::new(table.build(names)?),
            Self::Redirect(table) => Box::new(table.check(names)?),
            Self::LoadBalance(table) => Box::new(table.build(names)?),
            Self::RoutingTable(table) => Box::new(table.check(names)?),
        })
    }
}

/// What is wrong with a table. `key` says where, such as `toaddr_mappings[2].pattern`.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TableError {
    /// A list or map that must have entries has none.
    #[error("{key} is empty")]
    Empty {
        /// The key.
        key: String,
    },
    /// A name that is no connector of the side that is meant.
    #[error("{key}: {name:?} is not one of {expected}")]
    UnknownName {
        /// The key.
        key: String,
        /// The name.
        name: String,
        /// The list that it should be on: `transport_names`, `exposed_names`, or both.
        expected: &'static str,
    },
    /// A connector is listed twice, or as transport and exposed name at once.
    #[error("{key}: {name:?} is listed twice")]
    Twice {
        /// The list.
        key: String,
        /// The name.
        name: String,
    },
    /// A router for one exposed name was given another number of them.
    #[error("exposed_names: this router takes exactly one name, not {found}")]
    OneExposedName {
        /// How many there are.
        found: usize,
    },
    /// A pattern that is no regular expression.
    #[error("{key}: {problem}")]
    Pattern {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A limit that must be at least 1 is 0.
    #[error("{key} must be at least 1")]
    Zero {
        /// The key.
        key: String,
    },
}

impl TableError {
    pub(super) fn empty(key: impl Into<String>) -> Self {
        Self::Empty { key: key.into() }
    }
}

/// The connectors at both sides.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) transports: Vec<String>,
    pub(super) exposed: Vec<String>,
}

impl Names {
    pub(super) fn new(transports: Vec<String>, exposed: Vec<String>) -> Result<Self, TableError> {
        if transports.is_empty() {
            return Err(TableError::empty("transport_names"));
        }
        let mut seen = BTreeSet::new();
        for (list, key) in [(&transports, "transport_names"), (&exposed, "exposed_names")] {
            for name in list {
                if name.is_empty() {
                    return Err(TableError::empty(format!("a name of {key}")));
                }
                if !seen.insert(name) {
                    return Err(TableError::Twice { key: key.to_owned(), name: name.clone() });
                }
            }
        }
        Ok(Self { transports, exposed })
    }

    pub(super) fn is_transport(&self, name: &str) -> bool {
        self.transports.iter().any(|known| known == name)
    }

    pub(super) fn is_exposed(&self, name: &str) -> bool {
        self.exposed.iter().any(|known| known == name)
    }

    /// The exposed name of a router that takes one only.
    pub(super) fn one_exposed(&self) -> Result<String, TableError> {
        match self.exposed.as_slice() {
            [name] => Ok(name.clone()),
            names => Err(TableError::OneExposedName { found: names.len() }),
        }
    }

    /// Checks that a name that stands under this key is a transport.
    pub(super) fn check_transport(&self, key: impl FnOnce() -> String, name: &str) -> Result<(), TableError> {
        check(self.is_transport(name), "transport_names", key, name)
    }

    /// Checks that a name that stands under this key is an exposed name.
    pub(super) fn check_exposed(&self, key: impl FnOnce() -> String, name: &str) -> Result<(), TableError> {
        check(self.is_exposed(name), "exposed_names", key, name)
    }

    /// Checks the values of a table whose values are transports.
    pub(super) fn check_transports(&self, table: &str, entries: &BTreeMap<String, String>) -> Result<(), TableError> {
        entries.iter().try_for_each(|(key, name)| self.check_transport(|| format!("{table}.{key}"), name))
    }
}

fn check(known: bool, expected: &'static str, key: impl FnOnce() -> String, name: &str) -> Result<(), TableError> {
    if known { Ok(()) } else { Err(TableError::UnknownName { key: key(), name: name.to_owned(), expected }) }
}
