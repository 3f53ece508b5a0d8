//! What each layer sees, aligned for people or as JSON.

use std::io::Write;

use bytes::BytesMut;
use serde_json::{Value, json};
use ssmi::command::{Request, Response};
use ussd_session::{Event, Frame, FrameKind, OwnedEvent, Subscriber};
use vumi_message::UserMessage;

#[derive(Clone, Copy)]
pub(crate) struct Show {
    pub(crate) json: bool,
}

impl Show {
    pub(crate) fn line_in(self, line: &Response) {
        let mut octets = BytesMut::new();
        if line.encode(&mut octets).is_ok() {
            self.line("<-", &octets);
        }
    }

    pub(crate) fn line_out(self, line: &Request) {
        let mut octets = BytesMut::new();
        if line.encode(&mut octets).is_ok() {
            self.line("->", &octets);
        }
    }

    fn line(self, direction: &str, octets: &[u8]) {
        let line: String = octets.iter().filter(|octet| **octet != b'\r').map(|octet| char::from(*octet)).collect();
        let shown = line.escape_debug().to_string();
        let direction_name = if direction == "<-" { "in" } else { "out" };
        self.print("ssmi", direction, &shown, json!({ "direction": direction_name, "line": line }));
    }

    pub(crate) fn event(self, event: &OwnedEvent) {
        let event = event.as_event();
        let (name, text) = match &event {
            Event::Begin { dialled, .. } => ("begin", *dialled),
            Event::Answer { text, .. } => ("answer", text.as_str()),
            Event::UserEnd { .. } => ("user end", ""),
            Event::NetTimeout { .. } => ("network time-out", ""),
            Event::LinkDown => ("link down", ""),
            _ => ("other", ""),
        };
        let phone = event.subscriber().map(|phone| phone.to_string()).unwrap_or_default();
        let shown = format!("{phone:<13} {name:<8} {text:?}");
        self.print("session", "<-", &shown, json!({ "phone": phone, "event": name, "text": text }));
    }

    pub(crate) fn reply(self, to: Subscriber, frame: &Frame<'_>) {
        let name = match frame.kind {
            FrameKind::Prompt => "prompt",
            FrameKind::Final => "final",
            _ => "other",
        };
        let (phone, text) = (to.to_string(), frame.text.as_str());
        let shown = format!("{phone:<13} {name:<8} {text:?}");
        self.print("reply", "->", &shown, json!({ "phone": phone, "frame": name, "text": text }));
    }

    pub(crate) fn vumi(self, message: &UserMessage) {
        let inbound = message.in_reply_to.is_none();
        let phone = if inbound { &message.from_addr } else { &message.to_addr };
        let phone = phone.as_deref().unwrap_or_default();
        let event = message.session_event.map_or("null", |event| event.as_str());
        let content = message.content.as_ref().map_or("null".to_owned(), |content| format!("{content:?}"));
        let shown = format!("{phone:<13} {event:<8} {content}");
        self.print("vumi", if inbound { "<-" } else { "->" }, &shown, json!({ "message": message }));
    }

    /// One event of one layer.
    fn print(self, layer: &str, direction: &str, shown: &str, mut object: Value) {
        let mut out = std::io::stdout();
        // Whoever read this may have seen enough; the service goes on.
        let _ = if self.json {
            if let Value::Object(object) = &mut object {
                object.insert("layer".to_owned(), layer.into());
            }
            writeln!(out, "{object}")
        } else {
            writeln!(out, "{layer:<8} {direction} {shown}")
        };
    }
}
