use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// A way in for the tasks of a program to the driver of one link.
///
/// Many push, the driver takes all that is there in one turn, and it is woken once for all of them. It has no bound of
/// its own: what is pushed is bounded by who pushes, by a window or by requests that are still to be answered.
pub(crate) struct Mailbox<T>(Arc<Inner<T>>);

/// The tasks' end of a [`Mailbox`].
pub(crate) struct Sender<T>(Arc<Inner<T>>);

struct Inner<T>(Mutex<State<T>>);

struct State<T> {
    items: Vec<T>,
    /// The driver, if it sleeps.
    waker: Option<Waker>,
    closed: bool,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let state = State { items: Vec::new(), waker: None, closed: false };
        Self(Arc::new(Inner(Mutex::new(state))))
    }

    pub(crate) fn sender(&self) -> Sender<T> {
        Sender(Arc::clone(&self.0))
    }

    /// Swaps all that is there with an empty vector. The driver is now awake: what comes next does not wake it.
    pub(crate) fn take(&mut self, into: &mut Vec<T>) {
        let mut state = self.0.lock();
        state.waker = None;
        std::mem::swap(&mut state.items, into);
    }

    /// The driver goes to sleep, and is woken by what comes next. Says whether something is there already: then it is
    /// not to sleep.
    pub(crate) fn park(&mut self, context: &Context<'_>) -> bool {
        let mut state = self.0.lock();
        if state.items.is_empty() {
            state.waker = Some(context.waker().clone());
        }
        !state.items.is_empty()
    }

    /// Gives back the memory of an idle link.
    pub(crate) fn shrink(&mut self) {
        let mut state = self.0.lock();
        if state.items.is_empty() {
            state.items = Vec::new();
        }
    }
}

/// What was pushed and not taken is dropped, and nothing more is taken in.
impl<T> Drop for Mailbox<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        let waker = state.waker.take();
        drop(state);
        drop((items, waker));
    }
}

impl<T> Sender<T> {
    /// Hands in an item and wakes the driver if it sleeps.
    ///
    /// # Errors
    ///
    /// The link is over; the item comes back.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(item);
        }
        state.items.push(item);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Inner<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn many_are_taken_at_once_and_wake_once() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let context = Context::from_waker(&waker);
        let mut mailbox = Mailbox::new();
        let mut taken = Vec::new();
        assert!(!mailbox.park(&context));
        let senders = [mailbox.sender(), mailbox.sender()];
        for (at, sender) in senders.iter().cycle().take(5).enumerate() {
            sender.push(at).unwrap();
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(mailbox.park(&context), "there is something");
        mailbox.take(&mut taken);
        assert_eq!(taken, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_item_for_a_link_that_is_over_comes_back() {
        let mailbox = Mailbox::new();
        let sender = mailbox.sender();
        let item = Arc::new(());
        sender.push(Arc::clone(&item)).unwrap();
        drop(mailbox);
        assert_eq!(Arc::strong_count(&item), 1, "what was not taken is dropped");
        assert!(sender.push(item).is_err());
    }
}
