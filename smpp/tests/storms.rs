//! The attacks of the test kit that take many connections, against the server and the kit's own message centre: in memory
//! and over TCP.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use smpp::pdu::{CancelSm, QuerySm, QuerySmResp, ReplaceSm, SubmitSm};
use smpp::server::{Account, AccountLimits, BindRequest, Config, Request, Server, Service};
use smpp::session;
use smpp::testkit::Smsc;
use smpp::testkit::hostile::{self, Caller, Failure, Step, Storm};
use smpp::types::{CommandStatus, MessageState};
use tokio::io::{DuplexStream, duplex};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

/// Keeps messages, and lets everybody at them if it is careless.
#[derive(Default)]
struct MessageCentre {
    messages: Mutex<Vec<Message>>,
    is_careless: bool,
    /// Any password will do.
    is_open: bool,
}

struct Message {
    account: String,
    submit: SubmitSm,
    state: MessageState,
}

impl MessageCentre {
    /// Does something with the message of this id, or with none if that is not the asker's.
    fn find<T>(&self, account: &str, id: &[u8], found: impl FnOnce(&mut Message) -> T) -> Option<T> {
        let at: usize = std::str::from_utf8(id).ok()?.parse().ok()?;
        let mut messages = self.messages.lock().unwrap();
        messages.get_mut(at).filter(|message| self.is_careless || message.account == account).map(found)
    }
}

impl Service for MessageCentre {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        let password = match bind.system_id.as_slice() {
            b"hostile" => "hostile",
            b"bystander" => "bystand",
            _ => return Err(CommandStatus::RINVSYSID),
        };
        let is_right = self.is_open || bind.has_password(password.as_bytes());
        is_right.then(|| Account::new(bind.system_id.to_text())).ok_or(CommandStatus::RINVPASWD)
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let mut messages = self.messages.lock().unwrap();
        // Enough of each storm, whose memory is measured.
        messages.truncate(100);
        let (account, pdu) = (submit.link().account().to_owned(), submit.pdu.clone());
        messages.push(Message { account, submit: pdu, state: MessageState::ENROUTE });
        submit.accept((messages.len() - 1).to_string().parse().unwrap());
    }

    async fn on_query(&self, query: Request<QuerySm>) {
        let message_id = query.pdu.message_id.clone();
        match self.find(query.link().account(), message_id.as_slice(), |message| message.state) {
            Some(message_state) => query.respond(QuerySmResp { message_id, message_state, ..Default::default() }),
            None => query.refuse(CommandStatus::RQUERYFAIL),
        }
    }

    async fn on_cancel(&self, cancel: Request<CancelSm>) {
        let account = cancel.link().account().to_owned();
        let CancelSm { message_id, source, destination, .. } = &cancel.pdu;
        if message_id.is_empty() {
            let mut messages = self.messages.lock().unwrap();
            let own = messages.iter_mut().filter(|message| self.is_careless || message.account == account);
            for message in
                own.filter(|message| (&message.submit.source, &message.submit.destination) == (source, destination))
            {
                message.state = MessageState::DELETED;
            }
            return cancel.accept();
        }
        match self.find(&account, message_id.as_slice(), |message| message.state = MessageState::DELETED) {
            Some(()) => cancel.accept(),
            None => cancel.refuse(CommandStatus::RCANCELFAIL),
        }
    }

    async fn on_replace(&self, replace: Request<ReplaceSm>) {
        let text = replace.pdu.short_message.clone();
        match self.find(replace.link().account(), replace.pdu.message_id.as_slice(), |message| {
            message.submit.short_message = text;
        }) {
            Some(()) => replace.accept(),
            None => replace.refuse(CommandStatus::RREPLACEFAIL),
        }
    }
}

/// Connects in memory: all attackers from one address, the bystander from another.
fn connect(server: &Server<MessageCentre>, caller: Caller) -> io::Result<DuplexStream> {
    let (theirs, ours) = duplex(1024);
    let address = if caller == Caller::Attacker { "10.0.0.1:4000" } else { "10.0.0.2:4000" };
    server.serve(ours, Some(address.parse().unwrap())).map_err(io::Error::other)?;
    Ok(theirs)
}

/// On a paused clock, with the memory that it takes at its worst.
fn play(storm: &Storm, service: MessageCentre, config: Config) -> (Result<(), Failure>, u64) {
    let mut outcome = Ok(());
    let taken = allocation_counter::measure(|| {
        outcome = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
            let server = Server::new(service, config);
            storm.run(|caller| std::future::ready(connect(&server, caller))).await
        });
    });
    (outcome, taken.bytes_max)
}

fn named(name: &str) -> Storm {
    hostile::storms_against_server().into_iter().find(|storm| storm.name == name).unwrap()
}

/// What a storm may take of memory, that of the attackers and of the runtime included.
const MEMORY: u64 = 1024 * 1024;

#[test]
fn the_server_withstands_every_storm() {
    for storm in hostile::storms_against_server() {
        let (outcome, memory) = play(&storm, MessageCentre::default(), Config::default());
        assert_eq!(outcome, Ok(()));
        assert!(memory < MEMORY, "{}: {memory} octets of memory", storm.name);
    }
}

/// As many as one account may bind do the same at once, and somebody else is served all along.
#[test]
fn any_attack_may_be_made_by_many() {
    for mut attack in hostile::against_server() {
        if let ("request_flood", [Step::Flood(_, times)]) = (attack.name, &mut attack.steps[..]) {
            // By ten it is as long as by one.
            *times /= 10;
        }
        let (outcome, memory) = play(&Storm::of(attack.clone(), 10), MessageCentre::default(), Config::default());
        assert_eq!(outcome, Ok(()));
        assert!(memory < 4 * MEMORY, "{}: {memory} octets of memory", attack.name);
    }
}

#[tokio::test(start_paused = true)]
async fn the_message_centre_of_the_kit_withstands_them() {
    let smsc = Smsc::with(Config::default());
    smsc.account("hostile".parse().unwrap(), "hostile".try_into().unwrap());
    smsc.account("bystander".parse().unwrap(), "bystand".try_into().unwrap());
    for storm in hostile::storms_against_server() {
        storm.run(|_| std::future::ready(Ok(smsc.connect()))).await.unwrap();
    }
}

#[tokio::test]
async fn over_tcp() {
    let session = session::Config::default().session_init(Duration::from_secs(2));
    let config = Config::default().session(session).refusal_delay(Duration::from_millis(120));
    let server = Server::new(MessageCentre::default(), config);
    let address = server.listen("127.0.0.1:0").await.unwrap();
    for storm in hostile::storms_against_server() {
        storm.run(|caller| from(caller, address)).await.unwrap();
    }
}

/// All attackers come from one address, and the bystander from another where there is one.
async fn from(caller: Caller, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if caller == Caller::Bystander && cfg!(target_os = "linux") {
        socket.bind("127.0.0.2:0".parse().unwrap())?;
    }
    socket.connect(to).await
}

/// A run that cannot fail would be no test: each storm against a message centre that lacks what keeps it off.
#[test]
fn what_is_not_withstood_is_seen() {
    let (default, many) = (Config::default, |limits: AccountLimits| limits.max_binds(1_000));
    let never = Duration::from_secs(100_000);
    let session = || session::Config::default().session_init(never);
    let (patient, slow) = (default().session(session()), default().session(session().read_timeout(never)));
    let hasty = default().refusal_delay(Duration::ZERO);
    let narrow = default().max_before_bind(100).max_per_address(1_000).session(session());
    let closed = default().max_connections(0);
    let wide = default().account(many(AccountLimits::default()));
    let open = || MessageCentre { is_open: true, ..Default::default() };
    let careless = || MessageCentre { is_careless: true, ..Default::default() };
    for (name, service, config, says) in [
        ("connections_that_wait", MessageCentre::default(), patient, "at the end: the link was not closed"),
        ("binds_that_drip", MessageCentre::default(), slow, "at the end: the link was not closed"),
        ("connections_that_wait", MessageCentre::default(), narrow, "the bystander: no connection: other error"),
        ("binds_of_one_account", MessageCentre::default(), wide, "at the end: all 100 attackers are in"),
        // They take the places that are the bystander's.
        ("passwords_at_once", open(), default(), "the bystander: bind_transceiver_resp has status"),
        ("passwords_in_turn", open(), default(), "step 0: bind_transceiver_resp has status"),
        ("passwords_in_turn", MessageCentre::default(), hasty, "at the end: it took 0ns only"),
        ("ids_of_others", careless(), default(), "step 0: query_sm_resp has status"),
        ("addresses_of_others", careless(), default(), "the bystander: a message was cancelled by somebody else"),
        ("ids_of_others", MessageCentre::default(), closed, "the bystander: no connection: other error"),
    ] {
        let failure = play(&named(name), service, config).0.unwrap_err().to_string();
        let expected = format!("{name}, {says}");
        assert!(failure.starts_with(&expected), "{failure} is not: {expected}");
    }
}

/// Nobody but the bystander is known: the attack would be none.
#[test]
fn attackers_that_cannot_attack_are_seen() {
    let mut storm = named("ids_of_others");
    storm.attackers = 2;
    let outcome = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
        let server = Server::new(MessageCentre::default(), Config::default());
        let unknown = ("nobody".parse().unwrap(), "hostile".try_into().unwrap());
        let bystander = ("bystander".parse().unwrap(), "bystand".try_into().unwrap());
        storm.run_as(|caller| std::future::ready(connect(&server, caller)), unknown, bystander).await
    });
    let failure = outcome.unwrap_err().to_string();
    assert!(failure.starts_with("ids_of_others, binding: bind_transceiver_resp has status"), "{failure}");
}

#[test]
fn a_run_may_be_a_task_of_its_own() {
    fn assert_send<T: Send>(_: T) {}
    let (storm, attack) = (named("ids_of_others"), hostile::against_server().remove(0));
    assert_send(storm.run(|_| async { Ok(duplex(1).0) }));
    assert_send(attack.run(duplex(1).0));
}
