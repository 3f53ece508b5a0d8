//! Every attack of the test kit against the server and the client: the link ends where it has to and only there, nothing
//! hangs, and memory is bounded.
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

use smpp::client::{Event, Link, LinkConfig};
use smpp::pdu::{BindTransceiver, SubmitSm};
use smpp::server::{Account, BindRequest, Closed, Config, Request, Server, Service};
use smpp::session::CloseReason;
use smpp::testkit::hostile::{self, Attack, Outcome, Step, Victim};
use smpp::types::CommandStatus;
use tokio::io::duplex;
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
        "requests_before_bind" => *reason == CloseReason::Faults,
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

async fn play(attack: &Attack) -> Result<(), hostile::Failure> {
    match attack.victim {
        Victim::Server => play_on_server(attack).await,
        Victim::Client => play_on_client(attack).await,
    }
}

async fn play_on_client(attack: &Attack) -> Result<(), hostile::Failure> {
    let (theirs, ours) = duplex(16 * 1024);
    let client = tokio::spawn(async move {
        let bind = BindTransceiver { system_id: "kudu".parse().unwrap(), ..Default::default() };
        let Ok(link) = Link::bind(ours, bind, LinkConfig::default()).await else { return };
        let mut events = link.events().unwrap();
        while let Some(event) = events.recv().await {
            if let Event::Request(incoming) = event {
                incoming.accept();
            }
        }
    });
    let outcome = attack.run(theirs).await;
    // Whatever happened, the client comes to an end by itself.
    tokio::time::timeout(Duration::from_secs(3600), client).await.expect("the client hangs").unwrap();
    outcome
}

async fn play_on_server(attack: &Attack) -> Result<(), hostile::Failure> {
    let server = Server::new(MessageCentre::default(), Config::default());
    let (theirs, ours) = duplex(16 * 1024);
    server.serve(ours, None).unwrap();
    let outcome = attack.run(theirs).await;
    server.shutdown(Duration::from_secs(60)).await;
    let closed = server.service().closed.lock().unwrap();
    assert!(
        outcome.is_err() || (closed.len() == 1 && is_right(attack.name, &closed[0])),
        "{}: {closed:?}",
        attack.name
    );
    outcome
}

/// What an attack may take of memory at its worst, that of the peer and of the runtime included.
const MEMORY: u64 = 3 * 1024 * 1024;

#[test]
fn no_attack_hangs_or_ends_more_than_it_has_to_or_takes_memory() {
    let mut failures = Vec::new();
    for attack in hostile::against_server().into_iter().chain(hostile::against_client()) {
        let mut outcome = Ok(());
        let taken = allocation_counter::measure(|| outcome = runtime().block_on(play(&attack)));
        if let Err(failure) = outcome {
            failures.push(format!("{:?}: {failure}", attack.victim));
        }
        if taken.bytes_max > MEMORY {
            failures.push(format!("{:?}: {}: {} octets of memory", attack.victim, attack.name, taken.bytes_max));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn attacks_have_names_of_their_own() {
    let all: HashSet<_> =
        hostile::against_server().into_iter().chain(hostile::against_client()).map(|attack| attack.name).collect();
    assert_eq!(all.len(), 79, "the README says how many");
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
        runtime().block_on(play(&attack)).unwrap_err().to_string()
    };
    assert_eq!(attack(vec![], Outcome::Closes), "slow_pdu, at the end: the link was not closed");
    let nonsense = Step::Write(vec![0; 16].into());
    assert_eq!(attack(vec![nonsense], Outcome::Lives), "slow_pdu, at the end: the link was closed");
    let expect = Step::Expect { command_id: smpp::types::CommandId::UNBIND, status: CommandStatus::ROK, number: 1 };
    assert_eq!(attack(vec![expect], Outcome::Lives), "slow_pdu, step 0: no unbind came");
}
