use std::array::from_fn;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// A way in for the tasks of a program to the driver of one link.
///
/// Many push, the driver takes all that is there in one turn, and it is woken once for all of them. It has no bound of
/// its own: what is pushed is bounded by who pushes, by a window or by requests that are still to be answered.
///
/// Tasks that wait for the driver, and are likely to push again, are woken by it together. The second one wakes another
/// thread of the runtime, which is a system call; before that returns, the other thread may have run what is there, and
/// would sleep and be woken again, for a task or two each time. So if there are many, whoever pushes meanwhile wakes the
/// next of them, and that thread has more to do.
pub(crate) struct Mailbox<T> {
    inner: Arc<Inner<T>>,
    /// Tasks that are to be woken by the next [`wake`](Self::wake).
    pub(crate) tasks: VecDeque<Waker>,
}

/// The tasks' end of a [`Mailbox`].
pub(crate) struct Sender<T>(Arc<Inner<T>>);

struct Inner<T>(Mutex<State<T>>);

struct State<T> {
    items: Vec<T>,
    /// The driver, if it sleeps.
    driver: Option<Waker>,
    /// Tasks that the driver is about to wake.
    tasks: VecDeque<Waker>,
    closed: bool,
}

/// How many tasks are woken by one that pushes.
const FAN_OUT: usize = 2;

/// So many tasks have had their turn here before a core that sleeps is awake: nobody is to help.
const FEW: usize = 16;

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let state = State { items: Vec::new(), driver: None, tasks: VecDeque::new(), closed: false };
        Self { inner: Arc::new(Inner(Mutex::new(state))), tasks: VecDeque::new() }
    }

    pub(crate) fn sender(&self) -> Sender<T> {
        Sender(Arc::clone(&self.inner))
    }

    /// Swaps all that is there with an empty vector. The driver is now awake: what comes next does not wake it.
    pub(crate) fn take(&mut self, into: &mut Vec<T>) {
        let mut state = self.inner.lock();
        state.driver = None;
        std::mem::swap(&mut state.items, into);
    }

    /// Wakes the [`tasks`](Self#structfield.tasks).
    pub(crate) fn wake(&mut self) {
        if self.tasks.len() > FEW {
            let first: [_; FAN_OUT] = from_fn(|_| self.tasks.pop_front());
            self.inner.lock().tasks.append(&mut self.tasks);
            first.into_iter().flatten().for_each(Waker::wake);
            self.tasks.append(&mut self.inner.lock().tasks);
        }
        self.tasks.drain(..).for_each(Waker::wake);
    }

    /// The driver goes to sleep, and is woken by what comes next. Says whether something is there already: then it is
    /// not to sleep.
    pub(crate) fn park(&mut self, context: &Context<'_>) -> bool {
        let mut state = self.inner.lock();
        if state.items.is_empty() {
            state.driver = Some(context.waker().clone());
        }
        !state.items.is_empty()
    }

    /// Gives back the memory of an idle link.
    pub(crate) fn shrink(&mut self) {
        let mut state = self.inner.lock();
        if state.items.is_empty() {
            state.items = Vec::new();
        }
        state.tasks.shrink_to_fit();
        self.tasks.shrink_to_fit();
    }
}

/// What was pushed and not taken is dropped, and nothing more is taken in.
impl<T> Drop for Mailbox<T> {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        let waker = state.driver.take();
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
        let driver = state.driver.take();
        let tasks: [_; FAN_OUT] = from_fn(|_| state.tasks.pop_front());
        drop(state);
        tasks.into_iter().flatten().chain(driver).for_each(Waker::wake);
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

    impl Woken {
        fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
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
        assert_eq!(woken.count(), 1);
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

    /// Pushes when it is woken, as a task of another thread does.
    struct Pusher(Sender<usize>, usize);

    impl Wake for Pusher {
        fn wake(self: Arc<Self>) {
            self.0.push(self.1).unwrap();
        }
    }

    #[test]
    fn each_task_is_woken_once_by_the_driver_or_by_one_that_pushes() {
        for count in 0..2 * FEW {
            let mut mailbox = Mailbox::new();
            let sleepers: Vec<_> = (0..count).map(|_| Arc::new(Woken::default())).collect();
            for (at, sleeper) in sleepers.iter().enumerate() {
                mailbox.tasks.push_back(Arc::clone(sleeper).into());
                mailbox.tasks.push_back(Arc::new(Pusher(mailbox.sender(), at)).into());
            }
            mailbox.wake();
            assert!(sleepers.iter().all(|sleeper| sleeper.count() == 1));
            let mut taken = Vec::new();
            mailbox.take(&mut taken);
            taken.sort_unstable();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn who_pushes_wakes_the_next_in_order() {
        let mut mailbox = Mailbox::new();
        let sender = mailbox.sender();
        let tasks: [_; 5] = from_fn(|_| Arc::new(Woken::default()));
        mailbox.inner.lock().tasks.extend(tasks.iter().map(|task| Waker::from(Arc::clone(task))));
        for woken in [2, 4, 5, 5] {
            sender.push(0).unwrap();
            assert_eq!(
                tasks.iter().map(|task| task.count()).collect::<Vec<_>>(),
                from_fn::<_, 5, _>(|at| usize::from(at < woken))
            );
        }
        mailbox.wake();
        assert!(tasks.iter().all(|task| task.count() == 1));
    }
}
