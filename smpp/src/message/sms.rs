use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;

use super::Party;
use crate::text::{Element, LongMessages};
use crate::tlv::{TlvValue, Tlvs};
use crate::types::{DataCoding, MessageClass, PriorityFlag, ProtocolId, RegisteredDelivery, ReplaceIfPresent};

/// A message to be sent: one text, however many PDUs it takes.
///
/// What is not said is the link's choice ([`Profile`](crate::profile::Profile)) or the specification's default. What
/// cannot be sent is found when it is [prepared](Self::prepare), which names the field.
///
/// ```
/// use smpp::message::{References, Sms};
/// use smpp::profile::Profile;
/// use smpp::types::RegisteredDelivery;
///
/// let sms = Sms::to("+491701234567").from("ACME").text("Gr\u{fc}\u{df}e \u{2013} Ihr Code: 4711 \u{1f44b}").receipt();
/// let prepared = sms.prepare(&Profile::default(), &mut References::new(0))?;
/// let [pdu] = &prepared.parts[..] else { panic!() };
/// assert_eq!((pdu.destination.addr.to_text(), pdu.source.ton.0), ("491701234567".into(), 5));
/// assert_eq!(pdu.registered_delivery, RegisteredDelivery::FINAL);
/// // The GSM alphabet has neither the dash nor the hand.
/// assert_eq!(prepared.not_default.unwrap().character, '\u{2013}');
/// # Ok::<(), smpp::message::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Sms {
    /// Whom it is for.
    pub destination: Party,
    /// Whom it is from. Nobody: the message centre puts a sender there.
    pub source: Party,
    /// What it says. The empty text.
    pub content: Content,
    /// How it is coded; see [`data_coding`](Self::data_coding). The smallest alphabet that carries the text.
    pub data_coding: Option<DataCoding>,
    /// Where it goes on the phone; see [`class`](Self::class). No class.
    pub class: Option<MessageClass>,
    /// Which receipts are asked for. None.
    pub registered_delivery: RegisteredDelivery,
    /// How long it is worth delivering. The message centre's default.
    pub validity: Option<Duration>,
    /// When it is to be delivered. At once.
    pub schedule: Option<OffsetDateTime>,
    /// service_type, at most 5 octets. Empty.
    pub service_type: String,
    /// protocol_id. 0.
    pub protocol_id: ProtocolId,
    /// priority_flag. 0.
    pub priority: PriorityFlag,
    /// replace_if_present_flag. Do not replace.
    pub replace_if_present: ReplaceIfPresent,
    /// How a text too long for one message is sent. The link's way.
    pub long_messages: Option<LongMessages>,
    /// Elements of the user data header of every part, beside those that the text makes; see
    /// [`element`](Self::element). None.
    pub header: Vec<Element>,
    /// TLVs of every part.
    pub tlvs: Tlvs,
    /// What becomes of a part whose link was lost before the answer. The client's choice.
    pub on_loss: Option<OnLoss>,
}

/// What a message says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Octets that are no text.
    Octets(Bytes),
}

/// The empty text.
impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// What becomes of a part that was sent and not answered when its link was lost: it may have been taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnLoss {
    /// It is reported as unanswered, and not sent again: nobody gets it twice.
    #[default]
    Report,
    /// It is sent again over another link: somebody may get it twice.
    Resubmit,
}

impl Sms {
    /// A message to somebody: a number, or an address with its kind.
    pub fn to(destination: impl Into<Party>) -> Self {
        Self { destination: destination.into(), ..Self::default() }
    }

    /// Whom it is from: a number, a short code, a name, or an address with its kind.
    pub fn from(mut self, source: impl Into<Party>) -> Self {
        self.source = source.into();
        self
    }

    /// The text.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content = Content::Text(text.into());
        self
    }

    /// Octets in place of a text: data_coding 4 if nothing else is said.
    pub fn octets(mut self, octets: impl Into<Bytes>) -> Self {
        self.content = Content::Octets(octets.into());
        self
    }

    /// How the content is coded, in place of the choice: a text that this does not carry cannot be sent.
    pub fn data_coding(mut self, data_coding: DataCoding) -> Self {
        self.data_coding = Some(data_coding);
        self
    }

    /// Where the message goes on the phone. data_coding then says the class beside the alphabet: 0xF0 to 0xF3 for the
    /// GSM alphabet, 0x18 to 0x1B for UCS-2, 0xF4 to 0xF7 for octets.
    pub fn class(mut self, class: MessageClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Displayed at once and not stored: class 0.
    pub fn flash(self) -> Self {
        self.class(MessageClass::FLASH)
    }

    /// Asks for a receipt of the final outcome.
    pub fn receipt(self) -> Self {
        self.registered_delivery(RegisteredDelivery::FINAL)
    }

    /// Which receipts are asked for.
    pub fn registered_delivery(mut self, registered_delivery: RegisteredDelivery) -> Self {
        self.registered_delivery = registered_delivery;
        self
    }

    /// How long it is worth delivering: less than 100 days, whole seconds.
    pub fn validity(mut self, validity: Duration) -> Self {
        self.validity = Some(validity);
        self
    }

    /// When it is to be delivered: from 2000 to 2099, to the tenth of a second.
    pub fn schedule(mut self, at: OffsetDateTime) -> Self {
        self.schedule = Some(at);
        self
    }

    /// service_type, at most 5 octets.
    pub fn service_type(mut self, service_type: impl Into<String>) -> Self {
        self.service_type = service_type.into();
        self
    }

    /// protocol_id.
    pub fn protocol_id(mut self, protocol_id: ProtocolId) -> Self {
        self.protocol_id = protocol_id;
        self
    }

    /// priority_flag.
    pub fn priority(mut self, priority: PriorityFlag) -> Self {
        self.priority = priority;
        self
    }

    /// replace_if_present_flag.
    pub fn replace_if_present(mut self, replace: ReplaceIfPresent) -> Self {
        self.replace_if_present = replace;
        self
    }

    /// How it is sent if it is too long for one message, in place of the link's way.
    pub fn long_messages(mut self, long_messages: LongMessages) -> Self {
        self.long_messages = Some(long_messages);
        self
    }

    /// Which application on the phone it is for, and which one it is from: port numbers, in the user data header. 2948
    /// and 9200 are those of a WAP push.
    ///
    /// ```
    /// use smpp::message::{References, Sms};
    /// use smpp::profile::Profile;
    ///
    /// let push = Sms::to("+491701234567").octets(&b"\x01\x06\x01\xae"[..]).ports(2948, 9200);
    /// let prepared = push.prepare(&Profile::default(), &mut References::new(0))?;
    /// assert_eq!(prepared.parts[0].short_message.as_ref(), b"\x06\x05\x04\x0b\x84\x23\xf0\x01\x06\x01\xae");
    /// assert!(prepared.parts[0].esm_class.has_udh());
    /// # Ok::<(), smpp::message::Invalid>(())
    /// ```
    pub fn ports(self, destination: u16, source: u16) -> Self {
        self.element(Element::Ports16 { destination, source })
    }

    /// Adds an element to the user data header of every part. It takes room from the text. What the text itself makes
    /// (its place among parts, national tables) cannot be given.
    ///
    /// A text too long for one message needs [`Udh8`](LongMessages::Udh8) or [`Udh16`](LongMessages::Udh16) then: with
    /// the other ways the message centre makes the headers. Ports can go with those as the TLVs
    /// [`DestPort`](crate::tlv::DestPort) and [`SourcePort`](crate::tlv::SourcePort).
    pub fn element(mut self, element: Element) -> Self {
        self.header.push(element);
        self
    }

    /// Adds a TLV to every part.
    pub fn tlv(mut self, value: &impl TlvValue) -> Self {
        self.tlvs.push(value);
        self
    }

    /// What becomes of a part that was sent and not answered when its link was lost, in place of the client's choice.
    ///
    /// ```
    /// use smpp::message::{OnLoss, Sms};
    ///
    /// // A code that comes twice does no harm; one that does not come locks somebody out.
    /// let code = Sms::to("+491701234567").text("Ihr Code: 4711").on_loss(OnLoss::Resubmit);
    /// // A premium message is charged each time.
    /// let premium = Sms::to("+491701234567").text("Your ringtone").on_loss(OnLoss::Report);
    /// # assert_ne!(code.on_loss, premium.on_loss);
    /// ```
    pub fn on_loss(mut self, on_loss: OnLoss) -> Self {
        self.on_loss = Some(on_loss);
        self
    }
}
