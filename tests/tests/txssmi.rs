//! A whole session each way with txssmi, a real SSMI client, and with a gateway made of its parser.

mod peer;

use std::time::Duration;

use peer::{PATIENCE, Peer};
use serde_json::json;
use ssmi::client::{self, Client};
use ssmi::command::{
    DeliveryReport, ExtendedUssdMessage, ImsiLookupReply, Login, Mo, Request, Response, Seq, UssdMessage,
};
use ssmi::server::{self, Server, What};
use ssmi::session::{ClientEvent, CloseReason, ServerEvent};
use ssmi::types::{Coding, DeliveryCode, GenFields, NackType, Octets, Pid, TextEncoding, UssdPhase, UssdType};
use tokio::time::timeout;

const PHONE: &str = "27831234567";
const EXTENDED_PHONE: &str = "27845550123";
const GENFIELDS: &str = "655071122334455:1:3:4411902:2";

fn login(password: &str) -> Login {
    Login { username: "vodka".into(), password: password.into() }
}

/// What the gateway answers, and what its phones do next.
fn gateway(request: Request) -> Vec<Response> {
    let latin1 = |text: &str| TextEncoding::Latin1.encode(text).unwrap();
    match request {
        Request::SendUssdMessage(ussd) if ussd.ussd_type == UssdType::Response => {
            assert_eq!(TextEncoding::Latin1.decode(&ussd.message), "Pick one, please:\n1. Zo\u{eb}");
            let answer = UssdMessage {
                msisdn: PHONE.into(),
                ussd_type: UssdType::Response,
                phase: UssdPhase::Two,
                message: latin1("Zo\u{eb}, 1"),
            };
            vec![answer.into()]
        }
        Request::SendUssdMessage(ussd) => {
            assert_eq!((ussd.ussd_type, ussd.message), (UssdType::End, latin1("You said Zo\u{eb}, 1")));
            vec![extended(UssdType::New, "*120*8864*1108").into()]
        }
        Request::SendExtendedUssdMessage(ussd) => {
            assert_eq!(ussd.genfields, GenFields::from(GENFIELDS));
            match ussd.ussd_type {
                UssdType::Response => vec![extended(UssdType::Response, "2, thanks").into()],
                _ => vec![],
            }
        }
        Request::SendSms(sms) => submitted(sms.msisdn, "9001"),
        Request::SendBinarySms(sms) => {
            assert_eq!((sms.payload().unwrap(), sms.coding), (b"hello".to_vec(), Coding::EightBit));
            submitted(sms.msisdn, "9002")
        }
        Request::ImsiLookup(question) => {
            let (sequence, msisdn) = (question.sequence, question.msisdn);
            vec![ImsiLookupReply { sequence, msisdn, imsi: "655011234509876".into(), spid: "65501".into() }.into()]
        }
        other => panic!("not expected: {other:?}"),
    }
}

fn extended(ussd_type: UssdType, message: &str) -> ExtendedUssdMessage {
    ExtendedUssdMessage {
        msisdn: EXTENDED_PHONE.into(),
        ussd_type,
        phase: UssdPhase::One,
        genfields: GenFields::from(GENFIELDS),
        message: message.into(),
    }
}

fn submitted(msisdn: Octets, sequence: &str) -> Vec<Response> {
    let seq = Seq { msisdn: msisdn.clone(), sequence: sequence.into() };
    vec![seq.into(), DeliveryReport { msisdn, sequence: sequence.into(), ret_code: DeliveryCode::Success }.into()]
}

/// A gateway of ours that knows one account.
async fn our_gateway() -> (Server, server::Events, String) {
    let hook = |login: Login, _| async move {
        if login.password.expose() == "marmalade" { Ok(()) } else { Err(NackType::Credentials) }
    };
    let server = Server::new(hook, server::Config::default());
    let events = server.events().unwrap();
    let address = server.listen("127.0.0.1:0").await.unwrap();
    (server, events, address.port().to_string())
}

#[tokio::test]
#[ignore = "needs txssmi"]
async fn txssmi_as_client_of_our_gateway() {
    let (server, mut events, port) = our_gateway().await;
    let peer = Peer::start("txssmi_client.py", &[&port, "vodka", "marmalade"]);
    let account = Octets::from("vodka");
    let mut requests = Vec::new();
    let closed = loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("the peer hangs").unwrap();
        match event.what {
            What::Session(ServerEvent::LoggedIn) => {
                let dial = UssdMessage {
                    msisdn: PHONE.into(),
                    ussd_type: UssdType::New,
                    phase: UssdPhase::Two,
                    message: "*120*8864*1377#".into(),
                };
                server.send(&account, dial).await.unwrap();
                let mo = Mo { msisdn: PHONE.into(), sequence: "1".into(), message: "STOP, please".into() };
                server.send(&account, mo).await.unwrap();
            }
            What::Session(ServerEvent::Received(request)) => {
                requests.push(request.name());
                for response in gateway(request) {
                    server.send(&account, response).await.unwrap();
                }
            }
            What::Closed(reason) => break reason,
            other => panic!("not expected: {other:?}"),
        }
    };
    assert_eq!(closed, CloseReason::LoggedOut);
    assert_eq!(
        requests,
        [
            "SEND_USSD_MESSAGE",
            "SEND_USSD_MESSAGE",
            "SEND_EXTENDED_USSD_MESSAGE",
            "SEND_EXTENDED_USSD_MESSAGE",
            "SEND_SMS",
            "SEND_BINARY_SMS",
            "IMSI_LOOKUP"
        ]
    );
    let seen = peer.rest().await;
    let kinds: Vec<_> = seen.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    let once = |kind: &str| {
        let mut found = seen.iter().filter(|object| object["kind"] == kind);
        (found.next().unwrap().clone(), found.count())
    };
    assert_eq!(once("login"), (json!({"kind": "login", "accepted": true, "ack_type": "1"}), 0));
    let mo = json!({"kind": "mo", "msisdn": PHONE, "sequence": "1", "message": "STOP, please"});
    assert_eq!(once("mo"), (mo, 0));
    let (first, more) = once("extended ussd");
    assert_eq!((&first["genfields"], &first["message"], more), (&json!(GENFIELDS), &json!("*120*8864*1108"), 1));
    assert_eq!(kinds.iter().filter(|kind| **kind == "report").count(), 2, "{kinds:?}");
    assert_eq!(once("imsi").0["imsi"], "655011234509876");
    assert_eq!(kinds.last(), Some(&"closed"));
}

#[tokio::test]
#[ignore = "needs txssmi"]
async fn txssmi_is_refused_by_our_gateway() {
    let (_server, mut events, port) = our_gateway().await;
    let mut peer = Peer::start("txssmi_client.py", &[&port, "vodka", "wrong"]);
    let event = timeout(PATIENCE, events.recv()).await.expect("the peer hangs").unwrap();
    assert_eq!(event.what, What::Session(ServerEvent::LoginRefused(NackType::Credentials)));
    assert_eq!(peer.next().await, json!({"kind": "login", "accepted": false, "nack_type": "1"}));
}

#[tokio::test]
#[ignore = "needs txssmi"]
async fn our_client_of_a_txssmi_gateway() {
    let mut peer = Peer::start("txssmi_server.py", &["vodka", "marmalade"]);
    let port = peer.next().await["port"].as_u64().unwrap();
    let client = Client::connect(format!("127.0.0.1:{port}"), login("marmalade"), client::Config::default()).unwrap();
    let mut events = client.events().unwrap();
    let mut said = Vec::new();
    loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("the peer hangs").unwrap();
        match event {
            client::Event::Up => {}
            client::Event::Session(ClientEvent::Received(Response::Ack(_))) => {}
            client::Event::Session(ClientEvent::Received(Response::UssdMessage(ussd))) => {
                let text = TextEncoding::Latin1.decode(&ussd.message).into_owned();
                let (ussd_type, reply) = match ussd.ussd_type {
                    UssdType::New => (UssdType::Response, "Pick one, please:\r\n1. Zo\u{eb}".to_owned()),
                    _ => (UssdType::End, format!("You said {text}")),
                };
                said.push(text);
                client.send_ussd(ussd.msisdn, ussd_type, &reply).await.unwrap();
            }
            client::Event::Session(ClientEvent::Received(Response::ExtendedUssdMessage(ussd))) => {
                assert_eq!(ussd.genfields.imsi(), Some(&b"655071122334455"[..]));
                assert_eq!(ussd.phase, UssdPhase::One);
                let new = ussd.ussd_type == UssdType::New;
                said.push(ussd.message.to_text().into_owned());
                let ussd_type = if new { UssdType::Response } else { UssdType::End };
                client.send_extended_ussd(ussd.msisdn, ussd_type, ussd.genfields, "More?").await.unwrap();
                if !new {
                    break;
                }
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    assert_eq!(said, ["*120*8864*1377#", "Zo\u{eb}, 1", "*120*8864*1108", "2, thanks"]);

    let mut sms = client.send_sms("+27821110000", 60, "Your pin is 4711, keep it safe").await.unwrap();
    assert_eq!(sms.sequence(PATIENCE).await, Ok("9001".into()));
    assert_eq!(sms.report(PATIENCE).await.unwrap().ret_code, DeliveryCode::Success);
    let mut binary =
        client.send_binary_sms("27821110000", 0, Pid::Enhanced, Coding::EightBit, b"hello world").await.unwrap();
    let mut push = client.send_wap_push("27821110000", "Ringtone", "http://wap.example.org/r?a=1,2").await.unwrap();
    let mut mms = client.send_mms("27821110000", "Holiday", "beach.gif", b"GIF89a").await.unwrap();
    for (submission, sequence) in [(&mut binary, "9002"), (&mut push, "9003"), (&mut mms, "9004")] {
        assert_eq!(submission.sequence(PATIENCE).await, Ok(sequence.into()));
        assert_eq!(submission.report(PATIENCE).await.unwrap().sequence, sequence);
    }
    assert_eq!(client.imsi_lookup("27821110000").await.unwrap().imsi, "655011234509876");
    client.logout().await;

    let seen = peer.rest().await;
    let find = |kind: &str| seen.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("{kind}"));
    assert_eq!(find("LOGIN")["password"], "marmalade");
    find("LINK_CHECK");
    assert_eq!(find("SEND_USSD_MESSAGE")["message"], "Pick one, please:\n1. Zo\u{eb}");
    assert_eq!(find("SEND_EXTENDED_USSD_MESSAGE")["genfields"], GENFIELDS);
    assert_eq!(find("SEND_SMS")["msisdn"], "27821110000");
    assert_eq!(find("SEND_BINARY_SMS")["hex_msg"], "68656c6c6f20776f726c64");
    assert_eq!(find("SEND_WAP_PUSH_MESSAGE")["url"], "http://wap.example.org/r?a=1,2");
    assert_eq!(find("SEND_MMS_MESSAGE")["content"], "474946383961");
    find("LOGOUT");
    assert_eq!(seen.last().unwrap()["kind"], "closed");
}

#[tokio::test]
#[ignore = "needs txssmi"]
async fn our_client_is_refused_by_a_txssmi_gateway() {
    let mut peer = Peer::start("txssmi_server.py", &["vodka", "marmalade"]);
    let port = peer.next().await["port"].as_u64().unwrap();
    let client = Client::connect(format!("127.0.0.1:{port}"), login("wrong"), client::Config::default()).unwrap();
    let mut events = client.events().unwrap();
    let event = timeout(PATIENCE, events.recv()).await.expect("the peer hangs").unwrap();
    let client::Event::Down { why, retry_in } = event else { panic!("not expected: {event:?}") };
    assert_eq!(why, client::DownReason::Session(CloseReason::LoginRefused(NackType::Credentials)));
    assert!(retry_in >= Duration::from_secs(60), "{retry_in:?}");
    let error = client.send_ussd(PHONE, UssdType::End, "x").await.unwrap_err();
    assert_eq!(error, client::Error::NotConnected);
}
