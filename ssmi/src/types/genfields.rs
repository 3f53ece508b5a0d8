use std::fmt;

use super::Octets;

/// The "genfields" of extended USSD: up to five values between colons, by position.
///
/// The order is IMSI, subscriber type, operator id, session id, "ValiPort". A value that is missing or empty reads
/// as `None`; values past the fifth are ignored; the field itself is kept as it came, so it can be echoed.
///
/// ```
/// use ssmi::types::GenFields;
///
/// let genfields = GenFields::from("655011234567890:1::");
/// assert_eq!(genfields.imsi(), Some("655011234567890".as_bytes()));
/// assert_eq!(genfields.subscriber_type(), Some("1".as_bytes()));
/// assert_eq!(genfields.session_id(), None);
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct GenFields(Octets);

impl GenFields {
    /// The whole field, colons included.
    pub fn as_octets(&self) -> &Octets {
        &self.0
    }

    /// The identity of the SIM card, 15 digits: country and network first.
    pub fn imsi(&self) -> Option<&[u8]> {
        self.value(0)
    }

    /// A small number whose table is not public.
    pub fn subscriber_type(&self) -> Option<&[u8]> {
        self.value(1)
    }

    /// A small number whose table is not public.
    pub fn operator_id(&self) -> Option<&[u8]> {
        self.value(2)
    }

    /// The gateway's id of the USSD session.
    pub fn session_id(&self) -> Option<&[u8]> {
        self.value(3)
    }

    /// Called "ValiPort"; its meaning is not known.
    pub fn vali_port(&self) -> Option<&[u8]> {
        self.value(4)
    }

    /// The values, empty ones included, as many as there are.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.0.as_slice().split(|&octet| octet == b':')
    }

    fn value(&self, position: usize) -> Option<&[u8]> {
        self.values().nth(position).filter(|value| !value.is_empty())
    }
}

impl<T: Into<Octets>> From<T> for GenFields {
    fn from(octets: T) -> Self {
        Self(octets.into())
    }
}

impl AsRef<[u8]> for GenFields {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl fmt::Debug for GenFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(field: &str) -> [Option<String>; 5] {
        let g = GenFields::from(field);
        [g.imsi(), g.subscriber_type(), g.operator_id(), g.session_id(), g.vali_port()]
            .map(|value| value.map(|octets| String::from_utf8_lossy(octets).into_owned()))
    }

    #[test]
    fn the_true_order() {
        let expect = ["655011234567890", "1", "3", "4411902", "7"].map(|value| Some(value.to_owned()));
        assert_eq!(all("655011234567890:1:3:4411902:7"), expect);
        assert_eq!(all("655011234567890:1:3:4411902:7:surplus"), expect);
    }

    #[test]
    fn short_and_empty_forms() {
        for empty in ["", ":", "::::", "::"] {
            assert_eq!(all(empty), [None, None, None, None, None], "{empty}");
        }
        assert_eq!(all("::5")[2].as_deref(), Some("5"));
        assert_eq!(all("655011234500003")[0].as_deref(), Some("655011234500003"));
    }
}
