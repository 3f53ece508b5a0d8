//! A client and a server in a process each, over loopback TCP:
//!
//! ```sh
//! cargo bench -p conformance --features peers --bench smpp_link
//! cargo bench -p conformance --features peers --bench smpp_link -- --only throughput --rounds 1 --windows 1,100 --binds 1 --pairs 'ours>ours'
//! ```
//!
//! The first command is all rows: 1, 4 and 16 binds with windows of 1, 10, 100 and 1,000, the delay with windows of 10, 100
//! and 1,000, 5 rounds each, and 10,000 idle sessions. A measurement takes 1.4 seconds; with rusmppc's client, which
//! stalls, 1.7. With 7 pairs and 5 rounds a row takes about 50 seconds, and 15 rows 13 minutes; built without `peers`, 4
//! pairs and 7 minutes. `--binds 1` leaves 7 rows, 6 minutes. Build first, with `--no-run`, and let nothing else run.
//!
//! Without the feature `peers` there is only ours beside the floor: raw sockets with octets that were encoded before, the
//! whole window in one write and again when all of it is answered. So the floor is a round trip for each window, and its
//! time is that of two wake-ups. Where the cores go to sleep between them, as on a virtual machine with nothing else to
//! do, it is about 100 microseconds whatever the window; where other work keeps them awake it is a quarter of that, and
//! all ratios at windows from 100 on fall with it. Compare runs on machines that are idle, and at window 1,000 the CPU
//! time rather than the ratio: a future for each message cannot come near a window that is one write.
//!
//! Each process has a runtime of two workers. The client keeps a window of submit_sm of 155 octets in flight on each bind,
//! one task a place; each is built anew. Rounds are interleaved: each one measures every pair, and the medians of the
//! rounds' ratios are shown. CPU time is of each process. What a task has sent counts once it is done: rusmppc's client
//! stalls against a quick peer, and then shows 0.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and its figures are rounded"
)]

mod idle;
mod load;
mod ours;
#[cfg(feature = "peers")]
mod peers;
mod process;
mod raw;
mod relay;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, Subcommand};

use self::load::{Figures, Load};
use self::process::Child;

#[derive(Parser)]
struct Arguments {
    /// Part to run: throughput, delay or idle; all by default.
    #[arg(long)]
    only: Option<String>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1000])]
    windows: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    binds: Vec<usize>,
    /// Milliseconds that each pair is measured in a round.
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Milliseconds of delay each way in the part `delay`.
    #[arg(long, default_value_t = 10)]
    delay: u64,
    /// Pairs beside `raw>raw`, such as ours>ours,ours>raw; all by default.
    #[arg(long, value_delimiter = ',')]
    pairs: Vec<String>,
    /// Sessions of the part `idle`.
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a child process is.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Server { name: String },
    #[command(hide = true)]
    Client { name: String, address: SocketAddr, server: u32, window: usize, binds: usize, millis: u64 },
    #[command(hide = true)]
    Relay { to: SocketAddr, millis: u64 },
    #[command(hide = true)]
    Idle { address: SocketAddr, sessions: usize },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(role) = &arguments.role {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        return runtime.block_on(play(role));
    }
    let wanted = |part: &str| arguments.only.as_deref().is_none_or(|only| only == part);
    if wanted("throughput") {
        println!("client > server: ratio to raw > raw, CPU in microseconds a message, latency in microseconds\n");
        for binds in &arguments.binds {
            for window in &arguments.windows {
                row(&arguments, *window, *binds, None)?;
            }
        }
    }
    if wanted("delay") {
        println!("the same with {} ms of delay each way\n", arguments.delay);
        let delay = Duration::from_millis(arguments.delay);
        for window in arguments.windows.iter().filter(|window| **window > 1) {
            row(&arguments, *window, 1, Some(delay))?;
        }
    }
    if wanted("idle") {
        idle::measure(arguments.sessions)?;
    }
    Ok(())
}

async fn play(role: &Role) -> anyhow::Result<()> {
    match role {
        Role::Server { name } => match name.as_str() {
            "raw" => raw::serve().await,
            "ours" => ours::serve().await,
            #[cfg(feature = "peers")]
            "smpp34" => peers::serve_smpp34().await,
            other => anyhow::bail!("no server {other}"),
        },
        Role::Client { name, address, server, window, binds, millis } => {
            let load = Load {
                address: *address,
                server: *server,
                window: *window,
                binds: *binds,
                time: Duration::from_millis(*millis),
            };
            let figures = match name.as_str() {
                "raw" => raw::load(&load).await?,
                "ours" => load.run(ours::bind(&load).await?).await?,
                #[cfg(feature = "peers")]
                "smpp34" => load.run(peers::bind_smpp34(&load).await?).await?,
                #[cfg(feature = "peers")]
                "rusmppc" => load.run(peers::bind_rusmppc(&load).await?).await?,
                other => anyhow::bail!("no client {other}"),
            };
            println!("{}", serde_json::to_string(&figures)?);
            // What a peer's tasks may still wait for is of no interest.
            std::process::exit(0);
        }
        Role::Relay { to, millis } => relay::run(*to, Duration::from_millis(*millis)).await,
        Role::Idle { address, sessions } => idle::hold(*address, *sessions).await,
    }
}

/// Clients and servers that meet, the floor first.
fn pairs(wanted: &[String]) -> Vec<(&'static str, &'static str)> {
    let mut pairs = vec![("raw", "raw"), ("ours", "raw"), ("raw", "ours"), ("ours", "ours")];
    if cfg!(feature = "peers") {
        pairs.extend([("smpp34", "raw"), ("rusmppc", "raw"), ("smpp34", "smpp34")]);
    }
    let is_wanted = |client: &str, server: &str| wanted.iter().any(|pair| *pair == format!("{client}>{server}"));
    pairs.retain(|(client, server)| {
        wanted.is_empty() || (*client, *server) == ("raw", "raw") || is_wanted(client, server)
    });
    pairs
}

/// Measures every pair, with the way between them delayed or not.
fn row(arguments: &Arguments, window: usize, binds: usize, delay: Option<Duration>) -> anyhow::Result<()> {
    let pairs = pairs(&arguments.pairs);
    let mut measured: BTreeMap<usize, Vec<Figures>> = BTreeMap::new();
    for _ in 0..arguments.rounds.max(1) {
        for (index, (client, server)) in pairs.iter().enumerate() {
            let server = Child::server(server)?;
            let relay = delay.map(|delay| Child::relay(server.address, delay)).transpose()?;
            let address = relay.as_ref().map_or(server.address, |relay| relay.address);
            let figures = process::client(client, address, server.id(), window, binds, arguments.millis)?;
            measured.entry(index).or_default().push(figures);
        }
    }
    let floor = measured.get(&0).cloned().unwrap_or_default();
    println!("window {window}, binds {binds}");
    println!("| client > server | messages/s | ratio | CPU client + server | p50 / p99 | p99 ratio |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (index, (client, server)) in pairs.iter().enumerate() {
        let rounds = measured.get(&index).cloned().unwrap_or_default();
        let of = |value: fn(&Figures) -> f64| median(rounds.iter().map(value));
        let to_floor = |value: fn(&Figures) -> f64| {
            median(rounds.iter().zip(&floor).map(|(figures, floor)| value(figures) / value(floor)))
        };
        println!(
            "| {client} > {server} | {:.0} | {:.3} | {:.2} + {:.2} | {:.0} / {:.0} | {:.2} |",
            of(Figures::rate),
            to_floor(Figures::rate),
            of(|figures| figures.client_cpu / figures.messages.max(1.0)),
            of(|figures| figures.server_cpu / figures.messages.max(1.0)),
            of(|figures| figures.p50),
            of(|figures| figures.p99),
            to_floor(|figures| figures.p99),
        );
    }
    println!();
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
