//! Property 29: what an engine holds grows with its sessions, by so many octets each and no more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use ussd_session::{
    Action, Callback, Config, Effect, Engine, Event, LinkId, Millis, NetId, Phase, Policy, Subscriber, Text, Verb,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What an engine without sessions holds at most, and what each session adds: its slot, its place in the index with
/// room to grow, its entries in the wheel. Kept prompts come on top.
const BASE: usize = 96 * 1024;
const SESSION: usize = 200;

const LINK: LinkId = LinkId(0);
const START: Millis = Millis(1_790_000_000_000);

/// Octets that an engine holds after so many phones have dialled, and after `turns` of each.
fn held(phones: u64, turns: u64) -> usize {
    let region = Region::new(ALLOCATOR);
    let mut engine = Engine::new(Config::default().policy(Policy::default().resend(false)));
    let mut now = START;
    for turn in 0..=turns {
        for phone in 0..phones {
            let from: Subscriber = format!("+2783{phone:07}").parse().unwrap();
            let event = match turn {
                0 => Event::Begin { from, dialled: "*120*8864#", net: NetId::NONE, phase: Phase::Two, dedup: None },
                _ => Event::Answer { from, text: Text::public("1"), net: NetId::NONE, dedup: None },
            };
            let mut given = None;
            engine.handle(LINK, event, now, |effect: Effect<'_>| {
                if let Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) = effect.action {
                    given = Some(token);
                }
            });
            let (token, text) = (given.unwrap(), Text::public("Menu"));
            engine.handle(LINK, Event::Reply { to: from, token, verb: Verb::Continue, text }, now, |_: Effect<'_>| {});
        }
        now = Millis(now.0 + 15_000);
        while engine.poll(now, 1000, |_: Effect<'_>| {}).more {}
    }
    assert_eq!(engine.live(), usize::try_from(phones).unwrap());
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

#[test]
fn p29_memory() {
    for (phones, turns) in [(0, 0), (1, 0), (1_000, 3), (20_000, 0), (20_000, 5), (50_000, 2)] {
        let (held, most) = (held(phones, turns), BASE + SESSION * usize::try_from(phones).unwrap());
        assert!(held <= most, "{phones} phones, {turns} turns: {held} octets, more than {most}");
        // What the bound allows is not idle talk either.
        assert!(phones < 1_000 || held > most / 2, "{phones} phones hold {held} octets only: publish a lower bound");
    }
}
