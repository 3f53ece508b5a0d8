//! A client that stays logged in.
//!
//! [`Client`] is a handle: it connects, logs in, keeps the link alive and comes back when it is lost. It can be cloned,
//! and used from many tasks.
//!
//! ```no_run
//! use ssmi::client::{Client, Config, Event};
//! use ssmi::command::{Login, Response};
//! use ssmi::session::ClientEvent;
//! use ssmi::types::UssdType;
//!
//! # async fn run() -> Result<(), ssmi::client::Error> {
//! let login = Login { username: "vodka".into(), password: "marmalade".into() };
//! let client = Client::connect("gateway.example.net:50008", login, Config::default())?;
//! let mut events = client.events().expect("the first to ask");
//! while let Some(event) = events.recv().await {
//!     if let Event::Session(ClientEvent::Received(Response::UssdMessage(ussd))) = event {
//!         client.send_ussd(ussd.msisdn, UssdType::End, "Good morning").await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod backoff;
mod config;
mod event;
mod host;
mod send;
mod submission;
mod task;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{Instrument, info_span};

pub use self::config::{Config, WhenDown};
pub use self::event::{DownReason, Error, Event, Status};
use self::host::{Command, Follow, Host};
use self::submission::Progress;
pub use self::submission::Submission;
use self::task::Task;
use crate::command::{Login, Request};
pub use crate::driver::IoConfig;
use crate::driver::{self, EventSource};
use crate::session::{ClientSession, Ticket};
use crate::types::TextEncoding;

/// What a program is told by a [`Client`].
pub type Events = driver::Events<Event>;

/// A handle to a connection that is kept up.
///
/// * **Sending** resolves once the request was written to the stream. That is all there is to know of USSD; SMS and the
///   like give a [`Submission`]. While there is no session, a request fails at once or waits, as
///   [`Config`] says. A send that is cancelled before it resolves may or may not happen.
/// * **Text** goes through [`Config::encoding`]; CR LF and CR become LF. A leading `+` of a number is taken off. What
///   the line cannot carry (a carriage return in a number, a comma in a subject) is an error.
/// * **Receiving** is [`events`](Self::events).
/// * **Leaving** is [`logout`](Self::logout). When the last handle is dropped the client logs out by itself; that takes
///   no longer than [`logout_timeout`](crate::session::ClientConfig#structfield.logout_timeout) and
///   [`close_timeout`](IoConfig#structfield.close_timeout).
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    commands: mpsc::Sender<Command>,
    events: EventSource<Event>,
    status: watch::Receiver<Status>,
    encoding: TextEncoding,
    when_down: WhenDown,
}

impl Client {
    /// A client over TCP. `address` is host and port; the name is looked up anew for each connection.
    ///
    /// # Errors
    ///
    /// The login cannot be written as a line.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn connect(address: impl Into<String>, login: Login, config: Config) -> Result<Self, Error> {
        let address = address.into();
        let span = info_span!("ssmi", role = "client", peer = %address);
        let connector = move || {
            let address = address.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
        };
        Self::start(connector, login, config, span)
    }

    /// A client over any stream: `connector` is called for each connection.
    ///
    /// # Errors
    ///
    /// The login cannot be written as a line.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn connect_with<C, F, IO>(connector: C, login: Login, config: Config) -> Result<Self, Error>
    where
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = io::Result<IO>> + Send + 'static,
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::start(connector, login, config, info_span!("ssmi", role = "client"))
    }

    fn start<C, F, IO>(connector: C, login: Login, config: Config, span: tracing::Span) -> Result<Self, Error>
    where
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = io::Result<IO>> + Send + 'static,
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        ClientSession::new(config.session.clone(), login.clone(), driver::now())?;
        let (sender, commands) = mpsc::channel(MAX_COMMANDS);
        let (outbox, events) = driver::channel(config.max_events);
        let (status_sender, status) = watch::channel(Status::Connecting);
        let (encoding, when_down) = (config.encoding, config.when_down);
        let task = Task { connector, login, config, commands, outbox, host: Host::new(status_sender) };
        tokio::spawn(task.run().instrument(span));
        Ok(Self { shared: Arc::new(Shared { commands: sender, events, status, encoding, when_down }) })
    }

    /// What the gateway sends, and how the client fares; to be taken once, then `None`.
    ///
    /// Events are kept from the start, [`Config::max_events`] of them. Until this is called, more are dropped with a
    /// warning: a program that only sends need not read. From then on none is lost, and a slow reader holds the gateway
    /// back.
    pub fn events(&self) -> Option<Events> {
        self.shared.events.take()
    }

    /// Where the client stands.
    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// Waits for the next login; returns at once if there is a session.
    ///
    /// # Errors
    ///
    /// The client has stopped.
    pub async fn ready(&self) -> Result<(), Error> {
        let mut status = self.shared.status.clone();
        let settled = |status: &Status| matches!(status, Status::Up | Status::Stopped(_));
        match status.wait_for(settled).await.map(|status| status.clone()) {
            Ok(Status::Up) => Ok(()),
            _ => Err(self.stopped()),
        }
    }

    /// Sends any request as it is. What is heard of it comes as [events](Event::Session) that quote the ticket.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn request(&self, request: impl Into<Request>) -> Result<Ticket, Error> {
        self.send(request.into(), || Follow::Events).await
    }

    /// Sends a submission (command 2, 4, 111 or 112) as it is, and follows it up. Of other requests nothing is heard
    /// this way: what is asked of their [`Submission`] fails at once.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn submit(&self, request: impl Into<Request>) -> Result<Submission, Error> {
        let request = request.into();
        let mut following = watch::channel(Progress::default()).1;
        let ticket = self
            .send(request, || {
                let (sender, receiver) = watch::channel(Progress::default());
                following = receiver;
                Follow::Submission(sender)
            })
            .await?;
        Ok(Submission::new(ticket, following))
    }

    /// Logs out, and waits until the connection is closed. Afterwards every request fails.
    pub async fn logout(&self) {
        self.leave(Command::Logout).await;
    }

    /// Closes without LOGOUT, and waits until that is done. Afterwards every request fails.
    pub async fn close(&self) {
        self.leave(Command::Close).await;
    }

    async fn leave(&self, command: Command) {
        // If nobody takes it, the client has stopped already.
        let _ = self.shared.commands.send(command).await;
        let mut status = self.shared.status.clone();
        let _ = status.wait_for(|status| matches!(status, Status::Stopped(_))).await;
    }

    /// Sends a request; if so configured, in the next session that there is.
    async fn send(&self, request: Request, mut follow: impl FnMut() -> Follow) -> Result<Ticket, Error> {
        let wait = match self.shared.when_down {
            WhenDown::Fail => return self.attempt(request, follow()).await,
            WhenDown::Wait(wait) => wait,
        };
        let deadline: Option<Instant> = driver::now().checked_add(wait);
        loop {
            tokio::select! {
                biased;
                ready = self.ready() => ready?,
                () = driver::sleep(deadline) => return Err(Error::NotConnected),
            }
            match self.attempt(request.clone(), follow()).await {
                Err(Error::NotConnected) => tokio::task::yield_now().await,
                result => return result,
            }
        }
    }

    async fn attempt(&self, request: Request, follow: Follow) -> Result<Ticket, Error> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Request { request, follow, reply };
        if self.shared.commands.send(command).await.is_err() {
            return Err(self.stopped());
        }
        // Dropped without an answer: the session ended before the request was written.
        answer.await.unwrap_or(Err(Error::NotConnected))
    }

    fn stopped(&self) -> Error {
        match self.status() {
            Status::Stopped(reason) => Error::Stopped(reason),
            _ => Error::NotConnected,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// How many requests may wait to be looked at; the next sender waits.
const MAX_COMMANDS: usize = 64;
