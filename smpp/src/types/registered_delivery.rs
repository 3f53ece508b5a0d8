use std::fmt;

/// Which receipts a message asks for (section 5.2.17). Reserved bits are kept.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
pub struct RegisteredDelivery(pub u8);

const RECEIPT: u8 = 0b0000_0011;

impl RegisteredDelivery {
    /// No receipt.
    pub const NONE: Self = Self(0);
    /// A receipt for the final state, whatever it is.
    pub const FINAL: Self = Self(1);
    /// A receipt if the message failed.
    pub const FAILURE: Self = Self(2);
    /// A receipt if the message was delivered (5.0; reserved in 3.4).
    pub const SUCCESS: Self = Self(3);
    /// The recipient's device is to confirm the delivery.
    pub const DELIVERY_ACKNOWLEDGEMENT: Self = Self(0x04);
    /// The recipient is to confirm by hand.
    pub const USER_ACKNOWLEDGEMENT: Self = Self(0x08);
    /// Intermediate notifications as well.
    pub const INTERMEDIATE: Self = Self(0x10);

    /// Whether the message centre is to send a receipt on this final outcome.
    pub const fn wants_receipt(self, delivered: bool) -> bool {
        match self.0 & RECEIPT {
            0 => false,
            1 => true,
            2 => !delivered,
            _ => delivered,
        }
    }

    /// Whether intermediate notifications are asked for.
    pub const fn wants_intermediate(self) -> bool {
        self.0 & Self::INTERMEDIATE.0 != 0
    }

    /// Whether the recipient's device is to confirm the delivery.
    pub const fn wants_delivery_acknowledgement(self) -> bool {
        self.0 & Self::DELIVERY_ACKNOWLEDGEMENT.0 != 0
    }

    /// Whether the recipient is to confirm by hand.
    pub const fn wants_user_acknowledgement(self) -> bool {
        self.0 & Self::USER_ACKNOWLEDGEMENT.0 != 0
    }
}

impl std::ops::BitOr for RegisteredDelivery {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for RegisteredDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegisteredDelivery({:#04x})", self.0)
    }
}

/// What is asked for, in words.
impl fmt::Display for RegisteredDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 & RECEIPT {
            0 => "no receipt",
            1 => "receipt",
            2 => "receipt on failure",
            _ => "receipt on success",
        })?;
        for (wanted, words) in [
            (self.wants_delivery_acknowledgement(), ", delivery acknowledgement"),
            (self.wants_user_acknowledgement(), ", user acknowledgement"),
            (self.wants_intermediate(), ", intermediate notification"),
        ] {
            f.write_str(if wanted { words } else { "" })?;
        }
        Ok(())
    }
}

impl From<u8> for RegisteredDelivery {
    fn from(octet: u8) -> Self {
        Self(octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_by_outcome() {
        let wants = |octet| [true, false].map(|delivered| RegisteredDelivery(octet).wants_receipt(delivered));
        assert_eq!([0, 1, 2, 3].map(wants), [[false, false], [true, true], [false, true], [true, false]]);
        assert_eq!(wants(0x21), [true, true]);
        let all = RegisteredDelivery::FINAL | RegisteredDelivery::INTERMEDIATE;
        assert_eq!(all.to_string(), "receipt, intermediate notification");
    }
}
