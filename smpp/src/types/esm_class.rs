use std::fmt;

/// Mode, type and GSM features of a message (section 5.2.12): three bit fields in one octet.
///
/// Unused bits are kept.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
pub struct EsmClass(pub u8);

const MODE: u8 = 0b0000_0011;
const TYPE: u8 = 0b0011_1100;

/// How a message centre handles a submitted message: bits 1 and 0 of [`EsmClass`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MessagingMode {
    /// What the message centre does by default, usually store and forward.
    #[default]
    Default,
    /// One attempt, no storage, no receipt.
    Datagram,
    /// The response comes after the delivery. Data_sm only in 3.4; called forward mode as well.
    Transaction,
    /// The message centre stores the message until it is delivered or expires.
    StoreAndForward,
}

/// What a message is: bits 5 to 2 of [`EsmClass`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MessageType {
    /// An ordinary message.
    Normal,
    /// The message centre's receipt for a message submitted earlier.
    DeliveryReceipt,
    /// The recipient's device confirms the delivery.
    DeliveryAcknowledgement,
    /// The recipient confirms by hand.
    UserAcknowledgement,
    /// Conversation abort (Korean CDMA).
    ConversationAbort,
    /// The message centre tells of a state that is not final yet.
    IntermediateNotification,
    /// A reserved value: the four bits as a number.
    Reserved(u8),
}

impl EsmClass {
    /// Default mode, ordinary message, no GSM feature.
    pub const NORMAL: Self = Self(0);
    /// The message centre's delivery receipt.
    pub const DELIVERY_RECEIPT: Self = Self(0x04);
    /// Intermediate notification.
    pub const INTERMEDIATE_NOTIFICATION: Self = Self(0x20);
    /// The text begins with a user data header.
    pub const UDHI: Self = Self(0x40);
    /// Reply path.
    pub const REPLY_PATH: Self = Self(0x80);

    /// How the message is handled. Not used from a message centre to an ESME.
    pub const fn mode(self) -> MessagingMode {
        match self.0 & MODE {
            0 => MessagingMode::Default,
            1 => MessagingMode::Datagram,
            2 => MessagingMode::Transaction,
            _ => MessagingMode::StoreAndForward,
        }
    }

    /// What the message is.
    pub const fn message_type(self) -> MessageType {
        match (self.0 & TYPE) >> 2 {
            0b0000 => MessageType::Normal,
            0b0001 => MessageType::DeliveryReceipt,
            0b0010 => MessageType::DeliveryAcknowledgement,
            0b0100 => MessageType::UserAcknowledgement,
            0b0110 => MessageType::ConversationAbort,
            0b1000 => MessageType::IntermediateNotification,
            other => MessageType::Reserved(other),
        }
    }

    /// Whether it is a delivery receipt or an intermediate notification.
    pub const fn is_receipt(self) -> bool {
        matches!(self.message_type(), MessageType::DeliveryReceipt | MessageType::IntermediateNotification)
    }

    /// Whether the text begins with a user data header.
    pub const fn has_udh(self) -> bool {
        self.0 & Self::UDHI.0 != 0
    }

    /// Whether the reply path is set.
    pub const fn has_reply_path(self) -> bool {
        self.0 & Self::REPLY_PATH.0 != 0
    }

    /// With another mode.
    #[must_use]
    pub const fn with_mode(self, mode: MessagingMode) -> Self {
        let bits = match mode {
            MessagingMode::Default => 0,
            MessagingMode::Datagram => 1,
            MessagingMode::Transaction => 2,
            MessagingMode::StoreAndForward => 3,
        };
        Self(self.0 & !MODE | bits)
    }

    /// With the user data header indicator set.
    #[must_use]
    pub const fn with_udh(self) -> Self {
        Self(self.0 | Self::UDHI.0)
    }
}

impl fmt::Debug for EsmClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EsmClass({:#04x})", self.0)
    }
}

/// Mode, type and features in words, such as `normal, store and forward, UDHI`.
impl fmt::Display for EsmClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message_type() {
            MessageType::Normal => f.write_str("normal"),
            MessageType::DeliveryReceipt => f.write_str("delivery receipt"),
            MessageType::DeliveryAcknowledgement => f.write_str("delivery acknowledgement"),
            MessageType::UserAcknowledgement => f.write_str("user acknowledgement"),
            MessageType::ConversationAbort => f.write_str("conversation abort"),
            MessageType::IntermediateNotification => f.write_str("intermediate notification"),
            MessageType::Reserved(bits) => write!(f, "reserved type {bits}"),
        }?;
        match self.mode() {
            MessagingMode::Default => Ok(()),
            MessagingMode::Datagram => f.write_str(", datagram"),
            MessagingMode::Transaction => f.write_str(", transaction"),
            MessagingMode::StoreAndForward => f.write_str(", store and forward"),
        }?;
        f.write_str(if self.has_udh() { ", UDHI" } else { "" })?;
        f.write_str(if self.has_reply_path() { ", reply path" } else { "" })
    }
}

impl From<u8> for EsmClass {
    fn from(octet: u8) -> Self {
        Self(octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_read_apart() {
        let esm_class = EsmClass(0x43);
        assert_eq!(esm_class.mode(), MessagingMode::StoreAndForward);
        assert_eq!(esm_class.message_type(), MessageType::Normal);
        assert!(esm_class.has_udh() && !esm_class.is_receipt());
        assert!(EsmClass(0x44).is_receipt() && EsmClass(0x20).is_receipt() && !EsmClass(0x08).is_receipt());
        assert_eq!(EsmClass(0x18).message_type(), MessageType::ConversationAbort);
        assert_eq!(EsmClass(0x3c).message_type(), MessageType::Reserved(15));
        assert_eq!(EsmClass(0xc3).to_string(), "normal, store and forward, UDHI, reply path");
        assert_eq!(EsmClass(0xff).with_mode(MessagingMode::Datagram), EsmClass(0xfd));
    }
}
