//! SMS and receipts to and from Vumi's messages, as Vumi's SMPP transport has them. Pure functions; USSD dialogues are
//! the business of the crate `ussd-session`.
//!
//! Where it differs from Vumi, on purpose:
//!
//! * data_coding 0 is what the [profile](crate::profile::TextProfile) says; Vumi refuses such messages unless it is told
//!   otherwise. Octets that are no text have a null `content` and stand under `smpp` in `helper_metadata`; Vumi refuses
//!   them, and empty messages, which are messages here.
//! * Texts go out in the smallest alphabet that carries them, cut between characters; Vumi cuts UTF-8 after 130 octets.
//!   Parts with a reference of two octets are read by their real header, 06 08 04, and parts that stay alone do not stay
//!   for ever.
//! * Types of numbers are inferred; Vumi says 0/1 for every recipient and 0/0 for every sender.
//! * `UNDELIV` is failed, and so is whatever else means that a message will not arrive; Vumi takes words that it does not
//!   know for pending for ever. `ACCEPTD`, and `ACCEPTED`, is pending: a receipt follows; Vumi calls `ACCEPTED` delivered.
//! * Every receipt becomes a report, the ones after the first too; vumi2 loses them.
//! * A message that was sent and not answered gives no event: it is not known to have failed. If its answer comes late
//!   after all, the client tells that by the message's key, and it gets its ack then.
//! * A password is never cut.
//!
//! As in Vumi, addresses stand as on the wire (no `+`), a long message has one ack, whose `sent_message_id` is the sorted
//! identifiers of its parts joined with commas, the reason of a nack is the name of the status, and a report says the
//! word of the state under `smpp_delivery_status` in its `transport_metadata`.
//!
//! ```
//! use smpp::receipt::Receipt;
//! use smpp::vumi::Adapter;
//! use vumi_message::{Stamp, UserMessage};
//!
//! let adapter = Adapter::default().transport_name(Some("smsc".to_owned()));
//! let message = UserMessage {
//!     message_id: "m1".to_owned(),
//!     to_addr: Some("27831112222".to_owned()),
//!     content: Some("Welcome".to_owned()),
//!     ..UserMessage::default()
//! };
//! let sms = adapter.sms(&message)?;
//! assert_eq!(sms.destination, "27831112222".into());
//! let ack = adapter.ack(&message.message_id, &["a2".to_owned(), "a1".to_owned()], Stamp::now());
//! assert_eq!(ack.status(), "ack");
//! let report = adapter.delivery_report(Some("m1"), &Receipt::from_text(b"id:a1 stat:UNDELIV"), Stamp::now());
//! assert_eq!(report.status(), "delivery_report.failed");
//! # Ok::<(), smpp::vumi::Unsendable>(())
//! ```

use serde_json::{Map, Value, json};
use thiserror::Error;
use vumi_message::{AddressType, DeliveryStatus, Event, EventType, Metadata, Stamp, TransportType, UserMessage};

use crate::correlation::MessageReport;
use crate::message::{InboundMessage, Sms};
use crate::receipt::{Outcome, Receipt, StateMap};
use crate::session::config;
use crate::types::{CommandStatus, DataCoding, MessageState, RegisteredDelivery, Ton};

config! {
    /// What an adapter has to know beside the messages.
    Adapter {
        /// The `transport_name` of every message and event. Null.
        transport_name: Option<String> = None,
        /// The `provider` of every message. Null.
        provider: Option<String> = None,
        /// Which receipts are asked for. One for the final outcome, as Vumi does.
        registered_delivery: RegisteredDelivery = RegisteredDelivery::FINAL,
        /// Words of states, and what they mean, beside the usual. `0` is delivered, as Vumi has it.
        states: StateMap = StateMap::default().with_word("0", MessageState::DELIVERED),
    }
}

/// Why a message cannot be sent as an SMS.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Unsendable {
    /// It has no `to_addr`.
    #[error("the message has no to_addr")]
    NoRecipient,
    /// An address has characters that no address of SMPP has. Vumi refuses it by the same words.
    #[error("Invalid {name}: {address:?}")]
    NotAscii {
        /// `to_addr` or `from_addr`.
        name: &'static str,
        /// What stands there.
        address: String,
    },
    /// It belongs to a USSD session.
    #[error("the message is USSD, not an SMS")]
    Ussd,
    /// Something under `smpp` is not what [`Adapter::message`] makes.
    #[error("{name} under smpp in helper_metadata is {expected}")]
    Metadata {
        /// Its key.
        name: &'static str,
        /// What is wrong with it.
        expected: &'static str,
    },
}

impl Adapter {
    /// The message of a phone. Octets that are no text stand in hexadecimal as `hex` under `smpp` in `helper_metadata`,
    /// with their `data_coding`.
    pub fn message(&self, inbound: &InboundMessage, stamp: Stamp) -> UserMessage {
        let from_addr_type = (inbound.source.ton == Ton::INTERNATIONAL).then_some(AddressType::Msisdn);
        let helper_metadata = match inbound.text {
            Some(_) => Metadata::new(),
            None => under_smpp(json!({ "data_coding": inbound.data_coding.0, "hex": hex(&inbound.octets) })),
        };
        UserMessage {
            message_id: stamp.id,
            timestamp: stamp.timestamp,
            to_addr: Some(inbound.destination.addr.to_text().into_owned()),
            from_addr: Some(inbound.source.addr.to_text().into_owned()),
            from_addr_type,
            content: inbound.text.clone(),
            provider: self.provider.clone(),
            transport_name: self.transport_name.clone(),
            transport_type: Some(TransportType::Sms),
            helper_metadata,
            ..UserMessage::default()
        }
    }

    /// The SMS that sends a message: the octets of `hex` under `smpp` if they are there, else its text, null being empty.
    /// Sent under the message's id as its key
    #[cfg_attr(feature = "tokio", doc = "([`Client::send_as`](crate::client::Client::send_as)),")]
    #[cfg_attr(not(feature = "tokio"), doc = "(`Client::send_as`),")]
    /// the message is known by it in all events.
    ///
    /// # Errors
    ///
    /// Says why it cannot be sent; a nack would say the same.
    pub fn sms(&self, message: &UserMessage) -> Result<Sms, Unsendable> {
        if message.transport_type == Some(TransportType::Ussd) {
            return Err(Unsendable::Ussd);
        }
        let to_addr = message.to_addr.as_deref().filter(|to_addr| !to_addr.is_empty());
        for (name, address) in [("to_addr", to_addr), ("from_addr", message.from_addr.as_deref())] {
            if let Some(address) = address.filter(|address| !address.is_ascii()) {
                return Err(Unsendable::NotAscii { name, address: address.to_owned() });
            }
        }
        let mut sms = Sms::to(to_addr.ok_or(Unsendable::NoRecipient)?).registered_delivery(self.registered_delivery);
        if let Some(from_addr) = message.from_addr.as_deref() {
            sms = sms.from(from_addr);
        }
        let notes = message.helper_metadata.get("smpp");
        let note = |name: &str| notes.and_then(|notes| notes.get(name)).filter(|note| !note.is_null());
        if let Some(data_coding) = note("data_coding") {
            let wrong = Unsendable::Metadata { name: "data_coding", expected: "no number from 0 to 255" };
            let octet = data_coding.as_u64().and_then(|octet| u8::try_from(octet).ok());
            sms = sms.data_coding(DataCoding(octet.ok_or(wrong)?));
        }
        match note("hex") {
            Some(hex) => {
                let wrong = Unsendable::Metadata { name: "hex", expected: "no text of hexadecimal digits" };
                Ok(sms.octets(hex.as_str().and_then(octets).ok_or(wrong)?))
            }
            None => Ok(sms.text(message.content.as_deref().unwrap_or_default())),
        }
    }

    /// The ack of a message all of whose parts were taken, with the identifiers that they got.
    pub fn ack(&self, user_message_id: &str, ids: &[String], stamp: Stamp) -> Event {
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ids.sort_unstable();
        self.event(Event::new(stamp, user_message_id, EventType::Ack { sent_message_id: ids.join(",") }))
    }

    /// The nack of a message that was refused with a status: its name, or its number if it has none.
    pub fn refused(&self, user_message_id: &str, status: CommandStatus, stamp: Stamp) -> Event {
        let reason = status.name().map_or_else(|| format!("{:#010x}", status.0), str::to_owned);
        self.nack(user_message_id, reason, stamp)
    }

    /// The nack of a message that was not sent, for any other reason.
    pub fn nack(&self, user_message_id: &str, reason: impl Into<String>, stamp: Stamp) -> Event {
        self.event(Event::new(stamp, user_message_id, EventType::Nack { nack_reason: reason.into() }))
    }

    /// What came of sending: an ack, a nack, or nothing while that is not known.
    #[cfg(feature = "tokio")]
    pub fn sent(
        &self,
        user_message_id: &str,
        outcome: &Result<crate::client::Sent, crate::client::SendError>,
        stamp: Stamp,
    ) -> Option<Event> {
        use crate::client::SendError;
        match outcome {
            Ok(sent) => Some(self.ack(user_message_id, sent.ids(), stamp)),
            Err(SendError::Refused { status, .. }) => Some(self.refused(user_message_id, *status, stamp)),
            Err(SendError::Unanswered { .. }) => None,
            Err(error) => Some(self.nack(user_message_id, error.to_string(), stamp)),
        }
    }

    /// The report that one receipt gives. `user_message_id` is none for a receipt of an unknown message.
    pub fn delivery_report(&self, user_message_id: Option<&str>, receipt: &Receipt, stamp: Stamp) -> Event {
        self.report(user_message_id, self.states.outcome(receipt), Some(receipt), stamp)
    }

    /// The report of a whole message: the receipts of its parts, merged.
    pub fn merged_report(&self, user_message_id: &str, report: &MessageReport, stamp: Stamp) -> Event {
        self.report(Some(user_message_id), report.outcome(), report.deciding(), stamp)
    }

    /// The message centre's side: the receipt that a report says of the message with this identifier; none for acks and
    /// nacks. The word of the state is the one in the metadata if that means the same as the report.
    pub fn receipt(&self, event: &Event, id: &str) -> Option<Receipt> {
        let EventType::DeliveryReport { delivery_status } = &event.event_type else { return None };
        let word = event.transport_metadata.get(STATUS).and_then(Value::as_str);
        let read = word.map(|word| Receipt::from_text(format!("stat:{word}").as_bytes()));
        let read = read.filter(|receipt| status(self.states.outcome(receipt)) == *delivery_status);
        let (stat, state) = match read {
            Some(receipt) => (receipt.stat.clone(), self.states.state(&receipt).or(receipt.state)),
            None => (None, None),
        };
        let usual = match delivery_status {
            DeliveryStatus::Delivered => MessageState::DELIVERED,
            DeliveryStatus::Failed => MessageState::UNDELIVERABLE,
            DeliveryStatus::Pending => MessageState::ENROUTE,
        };
        Some(Receipt { id: Some(id.to_owned()), stat, state: state.or(Some(usual)), ..Receipt::default() })
    }

    fn report(&self, id: Option<&str>, outcome: Outcome, receipt: Option<&Receipt>, stamp: Stamp) -> Event {
        let event = Event::new(stamp, "", EventType::DeliveryReport { delivery_status: status(outcome) });
        let word = receipt.and_then(|receipt| receipt.stat.clone().or_else(|| name(receipt.state?)));
        let transport_metadata = word.map(|word| (STATUS.to_owned(), Value::from(word))).into_iter().collect();
        self.event(Event { user_message_id: id.map(str::to_owned), transport_metadata, ..event })
    }

    fn event(&self, event: Event) -> Event {
        Event { transport_name: self.transport_name.clone(), ..event }
    }
}

/// Where Vumi says the word of the state.
const STATUS: &str = "smpp_delivery_status";

fn status(outcome: Outcome) -> DeliveryStatus {
    match outcome {
        Outcome::Delivered => DeliveryStatus::Delivered,
        Outcome::Failed => DeliveryStatus::Failed,
        Outcome::Pending => DeliveryStatus::Pending,
    }
}

/// The name of a state as Vumi has it of the TLV.
fn name(state: MessageState) -> Option<String> {
    state.meaning().map(|_| format!("{state:?}"))
}

fn under_smpp(notes: Value) -> Metadata {
    let mut metadata = Map::new();
    metadata.insert("smpp".to_owned(), notes);
    metadata
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    let octet = |pair: &[u8; 2]| {
        let digits = pair.iter().all(u8::is_ascii_hexdigit);
        u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok().filter(|_| digits)
    };
    pairs.iter().map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Content, Inbound, Inbox, References};
    use crate::pdu::{DeliverSm, Frame};
    use crate::profile::Profile;
    use crate::types::{SequenceNumber, ShortMessage};

    fn stamp() -> Stamp {
        Stamp::new("e1", "2026-02-03 04:05:06.000007".parse().unwrap())
    }

    fn adapter() -> Adapter {
        Adapter::default().transport_name(Some("smsc".into())).provider(Some("operator".into()))
    }

    fn inbound(data_coding: u8, octets: &'static [u8]) -> InboundMessage {
        let pdu = DeliverSm {
            source: "27831234567".parse().unwrap(),
            destination: "31234".parse().unwrap(),
            data_coding: DataCoding(data_coding),
            short_message: ShortMessage::new(octets).unwrap(),
            ..DeliverSm::default()
        };
        #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
        let now = std::time::Instant::now();
        let mut inbox = Inbox::new(&Profile::default(), crate::text::ReassemblyLimits::default());
        match inbox.take(&Frame::request(SequenceNumber::MIN, pdu), 0, now).unwrap().inbound {
            Inbound::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_of_a_phone() {
        // Vumi refuses data_coding 0.
        let message = adapter().message(&inbound(0, b"\x00 2015-01-02 23:14:11"), stamp());
        let expected = json!({
            "message_version": "20110921", "message_type": "user_message", "message_id": "e1",
            "timestamp": "2026-02-03 04:05:06.000007", "to_addr": "31234", "from_addr": "27831234567",
            "content": "@ 2015-01-02 23:14:11", "session_event": null, "in_reply_to": null, "group": null,
            "provider": "operator", "transport_name": "smsc", "transport_type": "sms", "transport_metadata": {},
            "helper_metadata": {}, "routing_metadata": {}, "to_addr_type": null, "from_addr_type": "msisdn",
        });
        assert_eq!(serde_json::to_value(&message).unwrap(), expected);
    }

    #[test]
    fn octets_go_and_come_back() {
        let message = adapter().message(&inbound(4, b"\x01\xff"), stamp());
        assert_eq!((message.content.as_deref(), &message.helper_metadata["smpp"]["hex"]), (None, &json!("01ff")));
        let sms = adapter().sms(&message).unwrap();
        assert_eq!(sms.content, Content::Octets(vec![1, 255].into()));
        let pdu = sms.prepare(&Profile::default(), &mut References::new(0)).unwrap().parts.remove(0);
        assert_eq!((pdu.data_coding, &pdu.short_message.as_bytes()[..]), (DataCoding::BINARY, &b"\x01\xff"[..]));
    }

    #[test]
    fn a_reply_goes_back() {
        let reply = adapter().message(&inbound(0, b"hi"), stamp()).reply(stamp(), "ok", None);
        let sms = adapter().sms(&reply).unwrap();
        assert_eq!(sms, Sms::to("27831234567").from("31234").text("ok").receipt());
    }

    #[test]
    fn what_cannot_be_sent() {
        let mut message = UserMessage::default();
        assert_eq!(adapter().sms(&message), Err(Unsendable::NoRecipient));
        message.to_addr = Some("1".into());
        assert_eq!(adapter().sms(&message).unwrap().content, Content::Text(String::new()));
        for (notes, name) in [
            (json!({"data_coding": 256}), "data_coding"),
            (json!({"data_coding": "0"}), "data_coding"),
            (json!({"hex": "0"}), "hex"),
            (json!({"hex": "+1"}), "hex"),
            (json!({"hex": 1}), "hex"),
        ] {
            message.helper_metadata = under_smpp(notes);
            let error = adapter().sms(&message).unwrap_err();
            assert!(matches!(error, Unsendable::Metadata { name: of, .. } if of == name), "{error}");
        }
        for name in ["to_addr", "from_addr"] {
            let mut message = UserMessage { to_addr: Some("1".into()), from_addr: Some("2".into()), ..message.clone() };
            *(if name == "to_addr" { &mut message.to_addr } else { &mut message.from_addr }) = Some("Zo\u{eb}".into());
            let says = adapter().sms(&message).unwrap_err().to_string();
            assert_eq!(says, format!("Invalid {name}: \"Zo\u{eb}\""));
        }
        message.transport_type = Some(TransportType::Ussd);
        assert_eq!(adapter().sms(&message), Err(Unsendable::Ussd));
    }

    #[test]
    fn acks_and_nacks() {
        let ack = adapter().ack("m", &["b".into(), "a".into()], stamp());
        assert_eq!(ack.event_type, EventType::Ack { sent_message_id: "a,b".into() });
        assert_eq!((ack.user_message_id.as_deref(), ack.transport_name.as_deref()), (Some("m"), Some("smsc")));
        for (status, reason) in [(CommandStatus::RINVDSTADR, "ESME_RINVDSTADR"), (CommandStatus(0x401), "0x00000401")] {
            let nack = adapter().refused("m", status, stamp());
            assert_eq!(nack.event_type, EventType::Nack { nack_reason: reason.into() });
        }
    }

    #[test]
    fn reports_say_what_the_words_mean() {
        use DeliveryStatus::{Delivered, Failed, Pending};
        for (text, expected, word) in [
            ("stat:DELIVRD", Delivered, Some("DELIVRD")),
            ("stat:0", Delivered, Some("0")),
            ("stat:UNDELIV", Failed, Some("UNDELIV")),
            ("stat:REJECTD", Failed, Some("REJECTD")),
            ("stat:FAILED", Failed, Some("FAILED")),
            ("stat:ENROUTE", Pending, Some("ENROUTE")),
            ("stat:ACCEPTD", Pending, Some("ACCEPTD")),
            ("stat:ACCEPTED", Pending, Some("ACCEPTED")),
            ("stat:BADSTAT", Pending, Some("BADSTAT")),
            ("id:1", Pending, None),
        ] {
            let report = adapter().delivery_report(Some("m"), &Receipt::from_text(text.as_bytes()), stamp());
            assert_eq!(report.event_type, EventType::DeliveryReport { delivery_status: expected }, "{text}");
            assert_eq!(report.transport_metadata.get(STATUS).and_then(Value::as_str), word, "{text}");
            // And back, for whoever plays the message centre.
            let receipt = adapter().receipt(&report, "7").unwrap();
            assert_eq!((receipt.id.as_deref(), receipt.stat.as_deref()), (Some("7"), word), "{text}");
            assert_eq!(status(adapter().states.outcome(&receipt)), expected, "{text}");
        }
        let by_tlv = Receipt { state: Some(MessageState::EXPIRED), ..Receipt::default() };
        let report = adapter().delivery_report(None, &by_tlv, stamp());
        assert_eq!((report.transport_metadata[STATUS].as_str(), report.user_message_id), (Some("EXPIRED"), None));
        assert_eq!(adapter().receipt(&adapter().nack("m", "no", stamp()), "7"), None);
    }

    #[test]
    fn a_word_that_says_something_else_than_the_report_is_not_repeated() {
        let mut report = adapter().delivery_report(Some("m"), &Receipt::from_text(b"stat:DELIVRD"), stamp());
        report.event_type = EventType::DeliveryReport { delivery_status: DeliveryStatus::Failed };
        let receipt = adapter().receipt(&report, "7").unwrap();
        assert_eq!((receipt.state, receipt.stat), (Some(MessageState::UNDELIVERABLE), None));
    }
}
