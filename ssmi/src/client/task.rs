use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::host::{Command, Host};
use super::{Config, DownReason, Error, Event, Status};
use crate::command::Login;
use crate::driver::{self, Outbox};
use crate::session::{ClientSession, CloseReason, Ledger};
use crate::types::NackType;

/// Connects, logs in, runs the session and connects again, until the program or the gateway has had enough.
pub(super) struct Task<C> {
    pub(super) connector: C,
    pub(super) login: Login,
    pub(super) config: Config,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) outbox: Outbox<Event>,
    pub(super) host: Host,
}

impl<C, F, IO> Task<C>
where
    C: FnMut() -> F + Send,
    F: Future<Output = io::Result<IO>> + Send,
    IO: AsyncRead + AsyncWrite + Send + Unpin,
{
    pub(super) async fn run(mut self) {
        let reason = match self.supervise().await {
            Err(reason) => reason,
            Ok(never) => match never {},
        };
        info!(%reason, "client stopped");
        self.host.set_status(Status::Stopped(reason.clone()));
        // Commands from now on are told by the status; those that wait are told by being dropped.
        drop(self.commands);
        self.outbox.push(Event::Stopped(reason));
        drop(self.host);
        self.outbox.drain().await;
    }

    /// Gives the reason to stop.
    async fn supervise(&mut self) -> Result<std::convert::Infallible, CloseReason> {
        let mut backoff = Backoff::new(self.config.first_delay, self.config.max_delay);
        let mut ledger = Ledger::default();
        loop {
            self.host.set_status(Status::Connecting);
            let connecting = timeout(self.config.connect_timeout, (self.connector)());
            let why = match while_down(&mut self.commands, connecting).await? {
                Ok(Ok(io)) => {
                    let reason = self.session(io, &mut ledger).await?;
                    if self.host.take_logged_in() {
                        backoff.reset();
                    }
                    DownReason::Session(reason)
                }
                Ok(Err(error)) => error.into(),
                Err(_) => io::Error::from(io::ErrorKind::TimedOut).into(),
            };
            let retry_in = match self.delay(&why) {
                Delay::Backoff => backoff.next(fastrand::f64()),
                Delay::Fixed(delay) => delay,
                Delay::Never(reason) => return Err(reason),
            };
            warn!(%why, ?retry_in, "no session");
            self.host.set_status(Status::Waiting);
            self.outbox.push(Event::Down { why, retry_in });
            // A program that does not read its events is not given more of them.
            let both = async { tokio::join!(tokio::time::sleep(retry_in), self.outbox.drain()) };
            while_down(&mut self.commands, both).await?;
        }
    }

    /// Runs one session; gives why it ended, or why the client does.
    async fn session(&mut self, io: IO, ledger: &mut Ledger) -> Result<CloseReason, CloseReason> {
        let config = self.config.session.clone();
        let kept = std::mem::take(ledger);
        let Ok(mut session) = ClientSession::with_ledger(config, self.login.clone(), kept, driver::now()) else {
            // Not to be seen: the login was tried when the client was made.
            return Err(CloseReason::Closed);
        };
        let (reason, closing) =
            driver::run(io, &self.config.io, &mut session, &mut self.host, &mut self.commands, &mut self.outbox).await;
        *ledger = session.into_ledger();
        let mut finish = pin!(closing.finish());
        if self.host.is_leaving() {
            finish.await;
            return Err(if reason == CloseReason::Closed { reason } else { CloseReason::LoggedOut });
        }
        self.host.set_status(Status::Waiting);
        if let Err(stop) = while_down(&mut self.commands, finish.as_mut()).await {
            finish.await;
            return Err(stop);
        }
        Ok(reason)
    }

    fn delay(&self, why: &DownReason) -> Delay {
        let asked = |delay: Option<Duration>, reason: &CloseReason| match delay {
            Some(delay) => Delay::Fixed(delay),
            None => Delay::Never(reason.clone()),
        };
        match why {
            DownReason::Session(reason @ CloseReason::LoginRefused(NackType::Suspended)) => {
                asked(self.config.suspended_delay, reason)
            }
            // The program sent LOGOUT as a request.
            DownReason::Session(reason @ CloseReason::LoggedOut) => Delay::Never(reason.clone()),
            DownReason::Session(CloseReason::LoginRefused(_)) => Delay::Fixed(self.config.refused_delay),
            DownReason::Session(reason @ CloseReason::RemoteLogout) => asked(self.config.remote_logout_delay, reason),
            _ => Delay::Backoff,
        }
    }
}

enum Delay {
    Backoff,
    Fixed(Duration),
    Never(CloseReason),
}

/// Waits for something while there is no session. Requests fail; a program that leaves ends the wait.
async fn while_down<F: Future>(commands: &mut mpsc::Receiver<Command>, future: F) -> Result<F::Output, CloseReason> {
    let mut future = pin!(future);
    loop {
        tokio::select! {
            output = &mut future => return Ok(output),
            command = commands.recv() => match command {
                Some(Command::Request { reply, .. }) => {
                    let _ = reply.send(Err(Error::NotConnected));
                }
                Some(Command::Logout) | None => return Err(CloseReason::LoggedOut),
                Some(Command::Close) => return Err(CloseReason::Closed),
            },
        }
    }
}
