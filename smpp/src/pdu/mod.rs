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
    Body, DecodeError, DecodeProblem, EncodeError, EncodeProblem, FieldValue, HEADER, Leniency, Reader, Wire,
};
use crate::tlv::Tlvs;
use crate::types::{CommandId, CommandStatus, InterfaceVersion, ShortMessage};

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

/// Declares [`Pdu`] over three groups: PDUs that always have their body, responses whose body may be absent, and
/// responses that are a header and, at most, TLVs.
macro_rules! pdus {
    (always { $($pdu:ident,)* } optional { $($response:ident,)* }) => {
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
            /// Reads a PDU into an empty slot, each kind built where it is to stand. None if it is bad, and the reader
            /// then knows why.
            #[inline(always)]
            pub(crate) fn read(reader: &mut Reader<'_>, header: Header, slot: &mut Slot) -> Option<()> {
                match reader.command_id() {
                    id if id.is_broadcast() && !reader.limits().is_5_0() => {
                        place(slot, header, unknown(reader)?.into())?;
                    }
                    $($pdu::COMMAND_ID => {
                        if let Self::$pdu(pdu) = place(slot, header, Self::$pdu($pdu::default()))? {
                            pdu.read(reader)?;
                        }
                    })*
                    $($response::COMMAND_ID => {
                        if let Self::$response(response) = place(slot, header, Self::$response(None))? {
                            read_response(response, reader)?;
                            let bare = response.as_ref().map(|response| response.tlvs.is_empty());
                            check_presence(reader, header.command_status, bare)?;
                        }
                    })*
                    _ => {
                        place(slot, header, unknown(reader)?.into())?;
                    }
                }
                Some(())
            }

            /// Octets of the body.
            #[inline]
            pub(crate) fn body_length(&self) -> usize {
                match self {
                    $(Self::$pdu(pdu) => pdu.length(),)*
                    $(Self::$response(response) => response.as_ref().map_or(0, Body::length),)*
                    Self::Unknown(unknown) => unknown.body.len(),
                }
            }

            #[inline]
            pub(crate) fn write_body(&self, dst: &mut BytesMut) {
                match self {
                    $(Self::$pdu(pdu) => pdu.write(dst),)*
                    $(Self::$response(Some(response)) => response.write(dst),
                    Self::$response(None) => {})*
                    Self::Unknown(unknown) => dst.put_slice(&unknown.body),
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
    always {
        SubmitSm,
        DeliverSm,
        DataSm,
        EnquireLink,
        EnquireLinkResp,
        GenericNack,
        BindReceiver,
        BindTransmitter,
        BindTransceiver,
        Outbind,
        Unbind,
        UnbindResp,
        SubmitMulti,
        QuerySm,
        CancelSm,
        CancelSmResp,
        ReplaceSm,
        ReplaceSmResp,
        AlertNotification,
        BroadcastSm,
        QueryBroadcastSm,
        CancelBroadcastSm,
        CancelBroadcastSmResp,
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

/// Where an item of a stream is to stand.
pub(crate) type Slot = Option<Result<Frame, BadPdu>>;

/// Puts a frame into an empty slot, and gives the PDU in it.
#[inline(always)]
fn place(slot: &mut Slot, header: Header, pdu: Pdu) -> Option<&mut Pdu> {
    let frame = slot.insert(Ok(Frame { header, pdu, rest: Bytes::new() }));
    frame.as_mut().ok().map(|frame| &mut frame.pdu)
}

#[cold]
fn unknown(reader: &mut Reader<'_>) -> Option<Unknown> {
    forgive(reader, None, "command_id", Leniency::UnknownCommand, DecodeProblem::UnknownCommand)?;
    Some(Unknown { command_id: reader.command_id(), body: reader.take_remainder() })
}

/// The body of a response: absent if there is none, or if it does not parse and that is forgiven.
#[inline(always)]
fn read_response<T: Body + Default>(response: &mut Option<T>, reader: &mut Reader<'_>) -> Option<()> {
    if reader.left() == 0 {
        return Some(());
    }
    let before = reader.mark();
    if response.insert(T::default()).read(reader).is_none() {
        *response = None;
        let error = reader.take_error();
        reader.reset(before);
        if reader.forgive(Leniency::BrokenResponseBody, error.problem).is_err() {
            reader.refuse(error);
            return None;
        }
    }
    Some(())
}

/// Whether a response has a body where it should: `bare` says that it has one, and whether it is without TLVs. A body
/// that is there for its TLVs says more about an error.
#[inline(always)]
fn check_presence(reader: &mut Reader<'_>, status: CommandStatus, bare: Option<bool>) -> Option<()> {
    let name = reader.command_id().name();
    match bare {
        None if status.is_ok() && reader.left() == 0 => {
            forgive(reader, name, "message_id", Leniency::MissingBody, DecodeProblem::NoBody)
        }
        Some(true) if !status.is_ok() => {
            forgive(reader, name, "command_status", Leniency::BodyDespiteError, DecodeProblem::UnexpectedBody)
        }
        _ => Some(()),
    }
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
            let frame = Frame { header, pdu, rest: Bytes::new() };
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
