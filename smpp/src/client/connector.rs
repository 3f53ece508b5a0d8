use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::LinkSettings;

/// How a [`Client`](super::Client) gets a stream to a message centre: over TCP if nothing else is said. A proxy, a Unix
/// socket or a pipe in memory is a connector of the program's own.
pub trait Connector: Send + Sync + 'static {
    /// Connects. It is called again whenever the link was lost; a time-out is the client's business.
    fn connect<'a>(&'a self, settings: &'a LinkSettings) -> Connecting<'a>;
}

/// A stream in the making.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// What a link can be over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// TCP without delay of small segments, and TLS inside for `smpps`.
#[derive(Clone, Debug, Default)]
pub struct TcpConnector {
    #[cfg(feature = "rustls")]
    pub(super) tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, settings: &'a LinkSettings) -> Connecting<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
            stream.set_nodelay(true)?;
            if !settings.tls {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            #[cfg(feature = "rustls")]
            return self.secure(stream, &settings.host).await;
            #[cfg(not(feature = "rustls"))]
            Err(io::Error::new(io::ErrorKind::Unsupported, "smpps needs the feature `rustls`"))
        })
    }
}
