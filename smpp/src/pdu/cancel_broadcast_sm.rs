use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString};

/// Cancels a broadcast (5.0, section 4.6.3).
#[doc(alias = "cancel_broadcast_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CancelBroadcastSm {
    /// Service type of the broadcasts to cancel; empty for any.
    pub service_type: COctetString<6>,
    /// Identifier of the broadcast; empty to cancel by service and source.
    pub message_id: COctetString<65>,
    /// Source address of the broadcast.
    pub source: Address<21>,
    /// broadcast_content_type, user_message_reference.
    pub tlvs: Tlvs,
}
wire!(CommandId::CANCEL_BROADCAST_SM => CancelBroadcastSm { service_type, message_id, source, tlvs });

/// Whether the broadcast was cancelled (5.0, section 4.6.4).
#[doc(alias = "cancel_broadcast_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CancelBroadcastSmResp {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::CANCEL_BROADCAST_SM_RESP => CancelBroadcastSmResp { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Pdu;
    use crate::pdu::known_answer::{known, known_frame};

    #[test]
    fn by_identifier() {
        let frame = known_frame("0000002700000113000000000000005e4342530062632d31000000434245310006010003000010");
        let Pdu::CancelBroadcastSm(cancel) = frame.pdu else { panic!("{frame:?}") };
        assert_eq!((cancel.service_type, cancel.message_id), ("CBS".parse().unwrap(), "bc-1".parse().unwrap()));
        assert_eq!(cancel.source.addr, "CBE1");
        known("0000001080000113000000000000005e", 94, CancelBroadcastSmResp::default());
    }
}
