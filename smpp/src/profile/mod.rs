//! What has to be known of a message centre, as data: alphabets, identifiers, long messages, TLVs, USSD, bounds, times.
//!
//! A [`Profile`] is read from a file (any format of `serde`, behind the feature `serde`) or built from its default. The
//! feature `profiles` adds TOML and the profiles that ship with the crate.

mod addresses;
mod link;
mod receipts;
#[cfg(feature = "serde")]
mod seconds;
#[cfg(feature = "profiles")]
mod shipped;
mod text;
mod tlvs;
mod ussd;

pub use self::addresses::{AddressProfile, NumberKind};
pub use self::link::LinkProfile;
pub use self::receipts::{ReceiptProfile, ReceiptsPer};
#[cfg(feature = "profiles")]
pub use self::shipped::{InvalidProfile, SHIPPED};
pub use self::text::TextProfile;
pub use self::tlvs::{TlvProfile, VendorTag};
pub use self::ussd::UssdProfile;

use crate::session::config;
use crate::types::InterfaceVersion;

config! {
    /// What has to be known of a message centre. The default is that of an ordinary one of version 3.4.
    ///
    /// In a file the fields are keys and those that are profiles themselves are tables; what is not there has its
    /// default, and a key that is not known is an error that names it. Times are in seconds.
    ///
    /// ```
    /// use smpp::profile::{Profile, TextProfile};
    /// use smpp::text::{Charset, LongMessages};
    ///
    /// let text = TextProfile::default().default_alphabet(Charset::Latin1).long_messages(LongMessages::Sar);
    /// let profile = Profile::default().text(text).max_password(16);
    /// assert_eq!(profile.link.window, 10);
    /// ```
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    Profile {
        /// What it is called, for logs. Empty.
        name: String = String::new(),
        /// interface_version of the bind, a number. 0x34, which is 3.4.
        interface_version: InterfaceVersion = InterfaceVersion::V3_4,
        /// What a message centre speaks that answers a bind without sc_interface_version. 0x34: so do most of them,
        /// though the specification says that they know no TLVs.
        assumed_version: InterfaceVersion = InterfaceVersion::V3_4,
        /// Longest password in octets. A longer one is refused before anything is sent, and never cut. 8, as the
        /// specification says; at most 255, for a message centre that takes more.
        max_password: u8 = 8,
        /// Alphabets and long messages.
        text: TextProfile = TextProfile::default(),
        /// Types of numbers.
        addresses: AddressProfile = AddressProfile::default(),
        /// Identifiers, and what receipts look like.
        receipts: ReceiptProfile = ReceiptProfile::default(),
        /// Vendors' TLVs.
        tlvs: TlvProfile = TlvProfile::default(),
        /// Which messages are USSD.
        ussd: UssdProfile = UssdProfile::default(),
        /// Windows, rates and times.
        link: LinkProfile = LinkProfile::default(),
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_data() {
        let profile = Profile::default().name("x".into());
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        assert_eq!(serde_json::from_str::<Profile>("{}").unwrap(), Profile::default());
    }

    #[test]
    fn keys_that_are_not_known_are_named() {
        for (json, key) in [
            (r#"{"windo": 1}"#, "windo"),
            (r#"{"link": {"windw": 1}}"#, "windw"),
            (r#"{"text": {"alphabet": "gsm7"}}"#, "alphabet"),
            (r#"{"ussd": {"op": 1}}"#, "op"),
            (r#"{"tlvs": {"vendor": [{"tag": 1, "name": "a", "size": 2}]}}"#, "size"),
            (r#"{"receipts": {"id": "auto"}}"#, "id"),
            (r#"{"addresses": {"short": {}}}"#, "short"),
        ] {
            let error = serde_json::from_str::<Profile>(json).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
        }
    }
}
