use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::connection::Command;
use super::{Config, ConnectionId, Rejected};
use crate::types::Octets;

/// Who is connected, and as whom: the limits and the rule of one connection an account.
pub(super) struct Registry {
    max_connections: usize,
    max_before_login: usize,
    max_per_address: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    last: u64,
    closed: bool,
    before_login: usize,
    by_address: HashMap<IpAddr, usize>,
    /// The only lasting senders: who drops them ends the connection.
    connections: HashMap<ConnectionId, mpsc::Sender<Command>>,
    accounts: HashMap<Octets, ConnectionId>,
}

impl Registry {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            max_connections: config.max_connections,
            max_before_login: config.max_before_login,
            max_per_address: config.max_per_address,
            seats: Mutex::default(),
        }
    }

    /// A place for a connection, unless a limit is reached.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: Option<SocketAddr>,
        sender: mpsc::Sender<Command>,
    ) -> Result<Seat, Rejected> {
        let mut seats = self.lock();
        let ip = peer.map(|peer| peer.ip());
        let from_there = ip.and_then(|ip| seats.by_address.get(&ip).copied()).unwrap_or(0);
        if seats.closed {
            return Err(Rejected::ShuttingDown);
        }
        if seats.connections.len() >= self.max_connections {
            return Err(Rejected::Connections);
        }
        if seats.before_login >= self.max_before_login {
            return Err(Rejected::BeforeLogin);
        }
        if from_there >= self.max_per_address {
            return Err(Rejected::Address);
        }
        seats.last = seats.last.saturating_add(1);
        let id = ConnectionId(seats.last);
        seats.connections.insert(id, sender);
        seats.before_login = seats.before_login.saturating_add(1);
        if let Some(ip) = ip {
            seats.by_address.insert(ip, from_there.saturating_add(1));
        }
        Ok(Seat { registry: Arc::clone(self), id, ip, account: None })
    }

    /// The connection of an account.
    pub(super) fn connection(&self, account: &Octets) -> Option<mpsc::Sender<Command>> {
        let seats = self.lock();
        let id = seats.accounts.get(account)?;
        seats.connections.get(id).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Octets> {
        self.lock().accounts.keys().cloned().collect()
    }

    /// Ends every connection, and admits no other.
    pub(super) fn close(&self) {
        let mut seats = self.lock();
        seats.closed = true;
        let senders = std::mem::take(&mut seats.connections);
        seats.accounts.clear();
        drop(seats);
        drop(senders);
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection; free again when dropped.
pub(super) struct Seat {
    registry: Arc<Registry>,
    id: ConnectionId,
    ip: Option<IpAddr>,
    /// As whom it is logged in.
    account: Option<Octets>,
}

impl Seat {
    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    /// The connection is now the one of this account. Gives the one before it.
    pub(super) fn log_in(&mut self, account: &Octets) -> Option<mpsc::Sender<Command>> {
        let mut seats = self.registry.lock();
        if self.account.is_none() {
            seats.before_login = seats.before_login.saturating_sub(1);
        }
        self.account = Some(account.clone());
        let older = seats.accounts.insert(account.clone(), self.id)?;
        seats.connections.get(&older).cloned()
    }

    /// The connection is no account's any more.
    pub(super) fn log_out(&mut self) {
        if let Some(account) = &self.account {
            let mut seats = self.registry.lock();
            if seats.accounts.get(account) == Some(&self.id) {
                seats.accounts.remove(account);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.log_out();
        let mut seats = self.registry.lock();
        seats.connections.remove(&self.id);
        if self.account.is_none() {
            seats.before_login = seats.before_login.saturating_sub(1);
        }
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

    fn registry(config: Config) -> Arc<Registry> {
        Arc::new(Registry::new(&config))
    }

    fn admit(registry: &Arc<Registry>, peer: Option<&str>) -> Result<Seat, Rejected> {
        registry.admit(peer.map(|peer| peer.parse().unwrap()), mpsc::channel(1).0)
    }

    #[test]
    fn limits_hold_and_places_become_free_again() {
        let registry = registry(Config::default().max_connections(3).max_before_login(2).max_per_address(1));
        let (home, away) = (Some("10.0.0.1:1"), Some("10.0.0.2:1"));
        let mut first = admit(&registry, home).unwrap();
        assert_eq!(admit(&registry, Some("10.0.0.1:2")).err(), Some(Rejected::Address));
        let second = admit(&registry, away).unwrap();
        assert_eq!(admit(&registry, None).err(), Some(Rejected::BeforeLogin));
        first.log_in(&"vodka".into());
        assert_eq!(registry.lock().before_login, 1, "one place, not more");
        let third = admit(&registry, None).unwrap();
        assert_eq!(admit(&registry, None).err(), Some(Rejected::Connections));
        drop(second);
        assert_eq!(registry.lock().before_login, 1, "one place, not more");
        drop((first, third));
        let seats = registry.lock();
        assert_eq!((seats.before_login, seats.by_address.len(), seats.connections.len()), (0, 0, 0));
        assert!(seats.accounts.is_empty());
    }

    #[test]
    fn an_account_has_its_latest_connection() {
        let registry = registry(Config::default());
        let account = Octets::from("vodka");
        let mut first = admit(&registry, None).unwrap();
        assert!(first.log_in(&account).is_none());
        let mut second = admit(&registry, None).unwrap();
        assert!(second.log_in(&account).is_some());
        drop(first);
        assert_eq!(registry.accounts(), ["vodka"], "the older one takes nothing with it");
        second.log_out();
        assert!(registry.connection(&account).is_none());
    }

    #[test]
    fn a_closed_registry_admits_nobody() {
        let registry = registry(Config::default());
        registry.close();
        assert_eq!(admit(&registry, None).err(), Some(Rejected::ShuttingDown));
    }
}
