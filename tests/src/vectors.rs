//! The files of known answers below `tests/`.

use std::path::PathBuf;
use std::{fs, io};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Path of a file or folder below `tests/`.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// One line of `vectors/ssmi.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub struct SsmiVector {
    /// `C` for a line that a client sends, `S` for one of the gateway.
    pub dir: char,
    /// Name of the command; none for a line that txssmi refuses.
    pub name: Option<String>,
    /// Fields by name, read as ISO-8859-1.
    pub fields: Option<Map<String, Value>>,
    /// `ok`, `noncanonical`, or why the line is refused.
    pub txssmi: String,
    /// The line, its carriage return included.
    #[serde(deserialize_with = "hex::serde::deserialize")]
    pub wire_hex: Vec<u8>,
}

/// All of `vectors/ssmi.jsonl`.
pub fn ssmi() -> io::Result<Vec<SsmiVector>> {
    fs::read_to_string(path("vectors/ssmi.jsonl"))?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
