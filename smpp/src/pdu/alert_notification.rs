use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::Address;

/// A mobile that a message was waiting for is there again (section 4.12 of 3.4). Nothing answers it.
#[doc(alias = "alert_notification")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct AlertNotification {
    /// The mobile.
    pub source: Address<65>,
    /// The ESME that set the delivery pending flag.
    pub esme: Address<65>,
    /// ms_availability_status.
    pub tlvs: Tlvs,
}
wire!(CommandId::ALERT_NOTIFICATION => AlertNotification { source, esme, tlvs });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::known_answer::known;
    use crate::types::MsAvailabilityStatus;

    #[test]
    fn with_status() {
        let alert = AlertNotification {
            source: "27839876543".parse().unwrap(),
            esme: Address { ton: 3.into(), npi: 0.into(), addr: "12345".parse().unwrap() },
            tlvs: Tlvs::new().with(&MsAvailabilityStatus(2)),
        };
        known("0000002b000001020000000000000051010132373833393837363534330003003132333435000422000102", 81, alert);
    }
}
