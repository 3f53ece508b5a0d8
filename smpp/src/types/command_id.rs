use std::fmt;

/// Which operation a PDU belongs to; bit 31 tells a response. Any value is possible, unknown ones survive.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CommandId(pub u32);

const RESPONSE: u32 = 0x8000_0000;

macro_rules! command_ids {
    ($($name:ident $wire:literal = $id:literal,)*) => {
        impl CommandId {
            $(#[doc = concat!("`", $wire, "`")] pub const $name: Self = Self($id);)*

            /// The specification's name, such as `submit_sm`; none for an id that is in neither version.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($id => Some($wire),)*
                    _ => None,
                }
            }
        }
    };
}

command_ids! {
    BIND_RECEIVER "bind_receiver" = 0x0000_0001,
    BIND_TRANSMITTER "bind_transmitter" = 0x0000_0002,
    QUERY_SM "query_sm" = 0x0000_0003,
    SUBMIT_SM "submit_sm" = 0x0000_0004,
    DELIVER_SM "deliver_sm" = 0x0000_0005,
    UNBIND "unbind" = 0x0000_0006,
    REPLACE_SM "replace_sm" = 0x0000_0007,
    CANCEL_SM "cancel_sm" = 0x0000_0008,
    BIND_TRANSCEIVER "bind_transceiver" = 0x0000_0009,
    OUTBIND "outbind" = 0x0000_000b,
    ENQUIRE_LINK "enquire_link" = 0x0000_0015,
    SUBMIT_MULTI "submit_multi" = 0x0000_0021,
    ALERT_NOTIFICATION "alert_notification" = 0x0000_0102,
    DATA_SM "data_sm" = 0x0000_0103,
    BROADCAST_SM "broadcast_sm" = 0x0000_0111,
    QUERY_BROADCAST_SM "query_broadcast_sm" = 0x0000_0112,
    CANCEL_BROADCAST_SM "cancel_broadcast_sm" = 0x0000_0113,
    GENERIC_NACK "generic_nack" = 0x8000_0000,
    BIND_RECEIVER_RESP "bind_receiver_resp" = 0x8000_0001,
    BIND_TRANSMITTER_RESP "bind_transmitter_resp" = 0x8000_0002,
    QUERY_SM_RESP "query_sm_resp" = 0x8000_0003,
    SUBMIT_SM_RESP "submit_sm_resp" = 0x8000_0004,
    DELIVER_SM_RESP "deliver_sm_resp" = 0x8000_0005,
    UNBIND_RESP "unbind_resp" = 0x8000_0006,
    REPLACE_SM_RESP "replace_sm_resp" = 0x8000_0007,
    CANCEL_SM_RESP "cancel_sm_resp" = 0x8000_0008,
    BIND_TRANSCEIVER_RESP "bind_transceiver_resp" = 0x8000_0009,
    ENQUIRE_LINK_RESP "enquire_link_resp" = 0x8000_0015,
    SUBMIT_MULTI_RESP "submit_multi_resp" = 0x8000_0021,
    DATA_SM_RESP "data_sm_resp" = 0x8000_0103,
    BROADCAST_SM_RESP "broadcast_sm_resp" = 0x8000_0111,
    QUERY_BROADCAST_SM_RESP "query_broadcast_sm_resp" = 0x8000_0112,
    CANCEL_BROADCAST_SM_RESP "cancel_broadcast_sm_resp" = 0x8000_0113,
}

impl CommandId {
    /// Whether it is a response; a generic_nack is one. Nothing ever answers a response.
    pub const fn is_response(self) -> bool {
        self.0 & RESPONSE != 0
    }

    /// Whether it is that of enquire_link or of its response.
    #[inline(always)]
    pub(crate) const fn keeps_alive(self) -> bool {
        self.0 & !RESPONSE == Self::ENQUIRE_LINK.0
    }

    /// The response that a known request has. None for outbind, alert_notification, responses and unknown ids.
    pub const fn response(self) -> Option<Self> {
        let response = Self(self.0 | RESPONSE);
        match (self.is_response(), self.name(), response.name()) {
            (false, Some(_), Some(_)) => Some(response),
            _ => None,
        }
    }

    /// Whether only version 5.0 has it: the broadcast operations.
    pub const fn is_broadcast(self) -> bool {
        matches!(self.0 & !RESPONSE, 0x111..=0x113)
    }
}

/// The name, or the number as `0x` and eight digits.
impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandId({self})")
    }
}

impl From<u32> for CommandId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_pair_with_their_requests() {
        assert_eq!(CommandId::SUBMIT_SM.response(), Some(CommandId::SUBMIT_SM_RESP));
        for one_way in [CommandId::OUTBIND, CommandId::ALERT_NOTIFICATION, CommandId::GENERIC_NACK, CommandId(0)] {
            assert_eq!(one_way.response(), None, "{one_way}");
        }
        assert!(CommandId(0x8000_0022).is_response());
    }

    #[test]
    fn unknown_ids_show_their_number() {
        assert_eq!(CommandId(0x0001_0201).to_string(), "0x00010201");
        assert_eq!(CommandId::DATA_SM.to_string(), "data_sm");
    }
}
