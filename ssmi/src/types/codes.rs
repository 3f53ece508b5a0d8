//! Fields with a list of known values. Each list is open: what is not on it is kept, octet for octet, in `Other`.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::Octets;

/// Declares an open list of codes: a table `Variant = "wire"`, and an `Other` arm that keeps the rest.
///
/// Two values are equal when they stand for the same octets, so `Other("1")` equals the variant for `"1"`.
macro_rules! open_code {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $wire:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub enum $name {
            $($(#[$variant_meta])* #[doc = concat!("\n\nOn the wire: `", $wire, "`.")] $variant,)*
            /// A value that is not on the list.
            Other(Octets),
        }

        impl From<Octets> for $name {
            fn from(octets: Octets) -> Self {
                match octets.as_utf8() {
                    $(Some($wire) => Self::$variant,)*
                    _ => Self::Other(octets),
                }
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                match self {
                    $(Self::$variant => $wire.as_bytes(),)*
                    Self::Other(octets) => octets.as_ref(),
                }
            }
        }

        impl Eq for $name {}

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_ref() == other.as_ref()
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_ref().hash(state);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)*
                    Self::Other(octets) => f.debug_tuple("Other").field(octets).finish(),
                }
            }
        }
    };
}

open_code! {
    /// What an ACK (101) confirms.
    AckType {
        /// The login was accepted.
        Login = "1",
        /// The peer is alive: the answer to a link check.
        LinkCheck = "2",
    }
}

open_code! {
    /// Why a NACK (102) was sent. It does not say which line it answers.
    NackType {
        /// Wrong user or password.
        Credentials = "1",
        /// Invalid or unknown message type.
        MessageType = "2",
        /// The message could not be parsed.
        Unparsable = "3",
        /// The account is suspended: unpaid, or abused.
        Suspended = "4",
    }
}

open_code! {
    /// How a message fared, in a delivery report (104).
    DeliveryCode {
        /// Delivered.
        Success = "0",
        /// Its validity ran out.
        Expired = "1",
        /// The SIM card has no room.
        SimFull = "2",
        /// The destination is barred.
        Barred = "3",
        /// The destination is not a valid address.
        InvalidAddress = "4",
        /// The destination is on a blacklist.
        Blacklisted = "5",
    }
}

open_code! {
    /// The type of a USSD line. Its meaning depends on the direction.
    UssdType {
        /// From the gateway: a phone dialled a code, which is the message.
        New = "1",
        /// From the gateway: the phone answered. To the gateway: show the text and wait for an answer.
        Response = "2",
        /// From the gateway: the user left. To the gateway: show the text and close.
        End = "3",
        /// From the gateway: the user did not answer in time.
        Timeout = "4",
        /// To the gateway: hand the session to another service, whose complete code is the message.
        Redirect = "5",
        /// To the gateway: open a session towards the phone.
        Initiate = "6",
    }
}

open_code! {
    /// The phase of the phone's USSD support. A phase 1 phone cannot answer a prompt of the network well.
    UssdPhase {
        /// Not known; treat as phase 2.
        Unknown = "0",
        /// Phase 1.
        One = "1",
        /// Phase 2.
        Two = "2",
    }
}

open_code! {
    /// Protocol identifier of a binary SMS: the TP-PID, in decimal.
    Pid {
        /// Plain short message.
        Standard = "0",
        /// "Enhanced"; what the gateway does with it is not documented.
        Enhanced = "15",
    }
}

open_code! {
    /// Coding of a binary SMS: the TP-DCS, in decimal.
    Coding {
        /// The GSM 7-bit default alphabet.
        SevenBit = "0",
        /// 8-bit data, class 2 (SIM specific).
        EightBit = "246",
    }
}

impl Pid {
    /// The octet, if the field is a decimal number from 0 to 255.
    pub fn value(&self) -> Option<u8> {
        decimal(self.as_ref())
    }
}

impl From<u8> for Pid {
    fn from(value: u8) -> Self {
        Octets::from(value.to_string()).into()
    }
}

impl Coding {
    /// The data coding scheme, if the field is a decimal number from 0 to 255.
    pub fn value(&self) -> Option<u8> {
        decimal(self.as_ref())
    }
}

impl From<u8> for Coding {
    fn from(value: u8) -> Self {
        Octets::from(value.to_string()).into()
    }
}

macro_rules! default_code {
    ($($name:ident => $variant:ident;)*) => {
        $(impl Default for $name {
            fn default() -> Self {
                Self::$variant
            }
        })*
    };
}

default_code! {
    AckType => Login;
    NackType => Unparsable;
    DeliveryCode => Success;
    UssdType => Response;
    UssdPhase => Unknown;
    Pid => Standard;
    Coding => SevenBit;
}

fn decimal(octets: &[u8]) -> Option<u8> {
    str::from_utf8(octets).ok()?.parse().ok()
}

impl Octets {
    fn as_utf8(&self) -> Option<&str> {
        str::from_utf8(self.as_slice()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_values_keep_their_octets() {
        for wire in ["1", "2", "", "01", " 1", "10", "x"] {
            let code = UssdType::from(Octets::from(wire));
            assert_eq!(code.as_ref(), wire.as_bytes());
            assert_eq!(matches!(code, UssdType::Other(_)), wire.len() != 1 || wire == "x");
        }
    }

    #[test]
    fn equality_is_that_of_the_octets() {
        assert_eq!(NackType::Other(Octets::from("4")), NackType::Suspended);
        assert_ne!(NackType::Other(Octets::from("04")), NackType::Suspended);
    }

    #[test]
    fn coding_is_decimal() {
        assert_eq!(Coding::from(246), Coding::EightBit);
        assert_eq!(Coding::EightBit.value(), Some(0xf6));
        assert_eq!(Coding::from(Octets::from("256")).value(), None);
    }
}
