//! By the transport's name, and from transport to transport.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Names;
use super::{At, Dropped, Queue, Route, Routing, TableError};
use crate::{Event, UserMessage};

/// The table of [`Router::TransportName`](super::Router::TransportName).
#[doc(alias = "SimpleDispatchRouter")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TransportNameTable {
    /// The exposed names that get a copy of what a transport brings in.
    pub route_mappings: BTreeMap<String, Vec<String>>,
    /// The transport to use for messages that name this one; a name without entry stands for itself.
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
}

impl TransportNameTable {
    pub(super) fn check(self, names: &Names) -> Result<Self, TableError> {
        if self.route_mappings.is_empty() {
            return Err(TableError::empty("route_mappings"));
        }
        self.check_entries(names)
    }

    /// For routers that need the mappings for events alone, and so may have none.
    pub(super) fn check_entries(self, names: &Names) -> Result<Self, TableError> {
        check_mappings(&self.route_mappings, names, Names::is_exposed, "exposed_names")?;
        names.check_transports("transport_mappings", &self.transport_mappings)?;
        Ok(self)
    }
}

impl Routing for TransportNameTable {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        copies(&self.route_mappings, at.transport(message.transport_name.as_deref()), |names| {
            Route::copies(names, Queue::Inbound, message.clone())
        })
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        to_named_transport(&self.transport_mappings, at, message)
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        copies(&self.route_mappings, at.transport(event.transport_name.as_deref()), |names| {
            Route::copies(names, Queue::Event, event.clone())
        })
    }
}

/// The table of [`Router::TransportToTransport`](super::Router::TransportToTransport).
#[doc(alias = "TransportToTransportRouter")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TransportToTransportTable {
    /// The transports that send on what this one brings in.
    pub route_mappings: BTreeMap<String, Vec<String>>,
}

impl TransportToTransportTable {
    pub(super) fn check(self, names: &Names) -> Result<Self, TableError> {
        if self.route_mappings.is_empty() {
            return Err(TableError::empty("route_mappings"));
        }
        check_mappings(&self.route_mappings, names, Names::is_transport, "transport_names")?;
        Ok(self)
    }
}

impl Routing for TransportToTransportTable {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        copies(&self.route_mappings, at.transport(message.transport_name.as_deref()), |names| {
            Route::copies(names, Queue::Outbound, message.clone())
        })
    }

    fn outbound(&mut self, _at: &At<'_>, _message: &UserMessage) -> Route {
        Dropped::OutboundIgnored.into()
    }

    fn event(&mut self, _at: &At<'_>, _event: &Event) -> Route {
        Dropped::EventsIgnored.into()
    }
}

const ROUTE_MAPPINGS: &str = "route_mappings";

/// The keys must be transports, the names under them known on one side; a key without names is an error.
fn check_mappings(
    mappings: &BTreeMap<String, Vec<String>>,
    names: &Names,
    known: fn(&Names, &str) -> bool,
    expected: &'static str,
) -> Result<(), TableError> {
    for (transport, targets) in mappings {
        let key = || format!("{ROUTE_MAPPINGS}.{transport}");
        names.check_transport(key, transport)?;
        if targets.is_empty() {
            return Err(TableError::empty(key()));
        }
        if let Some(name) = targets.iter().find(|name| !known(names, name)) {
            return Err(TableError::UnknownName { key: key(), name: name.clone(), expected });
        }
    }
    Ok(())
}

fn copies(mappings: &BTreeMap<String, Vec<String>>, transport: &str, make: impl FnOnce(&[String]) -> Route) -> Route {
    match mappings.get(transport) {
        Some(names) => make(names),
        None => Dropped::NoEntry { table: ROUTE_MAPPINGS, key: transport.to_owned() }.into(),
    }
}

/// To the transport that the message names, or the one that stands for it.
pub(super) fn to_named_transport(mappings: &BTreeMap<String, String>, at: &At<'_>, message: &UserMessage) -> Route {
    let Some(named) = &message.transport_name else {
        return Dropped::Null { field: "transport_name" }.into();
    };
    let name = mappings.get(named).unwrap_or(named);
    if at.names.is_transport(name) {
        Route::outbound(name, message.clone())
    } else {
        Dropped::UnknownTransport { name: name.clone() }.into()
    }
}
