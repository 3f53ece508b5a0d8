//! The server against an ESME by hand, over in-memory streams with the clock paused.
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

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use smpp::pdu::{
    BindTransmitter, CancelSm, DataSm, DeliverSm, Destination, Pdu, QuerySm, ReplaceSm, SubmitMulti, SubmitSm, Unbind,
};
use smpp::server::{
    Account, AccountLimits, BindRequest, Closed, Config, DeliverError, Link, Rejected, Request, Server, Service,
};
use smpp::session::{self, CloseReason};
use smpp::types::{CommandStatus, InterfaceVersion};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep};

use self::esme::{Esme, bind, submit};

/// Does with a message what its text says.
struct Told {
    limits: AccountLimits,
    /// Requests that were handed elsewhere.
    kept: mpsc::UnboundedSender<Request<SubmitSm>>,
    order: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    closed: std::sync::Mutex<Vec<Closed>>,
}

impl Service for Told {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        match bind.system_id.to_text().as_ref() {
            "slow" => sleep(Duration::from_secs(3600)).await,
            "panic" => panic!("poisoned"),
            _ => {}
        }
        if !bind.has_password(b"secret") {
            return Err(CommandStatus::RINVPASWD);
        }
        Ok(Account::new(bind.system_id.to_text()).limits(self.limits.clone()))
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let text = String::from_utf8(submit.pdu.short_message.as_bytes().to_vec()).unwrap();
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        match text.as_str() {
            "panic" => panic!("poisoned"),
            "drop" => drop(submit),
            "refuse" => submit.refuse(CommandStatus::RINVDSTADR),
            "keep" => self.kept.send(submit).unwrap(),
            "slow" => {
                sleep(Duration::from_secs(1)).await;
                submit.accept(at_once.to_string().parse().unwrap());
            }
            _ => submit.accept("42".parse().unwrap()),
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.order.lock().await.push(text);
    }

    fn on_bound(&self, link: &Arc<Link>) {
        assert_ne!(link.account(), "poison");
    }

    fn on_closed(&self, closed: &Closed) {
        self.closed.lock().unwrap().push(closed.clone());
        assert!(closed.link.as_ref().is_none_or(|link| link.account() != "poison"));
    }
}

struct World {
    server: Server<Told>,
    kept: mpsc::UnboundedReceiver<Request<SubmitSm>>,
}

fn world(limits: AccountLimits, config: Config) -> World {
    let (sender, kept) = mpsc::unbounded_channel();
    let told = Told {
        limits,
        kept: sender,
        order: Mutex::default(),
        at_once: AtomicUsize::default(),
        closed: std::sync::Mutex::default(),
    };
    World { server: Server::new(told, config), kept }
}

#[tokio::test(start_paused = true)]
async fn binds_and_answers() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::connect(&server);
    esme.send(9, bind("kudu")).await;
    let bound = esme.next().await.unwrap();
    assert_eq!((bound.header.sequence_number, bound.header.command_status), (9, CommandStatus::ROK));
    let Pdu::BindTransceiverResp(Some(response)) = bound.pdu else { panic!() };
    assert_eq!(response.system_id, "SMSC");
    esme.send(0xffff_ffff, submit("hello")).await;
    let answer = esme.next().await.unwrap();
    assert_eq!(answer.header.sequence_number, 0xffff_ffff);
    let Pdu::SubmitSmResp(Some(response)) = answer.pdu else { panic!() };
    assert_eq!(response.message_id, "42");
}

#[tokio::test(start_paused = true)]
async fn what_the_service_does_not_know_is_refused_by_its_own_status() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    let one = Destination::Sme("27831234567".parse().unwrap());
    let mut multi = SubmitMulti::default();
    multi.destinations.push(&one).unwrap();
    let requests: [(Pdu, CommandStatus); 5] = [
        (multi.into(), CommandStatus::RINVCMDID),
        (DataSm::default().into(), CommandStatus::RINVCMDID),
        (QuerySm::default().into(), CommandStatus::RQUERYFAIL),
        (CancelSm::default().into(), CommandStatus::RCANCELFAIL),
        (ReplaceSm::default().into(), CommandStatus::RREPLACEFAIL),
    ];
    for (request, status) in requests {
        let response = request.command_id().response();
        esme.send(2, request).await;
        let answer = esme.next().await.unwrap();
        assert_eq!((Some(answer.pdu.command_id()), answer.header.command_status), (response, status));
    }
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_message_costs_itself_only() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    let texts = ["panic", "drop", "refuse", "hello"];
    esme.send_all((2..).zip(texts.map(submit))).await;
    let statuses = [CommandStatus::RSYSERR, CommandStatus::RSYSERR, CommandStatus::RINVDSTADR, CommandStatus::ROK];
    assert_eq!(esme.answers(4).await, (2..).zip(statuses).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_panic_about_a_link_ends_neither_it_nor_the_server() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "poison").await;
    esme.send(2, submit("hello")).await;
    assert_eq!(esme.status().await, CommandStatus::ROK);
    drop(esme);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(server.service().closed.lock().unwrap().len(), 1);
    assert!(server.registry().accounts().is_empty());
    server.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn methods_of_a_link_run_in_order_unless_told() {
    for (max_handlers, took) in [(1, 3), (2, 2), (3, 1)] {
        let World { server, .. } = world(AccountLimits::default(), Config::default().max_handlers(max_handlers));
        let mut esme = Esme::bound(&server, "kudu").await;
        let start = Instant::now();
        esme.send_all((2..5).map(|number| (number, submit("slow")))).await;
        assert!(esme.answers(3).await.iter().all(|(_, status)| status.is_ok()));
        assert_eq!(start.elapsed().as_secs(), took);
        assert_eq!(server.service().order.lock().await.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_may_be_answered_from_elsewhere_in_any_order() {
    let World { server, mut kept, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send_all([(2, submit("keep")), (2, submit("keep")), (3, submit("hello"))]).await;
    assert_eq!(esme.answers(1).await, [(3, CommandStatus::ROK)]);
    let (first, second) = (kept.recv().await.unwrap(), kept.recv().await.unwrap());
    assert_eq!(first.link().account(), "kudu");
    second.refuse(CommandStatus::RMSGQFUL);
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::RMSGQFUL)], "two of one number are two requests");
    drop(first);
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::RSYSERR)]);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_window_is_throttled_and_the_link_goes_on() {
    let World { server, mut kept, .. } = world(AccountLimits::default().window(2), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send_all((2..5).map(|number| (number, submit("keep")))).await;
    assert_eq!(esme.answers(1).await, [(4, CommandStatus::RTHROTTLED)]);
    kept.recv().await.unwrap().accept("1".parse().unwrap());
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::ROK)]);
    esme.send(5, submit("hello")).await;
    assert_eq!(esme.answers(1).await, [(5, CommandStatus::ROK)]);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_rate_is_throttled_over_all_links_of_the_account() {
    let World { server, .. } = world(AccountLimits::default().rate(Some(3)), Config::default());
    let mut one = Esme::bound(&server, "kudu").await;
    let mut other = Esme::bound(&server, "kudu").await;
    let mut stranger = Esme::bound(&server, "oryx").await;
    one.send_all((2..4).map(|number| (number, submit("hello")))).await;
    assert_eq!(one.answers(2).await, [(2, CommandStatus::ROK), (3, CommandStatus::ROK)]);
    other.send_all((2..4).map(|number| (number, submit("hello")))).await;
    assert_eq!(other.answers(2).await, [(2, CommandStatus::ROK), (3, CommandStatus::RTHROTTLED)]);
    stranger.send(2, submit("hello")).await;
    assert_eq!(stranger.status().await, CommandStatus::ROK);
    sleep(Duration::from_millis(400)).await;
    other.send(4, submit("hello")).await;
    assert_eq!(other.status().await, CommandStatus::ROK);
}

#[tokio::test(start_paused = true)]
async fn who_binds_anew_has_what_is_left_of_the_rate() {
    let World { server, .. } = world(AccountLimits::default().rate(Some(3)), Config::default());
    let mut first = Esme::bound(&server, "kudu").await;
    first.send_all((2..5).map(|number| (number, submit("hello")))).await;
    assert!(first.answers(3).await.iter().all(|(_, status)| status.is_ok()));
    drop(first);
    while !server.registry().accounts().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut second = Esme::bound(&server, "kudu").await;
    second.send(2, submit("hello")).await;
    assert_eq!(second.status().await, CommandStatus::RTHROTTLED);
    sleep(Duration::from_millis(400)).await;
    second.send(3, submit("hello")).await;
    assert_eq!(second.status().await, CommandStatus::ROK);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_bind_is_told_late_and_closed() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    for (system_id, password, status) in
        [("kudu", "wrong", CommandStatus::RINVPASWD), ("panic", "secret", CommandStatus::RSYSERR)]
    {
        let mut esme = Esme::connect(&server);
        let start = Instant::now();
        let password = password.try_into().unwrap();
        esme.send(2, smpp::pdu::BindTransceiver { password, ..bind(system_id) }).await;
        assert_eq!(esme.status().await, status);
        assert!(esme.next().await.is_none());
        assert!(status != CommandStatus::RINVPASWD || start.elapsed() >= Duration::from_secs(1));
    }
    sleep(Duration::from_secs(5)).await;
    let closed = server.service().closed.lock().unwrap();
    assert!(matches!(closed[0].reason, CloseReason::BindRefused(CommandStatus::RINVPASWD)));
    assert!(server.registry().accounts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bind_that_is_decided_too_late_is_no_bind() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::connect(&server);
    let start = Instant::now();
    esme.send(2, bind("slow")).await;
    assert!(esme.next().await.is_none());
    assert_eq!(start.elapsed(), session::Config::default().session_init);
    assert!(server.registry().accounts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many_binds() {
    let World { server, .. } = world(AccountLimits::default().max_binds(2), Config::default());
    let one = Esme::bound(&server, "kudu").await;
    let _other = Esme::bound(&server, "kudu").await;
    let mut third = Esme::connect(&server);
    third.send(1, bind("kudu")).await;
    assert_eq!(third.status().await, CommandStatus::RALYBND);
    assert_eq!(server.registry().accounts().iter().map(|(_, links)| *links).sum::<usize>(), 2);
    drop(one);
    sleep(Duration::from_secs(5)).await;
    Esme::bound(&server, "kudu").await;
}

#[tokio::test(start_paused = true)]
async fn a_delivery_waits_for_its_answer() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let registry = server.registry().clone();
    assert_eq!(registry.deliver("kudu", DeliverSm::default()).await, Err(DeliverError::NotBound));
    let mut esme = Esme::bound(&server, "kudu").await;
    for (status, outcome) in [
        (CommandStatus::ROK, Ok(Default::default())),
        (CommandStatus::RX_T_APPN, Err(DeliverError::Refused { status: CommandStatus::RX_T_APPN })),
    ] {
        let registry = registry.clone();
        let delivery = tokio::spawn(async move { registry.deliver("kudu", DeliverSm::default()).await });
        let request = esme.next().await.unwrap();
        assert!(matches!(request.pdu, Pdu::DeliverSm(_)));
        esme.respond(request.header.sequence_number, status).await;
        assert_eq!(delivery.await.unwrap(), outcome);
    }
    let start = Instant::now();
    assert_eq!(registry.deliver("kudu", DeliverSm::default()).await, Err(DeliverError::Unanswered));
    assert_eq!(start.elapsed(), session::Config::default().response_timeout);
}

#[tokio::test(start_paused = true)]
async fn who_is_bound_as_transmitter_alone_takes_no_deliveries() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut sender = Esme::connect(&server);
    let BindFields { system_id, password } = fields("kudu");
    sender.send(1, BindTransmitter { system_id, password, ..Default::default() }).await;
    assert!(sender.status().await.is_ok());
    assert_eq!(server.registry().accounts(), [("kudu".into(), 1)]);
    assert_eq!(server.registry().deliver("kudu", DeliverSm::default()).await, Err(DeliverError::NotBound));
}

#[tokio::test(start_paused = true)]
async fn deliveries_wait_for_a_place_and_go_to_receivers_in_turn() {
    let World { server, .. } = world(AccountLimits::default().delivery_window(1), Config::default());
    let mut one = Esme::bound(&server, "kudu").await;
    let mut other = Esme::bound(&server, "kudu").await;
    let mut sender = Esme::connect(&server);
    let BindFields { system_id, password } = fields("kudu");
    sender.send(1, BindTransmitter { system_id, password, ..Default::default() }).await;
    assert!(sender.status().await.is_ok());
    let deliveries: Vec<_> = (0..3)
        .map(|_| {
            let registry = server.registry().clone();
            tokio::spawn(async move { registry.deliver("kudu", DeliverSm::default()).await })
        })
        .collect();
    let (first, second) = (one.next().await.unwrap(), other.next().await.unwrap());
    other.respond(second.header.sequence_number, CommandStatus::ROK).await;
    // The third had to wait, for the one that is now free or for the other.
    sleep(Duration::from_millis(1)).await;
    one.respond(first.header.sequence_number, CommandStatus::ROK).await;
    let third = tokio::select! { third = one.next() => (&mut one, third), third = other.next() => (&mut other, third) };
    third.0.respond(third.1.unwrap().header.sequence_number, CommandStatus::ROK).await;
    for delivery in deliveries {
        assert_eq!(delivery.await.unwrap(), Ok(Default::default()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_whose_link_is_lost_is_unanswered_and_one_that_waits_is_not_bound() {
    let World { server, .. } = world(AccountLimits::default().delivery_window(1), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    let deliver = || {
        let registry = server.registry().clone();
        tokio::spawn(async move { registry.deliver("kudu", DeliverSm::default()).await })
    };
    let (first, second) = (deliver(), deliver());
    esme.next().await.unwrap();
    drop(esme);
    assert_eq!(first.await.unwrap(), Err(DeliverError::Unanswered));
    assert_eq!(second.await.unwrap(), Err(DeliverError::NotBound));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_given_up_is_not_sent_and_one_that_was_sent_keeps_its_place() {
    let World { server, .. } = world(AccountLimits::default().delivery_window(1), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    let registry = server.registry();
    let patience = Duration::from_secs(1);
    let first = tokio::time::timeout(patience, registry.deliver("kudu", DeliverSm::default()));
    assert!(first.await.is_err());
    let second = tokio::time::timeout(patience, registry.deliver("kudu", DeliverSm::default()));
    assert!(second.await.is_err());
    let sent = esme.next().await.unwrap();
    esme.respond(sent.header.sequence_number, CommandStatus::ROK).await;
    esme.send(2, Unbind::default()).await;
    assert!(matches!(esme.next().await.unwrap().pdu, Pdu::UnbindResp(_)), "the second was never sent");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_dropped_before_the_link_has_its_turn_is_not_sent() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    {
        let mut delivery = std::pin::pin!(server.registry().deliver("kudu", DeliverSm::default()));
        assert!(futures::poll!(delivery.as_mut()).is_pending());
    }
    esme.send(2, Unbind::default()).await;
    assert!(matches!(esme.next().await.unwrap().pdu, Pdu::UnbindResp(_)));
}

#[tokio::test(start_paused = true)]
async fn who_unbinds_takes_no_deliveries() {
    let World { server, mut kept, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send_all([(2, Pdu::from(submit("keep"))), (3, Unbind::default().into())]).await;
    let request = kept.recv().await.unwrap();
    assert_eq!(server.registry().deliver("kudu", DeliverSm::default()).await, Err(DeliverError::NotBound));
    request.accept("1".parse().unwrap());
    assert_eq!(esme.answers(2).await, [(2, CommandStatus::ROK), (3, CommandStatus::ROK)]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_answers_what_was_taken_and_unbinds() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send_all([(2, submit("slow"))]).await;
    sleep(Duration::from_millis(100)).await;
    let ending = {
        let server = server.clone();
        tokio::spawn(async move { server.shutdown(Duration::from_secs(60)).await })
    };
    assert_eq!(esme.answers(1).await, [(2, CommandStatus::ROK)]);
    let unbind = esme.next().await.unwrap();
    assert!(matches!(unbind.pdu, Pdu::Unbind(_)));
    let mut stream = esme.into_stream();
    let mut answer = bytes::BytesMut::new();
    smpp::pdu::Frame::response(unbind.header.sequence_number, CommandStatus::ROK, smpp::pdu::UnbindResp::default())
        .encode(&mut answer)
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await.unwrap();
    ending.await.unwrap();
    assert!(matches!(server.service().closed.lock().unwrap()[0].reason, CloseReason::Unbound));
    let (_ours, theirs) = tokio::io::duplex(64);
    assert!(server.serve(theirs, None).is_err(), "nobody is admitted any more");
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_by_a_shutdown_is_told() {
    let World { server, mut kept, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send(2, submit("keep")).await;
    let _request = kept.recv().await.unwrap();
    let start = Instant::now();
    server.shutdown(Duration::from_secs(1)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert!(esme.next().await.is_none());
    let closed = server.service().closed.lock().unwrap();
    let [Closed { reason: CloseReason::Closed, link: Some(link), .. }] = &closed[..] else { panic!("{closed:?}") };
    assert_eq!(link.account(), "kudu");
}

#[tokio::test(start_paused = true)]
async fn a_method_whose_link_is_lost_does_not_go_on() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    esme.send(2, submit("slow")).await;
    sleep(Duration::from_millis(500)).await;
    drop(esme);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(server.service().at_once.load(Ordering::SeqCst), 1, "it had begun");
    assert!(server.service().order.lock().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_unbinds() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::bound(&server, "kudu").await;
    drop(server);
    assert!(matches!(esme.next().await.unwrap().pdu, Pdu::Unbind(_)));
    assert!(esme.next().await.is_none(), "who does not answer is closed");
}

#[tokio::test(start_paused = true)]
async fn connections_have_limits_and_places_become_free_again() {
    let config = Config::default().max_connections(3).max_before_bind(2).max_per_address(2);
    let World { server, .. } = world(AccountLimits::default(), config);
    let connect = |peer: Option<&str>| {
        let (ours, theirs) = tokio::io::duplex(1024);
        server.serve(theirs, peer.map(|peer| peer.parse().unwrap())).map(|_| ours)
    };
    let (home, away) = (Some("10.0.0.1:1"), Some("10.0.0.2:1"));
    let bound = Esme::over(connect(home).unwrap()).bind("kudu").await;
    let second = connect(home).unwrap();
    assert_eq!(connect(home).unwrap_err(), Rejected::Address);
    let third = connect(away).unwrap();
    assert_eq!(connect(None).unwrap_err(), Rejected::Connections);
    drop(bound);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(connect(away).unwrap_err(), Rejected::BeforeBind);
    drop((second, third));
    sleep(Duration::from_secs(5)).await;
    let _first = connect(home).unwrap();
    let _second = connect(home).unwrap();
}

#[tokio::test(start_paused = true)]
async fn so_many_binds_are_decided_on_at_once() {
    let session = session::Config::default().session_init(Duration::from_secs(7200));
    let config = Config::default().max_deciding(1).session(session);
    let World { server, .. } = world(AccountLimits::default(), config);
    let mut slow = Esme::connect(&server);
    slow.send(1, bind("slow")).await;
    sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    let mut other = Esme::connect(&server);
    other.send(1, bind("kudu")).await;
    assert!(slow.status().await.is_ok() && other.status().await.is_ok());
    assert!(start.elapsed() > Duration::from_secs(3000));
}

#[tokio::test(start_paused = true)]
async fn an_old_esme_is_told_no_tlvs() {
    let World { server, .. } = world(AccountLimits::default(), Config::default());
    let mut esme = Esme::connect(&server);
    let interface_version = InterfaceVersion::V3_3;
    let BindFields { system_id, password } = fields("kudu");
    esme.send(1, BindTransmitter { interface_version, system_id, password, ..Default::default() }).await;
    let Pdu::BindTransmitterResp(Some(response)) = esme.next().await.unwrap().pdu else { panic!() };
    assert!(response.tlvs.is_empty());
}

struct BindFields {
    system_id: smpp::types::COctetString<16>,
    password: smpp::types::Password,
}

fn fields(system_id: &str) -> BindFields {
    let smpp::pdu::BindTransceiver { system_id, password, .. } = bind(system_id);
    BindFields { system_id, password }
}
