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
