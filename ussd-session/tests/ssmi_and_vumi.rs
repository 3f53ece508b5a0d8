//! Lines of a gateway in, messages of Vumi out, replies of Vumi in, lines out: what lies between, with both adapters.
#![cfg(all(feature = "ssmi", feature = "vumi"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ssmi::{command::Response, types::UssdType};
use ussd_session::{
    Action, Config, Effect, Engine, Millis, OwnedEffect, Policy,
    adapters::{ssmi as line, vumi},
};
use vumi_message::{SessionEvent, Stamp, UserMessage};
use world::{LINK, describe};

/// A gateway's client: lines on one side, an application that speaks Vumi on the other.
struct Bridge {
    engine: Engine,
    dialect: line::Dialect,
    now: Millis,
    /// The last message published: what a reply answers.
    last: Option<UserMessage>,
    made: u64,
}

impl Bridge {
    fn new(policy: Policy) -> Self {
        let dialect = line::Dialect::default().push_type(UssdType::New);
        let engine = Engine::new(Config::default().policy(policy));
        Self { engine, dialect, now: Millis(1_790_000_000_000), last: None, made: 0 }
    }

    fn stamp(&mut self) -> Stamp {
        self.made += 1;
        Stamp::new(format!("{:032x}", self.made), Default::default())
    }

    /// A line comes in; what is published, sent and counted.
    fn receives(&mut self, received: &[u8]) -> Vec<String> {
        let response = Response::decode(&Bytes::copy_from_slice(received)).unwrap();
        match line::event(&response, &self.dialect) {
            Ok(Some(event)) => self.handle(&event),
            Ok(None) => vec!["not USSD".into()],
            Err(error) => vec![error.to_string()],
        }
    }

    /// The application answers the last message.
    fn replies(&mut self, content: &str, session_event: Option<SessionEvent>) -> Vec<String> {
        let stamp = self.stamp();
        let reply = self.last.as_ref().unwrap().reply(stamp, content, session_event);
        self.publishes(&reply)
    }

    fn publishes(&mut self, message: &UserMessage) -> Vec<String> {
        let event = vumi::event(message).unwrap();
        self.handle(&event)
    }

    fn waits(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now.after(Duration::from_secs(seconds));
        let mut effects = Vec::new();
        while self.engine.poll(self.now, 100, |effect: Effect<'_>| effects.push(OwnedEffect::from(effect))).more {}
        effects.iter().map(|effect| self.show(&effect.as_effect())).collect()
    }

    fn handle(&mut self, event: &ussd_session::OwnedEvent) -> Vec<String> {
        let mut effects = Vec::new();
        let event = event.as_event();
        self.engine.handle(LINK, event, self.now, |effect: Effect<'_>| effects.push(OwnedEffect::from(effect)));
        effects.iter().map(|effect| self.show(&effect.as_effect())).collect()
    }

    fn show(&mut self, effect: &Effect<'_>) -> String {
        let stamp = self.stamp();
        let via = vumi::Via { transport_name: "truteq".into(), ..vumi::Via::default() };
        if let Some(message) = vumi::message(effect, &stamp, &via) {
            let event = message.session_event.unwrap();
            let line = format!("{} {:?}", event.as_str(), (message.to_addr.as_deref().unwrap(), &message.content));
            if event != SessionEvent::Close {
                self.last = Some(message);
            }
            return line;
        }
        match &effect.action {
            Action::Send(frame) => {
                let mut octets = BytesMut::new();
                let request = line::request(frame, effect.subscriber, &self.dialect).unwrap();
                request.encode(&mut octets).unwrap();
                octets.escape_ascii().to_string()
            }
            Action::Closed(summary) => format!("Cl({:?})", summary.reason),
            _ => describe(effect, &mut Vec::new()),
        }
    }
}

#[test]
fn s17_ssmi_octets() {
    let mut bridge = Bridge::new(Policy::ssmi());
    assert_eq!(bridge.receives(b"SSMI,110,27831234567,1,2,*120#"), [r##"new ("*120#", None)"##]);
    assert_eq!(bridge.replies("a, b\r\nc", None), [r"SSMI,110,27831234567,2,a, b\nc\r"]);
    assert_eq!(bridge.receives(b"SSMI,110,27831234567,4,2,"), [r##"close ("*120#", Some(""))"##, "Cl(Net)"]);
    let extended = b"SSMI,111,27831234567,1,0,655011234567890:1:3:777:,*120#";
    assert_eq!(bridge.receives(extended), [r##"new ("*120#", None)"##]);
    let phone = "27831234567".parse().unwrap();
    assert_eq!(bridge.engine.record(LINK, phone).unwrap().net().as_bytes(), b"777");
    bridge.waits(3);
    let replaced = bridge.receives(b"SSMI,111,27831234567,1,1,::,*120#");
    assert_eq!(replaced, [r##"close ("*120#", None)"##, "Cl(Replaced)", r##"new ("*120#", None)"##]);
    // Phase 1: one text, and over.
    let phase_1 = bridge.replies("Menu", None);
    assert_eq!(phase_1, [r"SSMI,110,27831234567,3,Menu\r", "!PhaseOne", "Cl(AppEnd)"]);
}

/// What Vumi's transport published for these lines, with an application that answers each; where ours does otherwise,
/// the row says why.
#[test]
fn golden_lines_in() {
    let first = r##""*120*8864*1377#""##;
    let second = r##""*120*8864*1108#""##;
    let new = |to: &str| vec![format!("new ({to}, None)")];
    let resume = |to: &str, content: &str| vec![format!("resume ({to}, Some({content:?}))")];
    let expired = r"SSMI,110,27831112222,3,expired\r".to_owned();
    let rows: Vec<(&[u8], Vec<String>)> = vec![
        // Vumi loses it by an internal error; the user is told here.
        (b"110,27831112222,2,0,no session yet", vec![expired.clone(), "!OrphanAnswer".into()]),
        (b"110,27831112222,1,0,*120*8864*1377#", new(first)),
        (b"110,27831112222,2,0,1", resume(first, "1")),
        (b"110,27831112222,2,2,", resume(first, "")),
        (b"110,27831112222,2,2,a, b,,c", resume(first, "a, b,,c")),
        (b"110,27831112222,2,2,x\ny\n", resume(first, "x\ny\n")),
        (b"110,27831112222,2,2,f\xF6\xF3b\xE6r", resume(first, "föóbær")),
        // Vumi tells nobody that the first session is over.
        (
            b"110,27831112222,1,0,*120*8864*1108",
            [vec![format!("close ({first}, None)"), "Cl(Replaced)".into()], new(second)].concat(),
        ),
        (b"110,27831112222,2,0,second code", resume(second, "second code")),
        (b"110,27831112222,3,0,Done", vec![format!("close ({second}, Some(\"Done\"))"), "Cl(User)".into()]),
        (b"110,27831112222,2,0,after end", vec![expired, "!LateAnswer".into()]),
        (b"110,27831112222,1,0,", new(r##""#""##)),
        (b"110,27831112222,4,0,", vec![r##"close ("#", Some(""))"##.into(), "Cl(Net)".into()]),
        (b"110,27831112222,5,0,redirected", vec!["!OrphanClose".into()]),
        (b"110,27831112222,6,0,initiated", vec!["!OutOfPlace".into()]),
        (b"110,27831112222,10,0,charge failed", vec!["unknown USSD type Other(\"10\")".into()]),
        (b"110,27831112222,1,0,*120# ", new(r##""*120# #""##)),
        (b"110,27831112222,2,9,unknown phase", resume(r##""*120# #""##, "unknown phase")),
        (b"110,27831112222,3,0,", vec![r##"close ("*120# #", Some(""))"##.into(), "Cl(User)".into()]),
        (b"111,27831112222,1,2,655011234567890:1:3:4411902:7,*120*8864#", new(r##""*120*8864#""##)),
        (b"111,27831112222,2,2,::3::,yes, please", resume(r##""*120*8864#""##, "yes, please")),
    ];
    let mut bridge = Bridge::new(Policy::ssmi());
    for (received, expected) in rows {
        let followed = bridge.receives(&[b"SSMI,", received].concat());
        assert_eq!(followed, expected, "{}", received.escape_ascii());
        if followed.last().is_some_and(|line| line.starts_with("new") || line.starts_with("resume")) {
            let sent = bridge.replies("ok", None);
            assert_eq!(sent, [r"SSMI,110,27831112222,2,ok\r"], "{}", received.escape_ascii());
        }
    }
}

/// What Vumi's transport wrote for these messages.
#[test]
fn golden_messages_out() {
    let rows = [
        (None, Some("Test"), r"SSMI,110,27831112222,2,Test\r"),
        (Some(SessionEvent::Resume), Some("Test"), r"SSMI,110,27831112222,2,Test\r"),
        (Some(SessionEvent::Close), Some("Test"), r"SSMI,110,27831112222,3,Test\r"),
        (None, None, r"SSMI,110,27831112222,2,\r"),
        (None, Some("a\r\nb\rc\nd"), r"SSMI,110,27831112222,2,a\nb\nc\nd\r"),
        (None, Some("a\n"), r"SSMI,110,27831112222,2,a\r"),
        (None, Some("a\n\n"), r"SSMI,110,27831112222,2,a\n\r"),
        (None, Some("f\u{f6}\u{f3}b\u{e6}r"), r"SSMI,110,27831112222,2,f\xf6\xf3b\xe6r\r"),
    ];
    for (session_event, content, sent) in rows {
        let mut bridge = Bridge::new(Policy::ssmi());
        bridge.receives(b"SSMI,110,27831112222,1,0,*1#");
        let stamp = bridge.stamp();
        let reply = bridge.last.as_ref().unwrap().reply(stamp, "", session_event);
        let reply = UserMessage { content: content.map(Into::into), ..reply };
        assert_eq!(bridge.publishes(&reply)[0], sent);
    }
    let mut bridge = Bridge::new(Policy::ssmi());
    let stamp = bridge.stamp();
    let push =
        UserMessage { session_event: Some(SessionEvent::New), ..UserMessage::send(stamp, "+27831112222", "Test") };
    assert_eq!(bridge.publishes(&push), ["Pushed", r"SSMI,110,27831112222,1,Test\r"]);
}

#[test]
fn n01_a_stale_reply_is_not_sent_and_can_be_nacked() {
    let mut bridge = Bridge::new(Policy::ssmi());
    bridge.receives(b"SSMI,110,27831112222,1,0,*1#");
    let old = bridge.last.clone().unwrap();
    bridge.waits(3);
    bridge.receives(b"SSMI,110,27831112222,1,0,*1#");
    let stamp = bridge.stamp();
    let late = old.reply(stamp, "old answer", None);
    assert_eq!(bridge.publishes(&late), ["Rej(Stale)"]);
    assert_eq!(bridge.replies("menu", None), [r"SSMI,110,27831112222,2,menu\r"]);
    assert_eq!(bridge.replies("again", None), ["Rej(AlreadyReplied)"]);
    assert_eq!(vumi::nack_reason(ussd_session::Reject::Stale), "stale");
}

#[test]
fn n31_two_lines_in_one_segment() {
    let policy = || Policy::ssmi().late_close_guard(Duration::from_secs(1));
    let close = &b"SSMI,110,27831112222,3,0,"[..];
    let dial = &b"SSMI,110,27831112222,1,0,*1#"[..];
    let (end, new) = (r##"close ("*1#", Some(""))"##, r##"new ("*1#", None)"##);
    let started = || {
        let mut bridge = Bridge::new(policy());
        bridge.receives(dial);
        bridge.replies("Menu", None);
        bridge.waits(5);
        bridge
    };
    let mut bridge = started();
    assert_eq!([bridge.receives(close), bridge.receives(dial)].concat(), [end, "Cl(User)", new]);
    let mut bridge = started();
    let replaced = r##"close ("*1#", None)"##;
    let followed = [bridge.receives(dial), bridge.receives(close)].concat();
    assert_eq!(followed, [replaced, "Cl(Replaced)", new, "!LateClose"]);
}

#[test]
fn n32_stolen_login() {
    let mut bridge = Bridge::new(Policy::ssmi().app_timer(Duration::from_secs(60)));
    bridge.receives(b"SSMI,110,27831112222,1,0,*1#");
    assert!(bridge.receives(b"SSMI,199,127.0.0.1").is_empty());
    assert!(bridge.replies("Menu", None).is_empty(), "the reply waits for the link");
    assert_eq!(bridge.waits(30), [r##"close ("*1#", None)"##, "Rej(Closed(LinkLost))", "Cl(LinkLost)"]);
}
