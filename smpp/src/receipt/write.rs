use super::state::word;
use super::{Receipt, ReceiptDate};
use crate::tlv::{ReceiptedMessageId, Tlvs};
use crate::types::{COctetString, InvalidCOctetString, MessageState};

/// Characters of the message's text in a receipt.
const TEXT: usize = 20;

/// For a message centre.
impl Receipt {
    /// The text of Appendix B: all fields in the specification's order, the text cut after 20 characters. Counters that
    /// are not given follow the state; dates that are not given are zeros.
    ///
    /// White space in the identifier, the word of the state, the error code or a date would begin another field: it is
    /// written as `_`.
    ///
    /// ```
    /// use smpp::receipt::Receipt;
    /// use smpp::types::MessageState;
    ///
    /// let receipt = Receipt {
    ///     id: Some("42".into()),
    ///     state: Some(MessageState::DELIVERED),
    ///     text: Some("Hello".into()),
    ///     ..Receipt::default()
    /// };
    /// assert_eq!(
    ///     receipt.to_text(),
    ///     "id:42 sub:001 dlvrd:001 submit date:0000000000 done date:0000000000 stat:DELIVRD err:000 text:Hello"
    /// );
    /// ```
    pub fn to_text(&self) -> String {
        let state = self.state.unwrap_or(MessageState::UNKNOWN);
        let delivered = self.delivered.unwrap_or((state == MessageState::DELIVERED).into());
        let date = |date: &Option<ReceiptDate>| {
            date.as_ref().map_or_else(|| "0000000000".to_owned(), |date| one_word(&date.raw))
        };
        format!(
            "id:{} sub:{:03} dlvrd:{delivered:03} submit date:{} done date:{} stat:{} err:{} text:{}",
            one_word(self.id.as_deref().unwrap_or_default()),
            self.submitted.unwrap_or(1),
            date(&self.submit_date),
            date(&self.done_date),
            one_word(self.stat.as_deref().unwrap_or(word(state))),
            one_word(self.err.as_deref().unwrap_or("000")),
            self.text.as_deref().unwrap_or_default().chars().take(TEXT).collect::<String>(),
        )
    }

    /// The TLVs: receipted_message_id, message_state, and network_error_code if there is one.
    ///
    /// # Errors
    ///
    /// The identifier has more than 64 octets, or a NUL.
    pub fn to_tlvs(&self) -> Result<Tlvs, InvalidCOctetString> {
        let mut tlvs = Tlvs::new();
        if let Some(id) = &self.id {
            tlvs.push(&ReceiptedMessageId(COctetString::new(id.as_bytes())?));
        }
        if let Some(state) = &self.state {
            tlvs.push(state);
        }
        if let Some(error) = &self.network_error {
            tlvs.push(error);
        }
        Ok(tlvs)
    }
}

fn one_word(text: &str) -> String {
    text.chars().map(|character| if character.is_whitespace() || character == '\0' { '_' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::NetworkErrorCode;

    #[test]
    fn tlvs() {
        let receipt = Receipt {
            id: Some("42".into()),
            state: Some(MessageState::UNDELIVERABLE),
            network_error: Some(NetworkErrorCode { network: 3.into(), code: 9 }),
            ..Receipt::default()
        };
        let tlvs = receipt.to_tlvs().unwrap();
        assert_eq!(tlvs.as_bytes(), &b"\x00\x1e\x00\x0342\x00\x04\x27\x00\x01\x05\x04\x23\x00\x03\x03\x00\x09"[..]);
        let long = Receipt { id: Some("7".repeat(65)), ..Receipt::default() };
        assert!(long.to_tlvs().is_err());
        assert!(Receipt::default().to_tlvs().unwrap().is_empty());
    }

    #[test]
    fn no_field_can_begin_another() {
        let receipt = Receipt {
            id: Some("1 stat:DELIVRD".into()),
            state: Some(MessageState::REJECTED),
            err: Some("5\r\ntext:no".into()),
            text: Some("id:2 and more than 20 characters".into()),
            ..Receipt::default()
        };
        let read = Receipt::from_text(receipt.to_text().as_bytes());
        assert_eq!((read.id.as_deref(), read.stat.as_deref()), (Some("1_stat:DELIVRD"), Some("REJECTD")));
        assert_eq!((read.err.as_deref(), read.text.as_deref()), (Some("5__text:no"), Some("id:2 and more than 2")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            id in "[!-~]{1,36}",
            state in 0u8..10,
            [submitted, delivered]: [u32; 2],
            date in "[0-9]{10}",
            err in "[!-~]{1,4}",
            text in "[ -~\u{a1}-\u{2ff}]{0,20}",
        ) {
            let receipt = Receipt {
                id: Some(id),
                state: Some(MessageState(state)),
                stat: Some(word(MessageState(state)).to_owned()),
                submitted: Some(submitted),
                delivered: Some(delivered),
                submit_date: Some(ReceiptDate::read(date.clone())),
                done_date: Some(ReceiptDate::read(date)),
                err: Some(err),
                text: Some(text),
                ..Receipt::default()
            };
            let mut read = Receipt::from_text(receipt.to_text().as_bytes());
            read.raw = Default::default();
            prop_assert_eq!(read, receipt);
        }
    }
}
