//! The shared SMPP vectors: good PDUs decode to the fields beside them and are written as they came; bad input has the
//! outcome, the answer and the end that is expected.

use std::time::Instant;

use bytes::BytesMut;
use clap::ValueEnum;
use conformance::smpp_answers::{self, Receiver, Role, State};
use conformance::smpp_vectors::{self as vectors, Malformed, Outcome};
use smpp::codec::Limits;
use smpp::framing::StreamDecoder;
use smpp::pdu::{
    BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp, BindTransmitter, BindTransmitterResp, Frame,
    Pdu, QuerySm, SubmitSm,
};
use smpp::session::{self, Event, Input, Output, Session};
use smpp::tlv::Tlvs;
use smpp::types::{CommandId, CommandStatus, InterfaceVersion};

fn encoded(frame: &Frame) -> BytesMut {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).unwrap();
    octets
}

#[test]
fn every_good_pdu() {
    let vectors = vectors::good().unwrap();
    assert!(vectors.len() >= 110, "{} vectors", vectors.len());
    for vector in vectors {
        let (name, expect) = (&vector.name, &vector.expect);
        let id = u32::from_str_radix(expect.command_id.trim_start_matches("0x"), 16).unwrap();
        let limits = vectors::limits_of_receiver(CommandId(id));
        let frame = Frame::decode(vector.octets.clone(), &limits).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(frame.pdu.command_id(), CommandId(id), "{name}");
        assert_eq!(frame.pdu.name(), expect.command, "{name}");
        let status = frame.header.command_status;
        assert_eq!(format!("{:#010x}", status.0), expect.command_status, "{name}");
        if let (Some(ours), Some(theirs)) = (status.name(), &expect.status_name) {
            assert_eq!(ours, theirs, "{name}");
        }
        assert_eq!(frame.header.sequence_number, expect.sequence_number, "{name}");
        assert_eq!(vectors::body(&frame.pdu), expect.body, "{name}");
        assert_eq!(vectors::tlvs(frame.pdu.tlvs()), expect.tlvs, "{name}");
        assert_eq!(frame.pdu.has_body(), expect.body_present, "{name}");
        let again = encoded(&frame);
        assert_eq!(hex::encode(&again), hex::encode(&vector.octets), "{name}");
        assert_eq!(again.len(), expect.command_length, "{name}");
        assert!(frame.rest.is_empty(), "{name}");
    }
}

/// What the decoder, the state of the link and a willing application make of the first PDU.
fn outcome(vector: &Malformed) -> Outcome {
    let mut receiver = Receiver {
        role: Some(Role::from_str(&vector.receiver, true).unwrap()),
        state: Some(State::from_str(&vector.state, true).unwrap()),
        pending: Some(vector.pending.iter().map(|pending| self::pending(pending)).collect()),
        ..Receiver::default()
    };
    if vector.name.contains("_v34_") {
        receiver.version = InterfaceVersion::V3_4;
    }
    let mut decoder = StreamDecoder::new(receiver.limits(CommandId::default()));
    let mut buffer = BytesMut::from(vector.octets().as_slice());
    let first = decoder.decode(&mut buffer);
    while let Ok(Some(_)) = decoder.decode(&mut buffer) {}
    match first {
        Err(bad) => smpp_answers::fatal(&bad),
        Ok(None) => smpp_answers::unfinished(),
        Ok(Some(pdu)) => receiver.judge(&pdu),
    }
}

/// What a session and a willing program make of the first PDU.
fn session_outcome(vector: &Malformed) -> Outcome {
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    let now = Instant::now();
    let mut session = session_for(vector, now);
    let mut decoder = StreamDecoder::new(session.limits()).with_limit(session.max_pdu());
    let mut buffer = BytesMut::from(vector.octets().as_slice());
    match decoder.decode(&mut buffer) {
        Ok(Some(pdu)) => session.handle(Input::Pdu(pdu), now),
        Ok(None) => return smpp_answers::unfinished(),
        Err(bad) => session.handle(Input::BadLength(bad), now),
    }
    let mut ours = smpp_answers::outcome("accept", None);
    let mut known = true;
    while let Some(output) = session.poll() {
        match output {
            Output::Close(session::CloseReason::BadLength(_)) => {
                (ours.outcome, ours.close) = ("fatal_framing".to_owned(), true);
            }
            Output::Close(reason) => panic!("{}: {reason}", vector.name),
            Output::Event(Event::Request { ticket, request }) => {
                let (answer, to_the_octet) = smpp_answers::willing_answer(&request).unwrap();
                known = to_the_octet;
                session.respond(ticket, answer.header.command_status, answer.pdu, now).unwrap();
            }
            Output::Event(Event::Refused { .. } | Event::Bad(_)) if session.unwritten_mut().is_empty() => {
                ours.outcome = "ignore".to_owned();
            }
            Output::Event(Event::Refused { .. } | Event::Bad(_)) => ours.outcome = "reject".to_owned(),
            Output::Event(Event::Response { request, response }) => {
                let own = request.command_id.response() == Some(response.pdu.command_id());
                if !own || !response.header.command_status.is_ok() {
                    ours.outcome = "fail_pending".to_owned();
                }
            }
            Output::Event(Event::Mismatched { .. }) => ours.outcome = "fail_pending".to_owned(),
            Output::Event(Event::Unexpected(_)) => ours.outcome = "ignore".to_owned(),
            Output::Event(Event::OneWay(_) | Event::Unbinding) => {}
            Output::Event(other) => panic!("{}: {other:?}", vector.name),
        }
    }
    let mut written = std::mem::take(session.unwritten_mut());
    if let Some(answer) = StreamDecoder::default().decode(&mut written).unwrap() {
        ours.reply = smpp_answers::outcome("", Some((answer.unwrap(), known))).reply;
    }
    ours
}

/// A session that stands where a vector wants it: bound, and with its request unanswered.
fn session_for(vector: &Malformed, now: Instant) -> Session {
    let role = Role::from_str(&vector.receiver, true).unwrap();
    let pending = vector.pending.as_deref().map(pending);
    let bound = !vector.state.eq_ignore_ascii_case("OPEN");
    let first = pending.map_or(1, |(_, number)| if bound { number - 1 } else { number });
    let version = if vector.name.contains("_v34_") { InterfaceVersion::V3_4 } else { InterfaceVersion::V5_0 };
    let config = session::Config::default().first_number(first.try_into().unwrap()).version(version);
    let mut session = Session::new(role.into(), config, now);
    let tlvs = Tlvs::new().with(&version);
    let (bind, response): (Pdu, Pdu) = match vector.state.as_str() {
        "BOUND_TX" => (
            BindTransmitter { interface_version: version, ..Default::default() }.into(),
            BindTransmitterResp { tlvs, ..Default::default() }.into(),
        ),
        "BOUND_RX" => (
            BindReceiver { interface_version: version, ..Default::default() }.into(),
            BindReceiverResp { tlvs, ..Default::default() }.into(),
        ),
        _ => (
            BindTransceiver { interface_version: version, ..Default::default() }.into(),
            BindTransceiverResp { tlvs, ..Default::default() }.into(),
        ),
    };
    match role {
        Role::Esme if bound => {
            let number = session.request(bind, now).unwrap();
            session.handle(Input::Pdu(Ok(Frame::response(number.get(), CommandStatus::ROK, response))), now);
        }
        Role::Mc if bound => {
            session.handle(Input::Pdu(Ok(Frame::response(9, CommandStatus::ROK, bind))), now);
            let Some(Output::Event(Event::Request { ticket, .. })) = session.poll() else { panic!("no bind") };
            session.respond(ticket, CommandStatus::ROK, response, now).unwrap();
        }
        _ => {}
    }
    if let Some((command_id, number)) = pending {
        let request: Pdu = match command_id {
            CommandId::SUBMIT_SM => SubmitSm::default().into(),
            CommandId::QUERY_SM => QuerySm::default().into(),
            CommandId::BIND_TRANSCEIVER => BindTransceiver::default().into(),
            other => panic!("{other}"),
        };
        assert_eq!(session.request(request, now).unwrap().get(), number);
    }
    while session.poll().is_some() {}
    session.unwritten_mut().clear();
    let state = State::from_str(&vector.state, true).unwrap();
    assert_eq!(session.state(), state.into(), "{}", vector.name);
    session
}

/// A request such as `submit_sm seq 5`.
fn pending(pending: &str) -> (CommandId, u32) {
    let (name, number) = pending.split_once(" seq ").unwrap();
    let id = (0..0x200).map(CommandId).find(|id| id.name() == Some(name)).unwrap();
    (id, number.parse().unwrap())
}

#[test]
fn every_bad_input() {
    let deviations = vectors::deviations().unwrap();
    let vectors = vectors::malformed().unwrap();
    assert!(vectors.len() >= 106, "{} vectors", vectors.len());
    for vector in &vectors {
        let ours = outcome(vector);
        assert_eq!(ours, session_outcome(vector), "{}", vector.name);
        match deviations.get(&vector.name) {
            None => assert_eq!(ours, vector.expect, "{}", vector.name),
            Some(reason) => assert_ne!(ours, vector.expect, "{} no longer deviates: {reason}", vector.name),
        }
    }
}

#[test]
fn every_pdu_of_real_programs_is_written_as_it_came() {
    let deviations = vectors::deviations().unwrap();
    let corpus = vectors::corpus().unwrap();
    assert!(corpus.len() >= 440, "{} PDUs", corpus.len());
    for pdu in corpus {
        let limits = if pdu.to_server { Limits::message_centre() } else { Limits::esme() };
        let refused = Frame::decode(pdu.octets.clone(), &limits).map(|frame| {
            assert_eq!(hex::encode(encoded(&frame)), hex::encode(&pdu.octets), "{}", pdu.place);
        });
        let expected = deviations.contains_key(&pdu.place);
        assert_eq!(refused.is_err(), expected, "{}: {refused:?}: {}", pdu.place, hex::encode(&pdu.octets));
    }
}

#[test]
fn every_deviation_is_of_something() {
    let malformed = vectors::malformed().unwrap().into_iter().map(|vector| vector.name);
    let places = vectors::corpus().unwrap().into_iter().map(|pdu| pdu.place);
    let names: Vec<String> = malformed.chain(places).collect();
    for name in vectors::deviations().unwrap().keys() {
        assert!(names.contains(name), "no such vector or PDU: {name}");
    }
}
