use crate::codec::wire;
use crate::tlv::Tlvs;

/// Asks whether the peer is there; either side may send it (section 4.11.1 of 3.4).
#[doc(alias = "enquire_link")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct EnquireLink {
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::ENQUIRE_LINK => EnquireLink { tlvs });

/// Answers [`EnquireLink`] (section 4.11.2 of 3.4).
#[doc(alias = "enquire_link_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct EnquireLinkResp {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::ENQUIRE_LINK_RESP => EnquireLinkResp { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::{known, known_frame};

    #[test]
    fn a_header_alone() {
        known("0000001000000015000000007fffffff", 0x7fffffff, EnquireLink::default());
        known("0000001080000015000000007fffffff", 0x7fffffff, EnquireLinkResp::default());
    }

    #[test]
    fn octets_behind_the_header_are_kept() {
        let frame = known_frame("0000001180000015000000000000000300");
        assert_eq!(*frame.rest, [0]);
    }
}
