//! Prints inbound messages and receipts as JSON lines.
//!
//! ```text
//! cargo run --example receive_sms --features profiles,serde -- --url "smpp://user:pass@host:2775?bind=rx"
//! ```
//!
//! Several `--url` are links of one account, as to two hosts of a message centre. A message is acknowledged once its line is
//! written: if that fails, the message centre sends it again. Control-C unbinds every link.
#![allow(clippy::disallowed_methods, reason = "a program may read the clock")]

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use serde_json::{Value, json};
use smpp::client::{Builder, Client, ClientEvent, LinkSettings, Links};
use smpp::session::BindKind;

#[derive(Parser)]
#[command(about = "Prints inbound messages and receipts as JSON lines")]
struct Arguments {
    /// Where from, as smpp://user:password@host:port?bind=rx; may be given several times.
    #[arg(long, required = true)]
    url: Vec<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let links: Vec<LinkSettings> =
        arguments.url.iter().map(|url| url.parse()).collect::<Result<_, _>>().context("--url")?;
    let receives = links.iter().any(|link| link.bind != BindKind::Transmitter);
    anyhow::ensure!(receives, "none of the links has bind=rx or bind=trx");
    let client = links.into_iter().fold(Client::builder(), Builder::link).connect().await?;
    // From here on what comes is taken.
    let Some(mut events) = client.events() else { return Ok(()) };
    client.wait_for(Links::tried).await?.iter().for_each(|link| eprintln!("{link}"));
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tokio::signal::ctrl_c() => break,
        };
        match event {
            None => break,
            Some(ClientEvent::Message(message)) => {
                print(&json!({ "message": *message }))?;
                message.ack();
            }
            Some(ClientEvent::Ussd(turn)) => {
                print(&json!({ "ussd": *turn }))?;
                turn.ack();
            }
            Some(ClientEvent::Receipt { receipt, .. }) => print(&json!({ "receipt": receipt }))?,
            Some(ClientEvent::Alert(alert)) => print(&json!({ "alert": alert }))?,
            Some(ClientEvent::Incomplete(abandoned)) => {
                let message = &abandoned.message;
                let source = String::from_utf8_lossy(&message.source);
                let (parts, total) = (message.parts.len(), message.total);
                print(&json!({ "incomplete": { "source": source, "parts": parts, "total": total } }))?;
            }
            Some(ClientEvent::Bound { link }) => eprintln!("link {link} is bound"),
            Some(ClientEvent::Lost { link, reason, retry }) => match retry {
                Some(retry) => eprintln!("link {link}: {reason}; tried again in {:.1} s", retry.as_secs_f64()),
                None => eprintln!("link {link}: {reason}; given up"),
            },
            Some(other) => eprintln!("{other:?}"),
        }
    }
    client.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// The line is out when this returns.
fn print(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
