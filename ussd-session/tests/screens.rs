//! Pages, resumed sessions, secrets and shortcuts, as an application and its users see them.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ussd_session::testkit::{Rehearsal, Transcript, World};
use ussd_session::{
    Action, Config, Dialled, Done, Effect, EndWhy, Engine, Event, Fit, FitError, LinkId, Millis, NetId, Overflow,
    Phase, Policy, PushKind, Reject, Resume, Screen, Screens, Session, Side, State, Text, Turn, UssdApp, Verb,
};

const PHONE: &str = "+27831234567";

/// An application that does what it is told by the phone, and keeps count.
#[derive(Clone, Default)]
struct Shop {
    told: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    fn tell(&self, line: String) {
        self.told.lock().unwrap().push(line);
    }

    /// What it was told since the last time.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

/// 380 characters in nine options.
fn long() -> String {
    (1..=9).map(|n| format!("{n}. {}", "a".repeat(35))).collect::<Vec<_>>().join("\n")
}

impl UssdApp for Shop {
    type State = u32;

    async fn new_session(&self, session: &mut Session<u32>, turn: Turn, dialled: Dialled<'_>) -> Done {
        let shortcut: Vec<&str> = session.shortcut().collect();
        match session.resumed() {
            None => self.tell(format!("new {dialled} {shortcut:?}")),
            Some(resumed) => {
                let (turn_before, ago) = (resumed.token().turn, resumed.ago().as_secs());
                self.tell(format!("new {dialled}, kept {}, turn {turn_before}, {ago} s ago", session.state));
                return turn.cont(resumed.screen());
            }
        }
        turn.cont("Your ID?")
    }

    async fn existing_session(&self, session: &mut Session<u32>, turn: Turn, message: &str) -> Done {
        session.state += 1;
        self.tell(format!("answer {message}"));
        match message {
            "long" => turn.cont(long()),
            "long end" => turn.end(long()),
            "wide" => turn.cont("\u{1200}".repeat(81)),
            "pin" => turn.cont(Screen::new("PIN?").expecting_secret()),
            "secret" => turn.cont(Screen::new("Balance 5").secret()),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(12)).await;
                turn.cont("Paid")
            }
            "later" => {
                let (replier, done) = turn.later();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    replier.cont("At last");
                });
                done
            }
            "bye" => turn.end("Bye"),
            _ => turn.cont(format!("You said {message}, {}", session.state)),
        }
    }

    async fn timed_out_session(&self, session: &mut Session<u32>, side: Side) {
        self.tell(format!("timed out {side:?}, {:?}", session.close_reason()));
    }

    async fn end_session(&self, session: &mut Session<u32>, why: EndWhy) {
        self.tell(format!("ended {why:?}, {:?}", session.close_reason()));
    }
}

fn world(policy: Policy) -> (Shop, World) {
    let shop = Shop::default();
    (shop.clone(), World::new(shop, policy))
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn s15_long_text_pages() {
    let (shop, mut world) = world(Policy::default().fit(Fit::default()));
    let mut phone = world.phone(PHONE).dials("*120*1#").types("long").sees("1. *98.More");
    assert_eq!(shop.told(), ["new *120*1# []", "answer long"]);
    phone = phone.types("98").sees("5. *98.More\n0.Back").types("98").sees("9. *0.Back").types("0").types("0");
    phone = phone.sees("1. *4. *98.More");
    assert!(shop.told().is_empty(), "turning pages is nothing for the application");
    phone.types("hello").sees("You said hello, 2");
    assert_eq!(shop.told(), ["answer hello"]);
}

#[test]
fn a_page_that_is_asked_for_twice_is_turned_once() {
    let (_, mut world) = world(Policy::default().fit(Fit::default()));
    world.phone(PHONE).dials("*120*1#").types("long").sees("1.*");
    world.twice();
    world.watch();
    world.phone(PHONE).types("98").sees("5.*");
    assert!(world.watch().contains(&"sends Prompt again".to_owned()), "the gateway said it twice");
    world.phone(PHONE).types("98").sees("9.*");
    world.lose();
    world.phone(PHONE).types("0");
    // The screen was lost; the user hangs up after a while, and the pages are gone with the session.
    world.phone(PHONE).cancels().dials("*120*1#").sees("Your ID?").types("98").sees("You said 98, 1");
}

#[test]
fn a_last_text_in_pages_ends_with_its_last_page() {
    let (shop, mut world) = world(Policy::default().fit(Fit::default()));
    let phone = world.phone(PHONE).dials("*120*1#").types("long end").sees("1.*");
    let phone = phone.types("what?").sees("1. *98.More").types("98").types("98");
    phone.sees_last("9. *0.Back").closed("ended by the application");
    world.phone(PHONE).dials("*120*1#").types("long end").sees("1.*").cancels().closed("ended by the user");
    let told = shop.told();
    assert!(told.iter().all(|line| line.starts_with("new") || line == "answer long end"), "{told:?}");
}

#[test]
fn s16_a_text_that_may_not_be_cut_is_refused() {
    let (shop, mut world) = world(Policy::default().fit(Fit::default().overflow(Overflow::Refuse)));
    world.phone(PHONE).dials("*120*1#").types("wide").sees_last("Sorry, try again").closed("the handler failed");
    assert_eq!(world.failures(), 1);
    assert!(world.watch().iter().any(|line| line.contains("does not fit: too long")));
    shop.told();
    let (_, mut world) = self::world(Policy::default().fit(Fit::default()));
    world.phone(PHONE).dials("*120*1#").types("wide").sees("*98.More").types("98").sees("*0.Back");
}

#[test]
fn s12_resume_offered() {
    let (shop, mut world) = world(Policy::default().resume(Resume::Offer).fit(Fit::default()));
    let phone = world.phone(PHONE).dials("*120*1#").types("1").types("2").types("long").types("98").sees("5.*");
    phone.times_out().closed("ended by the network");
    let before = shop.told();
    assert_eq!(before.last().unwrap(), "timed out User, Some(Net)");
    let phone = world.phone(PHONE).waits(seconds(30)).dials("*120*1#");
    // The very page, to the octet.
    phone.sees("5. *98.More\n0.Back").types("98").sees("9.*").types("on").sees("You said on, 4");
    assert_eq!(shop.told(), ["new *120*1#, kept 3, turn 5, 30 s ago", "answer on"]);
}

#[test]
fn s12_resume_continues_without_a_call() {
    let (shop, mut world) = world(Policy::default().resume(Resume::Continue));
    world.phone(PHONE).dials("*120*1#").types("1").sees("You said 1, 1").cancels();
    shop.told();
    world.phone(PHONE).dials("*120*1#").sees("You said 1, 1");
    assert!(shop.told().is_empty());
    world.phone(PHONE).types("2").sees("You said 2, 2");
    // Dialled anew over an open menu, which no gateway tells of.
    world.phone(PHONE).dials("*120*1#").sees("You said 2, 2").types("3").sees("You said 3, 3");
    assert_eq!(shop.told(), ["answer 2", "ended Replaced, Some(Replaced)", "answer 3"]);
}

#[test]
fn s12_resume_asked() {
    let ask = Resume::Ask { question: "Go on?\n1. Yes\n2. No".into(), go_on: "1".into(), start: "2".into() };
    let (shop, mut world) = world(Policy::default().resume(ask));
    world.phone(PHONE).dials("*120*1#").types("a").sees("You said a, 1").cancels();
    shop.told();
    let phone = world.phone(PHONE).dials("*120*1#").sees("Go on?*").types("7").sees("Go on?*");
    phone.types("1").sees("You said a, 1").types("b").sees("You said b, 2").cancels();
    assert_eq!(shop.told(), ["answer b", "ended User, Some(User)"]);
    // Who hangs up at the question is asked again, and nobody else hears of it.
    world.phone(PHONE).dials("*120*1#").sees("Go on?*").cancels();
    assert!(shop.told().is_empty());
    world.phone(PHONE).dials("*120*1#").types("2").sees("Your ID?").types("c").sees("You said c, 1");
    assert_eq!(shop.told(), ["new *120*1# []", "answer c"]);
}

#[test]
fn s13_resume_refused() {
    let policy = Policy::default().resume(Resume::Continue).park(seconds(600)).service("*120*1#").service("*120*2#");
    let (_, mut world) = world(policy);
    // After an end of the application's own.
    world.phone(PHONE).dials("*120*1#").types("bye").sees_last("Bye").dials("*120*1#").sees("Your ID?");
    // Too late.
    let phone = world.phone(PHONE).types("a").cancels().waits(seconds(601));
    phone.dials("*120*1#").sees("Your ID?").types("b").cancels();
    // Another service; what was parked survives, and a shortcut is the same service.
    world.phone(PHONE).dials("*120*2#").sees("Your ID?").types("bye").sees_last("Bye");
    world.phone(PHONE).dials("*120*1*5#").sees("You said b, 1");
    // A secret screen, and another phone.
    world.phone(PHONE).types("secret").sees("Balance 5").cancels().dials("*120*1#").sees("Your ID?").types("c");
    world.phone("+27839999999").dials("*120*1#").sees("Your ID?");
}

#[test]
fn a_reply_that_comes_too_late_is_seen_after_the_next_dial() {
    let (shop, mut world) = world(Policy::default().resume(Resume::Continue));
    let phone = world.phone(PHONE).dials("*120*1#").types("slow").waits(seconds(11));
    phone
        .sees_last("Sorry, try again")
        .waits(seconds(2))
        .dials("*120*1#")
        .sees("Paid")
        .types("x")
        .sees("You said x, 2");
    assert_eq!(shop.told(), ["new *120*1# []", "answer slow", "timed out App, Some(AppSlow)", "answer x"]);
    // Who dials while the application still works starts anew: nothing is to run twice.
    world.phone(PHONE).types("slow").waits(seconds(11)).dials("*120*1#").sees("Your ID?");
}

#[test]
fn what_was_answered_is_not_asked_again() {
    let (shop, mut world) = world(Policy::default().resume(Resume::Continue));
    // The answer is taken, the reply is not there yet: a resumed prompt would ask for it twice.
    let phone = world.phone(PHONE).dials("*120*1#").types("a").sees("You said a, 1").types("later").waits(seconds(1));
    let phone = phone.times_out().dials("*120*1#").sees("Your ID?");
    phone.types("b").sees("You said b, 1").types("later").waits(seconds(1)).times_out();
    // With the reply there, it is what is shown.
    world.phone(PHONE).waits(seconds(5)).dials("*120*1#").sees("At last").types("c").sees("You said c, 3");
    assert!(shop.told().contains(&"timed out Net, Some(Net)".to_owned()));
}

/// Screens beside an engine, without a runner.
#[test]
fn s16_refused_at_a_turn_that_stays_open() {
    let policy = Policy::default().fit(Fit::default().overflow(Overflow::Refuse));
    let config = Config::default().policy(policy);
    let (mut engine, mut screens) = (Engine::new(config.clone()), Screens::<()>::new(&config));
    let (link, now, to) = (LinkId(0), Millis(1_790_000_000_000), PHONE.parse().unwrap());
    let begin = Event::Begin { from: to, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    engine.handle(link, begin, now, |_: Effect<'_>| {});
    let token = engine.record(link, to).unwrap().token();
    let (long, short) = ("\u{1200}".repeat(81), "\u{1200}".repeat(80));
    let reply = |text| Event::Reply { to, token, verb: Verb::Continue, text: Text::public(text) };
    let refused = screens.reply(link, &reply(&long), engine.record(link, to).as_ref());
    assert_eq!(refused.unwrap_err(), Reject::Unfit(FitError::TooLong { limit: 80 }));
    assert_eq!(engine.record(link, to).unwrap().state(), State::AppTurn);
    let taken = screens.reply(link, &reply(&short), engine.record(link, to).as_ref()).unwrap().unwrap();
    engine.handle(link, taken.as_event(), now, |effect: Effect<'_>| {
        assert!(matches!(effect.action, Action::Send(frame) if frame.text.as_str() == short));
    });
    assert_eq!(engine.record(link, to).unwrap().state(), State::UserTurn);
}

#[test]
fn n25_a_pin_is_seen_by_the_application_alone() {
    let (shop, mut world) = world(Policy::default());
    world.phone(PHONE).dials("*120*1#").types("pin").sees("PIN?").types("4321").sees("You said 4321, 2");
    assert!(shop.told().contains(&"answer 4321".to_owned()));
    // Nor is it when the prompt is sent again before it is typed.
    world.phone(PHONE);
    world.twice();
    world.late(seconds(1));
    let phone = world.phone(PHONE).types("pin").sees("PIN?").waits(seconds(2));
    phone.types("4321").sees("You said 4321, 4");
    let transcript = world.transcript();
    assert_eq!(transcript.matches("> (secret)").count(), 2, "{transcript}");
    let watched = world.watch().join("\n");
    assert!(watched.contains("sends Prompt again"));
    assert!(!watched.contains("4321"));
}

#[test]
fn s11_shortcuts_are_data() {
    let (shop, mut world) = world(Policy::default().service("*384#").service("*384*1234#"));
    world.phone(PHONE).dials("*384*1234*3*1#").sees("Your ID?").dials("*384*9#").sees("Your ID?").dials("*100#");
    let told: Vec<_> = shop.told().into_iter().filter(|line| line.starts_with("new")).collect();
    assert_eq!(told, [r#"new *384*1234*3*1# ["3", "1"]"#, r#"new *384*9# ["9"]"#, "new *100# []"]);
}

#[test]
fn pushes_are_one_screen() {
    let (_, mut world) = world(Policy::default().fit(Fit::default()));
    let (to, text) = (PHONE.parse().unwrap(), long());
    let push = Event::Push { to, kind: PushKind::Ask, text: Text::public(&text), correlation: 1 };
    world.phone(PHONE);
    world.event(push);
    world.phone(PHONE).sees("1. *4. *a").types("x").sees("You said x, 1");
}

#[test]
fn a_gateway_without_ids() {
    let (shop, world) = world(Policy::default());
    let mut world = world.plain().user_timer(seconds(60));
    world.phone(PHONE).dials("*120*1#").sees("Your ID?").waits(seconds(61)).closed("ended by the network");
    world.phone(PHONE).dials("*120*1#").types("slow").dials("*120*1#").waits(seconds(13)).sees("Your ID?");
    assert_eq!(world.stray(), 0, "the late reply is shown to nobody");
    assert!(shop.told().contains(&"ended Replaced, Some(Replaced)".to_owned()));
}

#[test]
fn a_rehearsal_of_everything_goes_well() {
    let ask = Resume::Ask { question: "Go on?\n1. Yes\n2. No".into(), go_on: "1".into(), start: "2".into() };
    for resume in [Resume::Start, Resume::Continue, Resume::Offer, ask] {
        let policy = Policy::default().fit(Fit::default()).resume(resume);
        let inputs = ["1", "2", "98", "0", "long", "long end", "pin", "secret", "bye"];
        let rehearsal = Rehearsal::new(5, "*120*1#", &inputs);
        let make = || World::new(Shop::default(), policy.clone());
        rehearsal.run(100, make, |_| Ok(())).unwrap_or_else(|flop| panic!("{flop}"));
    }
}

#[test]
fn a_rehearsal_finds_what_a_check_forbids() {
    let shop = Shop::default();
    let rehearsal = Rehearsal::new(5, "*120*1#", &["1", "2"]);
    let make = || World::new(shop.clone(), Policy::default());
    let flop = rehearsal.run(200, make, |_| {
        let told = shop.told();
        if told.iter().any(|line| line == "ended Replaced, Some(Replaced)") { Err("left".to_owned()) } else { Ok(()) }
    });
    let flop = flop.unwrap_err();
    let script = "@ +27830000000\n! redial *120*1#\n! redial *120*1#\n";
    assert_eq!((flop.transcript.to_string().as_str(), flop.problem.as_str()), (script, "left"));
}

#[test]
fn transcripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts");
    let mut played = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let transcript = Transcript::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (_, mut world) = world(Policy::default().fit(Fit::default()));
        transcript.play(&mut world).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        played += 1;
    }
    assert!(played >= 2);
    let wrong = Transcript::parse("@ 27831234567\n> *1#\n<. Your ID?").unwrap();
    assert_eq!(
        wrong.play(&mut world(Policy::default()).1).unwrap_err().to_string(),
        "line 3: the dialogue is still open"
    );
}
