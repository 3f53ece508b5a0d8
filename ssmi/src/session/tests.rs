//! Both ends of one connection, on a virtual clock.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::*;
use crate::command::*;
use crate::framing::LineCutter;
use crate::types::{AckType, DeliveryCode, NackType, Octets, UssdType};

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "any instant does; from here on time is virtual")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// A client, a gateway, the two directions of the stream, and the time.
struct Pair {
    client: ClientSession,
    server: ServerSession,
    now: Instant,
    /// What both were told, oldest first.
    at_client: Vec<ClientEvent>,
    at_server: Vec<ServerEvent>,
    client_closed: Option<CloseReason>,
    server_closed: Option<CloseReason>,
    /// Every line, in the order that they were sent: `C` and `S` say by whom.
    lines: Vec<String>,
    /// Whether the server's lines reach the client.
    deaf: bool,
    verdict: Result<(), NackType>,
}

impl Pair {
    fn new(client: ClientConfig, server: ServerConfig) -> Self {
        let now = now();
        let login = Login { username: "vodka".into(), password: "marmalade".into() };
        Self {
            client: ClientSession::new(client, login, now).unwrap(),
            server: ServerSession::new(server, now),
            now,
            at_client: Vec::new(),
            at_server: Vec::new(),
            client_closed: None,
            server_closed: None,
            lines: Vec::new(),
            deaf: false,
            verdict: Ok(()),
        }
    }

    fn open() -> Self {
        let mut pair = Self::new(ClientConfig::default(), ServerConfig::default());
        pair.drive();
        assert_eq!((pair.client.state(), pair.server.state()), (State::Open, State::Open));
        assert_eq!(pair.at_server, [ServerEvent::LoggedIn]);
        pair.at_client.clear();
        pair.at_server.clear();
        pair.lines.clear();
        pair
    }

    /// Lets both ends do what they want until neither wants anything.
    fn drive(&mut self) {
        loop {
            if let Some(output) = self.client.poll() {
                self.client_output(output);
            } else if let Some(output) = self.server.poll() {
                self.server_output(output);
            } else {
                return;
            }
        }
    }

    /// Lets time pass, stopping wherever one of them has something to do.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drive();
        while let Some(next) =
            [self.client.next_timeout(), self.server.next_timeout()].into_iter().flatten().min().filter(|at| *at <= end)
        {
            self.now = next.max(self.now);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.drive();
        }
        self.now = end;
    }

    fn client_output(&mut self, output: Output<Request, ClientEvent>) {
        match output {
            Output::Send(request) => {
                let line = line(|wire| request.encode(wire).unwrap());
                self.lines.push(format!("C {}", line.escape_ascii()));
                self.server.handle(Request::decode(&line).map_err(|_| unreachable!()), self.now);
            }
            Output::Event(event) => self.at_client.push(event),
            Output::Close(reason) => {
                assert_eq!(self.client_closed.replace(reason), None);
                self.server.handle(Input::PeerClosed, self.now);
            }
        }
    }

    fn server_output(&mut self, output: Output<Response, ServerEvent>) {
        match output {
            Output::Send(response) => {
                let line = line(|wire| response.encode(wire).unwrap());
                self.lines.push(format!("S {}", line.escape_ascii()));
                if !self.deaf {
                    self.client.handle(Response::decode(&line).map_err(|_| unreachable!()), self.now);
                }
            }
            Output::Event(ServerEvent::LoginRequested(_)) => match self.verdict.clone() {
                Ok(()) => self.server.accept(self.now).unwrap(),
                Err(nack) => self.server.refuse(nack).unwrap(),
            },
            Output::Event(event) => self.at_server.push(event),
            Output::Close(reason) => {
                assert_eq!(self.server_closed.replace(reason), None);
                self.client.handle(Input::PeerClosed, self.now);
            }
        }
    }

    /// What the gateway sends, as text without its carriage return.
    fn server_says(&mut self, line: &'static str) {
        let mut buffer = BytesMut::from(line);
        buffer.extend_from_slice(b"\r");
        let line = LineCutter::default().cut(&mut buffer).unwrap().unwrap();
        self.client.handle(line.response(), self.now);
        self.drive();
    }

    fn client_says(&mut self, line: &'static str) {
        let mut buffer = BytesMut::from(line);
        buffer.extend_from_slice(b"\r");
        let line = LineCutter::default().cut(&mut buffer).unwrap().unwrap();
        self.server.handle(line.request(), self.now);
        self.drive();
    }

    fn sms(&mut self, msisdn: &str) -> Ticket {
        let sms = SendSms { msisdn: msisdn.into(), message: "hi".into(), ..SendSms::default() };
        let ticket = self.client.request(sms, self.now).unwrap();
        self.drive();
        ticket
    }

    fn events(&mut self) -> Vec<ClientEvent> {
        std::mem::take(&mut self.at_client)
    }
}

fn line(encode: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut wire = BytesMut::new();
    encode(&mut wire);
    assert_eq!(wire.split_off(wire.len() - 1), "\r");
    wire.freeze()
}

fn seq(msisdn: &str, sequence: &str) -> Seq {
    Seq { msisdn: msisdn.into(), sequence: sequence.into() }
}

#[test]
fn a_session_from_login_to_logout() {
    let mut pair = Pair::new(ClientConfig::default(), ServerConfig::default());
    pair.drive();
    assert_eq!(pair.events(), [ClientEvent::LoggedIn]);
    assert_eq!(pair.lines, ["C SSMI,1,vodka,marmalade", "S SSMI,101,1", "C SSMI,3", "S SSMI,101,2"]);

    let ussd = UssdMessage { msisdn: "27831112222".into(), ussd_type: UssdType::New, ..UssdMessage::default() };
    pair.server.send(ussd.clone()).unwrap();
    pair.drive();
    assert_eq!(pair.events(), [ClientEvent::Received(ussd.into())]);

    pair.client.logout(pair.now);
    pair.drive();
    assert_eq!(pair.lines.last().unwrap(), "C SSMI,99");
    assert_eq!(pair.server_closed, Some(CloseReason::LoggedOut));
    assert_eq!(pair.client_closed, Some(CloseReason::LoggedOut));
    assert_eq!((pair.client.next_timeout(), pair.server.next_timeout()), (None, None));
}

#[test]
fn a_gateway_that_does_not_close_after_logout_is_closed() {
    let mut pair = Pair::open();
    pair.client.logout(pair.now);
    while pair.client.poll().is_some() {}
    assert_eq!(pair.client.state(), State::LoggingOut);
    assert_eq!(pair.client.next_timeout(), Some(pair.now + 5 * SECOND));
    assert_eq!(pair.client.request(LinkCheck {}, pair.now), Err(SendError::NotOpen { state: State::LoggingOut }));
    pair.client.handle_timeout(pair.now + 5 * SECOND);
    assert_eq!(pair.client.poll(), Some(Output::Close(CloseReason::LoggedOut)));
}

#[test]
fn a_nack_while_login_is_unanswered_refuses_it_and_nothing_more_is_written() {
    for nack in [NackType::Credentials, NackType::Suspended, NackType::Unparsable, NackType::Other("9".into())] {
        let mut pair = Pair::new(ClientConfig::default(), ServerConfig::default());
        pair.verdict = Err(nack.clone());
        pair.pass(200 * SECOND);
        assert_eq!(pair.client_closed, Some(CloseReason::LoginRefused(nack.clone())));
        assert_eq!(pair.server_closed, Some(CloseReason::LoginRefused(nack)));
        assert_eq!(pair.lines.len(), 2, "LOGIN and NACK");
        assert_eq!(pair.events(), []);
    }
}

#[test]
fn a_server_may_leave_a_refused_client_another_try() {
    let mut pair = Pair::new(ClientConfig::default(), ServerConfig::default().close_refused(false));
    pair.verdict = Err(NackType::Credentials);
    pair.deaf = true;
    pair.client.poll();
    pair.client_says("SSMI,1,vodka,wrong");
    assert_eq!((pair.server.state(), pair.server_closed.clone()), (State::LoggingIn, None));
    pair.verdict = Ok(());
    pair.client_says("SSMI,1,vodka,marmalade");
    assert_eq!(pair.server.state(), State::Open);
}

#[test]
fn a_later_nack_is_an_event_with_what_was_sent_lately() {
    let mut pair = Pair::open();
    let first = pair.sms("27831112222");
    let lookup = pair.client.request(ImsiLookup { imsi: "655".into(), ..ImsiLookup::default() }, pair.now).unwrap();
    pair.server_says("SSMI,102,3");
    let [ClientEvent::Nacked { nack_type: NackType::Unparsable, recent }] = &pair.events()[..] else {
        panic!("one NACK")
    };
    let told: Vec<_> = recent.iter().map(|sent| (sent.ticket, sent.name, sent.msisdn.clone())).collect();
    assert_eq!(
        told,
        [(first, "SEND_SMS", Some(Octets::from("27831112222"))), (lookup, "IMSI_LOOKUP", Some(Octets::default()))]
    );
    assert_eq!(pair.client.state(), State::Open);
    for _ in 0..9 {
        pair.sms("27831112222");
    }
    pair.server_says("SSMI,102,2");
    let Some(ClientEvent::Nacked { recent, .. }) = pair.events().pop() else { panic!("one NACK") };
    assert_eq!(recent.len(), 5);
}

#[test]
fn a_login_that_is_not_answered_ends() {
    let mut pair = Pair::new(ClientConfig::default(), ServerConfig::default());
    pair.deaf = true;
    pair.drive();
    assert_eq!(pair.client.request(LinkCheck {}, pair.now), Err(SendError::NotOpen { state: State::LoggingIn }));
    pair.pass(29 * SECOND);
    assert_eq!(pair.client_closed, None);
    pair.pass(SECOND);
    assert_eq!(pair.client_closed, Some(CloseReason::LoginTimeout));
}

#[test]
fn a_client_that_does_not_log_in_is_closed() {
    let mut server = ServerSession::new(ServerConfig::default(), now());
    let deadline = server.next_timeout().unwrap();
    server.handle(Ok(Login::default().into()), deadline - SECOND);
    assert!(!server.wants_input());
    server.handle_timeout(deadline);
    server.poll();
    assert_eq!(server.poll(), Some(Output::Close(CloseReason::LoginTimeout)));
    assert_eq!(server.accept(deadline), Err(SendError::NotOpen { state: State::Closed }));
}

#[test]
fn the_first_link_check_follows_the_login_and_then_one_a_minute() {
    let mut pair = Pair::open();
    pair.pass(59 * SECOND);
    assert_eq!(pair.lines, [""; 0]);
    pair.pass(600 * SECOND);
    assert_eq!(pair.lines.len(), 20);
    assert!(pair.lines.chunks(2).all(|lines| lines == ["C SSMI,3", "S SSMI,101,2"]));
}

#[test]
fn a_peer_is_dead_when_a_check_is_due_and_two_are_unanswered() {
    let mut pair = Pair::open();
    pair.deaf = true;
    pair.pass(179 * SECOND);
    assert_eq!((pair.lines.len(), pair.client_closed.clone()), (4, None));
    pair.pass(SECOND);
    assert_eq!(pair.client_closed, Some(CloseReason::DeadPeer));
    assert_eq!(pair.lines.len(), 4, "no third check");
}

#[test]
fn one_late_answer_is_enough_and_surplus_answers_do_no_harm() {
    let mut pair = Pair::open();
    pair.deaf = true;
    pair.pass(179 * SECOND);
    for _ in 0..5 {
        pair.server_says("SSMI,101,2");
    }
    pair.pass(120 * SECOND);
    assert_eq!(pair.client_closed, None);
    assert_eq!(pair.events(), []);
    pair.pass(SECOND);
    assert_eq!(pair.client_closed, Some(CloseReason::DeadPeer));
}

#[test]
fn while_the_host_does_not_read_no_answer_is_missed() {
    let mut pair = Pair::open();
    pair.deaf = true;
    pair.pass(60 * SECOND);
    // One check is unanswered; that no further answer is seen says nothing.
    pair.client.set_reading(false);
    pair.pass(600 * SECOND);
    assert_eq!((pair.lines.len(), pair.client_closed.clone()), (22, None));
    pair.client.set_reading(true);
    pair.pass(179 * SECOND);
    assert_eq!(pair.client_closed, None);
    pair.pass(SECOND);
    assert_eq!(pair.client_closed, Some(CloseReason::DeadPeer));
}

#[test]
fn sequences_go_to_submissions_of_their_number_first_in_first_out() {
    let mut pair = Pair::open();
    let (first, other, second) = (pair.sms("27831112222"), pair.sms("27831113333"), pair.sms("+27 83 111 2222"));
    for line in ["SSMI,100,27831113333,7", "SSMI,100,0027831112222,8", "SSMI,100,27831112222,9"] {
        pair.server_says(line);
    }
    assert_eq!(
        pair.events(),
        [
            ClientEvent::Sequenced { ticket: other, seq: seq("27831113333", "7") },
            ClientEvent::Sequenced { ticket: first, seq: seq("0027831112222", "8") },
            ClientEvent::Sequenced { ticket: second, seq: seq("27831112222", "9") },
        ]
    );
    pair.server_says("SSMI,104,27831112222,9,0");
    pair.server_says("SSMI,104,27831112222,9,0");
    pair.server_says("SSMI,104,27831112222,7,1");
    let report =
        |sequence: &str, ret_code| DeliveryReport { msisdn: "27831112222".into(), sequence: sequence.into(), ret_code };
    assert_eq!(
        pair.events(),
        [
            ClientEvent::Report { ticket: Some(second), report: report("9", DeliveryCode::Success) },
            ClientEvent::Report { ticket: None, report: report("9", DeliveryCode::Success) },
            ClientEvent::Report { ticket: None, report: report("7", DeliveryCode::Expired) },
        ]
    );
}

#[test]
fn ussd_waits_for_no_sequence() {
    let mut pair = Pair::open();
    let ussd = SendUssdMessage { msisdn: "27831112222".into(), ..SendUssdMessage::default() };
    pair.client.request(ussd, pair.now).unwrap();
    pair.server_says("SSMI,100,27831112222,1");
    assert_eq!(pair.events(), [ClientEvent::Unclaimed(seq("27831112222", "1"))]);
}

#[test]
fn a_sequence_that_comes_too_late_is_not_given_to_the_next_submission() {
    let mut pair = Pair::open();
    let late = pair.sms("27831112222");
    pair.pass(60 * SECOND);
    assert_eq!(pair.events(), [ClientEvent::NotSequenced { ticket: late, why: Unanswered::TimedOut }]);
    pair.server_says("SSMI,100,27831112222,1");
    let next = pair.sms("27831112222");
    pair.server_says("SSMI,100,27831112222,2");
    assert_eq!(
        pair.events(),
        [
            ClientEvent::Unclaimed(seq("27831112222", "1")),
            ClientEvent::Sequenced { ticket: next, seq: seq("27831112222", "2") }
        ]
    );
    let number = Octets::from("+27831112222");
    assert_eq!(pair.client.claim(&number), Some("1".into()));
    assert_eq!(pair.client.claim(&number), None);
    pair.server_says("SSMI,100,27831112222,3");
    pair.pass(60 * SECOND);
    assert_eq!(pair.client.claim(&number), None, "kept for a minute");
}

#[test]
fn a_bound_makes_the_oldest_stop_waiting_and_never_stops_a_send() {
    let mut pair = Pair::new(ClientConfig::default().max_waiting(2).max_reports(1), ServerConfig::default());
    pair.drive();
    pair.at_client.clear();
    let tickets = ["1111111", "2222222", "3333333"].map(|number| pair.sms(number));
    assert_eq!(pair.events(), [ClientEvent::NotSequenced { ticket: tickets[0], why: Unanswered::Forgotten }]);
    pair.server_says("SSMI,100,2222222,1");
    pair.server_says("SSMI,100,3333333,2");
    assert_eq!(
        pair.events(),
        [
            ClientEvent::Sequenced { ticket: tickets[1], seq: seq("2222222", "1") },
            ClientEvent::Sequenced { ticket: tickets[2], seq: seq("3333333", "2") },
            ClientEvent::NotReported { ticket: tickets[1], why: Unanswered::Forgotten }
        ]
    );
}

#[test]
fn a_report_after_a_reconnect_finds_its_submission() {
    let mut pair = Pair::open();
    let ticket = pair.sms("27831112222");
    pair.server_says("SSMI,100,27831112222,5");
    let open = pair.sms("27831113333");
    pair.client.handle(Input::PeerClosed, pair.now);
    pair.drive();
    assert_eq!(pair.events()[1..], [ClientEvent::NotSequenced { ticket: open, why: Unanswered::Closed }]);

    let mut next = Pair::open();
    next.deaf = true;
    next.client =
        ClientSession::with_ledger(ClientConfig::default(), Login::default(), pair.client.into_ledger(), next.now)
            .unwrap();
    next.server_says("SSMI,101,1");
    next.server_says("SSMI,104,27831112222,5,0");
    assert!(matches!(&next.events()[1..], [ClientEvent::Report { ticket: Some(known), .. }] if *known == ticket));
    assert!(next.sms("27831112222") > open, "tickets stay unique");
}

#[test]
fn lookups_are_answered_by_sequence() {
    let mut pair = Pair::open();
    let lookup = |msisdn: &str| ImsiLookup { msisdn: msisdn.into(), ..ImsiLookup::default() };
    let first = pair.client.request(lookup("27831112222"), pair.now).unwrap();
    let second = pair.client.request(lookup("27831113333"), pair.now).unwrap();
    pair.drive();
    assert_eq!(pair.lines, ["C SSMI,600,1,27831112222,", "C SSMI,600,2,27831113333,"]);
    let taken = ImsiLookup { sequence: "2".into(), ..lookup("27831114444") };
    assert_eq!(pair.client.request(taken, pair.now), Err(SendError::SequenceInUse));

    pair.server_says("SSMI,600,2,27831113333,655011234500002,65501");
    pair.server_says("SSMI,600,2,27831113333,655011234500002,65501");
    let reply = ImsiLookupReply {
        sequence: "2".into(),
        msisdn: "27831113333".into(),
        imsi: "655011234500002".into(),
        spid: "65501".into(),
    };
    assert_eq!(
        pair.events(),
        [ClientEvent::LookedUp { ticket: second, reply: reply.clone() }, ClientEvent::Received(reply.into()),]
    );
    pair.pass(30 * SECOND);
    assert_eq!(pair.events(), [ClientEvent::NotLookedUp { ticket: first, why: Unanswered::TimedOut }]);
}

#[test]
fn lookups_are_bounded() {
    let mut pair = Pair::new(ClientConfig::default().max_lookups(1), ServerConfig::default());
    pair.drive();
    let own = ImsiLookup { sequence: "1".into(), ..ImsiLookup::default() };
    pair.client.request(own, pair.now).unwrap();
    assert_eq!(pair.client.request(ImsiLookup::default(), pair.now), Err(SendError::TooManyLookups));
    pair.server_says("SSMI,600,1,,,");
    pair.client.request(ImsiLookup::default(), pair.now).unwrap();
}

#[test]
fn a_remote_logout_is_an_event_of_its_own_and_closes() {
    let mut pair = Pair::open();
    pair.server.replace(Some([196, 25, 1, 9].into()));
    pair.drive();
    assert_eq!(pair.lines, ["S SSMI,199,196.25.1.9"]);
    assert_eq!(pair.events(), [ClientEvent::RemoteLogout { ip: "196.25.1.9".into() }]);
    assert_eq!(pair.client_closed, Some(CloseReason::RemoteLogout));
    assert_eq!(pair.server_closed, Some(CloseReason::RemoteLogout));
}

#[test]
fn a_bad_line_and_an_unknown_command_are_events_and_the_client_goes_on() {
    let mut pair = Pair::open();
    for line in ["Garbage", "SSMI,110,27831112222,1", "SSMI,113,27831112222,77,0,20140120,hello", "SSMI,101,9"] {
        pair.server_says(line);
    }
    let events = pair.events();
    assert!(matches!(events[0], ClientEvent::BadLine(_)));
    assert!(matches!(events[1], ClientEvent::BadLine(_)));
    assert!(matches!(events[2], ClientEvent::Received(Response::Unknown(_))));
    assert_eq!(events[3], ClientEvent::Received(Ack { ack_type: AckType::Other("9".into()) }.into()));
    assert_eq!(pair.client.state(), State::Open);
}

#[test]
fn a_line_over_the_limit_closes() {
    let mut buffer = BytesMut::from("SSMI,105");
    let error = LineCutter::default().with_limit(4).cut(&mut buffer).unwrap_err();
    let mut pair = Pair::open();
    pair.client.handle(Input::TooLong(error), pair.now);
    pair.drive();
    assert_eq!(pair.events(), [ClientEvent::LineTooLong(error)]);
    assert_eq!(pair.client_closed, Some(CloseReason::LineTooLong(error)));
    pair.server_says("SSMI,105,late");
    assert_eq!(pair.events(), [], "nothing follows");
}

#[test]
fn before_the_login_everything_is_nacked() {
    let mut server = Pair::new(ClientConfig::default(), ServerConfig::default());
    server.deaf = true;
    while server.client.poll().is_some() {}
    for line in ["SSMI,3", "SSMI,77,x", "Garbage", "SSMI,1,short"] {
        server.client_says(line);
        assert_eq!(server.lines.pop().unwrap(), "S SSMI,102,1", "{line}");
    }
    assert_eq!(server.server.state(), State::LoggingIn);
}

#[test]
fn after_the_login_a_nack_says_what_was_wrong() {
    let mut pair = Pair::open();
    for (line, answer) in [
        ("SSMI,77,x", "S SSMI,102,2"),
        ("SSMI", "S SSMI,102,2"),
        ("SSMI,1,vodka,marmalade", "S SSMI,102,2"),
        ("SSMI,2,0,27825550126", "S SSMI,102,3"),
        ("ssmi,3", "S SSMI,102,3"),
        ("SSMI,3,surplus", "S SSMI,101,2"),
    ] {
        pair.client_says(line);
        assert_eq!(pair.lines.pop().unwrap(), answer, "{line}");
    }
    assert_eq!(pair.at_server.len(), 5);
    assert_eq!(pair.server.state(), State::Open);
}

#[test]
fn an_idle_client_is_closed_only_if_told() {
    let idle = ServerConfig::default().idle_timeout(Some(90 * SECOND));
    let mut pair = Pair::new(ClientConfig::default(), idle);
    pair.pass(600 * SECOND);
    assert_eq!(pair.server_closed, None, "link checks keep it");
    let idle = ServerConfig::default().idle_timeout(Some(50 * SECOND));
    let mut pair = Pair::new(ClientConfig::default(), idle);
    pair.pass(50 * SECOND);
    assert_eq!(pair.server_closed, Some(CloseReason::IdleTimeout));
    let mut quiet = Pair::new(ClientConfig::default().link_check(None), ServerConfig::default());
    quiet.pass(100_000 * SECOND);
    assert_eq!((quiet.server_closed, quiet.lines.len()), (None, 2));
}

#[test]
fn what_cannot_be_written_is_refused_and_leaves_no_trace() {
    let mut pair = Pair::open();
    let sms = SendSms { msisdn: "2783\r".into(), ..SendSms::default() };
    assert!(matches!(pair.client.request(sms, pair.now), Err(SendError::Encode(_))));
    assert_eq!(pair.client.request(Login::default(), pair.now), Err(SendError::Login));
    assert!(matches!(pair.server.send(FreeForm { text: "\r".into() }), Err(SendError::Encode(_))));
    pair.pass(3600 * SECOND);
    assert_eq!(pair.events(), []);
}

#[test]
fn endless_times_are_never() {
    let client = ClientConfig::default().login_timeout(Duration::MAX).link_check(Some(Duration::MAX));
    let server = ServerConfig::default().login_timeout(Duration::MAX).idle_timeout(Some(Duration::MAX));
    let mut pair = Pair::new(client, server);
    pair.drive();
    assert_eq!((pair.client.next_timeout(), pair.server.next_timeout()), (None, None));
}

#[test]
fn a_session_does_not_show_its_password() {
    let pair = Pair::new(ClientConfig::default(), ServerConfig::default());
    assert!(!format!("{:?}", pair.client).contains("marmalade"));
}
