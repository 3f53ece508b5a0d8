//! A record taken apart, to be written down, and put together again.

use crate::{
    event::{Phase, PushKind},
    ids::{DedupKey, LinkId, NetId, SessionId},
    record::{Core, Record, Rest, State},
    subscriber::Subscriber,
    time::Millis,
};

/// All that a [`Record`] holds, as plain values. Times are milliseconds from `opened`.
pub(super) struct Parts {
    pub(super) session: SessionId,
    pub(super) subscriber: Subscriber,
    pub(super) opened: Millis,
    pub(super) code: u64,
    pub(super) begin_key: Option<DedupKey>,
    pub(super) answer_key: Option<DedupKey>,
    pub(super) net: NetId,
    pub(super) since: u32,
    pub(super) begun: u32,
    pub(super) deadline: u32,
    pub(super) total: u32,
    pub(super) grace: Option<u32>,
    pub(super) link: LinkId,
    pub(super) turn: u16,
    pub(super) state: State,
    pub(super) phase: Phase,
    pub(super) push: Option<PushKind>,
    pub(super) secret: bool,
    pub(super) replaced: bool,
    pub(super) released: bool,
    pub(super) held: bool,
}

impl From<&Record> for Parts {
    fn from(Record { core, rest }: &Record) -> Self {
        Self {
            session: core.session,
            subscriber: core.subscriber,
            opened: core.opened,
            code: rest.code,
            begin_key: rest.begin_key(),
            answer_key: rest.answer_key(),
            net: rest.net().clone(),
            since: core.since,
            begun: rest.begun,
            deadline: core.deadline,
            total: core.total,
            grace: core.has(Core::UNLINKED).then_some(rest.grace),
            link: core.link,
            turn: core.turn,
            state: core.state,
            phase: core.phase,
            push: core.push,
            secret: core.has(Core::SECRET),
            replaced: core.has(Core::REPLACED),
            released: core.has(Core::RELEASED),
            held: core.has(Core::HELD),
        }
    }
}

impl From<Parts> for Record {
    fn from(parts: Parts) -> Self {
        let mut core = Core {
            session: parts.session,
            subscriber: parts.subscriber,
            opened: parts.opened,
            since: parts.since,
            deadline: parts.deadline,
            total: parts.total,
            link: parts.link,
            turn: parts.turn,
            state: parts.state,
            phase: parts.phase,
            push: parts.push,
            flags: 0,
        };
        for (flag, set) in [
            (Core::SECRET, parts.secret),
            (Core::REPLACED, parts.replaced),
            (Core::RELEASED, parts.released),
            (Core::HELD, parts.held),
            (Core::UNLINKED, parts.grace.is_some()),
            (Core::NAMED, !parts.net.is_none()),
            (Core::KEYED, parts.answer_key.is_some()),
        ] {
            core.set(flag, set);
        }
        let mut rest = Rest::default();
        rest.renew(parts.code, parts.begin_key, &parts.net);
        rest.set_answer_key(parts.answer_key);
        rest.begun = parts.begun;
        rest.grace = parts.grace.unwrap_or_default();
        Self { core, rest }
    }
}
