use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString};

/// Asks for the state of a broadcast (5.0, section 4.6.1).
#[doc(alias = "query_broadcast_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct QueryBroadcastSm {
    /// Identifier of the broadcast; empty if user_message_reference is given.
    pub message_id: COctetString<65>,
    /// Source address of the broadcast.
    pub source: Address<21>,
    /// user_message_reference, in place of message_id.
    pub tlvs: Tlvs,
}
wire!(CommandId::QUERY_BROADCAST_SM => QueryBroadcastSm { message_id, source, tlvs });

/// The state of a broadcast (5.0, section 4.6.2).
#[doc(alias = "query_broadcast_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct QueryBroadcastSmResp {
    /// Identifier of the broadcast.
    pub message_id: COctetString<65>,
    /// message_state; broadcast_area_identifier and broadcast_area_success of each area, paired by order;
    /// broadcast_end_time, user_message_reference.
    pub tlvs: Tlvs,
}
wire!(CommandId::QUERY_BROADCAST_SM_RESP => QueryBroadcastSmResp { message_id, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Pdu;
    use crate::pdu::known_answer::{known, known_frame};
    use crate::tlv::{BroadcastAreaSuccess, BroadcastEndTime};
    use crate::types::MessageState;

    #[test]
    fn by_identifier() {
        let query = QueryBroadcastSm {
            message_id: "bc-1".parse().unwrap(),
            source: Address { addr: "CBE1".parse().unwrap(), ..Default::default() },
            tlvs: Tlvs::new(),
        };
        known("0000001c00000112000000000000005c62632d310000004342453100", 92, query);
    }

    #[test]
    fn state_of_each_area() {
        let frame = known_frame(
            "0000005c80000112000000000000005c62632d310004270001020606000d005765737465726e204361706506080001640606\
        00080047617574656e6706080001ff060900113236303133313133303030303030382b0002040002004d",
        );
        let Pdu::QueryBroadcastSmResp(Some(response)) = frame.pdu else { panic!("{frame:?}") };
        assert_eq!(response.tlvs.get(), Some(MessageState::DELIVERED));
        let success: Vec<u8> = response.tlvs.get_all::<BroadcastAreaSuccess>().map(|area| area.0).collect();
        assert_eq!(success, [100, 255]);
        assert_eq!(response.tlvs.get::<BroadcastEndTime>().unwrap().0, "260131130000008+");
    }
}
