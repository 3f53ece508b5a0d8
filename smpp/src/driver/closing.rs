use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tracing::debug;

use super::now;
use super::stream::Stream;

/// Writes what is left, closes this direction, and, if the peer may still be sending, waits a moment for it to close the
/// other: closing at once could destroy what it has not read yet.
pub(super) async fn close<IO>(stream: &mut Stream<IO>, unwritten: &mut BytesMut, limit: Duration, linger: bool)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(limit, write_rest(stream, unwritten)).await {
        Ok(Ok(())) if linger => {
            let _ = timeout(LINGER, discard(stream)).await;
        }
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "closing failed"),
        Err(_) => debug!("closing took too long"),
    }
}

async fn write_rest<IO>(stream: &mut Stream<IO>, unwritten: &mut BytesMut) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|context| stream.poll_write(unwritten, context, now())).await?;
    poll_fn(|context| stream.poll_shutdown(context)).await
}

async fn discard<IO>(stream: &mut Stream<IO>)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(1..) = poll_fn(|context| stream.poll_read(context)).await {
        stream.discard();
    }
}

/// How long a closed link waits for the peer to close.
const LINGER: Duration = Duration::from_secs(1);
