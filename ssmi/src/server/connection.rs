use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tracing::{debug, info};

use super::registry::Seat;
use super::{Authenticate, Config, Error, Event, What};
use crate::command::{Login, Response};
use crate::driver::{self, Outbox};
use crate::session::{ServerEvent, ServerSession};
use crate::types::{NackType, Octets};

/// What a connection is to do.
pub(super) enum Command {
    /// The hook has decided on the login.
    Decided(Result<(), NackType>),
    Send {
        response: Box<Response>,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// The account has logged in from elsewhere.
    Replace(Option<IpAddr>),
    Close,
}

/// Serves one connection from its first octet to its last.
pub(super) async fn serve<IO>(
    io: IO,
    config: Config,
    mut host: Host,
    mut commands: mpsc::Receiver<Command>,
    mut outbox: Outbox<Event>,
) where
    IO: AsyncRead + AsyncWrite + Send + Unpin,
{
    let mut session = ServerSession::new(config.session, driver::now());
    let (reason, closing) = driver::run(io, &config.io, &mut session, &mut host, &mut commands, &mut outbox).await;
    host.seat.log_out();
    drop(commands);
    closing.finish().await;
    info!(%reason, "connection closed");
    outbox.push(host.told(What::Closed(reason)));
    // The place stays taken until the program knows, so that a slow one is not buried.
    outbox.drain().await;
}

/// The server, as one of its sessions sees it.
pub(super) struct Host {
    seat: Seat,
    peer: Option<SocketAddr>,
    account: Octets,
    own: mpsc::WeakSender<Command>,
    authenticate: Authenticate,
    /// The hook at work.
    deciding: Option<AbortHandle>,
}

impl Host {
    pub(super) fn new(
        seat: Seat,
        peer: Option<SocketAddr>,
        own: mpsc::WeakSender<Command>,
        authenticate: Authenticate,
    ) -> Self {
        Self { seat, peer, account: Octets::default(), own, authenticate, deciding: None }
    }

    fn told(&self, what: What) -> Event {
        Event { connection: self.seat.id(), peer: self.peer, account: self.account.clone(), what }
    }

    /// Asks the hook; its answer comes back as a command.
    fn ask(&mut self, login: Login) {
        self.account = login.username.detach();
        let login = Login { username: self.account.clone(), password: login.password };
        let (decision, own) = ((self.authenticate)(login, self.peer), self.own.clone());
        let task = tokio::spawn(async move {
            let decision = decision.await;
            if let Some(own) = own.upgrade() {
                // If nobody takes it, the connection is over.
                let _ = own.send(Command::Decided(decision)).await;
            }
        });
        self.deciding = Some(task.abort_handle());
    }

    fn accept(&mut self, session: &mut ServerSession, now: Instant) {
        if let Err(error) = session.accept(now) {
            debug!(%error, "a login was accepted too late");
            return;
        }
        if let Some(older) = self.seat.log_in(&self.account) {
            let ip = self.peer.map(|peer| peer.ip());
            tokio::spawn(async move {
                // If nobody takes it, that connection is over.
                let _ = older.send(Command::Replace(ip)).await;
            });
        }
    }
}

impl driver::Host<ServerSession> for Host {
    type Command = Command;
    type Event = Event;
    type Receipt = Receipt;

    fn command(&mut self, command: Option<Command>, session: &mut ServerSession, now: Instant) -> Option<Receipt> {
        match command {
            Some(Command::Decided(Ok(()))) => self.accept(session, now),
            Some(Command::Decided(Err(nack_type))) => {
                if let Err(error) = session.refuse(nack_type) {
                    debug!(%error, "a login could not be refused");
                    session.close();
                }
            }
            Some(Command::Send { response, reply }) => match session.send(*response) {
                Ok(()) => return Some(Receipt(reply)),
                Err(error) => {
                    let _ = reply.send(Err(error.into()));
                }
            },
            Some(Command::Replace(ip)) => session.replace(ip),
            Some(Command::Close) | None => session.close(),
        }
        None
    }

    fn event(&mut self, event: ServerEvent) -> Option<Event> {
        match event {
            ServerEvent::LoginRequested(login) => {
                self.ask(login);
                None
            }
            event => Some(self.told(What::Session(event))),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(deciding) = &self.deciding {
            deciding.abort();
        }
    }
}

/// Tells the program that its response was written.
pub(super) struct Receipt(oneshot::Sender<Result<(), Error>>);

impl driver::Receipt for Receipt {
    fn written(self) {
        let _ = self.0.send(Ok(()));
    }
}
