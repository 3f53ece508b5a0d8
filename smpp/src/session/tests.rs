mod life;

use bytes::Bytes;

use super::*;
use crate::codec::{EncodeError, EncodeProblem};
use crate::framing::StreamDecoder;
use crate::pdu::*;
use crate::tlv::{Tlvs, UserMessageReference};
use crate::types::CommandStatus;

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "any instant will do")]
fn now() -> Instant {
    Instant::now()
}

/// What is to be written, taken.
fn written(session: &mut Session) -> Vec<Frame> {
    let mut octets = std::mem::take(session.unwritten_mut());
    let mut decoder = StreamDecoder::new(Limits::esme());
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut octets).unwrap() {
        frames.push(frame.unwrap());
    }
    assert!(octets.is_empty());
    frames
}

/// The one PDU that is to be written.
fn one(session: &mut Session) -> Frame {
    let mut frames = written(session);
    assert_eq!(frames.len(), 1, "{frames:?}");
    frames.remove(0)
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll()).collect()
}

fn events(session: &mut Session) -> Vec<Event> {
    let event = |output| match output {
        Output::Event(event) => event,
        Output::Close(reason) => panic!("{reason}"),
    };
    outputs(session).into_iter().map(event).collect()
}

fn ticket(session: &mut Session) -> Ticket {
    match events(session).as_slice() {
        [Event::Request { ticket, .. }] => *ticket,
        other => panic!("{other:?}"),
    }
}

/// The one way to close, events before it aside.
fn closed(session: &mut Session) -> CloseReason {
    match outputs(session).pop() {
        Some(Output::Close(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn ask(session: &mut Session, number: u32, pdu: impl Into<Pdu>, now: Instant) {
    session.handle(Input::Pdu(Ok(Frame::response(number, CommandStatus::ROK, pdu))), now);
}

fn answer(session: &mut Session, number: SequenceNumber, pdu: impl Into<Pdu>, now: Instant) {
    ask(session, number.get(), pdu, now);
}

/// An ESME that is bound as transceiver; its first request has the number 2.
fn esme(config: Config, now: Instant) -> Session {
    let mut session = Session::esme(config, now);
    let number = session.request(BindTransceiver::default(), now).unwrap();
    answer(&mut session, number, BindTransceiverResp::default(), now);
    assert_eq!(session.state(), State::BoundTrx);
    assert!(matches!(events(&mut session)[..], [Event::Response { .. }]));
    written(&mut session);
    session
}

/// A message centre whose ESME is bound as transceiver.
fn centre(config: Config, now: Instant) -> Session {
    let mut session = Session::message_centre(config, now);
    ask(&mut session, 1, BindTransceiver::default(), now);
    let bind = ticket(&mut session);
    session.respond(bind, CommandStatus::ROK, BindTransceiverResp::default(), now).unwrap();
    assert_eq!(session.state(), State::BoundTrx);
    written(&mut session);
    session
}

#[test]
fn the_lowest_version_holds() {
    use InterfaceVersion as V;
    let now = now();
    let centre = |bind: u8| {
        let mut session = Session::message_centre(Config::default(), now);
        ask(&mut session, 1, BindReceiver { interface_version: V(bind), ..Default::default() }, now);
        let bind = ticket(&mut session);
        session.respond(bind, CommandStatus::ROK, BindReceiverResp::default(), now).unwrap();
        assert_eq!(session.state(), State::BoundRx);
        (session.version(), one(&mut session).pdu.tlvs().get::<V>())
    };
    assert_eq!(centre(0x00), (V::V3_3, None));
    assert_eq!(centre(0x33), (V::V3_3, None));
    assert_eq!(centre(0x34), (V::V3_4, Some(V::V5_0)));
    assert_eq!(centre(0x40), (V::V3_4, Some(V::V5_0)));
    assert_eq!(centre(0xff), (V::V5_0, Some(V::V5_0)));

    let esme = |bind: V, answered: Option<u8>, assumed: V| {
        let mut session = Session::esme(Config::default().assumed_version(assumed), now);
        let bind = BindTransmitter { interface_version: bind, ..Default::default() };
        let number = session.request(bind, now).unwrap();
        let tlvs = answered.map(|version| Tlvs::new().with(&V(version))).unwrap_or_default();
        answer(&mut session, number, BindTransmitterResp { tlvs, ..Default::default() }, now);
        assert_eq!(session.state(), State::BoundTx);
        session.version()
    };
    assert_eq!(esme(V::V3_4, None, V::V3_4), V::V3_4);
    assert_eq!(esme(V::V3_4, None, V::V3_3), V::V3_3);
    assert_eq!(esme(V::V3_4, Some(0x50), V::V3_4), V::V3_4);
    assert_eq!(esme(V::V5_0, Some(0x50), V::V3_4), V::V5_0);
    assert_eq!(esme(V::V5_0, Some(0x34), V::V3_4), V::V3_4);
    assert_eq!(esme(V::V5_0, Some(0x22), V::V3_4), V::V3_3);
}

#[test]
fn a_3_3_link_has_no_tlvs() {
    let now = now();
    let mut session = esme(Config::default().assumed_version(InterfaceVersion::V3_3), now);
    let tlvs = Tlvs::new().with(&UserMessageReference(1));
    let error = session.request(SubmitSm { tlvs: tlvs.clone(), ..Default::default() }, now).unwrap_err();
    assert!(matches!(error, RequestError::Invalid(EncodeError { field: Some("tlvs"), .. })), "{error}");
    let error = session.request(DataSm::default(), now).unwrap_err();
    assert!(matches!(error, RequestError::Invalid(EncodeError { problem: EncodeProblem::NotInVersion, .. })));
    assert!(written(&mut session).is_empty());
    ask(&mut session, 7, DataSm::default(), now);
    assert_eq!(one(&mut session), Frame::response(7, CommandStatus::RINVCMDID, GenericNack::default()));

    ask(&mut session, 8, DeliverSm::default(), now);
    let deliver = session.poll().unwrap();
    assert!(matches!(deliver, Output::Event(Event::Refused { .. })), "{deliver:?}");
    let deliver = ticket(&mut session);
    session.respond(deliver, CommandStatus::ROK, DeliverSmResp { tlvs, ..Default::default() }, now).unwrap();
    assert_eq!(one(&mut session), Frame::response(8, CommandStatus::ROK, DeliverSmResp::default()));
}

#[test]
fn the_window_holds_and_enquire_link_is_not_in_it() {
    let now = now();
    let mut session = esme(Config::default().window(2), now);
    let first = session.request(SubmitSm::default(), now).unwrap();
    session.request(SubmitSm::default(), now).unwrap();
    assert_eq!((session.room(), session.unanswered_requests()), (0, 2));
    assert_eq!(session.request(SubmitSm::default(), now), Err(RequestError::WindowFull));
    session.request(EnquireLink::default(), now).unwrap();
    assert_eq!(written(&mut session).len(), 3);
    answer(&mut session, first, SubmitSmResp::default(), now);
    assert_eq!(session.room(), 1);
    session.request(SubmitSm::default(), now).unwrap();
    session.set_window(3);
    session.request(SubmitSm::default(), now).unwrap();
    for _ in 1..16 {
        session.request(EnquireLink::default(), now).unwrap();
    }
    assert_eq!(session.request(EnquireLink::default(), now), Err(RequestError::WindowFull));
}

#[test]
fn what_is_no_request_here_is_not_sent() {
    let now = now();
    let mut session = esme(Config::default().max_pdu(40), now);
    let error = |session: &mut Session, pdu: Pdu| session.request(pdu, now).unwrap_err();
    assert_eq!(
        error(&mut session, SubmitSmResp::default().into()),
        RequestError::NotARequest(CommandId::SUBMIT_SM_RESP)
    );
    assert_eq!(error(&mut session, Unbind::default().into()), RequestError::NotARequest(CommandId::UNBIND));
    let command_id = CommandId::DELIVER_SM;
    let not_allowed = RequestError::NotAllowed { command_id, state: State::BoundTrx };
    assert_eq!(error(&mut session, DeliverSm::default().into()), not_allowed);
    let short_message = crate::types::ShortMessage::new("12345678").unwrap();
    let too_long = error(&mut session, SubmitSm { short_message, ..Default::default() }.into());
    let problem = EncodeProblem::PduTooLong { length: 41, limit: 40 };
    assert_eq!(too_long, RequestError::Invalid(EncodeError { message: "submit_sm", field: None, problem }));
    assert_eq!((written(&mut session), session.unanswered_requests()), (vec![], 0));

    let mut session = Session::esme(Config::default(), now);
    session.request(BindReceiver::default(), now).unwrap();
    assert!(matches!(session.request(BindReceiver::default(), now), Err(RequestError::NotAllowed { .. })));
}

#[test]
fn beyond_the_peers_window_is_answered_at_once() {
    let now = now();
    let mut session = centre(Config::default().peer_window(1), now);
    ask(&mut session, 2, SubmitSm::default(), now);
    let first = ticket(&mut session);
    ask(&mut session, 3, SubmitSm::default(), now);
    assert_eq!(one(&mut session), Frame::response(3, CommandStatus::RTHROTTLED, Pdu::SubmitSmResp(None)));
    assert!(matches!(events(&mut session)[..], [Event::Refused { status: CommandStatus::RTHROTTLED, .. }]));
    assert_eq!(session.counters().throttled, 1);
    ask(&mut session, 4, EnquireLink::default(), now);
    assert_eq!(one(&mut session), Frame::response(4, CommandStatus::ROK, EnquireLinkResp::default()));
    session.refuse(first, CommandStatus::RSYSERR, now).unwrap();
    assert_eq!(one(&mut session), Frame::response(2, CommandStatus::RSYSERR, Pdu::SubmitSmResp(None)));
    ask(&mut session, 5, SubmitSm::default(), now);
    let again = ticket(&mut session);
    assert_eq!(session.refuse(first, CommandStatus::RSYSERR, now), Err(RespondError::Stale));
    session.respond(again, CommandStatus::ROK, SubmitSmResp::default(), now).unwrap();

    let mut session = esme(Config::default().peer_window(1), now);
    ask(&mut session, 2, DeliverSm::default(), now);
    ask(&mut session, 3, DeliverSm::default(), now);
    assert_eq!(one(&mut session), Frame::response(3, CommandStatus::RX_T_APPN, Pdu::DeliverSmResp(None)));
}

#[test]
fn reading_stops_only_if_asked_to_and_never_while_an_answer_is_awaited() {
    let now = now();
    let mut session = esme(Config::default().peer_window(1), now);
    ask(&mut session, 2, DeliverSm::default(), now);
    assert!(session.wants_input());

    let mut session = esme(Config::default().peer_window(1).stop_reading(true), now);
    assert!(session.wants_input());
    ask(&mut session, 2, DeliverSm::default(), now);
    assert!(!session.wants_input());
    let number = session.request(SubmitSm::default(), now).unwrap();
    assert!(session.wants_input());
    answer(&mut session, number, SubmitSmResp::default(), now);
    assert!(!session.wants_input());
    // While it does not read, it asks whether the peer is there, and then it reads.
    let at = session.next_timeout().unwrap();
    session.handle_timeout(at);
    assert!(session.wants_input());
}

#[test]
fn the_same_number_twice_is_answered_twice() {
    let now = now();
    let mut session = centre(Config::default(), now);
    ask(&mut session, 0x806a_179b, SubmitSm::default(), now);
    ask(&mut session, 0x806a_179b, QuerySm::default(), now);
    let tickets: Vec<Ticket> = events(&mut session)
        .into_iter()
        .filter_map(|event| if let Event::Request { ticket, .. } = event { Some(ticket) } else { None })
        .collect();
    let wrong = session.respond(tickets[1], CommandStatus::ROK, SubmitSmResp::default(), now);
    let (request, response) = (CommandId::QUERY_SM, CommandId::SUBMIT_SM_RESP);
    assert_eq!(wrong, Err(RespondError::WrongOperation { request, response }));
    session.respond(tickets[1], CommandStatus::ROK, QuerySmResp::default(), now).unwrap();
    session.respond(tickets[0], CommandStatus::ROK, SubmitSmResp::default(), now).unwrap();
    let answers = written(&mut session);
    assert_eq!(answers.iter().map(|frame| frame.header.sequence_number).collect::<Vec<_>>(), [0x806a_179b; 2]);
    assert_eq!((answers[0].pdu.name(), answers[1].pdu.name()), ("query_sm_resp", "submit_sm_resp"));
}

#[test]
fn an_error_has_a_body_only_for_its_tlvs() {
    let now = now();
    let mut session = centre(Config::default(), now);
    for tlvs in [Tlvs::new(), Tlvs::new().with(&UserMessageReference(1))] {
        ask(&mut session, 2, SubmitSm::default(), now);
        let submit = ticket(&mut session);
        let response = SubmitSmResp { tlvs: tlvs.clone(), ..Default::default() };
        session.respond(submit, CommandStatus::RSUBMITFAIL, response, now).unwrap();
        assert_eq!(one(&mut session).pdu.has_body(), !tlvs.is_empty());
    }
}

#[test]
fn requests_time_out_in_order_and_late_answers_are_known() {
    let start = now();
    let config = Config::default().response_timeout(5 * SECOND).late_age(10 * SECOND).enquire_link(None);
    let mut session = esme(config, start);
    let first = session.request(SubmitSm::default(), start).unwrap();
    let second = session.request(QuerySm::default(), start + SECOND).unwrap();
    let third = session.request(SubmitSm::default(), start + 2 * SECOND).unwrap();
    assert_eq!(session.next_timeout(), Some(start + 5 * SECOND));
    answer(&mut session, second, QuerySmResp::default(), start + 3 * SECOND);
    session.handle_timeout(start + 5 * SECOND);
    assert_eq!(session.next_timeout(), Some(start + 7 * SECOND));
    session.handle_timeout(start + 7 * SECOND);
    let unanswered = |number| Event::Unanswered {
        request: Sent { number, command_id: CommandId::SUBMIT_SM },
        why: Unanswered::TimedOut,
    };
    let happened = events(&mut session);
    assert!(matches!(&happened[0], Event::Response { request, .. } if request.number == second));
    assert_eq!(happened[1..], [unanswered(first), unanswered(third)]);
    assert_eq!((session.room(), session.next_timeout()), (10, None));

    answer(&mut session, first, SubmitSmResp::default(), start + 14 * SECOND);
    answer(&mut session, first, SubmitSmResp::default(), start + 14 * SECOND);
    answer(&mut session, second, QuerySmResp::default(), start + 14 * SECOND);
    answer(&mut session, third, SubmitSmResp::default(), start + 17 * SECOND);
    let happened = events(&mut session);
    assert!(matches!(&happened[0], Event::Late { request, .. } if request.number == first));
    assert!(matches!(happened[1..], [Event::Unexpected(_), Event::Duplicate(_), Event::Unexpected(_)]));
    let Counters { timed_out, late, duplicate, unexpected, .. } = *session.counters();
    assert_eq!((timed_out, late, duplicate, unexpected), (2, 1, 1, 2));
}

#[test]
fn late_answers_are_known_up_to_a_bound() {
    let start = now();
    let mut session = esme(Config::default().max_late(2).enquire_link(None), start);
    let numbers: Vec<_> = (0..3).map(|_| session.request(SubmitSm::default(), start).unwrap()).collect();
    let later = session.next_timeout().unwrap();
    session.handle_timeout(later);
    for number in numbers {
        answer(&mut session, number, SubmitSmResp::default(), later);
    }
    assert_eq!((session.counters().late, session.counters().unexpected), (2, 1));
}

#[test]
fn an_answer_of_another_operation_fails_the_request() {
    let now = now();
    let mut session = esme(Config::default(), now);
    let submits: Vec<_> = (0..4).map(|_| session.request(SubmitSm::default(), now).unwrap()).collect();
    answer(&mut session, submits[0], QuerySmResp::default(), now);
    let unknown = Unknown { command_id: CommandId(0x8001_0200), body: Bytes::new() };
    answer(&mut session, submits[1], unknown, now);
    answer(&mut session, submits[2], GenericNack::default(), now);
    session.handle(
        Input::Pdu(Ok(Frame::response(submits[3].get(), CommandStatus::RSUBMITFAIL, Pdu::SubmitSmResp(None)))),
        now,
    );
    answer(&mut session, SequenceNumber::MIN, SubmitSmResp::default(), now);
    let happened = events(&mut session);
    assert!(matches!(happened[0], Event::Mismatched { request, .. } if request.number == submits[0]));
    assert!(matches!(happened[1], Event::Mismatched { request, .. } if request.number == submits[1]));
    assert!(matches!(happened[2], Event::Response { request, .. } if request.number == submits[2]));
    assert!(matches!(happened[3], Event::Response { request, .. } if request.number == submits[3]));
    assert!(matches!(happened[4], Event::Duplicate(_)));
    assert_eq!((session.unanswered_requests(), session.counters().mismatched), (0, 2));
}

#[test]
fn a_bad_answer_fails_its_request_and_a_bad_request_is_answered() {
    let now = now();
    let mut session = esme(Config::default().limits(Some(Limits::strict())), now);
    let number = session.request(SubmitSm::default(), now).unwrap();
    let frame = Frame::response(number.get(), CommandStatus::ROK, Pdu::SubmitSmResp(None));
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    written(&mut session);
    let bad = RawPdu::new(octets.freeze()).unwrap().decode(&session.limits()).unwrap_err();
    session.handle(Input::Pdu(Err(bad)), now);
    let happened = events(&mut session);
    let request = Sent { number, command_id: CommandId::SUBMIT_SM };
    assert_eq!(happened[0], Event::Unanswered { request, why: Unanswered::BadResponse });
    assert!(matches!(happened[1..], [Event::Bad(_)]));
    assert!(written(&mut session).is_empty());

    let header = Header { command_status: CommandStatus::ROK, sequence_number: 9 };
    let raw = RawPdu { command_id: CommandId::DELIVER_SM, header, body: Bytes::new() };
    session.handle(Input::Pdu(raw.decode(&Limits::esme())), now);
    assert_eq!(one(&mut session), Frame::response(9, CommandStatus::RINVCMDLEN, Pdu::DeliverSmResp(None)));
    assert_eq!(session.counters().bad, 2);
}

#[test]
fn numbers_wrap_and_skip_those_that_are_unanswered() {
    let now = now();
    let first = SequenceNumber::try_from(SequenceNumber::MAX - 1).unwrap();
    let mut session = esme(Config::default().first_number(first).window(3), now);
    let old = session.request(SubmitSm::default(), now).unwrap();
    assert_eq!(old.get(), SequenceNumber::MAX);
    let mut seen = Vec::new();
    for _ in 0..100 {
        let number = session.request(SubmitSm::default(), now).unwrap();
        answer(&mut session, number, SubmitSmResp::default(), now);
        seen.push(number.get());
    }
    assert_eq!(seen[..3], [1, 2, 3]);
    assert!(seen.is_sorted() && !seen.contains(&0) && !seen.contains(&old.get()));
    answer(&mut session, old, SubmitSmResp::default(), now);
    assert_eq!((session.unanswered_requests(), session.counters().answered), (0, 102));
}
