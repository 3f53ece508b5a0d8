//! The other crates that have a client or a server.

use std::net::TcpListener;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use rusmpp::pdus::{BindTransceiver, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{EsmClass, RegisteredDelivery};
use rusmppc::{Client, ConnectionBuilder};
use smpp34::client::{BIND_TYPE, SMSC, SmppClient, SmppClientListener};
use smpp34::{
    SmppConnectionInformation, SmppServer, SmppServerListener, bind_transceiver, bind_transceiver_resp, submit_sm,
    submit_sm_resp,
};
use tokio::sync::{Mutex, oneshot};

use super::load::{DESTINATION, Load, SOURCE, Submit, TEXT};
use super::process::announce;

/// smpp34's client, with what keeps its link.
#[derive(Clone)]
pub(crate) struct Smpp34(Arc<SMSC>);

struct Binder(Mutex<Option<oneshot::Sender<SMSC>>>);

#[async_trait]
impl SmppClientListener for Binder {
    async fn on_smsc_bound(&self, smsc: SMSC, _: &String) {
        if let Some(sender) = self.0.lock().await.take() {
            let _ = sender.send(smsc);
        }
    }
}

pub(crate) async fn bind_smpp34(load: &Load) -> anyhow::Result<Vec<Smpp34>> {
    let mut links = Vec::new();
    for _ in 0..load.binds {
        let (sender, bound) = oneshot::channel();
        let (ip, port) = (load.address.ip().to_string(), load.address.port());
        let (id, password) = ("bench".to_owned(), "secret".to_owned());
        let binder = Arc::new(Binder(Mutex::new(Some(sender))));
        let (none, range) = (String::new(), String::new());
        let mut client =
            SmppClient::new(ip, port, false, BIND_TYPE::TRX, id, password, none, 1, 1, range, binder, load.window);
        client.start().await;
        links.push(Smpp34(Arc::new(bound.await?)));
        // Its link ends with it.
        std::mem::forget(client);
    }
    Ok(links)
}

impl Submit for Smpp34 {
    async fn submit(&self) {
        let message = self.0.submit_sm().source_addr(SOURCE).destination_addr(DESTINATION).registered_delivery(1);
        let response = message.short_message(TEXT.as_bytes()).send().await;
        assert!(response.is_ok_and(|response| response.is_success()), "a response");
    }
}

struct Centre;

#[async_trait]
impl SmppServerListener for Centre {
    async fn on_bind_transceiver(
        &self,
        bind: bind_transceiver,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_transceiver_resp {
        bind.accept("SMSC".to_owned(), Some(0x34))
    }

    async fn on_submit_sm(&self, submit: submit_sm, _: &SmppConnectionInformation, _: &String) -> submit_sm_resp {
        submit.accept("4d19c83c".to_owned())
    }
}

pub(crate) async fn serve_smpp34() -> anyhow::Result<()> {
    // It does not say which port it was given.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut server = SmppServer::new(address.ip(), address.port(), Arc::new(Centre));
    server.start().await;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    announce(address);
    std::future::pending().await
}

/// rusmppc's client. It stalls against a quick peer.
#[derive(Clone)]
pub(crate) struct Rusmppc(Client);

pub(crate) async fn bind_rusmppc(load: &Load) -> anyhow::Result<Vec<Rusmppc>> {
    let mut links = Vec::new();
    for _ in 0..load.binds {
        let (client, mut events) = ConnectionBuilder::new()
            .disable_interface_version_check()
            .connect(format!("smpp://{}", load.address))
            .await?;
        tokio::spawn(async move { while events.next().await.is_some() {} });
        let bind = BindTransceiver::builder()
            .system_id(COctetString::from_str("bench")?)
            .password(COctetString::from_str("secret")?)
            .build();
        client.bind_transceiver(bind).await?;
        links.push(Rusmppc(client));
    }
    Ok(links)
}

impl Submit for Rusmppc {
    async fn submit(&self) {
        let message = SubmitSm::builder()
            .source_addr(COctetString::from_str(SOURCE).expect("a number"))
            .destination_addr(COctetString::from_str(DESTINATION).expect("a number"))
            .esm_class(EsmClass::from(0))
            .registered_delivery(RegisteredDelivery::request_all())
            .short_message(OctetString::from_str(TEXT).expect("100 octets"))
            .build();
        // A request that timed out counts for nothing, and the next one follows.
        if self.0.submit_sm(message).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
