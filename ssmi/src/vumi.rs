//! SMS, binary SMS and their reports to and from Vumi's messages. Pure functions; USSD dialogues are the business of
//! the crate `ussd-session`, which takes its metadata from [`genfields_metadata`].
//!
//! Vumi itself drops SMS that come over SSMI, so where its USSD transport gives no example the choices are these:
//! what SSMI says and Vumi has no field for stands in `helper_metadata` under `truteq`: `sequence`, and of a binary SMS
//! `pid`, `coding` and `hex_msg`, all as texts. A binary message has a null `content`.
//!
//! ```
//! use ssmi::command::{Mo, Request};
//! use ssmi::vumi::Adapter;
//! use vumi_message::Stamp;
//!
//! let adapter = Adapter::default().transport_name(Some("truteq".to_owned())).to_addr(Some("31999".to_owned()));
//! let mo = Mo { msisdn: "27831112222".into(), sequence: "52".into(), message: "JOIN".into() };
//! let message = adapter.message(&mo.into(), Stamp::now()).expect("an SMS");
//! assert_eq!((message.from_addr.as_deref(), message.content.as_deref()), (Some("+27831112222"), Some("JOIN")));
//!
//! let reply = message.reply(Stamp::now(), "Welcome", None);
//! let Request::SendSms(sms) = adapter.request(&reply)? else { panic!("a text") };
//! assert_eq!((sms.msisdn, sms.message), ("27831112222".into(), "Welcome".into()));
//! # Ok::<(), ssmi::vumi::Unsendable>(())
//! ```

use serde_json::{Map, Value, json};
use thiserror::Error;
use vumi_message::{AddressType, DeliveryStatus, Event, EventType, Metadata, Stamp, TransportType, UserMessage};

use crate::command::{DeliveryReport, Request, Response, SendBinarySms, SendSms, Seq};
use crate::session::config;
use crate::types::{Coding, DeliveryCode, GenFields, Msisdn, Octets, Pid, TextEncoding, UnencodableText};

config! {
    /// What an adapter has to know beside the messages.
    Adapter {
        /// The `transport_name` of every message and event. Null.
        transport_name: Option<String> = None,
        /// The `provider` of every message. Null.
        provider: Option<String> = None,
        /// The number that SMS are sent to; SSMI tells it of premium SMS alone. Null.
        to_addr: Option<String> = None,
        /// Country code that stands for a leading 0 of a number, such as `27`. None: such a number is left as it came.
        country_code: Option<String> = None,
        /// How text becomes octets. ISO-8859-1.
        encoding: TextEncoding = TextEncoding::Latin1,
    }
}

/// By which names genfields are published.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum GenFieldLabels {
    /// Each value by its own name.
    #[default]
    True,
    /// As Vumi (2014 to 2020) published them: only OperatorID and ValiPort are right, the IMSI stands under
    /// `Subscriber Type`, the subscriber type under `SessionID`, the session id under `IMSI`. For programs that were
    /// written to match.
    Vumi,
}

impl GenFieldLabels {
    /// The names, in the order of the values on the wire.
    fn names(self) -> [&'static str; 5] {
        match self {
            Self::True => ["IMSI", "Subscriber Type", "OperatorID", "SessionID", "ValiPort"],
            Self::Vumi => ["Subscriber Type", "SessionID", "OperatorID", "IMSI", "ValiPort"],
        }
    }
}

/// The `helper_metadata` of a USSD message: `{"truteq": {"genfields": {..}}}`, with all five names for extended USSD
/// (a missing value is the empty text) and none for plain USSD.
///
/// ```
/// use ssmi::vumi::{GenFieldLabels, genfields_metadata};
///
/// let metadata = genfields_metadata(Some(&"655011234567890:1:3:4411902:7".into()), GenFieldLabels::True);
/// assert_eq!(metadata["truteq"]["genfields"]["SessionID"], "4411902");
/// ```
pub fn genfields_metadata(genfields: Option<&GenFields>, labels: GenFieldLabels) -> Metadata {
    let mut named = Map::new();
    if let Some(genfields) = genfields {
        let mut values = genfields.values();
        for name in labels.names() {
            let value = values.next().map(latin1).unwrap_or_default();
            named.insert(name.to_owned(), value.into());
        }
    }
    truteq(json!({ "genfields": named }))
}

/// The genfields of a message that [`genfields_metadata`] described, to send them back; none if there are none, or if
/// they are not what it makes (a colon in a value).
pub fn genfields(metadata: &Metadata, labels: GenFieldLabels) -> Option<GenFields> {
    let named = metadata.get("truteq")?.get("genfields")?.as_object().filter(|named| !named.is_empty())?;
    let values = labels.names().map(|name| named.get(name).and_then(Value::as_str).unwrap_or_default());
    if values.iter().any(|value| value.contains(':')) {
        return None;
    }
    TextEncoding::Latin1.encode(&values.join(":")).ok().map(GenFields::from)
}

impl Adapter {
    /// The message of a phone: an SMS, plain, binary or premium. None for every other response.
    pub fn message(&self, response: &Response, stamp: Stamp) -> Option<UserMessage> {
        let (msisdn, sequence, destination) = match response {
            Response::Mo(mo) => (&mo.msisdn, &mo.sequence, None),
            Response::BinaryMo(mo) => (&mo.msisdn, &mo.sequence, None),
            Response::PremiumMo(mo) => (&mo.msisdn, &mo.sequence, Some(&mo.destination)),
            Response::PremiumBinaryMo(mo) => (&mo.msisdn, &mo.sequence, Some(&mo.destination)),
            _ => return None,
        };
        let sequence = latin1(sequence.as_slice());
        let (content, notes) = match response {
            Response::Mo(mo) => (Some(&mo.message), json!({ "sequence": sequence })),
            Response::PremiumMo(mo) => (Some(&mo.message), json!({ "sequence": sequence })),
            Response::BinaryMo(mo) => (None, binary_notes(&sequence, &mo.pid, &mo.coding, &mo.hex_msg)),
            Response::PremiumBinaryMo(mo) => (None, binary_notes(&sequence, &mo.pid, &mo.coding, &mo.hex_msg)),
            _ => return None,
        };
        Some(UserMessage {
            message_id: stamp.id,
            timestamp: stamp.timestamp,
            to_addr: destination.map(|number| latin1(number.as_slice())).or_else(|| self.to_addr.clone()),
            from_addr: Some(self.address(msisdn)),
            from_addr_type: Some(AddressType::Msisdn),
            content: content.map(|text| self.encoding.decode(text).into_owned()),
            provider: self.provider.clone(),
            transport_name: self.transport_name.clone(),
            transport_type: Some(TransportType::Sms),
            helper_metadata: truteq(notes),
            ..UserMessage::default()
        })
    }

    /// The request that sends a message as an SMS: a binary one if the metadata under `truteq` has a `hex_msg`, else
    /// its text, null being empty. CR LF and CR become LF, a `+` around the number is taken off, and a `validity` under
    /// `truteq`, a text in minutes, is honoured.
    ///
    /// # Errors
    ///
    /// Says why it cannot be sent; a nack would say the same.
    pub fn request(&self, message: &UserMessage) -> Result<Request, Unsendable> {
        if message.transport_type == Some(TransportType::Ussd) {
            return Err(Unsendable::Ussd);
        }
        let to_addr = message.to_addr.as_deref().map(|number| number.trim_matches('+')).unwrap_or_default();
        if to_addr.is_empty() {
            return Err(Unsendable::NoRecipient);
        }
        let msisdn = self.encoding.encode(to_addr)?;
        let notes = message.helper_metadata.get("truteq");
        let note = |name: &'static str| match notes.and_then(|notes| notes.get(name)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(TextEncoding::Latin1.encode(text)?)),
            Some(_) => Err(Unsendable::Metadata { name }),
        };
        let validity = note("validity")?.unwrap_or_else(|| SendSms::default().validity);
        if let Some(hex_msg) = note("hex_msg")? {
            let pid = note("pid")?.map(Pid::from).unwrap_or_default();
            let coding = note("coding")?.map(Coding::from).unwrap_or_default();
            return Ok(SendBinarySms { validity, msisdn, pid, coding, hex_msg }.into());
        }
        let message = self.encoding.encode_lines(message.content.as_deref().unwrap_or_default())?;
        Ok(SendSms { validity, msisdn, message }.into())
    }

    /// The ack of a message that the gateway gave an id.
    pub fn ack(&self, user_message_id: &str, seq: &Seq, stamp: Stamp) -> Event {
        let sent_message_id = latin1(seq.sequence.as_slice());
        self.event(Event::new(stamp, user_message_id, EventType::Ack { sent_message_id }))
    }

    /// The delivery report of a message: code 0 is delivered, every other, known or not, failed. The code itself and
    /// the sequence stand under `truteq`. `user_message_id` is none for a report of an unknown message.
    pub fn delivery_report(&self, user_message_id: Option<&str>, report: &DeliveryReport, stamp: Stamp) -> Event {
        let delivery_status = match report.ret_code {
            DeliveryCode::Success => DeliveryStatus::Delivered,
            _ => DeliveryStatus::Failed,
        };
        let event = Event::new(stamp, "", EventType::DeliveryReport { delivery_status });
        let notes = json!({
            "ret_code": latin1(report.ret_code.as_ref()),
            "sequence": latin1(report.sequence.as_slice()),
        });
        self.event(Event {
            user_message_id: user_message_id.map(str::to_owned),
            helper_metadata: truteq(notes),
            ..event
        })
    }

    /// The gateway's side of both: the SEQ that an ack, or the report that a delivery report, says of a message to this
    /// number. None for an ack without an id, a nack, a report that is pending or whose sequence is not under `truteq`,
    /// and a failure whose code is not there either: it says too little.
    pub fn response(&self, event: &Event, msisdn: impl Into<Octets>) -> Option<Response> {
        let note = |name: &str| {
            let text = event.helper_metadata.get("truteq")?.get(name)?.as_str()?;
            TextEncoding::Latin1.encode(text).ok()
        };
        let msisdn = msisdn.into();
        match &event.event_type {
            EventType::Ack { sent_message_id } if !sent_message_id.is_empty() => {
                let sequence = TextEncoding::Latin1.encode(sent_message_id).ok()?;
                Some(Seq { msisdn, sequence }.into())
            }
            EventType::DeliveryReport { delivery_status } => {
                let ret_code = match delivery_status {
                    DeliveryStatus::Delivered => DeliveryCode::Success,
                    DeliveryStatus::Failed => note("ret_code")?.into(),
                    DeliveryStatus::Pending => return None,
                };
                Some(DeliveryReport { msisdn, sequence: note("sequence")?, ret_code }.into())
            }
            _ => None,
        }
    }

    fn event(&self, event: Event) -> Event {
        Event { transport_name: self.transport_name.clone(), ..event }
    }

    /// A number as Vumi has it: with `+`, except for short codes; what is not a number stays as it came.
    fn address(&self, msisdn: &Octets) -> String {
        let text = latin1(msisdn.as_slice());
        let number = match &self.country_code {
            Some(code) => Msisdn::national(&text, code),
            None => text.parse(),
        };
        match number {
            Ok(number) if number.as_str().len() > SHORT_CODE => format!("+{number}"),
            Ok(number) => number.as_str().to_owned(),
            Err(_) => text,
        }
    }
}

/// Why a message cannot be sent as an SMS.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Unsendable {
    /// It has no `to_addr`.
    #[error("the message has no to_addr")]
    NoRecipient,
    /// It belongs to a USSD session.
    #[error("the message is USSD, not an SMS")]
    Ussd,
    /// A character of the text or the number is not in the link's encoding.
    #[error(transparent)]
    Text(#[from] UnencodableText),
    /// Something under `truteq` is not a text.
    #[error("helper_metadata.truteq.{name} is not a text")]
    Metadata {
        /// Its name.
        name: &'static str,
    },
}

fn truteq(notes: Value) -> Metadata {
    Metadata::from_iter([("truteq".to_owned(), notes)])
}

fn binary_notes(sequence: &str, pid: &Pid, coding: &Coding, hex_msg: &Octets) -> Value {
    json!({
        "sequence": sequence,
        "pid": latin1(pid.as_ref()),
        "coding": latin1(coding.as_ref()),
        "hex_msg": latin1(hex_msg.as_slice()),
    })
}

/// Every octet as a character: never fails, and can be undone.
fn latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

/// Numbers up to this long are short codes.
const SHORT_CODE: usize = 5;

#[cfg(test)]
mod tests {
    use vumi_message::Timestamp;

    use super::*;
    use crate::command::{BinaryMo, FreeForm, Mo, PremiumBinaryMo, PremiumMo};

    fn stamp() -> Stamp {
        Stamp::new("m1", Timestamp::from_unix_millis(5))
    }

    fn adapter() -> Adapter {
        Adapter::default().transport_name(Some("truteq".to_owned()))
    }

    #[test]
    fn genfields_by_their_true_names_and_by_vumis() {
        let field = GenFields::from("655011234567890:1:3:4411902:7");
        let metadata = genfields_metadata(Some(&field), GenFieldLabels::True);
        assert_eq!(
            Value::from(metadata.clone()),
            json!({"truteq": {"genfields": {"IMSI": "655011234567890", "Subscriber Type": "1", "OperatorID": "3",
                "SessionID": "4411902", "ValiPort": "7"}}})
        );
        assert_eq!(genfields(&metadata, GenFieldLabels::True), Some(field.clone()));

        // What Vumi published for this very field.
        let metadata = genfields_metadata(Some(&field), GenFieldLabels::Vumi);
        assert_eq!(
            Value::from(metadata.clone()),
            json!({"truteq": {"genfields": {"Subscriber Type": "655011234567890", "SessionID": "1",
                "OperatorID": "3", "IMSI": "4411902", "ValiPort": "7"}}})
        );
        assert_eq!(genfields(&metadata, GenFieldLabels::Vumi), Some(field));
    }

    #[test]
    fn genfields_that_are_short_empty_or_absent() {
        let metadata = genfields_metadata(Some(&"::3::".into()), GenFieldLabels::True);
        assert_eq!(metadata["truteq"]["genfields"]["OperatorID"], "3");
        assert_eq!(metadata["truteq"]["genfields"]["IMSI"], "");
        let short = genfields_metadata(Some(&"655".into()), GenFieldLabels::True);
        assert_eq!(short["truteq"]["genfields"].as_object().unwrap().len(), 5);
        let plain = genfields_metadata(None, GenFieldLabels::True);
        assert_eq!(Value::from(plain.clone()), json!({"truteq": {"genfields": {}}}));
        assert_eq!(genfields(&plain, GenFieldLabels::True), None);
        assert_eq!(genfields(&Metadata::new(), GenFieldLabels::True), None);
        let shifted = truteq(json!({"genfields": {"IMSI": "1:2"}}));
        assert_eq!(genfields(&shifted, GenFieldLabels::True), None);
    }

    #[test]
    fn a_text_from_a_phone() {
        let mo = Mo { msisdn: "27831112222".into(), sequence: "52".into(), message: b"Zo\xeb".to_vec().into() };
        let message = adapter().message(&mo.into(), stamp()).unwrap();
        assert_eq!(message.content.as_deref(), Some("Zo\u{eb}"));
        assert_eq!((message.from_addr.as_deref(), message.to_addr), (Some("+27831112222"), None));
        assert_eq!(Value::from(message.helper_metadata), json!({"truteq": {"sequence": "52"}}));
        assert_eq!(adapter().message(&FreeForm::default().into(), stamp()), None);
        let premium = PremiumMo { destination: "31999".into(), ..PremiumMo::default() };
        let message = adapter().to_addr(Some("27".to_owned())).message(&premium.into(), stamp()).unwrap();
        assert_eq!(message.to_addr.as_deref(), Some("31999"));
    }

    #[test]
    fn numbers_as_vumi_has_them() {
        let from = |adapter: Adapter, msisdn: &str| {
            let mo = Mo { msisdn: msisdn.into(), ..Mo::default() };
            adapter.message(&mo.into(), stamp()).unwrap().from_addr.unwrap()
        };
        for (wire, address) in [
            ("27831112222", "+27831112222"),
            ("+27831112222", "+27831112222"),
            ("0027831112222", "+27831112222"),
            ("12345", "12345"),
            ("123456", "+123456"),
            ("0831112222", "0831112222"),
            ("unknown", "unknown"),
            ("", ""),
        ] {
            assert_eq!(from(adapter(), wire), address);
        }
        assert_eq!(from(adapter().country_code(Some("27".to_owned())), "0831112222"), "+27831112222");
    }

    #[test]
    fn a_binary_message_and_back() {
        let mo = BinaryMo {
            msisdn: "27831112222".into(),
            sequence: "55".into(),
            pid: Pid::Enhanced,
            coding: Coding::EightBit,
            hex_msg: "deadbeef".into(),
        };
        let message = adapter().message(&mo.into(), stamp()).unwrap();
        assert_eq!(message.content, None);
        let reply = UserMessage { to_addr: message.from_addr.clone(), ..message };
        assert_eq!(
            adapter().request(&reply),
            Ok(SendBinarySms {
                msisdn: "27831112222".into(),
                pid: Pid::Enhanced,
                coding: Coding::EightBit,
                hex_msg: "deadbeef".into(),
                ..SendBinarySms::default()
            }
            .into())
        );
        let premium = PremiumBinaryMo { destination: "31999".into(), hex_msg: "cafe".into(), ..Default::default() };
        let message = adapter().message(&premium.into(), stamp()).unwrap();
        assert_eq!(message.helper_metadata["truteq"]["hex_msg"], "cafe");
    }

    #[test]
    fn a_text_to_a_phone() {
        let mut message = UserMessage::send(stamp(), "+27831112222", "a\r\nb\rc, f\u{f6}");
        message.helper_metadata = truteq(json!({"validity": "60"}));
        let sms =
            SendSms { validity: "60".into(), msisdn: "27831112222".into(), message: b"a\nb\nc, f\xf6".to_vec().into() };
        assert_eq!(adapter().request(&message), Ok(sms.into()));
        message.content = None;
        let Ok(Request::SendSms(sms)) = adapter().request(&message) else { panic!("a text") };
        assert!(sms.message.is_empty());
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let mut message = UserMessage::send(stamp(), "++", "5 \u{20ac}");
        assert_eq!(adapter().request(&message), Err(Unsendable::NoRecipient));
        message.to_addr = Some("27".to_owned());
        let error = adapter().request(&message).unwrap_err();
        assert_eq!(error, Unsendable::Text(UnencodableText { character: '\u{20ac}', offset: 2 }));
        message.helper_metadata = truteq(json!({"pid": 0, "hex_msg": "00"}));
        assert_eq!(adapter().request(&message), Err(Unsendable::Metadata { name: "pid" }));
        message.transport_type = Some(TransportType::Ussd);
        assert_eq!(adapter().request(&message), Err(Unsendable::Ussd));
    }

    #[test]
    fn acks_and_reports_there_and_back() {
        let seq = Seq { msisdn: "27831112222".into(), sequence: "A7-x".into() };
        let ack = adapter().ack("m0", &seq, stamp());
        assert_eq!((ack.status().as_str(), ack.user_message_id.as_deref()), ("ack", Some("m0")));
        assert_eq!(ack.transport_name.as_deref(), Some("truteq"));
        assert_eq!(adapter().response(&ack, "27831112222"), Some(seq.into()));

        for (code, status) in [("0", "delivered"), ("1", "failed"), ("5", "failed"), ("77", "failed")] {
            let report = DeliveryReport {
                msisdn: "27831112222".into(),
                sequence: "A7-x".into(),
                ret_code: Octets::from(code).into(),
            };
            let event = adapter().delivery_report(None, &report, stamp());
            assert_eq!(event.status(), format!("delivery_report.{status}"));
            assert_eq!(event.user_message_id, None);
            assert_eq!(adapter().response(&event, "27831112222"), Some(report.into()));
        }
        let nack = Event::new(stamp(), "m0", EventType::Nack { nack_reason: "no".to_owned() });
        assert_eq!(adapter().response(&nack, "1"), None);
    }
}
