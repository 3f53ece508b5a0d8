//! An ESME by hand: PDUs out, PDUs in, nothing by itself.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use smpp::codec::Limits;
use smpp::framing::Codec;
use smpp::pdu::{BindTransceiver, DeliverSmResp, Frame, Header, Pdu, SubmitSm};
use smpp::server::{Server, Service};
use smpp::types::{CommandStatus, ShortMessage};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_util::codec::Framed;

/// One connection to a server.
pub struct Esme<IO = DuplexStream> {
    stream: Framed<IO, Codec>,
}

impl Esme {
    /// Connects.
    pub fn connect<S: Service>(server: &Server<S>) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        server.serve(theirs, Some("10.0.0.1:4000".parse().unwrap())).unwrap();
        Self::over(ours)
    }

    /// Connects and binds as a transceiver.
    pub async fn bound<S: Service>(server: &Server<S>, system_id: &str) -> Self {
        Self::connect(server).bind(system_id).await
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Esme<IO> {
    /// A connection that stands.
    pub fn over(stream: IO) -> Self {
        Self { stream: Framed::new(stream, Codec::new(Limits::esme())) }
    }

    /// Binds as a transceiver.
    pub async fn bind(mut self, system_id: &str) -> Self {
        assert_eq!(self.bind_status(system_id).await, CommandStatus::ROK);
        self
    }

    /// What a bind as a transceiver is answered with.
    pub async fn bind_status(&mut self, system_id: &str) -> CommandStatus {
        self.send(1, bind(system_id)).await;
        self.status().await
    }

    pub async fn send(&mut self, number: u32, pdu: impl Into<Pdu>) {
        let header = Header { command_status: CommandStatus::ROK, sequence_number: number };
        self.stream.send(Frame { header, pdu: pdu.into(), rest: Bytes::new().into() }).await.unwrap();
    }

    /// Several requests in one write.
    pub async fn send_all<P: Into<Pdu>>(&mut self, requests: impl IntoIterator<Item = (u32, P)>) {
        for (number, pdu) in requests {
            let header = Header { command_status: CommandStatus::ROK, sequence_number: number };
            self.stream.feed(Frame { header, pdu: pdu.into(), rest: Bytes::new().into() }).await.unwrap();
        }
        SinkExt::<Frame>::flush(&mut self.stream).await.unwrap();
    }

    /// Answers a delivery.
    pub async fn respond(&mut self, number: u32, status: CommandStatus) {
        self.stream.send(Frame::response(number, status, DeliverSmResp::default())).await.unwrap();
    }

    /// The next PDU that is not enquire_link; none at the end of the stream.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let next = timeout(Duration::from_secs(3600), self.stream.next()).await.expect("nothing comes");
            match next {
                Some(Ok(Ok(frame))) if matches!(frame.pdu, Pdu::EnquireLink(_)) => {}
                Some(Ok(frame)) => return Some(frame.unwrap()),
                Some(Err(error)) => panic!("{error}"),
                None => return None,
            }
        }
    }

    /// Status of the next PDU.
    pub async fn status(&mut self) -> CommandStatus {
        self.next().await.unwrap().header.command_status
    }

    /// Numbers and statuses of the next responses.
    pub async fn answers(&mut self, count: usize) -> Vec<(u32, CommandStatus)> {
        let mut answers = Vec::new();
        for _ in 0..count {
            let Header { command_status, sequence_number } = self.next().await.unwrap().header;
            answers.push((sequence_number, command_status));
        }
        answers
    }

    /// The stream, with nothing read ahead.
    pub fn into_stream(self) -> IO {
        self.stream.into_inner()
    }
}

pub fn bind(system_id: &str) -> BindTransceiver {
    BindTransceiver {
        system_id: system_id.parse().unwrap(),
        password: "secret".try_into().unwrap(),
        ..Default::default()
    }
}

pub fn submit(text: &str) -> SubmitSm {
    SubmitSm {
        destination: "27831234567".parse().unwrap(),
        short_message: ShortMessage::new(text.to_owned()).unwrap(),
        ..Default::default()
    }
}
