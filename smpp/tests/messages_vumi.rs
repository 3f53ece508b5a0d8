//! Vumi's messages through a client, there and back.
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

use smpp::client::{ClientEvent, SendError};
use smpp::testkit::Answer;
use smpp::types::{CommandStatus, EsmClass, MessageState};
use smpp::vumi::Adapter;
use tokio::time::timeout;
use vumi_message::{DeliveryStatus, EventType, Stamp, UserMessage};

use self::in_memory::{MINUTE, URL, builder, deliver, smsc, text};

fn stamp(id: &str) -> Stamp {
    Stamp::new(id, "2026-02-03 04:05:06.000007".parse().unwrap())
}

fn message(id: &str, content: &str) -> UserMessage {
    let (to_addr, content) = (Some("27831234567".into()), Some(content.into()));
    UserMessage { message_id: id.into(), to_addr, content, ..UserMessage::default() }
}

/// A message is known by its id from the ack to the report, and one whose answer is late gets its ack then.
#[tokio::test(start_paused = true)]
async fn what_is_sent_has_its_events() {
    let smsc = smsc();
    smsc.on_submit(|submit| match text(submit).as_str() {
        "refuse" => Answer::refuse(CommandStatus::RINVDSTADR),
        "late" => Answer::accept().after(MINUTE / 2),
        _ => Answer::accept().then_receipt(MessageState::UNDELIVERABLE),
    });
    let client = builder(&smsc, &format!("{URL}?response_timeout=20")).connect().await.unwrap();
    let (mut events, adapter) = (client.events().unwrap(), Adapter::default());
    let mut told = Vec::new();
    for content in ["take", "refuse", "late"] {
        let message = message(content, content);
        let outcome = client.send_as(&*message.message_id, adapter.sms(&message).unwrap()).await;
        assert_eq!(content == "late", matches!(outcome, Err(SendError::Unanswered { .. })));
        told.extend(adapter.sent(&message.message_id, &outcome, stamp("e")));
    }
    while told.len() < 4 {
        match timeout(2 * MINUTE, events.recv()).await.expect("it is told").unwrap() {
            ClientEvent::Receipt { receipt, credited } => {
                let key = credited.map(|credited| credited.message.to_string());
                told.push(adapter.delivery_report(key.as_deref(), &receipt, stamp("e")));
            }
            ClientEvent::Late { message, outcome, .. } => {
                told.push(adapter.ack(&message.to_string(), &[outcome.unwrap()], stamp("e")));
            }
            other => assert!(matches!(other, ClientEvent::Bound { .. }), "{other:?}"),
        }
    }
    let told: Vec<_> = told.into_iter().map(|event| (event.user_message_id.unwrap(), event.event_type)).collect();
    let ack = |id: &str| EventType::Ack { sent_message_id: id.into() };
    let nack = EventType::Nack { nack_reason: "ESME_RINVDSTADR".into() };
    let failed = EventType::DeliveryReport { delivery_status: DeliveryStatus::Failed };
    let expected = [("take", ack("1")), ("refuse", nack), ("take", failed), ("late", ack("2"))];
    assert_eq!(told, expected.map(|(id, event)| (id.to_owned(), event)));
}

#[tokio::test(start_paused = true)]
async fn a_reply_goes_to_whoever_wrote() {
    let smsc = smsc();
    let client = builder(&smsc, URL).connect().await.unwrap();
    let (mut events, adapter) = (client.events().unwrap(), Adapter::default());
    let answers = async {
        loop {
            let Some(ClientEvent::Message(delivery)) = events.recv().await else { continue };
            let asked = adapter.message(&delivery, stamp("m1"));
            let reply = asked.reply(stamp("m2"), "pong", None);
            client.send_as(&*reply.message_id, adapter.sms(&reply).unwrap()).await.unwrap();
            delivery.ack();
            return asked.content;
        }
    };
    let (asked, delivered) = tokio::join!(answers, smsc.deliver(deliver(EsmClass::default(), b"ping")));
    assert_eq!((asked.as_deref(), delivered.is_ok()), (Some("ping"), true));
    let sent = smsc.expect_submit().await.pdu;
    assert_eq!((text(&sent), sent.destination.addr), ("pong".into(), "27831234567".parse().unwrap()));
}
