//! SMPP's text and receipts: any octets are read, what is read whole is written so that it is read again, and what is
//! held of long messages is bounded and handed back once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use smpp::receipt::{IdIndex, IdMatch, IdMatcher, IdMatching, Receipt};
use smpp::text::{
    Charset, Codings, Concatenation, ConcatenationKind, Gsm7, Language, LongMessages, Outcome, Packing, Part,
    Reassembler, ReassemblyLimits, TextOptions, UserDataHeader, pack, unpack,
};
use smpp::types::DataCoding;

/// A header is written as it was read.
pub(super) fn udh(octets: &[u8]) {
    let user_data = Bytes::copy_from_slice(octets);
    let Ok((header, text)) = UserDataHeader::parse(&user_data) else {
        assert!(octets.first().is_none_or(|length| usize::from(*length) >= octets.len()));
        return;
    };
    let again = header.to_octets().expect("a header that was read fits");
    assert_eq!([&again, &text[..]].concat(), octets);
    if let Some(part) = header.concatenation() {
        assert!((1..=part.total).contains(&part.part));
    }
}

/// The first two octets choose the tables, the third the length of the header.
pub(super) fn gsm(octets: &[u8]) {
    let [locking, single, header, octets @ ..] = octets else { return };
    let gsm = Gsm7 { locking: Language::from_number(locking % 16), single: Language::from_number(single % 16) };
    let decoded = gsm.decode(octets);
    assert!(decoded.text.len() <= 3 * octets.len());
    assert_eq!(decoded.lossy, decoded.text.contains(char::REPLACEMENT_CHARACTER));
    if !decoded.lossy {
        let again = gsm.encode(&decoded.text).expect("what was read");
        assert!(again.len() <= octets.len());
        assert_eq!(gsm.decode(&again), decoded);
    }
    let septets: Vec<u8> = octets.iter().map(|octet| octet & 0x7f).collect();
    let header = usize::from(*header);
    let unpacked = unpack(&pack(&septets, header), header);
    let added = unpacked.strip_prefix(&septets[..]).expect("the septets come first");
    assert!(added.is_empty() || (added == b"\r" && septets.last() == Some(&b'\r')));
    assert!(unpack(octets, header).iter().all(|septet| *septet < 0x80));
}

/// A text that is cut is put together again; the first octets choose how.
pub(super) fn text(octets: &[u8]) {
    let mut input = Unstructured::new(octets);
    let Ok((options, text)) = options(&mut input) else { return };
    let Ok(composed) = options.compose(&text, 7) else { return };
    let mut whole = None;
    let mut reassembler = Reassembler::default();
    for segment in composed.segments.iter().rev() {
        let body =
            smpp::text::Body::new(composed.esm_class(), composed.data_coding, &segment.short_message, &segment.tlvs);
        let Some(part) = Part::of(&body, 1, b"1", b"2", ()) else {
            whole = body.decode(options.codings()).map(|decoded| decoded.text.into_owned());
            continue;
        };
        if let Outcome::Complete(message) = reassembler.insert(part, start()).outcome {
            whole = message.decode(options.codings()).map(|decoded| decoded.text.into_owned());
        }
    }
    let fold = |text: &str| match options.codings().packing() {
        Packing::Packed => text.replace('\r', ""),
        _ => text.to_owned(),
    };
    assert_eq!(whole.as_deref().map(fold), Some(fold(&text)));
}

fn options(input: &mut Unstructured<'_>) -> Result<(TextOptions, String)> {
    use LongMessages::{Payload, Sar, Udh8, Udh16};
    let alphabet = *input.choose(&[Charset::Gsm7, Charset::Latin1, Charset::Utf8, Charset::ShiftJis])?;
    let packing = *input.choose(&[Packing::Unpacked, Packing::Packed])?;
    let options = TextOptions::default()
        .with_codings(Codings::default().with_default_alphabet(alphabet).with_packing(packing))
        .with_long_messages(*input.choose(&[Udh8, Udh16, Sar, Payload])?)
        .with_languages([*input.choose(&Language::ALL)?])
        .with_latin1(input.arbitrary()?)
        .with_graphemes(input.arbitrary()?)
        .with_part_octets(input.arbitrary()?);
    let text = String::from_utf8_lossy(input.bytes(input.len())?).into_owned();
    Ok((options, text))
}

/// A receipt is read whatever it is, and what is found is written so that it is found again.
pub(super) fn receipt(octets: &[u8]) {
    let receipt = Receipt::from_text(octets);
    assert_eq!(receipt.raw, octets);
    let again = Receipt::from_text(receipt.to_text().as_bytes());
    assert_eq!(again.submitted, Some(receipt.submitted.unwrap_or(1)));
    assert_eq!(again.state, Some(receipt.state.unwrap_or(smpp::types::MessageState::UNKNOWN)));
    assert_eq!(receipt.is_final(), again.is_final());
    if let Some(id) = &receipt.id {
        let mut outstanding = IdIndex::default();
        outstanding.insert(id);
        let found = IdMatcher::new(IdMatching::Auto).find_for(&receipt, &outstanding);
        assert!(matches!(found, IdMatch::Matched { id: found, .. } if found == *id));
    }
}

/// Parts in any order: what is held is bounded, and every part comes back once.
pub(super) fn reassembly(octets: &[u8]) {
    const OCTETS: usize = 20_000;
    const GROUPS: usize = 8;
    let limits = ReassemblyLimits::default()
        .with_octets(OCTETS)
        .with_octets_per_source(OCTETS / 2)
        .with_groups(GROUPS)
        .with_groups_per_source(GROUPS / 2)
        .with_age(Duration::from_secs(60));
    let (mut reassembler, mut back, mut count) = (Reassembler::new(limits), BTreeSet::new(), 0usize);
    let mut now = start();
    for step in octets.chunks_exact(5) {
        let [who, reference, total, part, length] = *step else { return };
        now += Duration::from_secs(u64::from(length % 16));
        let kind = [ConcatenationKind::Udh8, ConcatenationKind::Udh16, ConcatenationKind::Sar][usize::from(who % 3)];
        let text = vec![reference; usize::from(length) * 8];
        let insertion = reassembler.insert(
            Part {
                link: u64::from(who & 1),
                source: &[who >> 4],
                destination: b"",
                concatenation: Concatenation { kind, reference: (reference % 4).into(), total, part },
                data_coding: DataCoding::DEFAULT,
                tables: Gsm7::DEFAULT,
                header_length: 6,
                text: &text,
                tag: count,
            },
            now,
        );
        let held = insertion.abandoned.into_iter().flat_map(|old| old.message.parts);
        let mut returned: Vec<usize> = held.map(|part| part.tag).collect();
        match insertion.outcome {
            Outcome::Complete(message) => {
                assert!(message.is_complete());
                returned.extend(message.parts.iter().map(|part| part.tag));
            }
            Outcome::Duplicate(tag) | Outcome::Refused(tag) => returned.push(tag),
            _ => {}
        }
        returned.into_iter().for_each(|tag| assert!(back.insert(tag), "{tag} came back twice"));
        assert!(reassembler.octets() <= OCTETS && reassembler.groups() <= GROUPS);
        count += 1;
    }
    let rest = [0, 1].into_iter().flat_map(|link| reassembler.close_link(link)).flat_map(|old| old.message.parts);
    rest.for_each(|part| assert!(back.insert(part.tag), "{} came back twice", part.tag));
    assert_eq!(back, (0..count).collect());
    assert_eq!((reassembler.groups(), reassembler.octets(), reassembler.next_timeout()), (0, 0, None));
}

/// Any instant to count from.
fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    Instant::now()
}
