use crate::session::config;
use crate::tlv::{Tag, TagRegistry, TlvKind};

/// A vendor's tag.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct VendorTag {
    /// The tag.
    pub tag: Tag,
    /// What it is called.
    pub name: String,
    /// What its octets are.
    #[cfg_attr(feature = "serde", serde(default))]
    pub kind: TlvKind,
}

config! {
    /// TLVs of a link beside the specification's. Tags that are not listed are kept all the same.
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    TlvProfile {
        /// The vendor's tags. None.
        vendor: Vec<VendorTag> = Vec::new(),
    }
}

impl TlvProfile {
    /// Names and kinds of tags, for display.
    pub fn registry(&self) -> TagRegistry {
        let mut registry = TagRegistry::default();
        for vendor in &self.vendor {
            registry.insert(vendor.tag, vendor.name.as_str(), vendor.kind);
        }
        registry
    }
}
