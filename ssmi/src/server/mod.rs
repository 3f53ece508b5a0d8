//! The gateway's end: to test a program against, or to build a gateway with.
//!
//! ```no_run
//! use ssmi::command::{Login, UssdMessage};
//! use ssmi::server::{Config, Server, What};
//! use ssmi::session::ServerEvent;
//! use ssmi::types::{NackType, UssdType};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let hook = |login: Login, _peer| async move {
//!     if login.password.expose() == "marmalade" { Ok(()) } else { Err(NackType::Credentials) }
//! };
//! let server = Server::new(hook, Config::default());
//! let mut events = server.events().expect("the first to ask");
//! println!("listening on {}", server.listen("127.0.0.1:0").await?);
//! while let Some(event) = events.recv().await {
//!     if let What::Session(ServerEvent::LoggedIn) = event.what {
//!         let dial = UssdMessage {
//!             msisdn: "27831112222".into(),
//!             ussd_type: UssdType::New,
//!             message: "*120*8864#".into(),
//!             ..UssdMessage::default()
//!         };
//!         server.send(&event.account, dial).await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod config;
mod connection;
mod event;
mod registry;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info_span, warn};

pub use self::config::Config;
use self::connection::{Command, Host};
pub use self::event::{ConnectionId, Error, Event, Rejected, What};
use self::registry::Registry;
use crate::command::{Login, Response};
pub use crate::driver::IoConfig;
use crate::driver::{self, EventSource, Outbox};
use crate::types::{NackType, Octets};

/// What a program is told by a [`Server`].
pub type Events = driver::Events<Event>;

/// The hook that decides on logins.
type Authenticate =
    Arc<dyn Fn(Login, Option<SocketAddr>) -> Pin<Box<dyn Future<Output = Result<(), NackType>> + Send>> + Send + Sync>;

/// A handle to a gateway and all its connections.
///
/// * A connection logs in first: the hook is given the login and the peer's address, and says whether it is accepted, or
///   with which NACK it is refused. It may take as long as
///   [`login_timeout`](crate::session::ServerConfig#structfield.login_timeout) leaves it.
/// * An account has one connection: a second login sends 199 with the new peer's address to the first and closes it.
/// * Link checks and bad lines are answered by the session; everything else is the program's, which hears
///   [`events`](Self::events) and [`send`](Self::send)s.
/// * When the last handle is dropped, everything closes.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    registry: Arc<Registry>,
    authenticate: Authenticate,
    outbox: Outbox<Event>,
    events: EventSource<Event>,
    tasks: TaskTracker,
    /// Ends listening.
    closing: CancellationToken,
    /// Ends everything, at once.
    abort: CancellationToken,
}

impl Server {
    /// A server without connections.
    pub fn new<A, F>(authenticate: A, config: Config) -> Self
    where
        A: Fn(Login, Option<SocketAddr>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), NackType>> + Send + 'static,
    {
        let (outbox, events) = driver::channel(config.max_events);
        let shared = Shared {
            registry: Arc::new(Registry::new(&config)),
            config,
            authenticate: Arc::new(move |login, peer| Box::pin(authenticate(login, peer))),
            outbox,
            events,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Listens on a TCP address, in the background, and says which it is: port 0 is given a number. May be called for
    /// several addresses.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        // The listener does not keep the server: once the last handle is gone it ends.
        let server = Arc::downgrade(&self.shared);
        let closing = self.shared.closing.clone();
        self.shared.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = closing.cancelled() => return,
                };
                let Some(shared) = server.upgrade() else { return };
                match accepted {
                    Ok((stream, peer)) => {
                        if let Err(error) = stream.set_nodelay(true) {
                            debug!(%peer, %error, "responses may be held back");
                        }
                        if let Err(error) = (Self { shared }).serve(stream, Some(peer)) {
                            warn!(%peer, %error, "connection turned away");
                        }
                    }
                    Err(error) => {
                        warn!(%error, "accepting failed");
                        drop(shared);
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        });
        Ok(local)
    }

    /// Serves a stream in the background: any stream, such as one end of a duplex in a test.
    ///
    /// # Errors
    ///
    /// A limit is reached. The stream is then dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn serve<IO>(&self, io: IO, peer: Option<SocketAddr>) -> Result<ConnectionId, Rejected>
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = &self.shared;
        let (sender, commands) = mpsc::channel(MAX_COMMANDS);
        let own = sender.downgrade();
        let seat = shared.registry.admit(peer, sender)?;
        let id = seat.id();
        let span = info_span!("ssmi", role = "server", connection = %id, peer = peer.map(tracing::field::display));
        let host = Host::new(seat, peer, own, Arc::clone(&shared.authenticate));
        let connection = connection::serve(io, shared.config.clone(), host, commands, shared.outbox.clone());
        let abort = shared.abort.clone();
        shared.tasks.spawn(
            async move {
                tokio::select! {
                    () = connection => {}
                    () = abort.cancelled() => {}
                }
            }
            .instrument(span),
        );
        Ok(id)
    }

    /// What happens on all connections; to be taken once, then `None`.
    ///
    /// Events are kept from the start, [`Config::max_events`] of them. Until this is called, more are dropped with a
    /// warning. From then on none is lost, and a slow reader holds the clients back.
    pub fn events(&self) -> Option<Events> {
        self.shared.events.take()
    }

    /// Sends a response to the connection of an account; resolves once it was written to the stream.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send(&self, account: &Octets, response: impl Into<Response>) -> Result<(), Error> {
        let connection = self.shared.registry.connection(account).ok_or(Error::NotLoggedIn)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::Send { response: Box::new(response.into()), reply };
        connection.send(command).await.map_err(|_| Error::NotLoggedIn)?;
        drop(connection);
        answer.await.unwrap_or(Err(Error::NotLoggedIn))
    }

    /// Closes the connection of an account, if it has one.
    pub async fn disconnect(&self, account: &Octets) {
        if let Some(connection) = self.shared.registry.connection(account) {
            // If nobody takes it, the connection is over.
            let _ = connection.send(Command::Close).await;
        }
    }

    /// The accounts that are logged in, in no order.
    pub fn accounts(&self) -> Vec<Octets> {
        self.shared.registry.accounts()
    }

    /// Listens no more, closes every connection with what is to be written written, and waits for that, at most for
    /// `grace`; what is left then is cut off.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared.close();
        if tokio::time::timeout(grace, self.shared.tasks.wait()).await.is_err() {
            self.shared.abort.cancel();
            self.shared.tasks.wait().await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Shared {
    fn close(&self) {
        self.closing.cancel();
        self.registry.close();
        self.tasks.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// How many responses may wait for one connection; the next sender waits.
const MAX_COMMANDS: usize = 64;

/// How long to wait when a connection cannot be accepted, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
