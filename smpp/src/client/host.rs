use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use super::call::{Callee, judge};
use super::{Event, Incoming, RequestError, Shared};
use crate::driver::{self, Mailbox};
use crate::pdu::{Frame, Pdu};
use crate::session::{self, CloseReason, RespondError, Sent, Session, Ticket, Unanswered};
use crate::types::CommandStatus;

/// What a handle wants done.
pub(super) enum Command {
    /// Send this, and tell the outcome.
    Request(Callee),
    /// A request of the peer is answered.
    Respond {
        ticket: Ticket,
        status: CommandStatus,
        response: Box<Pdu>,
    },
    Unbind,
    Close,
}

/// The handles of a link, as its session sees them.
pub(super) struct Host {
    shared: Arc<Shared>,
    mailbox: Mailbox<Command>,
    /// Empty between two turns; kept for its memory.
    taken: Vec<Command>,
    calls: HashMap<u32, Callee, BuildHasherDefault<NumberHasher>>,
    events: mpsc::Sender<Event>,
    /// Events that found no room.
    dropped: u64,
    closed: watch::Sender<Option<CloseReason>>,
    /// Places of the window that are free again and were not given back.
    freed: usize,
    /// Tasks that were woken and have not come back with a request.
    woken: usize,
}

impl Host {
    pub(super) fn new(
        shared: Arc<Shared>,
        mailbox: Mailbox<Command>,
        events: mpsc::Sender<Event>,
        closed: watch::Sender<Option<CloseReason>>,
    ) -> Self {
        Self {
            shared,
            mailbox,
            taken: Vec::new(),
            calls: HashMap::default(),
            events,
            dropped: 0,
            closed,
            freed: 0,
            woken: 0,
        }
    }

    fn obey(&mut self, command: Command, session: &mut Session, now: Instant) {
        match command {
            Command::Request(call) => self.request(call, session, now),
            Command::Respond { ticket, status, response } => {
                if let Err(error @ RespondError::Invalid(_)) = session.respond(ticket, status, *response, now) {
                    warn!(%error, "a response cannot be sent");
                    let _ = session.refuse(ticket, CommandStatus::RX_T_APPN, now);
                }
            }
            Command::Unbind => session.unbind(now),
            Command::Close => session.close(),
        }
    }

    fn request(&mut self, call: Callee, session: &mut Session, now: Instant) {
        match call.send(session, now) {
            Some(Ok(number)) => {
                self.calls.insert(number.get(), call);
            }
            Some(Err(error)) => {
                self.free(call.placed());
                call.fail(error.into(), &mut self.mailbox.tasks);
            }
            // Nobody waits for it any more.
            None => self.free(call.placed()),
        }
    }

    /// A request that may have held a place in the window is over.
    fn free(&mut self, placed: bool) {
        if placed {
            self.freed = self.freed.saturating_add(1);
        }
    }

    /// Gives back the places of the window that are free.
    fn give_back(&mut self) {
        if self.freed > 0 {
            self.shared.window.add_permits(std::mem::take(&mut self.freed));
        }
    }

    fn answered(&mut self, request: Sent, response: Frame) {
        let Some(call) = self.calls.remove(&request.number.get()) else { return };
        self.free(call.placed());
        match call.answer(response, &mut self.mailbox.tasks) {
            None => self.woken = self.woken.saturating_add(1),
            Some(response) => self.tell(Event::Abandoned { request, outcome: judge(response) }),
        }
    }

    fn failed(&mut self, request: Sent, why: Unanswered) {
        let Some(call) = self.calls.remove(&request.number.get()) else { return };
        self.free(call.placed());
        match call.fail(RequestError::Unanswered(why), &mut self.mailbox.tasks) {
            None => self.woken = self.woken.saturating_add(1),
            Some(error) => self.tell(Event::Abandoned { request, outcome: Err(error) }),
        }
    }

    fn tell(&mut self, event: Event) {
        // An Incoming that finds no room is dropped, and so answered.
        if self.events.try_send(event).is_ok() {
            return;
        }
        self.dropped = self.dropped.saturating_add(1);
        // The log is not to grow as the losses do.
        if self.dropped.is_power_of_two() {
            warn!(dropped = self.dropped, "events were dropped: nobody reads them");
        }
    }
}

impl driver::Host for Host {
    /// Each batch has a wake-up or two of a thread of the runtime.
    const BATCH: usize = 64;

    fn poll(&mut self, session: &mut Session, _: &mut Context<'_>, now: Instant) -> bool {
        self.mailbox.take(&mut self.taken);
        let mut taken = std::mem::take(&mut self.taken);
        let came = taken.len();
        for command in taken.drain(..) {
            self.obey(command, session, now);
        }
        self.taken = taken;
        self.woken = if came == 0 { 0 } else { self.woken.saturating_sub(came) };
        self.woken > 0
    }

    fn start(&mut self, _: &mut Session, _: &mut Context<'_>, _: Instant) -> bool {
        false
    }

    fn settle(&mut self) -> bool {
        self.give_back();
        self.mailbox.wake();
        self.woken > 0
    }

    fn park(&mut self, context: &mut Context<'_>) -> bool {
        self.mailbox.park(context)
    }

    fn event(&mut self, event: session::Event, session: &mut Session, now: Instant) {
        match event {
            session::Event::Response { request, response } => {
                if let Some(kind) = session::BindKind::of(request.command_id) {
                    debug!(?kind, status = %response.header.command_status, "bind answered");
                    self.shared.version.store(session.version().0, Ordering::Relaxed);
                }
                self.answered(request, response);
            }
            session::Event::Mismatched { request, .. } => self.failed(request, Unanswered::Mismatched),
            session::Event::Unanswered { request, why } => self.failed(request, why),
            session::Event::Request { ticket, request } => {
                if self.shared.is_read() && !self.events.is_closed() {
                    self.tell(Event::Request(Incoming::new(ticket, request, &self.shared.commands)));
                } else {
                    let status = CommandStatus::RX_T_APPN;
                    let _ = session.refuse(ticket, status, now);
                    self.tell(Event::Refused { request, status });
                }
            }
            session::Event::OneWay(frame) => self.tell(Event::OneWay(frame)),
            session::Event::Late { request, response } => self.tell(Event::Late { request, response }),
            session::Event::Duplicate(frame) => self.tell(Event::Duplicate(frame)),
            session::Event::Unexpected(frame) => self.tell(Event::Unexpected(frame)),
            session::Event::Refused { request, status } => self.tell(Event::Refused { request, status }),
            session::Event::Bad(bad) => {
                debug!(error = %bad, "bad PDU");
                self.tell(Event::Bad(bad));
            }
            session::Event::Unbinding => self.tell(Event::Unbinding),
        }
    }

    fn closed(&mut self, reason: &CloseReason, _: &Session) {
        self.shared.window.close();
        self.closed.send_replace(Some(reason.clone()));
    }

    fn shrink(&mut self) {
        self.mailbox.shrink();
        self.taken = Vec::new();
        if self.calls.is_empty() {
            self.calls = HashMap::default();
        }
    }
}

/// Spreads numbers that follow each other: they are this end's own, so nobody can choose them to collide.
#[derive(Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u32((*octet).into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
