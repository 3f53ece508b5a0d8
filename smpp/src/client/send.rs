use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::late::Asked;
use super::outcome::{NotSentReason, SendError, Sent};
use super::pool::{ACCOUNT, Inner, Room, lock};
use super::turnstile::Place;
use super::{Client, ClientEvent, NotSent, RequestError};
use crate::correlation::{Answer, MessageKey};
use crate::driver;
use crate::message::{OnLoss, Sms};
use crate::pdu::{Operation, Pdu, SubmitSm};
use crate::session::Unanswered;
use crate::types::CommandStatus;

/// What became of one part.
type Outcome = Result<String, PartError>;

/// Why one part was not taken.
enum PartError {
    Refused(CommandStatus),
    NotSent(NotSentReason),
    Unanswered(Unanswered),
}

impl Client {
    /// Sends a message and waits until the message centre has taken all its parts.
    ///
    /// Parts go in order, before those of every later message, over one link while that is bound. They wait for a link,
    /// for the window and for the rate. What the message centre throttles is sent again, in its place, up to
    /// [`patience`](super::ClientConfig#structfield.patience).
    ///
    /// Dropped, what was not written is not sent; what was keeps its place in the window until it is answered or times
    /// out, and is then an event ([`ClientEvent::Abandoned`]).
    ///
    /// # Errors
    ///
    /// Says what is known of the message.
    pub async fn send(&self, sms: Sms) -> Result<Sent, SendError> {
        let inner = self.inner();
        let number = inner.keys.fetch_add(1, Ordering::Relaxed);
        self.send_as(format!("{:016x}-{number}", inner.prefix), sms).await
    }

    /// As [`send`](Self::send), under a name of the program's own, to be used once: events, and a store that outlives
    /// the process, know the message by it.
    ///
    /// # Errors
    ///
    /// Says what is known of the message.
    pub async fn send_as(&self, key: impl Into<MessageKey>, sms: Sms) -> Result<Sent, SendError> {
        let (inner, key) = (self.inner(), key.into());
        let not_sent = |why| SendError::NotSent { why, accepted: Vec::new() };
        if inner.draining.is_cancelled() {
            return Err(not_sent(NotSentReason::ShuttingDown));
        }
        let prepared = sms.prepare(self.profile(), &mut lock(&inner.references))?;
        let count = u8::try_from(prepared.parts.len()).unwrap_or(u8::MAX);
        // In line from now on, whoever comes later.
        let places = inner.turnstile.tickets(prepared.parts.len());
        let opened = inner.store.open(ACCOUNT, &key, count, driver::now()).await;
        inner.expired(opened.map_err(|error| not_sent(error.into()))?);
        let wants_receipt = sms.registered_delivery.0 != 0;
        let report = wants_receipt.then(|| inner.watch(&key));

        let dropped = CancellationToken::new();
        let guard = dropped.clone().drop_guard();
        let (told, outcome) = oneshot::channel();
        let on_loss = sms.on_loss.unwrap_or(inner.config.on_loss);
        let message = Message { inner: Arc::clone(inner), key: key.clone(), on_loss, dropped };
        inner.sending.spawn(message.send(prepared.parts, places, told));
        let ids = outcome.await.unwrap_or_else(|_| Err(not_sent(NotSentReason::ShuttingDown)));
        guard.disarm();
        // From now on it forgets who waits for receipts when it goes.
        let mut sent = Sent { key, ids: Vec::new(), charset: prepared.charset, report, client: Arc::downgrade(inner) };
        sent.ids = ids?;
        Ok(sent)
    }

    /// Sends a PDU as it is, such as a query_sm, and waits for its response. It takes its turn among the messages, waits
    /// for a link, the window and the rate as they do, and goes to the link with the most room. Nothing is sent again: what
    /// is throttled is an answer like any other, which pauses the messages behind.
    ///
    /// ```
    /// use smpp::client::Client;
    /// use smpp::pdu::QuerySm;
    ///
    /// # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let query = QuerySm { message_id: "4d19c83c".parse()?, ..Default::default() };
    /// println!("{:?}", client.request(query).await?.message_state);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropped before it is written, nothing is sent; afterwards it keeps its place in the window until it is answered or
    /// times out, and is then an event ([`ClientEvent::AbandonedRequest`]). An answer that comes after the time-out is one
    /// too ([`ClientEvent::LateRequest`]).
    ///
    /// # Errors
    ///
    /// It was refused, not sent, or what became of it is not known. [`NotSent::Closed`]: no link was free in time, or the
    /// client is shutting down.
    pub async fn request<P: Operation>(&self, request: P) -> Result<P::Response, RequestError> {
        let inner = self.inner();
        let closed = RequestError::NotSent(NotSent::Closed);
        let place = inner.turnstile.tickets(1).pop().filter(|_| !inner.draining.is_cancelled());
        let Some(place) = place else { return Err(closed) };
        let asked = async {
            let room = inner.turn(&place, &Mutex::new(None)).await.ok_or(closed)?;
            let is_trial = inner.pacer.is_trial();
            let mut asked = pin!(room.link.request_numbered(request.into()));
            // It is on its way before the next one gets its turn.
            let first = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await;
            if !is_trial {
                place.leave();
            }
            let (sent, outcome) = match first {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => asked.await,
            };
            let status = match &outcome {
                Ok(_) => Some(CommandStatus::ROK),
                Err(RequestError::Refused { status, .. }) => Some(*status),
                Err(_) => None,
            };
            if let Some(status) = status {
                inner.pacer.answered(status, driver::now());
            }
            if let (Err(RequestError::Unanswered(Unanswered::TimedOut)), Some(sent)) = (&outcome, sent) {
                inner.may_be_late(room.slot, sent, Asked::Request(P::COMMAND_ID)).await;
            }
            // The session has seen to it that it is the right one.
            P::response(outcome?.pdu).ok_or(RequestError::Unanswered(Unanswered::Mismatched))
        };
        inner.sending.track_future(asked).await
    }
}

/// One message on its way.
struct Message {
    inner: Arc<Inner>,
    key: MessageKey,
    on_loss: OnLoss,
    /// Whether nobody waits for it any more.
    dropped: CancellationToken,
}

impl Message {
    async fn send(
        self,
        parts: Vec<SubmitSm>,
        places: Vec<Place>,
        told: oneshot::Sender<Result<Vec<String>, SendError>>,
    ) {
        let link = Mutex::new(None);
        let parts = (1..=u8::MAX).zip(parts.into_iter().zip(places)).map(|(number, (part, place))| {
            let (this, link) = (&self, &link);
            async move {
                let outcome = this.part(number, &part, &place, link).await;
                drop(place);
                let answer = match &outcome {
                    Ok(id) => Answer::Accepted { id: id.clone() },
                    Err(PartError::Unanswered(_)) => Answer::Unanswered,
                    Err(_) => Answer::Refused,
                };
                this.inner.answered(&this.key, number, answer).await;
                outcome
            }
        });
        let outcome = merge(join_all(parts).await);
        if let Err(outcome) = told.send(outcome) {
            self.inner.forget(&self.key);
            self.inner.tell(ClientEvent::Abandoned { message: self.key.clone(), outcome });
        }
    }

    /// Sends one part until it is answered for good.
    async fn part(&self, number: u8, part: &SubmitSm, place: &Place, link: &Mutex<Option<usize>>) -> Outcome {
        let patience = Instant::from_std(driver::now()) + self.inner.config.patience;
        // Sent again since the program wants it so: a time before, it may have been taken.
        let mut before = None;
        loop {
            let room = tokio::select! {
                biased;
                () = self.dropped.cancelled() => Err(PartError::NotSent(NotSentReason::Dropped)),
                room = self.inner.turn(place, link) => room.ok_or(PartError::NotSent(NotSentReason::NoLink)),
            };
            let room = room.map_err(|error| before.map_or(error, PartError::Unanswered))?;
            *lock(link) = Some(room.slot);
            let mut request = pin!(room.link.request_numbered(part.clone().into()));
            // It is on its way before the next one gets its turn; a trial is answered before.
            let is_trial = self.inner.pacer.is_trial();
            let first = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
            if !is_trial {
                place.leave();
            }
            let (sent, outcome) = match first {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => request.await,
            };
            let error = match outcome {
                Ok(response) => {
                    self.inner.pacer.answered(CommandStatus::ROK, driver::now());
                    return Ok(message_id(response.pdu));
                }
                Err(error) => error,
            };
            let may_wait = Instant::from_std(driver::now()) < patience;
            let error = match error {
                RequestError::Refused { status, .. } => {
                    if self.inner.pacer.answered(status, driver::now()) && may_wait {
                        continue;
                    }
                    PartError::Refused(status)
                }
                RequestError::Unanswered(why) => {
                    if why == Unanswered::Closed && self.on_loss == OnLoss::Resubmit && may_wait {
                        before = Some(why);
                        continue;
                    }
                    if let (Unanswered::TimedOut, Some(sent)) = (why, sent) {
                        self.inner.may_be_late(room.slot, sent, Asked::Part(self.key.clone(), number)).await;
                    }
                    PartError::Unanswered(why)
                }
                RequestError::NotSent(NotSent::Closed | NotSent::Unbinding) => continue,
                RequestError::NotSent(why) => PartError::NotSent(NotSentReason::NotAllowed(why)),
                RequestError::Invalid(error) => PartError::NotSent(error.into()),
            };
            return Err(before.map_or(error, PartError::Unanswered));
        }
    }
}

impl Inner {
    /// Waits for its turn, a place on a link and the rate; steps aside for who comes back from before. None if no link is
    /// there in time.
    async fn turn(&self, place: &Place, link: &Mutex<Option<usize>>) -> Option<Room> {
        loop {
            place.turn().await;
            let ready = async {
                let room = self.wait_for_room(link).await?;
                self.wait_for_rate().await;
                Some(room)
            };
            tokio::select! {
                biased;
                () = place.overtaken() => place.step_aside(),
                room = ready => return room,
            }
        }
    }

    /// Waits for a place on a link: the one that the message is on, while it is bound.
    async fn wait_for_room(&self, link: &Mutex<Option<usize>>) -> Option<Room> {
        let wait = async {
            loop {
                if let Some(room) = self.room(*lock(link)) {
                    return room;
                }
                self.freed().await;
            }
        };
        tokio::time::timeout(self.config.max_wait, wait).await.ok()
    }

    async fn wait_for_rate(&self) {
        while let Err(at) = self.pacer.take(driver::now()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }
}

/// The identifier that a submit_sm_resp gives; empty if it has no body.
pub(super) fn message_id(response: Pdu) -> String {
    let response = <SubmitSm as Operation>::response(response).unwrap_or_default();
    response.message_id.to_text().into_owned()
}

/// Of several parts the one of which the least is known counts: unanswered, refused, not sent.
fn merge(outcomes: Vec<Outcome>) -> Result<Vec<String>, SendError> {
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for (part, outcome) in (1..=u8::MAX).zip(outcomes) {
        match outcome {
            Ok(id) => accepted.push(id),
            Err(error) => failed.push((part, error)),
        }
    }
    let certainty = |(_, error): &(u8, PartError)| match error {
        PartError::Unanswered(_) => 0,
        PartError::Refused(_) => 1,
        PartError::NotSent(_) => 2,
    };
    match failed.into_iter().min_by_key(certainty) {
        None => Ok(accepted),
        Some((part, PartError::Refused(status))) => Err(SendError::Refused { status, part, accepted }),
        Some((_, PartError::NotSent(why))) => Err(SendError::NotSent { why, accepted }),
        Some((_, PartError::Unanswered(why))) => Err(SendError::Unanswered { why, accepted }),
    }
}
