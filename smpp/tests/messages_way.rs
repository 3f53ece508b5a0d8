//! Whatever the way does to what a client and a message centre send each other, each `send` ends in one outcome that is
//! true, and no receipt is taken for another message's.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use futures::StreamExt;
use proptest::prelude::*;
use smpp::client::{Client, ClientConfig, ClientEvent, Connecting, Connector, LinkSettings, SendError, Stream};
use smpp::codec::Limits;
use smpp::correlation::{Expired, MessageKey};
use smpp::framing::Codec;
use smpp::message::{OnLoss, Sms};
use smpp::pdu::{Frame, Pdu};
use smpp::session::Unanswered;
use smpp::testkit::{Answer, Smsc};
use smpp::types::{CommandStatus, MessageState};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::FramedRead;

/// What becomes of an answer or a receipt on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// So many seconds later, and so behind others.
    Arrives(u64),
    /// At once, and again.
    Twice(u64),
    Lost,
}

/// Where a link is lost: of what the client sends (or else the message centre) so many octets arrive after the bind.
#[derive(Clone, Copy, Debug)]
struct Cut {
    outward: bool,
    octets: usize,
}

/// The way between the two; connections have their cuts and PDUs their fates in turn, and none once they are used up.
struct Way {
    smsc: Smsc,
    cuts: Mutex<VecDeque<Option<Cut>>>,
    fates: Mutex<VecDeque<Fate>>,
}

struct Over(Arc<Way>);

impl Connector for Over {
    fn connect<'a>(&'a self, _: &'a LinkSettings) -> Connecting<'a> {
        Box::pin(async {
            let (near, far) = duplex(64 * 1024);
            tokio::spawn(Arc::clone(&self.0).carry(far));
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

impl Way {
    /// Carries what both ends of a connection send, until one direction ends.
    async fn carry(self: Arc<Self>, client: DuplexStream) {
        let cut = self.cuts.lock().unwrap().pop_front().flatten();
        let of = |outward| cut.filter(|cut| cut.outward == outward).map(|cut| cut.octets);
        let (from_client, to_client) = split(client);
        let (from_smsc, to_smsc) = split(self.smsc.connect());
        tokio::select! {
            () = self.carry_one_way(from_client, to_smsc, of(true), false) => {}
            () = self.carry_one_way(from_smsc, to_client, of(false), true) => {}
        }
    }

    async fn carry_one_way(
        &self,
        from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        mut left: Option<usize>,
        has_fates: bool,
    ) {
        let mut frames = FramedRead::new(from, Codec::new(Limits::esme()));
        let mut on_way: Vec<(Instant, Frame)> = Vec::new();
        loop {
            let due = on_way.iter().map(|(due, _)| *due).min();
            let frame = tokio::select! {
                frame = frames.next() => match frame {
                    Some(frame) => frame.unwrap().unwrap(),
                    None => return,
                },
                () = async { sleep_until(due.unwrap()).await }, if due.is_some() => {
                    let at = on_way.iter().position(|(at, _)| Some(*at) == due).unwrap();
                    let (_, frame) = on_way.remove(at);
                    if write(&mut to, frame, &mut left).await { continue } else { return }
                }
            };
            let is_fated = has_fates && matches!(frame.pdu, Pdu::SubmitSmResp(_) | Pdu::DeliverSm(_));
            let fate = if is_fated { self.fates.lock().unwrap().pop_front() } else { None };
            let later = |seconds| Instant::now() + Duration::from_secs(seconds);
            match fate.unwrap_or(Fate::Arrives(0)) {
                Fate::Arrives(0) if !write(&mut to, frame.clone(), &mut left).await => return,
                Fate::Arrives(0) | Fate::Lost => {}
                Fate::Arrives(seconds) => on_way.push((later(seconds), frame)),
                Fate::Twice(seconds) => on_way.extend([(later(0), frame.clone()), (later(seconds), frame)]),
            }
        }
    }
}

/// Says whether the link is still there.
async fn write(to: &mut (impl AsyncWrite + Unpin), frame: Frame, left: &mut Option<usize>) -> bool {
    let is_bind = matches!(frame.pdu, Pdu::BindTransceiver(_) | Pdu::BindTransceiverResp(_));
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    let Some(left) = left.as_mut().filter(|_| !is_bind) else { return to.write_all(&octets).await.is_ok() };
    octets.truncate(*left);
    let is_cut = *left <= octets.len();
    *left -= octets.len();
    to.write_all(&octets).await.is_ok() && !is_cut
}

/// Of each seven messages one is refused, and one when it comes again.
const REFUSED: usize = 6;
const REFUSED_AGAIN: usize = 5;

/// What the receipt of a message says.
fn state(message: usize) -> MessageState {
    [MessageState::DELIVERED, MessageState::UNDELIVERABLE, MessageState::EXPIRED, MessageState::REJECTED][message % 4]
}

/// What the message centre knows.
#[derive(Default)]
struct Known {
    /// The message that each identifier was given to.
    ids: HashMap<String, usize>,
    /// How often each was seen.
    seen: HashMap<usize, usize>,
}

struct Case {
    messages: usize,
    window: usize,
    on_loss: OnLoss,
    cuts: Vec<Option<Cut>>,
    fates: Vec<Fate>,
}

async fn play(case: Case) -> Result<(), TestCaseError> {
    let smsc = Smsc::start();
    let known = Arc::new(Mutex::new(Known::default()));
    let noted = Arc::clone(&known);
    smsc.on_submit(move |submit| {
        let message = String::from_utf8_lossy(submit.short_message.as_bytes()).parse().unwrap();
        let mut noted = noted.lock().unwrap();
        let seen = noted.seen.entry(message).or_default();
        *seen += 1;
        if message % 7 == REFUSED || message % 7 == REFUSED_AGAIN && *seen > 1 {
            return Answer::refuse(CommandStatus::RINVDSTADR);
        }
        let id = format!("m{}", noted.ids.len());
        noted.ids.insert(id.clone(), message);
        Answer::accept_as(id.parse().unwrap()).then_receipt(state(message))
    });
    let way = Way { smsc, cuts: Mutex::new(case.cuts.into()), fates: Mutex::new(case.fates.into()) };
    let url = format!("smpp://kudu@smsc.example?window={}&response_timeout=20", case.window);
    let config = ClientConfig::default().on_loss(case.on_loss).max_wait(Duration::from_secs(3_600));
    let builder = Client::builder().url(&url).unwrap().url(&url).unwrap().connector(Over(Arc::new(way)));
    let client = builder.config(config).seed(1).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let sends = (0..case.messages).map(async |message| {
        let sms = Sms::to("27831234567").text(message.to_string()).receipt();
        let sent = client.send_as(message.to_string(), sms).await?;
        let receipt = sent.receipt(Duration::from_secs(300)).await.ok();
        Ok((sent.ids().to_vec(), receipt.and_then(|report| report.state())))
    });
    let outcomes: Vec<Result<_, SendError>> = futures::future::join_all(sends).await;

    let known = known.lock().unwrap();
    let mut timed_out = Vec::new();
    for (message, outcome) in outcomes.iter().enumerate() {
        let seen = known.seen.get(&message).copied().unwrap_or(0);
        let is_true = match outcome {
            Ok((ids, receipt)) => {
                ids.len() == 1
                    && known.ids.get(&ids[0]) == Some(&message)
                    && receipt.is_none_or(|is| is == state(message))
            }
            Err(SendError::Refused { status, .. }) => {
                seen > 0 && !known.ids.values().any(|taken| *taken == message) && *status == CommandStatus::RINVDSTADR
            }
            Err(SendError::NotSent { .. }) => seen == 0,
            Err(SendError::Unanswered { why, .. }) => {
                // Sent again after a loss, it says that, whatever became of it then.
                if *why == Unanswered::TimedOut || case.on_loss == OnLoss::Resubmit {
                    timed_out.push(message);
                }
                true
            }
            Err(SendError::Invalid(_)) | Err(_) => false,
        };
        let is_once = seen <= 1 || case.on_loss == OnLoss::Resubmit;
        prop_assert!(is_true && is_once, "{message}: {outcome:?}, seen {seen} times");
    }
    let number = |key: &MessageKey| key.to_string().parse::<usize>().unwrap();
    while let Some(event) = events.try_recv() {
        match event {
            ClientEvent::Late { message, part: 1, outcome } => {
                let message = number(&message);
                // Once at most, and of no message whose outcome was told to be another.
                let at = timed_out.iter().position(|timed_out| *timed_out == message);
                prop_assert!(at.map(|at| timed_out.remove(at)).is_some(), "{message} is late: {outcome:?}");
                match outcome {
                    Ok(id) => prop_assert_eq!(known.ids.get(&id), Some(&message)),
                    Err(status) => {
                        let is_refused = message % 7 == REFUSED || message % 7 == REFUSED_AGAIN;
                        prop_assert_eq!((is_refused, status), (true, CommandStatus::RINVDSTADR));
                    }
                }
            }
            ClientEvent::Receipt { receipt, credited: Some(credited) } => {
                prop_assert_eq!(known.ids.get(receipt.id.as_ref().unwrap()), Some(&number(&credited.message)));
            }
            ClientEvent::Credited(credited) => {
                prop_assert_eq!(credited.report.state(), Some(state(number(&credited.message))));
            }
            // Its response was lost: nobody can know whose it is.
            ClientEvent::Expired(Expired::Receipt(receipt)) => {
                let message = known.ids[receipt.id.as_ref().unwrap()];
                let is_unknown = matches!(outcomes[message], Err(SendError::Unanswered { .. }));
                prop_assert!(is_unknown || case.on_loss == OnLoss::Resubmit, "{message}: {receipt:?}");
            }
            ClientEvent::Receipt { .. } | ClientEvent::Bound { .. } | ClientEvent::Lost { .. } => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
    Ok(())
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Arrives(0)),
        3 => (1..50u64).prop_map(Fate::Arrives),
        1 => (0..50u64).prop_map(Fate::Twice),
        1 => Just(Fate::Lost),
    ]
}

fn cut() -> impl Strategy<Value = Option<Cut>> {
    prop::option::of((any::<bool>(), 0..1_000usize).prop_map(|(outward, octets)| Cut { outward, octets }))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_send_ends_in_one_outcome_that_is_true(
        (messages, window) in (1usize..24, 1usize..6),
        on_loss in prop::sample::select(&[OnLoss::Report, OnLoss::Resubmit][..]),
        cuts in prop::collection::vec(cut(), 0..8),
        fates in prop::collection::vec(fate(), 0..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let played = play(Case { messages, window, on_loss, cuts, fates });
        let day = Duration::from_secs(86_400);
        runtime.block_on(async { timeout(day, played).await.expect("nothing hangs") })?;
    }
}
