//! The dump that people want: offset, octets, field, meaning, and the error pointed at.

use std::io::Write;

use anyhow::Result;
use bytes::Bytes;
use conformance::smpp_answers::Role;
use conformance::smpp_vectors::Outcome;
use smpp::codec::{FieldValue, Limits, Value};
use smpp::pdu::{Frame, RawPdu};
use smpp::receipt::Receipt;
use smpp::text::{Body, InvalidUdh, UserDataHeader};
use smpp::tlv::{TagRegistry, Tlv, TlvDisplay};
use smpp::types::{CommandId, CommandStatus};

use super::object::{self, Fault};
use super::{Found, Item};

const HEADER: usize = 16;
/// Octets of a row.
const ROW: usize = 8;

/// Prints one PDU, field by field, and an empty line.
pub(super) fn print((found, outcome): &(Found, Outcome), secrets: bool, out: &mut impl Write) -> Result<()> {
    title(found, outcome, out)?;
    let fault = object::fault(found, outcome);
    let mut dump = Dump { octets: &found.octets, at: 0, fault: fault.as_ref(), out };
    match &found.item {
        Item::BadLength(_) => dump.row(4, "command_length", "")?,
        Item::Unfinished if found.octets.len() < HEADER => dump.row(HEADER, "", "the beginning of a header")?,
        Item::Unfinished => dump.header(found)?,
        Item::Pdu(Ok(frame)) => {
            dump.header(found)?;
            dump.body(frame, secrets, usize::MAX)?;
            dump.row(usize::MAX, "", "octets that belong to no field")?;
            dump.text(frame)?;
        }
        Item::Pdu(Err(bad)) => {
            dump.header(found)?;
            // A more forgiving reader may read it all.
            match bad.clone().into_raw().decode(&Limits::esme()) {
                Ok(frame) => dump.body(&frame, secrets, usize::MAX)?,
                Err(_) => {
                    if let Some((frame, end)) = before_the_error(bad.error.offset, &found.octets) {
                        dump.body(&frame, secrets, end)?;
                    }
                    let left = bad.error.offset.saturating_sub(dump.at);
                    dump.unread(found, left, "", "fields before the error", secrets)?;
                }
            }
            dump.unread(found, usize::MAX, bad.error.field.unwrap_or_default(), "", secrets)?;
            if let Some(fault) = dump.fault.filter(|fault| fault.error_offset >= found.octets.len()) {
                dump.point(fault)?;
            }
        }
    }
    if let Some(reply) = &outcome.reply {
        let octets = reply.hex.as_deref().map(|octets| format!("  {octets}")).unwrap_or_default();
        writeln!(out, "  reply: {} {} {}{octets}", reply.command, reply.status_name, reply.sequence_number)?;
    }
    if outcome.close {
        writeln!(out, "  the connection is closed")?;
    }
    writeln!(out)?;
    Ok(())
}

/// What it is, where it stands, and what becomes of it.
fn title(found: &Found, outcome: &Outcome, out: &mut impl Write) -> Result<()> {
    let name = match found.item {
        Item::BadLength(_) => "no PDU".to_owned(),
        _ => found.command_id().map_or_else(|| "no PDU".to_owned(), |id| id.to_string()),
    };
    write!(out, "{name}")?;
    let place = found.place;
    for (what, number) in [("line", place.line), ("connection", place.connection), ("packet", place.packet)] {
        if let Some(number) = number {
            write!(out, ", {what} {number}")?;
        }
    }
    if let Some(to) = place.to {
        write!(out, ", to the {}", if to == Role::Mc { "message centre" } else { "ESME" })?;
    }
    writeln!(out, ", offset {}, {} octets: {}", place.offset, found.octets.len(), outcome.outcome)?;
    Ok(())
}

/// The fields before an error, and where they end: what stands there, made whole with fields of no octets. Nothing makes
/// a list whole inside it; the fields before the list are then found by going back.
fn before_the_error(offset: usize, octets: &[u8]) -> Option<(Frame, usize)> {
    // Empty strings, zeros and no TLV, or before that a list of one entry without a name.
    const ENDS: [&[u8]; 2] = [&[], &[1, 2, 0]];
    /// Octets of the fields before any list, and more.
    const BEFORE_LISTS: usize = 64;
    /// More than all fields of a PDU that are of one octet at least.
    const ZEROS: usize = 24;
    let start = RawPdu::new(Bytes::copy_from_slice(&header_alone(octets)?)).ok()?;
    let whole = |cut: usize| {
        ENDS.iter().flat_map(|end| (0..ZEROS).map(move |zeros| (end, zeros))).find_map(|(end, zeros)| {
            let body = [octets.get(HEADER..cut)?, end, &[0; ZEROS][..zeros]].concat();
            Some((RawPdu { body: body.into(), ..start.clone() }.decode(&Limits::esme()).ok()?, cut))
        })
    };
    [offset].into_iter().chain((HEADER..offset.min(BEFORE_LISTS)).rev()).find_map(whole)
}

/// A PDU of the same header without a body.
fn header_alone(octets: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(HEADER).ok()?.to_be_bytes();
    Some([&length, octets.get(4..HEADER)?].concat())
}

struct Dump<'a, W> {
    octets: &'a [u8],
    /// Octets that were printed.
    at: usize,
    fault: Option<&'a Fault>,
    out: &'a mut W,
}

impl<W: Write> Dump<'_, W> {
    /// Prints so many octets, eight a row.
    fn row(&mut self, count: usize, field: &str, meaning: &str) -> Result<()> {
        let octets = self.octets.get(self.at..).unwrap_or_default();
        let digits: Vec<_> = octets.iter().take(count).map(|octet| format!("{octet:02x}")).collect();
        self.digits(&digits, field, meaning)
    }

    /// Prints so many octets without saying what they are.
    fn masked(&mut self, count: usize, field: &str, meaning: &str) -> Result<()> {
        let left = self.octets.len().saturating_sub(self.at);
        self.digits(&vec!["**".to_owned(); count.min(left)], field, meaning)
    }

    fn digits(&mut self, digits: &[String], field: &str, meaning: &str) -> Result<()> {
        let start = self.at;
        for (index, row) in digits.chunks(ROW).enumerate() {
            let (field, meaning) = if index == 0 { (field, meaning) } else { ("", "") };
            let line = format!("  {:06x}  {:25}{field:30}{meaning}", start + index * ROW, row.join(" "));
            writeln!(self.out, "{}", line.trim_end())?;
        }
        self.at += digits.len();
        match self.fault.filter(|fault| (start..self.at).contains(&fault.error_offset)) {
            Some(fault) => self.point(fault),
            None => Ok(()),
        }
    }

    fn header(&mut self, found: &Found) -> Result<()> {
        let number =
            |at: usize| self.octets.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
        let [length, id, status, sequence_number] = [0, 4, 8, 12].map(number);
        let status = CommandStatus(status);
        let length = match found.item {
            Item::Unfinished => format!("{length}, and {} are there", self.octets.len()),
            _ => length.to_string(),
        };
        self.row(4, "command_length", &length)?;
        self.row(4, "command_id", &CommandId(id).to_string())?;
        let name = status.name().map(|name| format!("{name}: ")).unwrap_or_default();
        self.row(4, "command_status", &format!("{name}{status}"))?;
        self.row(4, "sequence_number", &sequence_number.to_string())
    }

    /// The fields and TLVs that end at `end` or before.
    fn body(&mut self, frame: &Frame, secrets: bool, end: usize) -> Result<()> {
        for field in frame.pdu.fields() {
            if self.at.saturating_add(field.value.length()) > end {
                return Ok(());
            }
            self.field(&field, secrets, "")?;
        }
        for tlv in frame.pdu.tlvs() {
            if self.at + 4 + tlv.value.len() > end {
                return Ok(());
            }
            self.tlv(tlv)?;
        }
        Ok(())
    }

    fn field(&mut self, field: &FieldValue<'_>, secrets: bool, indent: &str) -> Result<()> {
        let name = format!("{indent}{}", field.name);
        let length = field.value.length();
        let value = match &field.value {
            Value::U8(number) => number.to_string(),
            Value::U32(number) => number.to_string(),
            Value::Secret(_) if !secrets => return self.masked(length, &name, "***"),
            Value::Text(text) | Value::Secret(text) => format!("\"{}\"", text.escape_ascii()),
            Value::List(entries) => {
                return entries.iter().flatten().try_for_each(|field| self.field(field, secrets, "  "));
            }
            _ => String::new(),
        };
        match field.meaning.is_empty() || field.meaning == value {
            true => self.row(length, &name, &value),
            false => self.row(length, &name, &format!("{value}: {}", field.meaning)),
        }
    }

    fn tlv(&mut self, tlv: Tlv<'_>) -> Result<()> {
        self.row(2, "tag", &tlv.tag.to_string())?;
        self.row(2, "  length", &tlv.value.len().to_string())?;
        let value = match TagRegistry::default().value(tlv) {
            TlvDisplay::Octets(_) => String::new(),
            TlvDisplay::Text(text) => format!("{text:?}"),
            value => value.to_string(),
        };
        self.row(tlv.value.len(), "  value", &value)
    }

    /// What the fields say together: header of the text, text, receipt.
    fn text(&mut self, frame: &Frame) -> Result<()> {
        let Some(body) = &frame.pdu.body() else { return Ok(()) };
        if let Some(header) = &body.header {
            self.udh(header, body)?;
        }
        if let Some(InvalidUdh { claimed, present }) = body.invalid_header {
            writeln!(self.out, "  udh: claims {claimed} octets, and {present} are there")?;
        }
        if let Some(text) = object::text(body) {
            writeln!(self.out, "  text: {:?} ({})", text.text, text.text_codec)?;
        }
        if let Some(receipt) = Receipt::from_frame(frame) {
            let id = receipt.id.as_deref().unwrap_or("?");
            let state = receipt.stat.as_deref().unwrap_or("no stat");
            writeln!(self.out, "  receipt: {id}, {state}, {:?}", receipt.outcome())?;
        }
        Ok(())
    }

    fn udh(&mut self, header: &UserDataHeader, body: &Body) -> Result<()> {
        for element in object::elements(header) {
            writeln!(self.out, "  udh: element {:#04x}, {}", element.iei, element.data)?;
        }
        match body.concatenation {
            Some(part) => {
                Ok(writeln!(self.out, "  part {} of {}, reference {}", part.part, part.total, part.reference)?)
            }
            None => Ok(()),
        }
    }

    /// Prints octets that could not be read. A login may then hold its password anywhere.
    fn unread(&mut self, found: &Found, count: usize, field: &str, meaning: &str, secrets: bool) -> Result<()> {
        match has_password(found.command_id()) && !secrets {
            true => self.masked(count, field, meaning),
            false => self.row(count, field, meaning),
        }
    }

    /// Points at the error from below.
    fn point(&mut self, fault: &Fault) -> Result<()> {
        let field = fault.field.map(|field| format!("{field}: ")).unwrap_or_default();
        writeln!(self.out, "  ^^^^^^  at {:06x}: {field}{}", fault.error_offset, fault.problem)?;
        Ok(())
    }
}

fn has_password(command_id: Option<CommandId>) -> bool {
    let with = [CommandId::BIND_RECEIVER, CommandId::BIND_TRANSMITTER, CommandId::BIND_TRANSCEIVER, CommandId::OUTBIND];
    command_id.is_some_and(|id| with.contains(&id))
}
