use crate::receipt::{IdMatching, StateMap};
use crate::session::config;

/// How many receipts a long message gets.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ReceiptsPer {
    /// One for each part: the message is delivered once all parts are.
    #[default]
    Part,
    /// One for the whole, by the identifier of any part.
    Message,
}

config! {
    /// Identifiers and receipts of a link.
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    ReceiptProfile {
        /// How the identifier in a receipt follows from that in the response: `"auto"`, or one rule such as
        /// `{ rule = "hex-in-response" }`. To be found out.
        ids: IdMatching = IdMatching::Auto,
        /// How many receipts a long message gets. One for each part.
        per: ReceiptsPer = ReceiptsPer::Part,
        /// Words for states, and what they mean, beside the usual.
        states: StateMap = StateMap::default(),
        /// Whether a message that is marked neither by its esm_class nor by TLVs is a receipt if its text reads like
        /// one, with an identifier and a state. No: anybody can send such a text.
        unmarked: bool = false,
    }
}
