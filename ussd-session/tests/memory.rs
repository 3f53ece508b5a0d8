//! Property 29: what an engine holds grows with its sessions, by so many octets each and no more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use ussd_session::{
    Action, Callback, Config, DedupKey, Effect, Engine, Event, LinkId, Millis, NetId, Phase, Policy, Subscriber, Text,
    Verb,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What an engine without sessions holds at most, room to grow included, and what each session adds: its slot, its place
/// in the index, its entries in the wheel.
const BASE: usize = 128 * 1024;
const SESSION: usize = 128;
/// What it adds if its gateway gives ids and keys, and if no other session was opened with its code.
const NAMED: usize = 32;
const OWN_CODE: usize = 80;
/// What it adds if its prompt is kept, and the engine in that case.
const PROMPT: usize = 8 + (6 + MENU.len()) * 4 / 3;
const PROMPTS: usize = 5 * 64 * 1024;

const MENU: &str = "Welcome, Thandi.\n1. Balance\n2. Airtime\n3. Data\n0. Quit";

const LINK: LinkId = LinkId(0);
const START: Millis = Millis(1_790_000_000_000);

/// What sessions have beside what all have.
#[derive(Clone, Copy)]
struct With {
    /// Ids and keys of the gateway.
    names: bool,
    own_code: bool,
    prompt: bool,
}

impl With {
    const NOTHING: Self = Self { names: false, own_code: false, prompt: false };

    /// What an engine may hold with so many sessions.
    fn most(self, phones: u64) -> usize {
        let [names, own_code, prompt] = [self.names, self.own_code, self.prompt].map(usize::from);
        let session = SESSION + names * NAMED + own_code * OWN_CODE + prompt * PROMPT;
        BASE + prompt * PROMPTS + session * usize::try_from(phones).unwrap()
    }
}

/// Octets that an engine holds after so many phones have dialled, and after `turns` of each.
fn held(phones: u64, turns: u64, with: With) -> usize {
    let region = Region::new(ALLOCATOR);
    let mut engine = Engine::new(Config::default().policy(Policy::default().resend(with.prompt)));
    let mut now = START;
    for turn in 0..=turns {
        for phone in 0..phones {
            let from: Subscriber = format!("+2783{phone:07}").parse().unwrap();
            let net = if with.names { NetId::new(format!("{phone}").as_bytes()).unwrap() } else { NetId::NONE };
            let dedup = with.names.then(|| DedupKey::of(format!("{turn}").as_bytes()));
            let dialled = if with.own_code { format!("*120*8864*{phone}#") } else { "*120*8864#".into() };
            let event = match turn {
                0 => Event::Begin { from, dialled: &dialled, net, phase: Phase::Two, dedup },
                _ => Event::Answer { from, text: Text::public("1"), net, dedup },
            };
            let mut given = None;
            engine.handle(LINK, event, now, |effect: Effect<'_>| {
                if let Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) = effect.action {
                    given = Some(token);
                }
            });
            let (token, text) = (given.unwrap(), Text::public(MENU));
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
    let sizes = [(0, 0), (1, 0), (1_000, 3), (1_025, 0), (20_000, 0), (20_000, 5), (50_000, 2)];
    let plain = sizes.map(|(phones, turns)| (phones, turns, With::NOTHING));
    for (phones, turns, with) in plain.into_iter().chain([
        (20_000, 1, With { names: true, ..With::NOTHING }),
        (20_000, 1, With { own_code: true, ..With::NOTHING }),
        (20_000, 5, With { prompt: true, ..With::NOTHING }),
    ]) {
        let (held, most) = (held(phones, turns, with), with.most(phones));
        assert!(held <= most, "{phones} phones, {turns} turns: {held} octets, more than {most}");
        // What the bound allows is not idle talk either.
        assert!(phones < 1_000 || held > most / 2, "{phones} phones hold {held} octets only: publish a lower bound");
    }
}
