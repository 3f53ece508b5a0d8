use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

use super::connector::{Connector, TcpConnector};
use super::outcome::ConnectError;
use super::pool::{Inner, lock};
use super::{ClientEvents, InvalidSettings, IoConfig, LinkSettings, Links, LinksOver, PacerConfig, ReconnectConfig};
use crate::correlation::{CorrelationConfig, CorrelationStore, MemoryStore};
use crate::message::OnLoss;
use crate::profile::Profile;
use crate::session::{self, config};
use crate::text::ReassemblyLimits;

config! {
    /// What a [`Client`] does beside what its links' [`LinkSettings`] say.
    ClientConfig {
        /// How fast PDUs are sent over all links together. A [`tps`](PacerConfig#structfield.tps) of 0 gives way to that
        /// of the first link's settings.
        pacer: PacerConfig = PacerConfig::default(),
        /// When a link comes back.
        reconnect: ReconnectConfig = ReconnectConfig::default(),
        /// What becomes of a part that was sent and not answered when its link was lost, unless the message says
        /// otherwise ([`Sms::on_loss`](crate::message::Sms::on_loss)). It is reported.
        on_loss: OnLoss = OnLoss::Report,
        /// How long a message may wait for a link that is bound and has room. 30 seconds.
        max_wait: Duration = Duration::from_secs(30),
        /// How long a message that is throttled is sent again. 10 minutes.
        patience: Duration = Duration::from_secs(600),
        /// How long connecting may take, TLS included. 10 seconds.
        connect_timeout: Duration = Duration::from_secs(10),
        /// How many parts of long messages are held.
        reassembly: ReassemblyLimits = ReassemblyLimits::default(),
        /// What the sessions do beside what the links' profiles say, whose versions, windows and times go before: how
        /// long they drain, which faults they bear, whether they stop reading.
        session: session::Config = session::Config::default(),
        /// How octets are moved.
        io: IoConfig = IoConfig::default(),
        /// How many events may wait for the program. One more is dropped; a message is then answered ESME_RX_T_APPN.
        /// 1,024; at least 1.
        max_events: usize = 1024,
    }
}

/// Sends messages and receives them, over one link to a message centre or several.
///
/// A link that is lost comes back by itself. When the last clone is dropped the links unbind, each within the bounds of
/// [`Link`](super::Link).
///
/// ```
/// use std::time::Duration;
///
/// use smpp::client::{Client, ClientEvent};
/// use smpp::message::Sms;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::connect("smpp://user:secret@smsc.example?bind=trx&window=20&tps=50").await?;
/// let sent = client.send(Sms::to("+491701234567").from("ACME").text("Ihr Code: 4711").receipt()).await?;
/// println!("accepted: {} part(s), ids {:?}, {:?}", sent.parts(), sent.ids(), sent.charset());
/// match sent.receipt(Duration::from_secs(3600)).await {
///     Ok(report) => println!("{:?} err={:?}", report.outcome(), report.err()),
///     Err(error) => println!("outcome unknown: {error}"),
/// }
/// client.shutdown(Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Handle>);

/// What the clones have in common; it goes with the last of them.
struct Handle {
    inner: Arc<Inner>,
    profile: Profile,
    events: Mutex<Option<mpsc::Receiver<super::ClientEvent>>>,
    /// The links unbind when it goes.
    _closing: DropGuard,
}

/// What a client is made of.
#[must_use]
pub struct Builder {
    links: Vec<LinkSettings>,
    config: ClientConfig,
    connector: Arc<dyn Connector>,
    store: Option<Arc<dyn CorrelationStore>>,
    seed: Option<u64>,
}

impl Client {
    /// Connects and binds one link: see [`LinkSettings`] for the URL.
    ///
    /// # Errors
    ///
    /// The URL is wrong, or the link could not be bound.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::builder().url(url)?.connect().await
    }

    /// A client of several links, or with settings that a URL cannot say.
    pub fn builder() -> Builder {
        Builder {
            links: Vec::new(),
            config: ClientConfig::default(),
            connector: Arc::new(TcpConnector::default()),
            store: None,
            seed: None,
        }
    }

    /// What the message centre sends, and what becomes of links and of messages that nobody waits for; to be taken once,
    /// then `None`. Until then messages are answered `ESME_RX_T_APPN`; receipts are answered ESME_ROK all the same.
    pub fn events(&self) -> Option<ClientEvents> {
        self.0.inner.read.store(true, Ordering::Relaxed);
        lock(&self.0.events).take().map(ClientEvents)
    }

    /// The links as they are now.
    pub fn links(&self) -> Links {
        self.0.inner.standing.borrow().clone()
    }

    /// Waits until this holds of the links, and gives them as they then were. [`connect`](Builder::connect) is done with
    /// the first link that is bound; a program with an address to submit and another to receive waits for the one that
    /// it needs:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use smpp::client::{Client, Links};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder()
    ///     .url("smpp://user:secret@smsc.example:2775?bind=tx")?
    ///     .url("smpp://user:secret@smsc.example:2776?bind=rx")?
    ///     .connect()
    ///     .await?;
    /// // Each was tried once: what is not bound now is not there, or does not want this account.
    /// for link in client.wait_for(Links::tried).await?.iter().filter(|link| !link.is_bound()) {
    ///     eprintln!("{link}");
    /// }
    /// // A message sent from now on finds its receipt a way back.
    /// tokio::time::timeout(Duration::from_secs(60), client.wait_for(Links::can_receive)).await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Any condition will do, as `|links| links.bound() >= 2`. What comes about and passes before it is looked at may be
    /// missed. May be cancelled without a loss.
    ///
    /// # Errors
    ///
    /// It does not hold, and no link is bound or tried again.
    pub async fn wait_for(&self, mut condition: impl FnMut(&Links) -> bool) -> Result<Links, LinksOver> {
        let mut standing = self.0.inner.standing.subscribe();
        loop {
            let links = standing.borrow_and_update().clone();
            if condition(&links) {
                return Ok(links);
            }
            if links.are_over() || standing.changed().await.is_err() {
                return Err(LinksOver { links });
            }
        }
    }

    /// Takes no more messages, waits for those on their way, and unbinds; for so long at most, then what is left is cut
    /// off.
    pub async fn shutdown(&self, within: Duration) {
        let inner = &self.0.inner;
        inner.draining.cancel();
        inner.sending.close();
        inner.links.close();
        let drain = async {
            inner.sending.wait().await;
            inner.closing.cancel();
            inner.links.wait().await;
        };
        // Those that are left unbind within their own bounds.
        let _ = tokio::time::timeout(within, drain).await;
        inner.closing.cancel();
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0.inner
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.0.profile
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("links", &format_args!("{}", self.links())).finish_non_exhaustive()
    }
}

impl Builder {
    /// Adds a link. All links are to be of one account at one message centre: they share identifiers, long messages and
    /// the rate, and what the first one's profile says of text and receipts holds for all.
    pub fn link(mut self, settings: LinkSettings) -> Self {
        self.links.push(settings);
        self
    }

    /// Adds a link by its URL; see [`LinkSettings`].
    ///
    /// # Errors
    ///
    /// Names the parameter that is wrong.
    pub fn url(self, url: &str) -> Result<Self, InvalidSettings> {
        Ok(self.link(url.parse()?))
    }

    /// All else.
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// How streams are made. Over TCP if nothing is said.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Where messages wait for their receipts. In memory if nothing is said.
    pub fn store(mut self, store: impl CorrelationStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// What delays, reference numbers and keys are drawn from, so that a test can repeat them. Random if nothing is
    /// said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Connects and binds; waits until one link is bound. The others, and those that are lost later, come when they can:
    /// [`Client::wait_for`] waits for more.
    ///
    /// # Errors
    ///
    /// The settings are wrong, or the first attempt of every link has failed; nothing is then tried again.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let profile = self.links.first().ok_or(ConnectError::NoLinks)?.profile.clone();
        for link in &self.links {
            link.bind_pdu()?;
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryStore::new(CorrelationConfig::from(&profile))));
        let (sender, receiver) = mpsc::channel(self.config.max_events.clamp(1, 1 << 24));
        let inner = Arc::new(Inner::new(self.links, self.config, self.connector, store, sender, seed));
        let closing = inner.closing.clone().drop_guard();
        let (told, mut attempts) = mpsc::unbounded_channel();
        for (number, seed) in (0..inner.slots.len()).zip(seed..) {
            let (first, attempt) = oneshot::channel();
            inner.links.spawn(Arc::clone(&inner).supervise(number, seed, first));
            let told = told.clone();
            tokio::spawn(async move {
                if let Ok(attempt) = attempt.await {
                    let _ = told.send(attempt);
                }
            });
        }
        drop(told);
        let mut failure = None;
        while let Some(attempt) = attempts.recv().await {
            match attempt {
                Ok(()) => {
                    inner.links.spawn(Arc::clone(&inner).expire());
                    let events = Mutex::new(Some(receiver));
                    return Ok(Client(Arc::new(Handle { inner, profile, events, _closing: closing })));
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.map_or(ConnectError::NoLinks, ConnectError::from))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("links", &self.links).field("config", &self.config).finish_non_exhaustive()
    }
}
