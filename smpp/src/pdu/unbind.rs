use crate::codec::wire;
use crate::tlv::Tlvs;

/// Ends a session; either side may send it (section 4.2.1 of 3.4).
#[doc(alias = "unbind")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Unbind {
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::UNBIND => Unbind { tlvs });

/// Answers [`Unbind`] (section 4.2.2 of 3.4).
#[doc(alias = "unbind_resp")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct UnbindResp {
    /// In 5.0 congestion_state.
    pub tlvs: Tlvs,
}
wire!(CommandId::UNBIND_RESP => UnbindResp { tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::{known, known_frame};

    #[test]
    fn a_header_alone() {
        known("0000001000000006000000000000004d", 0x4d, Unbind::default());
        known("0000001080000006000000000000004d", 0x4d, UnbindResp::default());
    }

    #[test]
    fn octets_behind_the_header_are_kept() {
        let frame = known_frame("0000001180000006000000000000000300");
        assert_eq!(*frame.rest, [0]);
    }
}
