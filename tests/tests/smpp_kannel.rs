//! Kannel's bearerbox and smsbox as ESME of our message centre.

mod centre;
mod peer;

use centre::centre;
use peer::{PATIENCE, Peer};
use serde_json::{Value, json};
use tokio::time::timeout;

/// What Kannel says until all has come, and what the message centre reported.
async fn run(kind: &str) -> (Vec<Value>, Vec<Value>) {
    let (server, mut received, port) = centre().await;
    let mut kannel = Peer::start("kannel.py", &[&port, kind, "secret"]);
    let mut said = Vec::new();
    // It gives up what is throttled after one more try, a second later; all else but messages has come by then.
    let count = |said: &[Value], name: &str, value: &str| said.iter().filter(|line| line[name] == value).count();
    while count(&said, "of", "throttled") == 0 || count(&said, "step", "mo") < messages().len() {
        let line = kannel.next().await;
        assert!(!line.is_null(), "it ended: {said:#?}");
        said.push(line);
    }
    kannel.end().await;
    timeout(PATIENCE, server.shutdown(PATIENCE)).await.expect("nothing keeps the server");
    drop(server);
    let mut heard = Vec::new();
    while let Some(report) = timeout(PATIENCE, received.recv()).await.expect("it is over") {
        heard.push(report);
    }
    (said, heard)
}

/// What comes as messages of mobiles: what it sent in three forms, and what it cannot send, in ISO-8859-1, by sar TLVs and
/// by message_payload. It puts long messages together.
fn messages() -> [Value; 6] {
    let long = "0123456789".repeat(20);
    let mo = |from: &str, text: &str, coding: &str| json!({ "step": "mo", "from": from, "to": "31234", "text": text, "coding": coding });
    [
        mo("+1001", "Hello @ \u{e9} {\u{20ac}}", "0"),
        mo("+1001", "h\u{e9} \u{1f600}", "2"),
        mo("+1001", &long, "0"),
        mo("+1003", "caf\u{e9} \u{eb}", "0"),
        mo("+1003", &long, "0"),
        mo("+1003", &long, "0"),
    ]
}

/// What must hold whichever way it is bound.
fn check(said: &[Value], heard: &[Value], links: usize) {
    let of =
        |lines: &[Value], step: &str| lines.iter().filter(|line| line["step"] == step).cloned().collect::<Vec<_>>();
    let submit = |text: &str, to: &str| json!({ "step": "submit", "to": to, "text": text });
    let phone = "27831234567";
    let long = "0123456789".repeat(20);
    // Long text comes as two parts by header; flash as data_coding 0xF0.
    let expected = [
        submit("Hello @ \u{e9} {\u{20ac}}", "1001"),
        submit("h\u{e9} \u{1f600}", "1001"),
        submit(&long, "1001"),
        submit("more", "1003"),
        submit("now", phone),
    ];
    assert_eq!(of(heard, "submit"), expected);
    // It tells of them side by side.
    let sorted = |mut lines: Vec<Value>| {
        lines.sort_by_key(Value::to_string);
        lines
    };
    assert_eq!(sorted(of(said, "mo")), sorted(messages().into()));
    // It answers enquire_link, too.
    assert!(of(heard, "counted").iter().all(|counted| counted["strange"] == 0), "{heard:#?}");
    // One receipt for each, of the long one for its last part, and the message of the mobile.
    assert!(of(heard, "delivered").iter().all(|delivered| delivered["ok"] == true), "{heard:#?}");
    let closed = of(heard, "closed");
    assert_eq!(closed, vec![json!({ "step": "closed", "reason": "PeerUnbound" }); links]);
    // 8: the message centre took it; 16: it did not.
    let reports = of(said, "report");
    let told = |name: &str, kind: &str| reports.iter().any(|report| report["of"] == name && report["kind"] == kind);
    for name in ["gsm", "ucs2", "udh", "forms", "flash"] {
        assert!(told(name, "8"), "{name}: {reports:#?}");
    }
    assert!(told("throttled", "16") && !told("throttled", "8"), "{reports:#?}");
}

#[tokio::test]
#[ignore = "needs Kannel"]
async fn kannel_as_transceiver() {
    let (said, heard) = run("transceiver").await;
    check(&said, &heard, 1);
    // 1: delivered, by the receipt, whose identifier it matched.
    for name in ["gsm", "ucs2", "udh", "forms", "flash"] {
        let delivered = |line: &&Value| line["of"] == name && line["kind"] == "1";
        let receipt = said.iter().find(delivered).unwrap_or_else(|| panic!("{name}: {said:#?}"));
        assert!(receipt["answer"].as_str().unwrap().contains(" stat:DELIVRD "), "{receipt}");
    }
}

#[tokio::test]
#[ignore = "needs Kannel"]
async fn kannel_as_transmitter_and_receiver() {
    // Over two links a receipt may overtake its response, and then Kannel does not know what it is for.
    let (said, heard) = run("pair").await;
    check(&said, &heard, 2);
}

#[tokio::test]
#[ignore = "needs Kannel"]
async fn kannel_with_the_wrong_password() {
    let (_server, mut received, port) = centre().await;
    let kannel = Peer::start("kannel.py", &[&port, "transceiver", "wrong"]);
    let report = timeout(PATIENCE, received.recv()).await.expect("it tries").unwrap();
    assert_eq!(report, json!({ "step": "closed", "reason": "BindRefused(ESME_RINVPASWD)" }));
    kannel.end().await;
}

#[tokio::test]
#[ignore = "needs Kannel"]
async fn kannel_is_unbound_and_comes_back() {
    let (server, mut received, port) = centre().await;
    let kannel = Peer::start("kannel.py", &[&port, "transceiver", "secret"]);
    for (step, reason) in [("bound", ""), ("closed", "Unbound"), ("bound", "")] {
        let report = async {
            loop {
                let report = received.recv().await.unwrap();
                if report["step"] == "bound" || report["step"] == "closed" {
                    return report;
                }
            }
        };
        let report = timeout(PATIENCE, report).await.expect("it unbinds and comes back");
        assert_eq!((&report["step"], report["reason"].as_str().unwrap_or_default()), (&json!(step), reason));
        if step == "bound" {
            server.registry().unbind("kudu");
        }
    }
    kannel.end().await;
}
