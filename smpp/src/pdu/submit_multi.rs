use super::{Destinations, UnsuccessSmes};
use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{
    Address, COctetString, DataCoding, EsmClass, PriorityFlag, ProtocolId, RegisteredDelivery, ReplaceIfPresent,
    ShortMessage, SmppTime,
};

/// Submits a message to several recipients (section 4.5.1 of 3.4).
#[doc(alias = "submit_multi")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SubmitMulti {
    /// Service, such as `WAP`; empty is the default.
    pub service_type: COctetString<6>,
    /// Sender; empty lets the message centre fill in the account's own.
    pub source: Address<21>,
    /// Recipients: 1 to 254 (5.0: 255) addresses and distribution lists.
    pub destinations: Destinations,
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
    /// By the specification a message to several recipients replaces none.
    pub replace_if_present_flag: ReplaceIfPresent,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// Number of a message stored at the message centre, which is sent in place of the text; 0 is none.
    pub sm_default_msg_id: u8,
    /// Text, up to 254 octets (5.0: 255); empty if it is in the TLV message_payload.
    pub short_message: ShortMessage,
    /// Such as user_message_reference, the sar_* group, message_payload.
    pub tlvs: Tlvs,
}
wire!(CommandId::SUBMIT_MULTI => SubmitMulti {
    service_type, source, destinations, esm_class, protocol_id, priority_flag, schedule_delivery_time, validity_period,
    registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, short_message, tlvs
});

/// What became of a submission to several recipients (section 4.5.2 of 3.4).
///
/// A status of 0 with recipients in [`unsuccess_smes`](Self::unsuccess_smes) is the usual answer to one that failed in
/// part.
#[doc(alias = "submit_multi_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SubmitMultiResp {
    /// Identifier of the message.
    pub message_id: COctetString<65>,
    /// The recipients that failed, with the reason of each.
    pub unsuccess_smes: UnsuccessSmes,
    /// None in 3.4. In 5.0 as in submit_sm_resp.
    pub tlvs: Tlvs,
}
wire!(CommandId::SUBMIT_MULTI_RESP => SubmitMultiResp { message_id, unsuccess_smes, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{DecodeProblem, Limits, Value};
    use crate::pdu::known_answer::{encoded, known, known_frame, octets};
    use crate::pdu::{Destination, Frame, InvalidFrame, Pdu, UnsuccessSme};
    use crate::types::{CommandStatus, InterfaceVersion, Npi, Ton};

    #[test]
    fn one_recipient() {
        let mut destinations = Destinations::default();
        destinations.push(&Destination::Sme("27839876543".parse().unwrap())).unwrap();
        let message = SubmitMulti {
            source: "27831234567".parse().unwrap(),
            destinations,
            short_message: ShortMessage::new("one").unwrap(),
            ..Default::default()
        };
        let hex = "0000003c0000002100000000000000320001013237383331323334353637000101010132373833393837363534330000\
                   0000000000000000036f6e65";
        known(hex, 50, message);
    }

    #[test]
    fn two_failed() {
        let hex = "000000398000002100000000000000336d6d2d32000201013237383330303030303031000000000b0208303833303030\
                   303030320000000014";
        let frame = known_frame(hex);
        let Pdu::SubmitMultiResp(Some(response)) = &frame.pdu else { panic!("{frame:?}") };
        let failed: Vec<_> = response.unsuccess_smes.iter().collect();
        let first =
            UnsuccessSme { destination: "27830000001".parse().unwrap(), error_status_code: CommandStatus::RINVDSTADR };
        let destination = Address::new(Ton(2), Npi(8), "0830000002").unwrap();
        assert_eq!(failed, [first, UnsuccessSme { destination, error_status_code: CommandStatus::RMSGQFUL }]);
        let fields = frame.pdu.fields();
        let Some(Value::List(entries)) = fields.last().map(|field| field.value.clone()) else { panic!("{fields:?}") };
        assert_eq!(entries[1][2].value, Value::Text(b"0830000002"));
    }

    #[test]
    fn counts_by_version() {
        let mut destinations = Destinations::default();
        for _ in 0..255 {
            destinations.push(&Destination::DistributionList("a".parse().unwrap())).unwrap();
        }
        let frame = Frame { pdu: SubmitMulti { destinations, ..Default::default() }.into(), ..Default::default() };
        let bad = |octets: Vec<u8>, limits: &Limits| match Frame::decode(octets, limits) {
            Err(InvalidFrame::Bad(bad)) => bad,
            other => panic!("{other:?}"),
        };
        assert_eq!(Frame::decode(encoded(&frame).freeze(), &Limits::message_centre()), Ok(frame.clone()));
        let old = Limits::message_centre().with_version(InterfaceVersion::V3_4);
        let refused = bad(encoded(&frame).to_vec(), &old);
        assert_eq!(refused.error.problem, DecodeProblem::DestinationCount { count: 255, max: 254 });
        assert_eq!(refused.error.command_status(), CommandStatus::RINVNUMDESTS);
        // What is cut off is too short, whatever it claims.
        let cut = octets("0000001900000021000000000000002e00000000ff01010131");
        assert_eq!(bad(cut, &old).error.command_status(), CommandStatus::RINVCMDLEN);
        let none = encoded(&Frame { pdu: SubmitMulti::default().into(), ..Default::default() }).to_vec();
        assert_eq!(bad(none, &old).error.command_status(), CommandStatus::RINVNUMDESTS);
        let flag = bad(octets("000000180000002100000000000000010000000001030000"), &old);
        assert_eq!(flag.error.problem, DecodeProblem::DestFlag(3));
        assert_eq!((flag.error.field, flag.error.offset), (Some("dest_flag"), 21));
    }
}
