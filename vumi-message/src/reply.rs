//! New messages out of old ones: replies, pushes, and events about a message.

use crate::{DeliveryStatus, Event, EventType, SessionEvent, Stamp, UserMessage};

impl UserMessage {
    /// An answer to this message, to the person whom it came from.
    ///
    /// Addresses and their types are swapped; group, provider, transport, transport metadata and helper metadata are
    /// copied; the endpoint stays; all else is new. `session_event` is `None` to keep a session open,
    /// [`SessionEvent::Close`] to end it. Fields that shall differ can be set afterwards. The README lists what is not
    /// as in vumi.
    ///
    /// ```
    /// # use vumi_message::{SessionEvent, Stamp, UserMessage};
    /// # let inbound = UserMessage { from_addr: Some("+27820000001".to_owned()), ..UserMessage::default() };
    /// let ask = inbound.reply(Stamp::now(), "1. Balance", None);
    /// let bye = inbound.reply(Stamp::now(), "Goodbye.", SessionEvent::Close);
    /// assert_eq!(bye.to_addr, inbound.from_addr);
    /// ```
    #[must_use]
    pub fn reply(
        &self,
        stamp: Stamp,
        content: impl Into<String>,
        session_event: impl Into<Option<SessionEvent>>,
    ) -> Self {
        let mut reply = Self {
            message_id: stamp.id,
            timestamp: stamp.timestamp,
            to_addr: self.from_addr.clone(),
            from_addr: self.to_addr.clone(),
            content: Some(content.into()),
            session_event: session_event.into(),
            in_reply_to: Some(self.message_id.clone()),
            group: self.group.clone(),
            provider: self.provider.clone(),
            transport_name: self.transport_name.clone(),
            transport_type: self.transport_type.clone(),
            transport_metadata: self.transport_metadata.clone(),
            helper_metadata: self.helper_metadata.clone(),
            to_addr_type: self.from_addr_type.clone(),
            from_addr_type: self.to_addr_type.clone(),
            ..Self::default()
        };
        reply.set_endpoint(self.endpoint());
        reply
    }

    /// An answer to the whole group that this message belongs to; without a group the same as [`reply`](Self::reply).
    #[must_use]
    pub fn reply_group(
        &self,
        stamp: Stamp,
        content: impl Into<String>,
        session_event: impl Into<Option<SessionEvent>>,
    ) -> Self {
        let mut reply = self.reply(stamp, content, session_event);
        if self.group.is_some() {
            reply.to_addr = None;
            reply.to_addr_type = None;
        }
        reply
    }

    /// A message that answers none. Sender, transport and its type are null, for a dispatcher or transport to fill;
    /// vumi2 needs a `transport_type`.
    #[must_use]
    pub fn send(stamp: Stamp, to_addr: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            message_id: stamp.id,
            timestamp: stamp.timestamp,
            to_addr: Some(to_addr.into()),
            content: Some(content.into()),
            ..Self::default()
        }
    }

    /// The event that the network took this message, under the id that it gave.
    #[must_use]
    pub fn ack(&self, stamp: Stamp, sent_message_id: impl Into<String>) -> Event {
        self.event(stamp, EventType::Ack { sent_message_id: sent_message_id.into() })
    }

    /// The event that the network did not take this message, and why.
    #[must_use]
    pub fn nack(&self, stamp: Stamp, nack_reason: impl Into<String>) -> Event {
        self.event(stamp, EventType::Nack { nack_reason: nack_reason.into() })
    }

    /// The event that says what became of this message.
    #[must_use]
    pub fn delivery_report(&self, stamp: Stamp, delivery_status: DeliveryStatus) -> Event {
        self.event(stamp, EventType::DeliveryReport { delivery_status })
    }

    fn event(&self, stamp: Stamp, event_type: EventType) -> Event {
        Event { transport_name: self.transport_name.clone(), ..Event::new(stamp, self.message_id.clone(), event_type) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{AddressType, Metadata, Timestamp, TransportType};

    fn object(value: Value) -> Metadata {
        serde_json::from_value(value).unwrap()
    }

    fn stamp() -> Stamp {
        Stamp::new("r1", Timestamp::from_unix_millis(1_000))
    }

    fn inbound() -> UserMessage {
        UserMessage {
            message_id: "m1".to_owned(),
            to_addr: Some("*120*7#".to_owned()),
            from_addr: Some("+27820000001".to_owned()),
            session_event: Some(SessionEvent::New),
            group: Some("#room".to_owned()),
            provider: Some("mno".to_owned()),
            transport_name: Some("truteq".to_owned()),
            transport_type: Some(TransportType::Ussd),
            transport_metadata: object(json!({"t": [1]})),
            helper_metadata: object(json!({"h": 1})),
            routing_metadata: object(json!({"endpoint_name": "ussd", "other": 1})),
            from_addr_type: Some(AddressType::Msisdn),
            extra: object(json!({"created_at": 1.5})),
            ..UserMessage::default()
        }
    }

    #[test]
    fn a_reply_goes_back_the_way_it_came() {
        let reply = inbound().reply(stamp(), "Bye", SessionEvent::Close);
        let expected = UserMessage {
            message_id: "r1".to_owned(),
            timestamp: Timestamp::from_unix_millis(1_000),
            to_addr: Some("+27820000001".to_owned()),
            from_addr: Some("*120*7#".to_owned()),
            content: Some("Bye".to_owned()),
            session_event: Some(SessionEvent::Close),
            in_reply_to: Some("m1".to_owned()),
            routing_metadata: object(json!({"endpoint_name": "ussd"})),
            to_addr_type: Some(AddressType::Msisdn),
            from_addr_type: None,
            extra: Metadata::new(),
            ..inbound()
        };
        assert_eq!(reply, expected);
        assert_eq!(inbound().reply(stamp(), "1. Menu", None).session_event, None);
    }

    #[test]
    fn the_default_endpoint_is_written_out() {
        let reply = UserMessage::default().reply(stamp(), "x", None);
        assert_eq!(reply.routing_metadata, object(json!({"endpoint_name": "default"})));
    }

    #[test]
    fn a_group_reply_is_for_nobody_in_it() {
        let to_all = inbound().reply_group(stamp(), "x", None);
        assert_eq!((to_all.to_addr, to_all.to_addr_type, to_all.group), (None, None, Some("#room".to_owned())));
        let alone = UserMessage { group: None, ..inbound() };
        assert_eq!(alone.reply_group(stamp(), "x", None), alone.reply(stamp(), "x", None));
    }

    #[test]
    fn a_push_answers_nothing() {
        let push = UserMessage::send(stamp(), "+27820000001", "hello");
        let body = serde_json::to_value(&push).unwrap();
        for null in ["from_addr", "in_reply_to", "session_event", "transport_name", "transport_type", "group"] {
            assert_eq!(body[null], Value::Null);
        }
        assert_eq!(body["to_addr"], "+27820000001");
        assert_eq!(body["message_id"], "r1");
    }

    #[test]
    fn events_are_about_the_message() {
        let ack = inbound().ack(stamp(), "gw-77");
        assert_eq!(ack.user_message_id.as_deref(), Some("m1"));
        assert_eq!(ack.transport_name.as_deref(), Some("truteq"));
        assert_eq!((ack.event_id.as_str(), ack.status().as_str()), ("r1", "ack"));
        assert_eq!(ack.transport_metadata, Metadata::new());
        assert_eq!(inbound().nack(stamp(), "no").event_type, EventType::Nack { nack_reason: "no".to_owned() });
        assert_eq!(inbound().delivery_report(stamp(), DeliveryStatus::Pending).status(), "delivery_report.pending");
    }
}
