//! In turn over several transports; replies go out where the question came in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::table::Names;
use super::{At, Route, Routing, Saved, TableError};
use crate::{Event, Metadata, Timestamp, UserMessage};

/// The table of [`Router::LoadBalance`](super::Router::LoadBalance), which takes exactly one exposed name.
#[doc(alias = "LoadBalancingRouter")]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalanceTable {
    /// Whether replies go to the transport that the question came from, which is noted in
    /// `helper_metadata.load_balancer.transport_names`. Default: yes.
    #[serde(default = "yes")]
    pub reply_affinity: bool,
    /// Whether `transport_name` is rewritten in both directions. Default: yes.
    #[serde(default = "yes")]
    pub rewrite_transport_names: bool,
}

impl Default for LoadBalanceTable {
    fn default() -> Self {
        Self { reply_affinity: true, rewrite_transport_names: true }
    }
}

fn yes() -> bool {
    true
}

impl LoadBalanceTable {
    pub(super) fn build(self, names: &Names) -> Result<LoadBalance, TableError> {
        Ok(LoadBalance { table: self, exposed: names.one_exposed()?, turn: 0 })
    }
}

#[derive(Debug)]
pub(super) struct LoadBalance {
    table: LoadBalanceTable,
    exposed: String,
    /// How many messages were given out in turn.
    turn: u64,
}

impl LoadBalance {
    fn rewrite(&self, transport_name: &mut Option<String>, name: &str) {
        if self.table.rewrite_transport_names {
            *transport_name = Some(name.to_owned());
        }
    }

    /// The transport whose turn it is.
    fn next(&mut self, names: &Names) -> Option<String> {
        let count = u64::try_from(names.transports.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(self.turn % count).ok()?;
        self.turn = self.turn.wrapping_add(1);
        names.transports.get(index).cloned()
    }
}

impl Routing for LoadBalance {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        let mut message = message.clone();
        if self.table.reply_affinity {
            let transport = at.transport(message.transport_name.as_deref()).to_owned();
            push(&mut message.helper_metadata, transport);
        }
        self.rewrite(&mut message.transport_name, &self.exposed);
        Route::inbound(&self.exposed, message)
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        let mut message = message.clone();
        let is_reply = message.in_reply_to.as_ref().is_some_and(|id| !id.is_empty());
        let noted = if self.table.reply_affinity && is_reply { pop(&mut message.helper_metadata) } else { None };
        let transport = match noted.filter(|name| at.names.is_transport(name)) {
            Some(name) => name,
            None => match self.next(at.names) {
                Some(name) => name,
                None => return super::Dropped::NoMatch.into(),
            },
        };
        self.rewrite(&mut message.transport_name, &transport);
        Route::outbound(&transport, message)
    }

    fn event(&mut self, _at: &At<'_>, event: &Event) -> Route {
        let mut event = event.clone();
        self.rewrite(&mut event.transport_name, &self.exposed);
        Route::event(&self.exposed, event)
    }

    fn save(&self) -> Saved {
        Saved { turn: self.turn, ..Saved::default() }
    }

    fn restore(&mut self, saved: Saved, _names: &Names, _now: Timestamp) {
        self.turn = saved.turn;
    }
}

const LOAD_BALANCER: &str = "load_balancer";
const TRANSPORT_NAMES: &str = "transport_names";

/// Notes a transport on the stack; what stands in its place and is no stack is replaced.
fn push(helper_metadata: &mut Metadata, transport: String) {
    let notes = helper_metadata.entry(LOAD_BALANCER).or_insert(Value::Null);
    if !notes.is_object() {
        *notes = Value::Object(Map::new());
    }
    let Value::Object(notes) = notes else { return };
    let names = notes.entry(TRANSPORT_NAMES).or_insert(Value::Null);
    match names {
        Value::Array(names) => names.push(transport.into()),
        other => *other = Value::Array(vec![transport.into()]),
    }
}

/// Takes the last transport from the stack.
fn pop(helper_metadata: &mut Metadata) -> Option<String> {
    let names = helper_metadata.get_mut(LOAD_BALANCER)?.get_mut(TRANSPORT_NAMES)?;
    match names.as_array_mut()?.pop()? {
        Value::String(name) => Some(name),
        _ => None,
    }
}
