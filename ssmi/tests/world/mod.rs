//! A gateway, its clients, and a gateway that a test speaks by hand.
#![allow(dead_code, unused_imports, reason = "each test uses some of it")]

pub(crate) use std::future::Future;
pub(crate) use std::io;
pub(crate) use std::time::Duration;

pub(crate) use ssmi::client::{self, Client, DownReason, Status, WhenDown};
pub(crate) use ssmi::command::*;
pub(crate) use ssmi::server::{self, Server, What};
pub(crate) use ssmi::session::{ClientEvent, CloseReason, ServerEvent, Unanswered};
pub(crate) use ssmi::types::{Coding, DeliveryCode, NackType, Octets, Pid, UssdType};
pub(crate) use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
pub(crate) use tokio::sync::mpsc;
pub(crate) use tokio::time::{Instant, advance, timeout};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn login(password: &'static str) -> Login {
    Login { username: "vodka".into(), password: password.into() }
}

pub(crate) fn server(config: server::Config) -> (Server, server::Events) {
    let hook = |login: Login, _| async move {
        match login.password.expose() {
            password if *password == *"marmalade" => Ok(()),
            password if *password == *"unpaid" => Err(NackType::Suspended),
            _ => Err(NackType::Credentials),
        }
    };
    let server = Server::new(hook, config);
    let events = server.events().unwrap();
    (server, events)
}

/// A client of this server; each of its connections is a new duplex.
pub(crate) fn client_of(server: &Server, password: &'static str, config: client::Config) -> (Client, client::Events) {
    let server = server.clone();
    let connector = move || {
        let server = server.clone();
        async move {
            let (here, there) = tokio::io::duplex(1024);
            server.serve(there, Some(([10, 0, 0, 1], 4711).into())).map_err(io::Error::other)?;
            Ok(here)
        }
    };
    let client = Client::connect_with(connector, login(password), config).unwrap();
    let events = client.events().unwrap();
    (client, events)
}

/// A client whose connections are handed to the test.
pub(crate) fn client_by_hand(config: client::Config) -> (Client, client::Events, mpsc::UnboundedReceiver<Peer>) {
    let (peers, connected) = mpsc::unbounded_channel();
    let connector = move || {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let sent = peers.send(Peer(there));
        async move { sent.map(|()| here).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused)) }
    };
    let client = Client::connect_with(connector, login("marmalade"), config).unwrap();
    let events = client.events().unwrap();
    (client, events, connected)
}

/// The gateway's end, spoken by hand.
pub(crate) struct Peer(pub(crate) DuplexStream);

impl Peer {
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            match self.0.read_u8().await.expect("the client writes a line") {
                b'\r' => return String::from_utf8(line).unwrap(),
                octet => line.push(octet),
            }
        }
    }

    pub(crate) async fn say(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r").as_bytes()).await.unwrap();
    }

    pub(crate) async fn log_in(&mut self) {
        assert_eq!(self.line().await, "SSMI,1,vodka,marmalade");
        self.say("SSMI,101,1").await;
        assert_eq!(self.line().await, "SSMI,3");
        self.say("SSMI,101,2").await;
    }

    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.unwrap();
        rest
    }
}

pub(crate) async fn next<E>(events: &mut ssmi::driver::Events<E>) -> E {
    timeout(3600 * SECOND, events.recv()).await.expect("an event within the hour").expect("an event")
}

pub(crate) async fn request(events: &mut server::Events) -> Request {
    loop {
        if let What::Session(ServerEvent::Received(request)) = next(events).await.what {
            return request;
        }
    }
}
