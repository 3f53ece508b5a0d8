use thiserror::Error;

use super::Profile;

/// A profile could not be read. It says where, and names a key or a value that is not known.
#[derive(Clone, Debug, Error)]
#[error("the profile cannot be read: {0}")]
pub struct InvalidProfile(#[from] toml::de::Error);

/// The profiles that ship with the crate: name and TOML.
///
/// ```
/// use smpp::profile::{Profile, SHIPPED};
///
/// for (name, toml) in SHIPPED {
///     assert_eq!(Profile::from_toml(toml)?.name, *name);
/// }
/// # Ok::<(), smpp::profile::InvalidProfile>(())
/// ```
pub const SHIPPED: &[(&str, &str)] = &[
    ("generic-3.4", include_str!("../../profiles/generic-3.4.toml")),
    ("generic-5.0", include_str!("../../profiles/generic-5.0.toml")),
    ("kannel", include_str!("../../profiles/kannel.toml")),
    ("jasmin", include_str!("../../profiles/jasmin.toml")),
];

/// Behind the feature `profiles`.
impl Profile {
    /// Reads a profile from TOML.
    ///
    /// # Errors
    ///
    /// Says where it is wrong; a key that is not known is named.
    ///
    /// ```
    /// use smpp::profile::Profile;
    ///
    /// let profile = Profile::from_toml("[link]\nwindow = 20\nenquire_link = 55\n")?;
    /// assert_eq!(profile.link.window, 20);
    /// let error = Profile::from_toml("[link]\nwindows = 20\n").unwrap_err();
    /// assert!(error.to_string().contains("unknown field `windows`"));
    /// # Ok::<(), smpp::profile::InvalidProfile>(())
    /// ```
    pub fn from_toml(toml: &str) -> Result<Self, InvalidProfile> {
        Ok(toml::from_str(toml)?)
    }

    /// A profile that ships with the crate, by its name; none if there is no such.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, toml) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
        Self::from_toml(toml).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::{IdMatching, IdRule};
    use crate::types::InterfaceVersion;

    #[test]
    fn shipped_profiles() {
        let generic = Profile::shipped("generic-3.4").unwrap();
        assert_eq!(generic, Profile::default().name("generic-3.4".into()));
        let five = Profile::shipped("generic-5.0").unwrap();
        assert_eq!((five.interface_version, five.name.as_str()), (InterfaceVersion::V5_0, "generic-5.0"));
        let kannel = Profile::shipped("kannel").unwrap();
        assert_eq!((kannel.link.max_pdu, kannel.receipts.ids), (7424, IdMatching::Rule(IdRule::IgnoreCase)));
        let jasmin = Profile::shipped("jasmin").unwrap();
        assert_eq!(jasmin.receipts.ids, IdMatching::Rule(IdRule::IgnoreCase));
        assert_eq!(Profile::shipped("nobody"), None);
    }
}
