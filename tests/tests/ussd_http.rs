//! Requests of aggregators as recorded with Vumi's transports, and what those answered, beside what ours does.

use std::fs;

use conformance::vectors;
use http::{Request, Response};
use serde_json::{Value, json};
use ussd_session::adapters::http::{Aggregator, Dialogues, Table};
use ussd_session::{
    Action, Callback, Config, Effect, Engine, Event, FrameKind, LinkId, Millis, Orphans, OwnedEffect, Policy, Text,
    Verb,
};

/// What curl was given, and what came back.
struct Row {
    request: Request<String>,
    body: String,
    status: u16,
    content_type: String,
    /// `fb`, `ch`, `am`, `xs`.
    headers: Vec<(String, String)>,
}

impl Row {
    fn read(block: &str) -> Self {
        let (asked, answered) = block.split_once('\n').unwrap();
        let (body, tail) = answered.trim_end().rsplit_once('\n').unwrap_or(("", answered.trim_end()));
        let (method, data, url) = match asked.strip_prefix("-X ") {
            None => ("GET", "", asked),
            Some(rest) => {
                let (method, rest) = rest.split_once(" -d ").unwrap();
                let (data, url) = rest.rsplit_once(' ').unwrap();
                (method, data, url)
            }
        };
        let (status, headers) = tail.strip_prefix('[').unwrap().split_once("] ").unwrap();
        let (status, content_type) = status.split_once(' ').unwrap();
        let headers = headers.split(' ').map(|one| one.split_once('=').unwrap());
        Self {
            request: Request::builder().method(method).uri(url.replace(' ', "%20")).body(data.into()).unwrap(),
            body: body.into(),
            status: status.parse().unwrap(),
            content_type: content_type.into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).collect(),
        }
    }

    fn port(&self) -> u16 {
        self.request.uri().port_u16().unwrap()
    }
}

/// A connector: an account, the engine, and an application that echoes, as in the recording.
struct Connector {
    aggregator: Aggregator,
    dialogues: Dialogues,
    engine: Engine,
    now: Millis,
    /// What the first screen says; none for the code.
    welcome: Option<&'static str>,
}

const LINK: LinkId = LinkId(1);

impl Connector {
    fn new(port: u16) -> Self {
        let (table, welcome) = match port {
            19101 => (Table::DMARK, Some("welcome")),
            19102 => (Table::SAFARICOM, Some("welcome")),
            19103 => (Table::AIRTEL, Some("welcome")),
            19104 => (Table::VODACOM_MESSAGING, None),
            19105 => (Table::CELLULANT, Some("welcome")),
            19106 => (Table::INFOBIP, None),
            // Vumi gives the application what came with the first request; here only the code counts then.
            19107 => (Table::IMIMOBILE, Some("hi")),
            other => panic!("port {other}"),
        };
        let policy = Policy::default().must_answer(true).orphans(Orphans::Final);
        Self {
            aggregator: Aggregator::new(table).callback("http://127.0.0.1/vm").code("one", "*120*7#"),
            dialogues: Dialogues::new(100),
            engine: Engine::new(Config::default().policy(policy)),
            now: Millis(1_790_000_000_000),
            welcome,
        }
    }

    fn receives(&mut self, request: &Request<String>) -> Response<String> {
        self.now = Millis(self.now.0 + 3000);
        let received = self.aggregator.read(request).and_then(|call| {
            let received = self.dialogues.receive(&call, self.now)?;
            Ok((received, call))
        });
        let (received, call) = match received {
            Ok(received) => received,
            Err(error) => return self.aggregator.refuse(&error, "Sorry"),
        };
        let sent = received.event.and_then(|event| self.handle(event.as_event()));
        if let Some(answer) = received.answer {
            assert!(sent.is_none(), "nothing waits for {sent:?}");
            return answer;
        }
        let (kind, response) = sent.expect("a frame answers each request");
        if kind == FrameKind::Final {
            self.dialogues.close(call.key());
        }
        response
    }

    /// Handles an event, the application's reply to it too; the response made of the frame.
    fn handle(&mut self, event: Event<'_>) -> Option<(FrameKind, Response<String>)> {
        let mut effects = Vec::new();
        self.engine.handle(LINK, event, self.now, |effect: Effect<'_>| effects.push(OwnedEffect::from(effect)));
        let mut response = None;
        for effect in effects {
            let effect = effect.as_effect();
            let (token, said) = match &effect.action {
                Action::Send(frame) => {
                    response = Some((frame.kind, self.aggregator.reply(frame, effect.dialled).unwrap()));
                    continue;
                }
                Action::Call(Callback::New { token, dialled, .. }) => {
                    (*token, self.welcome.unwrap_or(dialled).to_owned())
                }
                Action::Call(Callback::Existing { token, text }) => (*token, text.as_str().to_owned()),
                _ => continue,
            };
            let verb = if said == "bye" { Verb::End } else { Verb::Continue };
            let text = format!("echo: {said}");
            let reply = Event::Reply { to: effect.subscriber, token, verb, text: Text::public(&text) };
            response = self.handle(reply);
        }
        response
    }
}

#[test]
fn requests_and_answers_as_recorded() {
    let file = fs::read_to_string(vectors::path("traces/vumi/http-aggregators.txt")).unwrap();
    let mut connectors: Vec<(u16, Connector)> = Vec::new();
    let mut seen = 0;
    for block in file.split("--- ").skip(1) {
        let row = Row::read(block);
        let port = row.port();
        if !connectors.iter().any(|(known, _)| *known == port) {
            connectors.push((port, Connector::new(port)));
        }
        let (_, connector) = connectors.iter_mut().find(|(known, _)| *known == port).unwrap();
        compare(&row, &connector.receives(&row.request));
        seen += 1;
    }
    assert_eq!((seen, connectors.len()), (28, 7));
}

fn compare(row: &Row, response: &Response<String>) {
    let asked = row.request.uri();
    assert_eq!(response.status(), row.status, "{asked}");
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    // Here the differences: a refusal says that it is JSON, and does not list what it has no use for; and an unknown
    // session is named in other words.
    let refused: Value = serde_json::from_str(response.body()).unwrap_or_default();
    match asked.to_string() {
        url if url.ends_with("&extra=1") => {
            let missing = ["msisdn", "ussdServiceCode", "transactionTime", "ussdRequestString"];
            return assert_eq!(refused, json!({ "missing_parameter": missing }));
        }
        url if url.contains("/imi/two") => {
            return assert_eq!(refused, json!({ "error": "parameter (last path segment): no such service" }));
        }
        url if url.ends_with("/i1/response") && row.body.contains("400") => {
            return assert_eq!(refused, json!({ "responseExitCode": 400, "responseMessage": "unknown session i1" }));
        }
        _ => {}
    }
    assert_eq!(*response.body(), row.body, "{asked}");
    assert_eq!(header("content-type"), Some(&*row.content_type).map(plain(asked.port_u16().unwrap())), "{asked}");
    for (short, value) in &row.headers {
        let name = match short.as_str() {
            "fb" => "freeflow",
            "ch" => "charge",
            "am" => "amount",
            _ => "x-ussd-session",
        };
        assert_eq!(header(name).unwrap_or_default(), value, "{asked} {name}");
    }
}

/// Vumi's IMImobile transport forgets the charset that it writes.
fn plain(port: u16) -> impl Fn(&str) -> &str {
    move |recorded| if port == 19107 { "text/plain; charset=utf-8" } else { recorded }
}
