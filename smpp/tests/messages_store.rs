//! A client whose messages wait for their receipts in a store of the program's.
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

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smpp::client::{ClientEvent, NotSentReason, SendError};
use smpp::correlation::{
    Answer as Answered, CorrelationStore, Credit, Credited, Expired, MemoryStore, MessageKey, StoreError, StoreFuture,
};
use smpp::receipt::{Outcome, Receipt};
use smpp::testkit::Answer;
use smpp::types::MessageState;
use tokio::time::timeout;

use self::in_memory::{MINUTE, URL, builder, sms, smsc};

/// A store that outlives a client, and fails when it is told to.
#[derive(Clone, Default)]
struct Store {
    messages: Arc<MemoryStore>,
    fails: Arc<AtomicBool>,
}

impl Store {
    fn ask<'a, T: 'a>(&self, asked: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.fails.load(Ordering::Relaxed) { Box::pin(async { Err(StoreError::new("disk full")) }) } else { asked }
    }
}

impl CorrelationStore for Store {
    fn open<'a>(
        &'a self,
        account: u64,
        message: &'a MessageKey,
        parts: u8,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Expired>> {
        self.ask(self.messages.open(account, message, parts, now))
    }

    fn answered<'a>(
        &'a self,
        message: &'a MessageKey,
        part: u8,
        answer: Answered,
        now: Instant,
    ) -> StoreFuture<'a, Vec<Credited>> {
        self.ask(self.messages.answered(message, part, answer, now))
    }

    fn receipt<'a>(&'a self, account: u64, receipt: &'a Receipt, now: Instant) -> StoreFuture<'a, Credit> {
        self.ask(self.messages.receipt(account, receipt, now))
    }

    fn expire(&self, now: Instant) -> StoreFuture<'_, Vec<Expired>> {
        self.ask(self.messages.expire(now))
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_finds_a_message_of_the_process_before() {
    let (smsc, store) = (smsc(), Store::default());
    smsc.on_submit(|_| Answer::accept().receipt_after(MessageState::DELIVERED, MINUTE));
    let before = builder(&smsc, URL).store(store.clone()).connect().await.unwrap();
    before.send_as("order 4711", sms("x").receipt()).await.unwrap();
    before.shutdown(MINUTE / 6).await;
    drop(before);
    let after = builder(&smsc, URL).store(store).connect().await.unwrap();
    let mut events = after.events().unwrap();
    loop {
        match timeout(2 * MINUTE, events.recv()).await.expect("it comes").unwrap() {
            ClientEvent::Receipt { credited: Some(credited), .. } => {
                assert_eq!(
                    (&*credited.message.to_string(), credited.report.outcome()),
                    ("order 4711", Outcome::Delivered)
                );
                break;
            }
            other => assert!(matches!(other, ClientEvent::Bound { .. }), "{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_does_not_take_is_not_sent_and_comes_again() {
    let (smsc, store) = (smsc(), Store::default());
    smsc.on_submit(|_| Answer::accept().receipt_after(MessageState::DELIVERED, Duration::from_secs(1)));
    let client = builder(&smsc, URL).store(store.clone()).connect().await.unwrap();
    store.fails.store(true, Ordering::Relaxed);
    let error = client.send(sms("x").receipt()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { why: NotSentReason::Store(_), .. }), "{error:?}");
    assert!(error.is_safe_to_retry() && timeout(MINUTE / 2, smsc.expect_submit()).await.is_err());

    store.fails.store(false, Ordering::Relaxed);
    let sent = client.send(sms("x").receipt()).await.unwrap();
    // The receipt is refused with a temporary error until there is room again.
    store.fails.store(true, Ordering::Relaxed);
    assert!(sent.receipt(Duration::from_secs(10)).await.is_err());
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(sent.receipt(Duration::from_secs(10)).await.unwrap().outcome(), Outcome::Delivered);
}
