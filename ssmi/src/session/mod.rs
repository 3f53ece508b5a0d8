//! One connection as a pair of state machines, without IO, without a clock.
//!
//! The two directions of SSMI have different commands, so there are two thin types: [`ClientSession`] is the
//! application's end, [`ServerSession`] the gateway's. They share the names of their [`State`]s, their timers, and
//! the shape of what goes in ([`Input`]) and comes out ([`Output`]).
//!
//! Time is an argument: every call is given `now`, a [`std::time::Instant`] that does not go back.
//!
//! # Order of calls
//!
//! 1. Make the session when the stream is connected.
//! 2. Do what [`poll`](ClientSession::poll) says until it says nothing more: write a line, hand on an event, close.
//! 3. Wait for octets, for the program, or for [`next_timeout`](ClientSession::next_timeout), whatever comes first;
//!    call [`handle`](ClientSession::handle), [`request`](ClientSession::request) (a server:
//!    [`send`](ServerSession::send)) or [`handle_timeout`](ClientSession::handle_timeout); go to 2.
//!
//! [`Output::Close`] is the last thing that `poll` gives. Nothing that is called afterwards has an effect.
//!
//! # One whole loop
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use bytes::BytesMut;
//! use ssmi::command::{Login, SendUssdMessage};
//! use ssmi::framing::LineCutter;
//! use ssmi::session::{ClientConfig, ClientEvent, ClientSession, Output};
//! use ssmi::types::UssdType;
//!
//! let now = Instant::now();
//! let login = Login { username: "vodka".into(), password: "marmalade".into() };
//! let mut session = ClientSession::new(ClientConfig::default(), login, now)?;
//!
//! // What the stream brings, and what is to be written to it.
//! let mut arrived = BytesMut::from("SSMI,101,1\rSSMI,110,27831112222,1,2,*120*8864#\r");
//! let mut written = BytesMut::new();
//! let mut cutter = LineCutter::default();
//! loop {
//!     while let Some(output) = session.poll() {
//!         match output {
//!             Output::Send(request) => request.encode(&mut written)?,
//!             Output::Event(ClientEvent::Received(ssmi::command::Response::UssdMessage(ussd))) => {
//!                 let answer = SendUssdMessage {
//!                     msisdn: ussd.msisdn,
//!                     ussd_type: UssdType::End,
//!                     message: "Good morning".into(),
//!                 };
//!                 session.request(answer, now)?;
//!             }
//!             Output::Event(_) => {}
//!             Output::Close(reason) => panic!("{reason}"),
//!         }
//!     }
//!     match cutter.cut(&mut arrived)? {
//!         Some(line) => session.handle(line.response(), now),
//!         None => break,
//!     }
//! }
//! assert_eq!(written, "SSMI,1,vodka,marmalade\rSSMI,3\rSSMI,110,27831112222,3,Good morning\r");
//! // The next thing to do by itself is the next link check.
//! assert_eq!(session.next_timeout(), Some(now + Duration::from_secs(60)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aged;
mod client;
mod config;
mod event;
mod ledger;
mod server;
mod state;
mod timers;

pub use self::client::ClientSession;
#[cfg(feature = "tokio")]
pub(crate) use self::client::may_get_sequence;
#[cfg(any(feature = "tokio", feature = "vumi"))]
pub(crate) use self::config::config;
pub use self::config::{ClientConfig, ServerConfig};
pub use self::event::{
    ClientEvent, CloseReason, Input, Output, SendError, SentCommand, ServerEvent, Ticket, Unanswered,
};
pub use self::ledger::Ledger;
pub use self::server::ServerSession;
pub use self::state::State;

#[cfg(test)]
mod tests;
