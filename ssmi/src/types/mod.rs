//! Values of fields: octets, codes, numbers, text.

mod codes;
mod encoding;
mod genfields;
mod msisdn;
mod octets;
mod password;

pub use self::codes::{AckType, Coding, DeliveryCode, NackType, Pid, UssdPhase, UssdType};
pub use self::encoding::{TextEncoding, UnencodableText};
pub use self::genfields::GenFields;
pub use self::msisdn::{InvalidMsisdn, Msisdn};
pub use self::octets::Octets;
pub use self::password::Password;
