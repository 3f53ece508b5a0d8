//! Our ESME against real message centres, with all that they can do.

mod peer;

use std::collections::VecDeque;

use peer::{PATIENCE, Peer};
use serde_json::{Value, json};
use smpp::client::{BindError, Event, Link, LinkConfig, RequestError};
use smpp::pdu::{
    Bind, BindReceiver, BindTransceiver, BindTransmitter, CancelSm, DataSm, DeliverSm, Destination, Destinations,
    EnquireLink, Frame, Pdu, QuerySm, ReplaceSm, SubmitMulti, SubmitSm, Unknown,
};
use smpp::receipt::Receipt;
use smpp::session::CloseReason;
use smpp::text::{Codings, LongMessages, TextOptions};
use smpp::tlv::{MessagePayload, TlvOctets, Tlvs};
use smpp::types::{
    COctetString, CommandId, CommandStatus, InterfaceVersion, MessageState, RegisteredDelivery, ShortMessage,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A message centre, and what it can do.
struct MessageCentre {
    script: &'static str,
    can_multi: bool,
    can_replace: bool,
    /// Whether it answers a query for what it does not know, and an operation that nobody knows.
    answers_what_it_does_not_know: bool,
}

const PHONE: &str = "27831234567";
/// Sends back what is sent to it.
const ECHO: &str = "1001";

fn long() -> String {
    "0123456789".repeat(20)
}

/// A program that listens, and where.
async fn start(script: &str) -> (Peer, String) {
    let mut peer = Peer::start(script, &[]);
    let listening = peer.next().await;
    let address = format!("127.0.0.1:{}", listening["port"]);
    (peer, address)
}

/// A link, and what is delivered over it; all of that is accepted.
async fn bound<B: Bind>(address: &str, bind: B) -> (Link, mpsc::UnboundedReceiver<Frame>) {
    let link = timeout(PATIENCE, Link::connect(address, bind, LinkConfig::default())).await.expect("bound").unwrap();
    let mut events = link.events().unwrap();
    let (sender, delivered) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let Event::Request(incoming) = event {
                // The test may be over.
                let _ = sender.send(incoming.frame.clone());
                incoming.accept();
            }
        }
    });
    (link, delivered)
}

fn account(password: &str) -> BindTransceiver {
    let (system_id, password) = ("kudu".parse().unwrap(), password.try_into().unwrap());
    BindTransceiver { system_id, password, ..BindTransceiver::default() }
}

/// What the message centre sends next.
async fn next(delivered: &mut mpsc::UnboundedReceiver<Frame>) -> Pdu {
    timeout(PATIENCE, delivered.recv()).await.expect("it comes").expect("the link is there").pdu
}

/// The same, which is a deliver_sm.
async fn next_message(delivered: &mut mpsc::UnboundedReceiver<Frame>) -> DeliverSm {
    match next(delivered).await {
        Pdu::DeliverSm(message) => message,
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, RequestError>) -> CommandStatus {
    match outcome {
        Err(RequestError::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    }
}

/// The texts that are sent, with how.
fn texts() -> [(&'static str, TextOptions, String); 6] {
    let plain = TextOptions::default();
    let long_by = |long_messages| TextOptions::default().with_long_messages(long_messages);
    [
        ("gsm", plain.clone(), "Hello @ \u{e9} {\u{20ac}}".into()),
        ("latin1", plain.clone().with_latin1(true), "caf\u{e9} \u{eb}".into()),
        ("ucs2", plain, "h\u{e9} \u{1f600}".into()),
        ("udh", long_by(LongMessages::Udh8), long()),
        ("sar", long_by(LongMessages::Sar), long()),
        ("payload", long_by(LongMessages::Payload), long()),
    ]
}

/// Sends everything over `tx`; what the message centre must have seen of it, as far as both kinds of report tell it.
async fn send_all(centre: &MessageCentre, tx: &Link, delivered: &mut mpsc::UnboundedReceiver<Frame>) -> Vec<Value> {
    let mut seen = Vec::new();
    let message = |to: &str| SubmitSm {
        source: "31234".parse().unwrap(),
        destination: to.parse().unwrap(),
        ..SubmitSm::default()
    };
    let mut first = None;
    for (name, options, text) in texts() {
        let composed = options.compose(&text, 42).unwrap();
        let esm_class = composed.esm_class();
        let mut bodies = VecDeque::new();
        for segment in composed.segments {
            let submit = SubmitSm {
                esm_class,
                data_coding: composed.data_coding,
                short_message: segment.short_message,
                tlvs: segment.tlvs,
                registered_delivery: RegisteredDelivery(u8::from(name == "gsm")),
                ..message(ECHO)
            };
            let body = submit.body();
            seen.push(json!({ "step": "submit_sm", "to": ECHO, "octets": hex::encode(&body.text), "name": name }));
            bodies.push_back(body);
            let id = tx.request(submit).await.unwrap().message_id;
            assert!(!id.is_empty(), "{name}");
            first.get_or_insert(id);
        }
        // All of it comes back as it was, and with the first its receipt.
        let mut receipts = usize::from(name == "gsm");
        while receipts > 0 || !bodies.is_empty() {
            let came = next_message(delivered).await;
            match Receipt::from_deliver_sm(&came) {
                Some(receipt) => {
                    let id = first.as_ref().unwrap().to_text().into_owned();
                    assert_eq!((receipt.id, receipt.state), (Some(id), Some(MessageState::DELIVERED)));
                    receipts -= 1;
                }
                None => {
                    assert_eq!(Some(came.body()), bodies.pop_front(), "{name}");
                    assert_eq!(came.source.addr, ECHO, "{name}");
                }
            }
        }
    }
    let short_message = ShortMessage::new("x").unwrap();
    let throttled = tx.request(SubmitSm { short_message, ..message("1002") }).await;
    assert_eq!(refused(throttled), CommandStatus::RTHROTTLED);
    seen.push(json!({ "step": "submit_sm", "to": "1002" }));

    let payload = MessagePayload(TlvOctets::new(long()).unwrap());
    let data = DataSm {
        source: "31234".parse().unwrap(),
        destination: "1001".parse().unwrap(),
        tlvs: Tlvs::new().with(&payload),
        ..DataSm::default()
    };
    assert!(!tx.request(data).await.unwrap().message_id.is_empty());
    seen.push(json!({ "step": "data_sm", "to": "1001", "octets": hex::encode(long()) }));
    let Pdu::DataSm(echo) = next(delivered).await else { panic!("not data_sm") };
    assert_eq!(echo.body().decode(&Codings::default()).unwrap().text, long());
    if centre.can_multi {
        let mut destinations = Destinations::default();
        for to in [PHONE, "bad"] {
            destinations.push(&Destination::Sme(to.parse().unwrap())).unwrap();
        }
        let (source, short_message) = ("31234".parse().unwrap(), ShortMessage::new("all").unwrap());
        let multi = SubmitMulti { source, destinations, short_message, ..SubmitMulti::default() };
        let failed = tx.request(multi).await.unwrap().unsuccess_smes;
        let failed: Vec<_> = failed.iter().map(|one| (one.destination.addr, one.error_status_code)).collect();
        assert_eq!(failed, [("bad".parse().unwrap(), CommandStatus::RINVDSTADR)]);
        seen.push(json!({ "step": "submit_multi" }));
    }
    seen.extend(manage(centre, tx, first.unwrap()).await);
    seen
}

/// Queries, cancels, replaces.
async fn manage(centre: &MessageCentre, tx: &Link, message_id: COctetString<65>) -> Vec<Value> {
    let source = "31234".parse().unwrap();
    let query = QuerySm { message_id: message_id.clone(), source, ..QuerySm::default() };
    assert_eq!(tx.request(query.clone()).await.unwrap().message_state, MessageState::DELIVERED);
    let (source, destination) = (query.source.clone(), PHONE.parse().unwrap());
    let cancel = CancelSm { message_id: message_id.clone(), source, destination, ..CancelSm::default() };
    tx.request(cancel).await.unwrap();
    let id = message_id.to_text().into_owned();
    let mut seen = vec![json!({ "step": "query_sm", "id": id }), json!({ "step": "cancel_sm", "id": id })];
    if centre.answers_what_it_does_not_know {
        let unknown = tx.request(QuerySm { message_id: "nope".parse().unwrap(), ..query.clone() }).await;
        assert_eq!(refused(unknown), CommandStatus::RQUERYFAIL);
        seen.push(json!({ "step": "query_sm", "id": "nope" }));
    }
    if centre.can_replace {
        let short_message = ShortMessage::new("other").unwrap();
        tx.request(ReplaceSm { message_id, source: query.source, short_message, ..ReplaceSm::default() })
            .await
            .unwrap();
        seen.push(json!({ "step": "replace_sm", "id": id }));
    }
    tx.request(EnquireLink::default()).await.unwrap();
    seen
}

/// Everything, over one link and over two; for each a fresh program, since what it holds of links that have just ended
/// differs.
async fn run(centre: MessageCentre) {
    let (mut peer, address) = start(centre.script).await;
    let wrong = Link::connect(&address, account("wrong"), LinkConfig::default()).await;
    assert!(matches!(wrong, Err(BindError::Refused { status: CommandStatus::RINVPASWD, .. })), "{wrong:?}");
    let (link, mut delivered) = bound(&address, account("secret")).await;
    assert_eq!(link.version(), InterfaceVersion::V3_4);
    let seen = send_all(&centre, &link, &mut delivered).await;
    assert_eq!(timeout(PATIENCE, link.unbind()).await.expect("answered"), CloseReason::Unbound);
    compare(&mut peer, &seen).await;
    peer.end().await;

    let (mut peer, address) = start(centre.script).await;
    let BindTransceiver { system_id, password, .. } = account("secret");
    let transmitter =
        BindTransmitter { system_id: system_id.clone(), password: password.clone(), ..BindTransmitter::default() };
    let receiver = BindReceiver { system_id, password, ..BindReceiver::default() };
    let (tx, _) = bound(&address, transmitter).await;
    let (rx, mut delivered) = bound(&address, receiver).await;
    let seen = send_all(&centre, &tx, &mut delivered).await;
    let over_receiver = rx.request(SubmitSm::default()).await;
    assert!(matches!(over_receiver, Err(RequestError::NotSent(_))), "{over_receiver:?}");
    for link in [&tx, &rx] {
        assert_eq!(timeout(PATIENCE, link.unbind()).await.expect("answered"), CloseReason::Unbound);
    }
    compare(&mut peer, &seen).await;
    what_nobody_knows(&centre, &address).await;
    peer.end().await;
}

/// An operation of no version.
async fn what_nobody_knows(centre: &MessageCentre, address: &str) {
    let (link, _delivered) = bound(address, account("secret")).await;
    let unknown = Unknown { command_id: CommandId(0x0201), ..Unknown::default() };
    let outcome = timeout(PATIENCE, link.request_pdu(unknown)).await.expect("an outcome");
    match centre.answers_what_it_does_not_know {
        true => assert_eq!(refused(outcome), CommandStatus::RINVCMDID),
        // It says generic_nack with the number 0, and closes.
        false => {
            assert!(outcome.as_ref().is_err_and(RequestError::may_be_done), "{outcome:?}");
            timeout(PATIENCE, link.closed()).await.expect("closed");
        }
    }
}

/// The message centre's reports hold all that was sent, in order.
async fn compare(peer: &mut Peer, seen: &[Value]) {
    for sent in seen {
        let report = loop {
            let report = peer.next().await;
            assert!(!report.is_null(), "the message centre ended before {sent}");
            if report["step"] == sent["step"] {
                break report;
            }
            let step = report["step"].as_str().unwrap_or_default();
            let passing = ["deliver_sm_resp", "data_sm_resp", "enquire_link", "unbind"].contains(&step)
                || step.starts_with("bind_");
            assert!(passing, "{report} before {sent}");
        };
        for name in ["to", "id"] {
            if let Some(value) = sent.get(name) {
                assert_eq!(report[name], *value, "{report}");
            }
        }
        if let Some(octets) = sent.get("octets") {
            same_text(&report, octets.as_str().unwrap(), sent["name"].as_str());
        }
    }
}

/// A report tells the octets, with their header, or the text.
fn same_text(report: &Value, octets: &str, name: Option<&str>) {
    match (report["octets"].as_str(), name) {
        (Some(reported), _) => {
            assert!(reported.ends_with(octets), "{report}: {octets}");
            assert_eq!(reported.len() - octets.len(), if name == Some("udh") { 12 } else { 0 }, "{report}");
        }
        (None, Some("udh" | "sar" | "payload") | None) => {
            assert_eq!(hex::encode(report["text"].as_str().unwrap()), octets, "{report}");
        }
        (None, Some(name)) => {
            let (_, _, text) = texts().into_iter().find(|(known, ..)| *known == name).unwrap();
            assert_eq!(report["text"], text);
        }
    }
}

#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node_as_message_centre() {
    let (can_multi, can_replace, answers_what_it_does_not_know) = (true, true, true);
    let script = "smpp_node_server.js";
    run(MessageCentre { script, can_multi, can_replace, answers_what_it_does_not_know }).await;
}

/// The message centre sends what nobody knows, in the segment of its answer to the bind.
#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node_sends_what_nobody_knows() {
    let (mut peer, address) = start("smpp_node_server.js").await;
    let odd = BindTransceiver { system_id: "odd".parse().unwrap(), ..account("secret") };
    let (link, _delivered) = bound(&address, odd).await;
    loop {
        let report = peer.next().await;
        assert!(!report.is_null());
        if report["step"] == "generic_nack" {
            assert_eq!(report["status"], 3);
            break;
        }
    }
    link.request(EnquireLink::default()).await.unwrap();
    assert_eq!(timeout(PATIENCE, link.unbind()).await.expect("answered"), CloseReason::Unbound);
    peer.end().await;
}

/// The message centre asks whether we are there, and unbinds.
async fn is_unbound(script: &str) {
    let (mut peer, address) = start(script).await;
    let (link, _delivered) =
        bound(&address, BindTransceiver { system_id: "leave".parse().unwrap(), ..account("secret") }).await;
    for step in ["enquire_link_resp", "unbind_resp"] {
        let report = loop {
            let report = peer.next().await;
            assert!(!report.is_null(), "{script} ended before {step}");
            if report["step"] == step {
                break report;
            }
        };
        assert_eq!(report["status"], 0, "{script}");
    }
    assert_eq!(timeout(PATIENCE, link.closed()).await.expect("closed"), CloseReason::PeerUnbound, "{script}");
    peer.end().await;
}

#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node_unbinds_us() {
    is_unbound("smpp_node_server.js").await;
}

#[tokio::test]
#[ignore = "needs smpp.twisted3"]
async fn twisted_unbinds_us() {
    is_unbound("smpp_twisted_server.py").await;
}

#[tokio::test]
#[ignore = "needs smpp.twisted3"]
async fn twisted_as_message_centre() {
    let (can_multi, can_replace, answers_what_it_does_not_know) = (false, false, false);
    let script = "smpp_twisted_server.py";
    run(MessageCentre { script, can_multi, can_replace, answers_what_it_does_not_know }).await;
}
