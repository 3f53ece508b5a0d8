use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::backoff::{Backoff, Failure};
use super::connector::Connector;
use super::late::{Asked, Late};
use super::send::message_id;
use super::turnstile::Turnstile;
use super::{
    BindError, ClientConfig, ClientEvent, Delivery, Event, Events, Incoming, Link, LinkConfig, LinkSettings, LinkState,
    Links, Pacer, RequestError,
};
use crate::correlation::{Answer, CorrelationStore, Credit, Credited, MessageKey, MessageReport};
use crate::driver;
use crate::message::{Inbound, InboundMessage, Inbox, References};
use crate::pdu::{AlertNotification, Frame, Pdu};
use crate::session::{self, BindKind, Unanswered};
use crate::text::Abandoned;
use crate::types::{CommandStatus, SequenceNumber};

/// What the handles, the links and the messages on their way have in common.
pub(super) struct Inner {
    pub(super) slots: Vec<Slot>,
    /// How they stand, for the program.
    pub(super) standing: watch::Sender<Links>,
    pub(super) config: ClientConfig,
    connector: Arc<dyn Connector>,
    pub(super) store: Arc<dyn CorrelationStore>,
    pub(super) pacer: Pacer,
    pub(super) turnstile: Arc<Turnstile>,
    pub(super) references: Mutex<References>,
    inbox: Mutex<Inbox>,
    /// Who waits for receipts.
    waiting: Mutex<HashMap<MessageKey, watch::Sender<MessageReport>>>,
    events: mpsc::Sender<ClientEvent>,
    /// Whether somebody wants the events.
    pub(super) read: AtomicBool,
    /// Told when a link is bound, or a place on one is free.
    freed: Arc<Notify>,
    /// Makes keys that no other client makes.
    pub(super) prefix: u64,
    pub(super) keys: AtomicU64,
    /// No new message is taken.
    pub(super) draining: CancellationToken,
    /// The links unbind.
    pub(super) closing: CancellationToken,
    pub(super) sending: TaskTracker,
    pub(super) links: TaskTracker,
}

/// The one account that a client has: all its links share identifiers and long messages.
pub(super) const ACCOUNT: u64 = 0;
/// Between two looks at what has waited too long.
const EXPIRY: Duration = Duration::from_secs(1);

/// One link of the pool, bound or not.
pub(super) struct Slot {
    settings: Arc<LinkSettings>,
    /// None for a link that does not submit.
    bound: Mutex<Option<Bound>>,
    late: Mutex<Late>,
    /// For the tie between two links with as much room.
    used: AtomicUsize,
}

/// A link that is bound.
#[derive(Clone)]
pub(super) struct Bound {
    link: Link,
    window: Arc<Semaphore>,
}

/// A place in the window of a link.
pub(super) struct Room {
    pub(super) link: Link,
    pub(super) slot: usize,
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.permit = None;
        self.freed.notify_one();
    }
}

impl Inner {
    pub(super) fn new(
        settings: Vec<LinkSettings>,
        config: ClientConfig,
        connector: Arc<dyn Connector>,
        store: Arc<dyn CorrelationStore>,
        events: mpsc::Sender<ClientEvent>,
        seed: u64,
    ) -> Self {
        let profile = settings.first().map(|settings| settings.profile.clone()).unwrap_or_default();
        let pacer = match config.pacer.tps {
            0 => config.pacer.clone().tps(profile.link.tps),
            _ => config.pacer.clone(),
        };
        let mut random = fastrand::Rng::with_seed(seed);
        let slot = |settings| Slot {
            settings: Arc::new(settings),
            bound: Mutex::default(),
            late: Mutex::default(),
            used: AtomicUsize::new(0),
        };
        let slots: Vec<_> = settings.into_iter().map(slot).collect();
        let links = Links::new(slots.iter().map(|slot| Arc::clone(&slot.settings)));
        Self {
            slots,
            standing: watch::Sender::new(links),
            inbox: Mutex::new(Inbox::new(&profile, config.reassembly)),
            references: Mutex::new(References::new(random.u16(..))),
            prefix: random.u64(..),
            pacer: Pacer::new(pacer),
            config,
            connector,
            store,
            turnstile: Arc::default(),
            waiting: Mutex::default(),
            events,
            read: AtomicBool::new(false),
            freed: Arc::default(),
            keys: AtomicU64::new(0),
            draining: CancellationToken::new(),
            closing: CancellationToken::new(),
            sending: TaskTracker::new(),
            links: TaskTracker::new(),
        }
    }

    /// Keeps a link bound until the client closes, or the link is given up. Tells how the first attempt ended.
    pub(super) async fn supervise(
        self: Arc<Self>,
        number: usize,
        seed: u64,
        first: oneshot::Sender<Result<(), BindError>>,
    ) {
        let reason = self.keep_bound(number, seed, first).await;
        self.stands(number, LinkState::Over { reason });
    }

    /// Gives why the link is not tried again.
    async fn keep_bound(
        self: &Arc<Self>,
        number: usize,
        seed: u64,
        first: oneshot::Sender<Result<(), BindError>>,
    ) -> String {
        let shut_down = || "the client is shut down".to_owned();
        let Some(slot) = self.slots.get(number) else { return shut_down() };
        let mut first = Some(first);
        let mut backoff = Backoff::new(self.config.reconnect.clone(), seed);
        loop {
            let bound = tokio::select! {
                bound = self.establish(&slot.settings) => bound,
                () = self.closing.cancelled() => return shut_down(),
            };
            let (failure, reason) = match bound {
                Ok(link) => {
                    backoff.bound(driver::now());
                    info!(link = number, to = %slot.settings, "bound");
                    let events = link.events();
                    if slot.settings.bind != BindKind::Receiver {
                        let window = Arc::new(Semaphore::new(slot.settings.profile.link.window.clamp(1, MAX_WINDOW)));
                        *lock(&slot.bound) = Some(Bound { link: link.clone(), window });
                        self.freed.notify_one();
                    }
                    self.stands(number, LinkState::Bound { version: link.version() });
                    self.tell(ClientEvent::Bound { link: number });
                    if let Some(first) = first.take() {
                        let _ = first.send(Ok(()));
                    }
                    if let Some(events) = events {
                        self.attend(slot, &link, events).await;
                    }
                    *lock(&slot.bound) = None;
                    *lock(&slot.late) = Late::default();
                    (Failure::Lost, link.closed().await.to_string())
                }
                Err(error) => {
                    let failure = match &error {
                        BindError::Refused { status, .. } => Failure::Refused(*status),
                        _ => Failure::Lost,
                    };
                    let reason = error.to_string();
                    if let Some(first) = first.take()
                        && first.send(Err(error)).is_err()
                    {
                        return reason;
                    }
                    (failure, reason)
                }
            };
            if self.closing.is_cancelled() {
                return reason;
            }
            let retry = backoff.delay(failure, driver::now());
            warn!(link = number, %reason, ?retry, "no link");
            if retry.is_some() {
                self.stands(number, LinkState::Lost { reason: reason.clone() });
            }
            self.tell(ClientEvent::Lost { link: number, reason: reason.clone(), retry });
            let Some(delay) = retry else { return reason };
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.closing.cancelled() => return shut_down(),
            }
        }
    }

    fn stands(&self, number: usize, state: LinkState) {
        self.standing.send_modify(|links| links.set(number, state));
    }

    /// Gives up what has waited too long, until the client closes.
    pub(super) async fn expire(self: Arc<Self>) {
        let mut every = tokio::time::interval(EXPIRY);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = self.closing.cancelled() => return,
            }
            let now = driver::now();
            match self.store.expire(now).await {
                Ok(expired) => self.expired(expired),
                Err(error) => warn!(%error, "what has waited too long could not be given up"),
            }
            let abandoned = lock(&self.inbox).expire(now);
            self.incomplete(abandoned);
        }
    }

    /// A place on the link with the most room, on `preferred` if that is bound; none while there is none. Then
    /// [`freed`](Self::freed) tells.
    pub(super) fn room(&self, preferred: Option<usize>) -> Option<Room> {
        let bound = |number: usize| {
            let slot = self.slots.get(number)?;
            let bound = lock(&slot.bound).clone().filter(|bound| !bound.link.is_closed())?;
            Some((slot, bound))
        };
        let preferred = preferred.filter(|number| bound(*number).is_some());
        let candidates = (0..self.slots.len()).filter(|number| preferred.is_none_or(|preferred| preferred == *number));
        let (_, _, number) = candidates
            .filter_map(|number| {
                let (slot, bound) = bound(number)?;
                let used = slot.used.load(Ordering::Relaxed);
                Some((bound.window.available_permits(), std::cmp::Reverse(used), number))
            })
            .max()?;
        let (slot, bound) = bound(number)?;
        let permit = Arc::clone(&bound.window).try_acquire_owned().ok()?;
        slot.used.fetch_add(1, Ordering::Relaxed);
        Some(Room { link: bound.link, slot: number, permit: Some(permit), freed: Arc::clone(&self.freed) })
    }

    /// Waits until there may be room. One at a time may wait.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// A part was answered, or will not be.
    pub(super) async fn answered(&self, key: &MessageKey, part: u8, answer: Answer) {
        match self.store.answered(key, part, answer, driver::now()).await {
            Ok(credited) => {
                for credited in credited {
                    self.credited(&credited);
                    self.tell(ClientEvent::Credited(Box::new(credited)));
                }
            }
            Err(error) => {
                warn!(%error, message = %key, "an answer could not be stored: its receipts will not be known")
            }
        }
    }

    /// What was sent under this number was not answered in time. Its answer may still come.
    pub(super) async fn may_be_late(&self, slot: usize, number: SequenceNumber, asked: Asked) {
        let late = self.slots.get(slot).and_then(|slot| lock(&slot.late).timed_out(number, asked));
        if let Some((asked, response)) = late {
            self.late(number, asked, response).await;
        }
    }

    async fn late(&self, number: SequenceNumber, asked: Asked, response: Frame) {
        let (message, part) = match asked {
            Asked::Part(message, part) => (message, part),
            Asked::Request(command_id) => {
                let request = session::Sent { number, command_id };
                self.tell(ClientEvent::LateRequest { request, response: Box::new(response) });
                return;
            }
        };
        let status = response.header.command_status;
        let outcome = match status.is_ok() && matches!(response.pdu, Pdu::SubmitSmResp(_)) {
            true => Ok(message_id(response.pdu)),
            false => Err(status),
        };
        let answer = outcome.clone().map_or(Answer::Refused, |id| Answer::Accepted { id });
        self.answered(&message, part, answer).await;
        self.tell(ClientEvent::Late { message, part, outcome });
    }

    /// Somebody is to be told of the receipts of a message.
    pub(super) fn watch(&self, key: &MessageKey) -> watch::Receiver<MessageReport> {
        let (sender, receiver) = watch::channel(MessageReport::default());
        lock(&self.waiting).insert(key.clone(), sender);
        receiver
    }

    /// Nobody waits for the receipts of a message any more.
    pub(super) fn forget(&self, key: &MessageKey) {
        lock(&self.waiting).remove(key);
    }

    pub(super) fn expired(&self, expired: Vec<crate::correlation::Expired>) {
        for expired in expired {
            if let crate::correlation::Expired::Message { message, report } = &expired
                && let Some(waiting) = lock(&self.waiting).remove(message)
            {
                waiting.send_replace(report.clone());
            }
            self.tell(ClientEvent::Expired(expired));
        }
    }

    /// Tells the program; says whether that was possible.
    pub(super) fn tell(&self, event: ClientEvent) -> bool {
        let is_read = self.read.load(Ordering::Relaxed);
        is_read && self.events.try_send(event).is_ok()
    }

    async fn establish(&self, settings: &LinkSettings) -> Result<Link, BindError> {
        let bind = settings.bind_pdu().map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
        let connecting = tokio::time::timeout(self.config.connect_timeout, self.connector.connect(settings));
        let stream = connecting.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
        let config = LinkConfig::default()
            .session(settings.profile.session_over(self.config.session.clone()))
            .io(self.config.io.clone())
            .max_events(self.config.max_events);
        match bind {
            Pdu::BindTransmitter(bind) => Link::bind(stream, bind, config).await,
            Pdu::BindReceiver(bind) => Link::bind(stream, bind, config).await,
            Pdu::BindTransceiver(bind) => Link::bind(stream, bind, config).await,
            _ => Err(std::io::Error::from(std::io::ErrorKind::InvalidInput).into()),
        }
    }

    /// Sees to what the message centre sends, until the link is over.
    async fn attend(self: &Arc<Self>, slot: &Slot, link: &Link, mut events: Events) {
        let mut unbinding = false;
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = self.closing.cancelled(), if !unbinding => {
                    unbinding = true;
                    let link = link.clone();
                    self.links.spawn(async move { link.unbind().await });
                    continue;
                }
            };
            match event {
                None => return,
                Some(Event::Request(incoming)) => self.incoming(incoming).await,
                Some(Event::Late { request, response }) => {
                    let late = lock(&slot.late).answered(request.number, response);
                    if let Some((asked, response)) = late {
                        self.late(request.number, asked, response).await;
                    }
                }
                Some(Event::OneWay(Frame { pdu: Pdu::AlertNotification(alert), .. })) => {
                    let tlvs = alert.tlvs.detach();
                    self.tell(ClientEvent::Alert(Box::new(AlertNotification { tlvs, ..alert })));
                }
                Some(Event::Abandoned { request, outcome }) => {
                    if outcome == Err(RequestError::Unanswered(Unanswered::TimedOut)) {
                        // Its answer cannot have come before: the link tells the one after the other.
                        let _ = lock(&slot.late).timed_out(request.number, Asked::Request(request.command_id));
                    }
                    self.tell(ClientEvent::AbandonedRequest { request, outcome: outcome.map(Box::new) });
                }
                Some(event) => debug!(event = kind(&event), "link"),
            }
        }
    }

    async fn incoming(self: &Arc<Self>, incoming: Incoming) {
        let taken = lock(&self.inbox).take(&incoming.frame, ACCOUNT, driver::now());
        // Neither deliver_sm nor data_sm: nothing that an ESME is asked.
        let Some(taken) = taken else { return incoming.refuse(CommandStatus::RINVCMDID) };
        self.incomplete(taken.abandoned);
        let client = Arc::downgrade(self);
        let event = match taken.inbound {
            Inbound::Receipt(receipt) => {
                match self.store.receipt(ACCOUNT, &receipt, driver::now()).await {
                    Ok(credit) => {
                        incoming.accept();
                        let credited = match credit {
                            Credit::Credited(credited) => Some(Box::new(credited)),
                            Credit::Held | Credit::Unmatched { .. } => None,
                        };
                        if let Some(credited) = &credited {
                            self.credited(credited);
                        }
                        self.tell(ClientEvent::Receipt { receipt, credited });
                    }
                    Err(error) => {
                        warn!(%error, "a receipt could not be stored, and is to come again");
                        incoming.refuse(CommandStatus::RX_T_APPN);
                    }
                }
                return;
            }
            Inbound::Message(message) => {
                ClientEvent::Message(Delivery::new(message, incoming, Self::give_back, client))
            }
            Inbound::Ussd(turn) => ClientEvent::Ussd(Delivery::new(turn, incoming, |_, _| {}, client)),
            Inbound::Part if !self.read.load(Ordering::Relaxed) || self.events.is_closed() => {
                return incoming.refuse(CommandStatus::RX_T_APPN);
            }
            Inbound::Part => return incoming.accept(),
            Inbound::Unusable(_) => return incoming.refuse(CommandStatus::RX_P_APPN),
        };
        // A delivery that finds no room is dropped, and so answered.
        self.tell(event);
    }

    fn give_back(&self, message: InboundMessage) {
        let abandoned = lock(&self.inbox).give_back(message, driver::now());
        self.incomplete(abandoned);
    }

    fn incomplete(&self, abandoned: Vec<Abandoned<()>>) {
        for abandoned in abandoned {
            self.tell(ClientEvent::Incomplete(Box::new(abandoned)));
        }
    }

    fn credited(&self, credited: &Credited) {
        let mut waiting = lock(&self.waiting);
        let Some(sender) = waiting.get(&credited.message) else { return };
        sender.send_replace(credited.report.clone());
        if credited.report.is_final() {
            waiting.remove(&credited.message);
        }
    }
}

/// What an event is, without its text and numbers.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Request(_) => "request",
        Event::OneWay(_) => "PDU that nothing answers",
        Event::Abandoned { .. } => "outcome that nobody waits for",
        Event::Late { .. } => "late response",
        Event::Duplicate(_) => "second response",
        Event::Unexpected(_) => "response to nothing",
        Event::Refused { .. } => "refused request",
        Event::Bad(_) => "bad PDU",
        Event::Unbinding => "unbind of the peer",
    }
}

/// Most places of a window.
const MAX_WINDOW: usize = 1_000_000;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
