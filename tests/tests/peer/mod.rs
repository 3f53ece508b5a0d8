//! Programs of others, run beside ours.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use conformance::vectors;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Nothing here takes long; a peer that hangs is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A program and what it prints, a JSON object a line. Its standard input ends with this, and so does the program.
pub(crate) struct Peer {
    _child: Child,
    _input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script of `peers/`: `.py` in the virtual environment, `.js` with node, `.pl` with perl.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        let program = match script.rsplit_once('.') {
            Some((_, "py")) => vectors::path(".venv/bin/python"),
            Some((_, "js")) => PathBuf::from("node"),
            Some((_, "pl")) => PathBuf::from("perl"),
            other => panic!("{other:?}"),
        };
        let mut child = Command::new(&program)
            .arg(script)
            .args(arguments)
            .current_dir(vectors::path("peers"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _input: child.stdin.take().unwrap(), _child: child, lines }
    }

    /// The next object; null at the end.
    pub(crate) async fn next(&mut self) -> Value {
        next(&mut self.lines).await
    }

    /// All that it says until it ends by itself.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut objects = Vec::new();
        loop {
            match self.next().await {
                Value::Null => return objects,
                object => objects.push(object),
            }
        }
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn end(self) {
        let Self { _child, _input, mut lines } = self;
        drop(_input);
        while next(&mut lines).await != Value::Null {}
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = timeout(PATIENCE, lines.next_line()).await.expect("the peer hangs").unwrap();
    line.map_or(Value::Null, |line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
}
