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
