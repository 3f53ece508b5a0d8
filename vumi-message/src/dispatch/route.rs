//! Where a message goes, or why nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Event, Kind, Message, UserMessage};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Route {
    /// To these connectors, one or several.
    To(Vec<Target>),
    /// Nowhere, and why. Not always a fault: some routers pass no events on.
    Dropped(Dropped),
}

impl Route {
    /// The targets; none if the message was dropped.
    pub fn targets(&self) -> &[Target] {
        match self {
            Self::To(targets) => targets,
            Self::Dropped(_) => &[],
        }
    }

    pub(super) fn one(connector: &str, queue: Queue, message: impl Into<Message>) -> Self {
        Self::To(vec![Target::new(connector, queue, message)])
    }

    /// To an application.
    pub(super) fn inbound(connector: &str, message: UserMessage) -> Self {
        Self::one(connector, Queue::Inbound, message)
    }

    /// To a transport.
    pub(super) fn outbound(connector: &str, message: UserMessage) -> Self {
        Self::one(connector, Queue::Outbound, message)
    }

    /// To an application.
    pub(super) fn event(connector: &str, event: Event) -> Self {
        Self::one(connector, Queue::Event, event)
    }

    /// A copy to each; no name is no match.
    pub(super) fn copies<'a>(
        connectors: impl IntoIterator<Item = &'a String>,
        queue: Queue,
        message: impl Into<Message>,
    ) -> Self {
        let message = message.into();
        let targets: Vec<_> =
            connectors.into_iter().map(|connector| Target::new(connector, queue, message.clone())).collect();
        if targets.is_empty() { Dropped::NoMatch.into() } else { Self::To(targets) }
    }
}

impl From<Dropped> for Route {
    fn from(reason: Dropped) -> Self {
        Self::Dropped(reason)
    }
}

/// One place that a message goes to, with the message as it is to be published there.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The connector of a transport or an application.
    pub connector: String,
    /// Which of the connector's queues.
    pub queue: Queue,
    /// The message, rewritten where the router rewrites.
    pub message: Message,
}

impl Target {
    fn new(connector: &str, queue: Queue, message: impl Into<Message>) -> Self {
        Self { connector: connector.to_owned(), queue, message: message.into() }
    }

    /// Vumi's routing key: connector and queue, joined by a dot.
    pub fn routing_key(&self) -> String {
        format!("{}.{}", self.connector, self.queue)
    }
}

/// A queue of a connector.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// User messages towards applications.
    Inbound,
    /// User messages towards transports.
    Outbound,
    /// Events towards applications.
    Event,
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Event => "event",
        })
    }
}

/// Why a message goes nowhere.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Dropped {
    /// It came in at a connector that the table does not list.
    #[error("{connector:?} is neither a transport nor an exposed name")]
    UnknownConnector {
        /// The connector.
        connector: String,
    },
    /// Messages of this kind are not routed: statuses, failures, and events from applications.
    #[error("no {} is routed from there", .kind.message_type())]
    NotRouted {
        /// The kind.
        kind: Kind,
    },
    /// The table has no entry for what decides here.
    #[error("{table} has no entry for {key:?}")]
    NoEntry {
        /// The table's key.
        table: &'static str,
        /// What was looked for.
        key: String,
    },
    /// The message names a transport that is not on the list.
    #[error("{name:?} is not one of transport_names")]
    UnknownTransport {
        /// The name.
        name: String,
    },
    /// The field that decides is null.
    #[error("{field} is null")]
    Null {
        /// The field.
        field: &'static str,
    },
    /// No pattern or rule matches, and there is no application for the rest.
    #[error("no rule matches")]
    NoMatch,
    /// This router passes no events on.
    #[error("this router passes no events on")]
    EventsIgnored,
    /// This router passes no outbound messages on.
    #[error("this router passes no outbound messages on")]
    OutboundIgnored,
    /// Nobody is remembered as the sender of the message that the event is about.
    #[error("no sender of message {user_message_id:?} is remembered")]
    NotRemembered {
        /// The id of the message.
        user_message_id: String,
    },
}
