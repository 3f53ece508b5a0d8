use std::time::Instant;

use super::aged::Aged;
use super::{ClientConfig, Ticket};
use crate::types::{Msisdn, Octets};

/// The submissions whose delivery report is still to come.
///
/// It outlives its connection: take it from a session that is over
/// ([`into_ledger`](super::ClientSession::into_ledger)) and give it to the next
/// ([`with_ledger`](super::ClientSession::with_ledger)), and reports that come after a reconnect still find their
/// submission. Tickets go on counting, so they stay unique.
#[derive(Clone, Debug)]
pub struct Ledger {
    next_ticket: u64,
    reports: Aged<(Number, Octets), Ticket>,
}

impl Default for Ledger {
    fn default() -> Self {
        let config = ClientConfig::default();
        Self { next_ticket: 0, reports: Aged::new(config.max_reports, config.report_timeout) }
    }
}

impl Ledger {
    pub(super) fn configure(&mut self, config: &ClientConfig) {
        self.reports.set_bounds(config.max_reports, config.report_timeout);
    }

    pub(super) fn next_ticket(&mut self) -> Ticket {
        self.next_ticket = self.next_ticket.saturating_add(1);
        Ticket(self.next_ticket)
    }

    /// Remembers which submission a sequence belongs to; gives the one that is forgotten for it.
    pub(super) fn remember(
        &mut self,
        number: Number,
        sequence: &Octets,
        ticket: Ticket,
        now: Instant,
    ) -> Option<Ticket> {
        match kept(sequence) {
            Some(sequence) => self.reports.insert((number, sequence), ticket, now),
            None => Some(ticket),
        }
    }

    /// The submission that a delivery report is about.
    pub(super) fn report(&mut self, msisdn: &Octets, sequence: &Octets) -> Option<Ticket> {
        self.reports.take(&(Number::new(msisdn)?, kept(sequence)?))
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Option<Ticket> {
        self.reports.take_expired(now)
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.reports.next_expiry()
    }
}

/// A number in the form that it is compared in.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Number {
    Msisdn(Msisdn),
    /// What is not a number to us is compared as it came.
    Other(Octets),
}

impl Number {
    /// None if it is too long to be kept.
    pub(super) fn new(octets: &Octets) -> Option<Self> {
        let octets = kept(octets)?;
        Some(Msisdn::try_from(&octets).map_or_else(|_| Self::Other(octets), Self::Msisdn))
    }
}

/// Longest number or sequence that is remembered, in octets. A line of 16,384 octets may hold either.
const MAX_KEPT: usize = 64;

/// A copy that does not hold on to the read buffer; none if it is too long.
pub(super) fn kept(octets: &Octets) -> Option<Octets> {
    (octets.len() <= MAX_KEPT).then(|| octets.detach())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_normalised() {
        let number = |text: &str| Number::new(&Octets::from(text)).unwrap();
        assert_eq!(number("27831112222"), number("+27 83 111 2222"));
        assert_ne!(number("27831112222"), number("27831112223"));
        assert_eq!(number("27XXXXXXX"), Number::Other(Octets::from("27XXXXXXX")));
        assert_eq!(Number::new(&Octets::from("1".repeat(65))), None);
    }
}
