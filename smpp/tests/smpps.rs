//! Links in TLS over a loopback port: whom the client trusts, and whom it does not.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use smpp::client::{BindError, Client, ConnectError, TcpConnector};
use smpp::message::Sms;
use smpp::testkit::Smsc;
use smpp::testkit::hostile::{self, Problem};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn identity(name: &str) -> Identity {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    Identity { certificate: cert.der().clone(), key }
}

fn roots(trusted: &Identity) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    roots
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A message centre in TLS in front of one in memory, for whoever asks for `localhost`; `client` is whom it wants to see
/// the certificate of. Gives the port.
async fn listen(smsc: Arc<Smsc>, server: &Identity, client: Option<&Identity>) -> u16 {
    let acceptor = acceptor(server, client);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, smsc) = (acceptor.clone(), Arc::clone(&smsc));
            tokio::spawn(async move { serve(&acceptor, stream, &smsc, MINUTE).await });
        }
    });
    port
}

fn acceptor(server: &Identity, client: Option<&Identity>) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = match client {
        Some(client) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(client)), provider());
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => config.with_no_client_auth(),
    };
    let config = config.with_single_cert(vec![server.certificate.clone()], server.key.clone_key()).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Before the message centre there is nobody but the program who could end a handshake.
async fn serve<IO: AsyncRead + AsyncWrite + Unpin>(acceptor: &TlsAcceptor, io: IO, smsc: &Smsc, deadline: Duration) {
    let Ok(Ok(mut stream)) = timeout(deadline, acceptor.accept(io)).await else { return };
    if stream.get_ref().1.server_name() != Some("localhost") {
        return;
    }
    let mut inner = smsc.connect();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut inner).await;
}

const MINUTE: Duration = Duration::from_secs(60);

fn client_config(trusted: &Identity) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    config.with_root_certificates(roots(trusted))
}

async fn connect(port: u16, tls: Option<ClientConfig>) -> Result<Client, ConnectError> {
    let connector = tls.map_or_else(TcpConnector::default, |tls| TcpConnector::with_tls(Arc::new(tls)));
    let builder = Client::builder().url(&format!("smpps://kudu:secret@localhost:{port}")).unwrap();
    builder.connector(connector).connect().await
}

fn is_tls_error(outcome: Result<Client, ConnectError>) -> bool {
    matches!(outcome, Err(ConnectError::Bind(BindError::Connect(_))))
}

#[tokio::test]
async fn who_is_trusted_is_talked_to() {
    let (smsc, server) = (Arc::new(Smsc::start()), identity("localhost"));
    let port = listen(Arc::clone(&smsc), &server, None).await;
    let client = connect(port, Some(client_config(&server).with_no_client_auth())).await.unwrap();
    client.send(Sms::to("27831234567").text("in private")).await.unwrap();
    assert_eq!(&smsc.expect_submit().await.pdu.short_message.as_bytes()[..], b"in private");
}

#[tokio::test]
async fn who_is_not_is_not() {
    let (smsc, server) = (Arc::new(Smsc::start()), identity("localhost"));
    let port = listen(Arc::clone(&smsc), &server, None).await;
    assert!(is_tls_error(connect(port, None).await), "the system does not trust it");
    let other = identity("localhost");
    assert!(is_tls_error(connect(port, Some(client_config(&other).with_no_client_auth())).await));
    let elsewhere = identity("elsewhere.example");
    let port = listen(smsc, &elsewhere, None).await;
    let trusting = client_config(&elsewhere).with_no_client_auth();
    assert!(is_tls_error(connect(port, Some(trusting)).await), "another name");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (smsc, server, ours) = (Arc::new(Smsc::start()), identity("localhost"), identity("kudu"));
    let port = listen(smsc, &server, Some(&ours)).await;
    assert!(connect(port, Some(client_config(&server).with_no_client_auth())).await.is_err());
    let config = client_config(&server).with_client_auth_cert(vec![ours.certificate.clone()], ours.key.clone_key());
    connect(port, Some(config.unwrap())).await.unwrap();
}

/// By who gives it a deadline, and by nobody else.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_is_ended() {
    let (smsc, acceptor) = (Arc::new(Smsc::start()), acceptor(&identity("localhost"), None));
    let attack = hostile::against_server().into_iter().find(|attack| attack.name == "tls_half_hello").unwrap();
    for (deadline, outcome) in [(MINUTE, Ok(())), (1_000 * MINUTE, Err(Problem::Open))] {
        let (theirs, ours) = tokio::io::duplex(1024);
        let (acceptor, smsc) = (acceptor.clone(), Arc::clone(&smsc));
        tokio::spawn(async move { serve(&acceptor, ours, &smsc, deadline).await });
        let withstood = attack.run(theirs).await;
        assert_eq!(withstood.map_err(|failure| failure.problem), outcome);
    }
}
