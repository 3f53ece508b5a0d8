//! The traffic of one transport to another name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Names;
use super::{At, Dropped, Route, Routing, TableError};
use crate::{Event, UserMessage};

/// The table of [`Router::Redirect`](super::Router::Redirect). One of the two maps may be empty.
#[doc(alias = "RedirectRouter")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectTable {
    /// The exposed name that gets what a transport brings in.
    #[serde(default)]
    pub redirect_inbound: BTreeMap<String, String>,
    /// The transport for outbound messages that name this one.
    #[serde(default)]
    pub redirect_outbound: BTreeMap<String, String>,
}

impl RedirectTable {
    pub(super) fn check(self, names: &Names) -> Result<Self, TableError> {
        if self.redirect_inbound.is_empty() && self.redirect_outbound.is_empty() {
            return Err(TableError::empty(INBOUND));
        }
        for (transport, app) in &self.redirect_inbound {
            let key = || format!("{INBOUND}.{transport}");
            names.check_transport(key, transport)?;
            names.check_exposed(key, app)?;
        }
        names.check_transports(OUTBOUND, &self.redirect_outbound)?;
        Ok(self)
    }
}

const INBOUND: &str = "redirect_inbound";
const OUTBOUND: &str = "redirect_outbound";

impl Routing for RedirectTable {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        match find(&self.redirect_inbound, INBOUND, at.transport(message.transport_name.as_deref())) {
            Ok(app) => Route::inbound(app, UserMessage { transport_name: Some(app.clone()), ..message.clone() }),
            Err(reason) => reason.into(),
        }
    }

    fn outbound(&mut self, _at: &At<'_>, message: &UserMessage) -> Route {
        let Some(named) = &message.transport_name else {
            return Dropped::Null { field: "transport_name" }.into();
        };
        match find(&self.redirect_outbound, OUTBOUND, named) {
            Ok(transport) => Route::outbound(transport, message.clone()),
            Err(reason) => reason.into(),
        }
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        match find(&self.redirect_inbound, INBOUND, at.transport(event.transport_name.as_deref())) {
            Ok(app) => Route::event(app, Event { transport_name: Some(app.clone()), ..event.clone() }),
            Err(reason) => reason.into(),
        }
    }
}

fn find<'a>(map: &'a BTreeMap<String, String>, table: &'static str, name: &str) -> Result<&'a String, Dropped> {
    map.get(name).ok_or_else(|| Dropped::NoEntry { table, key: name.to_owned() })
}
