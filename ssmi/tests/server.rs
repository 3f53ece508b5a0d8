//! What a server does about its connections: limits, deadlines, bad lines, shutdown.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect, and reads the clock that it stopped"
)]

mod world;

use world::*;

#[tokio::test(start_paused = true)]
async fn a_server_has_limits_and_a_deadline_to_log_in() {
    let config = server::Config::default().max_per_address(1);
    let (server, mut events) = server(config);
    let (mut here, there) = tokio::io::duplex(1024);
    let peer = Some(([10, 0, 0, 1], 1).into());
    server.serve(there, peer).unwrap();
    let begun = Instant::now();
    assert_eq!(server.serve(tokio::io::duplex(1).0, peer), Err(server::Rejected::Address));
    assert_eq!(here.read(&mut [0; 9]).await.unwrap(), 0);
    assert_eq!(begun.elapsed().as_secs(), 30);
    drop(here);
    assert_eq!(next(&mut events).await.what, What::Closed(CloseReason::LoginTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_never_answers_is_cut_off() {
    let server = Server::new(|_, _| std::future::pending(), server::Config::default());
    let mut events = server.events().unwrap();
    let (mut here, there) = tokio::io::duplex(1024);
    server.serve(there, None).unwrap();
    here.write_all(b"SSMI,1,a,b\rSSMI,3\rSSMI,3\r").await.unwrap();
    let mut said = Vec::new();
    here.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"", "nothing is answered before the hook has");
    drop(here);
    let event = next(&mut events).await;
    assert_eq!((event.account, event.what), ("a".into(), What::Closed(CloseReason::LoginTimeout)));
}

#[tokio::test(start_paused = true)]
async fn bad_lines_are_answered_and_a_line_over_the_limit_closes() {
    let (server, mut events) = server(server::Config::default());
    let (mut here, there) = tokio::io::duplex(64 * 1024);
    server.serve(there, None).unwrap();
    let flood = format!("SSMI,3\rSSMI,1,a,marmalade\rGarbage\rSSMI,3\rSSMI,105,{}", "z".repeat(30_000));
    here.write_all(flood.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    here.read_to_end(&mut said).await.unwrap();
    assert_eq!(String::from_utf8(said).unwrap(), "SSMI,102,1\rSSMI,101,1\rSSMI,102,3\rSSMI,101,2\r");
    drop(here);
    let mut told = Vec::new();
    while !matches!(told.last(), Some(What::Closed(_))) {
        told.push(next(&mut events).await.what);
    }
    assert!(
        matches!(
            &told[..],
            [
                What::Session(ServerEvent::Refused { .. }),
                What::Session(ServerEvent::LoggedIn),
                What::Session(ServerEvent::BadLine { .. }),
                What::Session(ServerEvent::LineTooLong(_)),
                What::Closed(CloseReason::LineTooLong(_)),
            ]
        ),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_writes_what_is_pending_and_admits_nobody() {
    let (server, mut events) = server(server::Config::default());
    let (client, mut at_client) = client_of(&server, "marmalade", client::Config::default());
    client.ready().await.unwrap();
    assert_eq!(next(&mut events).await.what, What::Session(ServerEvent::LoggedIn));
    server.send(&"vodka".into(), FreeForm { text: "closing".into() }).await.unwrap();
    server.shutdown(10 * SECOND).await;
    assert_eq!(next(&mut events).await.what, What::Closed(CloseReason::Closed));
    assert_eq!(server.serve(tokio::io::duplex(1).0, None), Err(server::Rejected::ShuttingDown));
    assert_eq!(next(&mut at_client).await, client::Event::Up);
    assert!(matches!(next(&mut at_client).await, client::Event::Session(ClientEvent::Received(_))));
    assert!(matches!(next(&mut at_client).await, client::Event::Down { .. }));
    assert_eq!(server.send(&"vodka".into(), FreeForm::default()).await, Err(server::Error::NotLoggedIn));
}

#[tokio::test]
async fn over_tcp_on_a_free_port() {
    let (server, _at_server) = server(server::Config::default());
    let address = server.listen("127.0.0.1:0").await.unwrap();
    assert_ne!(address.port(), 0);
    let client = Client::connect(address.to_string(), login("marmalade"), client::Config::default()).unwrap();
    client.ready().await.unwrap();
    client.logout().await;
    server.shutdown(10 * SECOND).await;
}

#[test]
fn handles_can_be_shared() {
    fn shareable<T: Send + Sync + Clone + 'static>() {}
    fn sendable<T: Future + Send>(_: fn(&'static Client) -> T) {}
    shareable::<Client>();
    shareable::<Server>();
    sendable(|client| client.send_ussd("1", UssdType::End, ""));
    sendable(|client| client.send_extended_ussd("1", UssdType::End, "".into(), ""));
    sendable(|client| client.send_sms("1", 0, ""));
    sendable(|client| client.send_binary_sms("1", 0, Pid::Standard, Coding::EightBit, b""));
    sendable(|client| client.send_wap_push("1", "", ""));
    sendable(|client| client.send_mms("1", "", "", b""));
    sendable(|client| client.imsi_lookup("1"));
    sendable(|client| client.request(LinkCheck {}));
    sendable(|client| client.ready());
    sendable(|client| client.logout());
}
