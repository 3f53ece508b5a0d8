use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::error;

use super::connection::Command;
use super::request::Reply;
use super::{Core, Link, Request, Service};
use crate::driver::Mailbox;
use crate::pdu::Pdu;
use crate::session::Ticket;

/// A method of the service at work.
pub(super) type Handler = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Calls the method that a request is for; none for an operation that a service does not know.
pub(super) fn start<S: Service>(
    core: &Arc<Core<S>>,
    pdu: Pdu,
    link: &Arc<Link>,
    ticket: Ticket,
    mailbox: &Mailbox<Command>,
) -> Option<Handler> {
    macro_rules! call {
        ($method:ident, $pdu:ident) => {{
            let request = Request::new($pdu, Arc::clone(link), Reply::new(ticket, mailbox.sender()));
            let core = Arc::clone(core);
            Box::pin(async move { core.service.$method(request).await })
        }};
    }
    Some(match pdu {
        Pdu::SubmitSm(pdu) => call!(on_submit, pdu),
        Pdu::SubmitMulti(pdu) => call!(on_multi, pdu),
        Pdu::DataSm(pdu) => call!(on_data, pdu),
        Pdu::QuerySm(pdu) => call!(on_query, pdu),
        Pdu::CancelSm(pdu) => call!(on_cancel, pdu),
        Pdu::ReplaceSm(pdu) => call!(on_replace, pdu),
        Pdu::BroadcastSm(pdu) => call!(on_broadcast, pdu),
        Pdu::QueryBroadcastSm(pdu) => call!(on_query_broadcast, pdu),
        Pdu::CancelBroadcastSm(pdu) => call!(on_cancel_broadcast, pdu),
        _ => return None,
    })
}

/// Ready once the method has returned, or panicked.
pub(super) fn poll(handler: &mut Handler, context: &mut Context<'_>) -> Poll<()> {
    catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context))).unwrap_or_else(|_| {
        error!("a method of the service panicked; its request is answered ESME_RSYSERR");
        Poll::Ready(())
    })
}
