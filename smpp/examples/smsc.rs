//! A message centre without a network behind it, to try any ESME against.
//!
//! ```text
//! cargo run --example smsc -- --listen 127.0.0.1:2775 --system-id kudu --password secret --receipts
//! ```
//!
//! It takes every message, says so in a line each, and answers queries and cancellations of what it has taken. With
//! `--receipts` a message that asks for a receipt gets one, with `--reject-every N` each Nth message is refused, with
//! `--throttle TPS` an account may send so many requests a second. Control-C unbinds every link.
#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use smpp::pdu::{CancelSm, DataSm, DeliverSm, Destination, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitSm};
use smpp::receipt::{Receipt, ReceiptDate};
use smpp::server::{Account, AccountLimits, BindRequest, Closed, Config, Link, Request, Server, Service};
use smpp::text::{Body, Codings};
use smpp::types::{COctetString, CommandStatus, EsmClass, MessageState, RegisteredDelivery, ShortMessage};
use time::{OffsetDateTime, PrimitiveDateTime};

/// A message centre without a network behind it.
#[derive(Parser)]
struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:2775")]
    listen: SocketAddr,
    /// The only account that may bind; any may unless told.
    #[arg(long, requires = "password")]
    system_id: Option<String>,
    /// Its password.
    #[arg(long, requires = "system_id")]
    password: Option<String>,
    /// Send the delivery receipts that are asked for, a second after the message.
    #[arg(long)]
    receipts: bool,
    /// Refuse each Nth message.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    reject_every: Option<u64>,
    /// Requests a second that an account may send.
    #[arg(long, value_name = "TPS", value_parser = clap::value_parser!(u32).range(1..))]
    throttle: Option<u32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let limits = AccountLimits::default().rate(args.throttle);
    let listen = args.listen;
    let centre = MessageCentre { args, last: AtomicU64::new(0), messages: Mutex::default() };
    let server = Server::new(centre, Config::default().account(limits));
    println!("listening on {}", server.listen(listen).await.with_context(|| format!("--listen {listen}"))?);
    tokio::signal::ctrl_c().await?;
    server.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

struct MessageCentre {
    args: Args,
    /// Messages so far.
    last: AtomicU64,
    /// States of the latest messages by id, with the account that each belongs to.
    messages: Mutex<HashMap<COctetString<65>, (Arc<str>, MessageState)>>,
}

impl MessageCentre {
    /// A number for the next message; none if it is one of those that are refused.
    fn take(&self, link: &Link) -> Option<COctetString<65>> {
        let number = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.args.reject_every.is_some_and(|every| number.is_multiple_of(every)) {
            return None;
        }
        let id: COctetString<65> = format!("{number:08x}").parse().ok()?;
        let mut messages = self.messages();
        if messages.len() >= KEPT {
            messages.clear();
        }
        messages.insert(id.clone(), (link.account().into(), MessageState::ENROUTE));
        Some(id)
    }

    /// The state of one of the account's own messages.
    fn state(&self, link: &Link, id: &COctetString<65>) -> Option<MessageState> {
        self.messages().get(id).filter(|(account, _)| **account == *link.account()).map(|(_, state)| *state)
    }

    fn set_state(&self, id: &COctetString<65>, to: MessageState) {
        if let Some((_, state)) = self.messages().get_mut(id) {
            *state = to;
        }
    }

    fn messages(&self) -> MutexGuard<'_, HashMap<COctetString<65>, (Arc<str>, MessageState)>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers a receipt in a while, if one is wanted.
    fn send_receipt(&self, link: &Arc<Link>, message: &SubmitSm, id: COctetString<65>) {
        if !self.args.receipts || !message.registered_delivery.wants_receipt(true) {
            return;
        }
        let (receipt, link) = (receipt(message, &id), Arc::clone(link));
        tokio::spawn(async move {
            tokio::time::sleep(RECEIPT_DELAY).await;
            match link.registry().deliver(link.account(), receipt).await {
                Ok(_) => println!("{} receipt  {id} delivered", link.account()),
                Err(error) => println!("{} receipt  {id} {error}", link.account()),
            }
        });
    }
}

impl Service for MessageCentre {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        let account = Account::new(bind.system_id.to_text());
        match (&self.args.system_id, &self.args.password) {
            (Some(system_id), _) if bind.system_id.as_slice() != system_id.as_bytes() => Err(CommandStatus::RINVSYSID),
            (_, Some(password)) if !bind.has_password(password.as_bytes()) => Err(CommandStatus::RINVPASWD),
            _ => Ok(account),
        }
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let link = Arc::clone(submit.link());
        let SubmitSm { source, destination, .. } = &submit.pdu;
        let way = format!("{} -> {}", source.to_string().escape_debug(), destination.to_string().escape_debug());
        let text = shown(&submit.pdu.body());
        let Some(id) = self.take(&link) else {
            println!("{} refused  {way} {text}", link.account());
            return submit.refuse(CommandStatus::RSUBMITFAIL);
        };
        println!("{} submit   {id} {way} {text}", link.account());
        let message = submit.pdu.clone();
        submit.accept(id.clone());
        if message.registered_delivery != RegisteredDelivery::NONE {
            self.set_state(&id, MessageState::DELIVERED);
        }
        self.send_receipt(&link, &message, id);
    }

    async fn on_multi(&self, multi: Request<SubmitMulti>) {
        let Some(id) = self.take(multi.link()) else { return multi.refuse(CommandStatus::RSUBMITFAIL) };
        let to = multi.pdu.destinations.iter().map(|to| match to {
            Destination::Sme(address) => address.to_string(),
            Destination::DistributionList(name) => name.to_string(),
        });
        let to: Vec<_> = to.collect();
        println!("{} multi    {id} {to:?} {}", multi.link().account(), shown(&multi.pdu.body()));
        multi.accept(id);
    }

    async fn on_data(&self, data: Request<DataSm>) {
        let Some(id) = self.take(data.link()) else { return data.refuse(CommandStatus::RSUBMITFAIL) };
        println!("{} data     {id} {}", data.link().account(), shown(&data.pdu.body()));
        data.accept(id);
    }

    async fn on_query(&self, query: Request<QuerySm>) {
        let message_id = query.pdu.message_id.clone();
        match self.state(query.link(), &message_id) {
            Some(message_state) => {
                println!("{} query    {message_id} is {message_state}", query.link().account());
                query.respond(QuerySmResp { message_id, message_state, ..Default::default() });
            }
            None => query.refuse(CommandStatus::RINVMSGID),
        }
    }

    async fn on_cancel(&self, cancel: Request<CancelSm>) {
        let id = cancel.pdu.message_id.clone();
        match self.state(cancel.link(), &id) {
            Some(state) if !state.is_final() => {
                println!("{} cancel   {id}", cancel.link().account());
                self.set_state(&id, MessageState::DELETED);
                cancel.accept();
            }
            _ => cancel.refuse(CommandStatus::RCANCELFAIL),
        }
    }

    async fn on_replace(&self, replace: Request<ReplaceSm>) {
        let id = replace.pdu.message_id.clone();
        match self.state(replace.link(), &id) {
            Some(state) if !state.is_final() => {
                println!("{} replace  {id} {:?}", replace.link().account(), replace.pdu.short_message);
                replace.accept();
            }
            _ => replace.refuse(CommandStatus::RREPLACEFAIL),
        }
    }

    fn on_bound(&self, link: &Arc<Link>) {
        println!("{} bound    {:?}, version {}", link.account(), link.kind(), link.version());
    }

    fn on_closed(&self, closed: &Closed) {
        let account = closed.link.as_ref().map_or("-", |link| link.account());
        println!("{account} closed   {}", closed.reason);
    }
}

/// The text of a message, or its octets if it is none.
fn shown(body: &Body) -> String {
    match body.decode(&Codings::default()) {
        Some(decoded) => format!("{:?}", decoded.text),
        None => format!("{:?}", body.text),
    }
}

/// A receipt that says that the message was delivered just now.
fn receipt(message: &SubmitSm, id: &COctetString<65>) -> DeliverSm {
    let now = OffsetDateTime::now_utc();
    let date = ReceiptDate::new(PrimitiveDateTime::new(now.date(), now.time()));
    let receipt = Receipt {
        id: Some(id.to_text().into_owned()),
        state: Some(MessageState::DELIVERED),
        submit_date: Some(date.clone()),
        done_date: Some(date),
        text: message.body().decode(&Codings::default()).map(|decoded| decoded.text.into_owned()),
        ..Default::default()
    };
    // Latin-1 at most: what does not fit there is left out.
    let text: Vec<u8> = receipt.to_text().chars().filter_map(|character| u8::try_from(character).ok()).collect();
    DeliverSm {
        source: message.destination.clone(),
        destination: message.source.clone(),
        esm_class: EsmClass::DELIVERY_RECEIPT,
        short_message: ShortMessage::new(text).unwrap_or_default(),
        tlvs: receipt.to_tlvs().unwrap_or_default(),
        ..Default::default()
    }
}

/// How many messages can be queried.
const KEPT: usize = 100_000;

/// How long a message takes to its recipient.
const RECEIPT_DELAY: Duration = Duration::from_secs(1);
