use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, MessageState, SmppTime};

/// Asks for the state of a message (section 4.8.1 of 3.4).
#[doc(alias = "query_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct QuerySm {
    /// Identifier that the response to the submission gave.
    pub message_id: COctetString<65>,
    /// Source address of the message: as it was submitted, empty if it was empty.
    pub source: Address<21>,
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::QUERY_SM => QuerySm { message_id, source, tlvs });

/// The state of a message (section 4.8.2 of 3.4).
#[doc(alias = "query_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct QuerySmResp {
    /// Identifier of the message.
    pub message_id: COctetString<65>,
    /// When the message came to its final state; not set before. Some message centres write their local time here, 12
    /// digits.
    pub final_date: SmppTime,
    /// The state.
    pub message_state: MessageState,
    /// The network's own code of a failure; 0 is none.
    pub error_code: u8,
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::QUERY_SM_RESP => QuerySmResp { message_id, final_date, message_state, error_code, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Limits;
    use crate::pdu::known_answer::{known, known_frame, octets};
    use crate::pdu::{Frame, Pdu};
    use crate::types::CommandStatus;

    #[test]
    fn query() {
        let query = QuerySm {
            message_id: "4f3a9c21".parse().unwrap(),
            source: Address::international("27831234567").unwrap(),
            tlvs: Tlvs::new(),
        };
        known("000000270000000300000000000000463466336139633231000101323738333132333435363700", 70, query);
    }

    #[test]
    fn response_with_a_local_date() {
        let hex = "00000028800000030000000000000048346633613963323100323630313331313230313030000200";
        // Version 3.4 has this form too, so strict rules take it.
        let frame = Frame::decode(octets(hex), &Limits::strict()).unwrap();
        assert_eq!(frame, known_frame(hex));
        let Pdu::QuerySmResp(Some(response)) = frame.pdu else { panic!("{frame:?}") };
        assert_eq!(response.final_date.as_octets(), &"260131120100");
        assert_eq!(response.message_state, MessageState::DELIVERED);
    }

    #[test]
    fn error_without_a_body() {
        let frame = known_frame("00000010800000030000006700000049");
        assert_eq!(frame.pdu, Pdu::QuerySmResp(None));
        assert_eq!(frame.header.command_status, CommandStatus::RQUERYFAIL);
    }
}
