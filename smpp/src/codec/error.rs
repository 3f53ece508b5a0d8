use thiserror::Error;

use crate::types::{CommandStatus, InvalidTime};

/// A PDU whose body is not what it should be.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{}{}at octet {offset}: {problem}", Name(*message), Name(*field))]
#[non_exhaustive]
pub struct DecodeError {
    /// The specification's name of the PDU, such as `submit_sm`.
    pub message: Option<&'static str>,
    /// The specification's name of the field.
    pub field: Option<&'static str>,
    /// Where in the PDU, in octets from the first of its header.
    pub offset: usize,
    /// What is wrong there.
    pub problem: DecodeProblem,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// The PDU ends before this field, or inside it.
    #[error("the PDU ends before this field is whole")]
    Cut,
    /// A string without the NUL that ends it.
    #[error("no NUL ends the string")]
    Unterminated,
    /// A string beyond what the specification allows, or beyond the bound up to which one is kept.
    #[error("the string is longer than {max} octets")]
    TooLong {
        /// Most octets of text, the NUL not counted.
        max: usize,
    },
    /// Octets that are not ASCII. Strict decoding only.
    #[error("the string is not ASCII")]
    NotAscii,
    /// A time that cannot be read.
    #[error("not a time: {0}")]
    Time(#[from] InvalidTime),
    /// sm_length says more octets than there are.
    #[error("sm_length says {length}, and {left} octets are left")]
    MessageCut {
        /// sm_length.
        length: usize,
        /// Octets that are left.
        left: usize,
    },
    /// sm_length is above the version's maximum.
    #[error("sm_length says {length}; the most is {max}")]
    MessageTooLong {
        /// sm_length.
        length: usize,
        /// The version's maximum.
        max: usize,
    },
    /// A number of destinations that the version does not allow.
    #[error("{count} destinations; 1 to {max} are possible")]
    DestinationCount {
        /// number_of_dests.
        count: u8,
        /// The version's maximum.
        max: u8,
    },
    /// dest_flag is neither 1 nor 2.
    #[error("dest_flag {0} is neither an SME address nor a distribution list")]
    DestFlag(u8),
    /// One to three octets behind the last TLV.
    #[error("{left} octets behind the last TLV")]
    TlvHeaderCut {
        /// Their number.
        left: usize,
    },
    /// A TLV that is longer than what is left.
    #[error("TLV {tag:#06x} says {length} octets, and {left} are left")]
    TlvCut {
        /// Its tag.
        tag: u16,
        /// Its length.
        length: usize,
        /// Octets that are left behind its header.
        left: usize,
    },
    /// More TLVs than are read.
    #[error("more than {max} TLVs")]
    TooManyTlvs {
        /// Most that are read.
        max: usize,
    },
    /// A TLV of a known tag with a length that the tag does not have.
    #[error("TLV {tag:#06x} has {length} octets, which its type does not")]
    TlvLength {
        /// Its tag.
        tag: u16,
        /// Its length.
        length: usize,
    },
    /// A TLV whose text has no NUL at its end, or one before. Strict decoding only.
    #[error("TLV {tag:#06x} does not hold one string with its NUL")]
    TlvText {
        /// Its tag.
        tag: u16,
    },
    /// A TLV that this PDU does not have. Strict decoding only.
    #[error("TLV {tag:#06x} does not belong here")]
    TlvNotAllowed {
        /// Its tag.
        tag: u16,
    },
    /// A value that the specification reserves. Strict decoding only.
    #[error("{0} is a reserved value")]
    Reserved(u8),
    /// Octets behind the last field of a PDU. Strict decoding only.
    #[error("{count} octets more than the PDU has")]
    ExtraOctets {
        /// Their number.
        count: usize,
    },
    /// A response without its body although its status is 0. Strict decoding only.
    #[error("the body is missing")]
    NoBody,
    /// A response with a body although its status is not 0. Strict decoding only.
    #[error("a body although the status is an error")]
    UnexpectedBody,
    /// A request whose command_status is not 0. Strict decoding only.
    #[error("a request has command_status 0")]
    StatusInRequest,
    /// A sequence_number outside 1 to 0x7FFF_FFFF. Strict decoding only.
    #[error("sequence_number is outside 1 to 0x7fffffff")]
    SequenceNumber,
    /// A command_id that is in neither version. Strict decoding only.
    #[error("command_id is not known")]
    UnknownCommand,
}

impl DecodeError {
    /// The command_status with which a request of this fault is answered.
    ///
    /// Whether an answer is due at all is another matter: nothing answers a response, an outbind, or an
    /// alert_notification. See [`BadPdu::answer`](crate::pdu::BadPdu::answer).
    pub fn command_status(&self) -> CommandStatus {
        match self.problem {
            DecodeProblem::TooLong { .. }
            | DecodeProblem::NotAscii
            | DecodeProblem::Time(_)
            | DecodeProblem::Reserved(_) => self.field.map_or(CommandStatus::RINVCMDLEN, status_of_field),
            DecodeProblem::MessageCut { .. } | DecodeProblem::MessageTooLong { .. } => CommandStatus::RINVMSGLEN,
            DecodeProblem::DestinationCount { .. } => CommandStatus::RINVNUMDESTS,
            DecodeProblem::DestFlag(_) => CommandStatus::RINVDESTFLAG,
            DecodeProblem::TlvHeaderCut { .. } | DecodeProblem::TlvCut { .. } | DecodeProblem::TooManyTlvs { .. } => {
                CommandStatus::RINVTLVSTREAM
            }
            DecodeProblem::TlvLength { .. } | DecodeProblem::TlvText { .. } => CommandStatus::RINVTLVLEN,
            DecodeProblem::TlvNotAllowed { .. } => CommandStatus::RTLVNOTALLWD,
            DecodeProblem::UnknownCommand => CommandStatus::RINVCMDID,
            DecodeProblem::Cut
            | DecodeProblem::Unterminated
            | DecodeProblem::ExtraOctets { .. }
            | DecodeProblem::NoBody
            | DecodeProblem::UnexpectedBody
            | DecodeProblem::StatusInRequest
            | DecodeProblem::SequenceNumber => CommandStatus::RINVCMDLEN,
        }
    }
}

/// The status that says which field has a bad value. There is none for address_range but that the bind failed.
fn status_of_field(field: &str) -> CommandStatus {
    match field {
        "system_id" => CommandStatus::RINVSYSID,
        "password" => CommandStatus::RINVPASWD,
        "system_type" => CommandStatus::RINVSYSTYP,
        "address_range" | "addr_ton" | "addr_npi" => CommandStatus::RBINDFAIL,
        "service_type" => CommandStatus::RINVSERTYP,
        "source_addr" => CommandStatus::RINVSRCADR,
        "source_addr_ton" => CommandStatus::RINVSRCTON,
        "source_addr_npi" => CommandStatus::RINVSRCNPI,
        "destination_addr" => CommandStatus::RINVDSTADR,
        "dest_addr_ton" => CommandStatus::RINVDSTTON,
        "dest_addr_npi" => CommandStatus::RINVDSTNPI,
        "dl_name" => CommandStatus::RINVDLNAME,
        "schedule_delivery_time" => CommandStatus::RINVSCHED,
        "validity_period" => CommandStatus::RINVEXPIRY,
        "message_id" => CommandStatus::RINVMSGID,
        _ => CommandStatus::RINVCMDLEN,
    }
}

/// A PDU that cannot be written. Nothing of it was written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{message}{}{}: {problem}", if field.is_some() { "." } else { "" }, field.unwrap_or_default())]
#[non_exhaustive]
pub struct EncodeError {
    /// The specification's name of the PDU.
    pub message: &'static str,
    /// The specification's name of the field, if it is one field's fault.
    pub field: Option<&'static str>,
    /// What is wrong there.
    pub problem: EncodeProblem,
}

/// Why a PDU cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncodeProblem {
    /// The PDU would be longer than the limit.
    #[error("the PDU would have {length} octets; the limit is {limit}")]
    PduTooLong {
        /// Octets of the whole PDU.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// More than the link's version allows: 255 octets of short_message or 255 destinations are for 5.0.
    #[error("{length} is above {max}, the most in this version")]
    AboveVersion {
        /// What there is.
        length: usize,
        /// The version's maximum.
        max: usize,
    },
    /// The link's version does not have this operation, or this field: 3.3 has no TLVs.
    #[error("the version of the link does not have it")]
    NotInVersion,
}

/// A name and the separator behind it, or nothing.
struct Name(Option<&'static str>);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => write!(f, "{name} "),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_what() {
        let problem = DecodeProblem::TooLong { max: 20 };
        let error = DecodeError { message: Some("submit_sm"), field: Some("source_addr"), offset: 19, problem };
        assert_eq!(error.to_string(), "submit_sm source_addr at octet 19: the string is longer than 20 octets");
        assert_eq!(error.command_status(), CommandStatus::RINVSRCADR);
        let error = EncodeError {
            message: "submit_sm",
            field: Some("short_message"),
            problem: EncodeProblem::AboveVersion { length: 255, max: 254 },
        };
        assert_eq!(error.to_string(), "submit_sm.short_message: 255 is above 254, the most in this version");
    }
}
