//! What must hold for every schedule of events, whatever its order: each property by its number.
//!
//! Schedules are random: three phones, doubled and crossing messages, replies to current, old and invented turns,
//! pushes, links that break, a clock that jumps and steps back. The naive model in `schedule/model.rs` says what should
//! follow; the other properties look at the trace alone. Numbers 23 to 27 are about stores and paging.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod schedule;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schedule::{Kind, Op, Plan, Player, Seen, Step, model::Model, phone, plan, run};
use ussd_session::{CloseReason, Config, Engine, FrameKind, Policy, Subscriber};
use world::{Bare, Host, LINK};

fn engine(plan: &Plan) -> Engine {
    Engine::new(Config::default().policy(plan.policy.clone()))
}

/// The trace of a plan on the engine.
fn trace(plan: &Plan) -> Vec<Step> {
    run(&mut engine(plan), &plan.ops)
}

fn lines(trace: &[Step]) -> Vec<Vec<String>> {
    trace.iter().map(|step| step.seen.iter().map(|seen| format!("{} {}", seen.phone, seen.line)).collect()).collect()
}

/// All that was seen of each session, in order.
fn by_session(trace: &[Step]) -> BTreeMap<u64, Vec<&Seen>> {
    let mut sessions: BTreeMap<u64, Vec<&Seen>> = BTreeMap::new();
    for seen in trace.iter().flat_map(|step| &step.seen) {
        if let Some(session) = seen.session {
            sessions.entry(session).or_default().push(seen);
        }
    }
    sessions
}

fn is_callback(kind: Kind) -> bool {
    matches!(kind, Kind::New | Kind::Existing | Kind::TimedOut | Kind::Ended)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// The naive model and the machine agree, on the bare step and on the engine.
    #[test]
    fn p00_model(plan in plan()) {
        let mut model = Model::new(plan.policy_data.clone());
        let trace = trace(&plan);
        for step in &trace {
            let expected = model.happens(step);
            let seen: Vec<_> = step.seen.iter().map(|seen| format!("{} {}", seen.phone, seen.line)).collect();
            if matches!(step.op, Op::Wait(_) | Op::LinkDown | Op::LinkUp | Op::ClockBack) {
                // Phones are independent: their order within one instant is nobody's promise.
                for phone in 0..3 {
                    let of = |lines: &[String]| -> Vec<String> {
                        lines.iter().filter(|line| line.starts_with(&format!("{phone} "))).cloned().collect()
                    };
                    prop_assert_eq!(of(&seen), of(&expected), "{:?}", step.op);
                }
            } else {
                prop_assert_eq!(seen, expected, "{:?}", step.op);
            }
        }
        let bare = run(&mut Bare::new(plan.policy.clone()), &plan.ops);
        for (engine, bare) in lines(&trace).into_iter().zip(lines(&bare)) {
            for phone in 0..3 {
                let of = |lines: &[String]| -> Vec<String> {
                    lines.iter().filter(|line| line.starts_with(&format!("{phone} "))).cloned().collect()
                };
                prop_assert_eq!(of(&engine), of(&bare));
            }
        }
    }

    /// Totality: every event in every state gives a bounded number of actions. (`Bare` counts them.)
    #[test]
    fn p01_totality(plan in plan()) {
        run(&mut Bare::new(plan.policy.clone()), &plan.ops);
    }

    /// Determinism.
    #[test]
    fn p02_determinism(plan in plan()) {
        prop_assert_eq!(lines(&trace(&plan)), lines(&trace(&plan)));
    }

    /// One open session for a phone.
    #[test]
    fn p03_one_open_session(plan in plan()) {
        let mut open: BTreeMap<usize, u64> = BTreeMap::new();
        for seen in trace(&plan).iter().flat_map(|step| &step.seen) {
            match seen.kind {
                Kind::New | Kind::Pushed => prop_assert_eq!(open.insert(seen.phone, seen.session.unwrap()), None),
                Kind::Closed(_) => prop_assert_eq!(open.remove(&seen.phone), seen.session),
                _ => {}
            }
        }
    }

    /// Exactly one `Closed` for a session, and nothing but refusals after it.
    #[test]
    fn p04_closed_once_and_last(plan in plan()) {
        for seen in by_session(&finished(&plan)).values() {
            if !seen.iter().any(|seen| matches!(seen.kind, Kind::New | Kind::Pushed)) {
                continue; // a session that was made up
            }
            let closed = seen.iter().position(|seen| matches!(seen.kind, Kind::Closed(_)));
            let after = &seen[closed.expect("every session ends") + 1..];
            prop_assert!(after.iter().all(|seen| matches!(seen.kind, Kind::Reject)), "{after:?}");
        }
    }

    /// The grammar of callbacks.
    #[test]
    fn p05_callback_grammar(plan in plan()) {
        for seen in by_session(&trace(&plan)).values() {
            let calls: Vec<_> = seen.iter().map(|seen| seen.kind).filter(|kind| is_callback(*kind)).collect();
            let pushed = seen[0].kind == Kind::Pushed;
            let last = calls.len().saturating_sub(1);
            for (at, call) in calls.iter().enumerate() {
                let fits = match call {
                    Kind::New => at == 0 && !pushed,
                    Kind::Existing => at > 0 || pushed,
                    _ => at == last,
                };
                prop_assert!(fits, "{calls:?}");
            }
        }
    }

    /// One call for a turn; turns are 1, 2, 3.
    #[test]
    fn p06_turns_without_gaps(plan in plan()) {
        for seen in by_session(&trace(&plan)).values() {
            let turns = seen.iter().filter(|seen| matches!(seen.kind, Kind::New | Kind::Existing));
            for (at, seen) in turns.enumerate() {
                prop_assert_eq!(usize::from(seen.turn), at + 1);
            }
        }
    }

    /// At most one reply accepted for a turn.
    #[test]
    fn p07_one_reply_a_turn(plan in plan()) {
        let mut answered = BTreeSet::new();
        for seen in trace(&plan).iter().flat_map(|step| &step.seen) {
            if matches!(seen.kind, Kind::Frame(FrameKind::Prompt | FrameKind::Final, false))
                && let Some(session) = seen.session
            {
                prop_assert!(answered.insert((session, seen.turn)), "{seen:?}");
            }
        }
    }

    /// Every reply is sent or refused; none vanishes. (One that waits for its link is sent or refused later.)
    #[test]
    fn p08_every_reply_is_answered(plan in plan()) {
        let mut waiting = 0_i32;
        for step in &finished(&plan) {
            let frames = step.seen.iter().filter(|seen| matches!(seen.kind, Kind::Frame(_, false)));
            let rejects = step.seen.iter().filter(|seen| seen.kind == Kind::Reject).count();
            match &step.op {
                Op::Reply { .. } => {
                    let own = frames.filter(|seen| seen.session.is_some() && seen.text == "reply").count();
                    prop_assert!(own + rejects <= 1);
                    waiting += 1 - i32::try_from(own + rejects).unwrap();
                }
                Op::Abort { .. } | Op::Redirect { .. } | Op::Push { .. } => {}
                _ => {
                    let own = frames.filter(|seen| seen.text == "reply").count();
                    waiting -= i32::try_from(own + rejects).unwrap();
                }
            }
            prop_assert!(waiting >= 0);
        }
        prop_assert_eq!(waiting, 0);
    }

    /// Between two prompts stands an answer.
    #[test]
    fn p09_prompts_and_answers_alternate(plan in plan()) {
        for seen in by_session(&trace(&plan)).values() {
            let mut may = true;
            for seen in seen {
                match seen.kind {
                    Kind::Existing => may = true,
                    Kind::Frame(FrameKind::Prompt, false) => prop_assert!(std::mem::take(&mut may)),
                    _ => {}
                }
            }
        }
    }

    /// No frame of a session after its end, and nothing but its end after a final text.
    #[test]
    fn p10_nothing_after_the_end(plan in plan()) {
        for seen in by_session(&trace(&plan)).values() {
            let mut over = false;
            for seen in seen {
                prop_assert!(!(over && matches!(seen.kind, Kind::Frame(..))), "{seen:?}");
                over |= matches!(seen.kind, Kind::Closed(_) | Kind::Frame(FrameKind::Final, _));
            }
        }
    }

    /// A reply that quotes a session which is not the open one never makes a frame.
    #[test]
    fn p11_stale_replies_are_not_shown(plan in plan()) {
        let mut open: BTreeMap<usize, u64> = BTreeMap::new();
        for step in &trace(&plan) {
            if let (Op::Reply { phone, .. } | Op::Abort { phone, .. } | Op::Redirect { phone, .. }, Some(token)) =
                (&step.op, step.token)
                && open.get(phone) != Some(&token.session.to_bits())
            {
                let shown = step.seen.iter().any(|seen| seen.text == "reply");
                prop_assert!(!shown, "{:?}", step.seen);
            }
            for seen in &step.seen {
                match seen.kind {
                    Kind::New | Kind::Pushed => { open.insert(seen.phone, seen.session.unwrap()); }
                    Kind::Closed(_) => { open.remove(&seen.phone); }
                    _ => {}
                }
            }
        }
    }

    /// What the network sends twice with one key counts once.
    #[test]
    fn p12_doubles_count_once(plan in plan()) {
        let mut plan = plan;
        plan.policy = plan.policy.clone().orphans(ussd_session::Orphans::Ignore);
        let mut key = 0;
        let answered = |op: &Op, times: usize| -> Vec<Op> {
            let Some(phone) = op.phone().filter(|_| op.has_key()) else { return vec![op.clone()] };
            // At once, while the application works, and again after its reply.
            let reply = Op::Reply { phone, back: 0, verb: ussd_session::Verb::Continue };
            let again = std::iter::repeat_n(op.clone(), times - 1);
            std::iter::repeat_n(op.clone(), times).chain([reply]).chain(again).collect()
        };
        let keyed: Vec<Op> = plan.ops.iter().map(|op| op.with_key(&mut key)).collect();
        let once: Vec<Op> = keyed.iter().flat_map(|op| answered(op, 1)).collect();
        let twice: Vec<Op> = keyed.iter().flat_map(|op| answered(op, 2)).collect();
        let effects = |ops: &[Op]| -> Vec<String> {
            let trace = run(&mut engine(&plan), ops);
            let kept = trace.into_iter().flat_map(|step| step.seen).filter(|seen| !seen.is_repetition());
            kept.map(|seen| format!("{} {}", seen.phone, seen.line)).collect()
        };
        prop_assert_eq!(effects(&once), effects(&twice));
    }

    /// The end of a replaced session comes before the new one.
    #[test]
    fn p13_replaced_before_new(plan in plan()) {
        for step in &trace(&plan) {
            let ended = step.seen.iter().position(|seen| seen.line == "End(Replaced)");
            if let Some(ended) = ended {
                let rest: Vec<_> = step.seen[ended + 1..].iter().map(|seen| seen.kind).collect();
                let as_said = matches!(
                    rest[..],
                    [Kind::Closed(CloseReason::Replaced), Kind::New]
                        | [Kind::Reject, Kind::Closed(CloseReason::Replaced), Kind::New]
                );
                prop_assert!(as_said, "{rest:?}");
            }
        }
    }

    /// Ends of the application's own make no call, all others exactly one.
    #[test]
    fn p14_who_is_told(plan in plan()) {
        for seen in by_session(&trace(&plan)).values() {
            let told = seen.iter().filter(|seen| matches!(seen.kind, Kind::TimedOut | Kind::Ended)).count();
            let closed = seen.iter().find_map(|seen| match seen.kind { Kind::Closed(reason) => Some(reason), _ => None });
            let expected = match closed {
                None => 0,
                Some(CloseReason::AppEnd | CloseReason::AppAbort | CloseReason::Redirected) => 0,
                Some(CloseReason::HandlerFailed | CloseReason::Orphan) => 0,
                Some(_) => 1,
            };
            prop_assert_eq!(told, expected, "{:?}", closed);
        }
    }

    /// Nothing ends before its time, and nothing overdue is left after a poll.
    #[test]
    fn p15_timers_are_sound(plan in plan()) {
        let mut engine = engine(&plan);
        let mut now = schedule::START;
        for step in run(&mut engine, &plan.ops) {
            now = now.max(step.now);
            for (phone, deadline, _) in &step.records {
                if matches!(step.op, Op::Wait(_)) {
                    prop_assert!(*deadline > now, "phone {phone} is overdue");
                }
            }
        }
        // Just before the next deadline nothing happens.
        while let Some(first) = (0..3).filter_map(|at| engine.record(LINK, phone(at))).map(|record| record.deadline()).min() {
            let mut early = 0;
            Host::tick(&mut engine, ussd_session::Millis(first.0 - 1).max(now), &mut |_| early += 1);
            prop_assert_eq!(early, 0);
            now = now.max(first);
            Host::tick(&mut engine, now, &mut |_| {});
            prop_assert!((0..3).filter_map(|at| engine.record(LINK, phone(at))).all(|record| record.deadline() > now));
        }
    }

    /// With ticks alone every session ends in its total time, also where all other timers are longer.
    #[test]
    fn p16_every_session_ends(plan in plan(), patient in any::<bool>()) {
        let mut plan = plan;
        if patient {
            let long = std::time::Duration::from_secs(3_600);
            plan.policy = plan.policy.app_timer(long).user_timer(long).push_timer(long);
        }
        let mut engine = engine(&plan);
        let last = run(&mut engine, &plan.ops).iter().map(|step| step.now).max().unwrap();
        let (live, mut closed) = (engine.live(), 0);
        // 185 seconds are the default.
        for seconds in (5..=185).step_by(5) {
            Host::tick(&mut engine, ussd_session::Millis(last.0 + seconds * 1_000), &mut |effect| {
                closed += usize::from(matches!(effect.action, ussd_session::Action::Closed(_)));
            });
        }
        prop_assert_eq!((engine.live(), closed), (0, live));
    }

    /// A clock that goes back changes nothing.
    #[test]
    fn p17_time_is_monotonic(plan in plan()) {
        let calm: Vec<Op> = plan.ops.iter().filter(|op| !matches!(op, Op::ClockBack)).cloned().collect();
        let jumpy: Vec<Op> = calm.iter().flat_map(|op| [Op::ClockBack, op.clone()]).collect();
        for phone in 0..3 {
            let effects = |ops: &[Op]| -> Vec<String> {
                let lines = lines(&run(&mut engine(&plan), ops)).concat();
                lines.into_iter().filter(|line| line.starts_with(&format!("{phone} "))).collect()
            };
            prop_assert_eq!(effects(&calm), effects(&jumpy));
        }
    }

    /// What other phones do is nobody's business.
    #[test]
    fn p18_phones_are_independent(plan in plan()) {
        let all = trace(&plan);
        for phone in 0..3 {
            let own: Vec<Op> = plan.ops.iter().filter(|op| op.phone().is_none_or(|at| at == phone)).cloned().collect();
            let alone = run(&mut engine(&plan), &own);
            let of = |trace: &[Step]| -> Vec<String> {
                let seen = trace.iter().flat_map(|step| &step.seen);
                seen.filter(|seen| seen.phone == phone).map(|seen| seen.line.clone()).collect()
            };
            prop_assert_eq!(of(&all), of(&alone));
        }
    }

    /// A phase 1 phone gets no prompt.
    #[test]
    fn p19_phase_1_gets_no_prompt(plan in plan()) {
        let ops: Vec<Op> = plan.ops.iter().map(Op::phase_1).collect();
        let mut plan = plan;
        plan.policy = plan.policy.clone().orphans(ussd_session::Orphans::Ignore);
        for seen in run(&mut engine(&plan), &ops).iter().flat_map(|step| &step.seen) {
            prop_assert!(!matches!(seen.kind, Kind::Frame(FrameKind::Prompt, _)) || seen.opened_by_push);
        }
    }

    /// While the tombstone stands nothing reaches the application; then nothing is left.
    #[test]
    fn p20_tombstones(plan in plan()) {
        let mut engine = engine(&plan);
        let ops: Vec<Op> = plan.ops.iter().filter(|op| !op.may_open()).cloned().collect();
        let mut now = run(&mut engine, &plan.ops).iter().map(|step| step.now).max().unwrap();
        while engine.live() > 0 {
            now.0 += 5_000;
            Host::tick(&mut engine, now, &mut |_| {});
        }
        // The default policy keeps them a minute.
        now.0 += 60_000;
        Host::tick(&mut engine, now, &mut |_| {});
        prop_assert_eq!((engine.live(), engine.closed(), engine.scheduled()), (0, 0, 0));
        let plain = Policy::default();
        let mut engine = Engine::new(Config::default().policy(plain));
        run(&mut engine, &[Op::Begin { phone: 0, code: 0, net: 0, key: None, phase_1: false }, Op::UserEnd { phone: 0, net: 0 }]);
        let late = run(&mut engine, &ops.into_iter().filter(|op| !matches!(op, Op::Wait(_))).collect::<Vec<_>>());
        prop_assert!(late.iter().flat_map(|step| &step.seen).all(|seen| !is_callback(seen.kind)));
    }

    /// Opened less ended is live; the wheel holds each record once.
    #[test]
    fn p21_conservation(plan in plan()) {
        let mut engine = engine(&plan);
        let mut player = Player::new();
        for op in &plan.ops {
            player.one(&mut engine, op);
            let counters = engine.counters();
            prop_assert_eq!(counters.opened - counters.closed, engine.live() as u64);
            prop_assert_eq!(engine.scheduled(), engine.live() + engine.closed());
            let (open, closed): (Vec<_>, Vec<_>) =
                (0..3).filter_map(|at| engine.record(LINK, phone(at))).partition(|record| record.is_open());
            prop_assert_eq!((open.len(), closed.len()), (engine.live(), engine.closed()));
        }
    }

    /// A record that was written down and read again goes on as before.
    #[cfg(feature = "serde")]
    #[test]
    fn p22_records_survive_writing(plan in plan()) {
        let mut written = Bare::through_json(plan.policy.clone());
        let plain = run(&mut Bare::new(plan.policy.clone()), &plan.ops);
        prop_assert_eq!(lines(&run(&mut written, &plan.ops)), lines(&plain));
    }

    /// No answer to a prompt that asks for a secret shows up in any debug output.
    #[test]
    fn p28_secrets_are_redacted(plan in plan()) {
        let mut engine = engine(&plan);
        let mut log = String::new();
        let mut player = Player::new();
        player.watch = true;
        for op in &plan.ops {
            log += &player.one(&mut engine, op).debug;
        }
        log += &format!("{engine:?}");
        prop_assert!(!log.contains("typed"), "{log}");
    }

    /// Network ids and numbers come back as they came.
    #[test]
    fn p30_ids_and_numbers_are_kept(digits in "[1-9][0-9]{6,14}", net in prop::collection::vec(any::<u8>(), 0..=64)) {
        let subscriber: Subscriber = digits.parse().unwrap();
        let digits_back = subscriber.digits();
        prop_assert_eq!(digits_back.as_str(), digits.as_str());
        let shown = subscriber.to_string();
        prop_assert_eq!(shown.parse::<Subscriber>().unwrap(), subscriber);
        let net = ussd_session::NetId::new(&net).unwrap();
        let mut engine = Engine::new(Config::default());
        let mut token = None;
        let begin = ussd_session::Event::Begin {
            from: subscriber, dialled: "*1#", net: net.clone(), phase: ussd_session::Phase::Two, dedup: None,
        };
        Host::handle(&mut engine, begin, schedule::START, &mut |effect| {
            if let ussd_session::Action::Call(call) = effect.action { token = Some(call.token()); }
        });
        let reply = ussd_session::Event::Reply {
            to: subscriber, token: token.unwrap(), verb: ussd_session::Verb::End, text: "x".into(),
        };
        let mut frames = Vec::new();
        Host::handle(&mut engine, reply, schedule::START, &mut |effect| {
            if let ussd_session::Action::Send(frame) = effect.action {
                frames.push((effect.subscriber, frame.net));
            }
        });
        prop_assert_eq!(frames, vec![(subscriber, net)]);
    }
}

/// The trace of a plan, and of the time after it until nothing is left.
fn finished(plan: &Plan) -> Vec<Step> {
    let mut ops = plan.ops.clone();
    ops.extend([Op::LinkUp, Op::Wait(1_000_000), Op::Wait(1_000_000)]);
    run(&mut engine(plan), &ops)
}
