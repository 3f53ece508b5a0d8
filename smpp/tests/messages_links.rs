//! How the links of a client come, stand, are lost and come back, seen by the program.
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

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use smpp::client::{
    Client, ClientConfig, ClientEvent, Connecting, Connector, LinkSettings, LinkState, Links, OnLoss, ReconnectConfig,
    SendError,
};
use smpp::session::BindKind;
use smpp::testkit::Answer;
use smpp::types::{CommandStatus, EsmClass, InterfaceVersion};
use tokio::time::Instant;

use self::in_memory::{InMemory, MINUTE, URL, builder, clean, client, deliver, sms, smsc, standing, text};

#[tokio::test(start_paused = true)]
async fn a_link_that_is_lost_comes_back() {
    let smsc = smsc();
    smsc.on_submit(|submit| match text(submit).as_str() {
        "cut" => Answer::cut_link(),
        _ => Answer::accept(),
    });
    let reconnect = ReconnectConfig::default().jitter(0);
    let resubmit = ClientConfig::default().on_loss(OnLoss::Resubmit).reconnect(reconnect).max_wait(2 * MINUTE);
    let client = builder(&smsc, URL).config(resubmit).connect().await.unwrap();
    let mut events = client.events().unwrap();
    smsc.expect_bind().await;
    let start = Instant::now();
    smsc.cut_links();
    smsc.expect_bind().await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    client.send(sms("after")).await.unwrap();
    assert!(matches!(events.recv().await, Some(ClientEvent::Lost { link: 0, retry: Some(_), .. })));
    assert!(matches!(events.recv().await, Some(ClientEvent::Bound { link: 0 })));

    // It cuts every link that it comes over: sent again until patience is over, since the program wants it so.
    smsc.on_submit(|_| Answer::cut_link());
    assert!(matches!(client.send(sms("again")).await, Err(SendError::Unanswered { .. })));
    assert!(start.elapsed() > 10 * MINUTE);
    let mut times = 0;
    smsc.expect_submit().await;
    while let Ok(submitted) = tokio::time::timeout(MINUTE / 60, smsc.expect_submit()).await {
        assert_eq!(text(&submitted.pdu), "again");
        times += 1;
    }
    assert!(times > 5, "{times}");
}

#[tokio::test(start_paused = true)]
async fn a_pool_spreads_the_load_and_survives_the_loss_of_a_link() {
    let smsc = smsc();
    smsc.on_submit(|_| Answer::accept().after(Duration::from_secs(1)));
    let second = format!("{URL}?window=2");
    let client = builder(&smsc, &second).url(&second).unwrap().connect().await.unwrap();
    let links = [smsc.expect_bind().await, smsc.expect_bind().await];
    standing(&client, Links::all_bound).await.unwrap();
    // Four at a time over two windows of two.
    let start = Instant::now();
    let sends = (0..8).map(|_| client.send(sms("x")));
    assert!(futures::future::join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    smsc.registry().disconnect(links[0].connection());
    standing(&client, |links| links.bound() == 1).await.unwrap();
    client.send(sms("over the other")).await.unwrap();
}

/// Connects after a while; every other attempt of a receiver fails, the first one too.
struct Slow(InMemory, AtomicUsize);

impl Connector for Slow {
    fn connect<'a>(&'a self, settings: &'a LinkSettings) -> Connecting<'a> {
        Box::pin(async move {
            if settings.bind == BindKind::Receiver {
                tokio::time::sleep(Duration::from_secs(5)).await;
                if self.1.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                    return Err(std::io::ErrorKind::ConnectionRefused.into());
                }
            }
            self.0.connect(settings).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_can_wait_for_its_receiver() {
    let smsc = smsc();
    let builder = Client::builder().url(&format!("{URL}?bind=tx")).unwrap().url(&format!("{URL}?bind=rx")).unwrap();
    let config = ClientConfig::default().reconnect(ReconnectConfig::default().jitter(0));
    let slow = Slow(InMemory(Arc::clone(&smsc)), AtomicUsize::new(0));
    let client = builder.config(config).connector(slow).connect().await.unwrap();
    let mut events = client.events().unwrap();
    let start = Instant::now();
    let states = |links: &Links| links.iter().map(|link| link.state.clone()).collect::<Vec<_>>();
    let bound = LinkState::Bound { version: InterfaceVersion::V3_4 };
    assert_eq!(states(&client.links()), [bound.clone(), LinkState::Connecting]);
    assert!(client.links().can_submit() && !client.links().can_receive() && !client.links().tried());

    let tried = standing(&client, Links::tried).await.unwrap();
    let lost = LinkState::Lost { reason: "connecting failed: connection refused".into() };
    assert_eq!((states(&tried), start.elapsed()), (vec![bound.clone(), lost], Duration::from_secs(5)));
    assert_eq!(tried[1].settings.bind, BindKind::Receiver);
    let shown = tried.to_string();
    assert_eq!(
        shown,
        "smpp://kudu:***@smsc.example:2775?bind=tx: bound; \
         smpp://kudu:***@smsc.example:2775?bind=rx: connecting failed: connection refused; it is tried again"
    );

    let bound_both = standing(&client, Links::can_receive).await.unwrap();
    assert_eq!((states(&bound_both), start.elapsed()), (vec![bound.clone(); 2], Duration::from_secs(11)));
    assert!(bound_both.all_bound());
    let taken = async {
        loop {
            if let Some(ClientEvent::Message(message)) = events.recv().await {
                return message.ack();
            }
        }
    };
    tokio::join!(smsc.deliver(deliver(EsmClass::NORMAL, b"hello")), taken).0.unwrap();

    // A transmitter is no receiver, and the other way round.
    smsc.cut_links();
    let links = standing(&client, |links| links.bound() == 0).await.unwrap();
    assert!(!links.can_submit() && links.tried());
    let links = standing(&client, Links::can_submit).await.unwrap();
    assert!(!links.can_receive() && !links.all_bound());

    client.shutdown(MINUTE).await;
    let over = standing(&client, Links::can_receive).await.unwrap_err();
    assert!(over.links.are_over() && over.to_string().starts_with("no link is tried again: smpp://kudu"), "{over}");
}

#[tokio::test(start_paused = true)]
async fn a_link_whose_account_is_refused_is_over_if_the_program_wants_it_so() {
    let smsc = smsc();
    let config = ClientConfig::default().reconnect(ReconnectConfig::default().refused(None));
    let client = builder(&smsc, URL).config(config).connect().await.unwrap();
    standing(&client, Links::can_receive).await.unwrap();
    smsc.refuse_binds(Some(CommandStatus::RINVPASWD));
    smsc.cut_links();
    standing(&client, |links| links.bound() == 0).await.unwrap();
    let over = standing(&client, Links::can_receive).await.unwrap_err();
    assert_eq!(over.links[0].state, LinkState::Over { reason: "the bind was refused: Invalid password".into() });
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_unbinds() {
    let smsc = smsc();
    let client = client(&smsc).await;
    let link = smsc.expect_bind().await;
    let clone = client.clone();
    drop(client);
    clone.send(sms("still there")).await.unwrap();
    smsc.expect_submit().await;
    drop(clone);
    tokio::time::sleep(MINUTE / 2).await;
    assert_eq!(link.registry().accounts(), []);
    clean(smsc).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_bind_that_is_refused_is_told() {
    let smsc = smsc();
    smsc.refuse_binds(Some(CommandStatus::RINVPASWD));
    let error = builder(&smsc, URL).connect().await.unwrap_err();
    assert_eq!(error.to_string(), "the bind was refused: Invalid password");
    // And nothing is tried again.
    smsc.refuse_binds(None);
    assert!(tokio::time::timeout(MINUTE / 2, smsc.expect_bind()).await.is_err());
}
