//! The routers through the public interface: what vumi's do, what is dropped and why, and a naive model beside them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use vumi_message::dispatch::{
    ContentKeywordTable, Dispatcher, Dropped, LoadBalanceTable, Matches, MemoryLimits, Route, Saved, Table, TableError,
    ToAddrTable,
};
use vumi_message::{Event, EventType, Kind, Message, Stamp, Status, Timestamp, UserMessage};

fn table(transports: Value, exposed: Value, router: Value) -> Table {
    serde_json::from_value(json!({"transport_names": transports, "exposed_names": exposed, "router": router})).unwrap()
}

/// Two transports, two applications.
fn dispatcher(router: Value) -> Dispatcher {
    Dispatcher::new(table(json!(["t1", "t2"]), json!(["app1", "app2"]), router)).unwrap()
}

/// Two transports, one application.
fn single(router: Value) -> Dispatcher {
    Dispatcher::new(table(json!(["t1", "t2"]), json!(["app1"]), router)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1_000)
}

/// A message with these fields over nulls.
fn message(fields: Value) -> Message {
    let mut body = serde_json::to_value(UserMessage::default()).unwrap();
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Message::User(serde_json::from_value(body).unwrap())
}

fn event(about: &str, transport_name: Option<&str>) -> Message {
    let event = Event::new(Stamp::new("e", at(0)), about, EventType::default());
    Message::Event(Event { transport_name: transport_name.map(str::to_owned), ..event })
}

fn keys(route: &Route) -> Vec<String> {
    route.targets().iter().map(|target| target.routing_key()).collect()
}

fn field(route: &Route, name: &str) -> Value {
    serde_json::to_value(&route.targets()[0].message).unwrap()[name].clone()
}

fn reason(route: Route) -> Dropped {
    match route {
        Route::Dropped(reason) => reason,
        Route::To(targets) => panic!("went to {targets:?}"),
    }
}

fn no_entry(table: &'static str, key: &str) -> Dropped {
    Dropped::NoEntry { table, key: key.to_owned() }
}

#[test]
fn transport_name_copies_to_every_name() {
    let mut dispatcher = dispatcher(json!({"transport_name": {
        "route_mappings": {"t1": ["app1", "app2"], "t2": ["app2"]},
        "transport_mappings": {"old": "t2"},
    }}));
    let inbound = message(json!({"transport_name": "t1"}));
    let route = dispatcher.route("t1", &inbound, at(0));
    assert_eq!(keys(&route), ["app1.inbound", "app2.inbound"]);
    assert!(route.targets().iter().all(|target| target.message == inbound));
    assert_eq!(keys(&dispatcher.route("t2", &event("m", Some("t2")), at(0))), ["app2.event"]);
    // vumi2's events name no transport: the connector counts.
    assert_eq!(keys(&dispatcher.route("t1", &event("m", None), at(0))), ["app1.event", "app2.event"]);
    let unlisted = dispatcher.route("t1", &message(json!({"transport_name": "t9"})), at(0));
    assert_eq!(reason(unlisted), no_entry("route_mappings", "t9"));
    for (named, key) in [("t1", "t1.outbound"), ("old", "t2.outbound")] {
        assert_eq!(keys(&dispatcher.route("app1", &message(json!({"transport_name": named})), at(0))), [key]);
    }
    let unknown = dispatcher.route("app1", &message(json!({"transport_name": "t9"})), at(0));
    assert_eq!(reason(unknown), Dropped::UnknownTransport { name: "t9".to_owned() });
    let unnamed = dispatcher.route("app1", &message(json!({})), at(0));
    assert_eq!(reason(unnamed), Dropped::Null { field: "transport_name" });
}

#[test]
fn what_no_router_takes_is_dropped_with_the_reason() {
    let mut dispatcher = dispatcher(json!({"transport_name": {"route_mappings": {"t1": ["app1"]}}}));
    let stranger = dispatcher.route("t9", &message(json!({})), at(0));
    assert_eq!(reason(stranger), Dropped::UnknownConnector { connector: "t9".to_owned() });
    let status = dispatcher.route("t1", &Status::default().into(), at(0));
    assert_eq!(reason(status), Dropped::NotRouted { kind: Kind::Status });
    let from_app = dispatcher.route("app1", &event("m", None), at(0));
    assert_eq!(reason(from_app), Dropped::NotRouted { kind: Kind::Event });
}

#[test]
fn transport_to_transport_sends_on() {
    let router = json!({"transport_to_transport": {"route_mappings": {"t1": ["t2"]}}});
    let mut dispatcher = Dispatcher::new(table(json!(["t1", "t2"]), json!([]), router.clone())).unwrap();
    assert_eq!(keys(&dispatcher.route("t1", &message(json!({"transport_name": "t1"})), at(0))), ["t2.outbound"]);
    assert_eq!(reason(dispatcher.route("t1", &event("m", None), at(0))), Dropped::EventsIgnored);
    let mut dispatcher = Dispatcher::new(table(json!(["t1", "t2"]), json!(["app1"]), router)).unwrap();
    assert_eq!(reason(dispatcher.route("app1", &message(json!({})), at(0))), Dropped::OutboundIgnored);
}

#[test]
fn patterns_match_at_the_start() {
    let to = |matches: &str, default_app: Value, to_addr: Value| {
        let mut dispatcher = dispatcher(json!({"to_addr": {
            "toaddr_mappings": [{"name": "app2", "pattern": "12"}, {"name": "app1", "pattern": "1|34$"}],
            "matches": matches, "default_app": default_app,
        }}));
        keys(&dispatcher.route("t1", &message(json!({"to_addr": to_addr})), at(0)))
    };
    assert_eq!(to("all", Value::Null, json!("123")), ["app2.inbound", "app1.inbound"]);
    assert_eq!(to("first", Value::Null, json!("123")), ["app2.inbound"]);
    assert_eq!(to("all", Value::Null, json!("34")), ["app1.inbound"]);
    for (to_addr, why) in
        [(json!("912"), "not at the start"), (json!("345"), "an end asked for"), (json!(null), "null")]
    {
        assert_eq!(to("all", Value::Null, to_addr.clone()), [""; 0], "{why}");
        assert_eq!(to("all", json!("app1"), to_addr), ["app1.inbound"], "{why}");
    }
}

#[test]
fn events_find_the_sender_for_as_long_as_it_is_remembered() {
    for router in [
        json!({"to_addr": {"toaddr_mappings": [{"name": "app1", "pattern": "1"}], "memory": {"seconds": 10}}}),
        json!({"content_keyword": {"fallback_application": "app1", "transport_mappings": {"88": "t1"}, "memory": {"seconds": 10}}}),
    ] {
        let mut dispatcher = dispatcher(router.clone());
        let outbound = message(json!({"message_id": "m1", "transport_name": "t1", "from_addr": "88"}));
        assert_eq!(keys(&dispatcher.route("app2", &outbound, at(0))), ["t1.outbound"]);
        assert_eq!(keys(&dispatcher.route("t1", &event("m1", None), at(9))), ["app2.event"]);
        let saved: Saved = serde_json::from_str(&serde_json::to_string(&dispatcher.save()).unwrap()).unwrap();
        let forgotten = dispatcher.route("t1", &event("m1", None), at(10));
        assert_eq!(reason(forgotten), Dropped::NotRemembered { user_message_id: "m1".to_owned() });
        // Another process takes over.
        let mut successor = self::dispatcher(router);
        successor.restore(saved, at(5));
        assert_eq!(keys(&successor.route("t1", &event("m1", None), at(9))), ["app2.event"]);
    }
}

#[test]
fn from_addr_multiplex_rewrites_both_ways() {
    let mut dispatcher =
        single(json!({"from_addr_multiplex": {"fromaddr_mappings": {"me@one": "t1", "me@two": "t2"}}}));
    let inbound = dispatcher.route("t2", &message(json!({"transport_name": "t2"})), at(0));
    assert_eq!((keys(&inbound), field(&inbound, "transport_name")), (vec!["app1.inbound".to_owned()], json!("app1")));
    let event = dispatcher.route("t2", &event("m", Some("t2")), at(0));
    assert_eq!((keys(&event), field(&event, "transport_name")), (vec!["app1.event".to_owned()], json!("app1")));
    let outbound = dispatcher.route("app1", &message(json!({"from_addr": "me@two", "transport_name": "app1"})), at(0));
    assert_eq!((keys(&outbound), field(&outbound, "transport_name")), (vec!["t2.outbound".to_owned()], json!("t2")));
    let unknown = dispatcher.route("app1", &message(json!({"from_addr": "x"})), at(0));
    assert_eq!(reason(unknown), no_entry("fromaddr_mappings", "x"));
    assert_eq!(reason(dispatcher.route("app1", &message(json!({})), at(0))), Dropped::Null { field: "from_addr" });
}

#[test]
fn keywords_are_first_words() {
    let mut dispatcher = dispatcher(json!({"content_keyword": {
        "rules": [
            {"app": "app1", "keyword": "JOIN"},
            {"app": "app2", "keyword": "join", "to_addr": "88", "prefix": "+27"},
        ],
        "keyword_mappings": {"app2": "Stop"},
        "transport_mappings": {"88": "t1"},
    }}));
    let mut to = |fields: Value| keys(&dispatcher.route("t1", &message(fields), at(0)));
    assert_eq!(
        to(json!({"content": "Join now", "to_addr": "88", "from_addr": "+271"})),
        ["app1.inbound", "app2.inbound"]
    );
    assert_eq!(to(json!({"content": "join", "to_addr": "89", "from_addr": "+271"})), ["app1.inbound"]);
    assert_eq!(to(json!({"content": "join", "to_addr": "88", "from_addr": null})), ["app1.inbound"]);
    assert_eq!(to(json!({"content": "STOP it"})), ["app2.inbound"]);
    for content in [json!("joined"), json!(" join"), json!(null)] {
        assert_eq!(to(json!({"content": content})), [""; 0]);
    }
    let unknown = dispatcher.route("app1", &message(json!({"from_addr": "99"})), at(0));
    assert_eq!(reason(unknown), no_entry("transport_mappings", "99"));
}

#[test]
fn redirect_rewrites_inbound_only() {
    let mut dispatcher = dispatcher(json!({"redirect": {
        "redirect_inbound": {"t1": "app2"}, "redirect_outbound": {"app2": "t1", "app1": "t2"},
    }}));
    let inbound = dispatcher.route("t1", &message(json!({"transport_name": "t1"})), at(0));
    assert_eq!((keys(&inbound), field(&inbound, "transport_name")), (vec!["app2.inbound".to_owned()], json!("app2")));
    let event = dispatcher.route("t1", &event("m", None), at(0));
    assert_eq!((keys(&event), field(&event, "transport_name")), (vec!["app2.event".to_owned()], json!("app2")));
    let outbound = dispatcher.route("app1", &message(json!({"transport_name": "app1"})), at(0));
    assert_eq!((keys(&outbound), field(&outbound, "transport_name")), (vec!["t2.outbound".to_owned()], json!("app1")));
    let unlisted = dispatcher.route("t2", &message(json!({"transport_name": "t2"})), at(0));
    assert_eq!(reason(unlisted), no_entry("redirect_inbound", "t2"));
}

#[test]
fn replies_go_back_through_the_transport_they_came_from() {
    let mut dispatcher = single(json!({"load_balance": {}}));
    let inbound = dispatcher.route("t2", &message(json!({"message_id": "m1", "transport_name": "t2"})), at(0));
    assert_eq!((keys(&inbound), field(&inbound, "transport_name")), (vec!["app1.inbound".to_owned()], json!("app1")));
    assert_eq!(field(&inbound, "helper_metadata"), json!({"load_balancer": {"transport_names": ["t2"]}}));
    let Message::User(received) = &inbound.targets()[0].message else { panic!("no user message") };
    let reply = received.reply(Stamp::new("r1", at(0)), "hi", None);
    for _ in 0..3 {
        let outbound = dispatcher.route("app1", &reply.clone().into(), at(0));
        assert_eq!(
            (keys(&outbound), field(&outbound, "transport_name")),
            (vec!["t2.outbound".to_owned()], json!("t2"))
        );
        assert_eq!(field(&outbound, "helper_metadata"), json!({"load_balancer": {"transport_names": []}}));
    }
    // Two balancers in a row: the stack's top is the last one's.
    let stack = json!({"in_reply_to": "m", "helper_metadata": {"load_balancer": {"transport_names": ["t1", "t2"]}}});
    let outbound = dispatcher.route("app1", &message(stack), at(0));
    assert_eq!(keys(&outbound), ["t2.outbound"]);
    assert_eq!(field(&outbound, "helper_metadata"), json!({"load_balancer": {"transport_names": ["t1"]}}));
    let push = message(json!({"helper_metadata": {"load_balancer": {"transport_names": ["t2"]}}}));
    let mut turn = || keys(&dispatcher.route("app1", &push, at(0))).concat();
    assert_eq!([turn(), turn(), turn()], ["t1.outbound", "t2.outbound", "t1.outbound"]);
    // A stack of strangers, or something else in its place, falls back to turns.
    for odd in [json!(["t9"]), json!([7]), json!({}), json!(null)] {
        let reply = json!({"in_reply_to": "m", "helper_metadata": {"load_balancer": {"transport_names": odd}}});
        assert_eq!(dispatcher.route("app1", &message(reply), at(0)).targets().len(), 1);
        let inbound = json!({"transport_name": "t1", "helper_metadata": {"load_balancer": odd}});
        let route = dispatcher.route("t1", &message(inbound), at(0));
        assert_eq!(field(&route, "helper_metadata")["load_balancer"]["transport_names"], json!(["t1"]));
    }
    let heard = dispatcher.route("t2", &event("r1", Some("t2")), at(0));
    assert_eq!((keys(&heard), field(&heard, "transport_name")), (vec!["app1.event".to_owned()], json!("app1")));
    let mut plain = single(json!({"load_balance": {"reply_affinity": false, "rewrite_transport_names": false}}));
    let inbound = plain.route("t2", &message(json!({"transport_name": "t2"})), at(0));
    assert_eq!((field(&inbound, "transport_name"), field(&inbound, "helper_metadata")), (json!("t2"), json!({})));
}

#[test]
fn what_a_table_leaves_out_is_the_documented_default() {
    let balance: LoadBalanceTable = serde_json::from_value(json!({})).unwrap();
    assert_eq!((balance.reply_affinity, balance.rewrite_transport_names), (true, true));
    assert_eq!(balance, LoadBalanceTable::default());
    let by_addr: ToAddrTable = serde_json::from_value(json!({"toaddr_mappings": []})).unwrap();
    assert_eq!((by_addr.matches, by_addr.memory), (Matches::All, MemoryLimits { seconds: 3_600, entries: 100_000 }));
    assert_eq!(by_addr, ToAddrTable::default());
    let by_word: ContentKeywordTable = serde_json::from_value(json!({"transport_mappings": {}})).unwrap();
    assert_eq!(by_word.memory, MemoryLimits { seconds: 604_800, entries: 100_000 });
    assert_eq!(by_word, ContentKeywordTable::default());
}

#[test]
fn the_routing_table_maps_endpoints() {
    let mut dispatcher = dispatcher(json!({"routing_table": {"routing_table": {
        "t1": {"default": ["app1", "sms"], "ussd": ["app2", "default"]},
        "app1": {"sms": ["t1", "default"]},
    }}}));
    let endpoint = |route: &Route| field(route, "routing_metadata")["endpoint_name"].clone();
    let inbound = dispatcher.route("t1", &message(json!({"routing_metadata": {"kept": 1}})), at(0));
    assert_eq!(keys(&inbound), ["app1.inbound"]);
    assert_eq!(field(&inbound, "routing_metadata"), json!({"endpoint_name": "sms", "kept": 1}));
    let other = dispatcher.route("t1", &message(json!({"routing_metadata": {"endpoint_name": "ussd"}})), at(0));
    assert_eq!((keys(&other), endpoint(&other)), (vec!["app2.inbound".to_owned()], json!("default")));
    let event = dispatcher.route("t1", &event("m", None), at(0));
    assert_eq!((keys(&event), endpoint(&event)), (vec!["app1.event".to_owned()], json!("sms")));
    let outbound = dispatcher.route("app1", &message(json!({"routing_metadata": {"endpoint_name": "sms"}})), at(0));
    assert_eq!((keys(&outbound), endpoint(&outbound)), (vec!["t1.outbound".to_owned()], json!("default")));
    let unlisted = dispatcher.route("app1", &message(json!({})), at(0));
    assert_eq!(reason(unlisted), no_entry("routing_table", "app1.default"));
    assert_eq!(reason(dispatcher.route("t2", &message(json!({})), at(0))), no_entry("routing_table", "t2"));
}

#[test]
fn tables_are_checked_when_built() {
    let empty = |key: &str| TableError::Empty { key: key.to_owned() };
    let unknown = |key: &str, name: &str, expected| TableError::UnknownName {
        key: key.to_owned(),
        name: name.to_owned(),
        expected,
    };
    let (transports, exposed) = ("transport_names", "exposed_names");
    let cases = [
        (json!({"transport_name": {"route_mappings": {}}}), empty("route_mappings")),
        (json!({"transport_name": {"route_mappings": {"t1": []}}}), empty("route_mappings.t1")),
        (json!({"transport_name": {"route_mappings": {"t1": ["t2"]}}}), unknown("route_mappings.t1", "t2", exposed)),
        (
            json!({"transport_name": {"route_mappings": {"t9": ["app1"]}}}),
            unknown("route_mappings.t9", "t9", transports),
        ),
        (
            json!({"transport_name": {"route_mappings": {"t1": ["app1"]}, "transport_mappings": {"x": "y"}}}),
            unknown("transport_mappings.x", "y", transports),
        ),
        (
            json!({"transport_to_transport": {"route_mappings": {"t1": ["app1"]}}}),
            unknown("route_mappings.t1", "app1", transports),
        ),
        (json!({"to_addr": {"toaddr_mappings": []}}), empty("toaddr_mappings")),
        (
            json!({"to_addr": {"toaddr_mappings": [{"name": "x", "pattern": "1"}]}}),
            unknown("toaddr_mappings[0].name", "x", exposed),
        ),
        (
            json!({"to_addr": {"toaddr_mappings": [{"name": "app1", "pattern": "1"}], "default_app": "x"}}),
            unknown("default_app", "x", exposed),
        ),
        (
            json!({"to_addr": {"toaddr_mappings": [{"name": "app1", "pattern": "1"}], "memory": {"seconds": 0}}}),
            TableError::Zero { key: "memory.seconds".to_owned() },
        ),
        (json!({"from_addr_multiplex": {"fromaddr_mappings": {"a": "t1"}}}), TableError::OneExposedName { found: 2 }),
        (json!({"user_group": {"group_mappings": {}}}), empty("group_mappings")),
        (json!({"user_group": {"group_mappings": {"g": "x"}}}), unknown("group_mappings.g", "x", exposed)),
        (json!({"content_keyword": {"transport_mappings": {}}}), empty("rules")),
        (
            json!({"content_keyword": {"rules": [{"app": "x", "keyword": "k"}], "transport_mappings": {}}}),
            unknown("rules[0].app", "x", exposed),
        ),
        (json!({"redirect": {}}), empty("redirect_inbound")),
        (json!({"redirect": {"redirect_outbound": {"app1": "x"}}}), unknown("redirect_outbound.app1", "x", transports)),
        (json!({"load_balance": {}}), TableError::OneExposedName { found: 2 }),
        (json!({"routing_table": {"routing_table": {}}}), empty("routing_table")),
        (
            json!({"routing_table": {"routing_table": {"t1": {"default": ["t2", "default"]}}}}),
            unknown("routing_table.t1.default", "t2", exposed),
        ),
        (
            json!({"routing_table": {"routing_table": {"x": {"default": ["t2", "default"]}}}}),
            unknown("routing_table.x", "x", "transport_names or exposed_names"),
        ),
    ];
    for (router, error) in cases {
        let table = table(json!(["t1", "t2"]), json!(["app1", "app2"]), router.clone());
        assert_eq!(Dispatcher::new(table).unwrap_err(), error, "{router}");
    }
    let bad = json!({"to_addr": {"toaddr_mappings": [{"name": "app1", "pattern": "("}]}});
    let error = Dispatcher::new(table(json!(["t1"]), json!(["app1"]), bad.clone())).unwrap_err();
    assert!(matches!(&error, TableError::Pattern { key, .. } if key == "toaddr_mappings[0].pattern"), "{error}");
    for (transport_names, exposed_names, error) in [
        (json!([]), json!(["app1"]), empty("transport_names")),
        (json!(["t1"]), json!([]), empty("exposed_names")),
        (json!(["t1"]), json!(["t1"]), TableError::Twice { key: "exposed_names".to_owned(), name: "t1".to_owned() }),
    ] {
        assert_eq!(Dispatcher::new(table(transport_names, exposed_names, bad.clone())).unwrap_err(), error);
    }
    // A key that no table knows is a typing error.
    let typo =
        json!({"transport_names": ["t1"], "exposed_names": ["a"], "router": {"load_balance": {"replyaffinity": true}}});
    assert!(serde_json::from_value::<Table>(typo).is_err());
}

#[test]
fn tables_come_back_from_serde() {
    let before = table(json!(["t1"]), json!(["app1"]), json!({"user_group": {"group_mappings": {"g": "app1"}}}));
    let after: Table = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
    assert_eq!(before, after);
    let aliases = json!({
        "receive_inbound_connectors": ["t1"], "receive_outbound_connectors": ["app1"], "router": {"load_balance": {}},
    });
    assert!(Dispatcher::new(serde_json::from_value(aliases).unwrap()).is_ok());
}

proptest! {
    /// The naive model of the sticky router: who was seen last when, in which group; restarts in between.
    #[test]
    fn users_stay_in_their_group(steps in prop::collection::vec((0_i64..8, 0_u8..6, prop::bool::weighted(0.2)), 1..80)) {
        const GROUPS: [(&str, &str); 3] = [("a", "app2"), ("b", "app1"), ("c", "app2")];
        let new = || dispatcher(json!({"user_group": {
            "group_mappings": GROUPS.into_iter().collect::<BTreeMap<_, _>>(), "memory": {"seconds": 20, "entries": 4},
        }}));
        let (mut dispatcher, mut now, mut turn) = (new(), 0, 0_usize);
        // The user, the group, the time of the last message; the least recent first.
        let mut model: Vec<(String, usize, i64)> = Vec::new();
        for (wait, user, restart) in steps {
            now += wait;
            if restart {
                let saved = dispatcher.save();
                dispatcher = new();
                dispatcher.restore(saved, at(now));
            }
            let user = format!("+27{user}");
            model.retain(|(_, _, seen)| seen + 20 > now);
            let group = match model.iter().position(|(known, ..)| *known == user) {
                Some(index) => model.remove(index).1,
                None => {
                    turn += 1;
                    if model.len() == 4 {
                        model.remove(0);
                    }
                    (turn - 1) % 3
                }
            };
            model.push((user.clone(), group, now));
            let route = dispatcher.route("t1", &message(json!({"from_addr": user})), at(now));
            prop_assert_eq!(keys(&route), [format!("{}.inbound", GROUPS[group].1)]);
            prop_assert!(dispatcher.save().remembered.len() <= 4);
        }
    }

    /// The naive model of the keyword router: each rule asked in turn.
    #[test]
    fn every_rule_that_matches_gets_a_copy(
        rules in prop::collection::vec(("[abAB]{0,2}", prop::option::of("[12]"), prop::option::of("[12]{0,2}"), 1_u8..3), 1..6),
        content in "[abAB ]{0,4}",
        to_addr in "[12]",
        from_addr in "[12]{1,3}",
    ) {
        let listed: Vec<Value> = rules
            .iter()
            .map(|(keyword, to_addr, prefix, app)| {
                json!({"keyword": keyword, "to_addr": to_addr, "prefix": prefix, "app": format!("app{app}")})
            })
            .collect();
        let mut dispatcher = dispatcher(json!({"content_keyword": {"rules": listed, "transport_mappings": {}}}));
        let word: String = content.chars().take_while(|character| *character != ' ').collect();
        let mut expected = Vec::new();
        for (keyword, to, prefix, app) in &rules {
            let same_word = keyword.eq_ignore_ascii_case(&word);
            let same_to = to.as_ref().is_none_or(|to| *to == to_addr);
            let same_prefix = prefix.as_ref().is_none_or(|prefix| from_addr.starts_with(prefix.as_str()));
            if same_word && same_to && same_prefix {
                expected.push(format!("app{app}.inbound"));
            }
        }
        let inbound = message(json!({"content": content, "to_addr": to_addr, "from_addr": from_addr}));
        prop_assert_eq!(keys(&dispatcher.route("t1", &inbound, at(0))), expected);
    }
}
