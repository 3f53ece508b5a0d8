use std::fmt;
use std::io;
use std::time::Instant;

use thiserror::Error;

use super::State;
use crate::codec::EncodeError;
use crate::command::{DeliveryReport, ImsiLookupReply, Login, Request, Response, Seq, Unknown};
use crate::framing::{BadLine, LineTooLong};
use crate::types::{NackType, Octets};

/// What a session is given: what the [`LineCutter`](crate::framing::LineCutter) makes of the stream.
///
/// `C` is [`Response`] at a client, [`Request`] at a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input<C> {
    /// A line, read or found bad.
    Line(Result<C, BadLine>),
    /// A line over the limit; the stream cannot be read on.
    TooLong(LineTooLong),
    /// The peer has closed. A line that it did not end is lost.
    PeerClosed,
    /// The stream failed in another way.
    Failed(io::ErrorKind),
}

impl<C> From<Result<C, BadLine>> for Input<C> {
    fn from(line: Result<C, BadLine>) -> Self {
        Self::Line(line)
    }
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<C, E> {
    /// Write this command. It can be written: it was checked.
    Send(C),
    /// Tell the program.
    Event(E),
    /// Write what is still to be written, then close. Nothing follows.
    Close(CloseReason),
}

/// Names a request of this client: later events quote it. It never goes over the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub(super) u64);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client's program is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The login was accepted: requests may be sent.
    LoggedIn,
    /// The gateway sent this: USSD, an SMS, a notice, a command that is not known, an acknowledgement or a reply
    /// that nobody waits for.
    Received(Response),
    /// A submission got its id.
    Sequenced {
        /// The submission.
        ticket: Ticket,
        /// The gateway's id for it, in the answer as it came.
        seq: Seq,
    },
    /// A submission got no id, or none that could be known for its own. It was sent; nothing more will be heard of it.
    NotSequenced {
        /// The submission.
        ticket: Ticket,
        /// Why.
        why: Unanswered,
    },
    /// An id that nobody waits for; [`claim`](super::ClientSession::claim) gives it for a while.
    Unclaimed(Seq),
    /// What became of a message.
    Report {
        /// Its submission, if that is known.
        ticket: Option<Ticket>,
        /// The report as it came.
        report: DeliveryReport,
    },
    /// The delivery report of a submission is not waited for any longer.
    NotReported {
        /// The submission.
        ticket: Ticket,
        /// Why.
        why: Unanswered,
    },
    /// The answer to an IMSI lookup.
    LookedUp {
        /// The lookup.
        ticket: Ticket,
        /// The answer as it came.
        reply: ImsiLookupReply,
    },
    /// An IMSI lookup got no answer.
    NotLookedUp {
        /// The lookup.
        ticket: Ticket,
        /// Why.
        why: Unanswered,
    },
    /// A request was refused; which one, the gateway does not say.
    Nacked {
        /// Why.
        nack_type: NackType,
        /// The latest requests, oldest first; the refused one is likely among them.
        recent: Vec<SentCommand>,
    },
    /// A line that is not a command. The session goes on.
    BadLine(BadLine),
    /// A line over the limit. The session closes.
    LineTooLong(LineTooLong),
    /// The account has logged in elsewhere. The session closes.
    RemoteLogout {
        /// Address of the other client, as the gateway says.
        ip: Octets,
    },
}

/// A request that was sent, without secrets and without text.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SentCommand {
    /// The request.
    pub ticket: Ticket,
    /// Name of the command, such as `SEND_SMS`.
    pub name: &'static str,
    /// Its number, if it has one.
    pub msisdn: Option<Octets>,
    /// When it was handed to the session.
    pub at: Instant,
}

/// What the gateway's program is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client wants to log in: answer with [`accept`](super::ServerSession::accept) or
    /// [`refuse`](super::ServerSession::refuse).
    LoginRequested(Login),
    /// The login was accepted: responses may be sent.
    LoggedIn,
    /// The login was refused.
    LoginRefused(NackType),
    /// A logged-in client sent this.
    Received(Request),
    /// A command was refused with a NACK: it came before the login, or is a second login.
    Refused {
        /// The command.
        request: Request,
        /// The answer that was sent.
        nack_type: NackType,
    },
    /// A command that is not known. It was answered with [`NackType::MessageType`].
    Unknown(Unknown),
    /// A line that is not a command. It was answered; the session goes on.
    BadLine {
        /// The line.
        bad: BadLine,
        /// The answer that was sent.
        nack_type: NackType,
    },
    /// A line over the limit. The session closes.
    LineTooLong(LineTooLong),
}

/// Why nothing was heard of a request that was sent.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unanswered {
    /// The time that an answer may take is over.
    #[error("no answer came in time")]
    TimedOut,
    /// Too many others wait.
    #[error("too many requests wait for an answer")]
    Forgotten,
    /// The connection ended first.
    #[error("the connection ended before an answer came")]
    Closed,
}

/// Why a session is over.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The login was refused.
    #[error("the login was refused: {0:?}")]
    LoginRefused(NackType),
    /// The login was not done in time.
    #[error("the login was not done in time")]
    LoginTimeout,
    /// Link checks were not answered.
    #[error("the gateway does not answer link checks")]
    DeadPeer,
    /// The client sent nothing for too long.
    #[error("the client sent nothing for too long")]
    IdleTimeout,
    /// A line was over the limit.
    #[error(transparent)]
    LineTooLong(LineTooLong),
    /// The client logged out.
    #[error("logged out")]
    LoggedOut,
    /// The account has logged in elsewhere.
    #[error("the account has logged in elsewhere")]
    RemoteLogout,
    /// The peer closed the stream.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Failed(io::ErrorKind),
    /// The program closed this end.
    #[error("closed by this end")]
    Closed,
}

/// Why a command was not sent. Nothing of it was.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// It cannot be written as one line.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The session is not logged in.
    #[error("the session is not open but {state:?}")]
    NotOpen {
        /// Its state.
        state: State,
    },
    /// A session sends its LOGIN by itself, and only one.
    #[error("LOGIN is sent by the session itself")]
    Login,
    /// An IMSI lookup of the same sequence is unanswered.
    #[error("an IMSI lookup of this sequence is unanswered")]
    SequenceInUse,
    /// As many IMSI lookups are unanswered as may be.
    #[error("too many IMSI lookups are unanswered")]
    TooManyLookups,
}
