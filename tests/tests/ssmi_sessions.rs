//! The recorded sessions of txssmi, replayed into our sessions: each end hears what its peer said then, and must say
//! what txssmi and its gateway said, and tell its program what there was to tell.

#![allow(clippy::disallowed_methods, reason = "any instant does to begin with")]

use std::fs;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use conformance::vectors;
use ssmi::command::{Request, Response};
use ssmi::framing::LineCutter;
use ssmi::session::{
    ClientConfig, ClientEvent, ClientSession, CloseReason, Input, Output, ServerConfig, ServerEvent, ServerSession,
};
use ssmi::types::NackType;

/// What was read from the wire at once, or the end of one direction.
struct Heard {
    at: Duration,
    from_client: bool,
    octets: Bytes,
    end: bool,
}

/// Reads a recording: time, direction, flag, and the octets as Python writes them.
fn recording(name: &str) -> Vec<Heard> {
    let text = fs::read_to_string(vectors::path("traces/ssmi").join(format!("{name}.txt"))).unwrap();
    let heard: Vec<_> = text
        .lines()
        .map(|line| {
            let (time, rest) = line.trim_start().split_once(' ').unwrap();
            let (direction, rest) = rest.split_once(' ').unwrap();
            let (flag, literal) = rest.split_once(' ').unwrap();
            let literal = literal.trim_start().strip_prefix('b').unwrap();
            Heard {
                at: Duration::from_secs_f64(time.parse().unwrap()),
                from_client: direction == "C->S",
                octets: python_bytes(&literal[1..literal.len() - 1]).into(),
                end: flag == "F",
            }
        })
        .collect();
    for (from_client, suffix) in [(true, "c2s"), (false, "s2c")] {
        let all: Vec<u8> = heard
            .iter()
            .filter(|heard| heard.from_client == from_client)
            .flat_map(|heard| heard.octets.to_vec())
            .collect();
        let stream = fs::read(vectors::path("traces/ssmi").join(format!("{name}.{suffix}.bin"))).unwrap();
        assert_eq!(all, stream, "{name}: the text and the octets tell the same");
    }
    heard
}

fn python_bytes(literal: &str) -> Vec<u8> {
    let (mut octets, mut rest) = (Vec::new(), literal.bytes());
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'\\' => match rest.next().unwrap() {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            octet => octet,
        });
    }
    octets
}

/// The lines of a stream, as text.
fn lines(octets: &[u8]) -> Vec<String> {
    octets.split_inclusive(|octet| *octet == b'\r').map(|line| line.escape_ascii().to_string()).collect()
}

/// What one end said and was told, and why it closed.
#[derive(Debug)]
struct Story<E> {
    said: BytesMut,
    told: Vec<E>,
    closed: Option<CloseReason>,
}

impl<E> Default for Story<E> {
    fn default() -> Self {
        Self { said: BytesMut::new(), told: Vec::new(), closed: None }
    }
}

/// Our client in the place of txssmi: the gateway says what it said then, the program asks for what it asked then.
fn as_client(recording: &[Heard], cut: usize) -> Story<ClientEvent> {
    let start = Instant::now();
    let mut requests =
        recording.iter().enumerate().filter(|(_, heard)| heard.from_client).flat_map(|(index, heard)| {
            let mut octets = BytesMut::from(&heard.octets[..]);
            let mut cutter = LineCutter::default();
            std::iter::from_fn(move || cutter.cut(&mut octets).unwrap().map(|line| line.request().unwrap()))
                .map(move |request| (index, request))
        });
    let Some((_, Request::Login(login))) = requests.next() else { panic!("LOGIN comes first") };
    let mut requests: Vec<_> = requests.filter(|(_, request)| !matches!(request, Request::LinkCheck(_))).collect();
    let mut session = ClientSession::new(ClientConfig::default(), login, start).unwrap();
    let (mut cutter, mut buffer, mut story) = (LineCutter::default(), BytesMut::new(), Story::default());
    drain_client(&mut session, &mut story);
    for (index, heard) in recording.iter().enumerate() {
        let now = start + heard.at;
        if heard.from_client {
            while requests.first().is_some_and(|(at, _)| *at == index) {
                session.request(requests.remove(0).1, now).unwrap();
            }
        } else {
            for part in heard.octets.chunks(cut) {
                buffer.extend_from_slice(part);
                loop {
                    match cutter.cut(&mut buffer) {
                        Ok(Some(line)) => session.handle(line.response(), now),
                        Ok(None) => break,
                        Err(error) => {
                            session.handle(Input::TooLong(error), now);
                            break;
                        }
                    }
                }
            }
            if heard.end {
                session.handle(Input::PeerClosed, now);
            }
        }
        drain_client(&mut session, &mut story);
    }
    story
}

fn drain_client(session: &mut ClientSession, story: &mut Story<ClientEvent>) {
    while let Some(output) = session.poll() {
        assert_eq!(story.closed, None, "nothing follows the close");
        match output {
            Output::Send(request) => request.encode(&mut story.said).unwrap(),
            Output::Event(event) => story.told.push(event),
            Output::Close(reason) => story.closed = Some(reason),
        }
    }
}

/// Our server in the place of the gateway, without anything to say of its own.
fn as_server(recording: &[Heard], cut: usize) -> Story<ServerEvent> {
    let start = Instant::now();
    let mut session = ServerSession::new(ServerConfig::default(), start);
    let (mut cutter, mut buffer, mut story) = (LineCutter::default(), BytesMut::new(), Story::default());
    for heard in recording.iter().filter(|heard| heard.from_client) {
        let now = start + heard.at;
        for part in heard.octets.chunks(cut) {
            buffer.extend_from_slice(part);
            while let Some(line) = cutter.cut(&mut buffer).unwrap() {
                session.handle(line.request(), now);
                drain_server(&mut session, &mut story, now);
            }
        }
        if heard.end {
            session.handle(Input::PeerClosed, now);
        }
        drain_server(&mut session, &mut story, now);
    }
    story
}

fn drain_server(session: &mut ServerSession, story: &mut Story<ServerEvent>, now: Instant) {
    while let Some(output) = session.poll() {
        assert_eq!(story.closed, None, "nothing follows the close");
        match output {
            Output::Send(response) => response.encode(&mut story.said).unwrap(),
            Output::Event(ServerEvent::LoginRequested(login)) if *login.password.expose() == "marmalade" => {
                session.accept(now).unwrap();
            }
            Output::Event(ServerEvent::LoginRequested(_)) => session.refuse(NackType::Credentials).unwrap(),
            Output::Event(event) => story.told.push(event),
            Output::Close(reason) => story.closed = Some(reason),
        }
    }
}

/// Every recording, with what our client is told after its login and why it closes.
fn expectations() -> Vec<(&'static str, Vec<&'static str>, CloseReason)> {
    let peer = || CloseReason::PeerClosed;
    let ussd = "USSD_MESSAGE";
    vec![
        ("badlogin", vec![], CloseReason::LoginRefused(NackType::Credentials)),
        ("edge", vec![ussd; 9], CloseReason::LoggedOut),
        ("fault-crlf", vec![ussd, ussd], peer()),
        ("fault-emptyline", vec!["FREE_FORM"], peer()),
        ("fault-nack4", vec!["nacked: Suspended"], peer()),
        ("fault-noheader", vec!["bad line"], peer()),
        ("fault-pipelined", vec![ussd, ussd, "FREE_FORM"], peer()),
        ("fault-remote-logout", vec!["remote logout: 196.25.1.9"], CloseReason::RemoteLogout),
        ("fault-short", vec!["bad line"], peer()),
        ("fault-unknown", vec!["UNKNOWN"], peer()),
        (
            "full-py311",
            vec![
                ussd,
                ussd,
                ussd,
                "EXTENDED_USSD_MESSAGE",
                "EXTENDED_USSD_MESSAGE",
                "sequenced",
                "reported",
                "sequenced",
                "reported",
                "sequenced",
                "reported",
                "sequenced",
                "reported",
                "sequenced",
                "sequenced",
                "looked up",
                "looked up",
                "MO",
                "BINARY_MO",
                "PREMIUM_MO",
                "PREMIUM_BINARY_MO",
                "FREE_FORM",
            ],
            CloseReason::LoggedOut,
        ),
    ]
}

fn name(event: &ClientEvent) -> String {
    match event {
        ClientEvent::LoggedIn => "logged in".to_owned(),
        ClientEvent::Received(response) => response.name().to_owned(),
        ClientEvent::Sequenced { .. } => "sequenced".to_owned(),
        ClientEvent::Report { ticket: Some(_), .. } => "reported".to_owned(),
        ClientEvent::LookedUp { .. } => "looked up".to_owned(),
        ClientEvent::Nacked { nack_type, .. } => format!("nacked: {nack_type:?}"),
        ClientEvent::BadLine(_) => "bad line".to_owned(),
        ClientEvent::RemoteLogout { ip } => format!("remote logout: {}", ip.to_text()),
        other => format!("{other:?}"),
    }
}

#[test]
fn our_client_says_what_txssmi_said_and_tells_what_there_was_to_tell() {
    for (file, told, closed) in expectations() {
        let recording = recording(file);
        for cut in [1, 2, 7, usize::MAX] {
            let story = as_client(&recording, cut);
            let mut expect: Vec<_> = (file != "badlogin").then_some("logged in").into_iter().collect();
            expect.extend(&told);
            assert_eq!(story.told.iter().map(name).collect::<Vec<_>>(), expect, "{file} by {cut}");
            assert_eq!(story.closed, Some(closed.clone()), "{file}");
            let then: Vec<u8> = recording.iter().filter(|h| h.from_client).flat_map(|h| h.octets.to_vec()).collect();
            // Recorded with a link check each quarter of a second; ours is due after a minute.
            let asked =
                |octets: &[u8]| lines(octets).into_iter().filter(|line| line != "SSMI,3\\r").collect::<Vec<_>>();
            assert_eq!(asked(&story.said), asked(&then), "{file}");
            let checks = lines(&story.said).iter().filter(|line| *line == "SSMI,3\\r").count();
            assert_eq!(checks, usize::from(file != "badlogin"), "{file}: one follows the login");
        }
    }
}

#[test]
fn a_line_over_the_limit_closes_our_client() {
    let story = as_client(&recording("fault-longline"), usize::MAX);
    assert!(matches!(story.told.last(), Some(ClientEvent::LineTooLong(_))), "{:?}", story.told);
    assert!(matches!(story.closed, Some(CloseReason::LineTooLong(_))));
}

#[test]
fn our_server_answers_as_the_gateway_did() {
    for file in expectations().into_iter().map(|(file, ..)| file).chain(["fault-longline"]) {
        let recording = recording(file);
        for cut in [1, 5, usize::MAX] {
            let story = as_server(&recording, cut);
            let then: Vec<u8> = recording.iter().filter(|h| !h.from_client).flat_map(|h| h.octets.to_vec()).collect();
            // The gateway of fault-pipelined left out one carriage return: an answer is the tail of another line there.
            let known = ["SSMI,101,1\\r", "SSMI,101,2\\r", "SSMI,102,1\\r"];
            let then = lines(&then);
            let answers: Vec<_> =
                then.iter().filter_map(|line| known.into_iter().find(|known| line.ends_with(known))).collect();
            assert_eq!(lines(&story.said), answers, "{file} by {cut}");
            let odd: Vec<_> = story
                .told
                .iter()
                .filter(|event| {
                    !matches!(event, ServerEvent::LoggedIn | ServerEvent::LoginRefused(_) | ServerEvent::Received(_))
                })
                .collect();
            assert!(odd.is_empty(), "{file}: {odd:?}");
            assert!(story.closed.is_some(), "{file}");
        }
    }
}

#[test]
fn every_submission_gets_its_own_sequence() {
    let story = as_client(&recording("full-py311"), usize::MAX);
    let (mut sequences, mut reports) = (Vec::new(), Vec::new());
    for event in &story.told {
        match event {
            ClientEvent::Sequenced { ticket, seq } => sequences.push((*ticket, seq.sequence.clone())),
            ClientEvent::Report { ticket, report } => reports.push((ticket.unwrap(), report.sequence.clone())),
            _ => {}
        }
    }
    assert_eq!(
        sequences.iter().map(|(_, sequence)| sequence.to_text()).collect::<Vec<_>>(),
        ["9001", "9002", "9003", "9004", "9005", "9006"]
    );
    assert!(sequences.is_sorted(), "in the order of sending: {sequences:?}");
    assert!(reports.iter().all(|report| sequences.contains(report)), "{reports:?}");
    let replies = story.told.iter().filter(|event| {
        matches!(event, ClientEvent::Received(response) if matches!(response, Response::Seq(_) | Response::ImsiLookupReply(_)))
    });
    assert_eq!(replies.count(), 0);
}
