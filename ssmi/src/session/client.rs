use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::aged::Aged;
use super::ledger::{Ledger, Number, kept};
use super::timers::{Timer, TimerTable};
use super::{ClientConfig, ClientEvent, CloseReason, Input, Output, SendError, SentCommand, State, Ticket, Unanswered};
use crate::command::{DeliveryReport, ImsiLookupReply, LinkCheck, Login, Logout, Request, Response, Seq};
use crate::types::{AckType, NackType, Octets};

/// The application's end of one connection.
///
/// [The module](super) says in which order to call, and shows a whole loop.
///
/// * A NACK is told apart by state: while LOGIN is unanswered the login is refused and nothing more is written;
///   later it is an event with the latest requests, one of which it is about.
/// * A link check follows the login, and one each period after; the gateway is dead when one is due and two are
///   unanswered. Late and surplus answers are harmless.
/// * Submissions (commands 2, 4, 111, 112) may get a SEQ, which names their number and nothing else. So they are
///   matched by number, first in first out. Nothing ever waits for a SEQ before it is sent. One that comes when
///   nobody waits is never given to a later submission, whose it cannot be: it is an event, and can be claimed.
/// * Everything that waits has a bound and a time in [`ClientConfig`].
#[derive(Clone, Debug)]
pub struct ClientSession {
    config: ClientConfig,
    state: State,
    outputs: VecDeque<Output<Request, ClientEvent>>,
    timers: TimerTable,
    /// Link checks without an answer.
    unanswered: u32,
    /// Whether the host reads, so that answers can be seen.
    reading: bool,
    /// Submissions that may get a SEQ.
    waiting: Aged<Number, Ticket>,
    /// SEQ that nobody waits for.
    unclaimed: Aged<Number, Octets>,
    ledger: Ledger,
    /// IMSI lookups by sequence.
    lookups: Aged<Octets, Ticket>,
    last_lookup: u64,
    recent: VecDeque<SentCommand>,
    /// Where a request is written once, to see that it can be. Empty: it would show secrets.
    scratch: BytesMut,
}

impl ClientSession {
    /// A session on a stream that was just connected. LOGIN is the first thing that it sends.
    ///
    /// # Errors
    ///
    /// LOGIN cannot be written as a line: a comma in the username, a carriage return.
    pub fn new(config: ClientConfig, login: Login, now: Instant) -> Result<Self, SendError> {
        Self::with_ledger(config, login, Ledger::default(), now)
    }

    /// A session that goes on waiting for the delivery reports of an earlier one.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_ledger(
        config: ClientConfig,
        login: Login,
        mut ledger: Ledger,
        now: Instant,
    ) -> Result<Self, SendError> {
        let login = Request::from(login);
        let mut scratch = BytesMut::new();
        login.encode(&mut scratch)?;
        scratch.clear();
        ledger.configure(&config);
        let mut timers = TimerTable::default();
        timers.set(Timer::Login, now, config.login_timeout);
        Ok(Self {
            state: State::LoggingIn,
            outputs: VecDeque::from([Output::Send(login)]),
            timers,
            unanswered: 0,
            reading: true,
            waiting: Aged::new(config.max_waiting, config.sequence_timeout),
            unclaimed: Aged::new(config.max_unclaimed, config.unclaimed_age),
            ledger,
            lookups: Aged::new(config.max_lookups, config.lookup_timeout),
            last_lookup: 0,
            recent: VecDeque::new(),
            scratch,
            config,
        })
    }

    /// Takes what the stream brought.
    pub fn handle(&mut self, input: impl Into<Input<Response>>, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        match input.into() {
            Input::Line(Ok(response)) => self.response(response, now),
            Input::Line(Err(bad)) => self.event(ClientEvent::BadLine(bad)),
            Input::TooLong(error) => {
                self.event(ClientEvent::LineTooLong(error));
                self.end(CloseReason::LineTooLong(error));
            }
            Input::PeerClosed if self.state == State::LoggingOut => self.end(CloseReason::LoggedOut),
            Input::PeerClosed => self.end(CloseReason::PeerClosed),
            Input::Failed(kind) => self.end(CloseReason::Failed(kind)),
        }
    }

    /// Does what is due. To be called at [`next_timeout`](Self::next_timeout); earlier calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.take_due(Timer::Login, now) {
            self.end(CloseReason::LoginTimeout);
        }
        if self.timers.take_due(Timer::Logout, now) {
            self.end(CloseReason::LoggedOut);
        }
        if self.timers.take_due(Timer::LinkCheck, now) {
            self.check_link(now);
        }
        while let Some(ticket) = self.waiting.take_expired(now) {
            self.event(ClientEvent::NotSequenced { ticket, why: Unanswered::TimedOut });
        }
        while let Some(ticket) = self.lookups.take_expired(now) {
            self.event(ClientEvent::NotLookedUp { ticket, why: Unanswered::TimedOut });
        }
        while self.unclaimed.take_expired(now).is_some() {}
        if self.state != State::Closed {
            while let Some(ticket) = self.ledger.take_expired(now) {
                self.event(ClientEvent::NotReported { ticket, why: Unanswered::TimedOut });
            }
        }
    }

    /// Sends a request.
    ///
    /// An [`ImsiLookup`](crate::command::ImsiLookup) without a sequence is given one from a counter. LOGOUT is
    /// [`logout`](Self::logout). What the ticket is heard of again depends on the command: USSD never is.
    ///
    /// # Errors
    ///
    /// Says why it was not sent; the session is as it was.
    pub fn request(&mut self, request: impl Into<Request>, now: Instant) -> Result<Ticket, SendError> {
        let mut request = request.into();
        if self.state != State::Open {
            return Err(SendError::NotOpen { state: self.state });
        }
        match &mut request {
            Request::Login(_) => return Err(SendError::Login),
            Request::ImsiLookup(lookup) => {
                if self.lookups.is_full() {
                    return Err(SendError::TooManyLookups);
                }
                if lookup.sequence.is_empty() {
                    lookup.sequence = self.free_sequence();
                }
                if self.lookups.contains(&lookup.sequence) {
                    return Err(SendError::SequenceInUse);
                }
            }
            _ => {}
        }
        request.encode(&mut self.scratch)?;
        self.scratch.clear();

        let ticket = self.ledger.next_ticket();
        self.remember(ticket, &request, now);
        let logout = matches!(request, Request::Logout(_));
        self.outputs.push_back(Output::Send(request));
        if logout {
            self.await_close(now);
        }
        Ok(ticket)
    }

    /// Leaves: LOGOUT is sent, and the session closes when the gateway does, or after a while by itself. Before the
    /// login is answered it closes at once.
    pub fn logout(&mut self, now: Instant) {
        match self.state {
            State::Open => {
                self.outputs.push_back(Output::Send(Logout {}.into()));
                self.await_close(now);
            }
            State::LoggingIn => self.end(CloseReason::LoggedOut),
            State::Deciding | State::LoggingOut | State::Closed => {}
        }
    }

    /// Closes at once, without LOGOUT.
    pub fn close(&mut self) {
        self.end(CloseReason::Closed);
    }

    /// Takes the oldest SEQ for a number that nobody waited for, if one came lately.
    pub fn claim(&mut self, msisdn: &Octets) -> Option<Octets> {
        self.unclaimed.take(&Number::new(msisdn)?)
    }

    /// Tells whether the host reads the stream. While it does not (since its program is slow), link checks go out
    /// but say nothing about the gateway: their answers cannot be seen.
    pub fn set_reading(&mut self, reading: bool) {
        if reading && !self.reading {
            self.unanswered = 0;
        }
        self.reading = reading;
    }

    /// The next thing to do, none if there is nothing more.
    pub fn poll(&mut self) -> Option<Output<Request, ClientEvent>> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); none for never.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.state == State::Closed {
            return None;
        }
        let expiries = [self.waiting.next_expiry(), self.unclaimed.next_expiry(), self.lookups.next_expiry()];
        let own = [self.timers.next_timeout(), self.ledger.next_expiry()];
        expiries.into_iter().chain(own).flatten().min()
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The submissions whose delivery report is still to come, for the next session.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    fn response(&mut self, response: Response, now: Instant) {
        match (self.state, response) {
            (State::LoggingIn, Response::Ack(ack)) if ack.ack_type == AckType::Login => self.logged_in(now),
            (State::LoggingIn, Response::Nack(nack)) => self.end(CloseReason::LoginRefused(nack.nack_type)),
            (_, Response::Ack(ack)) if ack.ack_type == AckType::LinkCheck => self.unanswered = 0,
            (_, Response::Nack(nack)) => self.nacked(nack.nack_type),
            (_, Response::RemoteLogout(logout)) => {
                self.event(ClientEvent::RemoteLogout { ip: logout.ip });
                self.end(CloseReason::RemoteLogout);
            }
            (_, Response::Seq(seq)) => self.sequenced(seq, now),
            (_, Response::DeliveryReport(report)) => self.reported(report),
            (_, Response::ImsiLookupReply(reply)) => self.looked_up(reply),
            (_, response) => self.event(ClientEvent::Received(response)),
        }
    }

    fn logged_in(&mut self, now: Instant) {
        self.state = State::Open;
        self.timers.stop(Timer::Login);
        self.event(ClientEvent::LoggedIn);
        self.check_link(now);
    }

    fn check_link(&mut self, now: Instant) {
        let Some(period) = self.config.link_check else { return };
        if self.reading && self.unanswered >= self.config.max_unanswered.max(1) {
            self.end(CloseReason::DeadPeer);
            return;
        }
        if self.reading {
            self.unanswered = self.unanswered.saturating_add(1);
        }
        self.outputs.push_back(Output::Send(LinkCheck {}.into()));
        self.timers.set(Timer::LinkCheck, now, period.max(MIN_LINK_CHECK));
    }

    fn nacked(&mut self, nack_type: NackType) {
        let recent = self.recent.iter().cloned().collect();
        self.event(ClientEvent::Nacked { nack_type, recent });
    }

    fn sequenced(&mut self, seq: Seq, now: Instant) {
        let number = Number::new(&seq.msisdn);
        let Some(ticket) = number.as_ref().and_then(|number| self.waiting.take(number)) else {
            if let (Some(number), Some(sequence)) = (number, kept(&seq.sequence)) {
                self.unclaimed.insert(number, sequence, now);
            }
            self.event(ClientEvent::Unclaimed(seq));
            return;
        };
        let forgotten = number.and_then(|number| self.ledger.remember(number, &seq.sequence, ticket, now));
        self.event(ClientEvent::Sequenced { ticket, seq });
        if let Some(ticket) = forgotten {
            self.event(ClientEvent::NotReported { ticket, why: Unanswered::Forgotten });
        }
    }

    fn reported(&mut self, report: DeliveryReport) {
        let ticket = self.ledger.report(&report.msisdn, &report.sequence);
        self.event(ClientEvent::Report { ticket, report });
    }

    fn looked_up(&mut self, reply: ImsiLookupReply) {
        match self.lookups.take(&reply.sequence) {
            Some(ticket) => self.event(ClientEvent::LookedUp { ticket, reply }),
            None => self.event(ClientEvent::Received(reply.into())),
        }
    }

    /// Notes what may be heard of a request that is being sent.
    fn remember(&mut self, ticket: Ticket, request: &Request, now: Instant) {
        let msisdn = request.with_fields(|_, _, fields| {
            let (_, msisdn) = fields.iter().find(|(name, _)| *name == "msisdn")?;
            Some(Octets::from(msisdn.to_vec()))
        });
        match request {
            request if may_get_sequence(request) => {
                let forgotten = match msisdn.as_ref().and_then(Number::new) {
                    Some(number) => self.waiting.insert(number, ticket, now),
                    None => Some(ticket),
                };
                if let Some(ticket) = forgotten {
                    self.event(ClientEvent::NotSequenced { ticket, why: Unanswered::Forgotten });
                }
            }
            Request::ImsiLookup(lookup) => {
                self.lookups.insert(lookup.sequence.detach(), ticket, now);
            }
            _ => {}
        }
        while self.recent.len() >= self.config.recent_commands.max(1) {
            self.recent.pop_front();
        }
        if self.config.recent_commands > 0 {
            self.recent.push_back(SentCommand { ticket, name: request.name(), msisdn, at: now });
        }
    }

    /// The next sequence of the counter that is not in use. As fewer than all are in use, there is one.
    fn free_sequence(&mut self) -> Octets {
        loop {
            self.last_lookup = self.last_lookup.wrapping_add(1);
            let sequence = Octets::from(self.last_lookup.to_string());
            if !self.lookups.contains(&sequence) {
                return sequence;
            }
        }
    }

    fn await_close(&mut self, now: Instant) {
        self.state = State::LoggingOut;
        self.timers.stop(Timer::LinkCheck);
        self.timers.set(Timer::Logout, now, self.config.logout_timeout);
    }

    fn event(&mut self, event: ClientEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Closes, whatever is still waited for being told first.
    fn end(&mut self, reason: CloseReason) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.timers = TimerTable::default();
        while let Some(ticket) = self.waiting.pop_oldest() {
            self.event(ClientEvent::NotSequenced { ticket, why: Unanswered::Closed });
        }
        while let Some(ticket) = self.lookups.pop_oldest() {
            self.event(ClientEvent::NotLookedUp { ticket, why: Unanswered::Closed });
        }
        self.outputs.push_back(Output::Close(reason));
    }
}

/// Whether the gateway may answer with a SEQ. Which of these get one is not recorded; USSD evidently does not.
pub(crate) fn may_get_sequence(request: &Request) -> bool {
    matches!(
        request,
        Request::SendSms(_) | Request::SendBinarySms(_) | Request::SendMmsMessage(_) | Request::SendWapPushMessage(_)
    )
}

/// Link checks are never closer than this.
const MIN_LINK_CHECK: Duration = Duration::from_millis(10);
