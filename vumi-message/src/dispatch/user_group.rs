//! Every user stays in the group that the first message put them into.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::by_transport::TransportNameTable;
use super::memory::Memory;
use super::table::Names;
use super::{At, Dropped, MemoryLimits, Route, Routing, Saved, TableError};
use crate::{Event, Timestamp, UserMessage};

/// The table of [`Router::UserGroup`](super::Router::UserGroup).
#[doc(alias = "UserGroupingRouter")]
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserGroupTable {
    /// The application of each group. New users are given to the groups in turn, in the order of the groups' names.
    pub group_mappings: BTreeMap<String, String>,
    /// For events, as in [`TransportNameTable`].
    #[serde(default)]
    pub route_mappings: BTreeMap<String, Vec<String>>,
    /// As in [`TransportNameTable`].
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
    /// How long a user is remembered after the last message. Default: 30 days; vumi never forgets.
    #[serde(default = "thirty_days")]
    pub memory: MemoryLimits,
}

impl Default for UserGroupTable {
    fn default() -> Self {
        Self {
            group_mappings: BTreeMap::new(),
            route_mappings: BTreeMap::new(),
            transport_mappings: BTreeMap::new(),
            memory: thirty_days(),
        }
    }
}

fn thirty_days() -> MemoryLimits {
    MemoryLimits::of_seconds(30 * 24 * 3_600)
}

impl UserGroupTable {
    pub(super) fn build(self, names: &Names) -> Result<UserGroup, TableError> {
        let Self { group_mappings: groups, route_mappings, transport_mappings, memory } = self;
        if groups.is_empty() {
            return Err(TableError::empty("group_mappings"));
        }
        for (group, app) in &groups {
            names.check_exposed(|| format!("group_mappings.{group}"), app)?;
        }
        let others = TransportNameTable { route_mappings, transport_mappings }.check_entries(names)?;
        Ok(UserGroup { groups, others, users: Memory::new(memory.check()?), turn: 0 })
    }
}

#[derive(Debug)]
pub(super) struct UserGroup {
    groups: BTreeMap<String, String>,
    /// Events and outbound messages.
    others: TransportNameTable,
    users: Memory,
    /// How many users were given to a group.
    turn: u64,
}

impl UserGroup {
    /// The group and application whose turn it is.
    fn next(&mut self) -> Option<(&String, &String)> {
        let count = u64::try_from(self.groups.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(self.turn % count).ok()?;
        self.turn = self.turn.wrapping_add(1);
        self.groups.iter().nth(index)
    }
}

impl Routing for UserGroup {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        let Some(user) = &message.from_addr else {
            return Dropped::Null { field: "from_addr" }.into();
        };
        let known = self.users.get(user, at.now).and_then(|group| self.groups.get_key_value(group));
        let (group, app) = match known {
            Some((group, app)) => (group.clone(), app.clone()),
            None => match self.next() {
                Some((group, app)) => (group.clone(), app.clone()),
                None => return Dropped::NoMatch.into(),
            },
        };
        self.users.insert(user, &group, at.now);
        Route::inbound(&app, message.clone())
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        self.others.outbound(at, message)
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        self.others.event(at, event)
    }

    fn save(&self) -> Saved {
        Saved { turn: self.turn, remembered: self.users.save() }
    }

    fn restore(&mut self, saved: Saved, _names: &Names, now: Timestamp) {
        self.turn = saved.turn;
        self.users.restore(saved.remembered, now, |group| self.groups.contains_key(group));
    }
}
