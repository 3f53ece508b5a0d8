//! Child processes, and what they cost.

use std::env::current_exe;
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use super::load::Figures;

/// A process that serves until it is dropped.
pub(crate) struct Child {
    process: std::process::Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Child {
    pub(crate) fn server(name: &str) -> anyhow::Result<Self> {
        Self::spawn(&["server", name])
    }

    pub(crate) fn relay(to: SocketAddr, delay: Duration) -> anyhow::Result<Self> {
        Self::spawn(&["relay", &to.to_string(), &delay.as_millis().to_string()])
    }

    /// Starts a process with as many files as there may be, and waits until it says where it listens.
    pub(crate) fn spawn(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut process = command(arguments)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("{arguments:?} says {line:?}"))?;
        Ok(Self { process, address })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a client to its end.
pub(crate) fn client(
    name: &str,
    address: SocketAddr,
    server: u32,
    window: usize,
    binds: usize,
    millis: u64,
) -> anyhow::Result<Figures> {
    let numbers = [server as usize, window, binds, millis as usize].map(|number| number.to_string());
    let mut arguments = vec!["client".to_owned(), name.to_owned(), address.to_string()];
    arguments.extend(numbers);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut process = command(&arguments)?.stdout(Stdio::piped()).spawn()?;
    let mut output = String::new();
    process.stdout.take().context("no output")?.read_to_string(&mut output)?;
    process.wait()?;
    serde_json::from_str(&output).with_context(|| format!("{arguments:?} says {output:?}"))
}

/// This program again, with as many files as it may have.
fn command(arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n $(ulimit -H -n); exec \"$0\" \"$@\""]).arg(current_exe()?).args(arguments);
    Ok(command)
}

/// Says where a server listens.
pub(crate) fn announce(address: SocketAddr) {
    println!("{address}");
}

/// CPU time of a process up to now, in microseconds.
pub(crate) fn cpu(id: u32) -> f64 {
    let stat = read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name of the program, in brackets, may have blanks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) * 10_000.0
}

/// Resident memory of a process, in KiB.
pub(crate) fn resident(id: u32) -> f64 {
    let status = read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// How often the threads of a process went to sleep up to now.
pub(crate) fn sleeps(id: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let of_thread = |path: std::path::PathBuf| {
        let status = read_to_string(path.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:").map(str::to_owned));
        line.and_then(|count| count.trim().parse::<f64>().ok()).unwrap_or_default()
    };
    threads.map(|thread| of_thread(thread.path())).sum()
}
