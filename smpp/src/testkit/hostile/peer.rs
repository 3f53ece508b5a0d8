use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until, timeout};

use super::octets;
use crate::driver;
use crate::framing::PduCutter;
use crate::pdu::{EnquireLinkResp, Frame, RawPdu};
use crate::types::{CommandId, CommandStatus};

/// One end of a link with no session behind it: octets out as they are, PDUs in as they come.
pub(super) struct Peer<IO> {
    io: IO,
    arrived: BytesMut,
    unwritten: BytesMut,
    reading: bool,
    /// Whether enquire_link is answered.
    answering: bool,
    /// Whether the other end has closed.
    pub(super) closed: bool,
    /// Whether anything ever came.
    pub(super) heard: bool,
    /// PDUs that came, the oldest first.
    seen: VecDeque<RawPdu>,
    /// What requests of one kind are answered with, and how much later.
    rule: Option<(CommandId, Bytes, Duration)>,
    /// Answers, and when each is due.
    due: VecDeque<(Instant, Bytes)>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Peer<IO> {
    pub(super) fn new(io: IO) -> Self {
        Self {
            io,
            arrived: BytesMut::new(),
            unwritten: BytesMut::new(),
            reading: true,
            answering: true,
            closed: false,
            heard: false,
            seen: VecDeque::new(),
            rule: None,
            due: VecDeque::new(),
            alarm: None,
        }
    }

    pub(super) fn stop_reading(&mut self) {
        self.reading = false;
    }

    pub(super) fn stop_answering(&mut self) {
        self.answering = false;
    }

    /// Answers every request of this kind, so much later: those that have come and nobody has looked at, too.
    pub(super) fn answer_all(&mut self, command_id: CommandId, octets: Bytes, after: Duration) {
        self.rule = Some((command_id, octets, after));
        let seen = std::mem::take(&mut self.seen);
        for pdu in &seen {
            self.answer(pdu);
        }
        self.seen = seen;
    }

    /// Forgets what has come.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// Writes octets, reading meanwhile. Gives up when the other end closes or takes nothing for long.
    pub(super) async fn write(&mut self, octets: &[u8]) {
        if self.closed {
            return;
        }
        self.unwritten.extend_from_slice(octets);
        let _ = timeout(STUCK, poll_fn(|context| self.poll(context, |peer| peer.unwritten.is_empty()))).await;
    }

    /// The next PDU of this kind, whatever comes before it; none if the other end closes, or nothing comes for so long.
    pub(super) async fn expect(&mut self, command_id: CommandId, within: Duration) -> Option<RawPdu> {
        self.find(|pdu| pdu.command_id == command_id, within).await
    }

    /// The next response with this number, as [`expect`](Self::expect).
    pub(super) async fn answer_to(&mut self, number: u32, within: Duration) -> Option<RawPdu> {
        self.find(|pdu| pdu.command_id.is_response() && pdu.header.sequence_number == number, within).await
    }

    /// Whether a PDU of this kind has come.
    pub(super) fn has(&self, command_id: CommandId) -> bool {
        self.seen.iter().any(|pdu| pdu.command_id == command_id)
    }

    async fn find(&mut self, is_it: impl Fn(&RawPdu) -> bool, within: Duration) -> Option<RawPdu> {
        let _ = timeout(within, poll_fn(|context| self.poll(context, |peer| peer.seen.iter().any(&is_it)))).await;
        let at = self.seen.iter().position(is_it)?;
        self.seen.drain(..=at).next_back()
    }

    /// The next PDU; none if the other end closes, or nothing comes for so long.
    pub(super) async fn next(&mut self, within: Duration) -> Option<RawPdu> {
        let _ = timeout(within, poll_fn(|context| self.poll(context, |peer| !peer.seen.is_empty()))).await;
        self.seen.pop_front()
    }

    /// Does nothing but read for so long; shorter if the other end closes.
    pub(super) async fn wait(&mut self, long: Duration) {
        let _ = timeout(long, poll_fn(|context| self.poll(context, |_| false))).await;
    }

    /// Closes this direction.
    pub(super) async fn hang_up(&mut self) {
        let _ = timeout(STUCK, poll_fn(|context| Pin::new(&mut self.io).poll_shutdown(context))).await;
    }

    /// Reads and writes until this holds, or the other end has closed.
    fn poll(&mut self, context: &mut Context<'_>, done: impl Fn(&Self) -> bool) -> Poll<()> {
        loop {
            self.poll_due(context);
            let wrote = self.poll_write(context);
            let read = self.reading && self.poll_read(context);
            if self.closed || done(self) {
                return Poll::Ready(());
            }
            if !wrote && !read {
                return Poll::Pending;
            }
        }
    }

    /// Moves answers to what is to be written once their time has come.
    fn poll_due(&mut self, context: &mut Context<'_>) {
        while let Some((at, _)) = self.due.front() {
            let at = *at;
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at.into())));
            if alarm.as_mut().poll(context).is_pending() {
                return;
            }
            self.alarm = None;
            if let Some((_, answer)) = self.due.pop_front() {
                self.unwritten.extend_from_slice(&answer);
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> bool {
        if self.unwritten.is_empty() {
            return false;
        }
        match Pin::new(&mut self.io).poll_write(context, &self.unwritten) {
            Poll::Ready(Ok(octets)) if octets > 0 => self.unwritten.advance(octets.min(self.unwritten.len())),
            // Who closes may still have said something.
            Poll::Ready(_) if self.reading => self.unwritten.clear(),
            Poll::Ready(_) => self.closed = true,
            Poll::Pending => return false,
        }
        true
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> bool {
        let mut landing = [0; 4096];
        let mut buffer = ReadBuf::new(&mut landing);
        let read: Poll<io::Result<()>> = Pin::new(&mut self.io).poll_read(context, &mut buffer);
        match read {
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                self.heard = true;
                self.arrived.extend_from_slice(buffer.filled());
                self.cut();
            }
            Poll::Ready(_) => self.closed = true,
            Poll::Pending => return false,
        }
        true
    }

    fn cut(&mut self) {
        let mut cutter = PduCutter::default();
        while let Ok(Some(pdu)) = cutter.cut(&mut self.arrived) {
            if pdu.command_id == CommandId::ENQUIRE_LINK && self.answering {
                let answer = EnquireLinkResp::default();
                let _ =
                    Frame::response(pdu.header.sequence_number, CommandStatus::ROK, answer).encode(&mut self.unwritten);
            }
            self.answer(&pdu);
            if self.seen.len() >= SEEN {
                self.seen.pop_front();
            }
            self.seen.push_back(RawPdu { body: Bytes::copy_from_slice(&pdu.body), ..pdu });
        }
    }

    /// Answers a request at once or later, if all of its kind are.
    fn answer(&mut self, pdu: &RawPdu) {
        let Some((command_id, octets, after)) = &self.rule else { return };
        if pdu.command_id != *command_id {
            return;
        }
        let answer = octets::numbered(octets, pdu.header.sequence_number);
        match after.is_zero() {
            true => self.unwritten.extend_from_slice(&answer),
            false if self.due.len() < SEEN => {
                let at = driver::now();
                self.due.push_back((at.checked_add(*after).unwrap_or(at), answer));
            }
            // Not that many requests of one link are unanswered.
            false => {}
        }
    }
}

/// How long the other end may take nothing before an attack is over with writing.
const STUCK: Duration = Duration::from_secs(600);

/// How many PDUs are remembered.
const SEEN: usize = 4096;
