//! One JSON object, in the spelling of the vectors.

use conformance::smpp_answers::{Role, status_name};
use conformance::smpp_vectors::{Fields, Outcome, Reply, tlvs};
use serde::{Serialize, Serializer};
use serde_json::Value;
use smpp::codec::{DecodeProblem, FieldValue};
use smpp::pdu::{Frame, Pdu};
use smpp::receipt::Receipt;
use smpp::text::{Body, Charset, Codings, Element, UserDataHeader};
use smpp::types::CommandStatus;

use super::{Found, Item};

#[derive(Serialize)]
pub(super) struct Object<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    offset: u64,
    #[serde(flatten)]
    fault: Option<Fault>,
    #[serde(flatten)]
    header: Option<Header>,
    status_name: Option<&'static str>,
    body_present: bool,
    #[serde(flatten)]
    contents: Option<Contents<'a>>,
    outcome: &'a str,
    reply: Option<&'a Reply>,
    close: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Box<Object<'a>>>,
}

/// Why something is refused.
#[derive(Serialize)]
pub(super) struct Fault {
    /// In words, with its place.
    pub(super) error: String,
    /// Where in the PDU.
    pub(super) error_offset: usize,
    pub(super) field: Option<&'static str>,
    pub(super) problem: String,
}

#[derive(Serialize)]
struct Header {
    command: &'static str,
    command_id: String,
    command_status: String,
    sequence_number: u32,
}

/// What a PDU that was decoded holds.
#[derive(Serialize)]
struct Contents<'a> {
    body: MandatoryFields<'a>,
    tlvs: Value,
    /// Octets that belong to no field.
    #[serde(skip_serializing_if = "str::is_empty")]
    rest: String,
    #[serde(flatten)]
    text: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    udh: Option<Vec<UdhElement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
}

/// The fields, and whether passwords are shown.
struct MandatoryFields<'a>(Vec<FieldValue<'a>>, bool);

impl Serialize for MandatoryFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { fields: &self.0, secrets: self.1 }.serialize(serializer)
    }
}

/// A text and the character set that it was read in.
#[derive(Serialize)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) text_codec: &'static str,
}

/// An element of a user data header.
#[derive(Serialize)]
pub(super) struct UdhElement {
    pub(super) iei: u8,
    pub(super) data: String,
}

impl<'a> Object<'a> {
    pub(super) fn new((found, outcome): &'a (Found, Outcome), secrets: bool) -> Self {
        let command_id = found.command_id().filter(|_| !matches!(found.item, Item::BadLength(_)));
        let frame = match &found.item {
            Item::Pdu(Ok(frame)) => Some(frame),
            _ => None,
        };
        let status = status(found).filter(|_| command_id.is_some());
        let header = command_id.zip(status).map(|(command_id, status)| Header {
            command: command_id.name().unwrap_or("unknown"),
            command_id: format!("{:#010x}", command_id.0),
            command_status: format!("{:#010x}", status.0),
            sequence_number: found.sequence_number().unwrap_or_default(),
        });
        Self {
            line: found.place.line,
            connection: found.place.connection,
            packet: found.place.packet,
            to: found.place.to.map(|to| if to == Role::Mc { "mc" } else { "esme" }),
            offset: found.place.offset,
            fault: fault(found, outcome),
            header,
            status_name: status.map(status_name),
            body_present: match &found.item {
                Item::Pdu(Ok(frame)) => frame.pdu.has_body(),
                _ => found.octets.len() > 16 && command_id.is_some(),
            },
            contents: frame.map(|frame| Contents::new(frame, secrets)),
            outcome: &outcome.outcome,
            reply: outcome.reply.as_ref(),
            close: outcome.close,
            response: None,
        }
    }

    /// With the response to this request.
    pub(super) fn with_response(self, response: Self) -> Self {
        Self { response: Some(Box::new(response)), ..self }
    }
}

impl<'a> Contents<'a> {
    fn new(frame: &'a Frame, secrets: bool) -> Self {
        let rest = match &frame.pdu {
            Pdu::Unknown(unknown) => &unknown.body,
            _ => frame.rest.as_bytes(),
        };
        let body = frame.pdu.body();
        Self {
            body: MandatoryFields(frame.pdu.fields(), secrets),
            tlvs: tlvs(frame.pdu.tlvs()),
            rest: hex::encode(rest),
            text: body.as_ref().filter(|_| says_its_coding(&frame.pdu)).and_then(text),
            udh: body.as_ref().and_then(|body| body.header.as_ref()).map(elements),
            receipt: Receipt::from_frame(frame),
        }
    }
}

fn status(found: &Found) -> Option<CommandStatus> {
    found.octets.get(8..12).and_then(|status| Some(CommandStatus(u32::from_be_bytes(status.try_into().ok()?))))
}

/// Why this is refused or ignored; none if it is taken.
pub(super) fn fault(found: &Found, outcome: &Outcome) -> Option<Fault> {
    let reject = outcome.outcome == "reject";
    match &found.item {
        Item::Pdu(Err(bad)) => Some(Fault {
            error: bad.error.to_string(),
            error_offset: bad.error.offset,
            field: bad.error.field,
            problem: bad.error.problem.to_string(),
        }),
        Item::Pdu(Ok(frame)) if reject => {
            let status = outcome.reply.as_ref().map(|reply| reply.status_name.as_str());
            let known = status != CommandStatus::RINVCMDID.name();
            let field = (!known).then_some("command_id");
            let problem = if known {
                format!("not in this state or direction: {}", status.unwrap_or_default())
            } else {
                DecodeProblem::UnknownCommand.to_string()
            };
            Some(Fault {
                error: format!("{} at octet 4: {problem}", frame.pdu.command_id()),
                error_offset: 4,
                field,
                problem,
            })
        }
        Item::BadLength(bad) => Some(Fault {
            error: bad.to_string(),
            error_offset: 0,
            field: Some("command_length"),
            problem: format!("{} is not within 16 to {}", bad.command_length, bad.limit),
        }),
        _ => None,
    }
}

/// Whether a PDU says how its text is coded, as the vectors see it: a replace_sm leaves that to the message that it
/// replaces, and a broadcast is no message to one recipient.
fn says_its_coding(pdu: &Pdu) -> bool {
    matches!(pdu, Pdu::SubmitSm(_) | Pdu::SubmitMulti(_) | Pdu::DeliverSm(_) | Pdu::DataSm(_))
}

/// The text; none if there is none, or if it is not in the GSM alphabet though it should be.
pub(super) fn text(body: &Body) -> Option<Text> {
    let codings = Codings::default();
    let charset = codings.charset(body.data_coding)?;
    let not_septets = charset == Charset::Gsm7 && !body.text.is_ascii();
    if body.text.is_empty() || not_septets {
        return None;
    }
    let text_codec = match charset {
        Charset::Gsm7 => "gsm0338",
        Charset::Ascii => "ascii",
        Charset::Latin1 => "iso-8859-1",
        Charset::Ucs2 => "utf-16be",
        Charset::Cyrillic => "iso-8859-5",
        Charset::Hebrew => "iso-8859-8",
        Charset::ShiftJis => "shift_jis",
        Charset::Iso2022Jp => "iso-2022-jp",
        Charset::EucJp => "euc-jp",
        Charset::EucKr => "euc-kr",
        _ => "utf-8",
    };
    Some(Text { text: body.decode(&codings)?.text.into_owned(), text_codec })
}

/// The elements of a header: identifier and data.
pub(super) fn elements(header: &UserDataHeader) -> Vec<UdhElement> {
    let element = |element: &Element| {
        let octets = UserDataHeader::new([element.clone()]).to_octets().ok()?;
        let [_, iei, _, data @ ..] = &octets[..] else { return None };
        Some(UdhElement { iei: *iei, data: hex::encode(data) })
    };
    header.elements.iter().filter_map(element).collect()
}
