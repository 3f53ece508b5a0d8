//! The one loop that both ends run: read, cut, session, write, sleep.
//!
//! The only place that reads the clock. Protocol is the session's business, and programs are the host's; here octets and
//! time are moved, and nothing grows without a bound:
//!
//! * All that is pending is written together: the responses to the requests of a read, up to [`Host::BATCH`], and what
//!   the program's tasks handed in since the last write.
//! * While the session has too much to be written, neither the stream nor the program is listened to; a peer that takes
//!   nothing for [`IoConfig::write_timeout`] is given up.
//! * There is no task for a PDU, and no wake-up between the session's own timers.

mod bucket;
mod closing;
mod mailbox;
mod stream;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;
use tracing::debug;

pub(crate) use self::bucket::TokenBucket;
pub(crate) use self::mailbox::{Mailbox, Sender};
use self::stream::Stream;
use crate::session::{CloseReason, Event, Input, Output, Session, State, config};

config! {
    /// How a link moves octets; the same for clients and servers.
    IoConfig {
        /// How long the peer may take no octet at all while some wait. 30 seconds.
        write_timeout: Duration = Duration::from_secs(30),
        /// How long writing what is left may take when the link closes. 5 seconds.
        close_timeout: Duration = Duration::from_secs(5),
    }
}

/// What stands between a session and the program.
pub(crate) trait Host: Send {
    /// After so many PDUs of a read, what came of them is told and written: the peer gets to work while the rest has its
    /// turn.
    const BATCH: usize;

    /// Does what the program wants by now, and runs what of the program runs here. Once a turn.
    ///
    /// Says whether more is likely to come at once, from tasks that were just woken: then they get their turn before
    /// anything is written.
    fn poll(&mut self, session: &mut Session, context: &mut Context<'_>, now: Instant) -> bool;

    /// Sees to what the events of a PDU have brought. Says the same as [`poll`](Self::poll).
    fn start(&mut self, session: &mut Session, context: &mut Context<'_>, now: Instant) -> bool;

    /// All that happened so far was told: wakes the tasks that waited for it, together. Says the same as
    /// [`poll`](Self::poll).
    fn settle(&mut self) -> bool;

    /// Goes to sleep: from now on the program wakes the link. Says whether there is something to do already.
    fn park(&mut self, context: &mut Context<'_>) -> bool;

    /// Tells the program of an event.
    fn event(&mut self, event: Event, session: &mut Session, now: Instant);

    /// The session is over; the stream is about to be closed.
    fn closed(&mut self, reason: &CloseReason, session: &Session);

    /// Gives back the memory that an idle link does not need.
    fn shrink(&mut self);
}

/// Runs a link until its session is over, and then closes the stream.
pub(crate) async fn run<IO, H>(io: IO, config: &IoConfig, session: &mut Session, host: &mut H) -> CloseReason
where
    IO: AsyncRead + AsyncWrite + Unpin,
    H: Host,
{
    let mut link = Link {
        stream: Stream::new(io, session.limits(), config),
        state: session.state(),
        session,
        host,
        sleep: Box::pin(tokio::time::sleep_until(now().into())),
        armed: None,
        yielded: 0,
        arrived: false,
        held: false,
    };
    let reason = poll_fn(|context| link.poll(context)).await;
    link.host.closed(&reason, link.session);
    let leniencies: Vec<_> = link.stream.leniencies().iter().collect();
    debug!(%reason, counters = ?link.session.counters(), ?leniencies, "link over");
    let linger = !matches!(reason, CloseReason::PeerClosed | CloseReason::Failed(_));
    closing::close(&mut link.stream, link.session.unwritten_mut(), config.close_timeout, linger).await;
    reason
}

/// The time, as tokio has it: a test may have stopped it.
#[expect(clippy::disallowed_methods, reason = "the driver is where the clock is read")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

struct Link<'a, IO, H> {
    stream: Stream<IO>,
    session: &'a mut Session,
    host: &'a mut H,
    /// The state for which the stream's limits are.
    state: State,
    sleep: Pin<Box<Sleep>>,
    /// When the sleep ends. While the link is busy it is left alone if it ends too early.
    armed: Option<Instant>,
    /// How often in a row other tasks were let first.
    yielded: u32,
    /// Whether something arrived that was not cut yet.
    arrived: bool,
    /// Whether something that arrived may wait to be cut: the session took no more, or what it made of the rest is to be
    /// written first.
    held: bool,
}

impl<IO: AsyncRead + AsyncWrite + Unpin, H: Host> Link<'_, IO, H> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut octets = 0usize;
        for _ in 0..TURNS {
            let now = now();
            let mut more = false;
            let over = self.advance(context, now, &mut more);
            more |= self.host.settle();
            if let Some(reason) = over {
                return Poll::Ready(reason);
            }
            if more && self.yielded < YIELDS {
                self.yielded = self.yielded.saturating_add(1);
                return yield_now(context);
            }
            self.yielded = 0;
            if let Poll::Ready(Err(error)) = self.stream.poll_write(self.session.unwritten_mut(), context, now) {
                self.session.handle(Input::Failed(error.kind()), now);
                continue;
            }
            let reading = self.session.wants_input();
            self.session.set_reading(reading, now);
            if reading && self.held {
                // The rest of what has arrived has its turn.
                continue;
            }
            if reading {
                match self.stream.poll_read(context) {
                    Poll::Ready(Ok(read)) if read > 0 => {
                        octets = octets.saturating_add(read);
                        self.arrived = true;
                        continue;
                    }
                    Poll::Ready(end) => {
                        let input = end.map_or_else(|error| Input::Failed(error.kind()), |_| Input::PeerClosed);
                        self.session.handle(input, now);
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            let idle = octets < BUSY;
            if self.poll_timeout(idle, context) || self.host.park(context) {
                continue;
            }
            if idle {
                self.stream.shrink();
                self.session.shrink();
                self.host.shrink();
            }
            return Poll::Pending;
        }
        yield_now(context)
    }

    /// Hands the session what the program wants and what has arrived, as long as it takes that. Gives the reason once it
    /// is over.
    fn advance(&mut self, context: &mut Context<'_>, now: Instant, more: &mut bool) -> Option<CloseReason> {
        *more = self.host.poll(self.session, context, now);
        let mut room = H::BATCH;
        loop {
            if let Some(reason) = self.pump(now) {
                return Some(reason);
            }
            *more |= self.host.start(self.session, context, now);
            self.held = room == 0 || !self.session.wants_input();
            if self.held {
                return self.pump(now);
            }
            room = room.saturating_sub(1);
            let input = match self.stream.next(self.session.max_pdu()) {
                Ok(Some(pdu)) => Input::Pdu(pdu),
                Ok(None) => break,
                Err(bad) => Input::BadLength(bad),
            };
            self.session.handle(input, now);
            if self.session.state() != self.state {
                self.state = self.session.state();
                self.stream.set_limits(self.session.limits());
            }
        }
        if std::mem::take(&mut self.arrived) && self.stream.is_inside_pdu() {
            self.session.handle(Input::Partial, now);
        }
        self.pump(now)
    }

    /// Tells the program what has happened. Gives the reason once the session is over.
    fn pump(&mut self, now: Instant) -> Option<CloseReason> {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Event(event) => self.host.event(event, self.session, now),
                Output::Close(reason) => return Some(reason),
            }
        }
        None
    }

    /// Says whether a timer was due, which is then seen to. Sleeps otherwise.
    fn poll_timeout(&mut self, idle: bool, context: &mut Context<'_>) -> bool {
        let wake = [self.session.next_timeout(), self.stream.give_up()].into_iter().flatten().min();
        let Some(at) = wake else { return false };
        if self.armed.is_none_or(|armed| at < armed || (idle && at != armed)) {
            self.arm(at);
        }
        while self.sleep.as_mut().poll(context).is_ready() {
            let now = now();
            if at <= now {
                self.armed = None;
                if self.stream.give_up().is_some_and(|at| at <= now) {
                    self.session.handle(Input::Failed(std::io::ErrorKind::TimedOut), now);
                }
                self.session.handle_timeout(now);
                return true;
            }
            self.arm(at);
        }
        false
    }

    fn arm(&mut self, at: Instant) {
        self.sleep.as_mut().reset(at.into());
        self.armed = Some(at);
    }
}

/// Lets the other tasks of this thread have a turn first.
fn yield_now<T>(context: &mut Context<'_>) -> Poll<T> {
    let mut yielding = std::pin::pin!(tokio::task::yield_now());
    // Its first poll asks the runtime to wake this task once the others had their turn.
    if yielding.as_mut().poll(context).is_ready() {
        context.waker().wake_by_ref();
    }
    Poll::Pending
}

/// Reads in a row before other tasks have a turn.
const TURNS: usize = 16;

/// How often in a row tasks that were just woken are let first.
const YIELDS: u32 = 3;

/// A link that moved less than so many octets since it last slept is idle enough to give its buffers back.
const BUSY: usize = 2048;
