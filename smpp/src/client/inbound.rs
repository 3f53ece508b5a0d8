use std::fmt;
use std::ops::Deref;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::mpsc;

use super::event::Reply;
use super::pool::Inner;
use super::{Incoming, RequestError, SendError};
use crate::correlation::{Credited, Expired, MessageKey};
use crate::message::InboundMessage;
use crate::pdu::{AlertNotification, DeliverSm, Frame};
use crate::receipt::Receipt;
use crate::session;
use crate::text::Abandoned;
use crate::types::CommandStatus;

/// What a program is told by a [`Client`](super::Client), beside the outcomes of what it sends.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A message, whole: to be [acknowledged](Delivery::ack).
    Message(Delivery<InboundMessage>),
    /// A turn of a USSD dialogue: to be [acknowledged](Delivery::ack).
    Ussd(Delivery<DeliverSm>),
    /// A receipt. It was answered ESME_ROK.
    Receipt {
        /// The receipt.
        receipt: Box<Receipt>,
        /// The message it is for; none if it is not known, or not yet: see [`Credited`](Self::Credited).
        credited: Option<Box<Credited>>,
    },
    /// A receipt that came before is now known to be for this message.
    Credited(Box<Credited>),
    /// A message whose receipts were given up, or a receipt for nothing.
    Expired(Expired),
    /// A mobile is available again for which a message could not be delivered. Nothing answers it.
    Alert(Box<AlertNotification>),
    /// A long message that did not become whole. Its parts were answered ESME_ROK.
    Incomplete(Box<Abandoned<()>>),
    /// What became of a message whose `send` was dropped.
    Abandoned {
        /// The message.
        message: MessageKey,
        /// Identifiers of its parts, or why it was not taken.
        outcome: Result<Vec<String>, SendError>,
    },
    /// What became of a PDU whose [`request`](super::Client::request) was dropped after it was written.
    AbandonedRequest {
        /// The PDU.
        request: session::Sent,
        /// Its response, or what is known otherwise.
        outcome: Result<Box<Frame>, RequestError>,
    },
    /// A part that was told to be unanswered is answered after all.
    Late {
        /// The message.
        message: MessageKey,
        /// The number of the part, from 1.
        part: u8,
        /// The identifier that it got, or why it was refused.
        outcome: Result<String, CommandStatus>,
    },
    /// The answer to a PDU of [`request`](super::Client::request) that was told to be unanswered, to its future or as
    /// [`AbandonedRequest`](Self::AbandonedRequest). The status may be an error.
    LateRequest {
        /// The PDU.
        request: session::Sent,
        /// The answer.
        response: Box<Frame>,
    },
    /// A link is bound.
    Bound {
        /// Its number in the pool, from 0.
        link: usize,
    },
    /// A link is lost, or could not be bound.
    Lost {
        /// Its number in the pool, from 0.
        link: usize,
        /// Why.
        reason: String,
        /// When the next attempt is made; none if there is none.
        retry: Option<Duration>,
    },
}

/// Something of the message centre's that the program has to take: [`ack`](Self::ack) it once it is safe.
///
/// Dropped, it is answered `ESME_RX_T_APPN`, and the message centre sends it again.
#[must_use = "what is dropped is answered ESME_RX_T_APPN"]
pub struct Delivery<T: Default> {
    content: Box<T>,
    /// What is to be done with the content before a temporary error; none once it was done, or is not to be.
    give_back: Option<fn(&Inner, T)>,
    reply: Option<Reply>,
    client: Weak<Inner>,
}

impl<T: Default> Delivery<T> {
    pub(super) fn new(content: Box<T>, incoming: Incoming, give_back: fn(&Inner, T), client: Weak<Inner>) -> Self {
        // Its frame goes: what counts of it stands in the content.
        Self { content, give_back: Some(give_back), reply: Some(incoming.into_reply()), client }
    }

    /// It is safe: answers ESME_ROK.
    pub fn ack(mut self) {
        self.give_back = None;
        if let Some(reply) = self.reply.take() {
            reply.accept();
        }
    }

    /// Answers an error. After a [temporary](CommandStatus::is_temporary) one it comes again.
    pub fn refuse(mut self, status: CommandStatus) {
        if status.is_temporary() {
            self.give_back();
        }
        self.give_back = None;
        if let Some(reply) = self.reply.take() {
            reply.refuse(status);
        }
    }

    fn give_back(&mut self) {
        if let (Some(give_back), Some(client)) = (self.give_back.take(), self.client.upgrade()) {
            give_back(&client, std::mem::take(&mut *self.content));
        }
    }
}

impl<T: Default> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

impl<T: Default + fmt::Debug> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.content).finish()
    }
}

/// What is given back is there before the answer makes the message centre send the rest again.
impl<T: Default> Drop for Delivery<T> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What a program is told, in order. Once this is dropped, messages are answered `ESME_RX_T_APPN`.
#[derive(Debug)]
pub struct ClientEvents(pub(super) mpsc::Receiver<ClientEvent>);

impl ClientEvents {
    /// The next event; none once the client is gone. May be cancelled without a loss.
    pub async fn recv(&mut self) -> Option<ClientEvent> {
        self.0.recv().await
    }

    /// The next event if one is there.
    pub fn try_recv(&mut self) -> Option<ClientEvent> {
        self.0.try_recv().ok()
    }
}
