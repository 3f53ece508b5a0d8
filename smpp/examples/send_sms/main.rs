//! Sends one SMS, or thousands from a CSV file, and says what became of them.
//!
//! ```text
//! cargo run --example send_sms --features profiles,testkit -- --to +491701234567 --text "Hello" --receipt
//! cargo run --example send_sms --features profiles,testkit -- --url "smpp://user:pass@host:2775?window=20&tps=50" \
//!     --from ACME --bulk messages.csv --receipt
//! ```
//!
//! The CSV file has a header with the columns `to` and `text`, and `from` if it likes. Without `--url` there is a message
//! centre in the program itself, which delivers everything. Control-C ends it early, with what is known by then. The exit
//! status is 0 if every message was accepted, and with `--receipt` delivered.
#![allow(clippy::disallowed_methods, reason = "a program may read the clock")]

mod summary;

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use smpp::client::{Client, LinkSettings, SendError};
use smpp::message::Sms;
use smpp::session::BindKind;
use smpp::testkit::{Answer, Smsc};
use smpp::types::MessageState;

use self::summary::Summary;

#[derive(Parser)]
#[command(about = "Sends one SMS, or thousands, and says what became of them")]
struct Arguments {
    /// Where to, as smpp://user:password@host:port?window=20&tps=50; without it, to a message centre in this program.
    #[arg(long)]
    url: Option<String>,
    /// Who it is from: a number, a short code or a name.
    #[arg(long)]
    from: Option<String>,
    /// Who it is for.
    #[arg(long, required_unless_present = "bulk")]
    to: Option<String>,
    /// What it says.
    #[arg(long, required_unless_present = "bulk")]
    text: Option<String>,
    /// Ask for receipts, and wait for them.
    #[arg(long)]
    receipt: bool,
    /// How long to wait for the receipts of each message, in seconds.
    #[arg(long, default_value_t = 60)]
    wait: u64,
    /// A CSV file with the columns to and text, and from if it likes.
    #[arg(long, conflicts_with_all = ["to", "text"])]
    bulk: Option<PathBuf>,
    /// How many messages may be on their way in this program; the window is the URL's business.
    #[arg(long, default_value_t = 1_000)]
    ahead: usize,
}

/// One line of the file.
#[derive(Deserialize)]
struct Line {
    to: String,
    text: String,
    from: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let lines = match &arguments.bulk {
        Some(path) => {
            let mut file = csv::Reader::from_path(path).with_context(|| format!("{}", path.display()))?;
            file.deserialize().collect::<Result<Vec<Line>, _>>().with_context(|| format!("{}", path.display()))?
        }
        None => {
            let (Some(to), Some(text)) = (arguments.to.clone(), arguments.text.clone()) else { bail!("to and text") };
            vec![Line { to, text, from: None }]
        }
    };
    let (url, smsc) = match &arguments.url {
        Some(url) => (url.clone(), None),
        None => {
            let smsc = Smsc::start();
            smsc.on_submit(|_| Answer::accept().receipt_after(MessageState::DELIVERED, Duration::from_millis(50)));
            let address = smsc.listen().await?;
            println!("no --url: to a message centre of this program's own, at {address}");
            (format!("smpp://demo:demo@{address}?window=100"), Some(smsc))
        }
    };
    let link: LinkSettings = url.parse().context("--url")?;
    ensure!(link.bind != BindKind::Receiver, "nothing can be sent with bind=rx");
    ensure!(link.bind == BindKind::Transceiver || !arguments.receipt, "receipts come with bind=trx only");
    let client = Client::builder().link(link).connect().await?;
    let summary = send_all(&client, lines, &arguments).await?;
    println!("{summary}");
    client.shutdown(Duration::from_secs(10)).await;
    drop((client, smsc));
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send_all(client: &Client, lines: Vec<Line>, arguments: &Arguments) -> anyhow::Result<Summary> {
    let mut summary = Summary::new(lines.len())?;
    let bar = ProgressBar::new(u64::try_from(lines.len())?);
    let style = "{wide_bar} {pos}/{len} {per_sec} {elapsed_precise}";
    bar.set_style(ProgressStyle::with_template(style)?);
    let is_long = lines.len() > 20;
    let wait = Duration::from_secs(arguments.wait);
    let start = Instant::now();
    let sends = lines.into_iter().map(|line| async move {
        let start = Instant::now();
        let mut sms = Sms::to(line.to.as_str()).text(line.text);
        if let Some(from) = line.from.filter(|from| !from.is_empty()).or_else(|| arguments.from.clone()) {
            sms = sms.from(from);
        }
        let sent = client.send(if arguments.receipt { sms.receipt() } else { sms }).await;
        (line.to, sent, start, start.elapsed())
    });
    let mut sends = futures::stream::iter(sends).buffer_unordered(arguments.ahead.max(1));
    let mut receipts = FuturesUnordered::new();
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    while summary.unfinished > 0 || !receipts.is_empty() {
        tokio::select! {
            Some((to, sent, begun, took)) = sends.next() => {
                summary.sent(&sent, took)?;
                summary.took = start.elapsed();
                bar.inc(1);
                match sent {
                    Ok(sent) if arguments.receipt => receipts.push(async move {
                        let receipt = sent.receipt(wait).await;
                        (to, sent, receipt, begun.elapsed())
                    }),
                    Ok(_) => {}
                    Err(error) => bar.suspend(|| say(&to, &error)),
                }
            }
            Some((to, sent, receipt, took)) = receipts.next() => {
                summary.receipt(&receipt, took)?;
                match receipt {
                    Ok(_) if is_long => {}
                    Ok(report) => println!("{to} {:?}: {:?} {:?}", sent.ids(), report.outcome(), report.state()),
                    Err(error) => bar.suspend(|| println!("{to} {:?}: {error}", sent.ids())),
                }
            }
            _ = &mut interrupted => {
                summary.interrupted(receipts.len())?;
                break;
            }
        }
    }
    bar.finish();
    Ok(summary)
}

fn say(to: &str, error: &SendError) {
    let again = if error.is_safe_to_retry() { "; safe to send again" } else { "" };
    println!("{to}: {error}{again}");
}
