//! What Vumi's TruTeq transport published and wrote, against our adapters: the same, but for what
//! `deviations/truteq.toml` lists.

use std::collections::BTreeMap;
use std::fs;

use bytes::{Bytes, BytesMut};
use conformance::vectors;
use serde::Deserialize;
use serde_json::{Value, json};
use ssmi::command::{Request, Response};
use ssmi::framing::{Framing, LineCutter};
use ssmi::types::UssdType;
use ssmi::vumi::{GenFieldLabels, genfields_metadata};
use ussd_session::adapters::ssmi::{self as line, Dialect};
use ussd_session::adapters::vumi::{self, Via};
use ussd_session::{Action, Callback, Config, Effect, Engine, Event, LinkId, Millis, OwnedEffect, OwnedEvent};
use vumi_message::{SessionEvent, Stamp, UserMessage};

/// Where we differ on purpose.
#[derive(Deserialize)]
struct Deviations {
    /// Messages that we publish beside the recorded ones, by the reason that they carry.
    beside: BTreeMap<String, String>,
    /// Lines of which we publish something else, or nothing, and why.
    line: Vec<Line>,
    /// Messages of which we write something else, or nothing, and why.
    message: Vec<Message>,
}

#[derive(Deserialize)]
struct Line {
    line: String,
    #[expect(dead_code, reason = "for people")]
    reason: String,
    ours: Vec<Published>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Published {
    content: Option<String>,
    to_addr: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    to_addr: String,
    content: String,
    #[expect(dead_code, reason = "for people")]
    reason: String,
    ours: Option<String>,
}

/// What the recording says of one line or message.
#[derive(Deserialize)]
struct Record {
    case: String,
    line: Option<String>,
    vumi: Option<Vec<Value>>,
    to_addr: Option<String>,
    content: Option<String>,
    session_event: Option<SessionEvent>,
    wire: Option<String>,
}

/// The transport and an application that answers every turn.
struct World {
    engine: Engine,
    now: Millis,
    dialect: Dialect,
    stamps: u64,
}

const LINK: LinkId = LinkId(0);
/// The message that was recorded while there was no link.
const WHILE_DOWN: &str = "link is down";

impl World {
    fn new() -> Self {
        let dialect = Dialect::default().push_type(UssdType::New);
        Self { engine: Engine::new(Config::default()), now: Millis(1_790_000_000_000), dialect, stamps: 0 }
    }

    fn stamp(&mut self) -> Stamp {
        self.stamps += 1;
        Stamp::new(format!("{:032x}", self.stamps), Default::default())
    }

    fn handle(&mut self, event: &OwnedEvent) -> Vec<OwnedEffect> {
        let mut effects = Vec::new();
        self.engine.handle(LINK, event.as_event(), self.now, |effect: Effect<'_>| effects.push(effect.into()));
        effects
    }

    /// People take some seconds between two lines: what is published meanwhile.
    fn wait(&mut self) -> Vec<UserMessage> {
        self.now = Millis(self.now.0 + 3_000);
        let stamp = self.stamp();
        let (mut published, via) = (Vec::new(), Via::default());
        self.engine
            .poll(self.now, usize::MAX, |effect: Effect<'_>| published.extend(vumi::message(&effect, &stamp, &via)));
        published
    }

    /// A line from the gateway: what is published.
    fn line_in(&mut self, octets: &[u8]) -> Vec<UserMessage> {
        let mut stream = BytesMut::from(octets);
        stream.extend_from_slice(b"\r");
        let Ok(Some(line)) = LineCutter::new(Framing::Strict).cut(&mut stream) else { return Vec::new() };
        let Ok(response) = line.response() else { return Vec::new() };
        let genfields = match &response {
            Response::ExtendedUssdMessage(ussd) => Some(&ussd.genfields),
            _ => None,
        };
        let helper_metadata = genfields_metadata(genfields, GenFieldLabels::Vumi);
        let via = Via { transport_name: "truteq".into(), provider: None, helper_metadata };
        let Ok(Some(event)) = line::event(&response, &self.dialect) else { return Vec::new() };
        let mut published = Vec::new();
        for effect in self.handle(&event) {
            let stamp = self.stamp();
            let message = vumi::message(&effect.as_effect(), &stamp, &via);
            let asked =
                matches!(effect.as_effect().action, Action::Call(Callback::New { .. } | Callback::Existing { .. }));
            if let Some(message) = message.as_ref().filter(|_| asked) {
                let stamp = self.stamp();
                let reply = vumi::event(&message.reply(stamp, "?", None)).unwrap();
                self.handle(&reply);
            }
            published.extend(message);
        }
        published
    }

    /// A message of the application: what is written. A reply answers a code that its addressee has just dialled.
    fn message_out(&mut self, record: &Record) -> Option<String> {
        let to = record.to_addr.as_deref().unwrap();
        let content = record.content.clone();
        let message = if record.session_event == Some(SessionEvent::New) {
            let message = UserMessage::send(self.stamp(), to, "");
            UserMessage { content, session_event: Some(SessionEvent::New), ..message }
        } else {
            let dialled = format!("SSMI,110,{to},1,2,*120#");
            let response = Response::decode(&Bytes::from(dialled)).unwrap();
            let event = line::event(&response, &self.dialect).ok()??;
            let effects = self.handle(&event);
            let stamp = self.stamp();
            let via = Via::default();
            let inbound =
                effects.iter().filter_map(|effect| vumi::message(&effect.as_effect(), &stamp, &via)).next_back()?;
            if record.content.as_deref() == Some(WHILE_DOWN) {
                self.handle(&Event::LinkDown.into());
            }
            let stamp = self.stamp();
            UserMessage { content, ..inbound.reply(stamp, "", record.session_event) }
        };
        let event = vumi::event(&message).ok()?;
        let effects = self.handle(&event);
        let request = effects.iter().find_map(|effect| match effect.as_effect() {
            Effect { action: Action::Send(frame), subscriber, .. } => {
                line::request(&frame, subscriber, &self.dialect).ok()
            }
            _ => None,
        })?;
        Some(written(&request))
    }
}

fn written(request: &Request) -> String {
    let mut octets = BytesMut::new();
    request.encode(&mut octets).unwrap();
    octets.iter().copied().map(char::from).collect()
}

/// The keys that the recording has.
fn shown(message: &UserMessage) -> Value {
    let all = serde_json::to_value(message).unwrap();
    let key = |key: &str| all[key].clone();
    json!({
        "content": key("content"),
        "from_addr": key("from_addr"),
        "to_addr": key("to_addr"),
        "session_event": key("session_event"),
        "transport_type": key("transport_type"),
        "helper_metadata": {"truteq": all["helper_metadata"]["truteq"]},
    })
}

/// Why a session was closed, in the words that we add.
fn reason(message: &UserMessage) -> &str {
    message.helper_metadata.get("ussd").and_then(|notes| notes["reason"].as_str()).unwrap_or_default()
}

/// Some lines are as long as lines may be.
fn excerpt(text: &str) -> &str {
    text.get(..600).unwrap_or(text)
}

fn records() -> Vec<Record> {
    let text = fs::read_to_string(vectors::path("traces/ssmi/vumi/oracle.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn deviations() -> Deviations {
    toml::from_str(&fs::read_to_string(vectors::path("deviations/truteq.toml")).unwrap()).unwrap()
}

#[test]
fn the_same_messages_are_published() {
    let deviations = deviations();
    let (mut world, mut seen, mut compared) = (World::new(), BTreeMap::new(), 0);
    for record in records() {
        let (Some(line), Some(expect)) = (record.line.as_deref(), record.vumi.as_ref()) else { continue };
        if record.case != "in" {
            continue;
        }
        let octets: Vec<u8> = line.chars().map(|character| u8::try_from(character).unwrap()).collect();
        let mut beside = world.wait();
        let mut ours = world.line_in(&octets);
        beside.extend(ours.extract_if(.., |message| reason(message) == "replaced"));
        for message in &beside {
            assert!(deviations.beside.contains_key(reason(message)), "{line:?}: {message:?}");
            *seen.entry(reason(message).to_owned()).or_insert(0) += 1;
        }
        compared += 1;
        let shown: Vec<Value> = ours.iter().map(shown).collect();
        match deviations.line.iter().find(|deviation| deviation.line == line) {
            None => assert!(&shown == expect, "{}: {}", excerpt(line), excerpt(&format!("{shown:?} {expect:?}"))),
            Some(deviation) => {
                assert_ne!(&shown, expect, "{line:?} does not deviate any more");
                let said =
                    ours.into_iter().map(|message| Published { content: message.content, to_addr: message.to_addr });
                let said: Vec<_> = said.collect();
                assert_eq!(said, deviation.ours, "{line:?} deviates in another way");
            }
        }
    }
    assert!(compared > 50, "{compared} lines");
    assert!(seen.keys().eq(deviations.beside.keys()), "not all deviations were seen: {seen:?}");
}

#[test]
fn the_same_lines_are_written() {
    let deviations = deviations();
    let mut compared = 0;
    for record in records().iter().filter(|record| record.case == "out") {
        let (to, expect) = (record.to_addr.clone().unwrap(), record.wire.clone().unwrap());
        let content = record.content.clone().unwrap_or_default();
        let ours = World::new().message_out(record);
        compared += 1;
        match deviations.message.iter().find(|deviation| (&deviation.to_addr, &deviation.content) == (&to, &content)) {
            None => assert_eq!(ours.unwrap_or_default(), expect, "{to:?} {content:?}"),
            Some(deviation) => {
                assert_eq!(ours, deviation.ours, "{to:?} {content:?} deviates in another way");
                assert_ne!(ours.unwrap_or_default(), expect, "{to:?} {content:?} does not deviate any more");
            }
        }
    }
    assert!(compared > 15, "{compared} messages");
}
