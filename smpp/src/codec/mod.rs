//! Bodies as fields: how a PDU's struct becomes octets, and back.
//!
//! A body is its mandatory fields, one behind the other, and then TLVs. What a decoder forgives is in [`Limits`], each
//! [`Leniency`] by its name.

mod error;
mod field;
mod incoming;
mod leniency;
mod limits;
mod primitives;
mod room;

use bytes::BytesMut;

pub use self::error::{DecodeError, DecodeProblem, EncodeError, EncodeProblem};
pub(crate) use self::field::{Field, address_parts};
pub use self::field::{FieldValue, Value};
pub(crate) use self::incoming::{Incoming, Refused, SliceCutter, Slices, Source};
pub use self::leniency::{Leniencies, Leniency, LeniencyCounts};
pub use self::limits::Limits;
pub(crate) use self::primitives::{Fault, HEADER, Reader, command_length, header, tlv};
pub(crate) use self::room::{Room, append, header_octets, put_octets, put_tlv};
use crate::types::{CommandId, Octets};

/// A PDU: a struct whose fields stand in the body in the order of its wire line.
///
/// Implemented by the wire line beside each struct; not to be implemented elsewhere.
pub trait Wire: Sized + private::Sealed {
    /// The operation.
    const COMMAND_ID: CommandId;
    /// The specification's name, such as `submit_sm`.
    const NAME: &'static str;

    /// The mandatory fields by the specification's names, in wire order; secrets are marked as such.
    fn fields(&self) -> Vec<FieldValue<'_>>;
}

/// Reads and writes the body of a PDU.
pub(crate) trait Body: Wire {
    /// Reads it field by field, does the `check` that is left, takes it off the source, and hands it to `good` with what
    /// is left over. If it is bad, nothing is taken off. A PDU is too large to be returned here and then moved into what
    /// it is a part of.
    fn read<R>(
        incoming: &mut Incoming<'_>,
        check: impl FnOnce(&mut Reader<'_>, &Slices) -> Option<()>,
        good: impl FnOnce(Self, Octets) -> R,
        bad: impl FnOnce(&mut Incoming<'_>, Refused) -> R,
    ) -> R;

    /// Octets of the fields, and of the text and the TLVs behind them.
    fn lengths(&self) -> (usize, usize);

    /// Writes the fields.
    fn write(&self, room: &mut Room<'_>);

    /// Appends text and TLVs.
    fn put_behind(&self, dst: &mut BytesMut);
}

pub(crate) mod private {
    pub trait Sealed {}
}

/// Writes the wire form of a PDU: its operation, its struct, and the fields in wire order. To forget a field is a
/// compile error.
macro_rules! wire {
    (CommandId::$id:ident => $pdu:ident { $($field:ident),* }) => {
        impl $crate::codec::private::Sealed for $pdu {}

        impl $crate::codec::Wire for $pdu {
            const COMMAND_ID: $crate::types::CommandId = $crate::types::CommandId::$id;
            const NAME: &'static str = match $crate::types::CommandId::$id.name() {
                Some(name) => name,
                None => "",
            };

            fn fields(&self) -> Vec<$crate::codec::FieldValue<'_>> {
                let mut shown = Vec::new();
                $($crate::codec::Field::show(&self.$field, stringify!($field), &mut shown);)*
                shown
            }
        }

        impl $crate::codec::Body for $pdu {
            #[inline(always)]
            fn read<R>(
                incoming: &mut $crate::codec::Incoming<'_>,
                check: impl FnOnce(&mut $crate::codec::Reader<'_>, &$crate::codec::Slices) -> Option<()>,
                good: impl FnOnce(Self, $crate::types::Octets) -> R,
                bad: impl FnOnce(&mut $crate::codec::Incoming<'_>, $crate::codec::Refused) -> R,
            ) -> R {
                let mut reader = incoming.reader();
                let mut slices = $crate::codec::Slices::default();
                $(let mut $field = $crate::codec::Field::EMPTY;)*
                let is_good = 'read: {
                    $(if reader.field::<Self, _>(stringify!($field), &mut $field, &mut slices).is_none() {
                        break 'read false;
                    })*
                    check(&mut reader, &slices).is_some()
                };
                if !is_good {
                    let refused = reader.refused();
                    return bad(incoming, refused);
                }
                slices.rest = reader.rest();
                let used = reader.used();
                let mut cutter = incoming.cutter(slices, used);
                $(let $field = $crate::codec::Field::with_slice($field, &mut cutter);)*
                let rest = cutter.finish();
                good(Self { $($field),* }, rest)
            }

            #[inline(always)]
            fn lengths(&self) -> (usize, usize) {
                let fields = 0usize$(.saturating_add($crate::codec::Field::length(&self.$field)))*;
                let behind = 0usize$(.saturating_add($crate::codec::Field::behind(&self.$field).len()))*;
                (fields, behind)
            }

            #[inline(always)]
            fn put_behind(&self, dst: &mut bytes::BytesMut) {
                $($crate::codec::put_octets(dst, $crate::codec::Field::behind(&self.$field));)*
            }

            #[inline(always)]
            fn write(&self, room: &mut $crate::codec::Room<'_>) {
                $($crate::codec::Field::write(&self.$field, room);)*
            }
        }
    };
}

pub(crate) use wire;
