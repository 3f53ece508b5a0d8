use std::io;

use thiserror::Error;

use super::State;
use crate::codec::EncodeError;
use crate::framing::BadLength;
use crate::pdu::{BadPdu, Frame};
use crate::types::{CommandId, CommandStatus, SequenceNumber};

/// What a session is given: what [`StreamDecoder`](crate::framing::StreamDecoder) makes of the stream.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "no heap on the hot path")]
pub enum Input {
    /// A PDU, read or found bad.
    Pdu(Result<Frame, BadPdu>),
    /// A command_length that cannot be; the stream cannot be read on.
    BadLength(BadLength),
    /// What has come ends inside a PDU. To be told whenever all that was read is cut; the PDU must then be whole within
    /// [`read_timeout`](super::Config#structfield.read_timeout).
    Partial,
    /// The peer has closed. A PDU that was not whole is lost.
    PeerClosed,
    /// The stream failed in another way.
    Failed(io::ErrorKind),
}

impl From<Result<Frame, BadPdu>> for Input {
    fn from(pdu: Result<Frame, BadPdu>) -> Self {
        Self::Pdu(pdu)
    }
}

/// What a session wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "no heap on the hot path")]
pub enum Output {
    /// Tell the program.
    Event(Event),
    /// Write what is still to be written, then close. Nothing follows.
    Close(CloseReason),
}

/// A request of this end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    /// Its number, which no other unanswered request has.
    pub number: SequenceNumber,
    /// Its operation.
    pub command_id: CommandId,
}

/// Names a request of the peer that is to be answered, once. Two requests with the same number have two tickets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ticket {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// What a program is told.
///
/// Each request of this end that has a response ends in exactly one of [`Response`](Self::Response),
/// [`Mismatched`](Self::Mismatched) and [`Unanswered`](Self::Unanswered).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer asks: answer with [`respond`](super::Session::respond) or [`refuse`](super::Session::refuse), in any
    /// order. A bind is such a request, and is accepted by answering it ESME_ROK.
    Request {
        /// What the answer is to quote.
        ticket: Ticket,
        /// The request.
        request: Frame,
    },
    /// The peer sent a PDU that nothing answers: outbind or alert_notification.
    OneWay(Frame),
    /// A request was answered, by its own response or a generic_nack. The status may be an error.
    Response {
        /// The request.
        request: Sent,
        /// The answer.
        response: Frame,
    },
    /// A request was answered by the response of another operation. Whether it was done is unknown.
    Mismatched {
        /// The request.
        request: Sent,
        /// What came.
        response: Frame,
    },
    /// A request that was sent has no answer. Whether it was done is unknown.
    Unanswered {
        /// The request.
        request: Sent,
        /// Why.
        why: Unanswered,
    },
    /// The answer to a request that had timed out, and was told to be unanswered.
    Late {
        /// The request.
        request: Sent,
        /// The answer.
        response: Frame,
    },
    /// A second answer to a request that was answered of late.
    Duplicate(Frame),
    /// An answer to nothing that is known; a generic_nack with the number 0 among them.
    Unexpected(Frame),
    /// A request of the peer was refused by the session: not in this state or direction, not known in this version, or
    /// beyond [`peer_window`](super::Config#structfield.peer_window).
    Refused {
        /// The request.
        request: Frame,
        /// The status that it was answered with; one-way PDUs get no answer.
        status: CommandStatus,
    },
    /// A PDU with a bad body. It was answered with its [`answer`](BadPdu::answer) if one is due. The session goes on.
    Bad(BadPdu),
    /// The peer unbinds: no more requests can be sent. Its unbind is answered once the requests that are unanswered on
    /// either side are, or [`drain_timeout`](super::Config#structfield.drain_timeout) is over.
    Unbinding,
}

/// Why nothing is known of a request that was sent.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unanswered {
    /// The time that an answer may take is over. It may still come: [`Event::Late`].
    #[error("no answer came in time")]
    TimedOut,
    /// The link ended first.
    #[error("the link ended before an answer came")]
    Closed,
    /// The answer was the response of another operation.
    #[error("the answer is that of another operation")]
    Mismatched,
    /// The answer has a body that is refused; see [`Event::Bad`], which follows.
    #[error("the answer cannot be read")]
    BadResponse,
}

/// Why a session is over.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// There was no bind in time.
    #[error("there was no bind in time")]
    SessionInit,
    /// The message centre did not answer the bind in time.
    #[error("the bind was not answered in time")]
    BindTimeout,
    /// This end refused the bind.
    #[error("the bind was refused: {0}")]
    BindRefused(CommandStatus),
    /// The peer answers no enquire_link, and sends nothing else.
    #[error("the peer does not answer enquire_link")]
    DeadPeer,
    /// Nothing but enquire_link went over the link for too long.
    #[error("the link was not used for too long")]
    Inactivity,
    /// A PDU did not become whole in time.
    #[error("a PDU did not become whole in time")]
    ReadTimeout,
    /// A command_length that cannot be.
    #[error(transparent)]
    BadLength(BadLength),
    /// Too many PDUs in a row were refused, or answered nothing.
    #[error("too many faulty PDUs in a row")]
    Faults,
    /// This end unbound.
    #[error("unbound by this end")]
    Unbound,
    /// The peer unbound.
    #[error("unbound by the peer")]
    PeerUnbound,
    /// The peer closed the stream, without unbind.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Failed(io::ErrorKind),
    /// The program closed this end.
    #[error("closed by this end")]
    Closed,
}

/// Why a request was not sent. Nothing of it was.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// As many requests as the window allows are unanswered.
    #[error("the window is full")]
    WindowFull,
    /// This end may not send it in this state.
    #[error("{command_id} may not be sent in the state {state:?}")]
    NotAllowed {
        /// The operation.
        command_id: CommandId,
        /// The state.
        state: State,
    },
    /// The link is unbinding, or over.
    #[error("the link is unbinding or over")]
    Unbinding,
    /// It is a response, or an unbind, which [`unbind`](super::Session::unbind) sends.
    #[error("{0} is not sent as a request")]
    NotARequest(CommandId),
    /// It is beyond the version of the link, or above the largest PDU.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
}

/// Why a response was not sent. The request is still to be answered, unless it is stale.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RespondError {
    /// The request was answered already, or the link is over.
    #[error("the request is no longer to be answered")]
    Stale,
    /// Neither the response of the request's operation, nor a generic_nack.
    #[error("{response} does not answer {request}")]
    WrongOperation {
        /// The request's operation.
        request: CommandId,
        /// The response's.
        response: CommandId,
    },
    /// It is beyond the version of the link, or above the largest PDU.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
}

/// What a session has seen and done. Each stays at its largest value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counters {
    /// PDUs of the peer, good or bad.
    pub received: u64,
    /// PDUs of this end.
    pub sent: u64,
    /// Requests of the program that were answered, whatever the status; not the enquire_link and unbind of the session.
    pub answered: u64,
    /// Requests of this end that timed out.
    pub timed_out: u64,
    /// Responses to requests that had timed out.
    pub late: u64,
    /// Second responses.
    pub duplicate: u64,
    /// Responses to nothing that is known.
    pub unexpected: u64,
    /// Responses of another operation than the request's.
    pub mismatched: u64,
    /// Requests of the peer beyond its window.
    pub throttled: u64,
    /// Requests of the peer in a state, direction or version that does not have them.
    pub misplaced: u64,
    /// PDUs with a bad body.
    pub bad: u64,
}
