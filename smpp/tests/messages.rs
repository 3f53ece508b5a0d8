//! The message level of the client, over streams in memory against the message centre of the test kit.
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

mod in_memory;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smpp::client::{
    Client, ClientConfig, ClientEvent, ClientEvents, Links, NotSent, NotSentReason, OnLoss, PacerConfig, ReceiptError,
    RequestError, SendError,
};
use smpp::message::Sms;
use smpp::pdu::{AlertNotification, DeliverSm, Pdu, QuerySm, SubmitSm};
use smpp::receipt::Outcome;
use smpp::server::DeliverError;
use smpp::session::{self, Unanswered};
use smpp::testkit::{Answer, Smsc};
use smpp::types::{CommandId, CommandStatus, EsmClass, MessageState, ShortMessage};
use tokio::time::Instant;

use self::in_memory::{MINUTE, URL, builder, clean, client, deliver, sms, smsc, standing, text};

#[test]
fn handles_can_be_shared_and_futures_sent() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>(_: T) {}
    shared::<Client>();
    sent::<Option<ClientEvent>>(None);
    #[expect(dead_code, reason = "only its types count")]
    fn futures(client: &Client, answer: &smpp::client::Sent, events: &mut ClientEvents) {
        sent(answer.receipt(MINUTE));
        sent(events.recv());
        sent(client.send(sms("a")));
        sent(client.shutdown(MINUTE));
        sent(client.wait_for(Links::can_receive));
        sent(client.request(QuerySm::default()));
        sent(Client::connect(""));
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_message_and_its_receipts_merged() {
    let smsc = smsc();
    let counted = AtomicUsize::new(0);
    smsc.on_submit(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        // The receipt of the first part is the last to come.
        0 => Answer::accept().receipt_after(MessageState::DELIVERED, Duration::from_secs(5)),
        _ => Answer::accept().then_receipt(MessageState::ENROUTE).receipt_after(MessageState::DELIVERED, MINUTE / 60),
    });
    let client = client(&smsc).await;
    let sent = client.send(sms(&"long ".repeat(50)).from("ACME").receipt()).await.unwrap();
    assert_eq!((sent.parts(), sent.ids()), (2, &["1".to_owned(), "2".to_owned()][..]));
    let Err(ReceiptError::TimedOut { report }) = sent.receipt(Duration::from_secs(3)).await else { panic!() };
    assert_eq!((report.outcome(), report.parts[1].outcome()), (Outcome::Pending, Outcome::Delivered));
    let report = sent.receipt(MINUTE).await.unwrap();
    assert_eq!((report.outcome(), report.state()), (Outcome::Delivered, Some(MessageState::DELIVERED)));
    let parts = [smsc.expect_submit().await.pdu, smsc.expect_submit().await.pdu];
    let concatenations = parts.map(|part| part.body().concatenation.unwrap());
    assert_eq!(concatenations.map(|part| (part.part, part.total)), [(1, 2), (2, 2)]);
    assert_eq!(concatenations[0].reference, concatenations[1].reference);
    assert!(matches!(client.send(sms("short")).await.unwrap().receipt(MINUTE).await, Err(ReceiptError::NotRequested)));
    smsc.expect_submit().await;
    tokio::time::sleep(MINUTE).await;
    client.shutdown(MINUTE).await;
    drop((client, sent));
    clean(smsc).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_message_that_was_not_taken() {
    let smsc = smsc();
    smsc.on_submit(|submit| match text(submit).as_str() {
        "refuse" => Answer::refuse(CommandStatus::RINVDSTADR),
        "never" => Answer::never(),
        "cut" => Answer::cut_link(),
        _ => Answer::accept(),
    });
    let config = ClientConfig::default().max_wait(Duration::from_secs(5));
    let client = builder(&smsc, &format!("{URL}?response_timeout=20")).config(config).connect().await.unwrap();

    let refused = client.send(sms("refuse")).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused { status: CommandStatus::RINVDSTADR, part: 1, .. }));
    assert!(refused.is_safe_to_retry());

    let start = Instant::now();
    let unanswered = client.send(sms("never")).await.unwrap_err();
    assert!(matches!(unanswered, SendError::Unanswered { why: Unanswered::TimedOut, .. }), "{unanswered}");
    assert_eq!((start.elapsed(), unanswered.is_safe_to_retry()), (Duration::from_secs(20), false));

    let invalid = client.send(sms("a").validity(MINUTE * 1_000_000)).await.unwrap_err();
    assert!(matches!(&invalid, SendError::Invalid(invalid) if invalid.field == "validity"), "{invalid}");

    smsc.refuse_binds(Some(CommandStatus::RINVPASWD));
    let lost = client.send(sms("cut")).await.unwrap_err();
    assert!(matches!(lost, SendError::Unanswered { why: Unanswered::Closed, .. }), "{lost}");
    let start = Instant::now();
    let no_link = client.send(sms("later")).await.unwrap_err();
    assert!(matches!(no_link, SendError::NotSent { why: NotSentReason::NoLink, .. }), "{no_link}");
    assert_eq!((start.elapsed(), no_link.is_safe_to_retry()), (Duration::from_secs(5), true));

    client.shutdown(MINUTE).await;
    let closed = client.send(sms("too late")).await.unwrap_err();
    assert!(matches!(closed, SendError::NotSent { why: NotSentReason::ShuttingDown, .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_pauses_the_queue_and_keeps_its_place() {
    let smsc = smsc();
    let (accepted, count) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
    let noted = Arc::clone(&accepted);
    smsc.on_submit(move |submit| match count.fetch_add(1, Ordering::Relaxed) {
        2..6 => Answer::throttle(),
        _ => {
            noted.lock().unwrap().push(text(submit));
            Answer::accept()
        }
    });
    let client = builder(&smsc, &format!("{URL}?window=4")).connect().await.unwrap();
    let start = Instant::now();
    let texts: Vec<_> = (0..20).map(|number| format!("{number:02}")).collect();
    let sends = texts.iter().map(|text| client.send(sms(text)));
    for sent in futures::future::join_all(sends).await {
        sent.unwrap();
    }
    assert_eq!(*accepted.lock().unwrap(), texts);
    // Two of the first window, and then one trial after another.
    assert_eq!(start.elapsed(), Duration::from_secs(1 + 2 + 4));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_rate_lets_through_what_comes_back() {
    let smsc = smsc();
    let (accepted, count) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
    let noted = Arc::clone(&accepted);
    smsc.on_submit(move |submit| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::throttle().after(Duration::from_millis(150)),
        _ => {
            noted.lock().unwrap().push(text(submit));
            Answer::accept()
        }
    });
    let client = builder(&smsc, &format!("{URL}?tps=10")).connect().await.unwrap();
    // When the first one comes back the third has its turn, and waits for the rate.
    let sends = ["0", "1", "2", "3"].map(|text| client.send(sms(text)));
    assert!(futures::future::join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
    assert_eq!(*accepted.lock().unwrap(), ["1", "0", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_twice_may_have_been_taken_the_first_time() {
    let smsc = smsc();
    let count = AtomicUsize::new(0);
    smsc.on_submit(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::cut_link(),
        _ => Answer::refuse(CommandStatus::RINVDSTADR),
    });
    let resubmit = ClientConfig::default().on_loss(OnLoss::Resubmit);
    let client = builder(&smsc, URL).config(resubmit).connect().await.unwrap();
    assert!(matches!(client.send(sms("x")).await, Err(SendError::Unanswered { why: Unanswered::Closed, .. })));
}

#[tokio::test(start_paused = true)]
async fn each_message_says_what_becomes_of_it_when_its_link_is_lost() {
    for (client_says, message_says, resubmits) in [
        (OnLoss::Report, None, false),
        (OnLoss::Report, Some(OnLoss::Report), false),
        (OnLoss::Report, Some(OnLoss::Resubmit), true),
        (OnLoss::Resubmit, None, true),
        (OnLoss::Resubmit, Some(OnLoss::Report), false),
        (OnLoss::Resubmit, Some(OnLoss::Resubmit), true),
    ] {
        let (smsc, count) = (smsc(), AtomicUsize::new(0));
        smsc.on_submit(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Answer::cut_link(),
            _ => Answer::accept(),
        });
        let config = ClientConfig::default().on_loss(client_says);
        let client = builder(&smsc, URL).config(config).connect().await.unwrap();
        let says = Sms { on_loss: message_says, ..sms("x") };
        match (client.send(says).await, resubmits) {
            (Ok(sent), true) => assert_eq!(sent.ids(), ["1"]),
            (Err(SendError::Unanswered { why: Unanswered::Closed, accepted }), false) => assert!(accepted.is_empty()),
            (outcome, _) => panic!("{client_says:?} {message_says:?}: {outcome:?}"),
        }
        smsc.expect_submit().await;
        let again = tokio::time::timeout(MINUTE / 2, smsc.expect_submit()).await;
        assert_eq!(again.is_ok(), resubmits, "{client_says:?} {message_says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_counts_parts() {
    let smsc = smsc();
    let client = builder(&smsc, &format!("{URL}?tps=10")).connect().await.unwrap();
    let start = Instant::now();
    let sends = (0..7).map(|_| client.send(sms(&"x".repeat(400))));
    assert!(futures::future::join_all(sends).await.into_iter().all(|sent| sent.unwrap().parts() == 3));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn pdus_go_their_way_among_messages() {
    let smsc = smsc();
    let config = ClientConfig::default().max_wait(Duration::from_secs(5));
    let client = builder(&smsc, &format!("{URL}?tps=1")).config(config).connect().await.unwrap();
    let id = client.send(sms("x").receipt()).await.unwrap().ids()[0].clone();
    let query = |id: &str| QuerySm { message_id: id.parse().unwrap(), ..QuerySm::default() };
    // The rate is for all of them.
    let start = Instant::now();
    let (asked, sent) = tokio::join!(client.request(query(&id)), client.send(sms("y")));
    assert_eq!((asked.unwrap().message_state, sent.is_ok()), (MessageState::ENROUTE, true));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    let refused = client.request(query("77")).await.unwrap_err();
    assert!(matches!(refused, RequestError::Refused { status: CommandStatus::RQUERYFAIL, .. }), "{refused}");

    smsc.refuse_binds(Some(CommandStatus::RINVPASWD));
    smsc.cut_links();
    standing(&client, |links| links.bound() == 0).await.unwrap();
    let start = Instant::now();
    let closed = client.request(query(&id)).await.unwrap_err();
    assert_eq!((closed, start.elapsed()), (RequestError::NotSent(NotSent::Closed), Duration::from_secs(5)));
    smsc.refuse_binds(None);
    standing(&client, Links::can_submit).await.unwrap();
    client.request(query(&id)).await.unwrap();

    // What is on its way is waited for.
    let clone = client.clone();
    let asked = tokio::spawn(async move { clone.request(query(&id)).await });
    tokio::task::yield_now().await;
    client.shutdown(MINUTE).await;
    asked.await.unwrap().unwrap();
    assert_eq!(client.request(query("1")).await, Err(RequestError::NotSent(NotSent::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_pdu_that_is_throttled_pauses_the_messages_behind() {
    let smsc = smsc();
    smsc.on_submit(|submit| match text(submit).as_str() {
        "throttle" => Answer::throttle(),
        _ => Answer::accept(),
    });
    let client = client(&smsc).await;
    let submit = SubmitSm { destination: "1".parse().unwrap(), ..SubmitSm::default() };
    let throttle = SubmitSm { short_message: ShortMessage::new("throttle").unwrap(), ..submit.clone() };
    let start = Instant::now();
    let throttled = client.request(throttle).await.unwrap_err();
    assert!(matches!(throttled, RequestError::Refused { status: CommandStatus::RTHROTTLED, .. }), "{throttled}");
    client.send(sms("behind")).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    client.request(submit).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn without_leave_nothing_is_sent_twice() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::cut_link());
    let client = client(&smsc).await;
    assert!(matches!(client.send(sms("once")).await, Err(SendError::Unanswered { .. })));
    smsc.expect_submit().await;
    assert!(tokio::time::timeout(MINUTE / 2, smsc.expect_submit()).await.is_err());
}

fn refused_with(outcome: Result<smpp::pdu::DeliverSmResp, DeliverError>) -> CommandStatus {
    let Err(DeliverError::Refused { status, .. }) = outcome else { panic!("{outcome:?}") };
    status
}

#[tokio::test(start_paused = true)]
async fn messages_are_taken_by_the_program_and_receipts_by_the_store() {
    let smsc = smsc();
    let client = client(&smsc).await;
    smsc.expect_bind().await;
    let hello = || deliver(EsmClass::NORMAL, b"hello");
    let receipt = || deliver(EsmClass::DELIVERY_RECEIPT, b"id:9 stat:DELIVRD");
    // Nobody reads.
    smsc.resend(0, Duration::ZERO);
    assert_eq!(refused_with(smsc.deliver(hello()).await), CommandStatus::RX_T_APPN);
    smsc.deliver(receipt()).await.unwrap();

    let mut events = client.events().unwrap();
    let read = async {
        let Some(ClientEvent::Message(message)) = events.recv().await else { panic!() };
        assert_eq!(message.text.as_deref(), Some("hello"));
        message.ack();
    };
    let (delivered, ()) = tokio::join!(smsc.deliver(hello()), read);
    delivered.unwrap();
    smsc.deliver(receipt()).await.unwrap();
    assert!(matches!(events.recv().await, Some(ClientEvent::Receipt { credited: None, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_mobile_that_is_available_again_is_told() {
    let smsc = smsc();
    let client = client(&smsc).await;
    let mut events = client.events().unwrap();
    let source = smpp::types::Address::<65>::international("27831234567").unwrap();
    let alert = AlertNotification { source, ..AlertNotification::default() };
    smsc.expect_bind().await;
    smsc.registry().alert("kudu", alert.clone()).await.unwrap();
    let told = tokio::time::timeout(MINUTE, events.recv()).await;
    let Ok(Some(ClientEvent::Alert(told))) = told else { panic!("{told:?}") };
    assert_eq!(*told, alert);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_answered_with_a_temporary_error() {
    let smsc = smsc();
    let client = client(&smsc).await;
    smsc.expect_bind().await;
    let mut events = client.events().unwrap();
    // What comes again is what the test sends again.
    smsc.resend(0, Duration::ZERO);
    let last = || deliver(EsmClass::UDHI, b"\x05\x00\x03\x2a\x02\x02two");
    smsc.deliver(deliver(EsmClass::UDHI, b"\x05\x00\x03\x2a\x02\x01one ")).await.unwrap();
    let (refused, ()) = tokio::join!(smsc.deliver(last()), async { drop(events.recv().await) });
    assert_eq!(refused_with(refused), CommandStatus::RX_T_APPN);
    let (refused, ()) = tokio::join!(smsc.deliver(last()), async {
        let Some(ClientEvent::Message(message)) = events.recv().await else { panic!() };
        message.refuse(CommandStatus::RSYSERR);
    });
    assert_eq!(refused_with(refused), CommandStatus::RSYSERR);
    // The rest is still there.
    let (delivered, text) = tokio::join!(smsc.deliver(last()), async {
        let Some(ClientEvent::Message(message)) = events.recv().await else { panic!() };
        let text = message.text.clone();
        message.ack();
        text
    });
    assert_eq!((delivered.is_ok(), text.as_deref()), (true, Some("one two")));
    let (refused, ()) = tokio::join!(smsc.deliver(deliver(EsmClass::NORMAL, b"no")), async {
        let Some(ClientEvent::Message(message)) = events.recv().await else { panic!() };
        message.refuse(CommandStatus::RX_R_APPN);
    });
    assert_eq!(refused_with(refused), CommandStatus::RX_R_APPN);
    drop(events);
    assert_eq!(refused_with(smsc.deliver(last()).await), CommandStatus::RX_T_APPN);
}

/// Takes messages until none comes for ten minutes, one every hundredth of a second; gives their texts.
async fn take_slowly(events: &mut ClientEvents) -> Vec<String> {
    let mut taken = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(10 * MINUTE, events.recv()).await {
        if let ClientEvent::Message(message) = event {
            tokio::time::sleep(MINUTE / 6_000).await;
            taken.push(message.text.clone().unwrap());
            message.ack();
        }
    }
    taken.sort_unstable();
    taken
}

#[tokio::test(start_paused = true)]
async fn a_burst_reaches_a_program_that_keeps_up_slowly() {
    // As a real message centre does, and as one that does not care for what the client can hold.
    for (smsc, stop_reading, resends) in [
        (Smsc::start(), false, false),
        (Smsc::with_window(1_000), false, true),
        (Smsc::with_window(1_000), true, false),
    ] {
        let smsc = Arc::new(smsc);
        let config = ClientConfig::default().session(session::Config::default().stop_reading(stop_reading));
        let client = builder(&smsc, URL).config(config).connect().await.unwrap();
        let mut events = client.events().unwrap();
        let texts: Vec<_> = (0..1_000).map(|number| format!("{number:03}")).collect();
        let burst = texts.iter().map(|text| {
            let short_message = ShortMessage::new(text.clone()).unwrap();
            smsc.deliver(DeliverSm { short_message, ..deliver(EsmClass::NORMAL, b"") })
        });
        let (delivered, taken) = tokio::join!(futures::future::join_all(burst), take_slowly(&mut events));
        assert_eq!(delivered.iter().filter(|delivered| delivered.is_ok()).count(), 1_000);
        // Each once.
        assert_eq!(taken, texts);
        client.shutdown(MINUTE).await;
        drop(client);
        let report = Arc::into_inner(smsc).unwrap().finish().await;
        assert_eq!(report.resent > 0, resends, "{} were sent again", report.resent);
        report.assert_clean();
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::accept().after(Duration::from_secs(10)));
    let client = builder(&smsc, &format!("{URL}?window=1")).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let written = tokio::time::timeout(Duration::from_secs(1), client.send_as("written", sms("written")));
    let waiting = tokio::time::timeout(Duration::from_secs(2), client.send_as("waiting", sms("waiting")));
    let (written, waiting) = tokio::join!(written, waiting);
    assert!(written.is_err() && waiting.is_err());
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let Some(ClientEvent::Abandoned { message, outcome }) = events.recv().await else { panic!() };
        outcomes.push((message.to_string(), outcome));
    }
    let [(waiting, Err(SendError::NotSent { why: NotSentReason::Dropped, .. })), (written, Ok(ids))] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!((waiting.as_str(), written.as_str(), &ids[..]), ("waiting", "written", &["1".to_owned()][..]));
    assert_eq!(text(&smsc.expect_submit().await.pdu), "written");
    assert!(tokio::time::timeout(MINUTE / 2, smsc.expect_submit()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::accept_as("abc".parse().unwrap()).after(Duration::from_secs(10)));
    let client = builder(&smsc, &format!("{URL}?window=1")).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let submit = || SubmitSm { destination: "1".parse().unwrap(), ..SubmitSm::default() };
    let written = tokio::time::timeout(Duration::from_secs(1), client.request(submit()));
    let waiting = tokio::time::timeout(Duration::from_millis(500), client.request(submit()));
    let (written, waiting) = tokio::join!(written, waiting);
    assert!(written.is_err() && waiting.is_err());
    let told = tokio::time::timeout(MINUTE, events.recv()).await;
    let Ok(Some(ClientEvent::AbandonedRequest { request, outcome: Ok(response) })) = told else { panic!("{told:?}") };
    let Pdu::SubmitSmResp(Some(response)) = response.pdu else { panic!() };
    assert_eq!((request.command_id, response.message_id), (CommandId::SUBMIT_SM, "abc".parse().unwrap()));
    smsc.expect_submit().await;
    assert!(tokio::time::timeout(MINUTE / 2, smsc.expect_submit()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_to_a_request_is_told() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::accept_as("abc".parse().unwrap()).after(MINUTE / 2));
    let client = builder(&smsc, &format!("{URL}?response_timeout=20")).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let submit = || SubmitSm { destination: "1".parse().unwrap(), ..SubmitSm::default() };
    for dropped in [false, true] {
        let within = if dropped { MINUTE / 6 } else { MINUTE };
        match tokio::time::timeout(within, client.request(submit())).await {
            Err(_) => assert!(dropped),
            Ok(outcome) => assert_eq!(outcome, Err(RequestError::Unanswered(Unanswered::TimedOut))),
        }
        let late = loop {
            match tokio::time::timeout(MINUTE, events.recv()).await.expect("it is told").unwrap() {
                ClientEvent::AbandonedRequest { outcome, .. } => {
                    assert!(dropped && outcome.is_err(), "{outcome:?}");
                }
                ClientEvent::LateRequest { request, response } => break (request.command_id, response.pdu),
                other => assert!(matches!(other, ClientEvent::Bound { .. }), "{other:?}"),
            }
        };
        let (CommandId::SUBMIT_SM, Pdu::SubmitSmResp(Some(response))) = late else { panic!("{late:?}") };
        assert_eq!(response.message_id, "abc");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pacer_of_the_program_goes_before_the_urls() {
    let smsc = smsc();
    let config = ClientConfig::default().pacer(PacerConfig::default().tps(1));
    let client = builder(&smsc, &format!("{URL}?tps=100")).config(config).connect().await.unwrap();
    let start = Instant::now();
    for _ in 0..3 {
        client.send(sms("x")).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_late_response_is_known_and_so_are_its_receipts() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::accept().after(MINUTE / 2).then_receipt(MessageState::DELIVERED));
    let client = builder(&smsc, &format!("{URL}?response_timeout=20")).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let sent = client.send_as("m", sms("slow").receipt()).await;
    assert!(matches!(sent, Err(SendError::Unanswered { why: Unanswered::TimedOut, .. })));
    // Which of the two is told first is the message centre's choice.
    let (mut late, mut credited) = (None, None);
    while late.is_none() || credited.is_none() {
        match events.recv().await.unwrap() {
            ClientEvent::Late { message, part, outcome } => late = Some((message.to_string(), part, outcome)),
            ClientEvent::Receipt { credited: Some(known), .. } | ClientEvent::Credited(known) => {
                credited = Some((known.message.to_string(), known.report.outcome()));
            }
            _ => {}
        }
    }
    assert_eq!(late, Some(("m".into(), 1, Ok("1".into()))));
    assert_eq!(credited, Some(("m".into(), Outcome::Delivered)));
}
