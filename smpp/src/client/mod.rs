//! The ESME's end over tokio, PDU by PDU.
//!
//! A [`Link`] is a handle to one bound connection. It can be cloned and used from many tasks; each request is a future
//! that ends in what is known of it.
//!
//! ```
//! use smpp::client::{Event, Link, LinkConfig, RequestError};
//! use smpp::pdu::{BindTransceiver, SubmitSm};
//! use smpp::types::ShortMessage;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let bind = BindTransceiver { system_id: "kudu".parse()?, password: "secret".try_into()?, ..Default::default() };
//! let link = Link::connect("smsc.example.net:2775", bind, LinkConfig::default()).await?;
//! let mut events = link.events().expect("the first to ask");
//! tokio::spawn(async move {
//!     while let Some(event) = events.recv().await {
//!         match event {
//!             Event::Request(incoming) => incoming.accept(),
//!             other => println!("{other:?}"),
//!         }
//!     }
//! });
//! let message = SubmitSm {
//!     destination: "27831234567".parse()?,
//!     short_message: ShortMessage::new("Hello")?,
//!     ..Default::default()
//! };
//! match link.request(message).await {
//!     Ok(response) => println!("accepted as {:?}", response.message_id),
//!     Err(RequestError::Refused { status, .. }) => println!("refused: {status}"),
//!     Err(error) if error.may_be_done() => println!("nobody knows: {error}"),
//!     Err(error) => println!("nothing was sent: {error}"),
//! }
//! link.unbind().await;
//! # Ok(())
//! # }
//! ```

mod backoff;
mod call;
mod config;
mod connector;
mod error;
mod event;
mod host;
mod inbound;
mod late;
mod links;
mod messages;
mod outcome;
mod pacer;
mod pool;
mod send;
mod settings;
#[cfg(feature = "rustls")]
mod tls;
mod turnstile;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::{Instrument, info_span};

pub use self::backoff::ReconnectConfig;
use self::call::{Caller, Outcome};
pub use self::config::LinkConfig;
pub use self::connector::{Connecting, Connector, Stream, TcpConnector};
pub use self::error::{BindError, NotSent, RequestError};
pub use self::event::{Event, Events, Incoming, WrongOperation};
use self::host::{Command, Host};
pub use self::inbound::{ClientEvent, ClientEvents, Delivery};
pub use self::links::{LinkInfo, LinkState, Links, LinksOver};
pub use self::messages::{Builder, Client, ClientConfig};
pub use self::outcome::{ConnectError, NotSentReason, ReceiptError, SendError, Sent};
pub use self::pacer::{Pacer, PacerConfig};
pub use self::settings::{InvalidSettings, LinkSettings, SettingsProblem};
pub use crate::driver::IoConfig;
use crate::driver::{self, Mailbox, Sender};
pub use crate::message::OnLoss;
use crate::pdu::{Bind, Frame, Operation, Pdu};
use crate::session::{BindKind, CloseReason, Session, Unanswered};
use crate::types::{CommandId, InterfaceVersion, SequenceNumber};

/// A handle to one connection to a message centre.
///
/// * **Requests** wait for a place in the [window](crate::session::Config#structfield.window) and are then written; the
///   future resolves with the response, a refusal, or what is known otherwise. Dropped before it is written, nothing is
///   sent. Dropped afterwards, the request keeps its number and its place until it is answered or times out, and its
///   outcome is an [`Event::Abandoned`].
/// * **The peer's requests** are [`events`](Self::events), and are to be answered. Until somebody reads them, they are
///   refused with ESME_RX_T_APPN, and the link goes on.
/// * **Leaving** is [`unbind`](Self::unbind). When the last handle is dropped, the link unbinds by itself, within
///   [`drain_timeout`](crate::session::Config#structfield.drain_timeout),
///   [`unbind_timeout`](crate::session::Config#structfield.unbind_timeout) and
///   [`close_timeout`](IoConfig#structfield.close_timeout).
/// * **Losing** the connection ends the link: it does not come back, and nothing is sent again.
#[derive(Clone)]
pub struct Link(Arc<Handle>);

/// What the handles have in common; it goes with the last of them.
struct Handle {
    shared: Arc<Shared>,
    events: Mutex<Option<Events>>,
    closed: watch::Receiver<Option<CloseReason>>,
}

/// What the handles have in common with the driver.
struct Shared {
    commands: Sender<Command>,
    window: Semaphore,
    /// Whether somebody wants the events.
    read: AtomicBool,
    version: AtomicU8,
}

impl Shared {
    fn is_read(&self) -> bool {
        self.read.load(Ordering::Relaxed)
    }
}

impl Link {
    /// Connects over TCP, without delay of small segments, and binds.
    ///
    /// # Errors
    ///
    /// Connecting failed, or the bind was not accepted.
    pub async fn connect<B: Bind>(address: impl ToSocketAddrs, bind: B, config: LinkConfig) -> Result<Self, BindError> {
        let connecting = tokio::time::timeout(config.connect_timeout, TcpStream::connect(address));
        let stream = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        stream.set_nodelay(true)?;
        Self::bind(stream, bind, config).await
    }

    /// Binds over a stream that is connected: TLS, a Unix socket, a proxy's, one in memory.
    ///
    /// # Errors
    ///
    /// The bind was not accepted.
    pub async fn bind<IO, B>(stream: IO, bind: B, config: LinkConfig) -> Result<Self, BindError>
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        B: Bind,
    {
        let link = Self::open(stream, config);
        match link.request(bind).await {
            Ok(_) => Ok(link),
            Err(RequestError::Refused { status, response }) => Err(BindError::Refused { status, response }),
            Err(RequestError::Invalid(error)) => Err(error.into()),
            Err(RequestError::NotSent(_) | RequestError::Unanswered(_)) => {
                link.close();
                Err(BindError::Closed(link.closed().await))
            }
        }
    }

    /// A link over a stream that is connected, not bound: to wait for an outbind, and then to
    /// [request](Self::request) a bind. It closes after
    /// [`session_init`](crate::session::Config#structfield.session_init) without.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open<IO>(stream: IO, config: LinkConfig) -> Self
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut session = Session::esme(config.session, driver::now());
        let mailbox = Mailbox::new();
        let (sender, receiver) = mpsc::channel(config.max_events.clamp(1, MAX_EVENTS));
        let (closing, closed) = watch::channel(None);
        let shared = Arc::new(Shared {
            commands: mailbox.sender(),
            window: Semaphore::new(session.room()),
            read: AtomicBool::new(false),
            version: AtomicU8::new(session.version().0),
        });
        let mut host = Host::new(Arc::clone(&shared), mailbox, sender, closing);
        let io = config.io;
        let run = async move {
            driver::run(stream, &io, &mut session, &mut host).await;
        };
        tokio::spawn(run.instrument(info_span!("smpp", role = "esme")));
        Self(Arc::new(Handle { shared, events: Mutex::new(Some(Events(receiver))), closed }))
    }

    /// Sends a request and waits for its response. An absent body reads as one in which nothing is set.
    ///
    /// # Errors
    ///
    /// It was refused, not sent, or what became of it is not known.
    pub fn request<P: Operation>(&self, request: P) -> impl Future<Output = Result<P::Response, RequestError>> {
        // Before the future, and not in it: a PDU is large, and would be moved from one future into the next.
        let caller = caller(request.into());
        async move {
            let response = self.exchange(&caller, |response| P::response(response.pdu)).await?;
            // The session has seen to it that it is the right one.
            response.ok_or(RequestError::Unanswered(Unanswered::Mismatched))
        }
    }

    /// Sends any request, a vendor's too, and gives the whole response.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn request_pdu(&self, request: impl Into<Pdu>) -> Result<Frame, RequestError> {
        self.exchange(&caller(request.into()), |response| response).await
    }

    /// The same, with the number that it was sent under: by that a late answer is known.
    async fn request_numbered(&self, request: Pdu) -> (Option<SequenceNumber>, Outcome) {
        let caller = caller(request);
        let outcome = self.exchange(&caller, |response| response).await;
        (caller.number(), outcome)
    }

    /// Sends a request and waits for its outcome; of a response, what is read in it.
    async fn exchange<T>(&self, caller: &Caller, read: impl Fn(Frame) -> T) -> Result<T, RequestError> {
        let shared = &self.0.shared;
        if caller.placed {
            let place = shared.window.acquire().await;
            // It is given back by the driver, once the outcome is known.
            place.map_err(|_| RequestError::NotSent(NotSent::Closed))?.forget();
        }
        if shared.commands.push(Command::Request(caller.callee())).is_err() {
            return Err(RequestError::NotSent(NotSent::Closed));
        }
        poll_fn(|context| caller.poll(context, &read)).await
    }

    /// What the peer sends by itself, and what became of requests that nobody waits for; to be taken once, then `None`.
    pub fn events(&self) -> Option<Events> {
        self.0.shared.read.store(true, Ordering::Relaxed);
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits for what is unanswered, unbinds, closes, and says how the link ended; it may have been over before.
    pub async fn unbind(&self) -> CloseReason {
        // If nobody takes it, the link is over.
        let _ = self.0.shared.commands.push(Command::Unbind);
        self.closed().await
    }

    /// Closes at once, without unbind. What is unanswered fails.
    pub fn close(&self) {
        let _ = self.0.shared.commands.push(Command::Close);
    }

    /// Waits until the link is over, and says why.
    pub async fn closed(&self) -> CloseReason {
        let mut closed = self.0.closed.clone();
        match closed.wait_for(Option::is_some).await.map(|reason| reason.clone()) {
            Ok(Some(reason)) => reason,
            // The runtime is being shut down.
            Ok(None) | Err(_) => CloseReason::Closed,
        }
    }

    /// Whether the link is over.
    pub fn is_closed(&self) -> bool {
        self.0.shared.window.is_closed()
    }

    /// The version of the protocol that was negotiated with the bind; before, the highest that this end speaks.
    pub fn version(&self) -> InterfaceVersion {
        InterfaceVersion(self.0.shared.version.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.0.closed.borrow();
        f.debug_struct("Link").field("version", &self.version()).field("closed", &*closed).finish_non_exhaustive()
    }
}

/// Nobody can send any more: unbinds.
impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.shared.commands.push(Command::Unbind);
    }
}

/// A request to be sent. All take a place in the window but enquire_link and a bind.
fn caller(request: Pdu) -> Caller {
    let command_id = request.command_id();
    Caller::new(request, command_id != CommandId::ENQUIRE_LINK && BindKind::of(command_id).is_none())
}

/// More than this a channel of tokio may not hold on 32-bit machines.
const MAX_EVENTS: usize = 1 << 24;
