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
//!
//! Some need a program that is [at work](Attack#structfield.at_work) meanwhile: [`against_working_server`] and
//! [`against_working_client`]. Here one that submits, at an ESME's end:
//!
//! ```
//! use smpp::client::{Link, LinkConfig};
//! use smpp::pdu::{BindTransceiver, SubmitSm};
//! use smpp::testkit::hostile;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! for attack in hostile::against_working_client() {
//!     let (peer, stream) = tokio::io::duplex(16 * 1024);
//!     let program = async {
//!         let link = Link::bind(stream, BindTransceiver::default(), LinkConfig::default()).await?;
//!         while !link.is_closed() {
//!             // Refused, unanswered: it goes on with the next.
//!             let _ = link.request(SubmitSm::default()).await;
//!         }
//!         Ok::<(), Box<dyn std::error::Error>>(())
//!     };
//!     let (withstood, worked) = tokio::join!(attack.run(peer), program);
//!     (withstood?, worked?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What takes many connections, or somebody else to attack, is a [`Storm`]: [`storms_against_server`]. Over TCP:
//!
//! ```
//! use smpp::testkit::{hostile, Smsc};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let smsc = Smsc::start();
//! smsc.account("hostile".parse()?, "hostile".try_into()?);
//! smsc.account("bystander".parse()?, "bystand".try_into()?);
//! let address = smsc.listen().await?;
//! for storm in hostile::storms_against_server().iter().filter(|storm| storm.name == "ids_of_others") {
//!     storm.run(|_| TcpStream::connect(address)).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("dangers.md")]

mod attacks;
mod bystander;
mod failure;
mod octets;
mod peer;
mod step;
mod storm;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

pub use self::attacks::{
    against_client, against_server, against_working_client, against_working_server, storms_against_server,
};
pub use self::failure::{At, Failure, Problem};
use self::peer::Peer;
use self::step::Cast;
pub use self::step::Step;
pub use self::storm::{Caller, Storm};
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
    /// Whether the program behind the attacked end has to be at work from then on: to send messages, one after the other
    /// as each is answered, for as long as the link is bound. An ESME submits, a message centre delivers to who is bound
    /// as `hostile`.
    pub at_work: bool,
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

/// What the attacked end has to do with the link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The link goes on: an enquire_link is answered behind it all.
    Lives,
    /// The link is closed, within some minutes.
    Closes,
    /// Either is right; once it is closed the attack is over.
    Either,
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
        self.play(&mut peer, &Cast::alone(system_id, password)).await?;
        self.judge(&mut peer).await
    }

    /// Binds and does all steps.
    async fn play<IO>(&self, peer: &mut Peer<IO>, cast: &Cast) -> Result<(), Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let fails = |at| move |problem| Failure { attack: self.name, at, problem };
        match (self.victim, self.bound) {
            (Victim::Server, Some(kind)) => {
                let (system_id, password) = (cast.system_id.clone(), cast.password.clone());
                bind(peer, kind, system_id, password, SOON).await.map_err(fails(At::Bind))?;
            }
            (Victim::Client, Some(_)) => {
                accept(peer).await.map_err(fails(At::Bind))?;
                // What comes before the program listens is refused, and would attack nothing.
                peer.wait(READY).await;
            }
            (_, None) => {}
        }
        for (at, step) in self.steps.iter().enumerate() {
            if let Err(problem) = step.play(peer, cast).await {
                if self.outcome == Outcome::Either && peer.closed {
                    return Ok(());
                }
                return Err(fails(At::Step(at))(problem));
            }
        }
        Ok(())
    }

    /// Whether the attacked end does with the link what it has to.
    async fn judge<IO>(&self, peer: &mut Peer<IO>) -> Result<(), Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let outcome = match self.outcome {
            Outcome::Either => Ok(()),
            Outcome::Closes => {
                peer.wait(PATIENCE).await;
                if peer.closed { Ok(()) } else { Err(Problem::Open) }
            }
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
                match answer {
                    Some(_) => Ok(()),
                    None if peer.closed => Err(Problem::Closed),
                    None => Err(Problem::Missing(CommandId::ENQUIRE_LINK_RESP)),
                }
            }
        };
        outcome.map_err(|problem| Failure { attack: self.name, at: At::End, problem })
    }
}

/// Binds as an ESME does.
async fn bind<IO>(
    peer: &mut Peer<IO>,
    kind: BindKind,
    system_id: COctetString<16>,
    password: Password,
    within: Duration,
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
    let answer = peer.expect(response, within).await.ok_or(Problem::Missing(response))?;
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

/// How long a program may take from its bind until it listens.
const READY: Duration = Duration::from_millis(100);

/// How long a link may stay open that has to be closed.
const PATIENCE: Duration = Duration::from_secs(900);

/// The number of the last request of an attack; none before it has this one.
const LAST: u32 = 0x7777_7777;
