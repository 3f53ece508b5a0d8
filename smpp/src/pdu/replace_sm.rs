use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, RegisteredDelivery, ShortMessage, SmppTime};

/// Gives a message that is not delivered yet another text (section 4.10.1 of 3.4). The text has the coding of the old
/// one.
#[doc(alias = "replace_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ReplaceSm {
    /// Identifier that the response to the submission gave.
    pub message_id: COctetString<65>,
    /// Source address of the message: as it was submitted.
    pub source: Address<21>,
    /// When to deliver; not set keeps the old time.
    pub schedule_delivery_time: SmppTime,
    /// When to give up; not set keeps the old time.
    pub validity_period: SmppTime,
    /// Receipts that are asked for.
    pub registered_delivery: RegisteredDelivery,
    /// Number of a message stored at the message centre; 0 is none.
    pub sm_default_msg_id: u8,
    /// The new text.
    pub short_message: ShortMessage,
    /// None in 3.4. In 5.0 message_payload.
    pub tlvs: Tlvs,
}
wire!(CommandId::REPLACE_SM => ReplaceSm { message_id, source, schedule_delivery_time, validity_period, registered_delivery, sm_default_msg_id, short_message, tlvs });

/// Whether the message was replaced (section 4.10.2 of 3.4).
#[doc(alias = "replace_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ReplaceSmResp {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::REPLACE_SM_RESP => ReplaceSmResp { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::known;

    #[test]
    fn new_text() {
        let replace = ReplaceSm {
            message_id: "4f3a9c21".parse().unwrap(),
            source: "27831234567".parse().unwrap(),
            validity_period: "000001000000000R".parse().unwrap(),
            registered_delivery: RegisteredDelivery::FINAL,
            short_message: ShortMessage::new("new text").unwrap(),
            ..Default::default()
        };
        let hex = "0000004400000007000000000000004c3466336139633231000101323738333132333435363700003030303030313030\
                   3030303030303052000100086e65772074657874";
        known(hex, 76, replace);
        known("0000001080000007000000000000004c", 76, ReplaceSmResp::default());
    }
}
