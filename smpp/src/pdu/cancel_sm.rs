use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString};

/// Cancels a message, or with an empty message_id all messages of this source, destination and service type that are
/// not delivered yet (section 4.9.1 of 3.4).
#[doc(alias = "cancel_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CancelSm {
    /// Service type of the messages to cancel; empty for any.
    pub service_type: COctetString<6>,
    /// Identifier of the message; empty to cancel by addresses.
    pub message_id: COctetString<65>,
    /// Source address of the message.
    pub source: Address<21>,
    /// Destination address of the message; may be empty where message_id is given.
    pub destination: Address<21>,
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::CANCEL_SM => CancelSm { service_type, message_id, source, destination, tlvs });

/// Whether the message was cancelled (section 4.9.2 of 3.4).
#[doc(alias = "cancel_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CancelSmResp {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::CANCEL_SM_RESP => CancelSmResp { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::{known, known_frame};
    use crate::types::CommandStatus;

    #[test]
    fn by_identifier() {
        let cancel = CancelSm {
            message_id: "4f3a9c21".parse().unwrap(),
            source: "27831234567".parse().unwrap(),
            ..Default::default()
        };
        known("0000002b00000008000000000000004a003466336139633231000101323738333132333435363700000000", 74, cancel);
    }

    #[test]
    fn refused() {
        let frame = known_frame("0000001080000008000000110000004b");
        assert_eq!(frame.header.command_status, CommandStatus::RCANCELFAIL);
        assert_eq!(frame.pdu, CancelSmResp::default().into());
    }
}
