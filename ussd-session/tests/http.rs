//! Requests of aggregators that come twice, out of order, too long or incomplete, and what is answered.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::time::Duration;

use http::{Request, Response};
use proptest::prelude::*;
use ussd_session::{
    Action, Config, Effect, Engine, Event, FrameKind, Millis, NetId, Orphans, OwnedEffect, Policy, SessionId, Text,
    TurnToken, Verb,
    adapters::http::{Aggregator, Call, Dialogues, Error, Table},
};
use world::{LINK, describe};

const PHONE: &str = "254711000111";

/// A connector and an application that is told what to reply.
struct Connector {
    aggregator: Aggregator,
    dialogues: Dialogues,
    engine: Engine,
    now: Millis,
    sessions: Vec<SessionId>,
    turn: Option<TurnToken>,
}

impl Connector {
    fn new(aggregator: Aggregator) -> Self {
        let policy = Policy::default().must_answer(true).orphans(Orphans::Final);
        Self {
            aggregator,
            dialogues: Dialogues::new(100),
            engine: Engine::new(Config::default().policy(policy)),
            now: Millis(1_790_000_000_000),
            sessions: Vec::new(),
            turn: None,
        }
    }

    /// A request; what follows, frames as the body of the response.
    fn receives(&mut self, request: &Request<String>) -> Vec<String> {
        let received = self.aggregator.read(request).and_then(|call| {
            let received = self.dialogues.receive(&call, self.now)?;
            Ok((received, call.key().to_owned()))
        });
        match received {
            Ok((received, key)) => {
                let mut lines = match received.event {
                    Some(event) => self.handle(event.as_event(), &key),
                    None => Vec::new(),
                };
                lines.extend(received.answer.map(|answer| format!("[{}]", answer.body())));
                lines
            }
            Err(error) => vec![error.to_string(), self.aggregator.refuse(&error, "Sorry").into_body()],
        }
    }

    fn replies(&mut self, verb: Verb, text: &str) -> Vec<String> {
        let (to, token) = (PHONE.parse().unwrap(), self.turn.unwrap());
        self.handle(Event::Reply { to, token, verb, text: Text::public(text) }, "id")
    }

    fn waits(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now.after(Duration::from_secs(seconds));
        let mut effects = Vec::new();
        while self.engine.poll(self.now, 100, |effect: Effect<'_>| effects.push(OwnedEffect::from(effect))).more {}
        effects.iter().map(|effect| self.show(&effect.as_effect(), "id")).collect()
    }

    fn handle(&mut self, event: Event<'_>, key: &str) -> Vec<String> {
        let mut effects = Vec::new();
        self.engine.handle(LINK, event, self.now, |effect: Effect<'_>| effects.push(OwnedEffect::from(effect)));
        effects.iter().map(|effect| self.show(&effect.as_effect(), key)).collect()
    }

    fn show(&mut self, effect: &Effect<'_>, key: &str) -> String {
        match &effect.action {
            Action::Call(callback) => self.turn = Some(callback.token()),
            Action::Send(frame) => {
                if frame.kind == FrameKind::Final {
                    self.dialogues.close(key);
                }
                return self.aggregator.reply(frame, effect.dialled).unwrap().into_body();
            }
            _ => {}
        }
        describe(effect, &mut self.sessions)
    }
}

fn post(body: impl Into<String>) -> Request<String> {
    Request::post("/ussd").body(body.into()).unwrap()
}

fn get(target: &str) -> Request<String> {
    Request::get(target).body(String::new()).unwrap()
}

/// Africa's Talking: all that was typed so far.
fn at(path: &str) -> Request<String> {
    let path = path.replace('#', "%23").replace('+', "%2B");
    post(format!("sessionId=id&phoneNumber=%2B{PHONE}&networkCode=63902&serviceCode=*384*1234%23&text={path}"))
}

fn africas_talking() -> Connector {
    Connector::new(Aggregator::new(Table::AFRICAS_TALKING))
}

fn hubtel(kind: &str, message: &str, sequence: u32) -> Request<String> {
    let body = serde_json::json!({
        "Mobile": PHONE, "SessionId": "id", "ServiceCode": "711", "Type": kind, "Message": message,
        "Operator": "mtn", "Sequence": sequence, "ClientState": null,
    });
    post(body.to_string())
}

fn airtel(input: &str) -> Request<String> {
    get(&format!("/airtel?SessionID=id&MSISDN={PHONE}&MSC=x&input={input}"))
}

#[test]
fn s01_echo_over_africas_talking() {
    let mut at_home = africas_talking();
    assert_eq!(at_home.receives(&at("")), ["New"]);
    assert_eq!(at_home.replies(Verb::Continue, "Hello.."), ["CON Hello.."]);
    assert_eq!(at_home.receives(&at("hi")), ["Ex(hi)"]);
    assert_eq!(at_home.replies(Verb::Continue, "hi"), ["CON hi"]);
    assert_eq!(at_home.receives(&at("hi*0")), ["Ex(0)"]);
    assert_eq!(at_home.replies(Verb::End, "bye")[0], "END bye");
    // The report comes afterwards, and tells what was known.
    let report = |status: &str| post(format!("sessionId=id&phoneNumber={PHONE}&status={status}&hopsCount=3"));
    assert_eq!(at_home.receives(&report("Success")), ["[]"]);

    let mut cut_off = africas_talking();
    cut_off.receives(&at(""));
    cut_off.replies(Verb::Continue, "Menu");
    assert_eq!(cut_off.receives(&report("Incomplete")), ["End(User)", "Cl(User)", "[]"]);
    let mut failed = africas_talking();
    failed.receives(&at(""));
    assert_eq!(failed.receives(&report("Failed"))[0], "End(Network(Other(0)))");
}

#[test]
fn s11_shortcut() {
    for (request, code) in [(at("3*1"), "*384*1234*3*1#"), (at(""), "*384*1234#")] {
        let call = Aggregator::new(Table::AFRICAS_TALKING).read(&request).unwrap();
        let (received, _) = call.event(None).unwrap();
        let owned = received.event.unwrap();
        let Event::Begin { dialled, net, .. } = owned.as_event() else { panic!("{owned:?}") };
        assert_eq!((dialled, net), (code, NetId::new(b"id").unwrap()));
    }
    let mut at_home = africas_talking();
    assert_eq!(at_home.receives(&at("3*1")), ["New"]);
    at_home.replies(Verb::Continue, "Menu");
    assert_eq!(at_home.receives(&at("3*1*7")), ["Ex(7)"]);
}

#[test]
fn n03_n04_first_request_twice() {
    type Requests = fn(&str) -> Request<String>;
    let hubtel_first: Requests = |code| hubtel("Initiation", code, 1);
    let safaricom: Requests = |params| get(&format!("/saf?ORIG={PHONE}&DEST=167&SESSION_ID=id&USSD_PARAMS={params}"));
    let cases: [(Table, Requests, &str, &str); 4] = [
        (Table::SAFARICOM, safaricom, "3", "CON Menu"),
        (Table::AIRTEL, airtel, "167", "Menu"),
        (Table::AFRICAS_TALKING, at, "", "CON Menu"),
        (Table::HUBTEL, hubtel_first, "*711#", r#"{"Type": "Response", "Message": "Menu"}"#),
    ];
    for (table, request, first, prompt) in cases {
        let mut connector = Connector::new(Aggregator::new(table));
        assert_eq!(connector.receives(&request(first)), ["New"], "{}", table.name);
        connector.waits(1);
        assert_eq!(connector.receives(&request(first)), ["Coalesced"], "{}", table.name);
        assert_eq!(connector.replies(Verb::Continue, "Menu"), [prompt]);
        connector.waits(5);
        assert_eq!(connector.receives(&request(first)), [prompt], "{}: never a callback", table.name);
    }
}

#[test]
fn n06_n07_answers_twice() {
    let mut at_home = africas_talking();
    at_home.receives(&at(""));
    at_home.replies(Verb::Continue, "Menu");
    assert_eq!(at_home.receives(&at("1")), ["Ex(1)"]);
    assert_eq!(at_home.receives(&at("1")), ["Coalesced"]);
    assert_eq!(at_home.replies(Verb::Continue, "Next"), ["CON Next"]);
    assert_eq!(at_home.receives(&at("1")), ["CON Next"]);
    assert_eq!(at_home.receives(&at("1*1")), ["Ex(1)"], "the same digit once more is another answer");

    let mut ghana = Connector::new(Aggregator::new(Table::HUBTEL));
    ghana.receives(&hubtel("Initiation", "*711#", 1));
    ghana.replies(Verb::Continue, "Menu");
    assert_eq!(ghana.receives(&hubtel("Response", "1", 2)), ["Ex(1)"]);
    ghana.replies(Verb::Continue, "Next");
    assert_eq!(ghana.receives(&hubtel("Response", "1", 2)), [r#"{"Type": "Response", "Message": "Next"}"#]);
    assert_eq!(ghana.receives(&hubtel("response", "1", 3)), ["Ex(1)"]);
    let ended = ghana.receives(&hubtel("Timeout", "", 4));
    assert_eq!(ended, ["TO(Net)", "Cl(Net)", r#"[{"Type": "Release", "Message": ""}]"#]);

    // Dmark's time stands for its key.
    let dmark = |time: u32, text: &str| {
        let code = "ussdServiceCode=120*7";
        get(&format!("/d?transactionId=id&msisdn={PHONE}&{code}&transactionTime={time}&ussdRequestString={text}"))
    };
    let mut uganda = Connector::new(Aggregator::new(Table::DMARK));
    assert_eq!(uganda.receives(&dmark(1, "120*7")), ["New"]);
    uganda.replies(Verb::Continue, "Menu");
    assert_eq!(uganda.receives(&dmark(1, "120*7")), [r#"{"responseString": "Menu", "action": "request"}"#]);
    assert_eq!(uganda.receives(&dmark(2, "120*7")), ["Ex(120*7)"], "another time is another request");
}

#[test]
fn n19_asterisks_that_users_type() {
    let mut at_home = africas_talking();
    at_home.receives(&at(""));
    at_home.replies(Verb::Continue, "a");
    assert_eq!(at_home.receives(&at("1")), ["Ex(1)"]);
    at_home.replies(Verb::Continue, "b");
    for other in ["12", "2*9"] {
        assert_eq!(at_home.receives(&at(other))[1], "END Sorry", "{other}: not behind the 1");
    }
    assert_eq!(at_home.receives(&at("1*5*6")), ["Ex(5*6)"]);
    at_home.replies(Verb::Continue, "c");
    assert_eq!(at_home.receives(&at("1*5*6*")), ["Ex()"], "an empty answer");
    at_home.replies(Verb::Continue, "d");
    assert_eq!(at_home.receives(&at("1*5*6*")), ["CON d"]);
    let reset = ["parameter text: does not go on from the request before", "END Sorry"];
    for other in ["2*9", "1*5", "1*5*6", "1*5*67", ""] {
        assert_eq!(at_home.receives(&at(other)), reset, "{other}");
    }
    assert_eq!(at_home.receives(&at("1*5*6***")), ["Ex(*)"], "and the session goes on where it was");
    let mut first = africas_talking();
    first.receives(&at(""));
    first.replies(Verb::Continue, "a");
    assert_eq!(first.receives(&at("*5")), ["Ex(*5)"]);
}

#[test]
fn n14_n09_answers_that_are_late() {
    // Where a request says that it is no first one, a session that nobody knows has expired.
    let mut ghana = Connector::new(Aggregator::new(Table::HUBTEL));
    let expired = r#"{"Type": "Release", "Message": "expired"}"#;
    assert_eq!(ghana.receives(&hubtel("Response", "1", 2)), [expired, "!OrphanAnswer"]);
    // Where it does not say so, the id is remembered.
    let mut kenya = Connector::new(Aggregator::new(Table::AIRTEL));
    kenya.receives(&airtel("167"));
    kenya.replies(Verb::End, "bye");
    assert_eq!(kenya.receives(&airtel("1")), ["expired", "!LateAnswer"]);
    assert_eq!(kenya.receives(&airtel("167")), ["expired", "!LateAnswer"]);
    let cleanup = get("/airtel?SessionID=id&msisdn=254711000111&clean=clean-session&error=522");
    assert_eq!(kenya.receives(&cleanup), ["!OrphanClose", "[]"]);
    // After ten minutes of silence nothing is left of it.
    kenya.waits(601);
    assert_eq!(kenya.receives(&airtel("167")), ["New#2"]);
    // IMImobile has nothing but the phone: who is heard again has dialled again.
    let india = Aggregator::new(Table::IMIMOBILE).code("one", "*120*7#");
    let mut india = Connector::new(india);
    let says = |text: &str| get(&format!("/imi/one?msisdn={PHONE}&msg={text}&code=VUMI&tid=1&dcs=no"));
    assert_eq!(india.receives(&says("hi")), ["New"]);
    india.replies(Verb::Continue, "Menu");
    assert_eq!(india.receives(&says("1")), ["Ex(1)"]);
    let aborted = says("Map%20Dialog%20User%20Abort%20User%20Reason:%20x");
    assert_eq!(india.receives(&aborted), ["End(User)", "Cl(User)", "[Session Ended]"]);
    assert_eq!(india.receives(&says("1")), ["New#2"]);
}

/// A path holds what was typed long ago, too.
#[test]
fn n25_pin() {
    let aggregator = Aggregator::new(Table::AFRICAS_TALKING);
    let mut known = None;
    for path in ["", "1", "1*4321", "1*4321*2"] {
        let call = aggregator.read(&at(path)).unwrap();
        let (received, dialogue) = call.event(known.as_ref()).unwrap();
        // Coming twice it says the same, should nobody know that it did.
        let (again, _) = call.event(dialogue.as_ref()).unwrap();
        assert_eq!(again.event.unwrap().as_event(), received.event.as_ref().unwrap().as_event());
        let shown = format!("{call:?} {received:?} {dialogue:?}");
        assert!(!shown.contains("4321"), "{shown}");
        #[cfg(feature = "serde")]
        assert!(!serde_json::to_string(&dialogue).unwrap().contains("4321"));
        known = dialogue;
    }
}

#[test]
fn refusals_name_the_parameter() {
    let aggregator = Aggregator::new(Table::AFRICAS_TALKING);
    let answer = |request: &Request<String>| match aggregator.read(request) {
        Err(error) => (error.to_string(), aggregator.refuse(&error, "Sorry")),
        Ok(call) => panic!("{call:?}"),
    };
    let whole = "sessionId=id&phoneNumber=%2B254711000111&serviceCode=*1%23&text=";
    for (body, problem) in [
        ("text=1".to_owned(), "missing parameter: sessionId, phoneNumber, serviceCode"),
        (whole.replace("id&", "&"), "missing parameter: sessionId"),
        (
            whole.replace("%2B254", "0"),
            "parameter phoneNumber: a national phone number, and no country code to complete it",
        ),
        (
            whole.replace("id&", &format!("{}&", "x".repeat(65))),
            "session id: the network's session id has 65 octets, at most 64 are kept",
        ),
        (format!("{whole}{}", "1".repeat(4097)), "parameter text: 4097 octets, at most 4096 are possible"),
        (format!("{whole}&x={}", "1".repeat(16 * 1024)), "a request of 16451 octets, at most 16384 are possible"),
    ] {
        let (said, response) = answer(&post(body));
        assert_eq!(said, problem);
        assert_eq!(
            (response.status().as_u16(), response.body().as_str()),
            (200, "END Sorry"),
            "all else ends in an error"
        );
    }
    let national = aggregator.clone().country_code("254");
    assert!(national.read(&post(whole.replace("%2B254", "0"))).is_ok());

    let hubtel = Aggregator::new(Table::HUBTEL);
    let broken = hubtel.read(&post("{\"a\": ")).unwrap_err();
    assert_eq!(broken.to_string(), "body: no JSON object, at line 1 column 6");
    assert_eq!(hubtel.refuse(&broken, "Sorry").body(), r#"{"Type": "Release", "Message": "Sorry"}"#);
    let dmark = Aggregator::new(Table::DMARK);
    let missing = dmark.read(&get("/d?transactionId=1")).unwrap_err();
    assert_eq!(dmark.refuse(&missing, "Sorry").status(), 400);
    let named = Aggregator::new(Table::IMIMOBILE).read(&get("/imi/two?msisdn=254711000111&msg=1")).unwrap_err();
    assert_eq!(named, Error::NoSuchService { parameter: "(last path segment)" });
}

#[test]
fn texts_in_every_form() {
    let shown = |aggregator: &Aggregator, kind, text: &str| -> Result<Response<String>, Error> {
        let frame = ussd_session::Frame { kind, net: NetId::NONE, token: None, text: Text::public(text), again: false };
        aggregator.reply(&frame, "*120*7#")
    };
    let text = "a<b> & \"c\"|\nd\u{7}\u{e9}";
    let body =
        |table, kind| shown(&Aggregator::new(table).callback("http://h/?a=1&b"), kind, text).map(Response::into_body);
    assert_eq!(body(Table::AIRTEL, FrameKind::Prompt).unwrap(), text);
    assert_eq!(body(Table::CELLULANT, FrameKind::Prompt), Err(Error::Text('|')));
    let json: serde_json::Value = serde_json::from_str(&body(Table::INFOBIP, FrameKind::Prompt).unwrap()).unwrap();
    assert_eq!((json["ussdMenu"].as_str(), json["shouldClose"].as_bool()), (Some(text), Some(false)));
    let xml = body(Table::AAT, FrameKind::Prompt).unwrap();
    assert!(xml.contains("<headertext>a&lt;b&gt; &amp; &quot;c&quot;|\nd\u{e9}</headertext>"), "{xml}");
    assert!(xml.contains("callback=\"http://h/?a=1&amp;b&amp;to_addr=*120*7%23\""), "{xml}");
    assert!(!body(Table::AAT, FrameKind::Final).unwrap().contains("callback"));
    // What the callback brings back says that this is no first request.
    let aat = Aggregator::new(Table::AAT);
    let received = |target: &str| {
        let (received, _) = aat.read(&get(target)).unwrap().event(None).unwrap();
        received.event.unwrap()
    };
    let first = received("/aat?request=*120*7%23&msisdn=27820000001&ussdSessionId=u");
    assert!(matches!(first.as_event(), Event::Begin { dialled: "*120*7#", .. }));
    let next = received("/aat?to_addr=*120*7%23&request=*9&msisdn=27820000001&ussdSessionId=u");
    assert!(matches!(next.as_event(), Event::Answer { text, .. } if text.as_str() == "*9"));

    let cellulant = Aggregator::new(Table::CELLULANT);
    assert_eq!(cellulant.refuse(&Error::Text('|'), "a|b").body(), "1|ab|null|null|end|null");
    let push = shown(&cellulant, FrameKind::AskPush, "x");
    assert_eq!(push.unwrap_err(), Error::Unsupported(FrameKind::AskPush));
    let headers = shown(&Aggregator::new(Table::AIRTEL), FrameKind::Final, "x").unwrap();
    assert_eq!(
        (&headers.headers()["freeflow"], &headers.headers()["charge"]),
        (&"FB".parse().unwrap(), &"N".parse().unwrap())
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let aggregator = Aggregator::new(Table::AIRTEL);
    let mut dialogues = Dialogues::new(3).lifetime(Duration::from_secs(60));
    let mut receive = |id: u32, input: &str, at: u64| {
        let request = get(&format!("/?SessionID={id}&MSISDN={PHONE}&input={input}"));
        let call: Call = aggregator.read(&request).unwrap();
        let received = dialogues.receive(&call, Millis(at)).unwrap();
        let begins = matches!(received.event.unwrap().as_event(), Event::Begin { .. });
        (begins, dialogues.len())
    };
    for id in 0..10 {
        assert_eq!(receive(id, "167", 0), (true, (id as usize + 1).min(3)));
    }
    // The one that was silent longest goes first: 8, although 7 came before it, since 7 has spoken again.
    assert_eq!(receive(7, "1", 1_000), (false, 3));
    receive(11, "167", 2_000);
    assert_eq!(receive(7, "2", 3_000), (false, 3));
    assert_eq!(receive(8, "1", 3_000), (true, 3), "forgotten");
    assert_eq!(receive(12, "167", 64_000).1, 1, "all the others were silent for too long");
}

#[cfg(feature = "serde")]
#[test]
fn dialogues_can_be_written_down() {
    let call = Aggregator::new(Table::AFRICAS_TALKING).read(&at("")).unwrap();
    let (_, dialogue) = call.event(None).unwrap();
    let written = serde_json::to_string(&dialogue).unwrap();
    let read: Option<ussd_session::adapters::http::Dialogue> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, dialogue);
    let mut closed = read.unwrap();
    closed.close();
    assert!(closed.is_over());
}

proptest! {
    /// Whatever comes, in whatever order: an event, an answer or an error, and never more is kept than allowed for.
    #[test]
    fn any_requests_will_do(
        requests in prop::collection::vec((0_usize..10, "[a-zA-Z_]{0,12}", "[ -~\u{e9}]{0,12}", any::<bool>()), 0..30),
    ) {
        let tables = [
            Table::AFRICAS_TALKING, Table::SAFARICOM, Table::AIRTEL, Table::VODACOM_MESSAGING, Table::AAT,
            Table::INFOBIP, Table::HUBTEL, Table::IMIMOBILE, Table::DMARK, Table::CELLULANT,
        ];
        let mut dialogues = Dialogues::new(2);
        for (which, name, value, whole) in requests {
            let table = tables[which];
            let mut query: Vec<(&str, &str)> = vec![(&name, &value)];
            if whole {
                query.extend(table.required.iter().map(|parameter| (*parameter, &*value)));
                query.extend([(table.phone, PHONE)]);
            }
            let encoded: String = query.iter().map(|(name, value)| {
                format!("{name}={}&", value.bytes().map(|octet| format!("%{octet:02X}")).collect::<String>())
            }).collect();
            let target = format!("/session/{which}/{}?{encoded}", if whole { "start" } else { "x" });
            let Ok(uri) = target.parse::<http::Uri>() else { continue };
            let members: serde_json::Map<_, _> = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let body = if table.name == "Infobip" || table.name == "Hubtel" { serde_json::to_string(&members).unwrap() } else { encoded };
            let aggregator = Aggregator::new(table);
            let request = Request::post(uri).body(body).unwrap();
            match aggregator.read(&request).and_then(|call| dialogues.receive(&call, Millis(0))) {
                Ok(received) => prop_assert!(received.event.is_some() || received.answer.is_some()),
                Err(error) => prop_assert!(!aggregator.refuse(&error, "Sorry").body().is_empty()),
            }
            prop_assert!(dialogues.len() <= 2);
        }
    }
}
