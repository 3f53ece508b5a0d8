use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::io::{poll_read_buf, poll_write_buf};
use tracing::debug;

use super::{Host, IoConfig, Outbox, Receipt, Session, now};
use crate::framing::LineCutter;
use crate::session::{CloseReason, Input, Output};

/// A stream with what was read from it and not cut, and what is to be written to it.
pub(crate) struct Link<IO, R> {
    io: IO,
    cutter: LineCutter,
    arrived: BytesMut,
    unwritten: BytesMut,
    /// Whether something was written that the stream may still hold back.
    unflushed: bool,
    /// Octets handed to the stream, and all that ever were to be.
    written: u64,
    queued: u64,
    /// Who wants to know when so many octets were written, in order.
    receipts: VecDeque<(u64, R)>,
    /// When the peer is given up, unless it takes something before.
    give_up: Option<Instant>,
    write_timeout: Duration,
    close_timeout: Duration,
    max_unwritten: usize,
    over: Option<CloseReason>,
}

/// What the stream did.
pub(super) enum Moved {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
}

impl<IO: AsyncRead + AsyncWrite + Send + Unpin, R: Receipt> Link<IO, R> {
    pub(super) fn new(io: IO, config: &IoConfig) -> Self {
        Self {
            io,
            cutter: LineCutter::new(config.framing).with_limit(config.max_line),
            arrived: BytesMut::new(),
            unwritten: BytesMut::new(),
            unflushed: false,
            written: 0,
            queued: 0,
            receipts: VecDeque::new(),
            give_up: None,
            write_timeout: config.write_timeout,
            close_timeout: config.close_timeout,
            max_unwritten: config.max_unwritten,
            over: None,
        }
    }

    /// Does what the session says, and hands it the lines that have arrived, as long as it and the program take them.
    /// Gives the reason once the session is over.
    pub(super) fn advance<S, H>(
        &mut self,
        session: &mut S,
        host: &mut H,
        outbox: &mut Outbox<H::Event>,
    ) -> Option<CloseReason>
    where
        S: Session,
        H: Host<S>,
    {
        loop {
            self.advance_output(session, host, outbox);
            if self.over.is_some() || !self.has_room() || !session.wants_input() || outbox.is_stalled() {
                return self.over.take();
            }
            match self.cutter.cut(&mut self.arrived) {
                Ok(Some(line)) => {
                    let line = S::read(line);
                    match &line {
                        Ok(command) => S::trace_read(command),
                        Err(bad) => debug!(offset = bad.line.offset, error = %bad.error, "bad line"),
                    }
                    session.handle(Input::Line(line), now());
                }
                Ok(None) => return None,
                Err(error) => session.handle(Input::TooLong(error), now()),
            }
        }
    }

    /// Does what the session says.
    pub(super) fn advance_output<S, H>(&mut self, session: &mut S, host: &mut H, outbox: &mut Outbox<H::Event>)
    where
        S: Session,
        H: Host<S>,
    {
        let before = self.unwritten.len();
        while let Some(output) = session.poll() {
            match output {
                Output::Send(command) => {
                    S::trace_write(&command);
                    if let Err(error) = S::write(&command, &mut self.unwritten) {
                        debug!(%error, "a command cannot be written");
                    }
                }
                Output::Event(event) => {
                    if let Some(event) = host.event(event) {
                        outbox.push(event);
                    }
                }
                Output::Close(reason) => self.over = Some(reason),
            }
        }
        let fresh = self.unwritten.len().saturating_sub(before);
        self.queued = self.queued.saturating_add(u64::try_from(fresh).unwrap_or(u64::MAX));
        if fresh > 0 && self.give_up.is_none() {
            self.give_up = now().checked_add(self.write_timeout);
        }
    }

    /// Tells somebody once all that is to be written now has been.
    pub(super) fn await_written(&mut self, receipt: Option<R>) {
        if let Some(receipt) = receipt {
            self.receipts.push_back((self.queued, receipt));
            self.tell_written();
        }
    }

    /// Whether more may be taken in.
    pub(super) fn has_room(&self) -> bool {
        self.unwritten.len() < self.max_unwritten.max(1)
    }

    /// When the peer is given up.
    pub(super) fn give_up(&self) -> Option<Instant> {
        self.give_up
    }

    pub(super) fn handle_timeout<S: Session>(&self, session: &mut S, now: Instant) {
        if self.give_up.is_some_and(|at| at <= now) {
            session.handle(Input::Failed(io::ErrorKind::TimedOut), now);
        }
    }

    /// Waits until the stream takes or gives something. May be cancelled without a loss.
    pub(super) async fn transfer(&mut self, reading: bool) -> Moved {
        poll_fn(|context| self.poll_transfer(reading, context)).await
    }

    pub(super) fn moved<S: Session>(&mut self, moved: Moved, session: &mut S) {
        let input = match moved {
            Moved::Read(Ok(0)) => {
                // A line that was never ended is lost.
                self.cutter.finish(&mut self.arrived);
                Input::PeerClosed
            }
            Moved::Read(Ok(_)) => return,
            Moved::Wrote(Ok(0)) => Input::Failed(io::ErrorKind::WriteZero),
            Moved::Wrote(Ok(octets)) => return self.wrote(octets),
            Moved::Read(Err(error)) | Moved::Wrote(Err(error)) => Input::Failed(error.kind()),
        };
        session.handle(input, now());
    }

    fn poll_transfer(&mut self, reading: bool, context: &mut Context<'_>) -> Poll<Moved> {
        if !self.unwritten.is_empty() {
            if let Poll::Ready(result) = poll_write_buf(Pin::new(&mut self.io), context, &mut self.unwritten) {
                return Poll::Ready(Moved::Wrote(result));
            }
        } else if self.unflushed
            && let Poll::Ready(result) = Pin::new(&mut self.io).poll_flush(context)
        {
            self.unflushed = false;
            self.give_up = None;
            if let Err(error) = result {
                return Poll::Ready(Moved::Wrote(Err(error)));
            }
        }
        if reading {
            self.arrived.reserve(READ);
            return poll_read_buf(Pin::new(&mut self.io), context, &mut self.arrived).map(Moved::Read);
        }
        Poll::Pending
    }

    fn wrote(&mut self, octets: usize) {
        self.written = self.written.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        self.unflushed = true;
        self.give_up = now().checked_add(self.write_timeout);
        self.tell_written();
    }

    fn tell_written(&mut self) {
        while self.receipts.front().is_some_and(|(at, _)| *at <= self.written) {
            if let Some((_, receipt)) = self.receipts.pop_front() {
                receipt.written();
            }
        }
    }
}

/// A connection whose session is over, with what is left to write.
pub(crate) struct Closing<IO, R> {
    link: Link<IO, R>,
    /// Whether the peer may be sending: then closing at once could destroy what it has not read yet.
    linger: bool,
}

impl<IO: AsyncRead + AsyncWrite + Send + Unpin, R: Receipt> Closing<IO, R> {
    pub(super) fn new(link: Link<IO, R>, reason: &CloseReason) -> Self {
        let gone = matches!(reason, CloseReason::PeerClosed | CloseReason::Failed(_) | CloseReason::DeadPeer);
        Self { link, linger: !gone }
    }

    /// Writes what is left, closes this direction, and waits a moment for the peer to close the other. Bounded by
    /// [`IoConfig::close_timeout`] and one second.
    pub(crate) async fn finish(mut self) {
        match timeout(self.link.close_timeout, self.write_rest()).await {
            Ok(Ok(())) if self.linger => {
                let _ = timeout(LINGER, self.discard()).await;
            }
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "closing failed"),
            Err(_) => debug!("closing took too long"),
        }
    }

    async fn write_rest(&mut self) -> io::Result<()> {
        let link = &mut self.link;
        while !link.unwritten.is_empty() || link.unflushed {
            if let Some(octets) = poll_fn(|context| match link.poll_transfer(false, context) {
                Poll::Ready(Moved::Wrote(result)) => Poll::Ready(result.map(Some)),
                // Flushed, which is no event of its own.
                _ if link.unwritten.is_empty() && !link.unflushed => Poll::Ready(Ok(None)),
                _ => Poll::Pending,
            })
            .await?
            {
                if octets == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                link.wrote(octets);
            }
        }
        link.io.shutdown().await
    }

    async fn discard(&mut self) {
        loop {
            self.link.arrived.clear();
            self.link.arrived.reserve(READ);
            match self.link.io.read_buf(&mut self.link.arrived).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

/// How much is read at once, in octets.
const READ: usize = 8 * 1024;

/// How long a closed connection waits for the peer to close.
const LINGER: Duration = Duration::from_secs(1);
