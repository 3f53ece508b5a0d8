use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Lets one through at a time, the lowest ticket first: who comes back with a ticket from before goes before all later
/// ones.
#[derive(Debug, Default)]
pub(super) struct Turnstile(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<u64, Arc<Notify>>,
    /// The ticket that is being let through.
    through: Option<u64>,
    next: u64,
}

impl Turnstile {
    /// So many tickets, which follow each other.
    pub(super) fn tickets(self: &Arc<Self>, count: usize) -> Vec<Place> {
        let mut state = self.lock();
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            let ticket = state.next;
            state.next = state.next.saturating_add(1);
            state.waiting.insert(ticket, Arc::default());
            places.push(Place { turnstile: Arc::clone(self), ticket });
        }
        places
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, which is left when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    turnstile: Arc<Turnstile>,
    ticket: u64,
}

impl Place {
    /// Waits for its turn, which lasts until [`leave`](Self::leave).
    pub(super) async fn turn(&self) {
        loop {
            let notify = {
                let mut state = self.turnstile.lock();
                let mine = state.waiting.entry(self.ticket).or_default().clone();
                let first = state.waiting.first_key_value().map(|(ticket, _)| *ticket);
                if first == Some(self.ticket) && state.through.is_none_or(|through| through == self.ticket) {
                    state.through = Some(self.ticket);
                    return;
                }
                // Back from a trial, it no longer goes first if somebody has come back from before.
                if state.through == Some(self.ticket) {
                    state.through = None;
                    if let Some((_, first)) = state.waiting.first_key_value() {
                        first.notify_one();
                    }
                }
                // Who is being let through may have to step aside.
                if let Some(through) = state.through.filter(|through| *through > self.ticket)
                    && let Some(overtaken) = state.waiting.get(&through)
                {
                    overtaken.notify_one();
                }
                mine
            };
            notify.notified().await;
        }
    }

    /// While it has its turn: waits until somebody with a lower ticket wants through.
    pub(super) async fn overtaken(&self) {
        loop {
            let notify = {
                let mut state = self.turnstile.lock();
                if state.waiting.first_key_value().is_some_and(|(first, _)| *first < self.ticket) {
                    return;
                }
                state.waiting.entry(self.ticket).or_default().clone()
            };
            notify.notified().await;
        }
    }

    /// Steps aside and waits again.
    pub(super) fn step_aside(&self) {
        self.leave();
        self.turnstile.lock().waiting.entry(self.ticket).or_default();
    }

    /// Lets the next one through. A later [`turn`](Self::turn) has the same ticket.
    pub(super) fn leave(&self) {
        let mut state = self.turnstile.lock();
        state.waiting.remove(&self.ticket);
        if state.through == Some(self.ticket) {
            state.through = None;
        }
        if state.through.is_none()
            && let Some((_, next)) = state.waiting.first_key_value()
        {
            next.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn the_lowest_ticket_goes_first_and_comes_back_first() {
        let turnstile = Arc::new(Turnstile::default());
        let [a, b, c] = <[Place; 3]>::try_from(turnstile.tickets(3)).unwrap();
        let has_turn = |place: &Place| pin!(place.turn()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert_eq!([&b, &a, &c].map(has_turn), [false, true, false]);
        a.leave();
        assert_eq!([&c, &b].map(has_turn), [false, true]);
        // Back with the ticket from before, while another is being let through.
        let overtaken =
            |place: &Place| pin!(place.overtaken()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!overtaken(&b));
        assert!(!has_turn(&a));
        assert!(overtaken(&b));
        b.step_aside();
        assert_eq!([&c, &b, &a].map(has_turn), [false, false, true]);
        drop(a);
        assert!(has_turn(&b));
        // Once more with a ticket from before, after something that was awaited during its turn.
        let before = Place { turnstile: Arc::clone(&turnstile), ticket: 0 };
        assert!(!has_turn(&before));
        assert_eq!([&b, &before].map(has_turn), [false, true]);
        drop((before, b));
        assert!(has_turn(&c));
        drop(c);
        assert!(turnstile.lock().waiting.is_empty() && turnstile.lock().through.is_none());
    }
}
