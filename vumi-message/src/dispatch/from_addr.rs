//! Many transports of one address each, seen by applications as one transport of many addresses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Names;
use super::{At, Dropped, Route, Routing, TableError};
use crate::{Event, UserMessage};

/// The table of [`Router::FromAddrMultiplex`](super::Router::FromAddrMultiplex), which takes exactly one exposed name.
#[doc(alias = "FromAddrMultiplexRouter")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FromAddrMultiplexTable {
    /// The transport of each `from_addr`.
    pub fromaddr_mappings: BTreeMap<String, String>,
}

impl FromAddrMultiplexTable {
    pub(super) fn build(self, names: &Names) -> Result<FromAddrMultiplex, TableError> {
        if self.fromaddr_mappings.is_empty() {
            return Err(TableError::empty(MAPPINGS));
        }
        names.check_transports(MAPPINGS, &self.fromaddr_mappings)?;
        Ok(FromAddrMultiplex { exposed: names.one_exposed()?, mappings: self.fromaddr_mappings })
    }
}

const MAPPINGS: &str = "fromaddr_mappings";

#[derive(Debug)]
pub(super) struct FromAddrMultiplex {
    exposed: String,
    mappings: BTreeMap<String, String>,
}

impl Routing for FromAddrMultiplex {
    fn inbound(&mut self, _at: &At<'_>, message: &UserMessage) -> Route {
        let message = UserMessage { transport_name: Some(self.exposed.clone()), ..message.clone() };
        Route::inbound(&self.exposed, message)
    }

    fn outbound(&mut self, _at: &At<'_>, message: &UserMessage) -> Route {
        let Some(from_addr) = &message.from_addr else {
            return Dropped::Null { field: "from_addr" }.into();
        };
        match self.mappings.get(from_addr) {
            Some(name) => Route::outbound(name, UserMessage { transport_name: Some(name.clone()), ..message.clone() }),
            None => Dropped::NoEntry { table: MAPPINGS, key: from_addr.clone() }.into(),
        }
    }

    fn event(&mut self, _at: &At<'_>, event: &Event) -> Route {
        Route::event(&self.exposed, Event { transport_name: Some(self.exposed.clone()), ..event.clone() })
    }
}
