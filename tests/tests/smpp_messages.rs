//! Our client, message by message, with real message centres.

mod peer;

use std::time::Duration;

use peer::{PATIENCE, Peer};
use smpp::client::{BindError, Client, ClientConfig, ClientEvent, ClientEvents, ConnectError, Links, SendError};
use smpp::message::{Content, InboundMessage, Sms};
use smpp::pdu::QuerySm;
use smpp::receipt::Outcome;
use smpp::text::{Charset, LongMessages};
use smpp::types::{CommandStatus, DataCoding, MessageState, RegisteredDelivery};
use tokio::time::timeout;

const PHONE: &str = "+27831234567";
/// Sends back what is sent to it.
const ECHO: &str = "1001";
/// Takes nothing.
const THROTTLED: &str = "1002";

/// The next message of the message centre, acknowledged.
async fn message(events: &mut ClientEvents) -> InboundMessage {
    loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("it comes").expect("the client is there");
        if let ClientEvent::Message(delivery) = event {
            let message = InboundMessage::clone(&delivery);
            delivery.ack();
            return message;
        }
    }
}

/// A program as message centre, for each way to bind a fresh one: what it holds of links that have just ended differs.
async fn run(script: &str) {
    for binds in [&["trx"][..], &["tx", "rx"]] {
        let mut peer = Peer::start(script, &[]);
        let port = peer.next().await["port"].to_string();
        let url = |password: &str, bind: &str| format!("smpp://kudu:{password}@127.0.0.1:{port}?bind={bind}");

        let wrong = Client::connect(&url("wrong", binds[0])).await.unwrap_err();
        let refused = matches!(wrong, ConnectError::Bind(BindError::Refused { status: CommandStatus::RINVPASWD, .. }));
        assert!(refused, "{wrong:?}");

        // A message that is throttled is given up at once.
        let mut builder = Client::builder().config(ClientConfig::default().patience(Duration::ZERO));
        for bind in binds {
            builder = builder.url(&url("secret", bind)).unwrap();
        }
        let client = timeout(PATIENCE, builder.connect()).await.expect("bound").unwrap();
        let mut events = client.events().unwrap();
        timeout(PATIENCE, client.wait_for(Links::all_bound)).await.expect("bound").unwrap();
        all_of_it(&client, &mut events, &format!("{script} {binds:?}")).await;
        timeout(PATIENCE, client.shutdown(PATIENCE)).await.expect("unbound");
        peer.end().await;
    }
}

async fn all_of_it(client: &Client, events: &mut ClientEvents, with: &str) {
    let sms = |to: &str, text: &str| Sms::to(to).from("31234").text(text);

    let sent = client.send(sms(PHONE, "Hello @ \u{e9} {\u{20ac}}").receipt()).await.unwrap();
    assert_eq!((sent.parts(), sent.charset()), (1, Some(Charset::Gsm7)), "{with}");
    let report = sent.receipt(PATIENCE).await.unwrap_or_else(|error| panic!("{with}: {error}"));
    assert_eq!((report.outcome(), report.parts.len()), (Outcome::Delivered, 1), "{with}");

    // What goes out in an alphabet comes back, and so does a long text, as one message again.
    let long = "0123456789".repeat(20);
    let udh = LongMessages::Udh8;
    for (sms, charset) in [
        (sms(ECHO, "{\u{20ac}} \u{e9}"), Charset::Gsm7),
        (sms(ECHO, "caf\u{e9} \u{eb}").data_coding(DataCoding::LATIN1), Charset::Latin1),
        (sms(ECHO, "h\u{e9} \u{1f600}"), Charset::Ucs2),
        (sms(ECHO, &long).long_messages(udh), Charset::Gsm7),
        (sms(ECHO, &long).long_messages(LongMessages::Sar).receipt(), Charset::Gsm7),
        (sms(ECHO, &long).long_messages(LongMessages::Payload).receipt(), Charset::Gsm7),
    ] {
        let (wants_receipt, content) = (sms.registered_delivery != RegisteredDelivery::NONE, sms.content.clone());
        let sent = client.send(sms).await.unwrap();
        assert_eq!(sent.charset(), Some(charset), "{with} {content:?}");
        let echo = message(events).await;
        assert_eq!((echo.text.map(Content::Text), usize::from(echo.parts)), (Some(content), sent.parts()), "{with}");
        if wants_receipt {
            let report = sent.receipt(PATIENCE).await.unwrap_or_else(|error| panic!("{with}: {error}"));
            assert_eq!((report.outcome(), report.parts.len()), (Outcome::Delivered, sent.parts()), "{with}");
        }
    }
    let query = QuerySm { message_id: sent.ids()[0].parse().unwrap(), ..QuerySm::default() };
    assert_eq!(client.request(query).await.unwrap().message_state, MessageState::DELIVERED, "{with}");

    let throttled = client.send(sms(THROTTLED, "x")).await.unwrap_err();
    let refused = matches!(throttled, SendError::Refused { status: CommandStatus::RTHROTTLED, part: 1, .. });
    assert!(refused && throttled.is_safe_to_retry(), "{with}: {throttled:?}");
}

#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node() {
    run("smpp_node_server.js").await;
}

#[tokio::test]
#[ignore = "needs smpp.twisted3"]
async fn twisted() {
    run("smpp_twisted_server.py").await;
}
