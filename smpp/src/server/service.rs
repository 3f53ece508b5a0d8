use std::future::Future;
use std::sync::Arc;

use super::{Account, BindRequest, Closed, Link, Request};
use crate::pdu::{
    BroadcastSm, CancelBroadcastSm, CancelSm, DataSm, QueryBroadcastSm, QuerySm, ReplaceSm, SubmitMulti, SubmitSm,
};
use crate::types::CommandStatus;

/// What a message centre does: one method an operation.
///
/// Methods are declared as functions that return a future, so that it can be required to be [`Send`]; write them as
/// `async fn`.
///
/// * The methods of one link run one after the other, in the order of the requests, unless
///   [`Config::max_handlers`](super::Config#structfield.max_handlers) says otherwise; those of different links run side
///   by side. They run on the link's own task: what computes for long or blocks belongs elsewhere, as in
///   `tokio::task::spawn_blocking`.
/// * A method need not answer before it returns: a [`Request`] may be handed to another task, and the next method is
///   called meanwhile. Until it is answered it counts in the account's window.
/// * A request that is dropped, or whose method panics, is answered `ESME_RSYSERR`, and the link goes on.
/// * A method that is at work when its link ends is dropped where it waits: what must not be left half done, such as
///   storing a message and booking it, belongs in a task of its own, as by `tokio::spawn`.
/// * An id in a query, a cancellation or a replacement is the peer's word: look it up among those of
///   [`Link::account`](super::Link::account) only.
///
/// ```
/// use smpp::pdu::SubmitSm;
/// use smpp::server::{Account, BindRequest, Request, Service};
/// use smpp::types::CommandStatus;
///
/// struct MessageCentre;
///
/// impl Service for MessageCentre {
///     async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
///         match bind.system_id.as_slice() {
///             b"kudu" if bind.has_password(b"secret") => Ok(Account::new("kudu")),
///             b"kudu" => Err(CommandStatus::RINVPASWD),
///             _ => Err(CommandStatus::RINVSYSID),
///         }
///     }
///
///     async fn on_submit(&self, submit: Request<SubmitSm>) {
///         match submit.pdu.destination.addr.is_empty() {
///             false => submit.accept("42".parse().unwrap_or_default()),
///             true => submit.refuse(CommandStatus::RINVDSTADR),
///         }
///     }
/// }
/// ```
pub trait Service: Send + Sync + 'static {
    /// Decides on a bind: the account that the link is for, or the status of the refusal. Wrong credentials are
    /// `ESME_RINVSYSID` and `ESME_RINVPASWD`, or `ESME_RBINDFAIL` for who does not want to say which.
    ///
    /// It may take as long as [`session_init`](crate::session::Config#structfield.session_init) leaves it. If it panics
    /// the bind is refused with `ESME_RSYSERR`.
    fn on_bind(&self, bind: BindRequest) -> impl Future<Output = Result<Account, CommandStatus>> + Send;

    /// A message is submitted. By default refused with `ESME_RSYSERR`.
    fn on_submit(&self, submit: Request<SubmitSm>) -> impl Future<Output = ()> + Send {
        async { submit.refuse(CommandStatus::RSYSERR) }
    }

    /// A message is submitted to several recipients. By default refused with `ESME_RINVCMDID`.
    fn on_multi(&self, multi: Request<SubmitMulti>) -> impl Future<Output = ()> + Send {
        async { multi.refuse(CommandStatus::RINVCMDID) }
    }

    /// A message is submitted by data_sm. By default refused with `ESME_RINVCMDID`.
    fn on_data(&self, data: Request<DataSm>) -> impl Future<Output = ()> + Send {
        async { data.refuse(CommandStatus::RINVCMDID) }
    }

    /// The state of a message is asked for. By default refused with `ESME_RQUERYFAIL`.
    fn on_query(&self, query: Request<QuerySm>) -> impl Future<Output = ()> + Send {
        async { query.refuse(CommandStatus::RQUERYFAIL) }
    }

    /// A message is taken back. By default refused with `ESME_RCANCELFAIL`.
    fn on_cancel(&self, cancel: Request<CancelSm>) -> impl Future<Output = ()> + Send {
        async { cancel.refuse(CommandStatus::RCANCELFAIL) }
    }

    /// A message is replaced. By default refused with `ESME_RREPLACEFAIL`.
    fn on_replace(&self, replace: Request<ReplaceSm>) -> impl Future<Output = ()> + Send {
        async { replace.refuse(CommandStatus::RREPLACEFAIL) }
    }

    /// A message is to be broadcast to an area (5.0). By default refused with `ESME_RINVCMDID`.
    fn on_broadcast(&self, broadcast: Request<BroadcastSm>) -> impl Future<Output = ()> + Send {
        async { broadcast.refuse(CommandStatus::RINVCMDID) }
    }

    /// The state of a broadcast is asked for (5.0). By default refused with `ESME_RINVCMDID`.
    fn on_query_broadcast(&self, query: Request<QueryBroadcastSm>) -> impl Future<Output = ()> + Send {
        async { query.refuse(CommandStatus::RINVCMDID) }
    }

    /// A broadcast is taken back (5.0). By default refused with `ESME_RINVCMDID`.
    fn on_cancel_broadcast(&self, cancel: Request<CancelBroadcastSm>) -> impl Future<Output = ()> + Send {
        async { cancel.refuse(CommandStatus::RINVCMDID) }
    }

    /// A link is bound: from here on it takes deliveries, if it is not a transmitter's. Not to block.
    fn on_bound(&self, link: &Arc<Link>) {
        let _ = link;
    }

    /// A connection is over, bound or not; the last that is heard of it. Not to block.
    fn on_closed(&self, closed: &Closed) {
        let _ = closed;
    }
}
