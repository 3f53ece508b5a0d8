use crate::pdu::DeliverSm;
use crate::session::config;
use crate::tlv::Tag;

config! {
    /// Which messages of a link are turns of a USSD dialogue. What they mean is told by the dialect of this name, which
    /// this crate only hands on: see the crate `ussd-session`.
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    UssdProfile {
        /// The dialect's name. `spec`.
        dialect: String = "spec".to_owned(),
        /// Whether ussd_service_op tells USSD. Yes.
        service_op: bool = true,
        /// service_types that tell USSD. `USSD`.
        service_types: Vec<String> = vec!["USSD".to_owned()],
    }
}

impl UssdProfile {
    /// Whether a message is a turn of a USSD dialogue.
    pub fn is_ussd(&self, message: &DeliverSm) -> bool {
        let by_op = self.service_op && message.tlvs.get_raw(Tag::USSD_SERVICE_OP).is_some();
        by_op || self.service_types.iter().any(|service_type| message.service_type == **service_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;
    use crate::types::UssdServiceOp;

    #[test]
    fn told_by_the_tlv_or_the_service_type() {
        let profile = UssdProfile::default();
        let by_op = DeliverSm { tlvs: Tlvs::new().with(&UssdServiceOp::PSSR_INDICATION), ..DeliverSm::default() };
        let by_type = DeliverSm { service_type: "USSD".parse().unwrap(), ..DeliverSm::default() };
        assert_eq!([&by_op, &by_type, &DeliverSm::default()].map(|pdu| profile.is_ussd(pdu)), [true, true, false]);
        let other = profile.service_op(false).service_types(vec!["P2".into()]);
        assert_eq!([&by_op, &by_type].map(|pdu| other.is_ussd(pdu)), [false, false]);
    }
}
