use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::command::DeliveryReport;
use crate::session::{Ticket, Unanswered};
use crate::types::Octets;

/// A message that was sent, and what is heard of it: its id, and its delivery report.
///
/// Neither need come. Both can be awaited again, from several clones, and after a reconnect; waiting may be cancelled
/// without a loss. Once every clone is dropped, what comes is told as an [event](super::Event::Session) instead.
#[derive(Clone, Debug)]
pub struct Submission {
    ticket: Ticket,
    progress: watch::Receiver<Progress>,
}

impl Submission {
    pub(super) fn new(ticket: Ticket, progress: watch::Receiver<Progress>) -> Self {
        Self { ticket, progress }
    }

    /// What events call this message.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The gateway's id for the message, if it comes within this time. The session itself waits for
    /// [`sequence_timeout`](crate::session::ClientConfig#structfield.sequence_timeout).
    ///
    /// # Errors
    ///
    /// Why it is not known. Of a message without an id, no report is known either.
    pub async fn sequence(&mut self, within: Duration) -> Result<Octets, Unanswered> {
        self.wait(within, |progress| progress.sequence.clone()).await
    }

    /// What became of the message, if that is told within this time. The session itself waits for
    /// [`report_timeout`](crate::session::ClientConfig#structfield.report_timeout), over reconnects.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub async fn report(&mut self, within: Duration) -> Result<DeliveryReport, Unanswered> {
        self.wait(within, |progress| progress.report.clone()).await
    }

    async fn wait<T>(
        &mut self,
        within: Duration,
        known: impl Fn(&Progress) -> Option<Result<T, Unanswered>>,
    ) -> Result<T, Unanswered> {
        match timeout(within, self.progress.wait_for(|progress| known(progress).is_some())).await {
            Ok(Ok(progress)) => known(&progress).unwrap_or(Err(Unanswered::Closed)),
            // Nobody is left who would tell.
            Ok(Err(_)) => Err(Unanswered::Closed),
            Err(_) => Err(Unanswered::TimedOut),
        }
    }
}

/// What is known of a message; none for not yet.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) sequence: Option<Result<Octets, Unanswered>>,
    pub(super) report: Option<Result<DeliveryReport, Unanswered>>,
}
