//! By patterns of the address that a message is for.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::by_transport::to_named_transport;
use super::memory::Memory;
use super::table::Names;
use super::{At, Dropped, MemoryLimits, Queue, Route, Routing, Saved, TableError};
use crate::{Event, Timestamp, UserMessage};

/// The table of [`Router::ToAddr`](super::Router::ToAddr).
#[doc(alias = "ToAddrRouter")]
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToAddrTable {
    /// Applications and their patterns, in the order in which they are tried.
    pub toaddr_mappings: Vec<ToAddrMapping>,
    /// Whether all applications that match get a copy, or the first one the message. Default: all.
    #[serde(default)]
    pub matches: Matches,
    /// Gets what no pattern matches. Default: nobody does.
    #[serde(default)]
    pub default_app: Option<String>,
    /// As in [`TransportNameTable`](super::TransportNameTable).
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
    /// How long it is remembered who sent a message, so that its events find back. Default: an hour, as in vumi2.
    #[serde(default = "an_hour")]
    pub memory: MemoryLimits,
}

impl Default for ToAddrTable {
    fn default() -> Self {
        Self {
            toaddr_mappings: Vec::new(),
            matches: Matches::default(),
            default_app: None,
            transport_mappings: BTreeMap::new(),
            memory: an_hour(),
        }
    }
}

fn an_hour() -> MemoryLimits {
    MemoryLimits::of_seconds(3_600)
}

/// An application and the addresses that are its.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToAddrMapping {
    /// The exposed name.
    pub name: String,
    /// A regular expression of the [`regex`] crate. It matches at the start of `to_addr` and need not reach its end, as
    /// Python's `re.match`; end it with `$` for the whole address.
    pub pattern: String,
}

/// How many of the applications whose patterns match get a message.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matches {
    /// All, as in vumi.
    #[default]
    All,
    /// The first, as in vumi2.
    First,
}

impl ToAddrTable {
    pub(super) fn build(self, names: &Names) -> Result<ToAddr, TableError> {
        if self.toaddr_mappings.is_empty() {
            return Err(TableError::empty("toaddr_mappings"));
        }
        let mut patterns = Vec::new();
        for (index, mapping) in self.toaddr_mappings.into_iter().enumerate() {
            let key = format!("toaddr_mappings[{index}]");
            names.check_exposed(|| format!("{key}.name"), &mapping.name)?;
            let pattern = Regex::new(&mapping.pattern)
                .map_err(|error| TableError::Pattern { key: format!("{key}.pattern"), problem: error.to_string() })?;
            patterns.push((mapping.name, pattern));
        }
        if let Some(app) = &self.default_app {
            names.check_exposed(|| "default_app".to_owned(), app)?;
        }
        names.check_transports("transport_mappings", &self.transport_mappings)?;
        Ok(ToAddr {
            patterns,
            matches: self.matches,
            default_app: self.default_app,
            transport_mappings: self.transport_mappings,
            senders: Memory::new(self.memory.check()?),
        })
    }
}

#[derive(Debug)]
pub(super) struct ToAddr {
    patterns: Vec<(String, Regex)>,
    matches: Matches,
    default_app: Option<String>,
    transport_mappings: BTreeMap<String, String>,
    senders: Memory,
}

impl Routing for ToAddr {
    fn inbound(&mut self, _at: &At<'_>, message: &UserMessage) -> Route {
        let to_addr = message.to_addr.as_deref();
        let matching = self.patterns.iter().filter(|(_, pattern)| to_addr.is_some_and(|addr| at_start(pattern, addr)));
        let limit = match self.matches {
            Matches::All => usize::MAX,
            Matches::First => 1,
        };
        let mut apps: Vec<&String> = matching.take(limit).map(|(name, _)| name).collect();
        if apps.is_empty() {
            apps.extend(&self.default_app);
        }
        Route::copies(apps, Queue::Inbound, message.clone())
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        let route = to_named_transport(&self.transport_mappings, at, message);
        if let Route::To(_) = route {
            self.senders.insert(&message.message_id, at.connector, at.now);
        }
        route
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        to_sender(&self.senders, at, event)
    }

    fn save(&self) -> Saved {
        Saved { remembered: self.senders.save(), ..Saved::default() }
    }

    fn restore(&mut self, saved: Saved, names: &Names, now: Timestamp) {
        self.senders.restore(saved.remembered, now, |name| names.is_exposed(name));
    }
}

/// Whether the pattern matches from the first character on. The leftmost match is the one at the start if there is one.
fn at_start(pattern: &Regex, text: &str) -> bool {
    pattern.find(text).is_some_and(|found| found.start() == 0)
}

/// An event to the application that sent the message that it is about.
pub(super) fn to_sender(senders: &Memory, at: &At<'_>, event: &Event) -> Route {
    let Some(id) = &event.user_message_id else {
        return Dropped::Null { field: "user_message_id" }.into();
    };
    match senders.get(id, at.now) {
        Some(sender) => Route::event(sender, event.clone()),
        None => Dropped::NotRemembered { user_message_id: id.clone() }.into(),
    }
}
