use std::fmt;
use std::ops::RangeInclusive;

use crate::types::CommandId;

/// The tag of a TLV. Any value is possible; 0x1400 to 0x3FFF are vendors' own.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
pub struct Tag(pub u16);

/// What the octets of a TLV are.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TlvKind {
    /// An unsigned number of one to eight octets.
    Integer,
    /// Text up to the first NUL, or to the end.
    Text,
    /// Octets.
    #[default]
    Octets,
}

/// What the specification says of a tag.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) kind: TlvKind,
    pub(crate) lengths: RangeInclusive<usize>,
    pdus: u32,
}

macro_rules! tags {
    ($($constant:ident = $tag:literal $name:literal, $kind:ident $lengths:expr, $pdus:literal;)*) => {
        impl Tag {
            $(
                #[doc = concat!("`", $name, "`")]
                #[doc(alias = $name)]
                pub const $constant: Self = Self($tag);
            )*

            /// All that the two versions know, by number.
            pub const ALL: &[Self] = &[$(Self($tag)),*];

            pub(crate) fn rule(self) -> Option<&'static Rule> {
                match self.0 {
                    $($tag => {
                        const RULE: &Rule = &Rule {
                            name: $name,
                            kind: TlvKind::$kind,
                            lengths: $lengths,
                            pdus: letters($pdus),
                        };
                        Some(RULE)
                    })*
                    _ => None,
                }
            }
        }
    };
}

// Name, kind and length by section 4.8.4 of version 5.0 and 5.3.2 of 3.4, and the PDUs that have the TLV in either: S
// submit_sm, M submit_multi, D deliver_sm, A data_sm, R replace_sm, B broadcast_sm, Q query_broadcast_sm, C
// cancel_broadcast_sm, N alert_notification; small letters for responses: s submit, d deliver, a data, b bind,
// c broadcast_sm, q query_broadcast_sm, r all others.
tags! {
    DEST_ADDR_SUBUNIT = 0x0005 "dest_addr_subunit", Integer 1..=1, "SMABD";
    DEST_NETWORK_TYPE = 0x0006 "dest_network_type", Integer 1..=1, "ASM";
    DEST_BEARER_TYPE = 0x0007 "dest_bearer_type", Integer 1..=1, "ASM";
    DEST_TELEMATICS_ID = 0x0008 "dest_telematics_id", Integer 2..=2, "ASM";
    SOURCE_ADDR_SUBUNIT = 0x000d "source_addr_subunit", Integer 1..=1, "SMABD";
    SOURCE_NETWORK_TYPE = 0x000e "source_network_type", Integer 1..=1, "ASM";
    SOURCE_BEARER_TYPE = 0x000f "source_bearer_type", Integer 1..=1, "ASM";
    SOURCE_TELEMATICS_ID = 0x0010 "source_telematics_id", Integer 1..=1, "ASM";
    QOS_TIME_TO_LIVE = 0x0017 "qos_time_to_live", Integer 4..=4, "ASM";
    PAYLOAD_TYPE = 0x0019 "payload_type", Integer 1..=1, "SMDAB";
    ADDITIONAL_STATUS_INFO_TEXT = 0x001d "additional_status_info_text", Text 1..=256, "asd";
    RECEIPTED_MESSAGE_ID = 0x001e "receipted_message_id", Text 1..=65, "DA";
    MS_MSG_WAIT_FACILITIES = 0x0030 "ms_msg_wait_facilities", Integer 1..=1, "SMA";
    PRIVACY_INDICATOR = 0x0201 "privacy_indicator", Integer 1..=1, "SMDAB";
    SOURCE_SUBADDRESS = 0x0202 "source_subaddress", Octets 2..=23, "SMDAB";
    DEST_SUBADDRESS = 0x0203 "dest_subaddress", Octets 2..=23, "SMDAB";
    USER_MESSAGE_REFERENCE = 0x0204 "user_message_reference", Integer 2..=2, "SMDABQq";
    USER_RESPONSE_CODE = 0x0205 "user_response_code", Integer 1..=1, "SDAM";
    SOURCE_PORT = 0x020a "source_port", Integer 2..=2, "SMDAB";
    DEST_PORT = 0x020b "dest_port", Integer 2..=2, "SMDAB";
    SAR_MSG_REF_NUM = 0x020c "sar_msg_ref_num", Integer 2..=2, "SMDA";
    LANGUAGE_INDICATOR = 0x020d "language_indicator", Integer 1..=1, "SMDAB";
    SAR_TOTAL_SEGMENTS = 0x020e "sar_total_segments", Integer 1..=1, "SMDA";
    SAR_SEGMENT_SEQNUM = 0x020f "sar_segment_seqnum", Integer 1..=1, "SMDA";
    SC_INTERFACE_VERSION = 0x0210 "sc_interface_version", Integer 1..=1, "b";
    CALLBACK_NUM_PRES_IND = 0x0302 "callback_num_pres_ind", Integer 1..=1, "SMADB";
    CALLBACK_NUM_ATAG = 0x0303 "callback_num_atag", Octets 1..=65, "SMADB";
    NUMBER_OF_MESSAGES = 0x0304 "number_of_messages", Integer 1..=1, "SAM";
    CALLBACK_NUM = 0x0381 "callback_num", Octets 4..=19, "SMDAB";
    DPF_RESULT = 0x0420 "dpf_result", Integer 1..=1, "asDA";
    SET_DPF = 0x0421 "set_dpf", Integer 1..=1, "ASM";
    MS_AVAILABILITY_STATUS = 0x0422 "ms_availability_status", Integer 1..=1, "N";
    NETWORK_ERROR_CODE = 0x0423 "network_error_code", Octets 3..=3, "DAasd";
    MESSAGE_PAYLOAD = 0x0424 "message_payload", Octets 0..=65535, "SMDABR";
    DELIVERY_FAILURE_REASON = 0x0425 "delivery_failure_reason", Integer 1..=1, "asd";
    MORE_MESSAGES_TO_SEND = 0x0426 "more_messages_to_send", Integer 1..=1, "SAM";
    MESSAGE_STATE = 0x0427 "message_state", Integer 1..=1, "DAq";
    CONGESTION_STATE = 0x0428 "congestion_state", Integer 1..=1, "asdbcqr";
    USSD_SERVICE_OP = 0x0501 "ussd_service_op", Integer 1..=1, "SMAD";
    BROADCAST_CHANNEL_INDICATOR = 0x0600 "broadcast_channel_indicator", Integer 1..=1, "B";
    BROADCAST_CONTENT_TYPE = 0x0601 "broadcast_content_type", Octets 3..=3, "BC";
    BROADCAST_CONTENT_TYPE_INFO = 0x0602 "broadcast_content_type_info", Octets 1..=255, "B";
    BROADCAST_MESSAGE_CLASS = 0x0603 "broadcast_message_class", Integer 1..=1, "B";
    BROADCAST_REP_NUM = 0x0604 "broadcast_rep_num", Integer 2..=2, "B";
    BROADCAST_FREQUENCY_INTERVAL = 0x0605 "broadcast_frequency_interval", Octets 3..=3, "B";
    BROADCAST_AREA_IDENTIFIER = 0x0606 "broadcast_area_identifier", Octets 1..=101, "Bcq";
    BROADCAST_ERROR_STATUS = 0x0607 "broadcast_error_status", Integer 4..=4, "c";
    BROADCAST_AREA_SUCCESS = 0x0608 "broadcast_area_success", Integer 1..=1, "q";
    BROADCAST_END_TIME = 0x0609 "broadcast_end_time", Text 16..=17, "q";
    BROADCAST_SERVICE_GROUP = 0x060a "broadcast_service_group", Octets 1..=255, "B";
    BILLING_IDENTIFICATION = 0x060b "billing_identification", Octets 1..=1024, "SMA";
    SOURCE_NETWORK_ID = 0x060d "source_network_id", Text 7..=65, "SMDA";
    DEST_NETWORK_ID = 0x060e "dest_network_id", Text 7..=65, "SMDA";
    SOURCE_NODE_ID = 0x060f "source_node_id", Octets 6..=6, "SMDA";
    DEST_NODE_ID = 0x0610 "dest_node_id", Octets 6..=6, "SMDA";
    DEST_ADDR_NP_RESOLUTION = 0x0611 "dest_addr_np_resolution", Integer 1..=1, "SMDA";
    DEST_ADDR_NP_INFORMATION = 0x0612 "dest_addr_np_information", Octets 10..=10, "SMDA";
    DEST_ADDR_NP_COUNTRY = 0x0613 "dest_addr_np_country", Octets 1..=5, "SMDA";
    DISPLAY_TIME = 0x1201 "display_time", Integer 1..=1, "SMAB";
    SMS_SIGNAL = 0x1203 "sms_signal", Integer 2..=2, "SMAB";
    MS_VALIDITY = 0x1204 "ms_validity", Octets 1..=4, "SMAB";
    ALERT_ON_MESSAGE_DELIVERY = 0x130c "alert_on_message_delivery", Octets 0..=1, "SMAB";
    ITS_REPLY_TYPE = 0x1380 "its_reply_type", Integer 1..=1, "SAMD";
    ITS_SESSION_INFO = 0x1383 "its_session_info", Octets 2..=2, "SDAM";
}

const fn letters(letters: &str) -> u32 {
    let mut bits = 0;
    let mut rest = letters.as_bytes();
    while let [letter, tail @ ..] = rest {
        bits |= bit(*letter);
        rest = tail;
    }
    bits
}

/// The bit of a letter of the table.
const fn bit(letter: u8) -> u32 {
    1 << match letter {
        b'S' => 0,
        b'M' => 1,
        b'D' => 2,
        b'A' => 3,
        b'R' => 4,
        b'B' => 5,
        b'Q' => 6,
        b'C' => 7,
        b'N' => 8,
        b's' => 9,
        b'd' => 10,
        b'a' => 11,
        b'b' => 12,
        b'c' => 13,
        b'q' => 14,
        _ => 15,
    }
}

const fn pdu_bit(command_id: CommandId) -> u32 {
    match command_id {
        CommandId::SUBMIT_SM => bit(b'S'),
        CommandId::SUBMIT_MULTI => bit(b'M'),
        CommandId::DELIVER_SM => bit(b'D'),
        CommandId::DATA_SM => bit(b'A'),
        CommandId::REPLACE_SM => bit(b'R'),
        CommandId::BROADCAST_SM => bit(b'B'),
        CommandId::QUERY_BROADCAST_SM => bit(b'Q'),
        CommandId::CANCEL_BROADCAST_SM => bit(b'C'),
        CommandId::ALERT_NOTIFICATION => bit(b'N'),
        CommandId::SUBMIT_SM_RESP | CommandId::SUBMIT_MULTI_RESP => bit(b's'),
        CommandId::DELIVER_SM_RESP => bit(b'd'),
        CommandId::DATA_SM_RESP => bit(b'a'),
        CommandId::BIND_RECEIVER_RESP | CommandId::BIND_TRANSMITTER_RESP | CommandId::BIND_TRANSCEIVER_RESP => {
            bit(b'b')
        }
        CommandId::BROADCAST_SM_RESP => bit(b'c'),
        CommandId::QUERY_BROADCAST_SM_RESP => bit(b'q'),
        other if other.is_response() => bit(b'r'),
        _ => 0,
    }
}

impl Rule {
    /// Whether one of the versions has the TLV in this PDU. Those of 5.0 that may stand in any response count so.
    pub(crate) fn belongs_to(&self, command_id: CommandId) -> bool {
        self.pdus & pdu_bit(command_id) != 0
    }
}

impl Tag {
    /// The specification's name, such as `message_state`; none for tags that are in neither version.
    pub fn name(self) -> Option<&'static str> {
        self.rule().map(|rule| rule.name)
    }

    /// What the octets are; octets if the tag is not known.
    pub fn kind(self) -> TlvKind {
        self.rule().map(|rule| rule.kind).unwrap_or_default()
    }

    /// The lengths that the specification allows; any, if the tag is not known.
    pub fn lengths(self) -> RangeInclusive<usize> {
        self.rule().map_or(0..=usize::from(u16::MAX), |rule| rule.lengths.clone())
    }

    /// Whether the number lies in the range that vendors give meanings of their own: 0x1400 to 0x3FFF.
    pub const fn is_vendor(self) -> bool {
        matches!(self.0, 0x1400..=0x3fff)
    }
}

/// The name, or the number as `0x` and four digits.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

impl From<u16> for Tag {
    fn from(tag: u16) -> Self {
        Self(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_has_names() {
        assert_eq!(Tag::ALL.len(), 64);
        assert!(Tag::ALL.is_sorted());
        assert!(Tag::ALL.iter().all(|tag| tag.name().is_some() && !tag.is_vendor()));
        assert_eq!(Tag::MESSAGE_STATE.to_string(), "message_state");
        assert_eq!(Tag(0x1403).to_string(), "0x1403");
        assert!(Tag(0x1403).is_vendor());
    }

    #[test]
    fn where_a_tlv_belongs() {
        let rule = Tag::NETWORK_ERROR_CODE.rule().unwrap();
        assert!(rule.belongs_to(CommandId::DELIVER_SM) && rule.belongs_to(CommandId::DATA_SM_RESP));
        assert!(!rule.belongs_to(CommandId::SUBMIT_SM) && !rule.belongs_to(CommandId::ENQUIRE_LINK));
        assert!(Tag::CONGESTION_STATE.rule().unwrap().belongs_to(CommandId::UNBIND_RESP));
    }
}
