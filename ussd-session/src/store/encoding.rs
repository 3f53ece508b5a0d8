//! How a session is written down: octets with a version in front, the same on every machine.
//!
//! | octets | what |
//! |---|---|
//! | 1 | version, 1 or 2 |
//! | 8, 8, 2, 8, 8 | session, subscriber, link, opened, fingerprint of the code |
//! | 2, 4, 4, 4, 4 | turn; since, begun, deadline, total in milliseconds from opened |
//! | 1, 1 | what is there and what is set, as bits |
//! | 1, or 1, 1, 2 | state; of a tombstone its reason, and the network's code if that has one |
//! | 1, 1 | phase, push |
//! | 4, 8, 8 | grace, key of the dialled code, key of the answer: each if there |
//! | n + | network's id; code as dialled; last prompt and held reply, if there; what the application keeps |
//! | ... | version 2: what lies beside the record for the screens of its phone, see `screens` |
//!
//! Where nothing lies beside the record it is version 1 that is written, so that machines which do not know version 2
//! yet read all that they can make use of.
//!
//! Numbers are big-endian; `n +` is a length of 7 bits an octet, lowest first, then as many octets.

mod screens;

use super::{
    cell::{Cell, Held},
    parts::Parts,
};
use crate::{
    action::CloseReason,
    event::{NetWhy, Phase, PushKind, Verb},
    ids::{DedupKey, LinkId, NetId, SessionId},
    record::State,
    subscriber::Subscriber,
    time::Millis,
};

/// The layout of a session with nothing beside its record.
const PLAIN: u8 = 1;

/// The latest layout.
const VERSION: u8 = 2;

/// Bits of the two flag octets.
mod flag {
    pub(super) const SECRET: u16 = 1;
    pub(super) const REPLACED: u16 = 1 << 1;
    pub(super) const RELEASED: u16 = 1 << 2;
    pub(super) const HELD: u16 = 1 << 3;
    pub(super) const GRACE: u16 = 1 << 4;
    pub(super) const BEGIN_KEY: u16 = 1 << 5;
    pub(super) const ANSWER_KEY: u16 = 1 << 6;
    pub(super) const PROMPT: u16 = 1 << 7;
    pub(super) const HELD_TEXT: u16 = 1 << 8;
    pub(super) const HELD_ENDS: u16 = 1 << 9;
    pub(super) const HELD_EXPECTS_SECRET: u16 = 1 << 10;
    pub(super) const ALL: u16 = (1 << 11) - 1;
}

/// Why what a store holds cannot be read. It is left as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("octet {offset}: {problem}")]
pub struct Unreadable {
    /// Where in the octets.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with octets that a store holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Another version of this crate wrote it.
    #[error("version {0} is not known to this program, which reads versions {PLAIN} to {VERSION}")]
    Version(u8),
    /// It ends too early.
    #[error("the end is missing")]
    Truncated,
    /// It goes on after the end.
    #[error("{0} octets too many")]
    Trailing(usize),
    /// A value that means nothing.
    #[error("no such {0}")]
    Value(&'static str),
}

impl Cell {
    /// The octets to be kept.
    pub(super) fn encode(&self) -> Vec<u8> {
        let record = Parts::from(&self.record);
        let mut out = Vec::with_capacity(96 + self.dialled.len() + self.prompt.as_ref().map_or(0, String::len));
        out.push(if self.aside.is_none() { PLAIN } else { VERSION });
        out.extend(record.session.to_bits().to_be_bytes());
        out.extend(record.subscriber.to_bits().to_be_bytes());
        out.extend(record.link.0.to_be_bytes());
        out.extend(record.opened.0.to_be_bytes());
        out.extend(record.code.to_be_bytes());
        out.extend(record.turn.to_be_bytes());
        for offset in [record.since, record.begun, record.deadline, record.total] {
            out.extend(offset.to_be_bytes());
        }
        out.extend(self.flags(&record).to_be_bytes());
        put_state(&mut out, record.state);
        out.push(match record.phase {
            Phase::Unknown => 0,
            Phase::One => 1,
            Phase::Two => 2,
        });
        out.push(match record.push {
            None => 0,
            Some(PushKind::Ask) => 1,
            Some(PushKind::Tell) => 2,
            Some(PushKind::TellFirst) => 3,
        });
        out.extend(record.grace.into_iter().flat_map(u32::to_be_bytes));
        for key in [record.begin_key, record.answer_key].into_iter().flatten() {
            out.extend(key.to_bits().to_be_bytes());
        }
        put_octets(&mut out, record.net.as_bytes());
        put_octets(&mut out, self.dialled.as_bytes());
        for text in self.prompt.iter().chain(self.held.as_ref().map(|held| &held.text)) {
            put_octets(&mut out, text.as_bytes());
        }
        put_octets(&mut out, &self.app);
        if let Some(aside) = &self.aside {
            screens::put_aside(&mut out, aside);
        }
        out
    }

    fn flags(&self, record: &Parts) -> u16 {
        let held = self.held.as_ref();
        let flags = [
            (flag::SECRET, record.secret),
            (flag::REPLACED, record.replaced),
            (flag::RELEASED, record.released),
            (flag::HELD, record.held),
            (flag::GRACE, record.grace.is_some()),
            (flag::BEGIN_KEY, record.begin_key.is_some()),
            (flag::ANSWER_KEY, record.answer_key.is_some()),
            (flag::PROMPT, self.prompt.is_some()),
            (flag::HELD_TEXT, held.is_some()),
            (flag::HELD_ENDS, held.is_some_and(|held| held.verb == Verb::End)),
            (flag::HELD_EXPECTS_SECRET, held.is_some_and(|held| held.expects_secret)),
        ];
        flags.iter().filter(|(_, set)| *set).fold(0, |flags, (bit, _)| flags | bit)
    }

    /// Reads them back.
    pub(super) fn decode(octets: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader { octets, offset: 0 };
        let version = from.u8()?;
        if !(PLAIN..=VERSION).contains(&version) {
            return Err(Unreadable { offset: 0, problem: Problem::Version(version) });
        }
        let session = SessionId::from_bits(from.u64()?).ok_or(from.no_such("session id"))?;
        let subscriber = Subscriber::from_bits(from.u64()?).ok_or(from.no_such("subscriber"))?;
        let (link, opened, code, turn) = (LinkId(from.u16()?), Millis(from.u64()?), from.u64()?, from.u16()?);
        let (since, begun, deadline, total) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
        let flags = from.u16()?;
        let is = |bit| flags & bit != 0;
        let of_held = flag::HELD_ENDS | flag::HELD_EXPECTS_SECRET;
        if flags & !flag::ALL != 0 || (is(of_held) && !is(flag::HELD_TEXT)) {
            return Err(from.no_such("flags"));
        }
        let state = from.state()?;
        let phase = match from.u8()? {
            0 => Phase::Unknown,
            1 => Phase::One,
            2 => Phase::Two,
            _ => return Err(from.no_such("phase")),
        };
        let push = match from.u8()? {
            0 => None,
            1 => Some(PushKind::Ask),
            2 => Some(PushKind::Tell),
            3 => Some(PushKind::TellFirst),
            _ => return Err(from.no_such("push")),
        };
        let grace = if is(flag::GRACE) { Some(from.u32()?) } else { None };
        let begin_key = if is(flag::BEGIN_KEY) { Some(from.dedup_key()?) } else { None };
        let answer_key = if is(flag::ANSWER_KEY) { Some(from.dedup_key()?) } else { None };
        let net = NetId::new(from.octets()?).map_err(|_| from.no_such("network id"))?;
        let record = Parts {
            session,
            subscriber,
            opened,
            code,
            begin_key,
            answer_key,
            net,
            since,
            begun,
            deadline,
            total,
            grace,
            link,
            turn,
            state,
            phase,
            push,
            secret: is(flag::SECRET),
            replaced: is(flag::REPLACED),
            released: is(flag::RELEASED),
            held: is(flag::HELD),
        };
        let dialled = from.text()?;
        let prompt = if is(flag::PROMPT) { Some(from.text()?) } else { None };
        let verb = if is(flag::HELD_ENDS) { Verb::End } else { Verb::Continue };
        let expects_secret = is(flag::HELD_EXPECTS_SECRET);
        let held = if is(flag::HELD_TEXT) { Some(Held { verb, text: from.text()?, expects_secret }) } else { None };
        let app = from.octets()?.to_vec();
        let aside = match version {
            PLAIN => None,
            _ => Some(Box::new(from.aside(session, link, subscriber)?)),
        };
        match from.rest() {
            0 => Ok(Self { record: record.into(), dialled, prompt, held, app, aside }),
            more => Err(from.error(Problem::Trailing(more))),
        }
    }
}

fn put_octets(out: &mut Vec<u8>, octets: &[u8]) {
    let mut len = octets.len();
    while let Some(low) = u8::try_from(len & 0x7F).ok().filter(|_| len > 0x7F) {
        out.push(low | 0x80);
        len >>= 7;
    }
    out.extend(u8::try_from(len));
    out.extend(octets);
}

fn put_state(out: &mut Vec<u8>, state: State) {
    let reason = match state {
        State::AppTurn => return out.push(0),
        State::UserTurn => return out.push(1),
        State::Inviting => return out.push(2),
        State::Notifying => return out.push(3),
        State::Closed(reason) => reason,
    };
    out.push(4);
    out.push(match reason {
        CloseReason::AppEnd => 0,
        CloseReason::AppAbort => 1,
        CloseReason::Redirected => 2,
        CloseReason::User => 3,
        CloseReason::UserSlow => 4,
        CloseReason::Net => 5,
        CloseReason::AppSlow => 6,
        CloseReason::TooLong => 7,
        CloseReason::Replaced => 8,
        CloseReason::PushFailed(_) => 9,
        CloseReason::PushUnanswered => 10,
        CloseReason::SendFailed => 11,
        CloseReason::LinkLost => 12,
        CloseReason::Orphan => 13,
        CloseReason::Shutdown => 14,
        CloseReason::HandlerFailed => 15,
    });
    if let CloseReason::PushFailed(why) = reason {
        let (why, code) = match why {
            NetWhy::UssdBusy => (0, 0),
            NetWhy::Absent => (1, 0),
            NetWhy::NotSupported => (2, 0),
            NetWhy::Congestion => (3, 0),
            NetWhy::Aborted => (4, 0),
            NetWhy::Redirected => (5, 0),
            NetWhy::NotSent => (6, 0),
            NetWhy::Other(code) => (7, code),
        };
        out.push(why);
        out.extend(code.to_be_bytes());
    }
}

/// Takes values off the front, and never more than there are.
struct Reader<'a> {
    octets: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let end = self.offset.checked_add(len);
        let taken = end.and_then(|end| self.octets.get(self.offset..end)).ok_or(self.error(Problem::Truncated))?;
        self.offset += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.error(Problem::Truncated))
    }

    fn u8(&mut self) -> Result<u8, Unreadable> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, Unreadable> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }

    fn octets(&mut self) -> Result<&'a [u8], Unreadable> {
        let (mut len, mut shift) = (0_usize, 0);
        loop {
            let octet = self.u8()?;
            len |= usize::from(octet & 0x7F) << shift;
            if octet & 0x80 == 0 {
                return self.take(len);
            }
            shift += 7;
            if shift > 28 {
                return Err(self.no_such("length"));
            }
        }
    }

    fn text(&mut self) -> Result<String, Unreadable> {
        let octets = self.octets()?.to_vec();
        String::from_utf8(octets).map_err(|_| self.no_such("text"))
    }

    fn dedup_key(&mut self) -> Result<DedupKey, Unreadable> {
        let bits = self.u64()?;
        DedupKey::from_bits(bits).ok_or(self.no_such("key"))
    }

    fn state(&mut self) -> Result<State, Unreadable> {
        Ok(match self.u8()? {
            0 => State::AppTurn,
            1 => State::UserTurn,
            2 => State::Inviting,
            3 => State::Notifying,
            4 => State::Closed(self.reason()?),
            _ => return Err(self.no_such("state")),
        })
    }

    fn reason(&mut self) -> Result<CloseReason, Unreadable> {
        Ok(match self.u8()? {
            0 => CloseReason::AppEnd,
            1 => CloseReason::AppAbort,
            2 => CloseReason::Redirected,
            3 => CloseReason::User,
            4 => CloseReason::UserSlow,
            5 => CloseReason::Net,
            6 => CloseReason::AppSlow,
            7 => CloseReason::TooLong,
            8 => CloseReason::Replaced,
            9 => CloseReason::PushFailed(self.net_why()?),
            10 => CloseReason::PushUnanswered,
            11 => CloseReason::SendFailed,
            12 => CloseReason::LinkLost,
            13 => CloseReason::Orphan,
            14 => CloseReason::Shutdown,
            15 => CloseReason::HandlerFailed,
            _ => return Err(self.no_such("reason")),
        })
    }

    fn net_why(&mut self) -> Result<NetWhy, Unreadable> {
        Ok(match (self.u8()?, self.u16()?) {
            (0, 0) => NetWhy::UssdBusy,
            (1, 0) => NetWhy::Absent,
            (2, 0) => NetWhy::NotSupported,
            (3, 0) => NetWhy::Congestion,
            (4, 0) => NetWhy::Aborted,
            (5, 0) => NetWhy::Redirected,
            (6, 0) => NetWhy::NotSent,
            (7, code) => NetWhy::Other(code),
            _ => return Err(self.no_such("reason of the network")),
        })
    }

    fn rest(&self) -> usize {
        self.octets.len().saturating_sub(self.offset)
    }

    fn error(&self, problem: Problem) -> Unreadable {
        Unreadable { offset: self.offset, problem }
    }

    fn no_such(&self, what: &'static str) -> Unreadable {
        self.error(Problem::Value(what))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        ids::TurnToken,
        store::aside::{Aside, Earlier},
    };

    /// A session with everything that one can have.
    fn full() -> Cell {
        let parts = Parts {
            session: SessionId::from_bits(0x0071_0000_0000_0001).unwrap(),
            subscriber: "27831234567".parse().unwrap(),
            opened: Millis(1_790_000_000_000),
            code: 0x0102_0304_0506_0708,
            begin_key: DedupKey::from_bits(0xA1),
            answer_key: DedupKey::from_bits(0xA2),
            net: NetId::new(b"\x12\x34").unwrap(),
            since: 0x11,
            begun: 0x22,
            deadline: 0x33,
            total: 0x44,
            grace: Some(0x55),
            link: LinkId(0x0102),
            turn: 0x0304,
            state: State::AppTurn,
            phase: Phase::Two,
            push: Some(PushKind::TellFirst),
            secret: true,
            replaced: false,
            released: false,
            held: true,
        };
        let held = Some(Held { verb: Verb::End, text: "bye".into(), expects_secret: true });
        let (dialled, prompt) = ("*120#".into(), Some("Menü".into()));
        Cell { record: parts.into(), dialled, prompt, held, app: b"app".to_vec(), aside: None }
    }

    fn plain(state: State) -> Cell {
        let parts = Parts {
            begin_key: None,
            answer_key: None,
            net: NetId::NONE,
            grace: None,
            push: None,
            phase: Phase::Unknown,
            state,
            ..Parts::from(&full().record)
        };
        let (dialled, app) = (String::new(), Vec::new());
        Cell { record: parts.into(), dialled, prompt: None, held: None, app, aside: None }
    }

    const FULL: &str = "01 0071000000000001 278312345670000b 0102 000001a0c4506c00 0102030405060708 0304 \
        00000011 00000022 00000033 00000044 07f9 00 02 03 00000055 00000000000000a1 00000000000000a2 \
        021234 052a31323023 054d656ec3bc 03627965 03617070";

    #[test]
    fn known_answer() {
        let expected = hex::decode(FULL.replace(' ', "")).unwrap();
        assert_eq!(hex::encode(full().encode()), hex::encode(&expected));
        assert_eq!(Cell::decode(&expected).unwrap(), full());
    }

    /// What lies beside the record comes after all else, and is what makes it version 2.
    #[test]
    fn version_2() {
        let token = TurnToken { session: SessionId::from_bits(2).unwrap(), turn: 3 };
        let earlier = Some(Earlier { token, ago: Duration::from_millis(4) });
        let cell = Cell { aside: Some(Box::new(Aside { earlier, ..Aside::default() })), ..full() };
        let expected = format!("02{} 20 0000000000000002 0003 0000000000000004 00", &FULL[2..]).replace(' ', "");
        assert_eq!(hex::encode(cell.encode()), expected);
        assert_eq!(Cell::decode(&cell.encode()).unwrap(), cell);
    }

    #[test]
    fn every_state_survives() {
        let whys = [
            NetWhy::UssdBusy,
            NetWhy::Absent,
            NetWhy::NotSupported,
            NetWhy::Congestion,
            NetWhy::Aborted,
            NetWhy::Redirected,
            NetWhy::NotSent,
            NetWhy::Other(0xFFFF),
        ];
        let reasons = [
            CloseReason::AppEnd,
            CloseReason::AppAbort,
            CloseReason::Redirected,
            CloseReason::User,
            CloseReason::UserSlow,
            CloseReason::Net,
            CloseReason::AppSlow,
            CloseReason::TooLong,
            CloseReason::Replaced,
            CloseReason::PushUnanswered,
            CloseReason::SendFailed,
            CloseReason::LinkLost,
            CloseReason::Orphan,
            CloseReason::Shutdown,
            CloseReason::HandlerFailed,
        ];
        let closed = reasons.into_iter().chain(whys.map(CloseReason::PushFailed)).map(State::Closed);
        let open = [State::AppTurn, State::UserTurn, State::Inviting, State::Notifying];
        for state in open.into_iter().chain(closed) {
            let cell = plain(state);
            assert_eq!(Cell::decode(&cell.encode()).unwrap(), cell, "{state:?}");
        }
    }

    #[test]
    fn long_texts_survive() {
        for len in [0, 127, 128, 16_383, 16_384, 100_000] {
            let cell = Cell { app: vec![7; len], ..full() };
            assert_eq!(Cell::decode(&cell.encode()).unwrap(), cell, "{len}");
        }
        assert!(plain(State::UserTurn).encode().len() <= 64, "a plain session is small");
    }

    #[test]
    fn what_cannot_be_read() {
        let octets = full().encode();
        for end in 0..octets.len() {
            assert_eq!(Cell::decode(&octets[..end]).unwrap_err().problem, Problem::Truncated, "{end}");
        }
        let changed = |offset: usize, octet: u8| {
            let mut octets = octets.clone();
            octets[offset] = octet;
            let unreadable = Cell::decode(&octets).unwrap_err();
            (unreadable.offset, unreadable.problem)
        };
        assert_eq!(changed(0, 0), (0, Problem::Version(0)));
        assert_eq!(changed(0, 3), (0, Problem::Version(3)));
        assert_eq!(changed(16, 0xA0 | 0x0B), (17, Problem::Value("subscriber")));
        assert_eq!(changed(55, 5), (56, Problem::Value("state")));
        assert_eq!(changed(56, 3), (57, Problem::Value("phase")));
        assert_eq!(changed(57, 4), (58, Problem::Value("push")));
        assert_eq!(changed(78, 65), (79, Problem::Truncated));
        assert_eq!(changed(92, 0xFF), (93, Problem::Value("text")));
        let longer = [&octets[..], b"xy"].concat();
        let unreadable = Cell::decode(&longer).unwrap_err();
        assert_eq!((unreadable.offset, unreadable.problem), (octets.len(), Problem::Trailing(2)));
        assert_eq!(unreadable.to_string(), format!("octet {}: 2 octets too many", octets.len()));
        // A length that never ends.
        let endless = [&octets[..78], &[0xFF; 9][..]].concat();
        assert_eq!(Cell::decode(&endless).unwrap_err().problem, Problem::Value("length"));
    }

    /// Whatever a store holds, reading it ends well.
    #[test]
    fn no_octet_stops_the_reader() {
        let octets = full().encode();
        for offset in 0..octets.len() {
            for octet in 0..=255 {
                let mut octets = octets.clone();
                octets[offset] = octet;
                if let Ok(cell) = Cell::decode(&octets) {
                    assert_eq!(cell.encode(), octets, "offset {offset}, octet {octet}");
                }
            }
        }
    }
}
