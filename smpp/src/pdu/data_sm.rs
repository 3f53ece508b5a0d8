use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, DataCoding, EsmClass, RegisteredDelivery};

/// Carries a message in either direction, without the features of a store (section 4.7.1 of 3.4). The text is in the
/// TLV message_payload. Its addresses are longer than elsewhere: 64 characters.
#[doc(alias = "data_sm")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DataSm {
    /// Service, such as `WAP` or `USSD`; empty is the default.
    pub service_type: COctetString<6>,
    /// Sender.
    pub source: Address<65>,
    /// Recipient.
    pub destination: Address<65>,
    /// Mode, type and GSM features.
    pub esm_class: EsmClass,
    /// Receipts that are asked for.
    pub registered_delivery: RegisteredDelivery,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// Such as message_payload, the sar_* group, receipted_message_id, its_session_info.
    pub tlvs: Tlvs,
}
wire!(CommandId::DATA_SM => DataSm { service_type, source, destination, esm_class, registered_delivery, data_coding, tlvs });

/// What became of a data_sm (section 4.7.2 of 3.4). In transaction mode an error has a body, whose TLVs say why.
#[doc(alias = "data_sm_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DataSmResp {
    /// Identifier of the message.
    pub message_id: COctetString<65>,
    /// delivery_failure_reason, network_error_code, additional_status_info_text, dpf_result.
    pub tlvs: Tlvs,
}
wire!(CommandId::DATA_SM_RESP => DataSmResp { message_id, tlvs });

#[cfg(test)]
mod tests {
    use crate::codec::Limits;
    use crate::pdu::known_answer::{encoded, known_frame};
    use crate::pdu::{Frame, Pdu};
    use crate::tlv::{DpfResult, MessagePayload};
    use crate::types::{CommandStatus, DeliveryFailureReason, ErrorNetwork, NetworkErrorCode};

    #[test]
    fn addresses_of_64_characters() {
        let frame = known_frame(
            "000000a000000103000000000000003d00000e73737373737373737373737373737373737373737373737373737373737373\
        73737373737373737373737373737373737373737373737373737373737373737300000e6464646464646464646464646464\
        6464646464646464646464646464646464646464646464646464646464646464646464646464646464646464646464646464\
        00000003042400026869",
        );
        let Pdu::DataSm(data) = &frame.pdu else { panic!("{frame:?}") };
        assert_eq!((data.source.addr.len(), data.destination.addr.len()), (64, 64));
        assert!(!data.source.addr.is_over_long());
        assert!(data.tlvs.get::<MessagePayload>().is_some());
        assert!(Frame::decode(encoded(&frame).freeze(), &Limits::message_centre()).is_ok());
    }

    #[test]
    fn the_error_whose_body_matters() {
        let frame = known_frame(
            "0000003a80000103000000fe0000003c64320004250001000423000303001b001d0012616273656e74207375627363726962\
        6572000420000101",
        );
        assert_eq!(frame.header.command_status, CommandStatus::RDELIVERYFAILURE);
        let Pdu::DataSmResp(Some(response)) = frame.pdu else { panic!("{frame:?}") };
        assert_eq!(response.message_id, "d2");
        assert_eq!(response.tlvs.get(), Some(DeliveryFailureReason::DESTINATION_UNAVAILABLE));
        assert_eq!(response.tlvs.get::<NetworkErrorCode>().unwrap().network, ErrorNetwork::GSM);
        assert_eq!(response.tlvs.get(), Some(DpfResult(1)));
    }
}
