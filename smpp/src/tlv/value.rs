use std::ops::Deref;

use bytes::Bytes;
use thiserror::Error;

use super::Tag;
use crate::types::*;

/// A type that stands in TLVs of one tag.
///
/// Implemented here for every tag of 3.4 and 5.0, and to be implemented for vendors' tags:
///
/// ```
/// use bytes::Bytes;
/// use smpp::tlv::{Tag, Tlvs, TlvValue};
///
/// struct Operator(u16);
///
/// impl TlvValue for Operator {
///     const TAG: Tag = Tag(0x1401);
///
///     fn decode(value: Bytes) -> Option<Self> {
///         Some(Self(u16::from_be_bytes(value.as_ref().try_into().ok()?)))
///     }
///
///     fn encode<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
///         f(&self.0.to_be_bytes())
///     }
/// }
///
/// let tlvs = Tlvs::new().with(&Operator(65_501));
/// assert_eq!(tlvs.get::<Operator>().map(|operator| operator.0), Some(65_501));
/// ```
pub trait TlvValue: Sized {
    /// The tag.
    const TAG: Tag;

    /// Reads the value: all of it, and nothing else. None if the octets are not of the type.
    fn decode(value: Bytes) -> Option<Self>;

    /// Hands the octets of the value to `f`; at most 65,535.
    fn encode<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T;
}

/// Octets whose number the tag bounds: `MIN` to `MAX`.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct TlvOctets<const MIN: usize, const MAX: usize>(Bytes);

/// More or fewer octets than the tag allows.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{length} octets; {min} to {max} are possible")]
pub struct InvalidTlvLength {
    /// Their number.
    pub length: usize,
    /// The fewest.
    pub min: usize,
    /// The most.
    pub max: usize,
}

impl<const MIN: usize, const MAX: usize> TlvOctets<MIN, MAX> {
    /// Takes octets.
    ///
    /// # Errors
    ///
    /// Their number is outside the bounds.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, InvalidTlvLength> {
        let octets = octets.into();
        match octets.len() {
            length if (MIN..=MAX).contains(&length) => Ok(Self(octets)),
            length => Err(InvalidTlvLength { length, min: MIN, max: MAX }),
        }
    }
}

impl<const MIN: usize, const MAX: usize> Deref for TlvOctets<MIN, MAX> {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

/// TLV ms_validity: for how long a phone keeps a message.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct MsValidity {
    /// 0 indefinitely, 1 until power down, 2 until the registration area is left, 3 displayed only, 4 relative.
    pub behaviour: u8,
    /// The time span of behaviour 4 (5.0): unit (0 seconds, 1 minutes, 2 hours, 3 days, 4 weeks, 5 months, 6 years) and
    /// number.
    pub span: Option<(u8, u16)>,
}

/// TLV callback_num: a number to call back.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct CallbackNum {
    /// Whether the digits are sent as ASCII on the air; DTMF otherwise. In the TLV they are ASCII in both cases.
    pub ascii: bool,
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan indicator.
    pub npi: Npi,
    /// The digits: 1 to 16.
    pub digits: TlvOctets<1, 16>,
}

/// TLV broadcast_content_type.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct BroadcastContentType {
    /// 0 generic, 1 GSM, 2 TDMA, 3 CDMA.
    pub network: u8,
    /// The network's number of the content, such as 0x0033 for weather in the generic list.
    pub content: u16,
}

/// TLV broadcast_frequency_interval: how often a broadcast is repeated.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct BroadcastFrequencyInterval {
    /// 0 as often as possible, 8 seconds, 9 minutes, 10 hours, 11 days, 12 weeks, 13 months, 14 years.
    pub unit: u8,
    /// Number of units.
    pub count: u16,
}

/// TLV broadcast_area_identifier: where a message is broadcast; in responses, where it failed.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct BroadcastAreaIdentifier {
    /// 0 alias name, 1 ellipsoid arc, 2 polygon (3GPP TS 23.032).
    pub format: u8,
    /// Name or shape.
    pub area: TlvOctets<0, 100>,
}

/// A value that stands in TLVs, whatever their tag.
trait Shape: Sized {
    fn read(value: Bytes) -> Option<Self>;
    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T;
}

/// Integers of a fixed size; types around one octet.
macro_rules! shapes {
    ($($int:ty),*; $($octet:ty),*) => {
        $(impl Shape for $int {
            fn read(value: Bytes) -> Option<Self> {
                value.as_ref().try_into().ok().map(Self::from_be_bytes)
            }

            fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
                f(&self.to_be_bytes())
            }
        })*
        $(impl Shape for $octet {
            fn read(value: Bytes) -> Option<Self> {
                u8::read(value).map(Self)
            }

            fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
                self.0.write(f)
            }
        })*
    };
}

shapes! {
    u8, u16, u32;
    AddrSubunit, BearerType, BroadcastChannelIndicator, CongestionState, DeliveryFailureReason, DisplayTime,
    InterfaceVersion, ItsReplyType, LanguageIndicator, MessageState, MsAvailabilityStatus, NetworkType,
    NumberPortability, PayloadType, PrivacyIndicator, UssdServiceOp
}

impl Shape for CommandStatus {
    fn read(value: Bytes) -> Option<Self> {
        u32::read(value).map(Self)
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        self.0.write(f)
    }
}

impl<const MIN: usize, const MAX: usize> Shape for TlvOctets<MIN, MAX> {
    fn read(value: Bytes) -> Option<Self> {
        Self::new(value).ok()
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&self.0)
    }
}

impl<const N: usize> Shape for COctetString<N> {
    /// The text goes up to the first NUL, or to the end. No octets at all are as good as no TLV.
    fn read(value: Bytes) -> Option<Self> {
        let text = value.split(|&octet| octet == 0).next().unwrap_or_default();
        if value.is_empty() { None } else { Self::over_long(text).ok() }
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&[self.as_slice(), &[0]].concat())
    }
}

impl Shape for NetworkErrorCode {
    fn read(value: Bytes) -> Option<Self> {
        let (network, code) = octet_and_u16(&value)?;
        Some(Self { network: ErrorNetwork(network), code })
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        let [high, low] = self.code.to_be_bytes();
        f(&[self.network.0, high, low])
    }
}

impl Shape for BroadcastContentType {
    fn read(value: Bytes) -> Option<Self> {
        let (network, content) = octet_and_u16(&value)?;
        Some(Self { network, content })
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        let [high, low] = self.content.to_be_bytes();
        f(&[self.network, high, low])
    }
}

impl Shape for BroadcastFrequencyInterval {
    fn read(value: Bytes) -> Option<Self> {
        let (unit, count) = octet_and_u16(&value)?;
        Some(Self { unit, count })
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        let [high, low] = self.count.to_be_bytes();
        f(&[self.unit, high, low])
    }
}

impl Shape for ItsSessionInfo {
    fn read(value: Bytes) -> Option<Self> {
        value.as_ref().try_into().ok().map(Self::from_octets)
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&self.to_octets())
    }
}

impl Shape for MsValidity {
    fn read(value: Bytes) -> Option<Self> {
        match *value.as_ref() {
            [behaviour] => Some(Self { behaviour, span: None }),
            [behaviour, unit, high, low] => {
                Some(Self { behaviour, span: Some((unit, u16::from_be_bytes([high, low]))) })
            }
            _ => None,
        }
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        match self.span {
            None => f(&[self.behaviour]),
            Some((unit, count)) => {
                let [high, low] = count.to_be_bytes();
                f(&[self.behaviour, unit, high, low])
            }
        }
    }
}

impl Shape for CallbackNum {
    fn read(mut value: Bytes) -> Option<Self> {
        let &[mode, ton, npi] = value.first_chunk()?;
        bytes::Buf::advance(&mut value, 3);
        Some(Self { ascii: mode & 1 == 1, ton: Ton(ton), npi: Npi(npi), digits: TlvOctets::read(value)? })
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&[&[u8::from(self.ascii), self.ton.0, self.npi.0], self.digits.as_ref()].concat())
    }
}

impl Shape for BroadcastAreaIdentifier {
    fn read(mut value: Bytes) -> Option<Self> {
        let format = *value.first()?;
        bytes::Buf::advance(&mut value, 1);
        Some(Self { format, area: TlvOctets::read(value)? })
    }

    fn write<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&[&[self.format], self.area.as_ref()].concat())
    }
}

fn octet_and_u16(value: &[u8]) -> Option<(u8, u16)> {
    match *value {
        [octet, high, low] => Some((octet, u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

macro_rules! tlv_value {
    ($name:ident = $tag:ident, $value:ident => $shape:expr, $make:expr) => {
        impl TlvValue for $name {
            const TAG: Tag = Tag::$tag;

            fn decode(octets: Bytes) -> Option<Self> {
                Shape::read(octets).map($make)
            }

            fn encode<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
                let $value = self;
                Shape::write($shape, f)
            }
        }
    };
}

/// Types that stand in one TLV alone.
macro_rules! own_tlvs {
    ($($name:ident = $tag:ident;)*) => {
        $(tlv_value!($name = $tag, value => value, |value: Self| value);)*
    };
}

/// Types that name the TLV around a value that others have too.
macro_rules! named_tlvs {
    ($($name:ident($inner:ty) = $tag:ident, $words:literal;)*) => {
        $(
            #[doc = concat!("TLV ", $words, ".")]
            #[derive(Clone, Debug, Eq, Hash, PartialEq)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
            pub struct $name(pub $inner);

            /// As the value itself; of a length that the tag has.
            #[cfg(feature = "serde")]
            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    crate::serialize::of_tag(Self(serde::Deserialize::deserialize(deserializer)?))
                }
            }

            impl From<$inner> for $name {
                fn from(value: $inner) -> Self {
                    Self(value)
                }
            }

            tlv_value!($name = $tag, value => &value.0, Self);
        )*
    };
}

own_tlvs! {
    PayloadType = PAYLOAD_TYPE;
    PrivacyIndicator = PRIVACY_INDICATOR;
    LanguageIndicator = LANGUAGE_INDICATOR;
    InterfaceVersion = SC_INTERFACE_VERSION;
    CallbackNum = CALLBACK_NUM;
    MsAvailabilityStatus = MS_AVAILABILITY_STATUS;
    NetworkErrorCode = NETWORK_ERROR_CODE;
    DeliveryFailureReason = DELIVERY_FAILURE_REASON;
    MessageState = MESSAGE_STATE;
    CongestionState = CONGESTION_STATE;
    UssdServiceOp = USSD_SERVICE_OP;
    BroadcastChannelIndicator = BROADCAST_CHANNEL_INDICATOR;
    BroadcastContentType = BROADCAST_CONTENT_TYPE;
    BroadcastFrequencyInterval = BROADCAST_FREQUENCY_INTERVAL;
    BroadcastAreaIdentifier = BROADCAST_AREA_IDENTIFIER;
    NumberPortability = DEST_ADDR_NP_RESOLUTION;
    DisplayTime = DISPLAY_TIME;
    MsValidity = MS_VALIDITY;
    ItsReplyType = ITS_REPLY_TYPE;
    ItsSessionInfo = ITS_SESSION_INFO;
}

named_tlvs! {
    DestAddrSubunit(AddrSubunit) = DEST_ADDR_SUBUNIT, "dest_addr_subunit: the part of the device that the message is for";
    DestNetworkType(NetworkType) = DEST_NETWORK_TYPE, "dest_network_type";
    DestBearerType(BearerType) = DEST_BEARER_TYPE, "dest_bearer_type";
    DestTelematicsId(u16) = DEST_TELEMATICS_ID, "dest_telematics_id: for GSM the protocol_id in the upper octet";
    SourceAddrSubunit(AddrSubunit) = SOURCE_ADDR_SUBUNIT, "source_addr_subunit: the part of the device that the message is from";
    SourceNetworkType(NetworkType) = SOURCE_NETWORK_TYPE, "source_network_type";
    SourceBearerType(BearerType) = SOURCE_BEARER_TYPE, "source_bearer_type";
    SourceTelematicsId(u8) = SOURCE_TELEMATICS_ID, "source_telematics_id: a protocol_id";
    QosTimeToLive(u32) = QOS_TIME_TO_LIVE, "qos_time_to_live: for how long the message is kept, in seconds";
    AdditionalStatusInfoText(COctetString<256>) = ADDITIONAL_STATUS_INFO_TEXT, "additional_status_info_text: words for diagnosis";
    ReceiptedMessageId(COctetString<65>) = RECEIPTED_MESSAGE_ID, "receipted_message_id: the id that the response to the submission gave";
    MsMsgWaitFacilities(u8) = MS_MSG_WAIT_FACILITIES, "ms_msg_wait_facilities: bit 7 whether it is active, bits 1 and 0 voicemail, fax, e-mail or other";
    SourceSubaddress(TlvOctets<2, 23>) = SOURCE_SUBADDRESS, "source_subaddress: a type octet (0x80 NSAP even, 0x88 NSAP odd, 0xA0 user specified), then the address";
    DestSubaddress(TlvOctets<2, 23>) = DEST_SUBADDRESS, "dest_subaddress: as source_subaddress";
    UserMessageReference(u16) = USER_MESSAGE_REFERENCE, "user_message_reference: the ESME's own number of the message";
    UserResponseCode(u8) = USER_RESPONSE_CODE, "user_response_code";
    SourcePort(u16) = SOURCE_PORT, "source_port";
    DestPort(u16) = DEST_PORT, "dest_port (3.4: destination_port)";
    SarMsgRefNum(u16) = SAR_MSG_REF_NUM, "sar_msg_ref_num: the same in all segments of a message";
    SarTotalSegments(u8) = SAR_TOTAL_SEGMENTS, "sar_total_segments: 1 to 255";
    SarSegmentSeqnum(u8) = SAR_SEGMENT_SEQNUM, "sar_segment_seqnum: from 1";
    CallbackNumPresInd(u8) = CALLBACK_NUM_PRES_IND, "callback_num_pres_ind: bits 3 and 2 presentation, bits 1 and 0 screening";
    CallbackNumAtag(TlvOctets<1, 65>) = CALLBACK_NUM_ATAG, "callback_num_atag: a data_coding octet, then text to show";
    NumberOfMessages(u8) = NUMBER_OF_MESSAGES, "number_of_messages: 0 to 99 in a mailbox";
    DpfResult(u8) = DPF_RESULT, "dpf_result: whether the delivery pending flag was set";
    SetDpf(u8) = SET_DPF, "set_dpf: whether to set the delivery pending flag";
    MessagePayload(TlvOctets<0, 65535>) = MESSAGE_PAYLOAD, "message_payload: user data too long for short_message";
    MoreMessagesToSend(u8) = MORE_MESSAGES_TO_SEND, "more_messages_to_send: 0 no, 1 yes (the default)";
    BroadcastContentTypeInfo(TlvOctets<1, 255>) = BROADCAST_CONTENT_TYPE_INFO, "broadcast_content_type_info";
    BroadcastMessageClass(u8) = BROADCAST_MESSAGE_CLASS, "broadcast_message_class: 0 none, 1 to 3 the class";
    BroadcastRepNum(u16) = BROADCAST_REP_NUM, "broadcast_rep_num: how many times; 0 is unlimited";
    BroadcastErrorStatus(CommandStatus) = BROADCAST_ERROR_STATUS, "broadcast_error_status: why an area failed";
    BroadcastAreaSuccess(u8) = BROADCAST_AREA_SUCCESS, "broadcast_area_success: 0 to 100 per cent, 255 unknown";
    BroadcastEndTime(COctetString<17>) = BROADCAST_END_TIME, "broadcast_end_time: an absolute time";
    BroadcastServiceGroup(TlvOctets<1, 255>) = BROADCAST_SERVICE_GROUP, "broadcast_service_group";
    BillingIdentification(TlvOctets<1, 1024>) = BILLING_IDENTIFICATION, "billing_identification: bit 7 of the first octet set for a vendor's format";
    SourceNetworkId(COctetString<65>) = SOURCE_NETWORK_ID, "source_network_id: 1 and MCC and MNC for GSM, 2 and MCC and SID, or 3 for an ESME";
    DestNetworkId(COctetString<65>) = DEST_NETWORK_ID, "dest_network_id: as source_network_id";
    SourceNodeId(TlvOctets<6, 6>) = SOURCE_NODE_ID, "source_node_id: six digits";
    DestNodeId(TlvOctets<6, 6>) = DEST_NODE_ID, "dest_node_id: six digits";
    DestAddrNpInformation(TlvOctets<10, 10>) = DEST_ADDR_NP_INFORMATION, "dest_addr_np_information: the routing number, ten digits";
    DestAddrNpCountry(TlvOctets<1, 5>) = DEST_ADDR_NP_COUNTRY, "dest_addr_np_country: an E.164 country code";
    SmsSignal(u16) = SMS_SIGNAL, "sms_signal: how the phone alerts (ANSI-136)";
    AlertOnMessageDelivery(TlvOctets<0, 1>) = ALERT_ON_MESSAGE_DELIVERY, "alert_on_message_delivery: no octet, or (5.0) 0 default, 1 low, 2 medium, 3 high";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    fn octets<T: TlvValue>(value: &T) -> Vec<u8> {
        value.encode(<[u8]>::to_vec)
    }

    #[test]
    fn text_ends_at_the_first_nul_or_at_the_end() {
        for (value, text) in [(&b"abc\0"[..], "abc"), (b"abc", "abc"), (b"abc\0zz", "abc"), (b"\0", "")] {
            let id = ReceiptedMessageId::decode(Bytes::from_static(value)).unwrap();
            assert_eq!(id.0, text);
        }
        assert_eq!(ReceiptedMessageId::decode(Bytes::new()), None);
        assert_eq!(octets(&ReceiptedMessageId("abc".parse().unwrap())), b"abc\0");
    }

    #[test]
    fn values_with_parts() {
        let error = NetworkErrorCode { network: ErrorNetwork::GSM, code: 0x0102 };
        assert_eq!(octets(&error), [3, 1, 2]);
        let number = CallbackNum::decode(Bytes::from_static(b"\x01\x01\x0112345")).unwrap();
        assert_eq!((number.ascii, number.ton, &number.digits[..]), (true, Ton::INTERNATIONAL, &b"12345"[..]));
        assert_eq!(octets(&number), b"\x01\x01\x0112345");
        assert_eq!(CallbackNum::decode(Bytes::from_static(b"\x01\x01\x01")), None);
        let validity = MsValidity { behaviour: 4, span: Some((3, 2)) };
        assert_eq!(octets(&validity), [4, 3, 0, 2]);
        assert_eq!(MsValidity::decode(Bytes::from_static(&[4, 3])), None);
        let area = BroadcastAreaIdentifier::decode(Bytes::from_static(b"\0Gauteng")).unwrap();
        assert_eq!((area.format, &area.area[..]), (0, &b"Gauteng"[..]));
        assert_eq!(octets(&area), b"\0Gauteng");
        assert_eq!(octets(&ItsSessionInfo::new(0x12, 0x1a, false)), [0x12, 0x34]);
        let interval = BroadcastFrequencyInterval { unit: 9, count: 31 };
        assert_eq!((octets(&interval), octets(&BroadcastRepNum(10))), (vec![9, 0, 31], vec![0, 10]));
        assert_eq!(octets(&BroadcastContentType { network: 0, content: 0x33 }), [0, 0, 0x33]);
    }

    #[test]
    fn octets_are_bounded_when_made() {
        let error = SourceNodeId(TlvOctets::new(&b"123456"[..]).unwrap());
        assert_eq!(octets(&error), b"123456");
        let error = TlvOctets::<6, 6>::new(&b"12345"[..]).unwrap_err();
        assert_eq!(error.to_string(), "5 octets; 6 to 6 are possible");
    }

    #[test]
    fn every_type_has_a_length_that_its_tag_allows() {
        let mut tlvs = Tlvs::new();
        tlvs.push(&MessageState::DELIVERED);
        tlvs.push(&DestTelematicsId(1));
        tlvs.push(&SourceTelematicsId(1));
        tlvs.push(&QosTimeToLive(1));
        tlvs.push(&SarMsgRefNum(1));
        tlvs.push(&BroadcastErrorStatus(CommandStatus::RBCASTFAIL));
        tlvs.push(&SmsSignal(1));
        for tlv in &tlvs {
            assert!(tlv.tag.lengths().contains(&tlv.value.len()), "{tlv:?}");
        }
    }
}
