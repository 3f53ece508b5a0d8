//! The operations of SMPP 3.4 and 5.0, one struct each, and the frame that they travel in.
//!
//! A struct's fields are public, and what is not given is in its `Default`. Every PDU may have TLVs, even those that
//! have none by the specification. The body of a response may be absent, whatever its status.

mod alert_notification;
mod bind;
mod broadcast_sm;
mod cancel_broadcast_sm;
mod cancel_sm;
mod data_sm;
mod deliver_sm;
mod enquire_link;
mod entries;
mod frame;
mod generic_nack;
#[cfg(test)]
pub(crate) mod known_answer;
mod operation;
mod outbind;
mod query_broadcast_sm;
mod query_sm;
mod replace_sm;
mod submit_multi;
mod submit_sm;
mod unbind;

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::{
    Body, DecodeError, DecodeProblem, EncodeError, EncodeProblem, FieldValue, HEADER, Incoming, Leniencies, Leniency,
    LeniencyCounts, Limits, Reader, Refused, Slices, Source, Wire, append, header_octets, put_octets,
};
use crate::tlv::Tlvs;
use crate::types::{CommandId, CommandStatus, InterfaceVersion, Octets, ShortMessage};

pub use self::alert_notification::AlertNotification;
pub use self::bind::{
    BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp, BindTransmitter, BindTransmitterResp,
};
pub use self::broadcast_sm::{BroadcastSm, BroadcastSmResp};
pub use self::cancel_broadcast_sm::{CancelBroadcastSm, CancelBroadcastSmResp};
pub use self::cancel_sm::{CancelSm, CancelSmResp};
pub use self::data_sm::{DataSm, DataSmResp};
pub use self::deliver_sm::{DeliverSm, DeliverSmResp};
pub use self::enquire_link::{EnquireLink, EnquireLinkResp};
pub use self::entries::{Destination, Destinations, Entries, Entry, TooManyEntries, UnsuccessSme, UnsuccessSmes};
pub use self::frame::{BadPdu, Frame, Header, InvalidFrame, RawPdu};
pub use self::generic_nack::GenericNack;
pub use self::operation::{Bind, Operation};
pub use self::outbind::Outbind;
pub use self::query_broadcast_sm::{QueryBroadcastSm, QueryBroadcastSmResp};
pub use self::query_sm::{QuerySm, QuerySmResp};
pub use self::replace_sm::{ReplaceSm, ReplaceSmResp};
pub use self::submit_multi::{SubmitMulti, SubmitMultiResp};
pub use self::submit_sm::{SubmitSm, SubmitSmResp};
pub use self::unbind::{Unbind, UnbindResp};

/// A PDU of an operation that neither version has: a vendor's, or one of 3.3.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Unknown {
    /// Its number.
    pub command_id: CommandId,
    /// All that follows the header.
    pub body: Bytes,
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Unknown {
    /// An operation of neither version.
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let vendors = CommandId(u.int_in_range(0x0001_0200..=0x0001_02ff)?);
        let command_id = Some(CommandId(u.arbitrary()?)).filter(|id| id.name().is_none()).unwrap_or(vendors);
        Ok(Self { command_id, body: Bytes::copy_from_slice(u.arbitrary()?) })
    }
}

static NO_TLVS: Tlvs = Tlvs::new();

/// What a decoder returns: a PDU, good or bad, or that inside something else. A PDU is too large to be moved into it from
/// level to level.
pub(crate) trait Outcome {
    fn of(item: Result<Frame, BadPdu>) -> Self;
}

impl Outcome for Result<Frame, BadPdu> {
    #[inline(always)]
    fn of(item: Result<Frame, BadPdu>) -> Self {
        item
    }
}

impl<E> Outcome for Result<Option<Result<Frame, BadPdu>>, E> {
    #[inline(always)]
    fn of(item: Result<Frame, BadPdu>) -> Self {
        Ok(Some(item))
    }
}

/// Declares [`Pdu`] over three groups: the two PDUs that keep a link alive, which are a header and no more and are written
/// in a short cut; others that always have their body; and responses whose body may be absent.
macro_rules! pdus {
    (keep_alive { $($alive:ident,)* } always { $($pdu:ident,)* } optional { $($response:ident,)* }) => {
        pdus!(@ keep_alive { $($alive,)* } always { $($alive,)* $($pdu,)* } optional { $($response,)* });
    };
    (@ keep_alive { $($alive:ident,)* } always { $($pdu:ident,)* } optional { $($response:ident,)* }) => {
        /// Any PDU.
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[non_exhaustive]
        pub enum Pdu {
            $(#[doc = concat!("See [`", stringify!($pdu), "`].")] $pdu($pdu),)*
            $(#[doc = concat!("See [`", stringify!($response), "`]. None if the body is absent.")]
            $response(Option<$response>),)*
            /// An operation that is not known.
            Unknown(Unknown),
        }

        impl Pdu {
            /// Reads the PDU whose header was taken off the buffer and whose body is whole, and takes that off too.
            #[inline(always)]
            pub(crate) fn next<O: Outcome>(
                command_id: CommandId,
                header: Header,
                buffer: &mut BytesMut,
                length: usize,
                limits: &Limits,
                counts: &mut LeniencyCounts,
            ) -> O {
                let mut body;
                let source = match command_id.is_response() {
                    true => Source::Buffer(buffer),
                    false => {
                        body = buffer.split_to(length);
                        Source::Split(&mut body)
                    }
                };
                Self::read(header, &mut Incoming { command_id, length, source, limits, used: Leniencies::NONE, counts })
            }

            /// Reads the body. Each arm has fields of its own, which are moved once: into what is returned.
            #[inline(never)]
            pub(crate) fn read<O: Outcome>(header: Header, incoming: &mut Incoming<'_>) -> O {
                if !header.is_in_order(incoming.command_id)
                    && let Err(refused) = check_header(header, incoming)
                {
                    return bad(header, incoming, refused);
                }
                match incoming.command_id {
                    id if id.is_broadcast() && !incoming.limits.is_5_0() => unknown(header, incoming),
                    $($pdu::COMMAND_ID => $pdu::read(
                        incoming,
                        |_, _| Some(()),
                        |pdu, rest| O::of(Ok(Frame { header, pdu: Self::$pdu(pdu), rest })),
                        |incoming, refused| bad(header, incoming, refused),
                    ),)*
                    $($response::COMMAND_ID => match incoming.length {
                        0 => absent(header, incoming, Self::$response(None)),
                        _ => $response::read(
                            incoming,
                            |reader, slices| check_status(header, reader, slices),
                            |response, rest| O::of(Ok(Frame { header, pdu: Self::$response(Some(response)), rest })),
                            |incoming, refused| broken(header, incoming, refused, Self::$response(None)),
                        ),
                    },)*
                    _ => unknown(header, incoming),
                }
            }

            /// Appends the PDU, if it has no more octets than the limit.
            #[inline(always)]
            pub(crate) fn write(&self, header: Header, rest: &Octets, dst: &mut BytesMut, limit: u32) -> Result<(), EncodeError> {
                match self {
                    $(Self::$alive(pdu) if pdu.tlvs.is_empty() && rest.is_empty() => {
                        dst.put_slice(&header_of($alive::COMMAND_ID, header, 0, &[], limit)?);
                        Ok(())
                    })*
                    _ => self.write_any(header, rest, dst, limit),
                }
            }

            #[inline(never)]
            fn write_any(&self, header: Header, rest: &[u8], dst: &mut BytesMut, limit: u32) -> Result<(), EncodeError> {
                match self {
                    $(Self::$pdu(pdu) => put(pdu, header, rest, dst, limit),)*
                    $(Self::$response(Some(response)) => put(response, header, rest, dst, limit),)*
                    Self::Unknown(unknown) => {
                        let Unknown { command_id, body } = unknown;
                        dst.put_slice(&header_of(*command_id, header, body.len(), rest, limit)?);
                        put_octets(dst, body);
                        put_octets(dst, rest);
                        Ok(())
                    }
                    $(Self::$response(None))|* => {
                        dst.put_slice(&header_of(self.command_id(), header, 0, rest, limit)?);
                        put_octets(dst, rest);
                        Ok(())
                    }
                }
            }

            /// How many octets the body has.
            #[inline]
            pub(crate) fn length(&self) -> usize {
                match self {
                    $(Self::$pdu(pdu) => length_of(pdu),)*
                    $(Self::$response(response) => response.as_ref().map_or(0, length_of),)*
                    Self::Unknown(unknown) => unknown.body.len(),
                }
            }

            /// The operation.
            pub fn command_id(&self) -> CommandId {
                match self {
                    $(Self::$pdu(_) => $pdu::COMMAND_ID,)*
                    $(Self::$response(_) => $response::COMMAND_ID,)*
                    Self::Unknown(unknown) => unknown.command_id,
                }
            }

            /// The mandatory fields by the specification's names, in wire order; none if the body is absent or the
            /// operation is not known. Secrets are marked as such.
            pub fn fields(&self) -> Vec<FieldValue<'_>> {
                match self {
                    $(Self::$pdu(pdu) => pdu.fields(),)*
                    $(Self::$response(response) => response.as_ref().map(Wire::fields).unwrap_or_default(),)*
                    Self::Unknown(_) => Vec::new(),
                }
            }

            /// The TLVs.
            pub fn tlvs(&self) -> &Tlvs {
                match self {
                    $(Self::$pdu(pdu) => &pdu.tlvs,)*
                    $(Self::$response(response) => response.as_ref().map_or(&NO_TLVS, |response| &response.tlvs),)*
                    Self::Unknown(_) => &NO_TLVS,
                }
            }

            /// Whether the body is there: false for a response whose body is absent.
            pub fn has_body(&self) -> bool {
                !matches!(self, $(Self::$response(None))|*)
            }

            /// The response with no body.
            pub(crate) fn without_body(command_id: CommandId) -> Option<Self> {
                match command_id {
                    $($pdu::COMMAND_ID => Some($pdu::default().into()),)*
                    $($response::COMMAND_ID => Some(Self::$response(None)),)*
                    _ => None,
                }
            }
        }

        $(impl From<$pdu> for Pdu {
            fn from(pdu: $pdu) -> Self {
                Self::$pdu(pdu)
            }
        })*

        $(impl From<$response> for Pdu {
            fn from(response: $response) -> Self {
                Self::$response(Some(response))
            }
        })*
    };
}

pdus! {
    keep_alive {
        EnquireLink,
        EnquireLinkResp,
    }
    always {
        SubmitSm,
        DeliverSm,
        DataSm,
        GenericNack,
        Unbind,
        UnbindResp,
        CancelSmResp,
        ReplaceSmResp,
        CancelBroadcastSmResp,
        BindReceiver,
        BindTransmitter,
        BindTransceiver,
        Outbind,
        SubmitMulti,
        QuerySm,
        CancelSm,
        ReplaceSm,
        AlertNotification,
        BroadcastSm,
        QueryBroadcastSm,
        CancelBroadcastSm,
    }
    optional {
        SubmitSmResp,
        DeliverSmResp,
        DataSmResp,
        BindReceiverResp,
        BindTransmitterResp,
        BindTransceiverResp,
        SubmitMultiResp,
        QuerySmResp,
        BroadcastSmResp,
        QueryBroadcastSmResp,
    }
}

impl Pdu {
    /// The specification's name, such as `submit_sm`.
    pub fn name(&self) -> &'static str {
        self.command_id().name().unwrap_or("unknown")
    }
}

impl Pdu {
    /// Checks what a version allows less of than this crate holds: below 5.0 there are no broadcast operations, and 254
    /// is the most for octets of short_message and for destinations.
    ///
    /// # Errors
    ///
    /// The field that is beyond the version.
    pub fn check_version(&self, version: InterfaceVersion) -> Result<(), EncodeError> {
        let error = |field, problem| Err(EncodeError { message: self.name(), field, problem });
        if version >= InterfaceVersion::V5_0 {
            return Ok(());
        }
        if self.command_id().is_broadcast() {
            return error(None, EncodeProblem::NotInVersion);
        }
        let (length, destinations) = match self {
            Self::SubmitSm(pdu) => (pdu.short_message.len(), 0),
            Self::DeliverSm(pdu) => (pdu.short_message.len(), 0),
            Self::ReplaceSm(pdu) => (pdu.short_message.len(), 0),
            Self::SubmitMulti(pdu) => (pdu.short_message.len(), pdu.destinations.len()),
            _ => return Ok(()),
        };
        let max = ShortMessage::MAX_LENGTH_34;
        match (length > max, destinations > max) {
            (true, _) => error(Some("short_message"), EncodeProblem::AboveVersion { length, max }),
            (_, true) => error(Some("number_of_dests"), EncodeProblem::AboveVersion { length: destinations, max }),
            _ => Ok(()),
        }
    }
}

impl Pdu {
    /// A PDU that keeps a link alive and is a header and no more.
    #[inline(always)]
    pub(crate) fn alive<O: Outcome>(is_response: bool, sequence_number: u32) -> O {
        let header = Header { command_status: CommandStatus::ROK, sequence_number };
        match is_response {
            true => {
                O::of(Ok(Frame { header, pdu: Self::EnquireLinkResp(Default::default()), rest: Default::default() }))
            }
            false => O::of(Ok(Frame { header, pdu: Self::EnquireLink(Default::default()), rest: Default::default() })),
        }
    }
}

impl Default for Pdu {
    fn default() -> Self {
        GenericNack::default().into()
    }
}

impl From<Unknown> for Pdu {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

/// Appends a PDU: its header and fields in one piece, text and TLVs, and what is left over.
#[inline(always)]
fn put<T: Body>(pdu: &T, header: Header, rest: &[u8], dst: &mut BytesMut, limit: u32) -> Result<(), EncodeError> {
    let (fields, behind) = pdu.lengths();
    let header = header_of(T::COMMAND_ID, header, fields.saturating_add(behind), rest, limit)?;
    if fields == 0 {
        dst.put_slice(&header);
    } else {
        append(dst, HEADER.saturating_add(fields), |room| {
            room.array(header);
            pdu.write(room);
        });
    }
    pdu.put_behind(dst);
    put_octets(dst, rest);
    Ok(())
}

/// How many octets the body of a PDU has.
#[inline(always)]
fn length_of<T: Body>(pdu: &T) -> usize {
    let (fields, behind) = pdu.lengths();
    fields.saturating_add(behind)
}

/// The header of a PDU that has no more octets than the limit.
#[inline(always)]
fn header_of(
    command_id: CommandId,
    header: Header,
    body: usize,
    rest: &[u8],
    limit: u32,
) -> Result<[u8; HEADER], EncodeError> {
    let Header { command_status, sequence_number } = header;
    let length = HEADER.saturating_add(body).saturating_add(rest.len());
    match u32::try_from(length) {
        Ok(command_length) if command_length <= limit => {
            Ok(header_octets([command_length, command_id.0, command_status.0, sequence_number]))
        }
        _ => {
            let problem = EncodeProblem::PduTooLong { length, limit: limit.try_into().unwrap_or(usize::MAX) };
            Err(EncodeError { message: command_id.name().unwrap_or("unknown"), field: None, problem })
        }
    }
}

/// An operation that is not known, or not in this version.
#[cold]
fn unknown<O: Outcome>(header: Header, incoming: &mut Incoming<'_>) -> O {
    let mut reader = incoming.reader();
    match forgive(&mut reader, None, "command_id", Leniency::UnknownCommand, DecodeProblem::UnknownCommand) {
        Some(()) => {
            let used = reader.used();
            let unknown = Unknown { command_id: incoming.command_id, body: incoming.take_body(used) };
            O::of(Ok(Frame { header, pdu: unknown.into(), rest: Octets::EMPTY }))
        }
        None => {
            let refused = reader.refused();
            bad(header, incoming, refused)
        }
    }
}

#[cold]
fn bad<O: Outcome>(header: Header, incoming: &mut Incoming<'_>, refused: Refused) -> O {
    let Refused { error, used } = refused;
    O::of(Err(BadPdu { command_id: incoming.command_id, header, body: incoming.take_body(used), error }))
}

/// A response of no octets.
fn absent<O: Outcome>(header: Header, incoming: &mut Incoming<'_>, pdu: Pdu) -> O {
    let mut reader = incoming.reader();
    let name = incoming.command_id.name();
    if header.command_status.is_ok()
        && forgive(&mut reader, name, "message_id", Leniency::MissingBody, DecodeProblem::NoBody).is_none()
    {
        let refused = reader.refused();
        return bad(header, incoming, refused);
    }
    let used = reader.used();
    O::of(Ok(Frame { header, pdu, rest: incoming.take_body(used).into() }))
}

/// A response whose body is bad: the body is absent then, if that is forgiven, and its octets are left over.
#[cold]
fn broken<O: Outcome>(header: Header, incoming: &mut Incoming<'_>, refused: Refused, pdu: Pdu) -> O {
    let mut reader = incoming.reader();
    let problem = refused.error.problem;
    if problem == DecodeProblem::UnexpectedBody || reader.forgive(Leniency::BrokenResponseBody, problem).is_err() {
        return bad(header, incoming, refused);
    }
    let used = reader.used();
    O::of(Ok(Frame { header, pdu, rest: incoming.take_body(used).into() }))
}

/// Whether a response has no body where its status is an error. One that is there for its TLVs says more about it.
#[inline(always)]
fn check_status(header: Header, reader: &mut Reader<'_>, slices: &Slices) -> Option<()> {
    if header.command_status.is_ok() || !slices.tlvs.is_empty() {
        return Some(());
    }
    let name = reader.command_id().name();
    forgive(reader, name, "command_status", Leniency::BodyDespiteError, DecodeProblem::UnexpectedBody)
}

/// What is odd about a header and not about its body.
#[cold]
fn check_header(header: Header, incoming: &mut Incoming<'_>) -> Result<(), Refused> {
    let (command_id, name) = (incoming.command_id, incoming.command_id.name());
    let mut reader = incoming.reader();
    let is_forgiven = (header.number_is_in_range(command_id)
        || forgive(&mut reader, name, "sequence_number", Leniency::SequenceNumber, DecodeProblem::SequenceNumber)
            .is_some())
        && (header.status_is_in_place(command_id)
            || forgive(&mut reader, name, "command_status", Leniency::StatusInRequest, DecodeProblem::StatusInRequest)
                .is_some());
    if !is_forgiven {
        return Err(reader.refused());
    }
    let used = reader.used();
    incoming.used = used;
    Ok(())
}

/// Forgives what is wrong with a header or a whole body, or refuses it.
#[cold]
fn forgive(
    reader: &mut Reader<'_>,
    message: Option<&'static str>,
    field: &'static str,
    leniency: Leniency,
    problem: DecodeProblem,
) -> Option<()> {
    let offset = match field {
        "command_id" => 4,
        "command_status" => 8,
        "sequence_number" => 12,
        _ => HEADER,
    };
    let forgiven = reader.forgive(leniency, problem).is_ok();
    if !forgiven {
        reader.refuse(DecodeError { message, field: Some(field), offset, problem });
    }
    forgiven.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Limits;
    use crate::pdu::known_answer::encoded;

    #[cfg(feature = "arbitrary")]
    #[test]
    fn any_pdu_is_read_as_it_was_written() {
        proptest::proptest!(|(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600))| {
            let mut source = arbitrary::Unstructured::new(&octets);
            let (header, pdu): (Header, Pdu) = arbitrary::Arbitrary::arbitrary(&mut source).unwrap();
            let frame = Frame { header, pdu, rest: Octets::EMPTY };
            proptest::prop_assert_eq!(Frame::decode(encoded(&frame).freeze(), &Limits::esme()), Ok(frame));
        });
    }

    proptest::proptest! {
        /// Whatever is accepted is written as it came; whatever is refused keeps its octets.
        #[test]
        fn any_octets_come_back(
            id in 0usize..40,
            status in 0u32..2,
            body in proptest::collection::vec(proptest::prop_oneof![proptest::strategy::Just(0), 0u8..40], 0..80),
            more in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..12),
        ) {
            let ids = (0..0x114).chain(0x8000_0000..0x8000_0114).map(CommandId);
            let id = ids.filter(|id| id.name().is_some()).nth(id).unwrap_or(CommandId(0x22));
            let body: Bytes = [body, more].concat().into();
            let raw = RawPdu { command_id: id, header: Header { command_status: status.into(), sequence_number: 1 }, body };
            for limits in [Limits::esme(), Limits::message_centre(), Limits::strict()] {
                match raw.clone().decode(&limits) {
                    Ok(frame) => proptest::prop_assert_eq!(RawPdu::new(encoded(&frame).freeze()), Ok(raw.clone())),
                    Err(bad) => proptest::prop_assert_eq!(bad.into_raw(), raw.clone()),
                }
            }
        }
    }

    #[test]
    fn a_3_4_link_refuses_what_5_0_added() {
        let message = SubmitSm { short_message: ShortMessage::new(vec![0; 255]).unwrap(), ..Default::default() };
        let pdu = Pdu::from(message);
        assert_eq!(pdu.check_version(InterfaceVersion::V5_0), Ok(()));
        let error = pdu.check_version(InterfaceVersion::V3_4).unwrap_err();
        assert_eq!(error.field, Some("short_message"));
        assert_eq!(error.problem, EncodeProblem::AboveVersion { length: 255, max: 254 });
        let error = Pdu::from(BroadcastSm::default()).check_version(InterfaceVersion::V3_4).unwrap_err();
        assert_eq!(error.problem, EncodeProblem::NotInVersion);
    }
}
