//! Whatever a message centre does with messages, each `send` ends in exactly one outcome, and in one that is true.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod in_memory;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use smpp::client::{Client, ClientConfig, ClientEvent, SendError};
use smpp::message::{OnLoss, Sms};
use smpp::receipt::Outcome;
use smpp::testkit::{Answer, Smsc};
use smpp::types::{CommandStatus, MessageState};

use self::in_memory::InMemory;

/// What a message centre does with a message when it first sees it; a second time it accepts.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Accept,
    Late,
    TooLate,
    Refuse,
    Throttle,
    Full,
    Never,
    Cut,
}

impl Fate {
    fn answer(self) -> Answer {
        let delivered = |answer: Answer| answer.then_receipt(MessageState::DELIVERED);
        match self {
            Self::Accept => delivered(Answer::accept()),
            Self::Late => delivered(Answer::accept().after(Duration::from_secs(9))),
            Self::TooLate => delivered(Answer::accept().after(Duration::from_secs(25))),
            Self::Refuse => Answer::refuse(CommandStatus::RINVDSTADR),
            Self::Throttle => Answer::throttle(),
            Self::Full => Answer::refuse(CommandStatus::RMSGQFUL),
            Self::Never => Answer::never(),
            Self::Cut => Answer::cut_link(),
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    use Fate::{Accept, Cut, Full, Late, Never, Refuse, Throttle, TooLate};
    prop_oneof![
        4 => Just(Accept),
        1 => prop::sample::select(&[Late, TooLate, Refuse, Throttle, Full, Never, Cut][..]),
    ]
}

fn on_loss() -> impl Strategy<Value = Option<OnLoss>> {
    prop::option::of(prop::sample::select(&[OnLoss::Report, OnLoss::Resubmit][..]))
}

/// A message: its fate, and what it says itself of a loss.
type Message = (Fate, Option<OnLoss>);

/// Sends as many messages as there are at once; gives their outcomes, and how often each was seen.
async fn send_all(
    messages: &[Message],
    window: usize,
    on_loss: OnLoss,
) -> Vec<(Message, Result<Outcome, SendError>, usize)> {
    let smsc = Arc::new(Smsc::start());
    let seen = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let (noted, decided) = (Arc::clone(&seen), messages.to_vec());
    smsc.on_submit(move |submit| {
        let text = String::from_utf8_lossy(submit.short_message.as_bytes()).into_owned();
        let mut noted = noted.lock().unwrap();
        let times = noted.entry(text.clone()).or_default();
        *times += 1;
        let fate = if *times == 1 { decided[text.parse::<usize>().unwrap()].0 } else { Fate::Accept };
        fate.answer()
    });
    let url = format!("smpp://kudu@smsc.example?window={window}&response_timeout=20");
    let builder = Client::builder().url(&url).unwrap().url(&url).unwrap().connector(InMemory(Arc::clone(&smsc)));
    let config = ClientConfig::default().on_loss(on_loss).max_wait(Duration::from_secs(600));
    let client = builder.config(config).seed(1).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let client = &client;
    let sends = messages.iter().enumerate().map(|(number, (_, on_loss))| async move {
        let mut sms = Sms::to("27831234567").text(number.to_string()).receipt();
        sms.on_loss = *on_loss;
        let sent = client.send(sms).await?;
        Ok(sent.receipt(Duration::from_secs(60)).await.map_or(Outcome::Pending, |report| report.outcome()))
    });
    let outcomes = futures::future::join_all(sends).await;
    // Nothing is told a second time.
    while let Some(event) = events.try_recv() {
        assert!(!matches!(event, ClientEvent::Abandoned { .. }), "{event:?}");
    }
    let seen = seen.lock().unwrap();
    let times = |number: usize| seen.get(&number.to_string()).copied().unwrap_or(0);
    let outcomes = messages.iter().zip(outcomes).enumerate();
    outcomes.map(|(number, (message, outcome))| (*message, outcome, times(number))).collect()
}

/// Whether an outcome is true of a message that was seen so often, if what is lost is reported.
fn is_true_of_reported(fate: Fate, outcome: &Result<Outcome, SendError>, times: usize) -> bool {
    match (outcome, fate) {
        (Ok(_), Fate::Accept | Fate::Late) => times == 1,
        (Ok(_), Fate::Throttle | Fate::Full) => times == 2,
        (Err(SendError::Refused { status: CommandStatus::RINVDSTADR, .. }), Fate::Refuse) => times == 1,
        // Its link may have been lost through another one's fate, before it was seen or after.
        (Err(SendError::Unanswered { .. }), Fate::Throttle | Fate::Full) => times <= 2,
        (Err(SendError::Unanswered { .. }), _) => times <= 1,
        _ => false,
    }
}

/// Whether it is if what is lost is sent again.
fn is_true_of_resubmitted(fate: Fate, outcome: &Result<Outcome, SendError>, times: usize) -> bool {
    match (outcome, fate) {
        (Err(SendError::Refused { .. }), Fate::Refuse) => times == 1,
        // Lost once and then refused: the first may have been taken.
        (Err(SendError::Unanswered { .. }), Fate::Refuse | Fate::TooLate | Fate::Never) => true,
        (Ok(_), _) => times >= 1,
        _ => false,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a message says of a loss goes before what the client says.
    #[test]
    fn every_send_ends_in_what_is_true(
        messages in prop::collection::vec((fate(), on_loss()), 1..40),
        window in 1usize..6,
        client in prop::sample::select(&[OnLoss::Report, OnLoss::Resubmit][..]),
    ) {
        for ((fate, message), outcome, times) in run(send_all(&messages, window, client)) {
            let is_true = match message.unwrap_or(client) {
                OnLoss::Resubmit => is_true_of_resubmitted(fate, &outcome, times),
                _ => is_true_of_reported(fate, &outcome, times),
            };
            prop_assert!(is_true, "{fate:?} {message:?} {client:?}: {outcome:?}, seen {times} times");
        }
    }

    /// Without losses every receipt finds its message.
    #[test]
    fn every_receipt_comes(fates in prop::collection::vec(fate(), 1..40), window in 1usize..6) {
        let messages: Vec<_> =
            fates.into_iter().filter(|fate| !matches!(fate, Fate::Cut)).map(|fate| (fate, None)).collect();
        for ((fate, _), outcome, _) in run(send_all(&messages, window, OnLoss::Report)) {
            if let Ok(outcome) = outcome {
                prop_assert_eq!(outcome, Outcome::Delivered, "{:?}", fate);
            }
        }
    }
}
