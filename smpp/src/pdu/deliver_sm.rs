use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{
    Address, COctetString, DataCoding, EsmClass, PriorityFlag, ProtocolId, RegisteredDelivery, ReplaceIfPresent,
    ShortMessage, SmppTime,
};

/// Brings a message, or a delivery receipt, to an ESME (section 4.6.1 of 3.4).
#[doc(alias = "deliver_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DeliverSm {
    /// Service, such as `WAP` or `USSD`; empty is the default.
    pub service_type: COctetString<6>,
    /// Sender.
    pub source: Address<21>,
    /// Recipient.
    pub destination: Address<21>,
    /// Mode, type and GSM features.
    pub esm_class: EsmClass,
    /// TP-PID of GSM.
    pub protocol_id: ProtocolId,
    /// Priority.
    pub priority_flag: PriorityFlag,
    /// Not used; kept if a message centre fills it.
    pub schedule_delivery_time: SmppTime,
    /// Not used; kept if a message centre fills it.
    pub validity_period: SmppTime,
    /// Acknowledgements that are asked for.
    pub registered_delivery: RegisteredDelivery,
    /// Not used; kept if a message centre fills it.
    pub replace_if_present_flag: ReplaceIfPresent,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// Not used; kept if a message centre fills it.
    pub sm_default_msg_id: u8,
    /// Text, up to 254 octets (5.0: 255); empty if it is in the TLV message_payload.
    pub short_message: ShortMessage,
    /// Such as receipted_message_id and message_state of a receipt, message_payload, its_session_info.
    pub tlvs: Tlvs,
}
wire!(CommandId::DELIVER_SM => DeliverSm { service_type, source, destination, esm_class, protocol_id, priority_flag, schedule_delivery_time, validity_period, registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, short_message, tlvs });

/// Whether the ESME takes the message (section 4.6.2 of 3.4).
///
/// Its body is one NUL by the specification; many send none at all.
#[doc(alias = "deliver_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DeliverSmResp {
    /// Not used: empty. Some fill it all the same.
    pub message_id: COctetString<65>,
    /// None in 3.4. In 5.0 delivery_failure_reason, network_error_code, additional_status_info_text,
    /// congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::DELIVER_SM_RESP => DeliverSmResp { message_id, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Pdu;
    use crate::pdu::known_answer::{known, known_frame};
    use crate::tlv::AdditionalStatusInfoText;
    use crate::types::{DeliveryFailureReason, ItsSessionInfo, UssdServiceOp};

    #[test]
    fn ussd_session_begins() {
        let message = DeliverSm {
            service_type: "USSD".parse().unwrap(),
            source: "27839876543".parse().unwrap(),
            destination: "*120*8864#".parse().unwrap(),
            short_message: ShortMessage::new("*120*8864#").unwrap(),
            tlvs: Tlvs::new().with(&UssdServiceOp::PSSR_INDICATION).with(&ItsSessionInfo::new(0x12, 0x1a, false)),
            ..Default::default()
        };
        let hex = "0000004f0000000500000000000000085553534400010132373833393837363534330000002a3132302a383836342300\
                   0000000000000000000a2a3132302a38383634230501000101138300021234";
        known(hex, 8, message);
    }

    #[test]
    fn response() {
        known("0000001180000005000000000000000300", 3, DeliverSmResp::default());
    }

    #[test]
    fn response_without_a_body() {
        let frame = known_frame("00000010800000050000000000000003");
        assert_eq!(frame.pdu, Pdu::DeliverSmResp(None));
    }

    #[test]
    fn refusal_with_reasons() {
        let frame = known_frame("0000002a800000050000006500000005000425000102001d00106e6f2073756368207365727669636500");
        assert_eq!(frame.pdu.tlvs().get(), Some(DeliveryFailureReason(2)));
        assert_eq!(frame.pdu.tlvs().get::<AdditionalStatusInfoText>().unwrap().0, "no such service");
    }
}
