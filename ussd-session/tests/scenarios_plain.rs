//! Dialogues as they should go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use ussd_session::{Config, Engine, Policy, adapters::smpp::Profile};
use world::{Smpp, Ssmi, Through, Vumi, World, play};

/// A wire that says nothing would agree with every table.
#[test]
fn wires_carry() {
    let dialogue = "B(*1#); c(a)@1; A(1); e(b)@2 | New P(a) Ex(1) F(b) Cl(AppEnd) | Closed";
    let mut ssmi = World::new(Through::new(Ssmi::default(), Engine::new(Config::default())));
    ssmi.play("SSMI", dialogue);
    assert_eq!(ssmi.host.carried, 2, "begin and answer");
    let mut vumi = World::new(Through::new(Vumi::default(), Engine::new(Config::default())));
    vumi.play("Vumi", dialogue);
    assert_eq!(vumi.host.carried, 2, "both replies");
    let named = "B(*1#){net=a}; c(a)@1; X{net=a} | New P(a) End(User) Cl(User) | Closed";
    for profile in [Profile::generic(), Profile::mica()] {
        let mut smpp = World::new(Through::new(Smpp(profile), Engine::new(Config::default())));
        smpp.play("SMPP", named);
        assert_eq!(smpp.host.carried, 2, "begin and the user's end");
    }
}

#[test]
fn s01_echo() {
    play(
        "S01",
        Policy::default(),
        "
        B(*120*663*79#)             | New                               | AppTurn 1
        c(Hello..)@1                | P(Hello..)                        | UserTurn 1
        A(hi)                       | Ex(hi)                            | AppTurn 2
        c(hi)@2                     | P(hi)                             | UserTurn 2
        A(0)                        | Ex(0)                             | AppTurn 3
        e(quitting, goodbye!)@3     | F(quitting, goodbye!) Cl(AppEnd)  | Closed
        ",
    );
}

#[test]
fn s02_one_shot() {
    play(
        "S02",
        Policy::default(),
        "
        B(*100#)                    | New                               | AppTurn 1
        e(Balance 5)@1              | F(Balance 5) Cl(AppEnd)           | Closed
        +59.999                     | -                                 | Closed
        +0.001                      | -                                 | None
        ",
    );
}

#[test]
fn s03_user_cancels_at_the_menu() {
    play(
        "S03",
        Policy::default(),
        "
        B(*120#); c(Menu)@1         | New P(Menu)                       | UserTurn 1
        X                           | End(User) Cl(User)                | Closed
        X                           | !OrphanClose                      | Closed
        ",
    );
}

#[test]
fn s04_network_times_out() {
    play(
        "S04",
        Policy::default(),
        "
        B(*120#); c(Menu)@1         | New P(Menu)
        A(1); c(More)@2             | Ex(1) P(More)                     | UserTurn 2
        NT                          | TO(User) Cl(Net)                  | Closed
        ",
    );
}

#[test]
fn s05_nobody_says_anything() {
    play(
        "S05",
        Policy::default(),
        "
        B(*120#); c(Menu)@1         | New P(Menu)                       | UserTurn 1
        +64.9                       | -                                 | UserTurn 1
        +0.1                        | TO(User) Cl(UserSlow)             | Closed
        ",
    );
}

#[test]
fn s06_app_aborts() {
    let begin = "
        B(*120#); c(Menu)@1         | New P(Menu)
        A(1); c(a)@2; A(1); c(b)@3  | Ex(1) P(a) Ex(1) P(b)             | UserTurn 3
        ab@3                        | Ab Cl(AppAbort)                   | Closed";
    let policy = Policy::default().can_abort(true);
    play("S06", policy.clone(), &format!("{begin}\n A(2) | !LateAnswer | Closed"));
    play("S06", policy.must_answer(true), &format!("{begin}\n A(2) | F(expired) !LateAnswer | Closed"));
    play("S06", Policy::default(), "B(*120#); ab@1 | New F() Cl(AppAbort) | Closed");
}

#[test]
fn s07_push_answered() {
    play(
        "S07",
        Policy::default(),
        "
        push(Rate us 1-5)           | Pushed Ask(Rate us 1-5)           | Inviting
        c(x)@0                      | Rej(NotYourTurn)                  | Inviting
        A(4)                        | Ex(4)                             | AppTurn 1
        e(Thanks)@1                 | F(Thanks) Cl(AppEnd)              | Closed
        ",
    );
}

#[test]
fn s08_push_tell() {
    play(
        "S08",
        Policy::default(),
        "
        note(Paid 50)               | Pushed Tell(Paid 50)              | Notifying
        NotifyOk                    | Cl(AppEnd)                        | Closed
        note+(Paid 50)              | Pushed#2 Tell(Paid 50)            | Notifying
        NotifyOk                    | Ex()                              | AppTurn 1
        c(Again?)@1                 | P(Again?)                         | UserTurn 1
        push(no)                    | Rej(Busy)                         | UserTurn 1
        ",
    );
}

#[test]
fn s09_push_refused() {
    play(
        "S09",
        Policy::default(),
        "
        push(Rate us)               | Pushed Ask(Rate us)               | Inviting
        NE(UssdBusy)                | End(PushFailed(UssdBusy)) Cl(PushFailed(UssdBusy)) | Closed
        push(Rate us)               | Pushed#2 Ask(Rate us)             | Inviting
        KO@0                        | End(PushFailed(NotSent))#2 Cl(PushFailed(NotSent))#2 | Closed
        push(Rate us)               | Pushed#3 Ask(Rate us)             | Inviting
        +30                         | TO(User)#3 Cl(PushUnanswered)#3   | Closed
        ",
    );
}

#[test]
fn s10_redirect() {
    let begin = "B(*120#); c(Menu)@1; A(1) | New P(Menu) Ex(1) | AppTurn 2";
    let can = format!("{begin}\n rd(*121#)@2 | Rd(*121#) Cl(Redirected) | Closed");
    play("S10", Policy::default().can_redirect(true), &can);
    let cannot = format!("{begin}\n rd(*121#)@2 | Rej(Unsupported) | AppTurn 2\n c(ok)@2 | P(ok) | UserTurn 2");
    play("S10", Policy::default(), &cannot);
}

#[test]
fn s11_star_code_shortcut() {
    // The code reaches the application whole, once, and no answer is made of its tail.
    use ussd_session::{Action, Callback, Config, Dialled, Effect, Engine, Event, Millis, NetId, Phase};
    let mut engine = Engine::new(Config::default());
    let from = world::PHONE.parse().unwrap();
    let mut calls = Vec::new();
    let begin = Event::Begin { from, dialled: "*384*1234*3*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    engine.handle(world::LINK, begin, Millis(1), |effect: Effect<'_>| match effect.action {
        Action::Call(Callback::New { dialled, .. }) => calls.push((dialled.to_owned(), effect.dialled.to_owned())),
        other => panic!("{other:?}"),
    });
    assert_eq!(calls, [("*384*1234*3*1#".to_owned(), "*384*1234*3*1#".to_owned())]);
    let tail: Vec<_> = Dialled::new(&calls[0].0).tail("*384*1234#").unwrap().collect();
    assert_eq!(tail, ["3", "1"]);
}

#[test]
fn s14_phase_1_phone() {
    play(
        "S14",
        Policy::default(),
        "
        B(*120#){phase=1}           | New                               | AppTurn 1
        c(Menu 1.. 2..)@1           | F(Menu 1.. 2..) !PhaseOne Cl(AppEnd) | Closed
        ",
    );
}
