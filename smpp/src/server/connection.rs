use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::handler::{self, Handler};
use super::registry::{Receiver, Seat};
use super::{Account, AccountLimits, BindRequest, Closed, Core, DeliverError, Link, Service};
use crate::driver::{self, Mailbox, TokenBucket};
use crate::pdu::{BindReceiverResp, BindTransceiverResp, BindTransmitterResp, Frame, Pdu};
use crate::session::{BindKind, CloseReason, Event, RequestError, RespondError, Session, Ticket};
use crate::types::{CommandId, CommandStatus, Password, SequenceNumber};

/// What a link is to do.
#[expect(clippy::large_enum_variant, reason = "nearly all are answers, which are not to cost an allocation")]
pub(super) enum Command {
    /// A request is answered; without a body if there is none.
    Answer {
        ticket: Ticket,
        status: CommandStatus,
        response: Option<Pdu>,
    },
    Deliver(Delivery),
    /// What was taken is answered, and then the link unbinds.
    Unbind,
    /// At once.
    Close,
}

/// A request to the ESME.
pub(super) struct Delivery {
    pub(super) pdu: Box<Pdu>,
    pub(super) waiting: Waiting,
}

/// Who waits for the outcome of a delivery, and its place in the link's window.
pub(super) struct Waiting {
    pub(super) reply: oneshot::Sender<Result<Pdu, DeliverError>>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// Serves one connection from its first octet to its last, or until all are cut off.
pub(super) async fn serve<IO, S>(
    io: IO,
    core: Arc<Core<S>>,
    seat: Seat,
    peer: Option<SocketAddr>,
    mailbox: Mailbox<Command>,
    abort: CancellationToken,
) where
    IO: AsyncRead + AsyncWrite + Send + Unpin,
    S: Service,
{
    let mut session = Session::message_centre(core.config.session.clone(), driver::now());
    let config = core.config.io.clone();
    let mut host = Host {
        core,
        seat,
        peer,
        mailbox,
        taken: Vec::new(),
        deciding: None,
        link: None,
        rate: None,
        slots: None,
        waiting: VecDeque::new(),
        running: Vec::new(),
        unanswered: 0,
        deliveries: HashMap::new(),
        over: false,
    };
    tokio::select! {
        _ = driver::run(io, &config, &mut session, &mut host) => {}
        () = abort.cancelled() => {}
    }
    if !host.over {
        driver::Host::closed(&mut host, &CloseReason::Closed, &session);
    }
}

/// The server, as one of its sessions sees it.
struct Host<S> {
    core: Arc<Core<S>>,
    seat: Seat,
    peer: Option<SocketAddr>,
    mailbox: Mailbox<Command>,
    /// Empty between two turns; kept for its memory.
    taken: Vec<Command>,
    /// The bind that the service decides on.
    deciding: Option<Deciding>,
    /// Once it is bound.
    link: Option<Arc<Link>>,
    rate: Option<Arc<Mutex<TokenBucket>>>,
    /// The places of deliveries.
    slots: Option<Arc<Semaphore>>,
    /// Requests whose turn has not come; not more than the account's window.
    waiting: VecDeque<(Ticket, Frame)>,
    running: Vec<Handler>,
    /// Requests that the service has and did not answer yet.
    unanswered: usize,
    deliveries: HashMap<SequenceNumber, Waiting>,
    /// Whether the service was told that it is over.
    over: bool,
}

/// A bind, and the service at work on it.
struct Deciding {
    ticket: Ticket,
    /// Without the password.
    bind: BindRequest,
    decision: Pin<Box<dyn Future<Output = Result<Account, CommandStatus>> + Send>>,
}

impl<S: Service> driver::Host for Host<S> {
    /// Nobody is woken for an answer.
    const BATCH: usize = 32;

    fn poll(&mut self, session: &mut Session, context: &mut Context<'_>, now: Instant) -> bool {
        self.running.retain_mut(|handler| handler::poll(handler, context).is_pending());
        self.obey(session, now)
    }

    fn start(&mut self, session: &mut Session, context: &mut Context<'_>, now: Instant) -> bool {
        self.decide(session, context, now);
        while self.running.len() < self.core.config.max_handlers.max(1)
            && let (Some((ticket, request)), Some(link)) = (self.waiting.pop_front(), &self.link)
        {
            let Some(mut handler) = handler::start(&self.core, request.pdu, link, ticket, &self.mailbox) else {
                self.answer(session, ticket, CommandStatus::RINVCMDID, None, now);
                continue;
            };
            self.unanswered = self.unanswered.saturating_add(1);
            if handler::poll(&mut handler, context).is_pending() {
                self.running.push(handler);
            }
        }
        self.obey(session, now)
    }

    fn settle(&mut self) -> bool {
        false
    }

    fn park(&mut self, context: &mut Context<'_>) -> bool {
        self.mailbox.park(context)
    }

    fn event(&mut self, event: Event, session: &mut Session, now: Instant) {
        match event {
            Event::Request { ticket, request } => self.request(ticket, request, session, now),
            Event::Response { request, response } => {
                let status = response.header.command_status;
                let outcome = if status.is_ok() { Ok(response.pdu) } else { Err(DeliverError::Refused { status }) };
                self.delivered(request.number, outcome);
            }
            Event::Mismatched { request, .. } => self.delivered(request.number, Err(DeliverError::Unanswered)),
            Event::Unanswered { request, .. } => self.delivered(request.number, Err(DeliverError::Unanswered)),
            Event::Unbinding => self.stop_delivering(),
            Event::Bad(bad) => debug!(error = %bad, "bad PDU"),
            Event::Refused { request, status } => debug!(pdu = request.pdu.name(), %status, "refused"),
            Event::Late { .. } | Event::Duplicate(_) | Event::Unexpected(_) | Event::OneWay(_) => {}
        }
    }

    fn closed(&mut self, reason: &CloseReason, session: &Session) {
        self.over = true;
        self.stop_delivering();
        self.seat.unbind();
        self.deciding = None;
        self.waiting.clear();
        let closed = Closed {
            connection: self.seat.id(),
            peer: self.peer,
            link: self.link.take(),
            reason: reason.clone(),
            counters: session.counters().clone(),
        };
        info!(%reason, account = closed.link.as_ref().map(|link| link.account()), "connection closed");
        guarded("on_closed", || self.core.service.on_closed(&closed));
    }

    fn shrink(&mut self) {
        self.mailbox.shrink();
        self.taken = Vec::new();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        if self.running.is_empty() {
            self.running = Vec::new();
        }
        if self.deliveries.is_empty() {
            self.deliveries = HashMap::new();
        }
    }
}

impl<S: Service> Host<S> {
    /// Does what tasks of the program have asked for. Says whether more is likely to come at once.
    fn obey(&mut self, session: &mut Session, now: Instant) -> bool {
        let mut taken = std::mem::take(&mut self.taken);
        self.mailbox.take(&mut taken);
        let any = !taken.is_empty();
        for command in taken.drain(..) {
            match command {
                Command::Answer { ticket, status, response } => {
                    self.unanswered = self.unanswered.saturating_sub(1);
                    self.answer(session, ticket, status, response, now);
                }
                Command::Deliver(delivery) => self.deliver(session, delivery, now),
                Command::Unbind => {
                    self.stop_delivering();
                    session.unbind(now);
                }
                Command::Close => session.close(),
            }
        }
        self.taken = taken;
        any && self.unanswered > 0
    }

    fn answer(
        &self,
        session: &mut Session,
        ticket: Ticket,
        status: CommandStatus,
        response: Option<Pdu>,
        now: Instant,
    ) {
        let answered = match response {
            Some(response) => session.respond(ticket, status, response, now),
            None => session.refuse(ticket, status, now),
        };
        match answered {
            // The link is over, or about to be.
            Ok(()) | Err(RespondError::Stale) => {}
            Err(error) => {
                warn!(%error, "an answer cannot be sent");
                let _ = session.refuse(ticket, CommandStatus::RSYSERR, now);
            }
        }
    }

    fn request(&mut self, ticket: Ticket, request: Frame, session: &mut Session, now: Instant) {
        if let Some(kind) = BindKind::of(request.pdu.command_id()) {
            return self.ask(ticket, kind, request);
        }
        let within =
            self.rate.as_ref().is_none_or(|rate| rate.lock().unwrap_or_else(PoisonError::into_inner).take(now).is_ok());
        if within {
            self.waiting.push_back((ticket, request));
        } else {
            self.answer(session, ticket, CommandStatus::RTHROTTLED, None, now);
        }
    }

    /// Asks the service for a decision.
    fn ask(&mut self, ticket: Ticket, kind: BindKind, request: Frame) {
        let Some(bind) = BindRequest::new(self.seat.id(), self.peer, kind, &request.pdu) else { return };
        let shown = BindRequest { password: Password::default(), ..bind.clone() };
        let core = Arc::clone(&self.core);
        let decision = Box::pin(async move {
            // It is never closed.
            let deciding = core.deciding.acquire().await;
            let decision = core.service.on_bind(bind).await;
            drop(deciding);
            if decision.is_err() {
                tokio::time::sleep(core.config.refusal_delay).await;
            }
            decision
        });
        self.deciding = Some(Deciding { ticket, bind: shown, decision });
    }

    fn decide(&mut self, session: &mut Session, context: &mut Context<'_>, now: Instant) {
        let Some(deciding) = &mut self.deciding else { return };
        let polled = catch_unwind(AssertUnwindSafe(|| deciding.decision.as_mut().poll(context)));
        let decision = match polled {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(decision)) => decision,
            Err(_) => {
                error!("on_bind panicked");
                Err(CommandStatus::RSYSERR)
            }
        };
        let Some(deciding) = self.deciding.take() else { return };
        let admitted = decision.and_then(|account| self.admit(account));
        match admitted {
            Ok((account, limits)) => self.accept(&deciding, &account, &limits, session, now),
            Err(status) => {
                info!(%status, "bind refused");
                self.answer(session, deciding.ticket, status, None, now);
            }
        }
    }

    /// Takes one of the places that the account has.
    fn admit(&mut self, account: Account) -> Result<(Arc<str>, AccountLimits), CommandStatus> {
        let limits = account.limits.unwrap_or_else(|| self.core.config.account.clone());
        self.rate = self.seat.bind(&account.name, &limits)?;
        Ok((account.name, limits))
    }

    fn accept(
        &mut self,
        deciding: &Deciding,
        account: &Arc<str>,
        limits: &AccountLimits,
        session: &mut Session,
        now: Instant,
    ) {
        session.set_peer_window(limits.window);
        session.set_window(limits.delivery_window);
        let system_id = self.core.config.system_id.clone();
        let response: Pdu = match deciding.bind.kind {
            BindKind::Transmitter => BindTransmitterResp { system_id, ..Default::default() }.into(),
            BindKind::Receiver => BindReceiverResp { system_id, ..Default::default() }.into(),
            BindKind::Transceiver => BindTransceiverResp { system_id, ..Default::default() }.into(),
        };
        if let Err(error) = session.respond(deciding.ticket, CommandStatus::ROK, response, now) {
            debug!(%error, "a bind was accepted too late");
            return self.seat.unbind();
        }
        let link = Arc::new(Link::new(&self.seat, &deciding.bind, account, session.version()));
        info!(account = %link.account, kind = ?link.kind, version = %link.version, "bound");
        if deciding.bind.kind != BindKind::Transmitter {
            let slots = Arc::new(Semaphore::new(limits.delivery_window.clamp(1, Semaphore::MAX_PERMITS)));
            self.slots = Some(Arc::clone(&slots));
            self.seat.receive(Receiver { connection: self.seat.id(), sender: self.mailbox.sender(), slots });
        }
        self.link = Some(Arc::clone(&link));
        guarded("on_bound", || self.core.service.on_bound(&link));
    }

    fn deliver(&mut self, session: &mut Session, delivery: Delivery, now: Instant) {
        let Delivery { pdu, waiting } = delivery;
        if waiting.reply.is_closed() {
            return;
        }
        let command_id = pdu.command_id();
        let outcome = match session.request(*pdu, now) {
            Ok(_) if command_id == CommandId::ALERT_NOTIFICATION => Ok(Pdu::default()),
            Ok(number) => {
                self.deliveries.insert(number, waiting);
                return;
            }
            Err(RequestError::Invalid(error)) => Err(DeliverError::Invalid(error)),
            Err(error) => {
                debug!(%error, "a delivery cannot be sent");
                Err(DeliverError::NotSent)
            }
        };
        // Who waits no more need not be told.
        let _ = waiting.reply.send(outcome);
    }

    fn delivered(&mut self, number: SequenceNumber, outcome: Result<Pdu, DeliverError>) {
        if let Some(waiting) = self.deliveries.remove(&number) {
            // Its place is free before the program knows.
            drop(waiting.slot);
            let _ = waiting.reply.send(outcome);
        }
    }

    /// Deliveries go to other links from now on.
    fn stop_delivering(&mut self) {
        if let Some(slots) = self.slots.take() {
            slots.close();
        }
    }
}

/// Runs what the program does not do in a task of its own; a panic there ends nothing here.
fn guarded(method: &'static str, call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        error!(method, "a method of the service panicked");
    }
}
