use std::time::Instant;

use super::timers::Timer;
use super::window::Kind;
use super::{
    BindKind, Binding, CloseReason, Event, Leaving, RequestError, RespondError, Session, State, Ticket, version,
};
use crate::codec::{EncodeError, EncodeProblem, HEADER};
use crate::pdu::{Header, Pdu, Unbind, UnbindResp};
use crate::types::{CommandId, CommandStatus, InterfaceVersion, Octets, SequenceNumber};

impl Session {
    /// Sends a request; gives its number, which the [`Event`] that it ends in quotes.
    ///
    /// outbind and alert_notification have no response, and so no event. enquire_link and a bind take no place in the
    /// window.
    ///
    /// # Errors
    ///
    /// It was not sent, and why.
    pub fn request(&mut self, pdu: impl Into<Pdu>, now: Instant) -> Result<SequenceNumber, RequestError> {
        self.request_pdu(&pdu.into(), now)
    }

    /// The same of a PDU that stays where it is.
    pub(crate) fn request_pdu(&mut self, pdu: &Pdu, now: Instant) -> Result<SequenceNumber, RequestError> {
        let command_id = pdu.command_id();
        if command_id.is_response() || command_id == CommandId::UNBIND {
            return Err(RequestError::NotARequest(command_id));
        }
        if self.leaving.is_some() || self.state == State::Closed {
            return Err(RequestError::Unbinding);
        }
        let bind = BindKind::of(command_id);
        if self.state.allows(self.role, command_id).is_err() || (bind.is_some() && self.binding.is_some()) {
            return Err(RequestError::NotAllowed { command_id, state: self.state });
        }
        self.check(pdu, command_id)?;
        let number = match command_id {
            CommandId::OUTBIND => {
                self.state = State::Outbound;
                self.timers.set(Timer::SessionInit, now, self.config.session_init);
                self.outstanding.number()
            }
            CommandId::ALERT_NOTIFICATION => self.outstanding.number(),
            CommandId::ENQUIRE_LINK => {
                if self.outstanding.control() >= MAX_CONTROL {
                    return Err(RequestError::WindowFull);
                }
                self.outstanding.insert(command_id, Kind::Control, Some(now.checked_add(self.config.response_timeout)))
            }
            _ => match (bind, version::stated(pdu)) {
                (Some(kind), Some(version)) => {
                    self.binding = Some(Binding { kind, version });
                    self.timers.stop(Timer::SessionInit);
                    self.timers.set(Timer::Bind, now, self.config.bind_timeout);
                    self.outstanding.insert(command_id, Kind::Control, None)
                }
                _ => {
                    if self.outstanding.windowed() >= self.window() {
                        return Err(RequestError::WindowFull);
                    }
                    let deadline = now.checked_add(self.config.response_timeout);
                    self.outstanding.insert(command_id, Kind::Windowed, Some(deadline))
                }
            },
        };
        if command_id != CommandId::ENQUIRE_LINK {
            self.last_used = now;
        }
        self.write(number.get(), CommandStatus::ROK, pdu);
        Ok(number)
    }

    /// Answers a request of the peer. A bind is accepted with ESME_ROK, and refused with any other status.
    ///
    /// An error is sent without a body unless the body has TLVs. To an ESME of 3.3 no TLVs are sent: they are left out. To
    /// a bind's answer sc_interface_version is added.
    ///
    /// # Errors
    ///
    /// It was not sent, and why.
    pub fn respond(
        &mut self,
        ticket: Ticket,
        status: CommandStatus,
        pdu: impl Into<Pdu>,
        now: Instant,
    ) -> Result<(), RespondError> {
        let mut pdu = pdu.into();
        let asked = self.asked.get(ticket).ok_or(RespondError::Stale)?;
        let response = pdu.command_id();
        if asked.command_id.response() != Some(response) && response != CommandId::GENERIC_NACK {
            return Err(RespondError::WrongOperation { request: asked.command_id, response });
        }
        self.check_length(&pdu)?;
        self.asked.remove(ticket);
        self.last_used = now;
        let bind = BindKind::of(asked.command_id);
        let accepted = status.is_ok() && response != CommandId::GENERIC_NACK;
        if let Some(binding) = self.binding.filter(|_| bind.is_some() && accepted) {
            self.version = version::of_bind(&self.config, binding);
            version::state_in(&mut pdu, &self.config, self.version);
        }
        if !status.is_ok() && pdu.tlvs().is_empty() {
            pdu = Pdu::without_body(response).unwrap_or(pdu);
        }
        let start = self.unwritten.len();
        self.write(asked.number, status, &pdu);
        if self.version < InterfaceVersion::V3_4 {
            self.cut_tlvs(start, &pdu);
        }
        if let Some(kind) = bind {
            self.binding = None;
            match accepted {
                true => self.bound(kind, now),
                false if self.config.close_refused => self.end(CloseReason::BindRefused(status)),
                false => {}
            }
        }
        self.leave_if_drained(now);
        Ok(())
    }

    /// Answers a request of the peer with an error and no body.
    ///
    /// # Errors
    ///
    /// It was answered already, or the link is over.
    pub fn refuse(&mut self, ticket: Ticket, status: CommandStatus, now: Instant) -> Result<(), RespondError> {
        let asked = self.asked.get(ticket).ok_or(RespondError::Stale)?;
        let response = asked.command_id.response().and_then(Pdu::without_body).unwrap_or_default();
        self.respond(ticket, status, response, now)
    }

    /// Unbinds: waits until the requests of both ends are answered, but no longer than
    /// [`drain_timeout`](super::Config#structfield.drain_timeout), unbinds, and closes when that is answered. New requests
    /// are refused meanwhile, those of the peer as by an end that is overloaded. Without a bind, closes at once.
    pub fn unbind(&mut self, now: Instant) {
        self.unbind_for(CloseReason::Unbound, now);
    }

    /// Closes at once, without unbind.
    pub fn close(&mut self) {
        self.end(CloseReason::Closed);
    }

    pub(super) fn unbind_for(&mut self, reason: CloseReason, now: Instant) {
        if self.state == State::Closed || self.leaving.is_some() {
            return;
        }
        if !self.state.is_bound() {
            return self.end(CloseReason::Closed);
        }
        self.leaving = Some(Leaving::Draining(reason));
        self.timers.set(Timer::Drain, now, self.config.drain_timeout);
        self.leave_if_drained(now);
    }

    pub(super) fn peer_unbinds(&mut self, number: u32, now: Instant) {
        match self.leaving {
            // Both unbind at once: both answer.
            Some(Leaving::Asking(_) | Leaving::Answering(_) | Leaving::Answered) => {
                self.write(number, CommandStatus::ROK, &UnbindResp::default().into());
            }
            None | Some(Leaving::Draining(_)) => {
                self.leaving = Some(Leaving::Answering(number));
                self.event(Event::Unbinding);
                self.timers.set(Timer::Drain, now, self.config.drain_timeout);
                self.leave_if_drained(now);
            }
        }
    }

    /// Goes on with an unbind that nothing holds back any longer.
    #[inline]
    pub(super) fn leave_if_drained(&mut self, now: Instant) {
        if self.leaving.is_some() && self.outstanding.of_program() == 0 && self.asked.len() == 0 {
            self.leave(now);
        }
    }

    /// Goes on with an unbind, whatever is unanswered.
    pub(super) fn leave(&mut self, now: Instant) {
        match self.leaving.take() {
            Some(Leaving::Draining(reason)) => {
                self.leaving = Some(Leaving::Asking(reason));
                let number = self.outstanding.insert(CommandId::UNBIND, Kind::Own, None);
                self.write_own_request(number, Unbind::default().into());
            }
            Some(Leaving::Answering(number)) => {
                self.leaving = Some(Leaving::Answered);
                self.write(number, CommandStatus::ROK, &UnbindResp::default().into());
                self.state = State::Unbound;
                self.asked.clear();
            }
            other => {
                self.leaving = other;
                return;
            }
        }
        self.timers.stop(Timer::Drain);
        self.timers.set(Timer::Unbind, now, self.config.unbind_timeout);
    }

    pub(super) fn write_own_request(&mut self, number: SequenceNumber, pdu: Pdu) {
        self.write(number.get(), CommandStatus::ROK, &pdu);
    }

    /// Appends a PDU to what is to be written. Its length was checked.
    #[inline]
    pub(super) fn write(&mut self, number: u32, status: CommandStatus, pdu: &Pdu) {
        let header = Header { command_status: status, sequence_number: number };
        if pdu.write(header, &Octets::EMPTY, &mut self.unwritten, u32::MAX).is_ok() {
            self.counters.sent = self.counters.sent.saturating_add(1);
        }
    }

    /// Takes the TLVs off the PDU that was written last, from `start` on: they stand at its end.
    #[cold]
    fn cut_tlvs(&mut self, start: usize, pdu: &Pdu) {
        let end = self.unwritten.len().saturating_sub(pdu.tlvs().as_bytes().len());
        self.unwritten.truncate(end);
        if let (Some(octets), Ok(length)) =
            (self.unwritten.get_mut(start..start.saturating_add(4)), u32::try_from(end.saturating_sub(start)))
        {
            octets.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Whether the version of the link, or that of the bind itself, has what is in a request.
    fn check(&self, pdu: &Pdu, command_id: CommandId) -> Result<(), EncodeError> {
        self.check_length(pdu)?;
        let error = |field, problem| Err(EncodeError { message: pdu.name(), field, problem });
        if !version::has(self.version, command_id) {
            return error(None, EncodeProblem::NotInVersion);
        }
        if self.version < InterfaceVersion::V3_4 && !pdu.tlvs().is_empty() {
            return error(Some("tlvs"), EncodeProblem::NotInVersion);
        }
        pdu.check_version(self.version)
    }

    #[inline]
    fn check_length(&self, pdu: &Pdu) -> Result<(), EncodeError> {
        let length = HEADER.saturating_add(pdu.length());
        let limit = usize::try_from(self.config.max_pdu).unwrap_or(usize::MAX);
        if length <= limit {
            return Ok(());
        }
        Err(EncodeError { message: pdu.name(), field: None, problem: EncodeProblem::PduTooLong { length, limit } })
    }
}

/// Most enquire_links of the program, and binds, that may be unanswered.
const MAX_CONTROL: usize = 16;
