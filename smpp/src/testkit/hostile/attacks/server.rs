use std::time::Duration;

use bytes::Bytes;

use super::{Script, attack};
use crate::pdu::BindTransceiver;
use crate::session::BindKind;
use crate::testkit::hostile::octets::{Message, SOURCE, claiming, enquire_link, raw, request};
use crate::testkit::hostile::{Attack, Step, Victim};
use crate::types::{COctetString, CommandId, CommandStatus, InterfaceVersion};

/// What only a message centre has to withstand.
pub(super) fn server() -> Vec<Attack> {
    let on = |name, about| attack(Victim::Server, name, about);
    let credentials = |system_id: &[u8], password: &[u8]| BindTransceiver {
        system_id: COctetString::new(system_id).unwrap_or_default(),
        password: COctetString::new(password).unwrap_or_default().into(),
        ..Default::default()
    };
    let mut keeps_alive =
        on("enquire_link_and_wait", "A connection that never binds and keeps itself alive").bound(None);
    for _ in 0..300 {
        keeps_alive = keeps_alive.write(enquire_link(7)).step(Step::Wait(Duration::from_secs(1)));
    }
    let refused = |script: Script, answer: CommandId| script.expect(answer, CommandStatus::RINVBNDSTS, 7).lives();
    let proxied = |name, about, header: &[u8]| {
        let bind = request(7, credentials(b"hostile", b"hostile"));
        on(name, about).bound(None).write([header, &bind].concat()).closes()
    };
    let multi = [b"\0\x01\x01", SOURCE, b"\xff\x01\x01\x01278\0"].concat();
    let many = [b"\0\x01\x01", SOURCE, b"\xff", &b"\x01\x01\x01278\0".repeat(255)[..], &[0; 9]].concat();
    vec![
        on("long_pdu_before_bind", "More than any bind has, before there is one")
            .bound(None)
            .write(claiming(1025, CommandId::BIND_TRANSCEIVER, 7, b""))
            .expect(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, 7)
            .closes(),
        on("http_request", "A browser at the door: its first octets are read as a length")
            .bound(None)
            .write(&b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n"[..])
            .closes(),
        on("tls_hello", "TLS at a port without it")
            .bound(None)
            .write(&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\0\0\0\0\0"[..])
            .closes(),
        on(
            "tls_half_hello",
            "Half a TLS ClientHello, octet by octet: a port with TLS must not wait for the rest for ever",
        )
        .bound(None)
        .step(Step::Drip(half_a_hello(), Duration::from_secs(1)))
        .closes(),
        proxied("proxy_header", "A PROXY header of version 1 that claims an address, and a bind", PROXY_1),
        proxied("proxy_header_binary", "A PROXY header of version 2 that claims an address, and a bind", PROXY_2),
        on("proxy_header_endless", "A PROXY header without an end")
            .bound(None)
            .write(&b"PROXY TCP4 "[..])
            .step(Step::Flood(b"1"[..].into(), 1_000_000))
            .closes(),
        on("connect_and_wait", "A connection that never binds").bound(None).closes(),
        keeps_alive.closes(),
        refused(
            on("submit_before_bind", "A message of who is not bound").bound(None).write(Message::Submit.proper(7)),
            CommandId::SUBMIT_SM_RESP,
        ),
        on("requests_before_bind", "Ten thousand messages of who is not bound")
            .bound(None)
            .step(Step::Flood(Message::Submit.proper(7), 10_000))
            .closes(),
        on("wrong_password", "A bind with a wrong password")
            .bound(None)
            .write(request(7, credentials(b"hostile", b"wrong")))
            .expect(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::RINVPASWD, 7)
            .closes(),
        on("odd_system_id", "A system_id that is no text: a log must not repeat it")
            .bound(None)
            .write(request(7, credentials(b"\x1b[2J\r\n\xff", b"")))
            .expect(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::RINVSYSID, 7)
            .closes(),
        on("version_0", "A bind of a version that never was")
            .bound(None)
            .write(request(
                7,
                BindTransceiver { interface_version: InterfaceVersion(0), ..credentials(b"hostile", b"hostile") },
            ))
            .either(),
        refused(
            on("deliver_to_server", "deliver_sm, which only a message centre sends").write(Message::Deliver.proper(7)),
            CommandId::DELIVER_SM_RESP,
        ),
        refused(
            on("submit_of_receiver", "A message over a link that only receives")
                .bound(Some(BindKind::Receiver))
                .write(Message::Submit.proper(7)),
            CommandId::SUBMIT_SM_RESP,
        ),
        on("recipients_that_are_not_there", "submit_multi says 255 recipients and has one")
            .write(raw(CommandId::SUBMIT_MULTI, 7, &multi))
            .lives(),
        on("recipients_255", "submit_multi with 255 recipients").write(raw(CommandId::SUBMIT_MULTI, 7, &many)).lives(),
    ]
}

/// A ClientHello of 512 octets, as far as its random number.
fn half_a_hello() -> Bytes {
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend(0..32);
    hello.into()
}

/// As a proxy says whom it speaks for (the PROXY protocol, sections 2.1 and 2.2): 10.0.0.1, port 4000.
const PROXY_1: &[u8] = b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 2775\r\n";
const PROXY_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x0f\xa0\x0a\xd7";
