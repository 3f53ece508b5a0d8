//! The floor: sockets, and octets that were encoded before.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use smpp::pdu::{BindTransceiver, BindTransceiverResp, Frame, SubmitSm, SubmitSmResp};
use smpp::types::{CommandStatus, RegisteredDelivery, SequenceNumber, ShortMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::load::{Count, DESTINATION, Figures, Load, Phase, SAMPLE, SOURCE, TEXT};
use super::process::announce;

/// A message as all send it.
pub(crate) fn message() -> SubmitSm {
    SubmitSm {
        source: SOURCE.parse().expect("a number"),
        destination: DESTINATION.parse().expect("a number"),
        registered_delivery: RegisteredDelivery::FINAL,
        short_message: ShortMessage::new(TEXT.to_owned()).expect("100 octets"),
        ..Default::default()
    }
}

pub(crate) fn octets(frame: &Frame) -> Vec<u8> {
    let mut octets = BytesMut::new();
    frame.encode(&mut octets).expect("a short PDU");
    octets.to_vec()
}

/// Answers every bind and every message, all that are in one read together.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> anyhow::Result<()> {
    let response = SubmitSmResp { message_id: "4d19c83c".parse()?, ..Default::default() };
    let submitted = octets(&Frame::response(0, CommandStatus::ROK, response));
    let bound = octets(&Frame::response(0, CommandStatus::ROK, BindTransceiverResp::default()));
    let mut arrived = BytesMut::new();
    let mut written = Vec::new();
    loop {
        arrived.reserve(READ);
        if stream.read_buf(&mut arrived).await? == 0 {
            return Ok(());
        }
        while let Some(pdu) = cut(&mut arrived) {
            let answer = if pdu.get(7) == Some(&4) { &submitted } else { &bound };
            let start = written.len();
            written.extend_from_slice(answer);
            if let (Some(to), Some(number)) = (written.get_mut(start + 12..start + 16), pdu.get(12..16)) {
                to.copy_from_slice(number);
            }
        }
        stream.write_all(&written).await?;
        written.clear();
    }
}

/// Sends a window at once, and again when all of it is answered.
pub(crate) async fn load(load: &Load) -> anyhow::Result<Figures> {
    let mut streams = Vec::new();
    for _ in 0..load.binds {
        streams.push(bind(load.address).await?);
    }
    load.measure(|phase, counts| {
        for stream in streams {
            let (window, phase, counts) = (load.window, phase.clone(), counts.clone());
            tokio::spawn(async move {
                let _ = counts.send(keep_sending(stream, window, phase).await.unwrap_or_default());
            });
        }
    })
    .await
}

/// A stream that is bound.
pub(crate) async fn bind(address: std::net::SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let bind = BindTransceiver { system_id: "bench".parse()?, password: "secret".try_into()?, ..Default::default() };
    stream.write_all(&octets(&Frame::request(SequenceNumber::MIN, bind))).await?;
    let mut arrived = BytesMut::new();
    while cut(&mut arrived).is_none() {
        anyhow::ensure!(stream.read_buf(&mut arrived).await? > 0, "closed before it was bound");
    }
    Ok(stream)
}

async fn keep_sending(mut stream: TcpStream, window: usize, phase: Phase) -> anyhow::Result<Count> {
    let message = octets(&Frame::request(SequenceNumber::MIN, message()));
    assert_eq!(message.len(), 155);
    let messages = message.repeat(window);
    let mut count = Count::default();
    let mut arrived = BytesMut::new();
    while !phase.is_over() {
        let began = Instant::now();
        stream.write_all(&messages).await?;
        let mut left = window;
        while left > 0 {
            arrived.reserve(READ);
            anyhow::ensure!(stream.read_buf(&mut arrived).await? > 0, "closed");
            while cut(&mut arrived).is_some() {
                left = left.saturating_sub(1);
                if phase.counts() && left.is_multiple_of(SAMPLE) {
                    count.latencies.push(began.elapsed());
                }
            }
        }
        if phase.counts() {
            count.messages += window;
        }
    }
    Ok(count)
}

/// Takes a PDU off the front.
pub(crate) fn cut(arrived: &mut BytesMut) -> Option<BytesMut> {
    let length = arrived.first_chunk::<4>().copied().map(u32::from_be_bytes)? as usize;
    if arrived.remaining() < length.max(16) {
        return None;
    }
    Some(arrived.split_to(length))
}

const READ: usize = 64 * 1024;
