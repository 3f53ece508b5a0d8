//! The message centre of the test kit: what it is told to do it does, and what went wrong it says.
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

mod esme;
mod in_memory;

use std::time::Duration;

use smpp::client::{ClientEvent, ClientEvents};
use smpp::message::{InboundMessage, Sms};
use smpp::pdu::{CancelSm, DeliverSm, Pdu, QuerySm, ReplaceSm, SubmitSm};
use smpp::profile::{Profile, TextProfile};
use smpp::receipt::{Outcome, Receipt};
use smpp::server::DeliverError;
use smpp::testkit::{Answer, Smsc};
use smpp::text::LongMessages;
use smpp::types::{CommandStatus, DataCoding, MessageState, ShortMessage};
use tokio::time::{Instant, timeout};

use self::esme::{Esme, submit};
use self::in_memory::{MINUTE, clean, client};

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

/// What another account's message is, is nobody else's to know.
#[tokio::test(start_paused = true)]
async fn a_message_is_its_accounts() {
    let smsc = Smsc::start();
    let (mut owner, mut other) = (bound(&smsc).await, Esme::over(smsc.connect()).bind("oryx").await);
    owner.send(2, submit("hello")).await;
    assert_eq!(owner.status().await, CommandStatus::ROK);
    let message_id = smsc.expect_submit().await.id.unwrap();
    let statuses = async |esme: &mut Esme| {
        esme.send(3, QuerySm { message_id: message_id.clone(), ..Default::default() }).await;
        esme.send(4, ReplaceSm { message_id: message_id.clone(), ..Default::default() }).await;
        esme.send(5, CancelSm { message_id: message_id.clone(), ..Default::default() }).await;
        esme.answers(3).await.into_iter().map(|(_, status)| status).collect::<Vec<_>>()
    };
    let refused = [CommandStatus::RQUERYFAIL, CommandStatus::RREPLACEFAIL, CommandStatus::RCANCELFAIL];
    assert_eq!(statuses(&mut other).await, refused);
    assert_eq!(statuses(&mut owner).await, [CommandStatus::ROK; 3]);
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

/// A message with this text.
fn message(text: &str) -> DeliverSm {
    DeliverSm { short_message: ShortMessage::new(text.to_owned()).unwrap(), ..DeliverSm::default() }
}

/// When deliveries come, until none does for 20 seconds, each answered with the next of these; the last one is the answer
/// to all others.
async fn answer_with(esme: &mut Esme, statuses: &[CommandStatus]) -> Vec<Duration> {
    let (start, mut came) = (Instant::now(), Vec::new());
    while let Ok(request) = timeout(Duration::from_secs(20), esme.next()).await {
        let status = *statuses.get(came.len()).or(statuses.last()).unwrap();
        came.push(start.elapsed());
        esme.respond(request.unwrap().header.sequence_number, status).await;
    }
    came
}

#[tokio::test(start_paused = true)]
async fn a_temporary_error_is_sent_again_and_a_permanent_one_is_not() {
    let smsc = Smsc::start();
    let mut esme = bound(&smsc).await;
    let (rok, temporary, permanent) = (CommandStatus::ROK, CommandStatus::RX_T_APPN, CommandStatus::RX_P_APPN);
    let seconds = |came: Vec<Duration>| came.iter().map(Duration::as_secs).collect::<Vec<_>>();

    let answers = [temporary, CommandStatus::RMSGQFUL, rok];
    let (delivered, taken) = tokio::join!(smsc.deliver(message("a")), answer_with(&mut esme, &answers));
    assert_eq!((delivered.is_ok(), seconds(taken)), (true, vec![0, 1, 2]));
    let answers = [temporary, permanent];
    let (delivered, taken) = tokio::join!(smsc.deliver(message("b")), answer_with(&mut esme, &answers));
    assert_eq!((delivered, seconds(taken)), (Err(DeliverError::Refused { status: permanent }), vec![0, 1]));
    // It is bounded.
    let always = [temporary];
    let (delivered, taken) = tokio::join!(smsc.deliver(message("c")), answer_with(&mut esme, &always));
    assert_eq!((delivered, taken.len()), (Err(DeliverError::Refused { status: temporary }), 61));
    smsc.resend(2, Duration::from_secs(10));
    let (delivered, taken) = tokio::join!(smsc.deliver(message("d")), answer_with(&mut esme, &always));
    assert_eq!((delivered.is_err(), seconds(taken)), (true, vec![0, 10, 20]));
    // Receipts too.
    smsc.on_submit(|_| Answer::accept().then_receipt(MessageState::DELIVERED));
    esme.send(2, submit("receipt")).await;
    assert_eq!(esme.answers(1).await, [(2, rok)]);
    assert_eq!(seconds(answer_with(&mut esme, &[temporary, rok]).await), [0, 10]);

    smsc.expect_submit().await;
    drop(esme);
    let report = smsc.finish().await;
    assert_eq!((report.resent, report.failed_deliveries.len()), (2 + 1 + 60 + 2 + 1, 3), "{report:?}");
}

/// The next message, taken.
async fn taken(events: &mut ClientEvents) -> InboundMessage {
    loop {
        if let ClientEvent::Message(message) = events.recv().await.unwrap() {
            let taken = message.clone();
            message.ack();
            return taken;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_phones_come_whole() {
    let smsc = in_memory::smsc();
    let client = client(&smsc).await;
    let mut events = client.events().unwrap();
    let of = |text: &str, times| text.repeat(times);
    let sms = |text: &str| Sms::to("31234").from("+27831234567").text(text);
    for (text, data_coding, parts) in [
        (of("a", 160), DataCoding::DEFAULT, 1),
        (of("a", 161), DataCoding::DEFAULT, 2),
        (of("\u{17e}", 70), DataCoding::UCS2, 1),
        (of("\u{1f600}", 100), DataCoding::UCS2, 4),
    ] {
        let sms = sms(&text);
        let (delivered, message) = tokio::join!(smsc.deliver_sms(&sms), taken(&mut events));
        assert_eq!(
            (delivered, message.text, message.data_coding, message.parts),
            (Ok(()), Some(text), data_coding, parts)
        );
        assert_eq!(
            (message.source.to_string(), message.destination.to_string()),
            ("27831234567".into(), "31234".into())
        );
    }
    // By another way, and by hand in another order.
    smsc.profile(Profile::default().text(TextProfile::default().long_messages(LongMessages::Sar)));
    let long = of("0123456789", 40);
    let mut parts = smsc.parts(&sms(&long));
    assert!(parts.len() == 3 && parts.iter().all(|part| part.short_message.as_bytes().len() <= 152));
    parts.reverse();
    let deliver = async {
        for part in parts {
            smsc.deliver(part).await.unwrap();
        }
    };
    assert_eq!(tokio::join!(deliver, taken(&mut events)).1.text, Some(long));
    client.shutdown(MINUTE).await;
    drop((client, events));
    clean(smsc).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_phone_ends_where_a_part_is_refused() {
    let smsc = Smsc::start();
    smsc.resend(0, Duration::ZERO);
    let mut esme = bound(&smsc).await;
    let refused = CommandStatus::RX_P_APPN;
    let answers = [CommandStatus::ROK, refused];
    let sms = Sms::to("31234").from("27831234567").text("a".repeat(400));
    let (delivered, came) = tokio::join!(smsc.deliver_sms(&sms), answer_with(&mut esme, &answers));
    assert_eq!((delivered, came.len()), (Err(DeliverError::Refused { status: refused }), 2));
    // Each message has a number of its own.
    let number = |parts: &[DeliverSm]| parts[0].short_message.as_bytes()[3];
    assert_ne!(number(&smsc.parts(&sms)), number(&smsc.parts(&sms)));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the message cannot be delivered: destination: it is empty")]
async fn a_message_to_nobody_fails_the_test() {
    Smsc::start().parts(&Sms::to("").text("hello"));
}

#[tokio::test(start_paused = true)]
async fn its_window_is_as_a_real_ones() {
    for (smsc, window) in [(Smsc::start(), 10), (Smsc::with_window(3), 3)] {
        let mut esme = bound(&smsc).await;
        let deliveries = (0..25).map(|number| smsc.deliver(message(&number.to_string())));
        let answers = async {
            let mut largest = 0;
            let mut answered = 0;
            while answered < 25 {
                // All that comes without an answer.
                let mut numbers = Vec::new();
                while let Ok(request) = timeout(Duration::from_secs(1), esme.next()).await {
                    numbers.push(request.unwrap().header.sequence_number);
                }
                largest = numbers.len().max(largest);
                answered += numbers.len();
                for number in numbers {
                    esme.respond(number, CommandStatus::ROK).await;
                }
            }
            largest
        };
        let (delivered, largest) = tokio::join!(futures::future::join_all(deliveries), answers);
        assert_eq!((delivered.iter().filter(|delivered| delivered.is_ok()).count(), largest), (25, window));
        drop(esme);
        let report = smsc.finish().await;
        assert_eq!(report.resent, 0);
        report.assert_clean();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_clean_is_named() {
    let smsc = Smsc::start();
    smsc.resend(0, Duration::ZERO);
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
