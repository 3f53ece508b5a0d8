use thiserror::Error;

use super::{Ports, Reference, TooLong, split};
use crate::command::SendBinarySms;
use crate::types::{Coding, Octets};

/// A WAP push service indication, built by the client: a text with a link behind it.
///
/// The gateway builds one itself from a [`SendWapPushMessage`](crate::command::SendWapPushMessage); this is for those
/// who need the octets. Of the service indication (WAP-167) it has link and text; neither action, dates nor id.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServiceIndication {
    /// The link.
    pub href: String,
    /// The text shown.
    pub text: String,
}

/// A text holds a NUL, which would end it early.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{field} has a NUL at octet {offset}")]
pub struct InvalidText {
    /// `href` or `text`.
    pub field: &'static str,
    /// Where it stands.
    pub offset: usize,
}

/// From the WSP port to the one for pushed content.
const PUSH: Ports = Ports { destination: 2948, source: 9200 };
/// WSP: transaction 01, push, four octets of headers: content type service indication, in UTF-8.
const WSP: [u8; 7] = [0x01, 0x06, 0x04, 0x03, 0xae, 0x81, 0xea];
/// WBXML 1.2, service indication 1.0, UTF-8, no string table; then `<si><indication` with attributes and content.
const OPEN: [u8; 6] = [0x02, 0x05, 0x6a, 0x00, 0x45, 0xc6];
/// Beginnings of a link that have a token of their own, longest first.
const PREFIXES: [(&str, u8); 5] =
    [("https://www.", 0x0f), ("http://www.", 0x0d), ("https://", 0x0e), ("http://", 0x0c), ("", 0x0b)];
const STRING: u8 = 0x03;
const END: u8 = 0x01;

impl ServiceIndication {
    /// The message without its user data header: WSP and WBXML.
    ///
    /// # Errors
    ///
    /// A NUL in the link or the text.
    pub fn to_octets(&self) -> Result<Vec<u8>, InvalidText> {
        for (field, text) in [("href", &self.href), ("text", &self.text)] {
            if let Some(offset) = text.find('\0') {
                return Err(InvalidText { field, offset });
            }
        }
        let (link, token) = PREFIXES
            .iter()
            .find_map(|(prefix, token)| self.href.strip_prefix(prefix).map(|link| (link, *token)))
            .unwrap_or((&self.href, 0x0b));
        let mut octets = [WSP.as_slice(), &OPEN, &[token, STRING], link.as_bytes()].concat();
        octets.extend_from_slice(&[0, END, STRING]);
        octets.extend_from_slice(self.text.as_bytes());
        octets.extend_from_slice(&[0, END, END]);
        Ok(octets)
    }

    /// The messages to send: one if it fits, else parts that share the reference.
    ///
    /// # Errors
    ///
    /// A NUL in the link or the text; more than 255 parts.
    pub fn to_sms(&self, msisdn: impl Into<Octets>, reference: Reference) -> Result<Vec<SendBinarySms>, PushError> {
        let msisdn = msisdn.into();
        let parts = split(&self.to_octets()?, Some(PUSH), reference)?;
        let sms = |part: &Vec<u8>| SendBinarySms {
            coding: Coding::EightBit,
            ..SendBinarySms::with_payload(msisdn.clone(), part)
        };
        Ok(parts.iter().map(sms).collect())
    }
}

/// A service indication cannot be sent.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PushError {
    /// A NUL in the link or the text.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// More than 255 parts.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(href: &str) -> ServiceIndication {
        ServiceIndication { href: href.to_owned(), text: "New tune".to_owned() }
    }

    #[test]
    fn known_answer() {
        let sms = push("http://wap.example.net/t/9").to_sms("27825550110", Reference::Octet(1)).unwrap();
        assert_eq!(sms.len(), 1);
        assert_eq!(sms[0].coding, Coding::EightBit);
        assert_eq!(
            sms[0].hex_msg,
            "0605040b8423f001060403ae81ea02056a0045c60c037761702e6578616d706c652e6e65742f742f390001034e65772074756e65000101"
        );
    }

    #[test]
    fn every_beginning_of_a_link() {
        for (href, token) in [
            ("https://www.a", 0x0f),
            ("http://www.a", 0x0d),
            ("https://a", 0x0e),
            ("http://a", 0x0c),
            ("ftp://a", 0x0b),
        ] {
            assert_eq!(push(href).to_octets().unwrap()[13], token, "{href}");
        }
    }

    #[test]
    fn a_long_one_is_split() {
        let sms = push(&format!("http://{}", "a".repeat(300))).to_sms("27", Reference::Octet(9)).unwrap();
        assert_eq!(sms.len(), 3);
        assert!(sms[2].hex_msg.to_text().starts_with("0b05040b8423f00003090303"));
    }

    #[test]
    fn nul_is_refused() {
        let error = push("http://a\0").to_octets().unwrap_err();
        assert_eq!(error, InvalidText { field: "href", offset: 8 });
    }
}
