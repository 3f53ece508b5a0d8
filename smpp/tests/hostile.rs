//! Every attack of the test kit over one connection against the server and both levels of the client: the link ends where
//! it has to and only there, nothing hangs, and memory is bounded.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

use std::collections::HashSet;
use std::future::pending;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use futures::future::join_all;
use smpp::client::{
    Client, ClientEvent, Connecting, Connector, Event, Link, LinkConfig, LinkSettings, LinkState, RequestError,
    SendError, Stream,
};
use smpp::message::Sms;
use smpp::pdu::{BindTransceiver, DeliverSm, Frame, Pdu, SubmitMultiResp, SubmitSm};
use smpp::server::{Account, BindRequest, Closed, Config, DeliverError, Request, Server, Service};
use smpp::session::CloseReason;
use smpp::testkit::hostile::{self, Attack, Outcome, Step, Victim};
use smpp::tlv::{MessagePayload, TlvOctets, Tlvs};
use smpp::types::{CommandStatus, SequenceNumber};
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};

/// Remembers why its links ended.
#[derive(Default)]
struct MessageCentre {
    closed: Mutex<Vec<CloseReason>>,
}

impl Service for MessageCentre {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        match bind.system_id.as_slice() {
            b"hostile" if bind.has_password(b"hostile") => Ok(Account::new("hostile")),
            b"hostile" => Err(CommandStatus::RINVPASWD),
            _ => Err(CommandStatus::RINVSYSID),
        }
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        // As an application does that looks at what it is sent.
        let text = submit.pdu.body().text.to_vec();
        if text.starts_with(b"slow") {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        submit.accept("1".parse().unwrap());
    }

    fn on_closed(&self, closed: &Closed) {
        self.closed.lock().unwrap().push(closed.reason.clone());
    }
}

/// Whether a link of the server ended for the reason that an attack is to end it for.
fn is_right(attack: &str, reason: &CloseReason) -> bool {
    match attack {
        "large_length_then_silence" | "slow_pdu" => *reason == CloseReason::ReadTimeout,
        "stops_reading" => *reason == CloseReason::Failed(io::ErrorKind::TimedOut),
        "never_answers" => *reason == CloseReason::DeadPeer,
        "connect_and_wait" | "enquire_link_and_wait" => *reason == CloseReason::SessionInit,
        "requests_before_bind" | "unbind_flood" => *reason == CloseReason::Faults,
        "wrong_password" => *reason == CloseReason::BindRefused(CommandStatus::RINVPASWD),
        "unbind_at_work" | "gone_after_unbind" => *reason == CloseReason::PeerUnbound,
        "gone_at_work" | "end_inside_pdu" => *reason == CloseReason::PeerClosed,
        "requests_answered_wrongly" => *reason == CloseReason::Faults,
        name if is_withstood(name) => is_the_peers(reason),
        name if name.starts_with("proxy_header") => matches!(reason, CloseReason::BadLength(_)),
        "tls_half_hello" => matches!(reason, CloseReason::BadLength(_)),
        name if name.starts_with("length_") => matches!(reason, CloseReason::BadLength(_)),
        _ => true,
    }
}

/// Attacks that may end a link, and end none of ours.
fn is_withstood(attack: &str) -> bool {
    let answers = ["requests_never_answered", "requests_answered_late", "requests_answered_twice"];
    let others = ["responses_in_the_way", "receiver_that_never_answers", "traffic_without_answers"];
    answers.contains(&attack) || others.contains(&attack)
}

/// The peer went, whatever was being written; or the server was shut down before it saw that.
fn is_the_peers(reason: &CloseReason) -> bool {
    let broken = CloseReason::Failed(io::ErrorKind::BrokenPipe);
    [CloseReason::PeerClosed, CloseReason::Unbound, broken].contains(reason)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// What is attacked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    Server,
    /// The ESME, PDU by PDU.
    Link,
    /// The ESME, message by message.
    Client(Program),
}

/// What the program behind a client does with what comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Program {
    /// Takes it all.
    Takes,
    /// Looks at all and answers nothing.
    Holds,
    /// Does not read.
    Deaf,
}

const CLIENTS: [Target; 4] =
    [Target::Link, Target::Client(Program::Takes), Target::Client(Program::Holds), Target::Client(Program::Deaf)];

/// Every attack, with every target that it concerns.
fn all() -> impl Iterator<Item = (Attack, Target)> {
    let server = [hostile::against_server(), hostile::against_working_server()];
    let server = server.into_iter().flatten().map(|attack| (attack, Target::Server));
    let client = [hostile::against_client(), hostile::against_working_client()].into_iter().flatten();
    server.chain(client.flat_map(|attack| CLIENTS.map(|target| (attack.clone(), target))))
}

async fn play(attack: &Attack, target: Target) -> Result<(), String> {
    if target == Target::Server {
        return play_on_server(attack).await;
    }
    let (theirs, ours) = duplex(16 * 1024);
    let at_work = attack.at_work;
    let esme = tokio::spawn(async move {
        match target {
            Target::Client(program) => client(ours, program, at_work).await,
            _ => link(ours, at_work).await,
        }
    });
    let outcome = attack.run(theirs).await;
    // Whatever happened, it comes to an end by itself.
    let end = tokio::time::timeout(Duration::from_secs(3600), esme).await.expect("it hangs").unwrap();
    outcome.map_err(|failure| failure.to_string())?;
    if !is_right_for_esme(attack, &end.reason) {
        return Err(format!("{}: it ended by this: {}", attack.name, end.reason));
    }
    end.is_right(attack.name, target)
}

/// How it went for an ESME.
#[derive(Default)]
struct End {
    /// How the link ended, in words.
    reason: String,
    work: Work,
    /// Responses to nothing, as the program was told, with all that they count.
    unexpected: usize,
    /// What the messages said that came whole.
    texts: Vec<String>,
}

impl End {
    fn is_right(&self, attack: &str, target: Target) -> Result<(), String> {
        let told = match (attack, target) {
            ("parts_that_conflict", Target::Client(Program::Takes)) => self.texts == ["cf"],
            ("failures_that_are_not_there", Target::Link) => self.unexpected == 1,
            _ => true,
        };
        match told {
            true => self.work.is_right(attack),
            false => Err(format!("{attack}: {} to nothing, messages {:?}", self.unexpected, self.texts)),
        }
    }
}

/// What became of the messages of an end that is at work.
#[derive(Debug, Default)]
struct Work {
    taken: AtomicUsize,
    unanswered: AtomicUsize,
}

impl Work {
    /// What was not sent does not count.
    fn note<T, E>(&self, outcome: Result<T, E>, is_unanswered: impl Fn(&E) -> bool) {
        match outcome {
            Ok(_) => self.taken.fetch_add(1, Ordering::Relaxed),
            Err(error) => self.unanswered.fetch_add(is_unanswered(&error).into(), Ordering::Relaxed),
        };
    }

    /// Windows are of 10, and free again within a minute; as many are unanswered when the peer goes.
    fn is_right(&self, attack: &str) -> Result<(), String> {
        let (taken, unanswered) = (self.taken.load(Ordering::Relaxed), self.unanswered.load(Ordering::Relaxed));
        let is_right = match attack {
            "requests_never_answered" | "receiver_that_never_answers" => {
                taken == 0 && (290..=310).contains(&unanswered)
            }
            "requests_answered_late" => (300..=310).contains(&taken) && unanswered <= 10,
            "requests_answered_wrongly" => taken == 0 && unanswered >= 90,
            "requests_answered_twice" => taken >= 190 && unanswered <= 10,
            "responses_in_the_way" => taken >= 90 && unanswered <= 10,
            _ => taken + unanswered == 0,
        };
        if is_right { Ok(()) } else { Err(format!("{attack}: {self:?}")) }
    }
}

/// How many messages a program at work sends at once; more than a window.
const SENDERS: usize = 20;

/// Whether there are as many recipients as the count in front of them says.
fn has_what_it_counts(pdu: &Pdu) -> bool {
    match pdu {
        Pdu::SubmitMultiResp(Some(SubmitMultiResp { unsuccess_smes, .. })) => {
            unsuccess_smes.len() == unsuccess_smes.iter().count()
        }
        _ => true,
    }
}

async fn link(stream: DuplexStream, at_work: bool) -> End {
    let bind = BindTransceiver { system_id: "kudu".parse().unwrap(), ..Default::default() };
    let link = match Link::bind(stream, bind, LinkConfig::default()).await {
        Ok(link) => link,
        Err(error) => return End { reason: error.to_string(), ..End::default() },
    };
    let mut end = End::default();
    let mut events = link.events().unwrap();
    let submit = || async {
        while at_work && !link.is_closed() {
            let outcome = link.request(SubmitSm::default()).await;
            end.work.note(outcome, RequestError::may_be_done);
        }
    };
    let read = async {
        let mut unexpected = 0;
        while let Some(event) = events.recv().await {
            match event {
                Event::Request(incoming) => incoming.accept(),
                Event::Unexpected(frame) => unexpected += usize::from(has_what_it_counts(&frame.pdu)),
                _ => {}
            }
        }
        unexpected
    };
    let (unexpected, _) = tokio::join!(read, join_all((0..SENDERS).map(|_| submit())));
    (end.unexpected, end.reason) = (unexpected, link.closed().await.to_string());
    end
}

/// Connects once, to this.
struct Once(Mutex<Option<DuplexStream>>);

impl Connector for Once {
    fn connect<'a>(&'a self, _: &'a LinkSettings) -> Connecting<'a> {
        let stream = self.0.lock().unwrap().take();
        Box::pin(async { Ok(Box::new(stream.ok_or(io::ErrorKind::NotConnected)?) as Box<dyn Stream>) })
    }
}

async fn client(stream: DuplexStream, program: Program, at_work: bool) -> End {
    let builder = Client::builder().url("smpp://kudu@smsc.example").unwrap();
    let client = match builder.connector(Once(Mutex::new(Some(stream)))).seed(1).connect().await {
        Ok(client) => client,
        Err(error) => return End { reason: error.to_string(), ..End::default() },
    };
    let events = match program {
        Program::Deaf => None,
        Program::Takes | Program::Holds => client.events(),
    };
    let mut end = End::default();
    let read = async {
        let (mut events, mut held) = (events?, Vec::new());
        while let Some(event) = events.recv().await {
            match event {
                event if program == Program::Holds => held.push(event),
                ClientEvent::Message(message) => {
                    end.texts.truncate(TEXTS);
                    end.texts.push(message.text.clone().unwrap_or_default());
                    message.ack();
                }
                ClientEvent::Ussd(turn) => turn.ack(),
                _ => {}
            }
        }
        Some(held)
    };
    let submit = || async {
        if !at_work {
            pending::<()>().await;
        }
        loop {
            let outcome = client.send(Sms::to("27831234567").text("hello")).await;
            end.work.note(outcome, |error| matches!(error, SendError::Unanswered { .. }));
            // Without a link it fails at once.
            tokio::task::yield_now().await;
        }
    };
    let lost = client.wait_for(|links| links.bound() == 0);
    let links = tokio::select! {
        links = lost => links.unwrap(),
        Some(_) = read => panic!("the client is there, and so are its events"),
        _ = join_all((0..SENDERS).map(|_| submit())) => panic!("there is always work"),
    };
    let LinkState::Lost { reason } = &links[0].state else { panic!("{links}") };
    end.reason.clone_from(reason);
    end
}

/// How many texts are kept, for memory is measured.
const TEXTS: usize = 10;

/// How the link of an ESME has to end: by the peer's leaving, if nothing is amiss.
fn is_right_for_esme(attack: &Attack, end: &str) -> bool {
    let reason = match attack.name {
        name if name.starts_with("length_") => return end.contains("command_length"),
        "large_length_then_silence" | "slow_pdu" => CloseReason::ReadTimeout,
        "never_answers" => CloseReason::DeadPeer,
        "stops_reading" => CloseReason::Failed(io::ErrorKind::TimedOut),
        "unbind_at_work" | "gone_after_unbind" => CloseReason::PeerUnbound,
        // What comes behind the first one is out of place.
        "unbind_flood" => CloseReason::Faults,
        "bind_refused" => return end == "the bind was refused: Invalid password",
        "bind_by_generic_nack" => return end == "the bind was refused: Invalid command ID",
        "bind_never_answered" | "gone_at_once" => return end.starts_with("the bind is unanswered: "),
        "requests_answered_wrongly" => CloseReason::Faults,
        name if is_withstood(name) => {
            let broken = CloseReason::Failed(io::ErrorKind::BrokenPipe);
            return [CloseReason::PeerClosed, broken].iter().any(|reason| reason.to_string() == end);
        }
        _ if attack.outcome == Outcome::Either => return true,
        // The answers to a flood may be out or not.
        "receipts_of_nothing" if end != CloseReason::PeerClosed.to_string() => {
            CloseReason::Failed(io::ErrorKind::BrokenPipe)
        }
        _ => CloseReason::PeerClosed,
    };
    end == reason.to_string()
}

async fn play_on_server(attack: &Attack) -> Result<(), String> {
    let server = Server::new(MessageCentre::default(), Config::default());
    let (theirs, ours) = duplex(16 * 1024);
    server.serve(ours, None).unwrap();
    let work = Work::default();
    let deliver = || async {
        if !attack.at_work {
            pending::<()>().await;
        }
        loop {
            match server.registry().deliver("hostile", DeliverSm::default()).await {
                Err(DeliverError::NotBound) => tokio::time::sleep(Duration::from_secs(1)).await,
                outcome => work.note(outcome, |error| *error == DeliverError::Unanswered),
            }
        }
    };
    let outcome = tokio::select! {
        outcome = attack.run(theirs) => outcome,
        _ = join_all((0..SENDERS).map(|_| deliver())) => panic!("there is always work"),
    };
    server.shutdown(Duration::from_secs(60)).await;
    outcome.map_err(|failure| failure.to_string())?;
    let closed = server.service().closed.lock().unwrap();
    let is_right = closed.len() == 1 && is_right(attack.name, &closed[0]);
    match is_right {
        true => work.is_right(attack.name),
        false => Err(format!("{}: it ended by this: {closed:?}", attack.name)),
    }
}

/// What an attack may take of memory at its worst, that of the peer and of the runtime included.
const MEMORY: u64 = 3 * 1024 * 1024;

#[test]
fn no_attack_hangs_or_ends_more_than_it_has_to_or_takes_memory() {
    let mut failures = Vec::new();
    for (attack, target) in all() {
        let mut outcome = Ok(());
        let taken = allocation_counter::measure(|| outcome = runtime().block_on(play(&attack, target)));
        if let Err(failure) = outcome {
            failures.push(format!("{target:?}: {failure}"));
        }
        if taken.bytes_max > MEMORY {
            failures.push(format!("{target:?}: {}: {} octets of memory", attack.name, taken.bytes_max));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What a program does not answer it holds: as many messages as the peer's window has, however many come. Of each there
/// are the TLVs, as they came, and the text.
#[test]
fn what_a_program_does_not_answer_is_bounded() {
    const SIZE: u16 = 60_000;
    const WINDOW: u64 = 100;
    let text = MessagePayload(TlvOctets::new(vec![b'x'; SIZE.into()]).unwrap());
    let message = DeliverSm { tlvs: Tlvs::new().with(&text), ..DeliverSm::default() };
    let mut octets = BytesMut::new();
    Frame::request(SequenceNumber::MIN, message).encode(&mut octets).unwrap();
    let mut attack = hostile::against_client().into_iter().find(|attack| attack.name == "request_flood").unwrap();
    attack.steps = vec![Step::Write(octets.freeze()); 500];
    for (program, holds) in [(Program::Takes, 0), (Program::Deaf, 0), (Program::Holds, 2 * u64::from(SIZE) * WINDOW)] {
        let mut outcome = Ok(());
        let play = || outcome = runtime().block_on(play(&attack, Target::Client(program)));
        let taken = allocation_counter::measure(play).bytes_max;
        assert_eq!(outcome, Ok(()));
        assert!((holds..holds + MEMORY).contains(&taken), "{program:?}: {taken} octets");
    }
}

#[test]
fn attacks_have_names_of_their_own() {
    let on_server = [hostile::against_server(), hostile::against_working_server()].concat();
    let on_client = [hostile::against_client(), hostile::against_working_client()].concat();
    let storms = hostile::storms_against_server();
    let storms: HashSet<_> = storms.iter().map(|storm| storm.name).collect();
    let mut all = storms.clone();
    for attacks in [on_server, on_client] {
        let names: HashSet<_> = attacks.iter().map(|attack| attack.name).collect();
        assert_eq!(names.len(), attacks.len());
        assert!(names.is_disjoint(&storms));
        all.extend(names);
    }
    assert_eq!((all.len(), storms.len()), (101, 7), "the README says how many");
}

/// A run that cannot fail would be no test: a server that does otherwise is found out.
#[test]
fn a_failure_is_seen() {
    let attack = |steps, outcome| {
        let mut attack = hostile::against_server().into_iter().find(|attack| attack.name == "slow_pdu").unwrap();
        assert_eq!(attack.victim, Victim::Server);
        (attack.steps, attack.outcome) = (steps, outcome);
        runtime().block_on(play(&attack, Target::Server)).unwrap_err()
    };
    assert_eq!(attack(vec![], Outcome::Closes), "slow_pdu, at the end: the link was not closed");
    let nonsense = Step::Write(vec![0; 16].into());
    assert_eq!(attack(vec![nonsense], Outcome::Lives), "slow_pdu, at the end: the link was closed");
    let expect = Step::Expect { command_id: smpp::types::CommandId::UNBIND, status: CommandStatus::ROK, number: 1 };
    assert_eq!(attack(vec![expect], Outcome::Lives), "slow_pdu, step 0: no unbind came");
}

/// A server that believes whoever claims to be a proxy, and reads on behind the header.
#[test]
fn a_proxy_that_is_believed_is_seen() {
    let mut attack = hostile::against_server().into_iter().find(|attack| attack.name == "proxy_header").unwrap();
    let Step::Write(octets) = &mut attack.steps[0] else { panic!("{attack:?}") };
    *octets = octets.slice(octets.iter().position(|octet| *octet == b'\n').unwrap() + 1..);
    let failure = runtime().block_on(play(&attack, Target::Server)).unwrap_err();
    assert_eq!(failure, "proxy_header, at the end: the link was not closed");
}
