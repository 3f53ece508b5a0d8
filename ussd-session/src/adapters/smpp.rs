//! SMPP: messages of a message centre to events, frames to submissions. We are the ESME.
//!
//! | ussd_service_op | from the message centre | to the message centre |
//! |---|---|---|
//! | 0 PSSD indication | [`Event::Begin`], phase 1 | |
//! | 1 PSSR indication | [`Event::Begin`] | |
//! | 2 USSR request | | [`FrameKind::Prompt`], [`FrameKind::AskPush`] |
//! | 3 USSN request | | [`FrameKind::TellPush`] |
//! | 16 PSSD response | | [`FrameKind::Final`], phase 1 |
//! | 17 PSSR response | | [`FrameKind::Final`] |
//! | 18 USSR confirm | [`Event::Answer`] | |
//! | 19 USSN confirm | [`Event::NotifyOk`] | |
//! | any, with the end bit of its_session_info | [`Event::UserEnd`] | [`FrameKind::Final`] |
//!
//! So says the specification (section 5.3.2.44 of 3.4), and vendors differ: a [`Profile`] holds what a link means.
//!
//! A host answers a deliver_sm at once, before the application is called, with [`status`]: a message centre that waits
//! sends again. What a response to a submission means says [`sent`].
//!
//! ```
//! use smpp::{pdu::DeliverSm, tlv::Tlvs, types::{ItsSessionInfo, ShortMessage, UssdServiceOp}};
//! use ussd_session::{Action, Config, Effect, Engine, Event, LinkId, Millis};
//! use ussd_session::adapters::smpp::{self as ussd, Profile};
//!
//! let profile = Profile::generic();
//! let dialled = DeliverSm {
//!     source: "27831234567".parse()?,
//!     short_message: ShortMessage::new("*120*8864#")?,
//!     tlvs: Tlvs::new().with(&UssdServiceOp::PSSR_INDICATION).with(&ItsSessionInfo::new(0x12, 0x1A, false)),
//!     ..Default::default()
//! };
//! let event = ussd::event(&dialled, &profile)?.expect("it is USSD");
//! assert!(matches!(event.as_event(), Event::Begin { dialled: "*120*8864#", .. }));
//!
//! let mut engine = Engine::new(Config::default());
//! engine.handle(LinkId(0), event.as_event(), Millis(1_790_000_000_000), |effect: Effect<'_>| {
//!     if let Action::Send(frame) = &effect.action {
//!         let submission = ussd::request(frame, &(&effect).into(), &profile);
//!         # let _ = submission;
//!     }
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod profile;
mod text;

use bytes::Bytes;
use smpp::{
    pdu::{DeliverSm, SubmitSm},
    text::Unencodable,
    tlv::{Tag, Tlvs},
    types::{Address, COctetString, CommandStatus, ItsSessionInfo, ShortMessage, UssdServiceOp},
};

pub use self::profile::{CodeField, Mark, Profile, Scheme, TextCoding, Unknown};
use crate::{
    action::{Frame, FrameKind},
    engine::Effect,
    event::{Event, Phase, SendWhy},
    ids::{DedupKey, NetId, NetIdTooLong, TurnToken},
    owned::OwnedEvent,
    subscriber::{Subscriber, SubscriberError},
    text::Text,
};

/// Why a message or a frame has no place on the other side.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of the phone is none, or is national.
    #[error("source_addr: {0}")]
    Msisdn(#[from] SubscriberError),
    /// An operation that the profile does not list.
    #[error("ussd_service_op: {0:?} is not in the profile")]
    Op(UssdServiceOp),
    /// A USSD message that does not say what it is.
    #[error("ussd_service_op: missing")]
    NoOp,
    /// The session id is too long.
    #[error("session id: {0}")]
    SessionId(#[from] NetIdTooLong),
    /// The text has a character that the message centre does not take.
    #[error("short_message: {0}")]
    Unencodable(#[from] Unencodable),
    /// The text does not fit on a screen. USSD is never cut into parts.
    #[error("short_message: {octets} octets on the air, at most {max} are possible")]
    TooLong {
        /// How many it would take.
        octets: usize,
        /// How many there are.
        max: usize,
    },
    /// The profile has no operation for this.
    #[error("{0:?} is not in the profile")]
    Unsupported(FrameKind),
}

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Route<'a> {
    /// The phone.
    pub to: Subscriber,
    /// The code that it dialled; empty for a push.
    pub dialled: &'a str,
    /// What the phone can do.
    pub phase: Phase,
}

/// The phase is not known of an effect: a message centre with phones of phase 1 needs it set.
impl<'a> From<&Effect<'a>> for Route<'a> {
    fn from(effect: &Effect<'a>) -> Self {
        Self { to: effect.subscriber, dialled: effect.dialled, phase: Phase::Unknown }
    }
}

/// What a message from the message centre means; none if it is not about USSD: an SMS or a receipt.
///
/// # Errors
/// A number, operation or session id that cannot be; [`status`] is the answer to the message centre.
pub fn event(message: &DeliverSm, profile: &Profile) -> Result<Option<OwnedEvent>, Error> {
    let op = message.tlvs.get::<UssdServiceOp>();
    let marked = profile.marks().any(|mark| *mark == Mark::ServiceType(message.service_type.clone()));
    let is_ussd = op.is_some() || marked || profile.service_types.contains(&message.service_type);
    if !is_ussd || message.esm_class.is_receipt() {
        return Ok(None);
    }
    let number = message.source.addr.to_text();
    let from = match &profile.country_code {
        Some(code) => Subscriber::parse_national(&number, code)?,
        None => number.parse()?,
    };
    let its = message.tlvs.get_raw(Tag::ITS_SESSION_INFO).unwrap_or_default();
    let over = profile.end_bit && its.last().is_some_and(|octet| octet & 1 == 1);
    let (net, dedup) = session_id(&message.tlvs, profile)?;
    let typed = text::read(&message.body(), &profile.text);
    let text = Text::public(&typed);
    let is = |marks: &[Mark]| {
        marks.iter().any(|mark| match mark {
            Mark::Op(number) => op == Some(*number),
            Mark::ServiceType(service_type) => message.service_type == *service_type,
        })
    };
    let begin = |phase| {
        let address = message.destination.addr.to_text();
        let (first, second) = match profile.code {
            CodeField::ShortMessage => (&*typed, &*address),
            CodeField::DestinationAddr => (&*address, &*typed),
        };
        let dialled = if first.is_empty() { second } else { first };
        Event::Begin { from, dialled, net: net.clone(), phase, dedup: None }.into()
    };
    Ok(Some(match op {
        _ if over || is(&profile.end) => Event::UserEnd { from, net, text: Some(text) }.into(),
        _ if is(&profile.timeout) => Event::NetTimeout { from, net, text: Some(text) }.into(),
        _ if is(&profile.begin) => begin(Phase::Two),
        _ if is(&profile.begin_phase_1) => begin(Phase::One),
        _ if is(&profile.notified) => Event::NotifyOk { from, net }.into(),
        _ if is(&profile.answer) || profile.unknown == Unknown::Answer => {
            Event::Answer { from, text, net, dedup }.into()
        }
        Some(op) => return Err(Error::Op(op)),
        None => return Err(Error::NoOp),
    }))
}

/// The answer to a deliver_sm, by what [`event`] made of it. An SMS is for who handles those to answer.
#[must_use]
pub fn status(outcome: &Result<Option<OwnedEvent>, Error>) -> CommandStatus {
    match outcome {
        Ok(_) => CommandStatus::ROK,
        Err(Error::Msisdn(_)) => CommandStatus::RINVSRCADR,
        Err(Error::NoOp) => CommandStatus::RMISSINGTLV,
        Err(Error::SessionId(_)) => CommandStatus::RINVTLVLEN,
        Err(_) => CommandStatus::RINVTLVVAL,
    }
}

/// The submission for a frame.
///
/// # Errors
/// The text does not fit or cannot be written, or the profile has no such operation: the host answers with
/// [`Event::SendFailed`].
pub fn request(frame: &Frame<'_>, route: &Route<'_>, profile: &Profile) -> Result<SubmitSm, Error> {
    let mark = match (frame.kind, route.phase) {
        (FrameKind::Prompt, _) => Some(&profile.prompt),
        (FrameKind::Final, Phase::One) => Some(&profile.final_phase_1),
        (FrameKind::Final, _) => Some(&profile.final_text),
        (FrameKind::AskPush, _) => Some(&profile.ask),
        (FrameKind::TellPush, _) => Some(&profile.tell),
        (FrameKind::Abort, _) => profile.abort.as_ref(),
        (FrameKind::Redirect, _) => profile.redirect.as_ref(),
    };
    let mut tlvs = Tlvs::new();
    let service_type = match mark.ok_or(Error::Unsupported(frame.kind))? {
        Mark::Op(op) => {
            tlvs.push(op);
            profile.service_type.clone()
        }
        Mark::ServiceType(service_type) => service_type.clone(),
    };
    push_session_id(&mut tlvs, frame, profile)?;
    let (data_coding, octets) = text::write(frame.text.as_str(), &profile.text)?;
    let octets = Bytes::from(octets);
    let max = ShortMessage::MAX_LENGTH_34;
    let too_long = Error::TooLong { octets: octets.len(), max };
    let short_message = ShortMessage::new(octets).ok().filter(|text| text.len() <= max).ok_or(too_long)?;
    let code = || COctetString::new(route.dialled.as_bytes()).unwrap_or_default();
    let source = profile.source.clone().unwrap_or_else(code);
    let phone = COctetString::new(route.to.digits().as_str().as_bytes()).unwrap_or_default();
    Ok(SubmitSm {
        service_type,
        source: Address { ton: profile.code_ton, npi: profile.code_npi, addr: source },
        destination: Address { ton: profile.phone_ton, npi: profile.phone_npi, addr: phone },
        data_coding,
        short_message,
        tlvs,
        ..SubmitSm::default()
    })
}

/// What the response to a submission means for its frame. None if the message centre asks for less: the same frame is to
/// be sent again a little later, while its turn is the current one, and nothing has changed till then.
#[must_use]
pub fn sent(status: CommandStatus, to: Subscriber, token: TurnToken) -> Option<Event<'static>> {
    match status {
        CommandStatus::ROK => Some(Event::SendOk { to, token }),
        _ if status.is_throttling() => None,
        _ => Some(Event::SendFailed { to, token, why: SendWhy::Refused(status.0) }),
    }
}

impl Profile {
    /// What messages from the message centre are told apart by.
    fn marks(&self) -> impl Iterator<Item = &Mark> {
        let lists = [&self.begin, &self.begin_phase_1, &self.answer, &self.notified, &self.end, &self.timeout];
        lists.into_iter().flatten()
    }

    /// True if the lowest bit of the session id is none of its bits.
    fn id_has_end_bit(&self) -> bool {
        self.end_bit && self.session_tag == Some(Tag::ITS_SESSION_INFO)
    }
}

/// The id of a session without its end bit, and the key of an answer.
fn session_id(tlvs: &Tlvs, profile: &Profile) -> Result<(NetId, Option<DedupKey>), Error> {
    let octets = profile.session_tag.and_then(|tag| tlvs.get_raw(tag)).unwrap_or_default();
    if let ([session, turn], true) = (octets, profile.turn_in_id) {
        return Ok((NetId::new(&[*session])?, Some(DedupKey::of(&[*session, turn & !1]))));
    }
    match octets.split_last() {
        Some((last, first)) if profile.id_has_end_bit() => {
            let mut id = first.to_vec();
            id.push(last & !1);
            Ok((NetId::new(&id)?, None))
        }
        _ => Ok((NetId::new(octets)?, None)),
    }
}

/// Echoes the id of a session, with the turn and the end bit where the profile wants them.
fn push_session_id(tlvs: &mut Tlvs, frame: &Frame<'_>, profile: &Profile) -> Result<(), Error> {
    let Some(tag) = profile.session_tag else { return Ok(()) };
    let mut id = match (frame.net.as_bytes(), profile.absent_id) {
        ([], None) => return Ok(()),
        ([], Some(absent)) => absent.to_be_bytes().to_vec(),
        ([session], _) if profile.turn_in_id => {
            let [turn, _] = frame.token.map_or(0, |token| token.turn).to_le_bytes();
            ItsSessionInfo::new(*session, turn, false).to_octets().to_vec()
        }
        (octets, _) => octets.to_vec(),
    };
    let ends = matches!(frame.kind, FrameKind::Final | FrameKind::Abort);
    if ends
        && profile.final_sets_end_bit
        && profile.id_has_end_bit()
        && let Some(last) = id.last_mut()
    {
        *last |= 1;
    }
    // At most 64 octets, which every TLV takes.
    tlvs.push_raw(tag, &id).map_err(|_| NetIdTooLong { len: id.len() })?;
    Ok(())
}
