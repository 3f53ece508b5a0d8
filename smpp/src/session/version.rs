use super::{Binding, Config};
use crate::pdu::Pdu;
use crate::tlv::Tlvs;
use crate::types::{CommandId, InterfaceVersion};

/// The version that an interface_version means: anything below 3.4 is 3.3, anything above 5.0 is 5.0, and what is between
/// the two is not defined and counts as the lower.
pub(super) fn meant(version: InterfaceVersion) -> InterfaceVersion {
    match version {
        version if version < InterfaceVersion::V3_4 => InterfaceVersion::V3_3,
        version if version < InterfaceVersion::V5_0 => InterfaceVersion::V3_4,
        _ => InterfaceVersion::V5_0,
    }
}

/// What a message centre and an ESME speak that has asked for this bind.
pub(super) fn of_bind(config: &Config, binding: Binding) -> InterfaceVersion {
    meant(config.version).min(meant(binding.version))
}

/// What an ESME speaks with a message centre that has answered so.
pub(super) fn of_answer(config: &Config, binding: Binding, tlvs: &Tlvs) -> InterfaceVersion {
    let theirs = tlvs.get::<InterfaceVersion>().unwrap_or(config.assumed_version);
    of_bind(config, binding).min(meant(theirs))
}

/// Whether a version has a request.
pub(super) fn has(version: InterfaceVersion, request: CommandId) -> bool {
    let since_3_4 = matches!(
        request,
        CommandId::BIND_TRANSCEIVER | CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION | CommandId::DATA_SM
    );
    match version {
        version if version < InterfaceVersion::V3_4 => !since_3_4 && !request.is_broadcast(),
        version if version < InterfaceVersion::V5_0 => !request.is_broadcast(),
        _ => true,
    }
}

/// interface_version of a bind.
pub(super) fn stated(bind: &Pdu) -> Option<InterfaceVersion> {
    match bind {
        Pdu::BindTransmitter(bind) => Some(bind.interface_version),
        Pdu::BindReceiver(bind) => Some(bind.interface_version),
        Pdu::BindTransceiver(bind) => Some(bind.interface_version),
        _ => None,
    }
}

/// States the message centre's version in its answer to a bind, unless it is stated already or the ESME knows no TLVs.
pub(super) fn state_in(answer: &mut Pdu, config: &Config, version: InterfaceVersion) {
    let tlvs = match answer {
        Pdu::BindTransmitterResp(response) => &mut response.get_or_insert_default().tlvs,
        Pdu::BindReceiverResp(response) => &mut response.get_or_insert_default().tlvs,
        Pdu::BindTransceiverResp(response) => &mut response.get_or_insert_default().tlvs,
        _ => return,
    };
    if version >= InterfaceVersion::V3_4 && tlvs.get::<InterfaceVersion>().is_none() {
        tlvs.push(&config.version);
    }
}
