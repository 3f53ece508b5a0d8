use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, DataCoding, PriorityFlag, ReplaceIfPresent, SmppTime};

/// Broadcasts a message to an area (5.0, section 4.4.1). The text is in the TLV message_payload.
///
/// The TLVs broadcast_area_identifier (one or more), broadcast_content_type, broadcast_rep_num and
/// broadcast_frequency_interval are mandatory.
#[doc(alias = "broadcast_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct BroadcastSm {
    /// Service, such as `WAP` or `USSD`; empty is the default.
    pub service_type: COctetString<6>,
    /// Sender.
    pub source: Address<21>,
    /// Identifier of the message to replace; empty otherwise.
    pub message_id: COctetString<65>,
    /// Priority: in cell broadcast 0 normal, 1 immediate, 2 high, 3 background.
    pub priority_flag: PriorityFlag,
    /// When to begin; not set is at once.
    pub schedule_delivery_time: SmppTime,
    /// When to end.
    pub validity_period: SmppTime,
    /// Whether an earlier broadcast is replaced; it fails if there is none.
    pub replace_if_present_flag: ReplaceIfPresent,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// Number of a message stored at the message centre; 0 is none.
    pub sm_default_msg_id: u8,
    /// The mandatory ones, and message_payload.
    pub tlvs: Tlvs,
}
wire!(CommandId::BROADCAST_SM => BroadcastSm { service_type, source, message_id, priority_flag, schedule_delivery_time, validity_period, replace_if_present_flag, data_coding, sm_default_msg_id, tlvs });

/// What became of a broadcast (5.0, section 4.4.2).
#[doc(alias = "broadcast_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct BroadcastSmResp {
    /// Identifier of the broadcast.
    pub message_id: COctetString<65>,
    /// broadcast_error_status and broadcast_area_identifier of the areas that failed, paired by order.
    pub tlvs: Tlvs,
}
wire!(CommandId::BROADCAST_SM_RESP => BroadcastSmResp { message_id, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Pdu;
    use crate::pdu::known_answer::{known, known_frame};
    use crate::tlv::{BroadcastAreaIdentifier, BroadcastFrequencyInterval, BroadcastRepNum};

    #[test]
    fn two_areas() {
        let frame = known_frame(
            "0000009000000111000000000000005a43425300000043424531000000003030303030303031303030303030305200000800\
        0606000d005765737465726e2043617065060600080047617574656e670601000301000106040002000a0605000309001f04\
        24000a00530074006f0072006d06000001010603000103060a000367727006020004696e666f02040002004d",
        );
        let Pdu::BroadcastSm(broadcast) = frame.pdu else { panic!("{frame:?}") };
        let areas: Vec<_> = broadcast.tlvs.get_all::<BroadcastAreaIdentifier>().map(|area| area.area).collect();
        assert_eq!(areas.iter().map(|area| &area[..]).collect::<Vec<_>>(), [&b"Western Cape"[..], b"Gauteng"]);
        assert_eq!(broadcast.tlvs.get(), Some(BroadcastRepNum(10)));
        assert_eq!(broadcast.tlvs.get(), Some(BroadcastFrequencyInterval { unit: 9, count: 31 }));
    }

    #[test]
    fn response() {
        let response = BroadcastSmResp { message_id: "bc-1".parse().unwrap(), tlvs: Tlvs::new() };
        known("0000001580000111000000000000005a62632d3100", 90, response);
    }
}
