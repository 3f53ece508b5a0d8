//! PDUs of a message centre in, PDUs to it out: what lies between, by the profiles of vendors.
#![cfg(feature = "smpp")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smpp::{
    codec::Limits,
    pdu::{DeliverSm, Frame, Pdu, SubmitSm},
    text::{Codings, Packing},
    tlv::{Tag, Tlvs},
    types::{
        COctetString, CommandStatus, DataCoding, EsmClass, ItsSessionInfo, MessageState, SequenceNumber, ShortMessage,
        UssdServiceOp,
    },
};
use ussd_session::{
    Action, Config, Effect, Engine, Event, FrameKind, Millis, NetId, OwnedEffect, OwnedEvent, Phase, Policy, PushKind,
    SendWhy, SessionId, Text, TurnToken, Verb,
    adapters::smpp::{self as adapter, CodeField, Mark, Profile, Route, Scheme, Unknown},
};
use world::{LINK, PHONE, describe};

/// An ESME: a profile, the engine, and an application that is told what to reply.
struct Esme {
    engine: Engine,
    profile: Profile,
    now: Millis,
    sessions: Vec<SessionId>,
    turn: Option<TurnToken>,
}

impl Esme {
    fn new(profile: Profile, policy: Policy) -> Self {
        let engine = Engine::new(Config::default().policy(policy));
        Self { engine, profile, now: Millis(1_790_000_000_000), sessions: Vec::new(), turn: None }
    }

    fn receives(&mut self, message: &DeliverSm) -> Vec<String> {
        let outcome = adapter::event(message, &self.profile);
        match outcome {
            Ok(Some(event)) => self.handle(&event),
            Ok(None) => vec!["not USSD".into()],
            Err(ref error) => vec![error.to_string(), adapter::status(&outcome).to_string()],
        }
    }

    fn replies(&mut self, verb: Verb, text: &str) -> Vec<String> {
        let (to, token) = (PHONE.parse().unwrap(), self.turn.unwrap());
        self.handle(&Event::Reply { to, token, verb, text: Text::public(text) }.into())
    }

    fn pushes(&mut self, kind: PushKind, text: &str) -> Vec<String> {
        let to = PHONE.parse().unwrap();
        self.handle(&Event::Push { to, kind, text: Text::public(text), correlation: 1 }.into())
    }

    fn waits(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn handle(&mut self, event: &OwnedEvent) -> Vec<String> {
        let mut effects = Vec::new();
        self.engine.handle(LINK, event.as_event(), self.now, |effect: Effect<'_>| {
            effects.push(OwnedEffect::from(effect));
        });
        effects.iter().map(|effect| self.show(&effect.as_effect())).collect()
    }

    /// A frame as operation, TLVs of the session, text; anything else as in the tables.
    fn show(&mut self, effect: &Effect<'_>) -> String {
        if let Action::Call(callback) = &effect.action {
            self.turn = Some(callback.token());
        }
        let Action::Send(frame) = &effect.action else { return describe(effect, &mut self.sessions) };
        let phase = self.engine.record(LINK, effect.subscriber).map_or(Phase::Unknown, |record| record.phase());
        let route = Route { phase, ..effect.into() };
        let submission = over_the_wire(adapter::request(frame, &route, &self.profile).unwrap());
        assert_eq!(submission.destination, "27831234567".parse().unwrap());
        show(&submission)
    }
}

/// What the other end reads.
fn over_the_wire(submission: SubmitSm) -> SubmitSm {
    let mut octets = BytesMut::new();
    Frame::request(SequenceNumber::default(), submission).encode(&mut octets).unwrap();
    match Frame::decode(octets.freeze(), &Limits::message_centre()).unwrap().pdu {
        Pdu::SubmitSm(submission) => submission,
        other => panic!("{other:?}"),
    }
}

fn show(submission: &SubmitSm) -> String {
    let mut line = submission.service_type.to_text().into_owned();
    for tlv in &submission.tlvs {
        let value: String = tlv.value.iter().map(|octet| format!("{octet:02x}")).collect();
        line += &match tlv.tag {
            Tag::USSD_SERVICE_OP => format!(" op {value}"),
            Tag::ITS_SESSION_INFO => format!(" its {value}"),
            Tag::USER_MESSAGE_REFERENCE => format!(" umr {value}"),
            other => format!(" {other:?} {value}"),
        };
    }
    format!("{line} {:?}", submission.short_message)
}

/// A message with an operation, its_session_info, and a text.
fn deliver(op: u8, session: Option<[u8; 2]>, text: &'static str) -> DeliverSm {
    let mut tlvs = Tlvs::new().with(&UssdServiceOp(op));
    if let Some(session) = session {
        tlvs.push(&ItsSessionInfo::from_octets(session));
    }
    message(tlvs, text)
}

fn message(tlvs: Tlvs, text: &'static str) -> DeliverSm {
    DeliverSm {
        service_type: "USSD".parse().unwrap(),
        source: PHONE.parse().unwrap(),
        destination: "*120*8864#".parse().unwrap(),
        short_message: ShortMessage::new(text).unwrap(),
        tlvs,
        ..DeliverSm::default()
    }
}

/// The same where user_message_reference is the session.
fn deliver_mica(op: u8, reference: [u8; 2], text: &'static str) -> DeliverSm {
    let mut tlvs = Tlvs::new().with(&UssdServiceOp(op));
    tlvs.push_raw(Tag::USER_MESSAGE_REFERENCE, &reference).unwrap();
    message(tlvs, text)
}

const SESSION: [u8; 2] = [0x12, 0x34];

#[test]
fn s18_smpp_octets() {
    let cases = [
        (Profile::generic(), "op 02 its 1234", "op 11 its 1235"),
        (Profile::tata(), "op 02 its 1234", "op 02 its 1235"),
        (Profile::sixdee(), "op 02 its 1234", "op 17 its 1235"),
        (Profile::mica(), "op 02 umr 1234", "op 17 umr 1234"),
    ];
    for (profile, prompt, last) in cases {
        let is_mica = profile == Profile::mica();
        let says = |op, text| match is_mica {
            true => deliver_mica(op, SESSION, text),
            false => deliver(op, Some(SESSION), text),
        };
        let mut esme = Esme::new(profile.clone(), Policy::default());
        assert_eq!(esme.receives(&says(1, "*120*8864#")), ["New"]);
        assert_eq!(esme.replies(Verb::Continue, "1. Balance"), [format!("USSD {prompt} \"1. Balance\"")]);
        assert_eq!(esme.receives(&says(0x12, "1")), ["Ex(1)"]);
        assert_eq!(esme.replies(Verb::End, "R 5"), [format!("USSD {last} \"R 5\""), "Cl(AppEnd)".into()]);

        // The end bit is everyone's end, 0x81 some message centres'.
        esme.receives(&says(1, "*120*8864#"));
        let mut with_end_bit = says(0x12, "2");
        with_end_bit.tlvs.remove(Tag::ITS_SESSION_INFO);
        with_end_bit.tlvs.push(&ItsSessionInfo::from_octets([0x12, 0x35]));
        assert_eq!(esme.receives(&with_end_bit), ["End(User)#2", "Cl(User)#2"]);
        esme.receives(&says(1, "*120*8864#"));
        let aborted = esme.receives(&says(0x81, ""));
        match profile.end.contains(&Mark::op(0x81)) {
            true => assert_eq!(aborted, ["End(User)#3", "Cl(User)#3"]),
            false => assert_eq!(aborted[1], "Invalid TLV value", "{aborted:?}"),
        }
    }
}

#[test]
fn s18_end_bit_is_a_setting() {
    let mut profile = Profile::generic();
    profile.final_sets_end_bit = false;
    let mut esme = Esme::new(profile, Policy::default());
    esme.receives(&deliver(1, Some(SESSION), "*1#"));
    assert_eq!(esme.replies(Verb::End, "x")[0], "USSD op 11 its 1234 \"x\"");
    // Without an end bit, the lowest bit is the id's.
    let mut profile = Profile::generic();
    profile.end_bit = false;
    let mut esme = Esme::new(profile, Policy::default());
    esme.receives(&deliver(1, Some([0x12, 0x35]), "*1#"));
    assert_eq!(esme.replies(Verb::End, "x")[0], "USSD op 11 its 1235 \"x\"");
}

/// A message that a Jasmin user captured: no session, service_type `P2`, data_coding 15.
#[test]
fn s18_captured_message_of_68_octets() {
    let octets =
        b"\0\0\0\x44\0\0\0\x05\0\0\0\0\0\0\0\x02P2\0\x01\x0166977912025\0\x01\x0166923011121\0\0\0\0\0\0\0\0\x0f\0\
        \x06*4006#\x05\x01\0\x01\x01";
    assert_eq!(octets.len(), 68);
    let frame = Frame::decode(Bytes::from_static(octets), &Limits::esme()).unwrap();
    let Pdu::DeliverSm(message) = frame.pdu else { panic!("{frame:?}") };
    let event = adapter::event(&message, &Profile::generic()).unwrap().unwrap();
    let (from, net) = ("66977912025".parse().unwrap(), NetId::NONE);
    let expected = Event::Begin { from, dialled: "*4006#", net, phase: Phase::Two, dedup: None };
    assert_eq!(event.as_event(), expected);
}

#[test]
fn s07_s08_pushes() {
    let cases = [
        (Profile::generic(), "USSD op 02 \"Rate us\"", "USSD op 03 \"Paid 50\""),
        (Profile::tata(), "USSD op 02 its 0000 \"Rate us\"", "USSD op 03 its 0000 \"Paid 50\""),
    ];
    for (profile, ask, tell) in cases {
        let mut esme = Esme::new(profile, Policy::default());
        assert_eq!(esme.pushes(PushKind::Ask, "Rate us"), ["Pushed", ask]);
        assert_eq!(esme.receives(&deliver(18, Some(SESSION), "4")), ["Ex(4)"]);
        // The network's id came with the answer, and is echoed from then on.
        assert!(esme.replies(Verb::End, "Thanks")[0].contains("its 1235"));
        assert_eq!(esme.pushes(PushKind::Tell, "Paid 50"), ["Pushed#2", tell]);
        assert_eq!(esme.receives(&deliver(19, Some(SESSION), "")), ["Cl(AppEnd)#2"]);
    }
}

#[test]
fn s14_phase_1_phone() {
    let mut esme = Esme::new(Profile::generic(), Policy::default());
    esme.receives(&deliver(0, None, "*100#"));
    assert_eq!(esme.replies(Verb::Continue, "Menu"), ["USSD op 10 \"Menu\"", "!PhaseOne", "Cl(AppEnd)"]);
}

/// Only the first octet names the session, and another phone has the same one.
#[test]
fn n15_session_number_wraps() {
    let mut esme = Esme::new(Profile::generic(), Policy::default());
    let other = DeliverSm { source: "27839999999".parse().unwrap(), ..deliver(1, Some([7, 0]), "*1#") };
    assert_eq!(esme.receives(&deliver(1, Some([7, 0]), "*1#")), ["New"]);
    esme.replies(Verb::End, "bye");
    esme.waits(10);
    assert_eq!(esme.receives(&other), ["New#2"]);
    let late = esme.receives(&deliver(18, Some([7, 0]), "1"));
    assert_eq!(late, ["!LateAnswer"], "although another phone has session 7 open");
    assert_eq!(esme.receives(&deliver(1, Some([7, 0]), "*1#")), ["New#3"], "a code always beats a tombstone");
    let mut fresh = Esme::new(Profile::generic(), Policy::default());
    assert_eq!(fresh.receives(&other), ["New"]);
    let orphan = fresh.receives(&deliver(18, Some([7, 0]), "1"));
    assert_eq!(orphan, ["USSD op 11 its 0701 \"expired\"", "!OrphanAnswer"]);
}

#[test]
fn n16_changing_session_id() {
    let play = |profile: Profile, policy: Policy| {
        let mut esme = Esme::new(profile, policy);
        esme.receives(&deliver(1, Some([0, 10]), "*1#"));
        esme.replies(Verb::Continue, "a");
        let answered = esme.receives(&deliver(18, Some([0, 12]), "1"));
        (answered, esme)
    };
    let (answered, _) = play(Profile::generic(), Policy::default());
    assert_eq!(answered, ["USSD op 11 its 000d \"expired\"", "!NetIdMismatch"]);
    let (answered, mut esme) = play(Profile::generic(), Policy::default().net_id_unstable(true));
    assert_eq!(answered, ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::Continue, "b"), ["USSD op 02 its 000c \"b\""], "the reply echoes the latest");
    // Or the profile leaves the id out of account.
    let (answered, mut esme) = play(Profile::by_phone(), Policy::default());
    assert_eq!(answered, ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::Continue, "b"), ["USSD op 02 \"b\""]);
}

#[test]
fn n18_refused_submissions() {
    let (to, token) = (PHONE.parse().unwrap(), TurnToken { session: SessionId::from_bits(1).unwrap(), turn: 2 });
    for status in [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL] {
        assert_eq!(adapter::sent(status, to, token), None, "to be sent again");
    }
    assert_eq!(adapter::sent(CommandStatus::ROK, to, token), Some(Event::SendOk { to, token }));
    let why = SendWhy::Refused(0x0B);
    let refused = adapter::sent(CommandStatus::RINVDSTADR, to, token).unwrap();
    assert_eq!(refused, Event::SendFailed { to, token, why });

    let mut esme = Esme::new(Profile::generic(), Policy::default());
    esme.receives(&deliver(1, Some(SESSION), "*1#"));
    esme.replies(Verb::Continue, "a");
    let refused = adapter::sent(CommandStatus::RINVDSTADR, to, esme.turn.unwrap()).unwrap();
    assert_eq!(esme.handle(&refused.into()), ["End(SendFailed(Refused(11)))", "Cl(SendFailed)"]);
}

#[test]
fn n24_end_bit_beats_the_operation() {
    let mut esme = Esme::new(Profile::sixdee(), Policy::default());
    esme.receives(&deliver(1, Some(SESSION), "*1#"));
    esme.replies(Verb::Continue, "a");
    let ends = deliver(0x12, Some([0x12, 0x35]), "2");
    let event = adapter::event(&ends, &esme.profile).unwrap().unwrap();
    assert!(matches!(event.as_event(), Event::UserEnd { text: Some(text), .. } if text.as_str() == "2"));
    assert_eq!(esme.receives(&ends), ["End(User)", "Cl(User)"]);

    esme.receives(&deliver(1, Some(SESSION), "*1#"));
    esme.replies(Verb::Continue, "a");
    assert_eq!(esme.receives(&deliver(0x20, Some(SESSION), "3")), ["Ex(3)"], "the profile takes it for an answer");
    esme.profile.unknown = Unknown::Refuse;
    let refused = esme.receives(&deliver(0x20, Some(SESSION), "3"));
    assert_eq!(refused, ["ussd_service_op: UssdServiceOp(32) is not in the profile", "Invalid TLV value"]);
}

/// Where the message centre echoes the lower octet, an answer that comes twice is known for what it is.
#[test]
fn n06_turn_in_the_session_id() {
    let mut profile = Profile::generic();
    profile.turn_in_id = true;
    let mut esme = Esme::new(profile, Policy::default());
    esme.receives(&deliver(1, Some([7, 0]), "*1#"));
    assert_eq!(esme.replies(Verb::Continue, "a"), ["USSD op 02 its 0702 \"a\""]);
    assert_eq!(esme.receives(&deliver(18, Some([7, 2]), "1")), ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::Continue, "b"), ["USSD op 02 its 0704 \"b\""]);
    assert_eq!(esme.receives(&deliver(18, Some([7, 2]), "1")), ["USSD op 02 its 0704 \"b\""], "no callback");
    assert_eq!(esme.receives(&deliver(18, Some([7, 4]), "1")), ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::End, "c")[0], "USSD op 11 its 0707 \"c\"");
}

#[test]
fn what_is_not_ussd() {
    let profile = Profile::generic();
    let sms = DeliverSm { service_type: COctetString::EMPTY, ..message(Tlvs::new(), "hi") };
    assert!(adapter::event(&sms, &profile).unwrap().is_none());
    let receipt = Tlvs::new().with(&MessageState::DELIVERED);
    let receipt = DeliverSm { esm_class: EsmClass::DELIVERY_RECEIPT, ..message(receipt, "id:1") };
    assert!(adapter::event(&receipt, &profile).unwrap().is_none());
    let silent = adapter::event(&message(Tlvs::new(), "hi"), &profile);
    assert_eq!(silent.as_ref().unwrap_err(), &adapter::Error::NoOp);
    assert_eq!(adapter::status(&silent), CommandStatus::RMISSINGTLV);
    let national = DeliverSm { source: "0831234567".parse().unwrap(), ..deliver(18, None, "1") };
    let refused = adapter::event(&national, &profile);
    assert_eq!(adapter::status(&refused), CommandStatus::RINVSRCADR);
    let mut profile = Profile::generic();
    profile.country_code = Some("27".into());
    let event = adapter::event(&national, &profile).unwrap().unwrap();
    assert_eq!(event.as_event().subscriber().unwrap().to_string(), "+27831234567");
}

#[test]
fn vendors_session_id_and_letters() {
    let mut profile = Profile::generic();
    profile.session_tag = Some(Tag(0x1501));
    profile.begin = vec![Mark::ServiceType("BR".parse().unwrap())];
    profile.answer = vec![Mark::ServiceType("CA".parse().unwrap())];
    profile.prompt = Mark::ServiceType("CR".parse().unwrap());
    profile.final_text = Mark::ServiceType("EF".parse().unwrap());
    let says = |service_type: &str, text| {
        let mut tlvs = Tlvs::new();
        tlvs.push_raw(Tag(0x1501), b"abcdefghijklmnop").unwrap();
        DeliverSm { service_type: service_type.parse().unwrap(), ..message(tlvs, text) }
    };
    let id = "Tag(0x1501) 6162636465666768696a6b6c6d6e6f70";
    let mut esme = Esme::new(profile, Policy::default());
    assert_eq!(esme.receives(&says("BR", "*1#")), ["New"]);
    assert_eq!(esme.replies(Verb::Continue, "a"), [format!("CR {id} \"a\"")]);
    assert_eq!(esme.receives(&says("CA", "1")), ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::End, "b"), [format!("EF {id} \"b\""), "Cl(AppEnd)".into()]);
    let mut long = says("CA", "1");
    long.tlvs.remove(Tag(0x1501));
    long.tlvs.push_raw(Tag(0x1501), &[7; 65]).unwrap();
    assert_eq!(esme.receives(&long)[1], "Invalid parameter length");
}

/// Octets of a whole PDU with two letters in service_type: written down by hand from the specification's tables, the
/// phone's number and the code as international and unknown.
fn lettered(command: &str, letters: &str, from: &str, to: &str, text: &str) -> Vec<u8> {
    let body = format!("{letters}00 {from} {to} 000000 00 00 00 00 00 00 {:02x} {text}", text.len() / 2);
    let octets = hex::decode(body.replace(' ', "")).unwrap();
    let header = format!("{:08x}{command}0000000000000001", 16 + octets.len());
    [hex::decode(header).unwrap(), octets].concat()
}

#[test]
fn two_letters_to_the_octet() {
    let (phone, code) = ("0101 323738333132333435363700", "0000 2a3132302300");
    let received = |letters: &str, text: &str| {
        let octets = Bytes::from(lettered("00000005", letters, phone, code, text));
        match Frame::decode(octets, &Limits::esme()).unwrap().pdu {
            Pdu::DeliverSm(message) => message,
            other => panic!("{other:?}"),
        }
    };
    let sent = |kind, dialled, text| {
        let frame = ussd_session::Frame { kind, net: NetId::NONE, token: None, text: Text::public(text), again: false };
        let route = Route { to: PHONE.parse().unwrap(), dialled, phase: Phase::Two };
        let submission = adapter::request(&frame, &route, &Profile::two_letters()).unwrap();
        let mut octets = BytesMut::new();
        Frame::request(SequenceNumber::default(), submission).encode(&mut octets).unwrap();
        octets.to_vec()
    };
    let mut esme = Esme::new(Profile::two_letters(), Policy::default());
    assert_eq!(esme.receives(&received("4252", "")), ["New"]);
    assert_eq!(esme.replies(Verb::Continue, "a"), ["CR \"a\""]);
    assert_eq!(esme.receives(&received("4341", "31")), ["Ex(1)"]);
    assert_eq!(esme.replies(Verb::End, "b"), ["EF \"b\"", "Cl(AppEnd)"]);
    assert_eq!(esme.receives(&received("4252", "")), ["New#2"]);
    assert_eq!(esme.receives(&received("4146", "")), ["End(User)#2", "Cl(User)#2"], "the phone aborts");
    // A charge is no part of a dialogue, and an SMS neither.
    assert_eq!(esme.receives(&received("4652", "")), ["ussd_service_op: missing", "Expected TLV missing"]);
    assert_eq!(esme.receives(&received("", "")), ["not USSD"]);

    for (kind, letters, text, octets) in [
        (FrameKind::Prompt, "4352", "a", "61"),
        (FrameKind::Final, "4546", "b", "62"),
        (FrameKind::AskPush, "4252", "Rate", "52617465"),
        (FrameKind::TellPush, "424e", "Paid", "50616964"),
        (FrameKind::Abort, "4146", "", ""),
    ] {
        assert_eq!(sent(kind, "*120#", text), lettered("00000004", letters, code, phone, octets), "{kind:?}");
    }
    let whole = "00000034000000040000000000000001 435200 00002a3132302300 0101323738333132333435363700 \
                 000000 0000 00 00 00 00 01 61";
    assert_eq!(hex::encode(sent(FrameKind::Prompt, "*120#", "a")), whole.replace(' ', ""));
}

#[test]
fn code_from_either_field() {
    let empty = deliver(1, None, "");
    let both = deliver(1, None, "*77#");
    let dialled = |message: &DeliverSm, profile: &Profile| {
        let event = adapter::event(message, profile).unwrap().unwrap();
        let Event::Begin { dialled, .. } = event.as_event() else { panic!("{event:?}") };
        dialled.to_owned()
    };
    let mut profile = Profile::generic();
    assert_eq!((dialled(&both, &profile), dialled(&empty, &profile)), ("*77#".into(), "*120*8864#".into()));
    profile.code = CodeField::DestinationAddr;
    assert_eq!(dialled(&both, &profile), "*120*8864#");
}

#[test]
fn what_is_sent() {
    let (to, net) = (PHONE.parse().unwrap(), NetId::NONE);
    let sent = |kind, dialled: &str, text: &str, profile: &Profile| {
        let frame = ussd_session::Frame { kind, net: net.clone(), token: None, text: Text::public(text), again: false };
        adapter::request(&frame, &Route { to, dialled, phase: Phase::Two }, profile)
    };
    let profile = Profile::generic();
    let plain = sent(FrameKind::Prompt, "*120*8864#", "a", &profile).unwrap();
    assert_eq!((&plain.source.addr, plain.source.ton.0), (&"*120*8864#".parse().unwrap(), 0));
    assert_eq!(plain.data_coding, DataCoding(0));
    // A code too long for an address is left to the message centre; nobody can dial himself out of an answer.
    let long = sent(FrameKind::Prompt, "*120*8864*1234567890#", "a", &profile).unwrap();
    assert!(long.source.addr.is_empty());
    let mut fixed = profile.clone();
    fixed.source = Some("8864".parse().unwrap());
    assert_eq!(sent(FrameKind::AskPush, "", "a", &fixed).unwrap().source.addr, "8864");

    let amharic = sent(FrameKind::Prompt, "", "\u{1200}", &profile).unwrap();
    assert_eq!((amharic.data_coding, &amharic.short_message.as_bytes()[..]), (DataCoding(8), &b"\x12\x00"[..]));
    let mut cbs = profile.clone();
    cbs.text.scheme = Scheme::Cbs;
    cbs.text.codings = Codings::default().with_packing(Packing::Packed);
    cbs.text.data_coding = DataCoding(15);
    cbs.text.ucs2 = Some(DataCoding(0x48));
    let packed = sent(FrameKind::Prompt, "", "hello", &cbs).unwrap();
    assert_eq!(
        (packed.data_coding, &packed.short_message.as_bytes()[..]),
        (DataCoding(15), &b"\xE8\x32\x9B\xFD\x06"[..])
    );
    assert_eq!(sent(FrameKind::Prompt, "", "\u{1200}", &cbs).unwrap().data_coding, DataCoding(0x48));

    let refused = sent(FrameKind::Prompt, "", &"a".repeat(183), &profile).unwrap_err();
    assert_eq!(refused.to_string(), "short_message: 161 octets on the air, at most 160 are possible");
    let mut wide = profile.clone();
    wide.text.max_octets = 300;
    let refused = sent(FrameKind::Prompt, "", &"a".repeat(255), &wide).unwrap_err();
    assert_eq!(refused, adapter::Error::TooLong { octets: 255, max: 254 });
    let abort = sent(FrameKind::Abort, "", "", &profile).unwrap_err();
    assert_eq!(abort, adapter::Error::Unsupported(FrameKind::Abort));
    let redirected = sent(FrameKind::Redirect, "*1#", "*2#", &Profile::by_phone()).unwrap();
    assert_eq!(show(&redirected), "USSD op 04 \"*2#\"");
}

#[test]
#[cfg(feature = "serde")]
fn profiles_are_data() {
    for profile in [
        Profile::generic(),
        Profile::tata(),
        Profile::sixdee(),
        Profile::mica(),
        Profile::by_phone(),
        Profile::two_letters(),
    ] {
        let written = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&written).unwrap(), profile);
    }
    let text =
        r#"{ "begin": ["BR", 1], "final_text": 23, "session_tag": 516, "text": { "scheme": "cbs", "ucs2": 72 } }"#;
    let profile: Profile = serde_json::from_str(text).unwrap();
    assert_eq!(profile.begin, [Mark::ServiceType("BR".parse().unwrap()), Mark::op(1)]);
    assert_eq!((profile.final_text, profile.session_tag), (Mark::op(23), Some(Tag::USER_MESSAGE_REFERENCE)));
    assert_eq!((profile.text.scheme, profile.text.ucs2), (Scheme::Cbs, Some(DataCoding(0x48))));
    assert_eq!(profile.answer, Profile::generic().answer);
    assert!(serde_json::from_str::<Profile>(r#"{ "prompd": 2 }"#).is_err());
}
