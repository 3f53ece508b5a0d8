//! A peer that means harm, or does not know better: attacks by name, to be run against any server or client.
//!
//! Each [`Attack`] is data: what the peer sends and awaits, step by step, and whether the attacked end has to keep the
//! link or may close it. [`Attack::run`] plays it over any stream and says in which step the attacked end did something
//! else. Attacks wait a lot: over in-memory streams with tokio's clock paused a run takes no time.
//!
//! ```
//! use smpp::testkit::{hostile, Smsc};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), hostile::Failure> {
//! let smsc = Smsc::start();
//! for attack in hostile::against_server().iter().filter(|attack| attack.name.starts_with("tlv_")) {
//!     attack.run(smsc.connect()).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod attacks;
mod octets;
mod peer;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::attacks::{against_client, against_server};
use self::peer::Peer;
use crate::pdu::{
    BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp, BindTransmitter, BindTransmitterResp, Frame,
    Pdu, RawPdu,
};
use crate::session::BindKind;
use crate::types::{COctetString, CommandId, CommandStatus, Password, SequenceNumber};

/// What a hostile peer does, and what has to come of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attack {
    /// Its name, such as `slow_pdu`.
    pub name: &'static str,
    /// What the peer does, and why that is a danger.
    pub about: &'static str,
    /// Which end is attacked.
    pub victim: Victim,
    /// How the link is bound before; `None` for an attack on the bind itself.
    pub bound: Option<BindKind>,
    /// What happens then.
    pub steps: Vec<Step>,
    /// What the attacked end does with the link.
    pub outcome: Outcome,
}

/// An end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Victim {
    /// A message centre: the peer binds to it.
    Server,
    /// An ESME: the peer awaits its bind.
    Client,
}

/// One step of an attack.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Octets, all at once.
    Write(Bytes),
    /// The same octets so many times.
    Flood(Bytes, u32),
    /// Octet by octet, with a pause behind each; over when the other end closes.
    Drip(Bytes, Duration),
    /// A response that has to come, before anything else with this command_id.
    Expect {
        /// The response.
        command_id: CommandId,
        /// Its status.
        status: CommandStatus,
        /// Its number.
        number: u32,
    },
    /// A request of the attacked end, which is answered with these octets, its own number in place.
    Answer {
        /// The request.
        command_id: CommandId,
        /// The answer.
        octets: Bytes,
    },
    /// Nothing is done but reading, for so long.
    Wait(Duration),
    /// Nothing is read from now on.
    StopReading,
    /// enquire_link is not answered from now on.
    StopAnswering,
    /// This direction is closed.
    HangUp,
}

/// What the attacked end has to do with the link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The link goes on: an enquire_link is answered behind it all.
    Lives,
    /// The link is closed, within some minutes.
    Closes,
    /// Either is right.
    Either,
}

/// An attacked end did something else than it has to.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{attack}, {at}: {problem}")]
pub struct Failure {
    /// The attack.
    pub attack: &'static str,
    /// Where in it.
    pub at: At,
    /// What happened.
    pub problem: Problem,
}

/// A place in an attack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// While the link was to be bound.
    Bind,
    /// A step, by its index.
    Step(usize),
    /// Behind all steps.
    End,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind => f.write_str("binding"),
            Self::Step(at) => write!(f, "step {at}"),
            Self::End => f.write_str("at the end"),
        }
    }
}

/// What an attacked end did wrong.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// A PDU did not come.
    #[error("no {0} came")]
    Missing(CommandId),
    /// A response came with another status or number.
    #[error("{command_id} has status {status} and number {number}")]
    Other {
        /// The response.
        command_id: CommandId,
        /// Its status.
        status: CommandStatus,
        /// Its number.
        number: u32,
    },
    /// The link was closed.
    #[error("the link was closed")]
    Closed,
    /// The link was not closed.
    #[error("the link was not closed")]
    Open,
}

impl Attack {
    /// Plays the attack over a stream whose other end is the attacked one. A server has to accept a bind as `hostile`
    /// with the password `hostile`; see [`run_as`](Self::run_as).
    ///
    /// # Errors
    ///
    /// The attacked end did something else than it has to.
    pub async fn run<IO>(&self, io: IO) -> Result<(), Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = COctetString::from_valid(b"hostile");
        self.run_as(io, name, COctetString::from_valid(b"hostile").into()).await
    }

    /// As [`run`](Self::run), with credentials that the server knows.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_as<IO>(&self, io: IO, system_id: COctetString<16>, password: Password) -> Result<(), Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut peer = Peer::new(io);
        let fails = |at| move |problem| Failure { attack: self.name, at, problem };
        match (self.victim, self.bound) {
            (Victim::Server, Some(kind)) => {
                bind(&mut peer, kind, system_id, password).await.map_err(fails(At::Bind))?;
            }
            (Victim::Client, Some(_)) => accept(&mut peer).await.map_err(fails(At::Bind))?,
            (_, None) => {}
        }
        for (at, step) in self.steps.iter().enumerate() {
            play(&mut peer, step).await.map_err(fails(At::Step(at)))?;
        }
        self.judge(&mut peer).await.map_err(fails(At::End))
    }

    async fn judge<IO>(&self, peer: &mut Peer<IO>) -> Result<(), Problem>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match self.outcome {
            Outcome::Either => return Ok(()),
            Outcome::Closes => peer.wait(PATIENCE).await,
            Outcome::Lives => {
                peer.forget();
                peer.write(&octets::enquire_link(LAST)).await;
                let answer = loop {
                    match peer.expect(CommandId::ENQUIRE_LINK_RESP, SOON).await {
                        Some(answer) if answer.header.sequence_number == LAST => break Some(answer),
                        Some(_) => {}
                        None => break None,
                    }
                };
                return match answer {
                    Some(_) => Ok(()),
                    None if peer.closed => Err(Problem::Closed),
                    None => Err(Problem::Missing(CommandId::ENQUIRE_LINK_RESP)),
                };
            }
        }
        if peer.closed { Ok(()) } else { Err(Problem::Open) }
    }
}

async fn play<IO>(peer: &mut Peer<IO>, step: &Step) -> Result<(), Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    match step {
        Step::Write(octets) => peer.write(octets).await,
        Step::Flood(octets, times) => {
            let many = octets.repeat(BATCH);
            for _ in 0..*times / u32::try_from(BATCH).unwrap_or(1) {
                peer.write(&many).await;
            }
        }
        Step::Drip(octets, pause) => {
            for octet in octets.chunks(1) {
                peer.write(octet).await;
                peer.wait(*pause).await;
            }
        }
        Step::Expect { command_id, status, number } => {
            let answer = peer.expect(*command_id, SOON).await.ok_or(Problem::Missing(*command_id))?;
            let header = answer.header;
            if (header.command_status, header.sequence_number) != (*status, *number) {
                let (status, number) = (header.command_status, header.sequence_number);
                return Err(Problem::Other { command_id: *command_id, status, number });
            }
        }
        Step::Answer { command_id, octets } => {
            let request = peer.expect(*command_id, PATIENCE).await.ok_or(Problem::Missing(*command_id))?;
            peer.write(&octets::numbered(octets, request.header.sequence_number)).await;
        }
        Step::Wait(long) => peer.wait(*long).await,
        Step::StopReading => peer.stop_reading(),
        Step::StopAnswering => peer.stop_answering(),
        Step::HangUp => peer.hang_up().await,
    }
    Ok(())
}

async fn bind<IO>(
    peer: &mut Peer<IO>,
    kind: BindKind,
    system_id: COctetString<16>,
    password: Password,
) -> Result<(), Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let pdu: Pdu = match kind {
        BindKind::Receiver => BindReceiver { system_id, password, ..Default::default() }.into(),
        BindKind::Transmitter => BindTransmitter { system_id, password, ..Default::default() }.into(),
        BindKind::Transceiver => BindTransceiver { system_id, password, ..Default::default() }.into(),
    };
    let response = pdu.command_id().response().unwrap_or_default();
    peer.write(&octets::encoded(&Frame::request(SequenceNumber::MIN, pdu))).await;
    let answer = peer.expect(response, SOON).await.ok_or(Problem::Missing(response))?;
    match answer.header.command_status {
        CommandStatus::ROK => Ok(()),
        status => Err(Problem::Other { command_id: response, status, number: answer.header.sequence_number }),
    }
}

/// Waits for a bind of any kind, and accepts it.
async fn accept<IO>(peer: &mut Peer<IO>) -> Result<(), Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let RawPdu { command_id, header, .. } =
        peer.next(SOON).await.ok_or(Problem::Missing(CommandId::BIND_TRANSCEIVER))?;
    let response: Pdu = match command_id {
        CommandId::BIND_RECEIVER => BindReceiverResp::default().into(),
        CommandId::BIND_TRANSMITTER => BindTransmitterResp::default().into(),
        CommandId::BIND_TRANSCEIVER => BindTransceiverResp::default().into(),
        _ => return Err(Problem::Missing(CommandId::BIND_TRANSCEIVER)),
    };
    peer.write(&octets::encoded(&Frame::response(header.sequence_number, CommandStatus::ROK, response))).await;
    Ok(())
}

/// How long an answer may take.
const SOON: Duration = Duration::from_secs(120);

/// How long a link may stay open that has to be closed.
const PATIENCE: Duration = Duration::from_secs(900);

/// How many PDUs of a flood are written at once.
const BATCH: usize = 100;

/// The number of the last request of an attack; none before it has this one.
const LAST: u32 = 0x7777_7777;
