//! The recorded sessions of txssmi: what each line of them is, however the octets arrive.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;

use bytes::BytesMut;
use conformance::capture::{self, Connection};
use conformance::vectors;
use ssmi::framing::{BadLine, Framing, LineCutter, LineTooLong};

/// The gateway's ports in the captures.
const PORTS: RangeInclusive<u16> = 25_001..=25_019;

/// What a stream held: names of commands, bad lines, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Story {
    commands: Vec<&'static str>,
    bad: Vec<BadLine>,
    ended: Option<LineTooLong>,
    rest: usize,
}

fn read(octets: &[u8], client: bool, framing: Framing, cut: usize) -> Story {
    let (mut cutter, mut buffer, mut story) = (LineCutter::new(framing), BytesMut::new(), Story::default());
    let (head, tail) = octets.split_at(cut);
    for read in [head, tail] {
        buffer.extend_from_slice(read);
        loop {
            let name = match cutter.cut(&mut buffer) {
                Ok(Some(line)) if client => {
                    line.request().map(|request| (request.name(), encoded(|dst| request.encode(dst))))
                }
                Ok(Some(line)) => {
                    line.response().map(|response| (response.name(), encoded(|dst| response.encode(dst))))
                }
                Ok(None) => break,
                Err(error) => return Story { ended: Some(error), ..story },
            };
            match name {
                Ok((name, line)) => {
                    assert!(
                        octets.windows(line.len()).any(|window| window == line),
                        "{name} is not written as it came"
                    );
                    story.commands.push(name);
                }
                Err(bad) => story.bad.push(bad),
            }
        }
    }
    story.rest = cutter.finish(&mut buffer).map_or(0, |line| line.octets.len());
    story
}

fn encoded<E: std::fmt::Debug>(encode: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> BytesMut {
    let mut line = BytesMut::new();
    encode(&mut line).unwrap();
    line
}

/// Both directions of every session, by name.
fn sessions() -> BTreeMap<String, Connection> {
    let mut sessions = BTreeMap::<String, Connection>::new();
    for file in fs::read_dir(vectors::path("traces/ssmi")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(name) = name.strip_suffix(".c2s.bin") {
            sessions.entry(name.to_owned()).or_default().client = fs::read(&path).unwrap();
        } else if let Some(name) = name.strip_suffix(".s2c.bin") {
            sessions.entry(name.to_owned()).or_default().server = fs::read(&path).unwrap();
        }
    }
    assert!(sessions.len() >= 12, "{} sessions", sessions.len());
    sessions
}

#[test]
fn every_session_reads_the_same_cut_at_any_octet() {
    for (name, session) in sessions() {
        for (octets, client) in [(&session.client, true), (&session.server, false)] {
            let whole = read(octets, client, Framing::Tolerant, 0);
            // The long line says the same over and over.
            for cut in (0..octets.len()).filter(|cut| *cut < 200 || cut % 97 == 0) {
                assert_eq!(read(octets, client, Framing::Tolerant, cut), whole, "{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn only_the_faults_that_were_made_are_found() {
    for (name, session) in sessions() {
        let client = read(&session.client, true, Framing::Tolerant, 0);
        assert_eq!((client.bad, client.ended, client.rest), (vec![], None, 0), "{name}");
        let server = read(&session.server, false, Framing::Tolerant, 0);
        let bad = usize::from(matches!(name.as_str(), "fault-noheader" | "fault-short"));
        assert_eq!((server.bad.len(), server.rest), (bad, 0), "{name}: {server:?}");
        assert_eq!(server.ended.is_some(), name == "fault-longline", "{name}");
        assert_eq!(server.commands.contains(&"UNKNOWN"), name == "fault-unknown", "{name}");
    }
}

#[test]
fn a_whole_session_names_every_command() {
    let session = &sessions()["full-py311"];
    let (client, server) =
        (read(&session.client, true, Framing::Strict, 0), read(&session.server, false, Framing::Strict, 0));
    for name in [
        "LOGIN",
        "LINK_CHECK",
        "SEND_USSD_MESSAGE",
        "SEND_EXTENDED_USSD_MESSAGE",
        "SEND_SMS",
        "SEND_BINARY_SMS",
        "SEND_WAP_PUSH_MESSAGE",
        "SEND_MMS_MESSAGE",
        "IMSI_LOOKUP",
        "LOGOUT",
    ] {
        assert!(client.commands.contains(&name), "{name}");
    }
    for name in [
        "ACK",
        "USSD_MESSAGE",
        "EXTENDED_USSD_MESSAGE",
        "SEQ",
        "DR",
        "MO",
        "BINARY_MO",
        "PREMIUM_MO",
        "PREMIUM_BINARY_MO",
        "FREE_FORM",
        "IMSI_LOOKUP_REPLY",
    ] {
        assert!(server.commands.contains(&name), "{name}");
    }
}

#[test]
fn captures_hold_the_same_octets() {
    for (name, session) in sessions() {
        let file = fs::read(vectors::path("traces/ssmi").join(format!("{name}.pcap"))).unwrap();
        let connections: Vec<_> = PORTS.flat_map(|port| capture::connections(&file, port).unwrap()).collect();
        let client: Vec<u8> = connections.iter().flat_map(|connection| connection.client.clone()).collect();
        let server: Vec<u8> = connections.iter().flat_map(|connection| connection.server.clone()).collect();
        assert_eq!((client, server), (session.client, session.server), "{name}");
    }
}
