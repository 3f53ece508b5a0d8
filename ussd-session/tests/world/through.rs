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
