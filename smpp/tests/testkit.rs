//! The message centre of the test kit: what it is told to do it does, and what went wrong it says.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod esme;

use std::time::Duration;

use smpp::pdu::{CancelSm, DeliverSm, Pdu, QuerySm, SubmitSm};
use smpp::receipt::{Outcome, Receipt};
use smpp::server::DeliverError;
use smpp::testkit::{Answer, Smsc};
use smpp::types::{CommandStatus, MessageState};
use tokio::time::Instant;

use self::esme::{Esme, submit};

async fn bound(smsc: &Smsc) -> Esme {
    Esme::over(smsc.connect()).bind("kudu").await
}

fn by_text(submit: &SubmitSm) -> Answer {
    match submit.short_message.as_bytes().as_ref() {
        b"refuse" => Answer::refuse(CommandStatus::RINVDSTADR),
        b"throttle" => Answer::throttle(),
        b"late" => Answer::accept().after(Duration::from_secs(5)),
        b"never" => Answer::never(),
        b"cut" => Answer::cut_link(),
        b"swap" => Answer::reorder(2),
        b"named" => Answer::accept_as("abc".parse().unwrap()),
        b"receipt" => Answer::accept()
            .then_receipt(MessageState::ENROUTE)
            .receipt_after(MessageState::DELIVERED, Duration::from_secs(1)),
        _ => Answer::accept(),
    }
}

#[tokio::test(start_paused = true)]
async fn it_answers_as_it_is_told() {
    let smsc = Smsc::start();
    smsc.on_submit(by_text);
    let mut esme = bound(&smsc).await;
    assert_eq!(smsc.expect_bind().await.account(), "kudu");
    let start = Instant::now();
    let texts = ["late", "refuse", "throttle", "named", "other"];
    esme.send_all((2..).zip(texts.map(submit))).await;
    let (rinvdstadr, rthrottled, rok) = (CommandStatus::RINVDSTADR, CommandStatus::RTHROTTLED, CommandStatus::ROK);
    let expected = [(3, rinvdstadr), (4, rthrottled), (5, rok), (6, rok), (2, rok)];
    assert_eq!(esme.answers(5).await, expected);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    let ids = ["1", "", "", "abc", "2"];
    for (text, id) in texts.into_iter().zip(ids) {
        let submitted = smsc.expect_submit().await;
        assert_eq!(submitted.pdu, submit(text));
        assert_eq!(submitted.id.map(|id| id.to_text().into_owned()).unwrap_or_default(), id);
    }
    esme.send_all([(7, submit("swap")), (8, submit("swap"))]).await;
    assert_eq!(esme.answers(2).await, [(8, rok), (7, rok)]);
}

#[tokio::test(start_paused = true)]
async fn receipts_follow_and_states_are_kept() {
    let smsc = Smsc::start();
    smsc.on_submit(by_text);
    let mut esme = bound(&smsc).await;
    esme.send(2, submit("receipt")).await;
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::ROK)]);
    for (state, outcome) in [(MessageState::ENROUTE, Outcome::Pending), (MessageState::DELIVERED, Outcome::Delivered)] {
        let request = esme.next().await.unwrap();
        let Pdu::DeliverSm(deliver) = &request.pdu else { panic!() };
        let receipt = Receipt::from_deliver_sm(deliver).unwrap();
        assert_eq!((receipt.id.as_deref(), receipt.state, receipt.outcome()), (Some("1"), Some(state), outcome));
        esme.respond(request.header.sequence_number, CommandStatus::ROK).await;
    }
    esme.send(3, QuerySm { message_id: "1".parse().unwrap(), ..Default::default() }).await;
    let Pdu::QuerySmResp(Some(response)) = esme.next().await.unwrap().pdu else { panic!() };
    assert_eq!(response.message_state, MessageState::DELIVERED);
    esme.send(4, CancelSm { message_id: "1".parse().unwrap(), ..Default::default() }).await;
    assert_eq!(esme.status().await, CommandStatus::RCANCELFAIL);
    smsc.expect_submit().await;
    drop(esme);
    smsc.finish().await.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn accounts_and_refusals() {
    let smsc = Smsc::start();
    smsc.account("kudu".parse().unwrap(), "secret".try_into().unwrap());
    bound(&smsc).await;
    assert_eq!(Esme::over(smsc.connect()).bind_status("oryx").await, CommandStatus::RINVSYSID);
    smsc.refuse_binds(Some(CommandStatus::RALYBND));
    assert_eq!(Esme::over(smsc.connect()).bind_status("kudu").await, CommandStatus::RALYBND);
    smsc.refuse_binds(None);
    bound(&smsc).await;
}

#[tokio::test(start_paused = true)]
async fn links_are_lost_when_it_is_told() {
    let smsc = Smsc::start();
    smsc.on_submit(by_text);
    let mut esme = bound(&smsc).await;
    esme.send_all([(2, submit("never")), (3, submit("cut"))]).await;
    assert!(esme.next().await.is_none());
    let mut esme = bound(&smsc).await;
    smsc.cut_links();
    assert!(esme.next().await.is_none());
    assert_eq!(smsc.deliver(DeliverSm::default()).await, Err(DeliverError::NotBound));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_clean_is_named() {
    let smsc = Smsc::start();
    let mut esme = bound(&smsc).await;
    esme.send(2, submit("nobody expects it")).await;
    esme.status().await;
    esme.send(3, DeliverSm::default()).await;
    assert_eq!(esme.status().await, CommandStatus::RINVBNDSTS);
    esme.respond(77, CommandStatus::ROK).await;
    let delivery = smsc.deliver(DeliverSm::default());
    let answer = async {
        let request = esme.next().await.unwrap();
        esme.respond(request.header.sequence_number, CommandStatus::RX_T_APPN).await;
    };
    assert!(tokio::join!(delivery, answer).0.is_err());
    drop(esme);
    let problems = smsc.finish().await.problems();
    assert_eq!(problems.len(), 4, "{problems:?}");
    for (problem, word) in problems.iter().zip(["not allowed", "responses to nothing", "not expected", "refused"]) {
        assert!(problem.contains(word), "{problem}");
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no submit_sm came")]
async fn what_does_not_come_fails_the_test() {
    Smsc::start().expect_submit().await;
}

#[tokio::test]
async fn over_a_loopback_port() {
    let smsc = Smsc::start();
    let address = smsc.listen().await.unwrap();
    let mut esme = Esme::over(tokio::net::TcpStream::connect(address).await.unwrap()).bind("kudu").await;
    esme.send(2, submit("hello")).await;
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::ROK)]);
    assert_eq!(smsc.expect_submit().await.link.peer().unwrap().ip(), address.ip());
    drop(esme);
    smsc.finish().await.assert_clean();
}
