//! Small integers with a list of known values.

use super::open::open_integer;

open_integer! {
    /// State of a message: field of query_sm_resp, TLV of receipts (section 5.2.28 of 3.4).
    MessageState(u8) {
        SCHEDULED = 0 "scheduled",
        ENROUTE = 1 "on its way",
        DELIVERED = 2 "delivered",
        EXPIRED = 3 "validity period expired",
        DELETED = 4 "deleted",
        UNDELIVERABLE = 5 "undeliverable",
        ACCEPTED = 6 "accepted",
        UNKNOWN = 7 "unknown",
        REJECTED = 8 "rejected",
        SKIPPED = 9 "skipped",
    }
}

impl MessageState {
    /// Whether the specification calls the state final. It counts `ACCEPTED` among them, after which many networks
    /// send a receipt with another state all the same.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::DELIVERED
                | Self::EXPIRED
                | Self::DELETED
                | Self::UNDELIVERABLE
                | Self::ACCEPTED
                | Self::REJECTED
                | Self::SKIPPED
        )
    }
}

open_integer! {
    /// Version of the protocol, major and minor in a nibble each: interface_version of a bind, and the TLV
    /// sc_interface_version. Values below 0x34 mean 3.3 or older.
    InterfaceVersion(u8) {
        V3_3 = 0x33 "3.3",
        V3_4 = 0x34 "3.4",
        V5_0 = 0x50 "5.0",
    }
}

open_integer! {
    /// priority_flag (section 5.2.14); for GSM anything above 0 is a priority delivery attempt.
    PriorityFlag(u8) {
        NORMAL = 0 "normal",
        PRIORITY = 1 "priority",
        URGENT = 2 "urgent",
        VERY_URGENT = 3 "very urgent",
    }
}

open_integer! {
    /// protocol_id: the TP-PID of 3GPP TS 23.040; not used in CDMA and TDMA networks.
    ProtocolId(u8) {
        DEFAULT = 0x00 "default",
        TELEX = 0x21 "telex",
        FAX_G3 = 0x22 "group 3 fax",
        VOICE = 0x24 "voice",
        EMAIL = 0x32 "Internet e-mail",
        TYPE_0 = 0x40 "type 0 (silent)",
        REPLACE_TYPE_1 = 0x41 "replace short message type 1",
        REPLACE_TYPE_2 = 0x42 "replace short message type 2",
        REPLACE_TYPE_3 = 0x43 "replace short message type 3",
        REPLACE_TYPE_4 = 0x44 "replace short message type 4",
        REPLACE_TYPE_5 = 0x45 "replace short message type 5",
        REPLACE_TYPE_6 = 0x46 "replace short message type 6",
        REPLACE_TYPE_7 = 0x47 "replace short message type 7",
        DEVICE_TRIGGERING = 0x48 "device triggering",
        RETURN_CALL = 0x5f "return call",
        ANSI_136_R_DATA = 0x7c "ANSI-136 R-DATA",
        ME_DATA_DOWNLOAD = 0x7d "ME data download",
        ME_DEPERSONALISATION = 0x7e "ME de-personalisation",
        SIM_DATA_DOWNLOAD = 0x7f "(U)SIM data download",
    }
}

open_integer! {
    /// replace_if_present_flag (section 5.2.18): whether a stored message of the same source, destination and
    /// service_type is replaced.
    ReplaceIfPresent(u8) {
        NO = 0 "do not replace",
        YES = 1 "replace",
    }
}

open_integer! {
    /// The part of a device that a message is for or from.
    AddrSubunit(u8) {
        UNKNOWN = 0 "unknown",
        MS_DISPLAY = 1 "MS display",
        MOBILE_EQUIPMENT = 2 "mobile equipment",
        SMART_CARD_1 = 3 "smart card 1",
        EXTERNAL_UNIT_1 = 4 "external unit 1",
    }
}

open_integer! {
    /// Kind of network.
    NetworkType(u8) {
        UNKNOWN = 0 "unknown",
        GSM = 1 "GSM",
        ANSI_136 = 2 "ANSI-136/TDMA",
        IS_95 = 3 "IS-95/CDMA",
        PDC = 4 "PDC",
        PHS = 5 "PHS",
        IDEN = 6 "iDEN",
        AMPS = 7 "AMPS",
        PAGING = 8 "paging",
    }
}

open_integer! {
    /// Bearer of a message.
    BearerType(u8) {
        UNKNOWN = 0 "unknown",
        SMS = 1 "SMS",
        CSD = 2 "circuit switched data",
        PACKET_DATA = 3 "packet data",
        USSD = 4 "USSD",
        CDPD = 5 "CDPD",
        DATATAC = 6 "DataTAC",
        FLEX = 7 "FLEX/ReFLEX",
        CELL_BROADCAST = 8 "cell broadcast",
    }
}

open_integer! {
    /// What a payload is (TLV payload_type).
    PayloadType(u8) {
        WDP = 0 "WDP message",
        WCMP = 1 "WCMP message",
    }
}

open_integer! {
    /// TLV privacy_indicator.
    PrivacyIndicator(u8) {
        NOT_RESTRICTED = 0 "not restricted",
        RESTRICTED = 1 "restricted",
        CONFIDENTIAL = 2 "confidential",
        SECRET = 3 "secret",
    }
}

open_integer! {
    /// TLV language_indicator.
    LanguageIndicator(u8) {
        UNSPECIFIED = 0 "unspecified",
        ENGLISH = 1 "English",
        FRENCH = 2 "French",
        SPANISH = 3 "Spanish",
        GERMAN = 4 "German",
        PORTUGUESE = 5 "Portuguese",
    }
}

open_integer! {
    /// TLV ms_availability_status of alert_notification.
    MsAvailabilityStatus(u8) {
        AVAILABLE = 0 "available",
        DENIED = 1 "denied",
        UNAVAILABLE = 2 "unavailable",
    }
}

open_integer! {
    /// TLV delivery_failure_reason.
    DeliveryFailureReason(u8) {
        DESTINATION_UNAVAILABLE = 0 "destination unavailable",
        DESTINATION_ADDRESS_INVALID = 1 "destination address invalid",
        PERMANENT_NETWORK_ERROR = 2 "permanent network error",
        TEMPORARY_NETWORK_ERROR = 3 "temporary network error",
    }
}

impl DeliveryFailureReason {
    /// Whether another attempt may succeed.
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::DESTINATION_UNAVAILABLE | Self::TEMPORARY_NETWORK_ERROR)
    }
}

open_integer! {
    /// TLV ussd_service_op: which USSD operation a message is (section 5.3.2.44 of 3.4). 32 to 255 are vendors' own.
    UssdServiceOp(u8) {
        PSSD_INDICATION = 0 "PSSD indication",
        PSSR_INDICATION = 1 "PSSR indication: a user opens a session",
        USSR_REQUEST = 2 "USSR request: a question, the session stays open",
        USSN_REQUEST = 3 "USSN request: a notification",
        PSSD_RESPONSE = 16 "PSSD response",
        PSSR_RESPONSE = 17 "PSSR response: the last text, the session closes",
        USSR_CONFIRM = 18 "USSR confirm: the user's answer",
        USSN_CONFIRM = 19 "USSN confirm",
    }
}

open_integer! {
    /// TLV display_time.
    DisplayTime(u8) {
        TEMPORARY = 0 "temporary",
        DEFAULT = 1 "default",
        INVOKE = 2 "invoke",
    }
}

open_integer! {
    /// TLV its_reply_type: what the user is asked for.
    ItsReplyType(u8) {
        DIGIT = 0 "digit",
        NUMBER = 1 "number",
        TELEPHONE_NUMBER = 2 "telephone number",
        PASSWORD = 3 "password",
        CHARACTER_LINE = 4 "character line",
        MENU = 5 "menu",
        DATE = 6 "date",
        TIME = 7 "time",
        CONTINUE = 8 "continue",
    }
}

open_integer! {
    /// TLV broadcast_channel_indicator.
    BroadcastChannelIndicator(u8) {
        BASIC = 0 "basic channel",
        EXTENDED = 1 "extended channel",
    }
}

open_integer! {
    /// TLV dest_addr_np_resolution: number portability.
    NumberPortability(u8) {
        NOT_QUERIED = 0 "no query made",
        NOT_PORTED = 1 "not ported",
        PORTED = 2 "ported",
    }
}

open_integer! {
    /// TLV congestion_state (5.0): how loaded the answering side is, in per cent; 80 to 90 is the best load.
    CongestionState(u8) {
        IDLE = 0 "idle",
        CONGESTED = 100 "congested",
    }
}

open_integer! {
    /// The network whose codes a [`NetworkErrorCode`](super::NetworkErrorCode) uses.
    ErrorNetwork(u8) {
        ANSI_136_ACCESS_DENIED = 1 "ANSI-136 access denied",
        IS_95_ACCESS_DENIED = 2 "IS-95 access denied",
        GSM = 3 "GSM",
        ANSI_136_CAUSE = 4 "ANSI-136 cause",
        IS_95_CAUSE = 5 "IS-95 cause",
        ANSI_41 = 6 "ANSI-41",
        SMPP = 7 "SMPP",
        MESSAGE_CENTRE = 8 "message centre specific",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states() {
        let states: Vec<u8> = (0..=255).filter(|state| MessageState(*state).is_final()).collect();
        assert_eq!(states, [2, 3, 4, 5, 6, 8, 9]);
    }

    #[test]
    fn a_temporary_failure_may_be_tried_again() {
        let temporary = [0, 1, 2, 3, 4].map(|reason| DeliveryFailureReason(reason).is_temporary());
        assert_eq!(temporary, [true, false, false, true, false]);
    }
}
