//! One link as a state machine, without IO, without a clock.
//!
//! [`Session`] is either end: the [`Role`] says which. What the peer sends goes in as [`Input`]; what is to be written
//! stands in one buffer, encoded; what the program is told comes out as [`Event`]. Time is an argument: every call is
//! given `now`, a [`std::time::Instant`] that does not go back.
//!
//! # Order of calls
//!
//! 1. Make the session when the stream is connected.
//! 2. Do what [`poll`](Session::poll) says until it says nothing more. Then write what stands in
//!    [`unwritten_mut`](Session::unwritten_mut), all of it in one write if the stream takes it, and advance the buffer.
//! 3. Wait for octets while [`wants_input`](Session::wants_input), for the program, or for
//!    [`next_timeout`](Session::next_timeout), whatever comes first; call [`handle`](Session::handle) (for each PDU, cut
//!    with the limit that [`max_pdu`](Session::max_pdu) then gives), [`request`](Session::request),
//!    [`respond`](Session::respond) or [`handle_timeout`](Session::handle_timeout); go to 2.
//!
//! [`Output::Close`] is the last thing that `poll` gives. Nothing that is called afterwards has an effect.
//!
//! # One whole loop
//!
//! A message centre that accepts a bind and a message:
//!
//! ```
//! use std::time::Instant;
//!
//! use bytes::{Buf, BytesMut};
//! use smpp::framing::StreamDecoder;
//! use smpp::pdu::{BindTransceiver, BindTransceiverResp, Frame, Pdu, SubmitSm, SubmitSmResp};
//! use smpp::session::{Config, Event, Input, Output, Session, State};
//! use smpp::types::{CommandStatus, SequenceNumber};
//!
//! # #[expect(clippy::disallowed_methods)]
//! let now = Instant::now();
//! let mut session = Session::message_centre(Config::default(), now);
//!
//! // What the stream brings, and what is written to it.
//! let (mut arrived, mut written) = (BytesMut::new(), BytesMut::new());
//! let first = SequenceNumber::MIN;
//! Frame::request(first, BindTransceiver { system_id: "kudu".parse()?, ..Default::default() }).encode(&mut arrived)?;
//! Frame::request(first.next(), SubmitSm::default()).encode(&mut arrived)?;
//!
//! let mut decoder = StreamDecoder::new(session.limits());
//! loop {
//!     while let Some(output) = session.poll() {
//!         match output {
//!             Output::Event(Event::Request { ticket, request }) => match request.pdu {
//!                 Pdu::BindTransceiver(bind) if bind.system_id == "kudu" => {
//!                     let answer = BindTransceiverResp { system_id: "demo".parse()?, ..Default::default() };
//!                     session.respond(ticket, CommandStatus::ROK, answer, now)?;
//!                 }
//!                 Pdu::SubmitSm(_) => {
//!                     let answer = SubmitSmResp { message_id: "4d19c83c".parse()?, ..Default::default() };
//!                     session.respond(ticket, CommandStatus::ROK, answer, now)?;
//!                 }
//!                 _ => session.refuse(ticket, CommandStatus::RSYSERR, now)?,
//!             },
//!             Output::Event(other) => println!("{other:?}"),
//!             Output::Close(reason) => panic!("{reason}"),
//!         }
//!     }
//!     let octets = session.unwritten_mut();
//!     written.extend_from_slice(octets);
//!     octets.advance(octets.len());
//!
//!     decoder.set_limits(session.limits());
//!     decoder.cutter_mut().set_limit(session.max_pdu());
//!     match decoder.decode(&mut arrived) {
//!         Ok(Some(pdu)) => session.handle(Input::Pdu(pdu), now),
//!         Ok(None) => break,
//!         Err(bad) => session.handle(Input::BadLength(bad), now),
//!     }
//! }
//! assert_eq!(session.state(), State::BoundTrx);
//! assert_eq!(written.len(), 16 + "demo\0".len() + 5 + 16 + "4d19c83c\0".len());
//! // The next thing to do by itself is to see whether the ESME is still there.
//! assert_eq!(session.next_timeout(), Some(now + Config::default().enquire_link.unwrap()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod event;
mod incoming;
mod outgoing;
mod state;
mod tickets;
mod timers;
mod version;
mod window;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::BytesMut;

pub use self::config::Config;
pub(crate) use self::config::config;
pub use self::event::{
    CloseReason, Counters, Event, Input, Output, RequestError, RespondError, Sent, Ticket, Unanswered,
};
pub use self::state::{BindKind, Role, State};
use self::tickets::Tickets;
use self::timers::{Timer, TimerTable};
use self::window::{Kind, Outstanding, TimedOut};
use crate::codec::Limits;
use crate::types::{CommandId, InterfaceVersion, SequenceNumber};

/// One end of a link. The [module](self) says in which order to call it.
#[derive(Clone, Debug)]
pub struct Session {
    role: Role,
    config: Config,
    state: State,
    /// What was negotiated; before, the highest that this end speaks.
    version: InterfaceVersion,
    leaving: Option<Leaving>,
    /// The bind that waits for its answer, from whichever end.
    binding: Option<Binding>,
    outstanding: Outstanding,
    timed_out: TimedOut,
    asked: Tickets,
    timers: TimerTable,
    /// This end's own enquire_link that is unanswered, and when it was sent.
    enquiry: Option<(SequenceNumber, Instant)>,
    last_received: Instant,
    /// When something other than enquire_link was received or sent.
    last_used: Instant,
    reading: bool,
    /// Whether what has come ends inside a PDU.
    partial: bool,
    faults: u32,
    counters: Counters,
    unwritten: BytesMut,
    events: VecDeque<Event>,
    close: Option<CloseReason>,
}

/// How far an unbind has come.
#[derive(Clone, Debug)]
enum Leaving {
    /// This end wants to unbind, and waits for what is unanswered.
    Draining(CloseReason),
    /// This end's unbind is unanswered.
    Asking(CloseReason),
    /// The peer's unbind of this number waits for what is unanswered.
    Answering(u32),
    /// The peer's unbind was answered.
    Answered,
}

/// A bind that is not answered.
#[derive(Clone, Copy, Debug)]
struct Binding {
    kind: BindKind,
    /// interface_version.
    version: InterfaceVersion,
}

impl Session {
    /// An end of a link whose stream is connected.
    pub fn new(role: Role, config: Config, now: Instant) -> Self {
        let mut timers = TimerTable::default();
        timers.set(Timer::SessionInit, now, config.session_init);
        Self {
            role,
            state: State::Open,
            version: config.version,
            leaving: None,
            binding: None,
            outstanding: Outstanding::new(config.first_number),
            timed_out: TimedOut::new(config.max_late, config.late_age),
            asked: Tickets::default(),
            timers,
            enquiry: None,
            last_received: now,
            last_used: now,
            reading: true,
            partial: false,
            faults: 0,
            counters: Counters::default(),
            unwritten: BytesMut::new(),
            events: VecDeque::new(),
            close: None,
            config,
        }
    }

    /// The ESME's end: it is to send a bind, or to wait for an outbind.
    pub fn esme(config: Config, now: Instant) -> Self {
        Self::new(Role::Esme, config, now)
    }

    /// The message centre's end: it waits for a bind, or sends an outbind.
    pub fn message_centre(config: Config, now: Instant) -> Self {
        Self::new(Role::MessageCentre, config, now)
    }

    /// What is to be done, until it is `None`.
    #[inline]
    pub fn poll(&mut self) -> Option<Output> {
        match self.events.pop_front() {
            Some(event) => Some(Output::Event(event)),
            None => self.close.take().map(Output::Close),
        }
    }

    /// What is to be written, from the front on. Take off what was written.
    #[inline]
    pub fn unwritten_mut(&mut self) -> &mut BytesMut {
        &mut self.unwritten
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); none for never.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.state == State::Closed {
            return None;
        }
        let own = [self.timers.next_timeout(), self.outstanding.next_deadline()];
        own.into_iter().chain([self.enquire_at(), self.inactive_at()]).flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((request, kind)) = self.outstanding.take_expired(now) {
            self.timed_out.insert(request, now);
            self.counters.timed_out = self.counters.timed_out.saturating_add(1);
            self.unanswered(request, kind, Unanswered::TimedOut);
        }
        self.leave_if_drained(now);
        if self.timers.take_due(Timer::Read, now) {
            self.nack_unreadable();
            self.end(CloseReason::ReadTimeout);
        }
        if self.timers.take_due(Timer::SessionInit, now) {
            self.end(CloseReason::SessionInit);
        }
        if self.timers.take_due(Timer::Bind, now) {
            self.bind_timed_out();
        }
        if self.timers.take_due(Timer::Drain, now) {
            self.leave(now);
        }
        if self.timers.take_due(Timer::Unbind, now) {
            self.end(self.reason_of_loss(CloseReason::Unbound));
        }
        if self.inactive_at().is_some_and(|at| at <= now) {
            self.unbind_for(CloseReason::Inactivity, now);
        }
        if self.enquire_at().is_some_and(|at| at <= now) {
            self.enquire(now);
        }
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where the session stands.
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// Version of the protocol that holds: once bound, what was negotiated.
    pub fn version(&self) -> InterfaceVersion {
        self.version
    }

    /// What the session was made with, and the windows that were set since.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was seen and done.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Largest command_length to take, for the next PDU: it is larger once bound.
    #[inline]
    pub fn max_pdu(&self) -> u32 {
        if self.state.is_bound() { self.config.max_pdu } else { self.config.max_pdu_unbound }
    }

    /// What is taken and forgiven in the peer's PDUs. Ask again when the state has changed: a bind fixes the version.
    pub fn limits(&self) -> Limits {
        let limits = self.config.limits.clone().unwrap_or(match self.role {
            Role::Esme => Limits::esme(),
            Role::MessageCentre => Limits::message_centre(),
        });
        limits.with_version(self.version)
    }

    /// Whether the stream is to be read: not while too much waits to be written, and, if
    /// [`stop_reading`](Config#structfield.stop_reading) says so, not while the peer's window is full and nothing of
    /// this end is unanswered.
    #[inline]
    pub fn wants_input(&self) -> bool {
        let stalled = self.config.stop_reading && self.asked.len() >= self.peer_window() && self.outstanding.len() == 0;
        !stalled && self.unwritten.len() < self.config.max_unwritten.max(1) && self.state != State::Closed
    }

    /// To be told when the stream is no longer read, and when it is read again: a peer that is not listened to is
    /// neither late nor dead.
    pub fn set_reading(&mut self, reading: bool, now: Instant) {
        if self.reading == reading || self.state == State::Closed {
            return;
        }
        self.reading = reading;
        if !reading {
            self.timers.stop(Timer::Read);
            return;
        }
        self.last_received = now;
        if self.partial {
            self.timers.set(Timer::Read, now, self.config.read_timeout);
        }
    }

    /// How many more requests the window takes.
    pub fn room(&self) -> usize {
        self.window().saturating_sub(self.outstanding.windowed())
    }

    /// Requests of the program that are unanswered.
    pub fn unanswered_requests(&self) -> usize {
        self.outstanding.of_program()
    }

    /// Requests of the peer that the program has not answered.
    pub fn to_be_answered(&self) -> usize {
        self.asked.len()
    }

    /// Sets [`window`](Config#structfield.window) from now on.
    pub fn set_window(&mut self, window: usize) {
        self.config.window = window;
    }

    /// Sets [`peer_window`](Config#structfield.peer_window) from now on.
    pub fn set_peer_window(&mut self, window: usize) {
        self.config.peer_window = window;
    }

    /// Gives back the memory that an idle link does not need.
    pub fn shrink(&mut self) {
        if self.unwritten.is_empty() && self.unwritten.capacity() > 0 {
            self.unwritten = BytesMut::new();
        }
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        self.outstanding.shrink();
        self.asked.shrink();
    }

    fn window(&self) -> usize {
        self.config.window.clamp(1, MAX_WINDOW)
    }

    fn peer_window(&self) -> usize {
        self.config.peer_window.clamp(1, MAX_WINDOW)
    }

    /// When an enquire_link is due, or its answer.
    fn enquire_at(&self) -> Option<Instant> {
        let interval = self.config.enquire_link.filter(|_| self.state.is_bound())?;
        match self.enquiry {
            None => self.last_received.checked_add(interval.max(MIN_ENQUIRE_LINK)),
            Some((_, sent)) if self.reading => sent.checked_add(self.config.enquire_link_timeout),
            Some(_) => None,
        }
    }

    /// When the link is unbound since nobody uses it.
    fn inactive_at(&self) -> Option<Instant> {
        let limit = self.config.inactivity.filter(|_| self.state.is_bound() && self.leaving.is_none())?;
        self.last_used.checked_add(limit)
    }

    fn enquire(&mut self, now: Instant) {
        if let Some((number, sent)) = self.enquiry.take() {
            // Anything that came since shows that the peer lives.
            if self.last_received <= sent {
                return self.end(CloseReason::DeadPeer);
            }
            if let Some((request, _)) = self.outstanding.take(number.get()) {
                self.outstanding.forget(number.get());
                self.timed_out.insert(request, now);
            }
            if self.enquire_at().is_some_and(|at| at > now) {
                return;
            }
        }
        let number = self.outstanding.insert(CommandId::ENQUIRE_LINK, Kind::Own, None);
        self.enquiry = Some((number, now));
        self.write_own_request(number, crate::pdu::EnquireLink::default().into());
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Tells the program of a request that nothing more will be heard of.
    fn unanswered(&mut self, request: Sent, kind: Kind, why: Unanswered) {
        if kind != Kind::Own {
            self.event(Event::Unanswered { request, why });
        }
    }

    /// Why the stream was lost, or the time is over: if an unbind was on its way, that is why.
    fn reason_of_loss(&self, otherwise: CloseReason) -> CloseReason {
        match &self.leaving {
            Some(Leaving::Asking(reason)) => reason.clone(),
            Some(Leaving::Answering(_) | Leaving::Answered) => CloseReason::PeerUnbound,
            Some(Leaving::Draining(_)) | None => otherwise,
        }
    }

    /// Closes, whatever is still unanswered being told first.
    fn end(&mut self, reason: CloseReason) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.leaving = None;
        self.timers = TimerTable::default();
        while let Some((request, kind)) = self.outstanding.take_any() {
            self.unanswered(request, kind, Unanswered::Closed);
        }
        self.asked.clear();
        self.close = Some(reason);
    }
}

/// Most requests that a window may have.
const MAX_WINDOW: usize = 1_000_000;

/// enquire_links are never closer than this.
const MIN_ENQUIRE_LINK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
