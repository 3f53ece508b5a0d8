//! What becomes of a PDU, and what answers it: the decoder's verdict, the state of the link, and a willing application.

use bytes::BytesMut;
use clap::ValueEnum;
use smpp::codec::Limits;
use smpp::framing::BadLength;
use smpp::pdu::*;
use smpp::session;
use smpp::types::{CommandId, CommandStatus, InterfaceVersion};

use crate::smpp_vectors::{Outcome, Reply, limits_of_receiver};

/// Who gets the PDUs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, ValueEnum)]
pub enum Role {
    /// The message centre.
    Mc,
    /// The ESME.
    Esme,
}

impl From<Role> for session::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Mc => Self::MessageCentre,
            Role::Esme => Self::Esme,
        }
    }
}

/// State of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Connected, nothing said.
    Open,
    /// The message centre connected, and sent an outbind.
    Outbound,
    /// Bound as transmitter.
    BoundTx,
    /// Bound as receiver.
    BoundRx,
    /// Bound as transceiver.
    BoundTrx,
    /// An unbind was answered.
    Unbound,
}

impl From<State> for session::State {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Outbound => Self::Outbound,
            State::BoundTx => Self::BoundTx,
            State::BoundRx => Self::BoundRx,
            State::BoundTrx => Self::BoundTrx,
            State::Unbound => Self::Unbound,
        }
    }
}

/// One end of a link.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Which end. Without one each PDU has the receiver that its operation has.
    pub role: Option<Role>,
    /// State of the link, which binds and unbinds change. Without one, every PDU is allowed.
    pub state: Option<State>,
    /// Requests that this end has sent and that are not answered. Without them, every response is taken to be awaited.
    pub pending: Option<Vec<(CommandId, u32)>>,
    /// Version of the protocol.
    pub version: InterfaceVersion,
}

impl Default for Receiver {
    /// Of any end, in no state, speaking 5.0.
    fn default() -> Self {
        Self { role: None, state: None, pending: None, version: InterfaceVersion::V5_0 }
    }
}

impl Receiver {
    /// What the end forgives in a PDU of this operation.
    pub fn limits(&self, command_id: CommandId) -> Limits {
        let limits = match self.role {
            Some(Role::Mc) => Limits::message_centre(),
            Some(Role::Esme) => Limits::esme(),
            None => limits_of_receiver(command_id),
        };
        limits.with_version(self.version)
    }

    /// What becomes of a PDU that was decoded, or of a bad one.
    ///
    /// What a session does with it, told without one: the role, the state and what is awaited may be unknown here.
    pub fn judge(&mut self, pdu: &Result<Frame, BadPdu>) -> Outcome {
        match pdu {
            Ok(frame) if frame.pdu.command_id().is_response() => self.judge_response(frame),
            Ok(frame) => self.judge_request(frame),
            Err(bad) => refusal(bad.answer()),
        }
    }

    fn judge_request(&mut self, frame: &Frame) -> Outcome {
        let command_id = frame.pdu.command_id();
        if matches!(frame.pdu, Pdu::Unknown(_)) || !self.has(command_id) {
            let number = frame.header.sequence_number;
            return refusal(Some(Frame::response(number, CommandStatus::RINVCMDID, GenericNack::default())));
        }
        if let Err(status) = self.allows(command_id) {
            return refusal(frame.refusal(status));
        }
        self.follow(command_id);
        outcome("accept", willing_answer(frame))
    }

    fn judge_response(&mut self, frame: &Frame) -> Outcome {
        let (command_id, number) = (frame.pdu.command_id(), frame.header.sequence_number);
        let request = match &mut self.pending {
            None if matches!(frame.pdu, Pdu::Unknown(_)) || number == 0 => return outcome("ignore", None),
            None => None,
            Some(pending) => {
                let same =
                    |with: &dyn Fn(CommandId) -> bool| pending.iter().position(|(id, at)| *at == number && with(*id));
                match same(&|id| id.response() == Some(command_id)).or_else(|| same(&|_| true)) {
                    Some(at) => Some(pending.remove(at).0),
                    None => return outcome("ignore", None),
                }
            }
        };
        let fits = request.is_none_or(|request| request.response() == Some(command_id));
        if !fits || command_id == CommandId::GENERIC_NACK || !frame.header.command_status.is_ok() {
            return outcome("fail_pending", None);
        }
        self.follow(command_id);
        outcome("accept", None)
    }

    /// Whether the version has the request.
    fn has(&self, command_id: CommandId) -> bool {
        let since_3_4 = matches!(
            command_id,
            CommandId::BIND_TRANSCEIVER | CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION | CommandId::DATA_SM
        );
        self.version.0 >= InterfaceVersion::V3_4.0 || !since_3_4
    }

    /// Whether a request may come in this direction and state, by the session's table; the status that refuses it
    /// otherwise. Without a role or a state, only what would be refused of both roles, or in all states, is.
    fn allows(&self, command_id: CommandId) -> Result<(), CommandStatus> {
        let roles = [Role::Mc, Role::Esme].into_iter().filter(|role| self.role.is_none_or(|own| own == *role));
        let mut refused = Ok(());
        for role in roles {
            for state in State::value_variants().iter().filter(|state| self.state.is_none_or(|own| own == **state)) {
                match session::State::from(*state).allows(session::Role::from(role).peer(), command_id) {
                    Ok(()) => return Ok(()),
                    Err(status) => refused = Err(status),
                }
            }
        }
        refused
    }

    /// The state after a PDU that was accepted.
    fn follow(&mut self, command_id: CommandId) {
        let next = match command_id {
            CommandId::OUTBIND => State::Outbound,
            CommandId::BIND_RECEIVER | CommandId::BIND_RECEIVER_RESP => State::BoundRx,
            CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSMITTER_RESP => State::BoundTx,
            CommandId::BIND_TRANSCEIVER | CommandId::BIND_TRANSCEIVER_RESP => State::BoundTrx,
            CommandId::UNBIND | CommandId::UNBIND_RESP => State::Unbound,
            _ => return,
        };
        self.state = self.state.map(|_| next);
    }
}

/// What becomes of a stream whose framing is lost.
pub fn fatal(bad: &BadLength) -> Outcome {
    Outcome { close: true, ..outcome("fatal_framing", Some((bad.answer(), true))) }
}

/// What becomes of octets that are no whole PDU yet.
pub fn unfinished() -> Outcome {
    outcome("need_more", None)
}

/// What becomes of a PDU that is refused with this answer, if any.
pub fn refusal(answer: Option<Frame>) -> Outcome {
    match answer {
        Some(answer) => outcome("reject", Some((answer, true))),
        None => outcome("ignore", None),
    }
}

/// An outcome with its reply, which has its octets if they are known.
pub fn outcome(outcome: &str, reply: Option<(Frame, bool)>) -> Outcome {
    let reply = reply.map(|(frame, known)| Reply {
        command: frame.pdu.name().to_owned(),
        command_status: format!("{:#010x}", frame.header.command_status.0),
        status_name: status_name(frame.header.command_status).to_owned(),
        sequence_number: frame.header.sequence_number,
        hex: known.then(|| octets(&frame)),
    });
    Outcome { outcome: outcome.to_owned(), reply, close: false }
}

fn octets(frame: &Frame) -> String {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).expect("an answer is short");
    hex::encode(octets)
}

/// The name of 5.0, or what the vectors say of a status that has none.
pub fn status_name(status: CommandStatus) -> &'static str {
    match status.name() {
        Some(name) => name,
        None if status.is_vendor() => "vendor",
        None => "reserved",
    }
}

/// What a willing application answers, and whether that is known to the octet: it makes up identifiers, names and
/// states. None if nothing answers this PDU.
pub fn willing_answer(frame: &Frame) -> Option<(Frame, bool)> {
    let (pdu, known): (Pdu, bool) = match &frame.pdu {
        Pdu::SubmitSm(_) => (SubmitSmResp::default().into(), false),
        Pdu::SubmitMulti(_) => (SubmitMultiResp::default().into(), false),
        Pdu::DataSm(_) => (DataSmResp::default().into(), false),
        Pdu::BroadcastSm(_) => (BroadcastSmResp::default().into(), false),
        Pdu::QuerySm(_) => (QuerySmResp::default().into(), false),
        Pdu::QueryBroadcastSm(_) => (QueryBroadcastSmResp::default().into(), false),
        Pdu::BindReceiver(_) => (BindReceiverResp::default().into(), false),
        Pdu::BindTransmitter(_) => (BindTransmitterResp::default().into(), false),
        Pdu::BindTransceiver(_) => (BindTransceiverResp::default().into(), false),
        Pdu::DeliverSm(_) => (DeliverSmResp::default().into(), true),
        Pdu::CancelSm(_) => (CancelSmResp::default().into(), true),
        Pdu::ReplaceSm(_) => (ReplaceSmResp::default().into(), true),
        Pdu::CancelBroadcastSm(_) => (CancelBroadcastSmResp::default().into(), true),
        Pdu::EnquireLink(_) => (EnquireLinkResp::default().into(), true),
        Pdu::Unbind(_) => (UnbindResp::default().into(), true),
        _ => return None,
    };
    Some((Frame::response(frame.header.sequence_number, CommandStatus::ROK, pdu), known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enquire(receiver: &mut Receiver, pdu: impl Into<Pdu>) -> String {
        receiver.judge(&Ok(Frame::response(1, CommandStatus::ROK, pdu))).outcome
    }

    #[test]
    fn the_state_follows_binds_and_unbinds() {
        let mut centre = Receiver { role: Some(Role::Mc), state: Some(State::Open), ..Receiver::default() };
        assert_eq!(enquire(&mut centre, SubmitSm::default()), "reject");
        assert_eq!(enquire(&mut centre, BindTransmitter::default()), "accept");
        assert_eq!(enquire(&mut centre, SubmitSm::default()), "accept");
        assert_eq!(enquire(&mut centre, BindTransmitter::default()), "reject");
        assert_eq!(enquire(&mut centre, Unbind::default()), "accept");
        assert_eq!(enquire(&mut centre, EnquireLink::default()), "accept");
        assert_eq!(enquire(&mut centre, BindTransmitter::default()), "reject");
    }

    #[test]
    fn a_response_is_awaited_once_and_of_its_own_kind() {
        let pending = Some(vec![(CommandId::QUERY_SM, 1), (CommandId::SUBMIT_SM, 1)]);
        let mut esme = Receiver { pending, ..Receiver::default() };
        assert_eq!(enquire(&mut esme, SubmitSmResp::default()), "accept");
        assert_eq!(enquire(&mut esme, SubmitSmResp::default()), "fail_pending");
        assert_eq!(enquire(&mut esme, SubmitSmResp::default()), "ignore");
    }

    #[test]
    fn what_3_4_added_is_unknown_to_3_3() {
        let mut old = Receiver { version: InterfaceVersion::V3_3, ..Receiver::default() };
        assert_eq!(enquire(&mut old, BindTransceiver::default()), "reject");
        assert_eq!(enquire(&mut old, BindTransmitter::default()), "accept");
    }
}
