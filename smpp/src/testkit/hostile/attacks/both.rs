use std::time::Duration;

use super::{Script, attack};
use crate::pdu::{BindReceiver, GenericNack, QuerySmResp, SubmitSmResp, Unbind};
use crate::testkit::hostile::octets::{Message, SOURCE, claiming, enquire_link, raw, request, response, tlv};
use crate::testkit::hostile::{Attack, Step, Victim};
use crate::types::{CommandId, CommandStatus};

/// What both ends have to withstand.
pub(super) fn both(victim: Victim, message: Message) -> Vec<Attack> {
    [
        framing(victim, message),
        bodies(victim, message),
        tlvs(victim, message),
        text(victim, message),
        flow(victim, message),
    ]
    .concat()
}

/// command_length, and how octets come.
fn framing(victim: Victim, message: Message) -> Vec<Attack> {
    let on = |name, about| attack(victim, name, about);
    let nack = |script: Script, number| script.expect(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, number);
    let length = |name, length| {
        let about = "command_length is below a header's: to loop on it or to subtract from it would hang or panic";
        nack(on(name, about).write(claiming(length, CommandId::ENQUIRE_LINK, 7, b"")), 0).closes()
    };
    let large = |name, length| {
        let about =
            "command_length is beyond any limit, and negative if read as signed: nothing may be reserved for it";
        nack(on(name, about).write(claiming(length, message.command_id(), 7, b"")), 7).closes()
    };
    vec![
        length("length_0", 0),
        length("length_4", 4),
        length("length_15", 15),
        large("length_0x7fffffff", 0x7fff_ffff),
        large("length_0x80000010", 0x8000_0010),
        large("length_0xffffffff", 0xffff_ffff),
        on("large_length_then_silence", "A legal length and no body: memory and a link are held for nothing")
            .write(claiming(100_000, message.command_id(), 7, b""))
            .closes(),
        on("slow_pdu", "A PDU of one octet a minute: traffic that never becomes anything")
            .step(Step::Drip(message.proper(7), Duration::from_secs(60)))
            .closes(),
        on("many_in_one_segment", "A hundred PDUs in one segment: each is to be answered")
            .step(Step::Flood(enquire_link(7), 100))
            .lives(),
        on("octet_by_octet", "One PDU in as many segments as it has octets")
            .step(Step::Drip(enquire_link(7), Duration::from_millis(1)))
            .expect(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, 7)
            .lives(),
        on("end_inside_pdu", "The stream ends inside a PDU")
            .write(claiming(60, message.command_id(), 7, b"\0\0"))
            .step(Step::HangUp)
            .closes(),
    ]
}

/// Bodies whose fields are not what they should be.
fn bodies(victim: Victim, message: Message) -> Vec<Attack> {
    let on = |name, about| attack(victim, name, about);
    let refused = |script: Script, status| script.expect(message.response(), status, 7).lives();
    let long = [&[b'1'; 21][..], b"\0"].concat();
    let endless = [b'1'; 300];
    vec![
        refused(
            on("body_shorter_than_its_fields", "The PDU ends inside a mandatory field: nothing behind it may be read")
                .write(raw(message.command_id(), 7, b"\0\x01\x01278")),
            CommandStatus::RINVCMDLEN,
        ),
        on("string_without_nul", "A string that goes on to the end of the PDU and has no NUL")
            .write(message.body(7, &endless, b"", b""))
            .lives(),
        match victim {
            Victim::Server => refused(
                on("string_too_long", "A sender of 21 characters; the field has 20").write(message.body(
                    7,
                    &long,
                    b"\0\0",
                    b"\0\0\0\0\x00",
                )),
                CommandStatus::RINVSRCADR,
            ),
            // Real message centres send such.
            Victim::Client => on("string_too_long", "A sender of 21 characters; the field has 20")
                .write(message.body(7, &long, b"\0\0", b"\0\0\0\0\x00"))
                .lives(),
        },
        refused(
            on("sm_length_beyond_the_pdu", "sm_length says more octets than there are").write(message.body(
                7,
                SOURCE,
                b"\0\0",
                b"\0\0\0\0\xfehello",
            )),
            CommandStatus::RINVMSGLEN,
        ),
        on("sm_length_255", "A text of 255 octets, one more than 3.4 has")
            .write(message.with(7, 0, 0, &[b'a'; 255], Default::default()))
            .lives(),
        on("absurd_times", "Month 13, hour 99, an offset of 99 quarters")
            .write(message.body(7, SOURCE, b"991399999999999+\0999999999999999R\0", b"\0\0\0\0\x00"))
            .lives(),
        on("unknown_request", "An operation that no version has")
            .write(raw(CommandId(0x0001_02aa), 7, b"whatever"))
            .expect(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, 7)
            .lives(),
        on("unknown_response", "A response that no version has: nothing answers it")
            .write(raw(CommandId(0x8001_02aa), 7, b"whatever"))
            .lives(),
        on("control_octets", "Escape sequences in addresses: a log must not repeat them")
            .write(message.body(7, b"\x1b[2J\r\n\x07\0", b"\0\0", b"\0\0\0\0\x00"))
            .lives(),
    ]
}

/// TLVs.
fn tlvs(victim: Victim, message: Message) -> Vec<Attack> {
    let on = |name, about| attack(victim, name, about);
    let tail = |name, about, tail: &[u8]| {
        on(name, about)
            .write(message.with_tail(7, tail))
            .expect(message.response(), CommandStatus::RINVTLVSTREAM, 7)
            .lives()
    };
    let payload = tlv(0x0424, b"the other text");
    vec![
        tail("tlv_beyond_the_pdu", "A TLV whose length goes past the PDU", b"\x04\x24\xff\xffabc"),
        tail("tlv_of_one_octet", "One stray octet where a TLV is to be", b"\x04"),
        tail("tlv_of_three_octets", "Three stray octets where a TLV is to be", b"\x04\x24\x00"),
        on("tlv_without_a_value", "A TLV of no octets whose value has two")
            .write(message.with_tail(7, &tlv(0x0204, b"")))
            .lives(),
        on("tlvs_by_the_thousand", "Ten thousand empty TLVs in one PDU")
            .write(message.with_tail(7, &tlv(0x1400, b"").repeat(10_000)))
            .lives(),
        on("tlv_repeated", "The same TLV twice, with two values")
            .write(message.with_tail(7, &[tlv(0x0204, b"\0\x01"), tlv(0x0204, b"\0\x02")].concat()))
            .lives(),
        on("two_texts", "short_message and message_payload at once").write(message.with_tail(7, &payload)).lives(),
    ]
}

/// User data headers and alphabets.
fn text(victim: Victim, message: Message) -> Vec<Attack> {
    let on = |name, about| attack(victim, name, about);
    let header = |name, about, octets: &[u8]| {
        on(name, about).write(message.with(7, 0x40, 0, octets, Default::default())).lives()
    };
    let coded = |name, about, data_coding, octets: &[u8]| {
        on(name, about).write(message.with(7, 0, data_coding, octets, Default::default())).lives()
    };
    let mut first_segments = on("first_segments", "A thousand long messages of which only the first part comes");
    for reference in 0..1000u32 {
        let [.., high, low] = reference.to_be_bytes();
        let part = message.with(100 + reference, 0x40, 0, &[6, 8, 4, high, low, 255, 1, b'a'], Default::default());
        first_segments = first_segments.write(part);
    }
    let part = |octets: &[u8]| message.with(7, 0x40, 0, octets, Default::default());
    let conflict = [
        part(b"\x05\x00\x03\x01\x02\x01a"),
        part(b"\x05\x00\x03\x01\x03\x01b"),
        part(b"\x05\x00\x03\x01\x02\x01c"),
        part(b"\x06\x08\x04\x00\x01\x02\x02d"),
        part(b"\x05\x00\x03\x01\x03\x02e"),
        part(b"\x05\x00\x03\x01\x02\x02f"),
    ];
    vec![
        on("parts_that_conflict", "Parts of one reference that disagree on how many there are and on what they say")
            .write(conflict.concat())
            .lives(),
        header("udh_of_nothing", "A user data header is announced, and there is no text", b""),
        header("udh_beyond_the_text", "A user data header longer than the text", b"\xffab"),
        header("udh_element_beyond_it", "An element longer than its user data header", b"\x03\x00\xff\x01"),
        header("udh_part_0", "Part 0 of 0", b"\x05\x00\x03\x01\x00\x00a"),
        header("udh_part_beyond_total", "Part 9 of 2", b"\x05\x00\x03\x01\x02\x09a"),
        header(
            "udh_two_parts_in_one",
            "Two places in two long messages",
            b"\x0a\x00\x03\x01\x02\x01\x00\x03\x02\x02\x01a",
        ),
        first_segments.lives(),
        coded(
            "ucs2_half_a_character",
            "UCS-2 of an odd number of octets, with a lone surrogate",
            8,
            b"\xd8\x3d\x00a\xdc",
        ),
        coded(
            "gsm_escape_at_the_end",
            "An escape with nothing behind it, and octets that GSM has not",
            0,
            b"a\xff\x80\x1b",
        ),
        coded("data_coding_reserved", "An alphabet that nobody has defined", 0xcc, b"a\xff\x80\x1b"),
        coded(
            "receipt_in_a_message",
            "A message whose text looks like a receipt",
            0,
            b"id:1 sub:001 dlvrd:001 submit date:2611210504 done date:2611210504 stat:DELIVRD err:000 text:",
        ),
    ]
}

/// Numbers, responses, floods, silence.
fn flow(victim: Victim, message: Message) -> Vec<Attack> {
    let on = |name, about| attack(victim, name, about);
    let echoed = |name, number| {
        on(name, "A number that no PDU should have: it is echoed as it is")
            .write(enquire_link(number))
            .expect(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, number)
            .lives()
    };
    let stray = response(0x1234_5678, CommandStatus::ROK, SubmitSmResp::default());
    let nack = response(0, CommandStatus::RSYSERR, GenericNack::default());
    let wrong = response(0, CommandStatus::ROK, QuerySmResp::default());
    let mut keeps_on = on(
        "traffic_without_answers",
        "A request every 35 seconds, and no enquire_link is ever answered: the peer is there all the same",
    )
    .step(Step::StopAnswering);
    for _ in 0..20 {
        keeps_on = keeps_on.write(enquire_link(7)).step(Step::Wait(Duration::from_secs(35)));
    }
    vec![
        echoed("number_0", 0),
        echoed("number_0x80000000", 0x8000_0000),
        echoed("number_0xffffffff", 0xffff_ffff),
        on("number_twice", "Two requests of one number before the first is answered: both are answered")
            .write([message.proper(7), message.proper(7)].concat())
            .lives(),
        on("second_bind", "A bind of who is bound")
            .write(request(7, BindReceiver::default()))
            .expect(CommandId::BIND_RECEIVER_RESP, expected_of_bind(victim), 7)
            .lives(),
        on("response_to_nothing", "A response to a request that was never sent, twice")
            .write([stray.clone(), stray.clone()].concat())
            .lives(),
        on("wrong_response", "enquire_link is answered by query_sm_resp")
            .step(Step::StopAnswering)
            .step(Step::Answer { command_id: CommandId::ENQUIRE_LINK, octets: wrong })
            .either(),
        on("enquire_link_flood", "Ten thousand enquire_link").step(Step::Flood(enquire_link(7), 10_000)).either(),
        on("generic_nack_flood", "Ten thousand generic_nack").step(Step::Flood(nack, 10_000)).either(),
        on("unbind_flood", "Ten thousand unbind").step(Step::Flood(request(7, Unbind::default()), 10_000)).closes(),
        on("response_flood", "Ten thousand responses to nothing").step(Step::Flood(stray, 10_000)).either(),
        on("request_flood", "A hundred thousand messages, as fast as they go")
            .step(Step::Flood(message.proper(7), 100_000))
            .lives(),
        on("bad_pdu_flood", "Ten thousand messages that cannot be read")
            .step(Step::Flood(raw(message.command_id(), 7, b"\0"), 10_000))
            .either(),
        on("never_answers", "The peer reads and never says anything, as one that vanished")
            .step(Step::StopAnswering)
            .closes(),
        keeps_on.either(),
        on("stops_reading", "The peer sends requests and does not read the answers")
            .step(Step::StopReading)
            .step(Step::Flood(enquire_link(7), 1_000_000))
            .closes(),
        on("unbind_at_work", "Requests and then unbind: they are answered, and so is it")
            .write([message.proper(7), message.proper(8), request(9, Unbind::default())].concat())
            .expect(CommandId::UNBIND_RESP, CommandStatus::ROK, 9)
            .closes(),
        on("gone_after_unbind", "unbind and the end of the stream in one segment")
            .write(request(9, Unbind::default()))
            .step(Step::HangUp)
            .closes(),
        on("gone_at_work", "Requests and the end of the stream in one segment")
            .write([message.proper(7), message.proper(8)].concat())
            .step(Step::HangUp)
            .closes(),
    ]
}

/// What a bind is answered by who is bound, or never takes one.
fn expected_of_bind(victim: Victim) -> CommandStatus {
    match victim {
        Victim::Server => CommandStatus::RALYBND,
        Victim::Client => CommandStatus::RINVBNDSTS,
    }
}
