use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{COctetString, Password};

/// A message centre asks an ESME to bind on the connection that it has opened (section 4.1.7 of 3.4). Nothing answers
/// it.
#[doc(alias = "outbind")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Outbind {
    /// The message centre's name.
    pub system_id: COctetString<16>,
    /// Its password.
    pub password: Password,
    /// None by the specification.
    pub tlvs: Tlvs,
}
wire!(CommandId::OUTBIND => Outbind { system_id, password, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::known;

    #[test]
    fn outbind() {
        let outbind =
            Outbind { system_id: "SMSC01".parse().unwrap(), password: "outpw".try_into().unwrap(), tlvs: Tlvs::new() };
        known("0000001d0000000b0000000000000001534d53433031006f7574707700", 1, outbind);
    }
}
