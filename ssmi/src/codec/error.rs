use thiserror::Error;

use crate::types::NackType;

/// A line that is not a command.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{}{}at octet {offset}: {problem}", Name(*message), Name(*field))]
#[non_exhaustive]
pub struct DecodeError {
    /// Name of the command, once its id was read.
    pub message: Option<&'static str>,
    /// Name of the field.
    pub field: Option<&'static str>,
    /// Where in the line, in octets.
    pub offset: usize,
    /// What is wrong there.
    pub problem: DecodeProblem,
}

impl DecodeError {
    /// The NACK with which a gateway answers such a line.
    pub fn nack(&self) -> NackType {
        match self.problem {
            DecodeProblem::NoId => NackType::MessageType,
            DecodeProblem::BadHeader | DecodeProblem::CarriageReturn | DecodeProblem::TooFew => NackType::Unparsable,
        }
    }
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// It does not begin with `SSMI`.
    #[error("the line does not begin with SSMI")]
    BadHeader,
    /// A carriage return inside: these are several lines.
    #[error("a carriage return inside the line")]
    CarriageReturn,
    /// It ends after `SSMI`.
    #[error("the line has no command id")]
    NoId,
    /// It ends before this field.
    #[error("the line ends before this field")]
    TooFew,
}

/// A command that cannot be written as one line. Nothing of it was written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{message}.{field} at octet {offset}: {problem}")]
#[non_exhaustive]
pub struct EncodeError {
    /// Name of the command.
    pub message: &'static str,
    /// Name of the field.
    pub field: &'static str,
    /// Where in the field, in octets.
    pub offset: usize,
    /// What is wrong there.
    pub problem: EncodeProblem,
}

/// Why a field cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncodeProblem {
    /// A carriage return would end the line here, and what follows would be read as another command.
    #[error("a carriage return cannot stand in a field")]
    CarriageReturn,
    /// A comma would begin the next field here; there is no way to escape it. Only the last field may have commas.
    #[error("a comma can stand in the last field alone")]
    Comma,
    /// The line would be longer than a peer accepts.
    #[error("the line would be longer than {limit} octets")]
    TooLong {
        /// The longest line, in octets, its carriage return not counted.
        limit: usize,
    },
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
        let error =
            DecodeError { message: Some("DR"), field: Some("ret_code"), offset: 27, problem: DecodeProblem::TooFew };
        assert_eq!(error.to_string(), "DR ret_code at octet 27: the line ends before this field");
        let error = DecodeError { message: None, field: None, offset: 0, problem: DecodeProblem::BadHeader };
        assert_eq!(error.to_string(), "at octet 0: the line does not begin with SSMI");
    }
}
