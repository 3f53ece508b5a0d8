//! A way that takes its time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::process::announce;

/// Passes everything on after so long, both ways.
pub(crate) async fn run(to: SocketAddr, delay: Duration) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    loop {
        let (near, _) = listener.accept().await?;
        let far = TcpStream::connect(to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
        pass(near_read, far_write, delay);
        pass(far_read, near_write, delay);
    }
}

fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Bytes)>();
    tokio::spawn(async move {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(64 * 1024);
            match from.read_buf(&mut buffer).await {
                Ok(1..) if sender.send((Instant::now() + delay, buffer.split().freeze())).is_ok() => {}
                _ => return,
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, octets)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&octets).await.is_err() {
                return;
            }
        }
    });
}
