//! The stream cases T1 to T14 stand here; each is fed as written, whole, and octet by octet.

use proptest::prelude::*;

use super::*;

/// The lines, and what was left when the stream ended.
type Fed = (Vec<Vec<u8>>, Result<Option<Vec<u8>>, LineTooLong>);

/// Feeds the reads, then closes; gives the lines and how it ended.
fn feed(framing: Framing, reads: &[&[u8]]) -> Fed {
    let (mut cutter, mut buffer, mut lines) = (LineCutter::new(framing), BytesMut::new(), Vec::new());
    for read in reads {
        buffer.extend_from_slice(read);
        loop {
            match cutter.cut(&mut buffer) {
                Ok(Some(line)) => lines.push(line.octets.to_vec()),
                Ok(None) => break,
                Err(error) => return (lines, Err(error)),
            }
        }
    }
    (lines, Ok(cutter.finish(&mut buffer).map(|line| line.octets.to_vec())))
}

#[track_caller]
fn case(framing: Framing, reads: &[&str], lines: &[&str], rest: Option<&str>) {
    let whole = reads.concat();
    let octets: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    let reads: Vec<&[u8]> = reads.iter().map(|read| read.as_bytes()).collect();
    let expect = (
        lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>(),
        Ok(rest.map(|rest| rest.as_bytes().to_vec())),
    );
    for reads in [reads, vec![whole.as_bytes()], octets] {
        assert_eq!(feed(framing, &reads), expect);
    }
}

#[track_caller]
fn either(reads: &[&str], lines: &[&str]) {
    case(Framing::Strict, reads, lines, None);
    case(Framing::Tolerant, reads, lines, None);
}

#[test]
fn t01_two_lines_in_one_read() {
    either(
        &["SSMI,110,27825550301,1,2,*120*555#\rSSMI,110,27825550302,1,2,*120*556#\r"],
        &["SSMI,110,27825550301,1,2,*120*555#", "SSMI,110,27825550302,1,2,*120*556#"],
    );
}

#[test]
fn t02_one_line_in_two_reads() {
    either(&["SSMI,110,27825550301", ",1,2,*120*555#\r"], &["SSMI,110,27825550301,1,2,*120*555#"]);
}

#[test]
fn t03_a_line_as_soon_as_it_ends() {
    either(&["SSMI,101,2\rSSM", "I,105,tail", "\r"], &["SSMI,101,2", "SSMI,105,tail"]);
    let mut buffer = BytesMut::from("SSMI,101,2\rSSM");
    let mut cutter = LineCutter::default();
    assert!(cutter.cut(&mut buffer).unwrap().is_some());
    assert_eq!(buffer, "SSM");
}

#[test]
fn t04_every_octet_alone() {
    either(&["SSMI,110,27825550209,2,2,yes, no,\r"], &["SSMI,110,27825550209,2,2,yes, no,"]);
}

#[test]
fn t05_a_lost_return_is_not_repaired() {
    either(&["SSMI,105,tail", "SSMI,101,2\r"], &["SSMI,105,tailSSMI,101,2"]);
}

#[test]
fn t06_cr_lf() {
    let reads = ["SSMI,101,1\r\nSSMI,101,2\r\n"];
    case(Framing::Strict, &reads, &["SSMI,101,1", "\nSSMI,101,2"], Some("\n"));
    case(Framing::Tolerant, &reads, &["SSMI,101,1", "SSMI,101,2"], None);
}

#[test]
fn t07_blank_line() {
    case(Framing::Strict, &["\rSSMI,105,after\r"], &["", "SSMI,105,after"], None);
    case(Framing::Tolerant, &["\rSSMI,105,after\r"], &["SSMI,105,after"], None);
    case(Framing::Tolerant, &["\r\n\r\nSSMI,3\r"], &["SSMI,3"], None);
}

#[test]
fn t08_line_feeds_are_data() {
    either(&["SSMI,110,27825550301,2,2,x\ny\n\r"], &["SSMI,110,27825550301,2,2,x\ny\n"]);
}

#[test]
fn t09_the_longest_line() {
    let line = format!("SSMI,105,{}", "z".repeat(16_375));
    assert_eq!(line.len(), MAX_LINE);
    either(&[&line, "\r"], &[&line]);
}

#[test]
fn t10_one_octet_more() {
    let line = format!("SSMI,101,1\rSSMI,105,{}\r", "z".repeat(16_376));
    let (lines, end) = feed(Framing::Tolerant, &[line.as_bytes()]);
    assert_eq!(lines.len(), 1);
    assert_eq!(end, Err(LineTooLong { offset: 11, limit: MAX_LINE }));
}

#[test]
fn t11_too_long_before_it_ends() {
    let (mut cutter, mut buffer) = (LineCutter::default(), BytesMut::new());
    let mut error = None;
    for _ in 0..200 {
        buffer.extend_from_slice(&[b'z'; 100]);
        error = cutter.cut(&mut buffer).err();
        if error.is_some() {
            break;
        }
    }
    assert_eq!(error, Some(LineTooLong { offset: 0, limit: MAX_LINE }));
    assert_eq!(buffer.len(), 16_400);
    assert_eq!(cutter.cut(&mut buffer).err(), error);
}

#[test]
fn t12_a_command_inside_a_text_is_text() {
    either(&["SSMI,110,27825550301,2,2,SSMI,99\r"], &["SSMI,110,27825550301,2,2,SSMI,99"]);
}

#[test]
fn t13_events_behind_the_login_are_not_lost() {
    either(
        &["SSMI,101,1\rSSMI,101,2\rSSMI,110,27825550301,1,0,*120*555#\r"],
        &["SSMI,101,1", "SSMI,101,2", "SSMI,110,27825550301,1,0,*120*555#"],
    );
}

#[test]
fn t14_an_unfinished_line() {
    case(Framing::Strict, &["SSMI,101,1\rSSMI,110,2,unfin"], &["SSMI,101,1"], Some("SSMI,110,2,unfin"));
    case(Framing::Tolerant, &["SSMI,101,1\rSSMI,110,2,unfin"], &["SSMI,101,1"], Some("SSMI,110,2,unfin"));
}

#[test]
fn tolerance_is_counted_and_offsets_hold() {
    let mut buffer = BytesMut::from("\r\nSSMI,3\r\n\r x\r");
    let mut cutter = LineCutter::default();
    assert_eq!(cutter.cut(&mut buffer), Ok(Some(Line { offset: 2, octets: "SSMI,3".into() })));
    assert_eq!(cutter.cut(&mut buffer), Ok(Some(Line { offset: 11, octets: " x".into() })));
    assert_eq!(cutter.forgiven(), 3);
}

#[test]
fn a_line_feed_before_something_else_is_part_of_the_line() {
    case(Framing::Tolerant, &["\n\nSSMI,3\r\nx\r"], &["\n\nSSMI,3", "\nx"], None);
}

/// The tolerant rule, written over the whole stream at once.
fn naive(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<&[u8]> = stream.split(|&octet| octet == b'\r').collect();
    lines.pop();
    lines
        .into_iter()
        .filter(|line| !matches!(*line, b"" | b"\n"))
        .map(|line| if line.starts_with(b"\nSSMI") { &line[1..] } else { line })
        .map(<[u8]>::to_vec)
        .collect()
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_lines(stream in "(SSMI|[\r\n,a3]){0,40}", cuts in prop::collection::vec(1usize..7, 0..40)) {
        let mut rest = stream.as_bytes();
        let mut reads = Vec::new();
        for cut in cuts {
            let (read, behind) = rest.split_at(cut.min(rest.len()));
            reads.push(read);
            rest = behind;
        }
        reads.push(rest);
        let (lines, _) = feed(Framing::Tolerant, &reads);
        prop_assert_eq!(lines, naive(stream.as_bytes()));
    }
}
