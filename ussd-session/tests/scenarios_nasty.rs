//! Dialogues as they go: late, lost, doubled, crossing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::{fmt::Debug, time::Duration};

#[cfg(feature = "store")]
use ussd_session::store::{Fault, Store};
use ussd_session::{
    Action, Callback, Config, DedupKey, Effect, Engine, Event, Millis, NetId, Orphans, Phase, Policy, Subscriber, Text,
    Verb,
};
#[cfg(feature = "store")]
use world::stored::Stored;
use world::{Host, LINK, PHONE, World, play};

#[test]
fn n01_stale_reply_user_redialled() {
    play(
        "N01",
        Policy::default(),
        "
        B(*120#); c(Menu)@1; A(1)   | New P(Menu) Ex(1)                 | AppTurn 2
        +3; B(*120#)                | End(Replaced) Cl(Replaced) New#2  | AppTurn 1
        c(old answer)@1.2           | Rej(Stale)                        | AppTurn 1
        c(menu)@2.1                 | P(menu)                           | UserTurn 1
        ",
    );
}

#[test]
fn n02_app_too_slow_then_answers() {
    play(
        "N02",
        Policy::default(),
        "
        B(*120#)                    | New                               | AppTurn 1
        +9.999                      | -                                 | AppTurn 1
        +0.001                      | F(Sorry, try again) TO(App) Cl(AppSlow) | Closed
        +2; e(Paid)@1               | Rej(Closed(AppSlow))              | Closed
        ",
    );
    play("N02", Policy::default().fallback(None), "B(*1#); +10 | New TO(App) Cl(AppSlow) | Closed");
}

#[test]
fn n03_duplicate_begin_while_the_app_thinks() {
    play(
        "N03",
        Policy::default(),
        "
        B(*167*3#){net=s}           | New                               | AppTurn 1
        +0.3; B(*167*3#){net=s}     | Coalesced                         | AppTurn 1
        c(Menu)@1                   | P(Menu)                           | UserTurn 1
        ",
    );
}

#[test]
fn n04_duplicate_begin_after_the_prompt() {
    play(
        "N04",
        Policy::default(),
        "
        B(*167*3#){net=s}; c(Menu)@1 | New P(Menu)                      | UserTurn 1
        +1; B(*167*3#){net=s}       | P(Menu)again                      | UserTurn 1
        +5; B(*167*3#)              | End(Replaced) Cl(Replaced) New#2  | AppTurn 1
        ",
    );
    let none_kept = "B(*1#); c(Menu)@1; +1; B(*1#) | New P(Menu) !NothingToRepeat | UserTurn 1";
    play("N04", Policy::default().resend(false), none_kept);
}

#[test]
fn n05_double_tap_on_confirm() {
    play(
        "N05",
        Policy::default(),
        "
        B(*1#); c(a)@1; A(1); c(b)@2; A(1); c(1 pay)@3 | New P(a) Ex(1) P(b) Ex(1) P(1 pay) | UserTurn 3
        A(1)                        | Ex(1)                             | AppTurn 4
        +0.05; A(1)                 | Coalesced                         | AppTurn 4
        ",
    );
}

#[test]
fn n06_retransmitted_answer_after_our_reply() {
    play(
        "N06",
        Policy::default(),
        "
        B(*1#); c(a)@1; A(1){key=k1}; c(b)@2 | New P(a) Ex(1) P(b)      | UserTurn 2
        A(1){key=k1}                | P(b)again                         | UserTurn 2
        A(1){key=k2}                | Ex(1)                             | AppTurn 3
        e(bye)@3; A(1){key=k2}      | F(bye) Cl(AppEnd) !DuplicateAnswer | Closed
        ",
    );
}

#[test]
fn n07_the_same_digit_twice_for_real() {
    play(
        "N07",
        Policy::default(),
        "
        B(*1#); c(a)@1; A(0); c(b)@2 | New P(a) Ex(0) P(b)              | UserTurn 2
        A(1); c(c)@3; +0.3; A(1)    | Ex(1) P(c) Ex(1)                  | AppTurn 4
        ",
    );
    let guarded = Policy::default().min_human(Duration::from_millis(250));
    play(
        "N07",
        guarded.clone(),
        "
        B(*1#); c(a)@1; A(1){key=x} | New P(a) Ex(1)                    | AppTurn 2
        c(b)@2; +0.1; A(1){key=y}   | P(b) Ex(1)                        | AppTurn 3
        ",
    );
    play("N07", guarded, "B(*1#); c(a)@1; +0.1; A(1); +0.2; A(1) | New P(a) P(a)again Ex(1) | AppTurn 2");
}

#[test]
fn n08_end_crosses_user_abort() {
    let begin = "B(*1#); c(a)@1; A(1)        | New P(a) Ex(1)                  | AppTurn 2";
    play("N08", Policy::default(), &format!("{begin}\n e(bye)@2; X | F(bye) Cl(AppEnd) !OrphanClose | Closed"));
    play("N08", Policy::default(), &format!("{begin}\n X; e(bye)@2 | End(User) Cl(User) Rej(Closed(User)) | Closed"));
}

#[test]
fn n09_answer_after_the_user_timer() {
    play(
        "N09",
        Policy::default(),
        "
        B(*1#); c(a)@1              | New P(a)                          | UserTurn 1
        +65                         | TO(User) Cl(UserSlow)             | Closed
        +0.2; A(1)                  | F(expired) !LateAnswer            | Closed
        ",
    );
}

#[test]
fn n10_redial_over_an_open_menu_then_the_old_close_arrives() {
    play(
        "N10",
        Policy::default(),
        "
        B(*1#){net=a}; c(a)@1       | New P(a)                          | UserTurn 1
        B(*1#){net=b}               | End(Replaced) Cl(Replaced) New#2  | AppTurn 1
        X{net=a}                    | !NetIdMismatch                    | AppTurn 1
        ",
    );
    play(
        "N10",
        Policy::default().late_close_guard(Duration::from_secs(1)),
        "
        B(*1#); c(a)@1; +5; B(*1#)  | New P(a) End(Replaced) Cl(Replaced) New#2 | AppTurn 1
        +0.999; X                   | !LateClose                        | AppTurn 1
        +0.001; X                   | End(User)#2 Cl(User)#2            | Closed
        ",
    );
}

#[test]
fn n11_push_crosses_a_dial() {
    play(
        "N11",
        Policy::default(),
        "
        push(Rate us)               | Pushed Ask(Rate us)               | Inviting
        B(*120#){net=b}             | End(Replaced) Cl(Replaced) New#2  | AppTurn 1
        NE(UssdBusy)                | !OutOfPlace                       | AppTurn 1
        A(4){net=a}                 | F(expired) !NetIdMismatch         | AppTurn 1
        ",
    );
}

#[test]
fn n14_answer_for_a_session_nobody_knows() {
    play("N14", Policy::default(), "A(1) | F(expired) !OrphanAnswer | None");
    play("N14", Policy::default().orphans(Orphans::Adopt), "A(1) | New(orphan 1) | AppTurn 1");
    play("N14", Policy::default().orphans(Orphans::Ignore), "A(1) | !OrphanAnswer | None");
}

#[test]
fn n16_changing_session_id() {
    let begin = "B(*1#){net=10}; c(a)@1 | New P(a) | UserTurn 1";
    play("N16", Policy::default(), &format!("{begin}\n A(1){{net=11}} | F(expired) !NetIdMismatch | UserTurn 1"));
    let unstable = Policy::default().net_id_unstable(true);
    play("N16", unstable.clone(), &format!("{begin}\n A(1){{net=11}} | Ex(1) | AppTurn 2"));

    let mut world = World::new(Engine::new(Config::default().policy(unstable)));
    world.play("N16", &format!("{begin}\n A(1){{net=11}} | Ex(1)"));
    let record = world.host.record(LINK, world.phone).unwrap();
    assert_eq!(record.net().as_bytes(), b"11", "the reply echoes the latest id");
}

#[test]
fn n17_link_drops_and_returns() {
    let three = "
        B(*1#){from=27831111111}             | New
        B(*1#){from=27832222222}; c(a)@2.1   | New#2 P(a)
        push(q){from=27833333333}            | Pushed#3 Ask(q)
        ";
    play(
        "N17",
        Policy::default(),
        &format!(
            "{three}
            LinkDown                         | -
            +5; c(in the gap)@1.1{{from=27831111111}} | - | AppTurn 1
            c(twice)@1.1                     | Rej(AlreadyReplied)
            +4; LinkUp                       | P(in the gap) | UserTurn 1
            A(1){{from=27832222222}}         | Ex(1) | AppTurn 2"
        ),
    );
    play(
        "N17",
        Policy::default(),
        &format!(
            "{three}
            LinkDown; +5; c(in the gap)@1.1{{from=27831111111}} | -
            +5                               | TO(App) Rej(Closed(AppSlow)) Cl(AppSlow)
            +10; LinkUp                      | - | Closed
            c(x)@1.1                         | Rej(Closed(AppSlow))"
        ),
    );
    let patient = Policy::default().app_timer(Duration::from_secs(60)).push_timer(Duration::from_secs(60));
    let lost = format!(
        "{three}
        LinkDown; +29.999 | -
        +1.001 | End(LinkLost) Cl(LinkLost) End(LinkLost)#2 Cl(LinkLost)#2 End(LinkLost)#3 Cl(LinkLost)#3
        LinkUp | -"
    );
    play("N17", patient, &lost);
}

#[test]
fn n18_gateway_refuses_the_prompt() {
    play(
        "N18",
        Policy::default(),
        "
        B(*1#); c(a)@1; A(1); c(b)@2 | New P(a) Ex(1) P(b)              | UserTurn 2
        KO@1                        | !OutOfPlace                       | UserTurn 2
        KO@2                        | End(SendFailed(Refused(11))) Cl(SendFailed) | Closed
        ",
    );
    play("N18", Policy::default(), "B(*1#); e(a)@1; KO@1 | New F(a) Cl(AppEnd) !FinalLost | Closed");
}

#[test]
fn n19_stars_and_hashes_in_typed_text() {
    // What a concatenating gateway's adapter hands on is kept as typed; its path is the key against doubles.
    play(
        "N19",
        Policy::default(),
        "
        B(*1#){key=p}; c(a)@1; A(5*6#){key=1*5*6} | New P(a) Ex(5*6#)   | AppTurn 2
        c(b)@2; A(5*6#){key=1*5*6}  | P(b) P(b)again                    | UserTurn 2
        ",
    );
}

#[test]
fn n21_a_crowd_dies_together() {
    const CROWD: u64 = 1_000_000;
    let mut engine = Engine::new(Config::default().max_live(1_000_010).max_closed(1_000_010));
    let start = Millis(1_790_000_000_000);
    for n in 0..CROWD {
        let from: Subscriber = format!("2783{n:07}").parse().unwrap();
        let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        let mut token = None;
        engine.handle(LINK, begin, start, |effect: Effect<'_>| match effect.action {
            Action::Call(Callback::New { token: new, .. }) => token = Some(new),
            other => panic!("{other:?}"),
        });
        let reply = Event::Reply { to: from, token: token.unwrap(), verb: Verb::Continue, text: Text::public("Menu") };
        engine.handle(LINK, reply, start, |_: Effect<'_>| {});
    }
    let end = start.after(Duration::from_secs(65));
    assert!(engine.next_deadline().unwrap() <= end);
    let (mut timed_out, mut fresh) = (0, 0_u64);
    loop {
        let polled = engine.poll(end, 1000, |effect: Effect<'_>| {
            timed_out += u64::from(matches!(effect.action, Action::Call(Callback::TimedOut { .. })));
        });
        assert!(polled.looked_at <= 1000);
        if !polled.more {
            break;
        }
        if fresh < 10 {
            // A new caller is served between two polls.
            let from: Subscriber = format!("2784{fresh:07}").parse().unwrap();
            let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
            engine.handle(LINK, begin, end, |effect: Effect<'_>| {
                assert!(matches!(effect.action, Action::Call(Callback::New { .. })));
            });
            fresh += 1;
        }
    }
    assert_eq!((timed_out, fresh), (CROWD, 10));
    let later = end.after(Duration::from_secs(300));
    while engine.poll(later, 1000, |_: Effect<'_>| {}).more {}
    let last = later.after(Duration::from_secs(300));
    while engine.poll(last, 1000, |_: Effect<'_>| {}).more {}
    assert_eq!((engine.live(), engine.closed(), engine.scheduled()), (0, 0, 0));
}

/// The same over a store, where each of two machines looks for what is due, and both find the same.
#[cfg(feature = "store")]
#[test]
fn n21_a_crowd_dies_together_over_a_store() {
    let mut host = world::stored::in_memory(&Policy::default());
    // Everything takes its time, so that what the machines do overlaps.
    host.machines[0].store().faults(|_, _| Fault::Delayed(Duration::from_millis(1)));
    host.crowd(5_000);
    #[cfg(feature = "redis")]
    if world::redis_server::is_asked_for() {
        let server = world::redis_server::RedisServer::start(&[]);
        world::stored::in_redis(&server, &Policy::default()).crowd(1_000);
    }
}

#[test]
fn n22_clock_steps_back() {
    play(
        "N22",
        Policy::default(),
        "
        B(*1#); c(a)@1              | New P(a)                          | UserTurn 1
        +60                         | -                                 | UserTurn 1
        clock-50                    | -                                 | UserTurn 1
        +54.999                     | -                                 | UserTurn 1
        +0.001                      | TO(User) Cl(UserSlow)             | Closed
        ",
    );
}

#[test]
fn n23_handler_fails() {
    play(
        "N23",
        Policy::default(),
        "
        B(*1#){from=27831111111}; B(*1#){from=27832222222} | New New#2
        fail@1.1{from=27831111111}  | F(Sorry, try again) Cl(HandlerFailed) | Closed
        c(too late)@1.1             | Rej(Closed(HandlerFailed))        | Closed
        c(fine)@2.1{from=27832222222} | P(fine)                         | UserTurn 1
        fail@2.1                    | !OutOfPlace                       | UserTurn 1
        ",
    );
}

/// The answer to a prompt for a PIN comes to the application, and stands nowhere else.
fn pin<H: Debug + Host>(name: &str, host: H, kept: impl Fn(&H, Subscriber) -> Vec<u8>) {
    let mut world = World::new(host);
    world.play(name, "B(*1#); c(Your PIN?)@1{secret} | New P(Your PIN?)");
    let answer = Event::Answer { from: world.phone, text: Text::public("4321"), net: NetId::NONE, dedup: None };
    let mut log = format!("{answer:?}");
    let mut seen = Vec::new();
    world.host.handle(answer, world.now, &mut |effect| {
        log += &format!("{effect:?}");
        if let Action::Call(Callback::Existing { text, .. }) = effect.action {
            assert!(text.is_secret());
            seen.push(text.as_str().to_owned());
        }
    });
    assert_eq!(seen, ["4321"], "{name}");
    log += &format!("{:?}", world.host);
    let kept = kept(&world.host, world.phone);
    assert!(!kept.is_empty());
    for octets in [log.as_bytes(), &kept] {
        assert!(!octets.windows(4).any(|window| window == b"4321"), "{name}: {log} {}", kept.escape_ascii());
    }
    world.play(name, "c(Next)@2; A(5) | P(Next) Ex(5)");
}

#[test]
fn n25_pin() {
    pin("N25, engine", Engine::new(Config::default()), |engine, phone| {
        let record = engine.record(LINK, phone).unwrap();
        #[cfg(feature = "serde")]
        let record = (&record, serde_json::to_string(&record).unwrap());
        format!("{record:?}").into_bytes()
    });
    #[cfg(feature = "store")]
    pin("N25, store", world::stored::in_memory(&Policy::default()), Stored::octets);
    #[cfg(feature = "redis")]
    if world::redis_server::is_asked_for() {
        let server = world::redis_server::RedisServer::start(&[]);
        pin("N25, Redis", world::stored::in_redis(&server, &Policy::default()), Stored::octets);
    }
}

/// A prompt for a secret is still one when the network has it repeated, on every host.
#[test]
fn n25_a_prompt_again() {
    fn expects(mut host: impl Host) -> Vec<(String, bool, bool)> {
        let (from, now, mut seen) = (PHONE.parse().unwrap(), Millis(1_790_000_000_000), Vec::new());
        let begin = || Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
        let answer =
            Event::Answer { from, text: Text::public("4321"), net: NetId::NONE, dedup: Some(DedupKey::of(b"1")) };
        let mut calls = Vec::new();
        let mut happens = |event: Event<'_>, calls: &mut Vec<_>| {
            host.handle(event, now, &mut |effect| match effect.action {
                Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) => calls.push(token),
                Action::Send(frame) => {
                    seen.push((frame.text.as_str().to_owned(), frame.again, frame.text.expects_secret()));
                }
                other => panic!("{other:?}"),
            });
        };
        let reply = |token, text| Event::Reply { to: from, token, verb: Verb::Continue, text };
        happens(begin(), &mut calls);
        happens(reply(calls[0], Text::public("PIN?").expecting_secret()), &mut calls);
        happens(begin(), &mut calls);
        happens(answer.clone(), &mut calls);
        happens(reply(calls[1], Text::public("Menu")), &mut calls);
        happens(answer, &mut calls);
        seen
    }
    let pin = |again| ("PIN?".to_owned(), again, true);
    let menu = |again| ("Menu".to_owned(), again, false);
    let expected = [pin(false), pin(true), menu(false), menu(true)];
    assert_eq!(expects(Engine::new(Config::default())), expected);
    assert_eq!(expects(world::Bare::new(Policy::default())), expected);
    #[cfg(feature = "store")]
    assert_eq!(expects(world::stored::in_memory(&Policy::default())), expected);
}

#[test]
fn n27_one_phone_three_spellings() {
    play(
        "N27",
        Policy::default(),
        "
        B(*1#){from=27831234567}; c(a)@1 | New P(a)                     | UserTurn 1
        A(1){from=+27831234567}; c(b)@2  | Ex(1) P(b)                   | UserTurn 2
        A(2){from=0027831234567}         | Ex(2)                        | AppTurn 3
        A(1){from=1234}                  | F(expired) !OrphanAnswer     | None
        ",
    );
}

#[test]
fn n28_empty_answer_is_an_answer() {
    play("N28", Policy::default(), "B(*1#); c(a)@1; A() | New P(a) Ex() | AppTurn 2");
}

#[test]
fn n30_two_app_replies_race() {
    let begin = "B(*1#); c(a)@1; A(1) | New P(a) Ex(1) | AppTurn 2";
    play("N30", Policy::default(), &format!("{begin}\n c(a)@2; e(b)@2 | P(a) Rej(AlreadyReplied) | UserTurn 2"));
    play("N30", Policy::default(), &format!("{begin}\n e(b)@2; c(a)@2 | F(b) Cl(AppEnd) Rej(Closed(AppEnd)) | Closed"));
}

#[test]
fn n31_close_for_the_previous_incarnation() {
    let begin = "B(*1#); c(a)@1; +5 | New P(a) | UserTurn 1";
    let guard = Policy::default().late_close_guard(Duration::from_secs(1));
    play("N31", guard.clone(), &format!("{begin}\n X; B(*1#) | End(User) Cl(User) New#2 | AppTurn 1"));
    let reversed = format!("{begin}\n B(*1#); X | End(Replaced) Cl(Replaced) New#2 !LateClose | AppTurn 1");
    play("N31", guard.clone(), &reversed);
    // Also within the time in which a code dialled again would be a double: who hung up and dials, means it.
    play("N31", guard, "B(*1#); X; B(*1#) | New End(User) Cl(User) New#2 | AppTurn 1");
}

#[test]
fn n32_stolen_login() {
    play(
        "N32",
        Policy::default(),
        "
        B(*1#){from=27831111111}; c(a)@1.1                          | New P(a)
        B(*1#){from=27832222222}; c(b)@2.1                          | New#2 P(b)
        LinkDown; +20; LinkUp                                       | -
        A(1)                                                        | Ex(1) | AppTurn 2
        ",
    );
}

#[test]
fn n33_overload() {
    let table = "
        B(*1#){from=27831111111}; B(*1#){from=27832222222}          | New New#2
        B(*1#){from=27833333333}                                    | F(busy) !Overload | None
        push(q){from=27833333333}                                   | Rej(Busy) | None
        B(*2#){from=27831111111}                                    | End(Replaced) Cl(Replaced) New#3 | AppTurn 1
        c(a)@2.1{from=27832222222}                                  | P(a) | UserTurn 1
        X                                                           | End(User)#2 Cl(User)#2 | Closed
        B(*1#){from=27833333333}                                    | New#4 | AppTurn 1
        B(*1#){from=27832222222}                                    | F(busy) !Overload | Closed
        ";
    let config = Config::default().max_live(2);
    let mut world = World::new(Engine::new(config.clone()));
    world.play("N33, engine", table);
    assert_eq!((world.host.live(), world.host.closed()), (2, 1));
    // The limit is that of all machines together.
    #[cfg(feature = "store")]
    World::new(world::stored::with_limits(&config)).play("N33, store", table);
    #[cfg(feature = "redis")]
    if world::redis_server::is_asked_for() {
        let server = world::redis_server::RedisServer::start(&[]);
        World::new(world::stored::in_redis_with_limits(&server, &config)).play("N33, Redis", table);
    }
}

#[test]
fn n34_turn_number_wraps() {
    let mut world = World::new(Engine::new(Config::default().policy(Policy::default().total_timer(Policy::LONGEST))));
    world.play("N34", "B(*1#); c(p)@1 | New P(p)");
    for turn in 2..=u16::MAX {
        assert_eq!(world.happens("A(1)"), ["Ex(1)"]);
        assert_eq!(world.happens(&format!("c(p)@{turn}")), ["P(p)"]);
    }
    world.play("N34", "A(1) | F(Sorry, try again) TO(App) Cl(TooLong) | Closed");
}

/// Over a store, from a late turn on.
#[cfg(feature = "store")]
#[test]
fn n34_turn_number_wraps_over_a_store() {
    fn wraps<S: Store>(name: &str, host: Stored<S>) {
        const LATE: u16 = u16::MAX - 5;
        let mut world = World::new(host);
        world.play(name, "B(*1#); c(p)@1 | New P(p)");
        world.host.put_turn(world.phone, LATE);
        for turn in LATE + 1..=u16::MAX {
            world.play(name, &format!("A(1); c(p)@{turn} | Ex(1) P(p) | UserTurn {turn}"));
        }
        world.play(name, "A(1) | F(Sorry, try again) TO(App) Cl(TooLong) | Closed");
    }
    wraps("N34, store", world::stored::in_memory(&Policy::default()));
    #[cfg(feature = "redis")]
    if world::redis_server::is_asked_for() {
        let server = world::redis_server::RedisServer::start(&[]);
        wraps("N34, Redis", world::stored::in_redis(&server, &Policy::default()));
    }
}

#[test]
fn tombstones_beyond_the_limit_are_forgotten_oldest_first() {
    let mut world = World::new(Engine::new(Config::default().max_closed(2)));
    world.play(
        "max_closed",
        "
        B(*1#){from=27831111111}; e(x)@1.1 | New F(x) Cl(AppEnd)         | Closed
        B(*1#){from=27832222222}; e(x)@2.1 | New#2 F(x) Cl(AppEnd)#2     | Closed
        B(*1#){from=27833333333}; e(x)@3.1 | New#3 F(x) Cl(AppEnd)#3     | Closed
        c(y)@1.1{from=27831111111}         | Rej(Unknown)                | None
        c(y)@2.1{from=27832222222}         | Rej(Closed(AppEnd))         | Closed
        ",
    );
    assert_eq!((world.host.closed(), world.host.counters().forgotten), (2, 1));
}
