use std::time::Instant;

use bytes::Bytes;

use crate::pdu::{DataSm, DeliverSm, Frame, Pdu};
use crate::profile::{Profile, ReceiptProfile, UssdProfile};
use crate::receipt::Receipt;
use crate::text::{
    Abandoned, Body, Codings, Concatenation, LongMessage, Outcome, Part, Reassembler, ReassemblyLimits, UserDataHeader,
};
use crate::tlv::{DestPort, SourcePort, Tlvs};
use crate::types::{Address, COctetString, CommandStatus, DataCoding, EsmClass, MessageType, ShortMessage};

/// Makes what message centres deliver into messages and receipts. It reads no clock: `now` is an argument.
///
/// Long messages are put together. A part that is not the last is held and answered ESME_ROK at once: many message
/// centres do not send the next one before. The last part's answer is the whole message's: when the program has not
/// taken the message, [`give_back`](Self::give_back) lets the part that comes again complete it again.
///
/// ```
/// use std::time::Instant;
///
/// use smpp::message::{Inbound, Inbox};
/// use smpp::pdu::{DeliverSm, Frame};
/// use smpp::profile::Profile;
/// use smpp::types::{CommandStatus, EsmClass, SequenceNumber, ShortMessage};
///
/// # fn example(now: Instant) -> Result<(), Box<dyn std::error::Error>> {
/// let mut inbox = Inbox::new(&Profile::default(), Default::default());
/// let mut part = DeliverSm { source: "27831234567".parse()?, esm_class: EsmClass::UDHI, ..Default::default() };
/// part.short_message = ShortMessage::new(&b"\x05\x00\x03\x2a\x02\x01Hello "[..])?;
/// let first = Frame::request(SequenceNumber::MIN, part.clone());
/// assert_eq!(inbox.take(&first, 1, now).unwrap().inbound.status(), Some(CommandStatus::ROK));
/// part.short_message = ShortMessage::new(&b"\x05\x00\x03\x2a\x02\x02world"[..])?;
/// let last = Frame::request(SequenceNumber::MIN.next(), part);
/// let Inbound::Message(message) = inbox.take(&last, 1, now).unwrap().inbound else { panic!() };
/// assert_eq!(message.text.as_deref(), Some("Hello world"));
/// # Ok(())
/// # }
/// # #[expect(clippy::disallowed_methods)]
/// # example(Instant::now()).unwrap();
/// ```
#[derive(Debug)]
pub struct Inbox {
    codings: Codings,
    receipts: ReceiptProfile,
    ussd: UssdProfile,
    parts: Reassembler<()>,
}

/// What came of a deliver_sm or data_sm.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    /// Of the PDU itself.
    pub inbound: Inbound,
    /// Long messages that had to go unfinished. Their parts were answered ESME_ROK.
    pub abandoned: Vec<Abandoned<()>>,
}

/// What a deliver_sm or data_sm was.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Inbound {
    /// A receipt. To be answered once it is stored.
    Receipt(Box<Receipt>),
    /// A message, whole. To be answered once the program has taken it.
    Message(Box<InboundMessage>),
    /// A turn of a USSD dialogue, as it came. To be answered once the program has taken it.
    Ussd(Box<DeliverSm>),
    /// A part of a long message, which is held until the others come, or was held already.
    Part,
    /// A part of a long message that cannot be held.
    Unusable(Unusable),
}

/// Why a part cannot be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unusable {
    /// It alone exceeds the limits.
    TooLarge,
}

/// A message that was delivered, whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InboundMessage {
    /// Whom it is from.
    pub source: Address<65>,
    /// Whom it is for.
    pub destination: Address<65>,
    /// What it says; none for octets that are no text.
    pub text: Option<String>,
    /// Whether some of the text could not be read. [`octets`](Self::octets) are then worth keeping.
    pub lossy: bool,
    /// The user data without its headers.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub octets: Bytes,
    /// How it is coded; of a long message, its first part.
    pub data_coding: DataCoding,
    /// service_type of the last part that came.
    pub service_type: COctetString<6>,
    /// esm_class of the last part that came.
    pub esm_class: EsmClass,
    /// The applications that it is for and from: by the user data header, or by the TLVs dest_port and source_port, of
    /// the last part that came.
    pub ports: Option<Ports>,
    /// The user data header of the last part that came.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub header: Option<UserDataHeader>,
    /// TLVs of the last part that came, message_payload among them.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub tlvs: Tlvs,
    /// Of how many parts it was made.
    pub parts: u8,
    /// Its parts and the number of the one that came last, if it had more than one.
    #[cfg_attr(feature = "serde", serde(skip))]
    long: Option<(LongMessage<()>, u8)>,
}

/// Port numbers of the applications at both ends, such as 2948 and 9200 for a WAP push.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Ports {
    /// Whom the message is for.
    pub destination: u16,
    /// Whom it is from; 0 if only the other is said.
    pub source: u16,
}

impl Inbound {
    /// What to answer at once; none where that is the program's to say.
    pub fn status(&self) -> Option<CommandStatus> {
        match self {
            Self::Receipt(_) | Self::Message(_) | Self::Ussd(_) => None,
            Self::Part => Some(CommandStatus::ROK),
            Self::Unusable(_) => Some(CommandStatus::RX_P_APPN),
        }
    }
}

impl InboundMessage {
    /// Whether it answers an earlier message by hand or by device (esm_class: SME acknowledgement), and is no ordinary
    /// message.
    pub fn is_acknowledgement(&self) -> bool {
        let message_type = self.esm_class.message_type();
        matches!(message_type, MessageType::DeliveryAcknowledgement | MessageType::UserAcknowledgement)
    }
}

impl Inbox {
    /// An inbox that holds nothing yet.
    pub fn new(profile: &Profile, limits: ReassemblyLimits) -> Self {
        Self {
            codings: profile.text.codings(),
            receipts: profile.receipts.clone(),
            ussd: profile.ussd.clone(),
            parts: Reassembler::new(limits),
        }
    }

    /// Takes a PDU that came on a link; none if it is neither deliver_sm nor data_sm. Links that share a number share
    /// long messages: those of one account do.
    pub fn take(&mut self, frame: &Frame, link: u64, now: Instant) -> Option<Taken> {
        let delivered = match &frame.pdu {
            Pdu::DeliverSm(pdu) if self.ussd.is_ussd(pdu) => {
                let mut pdu = pdu.clone();
                (pdu.short_message, pdu.tlvs) = (pdu.short_message.detach(), pdu.tlvs.detach());
                return Some(Taken { inbound: Inbound::Ussd(Box::new(pdu)), abandoned: self.parts.expire(now) });
            }
            Pdu::DeliverSm(pdu) => Delivered::from(pdu),
            Pdu::DataSm(pdu) => Delivered::from(pdu),
            _ => return None,
        };
        if let Some(receipt) = Receipt::from_frame(frame).or_else(|| self.unmarked(&delivered)) {
            let raw = Bytes::copy_from_slice(&receipt.raw);
            let inbound = Inbound::Receipt(Box::new(Receipt { raw, ..receipt }));
            return Some(Taken { inbound, abandoned: self.parts.expire(now) });
        }
        let (source, destination) = (delivered.source.addr.clone(), delivered.destination.addr.clone());
        let part = Part::of(&delivered.body, link, source.as_slice(), destination.as_slice(), ());
        let Some(part) = part.filter(|part| part.concatenation.total > 1) else {
            let message = delivered.whole(&self.codings);
            return Some(Taken { inbound: Inbound::Message(message), abandoned: self.parts.expire(now) });
        };
        let inserted = self.parts.insert(part, now);
        let inbound = match inserted.outcome {
            Outcome::Stored | Outcome::Duplicate(()) => Inbound::Part,
            Outcome::Refused(()) => Inbound::Unusable(Unusable::TooLarge),
            Outcome::Complete(long) => Inbound::Message(delivered.last_of(long, &self.codings)),
        };
        Some(Taken { inbound, abandoned: inserted.abandoned })
    }

    /// Puts back the parts of a message that the program did not take, and whose last part is refused so that it comes
    /// again and completes it. What must go for that is handed back.
    pub fn give_back(&mut self, message: InboundMessage, now: Instant) -> Vec<Abandoned<()>> {
        let Some((long, last)) = message.long else { return Vec::new() };
        let mut abandoned = Vec::new();
        for part in long.parts.iter().filter(|part| part.number != last) {
            let concatenation =
                Concatenation { kind: long.kind, reference: long.reference, total: long.total, part: part.number };
            let part = Part {
                link: long.link,
                source: &long.source,
                destination: &long.destination,
                concatenation,
                data_coding: part.data_coding,
                tables: part.tables,
                header_length: part.header_length,
                text: &part.text,
                tag: (),
            };
            abandoned.extend(self.parts.insert(part, now).abandoned);
        }
        abandoned
    }

    /// Hands back long messages that have become too old.
    pub fn expire(&mut self, now: Instant) -> Vec<Abandoned<()>> {
        self.parts.expire(now)
    }

    /// When to call [`expire`](Self::expire).
    pub fn next_timeout(&self) -> Option<Instant> {
        self.parts.next_timeout()
    }

    fn unmarked(&self, delivered: &Delivered) -> Option<Receipt> {
        if !self.receipts.unmarked || delivered.body.concatenation.is_some() {
            return None;
        }
        let receipt = Receipt::from_text(&delivered.body.text);
        (receipt.id.is_some() && receipt.stat.is_some()).then_some(receipt)
    }
}

/// What deliver_sm and data_sm have in common. Nothing in it keeps the read buffer alive.
struct Delivered {
    source: Address<65>,
    destination: Address<65>,
    service_type: COctetString<6>,
    esm_class: EsmClass,
    tlvs: Tlvs,
    body: Body,
}

impl From<&DeliverSm> for Delivered {
    fn from(pdu: &DeliverSm) -> Self {
        let tlvs = pdu.tlvs.detach();
        Self {
            source: widened(&pdu.source),
            destination: widened(&pdu.destination),
            service_type: pdu.service_type.clone(),
            esm_class: pdu.esm_class,
            body: Body::new(pdu.esm_class, pdu.data_coding, &pdu.short_message.detach(), &tlvs),
            tlvs,
        }
    }
}

impl From<&DataSm> for Delivered {
    fn from(pdu: &DataSm) -> Self {
        let tlvs = pdu.tlvs.detach();
        Self {
            source: pdu.source.clone(),
            destination: pdu.destination.clone(),
            service_type: pdu.service_type.clone(),
            esm_class: pdu.esm_class,
            body: Body::new(pdu.esm_class, pdu.data_coding, &ShortMessage::default(), &tlvs),
            tlvs,
        }
    }
}

impl Delivered {
    fn whole(self, codings: &Codings) -> Box<InboundMessage> {
        let decoded = self.body.decode(codings).map(|decoded| (decoded.text.into_owned(), decoded.lossy));
        let (octets, data_coding) = (self.body.text.clone(), self.body.data_coding);
        self.message(decoded, octets, data_coding, 1, None)
    }

    fn last_of(self, long: LongMessage<()>, codings: &Codings) -> Box<InboundMessage> {
        let decoded = long.decode(codings).map(|decoded| (decoded.text.into_owned(), decoded.lossy));
        let data_coding = long.parts.first().map_or(self.body.data_coding, |part| part.data_coding);
        let (octets, parts) = (long.octets().into(), long.total);
        let last = self.body.concatenation.map_or(parts, |part| part.part);
        self.message(decoded, octets, data_coding, parts, Some((long, last)))
    }

    fn message(
        self,
        decoded: Option<(String, bool)>,
        octets: Bytes,
        data_coding: DataCoding,
        parts: u8,
        long: Option<(LongMessage<()>, u8)>,
    ) -> Box<InboundMessage> {
        let lossy = decoded.as_ref().is_some_and(|(_, lossy)| *lossy);
        let ports = self.ports();
        Box::new(InboundMessage {
            source: self.source,
            destination: self.destination,
            text: decoded.map(|(text, _)| text),
            lossy,
            octets,
            data_coding,
            service_type: self.service_type,
            esm_class: self.esm_class,
            ports,
            header: self.body.header,
            tlvs: self.tlvs,
            parts,
            long,
        })
    }

    fn ports(&self) -> Option<Ports> {
        if let Some((destination, source)) = self.body.header.as_ref().and_then(UserDataHeader::ports) {
            return Some(Ports { destination, source });
        }
        let DestPort(destination) = self.tlvs.get()?;
        Some(Ports { destination, source: self.tlvs.get().map_or(0, |SourcePort(source)| source) })
    }
}

/// An over-long one stays as it is.
fn widened(address: &Address<21>) -> Address<65> {
    let addr = COctetString::over_long(address.addr.as_slice()).unwrap_or_default();
    Address { ton: address.ton, npi: address.npi, addr }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::ReceiptedMessageId;
    use crate::types::{MessageState, SequenceNumber, UssdServiceOp};

    fn now() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
        Instant::now()
    }

    fn deliver(esm_class: EsmClass, text: &'static [u8]) -> DeliverSm {
        let short_message = ShortMessage::new(text).unwrap();
        DeliverSm { source: "27831234567".parse().unwrap(), esm_class, short_message, ..DeliverSm::default() }
    }

    fn part(text: &'static [u8]) -> DeliverSm {
        deliver(EsmClass::UDHI, text)
    }

    fn take(inbox: &mut Inbox, pdu: impl Into<Pdu>) -> Inbound {
        let taken = inbox.take(&Frame::request(SequenceNumber::MIN, pdu), 1, now()).unwrap();
        assert_eq!(taken.abandoned, []);
        taken.inbound
    }

    fn text(inbound: Inbound) -> Option<String> {
        let Inbound::Message(message) = inbound else { panic!("{inbound:?}") };
        message.text
    }

    #[test]
    fn ports_are_shown_wherever_they_stand() {
        let mut inbox = inbox(&Profile::default());
        let mut ports = |pdu: DeliverSm| {
            let Inbound::Message(message) = take(&mut inbox, pdu) else { return None };
            message.ports.map(|ports| (ports.destination, ports.source))
        };
        assert_eq!(ports(deliver(EsmClass::UDHI, b"\x06\x05\x04\x0b\x84\x23\xf0a")), Some((2948, 9200)));
        assert_eq!(ports(deliver(EsmClass::UDHI, b"\x04\x04\x02\xf0\xf1a")), Some((240, 241)));
        assert_eq!(ports(deliver(EsmClass::NORMAL, b"\x06\x05\x04\x0b\x84\x23\xf0a")), None);
        let of_long = |octets| deliver(EsmClass::UDHI, octets);
        assert_eq!(ports(of_long(b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01a")), None);
        assert_eq!(ports(of_long(b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x02b")), Some((2948, 9200)));
        let by_tlvs = Tlvs::new().with(&DestPort(2948));
        assert_eq!(ports(DeliverSm { tlvs: by_tlvs.clone(), ..deliver(EsmClass::NORMAL, b"a") }), Some((2948, 0)));
        let both = by_tlvs.with(&SourcePort(7));
        assert_eq!(ports(DeliverSm { tlvs: both, ..deliver(EsmClass::NORMAL, b"a") }), Some((2948, 7)));
    }

    fn inbox(profile: &Profile) -> Inbox {
        Inbox::new(profile, ReassemblyLimits::default())
    }

    #[test]
    fn receipts_come_in_both_operations() {
        let mut inbox = inbox(&Profile::default());
        let Inbound::Receipt(receipt) = take(&mut inbox, deliver(EsmClass::DELIVERY_RECEIPT, b"id:7 stat:DELIVRD"))
        else {
            panic!()
        };
        assert_eq!((receipt.id.as_deref(), receipt.state), (Some("7"), Some(MessageState::DELIVERED)));
        let tlvs = Tlvs::new().with(&ReceiptedMessageId("8".parse().unwrap())).with(&MessageState::EXPIRED);
        let Inbound::Receipt(receipt) = take(&mut inbox, DataSm { tlvs, ..DataSm::default() }) else { panic!() };
        assert_eq!((receipt.id.as_deref(), receipt.state), (Some("8"), Some(MessageState::EXPIRED)));
        assert_eq!(
            inbox.take(&Frame::request(SequenceNumber::MIN, crate::pdu::EnquireLink::default()), 1, now()),
            None
        );
    }

    #[test]
    fn a_text_like_a_receipt_is_a_message_unless_the_link_says_otherwise() {
        let forged = || deliver(EsmClass::NORMAL, b"id:7 stat:DELIVRD");
        assert_eq!(text(take(&mut inbox(&Profile::default()), forged())).as_deref(), Some("id:7 stat:DELIVRD"));
        let profile = Profile::default().receipts(ReceiptProfile::default().unmarked(true));
        let mut inbox = inbox(&profile);
        assert!(matches!(take(&mut inbox, forged()), Inbound::Receipt(_)));
        assert_eq!(text(take(&mut inbox, deliver(EsmClass::NORMAL, b"id:7"))).as_deref(), Some("id:7"));
    }

    #[test]
    fn parts_are_answered_as_they_come_and_the_whole_when_it_is_taken() {
        let mut inbox = inbox(&Profile::default());
        let [first, last] = [part(b"\x05\x00\x03\x2a\x02\x01one "), part(b"\x05\x00\x03\x2a\x02\x02two")];
        for _ in 0..2 {
            let held = take(&mut inbox, first.clone());
            assert_eq!((held.status(), held), (Some(CommandStatus::ROK), Inbound::Part));
        }
        let whole = take(&mut inbox, last.clone());
        assert_eq!(whole.status(), None);
        let Inbound::Message(message) = whole else { panic!() };
        assert_eq!(
            (message.text.as_deref(), message.parts, &message.octets[..]),
            (Some("one two"), 2, &b"one two"[..])
        );
        // It was not taken, and the last part alone comes again.
        assert_eq!(inbox.give_back(*message, now()), []);
        assert_eq!(text(take(&mut inbox, last)).as_deref(), Some("one two"));
        assert_eq!((inbox.next_timeout(), inbox.expire(now())), (None, vec![]));
    }

    #[test]
    fn ussd_stays_as_it_came() {
        let mut pdu = part(b"\x05\x00\x03\x2a\x02\x01one ");
        pdu.tlvs = Tlvs::new().with(&UssdServiceOp::PSSR_INDICATION);
        assert_eq!(take(&mut inbox(&Profile::default()), pdu.clone()), Inbound::Ussd(Box::new(pdu)));
    }

    #[test]
    fn what_cannot_be_held_is_refused_for_good() {
        let mut inbox = Inbox::new(&Profile::default(), ReassemblyLimits::default().with_octets(0));
        let refused = take(&mut inbox, part(b"\x05\x00\x03\x2a\x02\x01one "));
        assert_eq!(refused.status(), Some(CommandStatus::RX_P_APPN));
        // A message that is a part of one needs no room.
        assert_eq!(text(take(&mut inbox, part(b"\x05\x00\x03\x2a\x01\x01one"))).as_deref(), Some("one"));
    }

    #[test]
    fn octets_are_no_text() {
        let mut pdu = deliver(EsmClass::NORMAL, b"\x01\x02");
        pdu.data_coding = DataCoding::BINARY;
        let Inbound::Message(message) = take(&mut inbox(&Profile::default()), pdu) else { panic!() };
        assert_eq!((message.text, &message.octets[..], message.lossy), (None, &b"\x01\x02"[..], false));
    }
}
