//! A host reached through an adapter: what happens on the network is written as the wire carries it and read back, and
//! what goes out is read as the other side reads it.

use ussd_session::{Action, Effect, Event, FrameKind, Millis, OwnedEvent, State, Subscriber};

use super::Host;

/// The far side of a wire: a gateway and its phones, or an application.
pub(crate) trait Wire {
    /// The event after its way over the wire; none if this wire cannot say all of it.
    fn inbound(&mut self, event: &Event<'_>) -> Option<OwnedEvent>;

    /// Takes what goes out, and checks that all of it arrives.
    fn outbound(&mut self, effect: &Effect<'_>);
}

/// A host with a wire before it.
pub(crate) struct Through<W, H> {
    wire: W,
    host: H,
    /// Events that went over the wire.
    pub(crate) carried: usize,
}

impl<W: Wire, H: Host> Through<W, H> {
    pub(crate) fn new(wire: W, host: H) -> Self {
        Self { wire, host, carried: 0 }
    }
}

impl<W: Wire, H: Host> Host for Through<W, H> {
    fn handle(&mut self, event: Event<'_>, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        let carried = self.wire.inbound(&event);
        self.carried += usize::from(carried.is_some());
        let event = carried.as_ref().map_or(event, OwnedEvent::as_event);
        self.host.handle(event, now, &mut |effect| {
            self.wire.outbound(&effect);
            out(effect);
        });
    }

    fn tick(&mut self, now: Millis, out: &mut dyn FnMut(Effect<'_>)) {
        self.host.tick(now, &mut |effect| {
            self.wire.outbound(&effect);
            out(effect);
        });
    }

    fn state(&self, phone: Subscriber) -> Option<(State, u16)> {
        self.host.state(phone)
    }

    fn deadline(&self, phone: Subscriber) -> Option<Millis> {
        self.host.deadline(phone)
    }

    fn resumed(&mut self) -> Option<String> {
        self.host.resumed()
    }
}

/// Lines of an SSMI gateway.
pub(crate) mod over_ssmi {
    use bytes::{Bytes, BytesMut};
    use ssmi::{
        command::{ExtendedUssdMessage, RemoteLogout, Request, Response, UssdMessage},
        types::{GenFields, Octets, UssdPhase, UssdType},
    };
    use ussd_session::{
        NetWhy, Phase, Text,
        adapters::ssmi::{Dialect, event, request},
    };

    use super::*;

    #[derive(Default)]
    pub(crate) struct Ssmi(Dialect);

    impl Wire for Ssmi {
        fn inbound(&mut self, said: &Event<'_>) -> Option<OwnedEvent> {
            let text = |text: &Option<Text<'_>>| text.map_or(String::new(), |text| text.as_str().to_owned());
            let (from, ussd_type, phase, message, net) = match said {
                Event::Begin { from, dialled, net, phase, dedup: None } if dialled.ends_with('#') => {
                    let phase = if *phase == Phase::One { UssdPhase::One } else { UssdPhase::Two };
                    (from, UssdType::New, phase, (*dialled).to_owned(), net)
                }
                Event::Answer { from, text, net, dedup: None } => {
                    (from, UssdType::Response, UssdPhase::Two, text.as_str().to_owned(), net)
                }
                Event::UserEnd { from, net, text: words } => (from, UssdType::End, UssdPhase::Two, text(words), net),
                Event::NetTimeout { from, net, text: words } => {
                    (from, UssdType::Timeout, UssdPhase::Two, text(words), net)
                }
                Event::NetError { from, net, why: NetWhy::Redirected } => {
                    (from, UssdType::Redirect, UssdPhase::Two, String::new(), net)
                }
                Event::NotifyOk { from, net } => (from, UssdType::Initiate, UssdPhase::Two, String::new(), net),
                Event::LinkDown => return self.read(RemoteLogout { ip: "10.0.0.1".into() }.into()),
                _ => return None,
            };
            let (msisdn, message) = (Octets::from(from.digits().as_str().to_owned()), Octets::from(message));
            let line = match net.is_none() {
                true => UssdMessage { msisdn, ussd_type, phase, message }.into(),
                false => {
                    let session = String::from_utf8(net.as_bytes().to_vec()).unwrap();
                    let genfields = GenFields::from(format!("655011234567890:1:3:{session}:").as_str());
                    ExtendedUssdMessage { msisdn, ussd_type, phase, genfields, message }.into()
                }
            };
            self.read(line)
        }

        fn outbound(&mut self, effect: &Effect<'_>) {
            let Action::Send(frame) = &effect.action else { return };
            let mut line = BytesMut::new();
            request(frame, effect.subscriber, &self.0).unwrap().encode(&mut line).unwrap();
            line.truncate(line.len() - 1);
            let Request::SendUssdMessage(read) = Request::decode(&line.freeze()).unwrap() else { panic!("not 110") };
            let expected = match frame.kind {
                FrameKind::Prompt => UssdType::Response,
                FrameKind::Final | FrameKind::Abort => UssdType::End,
                FrameKind::AskPush | FrameKind::TellPush => UssdType::Initiate,
                FrameKind::Redirect => UssdType::Redirect,
                other => panic!("{other:?}"),
            };
            assert_eq!((read.ussd_type, read.message.to_text().as_ref()), (expected, frame.text.as_str()));
            assert_eq!(read.msisdn.to_text().as_ref(), effect.subscriber.digits().as_str());
        }
    }

    impl Ssmi {
        fn read(&self, line: Response) -> Option<OwnedEvent> {
            let mut wire = BytesMut::new();
            line.encode(&mut wire).unwrap();
            wire.truncate(wire.len() - 1);
            event(&Response::decode(&Bytes::from(wire)).unwrap(), &self.0).unwrap()
        }
    }
}

/// Messages to and from a Vumi application.
pub(crate) mod over_vumi {
    use std::collections::HashMap;

    use ussd_session::{
        Callback, PushKind, TurnToken, Verb,
        adapters::vumi::{self, Via, event, message},
    };
    use vumi_message::{SessionEvent, Stamp, UserMessage};

    use super::*;

    #[derive(Default)]
    pub(crate) struct Vumi {
        /// What the application got, by the turn that it may answer.
        inbox: HashMap<TurnToken, UserMessage>,
    }

    impl Wire for Vumi {
        fn inbound(&mut self, said: &Event<'_>) -> Option<OwnedEvent> {
            let sent = match said {
                Event::Reply { token, verb, text, .. } if !text.expects_secret() => {
                    let session_event = if *verb == Verb::End { Some(SessionEvent::Close) } else { None };
                    self.inbox.get(token)?.reply(stamp(), text.as_str(), session_event)
                }
                Event::Push { to, kind: PushKind::Ask, text, .. } => UserMessage {
                    to_addr: Some(to.to_string()),
                    session_event: Some(SessionEvent::New),
                    content: Some(text.as_str().to_owned()),
                    ..UserMessage::default()
                },
                _ => return None,
            };
            let read = UserMessage::decode(sent.to_json()).unwrap();
            Some(event(&read).unwrap())
        }

        fn outbound(&mut self, effect: &Effect<'_>) {
            let Some(sent) = message(effect, &stamp(), &Via::default()) else { return };
            let Action::Call(callback) = &effect.action else { panic!("a message about {effect:?}") };
            let read = UserMessage::decode(sent.to_json()).unwrap();
            assert_eq!(vumi::token(&read.message_id), Some(callback.token()));
            assert_eq!(read.from_addr, Some(effect.subscriber.to_string()));
            assert_eq!(read.to_addr.as_deref(), Some(effect.dialled));
            let (session_event, content) = match callback {
                Callback::New { orphan, .. } => (SessionEvent::New, *orphan),
                Callback::Existing { text, .. } => (SessionEvent::Resume, Some(*text)),
                Callback::TimedOut { text, .. } | Callback::Ended { text, .. } => (SessionEvent::Close, *text),
                other => panic!("{other:?}"),
            };
            assert_eq!(read.session_event, Some(session_event));
            assert_eq!(read.content.as_deref(), content.as_ref().map(|text| text.as_str()));
            self.inbox.insert(callback.token(), read);
        }
    }

    fn stamp() -> Stamp {
        Stamp::new("0f1e2d3c4b5a69788796a5b4c3d2e1f0", Default::default())
    }
}

/// Messages of a message centre, by a vendor's profile.
pub(crate) mod over_smpp {
    use bytes::BytesMut;
    use smpp::{
        codec::Limits,
        pdu::{DeliverSm, Frame, Pdu, SubmitSm},
        tlv::{Tag, Tlvs},
        types::{SequenceNumber, ShortMessage},
    };
    use ussd_session::{
        Phase,
        adapters::smpp::{Error, Mark, Profile, Route, event, request},
    };

    use super::*;

    pub(crate) struct Smpp(pub(crate) Profile);

    impl Wire for Smpp {
        fn inbound(&mut self, said: &Event<'_>) -> Option<OwnedEvent> {
            let profile = &self.0;
            let (from, marks, text, net) = match said {
                Event::Begin { from, dialled, net, phase, dedup: None } => match phase {
                    Phase::One => (from, &profile.begin_phase_1, *dialled, net),
                    _ => (from, &profile.begin, *dialled, net),
                },
                Event::Answer { from, text, net, dedup: None } => (from, &profile.answer, text.as_str(), net),
                Event::UserEnd { from, net, text: None } => (from, &profile.end, "", net),
                Event::NotifyOk { from, net } => (from, &profile.notified, "", net),
                _ => return None,
            };
            let has_bit = profile.session_tag == Some(Tag::ITS_SESSION_INFO) && !net.is_none();
            let ends_by_bit = matches!(said, Event::UserEnd { .. }) && has_bit;
            let mut tlvs = Tlvs::new();
            match marks.first() {
                Some(Mark::Op(op)) if !ends_by_bit => tlvs.push(op),
                None if ends_by_bit => {}
                _ => return None,
            }
            if !net.is_none() {
                let session = net.as_bytes().iter().fold(0_u8, |sum, octet| sum.wrapping_mul(31).wrapping_add(*octet));
                let tag = profile.session_tag.unwrap();
                tlvs.push_raw(tag, &[session, 0x34 | u8::from(ends_by_bit)]).unwrap();
            }
            let message = DeliverSm {
                service_type: profile.service_types[0].clone(),
                source: from.digits().as_str().parse().unwrap(),
                short_message: ShortMessage::new(text.to_owned()).unwrap(),
                tlvs,
                ..DeliverSm::default()
            };
            match over(message.into(), &Limits::esme()) {
                Pdu::DeliverSm(read) => event(&read, profile).unwrap(),
                other => panic!("{other:?}"),
            }
        }

        fn outbound(&mut self, effect: &Effect<'_>) {
            let Action::Send(frame) = &effect.action else { return };
            let sent = match request(frame, &Route::from(effect), &self.0) {
                Ok(sent) => sent,
                Err(Error::Unsupported(FrameKind::Abort | FrameKind::Redirect)) => return,
                Err(error) => panic!("{error}"),
            };
            let Pdu::SubmitSm(read) = over(sent.into(), &Limits::message_centre()) else { panic!("not submit_sm") };
            assert_eq!(read.short_message.as_ref(), frame.text.as_str().as_bytes());
            assert_eq!(read.destination.addr, effect.subscriber.digits().as_str());
            let (id, last) = (self.id(&read), frame.kind == FrameKind::Final);
            if !frame.net.is_none() {
                let bit = last && self.0.session_tag == Some(Tag::ITS_SESSION_INFO);
                assert_eq!(id, [frame.net.as_bytes()[0], 0x34 | u8::from(bit)]);
            }
        }
    }

    impl Smpp {
        fn id(&self, sent: &SubmitSm) -> Vec<u8> {
            self.0.session_tag.and_then(|tag| sent.tlvs.get_raw(tag)).unwrap_or_default().to_vec()
        }
    }

    /// A PDU as the other end reads it.
    fn over(pdu: Pdu, limits: &Limits) -> Pdu {
        let mut octets = BytesMut::new();
        Frame::request(SequenceNumber::default(), pdu).encode(&mut octets).unwrap();
        Frame::decode(octets.freeze(), limits).unwrap().pdu
    }
}
