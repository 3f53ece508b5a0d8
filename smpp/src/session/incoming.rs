use std::time::Instant;

use super::tickets::Asked;
use super::timers::Timer;
use super::window::Kind;
use super::{BindKind, Binding, CloseReason, Event, Input, Leaving, Role, Sent, Session, State, Unanswered, version};
use crate::pdu::{BadPdu, Frame, GenericNack, Pdu};
use crate::types::{CommandId, CommandStatus};

impl Session {
    /// Takes in what the stream brings.
    #[inline]
    pub fn handle(&mut self, input: Input, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        match input {
            Input::Pdu(Ok(frame)) => {
                self.received(now);
                if frame.pdu.command_id().is_response() {
                    self.response(frame, now);
                } else {
                    self.peer_request(frame, now);
                }
            }
            Input::Pdu(Err(bad)) => {
                self.received(now);
                self.bad(bad, now);
            }
            Input::BadLength(bad) => {
                self.counters.received = self.counters.received.saturating_add(1);
                let answer = bad.answer();
                self.write(answer.header.sequence_number, answer.header.command_status, &answer.pdu);
                self.end(CloseReason::BadLength(bad));
            }
            Input::Partial => {
                self.partial = true;
                if self.reading && !self.timers.is_set(Timer::Read) {
                    self.timers.set(Timer::Read, now, self.config.read_timeout);
                }
            }
            Input::PeerClosed => self.end(self.reason_of_loss(CloseReason::PeerClosed)),
            Input::Failed(kind) => self.end(self.reason_of_loss(CloseReason::Failed(kind))),
        }
    }

    /// Says that the stream can no longer be read: a PDU did not become whole.
    pub(super) fn nack_unreadable(&mut self) {
        self.write(0, CommandStatus::RINVCMDLEN, &GenericNack::default().into());
    }

    /// The bind that this end sent is not answered.
    pub(super) fn bind_timed_out(&mut self) {
        while let Some((request, kind)) = self.outstanding.take_any() {
            let why =
                if BindKind::of(request.command_id).is_some() { Unanswered::TimedOut } else { Unanswered::Closed };
            self.unanswered(request, kind, why);
        }
        self.end(CloseReason::BindTimeout);
    }

    #[inline]
    fn received(&mut self, now: Instant) {
        self.counters.received = self.counters.received.saturating_add(1);
        self.last_received = now;
        if self.partial {
            self.partial = false;
            self.timers.stop(Timer::Read);
        }
    }

    #[inline]
    fn response(&mut self, response: Frame, now: Instant) {
        let number = response.header.sequence_number;
        match self.outstanding.take(number) {
            Some((request, kind)) => self.answered(request, kind, response, now),
            None => self.answers_nothing(response, now),
        }
    }

    #[inline]
    fn answered(&mut self, request: Sent, kind: Kind, response: Frame, now: Instant) {
        let command_id = response.pdu.command_id();
        let own_response = command_id == response_of(request.command_id);
        let fits = own_response || command_id == CommandId::GENERIC_NACK;
        match request.command_id {
            CommandId::ENQUIRE_LINK if kind == Kind::Own => {
                (self.enquiry, self.faults) = (None, 0);
                return;
            }
            // Whatever it is that comes, the peer has seen the unbind.
            CommandId::UNBIND => return self.end(self.reason_of_loss(CloseReason::Unbound)),
            CommandId::ENQUIRE_LINK => {}
            bind if BindKind::of(bind).is_some() => self.bind_answered(own_response, &response, now),
            _ => self.last_used = now,
        }
        if fits {
            self.counters.answered = self.counters.answered.saturating_add(1);
            self.faults = 0;
            self.event(Event::Response { request, response });
        } else {
            self.counters.mismatched = self.counters.mismatched.saturating_add(1);
            self.event(Event::Mismatched { request, response });
            self.fault();
        }
        self.leave_if_drained(now);
    }

    fn bind_answered(&mut self, own_response: bool, response: &Frame, now: Instant) {
        self.timers.stop(Timer::Bind);
        let Some(binding) = self.binding.take() else { return };
        if own_response && response.header.command_status.is_ok() {
            self.version = version::of_answer(&self.config, binding, response.pdu.tlvs());
            self.bound(binding.kind, now);
        } else {
            self.timers.set(Timer::SessionInit, now, self.config.session_init);
        }
    }

    /// The link is bound from now on.
    pub(super) fn bound(&mut self, kind: BindKind, now: Instant) {
        self.state = kind.state();
        self.last_used = now;
        self.timers.stop(Timer::SessionInit);
    }

    #[cold]
    fn answers_nothing(&mut self, response: Frame, now: Instant) {
        let number = response.header.sequence_number;
        if let Some(request) = self.timed_out.take(number, now) {
            self.counters.late = self.counters.late.saturating_add(1);
            return self.event(Event::Late { request, response });
        }
        if self.outstanding.was_answered(number) {
            self.counters.duplicate = self.counters.duplicate.saturating_add(1);
            self.event(Event::Duplicate(response));
        } else {
            self.counters.unexpected = self.counters.unexpected.saturating_add(1);
            self.event(Event::Unexpected(response));
        }
        self.fault();
    }

    #[inline]
    fn peer_request(&mut self, request: Frame, now: Instant) {
        let command_id = request.pdu.command_id();
        if matches!(request.pdu, Pdu::Unknown(_)) || !version::has(self.version, command_id) {
            return self.not_known(request);
        }
        if let Err(status) = self.state.allows(self.role.peer(), command_id) {
            return self.misplaced(request, status);
        }
        self.faults = 0;
        let number = request.header.sequence_number;
        match command_id {
            CommandId::ENQUIRE_LINK => {
                self.write(number, CommandStatus::ROK, &crate::pdu::EnquireLinkResp::default().into());
            }
            CommandId::UNBIND => self.peer_unbinds(number, now),
            CommandId::OUTBIND => {
                self.state = State::Outbound;
                self.timers.set(Timer::SessionInit, now, self.config.session_init);
                self.event(Event::OneWay(request));
            }
            CommandId::ALERT_NOTIFICATION => {
                self.last_used = now;
                self.event(Event::OneWay(request));
            }
            _ => self.ask(request, command_id, now),
        }
    }

    /// Hands a request on to the program, if there is room for it.
    #[inline]
    fn ask(&mut self, request: Frame, command_id: CommandId, now: Instant) {
        if let (Some(kind), Some(version)) = (BindKind::of(command_id), version::stated(&request.pdu)) {
            if self.binding.is_some() {
                return self.misplaced(request, CommandStatus::RALYBND);
            }
            self.binding = Some(Binding { kind, version });
        } else {
            match self.leaving {
                None => {}
                Some(Leaving::Draining(_) | Leaving::Asking(_)) => return self.refuse_busy(request),
                Some(Leaving::Answering(_) | Leaving::Answered) => {
                    return self.misplaced(request, CommandStatus::RINVBNDSTS);
                }
            }
            if self.asked.len() >= self.peer_window() {
                return self.throttle(request);
            }
        }
        self.last_used = now;
        let ticket = self.asked.insert(Asked { number: request.header.sequence_number, command_id });
        self.event(Event::Request { ticket, request });
    }

    #[cold]
    fn throttle(&mut self, request: Frame) {
        self.counters.throttled = self.counters.throttled.saturating_add(1);
        let status = match self.role {
            Role::MessageCentre => CommandStatus::RTHROTTLED,
            Role::Esme => CommandStatus::RX_T_APPN,
        };
        self.refuse_frame(request, status);
    }

    /// This end is about to leave: the peer is to try elsewhere, or later.
    #[cold]
    fn refuse_busy(&mut self, request: Frame) {
        let status = match self.role {
            Role::MessageCentre => CommandStatus::RSYSERR,
            Role::Esme => CommandStatus::RX_T_APPN,
        };
        self.refuse_frame(request, status);
    }

    #[cold]
    fn not_known(&mut self, request: Frame) {
        self.counters.misplaced = self.counters.misplaced.saturating_add(1);
        let status = CommandStatus::RINVCMDID;
        self.write(request.header.sequence_number, status, &GenericNack::default().into());
        self.event(Event::Refused { request, status });
        self.fault();
    }

    #[cold]
    fn misplaced(&mut self, request: Frame, status: CommandStatus) {
        self.counters.misplaced = self.counters.misplaced.saturating_add(1);
        self.refuse_frame(request, status);
        self.fault();
    }

    fn refuse_frame(&mut self, request: Frame, status: CommandStatus) {
        if let Some(answer) = request.refusal(status) {
            self.write(answer.header.sequence_number, status, &answer.pdu);
        }
        self.event(Event::Refused { request, status });
    }

    #[cold]
    fn bad(&mut self, bad: BadPdu, now: Instant) {
        self.counters.bad = self.counters.bad.saturating_add(1);
        if bad.command_id.is_response() {
            self.bad_response(&bad, now);
        } else if let Some(answer) = bad.answer() {
            self.write(answer.header.sequence_number, answer.header.command_status, &answer.pdu);
        }
        self.event(Event::Bad(bad));
        self.fault();
        self.leave_if_drained(now);
    }

    /// An answer that strict limits refuse; what it says is not used.
    fn bad_response(&mut self, bad: &BadPdu, now: Instant) {
        let Some((request, kind)) = self.outstanding.take(bad.header.sequence_number) else { return };
        match request.command_id {
            CommandId::ENQUIRE_LINK if kind == Kind::Own => self.enquiry = None,
            CommandId::UNBIND => self.end(self.reason_of_loss(CloseReason::Unbound)),
            bind if BindKind::of(bind).is_some() => {
                self.timers.stop(Timer::Bind);
                self.binding = None;
                self.timers.set(Timer::SessionInit, now, self.config.session_init);
            }
            _ => {}
        }
        self.unanswered(request, kind, Unanswered::BadResponse);
    }

    /// Counts a PDU that should not have come; too many in a row are the end.
    fn fault(&mut self) {
        self.faults = self.faults.saturating_add(1);
        if self.config.max_faults.is_some_and(|max| self.faults >= max.max(1)) {
            self.end(CloseReason::Faults);
        }
    }
}

/// The response of a request, known or not.
fn response_of(request: CommandId) -> CommandId {
    CommandId(request.0 | CommandId::GENERIC_NACK.0)
}
