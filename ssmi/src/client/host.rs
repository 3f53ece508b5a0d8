use std::collections::HashMap;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::submission::Progress;
use super::{Error, Event, Status};
use crate::command::{DeliveryReport, ImsiLookupReply, Request};
use crate::driver;
use crate::session::{ClientEvent, ClientSession, Ticket, Unanswered, may_get_sequence};
use crate::types::Octets;

/// What a handle wants done.
pub(super) enum Command {
    /// Send this, follow it up as told, and say when it was written.
    Request {
        request: Request,
        follow: Follow,
        reply: oneshot::Sender<Result<Ticket, Error>>,
    },
    Logout,
    Close,
}

/// Who is told what is heard of a request.
pub(super) enum Follow {
    /// Whoever reads the events.
    Events,
    Submission(watch::Sender<Progress>),
    Lookup(oneshot::Sender<Result<ImsiLookupReply, Unanswered>>),
}

/// The handles of a client, as its sessions see them.
pub(super) struct Host {
    status: watch::Sender<Status>,
    submissions: HashMap<Ticket, watch::Sender<Progress>>,
    lookups: HashMap<Ticket, oneshot::Sender<Result<ImsiLookupReply, Unanswered>>>,
    logged_in: bool,
    leaving: bool,
}

impl Host {
    pub(super) fn new(status: watch::Sender<Status>) -> Self {
        Self { status, submissions: HashMap::new(), lookups: HashMap::new(), logged_in: false, leaving: false }
    }

    /// Whether the program wants to be gone.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Whether there was a login since this was last asked.
    pub(super) fn take_logged_in(&mut self) -> bool {
        std::mem::take(&mut self.logged_in)
    }

    pub(super) fn set_status(&self, status: Status) {
        self.status.send_replace(status);
    }

    fn leave(&mut self) {
        self.leaving = true;
        self.set_status(Status::Leaving);
    }

    /// Notes what is known of a message. Says whether anybody wants to know.
    fn progress(&mut self, ticket: Ticket, last: bool, note: impl FnOnce(&mut Progress)) -> bool {
        let Some(progress) = self.submissions.get(&ticket) else { return false };
        progress.send_modify(note);
        let told = progress.receiver_count() > 0;
        if last {
            self.submissions.remove(&ticket);
        }
        told
    }

    fn looked_up(&mut self, ticket: Ticket, result: Result<ImsiLookupReply, Unanswered>) -> bool {
        self.lookups.remove(&ticket).is_some_and(|lookup| lookup.send(result).is_ok())
    }
}

impl driver::Host<ClientSession> for Host {
    type Command = Command;
    type Event = Event;
    type Receipt = Receipt;

    fn command(&mut self, command: Option<Command>, session: &mut ClientSession, now: Instant) -> Option<Receipt> {
        match command {
            // Whoever does not wait for the answer any more was told that it was not sent.
            Some(Command::Request { reply, .. }) if reply.is_closed() => None,
            Some(Command::Request { request, follow, reply }) => {
                let followed = may_get_sequence(&request);
                match session.request(request, now) {
                    Ok(ticket) => {
                        match follow {
                            Follow::Submission(progress) if followed => {
                                self.submissions.insert(ticket, progress);
                            }
                            Follow::Events | Follow::Submission(_) => {}
                            Follow::Lookup(lookup) => {
                                self.lookups.insert(ticket, lookup);
                            }
                        }
                        Some(Receipt { ticket, reply })
                    }
                    Err(error) => {
                        let _ = reply.send(Err(error.into()));
                        None
                    }
                }
            }
            Some(Command::Logout) | None => {
                self.leave();
                session.logout(now);
                None
            }
            Some(Command::Close) => {
                self.leave();
                session.close();
                None
            }
        }
    }

    fn event(&mut self, event: ClientEvent) -> Option<Event> {
        let told = match &event {
            ClientEvent::LoggedIn => {
                self.logged_in = true;
                self.set_status(Status::Up);
                return Some(Event::Up);
            }
            ClientEvent::Sequenced { ticket, seq } => {
                self.progress(*ticket, false, |progress| progress.sequence = Some(Ok(seq.sequence.detach())))
            }
            ClientEvent::NotSequenced { ticket, why } => self.progress(*ticket, true, |progress| {
                progress.sequence = Some(Err(*why));
                progress.report = Some(Err(*why));
            }),
            ClientEvent::Report { ticket: Some(ticket), report } => {
                self.progress(*ticket, true, |progress| progress.report = Some(Ok(detached(report))))
            }
            ClientEvent::NotReported { ticket, why } => {
                self.progress(*ticket, true, |progress| progress.report = Some(Err(*why)))
            }
            ClientEvent::LookedUp { ticket, reply } => self.looked_up(*ticket, Ok(reply.clone())),
            ClientEvent::NotLookedUp { ticket, why } => self.looked_up(*ticket, Err(*why)),
            _ => false,
        };
        (!told).then_some(Event::Session(event))
    }
}

/// A report that does not hold on to the read buffer.
fn detached(report: &DeliveryReport) -> DeliveryReport {
    DeliveryReport {
        msisdn: report.msisdn.detach(),
        sequence: report.sequence.detach(),
        ret_code: Octets::from(report.ret_code.as_ref().to_vec()).into(),
    }
}

/// Tells a handle that its request was written.
pub(super) struct Receipt {
    ticket: Ticket,
    reply: oneshot::Sender<Result<Ticket, Error>>,
}

impl driver::Receipt for Receipt {
    fn written(self) {
        let _ = self.reply.send(Ok(self.ticket));
    }
}
