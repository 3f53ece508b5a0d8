//! Lines as fields: how a command's struct becomes one line, and back.
//!
//! A line is `SSMI`, the command's id, and its fields, with commas between and a carriage return at the end. Nothing
//! can be escaped. A command of *n* fields is cut at the first *n* - 1 commas behind the id, so its last field keeps
//! whatever commas it has.

mod error;
mod primitives;

pub use self::error::{DecodeError, DecodeProblem, EncodeError, EncodeProblem};
pub(crate) use self::primitives::{Fields, HEADER, TERMINATOR, find, write_line};

/// Longest line, in octets, the carriage return not counted. The clients in the field close the connection above it.
pub const MAX_LINE: usize = 16_384;

/// A command: a struct whose fields stand on the wire in the order of [`FIELDS`](Wire::FIELDS).
///
/// Implemented by the wire line beside each struct; not to be implemented elsewhere.
pub trait Wire: Sized + private::Sealed {
    /// The id, in the direction that the command is sent.
    const ID: &'static str;
    /// Name of the command in capitals, for logs and errors.
    const NAME: &'static str;
    /// Names of its fields, in wire order.
    const FIELDS: &'static [&'static str];

    /// The fields in wire order: name and octets, secrets included.
    fn fields(&self) -> impl AsRef<[(&'static str, &[u8])]>;
}

/// Whether a field of this name must not be shown.
pub fn is_secret(field: &str) -> bool {
    field == "password"
}

/// Reads the fields of one command.
pub(crate) trait Parse: Wire {
    fn parse(fields: Fields<'_>) -> Result<Self, DecodeError>;
}

pub(crate) mod private {
    pub trait Sealed {}
}

/// Writes the wire form of a command: its id, its name, its struct, and the fields in wire order.
///
/// A field whose name on the wire is a word of Rust says so: `ussd_type = "type"`. To forget a field is a compile
/// error.
macro_rules! wire {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
    ($id:literal $name:ident => $command:ident { $($field:ident $(= $wire:literal)?),* }) => {
        impl $crate::codec::private::Sealed for $command {}

        impl $crate::codec::Wire for $command {
            const ID: &'static str = $id;
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [&'static str] = &[$(wire!(@name $field $($wire)?)),*];

            fn fields(&self) -> impl AsRef<[(&'static str, &[u8])]> {
                let fields: [(&'static str, &[u8]); <Self as $crate::codec::Wire>::FIELDS.len()] =
                    [$((wire!(@name $field $($wire)?), self.$field.as_ref())),*];
                fields
            }
        }

        impl $crate::codec::Parse for $command {
            #[allow(unused_mut, reason = "some commands have no fields")]
            fn parse(mut fields: $crate::codec::Fields<'_>) -> Result<Self, $crate::codec::DecodeError> {
                fields.begin::<Self>();
                Ok(Self { $($field: fields.next(wire!(@name $field $($wire)?))?.into()),* })
            }
        }
    };
}

pub(crate) use wire;
