//! How a link begins, stays alive and ends.

use super::*;

#[test]
fn a_quiet_peer_is_asked_and_a_dead_one_is_left() {
    let start = now();
    let config = Config::default().enquire_link(Some(30 * SECOND)).enquire_link_timeout(10 * SECOND);
    let mut session = esme(config, start);
    ask(&mut session, 1, EnquireLink::default(), start + 5 * SECOND);
    written(&mut session);
    assert_eq!(session.next_timeout(), Some(start + 35 * SECOND));
    session.handle_timeout(start + 35 * SECOND);
    let number = one(&mut session).header.sequence_number;
    assert_eq!(session.next_timeout(), Some(start + 45 * SECOND));
    ask(&mut session, number, EnquireLinkResp::default(), start + 40 * SECOND);
    assert_eq!((events(&mut session), session.next_timeout()), (vec![], Some(start + 70 * SECOND)));

    // No answer, but something else: the peer lives.
    session.handle_timeout(start + 70 * SECOND);
    let unanswered = one(&mut session).header.sequence_number;
    ask(&mut session, 2, EnquireLink::default(), start + 75 * SECOND);
    written(&mut session);
    session.handle_timeout(start + 80 * SECOND);
    assert_eq!(session.next_timeout(), Some(start + 105 * SECOND));
    ask(&mut session, unanswered, EnquireLinkResp::default(), start + 85 * SECOND);
    assert!(matches!(events(&mut session)[..], [Event::Late { .. }]));

    session.handle_timeout(start + 115 * SECOND);
    assert_eq!(one(&mut session).pdu.name(), "enquire_link");
    session.set_reading(false, start + 116 * SECOND);
    assert_eq!(session.next_timeout(), None, "a peer that is not read is not dead");
    session.set_reading(true, start + 200 * SECOND);
    session.handle_timeout(start + 200 * SECOND);
    session.handle_timeout(start + 230 * SECOND);
    session.handle_timeout(start + 240 * SECOND);
    assert_eq!(closed(&mut session), CloseReason::DeadPeer);
    assert_eq!((session.next_timeout(), session.wants_input()), (None, false));
}

#[test]
fn a_link_that_nobody_uses_is_unbound() {
    let start = now();
    let config = Config::default().inactivity(Some(60 * SECOND)).enquire_link(Some(30 * SECOND));
    let mut session = centre(config, start);
    session.handle_timeout(start + 30 * SECOND);
    let number = one(&mut session).header.sequence_number;
    ask(&mut session, number, EnquireLinkResp::default(), start + 31 * SECOND);
    ask(&mut session, 2, EnquireLink::default(), start + 32 * SECOND);
    written(&mut session);
    assert_eq!(session.next_timeout(), Some(start + 60 * SECOND));
    session.handle_timeout(start + 60 * SECOND);
    let unbind = one(&mut session);
    assert_eq!(unbind.pdu.name(), "unbind");
    ask(&mut session, unbind.header.sequence_number, UnbindResp::default(), start + 61 * SECOND);
    assert_eq!(closed(&mut session), CloseReason::Inactivity);
}

#[test]
fn who_does_not_bind_in_time_is_left() {
    let start = now();
    let mut session = Session::message_centre(Config::default(), start);
    ask(&mut session, 1, EnquireLink::default(), start + 9 * SECOND);
    ask(&mut session, 2, BindReceiver::default(), start + 9 * SECOND);
    assert_eq!(session.next_timeout(), Some(start + 10 * SECOND), "neither puts it off");
    let bind = ticket(&mut session);
    session.handle_timeout(start + 10 * SECOND);
    assert_eq!(closed(&mut session), CloseReason::SessionInit);
    assert_eq!(session.refuse(bind, CommandStatus::RBINDFAIL, start), Err(RespondError::Stale));

    let mut session = Session::esme(Config::default(), start);
    let number = session.request(BindReceiver::default(), start + SECOND).unwrap();
    assert_eq!(session.next_timeout(), Some(start + 31 * SECOND));
    session.handle_timeout(start + 31 * SECOND);
    let request = Sent { number, command_id: CommandId::BIND_RECEIVER };
    let why = Unanswered::TimedOut;
    let expected = [Output::Event(Event::Unanswered { request, why }), Output::Close(CloseReason::BindTimeout)];
    assert_eq!(outputs(&mut session), expected);
}

#[test]
fn a_pdu_has_to_become_whole_in_time() {
    let start = now();
    let mut session = centre(Config::default().enquire_link(None), start);
    session.handle(Input::Partial, start);
    session.handle(Input::Partial, start + 9 * SECOND);
    assert_eq!(session.next_timeout(), Some(start + 10 * SECOND), "more of it does not put it off");
    ask(&mut session, 2, EnquireLink::default(), start + 9 * SECOND);
    assert_eq!(session.next_timeout(), None);
    session.handle(Input::Partial, start + 9 * SECOND);
    session.set_reading(false, start + 10 * SECOND);
    assert_eq!(session.next_timeout(), None);
    session.set_reading(true, start + 20 * SECOND);
    written(&mut session);
    session.handle_timeout(start + 30 * SECOND);
    assert_eq!(one(&mut session), Frame::response(0, CommandStatus::RINVCMDLEN, GenericNack::default()));
    assert_eq!(closed(&mut session), CloseReason::ReadTimeout);
}

#[test]
fn a_refused_bind_closes_or_may_be_tried_again() {
    let now = now();
    let mut session = Session::message_centre(Config::default(), now);
    ask(&mut session, 1, BindReceiver::default(), now);
    let bind = ticket(&mut session);
    session.refuse(bind, CommandStatus::RINVPASWD, now).unwrap();
    assert_eq!(one(&mut session), Frame::response(1, CommandStatus::RINVPASWD, Pdu::BindReceiverResp(None)));
    assert_eq!(closed(&mut session), CloseReason::BindRefused(CommandStatus::RINVPASWD));

    let mut session = Session::message_centre(Config::default().close_refused(false), now);
    ask(&mut session, 1, BindReceiver::default(), now);
    ask(&mut session, 2, BindReceiver::default(), now);
    let Some(Output::Event(Event::Request { ticket, .. })) = session.poll() else { panic!() };
    session.refuse(ticket, CommandStatus::RINVPASWD, now).unwrap();
    let statuses: Vec<_> = written(&mut session).iter().map(|frame| frame.header.command_status).collect();
    assert_eq!(statuses, [CommandStatus::RALYBND, CommandStatus::RINVPASWD]);
    events(&mut session);
    ask(&mut session, 3, BindTransmitter::default(), now);
    let again = super::tests::ticket(&mut session);
    session.respond(again, CommandStatus::ROK, BindTransmitterResp::default(), now).unwrap();
    assert_eq!(session.state(), State::BoundTx);

    let mut session = Session::esme(Config::default(), now);
    for refusal in [Pdu::BindReceiverResp(None), GenericNack::default().into(), SubmitSmResp::default().into()] {
        let number = session.request(BindReceiver::default(), now).unwrap();
        let status = if refusal.has_body() { CommandStatus::ROK } else { CommandStatus::RBINDFAIL };
        session.handle(Input::Pdu(Ok(Frame::response(number.get(), status, refusal))), now);
        assert_eq!((session.state(), events(&mut session).len()), (State::Open, 1));
        assert_eq!(session.next_timeout(), Some(now + 10 * SECOND));
    }
}

#[test]
fn an_outbind_asks_for_a_bind() {
    let now = now();
    let (mut centre, mut esme) =
        (Session::message_centre(Config::default(), now), Session::esme(Config::default(), now));
    let number = centre.request(Outbind::default(), now).unwrap();
    assert_eq!((centre.state(), centre.unanswered_requests()), (State::Outbound, 0));
    esme.handle(Input::Pdu(Ok(one(&mut centre))), now);
    assert!(matches!(events(&mut esme)[..], [Event::OneWay(Frame { pdu: Pdu::Outbind(_), .. })]));
    assert_eq!((esme.state(), number), (State::Outbound, SequenceNumber::MIN));
    esme.request(BindReceiver::default(), now).unwrap();
    centre.handle(Input::Pdu(Ok(one(&mut esme))), now);
    let bind = ticket(&mut centre);
    centre.respond(bind, CommandStatus::ROK, BindReceiverResp::default(), now).unwrap();
    esme.handle(Input::Pdu(Ok(one(&mut centre))), now);
    assert_eq!((centre.state(), esme.state()), (State::BoundRx, State::BoundRx));
    assert!(esme.request(Outbind::default(), now).is_err() && centre.request(Outbind::default(), now).is_err());
    centre.request(AlertNotification::default(), now).unwrap();
    esme.handle(Input::Pdu(Ok(one(&mut centre))), now);
    let happened = events(&mut esme);
    assert!(matches!(happened[1], Event::OneWay(Frame { pdu: Pdu::AlertNotification(_), .. })), "{happened:?}");
    assert!(written(&mut esme).is_empty(), "nothing answers it");
}

#[test]
fn an_unbind_waits_for_what_is_unanswered() {
    let start = now();
    let mut session = esme(Config::default(), start);
    let submit = session.request(SubmitSm::default(), start).unwrap();
    ask(&mut session, 2, DeliverSm::default(), start);
    let deliver = ticket(&mut session);
    written(&mut session);
    session.unbind(start);
    assert_eq!(session.request(SubmitSm::default(), start), Err(RequestError::Unbinding));
    ask(&mut session, 3, DeliverSm::default(), start);
    assert_eq!(one(&mut session).header.command_status, CommandStatus::RX_T_APPN);
    answer(&mut session, submit, SubmitSmResp::default(), start);
    assert!(written(&mut session).is_empty());
    session.respond(deliver, CommandStatus::ROK, DeliverSmResp::default(), start).unwrap();
    let [answered, unbind] = &written(&mut session)[..] else { panic!() };
    assert_eq!((answered.header.sequence_number, unbind.pdu.name()), (2, "unbind"));
    ask(&mut session, unbind.header.sequence_number, UnbindResp::default(), start);
    assert_eq!(closed(&mut session), CloseReason::Unbound);

    // Neither is waited for beyond its time.
    let mut session = esme(Config::default(), start);
    session.request(SubmitSm::default(), start).unwrap();
    written(&mut session);
    session.unbind(start);
    session.handle_timeout(start + 5 * SECOND);
    assert_eq!(one(&mut session).pdu.name(), "unbind");
    session.handle_timeout(start + 10 * SECOND);
    assert!(matches!(
        outputs(&mut session)[..],
        [Output::Event(Event::Unanswered { why: Unanswered::Closed, .. }), Output::Close(CloseReason::Unbound),]
    ));

    let mut session = Session::esme(Config::default(), start);
    session.unbind(start);
    assert_eq!(closed(&mut session), CloseReason::Closed);
}

#[test]
fn the_peers_unbind_is_answered_when_all_is_answered() {
    let start = now();
    let mut session = centre(Config::default(), start);
    ask(&mut session, 2, SubmitSm::default(), start);
    let submit = ticket(&mut session);
    ask(&mut session, 3, Unbind::default(), start);
    assert_eq!((events(&mut session), session.state()), (vec![Event::Unbinding], State::BoundTrx));
    assert_eq!(session.request(DeliverSm::default(), start), Err(RequestError::Unbinding));
    ask(&mut session, 4, SubmitSm::default(), start);
    assert_eq!(one(&mut session).header.command_status, CommandStatus::RINVBNDSTS);
    session.respond(submit, CommandStatus::ROK, SubmitSmResp::default(), start).unwrap();
    let [_, unbind] = &written(&mut session)[..] else { panic!() };
    assert_eq!(*unbind, Frame::response(3, CommandStatus::ROK, UnbindResp::default()));
    assert_eq!(session.state(), State::Unbound);
    ask(&mut session, 5, EnquireLink::default(), start);
    assert_eq!(one(&mut session).pdu.name(), "enquire_link_resp");
    ask(&mut session, 6, BindReceiver::default(), start);
    assert_eq!(one(&mut session).header.command_status, CommandStatus::RINVBNDSTS);
    let mut left = session.clone();
    left.handle_timeout(start + 5 * SECOND);
    assert_eq!(closed(&mut left), CloseReason::PeerUnbound);
    session.handle(Input::PeerClosed, start);
    assert_eq!(closed(&mut session), CloseReason::PeerUnbound);
}

#[test]
fn nothing_follows_a_loss_in_the_middle_of_an_unbind() {
    let now = now();
    for peer_asks in [true, false] {
        let mut session = esme(Config::default(), now);
        session.request(SubmitSm::default(), now).unwrap();
        match peer_asks {
            true => ask(&mut session, 9, Unbind::default(), now),
            false => session.unbind(now),
        }
        session.handle(Input::PeerClosed, now);
        while session.poll().is_some() {}
        session.unwritten_mut().clear();
        session.handle_timeout(now + 60 * SECOND);
        assert_eq!((session.state(), session.poll(), session.next_timeout()), (State::Closed, None, None));
        assert!(session.unwritten_mut().is_empty());
    }
}

#[test]
fn both_may_unbind_at_once() {
    let now = now();
    let mut session = esme(Config::default(), now);
    session.unbind(now);
    let unbind = one(&mut session);
    ask(&mut session, 9, Unbind::default(), now);
    assert_eq!(one(&mut session), Frame::response(9, CommandStatus::ROK, UnbindResp::default()));
    ask(&mut session, unbind.header.sequence_number, UnbindResp::default(), now);
    assert_eq!(closed(&mut session), CloseReason::Unbound);
}

#[test]
fn pdus_are_short_before_a_bind() {
    let now = now();
    let session = Session::esme(Config::default(), now);
    assert_eq!((session.max_pdu(), esme(Config::default(), now).max_pdu()), (1024, 128 * 1024));
    let mut session = centre(Config::default(), now);
    let bad = StreamDecoder::default().with_limit(100).decode(&mut BytesMut::from(&[0, 0, 1, 0][..])).unwrap_err();
    session.handle(Input::BadLength(bad), now);
    assert_eq!(one(&mut session), bad.answer());
    assert_eq!(closed(&mut session), CloseReason::BadLength(bad));
}

#[test]
fn too_many_faults_in_a_row_are_the_end() {
    let now = now();
    let mut session = centre(Config::default().max_faults(Some(3)), now);
    for _ in 0..2 {
        ask(&mut session, 2, DeliverSm::default(), now);
        ask(&mut session, 3, SubmitSmResp::default(), now);
        ask(&mut session, 4, EnquireLink::default(), now);
    }
    events(&mut session);
    ask(&mut session, 5, BindReceiver::default(), now);
    ask(&mut session, 6, Unknown { command_id: CommandId(0x0a), body: Bytes::new() }, now);
    ask(&mut session, 7, Outbind::default(), now);
    assert_eq!(closed(&mut session), CloseReason::Faults);
    assert_eq!((session.counters().misplaced, session.counters().unexpected), (5, 2));
}

#[test]
fn what_was_sent_is_unanswered_when_the_link_is_lost() {
    let now = now();
    let mut session = esme(Config::default(), now);
    let numbers: Vec<_> = (0..20).filter_map(|_| session.request(SubmitSm::default(), now).ok()).collect();
    session.handle(Input::Failed(std::io::ErrorKind::ConnectionReset), now);
    let mut happened = outputs(&mut session);
    assert_eq!(happened.pop(), Some(Output::Close(CloseReason::Failed(std::io::ErrorKind::ConnectionReset))));
    let unanswered = |number| {
        let request = Sent { number, command_id: CommandId::SUBMIT_SM };
        Output::Event(Event::Unanswered { request, why: Unanswered::Closed })
    };
    assert_eq!(happened, numbers.into_iter().map(unanswered).collect::<Vec<_>>());
    ask(&mut session, 1, EnquireLink::default(), now);
    session.close();
    assert_eq!(outputs(&mut session), []);
    assert_eq!(session.request(SubmitSm::default(), now), Err(RequestError::Unbinding));
}

#[test]
fn reading_stops_while_too_much_waits_to_be_written() {
    let now = now();
    let mut session = centre(Config::default().max_unwritten(64), now);
    for number in 0..4 {
        assert!(session.wants_input());
        ask(&mut session, number, EnquireLink::default(), now);
    }
    assert!(!session.wants_input());
    written(&mut session);
    assert!(session.wants_input());
}
