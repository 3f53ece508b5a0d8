//! This project's client and server.

use std::time::Duration;

use smpp::client::{Link, LinkConfig};
use smpp::pdu::{BindTransceiver, SubmitSm};
use smpp::server::{Account, AccountLimits, BindRequest, Config, Request, Server, Service};
use smpp::session;
use smpp::types::CommandStatus;

use super::load::{Load, Submit};
use super::process::announce;
use super::raw::message;

pub(crate) async fn bind(load: &Load) -> anyhow::Result<Vec<Bound>> {
    let mut links = Vec::new();
    for _ in 0..load.binds {
        let bind =
            BindTransceiver { system_id: "bench".parse()?, password: "secret".try_into()?, ..Default::default() };
        let config = LinkConfig::default().session(session::Config::default().window(load.window));
        links.push(Bound(Link::connect(load.address, bind, config).await?));
    }
    Ok(links)
}

#[derive(Clone)]
pub(crate) struct Bound(Link);

impl Submit for Bound {
    async fn submit(&self) {
        self.0.request(message()).await.expect("a response");
    }
}

/// Accepts everything.
struct Centre;

impl Service for Centre {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        let limits = AccountLimits::default().max_binds(100_000).window(1_000_000).rate(None);
        Ok(Account::new(bind.system_id.to_string()).limits(limits))
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let Ok(id) = "4d19c83c".parse() else { return };
        submit.accept(id);
    }
}

pub(crate) async fn serve() -> anyhow::Result<()> {
    let most = 100_000;
    // The part `idle` is to see what wakes a session by itself: nothing but this.
    let session = session::Config::default().enquire_link(Some(Duration::from_secs(3600)));
    let config = Config::default().session(session).max_connections(most).max_before_bind(most).max_per_address(most);
    let server = Server::new(Centre, config);
    announce(server.listen("127.0.0.1:0").await?);
    std::future::pending().await
}
