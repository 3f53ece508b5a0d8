//! The client against a message centre that does what a test says, in memory, on a clock that stands still unless all
//! wait.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::future::Future;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use smpp::client::{BindError, Event, Events, Link, LinkConfig, NotSent, RequestError};
use smpp::framing::Codec;
use smpp::pdu::*;
use smpp::session::{CloseReason, Config, Unanswered};
use smpp::tlv::Tlvs;
use smpp::types::{CommandId, CommandStatus, InterfaceVersion, SequenceNumber, ShortMessage};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::codec::Framed;

/// The message centre's end.
struct Centre(Framed<DuplexStream, Codec>);

impl Centre {
    fn new(stream: DuplexStream) -> Self {
        Self(Framed::new(stream, Codec::default()))
    }

    async fn recv(&mut self) -> Frame {
        timeout(Duration::from_secs(3600), self.0.next()).await.expect("nothing comes").unwrap().unwrap().unwrap()
    }

    async fn answer(&mut self, number: u32, pdu: impl Into<Pdu>) {
        self.0.send(Frame::response(number, CommandStatus::ROK, pdu)).await.unwrap();
    }

    async fn refuse(&mut self, request: &Frame, status: CommandStatus) {
        self.0.send(request.refusal(status).unwrap()).await.unwrap();
    }

    /// Whether nothing comes for a while.
    async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_secs(1), self.0.next()).await.is_err()
    }
}

fn config(session: Config) -> LinkConfig {
    LinkConfig::default().session(session.enquire_link(None))
}

/// A link that is bound. The numbers of its requests begin with 2.
async fn bound(session: Config) -> (Link, Centre) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let mut centre = Centre::new(theirs);
    let link = tokio::spawn(Link::bind(ours, BindTransceiver::default(), config(session)));
    let bind = centre.recv().await;
    assert_eq!(bind.pdu.name(), "bind_transceiver");
    centre.answer(bind.header.sequence_number, BindTransceiverResp::default()).await;
    (link.await.unwrap().unwrap(), centre)
}

fn submit(text: &str) -> SubmitSm {
    SubmitSm { short_message: ShortMessage::new(text.to_owned()).unwrap(), ..Default::default() }
}

fn start(link: &Link, text: &str) -> JoinHandle<Result<SubmitSmResp, RequestError>> {
    let (link, message) = (link.clone(), submit(text));
    tokio::spawn(async move { link.request(message).await })
}

fn number(number: u32) -> SequenceNumber {
    number.try_into().unwrap()
}

async fn event(events: &mut Events) -> Event {
    timeout(Duration::from_secs(3600), events.recv()).await.expect("no event").expect("the link is over")
}

#[test]
fn handles_and_futures_go_from_thread_to_thread() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>(_: impl FnOnce(&'static Link) -> T) {}
    shared::<Link>();
    sent(|link| link.request(SubmitSm::default()));
    sent(|link| link.request_pdu(SubmitSm::default()));
    sent(|link| link.unbind());
    fn future<F: Future + Send>(_: impl FnOnce() -> F) {}
    future(|| Link::connect("localhost:2775", BindTransceiver::default(), LinkConfig::default()));
    fn send<T: Send>() {}
    send::<Events>();
    send::<Event>();
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_own_answer() {
    let (link, mut centre) = bound(Config::default()).await;
    let (first, second, third) = (start(&link, "1"), start(&link, "2"), start(&link, "3"));
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(centre.recv().await);
    }
    let response = SubmitSmResp { message_id: "b".parse().unwrap(), ..Default::default() };
    centre.answer(requests[1].header.sequence_number, response).await;
    centre.refuse(&requests[0], CommandStatus::RMSGQFUL).await;
    centre.answer(requests[2].header.sequence_number, QuerySmResp::default()).await;
    assert_eq!(second.await.unwrap().unwrap().message_id, "b");
    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Refused { status: CommandStatus::RMSGQFUL, .. }) && !error.may_be_done());
    let error = third.await.unwrap().unwrap_err();
    assert_eq!(error, RequestError::Unanswered(Unanswered::Mismatched));
    assert!(error.may_be_done());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_is_a_success_and_a_nack_is_none() {
    let (link, mut centre) = bound(Config::default()).await;
    let (first, second) = (start(&link, "1"), start(&link, "2"));
    for _ in 0..2 {
        centre.recv().await;
    }
    centre.answer(2, Pdu::SubmitSmResp(None)).await;
    centre.answer(3, GenericNack::default()).await;
    assert_eq!(first.await.unwrap().unwrap(), SubmitSmResp::default());
    let error = second.await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Refused { status: CommandStatus::ROK, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_window_makes_others_wait() {
    let (link, mut centre) = bound(Config::default().window(2)).await;
    let first = start(&link, "1");
    let second = start(&link, "2");
    centre.recv().await;
    centre.recv().await;
    let third = start(&link, "3");
    let dropped = start(&link, "4");
    let fifth = start(&link, "5");
    assert!(centre.is_quiet().await);
    let enquiring = tokio::spawn({
        let link = link.clone();
        async move { link.request(EnquireLink::default()).await }
    });
    let enquiry = centre.recv().await;
    centre.answer(enquiry.header.sequence_number, EnquireLinkResp::default()).await;
    enquiring.await.unwrap().unwrap();
    dropped.abort();
    centre.answer(2, SubmitSmResp::default()).await;
    first.await.unwrap().unwrap();
    let Pdu::SubmitSm(sent) = centre.recv().await.pdu else { panic!() };
    assert_eq!(sent.short_message.as_bytes(), &b"3"[..]);
    centre.answer(3, SubmitSmResp::default()).await;
    let Pdu::SubmitSm(sent) = centre.recv().await.pdu else { panic!() };
    assert_eq!(sent.short_message.as_bytes(), &b"5"[..], "what is dropped before it is written is not sent");
    for waiting in [second, third, fifth] {
        waiting.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_after_it_was_written_keeps_its_place() {
    let (link, mut centre) = bound(Config::default().window(1)).await;
    let mut events = link.events().unwrap();
    assert!(link.events().is_none());
    let dropped = start(&link, "1");
    centre.recv().await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    let next = start(&link, "2");
    assert!(centre.is_quiet().await);
    let response = SubmitSmResp { message_id: "a".parse().unwrap(), ..Default::default() };
    centre.answer(2, response.clone()).await;
    let Event::Abandoned { request, outcome: Ok(frame) } = event(&mut events).await else { panic!() };
    assert_eq!((request.number, request.command_id), (number(2), CommandId::SUBMIT_SM));
    assert_eq!(frame.pdu, response.into());
    assert_eq!(centre.recv().await.header.sequence_number, 3);
    centre.answer(3, SubmitSmResp::default()).await;
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_late_is_an_event() {
    let (link, mut centre) = bound(Config::default().response_timeout(Duration::from_secs(5))).await;
    let mut events = link.events().unwrap();
    let before = tokio::time::Instant::now();
    let error = link.request(submit("1")).await.unwrap_err();
    assert_eq!((error, before.elapsed().as_secs()), (RequestError::Unanswered(Unanswered::TimedOut), 5));
    centre.recv().await;
    centre.answer(2, SubmitSmResp::default()).await;
    assert!(matches!(event(&mut events).await, Event::Late { request, .. } if request.number == number(2)));
    centre.answer(2, SubmitSmResp::default()).await;
    assert!(matches!(event(&mut events).await, Event::Unexpected(_)));
}

#[tokio::test(start_paused = true)]
async fn the_peers_requests_are_answered_by_the_program() {
    let (link, mut centre) = bound(Config::default()).await;
    centre.answer(1, DeliverSm::default()).await;
    let unread = centre.recv().await;
    assert_eq!(unread, Frame::response(1, CommandStatus::RX_T_APPN, Pdu::DeliverSmResp(None)), "nobody reads");

    let mut events = link.events().unwrap();
    assert!(matches!(event(&mut events).await, Event::Refused { status: CommandStatus::RX_T_APPN, .. }));
    for number in 2..6 {
        centre.answer(number, DeliverSm::default()).await;
    }
    let mut incoming = Vec::new();
    while incoming.len() < 4 {
        let Event::Request(request) = event(&mut events).await else { panic!() };
        incoming.push(request);
    }
    let mut incoming = incoming.into_iter();
    incoming.next().unwrap().accept();
    assert_eq!(centre.recv().await, Frame::response(2, CommandStatus::ROK, DeliverSmResp::default()));
    incoming.next().unwrap().refuse(CommandStatus::RX_R_APPN);
    assert_eq!(centre.recv().await, Frame::response(3, CommandStatus::RX_R_APPN, Pdu::DeliverSmResp(None)));
    drop(incoming.next().unwrap());
    assert_eq!(centre.recv().await, Frame::response(4, CommandStatus::RX_T_APPN, Pdu::DeliverSmResp(None)));
    let wrong = incoming.next().unwrap().respond(CommandStatus::ROK, SubmitSmResp::default()).unwrap_err();
    assert_eq!(wrong.to_string(), "submit_sm_resp does not answer deliver_sm");
    assert_eq!(centre.recv().await, Frame::response(5, CommandStatus::RX_T_APPN, Pdu::DeliverSmResp(None)));

    drop(events);
    centre.answer(6, DeliverSm::default()).await;
    assert_eq!(centre.recv().await.header.command_status, CommandStatus::RX_T_APPN);
    let request = start(&link, "the link goes on");
    let Frame { header, .. } = centre.recv().await;
    centre.answer(header.sequence_number, SubmitSmResp::default()).await;
    request.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn events_beyond_the_bound_are_refused() {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let mut centre = Centre::new(theirs);
    let config = config(Config::default()).max_events(1);
    let link = tokio::spawn(Link::bind(ours, BindReceiver::default(), config));
    centre.recv().await;
    centre.answer(1, BindReceiverResp::default()).await;
    let link = link.await.unwrap().unwrap();
    let mut events = link.events().unwrap();
    centre.answer(1, DeliverSm::default()).await;
    centre.answer(2, DeliverSm::default()).await;
    let refused = centre.recv().await;
    assert_eq!(refused, Frame::response(2, CommandStatus::RX_T_APPN, Pdu::DeliverSmResp(None)));
    let Event::Request(incoming) = event(&mut events).await else { panic!() };
    incoming.accept();
    assert_eq!(centre.recv().await.header.sequence_number, 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_unbinds() {
    let (link, mut centre) = bound(Config::default()).await;
    let other = link.clone();
    drop(link);
    assert!(centre.is_quiet().await);
    drop(other);
    let unbind = centre.recv().await;
    assert_eq!(unbind.pdu.name(), "unbind");
    centre.answer(unbind.header.sequence_number, UnbindResp::default()).await;
    assert!(centre.0.next().await.is_none(), "it closes");
}

#[tokio::test(start_paused = true)]
async fn leaving_waits_for_what_is_unanswered_within_a_bound() {
    let (link, mut centre) = bound(Config::default()).await;
    let request = start(&link, "1");
    centre.recv().await;
    let leaving = tokio::spawn({
        let link = link.clone();
        async move { link.unbind().await }
    });
    assert!(centre.is_quiet().await);
    let error = link.request(submit("2")).await.unwrap_err();
    assert_eq!(error, RequestError::NotSent(NotSent::Unbinding));
    centre.answer(2, SubmitSmResp::default()).await;
    request.await.unwrap().unwrap();
    assert_eq!(centre.recv().await.pdu.name(), "unbind");
    // The peer never answers.
    assert_eq!(leaving.await.unwrap(), CloseReason::Unbound);
    assert!(link.is_closed());
    assert_eq!(link.request(submit("3")).await.unwrap_err(), RequestError::NotSent(NotSent::Closed));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_when_the_link_is_lost_is_unknown() {
    let (link, mut centre) = bound(Config::default().window(2)).await;
    let mut events = link.events().unwrap();
    let sent = [start(&link, "1"), start(&link, "2")];
    centre.recv().await;
    centre.recv().await;
    let waiting = start(&link, "3");
    tokio::task::yield_now().await;
    drop(centre);
    for sent in sent {
        assert_eq!(sent.await.unwrap().unwrap_err(), RequestError::Unanswered(Unanswered::Closed));
    }
    assert_eq!(waiting.await.unwrap().unwrap_err(), RequestError::NotSent(NotSent::Closed));
    assert_eq!(link.closed().await, CloseReason::PeerClosed);
    assert!(events.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_fit_for_the_link_is_not_sent() {
    let (link, mut centre) = bound(Config::default().assumed_version(InterfaceVersion::V3_3)).await;
    assert_eq!(link.version(), InterfaceVersion::V3_3);
    let tlvs = Tlvs::new().with(&smpp::tlv::UserMessageReference(1));
    let error = link.request(SubmitSm { tlvs, ..Default::default() }).await.unwrap_err();
    let RequestError::Invalid(error) = error else { panic!("{error}") };
    assert_eq!(error.field, Some("tlvs"));
    let error = link.request(DeliverSm::default()).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::NotAllowed { .. })), "{error}");
    let error = link.request_pdu(SubmitSmResp::default()).await.unwrap_err();
    assert_eq!(error, RequestError::NotSent(NotSent::NotARequest(CommandId::SUBMIT_SM_RESP)));
    assert!(centre.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_bind_is_refused_or_never_answered() {
    let (ours, theirs) = tokio::io::duplex(1024);
    let mut centre = Centre::new(theirs);
    let link = tokio::spawn(Link::bind(ours, BindTransmitter::default(), config(Config::default())));
    let bind = centre.recv().await;
    centre.refuse(&bind, CommandStatus::RINVPASWD).await;
    let error = link.await.unwrap().unwrap_err();
    assert!(matches!(error, BindError::Refused { status: CommandStatus::RINVPASWD, .. }), "{error}");
    assert!(centre.0.next().await.is_none(), "it closes");

    let (ours, _theirs) = tokio::io::duplex(1024);
    let error = Link::bind(ours, BindTransmitter::default(), config(Config::default())).await.unwrap_err();
    assert!(matches!(error, BindError::Closed(CloseReason::BindTimeout)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_outbind_is_followed_by_a_bind() {
    let (ours, theirs) = tokio::io::duplex(1024);
    let mut centre = Centre::new(theirs);
    let link = Link::open(ours, config(Config::default()));
    let mut events = link.events().unwrap();
    let outbind = Outbind { system_id: "smsc".parse().unwrap(), ..Default::default() };
    centre.answer(1, outbind.clone()).await;
    let Event::OneWay(frame) = event(&mut events).await else { panic!() };
    assert_eq!(frame.pdu, outbind.into());
    let binding = tokio::spawn({
        let link = link.clone();
        async move { link.request(BindReceiver::default()).await }
    });
    assert_eq!(centre.recv().await.pdu.name(), "bind_receiver");
    // What follows the answer in the same segment belongs to the session.
    centre.0.feed(Frame::response(1, CommandStatus::ROK, BindReceiverResp::default())).await.unwrap();
    centre.answer(9, DeliverSm::default()).await;
    binding.await.unwrap().unwrap();
    assert!(matches!(event(&mut events).await, Event::Request(incoming) if incoming.frame.header.sequence_number == 9));
}
