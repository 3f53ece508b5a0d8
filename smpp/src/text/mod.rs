//! Message text: alphabets, the choice of one, long messages cut and put together.
//!
//! Octets are read as text by a [`Codings`], which knows what data_coding means on a link; [`TextOptions::compose`]
//! goes the other way, from a text to the user data of one or more PDUs. [`Body`] says where in a PDU the text is, and
//! [`Reassembler`] collects the parts of long messages.

mod body;
mod charset;
mod codings;
mod compose;
mod gsm;
mod long_message;
mod reassembly;
mod segment;
mod transliterate;
mod udh;

pub use self::body::{Body, BodySource};
pub use self::charset::{Charset, Decoded, Unencodable};
pub use self::codings::{Codings, Packing};
pub use self::compose::{ComposeError, Composed, TextOptions};
pub use self::gsm::{Gsm7, Language, pack, unpack};
pub use self::long_message::{HeldPart, LongMessage, Part};
pub use self::reassembly::{AbandonReason, Abandoned, Insertion, Outcome, Reassembler, ReassemblyLimits};
pub use self::segment::{LongMessages, Segment};
pub use self::transliterate::transliterate;
pub use self::udh::{Concatenation, ConcatenationKind, Element, InvalidUdh, UdhTooLong, UserDataHeader};
