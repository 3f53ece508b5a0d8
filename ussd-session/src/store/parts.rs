//! A record taken apart, to be written down, and put together again.

use crate::{
    event::{Phase, PushKind},
    ids::{DedupKey, LinkId, NetId, SessionId},
    record::{Record, State},
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
    fn from(record: &Record) -> Self {
        Self {
            session: record.session,
            subscriber: record.subscriber,
            opened: record.opened,
            code: record.code,
            begin_key: record.begin_key,
            answer_key: record.answer_key,
            net: record.net.clone(),
            since: record.since,
            begun: record.begun,
            deadline: record.deadline,
            total: record.total,
            grace: record.grace,
            link: record.link,
            turn: record.turn,
            state: record.state,
            phase: record.phase,
            push: record.push,
            secret: record.secret,
            replaced: record.replaced,
            released: record.released,
            held: record.held,
        }
    }
}

impl From<Parts> for Record {
    fn from(parts: Parts) -> Self {
        Self {
            session: parts.session,
            subscriber: parts.subscriber,
            opened: parts.opened,
            code: parts.code,
            begin_key: parts.begin_key,
            answer_key: parts.answer_key,
            net: parts.net,
            since: parts.since,
            begun: parts.begun,
            deadline: parts.deadline,
            total: parts.total,
            grace: parts.grace,
            link: parts.link,
            turn: parts.turn,
            state: parts.state,
            phase: parts.phase,
            push: parts.push,
            secret: parts.secret,
            replaced: parts.replaced,
            released: parts.released,
            held: parts.held,
        }
    }
}
