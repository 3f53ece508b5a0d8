use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::{Level, trace};

use super::IoConfig;
use crate::codec::{LeniencyCounts, Limits, header};
use crate::framing::{BadLength, StreamDecoder};
use crate::pdu::{BadPdu, Frame};
use crate::types::{CommandId, CommandStatus};

/// A stream, and what has arrived and was not cut. What is to be written stands in the session.
///
/// An idle link holds no memory for what may come: what is read lands in a buffer of the thread first.
pub(super) struct Stream<IO> {
    io: IO,
    decoder: StreamDecoder,
    arrived: BytesMut,
    /// Whether something was written that the stream may still hold back.
    unflushed: bool,
    /// When the peer is given up, unless it takes something before.
    give_up: Option<Instant>,
    write_timeout: Duration,
    /// How many octets of what is to be written were traced.
    traced: usize,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Stream<IO> {
    pub(super) fn new(io: IO, limits: Limits, config: &IoConfig) -> Self {
        Self {
            io,
            decoder: StreamDecoder::new(limits),
            arrived: BytesMut::new(),
            unflushed: false,
            give_up: None,
            write_timeout: config.write_timeout,
            traced: 0,
        }
    }

    /// The next PDU of what has arrived, none above this length.
    #[inline]
    pub(super) fn next(&mut self, max_pdu: u32) -> Result<Option<Result<Frame, BadPdu>>, BadLength> {
        self.decoder.cutter_mut().set_limit(max_pdu);
        self.decoder.decode(&mut self.arrived)
    }

    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.decoder.set_limits(limits);
    }

    /// For how many PDUs each leniency was used.
    pub(super) fn leniencies(&self) -> &LeniencyCounts {
        self.decoder.counts()
    }

    /// Whether a PDU has begun to arrive and is not whole.
    pub(super) fn is_inside_pdu(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// When the peer is given up.
    pub(super) fn give_up(&self) -> Option<Instant> {
        self.give_up
    }

    /// Writes all that is pending, as much in one call as the stream takes. Ready once nothing is pending.
    pub(super) fn poll_write(
        &mut self,
        unwritten: &mut BytesMut,
        context: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<()>> {
        if tracing::enabled!(Level::TRACE) {
            self.trace(unwritten);
        }
        while !unwritten.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, unwritten) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(octets)) => {
                    unwritten.advance(octets.min(unwritten.len()));
                    self.traced = self.traced.saturating_sub(octets);
                    self.unflushed = true;
                    self.give_up = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    if self.give_up.is_none() {
                        self.give_up = now.checked_add(self.write_timeout);
                    }
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Notes the headers of what is to be written, and nothing of what is in it.
    #[cold]
    fn trace(&mut self, unwritten: &[u8]) {
        let mut rest = unwritten.get(self.traced..).unwrap_or_default();
        while let Some([length, id, status, number]) = header(rest) {
            trace!(pdu = %CommandId(id), number, status = %CommandStatus(status), "write");
            rest = usize::try_from(length).ok().and_then(|length| rest.get(length..)).unwrap_or_default();
        }
        self.traced = unwritten.len();
    }

    /// Reads what is there; the number of octets, none at the end of the stream.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut landing = LANDING.take().unwrap_or_else(|| vec![0; READ].into());
        let mut buffer = ReadBuf::new(&mut landing);
        let read = Pin::new(&mut self.io).poll_read(context, &mut buffer);
        let arrived = buffer.filled();
        let octets = arrived.len();
        self.arrived.extend_from_slice(arrived);
        LANDING.set(Some(landing));
        read.map_ok(|()| octets)
    }

    /// What arrives from now on is of no interest.
    pub(super) fn discard(&mut self) {
        self.arrived.clear();
    }

    /// Closes this direction.
    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    /// Gives back the memory that nothing is in.
    pub(super) fn shrink(&mut self) {
        if self.arrived.is_empty() && self.arrived.capacity() > 0 {
            self.arrived = BytesMut::new();
        }
    }
}

/// How much is read at once, in octets.
const READ: usize = 64 * 1024;

thread_local! {
    /// Where reads land: one for all links of a thread, so that an idle link has none.
    static LANDING: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}
