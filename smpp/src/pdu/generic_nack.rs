use crate::codec::wire;
use crate::tlv::Tlvs;

/// Refuses a PDU whose header, or whose operation, is not understood (section 4.3 of 3.4). A response: nothing answers
/// it.
#[doc(alias = "generic_nack")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct GenericNack {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::GENERIC_NACK => GenericNack { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::known_frame;
    use crate::types::CommandStatus;

    #[test]
    fn sequence_number_0() {
        let frame = known_frame("00000010800000000000000200000000");
        assert_eq!(frame.pdu, GenericNack::default().into());
        assert_eq!(frame.header.command_status, CommandStatus::RINVCMDLEN);
    }
}
