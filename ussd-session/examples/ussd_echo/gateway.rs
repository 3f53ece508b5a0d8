//! A gateway in the process, with two phones that follow a script.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use ssmi::command::{Login, Request, UssdMessage};
use ssmi::server::{Config, Events, Server, What};
use ssmi::session::ServerEvent;
use ssmi::types::{Octets, UssdPhase, UssdType};

/// What a user does at a prompt.
enum Step {
    Type(&'static str),
    HangUp,
}

struct Phone {
    msisdn: &'static str,
    code: &'static str,
    script: VecDeque<Step>,
}

/// How many phones there are; each dials once.
pub(crate) const PHONES: usize = 2;

/// Starts it, and says where it listens.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let server = Server::new(|_, _| async { Ok(()) }, Config::default());
    let address = server.listen("127.0.0.1:0").await?;
    if let Some(events) = server.events() {
        tokio::spawn(play(server, events));
    }
    Ok(address)
}

/// Any login will do.
pub(crate) fn login() -> Login {
    Login { username: "echo".into(), password: "echo".into() }
}

async fn play(server: Server, mut events: Events) {
    let mut phones: [Phone; PHONES] = [
        Phone {
            msisdn: "27831112222",
            code: "*120*663*79#",
            script: [Step::Type("hi"), Step::Type("one, two"), Step::Type("0")].into(),
        },
        Phone { msisdn: "27845550123", code: "*120*663*79#", script: [Step::Type("hello"), Step::HangUp].into() },
    ];
    while let Some(event) = events.recv().await {
        match event.what {
            What::Session(ServerEvent::LoggedIn) => {
                for phone in &phones {
                    send(&server, &event.account, phone.msisdn, UssdType::New, phone.code).await;
                }
            }
            What::Session(ServerEvent::Received(Request::SendUssdMessage(shown))) => {
                let phone = phones.iter_mut().find(|phone| shown.msisdn == phone.msisdn);
                // A text of another type is the last one, and nobody answers it.
                let Some(phone) = phone.filter(|_| shown.ussd_type == UssdType::Response) else { continue };
                let (ussd_type, text) = match phone.script.pop_front() {
                    Some(Step::Type(text)) => (UssdType::Response, text),
                    Some(Step::HangUp) | None => (UssdType::End, ""),
                };
                send(&server, &event.account, phone.msisdn, ussd_type, text).await;
            }
            _ => {}
        }
    }
}

async fn send(server: &Server, account: &Octets, msisdn: &str, ussd_type: UssdType, message: &str) {
    let line = UssdMessage { msisdn: msisdn.into(), ussd_type, phase: UssdPhase::Two, message: message.into() };
    if let Err(error) = server.send(account, line).await {
        eprintln!("gateway: {error}");
    }
}
