use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{
    Address, COctetString, DataCoding, EsmClass, PriorityFlag, ProtocolId, RegisteredDelivery, ReplaceIfPresent,
    ShortMessage, SmppTime,
};

/// Submits a message to one recipient (section 4.4.1 of 3.4).
#[doc(alias = "submit_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SubmitSm {
    /// Service, such as `WAP` or `USSD`; empty is the default.
    pub service_type: COctetString<6>,
    /// Sender; empty lets the message centre fill in the account's own.
    pub source: Address<21>,
    /// Recipient.
    pub destination: Address<21>,
    /// Mode, type and GSM features.
    pub esm_class: EsmClass,
    /// TP-PID of GSM.
    pub protocol_id: ProtocolId,
    /// Priority.
    pub priority_flag: PriorityFlag,
    /// When to deliver first; not set is at once.
    pub schedule_delivery_time: SmppTime,
    /// When to give up; not set is the message centre's default.
    pub validity_period: SmppTime,
    /// Receipts that are asked for.
    pub registered_delivery: RegisteredDelivery,
    /// Whether a stored message of the same service, sender and recipient is replaced.
    pub replace_if_present_flag: ReplaceIfPresent,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// Number of a message stored at the message centre, which is sent in place of the text; 0 is none.
    pub sm_default_msg_id: u8,
    /// Text, up to 254 octets (5.0: 255); empty if it is in the TLV message_payload.
    pub short_message: ShortMessage,
    /// Such as user_message_reference, the sar_* group, message_payload, ussd_service_op.
    pub tlvs: Tlvs,
}
wire!(CommandId::SUBMIT_SM => SubmitSm { service_type, source, destination, esm_class, protocol_id, priority_flag, schedule_delivery_time, validity_period, registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, short_message, tlvs });

/// What became of a submission (section 4.4.2 of 3.4).
///
/// Its body is absent in most errors, and in some successes of real message centres.
#[doc(alias = "submit_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SubmitSmResp {
    /// Identifier of the message, for queries and to match its receipt. To be compared, not to be read.
    pub message_id: COctetString<65>,
    /// None in 3.4. In 5.0 delivery_failure_reason, network_error_code, additional_status_info_text, dpf_result,
    /// congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::SUBMIT_SM_RESP => SubmitSmResp { message_id, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Limits;
    use crate::pdu::Frame;
    use crate::pdu::known_answer::{known, known_frame, octets};
    use crate::tlv::{MessagePayload, TlvOctets};
    use crate::types::{CommandStatus, ItsSessionInfo, UssdServiceOp};

    #[test]
    fn nothing_set() {
        known("0000002100000004000000000000000a0000000000000000000000000000000000", 10, SubmitSm::default());
    }

    #[test]
    fn ussd_request() {
        let request = SubmitSm {
            service_type: "USSD".parse().unwrap(),
            source: "*120*8864#".parse().unwrap(),
            destination: "27839876543".parse().unwrap(),
            short_message: ShortMessage::new("1. Balance").unwrap(),
            tlvs: Tlvs::new().with(&UssdServiceOp::USSR_REQUEST).with(&ItsSessionInfo::new(0x12, 0x1a, false)),
            ..Default::default()
        };
        let hex = "0000004f000000040000000000000027555353440000002a3132302a3838363423000101323738333938373635343300\
                   0000000000000000000a312e2042616c616e63650501000102138300021234";
        known(hex, 39, request);
    }

    #[test]
    fn payload_in_place_of_the_text() {
        let payload = MessagePayload(TlvOctets::new(&b"hi"[..]).unwrap());
        let message = SubmitSm { tlvs: Tlvs::new().with(&payload), ..Default::default() };
        known("000000270000000400000000000000010000000000000000000000000000000000042400026869", 1, message);
    }

    #[test]
    fn response() {
        let response = SubmitSmResp { message_id: "4f3a9c21".parse().unwrap(), tlvs: Tlvs::new() };
        known("0000001980000004000000000000000b346633613963323100", 11, response);
    }

    #[test]
    fn error_with_a_vendor_status() {
        let frame = known_frame("00000010800000040000040100000010");
        assert!(!frame.pdu.has_body() && frame.header.command_status.is_vendor());
    }

    #[test]
    fn the_field_that_is_cut_is_named() {
        let cut = octets("0000001900000004000000000000001f000101323738333132");
        let error = Frame::decode(cut, &Limits::esme()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "bad submit_sm with sequence_number 31: submit_sm source_addr at octet 19: no NUL ends the string"
        );
        let crate::pdu::InvalidFrame::Bad(bad) = error else { panic!("{error}") };
        let answer = bad.answer().unwrap();
        assert_eq!(answer, Frame::response(31, CommandStatus::RINVCMDLEN, crate::pdu::Pdu::SubmitSmResp(None)));
    }
}
