use super::{Leniencies, Leniency};
use crate::types::{InterfaceVersion, MAX_OVER_LONG, ShortMessage};

/// What a decoder takes, and what it forgives.
///
/// By default it is lenient: refusing a PDU of a real peer for its form loses messages. An ESME forgives more than a
/// message centre, since it cannot choose what its provider sends. Always refused in requests: bodies that end too
/// soon, TLVs that overrun, a wrong size of its_session_info and ussd_service_op.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(default, deny_unknown_fields, rename_all = "kebab-case")
)]
pub struct Limits {
    version: InterfaceVersion,
    max_tlvs: usize,
    max_password: usize,
    forgiven: Leniencies,
}

impl Limits {
    /// What an ESME takes: all is forgiven that can be.
    pub const fn esme() -> Self {
        Self { version: InterfaceVersion::V5_0, max_tlvs: 128, max_password: 8, forgiven: Leniencies::ALL }
    }

    /// What a message centre takes: strings that are too long, odd times and mis-sized TLVs are refused in requests,
    /// with the status that says so.
    pub const fn message_centre() -> Self {
        let esme = Self::esme();
        let forgiven = esme
            .forgiven
            .without(Leniency::OverLongString)
            .without(Leniency::OddTime)
            .without(Leniency::TlvLengthInRequest);
        Self { forgiven, ..esme }
    }

    /// Nothing is forgiven: for tests of a peer.
    pub const fn strict() -> Self {
        Self { forgiven: Leniencies::NONE, ..Self::esme() }
    }

    /// With another version of the protocol: below 5.0 the broadcast operations are unknown, and 254 is the most for
    /// sm_length and for number_of_dests. Default 5.0.
    #[must_use]
    pub const fn with_version(mut self, version: InterfaceVersion) -> Self {
        self.version = version;
        self
    }

    /// With one leniency switched on.
    #[must_use]
    pub const fn forgiving(mut self, leniency: Leniency) -> Self {
        self.forgiven = self.forgiven.with(leniency);
        self
    }

    /// With one leniency switched off.
    #[must_use]
    pub const fn refusing(mut self, leniency: Leniency) -> Self {
        self.forgiven = self.forgiven.without(leniency);
        self
    }

    /// With another number of TLVs that one PDU may have. Default 128.
    #[must_use]
    pub const fn with_max_tlvs(mut self, max: usize) -> Self {
        self.max_tlvs = max;
        self
    }

    /// With another length up to which a password is taken even where other strings must keep to the specification.
    /// Default 8, the specification's; many servers allow more. At most 255.
    #[must_use]
    pub const fn with_max_password(mut self, max: usize) -> Self {
        self.max_password = max;
        self
    }

    /// The version of the protocol.
    pub const fn version(&self) -> InterfaceVersion {
        self.version
    }

    /// What is forgiven.
    pub const fn forgiven(&self) -> Leniencies {
        self.forgiven
    }

    /// Most TLVs of one PDU.
    pub const fn max_tlvs(&self) -> usize {
        self.max_tlvs
    }

    /// Whether the broadcast operations and the larger fields of 5.0 are there.
    pub(crate) const fn is_5_0(&self) -> bool {
        self.version.0 >= InterfaceVersion::V5_0.0
    }

    pub(crate) const fn max_password(&self) -> usize {
        if self.max_password > MAX_OVER_LONG { MAX_OVER_LONG } else { self.max_password }
    }

    pub(crate) const fn max_short_message(&self) -> usize {
        if self.is_5_0() { ShortMessage::MAX_LENGTH } else { ShortMessage::MAX_LENGTH_34 }
    }

    pub(crate) const fn max_destinations(&self) -> u8 {
        if self.is_5_0() { 255 } else { 254 }
    }
}

/// As [`Limits::esme`].
impl Default for Limits {
    fn default() -> Self {
        Self::esme()
    }
}
