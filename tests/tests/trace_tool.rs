//! The `trace` tool, run as its user runs it.

use std::io::Write;
use std::process::{Command, Stdio};

use conformance::vectors;
use serde_json::{Value, json};

/// Runs the tool with this on its standard input: what it printed, and its exit status.
fn trace(arguments: &[&str], input: &[u8]) -> (Vec<Value>, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trace"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let objects = output.stdout.split(|&octet| octet == b'\n').filter(|line| !line.is_empty());
    let objects = objects.map(|line| serde_json::from_slice(line).unwrap()).collect();
    (objects, output.status.code().unwrap())
}

mod ssmi {
    use super::*;

    #[test]
    fn every_vector_in_one_stream() {
        for (dir, direction) in [('C', "client"), ('S', "server")] {
            let vectors: Vec<_> = vectors::ssmi().unwrap().into_iter().filter(|vector| vector.dir == dir).collect();
            let stream: Vec<u8> = vectors.iter().flat_map(|vector| vector.wire_hex.clone()).collect();
            let (objects, status) = trace(&["ssmi", "--direction", direction, "--secrets"], &stream);
            assert_eq!((objects.len(), status), (vectors.len(), 1));
            let mut offset = 0;
            for (object, vector) in objects.iter().zip(&vectors) {
                assert_eq!(object["offset"], offset, "{vector:?}");
                assert_eq!(object["raw"], hex::encode(&vector.wire_hex));
                match &vector.name {
                    Some(name) => {
                        assert_eq!(object["command"], *name);
                        assert_eq!(object["fields"], Value::Object(vector.fields.clone().unwrap()));
                    }
                    None => assert_eq!(object["error"], *vector.txssmi),
                }
                offset += vector.wire_hex.len();
            }
        }
    }

    #[test]
    fn passwords_are_masked_unless_asked_for() {
        let stream = b"SSMI,1,kudu,p,w\r\nSSMI,1,kudu,secret\rSSMI,110,27,2,SSMI,1,a,b\rSSMI,1,kudu,se";
        let (objects, _) = trace(&["ssmi", "--direction", "client"], stream);
        assert_eq!(objects[0]["fields"], json!({"username": "kudu", "password": "***"}));
        assert_eq!(objects[0]["raw"], hex::encode("SSMI,1,kudu,***\r"));
        assert_eq!(objects[1]["error"], "bad header");
        assert_eq!(objects[1]["raw"], hex::encode("\nSSMI,1,kudu,***\r"));
        assert_eq!(objects[2]["raw"], hex::encode("SSMI,110,27,2,SSMI,1,a,b\r"));
        assert_eq!(
            objects[3],
            json!({"offset": 61, "error": "unterminated", "field": null, "raw": hex::encode("SSMI,1,kudu,***")})
        );
        // Also of whoever names the wrong direction.
        let (objects, _) = trace(&["ssmi", "--direction", "server"], b"SSMI,1,kudu,secret\r");
        assert_eq!(objects[0]["raw"], hex::encode("SSMI,1,kudu,***\r"));
        let (objects, _) = trace(&["ssmi", "--direction", "client", "--secrets", "-"], stream);
        assert_eq!(objects[0]["fields"]["password"], "p,w");
    }

    #[test]
    fn errors_name_field_and_place() {
        let (objects, status) = trace(&["ssmi", "--direction", "server"], b"SSMI,3,\rSSMI,104,27,9\rSSMI\r\r");
        assert_eq!(objects[0], json!({"offset": 0, "error": "unknown id", "field": null, "raw": "53534d492c332c0d"}));
        assert_eq!((&objects[1]["error"], &objects[1]["field"]), (&json!("too few"), &json!("ret_code")));
        assert_eq!(objects[2]["error"], "unknown id");
        assert_eq!(objects[3], json!({"offset": 27, "error": "bad header", "field": null, "raw": "0d"}));
        assert_eq!(status, 1);
    }

    #[test]
    fn tolerance_is_a_choice() {
        let stream = b"SSMI,101,1\r\nSSMI,101,2\r\r";
        let (objects, status) = trace(&["ssmi", "--direction", "server", "--tolerant"], stream);
        assert_eq!((objects.len(), status), (2, 0));
        assert_eq!((&objects[1]["offset"], &objects[1]["id"]), (&json!(12), &json!("101")));
        let (objects, status) = trace(&["ssmi", "--direction", "server"], stream);
        assert_eq!((objects.len(), status), (3, 1));
    }

    #[test]
    fn nothing_is_read_behind_a_line_too_long() {
        let stream = format!("SSMI,101,1\rSSMI,105,{}\rSSMI,101,2\r", "z".repeat(16_376));
        let (objects, status) = trace(&["ssmi", "--direction", "server"], stream.as_bytes());
        assert_eq!((objects.len(), status), (2, 1));
        assert_eq!((&objects[1]["error"], &objects[1]["offset"]), (&json!("too long"), &json!(11)));
    }

    #[test]
    fn captures() {
        let file = vectors::path("traces/ssmi/full-py311.pcap");
        let file = file.to_str().unwrap();
        let (objects, status) = trace(&["ssmi", "--direction", "client", "--port", "25001", file], b"");
        assert_eq!((&objects[0]["command"], status), (&json!("LOGIN"), 0));
        for port in [&[][..], &["--port", "25002"]] {
            let (objects, status) = trace(&[&["ssmi", "--direction", "client", file], port].concat(), b"");
            assert_eq!((objects.len(), status), (0, 2));
        }
    }
}

mod vumi {
    use super::*;

    fn example(name: &str) -> String {
        vectors::path("traces/vumi/examples").join(name).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_line_for_each_file() {
        let (good, bad) = (example("accept-16-event.json"), example("reject-19-event.json"));
        let (objects, status) = trace(&["vumi", "--kind", "event", &good, &bad], b"");
        assert_eq!((objects.len(), status), (2, 1));
        assert_eq!((&objects[0]["file"], &objects[0]["message"]["event_type"]), (&json!(good), &json!("ack")));
        assert_eq!((&objects[1]["file"], &objects[1]["field"]), (&json!(bad), &json!("event_type")));
        assert!(objects[1]["error"].is_string() && objects[1].get("message").is_none());
    }

    #[test]
    fn what_is_absent_is_made_up() {
        for (name, kind, field) in [
            ("disputed-06-user.json", "user", "message_id"),
            ("disputed-07-user.json", "user", "timestamp"),
            ("disputed-12-event.json", "event", "event_id"),
        ] {
            let (objects, status) = trace(&["vumi", "--kind", kind, &example(name)], b"");
            assert_eq!(status, 0, "{name}");
            assert!(objects[0]["message"][field].as_str().is_some_and(|made| !made.is_empty()), "{name}");
        }
    }

    #[test]
    fn without_a_kind_a_body_says_it_itself() {
        let files = [example("accept-02-user.json"), example("accept-18-event.json"), example("accept-19-status.json")];
        let (objects, status) = trace(&["vumi", &files[0], &files[1], &files[2]], b"");
        assert_eq!((&objects[0]["message"]["session_event"], status), (&json!("new"), 0));
        assert_eq!(objects[1]["message"]["delivery_status"], "delivered");
        assert_eq!(objects[2]["message"]["component"], "link");
        let (objects, status) = trace(&["vumi", "-"], b"{");
        assert_eq!((&objects[0]["field"], status), (&json!(null), 1));
    }
}
