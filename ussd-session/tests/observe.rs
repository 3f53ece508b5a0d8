//! What is told to `tracing` and counted, and what is not.
#![cfg(all(feature = "testkit", feature = "metrics"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use tracing::{Event, Subscriber, field::Visit, span};
use ussd_session::testkit::World;
use ussd_session::{Dialled, Done, Fit, Policy, Screen, Session, Turn, UssdApp};

struct Bank;

impl UssdApp for Bank {
    type State = ();

    async fn new_session(&self, _: &mut Session<()>, turn: Turn, _: Dialled<'_>) -> Done {
        turn.cont(Screen::new("PIN?").expecting_secret())
    }

    async fn existing_session(&self, _: &mut Session<()>, turn: Turn, message: &str) -> Done {
        tracing::info!("the application's own words");
        match message {
            "4321" => turn.cont(Screen::new("You have 987 left").secret()),
            "wide" => turn.cont("\u{1200}"),
            "huge" => turn.cont("x".repeat(70_000)),
            _ => turn.end("Bye"),
        }
    }
}

/// What `tracing` keeps of who listens is of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const PHONE: &str = "+27831234567";

fn dialogue() -> World {
    let mut world = World::new(Bank, Policy::default().fit(Fit::default()));
    world.phone(PHONE).dials("*120*1#").sees("PIN?").types("4321").waits(Duration::from_secs(3)).types("wide");
    world.twice();
    world.phone(PHONE).types("bye").sees_last("Bye").dials("*120*1#").types("huge").sees_last("Sorry, try again");
    world.phone(PHONE).dials("*120*1#").cancels();
    world
}

/// Writes down all that is told.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Fields<'l>(&'l mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut lines = self.lines.lock().unwrap();
        write!(lines, "span {}", span.metadata().name()).unwrap();
        span.record(&mut Fields(&mut lines));
        lines.push('\n');
        span::Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn event(&self, event: &Event<'_>) {
        let mut lines = self.lines.lock().unwrap();
        event.record(&mut Fields(&mut lines));
        lines.push('\n');
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The phone as it is named: digits at random, so any three of them may be among it.
fn hash_in(lines: &str) -> &str {
    let (_, hash) = lines.split_once("subscriber_hash=").expect("a span");
    hash.split_whitespace().next().unwrap()
}

#[test]
fn n25_p28_secrets_and_numbers_are_told_to_nobody() {
    let _alone = ALONE.lock().unwrap();
    let log = Log::default();
    let world = tracing::subscriber::with_default(log.clone(), dialogue);
    let lines = log.lines.lock().unwrap().clone();
    for told in [
        "span ussd.session session_id=",
        "service=\"*120*1#\"",
        "subscriber_hash=",
        "message=begin turn=1",
        "message=answer turn=2",
        "message=prompt again=false",
        "message=final kind=Final",
        "message=coalesced turn=4",
        "the application's own words",
        "message=rejected",
        "does not fit",
        "message=closed reason=ended by the user turns=1",
    ] {
        assert!(lines.contains(told), "{told} in\n{lines}");
    }
    let (transcript, lines) = (world.transcript(), lines.replace(hash_in(&lines), "hash"));
    for secret in ["4321", "987", "27831234567", "PIN"] {
        assert!(!lines.contains(secret), "{secret} in\n{lines}");
    }
    for secret in ["4321", "987"] {
        assert!(!transcript.contains(secret), "{secret} in\n{transcript}");
    }
}

/// Keeps the sum and count of everything by name and labels.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<BTreeMap<String, (f64, u64)>>>);

struct One(Recorder, String);

impl One {
    fn add(&self, value: f64) {
        let mut all = self.0.0.lock().unwrap();
        let (sum, count) = all.entry(self.1.clone()).or_default();
        *sum += value;
        *count += 1;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {
        panic!("counters are incremented")
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), (value, 1));
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: String = key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        Arc::new(One(self.clone(), format!("{}{labels}", key.name())))
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

#[test]
fn what_happens_is_counted() {
    let _alone = ALONE.lock().unwrap();
    let recorder = Recorder::default();
    metrics::with_local_recorder(&recorder, dialogue);
    let all = recorder.0.lock().unwrap();
    let sum = |name: &str| all.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", all.keys())).0;
    for (name, expected) in [
        ("ussd_sessions_opened_total link=1 kind=dialled", 3.0),
        ("ussd_sessions_closed_total link=1 reason=app_end", 1.0),
        ("ussd_sessions_closed_total link=1 reason=handler_failed", 1.0),
        ("ussd_sessions_closed_total link=1 reason=user", 1.0),
        ("ussd_turns_total link=1", 7.0),
        ("ussd_rejected_total link=1 why=unfit", 1.0),
        ("ussd_too_long_total link=1", 1.0),
        ("ussd_coalesced_total link=1", 1.0),
        ("ussd_fit_total link=1 alphabet=gsm7", 5.0),
        ("ussd_fit_total link=1 alphabet=ucs2", 1.0),
        ("ussd_sessions_open link=1", 0.0),
        ("ussd_session_turns link=1", 7.0),
        ("ussd_sessions state=app_turn", 0.0),
        ("ussd_sessions state=user_turn", 0.0),
        ("ussd_sessions state=closed", 1.0),
    ] {
        assert!((sum(name) - expected).abs() < 1e-9, "{name} is {}, expected {expected}", sum(name));
    }
    assert!((3.0..3.1).contains(&sum("ussd_user_think_seconds link=1")), "{all:?}");
    assert!(sum("ussd_app_response_seconds link=1") < 0.1);
    assert_eq!(all["ussd_app_response_seconds link=1"].1, 7);
}

/// What the gauges say is what is there, and when nobody runs it any more, nothing.
#[test]
fn gauges_say_what_is_there() {
    let _alone = ALONE.lock().unwrap();
    let recorder = Recorder::default();
    let states = || {
        let all = recorder.0.lock().unwrap();
        ["app_turn", "user_turn", "inviting", "notifying", "closed"]
            .map(|state| all.get(&format!("ussd_sessions state={state}")).map_or(0.0, |(sum, _)| *sum))
    };
    metrics::with_local_recorder(&recorder, || {
        let mut world = World::new(Bank, Policy::default());
        world.phone(PHONE).dials("*1#").sees("PIN?");
        world.phone("+27831234568").dials("*1#").sees("PIN?");
        world.phone("+27831234569").dials("*1#").sees("PIN?").cancels();
        assert_eq!(states(), [0.0, 2.0, 0.0, 0.0, 1.0]);
        drop(world);
        assert_eq!(states(), [0.0; 5]);
    });
}

/// An application that takes its time is counted before it is too slow.
#[test]
fn slow_replies_are_counted() {
    struct Slow;

    impl UssdApp for Slow {
        type State = ();

        async fn new_session(&self, _: &mut Session<()>, turn: Turn, dialled: Dialled<'_>) -> Done {
            let seconds = dialled.as_str().trim_matches(['*', '#']).parse().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            turn.end("Done")
        }

        async fn existing_session(&self, _: &mut Session<()>, turn: Turn, _: &str) -> Done {
            turn.end("Bye")
        }
    }

    let _alone = ALONE.lock().unwrap();
    let recorder = Recorder::default();
    metrics::with_local_recorder(&recorder, || {
        // The application has 10 s.
        let mut world = World::new(Slow, Policy::default());
        for code in ["*4#", "*5#", "*7#", "*8#", "*9#"] {
            world.phone(PHONE).dials(code).waits(Duration::from_secs(10)).sees_last("Done");
        }
    });
    let all = recorder.0.lock().unwrap();
    assert_eq!(all["ussd_app_slow_total link=1 of_timer=50%"].0, 4.0);
    assert_eq!(all["ussd_app_slow_total link=1 of_timer=80%"].0, 2.0);
}

/// Two machines decide upon the same record, and one of them has to do it again.
#[cfg(feature = "store")]
#[test]
fn conflicts_are_counted() {
    use ussd_session::store::{Driver, Fault, MemoryStore};
    use ussd_session::{Config, Event, LinkId, Millis, NetId, Phase};

    let _alone = ALONE.lock().unwrap();
    let recorder = Recorder::default();
    let store = MemoryStore::new();
    store.faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
    let [one, two] = [1, 2].map(|node| Driver::new(store.clone(), Config::default().node(node)));
    let from = "27831234567".parse().unwrap();
    let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    let (link, now) = (LinkId(1), Millis(1_790_000_000_000));
    let race = async { tokio::join!(one.handle(link, &begin, now), two.handle(link, &begin, now)) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (first, second) = metrics::with_local_recorder(&recorder, || runtime.block_on(race));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(recorder.0.lock().unwrap()["ussd_cas_conflicts_total"], (1.0, 1));
}

/// Over a store, numbers are told only if asked for too; and the gauges are of what this machine watches.
#[cfg(feature = "store")]
#[test]
fn a_runner_over_a_store_tells_the_same() {
    use ussd_session::store::{Driver, MemoryStore, StoreRunner};
    use ussd_session::{Config, Event, LinkId, NetId, Phase};

    let _alone = ALONE.lock().unwrap();
    let told = |numbers: bool| {
        let (log, recorder, mut waiting) = (Log::default(), Recorder::default(), 0.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let runs = async {
            let driver = Arc::new(Driver::new(MemoryStore::new(), Config::default()));
            let runner = StoreRunner::new(Bank, Arc::clone(&driver)).tell_numbers(numbers);
            let (events, inbox) = tokio::sync::mpsc::channel(1);
            let (outbox, mut effects) = tokio::sync::mpsc::channel(100);
            let running = tokio::spawn(runner.run(inbox, outbox));
            let from = PHONE.parse().unwrap();
            let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
            events.send((LinkId(1), begin.into())).await.unwrap();
            while driver.gauges().user_turn == 0 {
                effects.recv().await.unwrap();
            }
            // The prompt has gone out, so the loop has come round.
            tokio::time::sleep(Duration::from_secs(2)).await;
            waiting = recorder.0.lock().unwrap()["ussd_sessions state=user_turn"].0;
            drop(events);
            running.await.unwrap();
        };
        tracing::subscriber::with_default(log.clone(), || {
            metrics::with_local_recorder(&recorder, || runtime.block_on(runs));
        });
        assert!((waiting - 1.0).abs() < 1e-9, "{waiting}");
        let all = recorder.0.lock().unwrap();
        assert!(all["ussd_sessions state=user_turn"].0.abs() < 1e-9, "nobody watches it any more: {all:?}");
        let lines = log.lines.lock().unwrap();
        assert!(lines.contains("message=begin turn=1"), "{lines}");
        lines.contains("27831234567")
    };
    assert_eq!([told(false), told(true)], [false, true]);
}

/// What the driver, the runner and the store in Redis tell of a phone by themselves has the name that spans have.
#[cfg(feature = "redis")]
#[test]
fn stores_name_phones_as_spans_do() {
    use redis::{Cmd, Pipeline, RedisFuture, Value, aio::ConnectionLike};
    use ussd_session::store::{
        self, Driver, Expect, Fault, MemoryStore, Open, RedisStore, Store, StoreRunner, Swapped, Tag, Write,
    };
    use ussd_session::{
        Action, Callback, Config, Event, LinkId, Millis, NetId, OwnedEvent, Phase, SessionId, Text, Verb,
    };

    /// A cluster that writes sessions, and loses what is to lie in another slot.
    #[derive(Clone)]
    struct Half;

    impl ConnectionLike for Half {
        fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
            let is_session = command.get_packed_command().windows(4).any(|window| window == b":1:s");
            let lost = || std::io::Error::other("gone").into();
            Box::pin(async move { if is_session { Ok(Value::Int(1)) } else { Err(lost()) } })
        }

        fn req_packed_commands<'a>(&'a mut self, _: &'a Pipeline, _: usize, _: usize) -> RedisFuture<'a, Vec<Value>> {
            panic!("one command at a time")
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    let _alone = ALONE.lock().unwrap();
    let log = Log::default();
    let (link, from, now) = (LinkId(1), PHONE.parse().unwrap(), Millis(1_790_000_000_000));
    let key = store::Key { link, subscriber: from };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    let answer: OwnedEvent = Event::Answer { from, text: Text::public("4321"), net: NetId::NONE, dedup: None }.into();
    let all = async {
        let memory = MemoryStore::new();
        memory.faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
        let [one, two] = [1, 2].map(|node| Driver::new(memory.clone(), Config::default().node(node)));
        let (first, second) = tokio::join!(one.handle(link, &begin, now), two.handle(link, &begin, now));
        assert!(first.is_ok() && second.is_ok());

        let memory = MemoryStore::new();
        let runner = StoreRunner::new(Bank, Arc::new(Driver::new(memory.clone(), Config::default())));
        let (events, inbox) = tokio::sync::mpsc::channel(1);
        let (outbox, mut effects) = tokio::sync::mpsc::channel(100);
        let (running, typed) = (tokio::spawn(runner.run(inbox, outbox.clone())), answer.clone());
        // Calls and the screens that follow; then an answer that cannot be written down.
        let (works, lost) = (Fault::None, Fault::Lost);
        for (event, effects_of_it, fault) in
            [(begin.clone().into(), 2, works), (answer.clone(), 2, works), (answer, 1, lost)]
        {
            memory.faults(move |_, _| fault);
            events.send((link, event)).await.unwrap();
            for _ in 0..effects_of_it {
                effects.recv().await.unwrap();
            }
            let octets = memory.octets(key).unwrap();
            assert!(!octets.windows(4).any(|window| window == b"4321"), "{}", octets.escape_ascii());
        }
        drop(events);
        running.await.unwrap();

        // State that another program has written.
        let driver = Driver::new(MemoryStore::new(), Config::default());
        let stepped = driver.handle(link, &begin, now).await.unwrap();
        let Some(token) = stepped.effects.iter().find_map(|effect| match effect.as_effect().action {
            Action::Call(Callback::New { token, .. }) => Some(token),
            _ => None,
        }) else {
            panic!("{stepped:?}")
        };
        let reply = Event::Reply { to: from, token, verb: Verb::Continue, text: Text::public("Menu") };
        driver.handle(link, &reply, now).await.unwrap();
        driver.keep(key, token.session, br#""4321""#, now).await.unwrap();
        let (events, inbox) = tokio::sync::mpsc::channel(1);
        let running = tokio::spawn(StoreRunner::new(Bank, Arc::new(driver)).run(inbox, outbox));
        events.send((link, typed)).await.unwrap();
        drop(events);
        running.await.unwrap();

        let tag = |version| Tag { session: SessionId::from_bits(7).unwrap(), version };
        let open = Some(Open { deadline: now, node: 1, limit: None });
        let write = Write::Put { tag: tag(2), octets: b"session", ttl: Duration::from_secs(60), open };
        let store = RedisStore::over(Half).cluster(true);
        assert_eq!(store.swap(key, Expect::Is(tag(1)), write).await.unwrap(), Swapped::Done);
    };
    tracing::subscriber::with_default(log.clone(), || runtime.block_on(all));
    let lines = log.lines.lock().unwrap();
    let hash = hash_in(&lines);
    for told in [
        "another machine was faster",
        "an event could not be handled",
        "a session is written, but not what lies beside it",
    ] {
        let told = format!("message={told} link=1 subscriber_hash={hash}");
        assert!(lines.contains(&told), "{told} in\n{lines}");
    }
    assert_eq!(lines.matches("subscriber_hash=").count(), lines.matches(&format!("subscriber_hash={hash}")).count());
    assert!(lines.contains("message=the application's state cannot be read kind=Data column="), "{lines}");
    let lines = lines.replace(hash, "hash");
    for hidden in ["2783", "4567", "4321", "987", "PIN"] {
        assert!(!lines.contains(hidden), "{hidden} in\n{lines}");
    }
}
