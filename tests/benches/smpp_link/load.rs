//! A load of requests, as many at once as the window, and what comes of it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::process::cpu;

/// What a client is to do.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// Process of the server.
    pub(crate) server: u32,
    pub(crate) window: usize,
    pub(crate) binds: usize,
    pub(crate) time: Duration,
}

/// What came of a load.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Figures {
    pub(crate) messages: f64,
    pub(crate) seconds: f64,
    /// In microseconds, as are the next three.
    pub(crate) client_cpu: f64,
    pub(crate) server_cpu: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Figures {
    pub(crate) fn rate(&self) -> f64 {
        self.messages / self.seconds
    }
}

/// A bind that sends messages.
pub(crate) trait Submit: Clone + Send + Sync + 'static {
    /// Builds a message, sends it, and waits for its response.
    fn submit(&self) -> impl Future<Output = ()> + Send;
}

/// What each task is to do: warm up, count, stop.
#[derive(Clone)]
pub(crate) struct Phase(Arc<AtomicU8>);

impl Phase {
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 2
    }

    pub(crate) fn counts(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 1
    }
}

/// What one task counted.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) messages: usize,
    pub(crate) latencies: Vec<Duration>,
}

/// One latency of so many is kept.
pub(crate) const SAMPLE: usize = 16;
const WARM_UP: Duration = Duration::from_millis(300);

impl Load {
    /// One task for each place in the window of each bind.
    pub(crate) async fn run<S: Submit>(&self, binds: Vec<S>) -> anyhow::Result<Figures> {
        self.measure(|phase, counts| {
            for bind in &binds {
                for _ in 0..self.window {
                    let (bind, phase, counts) = (bind.clone(), phase.clone(), counts.clone());
                    tokio::spawn(async move {
                        let _ = counts.send(keep_sending(bind, phase).await);
                    });
                }
            }
        })
        .await
    }

    /// Measures what tasks count that are started here. A task that is stuck is not waited for.
    pub(crate) async fn measure(
        &self,
        start: impl FnOnce(&Phase, &mpsc::UnboundedSender<Count>),
    ) -> anyhow::Result<Figures> {
        let phase = Phase(Arc::default());
        let (sender, mut counts) = mpsc::unbounded_channel();
        start(&phase, &sender);
        drop(sender);
        tokio::time::sleep(WARM_UP).await;
        let (client, server, began) = (cpu(std::process::id()), cpu(self.server), Instant::now());
        phase.0.store(1, Ordering::Relaxed);
        tokio::time::sleep(self.time).await;
        phase.0.store(2, Ordering::Relaxed);
        let seconds = began.elapsed().as_secs_f64();
        let (client_cpu, server_cpu) = (cpu(std::process::id()) - client, cpu(self.server) - server);
        let mut total = Count::default();
        while let Ok(Some(count)) = tokio::time::timeout(Duration::from_millis(300), counts.recv()).await {
            total.messages += count.messages;
            total.latencies.extend(count.latencies);
        }
        total.latencies.sort_unstable();
        let percentile = |percent: usize| {
            let at = total.latencies.len() * percent / 100;
            total.latencies.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
        };
        let (p50, p99) = (percentile(50), percentile(99));
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        let messages = total.messages as f64;
        Ok(Figures { messages, seconds, client_cpu, server_cpu, p50: finite(p50), p99: finite(p99) })
    }
}

async fn keep_sending<S: Submit>(bind: S, phase: Phase) -> Count {
    let mut count = Count::default();
    let mut sent = 0usize;
    while !phase.is_over() {
        sent += 1;
        if sent.is_multiple_of(SAMPLE) {
            let began = Instant::now();
            bind.submit().await;
            if phase.counts() {
                count.latencies.push(began.elapsed());
            }
        } else {
            bind.submit().await;
        }
        if phase.counts() {
            count.messages += 1;
        }
    }
    count
}

/// What all send: submit_sm of 155 octets.
pub(crate) const SOURCE: &str = "27831110000";
pub(crate) const DESTINATION: &str = "27831234567";
pub(crate) const TEXT: &str =
    "One hundred octets of text, in ASCII, as they are in most of the messages that are sent all the day.";
