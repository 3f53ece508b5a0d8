//! Writes the seeds of the fuzz corpora out of the vectors and recorded sessions, one file each, named by what it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use conformance::vectors;

/// Octets of a read, where the first octet of a seed says it.
const READ: u8 = 7;
/// Octets of a seed for session events.
const EVENTS: usize = 600;
/// A long line says the same over and over.
const LONGEST: usize = 2000;

fn main() -> Result<()> {
    for (target, dir, sent) in [("ssmi_request", 'C', "c2s"), ("ssmi_response", 'S', "s2c")] {
        for (index, vector) in vectors::ssmi()?.iter().filter(|vector| vector.dir == dir).enumerate() {
            let line = vector.wire_hex.strip_suffix(b"\r").context("a vector without a carriage return")?;
            write(target, &format!("vector-{index:02}"), line)?;
        }
        for file in fs::read_dir(vectors::path("traces/ssmi"))? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(name) = name.strip_suffix(&format!(".{sent}.bin")) {
                let mut seed = vec![READ];
                seed.extend(fs::read(&path)?.iter().take(LONGEST));
                write("ssmi_stream", &format!("{name}-{sent}"), &seed)?;
            }
        }
    }
    for seed in 0..24 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let events: Vec<u8> = std::iter::repeat_with(|| chance.u8(..)).take(EVENTS).collect();
        write("ussd_events", &format!("chance-{seed:02}"), &events)?;
    }
    for file in fs::read_dir(vectors::path("traces/vumi/examples"))? {
        let path = file?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|name| *name != "index") {
            write("vumi_decode", name, &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn write(target: &str, name: &str, octets: &[u8]) -> Result<()> {
    let folder = vectors::path("../fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    let path = Path::new(&folder).join(name);
    fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))
}
