//! One thing that happens in a schedule.

use std::fmt;

use fastrand::Rng;

use crate::event::{PushKind, Verb};

/// One thing that happens in a schedule. It means something in every state, so that any part of a schedule is one.
///
/// Phones are numbered from 0. `back` counts turns from the latest that the phone's application was given: 0 is the
/// current one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// The phone dials.
    Dial(u8),
    /// The phone dials, and can do phase 1 only.
    DialPhaseOne(u8),
    /// The user answers.
    Type(u8),
    /// The user hangs up.
    HangUp(u8),
    /// The gateway repeats the last that it said of the phone.
    Twice(u8),
    /// What the gateway said of the phone's dialogue before comes late: that the user hung up.
    LateHangUp(u8),
    /// The network stops waiting.
    NetTimeout(u8),
    /// The network gives up: the phone is away.
    NetError(u8),
    /// The network says that the phone is in another dialogue.
    Busy(u8),
    /// The phone has shown a notice.
    Shown(u8),
    /// The gateway refuses the last frame.
    Refuse(u8),
    /// The application replies.
    Reply(u8, u8, Verb),
    /// The application breaks off.
    Abort(u8, u8),
    /// The application hands the phone on.
    Redirect(u8, u8),
    /// The handler fails.
    Fail(u8, u8),
    /// The application pushes.
    Push(u8, PushKind),
    /// The link breaks.
    LinkDown,
    /// The link is back.
    LinkUp,
    /// Milliseconds pass.
    Wait(u64),
    /// The clock shows an earlier time once.
    ClockBack,
    /// The node dies after it has made good the next thing that happens, and before anybody heard of it.
    Crash,
}

const PUSHES: [PushKind; 3] = [PushKind::Ask, PushKind::Tell, PushKind::TellFirst];

const WAITS: [u64; 10] = [50, 300, 1_000, 2_500, 9_999, 10_000, 31_000, 60_000, 65_000, 186_000];

impl Act {
    /// One drawn at random.
    pub(super) fn draw(random: &mut Rng) -> Self {
        let phone = random.u8(0..3);
        let back = if random.u8(0..10) < 8 { 0 } else { random.u8(0..4) };
        match random.u8(0..100) {
            0..15 => Self::Dial(phone),
            15..16 => Self::DialPhaseOne(phone),
            16..34 => Self::Type(phone),
            34..37 => Self::HangUp(phone),
            37..44 => Self::Twice(phone),
            44..46 => Self::LateHangUp(phone),
            46..48 => Self::NetTimeout(phone),
            48..49 => Self::NetError(phone),
            49..50 => Self::Busy(phone),
            50..52 => Self::Shown(phone),
            52..54 => Self::Refuse(phone),
            54..76 => Self::Reply(phone, back, if random.u8(0..6) == 0 { Verb::End } else { Verb::Continue }),
            76..77 => Self::Abort(phone, back),
            77..78 => Self::Redirect(phone, back),
            78..79 => Self::Fail(phone, back),
            79..82 => Self::Push(phone, random.choice(PUSHES).unwrap_or(PushKind::Ask)),
            82..84 => Self::LinkDown,
            84..86 => Self::LinkUp,
            86..97 => Self::Wait(random.choice(WAITS).unwrap_or(1_000)),
            97..98 => Self::ClockBack,
            _ => Self::Crash,
        }
    }

    /// Plainer ones that may do as well.
    pub(super) fn plainer(self) -> Vec<Self> {
        match self {
            Self::Wait(span) => WAITS.into_iter().filter(|plainer| *plainer < span).map(Self::Wait).collect(),
            Self::Reply(phone, back, Verb::End) => vec![Self::Reply(phone, back, Verb::Continue)],
            _ => Vec::new(),
        }
    }

    /// The phone that it is about.
    #[must_use]
    pub fn phone(self) -> Option<u8> {
        match self {
            Self::Dial(phone)
            | Self::DialPhaseOne(phone)
            | Self::Type(phone)
            | Self::HangUp(phone)
            | Self::Twice(phone)
            | Self::LateHangUp(phone)
            | Self::NetTimeout(phone)
            | Self::NetError(phone)
            | Self::Busy(phone)
            | Self::Shown(phone)
            | Self::Refuse(phone)
            | Self::Reply(phone, ..)
            | Self::Abort(phone, _)
            | Self::Redirect(phone, _)
            | Self::Fail(phone, _)
            | Self::Push(phone, _) => Some(phone),
            Self::LinkDown | Self::LinkUp | Self::Wait(_) | Self::ClockBack | Self::Crash => None,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quotes = |back: u8| match back {
            0 => String::new(),
            1 => " to the turn before".to_owned(),
            back => format!(" to the turn {back} before"),
        };
        if let Some(phone) = self.phone() {
            write!(f, "phone {phone}: ")?;
        }
        match self {
            Self::Dial(_) => f.write_str("dials"),
            Self::DialPhaseOne(_) => f.write_str("dials, phase 1"),
            Self::Type(_) => f.write_str("types"),
            Self::HangUp(_) => f.write_str("hangs up"),
            Self::Twice(_) => f.write_str("the gateway says it again"),
            Self::LateHangUp(_) => f.write_str("the end of the dialogue before comes late"),
            Self::NetTimeout(_) => f.write_str("the network stops waiting"),
            Self::NetError(_) => f.write_str("the network gives up"),
            Self::Busy(_) => f.write_str("is in another dialogue, says the network"),
            Self::Shown(_) => f.write_str("has shown the notice"),
            Self::Refuse(_) => f.write_str("the gateway refuses the frame"),
            Self::Reply(_, back, Verb::Continue) => write!(f, "the application replies{}", quotes(*back)),
            Self::Reply(_, back, Verb::End) => write!(f, "the application replies its last{}", quotes(*back)),
            Self::Abort(_, back) => write!(f, "the application breaks off{}", quotes(*back)),
            Self::Redirect(_, back) => write!(f, "the application redirects{}", quotes(*back)),
            Self::Fail(_, back) => write!(f, "the handler fails{}", quotes(*back)),
            Self::Push(_, PushKind::Ask) => f.write_str("the application pushes a question"),
            Self::Push(_, PushKind::Tell) => f.write_str("the application pushes a notice"),
            Self::Push(_, PushKind::TellFirst) => f.write_str("the application pushes a notice and goes on"),
            Self::LinkDown => f.write_str("the link breaks"),
            Self::LinkUp => f.write_str("the link is back"),
            Self::Wait(span) => write!(f, "{span} ms pass"),
            Self::ClockBack => f.write_str("the clock goes back once"),
            Self::Crash => f.write_str("the node dies at the next"),
        }
    }
}
