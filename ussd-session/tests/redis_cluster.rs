//! A Redis cluster, in which what is due lies in another slot than the sessions: no session is lost between the two.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, Value, aio::ConnectionLike, cmd};
use ussd_session::{
    Config, Event, Millis, NetId, Phase, State, Subscriber, Text, TurnToken, Verb,
    store::{Driver, Key, RedisStore, Store},
};
use world::{
    LINK, describe,
    redis_server::{Connection, RedisServer},
    stored::{key, token},
};

const NOW: Millis = Millis(1_795_219_700_000);

/// A connection of a machine that is lost after some commands.
#[derive(Clone)]
struct Mortal {
    connection: Connection,
    left: Arc<AtomicUsize>,
}

impl ConnectionLike for Mortal {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let lives = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        Box::pin(async move {
            match lives {
                true => self.connection.req_packed_command(cmd).await,
                false => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            }
        })
    }

    fn req_packed_commands<'a>(&'a mut self, _: &'a Pipeline, _: usize, _: usize) -> RedisFuture<'a, Vec<Value>> {
        panic!("a pipeline");
    }

    fn get_db(&self) -> i64 {
        0
    }
}

fn machine<S: Store>(node: u16, store: S) -> Driver<S> {
    Driver::new(store, Config::default().node(node))
}

fn phone(at: usize) -> Subscriber {
    format!("+278300000{at:02}").parse().unwrap()
}

fn begin(from: Subscriber) -> Event<'static> {
    Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None }
}

fn answer(from: Subscriber) -> Event<'static> {
    Event::Answer { from, text: Text::public("1"), net: NetId::NONE, dedup: None }
}

fn hangs_up(from: Subscriber) -> Event<'static> {
    Event::UserEnd { from, net: NetId::NONE, text: None }
}

fn menu(to: Subscriber, token: TurnToken) -> Event<'static> {
    Event::Reply { to, token, verb: Verb::Continue, text: Text::public("menu") }
}

fn after(seconds: u64) -> Millis {
    Millis(NOW.0 + 1000 * seconds)
}

async fn ask<T: FromRedisValue>(connection: &Connection, words: &[&str]) -> T {
    let mut command = cmd(words[0]);
    words[1..].iter().for_each(|word| _ = command.arg(word));
    command.query_async(&mut connection.clone()).await.unwrap()
}

/// Begins, replies, answers and hangs up, and is lost somewhere in it; true if it was.
async fn lives(machine: &Driver<RedisStore<Mortal>>, from: Subscriber) -> bool {
    let Ok(begun) = machine.handle(LINK, &begin(from), NOW).await else { return true };
    let Ok(_) = machine.handle(LINK, &menu(from, token(&begun)), after(1)).await else { return true };
    let Ok(_) = machine.handle(LINK, &answer(from), after(2)).await else { return true };
    machine.handle(LINK, &hangs_up(from), after(3)).await.is_err()
}

/// Whenever its machine is lost: what is open is on the list, another machine ends it, and then nothing is listed.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_session_outlives_its_machine_wherever_that_is_lost() {
    let server = RedisServer::start_cluster().await;
    let connection = server.connection().await;
    let two = machine(2, server.store().await.cluster(true));
    let (mut seen, mut states) = (BTreeSet::new(), BTreeSet::new());
    for commands in 0.. {
        // A Redis that has no script yet takes more commands.
        if commands % 2 == 0 {
            ask::<()>(&connection, &["SCRIPT", "FLUSH"]).await;
        }
        ask::<()>(&connection, &["FLUSHALL"]).await;
        let mortal = Mortal { connection: connection.clone(), left: Arc::new(AtomicUsize::new(commands / 2)) };
        let lost = lives(&machine(1, RedisStore::over(mortal).cluster(true)), phone(1)).await;
        let record = two.record(key(phone(1))).await.unwrap();
        let is_open = record.as_ref().is_some_and(|record| record.is_open());
        states.insert(record.map(|record| match record.state() {
            State::Closed(_) => "closed".to_owned(),
            state => format!("{state:?}"),
        }));
        let listed = two.due_anywhere(after(3 + 185), 9).await.unwrap();
        assert!(!is_open || listed == [key(phone(1))], "after {} commands", commands / 2);
        let mut ended = Vec::new();
        for key in listed {
            let ticked = two.tick(key, after(3 + 185)).await.unwrap();
            ended.extend(ticked.effects.iter().map(|effect| describe(&effect.as_effect(), &mut Vec::new())));
        }
        assert_eq!(ended.iter().filter(|line| line.starts_with("TO(")).count(), usize::from(is_open), "{ended:?}");
        seen.extend(ended);
        assert_eq!(two.due_anywhere(after(600), 9).await.unwrap(), []);
        let immortal: i64 = ask(&connection, &["PTTL", &format!("ussd:{{{}}}:1:s", phone(1))]).await;
        assert_ne!(immortal, -1);
        if !lost {
            break;
        }
    }
    let every = [None, Some("AppTurn"), Some("UserTurn"), Some("closed")].map(|state| state.map(str::to_owned));
    assert_eq!(states, BTreeSet::from(every), "it was lost everywhere");
    assert!(seen.contains("Cl(AppSlow)") && seen.contains("Cl(UserSlow)"), "{seen:?}");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_the_list_has_lost_is_found() {
    let server = RedisServer::start_cluster().await;
    let mut connection = server.connection().await;
    // A prefix that would mean something else in a pattern, and neighbours.
    let store = async |prefix: &str| server.store().await.cluster(true).prefix(prefix);
    let (one, two) = (machine(1, store("us*[d]").await), machine(2, store("us*[d]").await));
    let other = machine(1, store("usxd").await);
    other.handle(LINK, &begin(phone(0)), NOW).await.unwrap();
    for at in 0..20 {
        let begun = one.handle(LINK, &begin(phone(at)), NOW).await.unwrap();
        one.handle(LINK, &menu(phone(at), token(&begun)), NOW).await.unwrap();
    }
    one.handle(LINK, &hangs_up(phone(7)), NOW).await.unwrap();
    // One is listed, the others were lost with their machine and the list.
    ask::<()>(&connection, &["DEL", "us*[d]:due"]).await;
    one.handle(LINK, &answer(phone(3)), NOW).await.unwrap();
    drop(one);
    let (mut from, mut listed) = (None, 0);
    loop {
        let repaired = two.store().repair(&mut connection, from).await.unwrap();
        listed += repaired.listed;
        from = repaired.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(listed, 18);
    assert_eq!(two.store().repair(&mut connection, None).await.unwrap().listed, 0);
    let left: i64 = ask(&connection, &["PTTL", "us*[d]:due"]).await;
    assert!(left > 0, "{left}");
    let mut expected: Vec<Key> = (0..20).filter(|at| ![3, 7].contains(at)).map(|at| key(phone(at))).collect();
    expected.sort();
    let mut due = two.due_anywhere(NOW, 99).await.unwrap();
    due.sort();
    assert_eq!(due, expected);
    for key in due {
        assert!(two.tick(key, NOW).await.unwrap().effects.is_empty());
    }
    assert_eq!(two.due_anywhere(NOW, 99).await.unwrap(), [], "each has its deadline again");
    assert_eq!(two.due_anywhere(after(68), 99).await.unwrap().len(), 19);
}
