use std::fmt;
use std::sync::Arc;

use super::Link;
use super::connection::Command;
use crate::driver;
use crate::pdu::{
    CancelSm, CancelSmResp, DataSm, DataSmResp, Operation, Pdu, ReplaceSm, ReplaceSmResp, SubmitMulti, SubmitMultiResp,
    SubmitSm, SubmitSmResp,
};
use crate::session::Ticket;
use crate::types::{COctetString, CommandStatus};

/// A request of an ESME, and the one way to answer it: a response has the request's number because it is made from it.
///
/// Dropped, it is answered `ESME_RSYSERR`. It may be answered from any task and at any time; once its link is over, the
/// answer goes nowhere.
#[must_use = "a request that is dropped is answered ESME_RSYSERR"]
pub struct Request<P> {
    /// What was sent. Text and TLVs are slices of the read buffer; `detach` what is kept for long.
    pub pdu: P,
    link: Arc<Link>,
    reply: Reply,
}

impl<P: Operation> Request<P> {
    pub(super) fn new(pdu: P, link: Arc<Link>, reply: Reply) -> Self {
        Self { pdu, link, reply }
    }

    /// The link that it came on.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Answers it with success.
    pub fn respond(self, response: P::Response) {
        self.reply.send(CommandStatus::ROK, response.into());
    }

    /// Refuses it; the response has no body.
    pub fn refuse(self, status: CommandStatus) {
        let response = P::COMMAND_ID.response().and_then(Pdu::without_body).unwrap_or_default();
        self.reply.send(status, response);
    }

    /// Refuses it with a body, such as that of a data_sm_resp with delivery_failure_reason.
    pub fn refuse_with(self, status: CommandStatus, response: P::Response) {
        self.reply.send(status, response.into());
    }
}

impl Request<SubmitSm> {
    /// Takes the message, under this id. An ESME of version 3.3 takes ids of up to 8 hexadecimal digits only.
    pub fn accept(self, message_id: COctetString<65>) {
        self.respond(SubmitSmResp { message_id, ..Default::default() });
    }
}

impl Request<DataSm> {
    /// Takes the message, under this id.
    pub fn accept(self, message_id: COctetString<65>) {
        self.respond(DataSmResp { message_id, ..Default::default() });
    }
}

impl Request<SubmitMulti> {
    /// Takes the message for all its recipients, under this id. For some of them see [`Request::respond`].
    pub fn accept(self, message_id: COctetString<65>) {
        self.respond(SubmitMultiResp { message_id, ..Default::default() });
    }
}

impl Request<CancelSm> {
    /// The message is taken back.
    pub fn accept(self) {
        self.respond(CancelSmResp::default());
    }
}

impl Request<ReplaceSm> {
    /// The message is replaced.
    pub fn accept(self) {
        self.respond(ReplaceSmResp::default());
    }
}

impl<P: fmt::Debug> fmt::Debug for Request<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("pdu", &self.pdu).field("link", &self.link).finish_non_exhaustive()
    }
}

/// The way back of one request's answer.
pub(super) struct Reply {
    ticket: Ticket,
    /// None once it is answered.
    sender: Option<driver::Sender<Command>>,
}

impl Reply {
    pub(super) fn new(ticket: Ticket, sender: driver::Sender<Command>) -> Self {
        Self { ticket, sender: Some(sender) }
    }

    fn send(mut self, status: CommandStatus, response: Pdu) {
        self.push(status, Some(response));
    }

    fn push(&mut self, status: CommandStatus, response: Option<Pdu>) {
        if let Some(sender) = self.sender.take() {
            // If it comes back, the link is over.
            let _ = sender.push(Command::Answer { ticket: self.ticket, status, response });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.push(CommandStatus::RSYSERR, None);
    }
}
