//! Shows what stands in recorded traffic, one JSON object per line.
//!
//! Exit status: 0 if all could be read, 1 if an error was found in it, 2 if the tool could not do its work.

mod smpp;
mod ssmi;
mod vumi;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use conformance::capture::{self, Connection};
use serde::Serialize;

#[derive(Parser)]
#[command(name = "trace", about = "Shows what stands in recorded traffic, one JSON object per line.")]
struct Arguments {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Subcommand)]
enum Protocol {
    /// PDUs of SMPP, out of raw octets, a capture file or lines of hexadecimal digits.
    Smpp(smpp::Arguments),
    /// Lines of SSMI, out of raw octets or a capture file.
    Ssmi(ssmi::Arguments),
    /// Bodies of Vumi messages. An id or a time that is absent is made up, as any receiver has to.
    Vumi(vumi::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    let clean = match &arguments.protocol {
        Protocol::Smpp(arguments) => smpp::run(arguments, &mut out),
        Protocol::Ssmi(arguments) => ssmi::run(arguments, &mut out),
        Protocol::Vumi(arguments) => vumi::run(arguments, &mut out),
    };
    match clean.and_then(|clean| out.flush().map(|()| clean).context("cannot write")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whoever reads the output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The connections of a capture file to and from a server's port; an error if there is none.
fn connections(capture: &[u8], port: u16) -> Result<Vec<Connection>> {
    let connections = capture::connections(capture, port)?;
    ensure!(!connections.is_empty(), "no connection to port {port} in the capture file");
    Ok(connections)
}

/// All of a file, or of standard input for `-`.
fn read(file: Option<&PathBuf>) -> Result<Vec<u8>> {
    match file.map(PathBuf::as_path).filter(|path| *path != Path::new("-")) {
        Some(path) => fs::read(path).with_context(|| format!("cannot read {}", path.display())),
        None => {
            let mut octets = Vec::new();
            io::stdin().read_to_end(&mut octets).context("cannot read standard input")?;
            Ok(octets)
        }
    }
}

fn print(out: &mut impl Write, object: &impl Serialize) -> Result<()> {
    writeln!(out, "{}", serde_json::to_string(object)?)?;
    Ok(())
}
