//! Values of two or three octets with parts.

use super::ErrorNetwork;

/// TLV network_error_code: the network's own reason, three octets.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct NetworkErrorCode {
    /// Whose code it is.
    pub network: ErrorNetwork,
    /// The code.
    pub code: u16,
}

/// TLV its_session_info: the USSD or interactive session that a message belongs to, two octets.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct ItsSessionInfo {
    /// The 15 bits before the end flag. By the specification the session number in the upper 8 and the number of the
    /// dialogue unit in the lower 7; some message centres put one number there, so an application had better take
    /// them as the peer's reference.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "reference"))]
    reference: u16,
    /// Whether the session ends with this message.
    pub end: bool,
}

/// Bits of the reference.
const REFERENCE_BITS: u16 = 0x7fff;

impl ItsSessionInfo {
    /// A session number and the number of the dialogue unit, of which the lower 7 bits count.
    pub const fn new(session: u8, dialogue: u8, end: bool) -> Self {
        Self::from_octets([session, dialogue << 1 | end as u8])
    }

    /// The session number.
    pub const fn session(self) -> u8 {
        let [session, _] = self.to_octets();
        session
    }

    /// The number of the dialogue unit, 0 to 127.
    pub const fn dialogue(self) -> u8 {
        let [_, dialogue] = self.to_octets();
        dialogue >> 1
    }

    /// All 15 bits before the end flag as one number.
    pub const fn reference(self) -> u16 {
        self.reference & REFERENCE_BITS
    }

    /// As it stands on the wire.
    pub const fn to_octets(self) -> [u8; 2] {
        (self.reference << 1 | self.end as u16).to_be_bytes()
    }

    /// From the wire; any two octets will do.
    pub const fn from_octets(octets: [u8; 2]) -> Self {
        let value = u16::from_be_bytes(octets);
        Self { reference: value >> 1, end: value & 1 == 1 }
    }
}

/// At most 15 bits.
#[cfg(feature = "serde")]
fn reference<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match serde::Deserialize::deserialize(deserializer)? {
        reference if reference <= REFERENCE_BITS => Ok(reference),
        reference => Err(serde::de::Error::custom(format_args!("{reference} has more than 15 bits"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_info_is_two_octets() {
        let info = ItsSessionInfo::from_octets([0x12, 0x35]);
        assert_eq!((info.session(), info.dialogue(), info.end), (0x12, 0x1a, true));
        assert_eq!(info, ItsSessionInfo::new(0x12, 0x1a, true));
        assert_eq!(info.reference(), 0x1235 >> 1);
        for octets in [[0, 0], [0xff, 0xff], [0x80, 0x01]] {
            assert_eq!(ItsSessionInfo::from_octets(octets).to_octets(), octets);
        }
    }
}
