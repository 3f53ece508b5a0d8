//! Known answers, a line each way.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::codec::{DecodeError, DecodeProblem, EncodeError, EncodeProblem, MAX_LINE};
use crate::types::{AckType, Coding, DeliveryCode, GenFields, NackType, Password, Pid, UssdPhase, UssdType};

fn line(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn request(text: &'static str, expect: impl Into<Request>) {
    let expect = expect.into();
    assert_eq!(Request::decode(&line(text)).as_ref(), Ok(&expect));
    let mut wire = BytesMut::new();
    expect.encode(&mut wire).unwrap();
    assert_eq!(wire, format!("{text}\r"));
}

fn response(text: &'static str, expect: impl Into<Response>) {
    let expect = expect.into();
    assert_eq!(Response::decode(&line(text)).as_ref(), Ok(&expect));
    let mut wire = BytesMut::new();
    expect.encode(&mut wire).unwrap();
    assert_eq!(wire, format!("{text}\r"));
}

#[test]
fn every_request() {
    request("SSMI,1,kudu,p,w", Login { username: "kudu".into(), password: Password::from("p,w") });
    request(
        "SSMI,2,1440,27825550102,Lunch at 13:00, usual place?",
        SendSms {
            validity: "1440".into(),
            msisdn: "27825550102".into(),
            message: "Lunch at 13:00, usual place?".into(),
        },
    );
    request("SSMI,3", LinkCheck {});
    request(
        "SSMI,4,0,27825550108,15,246,62696e61727921",
        SendBinarySms {
            msisdn: "27825550108".into(),
            pid: Pid::Enhanced,
            coding: Coding::EightBit,
            hex_msg: "62696e61727921".into(),
            ..Default::default()
        },
    );
    request("SSMI,99", Logout {});
    request(
        "SSMI,110,27825550112,3,Totsiens",
        SendUssdMessage { msisdn: "27825550112".into(), ussd_type: UssdType::End, message: "Totsiens".into() },
    );
    request(
        "SSMI,111,27825550119,Snowman,snow.jpg,ffd8",
        SendMmsMessage {
            msisdn: "27825550119".into(),
            subject: "Snowman".into(),
            name: "snow.jpg".into(),
            content: "ffd8".into(),
        },
    );
    request(
        "SSMI,112,27825550121,Map,http://m.example.net/?ll=-33.9,18.4",
        SendWapPushMessage {
            msisdn: "27825550121".into(),
            subject: "Map".into(),
            url: "http://m.example.net/?ll=-33.9,18.4".into(),
        },
    );
    request(
        "SSMI,120,27825550123,2,::5,Pick one:\n1. Red",
        SendExtendedUssdMessage {
            msisdn: "27825550123".into(),
            ussd_type: UssdType::Response,
            genfields: GenFields::from("::5"),
            message: "Pick one:\n1. Red".into(),
        },
    );
    request(
        "SSMI,600,312,,655011234500002",
        ImsiLookup { sequence: "312".into(), msisdn: "".into(), imsi: "655011234500002".into() },
    );
}

#[test]
fn every_response() {
    response("SSMI,100,27825550201,A7-x", Seq { msisdn: "27825550201".into(), sequence: "A7-x".into() });
    response("SSMI,101,2", Ack { ack_type: AckType::LinkCheck });
    response("SSMI,102,4", Nack { nack_type: NackType::Suspended });
    response(
        "SSMI,103,27825550203,52,JOIN, please,",
        Mo { msisdn: "27825550203".into(), sequence: "52".into(), message: "JOIN, please,".into() },
    );
    response(
        "SSMI,104,27825550205,40001,3",
        DeliveryReport { msisdn: "27825550205".into(), sequence: "40001".into(), ret_code: DeliveryCode::Barred },
    );
    response("SSMI,105,", FreeForm { text: "".into() });
    response(
        "SSMI,106,27825550206,55,0,246,deadbeef",
        BinaryMo {
            msisdn: "27825550206".into(),
            sequence: "55".into(),
            pid: Pid::Standard,
            coding: Coding::EightBit,
            hex_msg: "deadbeef".into(),
        },
    );
    response(
        "SSMI,107,27825550207,57,31999,WIN, now",
        PremiumMo {
            msisdn: "27825550207".into(),
            sequence: "57".into(),
            destination: "31999".into(),
            message: "WIN, now".into(),
        },
    );
    response(
        "SSMI,108,27825550208,58,0,246,31999,cafe",
        PremiumBinaryMo {
            msisdn: "27825550208".into(),
            sequence: "58".into(),
            pid: Pid::Standard,
            coding: Coding::EightBit,
            destination: "31999".into(),
            hex_msg: "cafe".into(),
        },
    );
    response(
        "SSMI,110,27825550209,1,2,*120*555#",
        UssdMessage {
            msisdn: "27825550209".into(),
            ussd_type: UssdType::New,
            phase: UssdPhase::Two,
            message: "*120*555#".into(),
        },
    );
    response(
        "SSMI,111,27831112222,1,0,655011234567890:1::,*156#",
        ExtendedUssdMessage {
            msisdn: "27831112222".into(),
            ussd_type: UssdType::New,
            phase: UssdPhase::Unknown,
            genfields: GenFields::from("655011234567890:1::"),
            message: "*156#".into(),
        },
    );
    response("SSMI,199,196.2.3.4", RemoteLogout { ip: "196.2.3.4".into() });
    response(
        "SSMI,600,312,,655011234500009,",
        ImsiLookupReply { sequence: "312".into(), imsi: "655011234500009".into(), ..Default::default() },
    );
}

#[test]
fn unknown_commands_survive() {
    let unknown = |id: &str, rest: Option<&str>| Unknown { id: id.into(), rest: rest.map(Into::into) };
    response("SSMI,117,27825550212,1,2,3", Response::Unknown(unknown("117", Some("27825550212,1,2,3"))));
    request("SSMI,77", Request::Unknown(unknown("77", None)));
    request("SSMI,77,", Request::Unknown(unknown("77", Some(""))));
    request("SSMI,03", Request::Unknown(unknown("03", None)));
    request("SSMI, 3", Request::Unknown(unknown(" 3", None)));
    request("SSMI,", Request::Unknown(unknown("", None)));
}

#[test]
fn the_same_number_by_direction() {
    let wire = line("SSMI,110,27825550209,1,2,*120#");
    assert!(matches!(Response::decode(&wire), Ok(Response::UssdMessage(ussd)) if ussd.message == "*120#"));
    assert!(matches!(Request::decode(&wire), Ok(Request::SendUssdMessage(ussd)) if ussd.message == "2,*120#"));
}

#[test]
fn forms_that_are_written_shorter_or_longer() {
    for (wire, again) in [("SSMI,3,", "SSMI,3\r"), ("SSMI,99,a,b", "SSMI,99\r")] {
        let mut dst = BytesMut::new();
        Request::decode(&line(wire)).unwrap().encode(&mut dst).unwrap();
        assert_eq!(dst, again);
    }
    let ack = Response::decode(&line("SSMI,101")).unwrap();
    assert_eq!(ack, Ack { ack_type: Octets::default().into() }.into());
}

#[test]
fn bad_lines_say_where_and_what() {
    let error = |message, field, offset, problem| Err(DecodeError { message, field, offset, problem });
    use DecodeProblem::*;
    for (wire, offset, problem) in [
        ("", 0, BadHeader),
        ("Garbage", 0, BadHeader),
        ("ssmi,3", 0, BadHeader),
        ("SSMIX,3", 0, BadHeader),
        ("\nSSMI,3", 0, BadHeader),
        (" SSMI,3", 0, BadHeader),
        ("SSMI", 4, NoId),
        ("SSMI,3\rSSMI,99", 6, CarriageReturn),
    ] {
        assert_eq!(Request::decode(&line(wire)), error(None, None, offset, problem), "{wire:?}");
    }
    for (wire, message, field, offset) in [
        ("SSMI,2,0,27825550126", "SEND_SMS", "message", 20),
        ("SSMI,110", "SEND_USSD_MESSAGE", "msisdn", 8),
        ("SSMI,110,", "SEND_USSD_MESSAGE", "type", 9),
    ] {
        assert_eq!(Request::decode(&line(wire)), error(Some(message), Some(field), offset, TooFew), "{wire:?}");
    }
}

#[test]
fn what_would_break_a_line_is_not_written() {
    let refuse = |command: Request, field, offset, problem| {
        let mut dst = BytesMut::from("before");
        let message = command.name();
        assert_eq!(command.encode(&mut dst), Err(EncodeError { message, field, offset, problem }));
        assert_eq!(dst, "before");
    };
    let ussd = |msisdn: &str, message: &str| SendUssdMessage {
        msisdn: msisdn.into(),
        ussd_type: UssdType::Response,
        message: message.into(),
    };
    refuse(ussd("27", "a\rSSMI,99").into(), "message", 1, EncodeProblem::CarriageReturn);
    refuse(ussd("27\r", "a").into(), "msisdn", 2, EncodeProblem::CarriageReturn);
    refuse(ussd("27,3", "a").into(), "msisdn", 2, EncodeProblem::Comma);
    let push = SendWapPushMessage { msisdn: "27".into(), subject: "Hi, you".into(), url: "http://x/".into() };
    refuse(push.into(), "subject", 2, EncodeProblem::Comma);
    refuse(Request::Unknown(Unknown { id: "7,8".into(), rest: None }), "id", 1, EncodeProblem::Comma);

    let longest = MAX_LINE - "SSMI,110,27,2,".len();
    let mut dst = BytesMut::new();
    Request::from(ussd("27", &"z".repeat(longest))).encode(&mut dst).unwrap();
    assert_eq!(dst.len(), MAX_LINE + 1);
    let problem = EncodeProblem::TooLong { limit: MAX_LINE };
    refuse(ussd("27", &"z".repeat(longest + 1)).into(), "message", longest + 1, problem);
}

#[test]
fn fields_are_slices_of_the_line() {
    let wire = Bytes::from("SSMI,103,27825550203,52,JOIN".to_owned());
    let Ok(Response::Mo(mo)) = Response::decode(&wire) else { panic!("not an MO") };
    assert!(wire.as_ptr_range().contains(&mo.message.as_slice().as_ptr()));
    assert!(!wire.as_ptr_range().contains(&mo.message.detach().as_slice().as_ptr()));
}

/// The rule of the line, written the slow way: header, id, then `n - 1` splits.
fn naive(line: &[u8], fields: usize) -> Option<Vec<Vec<u8>>> {
    let mut parts = line.splitn(fields + 2, |&octet| octet == b',').map(<[u8]>::to_vec);
    if parts.next()? != b"SSMI" {
        return None;
    }
    parts.next()?;
    let mut rest: Vec<_> = parts.collect();
    if fields == 1 && rest.is_empty() {
        rest.push(Vec::new());
    }
    (rest.len() >= fields).then_some(rest)
}

proptest! {
    #[test]
    fn any_line_decodes_as_the_naive_rule_says(
        id in prop::sample::select(vec!["1", "2", "3", "4", "99", "110", "111", "112", "120", "600", "77"]),
        rest in "[,a\n\u{eb}]{0,12}",
    ) {
        let wire = Bytes::from(format!("SSMI,{id}{rest}"));
        let Ok(command) = Request::decode(&wire) else {
            let fields = [("1", 2), ("2", 3), ("4", 5), ("110", 3), ("111", 4), ("112", 3), ("120", 4), ("600", 3)]
                .into_iter()
                .find(|(known, _)| *known == id)
                .map(|(_, fields)| fields);
            prop_assert_eq!(fields.and_then(|fields| naive(&wire, fields)), None);
            return Ok(());
        };
        if !matches!(command, Request::Unknown(_) | Request::LinkCheck(_) | Request::Logout(_)) {
            let fields = command.with_fields(|_, _, fields| fields.iter().map(|(_, v)| v.to_vec()).collect::<Vec<_>>());
            let expect = naive(&wire, fields.len());
            prop_assert_eq!(Some(fields), expect);
            let mut again = BytesMut::new();
            command.encode(&mut again).unwrap();
            prop_assert_eq!(&again[..again.len() - 1], &wire[..]);
        }
    }

    #[test]
    fn what_is_written_is_read_back(msisdn in ".{0,8}", message in ".{0,8}") {
        let command = Request::from(SendUssdMessage {
            msisdn: msisdn.as_str().into(),
            ussd_type: UssdType::Initiate,
            message: message.as_str().into(),
        });
        let mut wire = BytesMut::new();
        match command.encode(&mut wire) {
            Ok(()) => {
                let line = wire.freeze();
                prop_assert_eq!(Request::decode(&line.slice(..line.len() - 1)), Ok(command));
            }
            Err(_) => prop_assert!(msisdn.contains([',', '\r']) || message.contains('\r')),
        }
    }
}
