//! Real ESMEs against our message centre, each with all that it can do.

mod centre;
mod peer;

use centre::centre;
use peer::{PATIENCE, Peer};
use serde_json::{Value, json};
use tokio::time::timeout;

/// A client, and what it cannot do of what others can.
struct Client {
    script: &'static str,
    lacks: &'static [&'static str],
    /// What it does not do over a transmitter's link besides.
    lacks_as_transmitter: &'static [&'static str],
    /// Whether it says up to which version the message centre speaks.
    tells_version: bool,
    /// Whether it decodes the default alphabet; else it shows the octets as ISO-8859-1.
    decodes: bool,
    /// The data_coding that it gives digits.
    digits: u8,
}

impl Client {
    const ABLE: Self =
        Self { script: "", lacks: &[], lacks_as_transmitter: &[], tells_version: true, decodes: false, digits: 0 };

    fn does(&self, kind: &str, step: &str) -> bool {
        !(self.lacks.contains(&step) || kind == "pair" && self.lacks_as_transmitter.contains(&step))
    }
}

/// What an ESME says of each thing that it did.
fn steps(client: &Client, kind: &str) -> Vec<Value> {
    let bound = |kind: &str| match client.tells_version {
        true => json!({ "step": format!("bind_{kind}"), "status": 0, "version": 0x50 }),
        false => json!({ "step": format!("bind_{kind}"), "status": 0 }),
    };
    let taken = |step: &str, id: u32| json!({ "step": step, "status": 0, "id": format!("id-{id}") });
    let done = |step: &str| json!({ "step": step, "status": 0 });
    let mut steps = vec![json!({ "step": "bind_transceiver", "status": 14 })];
    match kind {
        "pair" => steps.extend([bound("transmitter"), bound("receiver")]),
        _ => steps.push(bound("transceiver")),
    }
    let mut id = 0;
    for step in ["gsm", "latin1", "ucs2", "udh", "udh", "sar", "sar", "payload", "throttled", "data", "multi"] {
        if !client.does(kind, step) {
            continue;
        }
        if step == "throttled" {
            steps.push(json!({ "step": step, "status": 0x58 }));
            continue;
        }
        id += 1;
        let mut taken = taken(step, id);
        if step == "multi" {
            taken["failed"] = json!([["bad", 11]]);
        }
        steps.push(taken);
    }
    steps.extend([
        json!({ "step": "query", "status": 0, "id": "id-1", "state": 2 }),
        json!({ "step": "query_unknown", "status": 0x67 }),
        done("cancel"),
        done("replace"),
        done("enquire_link"),
        json!({ "step": "asked" }),
        json!({ "step": "unknown", "status": 3, "number": 999 }),
        done("unbind"),
    ]);
    if kind == "pair" {
        steps.push(done("unbind"));
    }
    steps.retain(|step| client.does(kind, step["step"].as_str().unwrap()));
    steps
}

/// What the message centre reports meanwhile, but for deliveries and ends.
fn reports(client: &Client, kind: &str) -> Vec<Value> {
    let long = "0123456789".repeat(20);
    let submit = |text: &str, to: &str| json!({ "step": "submit", "to": to, "text": text });
    let all = [
        ("gsm", submit("Hello @ \u{e9} {\u{20ac}}", "1001")),
        ("latin1", submit("caf\u{e9} \u{eb}", "1001")),
        ("ucs2", submit("h\u{e9} \u{1f600}", "1001")),
        ("udh", submit(&long, "1001")),
        ("sar", submit(&long, "1001")),
        ("payload", submit(&long, "1001")),
        ("data", json!({ "step": "data", "to": "1001", "text": long })),
        ("multi", json!({ "step": "multi", "to": 2, "text": "all" })),
        ("query", json!({ "step": "query", "id": "id-1" })),
        ("query_unknown", json!({ "step": "query", "id": "nope" })),
        ("cancel", json!({ "step": "cancel", "id": "id-1" })),
        ("replace", json!({ "step": "replace", "id": "id-1", "text": "other" })),
    ];
    all.into_iter().filter(|(step, _)| client.does(kind, step)).map(|(_, report)| report).collect()
}

/// What comes back to a client as messages of a mobile: all the texts that it sent, in the same form.
fn messages(client: &Client) -> Vec<Value> {
    let (long, digits) = ("0123456789".repeat(20), client.digits);
    let mo = |text: &str, coding: u8| json!({ "step": "mo", "text": text, "coding": coding });
    let gsm = if client.decodes { "Hello @ \u{e9} {\u{20ac}}" } else { "Hello \0 \u{5} \u{1b}(\u{1b}e\u{1b})" };
    let udh =
        |part: u8| json!({ "step": "mo", "text": long_part(part), "coding": digits, "header": [5, 0, 3, 42, 2, part] });
    let sar = |part: u8| json!({ "step": "mo", "text": long_part(part), "coding": digits, "sar": [7, 2, part] });
    let all = [
        mo(gsm, 0),
        mo("caf\u{e9} \u{eb}", 3),
        mo("h\u{e9} \u{1f600}", 8),
        udh(1),
        udh(2),
        sar(1),
        sar(2),
        mo(&long, digits),
    ];
    all.into_iter().collect()
}

/// One of the two parts of the long text.
fn long_part(part: u8) -> String {
    let long = "0123456789".repeat(20);
    let (first, second) = long.split_at(120);
    if part == 1 { first.to_owned() } else { second.to_owned() }
}

/// Runs a client through its binds, and compares what both sides say.
async fn run(client: Client) {
    for kind in ["transceiver", "pair"] {
        let (server, mut received, port) = centre().await;
        let said = Peer::start(client.script, &[&port, kind]).rest().await;
        let is_delivery = |line: &Value| ["receipt", "mo", "mo_data"].iter().any(|step| line["step"] == *step);
        let (delivered, done): (Vec<_>, Vec<_>) = said.into_iter().partition(is_delivery);

        let expected = steps(&client, kind);
        assert_eq!(done.len(), expected.len(), "{} {kind}: {done:#?}", client.script);
        for (done, expected) in done.iter().zip(&expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(done.get(name), Some(value), "{} {kind}: {name} of {done}", client.script);
            }
        }
        let expected = messages(&client);
        let deliveries = expected.len() + if client.does(kind, "data") { 2 } else { 1 };
        assert_eq!(delivered.len(), deliveries, "{} {kind}: {delivered:#?}", client.script);
        let receipt = delivered.iter().find(|line| line["step"] == "receipt").unwrap();
        assert_eq!((&receipt["id"], &receipt["state"]), (&json!("id-1"), &json!(2)));
        assert!(receipt["text"].as_str().unwrap().starts_with("id:id-1 sub:001 dlvrd:001 "), "{receipt}");
        let came = delivered.iter().filter(|line| line["step"] == "mo");
        for (mo, expected) in came.zip(&expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(mo.get(name), Some(value), "{} {kind}: {name} of {mo}", client.script);
            }
        }

        let by_data = delivered.iter().find(|line| line["step"] == "mo_data");
        assert!(by_data.is_none_or(|line| line["text"] == "0123456789".repeat(20)), "{by_data:?}");

        timeout(PATIENCE, server.shutdown(PATIENCE)).await.expect("nothing keeps the server");
        drop(server);
        let mut heard = Vec::new();
        while let Some(report) = timeout(PATIENCE, received.recv()).await.expect("it is over") {
            heard.push(report);
        }
        let of = |step: &str| -> Vec<Value> { heard.iter().filter(|report| report["step"] == step).cloned().collect() };
        assert_eq!(of("delivered"), vec![json!({ "step": "delivered", "ok": true }); deliveries], "{}", client.script);
        let unbound = of("closed").iter().filter(|closed| closed["reason"] == "PeerUnbound").count();
        assert_eq!(unbound, if kind == "pair" { 2 } else { 1 }, "{}: {:?}", client.script, of("closed"));
        // Its answers fit, those to enquire_link too.
        assert!(of("counted").iter().all(|counted| counted["strange"] == 0), "{}: {:?}", client.script, of("counted"));
        let is_own =
            |report: &Value| ["bound", "closed", "counted", "delivered"].iter().any(|step| report["step"] == *step);
        let asked: Vec<_> = heard.into_iter().filter(|report| !is_own(report)).collect();
        assert_eq!(asked, reports(&client, kind), "{} {kind}", client.script);
    }
}

/// Binds a client, and unbinds it from this end.
async fn unbind(script: &str) {
    let (server, mut received, port) = centre().await;
    let mut peer = Peer::start(script, &[&port, "unbound"]);
    assert_eq!(peer.next().await["status"], 14, "{script}");
    assert_eq!(peer.next().await["status"], 0, "{script}");
    server.registry().unbind("kudu");
    let ends = async {
        let mut reasons = Vec::new();
        while let Some(report) = received.recv().await {
            if report["step"] == "closed" {
                reasons.push(report["reason"].clone());
            }
            if reasons.len() == 2 {
                break;
            }
        }
        reasons
    };
    let reasons = timeout(PATIENCE, ends).await.expect("it unbinds");
    assert_eq!(reasons, ["BindRefused(ESME_RINVPASWD)", "Unbound"], "{script}");
    peer.end().await;
}

#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node_is_unbound() {
    unbind("smpp_node_client.js").await;
}

#[tokio::test]
#[ignore = "needs smpplib"]
async fn smpplib_is_unbound() {
    unbind("smpplib_client.py").await;
}

#[tokio::test]
#[ignore = "needs smpp.twisted3"]
async fn twisted_is_unbound() {
    unbind("smpp_twisted_client.py").await;
}

#[tokio::test]
#[ignore = "needs Net::SMPP"]
async fn net_smpp_is_unbound() {
    unbind("net_smpp_client.pl").await;
}

#[tokio::test]
#[ignore = "needs node and its package smpp"]
async fn node_as_client() {
    run(Client { script: "smpp_node_client.js", decodes: true, digits: 1, ..Client::ABLE }).await;
}

#[tokio::test]
#[ignore = "needs smpplib"]
async fn smpplib_as_client() {
    let lacks = &["data", "multi", "cancel", "replace"];
    let lacks_as_transmitter = &["query", "query_unknown"];
    run(Client { script: "smpplib_client.py", lacks, lacks_as_transmitter, ..Client::ABLE }).await;
}

#[tokio::test]
#[ignore = "needs smpp.twisted3"]
async fn twisted_as_client() {
    // A refusal of a query without a body ends its link, and so does a generic_nack.
    let lacks = &["multi", "query_unknown", "replace", "unknown"];
    run(Client { script: "smpp_twisted_client.py", lacks, tells_version: false, ..Client::ABLE }).await;
}

#[tokio::test]
#[ignore = "needs Net::SMPP"]
async fn net_smpp_as_client() {
    run(Client { script: "net_smpp_client.pl", ..Client::ABLE }).await;
}
