//! The client against the server, over streams in memory, on tokio's stopped clock.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect, and reads the clock that it stopped"
)]

mod world;

use std::io::ErrorKind;

use world::*;

#[tokio::test(start_paused = true)]
async fn a_ussd_dialogue() {
    let (server, mut at_server) = server(server::Config::default());
    let (client, mut at_client) = client_of(&server, "marmalade", client::Config::default());
    assert_eq!(next(&mut at_client).await, client::Event::Up);
    let event = next(&mut at_server).await;
    assert_eq!((event.account.clone(), event.what), ("vodka".into(), What::Session(ServerEvent::LoggedIn)));

    let dial = UssdMessage {
        msisdn: "27831112222".into(),
        ussd_type: UssdType::New,
        message: "*120#".into(),
        ..UssdMessage::default()
    };
    server.send(&event.account, dial.clone()).await.unwrap();
    assert_eq!(next(&mut at_client).await, client::Event::Session(ClientEvent::Received(dial.into())));

    client.send_ussd("+27831112222", UssdType::Response, "a\r\nb\rc\nd\r\r\n").await.unwrap();
    let Request::SendUssdMessage(shown) = request(&mut at_server).await else { panic!("USSD") };
    assert_eq!((shown.msisdn, shown.message), ("27831112222".into(), "a\nb\nc\nd\n\n".into()));

    client.send_extended_ussd("27831112222", UssdType::End, "655:1::".into(), "f\u{f6}\u{f3}").await.unwrap();
    let Request::SendExtendedUssdMessage(shown) = request(&mut at_server).await else { panic!("USSD") };
    assert_eq!((shown.genfields, shown.message.as_slice()), ("655:1::".into(), &b"f\xf6\xf3"[..]));

    client.logout().await;
    assert_eq!(next(&mut at_server).await.what, What::Closed(CloseReason::LoggedOut));
    assert_eq!(next(&mut at_client).await, client::Event::Stopped(CloseReason::LoggedOut));
    assert_eq!(at_client.recv().await, None);
    let error = client.send_ussd("27831112222", UssdType::End, "").await.unwrap_err();
    assert_eq!(error, client::Error::Stopped(CloseReason::LoggedOut));
    assert!(server.accounts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_of_messages() {
    let (server, mut at_server) = server(server::Config::default());
    let (client, mut at_client) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    let account = Octets::from("vodka");
    let number = "27831112222";

    let mut text = client.send_sms(number, 60, "x, y").await.unwrap();
    let mut binary = client.send_binary_sms(number, 0, Pid::Enhanced, Coding::EightBit, b"hello").await.unwrap();
    let mut push = client.send_wap_push(number, "Map", "http://a,b").await.unwrap();
    let mms = client.send_mms(number, "Snow", "snow.gif", b"GIF").await.unwrap();
    let mut wire = Vec::new();
    for _ in 0..4 {
        request(&mut at_server).await.with_fields(|name, id, fields| {
            let fields: Vec<_> = fields.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
            wire.push(format!("{name} {} {}", String::from_utf8_lossy(id), fields.join("|")));
        });
    }
    assert_eq!(
        wire,
        [
            "SEND_SMS 2 60|27831112222|x, y",
            "SEND_BINARY_SMS 4 0|27831112222|15|246|68656c6c6f",
            "SEND_WAP_PUSH_MESSAGE 112 27831112222|Map|http://a,b",
            "SEND_MMS_MESSAGE 111 27831112222|Snow|snow.gif|474946",
        ]
    );

    for sequence in ["7", "8"] {
        server.send(&account, Seq { msisdn: number.into(), sequence: sequence.into() }).await.unwrap();
    }
    assert_eq!(binary.sequence(SECOND).await, Ok("8".into()));
    assert_eq!(text.clone().sequence(SECOND).await, Ok("7".into()));
    let report = DeliveryReport { msisdn: number.into(), sequence: "7".into(), ret_code: DeliveryCode::Expired };
    server.send(&account, report.clone()).await.unwrap();
    assert_eq!(text.report(SECOND).await, Ok(report.clone()));
    assert_eq!(text.report(SECOND).await, Ok(report.clone()), "as often as asked");
    assert_eq!(binary.report(SECOND).await, Err(Unanswered::TimedOut));
    // The session waits longer than the caller did.
    assert_eq!(push.sequence(SECOND).await, Err(Unanswered::TimedOut));
    assert_eq!(push.sequence(3600 * SECOND).await, Err(Unanswered::TimedOut));
    assert_eq!(push.report(Duration::MAX).await, Err(Unanswered::TimedOut));

    assert_eq!(next(&mut at_client).await, client::Event::Up, "what somebody waits for is no event");
    drop(binary);
    let report = DeliveryReport { sequence: "8".into(), ..report };
    server.send(&account, report.clone()).await.unwrap();
    let client::Event::Session(ClientEvent::Report { ticket, report: told }) = next(&mut at_client).await else {
        panic!("what nobody waits for is one")
    };
    assert_eq!((ticket.is_some(), told), (true, report));
    drop(mms);
}

#[tokio::test(start_paused = true)]
async fn of_ussd_nothing_is_heard_whoever_asks() {
    let (server, _at_server) = server(server::Config::default());
    let (client, _events) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    let ussd = SendUssdMessage { msisdn: "27831112222".into(), ..SendUssdMessage::default() };
    let begun = Instant::now();
    assert_eq!(client.submit(ussd).await.unwrap().report(Duration::MAX).await, Err(Unanswered::Closed));
    assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_logout_sent_as_a_request_is_one() {
    let (server, _at_server) = server(server::Config::default());
    let (client, mut events) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    client.request(Logout {}).await.unwrap();
    assert_eq!(next(&mut events).await, client::Event::Up);
    assert_eq!(next(&mut events).await, client::Event::Stopped(CloseReason::LoggedOut));
}

#[tokio::test(start_paused = true)]
async fn lookups() {
    let (server, mut at_server) = server(server::Config::default());
    let (client, _events) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.imsi_lookup("27831112222").await }
    });
    let Request::ImsiLookup(lookup) = request(&mut at_server).await else { panic!("a lookup") };
    let reply = ImsiLookupReply {
        sequence: lookup.sequence,
        msisdn: lookup.msisdn,
        imsi: "655011234500002".into(),
        spid: "65501".into(),
    };
    server.send(&"vodka".into(), reply.clone()).await.unwrap();
    assert_eq!(asking.await.unwrap(), Ok(reply));

    let begun = Instant::now();
    let error = client.msisdn_lookup("655011234500003").await.unwrap_err();
    assert_eq!(error, client::Error::Unanswered(Unanswered::TimedOut));
    assert!(error.was_sent());
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_with_a_reason() {
    let (server, _at_server) = server(server::Config::default());
    let (client, _events) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    let error = client.send_ussd("27831112222", UssdType::End, "5 \u{20ac}").await.unwrap_err();
    let client::Error::Text(error) = error else { panic!("{error}") };
    assert_eq!((error.character, error.offset), ('\u{20ac}', 2));
    let error = client.send_wap_push("27831112222", "Hi, you", "http://a").await.unwrap_err();
    assert!(error.to_string().contains("SEND_WAP_PUSH_MESSAGE.subject at octet 2"), "{error}");
    let injection = SendUssdMessage { message: "a\rSSMI,99".into(), ..SendUssdMessage::default() };
    assert!(matches!(client.request(injection).await, Err(client::Error::NotSent(_))));
    assert!(matches!(client.request(login("again")).await, Err(client::Error::NotSent(_))));
    assert_eq!(client.status(), Status::Up);
    let bad = Login { username: "a,b".into(), password: "c".into() };
    assert!(matches!(Client::connect("127.0.0.1:1", bad, client::Config::default()), Err(client::Error::NotSent(_))));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_tried_again_after_a_long_while() {
    let (server, mut at_server) = server(server::Config::default());
    let (client, mut at_client) = client_of(&server, "wrong", client::Config::default());
    for _ in 0..2 {
        assert_eq!(
            next(&mut at_client).await,
            client::Event::Down {
                why: DownReason::Session(CloseReason::LoginRefused(NackType::Credentials)),
                retry_in: 300 * SECOND
            }
        );
        let event = next(&mut at_server).await;
        assert_eq!(event.what, What::Session(ServerEvent::LoginRefused(NackType::Credentials)));
        assert_eq!(next(&mut at_server).await.what, What::Closed(CloseReason::LoginRefused(NackType::Credentials)));
    }
    assert_eq!(client.request(LinkCheck {}).await, Err(client::Error::NotConnected));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_is_not_tried_again() {
    let (server, _at_server) = server(server::Config::default());
    let (client, mut at_client) = client_of(&server, "unpaid", client::Config::default());
    let refused = CloseReason::LoginRefused(NackType::Suspended);
    assert_eq!(client.ready().await, Err(client::Error::Stopped(refused.clone())));
    assert_eq!(next(&mut at_client).await, client::Event::Stopped(refused));
    assert_eq!(at_client.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_second_login_throws_the_first_out_and_it_does_not_come_back() {
    let (server, mut at_server) = server(server::Config::default());
    let (first, mut at_first) = client_of(&server, "marmalade", client::Config::default());
    first.ready().await.unwrap();
    let (second, mut at_second) = client_of(&server, "marmalade", client::Config::default());
    second.ready().await.unwrap();
    assert_eq!(next(&mut at_first).await, client::Event::Up);
    assert_eq!(next(&mut at_first).await, client::Event::Session(ClientEvent::RemoteLogout { ip: "10.0.0.1".into() }));
    assert_eq!(next(&mut at_first).await, client::Event::Stopped(CloseReason::RemoteLogout));
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = next(&mut at_server).await;
        told.push((event.connection, event.what));
    }
    assert_eq!(told[2], (told[0].0, What::Closed(CloseReason::RemoteLogout)));
    server.send(&"vodka".into(), FreeForm { text: "to the second".into() }).await.unwrap();
    assert_eq!(next(&mut at_second).await, client::Event::Up);
    assert!(matches!(next(&mut at_second).await, client::Event::Session(ClientEvent::Received(_))));
}

#[tokio::test(start_paused = true)]
async fn delays_grow_until_a_login_and_not_until_a_connection() {
    let (client, mut events, mut peers) = client_by_hand(client::Config::default());
    let mut delays = Vec::new();
    for _ in 0..4 {
        drop(peers.recv().await.unwrap());
        let client::Event::Down { why, retry_in } = next(&mut events).await else { panic!("down") };
        assert!(matches!(why, DownReason::Session(CloseReason::PeerClosed | CloseReason::Failed(_))), "{why}");
        delays.push(retry_in);
    }
    for (delay, most) in delays.iter().zip([1, 2, 4, 8]) {
        assert!((most * SECOND / 2..=most * SECOND).contains(delay), "{delays:?}");
    }
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    assert_eq!(next(&mut events).await, client::Event::Up);
    drop(peer);
    let client::Event::Down { retry_in, .. } = next(&mut events).await else { panic!("down") };
    assert!(retry_in <= SECOND, "{retry_in:?}");
    assert_eq!(client.status(), Status::Waiting);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_cannot_be_reached_is_waited_for() {
    let (client, mut events, peers) = client_by_hand(client::Config::default());
    drop(peers);
    for _ in 0..2 {
        let client::Event::Down { why, .. } = next(&mut events).await else { panic!("down") };
        assert!(matches!(why, DownReason::Connect { kind: ErrorKind::ConnectionRefused, .. }), "{why}");
        assert_eq!(client.status(), Status::Waiting);
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_while_down_fails_at_once_or_waits_as_told() {
    let (client, _events, mut peers) = client_by_hand(client::Config::default());
    let peer = peers.recv().await.unwrap();
    assert_eq!(client.send_sms("27831112222", 0, "x").await.unwrap_err(), client::Error::NotConnected);
    drop((client, peer));

    let waiting = client::Config::default().when_down(WhenDown::Wait(10 * SECOND));
    let (client, _events, mut peers) = client_by_hand(waiting);
    let begun = Instant::now();
    assert_eq!(client.send_sms("27831112222", 0, "x").await.unwrap_err(), client::Error::NotConnected);
    assert_eq!(begun.elapsed().as_secs(), 10);
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.send_sms("27831112222", 0, "x").await }
    });
    advance(5 * SECOND).await;
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    assert_eq!(peer.line().await, "SSMI,2,0,27831112222,x");
    sending.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_report_after_a_reconnect_finds_its_handle() {
    let (client, _events, mut peers) = client_by_hand(client::Config::default());
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    let mut known = client.send_sms("27831112222", 0, "x").await.unwrap();
    let mut unknown = client.send_sms("27831112222", 0, "y").await.unwrap();
    peer.say("SSMI,100,27831112222,1").await;
    known.sequence(SECOND).await.unwrap();
    drop(peer);
    assert_eq!(unknown.sequence(SECOND).await, Err(Unanswered::Closed));
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    peer.say("SSMI,104,27831112222,1,0").await;
    assert_eq!(known.report(SECOND).await.unwrap().ret_code, DeliveryCode::Success);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_gateway_back_and_loses_nothing() {
    let (client, mut events, mut peers) = client_by_hand(client::Config::default().max_events(4));
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    let flood = tokio::spawn(async move {
        for number in 0..20_000 {
            peer.say(&format!("SSMI,105,{number}")).await;
        }
        peer
    });
    // Hours pass: the gateway answers no link check that could be seen, and is not taken for dead.
    tokio::time::sleep(3600 * SECOND).await;
    assert!(!flood.is_finished(), "the gateway is held back");
    assert_eq!(client.status(), Status::Up);
    assert_eq!(next(&mut events).await, client::Event::Up);
    for number in 0..20_000 {
        let client::Event::Session(ClientEvent::Received(Response::FreeForm(notice))) = next(&mut events).await else {
            panic!("notice {number}")
        };
        assert_eq!(notice.text, *number.to_string());
    }
    flood.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_program_that_never_asked_for_events_may_send_for_ever() {
    let (server, mut at_server) = server(server::Config::default());
    let connect = server.clone();
    let connector = move || {
        let (here, there) = tokio::io::duplex(1024);
        let served = connect.serve(there, None).map_err(io::Error::other);
        async move { served.map(|_| here) }
    };
    let client = Client::connect_with(connector, login("marmalade"), client::Config::default().max_events(1)).unwrap();
    client.ready().await.unwrap();
    for _ in 0..100 {
        server.send(&"vodka".into(), FreeForm { text: "notice".into() }).await.unwrap();
        client.send_ussd("27831112222", UssdType::End, "bye").await.unwrap();
        request(&mut at_server).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up() {
    let io = ssmi::driver::IoConfig::default().max_unwritten(1000);
    let (client, mut events, mut peers) = client_by_hand(client::Config::default().io(io));
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    assert_eq!(next(&mut events).await, client::Event::Up);
    let begun = Instant::now();
    let sending = async {
        loop {
            if let Err(error) = client.send_ussd("27831112222", UssdType::Response, &"x".repeat(500)).await {
                return error;
            }
        }
    };
    assert_eq!(sending.await, client::Error::NotConnected);
    assert!((30..=36).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let client::Event::Down { why, .. } = next(&mut events).await else { panic!("down") };
    assert_eq!(why, DownReason::Session(CloseReason::Failed(io::ErrorKind::TimedOut)));
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_send_resolves_once_it_was_written() {
    let (client, _events, mut peers) = client_by_hand(client::Config::default());
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    client.ready().await.unwrap();
    let sends: Vec<_> = (0..9)
        .map(|_| {
            let client = client.clone();
            let text = "x".repeat(16_000);
            tokio::spawn(async move { client.send_ussd("27831112222", UssdType::Response, &text).await })
        })
        .collect();
    tokio::time::sleep(SECOND).await;
    // The stream holds 64 KiB: four lines, and a part of the fifth.
    assert_eq!(sends.iter().filter(|send| send.is_finished()).count(), 4);
    peer.line().await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(sends.iter().filter(|send| send.is_finished()).count(), 5);
    drop(peer);
    let mut results = Vec::new();
    for send in sends {
        results.push(send.await.unwrap().map(drop));
    }
    let unsent = results.iter().filter(|result| **result == Err(client::Error::NotConnected)).count();
    assert_eq!(unsent, 4, "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_logs_out() {
    let (client, events, mut peers) = client_by_hand(client::Config::default());
    let mut peer = peers.recv().await.unwrap();
    peer.log_in().await;
    client.ready().await.unwrap();
    let other = client.clone();
    drop((client, events));
    advance(SECOND).await;
    other.send_ussd("27831112222", UssdType::End, "still there").await.unwrap();
    peer.line().await;
    drop(other);
    let begun = Instant::now();
    assert_eq!(peer.closed().await, b"SSMI,99\r");
    assert_eq!(begun.elapsed().as_secs(), 5, "as long as the gateway may take to close");
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_writes_nothing_more() {
    let (_client, _events, mut peers) = client_by_hand(client::Config::default());
    let mut peer = peers.recv().await.unwrap();
    peer.line().await;
    peer.say("SSMI,102,1").await;
    assert_eq!(peer.closed().await, b"");
}

#[tokio::test(start_paused = true)]
async fn events_in_the_segment_of_the_login_are_delivered() {
    let (_client, mut events, mut peers) = client_by_hand(client::Config::default());
    let mut peer = peers.recv().await.unwrap();
    peer.say("SSMI,101,1\rSSMI,101,2\rSSMI,110,27825550301,1,0,*120*555#\rSSMI,110,27825550301,2,2,unfin").await;
    assert_eq!(next(&mut events).await, client::Event::Up);
    for _ in 0..2 {
        assert!(matches!(next(&mut events).await, client::Event::Session(ClientEvent::Received(_))));
    }
    drop(peer);
    assert!(matches!(next(&mut events).await, client::Event::Down { .. }));
}
