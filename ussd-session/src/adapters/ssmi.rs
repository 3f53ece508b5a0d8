//! SSMI: lines of a TruTeq gateway to events, frames to lines.
//!
//! | type | from the gateway | to the gateway |
//! |---|---|---|
//! | 1 | [`Event::Begin`]; the text is the code | a push, if [`Dialect::push_type`] says so |
//! | 2 | [`Event::Answer`] | [`FrameKind::Prompt`] |
//! | 3 | [`Event::UserEnd`] | [`FrameKind::Final`]; an abort, with an empty text |
//! | 4 | [`Event::NetTimeout`] | |
//! | 5 | [`Event::NetError`] | [`FrameKind::Redirect`] |
//! | 6 | [`Event::NotifyOk`] | a push |
//!
//! A remote logout (199) is [`Event::LinkDown`]: the account is in use elsewhere. SSMI has neither keys against
//! doubles nor acknowledgements of frames, and a session id only in the genfields of an extended line.

use ssmi::{
    command::{Request, Response, SendExtendedUssdMessage, SendUssdMessage},
    types::{GenFields, Octets, TextEncoding, UnencodableText, UssdPhase, UssdType},
};

use crate::{
    action::{Frame, FrameKind},
    event::{Event, NetWhy, Phase},
    ids::{NetId, NetIdTooLong},
    owned::OwnedEvent,
    subscriber::{Subscriber, SubscriberError},
    text::Text,
};

/// How a gateway, and an account on it, writes and reads.
#[derive(Clone, Debug)]
pub struct Dialect {
    encoding: TextEncoding,
    country_code: Option<Box<str>>,
    push_type: UssdType,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { encoding: TextEncoding::Latin1, country_code: None, push_type: UssdType::Initiate }
    }
}

impl Dialect {
    /// The encoding of texts. Default ISO-8859-1.
    #[must_use]
    pub fn encoding(mut self, encoding: TextEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Completes national numbers (with a leading 0) by this country code. Default none: they are refused.
    #[must_use]
    pub fn country_code(mut self, code: &str) -> Self {
        self.country_code = Some(code.into());
        self
    }

    /// The type of a push. Default 6, initiate; Vumi sends 1, new.
    #[must_use]
    pub fn push_type(mut self, push_type: UssdType) -> Self {
        self.push_type = push_type;
        self
    }
}

/// Why a line or a frame has no place on the other side.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number is none, or is national.
    #[error("msisdn: {0}")]
    Msisdn(#[from] SubscriberError),
    /// A type that no document lists.
    #[error("unknown USSD type {0:?}")]
    Type(UssdType),
    /// The session id of the genfields is too long.
    #[error("genfields: {0}")]
    SessionId(#[from] NetIdTooLong),
    /// The text cannot be written in the gateway's encoding.
    #[error("message: {0}")]
    Unencodable(#[from] UnencodableText),
}

/// What a line from the gateway means; none if it is not about USSD.
///
/// # Errors
/// A number, type or session id that cannot be; the line is to be counted and left.
pub fn event(line: &Response, dialect: &Dialect) -> Result<Option<OwnedEvent>, Error> {
    match line {
        Response::UssdMessage(line) => {
            let net = NetId::NONE;
            ussd(&line.msisdn, &line.ussd_type, &line.phase, net, &line.message, dialect).map(Some)
        }
        Response::ExtendedUssdMessage(line) => {
            let net = NetId::new(line.genfields.session_id().unwrap_or_default())?;
            ussd(&line.msisdn, &line.ussd_type, &line.phase, net, &line.message, dialect).map(Some)
        }
        Response::RemoteLogout(_) => Ok(Some(Event::LinkDown.into())),
        _ => Ok(None),
    }
}

/// The line for a frame: SEND_USSD_MESSAGE (110), also for a session that came in as an extended line.
///
/// # Errors
/// The text cannot be written in the gateway's encoding: the host answers with [`Event::SendFailed`].
pub fn request(frame: &Frame<'_>, to: Subscriber, dialect: &Dialect) -> Result<Request, Error> {
    let (ussd_type, message) = outgoing(frame, dialect)?;
    Ok(SendUssdMessage { msisdn: digits(to), ussd_type, message }.into())
}

/// The same as SEND_EXTENDED_USSD_MESSAGE (120), which few gateways need; `genfields` is best what the phone's line had.
///
/// # Errors
/// As [`request`].
pub fn extended_request(
    frame: &Frame<'_>,
    to: Subscriber,
    genfields: GenFields,
    dialect: &Dialect,
) -> Result<Request, Error> {
    let (ussd_type, message) = outgoing(frame, dialect)?;
    Ok(SendExtendedUssdMessage { msisdn: digits(to), ussd_type, genfields, message }.into())
}

fn ussd(
    msisdn: &Octets,
    ussd_type: &UssdType,
    phase: &UssdPhase,
    net: NetId,
    message: &Octets,
    dialect: &Dialect,
) -> Result<OwnedEvent, Error> {
    let number = msisdn.to_text();
    let from = match &dialect.country_code {
        Some(code) => Subscriber::parse_national(&number, code)?,
        None => number.parse()?,
    };
    let text = dialect.encoding.decode(message);
    Ok(match ussd_type {
        UssdType::New => {
            let phase = match phase {
                UssdPhase::One => Phase::One,
                UssdPhase::Two => Phase::Two,
                _ => Phase::Unknown,
            };
            // One network leaves the trailing # out, and routing tables rely on it.
            let dialled = if text.ends_with('#') { text } else { format!("{text}#").into() };
            Event::Begin { from, dialled: &dialled, net, phase, dedup: None }.into()
        }
        UssdType::Response => Event::Answer { from, text: Text::public(&text), net, dedup: None }.into(),
        UssdType::End => Event::UserEnd { from, net, text: Some(Text::public(&text)) }.into(),
        UssdType::Timeout => Event::NetTimeout { from, net, text: Some(Text::public(&text)) }.into(),
        UssdType::Redirect => Event::NetError { from, net, why: NetWhy::Redirected }.into(),
        UssdType::Initiate => Event::NotifyOk { from, net }.into(),
        UssdType::Other(_) => return Err(Error::Type(ussd_type.clone())),
    })
}

fn outgoing(frame: &Frame<'_>, dialect: &Dialect) -> Result<(UssdType, Octets), Error> {
    let ussd_type = match frame.kind {
        FrameKind::Prompt => UssdType::Response,
        FrameKind::Final | FrameKind::Abort => UssdType::End,
        FrameKind::AskPush | FrameKind::TellPush => dialect.push_type.clone(),
        FrameKind::Redirect => UssdType::Redirect,
    };
    Ok((ussd_type, dialect.encoding.encode(&one_kind_of_line_break(frame.text.as_str()))?))
}

/// Line breaks as LF, because CR ends an SSMI line, and the last one left out, as Vumi's transport writes them.
fn one_kind_of_line_break(text: &str) -> String {
    let mut lines = text
        .replace("\r\n", "\n")
        .replace(['\r', '\x0B', '\x0C', '\x1C', '\x1D', '\x1E', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    if lines.ends_with('\n') {
        lines.pop();
    }
    lines
}

fn digits(to: Subscriber) -> Octets {
    Octets::from(to.digits().as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::ids::{SessionId, TurnToken};

    fn read(line: &[u8]) -> Result<Option<OwnedEvent>, Error> {
        event(&Response::decode(&Bytes::copy_from_slice(line)).unwrap(), &Dialect::default())
    }

    fn written(kind: FrameKind, to: &str, text: &str, dialect: &Dialect) -> Result<Vec<u8>, Error> {
        let token = TurnToken { session: SessionId::from_bits(1).unwrap(), turn: 1 };
        let frame = Frame { kind, net: NetId::NONE, token: Some(token), text: Text::public(text), again: false };
        let mut line = BytesMut::new();
        request(&frame, to.parse().unwrap(), dialect)?.encode(&mut line).unwrap();
        Ok(line.to_vec())
    }

    #[test]
    fn lines_of_every_type() {
        let from: Subscriber = "27831112222".parse().unwrap();
        let net = NetId::NONE;
        let text = Text::public;
        let cases: [(&[u8], Event<'_>); 9] = [
            (
                b"SSMI,110,27831112222,1,2,*120#",
                Event::Begin { from, dialled: "*120#", net: net.clone(), phase: Phase::Two, dedup: None },
            ),
            (
                b"SSMI,110,0027831112222,1,0,*120*8864*1108",
                Event::Begin { from, dialled: "*120*8864*1108#", net: net.clone(), phase: Phase::Unknown, dedup: None },
            ),
            (
                b"SSMI,110,27831112222,1,9,",
                Event::Begin { from, dialled: "#", net: net.clone(), phase: Phase::Unknown, dedup: None },
            ),
            (
                b"SSMI,110,27831112222,2,0,a, b,,c",
                Event::Answer { from, text: text("a, b,,c"), net: net.clone(), dedup: None },
            ),
            (
                b"SSMI,110,27831112222,2,0,f\xF6\xF3b\xE6r\nx\n",
                Event::Answer { from, text: text("föóbær\nx\n"), net: net.clone(), dedup: None },
            ),
            (b"SSMI,110,27831112222,3,0,Done", Event::UserEnd { from, net: net.clone(), text: Some(text("Done")) }),
            (b"SSMI,110,27831112222,4,0,", Event::NetTimeout { from, net: net.clone(), text: Some(text("")) }),
            (b"SSMI,110,27831112222,5,0,x", Event::NetError { from, net: net.clone(), why: NetWhy::Redirected }),
            (b"SSMI,110,27831112222,6,0,x", Event::NotifyOk { from, net }),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line).unwrap().unwrap().as_event(), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn extended_lines_carry_the_session_id_and_the_phase() {
        let owned = read(b"SSMI,111,27831234567,1,1,655011234567890:1:3:777:,*120#").unwrap().unwrap();
        let Event::Begin { net, phase, dialled, .. } = owned.as_event() else { panic!("{owned:?}") };
        assert_eq!((net.as_bytes(), phase, dialled), (&b"777"[..], Phase::One, "*120#"));
        let owned = read(b"SSMI,111,27831234567,1,1,::,*120#").unwrap().unwrap();
        let Event::Begin { net, .. } = owned.as_event() else { panic!("{owned:?}") };
        assert!(net.is_none());
    }

    #[test]
    fn what_has_no_place() {
        let other = UssdType::Other(Octets::from("10"));
        assert_eq!(read(b"SSMI,110,27831112222,10,0,charge failed").unwrap_err(), Error::Type(other));
        assert_eq!(read(b"SSMI,110,0831112222,1,0,*1#").unwrap_err(), SubscriberError::National.into());
        let line = format!("SSMI,111,27831112222,1,1,:::{}:,*1#", "7".repeat(65));
        assert_eq!(read(line.as_bytes()).unwrap_err(), NetIdTooLong { len: 65 }.into());
        assert!(read(b"SSMI,103,27831112222,17,hello").unwrap().is_none());
        assert_eq!(read(b"SSMI,199,127.0.0.1").unwrap().unwrap().as_event(), Event::LinkDown);

        let national = Response::decode(&Bytes::from_static(b"SSMI,110,0831112222,4,0,")).unwrap();
        let dialect = Dialect::default().country_code("27");
        let from = event(&national, &dialect).unwrap().unwrap().as_event().subscriber().unwrap();
        assert_eq!(from.to_string(), "+27831112222");
    }

    /// The texts of Vumi's recorded transport, in and out.
    #[test]
    fn texts_on_the_way_out() {
        let cases: [(&str, &[u8]); 9] = [
            ("Test", b"Test"),
            ("", b""),
            ("a, b,,c", b"a, b,,c"),
            ("a\r\nb\rc\nd", b"a\nb\nc\nd"),
            ("a\n", b"a"),
            ("a\n\n", b"a\n"),
            ("\n\nb", b"\n\nb"),
            ("a\u{b}b\u{c}c\u{1c}d\u{85}e\u{2028}f\u{2029}g", b"a\nb\nc\nd\ne\nf\ng"),
            ("föóbær", b"f\xF6\xF3b\xE6r"),
        ];
        for (text, expected) in cases {
            let line = written(FrameKind::Prompt, "+27831112222", text, &Dialect::default()).unwrap();
            assert_eq!(line, [b"SSMI,110,27831112222,2,", expected, b"\r"].concat(), "{text:?}");
        }
        for text in ["\u{20ac}5", "\u{1f600}"] {
            let refused = written(FrameKind::Prompt, "27831112222", text, &Dialect::default());
            assert!(matches!(refused, Err(Error::Unencodable(_))));
        }
    }

    #[test]
    fn types_on_the_way_out() {
        let vumi = Dialect::default().push_type(UssdType::New);
        let cases = [
            (FrameKind::Prompt, Dialect::default(), '2'),
            (FrameKind::Final, Dialect::default(), '3'),
            (FrameKind::Abort, Dialect::default(), '3'),
            (FrameKind::Redirect, Dialect::default(), '5'),
            (FrameKind::AskPush, Dialect::default(), '6'),
            (FrameKind::TellPush, Dialect::default(), '6'),
            (FrameKind::AskPush, vumi, '1'),
        ];
        for (kind, dialect, expected) in cases {
            let line = written(kind, "27831112222", "x", &dialect).unwrap();
            assert_eq!(line, format!("SSMI,110,27831112222,{expected},x\r").into_bytes());
        }
        let frame =
            Frame { kind: FrameKind::Prompt, net: NetId::NONE, token: None, text: Text::public("a, b"), again: false };
        let to = "27831112222".parse().unwrap();
        let request = extended_request(&frame, to, GenFields::from("::3::"), &Dialect::default()).unwrap();
        let mut line = BytesMut::new();
        request.encode(&mut line).unwrap();
        assert_eq!(&line[..], b"SSMI,120,27831112222,2,::3::,a, b\r");
    }
}
