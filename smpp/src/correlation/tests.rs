use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::profile::ReceiptProfile;
use crate::receipt::{IdMatching, IdRule, Outcome, Receipt};

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    Instant::now()
}

fn config(ids: IdMatching) -> CorrelationConfig {
    CorrelationConfig::default().receipts(ReceiptProfile::default().ids(ids))
}

fn receipt(id: &str, stat: &str) -> Receipt {
    Receipt::from_text(format!("id:{id} stat:{stat}").as_bytes())
}

fn accepted(id: &str) -> Answer {
    Answer::Accepted { id: id.to_owned() }
}

/// A correlator with messages of one part, named as their identifiers.
fn with(ids: IdMatching, accepted_ids: &[&str]) -> (Correlator, Instant) {
    let (mut correlator, now) = (Correlator::new(config(ids)), start());
    for id in accepted_ids {
        assert_eq!(correlator.open(1, &(*id).into(), 1, now), []);
        assert_eq!(correlator.answered(&(*id).into(), 1, accepted(id), now), []);
    }
    (correlator, now)
}

fn credited(credit: Credit) -> Option<String> {
    match credit {
        Credit::Credited(credited) => Some(credited.message.to_string()),
        _ => None,
    }
}

#[test]
fn an_identifier_of_two_messages_names_none_until_one_is_finished() {
    let (mut correlator, now) = with(IdMatching::default(), &["7"]);
    correlator.open(1, &"other".into(), 1, now);
    correlator.answered(&"other".into(), 1, accepted("7"), now);
    assert!(matches!(correlator.receipt(1, &receipt("7", "DELIVRD"), now), Credit::Unmatched { .. }));
    let (mut correlator, now) = with(IdMatching::default(), &["7"]);
    assert_eq!(credited(correlator.receipt(1, &receipt("7", "DELIVRD"), now)).as_deref(), Some("7"));
    correlator.open(1, &"other".into(), 1, now);
    correlator.answered(&"other".into(), 1, accepted("7"), now);
    assert_eq!(credited(correlator.receipt(1, &receipt("7", "DELIVRD"), now)).as_deref(), Some("other"));
}

#[test]
fn parts_that_share_an_identifier_share_its_receipt() {
    let (mut correlator, now) = with(IdMatching::default(), &[]);
    correlator.open(1, &"m".into(), 2, now);
    correlator.answered(&"m".into(), 1, accepted("7"), now);
    correlator.answered(&"m".into(), 2, accepted("7"), now);
    let Credit::Credited(credited) = correlator.receipt(1, &receipt("7", "DELIVRD"), now) else { panic!() };
    assert_eq!(
        (&credited.parts[..], credited.report.outcome(), credited.news),
        (&[1, 2][..], Outcome::Delivered, true)
    );
}

#[test]
fn accounts_do_not_mix() {
    let (mut correlator, now) = with(IdMatching::default(), &["7"]);
    assert!(matches!(correlator.receipt(2, &receipt("7", "DELIVRD"), now), Credit::Unmatched { .. }));
}

#[test]
fn an_intermediate_receipt_is_followed_by_the_final_one_and_a_double_is_no_news() {
    let (mut correlator, now) = with(IdMatching::default(), &["7"]);
    for (stat, news, outcome) in [
        ("ACCEPTD", true, Outcome::Pending),
        ("DELIVRD", true, Outcome::Delivered),
        ("DELIVRD", false, Outcome::Delivered),
        ("EXPIRED", false, Outcome::Delivered),
    ] {
        let Credit::Credited(credited) = correlator.receipt(1, &receipt("7", stat), now) else { panic!("{stat}") };
        assert_eq!((credited.news, credited.report.outcome()), (news, outcome), "{stat}");
    }
}

#[test]
fn an_inexact_match_waits_for_what_was_on_its_way() {
    let (mut correlator, now) = with(IdMatching::Auto, &["a1"]);
    correlator.open(1, &"on its way".into(), 1, now);
    // It could be the hexadecimal a1, or what the other message will be called.
    assert_eq!(correlator.receipt(1, &receipt("161", "DELIVRD"), now), Credit::Held);
    correlator.open(1, &"later".into(), 1, now);
    let credited = correlator.answered(&"on its way".into(), 1, accepted("161"), now);
    assert_eq!(credited.len(), 1);
    assert_eq!(credited[0].message, "on its way".into());

    let (mut correlator, now) = with(IdMatching::Auto, &["a1"]);
    correlator.open(1, &"on its way".into(), 1, now);
    assert_eq!(correlator.receipt(1, &receipt("161", "DELIVRD"), now), Credit::Held);
    correlator.open(1, &"later".into(), 1, now);
    let credited = correlator.answered(&"on its way".into(), 1, Answer::Unanswered, now);
    assert_eq!(credited[0].message, "a1".into());
}

#[test]
fn a_late_response_names_the_receipt_that_was_before_it() {
    let (mut correlator, now) = with(IdMatching::default(), &[]);
    correlator.open(1, &"m".into(), 1, now);
    assert_eq!(correlator.answered(&"m".into(), 1, Answer::Unanswered, now), []);
    assert_eq!(correlator.receipt(1, &receipt("7", "DELIVRD"), now), Credit::Held);
    assert_eq!(correlator.answered(&"m".into(), 1, accepted("7"), now).len(), 1);
    assert!(correlator.report(&"m".into()).unwrap().is_final());
    // With nothing on its way there is nothing to wait for.
    assert!(matches!(correlator.receipt(1, &receipt("8", "DELIVRD"), now), Credit::Unmatched { .. }));
}

#[test]
fn what_waits_too_long_is_given_up() {
    let (mut correlator, now) = with(IdMatching::default(), &["7", "8"]);
    correlator.open(1, &"m".into(), 1, now);
    assert_eq!(correlator.receipt(1, &receipt("9", "DELIVRD"), now), Credit::Held);
    let early = now + Duration::from_secs(300);
    assert_eq!(correlator.next_timeout(), Some(early));
    let [Expired::Receipt(held)] = &correlator.expire(early)[..] else { panic!() };
    assert_eq!(held.id.as_deref(), Some("9"));
    // A finished message goes after an hour, without a word.
    correlator.receipt(1, &receipt("7", "DELIVRD"), early);
    assert_eq!(correlator.expire(early + Duration::from_secs(3_600)), []);
    assert_eq!((correlator.len(), correlator.report(&"7".into())), (2, None));
    let week = correlator.next_timeout().unwrap();
    assert_eq!(week, now + Duration::from_secs(8 * 86_400));
    let messages: Vec<_> =
        correlator.expire(week).into_iter().map(|expired| matches!(expired, Expired::Message { .. })).collect();
    assert_eq!((messages, correlator.next_timeout()), (vec![true, true], None));
    assert!(correlator.is_empty());
}

#[test]
fn no_more_is_held_than_allowed() {
    let now = start();
    let mut correlator = Correlator::new(config(IdMatching::default()).max_messages(2).max_early(2));
    for message in ["1", "2", "3"] {
        let expired = correlator.open(1, &message.into(), 1, now);
        assert_eq!(expired.len(), usize::from(message == "3"));
    }
    assert_eq!(correlator.len(), 2);
    for id in ["a", "b", "c"] {
        assert_eq!(correlator.receipt(1, &receipt(id, "DELIVRD"), now), Credit::Held);
    }
    assert_eq!(correlator.answered(&"2".into(), 1, accepted("a"), now), []);
    assert_eq!(correlator.answered(&"3".into(), 1, accepted("c"), now).len(), 1);
}

#[test]
fn what_was_refused_leaves_nothing() {
    let (mut correlator, now) = with(IdMatching::default(), &[]);
    correlator.open(1, &"m".into(), 2, now);
    correlator.answered(&"m".into(), 1, Answer::Refused, now);
    assert_eq!(correlator.len(), 1);
    correlator.answered(&"m".into(), 2, Answer::Refused, now);
    assert_eq!((correlator.len(), correlator.next_timeout()), (0, None));
}

/// What happens to one part.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    Accept,
    TimeOut,
    Receipt,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![Just(Step::Open), Just(Step::Accept), Just(Step::TimeOut), Just(Step::Receipt)];
    prop::collection::vec((0..8usize, step), 0..60)
}

/// Sends eight parts (messages of two) whose identifiers in responses and receipts are given. In the end each receipt is
/// credited to its part, once, and nothing to another.
fn each_receipt_finds_its_part(
    ids: IdMatching,
    names: &[(String, String)],
    steps: Vec<(usize, Step)>,
) -> Result<(), TestCaseError> {
    let (mut correlator, now) = (Correlator::new(config(ids)), start());
    let key = |part: usize| MessageKey::from((part / 2).to_string());
    let number = |part: usize| if part.is_multiple_of(2) { 1 } else { 2 };
    // The naive model: who was opened, who is answered, whose receipt was sent.
    let (mut opened, mut answered, mut sent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    let note = |credited: Credited, found: &mut Vec<(String, Vec<u8>)>| {
        found.push((credited.message.to_string(), credited.parts));
    };
    let last: Vec<_> = (0..names.len()).map(|part| (part, Step::Accept)).collect();
    for (part, step) in steps.into_iter().chain(last).filter(|(part, _)| *part < names.len()) {
        let is_open = opened.contains(&(part / 2));
        match step {
            Step::Open if opened.insert(part / 2) => {
                correlator.open(1, &key(part), 2, now);
            }
            Step::Accept if is_open && answered.insert(part) => {
                for credited in correlator.answered(&key(part), number(part), accepted(&names[part].0), now) {
                    note(credited, &mut found);
                }
            }
            Step::TimeOut if is_open && !answered.contains(&part) => {
                for credited in correlator.answered(&key(part), number(part), Answer::Unanswered, now) {
                    note(credited, &mut found);
                }
            }
            Step::Receipt if is_open && sent.insert(part) => {
                match correlator.receipt(1, &receipt(&names[part].1, "DELIVRD"), now) {
                    Credit::Credited(credited) => note(credited, &mut found),
                    credit => prop_assert_eq!(credit, Credit::Held),
                }
            }
            _ => {}
        }
    }
    found.sort();
    let expected: Vec<_> = sent.into_iter().map(|part| ((part / 2).to_string(), vec![number(part)])).collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #[test]
    fn a_rule_that_is_known(
        rule in prop::sample::select(&IdRule::ALL[..]),
        numbers in prop::collection::btree_set(1u64.., 8),
        steps in steps(),
    ) {
        let name = |number: &u64| match rule {
            IdRule::Exact => (format!("{number}"), format!("{number}")),
            IdRule::IgnoreCase => (format!("s{number:x}"), format!("S{number:X}")),
            IdRule::LeadingZeros => (format!("{number}"), format!("{number:025}")),
            IdRule::HexInResponse => (format!("{number:x}"), format!("{number:020}")),
            _ => (format!("{number}"), format!("{number:X}")),
        };
        let names: Vec<_> = numbers.iter().map(name).collect();
        each_receipt_finds_its_part(IdMatching::Rule(rule), &names, steps)?;
    }

    /// Identifiers that by other rules look like each other.
    #[test]
    fn a_rule_to_be_found_out(ids in prop::collection::btree_set("0{0,2}[1-2]{1}[0-2a-bA-B]{0,1}", 8), steps in steps()) {
        // A time-out would let a receipt be taken for what it is not: nothing is then waited for.
        let steps = steps.into_iter().filter(|(_, step)| !matches!(step, Step::TimeOut)).collect();
        let names: Vec<_> = ids.into_iter().map(|id| (id.clone(), id)).collect();
        each_receipt_finds_its_part(IdMatching::Auto, &names, steps)?;
    }
}
