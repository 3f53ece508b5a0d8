use std::fmt;
use std::task::{Context, Poll};

use thiserror::Error;
use tokio::sync::mpsc;

use super::RequestError;
use super::host::Command;
use crate::driver::Sender;
use crate::pdu::{BadPdu, Frame, Pdu};
use crate::session::{Sent, Ticket};
use crate::types::{CommandId, CommandStatus};

/// What a program is told by a [`Link`](super::Link), beside the outcomes of its requests.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "no heap on the hot path")]
#[non_exhaustive]
pub enum Event {
    /// The peer asks.
    Request(Incoming),
    /// The peer sent a PDU that nothing answers: outbind or alert_notification.
    OneWay(Frame),
    /// The outcome of a request whose future was dropped after it was written.
    Abandoned {
        /// The request.
        request: Sent,
        /// Its outcome.
        outcome: Result<Frame, RequestError>,
    },
    /// The answer to a request that had timed out.
    Late {
        /// The request.
        request: Sent,
        /// The answer.
        response: Frame,
    },
    /// A second answer to a request that was answered of late.
    Duplicate(Frame),
    /// An answer to nothing that is known.
    Unexpected(Frame),
    /// A request of the peer was refused: not in this state, direction or version, beyond the peer's window, or since
    /// nobody reads the events.
    Refused {
        /// The request.
        request: Frame,
        /// The status that it was answered with.
        status: CommandStatus,
    },
    /// A PDU with a bad body. It was answered if an answer is due; the link goes on.
    Bad(BadPdu),
    /// The peer unbinds: no more requests can be sent, and the link will close.
    Unbinding,
}

/// A request of the peer, and the one way to answer it: a response has the request's number because it is made from it.
///
/// Dropped, it is answered `ESME_RX_T_APPN`: the message centre tries again later.
#[must_use = "a request that is dropped is answered ESME_RX_T_APPN"]
pub struct Incoming {
    /// What was sent. Text and TLVs are slices of the read buffer; `detach` what is kept for long.
    pub frame: Frame,
    reply: Reply,
}

/// A PDU that does not answer the request.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{response} does not answer {request}")]
pub struct WrongOperation {
    /// The request.
    pub request: CommandId,
    /// The PDU.
    pub response: CommandId,
}

impl Incoming {
    pub(super) fn new(ticket: Ticket, frame: Frame, sender: &Sender<Command>) -> Self {
        let response = frame.pdu.command_id().response().and_then(Pdu::without_body).unwrap_or_default();
        Self { frame, reply: Reply { ticket, response: Some(response), sender: sender.clone() } }
    }

    /// Answers it ESME_ROK, with a body in which nothing is set. Once the link is over, the answer goes nowhere.
    pub fn accept(self) {
        self.reply.accept();
    }

    /// Answers it with an error and no body.
    pub fn refuse(self, status: CommandStatus) {
        self.reply.refuse(status);
    }

    /// The answer alone, for who has taken out of the frame what counts.
    pub(super) fn into_reply(self) -> Reply {
        self.reply
    }

    /// Answers it as given.
    ///
    /// # Errors
    ///
    /// The PDU is not the response of the request's operation; the request is then answered as one that is dropped.
    pub fn respond(mut self, status: CommandStatus, response: impl Into<Pdu>) -> Result<(), WrongOperation> {
        let response = response.into();
        let request = self.frame.pdu.command_id();
        if request.response() != Some(response.command_id()) {
            return Err(WrongOperation { request, response: response.command_id() });
        }
        self.reply.response = None;
        self.reply.send(status, response);
        Ok(())
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// How a request is answered; dropped, as the request.
pub(super) struct Reply {
    ticket: Ticket,
    /// The response without a body, while it is not answered.
    response: Option<Pdu>,
    sender: Sender<Command>,
}

impl Reply {
    pub(super) fn accept(mut self) {
        let response = match self.response.take() {
            Some(Pdu::DeliverSmResp(_)) => crate::pdu::DeliverSmResp::default().into(),
            Some(Pdu::DataSmResp(_)) => crate::pdu::DataSmResp::default().into(),
            Some(other) => other,
            None => return,
        };
        self.send(CommandStatus::ROK, response);
    }

    pub(super) fn refuse(mut self, status: CommandStatus) {
        if let Some(response) = self.response.take() {
            self.send(status, response);
        }
    }

    fn send(&self, status: CommandStatus, response: Pdu) {
        // If the link is over there is nobody to tell.
        let _ = self.sender.push(Command::Respond { ticket: self.ticket, status, response: Box::new(response) });
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(response) = self.response.take() {
            self.send(CommandStatus::RX_T_APPN, response);
        }
    }
}

/// What a program is told, in order.
///
/// While nobody reads, events are kept up to [`max_events`](super::LinkConfig#structfield.max_events). Once this is
/// dropped, requests of the peer are answered `ESME_RX_T_APPN`.
#[derive(Debug)]
pub struct Events(pub(super) mpsc::Receiver<Event>);

impl Events {
    /// The next event; none once the link is over and everything was taken. May be cancelled without a loss.
    pub async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next event if one is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }

    /// [`recv`](Self::recv) for who writes futures by hand.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_recv(context)
    }
}
