//! Every attack of the test kit against the server and both levels of the client: the link ends where it has to and only
//! there, nothing hangs, and memory is bounded.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

use std::collections::HashSet;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use bytes::BytesMut;
use smpp::client::{
    Client, ClientEvent, Connecting, Connector, Event, Link, LinkConfig, LinkSettings, LinkState, Stream,
};
use smpp::pdu::{BindTransceiver, DeliverSm, Frame, SubmitSm};
use smpp::server::{Account, BindRequest, Closed, Config, Request, Server, Service};
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
        name if name.starts_with("length_") => matches!(reason, CloseReason::BadLength(_)),
        _ => true,
    }
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
    let server = hostile::against_server().into_iter().map(|attack| (attack, Target::Server));
    let client = hostile::against_client().into_iter();
    server.chain(client.flat_map(|attack| CLIENTS.map(|target| (attack.clone(), target))))
}

async fn play(attack: &Attack, target: Target) -> Result<(), String> {
    if target == Target::Server {
        return play_on_server(attack).await;
    }
    let (theirs, ours) = duplex(16 * 1024);
    let esme = tokio::spawn(async move {
        match target {
            Target::Client(program) => client(ours, program).await,
            _ => link(ours).await,
        }
    });
    let outcome = attack.run(theirs).await;
    // Whatever happened, it comes to an end by itself.
    let end = tokio::time::timeout(Duration::from_secs(3600), esme).await.expect("it hangs").unwrap();
    outcome.map_err(|failure| failure.to_string())?;
    if is_right_for_esme(attack, &end) { Ok(()) } else { Err(format!("{}: it ended by this: {end}", attack.name)) }
}

/// Gives how the link ended, in words.
async fn link(stream: DuplexStream) -> String {
    let bind = BindTransceiver { system_id: "kudu".parse().unwrap(), ..Default::default() };
    let link = match Link::bind(stream, bind, LinkConfig::default()).await {
        Ok(link) => link,
        Err(error) => return error.to_string(),
    };
    let mut events = link.events().unwrap();
    while let Some(event) = events.recv().await {
        if let Event::Request(incoming) = event {
            incoming.accept();
        }
    }
    link.closed().await.to_string()
}

/// Connects once, to this.
struct Once(Mutex<Option<DuplexStream>>);

impl Connector for Once {
    fn connect<'a>(&'a self, _: &'a LinkSettings) -> Connecting<'a> {
        let stream = self.0.lock().unwrap().take();
        Box::pin(async { Ok(Box::new(stream.ok_or(io::ErrorKind::NotConnected)?) as Box<dyn Stream>) })
    }
}

/// Gives how the link ended, in words.
async fn client(stream: DuplexStream, program: Program) -> String {
    let builder = Client::builder().url("smpp://kudu@smsc.example").unwrap();
    let client = match builder.connector(Once(Mutex::new(Some(stream)))).seed(1).connect().await {
        Ok(client) => client,
        Err(error) => return error.to_string(),
    };
    let events = match program {
        Program::Deaf => None,
        Program::Takes | Program::Holds => client.events(),
    };
    let read = async move {
        let (mut events, mut held) = (events?, Vec::new());
        while let Some(event) = events.recv().await {
            match event {
                event if program == Program::Holds => held.push(event),
                ClientEvent::Message(message) => message.ack(),
                ClientEvent::Ussd(turn) => turn.ack(),
                _ => {}
            }
        }
        Some(held)
    };
    let lost = client.wait_for(|links| links.bound() == 0);
    let links = tokio::select! {
        links = lost => links.unwrap(),
        Some(_) = read => panic!("the client is there, and so are its events"),
    };
    let LinkState::Lost { reason } = &links[0].state else { panic!("{links}") };
    reason.clone()
}

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
    let outcome = attack.run(theirs).await;
    server.shutdown(Duration::from_secs(60)).await;
    outcome.map_err(|failure| failure.to_string())?;
    let closed = server.service().closed.lock().unwrap();
    let is_right = closed.len() == 1 && is_right(attack.name, &closed[0]);
    if is_right { Ok(()) } else { Err(format!("{}: it ended by this: {closed:?}", attack.name)) }
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
    let all: HashSet<_> =
        hostile::against_server().into_iter().chain(hostile::against_client()).map(|attack| attack.name).collect();
    assert_eq!(all.len(), 82, "the README says how many");
    for attacks in [hostile::against_server(), hostile::against_client()] {
        let mut names: Vec<_> = attacks.iter().map(|attack| attack.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), attacks.len());
    }
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
