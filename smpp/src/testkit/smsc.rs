use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::script::{Heard, Script, Submitted};
use super::{Answer, Report};
use crate::message::Sms;
use crate::pdu::{DeliverSm, DeliverSmResp, SubmitSm};
use crate::profile::Profile;
use crate::server::{AccountLimits, Config, DeliverError, Link, Server};
use crate::types::{COctetString, CommandStatus, Password};

/// A message centre in a test.
///
/// By default it accepts every bind and every message, at any rate. What it waits for it waits for a minute of tokio's
/// clock; then the test fails.
///
/// What it delivers goes out as from a real one: at most 10 deliveries to a link are unanswered, further ones wait, and
/// one that got a [temporary](CommandStatus::is_temporary) error such as `ESME_RX_T_APPN` is sent again a second later,
/// 60 times at most. See [`with_window`](Self::with_window) and [`resend`](Self::resend).
pub struct Smsc {
    server: Server<Arc<Script>>,
    bound: Mutex<mpsc::Receiver<Arc<Link>>>,
    submitted: Mutex<mpsc::Receiver<Submitted>>,
}

impl Smsc {
    /// Starts one without limits for its accounts.
    pub fn start() -> Self {
        Self::with_window(AccountLimits::default().delivery_window)
    }

    /// As [`start`](Self::start), with so many deliveries to a link that may be unanswered, at least one: more than the
    /// program's own window, to see what it does with a flood.
    pub fn with_window(delivery_window: usize) -> Self {
        let account = AccountLimits::default().max_binds(1_000).window(10_000).rate(None);
        Self::with(Config::default().account(account.delivery_window(delivery_window)))
    }

    /// Starts one with limits and times of the test's own.
    pub fn with(config: Config) -> Self {
        let (script, Heard { bound, submitted }) = Script::new();
        let server = Server::new(Arc::new(script), config);
        Self { server, bound: Mutex::new(bound), submitted: Mutex::new(submitted) }
    }

    /// A connection in memory: the end for the program. Gives the closed end of one if the server's limits do not admit
    /// it.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (program, ours) = duplex(BUFFER);
        // Dropped if it is not admitted, as a connection that is turned away.
        let _ = self.server.serve(ours, None);
        program
    }

    /// Listens on a loopback port that is free, and says which. Not for a paused clock, which runs ahead while both ends
    /// wait for the network.
    ///
    /// # Errors
    ///
    /// No port can be bound.
    pub async fn listen(&self) -> io::Result<SocketAddr> {
        self.server.listen((Ipv4Addr::LOCALHOST, 0)).await
    }

    /// The server itself, as for deliveries to one account of several.
    pub fn registry(&self) -> &crate::server::Registry {
        self.server.registry()
    }

    /// From the first call on, only accounts that are named may bind, with their passwords.
    pub fn account(&self, system_id: COctetString<16>, password: Password) {
        self.server.service().add_account(system_id, password);
    }

    /// Refuses every bind from now on; `None` for no more.
    pub fn refuse_binds(&self, status: Option<CommandStatus>) {
        self.server.service().refuse_binds(status);
    }

    /// Says what becomes of each message from now on.
    pub fn on_submit(&self, decide: impl Fn(&SubmitSm) -> Answer + Send + Sync + 'static) {
        self.server.service().on_submit(Box::new(decide));
    }

    /// Sends what got a temporary error again, so many times at most, each time so much later; from the next delivery
    /// on. 0 times for what is to fail with its first answer. What [`registry`](Self::registry) delivers is never sent
    /// again.
    pub fn resend(&self, times: u32, after: Duration) {
        self.server.service().resend(times, after);
    }

    /// The next link that is bound, in the order of the binds.
    ///
    /// # Panics
    ///
    /// There is none within a minute.
    pub async fn expect_bind(&self) -> Arc<Link> {
        expected("bind", &mut *self.bound.lock().await).await
    }

    /// The next message that is submitted, whatever becomes of it.
    ///
    /// # Panics
    ///
    /// There is none within a minute.
    pub async fn expect_submit(&self) -> Submitted {
        expected("submit_sm", &mut *self.submitted.lock().await).await
    }

    /// Delivers a message to whoever is bound as a receiver or transceiver, and waits for an answer that is no temporary
    /// error, or for the last one: see [`resend`](Self::resend). With several accounts it goes to the first by name; see
    /// [`registry`](Self::registry).
    ///
    /// # Errors
    ///
    /// Nobody is bound, it was refused, or what became of it is not known: that is not sent again, it may have been
    /// taken.
    pub async fn deliver(&self, message: DeliverSm) -> Result<DeliverSmResp, DeliverError> {
        let mut accounts = self.registry().accounts();
        accounts.sort();
        let (account, _) = accounts.first().ok_or(DeliverError::NotBound)?;
        self.server.service().deliver(self.registry(), account, message, "").await
    }

    /// Delivers a message of a phone as [`deliver`](Self::deliver) does: in the smallest alphabet that carries it, and if
    /// it is long in parts, each once the one before is answered. What only a submission says (validity, schedule) is not
    /// delivered.
    ///
    /// ```
    /// use smpp::message::Sms;
    /// use smpp::testkit::Smsc;
    /// # use smpp::client::{Client, ClientEvent};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let smsc = Smsc::start();
    /// # let address = smsc.listen().await?;
    /// # let client = Client::connect(&format!("smpp://kudu@{address}")).await?;
    /// # smsc.expect_bind().await;
    /// # let program = tokio::spawn(async move {
    /// #     let mut events = client.events()?;
    /// #     while let Some(event) = events.recv().await {
    /// #         if let ClientEvent::Message(message) = event {
    /// #             let text = message.text.clone();
    /// #             message.ack();
    /// #             return text;
    /// #         }
    /// #     }
    /// #     None
    /// # });
    /// // ... and the program under test is bound.
    /// let text = "Dobr\u{fd} den. ".repeat(20);
    /// smsc.deliver_sms(&Sms::to("31234").from("+420601234567").text(&text)).await?;
    /// # assert_eq!(program.await?, Some(text));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`deliver`](Self::deliver), of the first part that was not taken; no more are delivered then.
    ///
    /// # Panics
    ///
    /// As [`parts`](Self::parts).
    pub async fn deliver_sms(&self, sms: &Sms) -> Result<(), DeliverError> {
        for part in self.parts(sms) {
            self.deliver(part).await?;
        }
        Ok(())
    }

    /// The PDUs that [`deliver_sms`](Self::deliver_sms) delivers, for a test that [delivers](Self::deliver) them in
    /// another order, or not all of them. Each call numbers the parts anew.
    ///
    /// # Panics
    ///
    /// The message cannot be sent, as one to an address that is too long.
    #[track_caller]
    #[expect(clippy::panic, reason = "that is how a test fails")]
    pub fn parts(&self, sms: &Sms) -> Vec<DeliverSm> {
        match self.server.service().parts(sms) {
            Ok(parts) => parts,
            Err(invalid) => panic!("the message cannot be delivered: {invalid}"),
        }
    }

    /// By this profile messages become PDUs from now on: its alphabets, its way with long messages. By the default one
    /// before.
    pub fn profile(&self, profile: Profile) {
        self.server.service().profile(profile);
    }

    /// Loses all links: closed at once, without unbind.
    pub fn cut_links(&self) {
        self.registry().disconnect_all();
    }

    /// Unbinds all links and says what went over them.
    pub async fn finish(self) -> Report {
        let script = self.server.service();
        script.tasks.close();
        let _ = timeout(PATIENCE, script.tasks.wait()).await;
        self.server.shutdown(PATIENCE).await;
        let mut report = script.take();
        report.unexpected_submits = report.unexpected_submits.saturating_add(self.submitted.lock().await.len());
        report
    }
}

impl fmt::Debug for Smsc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smsc").field("server", &self.server).finish_non_exhaustive()
    }
}

#[expect(clippy::panic, reason = "that is how a test fails")]
async fn expected<T>(what: &str, heard: &mut mpsc::Receiver<T>) -> T {
    match timeout(PATIENCE, heard.recv()).await {
        Ok(Some(heard)) => heard,
        Ok(None) | Err(_) => panic!("no {what} came"),
    }
}

/// How many octets a connection in memory holds each way.
const BUFFER: usize = 64 * 1024;

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(60);
