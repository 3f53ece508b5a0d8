use std::collections::HashMap;

use super::Receipt;
use crate::types::MessageState;

/// What a receipt means for its message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Outcome {
    /// It has arrived.
    Delivered,
    /// It will not arrive: expired, deleted, undeliverable, rejected or skipped.
    Failed,
    /// It is not known yet: scheduled, on its way, accepted, or a state that is not known.
    Pending,
}

/// Words for states, and what they mean, on a link that has words of its own.
///
/// ```
/// use smpp::receipt::{Outcome, Receipt, StateMap};
/// use smpp::types::MessageState;
///
/// let map = StateMap::default()
///     .with_word("BWLISTS", MessageState::REJECTED)
///     .with_outcome(MessageState::ACCEPTED, Outcome::Delivered);
/// let receipt = Receipt::from_text(b"id:1 stat:BWLISTS");
/// assert_eq!((receipt.outcome(), map.outcome(&receipt)), (Outcome::Pending, Outcome::Failed));
/// assert_eq!(map.outcome(&Receipt::from_text(b"id:1 stat:ACCEPTD")), Outcome::Delivered);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct StateMap {
    /// In upper case.
    words: HashMap<String, MessageState>,
    /// One for a state. A list, so that formats whose keys are strings can hold it.
    outcomes: Vec<(MessageState, Outcome)>,
}

impl StateMap {
    /// A word, in either case, that stands for a state; it comes before the usual meaning of the word.
    #[must_use]
    pub fn with_word(mut self, word: &str, state: MessageState) -> Self {
        self.words.insert(word.to_ascii_uppercase(), state);
        self
    }

    /// What a state means, in place of the usual.
    #[must_use]
    pub fn with_outcome(mut self, state: MessageState, outcome: Outcome) -> Self {
        self.outcomes.retain(|(other, _)| *other != state);
        self.outcomes.push((state, outcome));
        self
    }

    /// The state that a receipt tells of. A word of this map counts only where the TLV message_state has not said
    /// something else than the word's usual meaning.
    pub fn state(&self, receipt: &Receipt) -> Option<MessageState> {
        let word = receipt.stat.as_deref()?;
        let usual = of_word(word).unwrap_or(MessageState::UNKNOWN);
        let from_word = receipt.state.is_none_or(|state| state == usual);
        self.words.get(&word.to_ascii_uppercase()).copied().filter(|_| from_word)
    }

    /// What a receipt means. An intermediate notification is pending, whatever its state.
    pub fn outcome(&self, receipt: &Receipt) -> Outcome {
        let state = self.state(receipt).or(receipt.state).unwrap_or(MessageState::UNKNOWN);
        if receipt.intermediate {
            return Outcome::Pending;
        }
        if let Some((_, outcome)) = self.outcomes.iter().find(|(other, _)| *other == state) {
            return *outcome;
        }
        match state {
            MessageState::DELIVERED => Outcome::Delivered,
            MessageState::EXPIRED
            | MessageState::DELETED
            | MessageState::UNDELIVERABLE
            | MessageState::REJECTED
            | MessageState::SKIPPED => Outcome::Failed,
            _ => Outcome::Pending,
        }
    }

    /// Whether nothing more is to be expected.
    pub fn is_final(&self, receipt: &Receipt) -> bool {
        self.outcome(receipt) != Outcome::Pending
    }
}

/// The usual meanings of words, those of the specification first.
const WORDS: [(&str, MessageState); 22] = [
    ("DELIVRD", MessageState::DELIVERED),
    ("EXPIRED", MessageState::EXPIRED),
    ("DELETED", MessageState::DELETED),
    ("UNDELIV", MessageState::UNDELIVERABLE),
    ("ACCEPTD", MessageState::ACCEPTED),
    ("UNKNOWN", MessageState::UNKNOWN),
    ("REJECTD", MessageState::REJECTED),
    ("ENROUTE", MessageState::ENROUTE),
    ("SCHEDLD", MessageState::SCHEDULED),
    ("SKIPPED", MessageState::SKIPPED),
    ("DELIVERD", MessageState::DELIVERED),
    ("DELIVERED", MessageState::DELIVERED),
    ("DELIVR", MessageState::DELIVERED),
    ("FAILED", MessageState::UNDELIVERABLE),
    ("UNDELIVERABLE", MessageState::UNDELIVERABLE),
    ("ACCEPTED", MessageState::ACCEPTED),
    ("REJECTED", MessageState::REJECTED),
    ("DND_REJECTED", MessageState::REJECTED),
    ("BUFFRED", MessageState::ENROUTE),
    ("BUFFERD", MessageState::ENROUTE),
    ("ACKED", MessageState::ENROUTE),
    ("SCHEDULED", MessageState::SCHEDULED),
];

/// The usual meaning of a word, in either case.
pub(super) fn of_word(word: &str) -> Option<MessageState> {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, state)| *state)
}

/// The specification's word for a state.
pub(super) fn word(state: MessageState) -> &'static str {
    WORDS.iter().find(|(_, known)| *known == state).map_or("UNKNOWN", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_words_are_seven_letters() {
        for state in (0..=9).map(MessageState) {
            assert_eq!((word(state).len(), of_word(word(state))), (7, Some(state)));
        }
        assert_eq!(
            (word(MessageState(10)), of_word("BADSTAT"), of_word("delivrd")),
            ("UNKNOWN", None, Some(MessageState(2)))
        );
    }

    #[test]
    fn outcomes() {
        let outcomes =
            (0..=10).map(|state| Receipt { state: Some(MessageState(state)), ..Receipt::default() }.outcome());
        use Outcome::{Delivered, Failed, Pending};
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
            [Pending, Pending, Delivered, Failed, Failed, Failed, Pending, Pending, Failed, Failed, Pending]
        );
        let nothing = Receipt::default();
        assert_eq!((nothing.outcome(), nothing.is_final()), (Pending, false));
        let early = Receipt { state: Some(MessageState::DELIVERED), intermediate: true, ..Receipt::default() };
        assert_eq!((early.outcome(), early.is_final()), (Pending, false));
    }

    #[test]
    fn a_word_of_the_link_does_not_overrule_the_tlv() {
        let map = StateMap::default().with_word("failed", MessageState::EXPIRED);
        let mut receipt = Receipt::from_text(b"stat:FAILED");
        assert_eq!(map.state(&receipt), Some(MessageState::EXPIRED));
        receipt.state = Some(MessageState::DELIVERED);
        assert_eq!((map.state(&receipt), map.outcome(&receipt)), (None, Outcome::Delivered));
    }
}
