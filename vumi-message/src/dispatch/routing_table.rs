//! A fixed table of connectors and endpoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Names;
use super::{At, Dropped, Route, Routing, TableError};
use crate::{Event, UserMessage};

/// The table of [`Router::RoutingTable`](super::Router::RoutingTable).
#[doc(alias = "RoutingTableDispatcher")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingTable {
    /// By connector and endpoint that a message comes in at: the connector and endpoint that it goes out at. What comes
    /// from a transport goes to an exposed name, and the other way round.
    pub routing_table: BTreeMap<String, BTreeMap<String, (String, String)>>,
}

impl RoutingTable {
    pub(super) fn check(self, names: &Names) -> Result<Self, TableError> {
        if self.routing_table.is_empty() {
            return Err(TableError::empty(TABLE));
        }
        for (connector, endpoints) in &self.routing_table {
            let key = || format!("{TABLE}.{connector}");
            if !names.is_transport(connector) && !names.is_exposed(connector) {
                let expected = "transport_names or exposed_names";
                return Err(TableError::UnknownName { key: key(), name: connector.clone(), expected });
            }
            if endpoints.is_empty() {
                return Err(TableError::empty(key()));
            }
            for (endpoint, (target, _)) in endpoints {
                let key = || format!("{TABLE}.{connector}.{endpoint}");
                match names.is_transport(connector) {
                    true => names.check_exposed(key, target)?,
                    false => names.check_transport(key, target)?,
                }
            }
        }
        Ok(self)
    }

    fn find(&self, connector: &str, endpoint: &str) -> Result<&(String, String), Dropped> {
        let missing = |key: &str| Dropped::NoEntry { table: TABLE, key: key.to_owned() };
        let endpoints = self.routing_table.get(connector).ok_or_else(|| missing(connector))?;
        endpoints.get(endpoint).ok_or_else(|| missing(&format!("{connector}.{endpoint}")))
    }
}

const TABLE: &str = "routing_table";

impl Routing for RoutingTable {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        self.user_message(at, message, Route::inbound)
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        self.user_message(at, message, Route::outbound)
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        match self.find(at.connector, event.endpoint()) {
            Ok((connector, endpoint)) => {
                let mut event = event.clone();
                event.set_endpoint(endpoint);
                Route::event(connector, event)
            }
            Err(reason) => reason.into(),
        }
    }
}

impl RoutingTable {
    fn user_message(&self, at: &At<'_>, message: &UserMessage, make: fn(&str, UserMessage) -> Route) -> Route {
        match self.find(at.connector, message.endpoint()) {
            Ok((connector, endpoint)) => {
                let mut message = message.clone();
                message.set_endpoint(endpoint);
                make(connector, message)
            }
            Err(reason) => reason.into(),
        }
    }
}
