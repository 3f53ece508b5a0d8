//! The commands of SSMI 1.7.5, one struct each.
//!
//! A number means different things by direction (110, 111 and 600 exist in both), so there are two tables:
//! [`Request`] is what a client sends, [`Response`] what the gateway sends. Most "responses" are events that nobody
//! asked for.

mod request;
mod response;

use crate::types::Octets;

pub use self::request::*;
pub use self::response::*;

/// A command whose id is not in the table: 113, 116, 117 and 118 exist and are not documented, and others may.
///
/// It encodes to the line that it came from. As a way to send what this crate does not know, its id is not checked
/// against the table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unknown {
    /// The id, compared as a string: `03` is not `3`.
    pub id: Octets,
    /// All that follows the comma behind the id; none if there was no comma.
    pub rest: Option<Octets>,
}

/// Declares the enum over the commands of one direction, and its table by id.
macro_rules! commands {
    ($(#[$meta:meta])* $table:ident { $($command:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum $table {
            $(#[doc = concat!("See [`", stringify!($command), "`].")] $command($command),)*
            /// A command that is not in the table.
            Unknown($crate::command::Unknown),
        }

        impl $table {
            /// Reads one line, its carriage return taken off. Fields are slices of it.
            ///
            /// # Errors
            ///
            /// A wrong header, no id, too few fields, a carriage return inside.
            pub fn decode(line: &bytes::Bytes) -> Result<Self, $crate::codec::DecodeError> {
                use $crate::codec::{Parse, Wire};

                let fields = $crate::codec::Fields::new(line)?;
                $(if fields.id() == $command::ID.as_bytes() {
                    return $command::parse(fields).map(Self::$command);
                })*
                let (id, rest) = fields.unknown();
                Ok(Self::Unknown($crate::command::Unknown { id, rest }))
            }

            /// Appends the command as one line, its carriage return included.
            ///
            /// # Errors
            ///
            /// A carriage return in a field, a comma in any but the last, a line over
            /// [`MAX_LINE`]($crate::codec::MAX_LINE); the buffer is then as it was.
            pub fn encode(&self, dst: &mut bytes::BytesMut) -> Result<(), $crate::codec::EncodeError> {
                self.with_fields(|name, id, fields| $crate::codec::write_line(name, id, fields, dst))
            }

            /// The command's name in capitals, such as `USSD_MESSAGE`.
            pub fn name(&self) -> &'static str {
                self.with_fields(|name, _, _| name)
            }

            /// The command's id, as it stands on the wire.
            pub fn id(&self) -> $crate::types::Octets {
                self.with_fields(|_, id, _| $crate::types::Octets::from(id.to_vec()))
            }

            /// Hands name, id and fields (name and octets, in wire order) to `f`.
            pub fn with_fields<T>(&self, f: impl FnOnce(&'static str, &[u8], &[(&'static str, &[u8])]) -> T) -> T {
                use $crate::codec::Wire;

                match self {
                    $(Self::$command(command) => {
                        f($command::NAME, $command::ID.as_bytes(), command.fields().as_ref())
                    })*
                    Self::Unknown(unknown) => {
                        let rest = unknown.rest.as_ref().map(|rest| ("rest", rest.as_slice()));
                        f("UNKNOWN", unknown.id.as_slice(), rest.as_slice())
                    }
                }
            }
        }

        $(impl From<$command> for $table {
            fn from(command: $command) -> Self {
                Self::$command(command)
            }
        })*
    };
}

pub(crate) use commands;

#[cfg(test)]
mod tests;
