//! Vumi's dispatchers without IO: a message comes in at a connector, the router says which connectors it goes out at.
//!
//! A dispatcher stands between transports and applications. From a transport's connector it takes inbound messages and
//! events, from an application's (an exposed name's) outbound messages. [`Dispatcher::route`] answers with a [`Route`]:
//! one or several [`Target`]s, each with the message as it is to be published there, or the reason why there is none.
//!
//! A [`Table`] comes from the host's configuration through serde and is checked by [`Dispatcher::new`]:
//!
//! ```
//! use vumi_message::dispatch::{Dispatcher, Route, Table};
//! use vumi_message::{Message, Stamp, UserMessage};
//!
//! let table: Table = serde_json::from_str(r#"{
//!     "transport_names": ["truteq"],
//!     "exposed_names": ["lotto", "news", "help"],
//!     "router": {"to_addr": {
//!         "toaddr_mappings": [
//!             {"name": "lotto", "pattern": "\\*120\\*7"},
//!             {"name": "news", "pattern": "\\*120\\*8#$"}
//!         ],
//!         "matches": "first",
//!         "default_app": "help"
//!     }}
//! }"#)?;
//! let mut dispatcher = Dispatcher::new(table)?;
//!
//! let stamp = Stamp::now();
//! let now = stamp.timestamp;
//! let message = Message::User(UserMessage::send(stamp, "*120*7*1#", "hello"));
//! let Route::To(targets) = dispatcher.route("truteq", &message, now) else {
//!     return Err("no route".into());
//! };
//! assert_eq!(targets[0].routing_key(), "lotto.inbound");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | router | inbound | event | outbound |
//! |---|---|---|---|
//! | `transport_name` | a copy to each name in `route_mappings` | the same | the transport that the message names, through `transport_mappings` |
//! | `transport_to_transport` | a copy to the other transports' outbound | none | none |
//! | `to_addr` | all names, or the first one, whose pattern matches the start of `to_addr`; else `default_app` | to who sent the message | as `transport_name` |
//! | `from_addr_multiplex` | to the one exposed name, `transport_name` rewritten | the same | `fromaddr_mappings` of `from_addr`, `transport_name` rewritten |
//! | `user_group` | sticky: a new `from_addr` gets the next group's application | as `transport_name` | as `transport_name` |
//! | `content_keyword` | a copy for each rule that the first word matches; else `fallback_application` | to who sent the message | `transport_mappings` of `from_addr` |
//! | `redirect` | `redirect_inbound` of the transport, `transport_name` rewritten | the same | `redirect_outbound` of the transport that the message names |
//! | `load_balance` | to the one exposed name, the transport noted in `helper_metadata` | to the one exposed name | replies to the transport noted, others in turn |
//! | `routing_table` | connector and endpoint to connector and endpoint, `endpoint_name` rewritten | the same | the same |
//!
//! Three routers remember: `to_addr` and `content_keyword` who sent a message, `user_group` who is in which group. What
//! they remember has a bound and an age ([`MemoryLimits`]); what would expire first is forgotten first.
//! [`Dispatcher::save`] and [`Dispatcher::restore`] carry it, and whose turn it is, over a restart.
//!
//! The time is an argument, as a [`Timestamp`]: the type that a [`Stamp`](crate::Stamp) holds already,
//! and what is saved can be read.

mod by_transport;
mod content_keyword;
mod from_addr;
mod load_balance;
mod memory;
mod redirect;
mod route;
mod routing_table;
mod table;
mod to_addr;
mod user_group;

use std::fmt;

use crate::{Event, Message, Timestamp, UserMessage};

pub use by_transport::{TransportNameTable, TransportToTransportTable};
pub use content_keyword::{ContentKeywordTable, KeywordRule};
pub use from_addr::FromAddrMultiplexTable;
pub use load_balance::LoadBalanceTable;
pub use memory::{MemoryLimits, Remembered, Saved};
pub use redirect::RedirectTable;
pub use route::{Dropped, Queue, Route, Target};
pub use routing_table::RoutingTable;
pub use table::{Router, Table, TableError};
pub use to_addr::{Matches, ToAddrMapping, ToAddrTable};
pub use user_group::UserGroupTable;

use table::Names;

/// Decides where messages go. Built from a [`Table`].
#[derive(Debug)]
pub struct Dispatcher {
    names: Names,
    router: Box<dyn Routing>,
}

impl Dispatcher {
    /// Checks the table and makes a dispatcher of it.
    ///
    /// # Errors
    ///
    /// The first key of the table that is wrong: empty, a name that is no connector, a pattern that is none.
    pub fn new(table: Table) -> Result<Self, TableError> {
        let names = Names::new(table.transport_names, table.exposed_names)?;
        let router = table.router.build(&names)?;
        Ok(Self { names, router })
    }

    /// Says where a message goes that came in at this connector at this time.
    ///
    /// A user message from a transport is inbound, one from an exposed name outbound; events come from transports.
    pub fn route(&mut self, connector: &str, message: &Message, now: Timestamp) -> Route {
        let from_transport = self.names.is_transport(connector);
        if !from_transport && !self.names.is_exposed(connector) {
            return Dropped::UnknownConnector { connector: connector.to_owned() }.into();
        }
        let at = At { connector, names: &self.names, now };
        match message {
            Message::User(message) if from_transport => self.router.inbound(&at, message),
            Message::User(message) => self.router.outbound(&at, message),
            Message::Event(event) if from_transport => self.router.event(&at, event),
            _ => Dropped::NotRouted { kind: message.kind() }.into(),
        }
    }

    /// What the router remembers, to be kept over a restart.
    pub fn save(&self) -> Saved {
        self.router.save()
    }

    /// Takes back what [`save`](Self::save) gave: entries that are not too old, as many as the limits allow, and only
    /// those that fit the present table.
    pub fn restore(&mut self, saved: Saved, now: Timestamp) {
        self.router.restore(saved, &self.names, now);
    }
}

/// One way of deciding.
trait Routing: fmt::Debug + Send + Sync {
    fn inbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route;
    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route;
    fn event(&mut self, at: &At<'_>, event: &Event) -> Route;

    fn save(&self) -> Saved {
        Saved::default()
    }

    fn restore(&mut self, _saved: Saved, _names: &Names, _now: Timestamp) {}
}

/// Where and when a message came in.
struct At<'a> {
    connector: &'a str,
    names: &'a Names,
    now: Timestamp,
}

impl At<'_> {
    /// The transport that an inbound message or an event names; if it names none (vumi2's events never do), the one
    /// that it came from.
    fn transport<'a>(&'a self, named: Option<&'a str>) -> &'a str {
        named.unwrap_or(self.connector)
    }
}
