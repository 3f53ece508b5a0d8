//! A client and a message centre in one test, over streams in memory.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use smpp::client::{Builder, Client, Connecting, Connector, LinkSettings, Links, LinksOver, Stream};
use smpp::message::Sms;
use smpp::pdu::{DeliverSm, SubmitSm};
use smpp::testkit::Smsc;
use smpp::types::{EsmClass, ShortMessage};

/// Connects to a message centre in memory.
pub struct InMemory(pub Arc<Smsc>);

impl Connector for InMemory {
    fn connect<'a>(&'a self, _: &'a LinkSettings) -> Connecting<'a> {
        Box::pin(async { Ok(Box::new(self.0.connect()) as Box<dyn Stream>) })
    }
}

pub fn builder(smsc: &Arc<Smsc>, url: &str) -> Builder {
    Client::builder().url(url).unwrap().connector(InMemory(Arc::clone(smsc))).seed(7)
}

pub async fn client(smsc: &Arc<Smsc>) -> Client {
    builder(smsc, URL).connect().await.unwrap()
}

pub const URL: &str = "smpp://kudu:secret@smsc.example";
pub const MINUTE: Duration = Duration::from_secs(60);

pub fn smsc() -> Arc<Smsc> {
    Arc::new(Smsc::start())
}

pub async fn clean(smsc: Arc<Smsc>) {
    Arc::into_inner(smsc).expect("the client is gone").finish().await.assert_clean();
}

pub fn text(submit: &SubmitSm) -> String {
    String::from_utf8_lossy(submit.short_message.as_bytes()).into_owned()
}

/// Waits for links, an hour at most.
pub async fn standing(client: &Client, condition: fn(&Links) -> bool) -> Result<Links, LinksOver> {
    tokio::time::timeout(60 * MINUTE, client.wait_for(condition)).await.expect("it ends")
}

pub fn sms(text: &str) -> Sms {
    Sms::to("27831234567").text(text)
}

pub fn deliver(esm_class: EsmClass, text: &'static [u8]) -> DeliverSm {
    let short_message = ShortMessage::new(text).unwrap();
    DeliverSm { source: "27831234567".parse().unwrap(), esm_class, short_message, ..DeliverSm::default() }
}
