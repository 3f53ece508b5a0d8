//! Many phones over a store whose time is over at one moment, with every machine looking for what is due.

use std::time::Duration;

use ussd_session::{
    Action, Callback, CloseReason, Event, Millis, NetId, Phase, Subscriber, Text, TurnToken, Verb,
    store::{Driver, Found, Key, Store},
};

use super::{
    LINK,
    stored::{Stored, key},
};

/// Sessions that a machine takes at once, of its own and of all.
const BUDGET: usize = 20;

/// Phones whose sessions have timed out, and why.
type Over = Vec<(Subscriber, CloseReason)>;

impl<S: Store> Stored<S> {
    /// Has `size` phones wait for their users until the same moment, lets it come, and then the end of all tombstones.
    pub(crate) fn crowd(&mut self, size: usize) {
        let start = Millis(1_790_000_000_000);
        let crowd: Vec<Subscriber> = (0..size).map(|phone| format!("2783{phone:07}").parse().unwrap()).collect();
        self.clock(start);
        for (phone, machine) in crowd.iter().zip(self.machines.iter().cycle()) {
            self.runtime.block_on(async {
                let token = dial(machine, *phone, start).await;
                let text = Text::public("Menu");
                let reply = Event::Reply { to: *phone, token, verb: Verb::Continue, text };
                assert_eq!(machine.handle(LINK, &reply, start).await.unwrap().effects.len(), 1);
            });
        }
        let end = start.after(Duration::from_secs(65));
        self.clock(end);
        let fresh: Vec<Subscriber> = (0..10).map(|phone| format!("2784{phone:07}").parse().unwrap()).collect();
        let (mut waiting, mut over) = (fresh.clone(), Over::new());
        while self.sweep(end, &mut over) {
            // A new caller is served between two sweeps.
            if let Some(phone) = waiting.pop() {
                self.runtime.block_on(dial(&self.machines[0], phone, end));
            }
        }
        assert_eq!(waiting, []);
        over.sort_by_key(|(phone, _)| *phone);
        assert!(over == each(&crowd, CloseReason::UserSlow), "{} sessions of {size} are over", over.len());
        let conflicts: u64 = self.machines.iter().map(|machine| machine.counters().conflicts).sum();
        assert!(conflicts > 0, "the machines never met");

        let later = end.after(Duration::from_secs(10));
        self.clock(later);
        over.clear();
        while self.sweep(later, &mut over) {}
        over.sort_by_key(|(phone, _)| *phone);
        assert_eq!(over, each(&fresh, CloseReason::AppSlow));

        let last = later.after(Duration::from_secs(60));
        self.clock(last);
        for phone in crowd.into_iter().chain(fresh) {
            let (machine, key) = (&self.machines[0], key(phone));
            let left = self.runtime.block_on(async {
                assert!(machine.tick(key, last).await.unwrap().effects.is_empty());
                machine.store().load(key, &NetId::NONE).await.unwrap()
            });
            assert_eq!(left, Found::Nothing);
        }
        for machine in &self.machines {
            let due = self.runtime.block_on(machine.store().due(Millis(u64::MAX >> 12), 1)).unwrap();
            assert_eq!((due, machine.due_here(last, 1), machine.watched()), (vec![], vec![], 0));
        }
    }

    /// Both machines do what is due, at once; false if nothing was.
    fn sweep(&self, now: Millis, over: &mut Over) -> bool {
        let [one, two] = &self.machines[..] else { panic!("two machines") };
        let (first, second) = self.runtime.block_on(async { tokio::join!(due(one, now), due(two, now)) });
        let found = first.len() + second.len() > 0;
        let work = async { tokio::join!(ticks(one, &first, now), ticks(two, &second, now)) };
        let (first, second) = self.runtime.block_on(work);
        over.extend(first.into_iter().chain(second));
        found
    }
}

/// Each phone once.
fn each(phones: &[Subscriber], why: CloseReason) -> Over {
    phones.iter().map(|phone| (*phone, why)).collect()
}

/// The phone dials; its first turn.
async fn dial<S: Store>(machine: &Driver<S>, from: Subscriber, now: Millis) -> TurnToken {
    let begin = Event::Begin { from, dialled: "*1#", net: NetId::NONE, phase: Phase::Two, dedup: None };
    let stepped = machine.handle(LINK, &begin, now).await.unwrap();
    let [effect] = &stepped.effects[..] else { panic!("{:?}", stepped.effects) };
    let Action::Call(Callback::New { token, .. }) = effect.as_effect().action else { panic!("{effect:?}") };
    token
}

/// What a machine finds due: its own, and whosever.
async fn due<S: Store>(machine: &Driver<S>, now: Millis) -> Vec<Key> {
    let (own, all) = (machine.due_here(now, BUDGET), machine.due_anywhere(now, BUDGET).await.unwrap());
    assert!(own.len() <= BUDGET && all.len() <= BUDGET, "{} and {}", own.len(), all.len());
    [own, all].concat()
}

/// Does what is due; which sessions have timed out, each with its two effects.
async fn ticks<S: Store>(machine: &Driver<S>, keys: &[Key], now: Millis) -> Over {
    let mut over = Over::new();
    for key in keys {
        let effects = machine.tick(*key, now).await.unwrap().effects;
        let told =
            effects.iter().any(|effect| matches!(effect.as_effect().action, Action::Call(Callback::TimedOut { .. })));
        let closed = effects.iter().find_map(|effect| match effect.as_effect().action {
            Action::Closed(summary) => Some(summary.reason),
            _ => None,
        });
        assert_eq!(told, closed.is_some(), "{effects:?}");
        over.extend(closed.map(|why| (key.subscriber, why)));
    }
    over
}
