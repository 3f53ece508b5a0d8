//! How the driver moves octets, seen from below: over a stream that counts writes, and one that takes an octet at a time.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod esme;

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use smpp::pdu::SubmitSm;
use smpp::server::{Account, BindRequest, Config, Request, Server, Service};
use smpp::types::CommandStatus;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::time::{Duration, sleep};

use self::esme::{Esme, submit};

/// Answers in the method, or all together once a message says so.
#[derive(Default)]
struct Gathering {
    kept: Mutex<Vec<Request<SubmitSm>>>,
}

impl Service for Gathering {
    async fn on_bind(&self, _: BindRequest) -> Result<Account, CommandStatus> {
        Ok(Account::new("kudu"))
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        if submit.pdu.short_message.as_bytes() != &b"keep"[..] {
            return submit.accept("1".parse().unwrap());
        }
        let mut kept = self.kept.lock().unwrap();
        kept.push(submit);
        if kept.len() == 20 {
            // Each by a task of its own, as applications do.
            let kept = std::mem::take(&mut *kept);
            // The first wakes the link, and the others, each a task of its own, come behind it.
            tokio::spawn(async move {
                let mut kept = kept.into_iter();
                kept.next().unwrap().accept("1".parse().unwrap());
                for submit in kept {
                    tokio::spawn(async move { submit.accept("1".parse().unwrap()) });
                }
            });
        }
    }
}

struct Seen {
    io: DuplexStream,
    writes: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
    /// Most octets that one write takes.
    most: usize,
}

impl Seen {
    fn new(io: DuplexStream) -> Self {
        Self { io, writes: Arc::default(), reads: Arc::default(), most: usize::MAX }
    }
}

impl AsyncRead for Seen {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.io).poll_read(context, to)
    }
}

impl AsyncWrite for Seen {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let most = octets.len().min(self.most);
        let wrote = Pin::new(&mut self.io).poll_write(context, &octets[..most]);
        if wrote.is_ready() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Sends so many messages of this text in one segment; how many writes the answers took.
async fn writes(text: &str, messages: u32, most: usize, buffer: usize) -> usize {
    let writes = Arc::new(AtomicUsize::new(0));
    let server = Server::new(Gathering::default(), Config::default());
    let (ours, theirs) = duplex(buffer);
    server.serve(Seen { writes: Arc::clone(&writes), most, ..Seen::new(theirs) }, None).unwrap();
    let mut esme = Esme::over(ours).bind("kudu").await;
    writes.store(0, Ordering::Relaxed);
    esme.send_all((2..).zip((0..messages).map(|_| submit(text)))).await;
    let mut answers = esme.answers(messages.try_into().unwrap()).await;
    answers.sort_unstable();
    assert_eq!(answers, (2..messages + 2).map(|number| (number, CommandStatus::ROK)).collect::<Vec<_>>());
    writes.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn what_comes_of_a_read_is_written_together() {
    assert_eq!(writes("hello", 1, usize::MAX, 64 * 1024).await, 1);
    assert_eq!(writes("hello", 30, usize::MAX, 64 * 1024).await, 1);
    assert_eq!(writes("hello", 100, usize::MAX, 64 * 1024).await, 4);
}

#[tokio::test(start_paused = true)]
async fn answers_of_many_tasks_are_written_together() {
    assert_eq!(writes("keep", 20, usize::MAX, 64 * 1024).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_little_loses_nothing() {
    writes("hello", 100, 1, 64 * 1024).await;
    writes("hello", 1, usize::MAX, 7).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_link_is_one_task_and_wakes_for_its_own_timers_only() {
    let reads = Arc::new(AtomicUsize::new(0));
    let server = Server::new(Gathering::default(), Config::default());
    let (ours, theirs) = duplex(1024);
    server.serve(Seen { reads: Arc::clone(&reads), ..Seen::new(theirs) }, None).unwrap();
    let mut esme = Esme::over(ours).bind("kudu").await;
    esme.send(2, submit("hello")).await;
    esme.answers(1).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1);
    reads.store(0, Ordering::Relaxed);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    // Once for enquire_link, with a look at the stream before and behind it.
    sleep(Duration::from_secs(29)).await;
    assert_eq!(reads.load(Ordering::Relaxed), 2);
}
