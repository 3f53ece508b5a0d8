use thiserror::Error;

use crate::command::{BinaryMo, PremiumBinaryMo, SendBinarySms, SendMmsMessage};
use crate::types::Octets;

/// A field that should be hexadecimal digits, two an octet, is not.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidHex {
    /// The number of digits is odd.
    #[error("{length} hexadecimal digits are no whole octets")]
    OddLength {
        /// Number of octets in the field.
        length: usize,
    },
    /// Something that is not a digit.
    #[error("octet {offset} is not a hexadecimal digit")]
    Digit {
        /// Where it stands in the field.
        offset: usize,
    },
}

impl SendBinarySms {
    /// A message with this payload, and the gateway's defaults.
    pub fn with_payload(msisdn: impl Into<Octets>, payload: &[u8]) -> Self {
        Self { msisdn: msisdn.into(), hex_msg: encode(payload), ..Self::default() }
    }

    /// The payload.
    ///
    /// # Errors
    ///
    /// `hex_msg` is not hexadecimal. Digits of both cases are read.
    pub fn payload(&self) -> Result<Vec<u8>, InvalidHex> {
        decode(&self.hex_msg)
    }
}

impl SendMmsMessage {
    /// A message with this file.
    pub fn with_content(
        msisdn: impl Into<Octets>,
        subject: impl Into<Octets>,
        name: impl Into<Octets>,
        content: &[u8],
    ) -> Self {
        Self { msisdn: msisdn.into(), subject: subject.into(), name: name.into(), content: encode(content) }
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// `content` is not hexadecimal. Digits of both cases are read.
    pub fn file(&self) -> Result<Vec<u8>, InvalidHex> {
        decode(&self.content)
    }
}

impl BinaryMo {
    /// The payload.
    ///
    /// # Errors
    ///
    /// `hex_msg` is not hexadecimal. Digits of both cases are read.
    pub fn payload(&self) -> Result<Vec<u8>, InvalidHex> {
        decode(&self.hex_msg)
    }
}

impl PremiumBinaryMo {
    /// The payload.
    ///
    /// # Errors
    ///
    /// `hex_msg` is not hexadecimal. Digits of both cases are read.
    pub fn payload(&self) -> Result<Vec<u8>, InvalidHex> {
        decode(&self.hex_msg)
    }
}

fn encode(octets: &[u8]) -> Octets {
    hex::encode(octets).into()
}

fn decode(digits: &Octets) -> Result<Vec<u8>, InvalidHex> {
    hex::decode(digits).map_err(|error| match error {
        hex::FromHexError::InvalidHexCharacter { index, .. } => InvalidHex::Digit { offset: index },
        _ => InvalidHex::OddLength { length: digits.len() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_are_read_and_lower_case_is_written() {
        let mo = BinaryMo { hex_msg: "DEADbeef".into(), ..Default::default() };
        let payload = mo.payload().unwrap();
        assert_eq!(payload, [0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(SendBinarySms::with_payload("27", &payload).hex_msg, "deadbeef");
    }

    #[test]
    fn bad_digits_are_named() {
        let payload = |digits: &str| BinaryMo { hex_msg: digits.into(), ..Default::default() }.payload();
        assert_eq!(payload("abc"), Err(InvalidHex::OddLength { length: 3 }));
        assert_eq!(payload("00,0"), Err(InvalidHex::Digit { offset: 2 }));
        assert_eq!(payload(""), Ok(vec![]));
    }
}
