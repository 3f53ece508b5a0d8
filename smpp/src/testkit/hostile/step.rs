use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::Problem;
use super::octets::{self, request};
use super::peer::Peer;
use super::{PATIENCE, SOON};
use crate::pdu::{BindTransceiver, CancelSm, Pdu, QuerySm, ReplaceSm};
use crate::types::{COctetString, CommandId, CommandStatus, Password};

/// One step of an attack.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Octets, all at once.
    Write(Bytes),
    /// The same octets so many times.
    Flood(Bytes, u32),
    /// The same octets until a request of the attacked end has come, so many times at most: then the flood has kept it
    /// from its own work.
    FloodUntil {
        /// The request.
        command_id: CommandId,
        /// The octets.
        octets: Bytes,
        /// How many times at most.
        most: u32,
    },
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
    /// A request of the attacked end, which has to come, and is not answered.
    Await(CommandId),
    /// A request of the attacked end, which is answered with these octets, its own number in place.
    Answer {
        /// The request.
        command_id: CommandId,
        /// The answer.
        octets: Bytes,
    },
    /// Every request of this kind is answered from now on, so much later, with these octets: PDUs, each with the request's
    /// number in place.
    AnswerAll {
        /// The request.
        command_id: CommandId,
        /// The answer.
        octets: Bytes,
        /// How much later.
        after: Duration,
    },
    /// A bind of the bystander's account with a wrong password, which has to be refused: by a status, or by closing. In
    /// an attack without a bystander it is the attacker's own account.
    Guess,
    /// query_sm, cancel_sm or replace_sm on a message that the bystander has submitted, which has to be refused. In an
    /// attack without a bystander its id is `1`.
    Meddle(CommandId),
    /// Nothing is done but reading, for so long.
    Wait(Duration),
    /// Nothing is read from now on.
    StopReading,
    /// enquire_link is not answered from now on.
    StopAnswering,
    /// This direction is closed.
    HangUp,
}

/// Who attacks, and whom.
#[derive(Clone)]
pub(super) struct Cast {
    pub(super) system_id: COctetString<16>,
    pub(super) password: Password,
    /// Whose password is guessed.
    pub(super) account: COctetString<16>,
    /// The id of somebody else's message.
    pub(super) message_id: COctetString<65>,
}

impl Cast {
    /// With nobody else there.
    pub(super) fn alone(system_id: COctetString<16>, password: Password) -> Self {
        Self { account: system_id.clone(), system_id, password, message_id: COctetString::from_valid(b"1") }
    }

    fn guess(&self) -> Bytes {
        let password = COctetString::from_valid(b"wrong").into();
        request(NUMBER, BindTransceiver { system_id: self.account.clone(), password, ..Default::default() })
    }

    /// A request on the message of somebody else; none if there is no such request.
    fn meddling(&self, command_id: CommandId) -> Option<Bytes> {
        let (message_id, source) = (self.message_id.clone(), octets::SENDER.parse().unwrap_or_default());
        let pdu: Pdu = match command_id {
            CommandId::QUERY_SM => QuerySm { message_id, source, ..Default::default() }.into(),
            CommandId::CANCEL_SM => CancelSm { message_id, source, ..Default::default() }.into(),
            CommandId::REPLACE_SM => ReplaceSm { message_id, source, ..Default::default() }.into(),
            _ => return None,
        };
        Some(request(NUMBER, pdu))
    }
}

impl Step {
    pub(super) async fn play<IO>(&self, peer: &mut Peer<IO>, cast: &Cast) -> Result<(), Problem>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Write(octets) => peer.write(octets).await,
            Self::Flood(octets, times) => {
                let many = octets.repeat(BATCH);
                for _ in 0..*times / u32::try_from(BATCH).unwrap_or(1) {
                    peer.write(&many).await;
                }
            }
            Self::FloodUntil { command_id, octets, most } => {
                let mut times = 0;
                while !peer.has(*command_id) {
                    if times >= *most || peer.closed {
                        return Err(Problem::Missing(*command_id));
                    }
                    times = times.saturating_add(1);
                    peer.write(octets).await;
                }
                peer.expect(*command_id, Duration::ZERO).await;
            }
            Self::Drip(octets, pause) => {
                for octet in octets.chunks(1) {
                    peer.write(octet).await;
                    peer.wait(*pause).await;
                }
            }
            Self::Expect { command_id, status, number } => {
                let answer = peer.expect(*command_id, SOON).await.ok_or(Problem::Missing(*command_id))?;
                let header = answer.header;
                if (header.command_status, header.sequence_number) != (*status, *number) {
                    let (status, number) = (header.command_status, header.sequence_number);
                    return Err(Problem::Other { command_id: *command_id, status, number });
                }
            }
            Self::Await(command_id) => {
                peer.expect(*command_id, PATIENCE).await.ok_or(Problem::Missing(*command_id))?;
            }
            Self::Answer { command_id, octets } => {
                let request = peer.expect(*command_id, PATIENCE).await.ok_or(Problem::Missing(*command_id))?;
                peer.write(&octets::numbered(octets, request.header.sequence_number)).await;
            }
            Self::AnswerAll { command_id, octets, after } => peer.answer_all(*command_id, octets.clone(), *after),
            Self::Guess => refused(peer, cast.guess(), CommandId::BIND_TRANSCEIVER).await?,
            Self::Meddle(command_id) => {
                if let Some(octets) = cast.meddling(*command_id) {
                    refused(peer, octets, *command_id).await?;
                }
            }
            Self::Wait(long) => peer.wait(*long).await,
            Self::StopReading => peer.stop_reading(),
            Self::StopAnswering => peer.stop_answering(),
            Self::HangUp => peer.hang_up().await,
        }
        Ok(())
    }
}

/// Writes a request that has to be refused, by a status of any kind or by closing.
async fn refused<IO>(peer: &mut Peer<IO>, request: Bytes, command_id: CommandId) -> Result<(), Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    peer.write(&request).await;
    match peer.answer_to(NUMBER, SOON).await {
        Some(answer) if answer.header.command_status.is_ok() => {
            Err(Problem::Other { command_id: answer.command_id, status: CommandStatus::ROK, number: NUMBER })
        }
        None if !peer.closed => Err(Problem::Missing(command_id.response().unwrap_or_default())),
        _ => Ok(()),
    }
}

/// The number of a request that a step makes by itself.
const NUMBER: u32 = 7;

/// How many PDUs of a flood are written at once.
const BATCH: usize = 100;
