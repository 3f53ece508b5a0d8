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
    // It gives up what is throttled after one more try, a second later; all else has come by then.
    loop {
        let line = kannel.next().await;
        assert!(!line.is_null(), "it ended: {said:#?}");
        let last = line["of"] == "throttled";
        said.push(line);
        if last {
            break;
        }
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

/// What must hold whichever way it is bound.
fn check(said: &[Value], heard: &[Value], links: usize) {
    let of =
        |lines: &[Value], step: &str| lines.iter().filter(|line| line["step"] == step).cloned().collect::<Vec<_>>();
    let submit = |text: &str, to: &str| json!({ "step": "submit", "to": to, "text": text });
    let phone = "27831234567";
    let long = "0123456789".repeat(20);
    // Long text comes as two parts by header; flash as data_coding 0xF0.
    let expected = [
        submit("Hello @ \u{e9} {\u{20ac}}", phone),
        submit("h\u{e9} \u{1f600}", "1001"),
        submit(&long, phone),
        submit("now", phone),
    ];
    assert_eq!(of(heard, "submit"), expected);
    let mo = json!({ "step": "mo", "from": "+1001", "to": "31234", "text": "h\u{e9} \u{1f600}", "coding": "2" });
    assert_eq!(of(said, "mo"), [mo]);
    // One receipt for each, of the long one for its last part, and the message of the mobile.
    assert!(of(heard, "delivered").iter().all(|delivered| delivered["ok"] == true), "{heard:#?}");
    let closed = of(heard, "closed");
    assert_eq!(closed, vec![json!({ "step": "closed", "reason": "PeerUnbound" }); links]);
    // 8: the message centre took it; 16: it did not.
    let reports = of(said, "report");
    let told = |name: &str, kind: &str| reports.iter().any(|report| report["of"] == name && report["kind"] == kind);
    for name in ["gsm", "ucs2", "udh", "flash"] {
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
    for name in ["gsm", "ucs2", "udh", "flash"] {
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
