//! Writes the seeds of the fuzz corpora out of the vectors and recorded sessions, one file each, named by what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use conformance::{smpp_vectors, vectors};

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
    smpp()?;
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

/// One vector of each operation and what is refused of bodies, without command_length; TLVs; streams of a few; and chance
/// for what is made of values.
fn smpp() -> Result<()> {
    let mut operations = BTreeSet::new();
    for vector in smpp_vectors::good()? {
        if operations.insert(vector.expect.command.clone()) {
            write("smpp_pdu", &vector.name, &vector.octets[4..])?;
        }
        let tlvs = vector.expect.tlvs.as_array().into_iter().flatten();
        let length: usize = tlvs.filter_map(|tlv| Some(4 + usize::try_from(tlv["length"].as_u64()?).ok()?)).sum();
        let tlvs = &vector.octets[vector.octets.len() - length..];
        if vector.expect.command == "submit_sm" && !tlvs.is_empty() {
            write("smpp_tlvs", &vector.name, tlvs)?;
        }
    }
    let malformed = smpp_vectors::malformed()?;
    for vector in malformed.iter().filter(|vector| vector.category == "body" && vector.hex.len() < LONGEST) {
        if vector.name.starts_with("submit_multi") || vector.name.starts_with("multi") || vector.name.contains("resp") {
            write("smpp_pdu", &vector.name, vector.hex.get(4..).unwrap_or_default())?;
        }
    }
    for vector in malformed.iter().filter(|vector| vector.append.is_none() && vector.category == "framing") {
        write("smpp_stream", &vector.name, &[&[3, 1, 2, 14], &vector.hex[..]].concat())?;
    }
    for (index, pdus) in smpp_vectors::corpus()?.chunks(40).enumerate() {
        let stream: Vec<u8> = pdus.iter().flat_map(|pdu| pdu.octets.clone()).take(LONGEST).collect();
        write("smpp_stream", &format!("corpus-{index:02}"), &[&[4, 3, 13, 40, 100], &stream[..]].concat())?;
    }
    for seed in 0..12 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let octets: Vec<u8> = std::iter::repeat_with(|| chance.u8(..)).take(EVENTS).collect();
        write("smpp_structured", &format!("chance-{seed:02}"), &octets)?;
    }
    Ok(())
}

fn write(target: &str, name: &str, octets: &[u8]) -> Result<()> {
    let folder = vectors::path("../fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    let path = Path::new(&folder).join(name);
    fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))
}
