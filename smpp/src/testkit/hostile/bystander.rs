use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::bind;
use super::failure::Problem;
use super::octets::{Message, SENDER, request};
use super::peer::Peer;
use super::storm::Caller;
use crate::codec::Limits;
use crate::pdu::{Header, Pdu, QuerySm, QuerySmResp, RawPdu, Unbind};
use crate::session::BindKind;
use crate::types::{COctetString, CommandId, MessageState, Password};

/// Somebody who keeps to the rules, and has to be served whatever others do.
pub(super) struct Bystander<'a, F> {
    pub(super) connect: &'a F,
    pub(super) system_id: COctetString<16>,
    pub(super) password: Password,
}

impl<F, C, IO> Bystander<'_, F>
where
    F: Fn(Caller) -> C,
    C: Future<Output = io::Result<IO>>,
    IO: AsyncRead + AsyncWrite + Unpin,
{
    /// Connects, binds, submits a message and unbinds. Gives the id of the message.
    pub(super) async fn visit(&self) -> Result<COctetString<65>, Problem> {
        let mut peer = self.bound().await?;
        peer.write(&Message::Submit.proper(NUMBER)).await;
        let answer = answered(&mut peer, CommandId::SUBMIT_SM_RESP).await?;
        let Header { command_status: status, sequence_number: number } = answer.header;
        let Some(Pdu::SubmitSmResp(Some(response))) = body(answer).filter(|_| status.is_ok()) else {
            return Err(Problem::Other { command_id: CommandId::SUBMIT_SM_RESP, status, number });
        };
        leave(peer).await?;
        Ok(response.message_id)
    }

    /// Asks what became of a message: that nobody has cancelled it.
    pub(super) async fn look_after(&self, message_id: &COctetString<65>) -> Result<(), Problem> {
        let mut peer = self.bound().await?;
        let source = SENDER.parse().unwrap_or_default();
        peer.write(&request(NUMBER, QuerySm { message_id: message_id.clone(), source, ..Default::default() })).await;
        // A message centre need not know queries: a refusal says nothing.
        let answer = peer.answer_to(NUMBER, SERVED).await.ok_or_else(|| missing(&peer, CommandId::QUERY_SM_RESP))?;
        leave(peer).await?;
        match body(answer) {
            Some(Pdu::QuerySmResp(Some(QuerySmResp { message_state: MessageState::DELETED, .. }))) => {
                Err(Problem::Cancelled)
            }
            _ => Ok(()),
        }
    }

    async fn bound(&self) -> Result<Peer<IO>, Problem> {
        let io = (self.connect)(Caller::Bystander).await.map_err(|error| Problem::NoConnection(error.kind()))?;
        let mut peer = Peer::new(io);
        bind(&mut peer, BindKind::Transceiver, self.system_id.clone(), self.password.clone(), SERVED).await?;
        Ok(peer)
    }
}

async fn answered<IO>(peer: &mut Peer<IO>, response: CommandId) -> Result<RawPdu, Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    peer.expect(response, SERVED).await.ok_or_else(|| missing(peer, response))
}

fn missing<IO>(peer: &Peer<IO>, response: CommandId) -> Problem {
    if peer.closed { Problem::Closed } else { Problem::Missing(response) }
}

async fn leave<IO>(mut peer: Peer<IO>) -> Result<(), Problem>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    peer.write(&request(NUMBER, Unbind::default())).await;
    answered(&mut peer, CommandId::UNBIND_RESP).await.map(drop)
}

fn body(answer: RawPdu) -> Option<Pdu> {
    answer.decode(&Limits::esme()).ok().map(|frame| frame.pdu)
}

/// The number of each request but the bind.
const NUMBER: u32 = 2;

/// How long an answer may take.
const SERVED: Duration = Duration::from_secs(30);
