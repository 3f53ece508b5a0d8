//! How what lies beside a record is written down: the last part of version 2.
//!
//! | octets | what |
//! |---|---|
//! | 1 | what is there, as bits |
//! | n +, screens, parked | service of the session; its screen, the one offered, the session asked about: each if there |
//! | 8, 2, 8 | session, turn and milliseconds of the session that this one goes on with, if there |
//! | 1, (n +, parked) | how many sessions wait; of each its service and itself |
//!
//! A screen is an octet of bits, the text as the application said it, and where it is fitted: the alphabet, the code of
//! the character for which it is in that (4 octets, if there), the text as it is sent unless it is the same, and where
//! the pages begin that were turned to, each in two octets. What is parked is its session and turn, an octet that is 1 if
//! its screen was answered, when it ended and until when it waits, its screen, and what the application kept.

use std::time::Duration;

use super::{Reader, Unreadable, put_octets};
use crate::{
    event::Verb,
    fit::{Alphabet, Pager},
    ids::{LinkId, SessionId, TurnToken},
    screens::{
        parking::Parked,
        shown::{Kept, Shown},
    },
    store::aside::{Aside, Earlier},
    subscriber::Subscriber,
    time::{Millis, millis},
};

/// Bits of what lies beside a record.
mod part {
    pub(super) const SHOWN: u8 = 1;
    pub(super) const ANSWERED: u8 = 1 << 1;
    pub(super) const SCREEN: u8 = 1 << 2;
    pub(super) const OFFERED: u8 = 1 << 3;
    pub(super) const ASKING: u8 = 1 << 4;
    pub(super) const EARLIER: u8 = 1 << 5;
    pub(super) const OF_SHOWN: u8 = ANSWERED | SCREEN | OFFERED | ASKING;
    pub(super) const ALL: u8 = SHOWN | OF_SHOWN | EARLIER;
}

/// Bits of a screen.
mod flag {
    pub(super) const ENDS: u8 = 1;
    pub(super) const EXPECTS_SECRET: u8 = 1 << 1;
    pub(super) const FITTED: u8 = 1 << 2;
    pub(super) const PAGED: u8 = 1 << 3;
    pub(super) const CUT: u8 = 1 << 4;
    pub(super) const WHY: u8 = 1 << 5;
    /// It is sent as the application said it.
    pub(super) const SAME: u8 = 1 << 6;
    pub(super) const OF_FITTED: u8 = PAGED | CUT | WHY | SAME;
    pub(super) const ALL: u8 = ENDS | EXPECTS_SECRET | FITTED | OF_FITTED;
}

fn bits(of: &[(u8, bool)]) -> u8 {
    of.iter().filter(|(_, set)| *set).fold(0, |bits, (bit, _)| bits | bit)
}

pub(super) fn put_aside(out: &mut Vec<u8>, aside: &Aside) {
    let shown = aside.shown.as_ref().map(|(_, shown)| shown);
    let has = |part: fn(&Shown<Vec<u8>>) -> bool| shown.is_some_and(part);
    out.push(bits(&[
        (part::SHOWN, shown.is_some()),
        (part::ANSWERED, has(|shown| shown.answered)),
        (part::SCREEN, has(|shown| shown.screen.is_some())),
        (part::OFFERED, has(|shown| shown.offered.is_some())),
        (part::ASKING, has(|shown| shown.asking.is_some())),
        (part::EARLIER, aside.earlier.is_some()),
    ]));
    if let Some(shown) = shown {
        put_octets(out, shown.at.2.as_bytes());
        shown.screen.iter().chain(&shown.offered).for_each(|screen| put_screen(out, screen));
        shown.asking.iter().for_each(|parked| put_parked(out, parked));
    }
    if let Some(Earlier { token, ago }) = aside.earlier {
        put_token(out, token);
        out.extend(millis(ago).to_be_bytes());
    }
    let parked = aside.parked.get(..Aside::SERVICES).unwrap_or(&aside.parked);
    out.extend(u8::try_from(parked.len()));
    for (service, parked) in parked {
        put_octets(out, service.as_bytes());
        put_parked(out, parked);
    }
}

fn put_token(out: &mut Vec<u8>, token: TurnToken) {
    out.extend(token.session.to_bits().to_be_bytes());
    out.extend(token.turn.to_be_bytes());
}

fn put_parked(out: &mut Vec<u8>, parked: &Parked<Vec<u8>>) {
    put_token(out, parked.token);
    out.push(u8::from(parked.answered));
    out.extend(parked.ended.0.to_be_bytes());
    out.extend(parked.until.0.to_be_bytes());
    put_screen(out, &parked.screen);
    put_octets(out, parked.kept.as_deref().unwrap_or_default());
}

fn put_screen(out: &mut Vec<u8>, screen: &Kept) {
    let pager = screen.pager.as_ref();
    let has = |what: fn(&Pager) -> bool| pager.is_some_and(what);
    let is_same = pager.is_some_and(|pager| pager.text == screen.text);
    out.push(bits(&[
        (flag::ENDS, screen.verb == Verb::End),
        (flag::EXPECTS_SECRET, screen.expects_secret),
        (flag::FITTED, pager.is_some()),
        (flag::PAGED, has(|pager| pager.paged)),
        (flag::CUT, has(|pager| pager.cut)),
        (flag::WHY, has(|pager| pager.why.is_some())),
        (flag::SAME, is_same),
    ]));
    put_octets(out, screen.text.as_bytes());
    let Some(pager) = pager else { return };
    out.push(match pager.alphabet {
        Alphabet::Gsm7 => 0,
        Alphabet::Latin1 => 1,
        Alphabet::Ucs2 => 2,
    });
    out.extend(pager.why.into_iter().flat_map(|why| u32::from(why).to_be_bytes()));
    if !is_same {
        put_octets(out, pager.text.as_bytes());
    }
    let starts: Vec<u8> = pager.starts.iter().flat_map(|start| start.to_be_bytes()).collect();
    put_octets(out, &starts);
}

impl Reader<'_> {
    pub(super) fn aside(
        &mut self,
        session: SessionId,
        link: LinkId,
        subscriber: Subscriber,
    ) -> Result<Aside, Unreadable> {
        let parts = self.u8()?;
        let is = |bit| parts & bit != 0;
        if parts & !part::ALL != 0 || (is(part::OF_SHOWN) && !is(part::SHOWN)) {
            return Err(self.no_such("parts"));
        }
        let mut shown = None;
        if is(part::SHOWN) {
            let at = (link, subscriber, self.text()?.into());
            let screen = if is(part::SCREEN) { Some(self.screen()?) } else { None };
            let offered = if is(part::OFFERED) { Some(self.screen()?) } else { None };
            let asking = if is(part::ASKING) { Some(Box::new(self.parked()?)) } else { None };
            shown = Some((session, Shown { at, screen, answered: is(part::ANSWERED), asking, offered }));
        }
        let mut earlier = None;
        if is(part::EARLIER) {
            earlier = Some(Earlier { token: self.token()?, ago: Duration::from_millis(self.u64()?) });
        }
        let mut parked = Vec::new();
        let waiting = self.u8()?;
        if usize::from(waiting) > Aside::SERVICES {
            return Err(self.no_such("number of services"));
        }
        for _ in 0..waiting {
            parked.push((self.text()?.into(), self.parked()?));
        }
        Ok(Aside { shown, earlier, parked })
    }

    fn token(&mut self) -> Result<TurnToken, Unreadable> {
        let session = SessionId::from_bits(self.u64()?).ok_or(self.no_such("session id"))?;
        Ok(TurnToken { session, turn: self.u16()? })
    }

    fn parked(&mut self) -> Result<Parked<Vec<u8>>, Unreadable> {
        let token = self.token()?;
        let answered = match self.u8()? {
            0 => false,
            1 => true,
            _ => return Err(self.no_such("answer")),
        };
        let (ended, until) = (Millis(self.u64()?), Millis(self.u64()?));
        let (screen, kept) = (self.screen()?, Some(self.octets()?.to_vec()));
        Ok(Parked { token, screen, answered, ended, until, kept })
    }

    fn screen(&mut self) -> Result<Kept, Unreadable> {
        let flags = self.u8()?;
        let is = |bit| flags & bit != 0;
        if flags & !flag::ALL != 0 || (is(flag::OF_FITTED) && !is(flag::FITTED)) {
            return Err(self.no_such("screen"));
        }
        let text: Box<str> = self.text()?.into();
        let pager = if is(flag::FITTED) {
            let alphabet = match self.u8()? {
                0 => Alphabet::Gsm7,
                1 => Alphabet::Latin1,
                2 => Alphabet::Ucs2,
                _ => return Err(self.no_such("alphabet")),
            };
            let why = if is(flag::WHY) { Some(self.character()?) } else { None };
            let text = if is(flag::SAME) { text.clone() } else { self.text()?.into() };
            let starts = self.starts(&text)?;
            Some(Pager { text, alphabet, why, paged: is(flag::PAGED), cut: is(flag::CUT), starts })
        } else {
            None
        };
        let verb = if is(flag::ENDS) { Verb::End } else { Verb::Continue };
        Ok(Kept { pager, text, verb, secret: false, expects_secret: is(flag::EXPECTS_SECRET) })
    }

    fn character(&mut self) -> Result<char, Unreadable> {
        char::from_u32(self.u32()?).ok_or(self.no_such("character"))
    }

    /// Where pages of this text begin.
    fn starts(&mut self, text: &str) -> Result<Vec<u16>, Unreadable> {
        let (starts, rest) = self.octets()?.as_chunks();
        let starts: Vec<u16> = starts.iter().map(|start| u16::from_be_bytes(*start)).collect();
        let is_page = |start: &u16| text.is_char_boundary(usize::from(*start));
        if !rest.is_empty() || !starts.iter().all(is_page) {
            return Err(self.no_such("page"));
        }
        Ok(starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::encoding::Problem;

    const SESSION: u64 = 0x0071_0000_0000_0001;

    fn id(bits: u64) -> SessionId {
        SessionId::from_bits(bits).unwrap()
    }

    fn at(service: &str) -> (LinkId, Subscriber, Box<str>) {
        (LinkId(1), "27831234567".parse().unwrap(), service.into())
    }

    fn plain(text: &str) -> Kept {
        Kept { pager: None, text: text.into(), verb: Verb::Continue, secret: false, expects_secret: true }
    }

    /// A text of three pages, the last of them on the screen.
    fn paged() -> Kept {
        let (text, starts) = ("abcé".into(), vec![1, 3]);
        let pager = Pager { text, alphabet: Alphabet::Ucs2, why: Some('ç'), paged: true, cut: false, starts };
        Kept { pager: Some(pager), text: "ab¢é".into(), verb: Verb::End, secret: false, expects_secret: false }
    }

    fn parked(screen: Kept) -> Parked<Vec<u8>> {
        let token = TurnToken { session: id(2), turn: 3 };
        let (ended, until) = (Millis(0x44), Millis(0x55));
        Parked { token, screen, answered: true, ended, until, kept: Some(b"app".to_vec()) }
    }

    /// Everything that there can be.
    fn full() -> Aside {
        let pager = Pager {
            text: "x".into(),
            alphabet: Alphabet::Gsm7,
            why: None,
            paged: false,
            cut: true,
            starts: Vec::new(),
        };
        let same = Kept { pager: Some(pager), ..plain("x") };
        let asking = Some(Box::new(parked(plain("a"))));
        let shown = Shown { at: at("*1#"), screen: Some(paged()), answered: true, asking, offered: Some(same) };
        let earlier = Some(Earlier { token: TurnToken { session: id(4), turn: 5 }, ago: Duration::from_millis(6) });
        let waiting = vec![("*2#".into(), parked(plain("b"))), ("".into(), parked(paged()))];
        Aside { shown: Some((id(SESSION), shown)), earlier, parked: waiting }
    }

    const FULL: &str = "3f 032a3123 \
        2d 06 6162c2a2c3a9 02 000000e7 05 616263c3a9 04 0001 0003 \
        56 01 78 00 00 \
        0000000000000002 0003 01 0000000000000044 0000000000000055 02 01 61 03 617070 \
        0000000000000004 0005 0000000000000006 \
        02 032a3223 0000000000000002 0003 01 0000000000000044 0000000000000055 02 01 62 03 617070 \
        00 0000000000000002 0003 01 0000000000000044 0000000000000055 \
        2d 06 6162c2a2c3a9 02 000000e7 05 616263c3a9 04 0001 0003 03 617070";

    fn written(aside: &Aside) -> Vec<u8> {
        let mut out = Vec::new();
        put_aside(&mut out, aside);
        out
    }

    fn read(octets: &[u8]) -> Result<Aside, Unreadable> {
        let mut from = Reader { octets, offset: 0 };
        let (link, subscriber, _) = at("");
        let aside = from.aside(id(SESSION), link, subscriber)?;
        match from.rest() {
            0 => Ok(aside),
            more => Err(from.error(Problem::Trailing(more))),
        }
    }

    #[test]
    fn known_answer() {
        let expected = hex::decode(FULL.replace(' ', "")).unwrap();
        assert_eq!(hex::encode(written(&full())), hex::encode(&expected));
        assert!(read(&expected).unwrap() == full());
    }

    #[test]
    fn every_part_may_be_missing() {
        let (_, shown) = full().shown.unwrap();
        let with = |shown| Aside { shown: Some((id(SESSION), shown)), ..Aside::default() };
        for aside in [
            Aside::default(),
            with(Shown::new(at(""))),
            with(Shown { screen: None, ..shown.clone() }),
            with(Shown { offered: None, ..shown.clone() }),
            with(Shown { asking: None, answered: false, ..shown }),
            Aside { shown: None, ..full() },
            Aside { earlier: None, ..full() },
            Aside { parked: Vec::new(), ..full() },
        ] {
            assert!(read(&written(&aside)).unwrap() == aside, "{}", hex::encode(written(&aside)));
        }
    }

    #[test]
    fn what_cannot_be_read() {
        let octets = written(&full());
        for end in 0..octets.len() {
            assert_eq!(read(&octets[..end]).err().unwrap().problem, Problem::Truncated, "{end}");
        }
        let changed = |offset: usize, octet: u8| {
            let mut octets = octets.clone();
            octets[offset] = octet;
            let unreadable = read(&octets).err().unwrap();
            (unreadable.offset, unreadable.problem)
        };
        assert_eq!(changed(0, 0x40), (1, Problem::Value("parts")));
        assert_eq!(changed(0, part::SCREEN), (1, Problem::Value("parts")));
        assert_eq!(changed(5, 0x80), (6, Problem::Value("screen")));
        assert_eq!(changed(5, flag::PAGED), (6, Problem::Value("screen")));
        assert_eq!(changed(13, 3), (14, Problem::Value("alphabet")));
        assert_eq!(changed(14, 0xFF), (18, Problem::Value("character")));
        // Within a character, beyond the end, and half a start.
        for (offset, octet) in [(26, 4), (26, 6), (27, 1), (24, 3)] {
            assert_eq!(changed(offset, octet).1, Problem::Value("page"), "{offset}");
        }
    }

    /// Whatever a store holds, reading it ends well.
    #[test]
    fn no_octet_stops_the_reader() {
        let octets = written(&full());
        for offset in 0..octets.len() {
            for octet in 0..=255 {
                let mut octets = octets.clone();
                octets[offset] = octet;
                if let Ok(aside) = read(&octets) {
                    assert_eq!(hex::encode(written(&aside)), hex::encode(&octets), "offset {offset}, octet {octet}");
                }
            }
        }
    }
}
