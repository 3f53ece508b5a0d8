use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::connection::{Command, Delivery, Waiting};
use super::{AccountLimits, Config, ConnectionId, DeliverError, Rejected};
use crate::driver::{self, Sender, TokenBucket};
use crate::pdu::{AlertNotification, DataSm, DataSmResp, DeliverSm, DeliverSmResp, Operation, Pdu};
use crate::types::CommandStatus;

/// What an account may send at once after a pause: a second's worth.
const BURST: Duration = Duration::from_secs(1);

/// Who is bound, and the way to their receivers: a handle that is cheap to clone.
///
/// A delivery goes to one of the account's bound receivers and transceivers in turn, waits for a place in that link's
/// window, and then for the ESME's answer. It is never sent a second time by itself. Dropped before it was written, it
/// is not sent; dropped later, its place in the window stays taken until the answer or the time-out.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    max_connections: usize,
    max_before_bind: usize,
    max_per_address: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    last: u64,
    closed: bool,
    before_bind: usize,
    by_address: HashMap<IpAddr, usize>,
    connections: HashMap<ConnectionId, Sender<Command>>,
    accounts: HashMap<Arc<str>, Entry>,
    /// Accounts that have lost their last link, until each has its whole rate again; the first to go in front.
    resting: VecDeque<(Instant, Arc<str>)>,
}

impl Seats {
    /// Forgets the accounts that have no link and their whole rate: to bind again would give them no more.
    fn forget_rested(&mut self, now: Instant) {
        while self.resting.front().is_some_and(|(until, _)| *until <= now) {
            let Some((_, account)) = self.resting.pop_front() else { return };
            if self.accounts.get(&account).is_some_and(|entry| entry.is_rested(now)) {
                self.accounts.remove(&account);
            }
        }
    }
}

/// An account that has a link, or had one a moment ago.
struct Entry {
    links: Vec<ConnectionId>,
    rate: Option<u32>,
    bucket: Option<Arc<Mutex<TokenBucket>>>,
    receivers: Vec<Receiver>,
    /// Whose turn it is.
    next: usize,
}

impl Entry {
    fn is_rested(&self, now: Instant) -> bool {
        let is_full =
            |bucket: &Arc<Mutex<TokenBucket>>| bucket.lock().unwrap_or_else(PoisonError::into_inner).is_full(now);
        self.links.is_empty() && self.bucket.as_ref().is_none_or(is_full)
    }
}

/// A link that takes deliveries.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) connection: ConnectionId,
    pub(super) sender: Sender<Command>,
    /// The places in its window; closed when the link is over.
    pub(super) slots: Arc<Semaphore>,
}

impl Registry {
    pub(super) fn new(config: &Config) -> Self {
        let inner = Inner {
            max_connections: config.max_connections,
            max_before_bind: config.max_before_bind,
            max_per_address: config.max_per_address,
            seats: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Delivers a message or a receipt, and waits for the answer.
    ///
    /// # Errors
    ///
    /// Nobody is bound who would take it, it was refused, or what became of it is not known.
    pub async fn deliver(&self, account: &str, message: DeliverSm) -> Result<DeliverSmResp, DeliverError> {
        let answer = self.request(account, message.into()).await?;
        DeliverSm::response(answer).ok_or(DeliverError::Unanswered)
    }

    /// Delivers by data_sm, and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`deliver`](Self::deliver).
    pub async fn deliver_data(&self, account: &str, message: DataSm) -> Result<DataSmResp, DeliverError> {
        let answer = self.request(account, message.into()).await?;
        DataSm::response(answer).ok_or(DeliverError::Unanswered)
    }

    /// Says that a mobile is available again. Nothing answers it.
    ///
    /// # Errors
    ///
    /// Nobody is bound who would hear it.
    pub async fn alert(&self, account: &str, alert: AlertNotification) -> Result<(), DeliverError> {
        self.request(account, alert.into()).await.map(drop)
    }

    /// The accounts that are bound, in no order, with the number of their links.
    pub fn accounts(&self) -> Vec<(Arc<str>, usize)> {
        let seats = self.lock();
        let bound = seats.accounts.iter().filter(|(_, entry)| !entry.links.is_empty());
        bound.map(|(account, entry)| (Arc::clone(account), entry.links.len())).collect()
    }

    /// Unbinds all links of an account.
    pub fn unbind(&self, account: &str) {
        let senders: Vec<_> = {
            let seats = self.lock();
            let links = seats.accounts.get(account).map(|entry| entry.links.as_slice()).unwrap_or_default();
            links.iter().filter_map(|id| seats.connections.get(id).cloned()).collect()
        };
        for sender in senders {
            // If it comes back, that link is over.
            let _ = sender.push(Command::Unbind);
        }
    }

    /// Closes a connection at once, without unbind.
    pub fn disconnect(&self, connection: ConnectionId) {
        let sender = self.lock().connections.get(&connection).cloned();
        if let Some(sender) = sender {
            // If it comes back, that link is over.
            let _ = sender.push(Command::Close);
        }
    }

    /// Closes all connections at once, without unbind.
    #[cfg(feature = "testkit")]
    pub(crate) fn disconnect_all(&self) {
        let senders: Vec<_> = self.lock().connections.values().cloned().collect();
        for sender in senders {
            // If it comes back, that link is over.
            let _ = sender.push(Command::Close);
        }
    }

    async fn request(&self, account: &str, pdu: Pdu) -> Result<Pdu, DeliverError> {
        let mut pdu = Box::new(pdu);
        loop {
            let receiver = self.pick(account).ok_or(DeliverError::NotBound)?;
            // Closed: the link is over, and there may be another.
            let Ok(slot) = receiver.slots.acquire_owned().await else { continue };
            let (reply, answer) = oneshot::channel();
            let waiting = Waiting { reply, slot };
            match receiver.sender.push(Command::Deliver(Delivery { pdu, waiting })) {
                Ok(()) => return answer.await.unwrap_or(Err(DeliverError::NotSent)),
                Err(Command::Deliver(delivery)) => pdu = delivery.pdu,
                Err(_) => return Err(DeliverError::NotSent),
            }
        }
    }

    /// A receiver of the account: in turn, and one with a free place in its window if there is any.
    fn pick(&self, account: &str) -> Option<Receiver> {
        let mut seats = self.lock();
        let entry = seats.accounts.get_mut(account)?;
        entry.receivers.retain(|receiver| !receiver.slots.is_closed());
        let turn = entry.next.checked_rem(entry.receivers.len())?;
        entry.next = turn.wrapping_add(1);
        let in_turn = || entry.receivers.iter().cycle().skip(turn).take(entry.receivers.len());
        in_turn().find(|receiver| receiver.slots.available_permits() > 0).or_else(|| in_turn().next()).cloned()
    }

    /// A place for a connection, unless a limit is reached.
    pub(super) fn admit(&self, peer: Option<SocketAddr>, sender: Sender<Command>) -> Result<Seat, Rejected> {
        let mut seats = self.lock();
        let ip = peer.map(|peer| peer.ip());
        let from_there = ip.and_then(|ip| seats.by_address.get(&ip).copied()).unwrap_or(0);
        if seats.closed {
            return Err(Rejected::ShuttingDown);
        }
        if seats.connections.len() >= self.inner.max_connections {
            return Err(Rejected::Connections);
        }
        if seats.before_bind >= self.inner.max_before_bind {
            return Err(Rejected::BeforeBind);
        }
        if from_there >= self.inner.max_per_address {
            return Err(Rejected::Address);
        }
        seats.last = seats.last.saturating_add(1);
        let id = ConnectionId(seats.last);
        seats.connections.insert(id, sender);
        seats.before_bind = seats.before_bind.saturating_add(1);
        if let Some(ip) = ip {
            seats.by_address.insert(ip, from_there.saturating_add(1));
        }
        Ok(Seat { registry: self.clone(), id, ip, account: None })
    }

    /// Admits nobody any more, and unbinds every link.
    pub(super) fn close(&self) {
        let senders: Vec<_> = {
            let mut seats = self.lock();
            seats.closed = true;
            seats.connections.values().cloned().collect()
        };
        for sender in senders {
            // If it comes back, that link is over.
            let _ = sender.push(Command::Unbind);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.inner.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.accounts()).finish()
    }
}

/// The place of one connection; free again when dropped.
pub(super) struct Seat {
    registry: Registry,
    id: ConnectionId,
    ip: Option<IpAddr>,
    /// As whom it is bound.
    account: Option<Arc<str>>,
}

impl Seat {
    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The connection is now a link of this account, unless that has all that it may have. Gives the account's rate.
    pub(super) fn bind(
        &mut self,
        account: &Arc<str>,
        limits: &AccountLimits,
    ) -> Result<Option<Arc<Mutex<TokenBucket>>>, CommandStatus> {
        let mut seats = self.registry.lock();
        let now = driver::now();
        seats.forget_rested(now);
        let entry = seats.accounts.entry(Arc::clone(account)).or_insert_with(|| Entry {
            links: Vec::new(),
            rate: None,
            bucket: None,
            receivers: Vec::new(),
            next: 0,
        });
        if entry.links.len() >= limits.max_binds {
            if entry.is_rested(now) {
                seats.accounts.remove(account);
            }
            return Err(CommandStatus::RALYBND);
        }
        entry.links.push(self.id);
        if entry.rate != limits.rate {
            entry.rate = limits.rate;
            entry.bucket = limits.rate.map(|rate| Arc::new(Mutex::new(TokenBucket::new(rate, BURST))));
        }
        let bucket = entry.bucket.clone();
        seats.before_bind = seats.before_bind.saturating_sub(1);
        self.account = Some(Arc::clone(account));
        Ok(bucket)
    }

    /// From now on the link takes deliveries.
    pub(super) fn receive(&self, receiver: Receiver) {
        let mut seats = self.registry.lock();
        if let Some(entry) = self.account.as_ref().and_then(|account| seats.accounts.get_mut(account)) {
            entry.receivers.push(receiver);
        }
    }

    /// The link is no account's any more.
    pub(super) fn unbind(&mut self) {
        let Some(account) = self.account.take() else { return };
        let now = driver::now();
        let mut seats = self.registry.lock();
        seats.before_bind = seats.before_bind.saturating_add(1);
        seats.forget_rested(now);
        if let Some(entry) = seats.accounts.get_mut(&account) {
            entry.links.retain(|id| *id != self.id);
            entry.receivers.retain(|receiver| receiver.connection != self.id);
            // Who binds anew has what is left of the rate, not all of it again.
            if entry.is_rested(now) {
                seats.accounts.remove(&account);
            } else if entry.links.is_empty() {
                let until = now.checked_add(BURST).unwrap_or(now);
                seats.resting.push_back((until, account));
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.unbind();
        let mut seats = self.registry.lock();
        seats.connections.remove(&self.id);
        seats.before_bind = seats.before_bind.saturating_sub(1);
        if let Some(ip) = self.ip
            && let Some(count) = seats.by_address.get_mut(&ip)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                seats.by_address.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Mailbox;

    fn bound(registry: &Registry, account: &str, limits: &AccountLimits) -> (Seat, Arc<Mutex<TokenBucket>>) {
        let mut seat = registry.admit(None, Mailbox::new().sender()).unwrap();
        let bucket = seat.bind(&account.into(), limits).unwrap().unwrap();
        (seat, bucket)
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_has_left_is_kept_until_it_has_its_rate_again() {
        let registry = Registry::new(&Config::default());
        let limits = AccountLimits::default();
        for account in ["one", "other"] {
            let (_seat, bucket) = bound(&registry, account, &limits);
            if account == "one" {
                bucket.lock().unwrap().take(driver::now()).unwrap();
            }
        }
        assert!(registry.accounts().is_empty());
        assert_eq!(registry.lock().accounts.keys().map(|account| &**account).collect::<Vec<_>>(), ["one"]);
        tokio::time::advance(BURST).await;
        bound(&registry, "third", &limits);
        let seats = registry.lock();
        assert_eq!((seats.accounts.len(), seats.resting.len()), (0, 0));
    }
}
