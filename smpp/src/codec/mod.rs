//! Bodies as fields: how a PDU's struct becomes octets, and back.
//!
//! A body is its mandatory fields, one behind the other, and then TLVs. What a decoder forgives is in [`Limits`], each
//! [`Leniency`] by its name.

mod error;
mod field;
mod leniency;
mod limits;
mod primitives;

use bytes::BytesMut;

pub use self::error::{DecodeError, DecodeProblem, EncodeError, EncodeProblem};
pub(crate) use self::field::{Field, address_parts};
pub use self::field::{FieldValue, Value};
pub use self::leniency::{Leniencies, Leniency, LeniencyCounts};
pub use self::limits::Limits;
pub(crate) use self::primitives::{Fault, HEADER, Reader, command_length, header, put_header, put_tlv, tlv};
use crate::types::CommandId;

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
    /// Reads it into a default value, where that stands; none if it is bad, and the reader then knows why.
    fn read(&mut self, reader: &mut Reader<'_>) -> Option<()>;

    /// Octets of the body.
    fn length(&self) -> usize;

    /// Appends exactly [`length`](Self::length) octets.
    fn write(&self, dst: &mut BytesMut);
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
            fn read(&mut self, reader: &mut $crate::codec::Reader<'_>) -> Option<()> {
                let Self { $($field),* } = self;
                $(reader.field::<Self, _>(stringify!($field), $field)?;)*
                Some(())
            }

            #[inline]
            fn length(&self) -> usize {
                0usize$(.saturating_add($crate::codec::Field::length(&self.$field)))*
            }

            #[inline]
            fn write(&self, dst: &mut bytes::BytesMut) {
                $($crate::codec::Field::write(&self.$field, dst);)*
            }
        }
    };
}

pub(crate) use wire;
