//! The store in a real Redis, which each test starts for itself. Every scenario table is played on it too, when ignored
//! tests are asked for.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod conformance;
mod schedule;
mod world;

use std::{sync::Arc, time::Duration};

use conformance::Bench;
use proptest::{prelude::*, test_runner::TestRunner};
use redis::{FromRedisValue, cmd};
use schedule::{Step, plan, run, screens};
use ussd_session::{
    Action, Callback, Config, Event, Millis, NetId, OwnedEffect, Phase, Subscriber, Text, TurnToken, Verb,
    store::{Driver, Error, Key, RedisStore, RedisStoreError, Store, VumiLayout, VumiTransport},
};
use world::{
    Bare, LINK, Screened, describe,
    redis_server::{Connection, RedisServer},
    stored::{in_redis, key},
};

const NOW: Millis = Millis(1_795_219_700_000);
const PHONE: &str = "27831234567";

struct Real {
    store: Arc<RedisStore<Connection>>,
    connection: Connection,
}

impl Real {
    async fn new(server: &RedisServer, cluster: bool) -> Self {
        let store = server.store().await.prefix("{conformance}").cluster(cluster);
        Self { store: Arc::new(store), connection: server.connection().await }
    }
}

impl Bench for Real {
    type Store = RedisStore<Connection>;

    fn store(&self) -> Arc<Self::Store> {
        Arc::clone(&self.store)
    }

    async fn expire(&self, key: Key) {
        // The owner was written with the session, to live as long.
        for what in ["s", "o"] {
            let name = format!("conformance:{{{}}}:{}:{what}", key.subscriber, key.link.0);
            let expired: bool = ask(&self.connection, &["PEXPIREAT", &name, "1"]).await;
            assert!(expired);
        }
    }
}

async fn ask<T: FromRedisValue>(connection: &Connection, words: &[&str]) -> T {
    let mut command = cmd(words[0]);
    words[1..].iter().for_each(|word| _ = command.arg(word));
    command.query_async(&mut connection.clone()).await.unwrap()
}

/// All keys, and how long each has to live.
async fn keys(connection: &Connection) -> Vec<(String, i64)> {
    let mut all = Vec::new();
    for key in ask::<Vec<String>>(connection, &["KEYS", "*"]).await {
        let left = ask(connection, &["PTTL", &key]).await;
        all.push((key, left));
    }
    all.sort();
    all
}

fn machine<S: Store>(node: u16, store: S) -> Driver<S> {
    Driver::new(store, Config::default().node(node))
}

fn phone() -> Subscriber {
    PHONE.parse().unwrap()
}

fn begin(dialled: &str) -> Event<'_> {
    Event::Begin { from: phone(), dialled, net: NetId::NONE, phase: Phase::Two, dedup: None }
}

fn answer<'a>(from: &str, text: &'a str, net: &str) -> Event<'a> {
    let net = NetId::new(net.as_bytes()).unwrap();
    Event::Answer { from: from.parse().unwrap(), text: Text::public(text), net, dedup: None }
}

fn hangs_up() -> Event<'static> {
    Event::UserEnd { from: phone(), net: NetId::NONE, text: None }
}

fn reply(to: Subscriber, token: TurnToken, text: &str) -> Event<'_> {
    Event::Reply { to, token, verb: Verb::Continue, text: Text::public(text) }
}

fn lines(effects: &[OwnedEffect]) -> Vec<String> {
    effects.iter().map(|effect| describe(&effect.as_effect(), &mut Vec::new())).collect()
}

fn token(effects: &[OwnedEffect]) -> TurnToken {
    let mut calls = effects.iter().filter_map(|effect| match effect.as_effect().action {
        Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => Some(token),
        _ => None,
    });
    calls.next_back().expect("a turn")
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn redis_conforms() {
    let server = RedisServer::start(&[]);
    let real = Real::new(&server, false).await;
    conformance::all(&real).await;
    assert_eq!(keys(&real.connection).await, [], "nothing is left");
}

/// In a cluster, a script may touch the keys of one slot only.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_cluster_conforms() {
    let server = RedisServer::start_cluster().await;
    let refused = Real::new(&server, false).await;
    let machine = machine(1, Arc::into_inner(refused.store).unwrap());
    let failed = machine.handle(LINK, &begin("*1#"), NOW).await.unwrap_err();
    assert!(failed.to_string().contains("slot"), "{failed}");
    conformance::all(&Real::new(&server, true).await).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn n12_two_machines_one_event_each_at_once() {
    let server = RedisServer::start(&[]);
    let machines = [machine(1, server.store().await), machine(2, server.store().await)];
    for round in 0..100 {
        let now = Millis(NOW.0 + 200_000 * round);
        let [one, two] = &machines;
        let given = token(&one.handle(LINK, &begin("*1#"), now).await.unwrap().effects);
        two.handle(LINK, &reply(phone(), given, "a"), now).await.unwrap();
        let (answered, hung_up) = (answer(PHONE, "1", ""), hangs_up());
        let (first, second) = tokio::join!(one.handle(LINK, &answered, now), two.handle(LINK, &hung_up, now));
        let seen = [lines(&first.unwrap().effects).join(" "), lines(&second.unwrap().effects).join(" ")];
        let orders = [["Ex(1)", "End(User) Cl(User)"], ["F(expired) !LateAnswer", "End(User) Cl(User)"]];
        assert!(orders.iter().any(|order| seen == *order), "{seen:?}");
    }
    let conflicts = machines[0].counters().conflicts + machines[1].counters().conflicts;
    assert!(conflicts > 0, "they never met");
}

/// Many phones dial at once, at two machines: not one more gets in than there are places.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn n33_places_at_two_machines() {
    let server = RedisServer::start(&[]);
    let config = Config::default().max_live(10);
    let machines =
        [Driver::new(server.store().await, config.clone().node(1)), Driver::new(server.store().await, config.node(2))]
            .map(Arc::new);
    let dials: Vec<_> = (0..40_usize)
        .map(|phone| {
            let machine = Arc::clone(&machines[phone % 2]);
            tokio::spawn(async move {
                let from = format!("2783{phone:07}").parse().unwrap();
                let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
                lines(&machine.handle(LINK, &begin, NOW).await.unwrap().effects).join(" ")
            })
        })
        .collect();
    let mut seen = Vec::new();
    for dial in dials {
        seen.push(dial.await.unwrap());
    }
    seen.sort();
    assert_eq!(seen, [["F(busy) !Overload"; 30].as_slice(), &["New"; 10]].concat());
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn n13_crash_between_write_and_sending() {
    let server = RedisServer::start(&[]);
    let (one, two) = (machine(1, server.store().await), machine(2, server.store().await));
    let given = token(&one.handle(LINK, &begin("*1#"), NOW).await.unwrap().effects);
    drop(one.handle(LINK, &reply(phone(), given, "menu"), NOW).await.unwrap());
    assert_eq!(two.owner(key(phone())).await.unwrap().unwrap().node, 1);
    drop(one);
    let again = two.handle(LINK, &reply(phone(), given, "menu"), NOW).await.unwrap();
    assert_eq!(lines(&again.effects), ["Rej(AlreadyReplied)"]);
    let due = Millis(NOW.0 + 68_000);
    assert_eq!(two.due_anywhere(due, 9).await.unwrap(), [key(phone())]);
    let ended = two.tick(key(phone()), due).await.unwrap();
    assert_eq!(lines(&ended.effects), ["TO(User)", "Cl(UserSlow)"]);
    assert_eq!(two.due_anywhere(due, 9).await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn n26_n29_what_has_expired_does_not_come_back() {
    let server = RedisServer::start(&[]);
    let connection = server.connection().await;
    let one = machine(1, server.store().await);
    let given = token(&one.handle(LINK, &begin("*1#"), NOW).await.unwrap().effects);
    let name = format!("ussd:{{+{PHONE}}}:1:s");
    let left: i64 = ask(&connection, &["PTTL", &name]).await;
    assert!((304_000..=305_000).contains(&left), "{left}: the total time, the tombstone's, and a minute");
    let written: Vec<u8> = ask(&connection, &["GET", &name]).await;
    let expired: bool = ask(&connection, &["PEXPIREAT", &name, "1"]).await;
    assert!(expired);
    let late = one.handle(LINK, &reply(phone(), given, "menu"), NOW).await.unwrap();
    assert_eq!(lines(&late.effects), ["Rej(Unknown)"]);
    assert_eq!(ask::<i64>(&connection, &["PTTL", &name]).await, -2, "absent");
    // Another session in its place, and a slow write for the first: by the tag it is refused.
    one.handle(LINK, &begin("*2#"), NOW).await.unwrap();
    let new: Vec<u8> = ask(&connection, &["GET", &name]).await;
    assert_eq!((&written[8..16], &written[8..16]), (&new[8..16], &1_u64.to_be_bytes()[..]), "both are version 1");
    assert_ne!(written[..8], new[..8]);
    let late = one.handle(LINK, &reply(phone(), given, "menu"), NOW).await.unwrap();
    assert_eq!(lines(&late.effects), ["Rej(Stale)"]);
    assert_eq!(ask::<Vec<u8>>(&connection, &["GET", &name]).await, new);
}

/// Random schedules end as in memory, and no key ever lives for ever.
#[test]
#[ignore = "needs redis-server"]
fn redis_is_as_the_engine() {
    let server = RedisServer::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(server.connection());
    let mut runner = TestRunner::new(ProptestConfig { cases: 30, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&plan(), |plan| {
        let stored = run(&mut in_redis(&server, &plan.policy), &plan.ops);
        let immortal: Vec<_> = runtime.block_on(keys(&connection)).into_iter().filter(|(_, left)| *left <= 0).collect();
        runtime.block_on(ask::<()>(&connection, &["FLUSHALL"]));
        prop_assert!(immortal.is_empty(), "{immortal:?}");
        let plain = run(&mut Bare::new(plan.policy.clone()), &plan.ops);
        let of = |trace: &[Step], phone| -> Vec<Vec<String>> {
            let seen = |step: &Step| {
                step.seen.iter().filter(|seen| seen.phone == phone).map(|seen| seen.line.clone()).collect()
            };
            trace.iter().map(seen).collect()
        };
        for phone in 0..3 {
            prop_assert_eq!(of(&stored, phone), of(&plain, phone));
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Pages and resumed sessions, over two machines, are as in one process, and leave no key for ever.
#[test]
#[ignore = "needs redis-server"]
fn screens_in_redis_are_as_in_one_process() {
    let server = RedisServer::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(server.connection());
    let mut runner = TestRunner::new(ProptestConfig { cases: 30, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&(screens::policies(), screens::ops()), |(policy, ops)| {
        let stored = screens::run(&mut in_redis(&server, &policy), &ops);
        let immortal: Vec<_> = runtime.block_on(keys(&connection)).into_iter().filter(|(_, left)| *left <= 0).collect();
        runtime.block_on(ask::<()>(&connection, &["FLUSHALL"]));
        prop_assert!(immortal.is_empty(), "{immortal:?}");
        prop_assert_eq!(stored, screens::run(&mut Screened::new(policy), &ops));
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_lost_is_an_error_and_comes_back() {
    let mut server = RedisServer::start(&[]);
    let limit = Duration::from_millis(300);
    let one = machine(1, server.managed(limit)).time_limit(limit);
    let given = token(&one.handle(LINK, &begin("*1#"), NOW).await.unwrap().effects);

    // It hangs: nothing comes back, and nothing refuses.
    server.signal("STOP");
    let start = now();
    let failed = one.handle(LINK, &answer(PHONE, "1", ""), NOW).await.unwrap_err();
    assert_eq!(lines(&failed.effects), ["F(Sorry, try again)"]);
    assert!(start.elapsed() < 3 * limit, "{:?}", start.elapsed());
    server.signal("CONT");
    let late = one.handle(LINK, &reply(phone(), given, "menu"), NOW).await.unwrap();
    assert_eq!(lines(&late.effects), ["P(menu)"]);

    // It is gone.
    server.stop();
    let start = now();
    for event in [begin("*2#"), reply(phone(), given, "again"), hangs_up()] {
        let failed = one.handle(LINK, &event, NOW).await.unwrap_err();
        assert!(matches!(failed.error, Error::Store(_) | Error::Silent(_)), "{failed}");
    }
    assert!(one.due_anywhere(NOW, 1).await.is_err());
    assert!(start.elapsed() < 8 * limit, "{:?}", start.elapsed());

    // It comes back, with nothing in it.
    server.restart();
    let mut tries = 0..50;
    let begun = loop {
        match one.handle(LINK, &begin("*3#"), NOW).await {
            Ok(begun) => break begun,
            Err(failed) => assert!(tries.next().is_some(), "{failed}"),
        }
    };
    assert_eq!(lines(&begun.effects), ["New"]);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_we_did_not_write_is_an_error() {
    let server = RedisServer::start(&[]);
    let connection = server.connection().await;
    let one = machine(1, server.store().await);
    let name = format!("ussd:{{+{PHONE}}}:1:s");
    ask::<()>(&connection, &["SET", &name, "hello", "EX", "100"]).await;
    let failed = one.handle(LINK, &begin("*1#"), NOW).await.unwrap_err();
    assert!(matches!(failed.error, Error::Store(RedisStoreError::NotOurs { .. })), "{failed}");
    let told = "the store of sessions failed: what is kept for a phone is no session: no tag";
    assert_eq!(failed.to_string(), told, "and not the phone's number");
    ask::<()>(&connection, &["DEL", &name]).await;
    ask::<()>(&connection, &["HSET", &name, "a", "1"]).await;
    let failed = one.handle(LINK, &begin("*1#"), NOW).await.unwrap_err();
    assert!(failed.to_string().contains("WRONGTYPE"), "{failed}");
    ask::<()>(&connection, &["ZADD", "ussd:due", "5", "nonsense", "6", "1.+27831234567", "7", "1.x"]).await;
    assert_eq!(one.due_anywhere(NOW, 9).await.unwrap(), [key(phone())]);
    assert_eq!(one.open(LINK, None).await.unwrap().keys, [key(phone())]);
}

/// Writes the recorded keys as they were.
async fn put_recorded(connection: &Connection) {
    for line in include_str!("traces/vumi-redis-keys.txt").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [key, "hash", ttl, fields] = columns[..] else { panic!("{line}") };
        let fields: Vec<&str> = fields.split('\'').skip(1).step_by(2).collect();
        ask::<()>(connection, &[&["HSET", key][..], &fields].concat()).await;
        ask::<()>(connection, &["EXPIRE", key, ttl.strip_prefix("ttl ").unwrap()]).await;
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn sessions_that_vumi_began_go_on() {
    // Transport, its name, the phone, the gateway's id, and the code that was dialled.
    let recorded = [
        (VumiTransport::Cellulant, "cell_tr", "254700000003", "c1", "*120*1#"),
        (VumiTransport::MTech, "mtech_tr", "2348000000001", "m1", "*120*5#"),
        (VumiTransport::Safaricom, "saf_tr", "254700000001", "s1", "*167#"),
        (VumiTransport::Dmark, "dmark_tr", "256700000001", "t1", ""),
    ];
    for cluster in [false, true] {
        let server = match cluster {
            false => RedisServer::start(&[]),
            true => RedisServer::start_cluster().await,
        };
        let connection = server.connection().await;
        put_recorded(&connection).await;
        for (transport, name, from, net, dialled) in recorded {
            let layout = VumiLayout::new(transport, name).key_prefix("vumitest");
            let store = async || server.store().await.cluster(cluster).take_over(LINK, layout.clone());
            let (one, two) = (machine(1, store().await), machine(2, store().await));
            let before = keys(&connection).await.len();
            // Another phone with this id is not let in.
            let other = one.handle(LINK, &answer("27830000099", "1", net), NOW).await.unwrap();
            let refused = ["F(expired)", "!OrphanAnswer"];
            if matches!(transport, VumiTransport::MTech | VumiTransport::Safaricom) {
                assert_eq!(lines(&other.effects), refused, "{transport:?}");
                assert_eq!(keys(&connection).await.len(), before);
            }
            if transport == VumiTransport::Dmark {
                continue; // it does not keep the phone, so the one that came first was let in
            }
            let answered = one.handle(LINK, &answer(from, "1", net), NOW).await.unwrap();
            assert_eq!(lines(&answered.effects), ["Ex(1)"], "{transport:?}");
            assert_eq!(answered.effects[0].as_effect().dialled, dialled);
            assert_eq!((token(&answered.effects).turn, one.counters().taken_over), (2, 1));
            let record = two.record(key(from.parse().unwrap())).await.unwrap().unwrap();
            assert_eq!(record.opened().0 / 10_000, 179_521_969, "it began when it began");
            let shown = reply(from.parse().unwrap(), token(&answered.effects), "menu");
            let shown = two.handle(LINK, &shown, NOW).await.unwrap();
            assert_eq!(lines(&shown.effects), ["P(menu)"]);
            assert_eq!(shown.effects[0].as_effect().dialled, dialled);
            let more = one.handle(LINK, &answer(from, "2", net), NOW).await.unwrap();
            assert_eq!(lines(&more.effects), ["Ex(2)"]);
        }
        let left = keys(&connection).await;
        let of_vumi: Vec<&str> = left.iter().map(|(key, _)| &key[..]).filter(|key| key.starts_with("vumi")).collect();
        assert_eq!(of_vumi, ["vumitest:vumi.transports.safaricom:saf_tr:session:s2"], "what was taken over is gone");
        assert!(left.iter().all(|(_, left)| *left > 0), "{left:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn two_machines_take_one_session_over_once() {
    let server = RedisServer::start(&[]);
    let connection = server.connection().await;
    let layout = VumiLayout::new(VumiTransport::TruTeq, "truteq_transport");
    let store = async || server.store().await.take_over(LINK, layout.clone());
    let (one, two) = (machine(1, store().await), machine(2, store().await));
    let name = format!("truteq_transport:ussd_codes:session:+{PHONE}");
    for _ in 0..200 {
        ask::<()>(&connection, &["HSET", &name, "created_at", "1795219690.5", "ussd_code", "*120*8864#"]).await;
        ask::<()>(&connection, &["EXPIRE", &name, "300"]).await;
        let tap = answer(PHONE, "1", "");
        let (first, second) = tokio::join!(one.handle(LINK, &tap, NOW), two.handle(LINK, &tap, NOW));
        let mut seen = [lines(&first.unwrap().effects), lines(&second.unwrap().effects)].concat();
        seen.sort();
        assert_eq!(seen, ["Coalesced", "Ex(1)"]);
        ask::<()>(&connection, &["FLUSHALL"]).await;
    }
    assert_eq!(one.counters().taken_over + two.counters().taken_over, 200);
    // A user who hangs up, dials again, or is pushed to is known too.
    for (event, expected) in [
        (hangs_up(), "End(User) Cl(User)"),
        (begin("*1#"), "End(Replaced) Cl(Replaced) New"),
        (reply(phone(), TurnToken { turn: 1, ..some_token() }, "x"), "Rej(Stale)"),
    ] {
        ask::<()>(&connection, &["FLUSHALL"]).await;
        ask::<()>(&connection, &["HSET", &name, "created_at", "1795219690.5", "ussd_code", "*120*8864#"]).await;
        let stepped = one.handle(LINK, &event, NOW).await.unwrap();
        assert_eq!(
            lines(&stepped.effects).iter().map(|line| line.replace("#2", "")).collect::<Vec<_>>().join(" "),
            expected
        );
    }
}

fn some_token() -> TurnToken {
    TurnToken { session: ussd_session::SessionId::from_bits(7).unwrap(), turn: 1 }
}

#[expect(clippy::disallowed_methods, reason = "measures how long Redis was waited for")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
