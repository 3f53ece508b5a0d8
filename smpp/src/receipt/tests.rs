//! The variants seen in the field, one test each.

use proptest::prelude::*;

use super::*;
use crate::tlv::ReceiptedMessageId;
use crate::types::{Address, COctetString, ErrorNetwork, ShortMessage};

fn read(text: &str) -> Receipt {
    Receipt::from_text(text.as_bytes())
}

fn words(receipt: &Receipt) -> [Option<&str>; 4] {
    let Receipt { id, stat, err, text, .. } = receipt;
    [id, stat, err, text].map(|field| field.as_deref())
}

fn date(date: &Option<ReceiptDate>) -> String {
    date.as_ref().and_then(|date| date.at).map_or_else(|| "-".to_owned(), |at| at.to_string())
}

fn dates(text: &str) -> [String; 2] {
    let receipt = read(text);
    [date(&receipt.submit_date), date(&receipt.done_date)]
}

fn id_tlv(id: &str) -> ReceiptedMessageId {
    ReceiptedMessageId(COctetString::new(id.as_bytes()).unwrap())
}

fn deliver_sm(esm_class: u8, data_coding: u8, text: &[u8], tlvs: Tlvs) -> DeliverSm {
    DeliverSm {
        source: Address::international("27831234567").unwrap(),
        esm_class: EsmClass(esm_class),
        data_coding: DataCoding(data_coding),
        short_message: ShortMessage::try_from(text).unwrap(),
        tlvs,
        ..DeliverSm::default()
    }
}

fn receipt(esm_class: u8, data_coding: u8, text: &[u8], tlvs: Tlvs) -> Option<Receipt> {
    Receipt::from_deliver_sm(&deliver_sm(esm_class, data_coding, text, tlvs))
}

#[test]
fn appendix_b() {
    let text =
        "id:0123456789 sub:001 dlvrd:000 submit date:2601311200 done date:2601311205 stat:UNDELIV err:021 Text:Hello";
    let receipt = read(text);
    assert_eq!(words(&receipt), [Some("0123456789"), Some("UNDELIV"), Some("021"), Some("Hello")]);
    assert_eq!((receipt.submitted, receipt.delivered), (Some(1), Some(0)));
    assert_eq!(receipt.state, Some(MessageState::UNDELIVERABLE));
    assert_eq!(dates(text), ["2026-01-31 12:00:00.0", "2026-01-31 12:05:00.0"]);
    assert_eq!(receipt.raw, text.as_bytes());
}

#[test]
fn variant_01_case_of_labels_and_no_text() {
    assert_eq!(words(&read("id:1 stat:DELIVRD Text:a")), words(&read("ID:1 STAT:DELIVRD text:a")));
    let receipt = read("id:1 Dlvrd:001 stat:DELIVRD");
    assert_eq!((receipt.delivered, receipt.text), (Some(1), None));
}

#[test]
fn variant_02_dates_with_seconds() {
    assert_eq!(
        dates("submit date:141016003650 done date:080901113012"),
        ["2014-10-16 0:36:50.0", "2008-09-01 11:30:12.0"]
    );
}

#[test]
fn variant_03_dates_with_century_and_seconds() {
    assert_eq!(dates("submit date:20110314181534 done date:20110314181741")[1], "2011-03-14 18:17:41.0");
}

#[test]
fn variant_04_dates_with_century_and_without_seconds() {
    assert_eq!(dates("submit date:201506201641")[0], "2015-06-20 16:41:00.0");
}

#[test]
fn variant_05_lengths_of_dates_mixed() {
    let mixed = dates("submit date:2302231414 done date:230223194211");
    assert_eq!(mixed, ["2023-02-23 14:14:00.0", "2023-02-23 19:42:11.0"]);
    assert_eq!(dates("submit date:161008120127 done date:1610081500")[1], "2016-10-08 15:00:00.0");
}

#[test]
fn variant_06_dates_that_are_none() {
    let receipt = read("submit date:0000000000 done date:7001010000");
    assert_eq!([date(&receipt.submit_date), date(&receipt.done_date)], ["-", "-"]);
    assert_eq!(receipt.submit_date.unwrap().raw, "0000000000");
    assert_eq!(dates("done date:000000000000")[1], "-");
}

#[test]
fn variant_07_labels_of_dates_without_the_space() {
    let text =
        "id:0118Z-0122I-2309U-57DGB sub:001 dlvrd:000 submitdate:1101180122 donedate:1101180123 stat:REJECTD err:375";
    assert_eq!(words(&read(text)), [Some("0118Z-0122I-2309U-57DGB"), Some("REJECTD"), Some("375"), None]);
    assert_eq!(dates(text), ["2011-01-18 1:22:00.0", "2011-01-18 1:23:00.0"]);
}

#[test]
fn variant_08_underscores_another_separator_and_an_id_of_octets() {
    let octets = b"Id:\x12\x20\x0a\xff\x00\x03\x09\x41\x42\x99 sub=001 dlvrd=001 Submit_Date=2601311200 Done_Date=2601311201 Stat=DELIVRD Err=000 Txt=ab";
    let receipt = Receipt::from_text(octets);
    let id: String = b"\x12\x20\x0a\xff\x00\x03\x09\x41\x42\x99".iter().copied().map(char::from).collect();
    assert_eq!(words(&receipt), [Some(&id[..]), Some("DELIVRD"), Some("000"), Some("ab")]);
    assert_eq!(date(&receipt.done_date), "2026-01-31 12:01:00.0");
}

#[test]
fn variant_09_counters_missing() {
    let receipt = read("id:1526758174 submit date:1701240904 done date:1701250907 stat:DELIVRD err:000 text:");
    assert_eq!((receipt.submitted, receipt.delivered, receipt.outcome()), (None, None, Outcome::Delivered));
    let receipt = read("id:86 submit date:1701240904 done date:1701250907 stat:DELIVRD");
    assert_eq!(words(&receipt), [Some("86"), Some("DELIVRD"), None, None]);
}

#[test]
fn variant_10_another_order() {
    let receipt =
        read("sub:001 id:1747 err:000 dlvrd:001 done date:2601311200 stat:EXPIRED submit date:2601311200 text:x");
    assert_eq!(words(&receipt), [Some("1747"), Some("EXPIRED"), Some("000"), Some("x")]);
    assert_eq!((receipt.delivered, date(&receipt.submit_date)), (Some(1), "2026-01-31 12:00:00.0".to_owned()));
}

#[test]
fn variant_11_hardly_anything() {
    assert_eq!(words(&read("stat:DELIVRD")), [None, Some("DELIVRD"), None, None]);
    assert_eq!(words(&read("id:7 stat:DELIVRD text:")), [Some("7"), Some("DELIVRD"), None, Some("")]);
}

#[test]
fn variant_12_counters_unpadded_or_no_numbers() {
    for (text, submitted, delivered) in [
        ("sub:0 dlvrd:13", Some(0), Some(13)),
        ("sub:1 dlvrd:1", Some(1), Some(1)),
        ("sub:null dlvrd:null err:null", None, None),
        ("sub:... dlvrd:000", None, Some(0)),
        ("sub:234 dlvrd:99999999999", Some(234), None),
    ] {
        let receipt = read(text);
        assert_eq!((receipt.submitted, receipt.delivered), (submitted, delivered), "{text}");
    }
    assert_eq!(read("sub:null err:null").err.as_deref(), Some("null"));
}

#[test]
fn variant_13_counters_always_zero() {
    let receipt = read("id:1 sub:000 dlvrd:000 submit date:2601311200 done date:2601311201 stat:DELIVRD err:000 text:");
    assert_eq!((receipt.delivered, receipt.outcome()), (Some(0), Outcome::Delivered));
}

#[test]
fn variant_14_error_codes_of_any_form() {
    for err in ["0", "500", "0000", "00B", "21b", "4A6", "E"] {
        assert_eq!(read(&format!("id:1 stat:UNDELIV err:{err} Text:")).err.as_deref(), Some(err));
    }
}

#[test]
fn variant_15_words_of_another_length() {
    for (word, state) in [
        ("FAILED", MessageState::UNDELIVERABLE),
        ("DELIVERD", MessageState::DELIVERED),
        ("DELIVR", MessageState::DELIVERED),
        ("DND_REJECTED", MessageState::REJECTED),
        ("0", MessageState::UNKNOWN),
        ("RT:0148", MessageState::UNKNOWN),
        ("BWLISTS", MessageState::UNKNOWN),
        ("BADSTAT", MessageState::UNKNOWN),
    ] {
        let receipt = read(&format!("id:1 stat:{word} err:000"));
        assert_eq!((receipt.stat.as_deref(), receipt.state), (Some(word), Some(state)));
    }
}

#[test]
fn variant_16_words_of_vendors() {
    for (word, state) in [
        ("BUFFRED", MessageState::ENROUTE),
        ("BUFFERD", MessageState::ENROUTE),
        ("ACKED", MessageState::ENROUTE),
        ("SCHEDLD", MessageState::SCHEDULED),
        ("SKIPPED", MessageState::SKIPPED),
    ] {
        assert_eq!(read(&format!("id:1 stat:{word}")).state, Some(state));
    }
    let enroute = receipt(0x04, 0, b"id:1 stat:ENROUTE", Tlvs::new()).unwrap();
    assert_eq!((enroute.intermediate, enroute.is_final()), (false, false));
}

#[test]
fn variant_17_accepted_first() {
    let receipt = read(
        "id:94251430923 sub:001 dlvrd:001 submit date:0911040124 done date:0911040124 stat:ACCEPTD err:107 text: 26F102",
    );
    assert_eq!(words(&receipt), [Some("94251430923"), Some("ACCEPTD"), Some("107"), Some(" 26F102")]);
    assert!(!receipt.is_final());
}

#[test]
fn variant_18_decimal_in_the_text_and_hexadecimal_in_the_tlv() {
    let tlvs = Tlvs::new().with(&id_tlv("38601fa")).with(&MessageState::DELIVERED);
    let receipt = receipt(0x04, 0, b"id:0059113978 stat:DELIVRD", tlvs).unwrap();
    assert_eq!((receipt.id.as_deref(), receipt.text_id.as_deref()), (Some("38601fa"), Some("0059113978")));
}

#[test]
fn variant_19_decimal_of_64_bits() {
    let id = read("id:9308878062554710043 stat:DELIVRD").id.unwrap();
    assert_eq!(IdRule::HexInResponse.of_receipt(&id), IdRule::HexInResponse.of_response("812FC7470000001B"));
}

#[test]
fn variant_20_decimal_beyond_64_bits() {
    let id = read("id:59071138615259880630 stat:DELIVRD").id.unwrap();
    assert_eq!(id, "59071138615259880630");
    assert_eq!(IdRule::HexInResponse.of_receipt(&id).as_deref(), Some("59071138615259880630"));
}

#[test]
fn variant_21_identifiers_of_any_form() {
    for id in [
        "a4c1d3e2-0b1f-4e5a-9c8d-7f6e5d4c3b2a",
        "6a3ed98a66444e8abac3acd9bba8656f",
        "126E85A6EDEAC1A02020099312479564",
        "1479978899.393701000100",
        "145100315320224957",
        "7",
    ] {
        assert_eq!(read(&format!("id:{id} sub:001 stat:DELIVRD")).id.as_deref(), Some(id));
    }
}

#[test]
fn variant_22_another_case() {
    let mut outstanding = IdIndex::default();
    outstanding.insert("SAR-9f3a");
    let found = IdMatcher::new(IdMatching::Auto).find_for(&read("id:sar-9F3A stat:DELIVRD"), &outstanding);
    assert_eq!(found, IdMatch::Matched { id: "SAR-9f3a".into(), rule: IdRule::IgnoreCase });
}

#[test]
fn variant_23_tlvs_and_no_text_or_another() {
    for text in [&b""[..], b"362d9701 2"] {
        let tlvs = Tlvs::new().with(&id_tlv("362d9701")).with(&MessageState::DELIVERED);
        let receipt = receipt(0x04, 0, text, tlvs).unwrap();
        assert_eq!((receipt.id.as_deref(), receipt.outcome()), (Some("362d9701"), Outcome::Delivered));
        assert_eq!((&receipt.raw[..], receipt.text), (text, None));
    }
}

#[test]
fn variant_24_payload_with_a_nul() {
    let mut tlvs = Tlvs::new();
    tlvs.push_raw(Tag::MESSAGE_PAYLOAD, b"id:8 stat:UNDELIV err:000 text:abc\0").unwrap();
    let receipt = receipt(0x04, 0, b"", tlvs).unwrap();
    assert_eq!(words(&receipt), [Some("8"), Some("UNDELIV"), Some("000"), Some("abc")]);
    assert_eq!(Receipt::from_text(b"id:8 stat:UNDELIV\0").stat.as_deref(), Some("UNDELIV"));
}

#[test]
fn variant_25_in_data_sm() {
    let mut tlvs = Tlvs::new();
    tlvs.push_raw(Tag::MESSAGE_PAYLOAD, b"id:8 stat:DELIVRD").unwrap();
    let pdu = DataSm { esm_class: EsmClass::DELIVERY_RECEIPT, tlvs, ..DataSm::default() };
    assert_eq!(Receipt::from_data_sm(&pdu).unwrap().id.as_deref(), Some("8"));
    let frame = Frame { pdu: pdu.into(), ..Frame::default() };
    assert_eq!(Receipt::from_frame(&frame).unwrap().id.as_deref(), Some("8"));
}

#[test]
fn variant_26_coded_in_ucs2_or_said_to_be() {
    let text = "id:8 stat:DELIVRD err:000 text:\u{416}\u{44f}";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let whole = [Some("8"), Some("DELIVRD"), Some("000"), Some("\u{416}\u{44f}")];
    assert_eq!(words(&receipt(0x04, 8, &utf16, Tlvs::new()).unwrap()), whole);
    assert_eq!(words(&receipt(0x04, 8, &[b"\xfe\xff", &utf16[..]].concat(), Tlvs::new()).unwrap()), whole);
    for data_coding in [0, 1, 3, 8] {
        let receipt = receipt(0x04, data_coding, b"id:8 stat:DELIVRD err:000 text:ab", Tlvs::new()).unwrap();
        assert_eq!(words(&receipt), [Some("8"), Some("DELIVRD"), Some("000"), Some("ab")], "{data_coding}");
    }
    assert!(receipt(0x04, 8, b"", Tlvs::new()).unwrap().is_empty());
}

#[test]
fn variant_27_several_lines() {
    let receipt = read("id:8\r\nsub:001\r\nstat:DELIVRD\nerr:000\r\ntext:two\r\nlines");
    assert_eq!(words(&receipt), [Some("8"), Some("DELIVRD"), Some("000"), Some("two\r\nlines")]);
    assert_eq!(receipt.submitted, Some(1));
}

#[test]
fn variant_28_spaces_and_octets_in_the_text() {
    let padded = read("id:126e85a6edeac1a02020099312479564 stat:DELIVRD err:000 text:Hello               ");
    assert_eq!(padded.text.as_deref(), Some("Hello               "));
    let octets = Receipt::from_text(b"id:8 stat:DELIVRD text:\x84A\x89O\x00\x01\xff");
    assert_eq!(octets.text.as_deref(), Some("\u{84}A\u{89}O\0\u{1}\u{ff}"));
    assert_eq!(octets.stat.as_deref(), Some("DELIVRD"));
}

#[test]
fn variant_29_text_for_something_else() {
    for text in ["GW250 MCC=270 MNC=1 BillingMNC=1", "-", ""] {
        assert_eq!(read(&format!("id:4D19C83C stat:DELIVRD err:0000 text:{text}")).text.as_deref(), Some(text));
    }
}

#[test]
fn variant_30_text_cut_off_by_sm_length() {
    let whole = b"id:8 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 stat:DELIVRD err:000 text:Hello";
    let (head, tail) = whole.split_at(60);
    let pdu = deliver_sm(0x04, 0, head, Tlvs::new()).into();
    let frame = Frame { pdu, rest: Bytes::from_static(tail).into(), ..Frame::default() };
    let receipt = Receipt::from_frame(&frame).unwrap();
    assert_eq!(receipt, Receipt::from_text(whole));
    // Octets that are no text are not joined.
    let broken = Frame { rest: Bytes::from_static(b"\x04\x27\x00\x09\x02").into(), ..frame };
    assert_eq!(&Receipt::from_frame(&broken).unwrap().raw[..], head);
}

#[test]
fn variant_31_network_error_code_in_digits() {
    let mut tlvs = Tlvs::new();
    tlvs.push_raw(Tag::NETWORK_ERROR_CODE, b"000").unwrap();
    let receipt = receipt(0x04, 0, b"id:8 stat:UNDELIV err:000 text:", tlvs).unwrap();
    let error = NetworkErrorCode { network: ErrorNetwork(0x30), code: 0x3030 };
    assert_eq!((receipt.network_error, receipt.err.as_deref()), (Some(error), Some("000")));
}

#[test]
fn variant_32_tlvs_before_text() {
    let tlvs = Tlvs::new().with(&id_tlv("18d0e03a")).with(&MessageState::EXPIRED);
    let receipt = receipt(0x04, 0, b"id:0416342074 stat:DELIVRD", tlvs).unwrap();
    assert_eq!(receipt.id.as_deref(), Some("18d0e03a"));
    assert_eq!((receipt.state, receipt.stat.as_deref()), (Some(MessageState::EXPIRED), Some("DELIVRD")));
    let same = Tlvs::new().with(&id_tlv("7"));
    assert_eq!(self::receipt(0x04, 0, b"id:7 stat:DELIVRD", same).unwrap().text_id, None);
}

#[test]
fn variant_33_tlvs_that_do_not_belong_there() {
    let mut tlvs = Tlvs::new().with(&id_tlv("8"));
    for (tag, value) in [
        (Tag::MORE_MESSAGES_TO_SEND, &b"\x01"[..]),
        (Tag::SOURCE_NETWORK_TYPE, b"\x01"),
        (Tag::DEST_NETWORK_TYPE, b"\x01"),
        (Tag::SOURCE_NODE_ID, b"65501"),
        (Tag(0x1454), b"x"),
        (Tag(0x1418), b""),
    ] {
        tlvs.push_raw(tag, value).unwrap();
    }
    let receipt = receipt(0x04, 0, b"stat:DELIVRD", tlvs).unwrap();
    assert_eq!(words(&receipt), [Some("8"), Some("DELIVRD"), None, None]);
}

#[test]
fn variant_39_header_and_receipt() {
    let receipt = receipt(0x44, 0, b"\x05\x00\x03\x2a\x02\x01id:8 stat:DELIVRD text:abc", Tlvs::new()).unwrap();
    assert_eq!(words(&receipt), [Some("8"), Some("DELIVRD"), None, Some("abc")]);
}

#[test]
fn variant_41_one_tlv_without_the_other() {
    let state = receipt(0x04, 0, b"id:8 sub:001", Tlvs::new().with(&MessageState::REJECTED)).unwrap();
    assert_eq!((state.id.as_deref(), state.outcome()), (Some("8"), Outcome::Failed));
    let id = receipt(0x04, 0, b"stat:DELIVRD", Tlvs::new().with(&id_tlv("8"))).unwrap();
    assert_eq!((id.id.as_deref(), id.outcome()), (Some("8"), Outcome::Delivered));
    // Alone, they make no receipt of a message that does not say to be one.
    assert_eq!(receipt(0x00, 0, b"hello", Tlvs::new().with(&id_tlv("8"))), None);
    assert_eq!(receipt(0x00, 0, b"hello", Tlvs::new().with(&MessageState::DELIVERED)), None);
}

#[test]
fn what_is_a_receipt() {
    let tlvs = Tlvs::new().with(&id_tlv("8")).with(&MessageState::DELIVERED);
    let text = b"id:8 stat:DELIVRD";
    assert!(receipt(0x00, 0, b"", tlvs.clone()).is_some());
    assert!(receipt(0x20, 0, text, Tlvs::new()).unwrap().intermediate);
    // Anybody can write such a text.
    assert_eq!(receipt(0x00, 0, text, Tlvs::new()), None);
    // The acknowledgements of devices and of people are messages.
    assert_eq!((receipt(0x08, 0, text, tlvs.clone()), receipt(0x10, 0, text, tlvs)), (None, None));
    let empty = Tlvs::new().with(&id_tlv("")).with(&MessageState::DELIVERED);
    assert_eq!(receipt(0x00, 0, b"", empty), None);
    assert_eq!(Receipt::from_frame(&Frame::default()), None);
}

#[test]
fn states_of_a_tlv_that_are_reserved_do_not_count() {
    let receipt = receipt(0x04, 0, b"id:8 stat:EXPIRED", Tlvs::new().with(&MessageState(10))).unwrap();
    assert_eq!(receipt.state, Some(MessageState::EXPIRED));
}

proptest! {
    #[test]
    fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200), tail in "(id|stat|text|submit date|err|sub)[:= ]{1,3}") {
        let octets = [&octets[..], tail.as_bytes()].concat();
        let receipt = Receipt::from_text(&octets);
        prop_assert_eq!(&receipt.raw[..], &octets[..]);
        for field in words(&receipt).into_iter().flatten() {
            prop_assert!(field.len() <= 2 * octets.len());
        }
    }

    /// Fields in any order, case and number: each is found.
    #[test]
    fn fields_in_any_order(
        fields in Just(vec!["id:A1-b", "sub:003", "dlvrd:002", "submit date:2601311200", "stat:REJECTD", "err:4A6"])
            .prop_shuffle(),
        present in any::<[bool; 6]>(),
        upper: bool,
        gap in "[ \t\r\n]{1,3}",
    ) {
        let fields: Vec<_> = fields.into_iter().zip(present).filter(|(_, present)| *present).map(|(field, _)| field).collect();
        let line = fields.join(&gap);
        let label = |field: &str| {
            let (label, value) = field.split_once(':').unwrap();
            if upper { format!("{}:{value}", label.to_uppercase()) } else { format!("{label}:{value}") }
        };
        let line = if upper { fields.iter().map(|field| label(field)).collect::<Vec<_>>().join(&gap) } else { line };
        let receipt = read(&line);
        let has = |label: &str| fields.iter().any(|field| field.starts_with(label));
        prop_assert_eq!(receipt.id.as_deref(), has("id").then_some("A1-b"));
        prop_assert_eq!(receipt.submitted, has("sub:").then_some(3));
        prop_assert_eq!(receipt.delivered, has("dlvrd").then_some(2));
        prop_assert_eq!(receipt.submit_date.is_some(), has("submit"));
        prop_assert_eq!(receipt.state, has("stat").then_some(MessageState::REJECTED));
        prop_assert_eq!(receipt.err.as_deref(), has("err").then_some("4A6"));
    }
}
