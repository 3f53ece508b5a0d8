//! Sessions that are bound and do nothing.

use std::net::SocketAddr;
use std::time::Duration;

use super::process::{Child, cpu, resident, sleeps};
use super::raw;

/// How long they are looked at.
const QUIET: Duration = Duration::from_secs(10);
/// A session of any server does not take longer than that to settle.
const SETTLE: Duration = Duration::from_secs(2);

/// Binds so many sessions to each server, and says what one of them takes.
pub(crate) fn measure(sessions: usize) -> anyhow::Result<()> {
    println!("{sessions} idle sessions on the server, each");
    println!("| server | KiB resident | CPU microseconds a second | wake-ups a second, all |");
    println!("|---|---:|---:|---:|");
    let servers: &[&str] = if cfg!(feature = "peers") { &["ours", "smpp34"] } else { &["ours"] };
    for name in servers {
        let server = Child::server(name)?;
        // One before, so that what all share is there.
        let first = Child::spawn(&["idle", &server.address.to_string(), "1"])?;
        std::thread::sleep(SETTLE);
        let before = resident(server.id());
        let clients = Child::spawn(&["idle", &server.address.to_string(), &sessions.to_string()])?;
        std::thread::sleep(SETTLE);
        let memory = (resident(server.id()) - before) / sessions as f64;
        let (cpu_before, sleeps_before) = (cpu(server.id()), sleeps(server.id()));
        std::thread::sleep(QUIET);
        let spent = (cpu(server.id()) - cpu_before) / QUIET.as_secs_f64() / sessions as f64;
        let woken = (sleeps(server.id()) - sleeps_before) / QUIET.as_secs_f64();
        println!("| {name} | {memory:.2} | {spent:.3} | {woken:.1} |");
        drop((clients, first));
    }
    println!();
    Ok(())
}

/// Holds so many sessions.
pub(crate) async fn hold(address: SocketAddr, sessions: usize) -> anyhow::Result<()> {
    let mut held = Vec::new();
    for _ in 0..sessions {
        held.push(raw::bind(address).await?);
    }
    super::process::announce(address);
    std::future::pending().await
}
