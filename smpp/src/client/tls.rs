use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::TcpConnector;
use super::connector::Stream;

/// Behind the feature `rustls`.
impl TcpConnector {
    /// Links in TLS with this configuration, which has the roots that are trusted and, if the message centre asks for
    /// one, the certificate of this end. The name of the host is sent (SNI) and must be in the message centre's
    /// certificate.
    ///
    /// Without this, the operating system's roots are trusted, the provider of cryptography is `ring`, versions are 1.2
    /// and 1.3, and this end has no certificate.
    pub fn with_tls(config: Arc<ClientConfig>) -> Self {
        Self { tls: Some(config) }
    }

    pub(super) async fn secure(&self, stream: TcpStream, host: &str) -> io::Result<Box<dyn Stream>> {
        let config = match &self.tls {
            Some(config) => Arc::clone(config),
            None => default_config()?,
        };
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Box::new(TlsConnector::from(config).connect(name, stream).await?))
    }
}

fn default_config() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // Some roots of a system may be odd; without any, nobody can be trusted.
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the system has no root certificates that could be trusted",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}
