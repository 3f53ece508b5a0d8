//! A message centre over tokio: connections in, each with its session, and a [`Service`] that answers.
//!
//! ```
//! use std::time::Duration;
//! use smpp::pdu::SubmitSm;
//! use smpp::server::{Account, BindRequest, Config, Request, Server, Service};
//! use smpp::types::CommandStatus;
//!
//! struct MessageCentre;
//!
//! impl Service for MessageCentre {
//!     async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
//!         let known = bind.system_id == "kudu" && bind.has_password(b"secret");
//!         known.then(|| Account::new("kudu")).ok_or(CommandStatus::RBINDFAIL)
//!     }
//!
//!     async fn on_submit(&self, submit: Request<SubmitSm>) {
//!         let Ok(id) = "4D19C83C".parse() else { return submit.refuse(CommandStatus::RSYSERR) };
//!         submit.accept(id);
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::new(MessageCentre, Config::default());
//! let address = server.listen("127.0.0.1:0").await?;
//! // A message for whoever is bound as "kudu"; nobody is.
//! assert!(server.registry().deliver("kudu", Default::default()).await.is_err());
//! server.shutdown(Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```

mod config;
mod connection;
mod error;
mod handler;
mod link;
mod registry;
mod request;
mod service;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info_span, warn};

pub use self::config::{AccountLimits, Config};
pub use self::error::{DeliverError, Rejected};
pub use self::link::{Account, BindRequest, Closed, ConnectionId, Link};
pub use self::registry::Registry;
pub use self::request::Request;
pub use self::service::Service;
pub use crate::driver::IoConfig;
use crate::driver::Mailbox;

/// A handle to a message centre and all its connections.
///
/// * A connection binds first: [`Service::on_bind`] decides. Before that it may send no more than a bind, in a short
///   time; a refused one is closed.
/// * Requests go to the [`Service`], and are answered through the [`Request`]; messages to ESMEs go through the
///   [`Registry`].
/// * Links are checked, bad PDUs answered, and limits kept here and in the session; nothing a peer sends ends more than
///   its own link.
/// * When the last handle is dropped, every link is unbound.
pub struct Server<S: Service> {
    handle: Arc<Handle<S>>,
}

struct Handle<S> {
    core: Arc<Core<S>>,
    tasks: TaskTracker,
    /// Ends listening.
    closing: CancellationToken,
    /// Ends everything, at once.
    abort: CancellationToken,
}

/// What the connections of a server share.
struct Core<S> {
    service: S,
    config: Config,
    registry: Registry,
    /// Binds that are decided on at once.
    deciding: Semaphore,
}

impl<S: Service> Server<S> {
    /// A message centre without connections.
    pub fn new(service: S, config: Config) -> Self {
        let registry = Registry::new(&config);
        let deciding = Semaphore::new(config.max_deciding.clamp(1, Semaphore::MAX_PERMITS));
        let core = Arc::new(Core { service, config, registry, deciding });
        let handle = Handle {
            core,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        Self { handle: Arc::new(handle) }
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
        let server = Arc::downgrade(&self.handle);
        let closing = self.handle.closing.clone();
        self.handle.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = closing.cancelled() => return,
                };
                let Some(handle) = server.upgrade() else { return };
                match accepted {
                    Ok((stream, peer)) => {
                        if let Err(error) = stream.set_nodelay(true) {
                            debug!(%peer, %error, "responses may be held back");
                        }
                        if let Err(error) = (Self { handle }).serve(stream, Some(peer)) {
                            debug!(%peer, %error, "connection turned away");
                        }
                    }
                    Err(error) => {
                        warn!(%error, "accepting failed");
                        drop(handle);
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        });
        Ok(local)
    }

    /// Serves a stream in the background: any stream, such as that of a TLS session or one end of a duplex in a test.
    ///
    /// What stands before the first PDU is the program's to read, with a deadline of its own and before this is called: a
    /// TLS handshake, or the header of a proxy that it trusts. The time to bind begins here.
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
        let handle = &self.handle;
        let mailbox = Mailbox::new();
        let seat = handle.core.registry.admit(peer, mailbox.sender())?;
        let id = seat.id();
        let span = info_span!("smpp", role = "server", connection = %id, peer = peer.map(tracing::field::display));
        let connection = connection::serve(io, Arc::clone(&handle.core), seat, peer, mailbox, handle.abort.clone());
        // In a box, for a future that is moved into another has its place in both.
        handle.tasks.spawn(Box::pin(connection.instrument(span)));
        Ok(id)
    }

    /// The way to the receivers of those who are bound.
    pub fn registry(&self) -> &Registry {
        &self.handle.core.registry
    }

    /// What answers.
    pub fn service(&self) -> &S {
        &self.handle.core.service
    }

    /// Listens no more and unbinds every link: what was taken is answered, what was sent waits for its answer, and
    /// nothing new is taken. Waits for that, at most for `grace`; what is left then is cut off.
    pub async fn shutdown(&self, grace: Duration) {
        self.handle.close();
        if tokio::time::timeout(grace, self.handle.tasks.wait()).await.is_err() {
            self.handle.abort.cancel();
            self.handle.tasks.wait().await;
        }
    }
}

impl<S: Service> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<S: Service> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Core { config, registry, .. } = &*self.handle.core;
        f.debug_struct("Server").field("config", config).field("registry", registry).finish_non_exhaustive()
    }
}

impl<S> Handle<S> {
    fn close(&self) {
        self.closing.cancel();
        self.core.registry.close();
        self.tasks.close();
    }
}

impl<S> Drop for Handle<S> {
    fn drop(&mut self) {
        self.close();
    }
}

/// How long to wait when a connection cannot be accepted, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
