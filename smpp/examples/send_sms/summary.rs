use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use smpp::client::{ReceiptError, SendError, Sent};
use smpp::correlation::MessageReport;
use smpp::receipt::Outcome;

/// What became of all messages.
pub(crate) struct Summary {
    accepted: u64,
    parts: u64,
    refused: u64,
    not_sent: u64,
    unanswered: u64,
    /// Neither accepted nor given up.
    pub(crate) unfinished: usize,
    delivered: u64,
    failed: u64,
    unknown: u64,
    pub(crate) took: Duration,
    /// In microseconds.
    accepting: Histogram<u64>,
    delivering: Histogram<u64>,
}

impl Summary {
    pub(crate) fn new(messages: usize) -> anyhow::Result<Self> {
        Ok(Self {
            accepted: 0,
            parts: 0,
            refused: 0,
            not_sent: 0,
            unanswered: 0,
            unfinished: messages,
            delivered: 0,
            failed: 0,
            unknown: 0,
            took: Duration::ZERO,
            accepting: Histogram::new(3)?,
            delivering: Histogram::new(3)?,
        })
    }

    /// Whether every message was accepted, and delivered if that is known of any.
    pub(crate) fn is_success(&self) -> bool {
        let failures = [self.refused, self.not_sent, self.unanswered, self.failed, self.unknown];
        self.unfinished == 0 && failures.iter().all(|failures| *failures == 0)
    }

    /// It ends early, while receipts of so many messages are waited for.
    pub(crate) fn interrupted(&mut self, receipts: usize) -> anyhow::Result<()> {
        self.unknown += u64::try_from(receipts)?;
        Ok(())
    }

    pub(crate) fn sent(&mut self, sent: &Result<Sent, SendError>, took: Duration) -> anyhow::Result<()> {
        self.unfinished = self.unfinished.saturating_sub(1);
        match sent {
            Ok(sent) => {
                self.accepted += 1;
                self.parts += u64::try_from(sent.parts())?;
                self.accepting.record(u64::try_from(took.as_micros())?)?;
            }
            Err(SendError::Refused { .. }) => self.refused += 1,
            Err(SendError::Unanswered { .. }) => self.unanswered += 1,
            Err(_) => self.not_sent += 1,
        }
        Ok(())
    }

    pub(crate) fn receipt(
        &mut self,
        receipt: &Result<MessageReport, ReceiptError>,
        took: Duration,
    ) -> anyhow::Result<()> {
        match receipt.as_ref().map(MessageReport::outcome) {
            Ok(Outcome::Delivered) => self.delivered += 1,
            Ok(Outcome::Failed) => self.failed += 1,
            Ok(_) | Err(_) => {
                self.unknown += 1;
                return Ok(());
            }
        }
        Ok(self.delivering.record(u64::try_from(took.as_micros())?)?)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, parts, refused, not_sent, unanswered, .. } = self;
        writeln!(
            f,
            "accepted {accepted} ({parts} parts), refused {refused}, not sent {not_sent}, unanswered {unanswered}"
        )?;
        if self.unfinished > 0 {
            writeln!(f, "interrupted: {} not finished, some of which may have been sent", self.unfinished)?;
        }
        let seconds = self.took.as_secs_f64().max(f64::MIN_POSITIVE);
        write!(
            f,
            "{seconds:.3} s, {:.0} messages/s, {:.0} PDUs/s",
            *accepted as f64 / seconds,
            *parts as f64 / seconds
        )?;
        percentiles(f, "until accepted", &self.accepting)?;
        if self.delivered + self.failed + self.unknown > 0 {
            let Self { delivered, failed, unknown, .. } = self;
            write!(f, "\ndelivered {delivered}, failed {failed}, unknown {unknown}")?;
            percentiles(f, "until the receipt", &self.delivering)?;
        }
        Ok(())
    }
}

fn percentiles(f: &mut fmt::Formatter<'_>, what: &str, histogram: &Histogram<u64>) -> fmt::Result {
    if histogram.is_empty() {
        return Ok(());
    }
    let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
    let max = Duration::from_micros(histogram.max());
    write!(f, "\n{what}: p50 {:?}, p90 {:?}, p99 {:?}, most {max:?}", at(0.5), at(0.9), at(0.99))
}
