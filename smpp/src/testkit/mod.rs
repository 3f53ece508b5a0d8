//! For the tests of programs that speak SMPP: a message centre in the test itself, and a peer that means harm.
//!
//! [`Smsc`] is an SMSC that answers as it is told, says what came, and in the end whether all was in order. Over
//! in-memory streams ([`Smsc::connect`]) tokio's clock can be paused, so that time-outs take no time. Over a loopback
//! port ([`Smsc::listen`]) it cannot: while both ends wait for the network, a paused clock would jump ahead.
//!
//! ```
//! use smpp::pdu::{BindTransceiver, Frame, SubmitSm};
//! use smpp::testkit::{Answer, Smsc};
//! use smpp::types::{CommandStatus, SequenceNumber};
//! # use bytes::BytesMut;
//! # use tokio::io::AsyncWriteExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let smsc = Smsc::start();
//! smsc.on_submit(|submit| match submit.destination.addr.is_empty() {
//!     true => Answer::refuse(CommandStatus::RINVDSTADR),
//!     false => Answer::accept(),
//! });
//!
//! // The program under test; here, by hand.
//! let mut program = smsc.connect();
//! let mut octets = BytesMut::new();
//! let bind = BindTransceiver { system_id: "kudu".parse()?, ..Default::default() };
//! let submit = SubmitSm { destination: "27831234567".parse()?, ..Default::default() };
//! Frame::request(SequenceNumber::MIN, bind).encode(&mut octets)?;
//! program.write_all(&octets).await?;
//! assert_eq!(smsc.expect_bind().await.account(), "kudu");
//! octets.clear();
//! Frame::request(SequenceNumber::MIN.next(), submit).encode(&mut octets)?;
//! program.write_all(&octets).await?;
//!
//! let submitted = smsc.expect_submit().await;
//! assert_eq!(submitted.pdu.destination.to_string(), "27831234567");
//! drop(program);
//! smsc.finish().await.assert_clean();
//! # Ok(())
//! # }
//! ```

mod answer;
pub mod hostile;
mod report;
mod script;
mod smsc;

pub use self::answer::Answer;
pub use self::report::Report;
pub use self::script::Submitted;
pub use self::smsc::Smsc;
