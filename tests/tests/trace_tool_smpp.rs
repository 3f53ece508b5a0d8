//! `trace smpp`, run as its user runs it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use conformance::smpp_vectors::{self, Malformed};
use conformance::vectors::path;
use serde_json::{Value, json};

/// Runs the tool with this on its standard input: what it printed, and its exit status.
fn run(arguments: &[&str], input: &[u8]) -> (String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trace"))
        .arg("smpp")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Whoever does not read to the end has its reason, and its exit status tells.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

/// As [`run`], with the objects that were printed.
fn trace(arguments: &[&str], input: &[u8]) -> (Vec<Value>, i32) {
    let (printed, status) = run(arguments, input);
    (printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), status)
}

/// The octets of a good vector, in hexadecimal digits.
fn good(name: &str) -> String {
    let vectors = smpp_vectors::good().unwrap();
    hex::encode(&vectors.iter().find(|vector| vector.name == name).unwrap().octets)
}

fn bad(name: &str) -> Malformed {
    smpp_vectors::malformed().unwrap().into_iter().find(|vector| vector.name == name).unwrap()
}

#[test]
fn every_good_vector() {
    let vectors = smpp_vectors::good().unwrap();
    let lines: Vec<String> = vectors.iter().map(|vector| hex::encode(&vector.octets)).collect();
    let (objects, status) = trace(&["--hex", "--secrets"], lines.join("\n").as_bytes());
    assert_eq!((objects.len(), status), (vectors.len(), 0));
    for ((line, object), vector) in (1..).zip(&objects).zip(&vectors) {
        let (name, expect) = (&vector.name, &vector.expect);
        assert_eq!((&object["line"], &object["offset"]), (&json!(line), &json!(0)), "{name}");
        assert_eq!(object["command"], expect.command, "{name}");
        assert_eq!(object["command_id"], expect.command_id, "{name}");
        assert_eq!(object["command_status"], expect.command_status, "{name}");
        assert_eq!(object["status_name"], json!(expect.status_name), "{name}");
        assert_eq!(object["sequence_number"], expect.sequence_number, "{name}");
        assert_eq!(object["body_present"], expect.body_present, "{name}");
        assert_eq!(object["body"], json!(expect.body), "{name}");
        assert_eq!(object["tlvs"], expect.tlvs, "{name}");
        assert_eq!(object["text"], expect.text, "{name}");
        assert_eq!(object["text_codec"], expect.text_codec, "{name}");
        assert_eq!(object["udh"], expect.udh, "{name}");
    }
}

#[test]
fn every_good_vector_in_one_stream() {
    let vectors = smpp_vectors::good().unwrap();
    let stream: Vec<u8> = vectors.iter().flat_map(|vector| vector.octets.clone()).collect();
    let (objects, status) = trace(&["-"], &stream);
    assert_eq!((objects.len(), status), (vectors.len(), 0));
    let mut offset = 0;
    for (object, vector) in objects.iter().zip(&vectors) {
        assert_eq!((&object["offset"], &object["command"]), (&json!(offset), &json!(vector.expect.command)));
        offset += vector.octets.len();
    }
}

#[test]
fn every_malformed_vector() {
    for vector in smpp_vectors::malformed().unwrap() {
        let name = &vector.name;
        let mut arguments = vec!["--role", &vector.receiver, "--state", &vector.state];
        let pending = vector.pending.as_ref().map(|pending| pending.replace(" seq ", ":"));
        arguments.extend(pending.iter().flat_map(|pending| ["--pending", pending]));
        if name.contains("_v34_") {
            arguments.extend(["--version", "34"]);
        }
        let (objects, status) = trace(&arguments, &vector.octets());
        let object = &objects[0];
        assert_eq!(object["outcome"], vector.expect.outcome, "{name}");
        assert_eq!(object["reply"], json!(vector.expect.reply), "{name}");
        assert_eq!(object["close"], vector.expect.close, "{name}");
        let refused =
            |object: &Value| ["reject", "fatal_framing", "need_more"].contains(&object["outcome"].as_str().unwrap());
        assert_eq!(status, i32::from(objects.iter().any(refused)), "{name}");
        if ["reject", "fatal_framing"].contains(&vector.expect.outcome.as_str()) {
            assert!(object["error"].is_string() && object["problem"].is_string(), "{name}: {object}");
            assert!(object.as_object().unwrap().contains_key("field"), "{name}: {object}");
        }
    }
}

#[test]
fn an_error_names_field_and_place() {
    let (objects, status) = trace(&["--role", "mc"], &bad("submit_cut_in_source_addr").octets());
    assert_eq!(objects[0]["error"], "submit_sm source_addr at octet 19: no NUL ends the string");
    assert_eq!((&objects[0]["field"], &objects[0]["error_offset"]), (&json!("source_addr"), &json!(19)));
    assert_eq!((&objects[0]["problem"], status), (&json!("no NUL ends the string"), 1));
    let (objects, _) = trace(&[], &bad("unknown_command_with_body").octets());
    assert_eq!((&objects[0]["field"], &objects[0]["rest"]), (&json!("command_id"), &json!("776861746576657200")));
}

#[test]
fn the_stream_goes_on_behind_a_bad_pdu_and_ends_behind_a_bad_length() {
    let stream = format!("{}{}00000004{}", hex::encode(bad("submit_no_body").octets()), good("unbind"), good("unbind"));
    let (objects, status) = trace(&[], &hex::decode(stream).unwrap());
    let outcomes: Vec<_> = objects.iter().map(|object| (object["offset"].clone(), object["outcome"].clone())).collect();
    let expected = [(0, "reject"), (16, "accept"), (32, "fatal_framing")];
    assert_eq!(outcomes, expected.map(|(offset, outcome)| (json!(offset), json!(outcome))));
    assert_eq!(status, 1);
}

#[test]
fn an_unfinished_stream_says_so() {
    let (objects, status) = trace(&[], &hex::decode(good("unbind") + "000000").unwrap());
    assert_eq!((objects.len(), status), (2, 1));
    let object = json!({
        "offset": 16, "outcome": "need_more", "reply": null, "close": false, "status_name": null, "body_present": false,
    });
    assert_eq!(objects[1], object);
}

#[test]
fn each_line_is_a_stream_of_its_own() {
    let unbind = good("unbind");
    let (objects, status) = trace(&["--hex"], format!("{}\n\n{unbind} {unbind}\n{unbind}", &unbind[..10]).as_bytes());
    let places: Vec<_> = objects.iter().map(|object| (object["line"].clone(), object["offset"].clone())).collect();
    assert_eq!(places, [(1, 0), (3, 0), (3, 16), (4, 0)].map(|(line, offset)| (json!(line), json!(offset))));
    assert_eq!((&objects[0]["outcome"], status), (&json!("need_more"), 1));
    assert_eq!(run(&["--hex"], b"00zz").1, 2);
    assert_eq!(run(&["--hex"], b"000").1, 2);
}

#[test]
fn passwords_are_masked_unless_asked_for() {
    let bind = good("bind_transceiver_v34_typical");
    let long = hex::encode(bad("bind_password_9_chars").octets());
    let no_nul = "0000001700000009000000000000000173007070707070";
    let lines = format!("{bind}\n{long}\n{}\n{}\n{}\n{no_nul}", good("outbind"), &bind[..60], &long[..50]);
    for secret in ["hunter2", "ppppp", "outpw"] {
        let digits: Vec<String> = secret.bytes().take(5).map(|octet| format!("{octet:02x}")).collect();
        for arguments in [&["--hex"][..], &["--hex", "--annotate"], &["--hex", "--pair"]] {
            let (printed, _) = run(arguments, lines.as_bytes());
            let shown =
                printed.contains(secret) || printed.contains(&digits.join(" ")) || printed.contains(&digits.join(""));
            assert!(!shown && printed.contains("***"), "{arguments:?}: {printed}");
        }
        assert!(run(&["--hex", "--annotate", "--secrets"], lines.as_bytes()).0.contains(&digits.join(" ")), "{secret}");
    }
    let (objects, _) = trace(&["--hex", "--secrets"], lines.as_bytes());
    assert_eq!(
        (&objects[0]["body"]["password"], &objects[2]["body"]["password"]),
        (&json!("hunter2"), &json!("outpw"))
    );
}

#[test]
fn the_state_follows_the_stream() {
    let names = ["submit_sm_minimal_empty", "bind_transceiver_v34_typical", "submit_sm_minimal_empty", "unbind"];
    let lines = names.map(good).concat() + &good("bind_transceiver_v34_typical");
    let (objects, _) = trace(&["--role", "mc", "--state", "OPEN"], &hex::decode(lines).unwrap());
    let statuses: Vec<_> = objects.iter().map(|object| object["reply"]["status_name"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["ESME_RINVBNDSTS", "ESME_ROK", "ESME_ROK", "ESME_ROK", "ESME_RINVBNDSTS"]);
}

#[test]
fn each_line_begins_in_the_state_that_was_given() {
    let bind = good("bind_transceiver_v34_typical");
    let (objects, status) = trace(&["--hex", "--state", "OPEN"], format!("{bind}\n{bind}").as_bytes());
    assert_eq!((&objects[0]["outcome"], &objects[1]["outcome"], status), (&json!("accept"), &json!("accept"), 0));
}

#[test]
fn what_the_answer_depends_on_can_be_set() {
    let stream = hex::decode(good("submit_sm_minimal_empty")).unwrap();
    assert_eq!(trace(&["--max-pdu", "33"], &stream).0[0]["outcome"], "accept");
    assert_eq!(trace(&["--max-pdu", "32"], &stream).0[0]["outcome"], "fatal_framing");
    let bind = hex::decode(good("bind_transceiver_v34_typical")).unwrap();
    assert_eq!(trace(&["--version", "33"], &bind).0[0]["reply"]["status_name"], "ESME_RINVCMDID");
    let response = hex::decode(good("enquire_link_resp")).unwrap();
    let outcome = |arguments: &[&str]| trace(arguments, &response).0[0]["outcome"].clone();
    assert_eq!(outcome(&[]), "accept");
    assert_eq!(outcome(&["--pending", "enquire_link:2147483647"]), "accept");
    assert_eq!(outcome(&["--pending", "submit_sm:2147483647"]), "fail_pending");
    assert_eq!(outcome(&["--pending", "enquire_link:1"]), "ignore");
    assert_eq!(run(&["--pending", "enquire:1"], &response).1, 2);
    assert_eq!(run(&["--state", "BOUND"], &response).1, 2);
}

/// The captures whose message centre listens on this port.
const PORTS: [&str; 5] = ["2345", "2776", "2785", "8056", "9900"];

/// All captures: name, port and path.
fn captures() -> Vec<(String, &'static str, String)> {
    let files = std::fs::read_dir(path("traces/smpp")).unwrap().map(|file| file.unwrap().path());
    let names = files.filter(|file| file.extension().is_some_and(|extension| extension == "pcap"));
    let of_port = |file: std::path::PathBuf| {
        let (name, file) = (file.file_stem().unwrap().to_str().unwrap().to_owned(), file.to_str().unwrap().to_owned());
        let port = PORTS.into_iter().find(|port| run(&["--port", port, &file], b"").1 != 2);
        (name.clone(), port.unwrap_or_else(|| panic!("{name}: no connection")), file)
    };
    names.map(of_port).collect()
}

#[test]
fn every_capture() {
    let (mut fatal, mut pdus, mut answered) = (BTreeMap::new(), 0, 0);
    for (name, port, file) in captures() {
        let (objects, status) = trace(&["--port", port, &file], b"");
        let with = |outcome: &str| objects.iter().filter(|object| object["outcome"] == outcome).count();
        assert_eq!(with("need_more"), 0, "{name}");
        assert_eq!(status, i32::from(with("reject") + with("fatal_framing") > 0), "{name}");
        *fatal.entry(name.clone()).or_insert(0) += with("fatal_framing");
        let packets: Vec<_> =
            objects.iter().map(|object| (object["connection"].as_u64(), object["packet"].as_u64())).collect();
        assert!(packets.is_sorted() && packets[0].1 > Some(0), "{name}: {packets:?}");
        pdus += objects.len();

        // Each side has the state that its binds give, and awaits what it asked for.
        if status == 0 {
            let (objects, status) = trace(&["--port", port, "--state", "OPEN", &file], b"");
            assert!(status == 0 && objects.iter().all(|object| object["outcome"] != "ignore"), "{name}");
        }

        let (pairs, paired_status) = trace(&["--port", port, "--pair", &file], b"");
        let responses = pairs.iter().filter_map(|object| object.get("response"));
        assert_eq!(pairs.len() + responses.clone().count(), objects.len(), "{name}");
        for response in responses.clone() {
            assert!(!["ignore", "reject"].contains(&response["outcome"].as_str().unwrap()), "{name}: {response}");
        }
        answered += responses.count();
        assert_eq!(paired_status, status, "{name}");
    }
    fatal.retain(|_, count| *count > 0);
    let on_purpose =
        [("node-jsmpp-err", 2), ("node-netsmpp", 2), ("node-node-err", 2), ("node-twisted", 2), ("smpplib-node-mo", 1)];
    assert_eq!(fatal, on_purpose.map(|(name, count)| (name.to_owned(), count)).into());
    assert!(pdus > 1_300 && answered > 600, "{pdus} PDUs, {answered} of them with a response");
}

#[test]
fn a_request_with_its_response() {
    let request = good("enquire_link_seq_max");
    let other = good("submit_sm_minimal_empty");
    let nacked = good("unbind");
    let nack = "0000001080000000000000030000004d";
    let lines = format!("{request}\n{other}\n{}\n{nacked}\n{nack}", good("enquire_link_resp"));
    let (objects, status) = trace(&["--hex", "--pair"], lines.as_bytes());
    assert_eq!((objects.len(), status), (3, 0));
    assert_eq!(objects[2]["response"]["command"], "generic_nack");
    assert_eq!(
        (&objects[0]["response"]["command"], &objects[0]["response"]["line"]),
        (&json!("enquire_link_resp"), &json!(3))
    );
    assert_eq!((&objects[1]["line"], objects[1].get("response")), (&json!(2), None));
}

#[test]
fn a_port_without_connections_is_an_error() {
    let file = path("traces/smpp/node-node-ussd.pcap");
    assert_eq!(run(&[file.to_str().unwrap()], b"").1, 2);
}

#[test]
fn a_good_pdu_annotated() {
    let (dump, status) = run(&["--hex", "--annotate"], good("submit_sm_udh_concat8_part1").as_bytes());
    assert_eq!(status, 0);
    for row in [
        "submit_sm, line 1, offset 0, 70 octets: accept\n",
        "  000000  00 00 00 46              command_length                70\n",
        "  000011  01                       source_addr_ton               1: international\n",
        "  000013  32 37 38 33 31 32 33 34  source_addr                   \"27831234567\"\n  00001b  35 36 37 00\n",
        "  000037  05 00 03 2a 02 01 70 61  short_message\n",
        "  udh: element 0x00, 2a0201\n  part 1 of 2, reference 42\n  text: \"part one \" (gsm0338)\n",
        "  reply: submit_sm_resp ESME_ROK 19\n",
    ] {
        assert!(dump.contains(row), "{row}\nis not in\n{dump}");
    }
    assert!(!dump.contains('^'), "{dump}");
}

#[test]
fn a_bad_pdu_annotated_points_at_the_error() {
    let octets = bad("submit_validity_month_13").octets();
    let (dump, status) = run(&["--annotate", "--role", "mc"], &octets);
    assert_eq!(status, 1);
    let row = "  000031  32 36 31 33 33 31 32 33  validity_period               \"261331235959008+\"\n";
    let (_, behind) = dump.split_once(row).unwrap_or_else(|| panic!("{dump}"));
    let pointer = behind.lines().nth(2).unwrap();
    assert_eq!(pointer, "  ^^^^^^  at 000031: validity_period: not a time: no such date or time of day", "{dump}");
    // Every octet stands there, once.
    let digits = |line: &str| line.get(10..33).unwrap_or(&line[10.min(line.len())..]).replace(' ', "");
    let rows = dump.lines().filter(|line| line.starts_with("  00"));
    assert_eq!(rows.map(digits).collect::<String>(), hex::encode(&octets), "{dump}");
    // Fields before one that is cut.
    let (dump, _) = run(&["--annotate"], &bad("query_cut").octets());
    assert!(dump.contains("  000010  69 64 00                 message_id                    \"id\"\n"), "{dump}");
    assert!(dump.contains("  ^^^^^^  at 000014: source_addr_npi: "), "{dump}");
}
