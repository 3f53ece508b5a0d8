//! Dialogues as they should go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod world;

use std::time::Duration;

use ussd_session::{Config, Engine, Fit, Overflow, Policy, Resume, adapters::smpp::Profile};
use world::{Smpp, Ssmi, Through, Vumi, World, play, play_screens};

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

const ASK: &str = "Go on?";

/// The application is offered to go on, does so by itself, or the user is asked.
fn resumes() -> [Resume; 3] {
    let ask = Resume::Ask { question: ASK.into(), go_on: "1".into(), start: "2".into() };
    [Resume::Offer, Resume::Continue, ask]
}

#[test]
fn s12_resume() {
    let [offer, goes_on, ask] = resumes();
    let before = "
        B(*120#); c(Menu)@1         | New P(Menu)                       | UserTurn 1
        A(1); c(a)@2; A(2); c(b)@3  | Ex(1) P(a) Ex(2) P(b)             | UserTurn 3
        A(3); c(Your ID?)@4         | Ex(3) P(Your ID?)                 | UserTurn 4
        NT                          | TO(User) Cl(Net)                  | Closed";
    play_screens(
        "S12, offered",
        &Policy::default().resume(offer),
        &format!(
            "{before}
        +30; B(*120#)               | New#2 [goes on from turn 4 after 30 s: Your ID?] | AppTurn 1
        c(Your ID?)@1               | P(Your ID?)                       | UserTurn 1
        A(8); e(Bye)@2              | Ex(8) F(Bye) Cl(AppEnd)#2         | Closed
        "
        ),
    );
    let resumed = format!(
        "{before}
        +30; B(*120#)               | P(Your ID?)                       | UserTurn 1
        X                           | End(User)#2 Cl(User)#2            | Closed
        +61                         | -                                 | None
        X                           | !OrphanClose                      | None
        +500; B(*120#)              | P(Your ID?)                       | UserTurn 1
        "
    );
    play_screens("S12, continued", &Policy::default().resume(goes_on), &resumed);
    play_screens(
        "S12, asked",
        &Policy::default().resume(ask),
        &format!(
            "{before}
        +30; B(*120#)               | P({ASK})                          | UserTurn 1
        A(x)                        | P({ASK})                          | UserTurn 2
        X                           | Cl(User)#2                        | Closed
        B(*120#); A(1)              | P({ASK}) P(Your ID?)              | UserTurn 2
        +65                         | TO(User)#3 Cl(UserSlow)#3         | Closed
        B(*120#); A(2)              | P({ASK}) New#4                    | AppTurn 2
        c(Menu)@2                   | P(Menu)                           | UserTurn 2
        "
        ),
    );
}

#[test]
fn s13_resume_refused() {
    for (resume, resumed) in
        resumes().into_iter().zip(["New#2 [goes on from turn 1 after 30 s: a]", "P(a)", "P(Go on?)"])
    {
        let policy = Policy::default().resume(resume).park(Duration::from_secs(600)).service("*120#").service("*130#");
        let parked = "B(*120#); c(a)@1; NT      | New P(a) TO(User) Cl(Net)         | Closed";
        play_screens(
            "S13, ended",
            &policy,
            "
        B(*120#); e(Bye)@1          | New F(Bye) Cl(AppEnd)             | Closed
        +3; B(*120#)                | New#2                             | AppTurn 1
        ",
        );
        play_screens(
            "S13, too late",
            &policy,
            &format!(
                "{parked}
        +600; B(*120#)              | New#2                             | AppTurn 1
        "
            ),
        );
        play_screens(
            "S13, another service",
            &policy,
            &format!(
                "{parked}
        +10; B(*130#); e(Bye)@1     | New#2 F(Bye) Cl(AppEnd)#2         | Closed
        +20; B(*120*5#)             | {}
        ",
                resumed.replace("#2", "#3")
            ),
        );
    }
    // What goes on is told of the session that does, and of no other.
    let [_, goes_on, _] = resumes();
    play_screens(
        "S13, another service next",
        &Policy::default().resume(goes_on).service("*120#").service("*130#"),
        "
        B(*120#); c(a)@1; X         | New P(a) End(User) Cl(User)       | Closed
        B(*120#); X                 | P(a) End(User)#2 Cl(User)#2       | Closed
        B(*130#); c(b)@1; A(1)      | New#3 P(b) Ex(1)                  | AppTurn 2
        ",
    );
}

/// 400 characters in words of 19.
fn long_text() -> String {
    (10..30)
        .map(|n| format!("word{n} is long enough"))
        .map(|word| word[..19].replace(' ', "-"))
        .collect::<Vec<_>>()
        .join(" ")
        + "!"
}

#[test]
fn s15_long_text_pages() {
    let text = long_text();
    assert_eq!(text.len(), 400);
    let (first, second, third) = (&text[..159], &text[160..319], &text[320..]);
    let (first, second) = (format!("P({first}\\n98.More)"), format!("P({second}\\n98.More\\n0.Back)"));
    play_screens(
        "S15",
        &Policy::default().fit(Fit::default()),
        &format!(
            "
        B(*120#); c({text})@1       | New {first}                       | UserTurn 1
        A(98)                       | {second}                          | UserTurn 2
        A(0)                        | {first}                           | UserTurn 3
        A(98); A(98)                | {second} P({third}\\n0.Back)      | UserTurn 5
        A(0)                        | {second}                          | UserTurn 6
        A(hello); c(hi)@7           | Ex(hello) P(hi)                   | UserTurn 7
        A(98)                       | Ex(98)                            | AppTurn 8
        e({text})@8                 | {first}                           | UserTurn 8
        A(x); A(98); A(98)          | {first} {second} F({third}\\n0.Back) Cl(AppEnd) | Closed
        "
        ),
    );
    // The network says it twice, and the page is turned once; a page that is resumed is the same to the octet.
    play_screens(
        "S15",
        &Policy::default().fit(Fit::default()).resume(Resume::Continue),
        &format!(
            "
        B(*120#); c({text})@1 | New {first}                    | UserTurn 1
        A(98){{key=1}}          | {second}                          | UserTurn 2
        A(98){{key=1}}          | {}                                | UserTurn 2
        NT; B(*120#) | TO(User) Cl(Net) {second}         | UserTurn 1
        A(0)                 | {first}                           | UserTurn 2
        ",
            second.clone() + "again"
        ),
    );
}

#[test]
fn s16_ucs_2() {
    let text = "\u{1200}".repeat(81);
    let (first, second) = (text[..3 * 72].to_owned(), &text[3 * 72..]);
    play_screens(
        "S16",
        &Policy::default().fit(Fit::default()),
        &format!(
            "
        B(*120#); c({text})@1       | New P({first}\\n98.More)          | UserTurn 1
        A(98)                       | P({second}\\n0.Back)              | UserTurn 2
        A(x)                        | Ex(x)                             | AppTurn 3
        "
        ),
    );
    play_screens(
        "S16, refused",
        &Policy::default().fit(Fit::default().overflow(Overflow::Refuse)),
        &format!(
            "
        B(*120#); c({text})@1       | New Rej(Unfit(TooLong {{ limit: 80 }})) | AppTurn 1
        c({first})@1                | P({first})                        | UserTurn 1
        "
        ),
    );
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
