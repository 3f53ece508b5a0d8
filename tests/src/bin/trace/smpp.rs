mod annotate;
mod object;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use clap::{Args, ValueEnum};
use conformance::capture::{self, Connection};
use conformance::smpp_answers::{self, Receiver, Role, State};
use conformance::smpp_vectors::Outcome;
use smpp::framing::{BadLength, MAX_PDU, PduCutter};
use smpp::pdu::{BadPdu, Frame};
use smpp::types::{CommandId, InterfaceVersion};

use self::object::Object;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Lines of hexadecimal digits, each a stream of its own.
    #[arg(long)]
    hex: bool,
    /// The message centre's port, in a capture file.
    #[arg(long, default_value_t = 2775)]
    port: u16,
    /// Show each request together with its response.
    #[arg(long)]
    pair: bool,
    /// Show a dump for people instead of JSON: offset, octets, field, meaning.
    #[arg(long)]
    annotate: bool,
    /// Show passwords.
    #[arg(long)]
    secrets: bool,
    /// Who receives the PDUs; without it, whoever their operation is for. In a capture file the port tells instead.
    #[arg(long)]
    role: Option<Role>,
    /// State of the link at first; without it, a PDU is allowed in any state.
    #[arg(long, ignore_case = true)]
    state: Option<State>,
    /// A request of the receiver's that is not answered, such as submit_sm:5. Without any, and without --state or
    /// --pair, every response is taken to be awaited.
    #[arg(long, value_name = "NAME:SEQ", value_parser = pending)]
    pending: Vec<(CommandId, u32)>,
    /// Version that the receiver speaks.
    #[arg(long, default_value = "50")]
    version: Version,
    /// Largest command_length that the receiver takes.
    #[arg(long, default_value_t = MAX_PDU, value_name = "OCTETS")]
    max_pdu: u32,
    /// Raw octets, a capture file (pcap, pcapng), or lines; standard input if it is absent or `-`.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "33")]
    V33,
    #[value(name = "34")]
    V34,
    #[value(name = "50")]
    V50,
}

/// A request by name and number.
fn pending(text: &str) -> Result<(CommandId, u32), String> {
    let (name, number) = text.rsplit_once(':').ok_or("not NAME:SEQ")?;
    let id = (0..0x200).map(CommandId).find(|id| id.name() == Some(name)).ok_or("no such request")?;
    Ok((id, number.parse().map_err(|error| format!("{number}: {error}"))?))
}

/// Where a PDU stands.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Number of the line, from 1.
    line: Option<usize>,
    /// Number of the connection in a capture file, from 1.
    connection: Option<usize>,
    /// Number of the packet with which it was whole, from 1.
    packet: Option<usize>,
    /// Who gets it, in a capture file.
    to: Option<Role>,
    /// Octets of its stream before it.
    offset: u64,
}

/// What stands there.
#[expect(clippy::large_enum_variant, reason = "nearly all are PDUs")]
enum Item {
    Pdu(Result<Frame, BadPdu>),
    BadLength(BadLength),
    /// The beginning of a PDU.
    Unfinished,
}

/// A PDU, or where a stream ends without one.
struct Found {
    place: Place,
    item: Item,
    /// All its octets.
    octets: Bytes,
}

/// Prints all PDUs; whether there was none to be refused and no stream was cut off.
pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<bool> {
    let input = crate::read(arguments.file.as_ref())?;
    let mut printer = Printer { arguments, clean: true, kept: Vec::new() };
    if arguments.hex {
        let lines = str::from_utf8(&input).context("the lines are not text")?.lines();
        let mut receiver = arguments.receiver(arguments.role);
        for (line, digits) in (1..).zip(lines) {
            let digits: String = digits.split_whitespace().collect();
            let octets = hex::decode(&digits).with_context(|| format!("line {line}"))?;
            if !arguments.pair {
                receiver = arguments.receiver(arguments.role);
            }
            let place = Place { line: Some(line), ..Place::default() };
            printer.all(arguments.stream(&octets, place, &receiver), &mut receiver, out)?;
        }
    } else if capture::is_capture(&input) {
        for (number, connection) in (1..).zip(&crate::connections(&input, arguments.port)?) {
            printer.connection(number, connection, out)?;
        }
    } else {
        let mut receiver = arguments.receiver(arguments.role);
        printer.all(arguments.stream(&input, Place::default(), &receiver), &mut receiver, out)?;
    }
    printer.finish(out)
}

impl Arguments {
    fn receiver(&self, role: Option<Role>) -> Receiver {
        let known = self.pair || self.state.is_some() || !self.pending.is_empty();
        let version = match self.version {
            Version::V33 => InterfaceVersion::V3_3,
            Version::V34 => InterfaceVersion::V3_4,
            Version::V50 => InterfaceVersion::V5_0,
        };
        Receiver { role, state: self.state, pending: known.then(|| self.pending.clone()), version }
    }

    /// What one stream holds.
    fn stream(&self, octets: &[u8], place: Place, receiver: &Receiver) -> Vec<Found> {
        let whole = Bytes::copy_from_slice(octets);
        let (mut cutter, mut buffer) = (PduCutter::default().with_limit(self.max_pdu), BytesMut::from(octets));
        let mut founds = Vec::new();
        loop {
            let start = cutter.offset();
            let item = match cutter.cut(&mut buffer) {
                Ok(Some(raw)) => {
                    let limits = receiver.limits(raw.command_id);
                    Item::Pdu(raw.decode(&limits))
                }
                Ok(None) if buffer.is_empty() => return founds,
                Ok(None) => Item::Unfinished,
                Err(bad) => Item::BadLength(bad),
            };
            let last = !matches!(item, Item::Pdu(_));
            let end = if last { whole.len() } else { whole.len() - buffer.len() };
            let octets = whole.slice(usize::try_from(start).expect("an offset in memory")..end);
            founds.push(Found { place: Place { offset: start, ..place }, item, octets });
            if last {
                return founds;
            }
        }
    }
}

impl Found {
    /// The operation, if the header is whole.
    fn command_id(&self) -> Option<CommandId> {
        let id = self.octets.get(4..8).filter(|_| self.octets.len() >= 16)?;
        Some(CommandId(u32::from_be_bytes(id.try_into().ok()?)))
    }

    fn sequence_number(&self) -> Option<u32> {
        self.octets.get(12..16).and_then(|number| Some(u32::from_be_bytes(number.try_into().ok()?)))
    }

    /// A request: its operation and number.
    fn request(&self) -> Option<(CommandId, u32)> {
        let whole = matches!(self.item, Item::Pdu(_));
        self.command_id().filter(|id| whole && !id.is_response()).zip(self.sequence_number())
    }

    fn judge(&self, receiver: &mut Receiver) -> Outcome {
        match &self.item {
            Item::Pdu(pdu) => receiver.judge(pdu),
            Item::BadLength(bad) => smpp_answers::fatal(bad),
            Item::Unfinished => smpp_answers::unfinished(),
        }
    }
}

struct Printer<'a> {
    arguments: &'a Arguments,
    clean: bool,
    /// What waits for the end, to be printed in pairs.
    kept: Vec<(Found, Outcome)>,
}

impl Printer<'_> {
    /// What one connection carried, both directions in the order of time.
    fn connection(&mut self, number: usize, connection: &Connection, out: &mut impl Write) -> Result<()> {
        let [mut centre, mut esme] = [Role::Mc, Role::Esme].map(|role| self.arguments.receiver(Some(role)));
        let mut founds = Vec::new();
        for (end, octets, arrivals) in [
            (&centre, &connection.client, &connection.client_arrivals),
            (&esme, &connection.server, &connection.server_arrivals),
        ] {
            let place = Place { connection: Some(number), to: end.role, ..Place::default() };
            for mut found in self.arguments.stream(octets, place, end) {
                let start = usize::try_from(found.place.offset).expect("an offset in memory");
                found.place.packet = Some(arrivals.packet(start + found.octets.len()));
                founds.push(found);
            }
        }
        founds.sort_by_key(|found| found.place.packet);
        for found in founds {
            let to_centre = found.place.to == Some(Role::Mc);
            let (end, other) = if to_centre { (&mut centre, &mut esme) } else { (&mut esme, &mut centre) };
            if let (Some(request), Some(pending)) = (found.request(), &mut other.pending) {
                pending.push(request);
            }
            let outcome = found.judge(end);
            self.take(found, outcome, out)?;
        }
        Ok(())
    }

    /// What one stream held.
    fn all(&mut self, founds: Vec<Found>, receiver: &mut Receiver, out: &mut impl Write) -> Result<()> {
        for found in founds {
            if self.arguments.pair
                && let (Some(request), Some(pending)) = (found.request(), &mut receiver.pending)
            {
                pending.push(request);
            }
            let outcome = found.judge(receiver);
            self.take(found, outcome, out)?;
        }
        Ok(())
    }

    fn take(&mut self, found: Found, outcome: Outcome, out: &mut impl Write) -> Result<()> {
        self.clean &= !matches!(outcome.outcome.as_str(), "reject" | "fatal_framing" | "need_more");
        if self.arguments.pair {
            self.kept.push((found, outcome));
            return Ok(());
        }
        self.print(&(found, outcome), None, out)
    }

    fn print(&self, one: &(Found, Outcome), response: Option<&(Found, Outcome)>, out: &mut impl Write) -> Result<()> {
        let secrets = self.arguments.secrets;
        if self.arguments.annotate {
            return [Some(one), response].into_iter().flatten().try_for_each(|one| annotate::print(one, secrets, out));
        }
        let object = Object::new(one, secrets);
        match response {
            Some(response) => crate::print(out, &object.with_response(Object::new(response, secrets))),
            None => crate::print(out, &object),
        }
    }

    /// Prints what was kept, each response with its request; whether all was clean.
    fn finish(self, out: &mut impl Write) -> Result<bool> {
        let (mut unanswered, mut responses) = (HashMap::<_, Vec<usize>>::new(), HashMap::new());
        for (index, (found, _)) in self.kept.iter().enumerate() {
            let Place { connection, to, .. } = found.place;
            if let Some((_, number)) = found.request() {
                unanswered.entry((connection, to, number)).or_default().push(index);
            } else if let (Some(id), Some(number)) = (found.command_id(), found.sequence_number()) {
                let from = to.map(|to| if to == Role::Mc { Role::Esme } else { Role::Mc });
                let requests = unanswered.entry((connection, from, number)).or_default();
                let answers = |request: &usize| {
                    let request = self.kept[*request].0.command_id();
                    id == CommandId::GENERIC_NACK || request.and_then(CommandId::response) == Some(id)
                };
                if let Some(at) = requests.iter().position(answers) {
                    responses.insert(requests.remove(at), index);
                }
            }
        }
        for (index, one) in self.kept.iter().enumerate() {
            if !responses.values().any(|response| *response == index) {
                self.print(one, responses.get(&index).map(|response| &self.kept[*response]), out)?;
            }
        }
        Ok(self.clean)
    }
}
