//! The one loop that both ends run: read, cut, session, write, sleep.
//!
//! The only file that reads the clock. Protocol is the session's business, and programs are the host's; here octets
//! and time are moved, and nothing grows without a bound:
//!
//! * All that is pending is written together. While more than [`IoConfig::max_unwritten`] octets wait, neither the
//!   stream nor the program's commands are taken in; a peer that takes nothing for [`IoConfig::write_timeout`] is given
//!   up.
//! * While the program does not take an event, the stream is not read, so the peer is held back; writing, commands and
//!   timers go on.

mod link;
mod outbox;

use std::fmt;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tracing::{debug, trace};

pub(crate) use self::link::Closing;
use self::link::Link;
pub use self::outbox::Events;
pub(crate) use self::outbox::{EventSource, Outbox, channel};
use crate::codec::EncodeError;
use crate::command::{Request, Response};
use crate::framing::{BadLine, Framing, Line};
use crate::session::{ClientEvent, ClientSession, CloseReason, Input, Output, ServerEvent, ServerSession, config};

config! {
    /// How a connection moves octets; the same for clients and servers.
    IoConfig {
        /// How strictly lines are told apart. Tolerant.
        framing: Framing = Framing::Tolerant,
        /// Longest line to read, in octets, its carriage return not counted. 16,384, as in the clients in the field.
        max_line: usize = crate::codec::MAX_LINE,
        /// How many octets may wait to be written before nothing more is taken in, from the peer or from the program.
        /// 256 KiB.
        max_unwritten: usize = 256 * 1024,
        /// How long the peer may take no octet at all while some wait. 30 seconds.
        write_timeout: Duration = Duration::from_secs(30),
        /// How long writing what is left may take when the connection closes. 5 seconds.
        close_timeout: Duration = Duration::from_secs(5),
    }
}

/// A session, as the loop sees it.
pub(crate) trait Session: Send {
    type Incoming: Send;
    type Outgoing: Send;
    type Event: Send;

    fn read(line: Line) -> Result<Self::Incoming, BadLine>;
    fn write(command: &Self::Outgoing, dst: &mut BytesMut) -> Result<(), EncodeError>;
    fn trace_read(command: &Self::Incoming);
    fn trace_write(command: &Self::Outgoing);
    fn handle(&mut self, input: Input<Self::Incoming>, now: Instant);
    fn handle_timeout(&mut self, now: Instant);
    fn poll(&mut self) -> Option<Output<Self::Outgoing, Self::Event>>;
    fn next_timeout(&self) -> Option<Instant>;
    fn wants_input(&self) -> bool;
    fn set_reading(&mut self, reading: bool);
}

/// What stands between a session and the program.
pub(crate) trait Host<S: Session>: Send {
    /// What the program wants done.
    type Command: Send;
    /// What the program is told.
    type Event: Send;
    /// Who wants to know that a command was written.
    type Receipt: Receipt;

    /// Does what the program wants; `None` is a program that is gone.
    fn command(&mut self, command: Option<Self::Command>, session: &mut S, now: Instant) -> Option<Self::Receipt>;

    /// What the program is told of an event; none if whoever waited for it was told.
    fn event(&mut self, event: S::Event) -> Option<Self::Event>;
}

/// Who wants to know whether a command was written. Dropped without a word, it was not.
pub(crate) trait Receipt: Send {
    fn written(self);
}

/// Runs a connection until its session is over. What is then left to write is the caller's to
/// [finish](Closing::finish).
pub(crate) async fn run<IO, S, H>(
    io: IO,
    config: &IoConfig,
    session: &mut S,
    host: &mut H,
    commands: &mut mpsc::Receiver<H::Command>,
    outbox: &mut Outbox<H::Event>,
) -> (CloseReason, Closing<IO, H::Receipt>)
where
    IO: AsyncRead + AsyncWrite + Send + Unpin,
    S: Session,
    H: Host<S>,
{
    let mut link = Link::new(io, config);
    let mut program_is_there = true;
    loop {
        if let Some(reason) = link.advance(session, host, outbox) {
            debug!(%reason, "connection over");
            return (reason.clone(), Closing::new(link, &reason));
        }
        let room = link.has_room();
        let reading = room && session.wants_input() && !outbox.is_stalled();
        session.set_reading(reading);
        let wake = [session.next_timeout(), link.give_up()].into_iter().flatten().min();
        tokio::select! {
            () = outbox.drain(), if outbox.is_stalled() => {}
            command = commands.recv(), if room && program_is_there => {
                program_is_there = command.is_some();
                let receipt = host.command(command, session, now());
                link.advance_output(session, host, outbox);
                link.await_written(receipt);
            }
            moved = link.transfer(reading) => link.moved(moved, session),
            () = sleep(wake) => {
                let now = now();
                link.handle_timeout(session, now);
                session.handle_timeout(now);
            }
        }
    }
}

/// The time, as tokio has it: a test may have stopped it.
#[expect(clippy::disallowed_methods, reason = "the driver is where the clock is read")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Sleeps until an instant; for none, for ever.
pub(crate) async fn sleep(until: Option<Instant>) {
    match until {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Notes a command without what is in it; of its number, the first digits.
fn trace_command(what: &'static str, name: &'static str, id: &[u8], fields: &[(&'static str, &[u8])]) {
    let msisdn = fields.iter().find(|(field, _)| *field == "msisdn").map(|(_, msisdn)| Masked(msisdn));
    let octets: usize = fields.iter().map(|(_, value)| value.len()).sum();
    trace!(name, id = %id.escape_ascii(), msisdn = msisdn.map(tracing::field::display), octets, "{what}");
}

/// The first five characters of a number; of a shorter one, none.
struct Masked<'a>(&'a [u8]);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(SHOWN) {
            Some((shown, hidden)) if !hidden.is_empty() => write!(f, "{}***", shown.escape_ascii()),
            _ => f.write_str("***"),
        }
    }
}

/// How many digits of a number a log shows: the country and the network.
const SHOWN: usize = 5;

macro_rules! session {
    ($session:ident: $incoming:ident by $read:ident, $outgoing:ident, $event:ident, $wants:expr, $set:expr) => {
        impl Session for $session {
            type Incoming = $incoming;
            type Outgoing = $outgoing;
            type Event = $event;

            fn read(line: Line) -> Result<$incoming, BadLine> {
                line.$read()
            }

            fn write(command: &$outgoing, dst: &mut BytesMut) -> Result<(), EncodeError> {
                command.encode(dst)
            }

            fn trace_read(command: &$incoming) {
                command.with_fields(|name, id, fields| trace_command("read", name, id, fields));
            }

            fn trace_write(command: &$outgoing) {
                command.with_fields(|name, id, fields| trace_command("write", name, id, fields));
            }

            fn handle(&mut self, input: Input<$incoming>, now: Instant) {
                $session::handle(self, input, now);
            }

            fn handle_timeout(&mut self, now: Instant) {
                $session::handle_timeout(self, now);
            }

            fn poll(&mut self) -> Option<Output<$outgoing, $event>> {
                $session::poll(self)
            }

            fn next_timeout(&self) -> Option<Instant> {
                $session::next_timeout(self)
            }

            fn wants_input(&self) -> bool {
                let wants: fn(&Self) -> bool = $wants;
                wants(self)
            }

            fn set_reading(&mut self, reading: bool) {
                let set: fn(&mut Self, bool) = $set;
                set(self, reading);
            }
        }
    };
}

session!(ClientSession: Response by response, Request, ClientEvent, |_| true, ClientSession::set_reading);
session!(ServerSession: Request by request, Response, ServerEvent, ServerSession::wants_input, |_, _| {});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_shows_the_beginning_of_a_number() {
        assert_eq!(Masked(b"27831112222").to_string(), "27831***");
        assert_eq!(Masked(b"31999").to_string(), "***");
        assert_eq!(Masked(b"").to_string(), "***");
    }
}
