use crate::profile::ReceiptsPer;
use crate::receipt::{Outcome, Receipt, StateMap};
use crate::types::MessageState;

/// What is known of a message: the receipts of its parts, merged.
///
/// * It has failed as soon as one part has: a phone cannot show the rest. The state is that of the first part, by
///   number, that failed.
/// * It is delivered once every part is; of a message centre that sends one receipt for the whole
///   ([`ReceiptsPer::Message`]), once any part is.
/// * Otherwise it is pending, with the state of the first part that is not delivered.
/// * Of one part the first final state counts: what comes later does not change it. Before that the latest counts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MessageReport {
    /// One for each part, in their order.
    pub parts: Vec<PartReport>,
    pub(super) per: ReceiptsPer,
}

/// What is known of one part of a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PartReport {
    /// The identifier that the message centre gave it; none if it gave none, or has not answered.
    pub id: Option<String>,
    /// The receipt that counts, without its [`raw`](Receipt::raw) octets, its [`text`](Receipt::text), and any other
    /// field above 64 octets.
    pub receipt: Option<Receipt>,
    /// What it means. Pending if there is none.
    pub outcome: Option<Outcome>,
}

impl MessageReport {
    /// What became of the message.
    pub fn outcome(&self) -> Outcome {
        let outcomes = || self.parts.iter().map(PartReport::outcome);
        let delivered = match self.per {
            ReceiptsPer::Message => outcomes().any(|outcome| outcome == Outcome::Delivered),
            _ => outcomes().all(|outcome| outcome == Outcome::Delivered) && !self.parts.is_empty(),
        };
        match delivered {
            _ if outcomes().any(|outcome| outcome == Outcome::Failed) => Outcome::Failed,
            true => Outcome::Delivered,
            false => Outcome::Pending,
        }
    }

    /// Whether nothing more is to be expected.
    pub fn is_final(&self) -> bool {
        self.outcome() != Outcome::Pending
    }

    /// The receipt that decided the [outcome](Self::outcome): it has the error code and the dates. None if there is
    /// none.
    pub fn deciding(&self) -> Option<&Receipt> {
        let first = |wanted: fn(Outcome) -> bool| self.parts.iter().find(|part| wanted(part.outcome()));
        let part = match self.outcome() {
            Outcome::Failed => first(|outcome| outcome == Outcome::Failed),
            // The last one completes it.
            Outcome::Delivered => self.parts.iter().rfind(|part| part.outcome() == Outcome::Delivered),
            _ => first(|outcome| outcome != Outcome::Delivered),
        };
        part?.receipt.as_ref()
    }

    /// The state that goes with the outcome; none if no receipt has told one.
    pub fn state(&self) -> Option<MessageState> {
        self.deciding()?.state
    }

    /// The network's or message centre's error code.
    pub fn err(&self) -> Option<&str> {
        self.deciding()?.err.as_deref()
    }
}

impl PartReport {
    /// What became of the part.
    pub fn outcome(&self) -> Outcome {
        self.outcome.unwrap_or(Outcome::Pending)
    }

    /// Takes a receipt; says whether it counts.
    pub(super) fn take(&mut self, receipt: Receipt, states: &StateMap) -> bool {
        if self.outcome() != Outcome::Pending {
            return false;
        }
        self.outcome = Some(states.outcome(&receipt));
        self.receipt = Some(receipt);
        true
    }
}

/// A receipt without what is not worth keeping, and without what a peer could make large.
pub(super) fn slim(receipt: &Receipt) -> Receipt {
    const LONGEST: usize = 64;
    let short = |text: &Option<String>, most: usize| text.clone().filter(|text| text.len() <= most);
    let date = |date: &Option<crate::receipt::ReceiptDate>| date.clone().filter(|date| date.raw.len() <= LONGEST);
    Receipt {
        // An identifier may fill the TLV.
        id: short(&receipt.id, 4 * LONGEST),
        text_id: short(&receipt.text_id, 4 * LONGEST),
        state: receipt.state,
        stat: short(&receipt.stat, LONGEST),
        submitted: receipt.submitted,
        delivered: receipt.delivered,
        submit_date: date(&receipt.submit_date),
        done_date: date(&receipt.done_date),
        err: short(&receipt.err, LONGEST),
        network_error: receipt.network_error,
        text: None,
        intermediate: receipt.intermediate,
        raw: bytes::Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(per: ReceiptsPer, receipts: &[&str]) -> MessageReport {
        let part = |text: &&str| {
            let mut part = PartReport::default();
            if !text.is_empty() {
                part.take(Receipt::from_text(text.as_bytes()), &StateMap::default());
            }
            part
        };
        MessageReport { parts: receipts.iter().map(part).collect(), per }
    }

    #[test]
    fn the_worst_part_decides() {
        use Outcome::{Delivered, Failed, Pending};
        for (receipts, outcome, err) in [
            (&["stat:DELIVRD err:1", "stat:DELIVRD err:2"][..], Delivered, Some("2")),
            (&["stat:DELIVRD err:1", ""], Pending, None),
            (&["stat:DELIVRD err:1", "stat:ENROUTE err:2"], Pending, Some("2")),
            (&["", "stat:UNDELIV err:2", "stat:EXPIRED err:3"], Failed, Some("2")),
            (&["stat:DELIVRD err:1", "stat:REJECTD err:2"], Failed, Some("2")),
            (&[], Pending, None),
        ] {
            let report = report(ReceiptsPer::Part, receipts);
            assert_eq!((report.outcome(), report.err()), (outcome, err), "{receipts:?}");
        }
        assert_eq!(report(ReceiptsPer::Message, &["stat:DELIVRD", ""]).outcome(), Delivered);
        assert_eq!(report(ReceiptsPer::Message, &["", ""]).outcome(), Pending);
    }

    #[test]
    fn the_first_final_state_counts() {
        let mut part = PartReport::default();
        let states = StateMap::default();
        let mut take = |text: &str| part.take(Receipt::from_text(text.as_bytes()), &states);
        assert_eq!(
            ["stat:ACCEPTD", "stat:ENROUTE", "stat:EXPIRED", "stat:DELIVRD"].map(&mut take),
            [true, true, true, false]
        );
        assert_eq!(part.receipt.unwrap().state, Some(MessageState::EXPIRED));
    }

    #[test]
    fn a_peer_cannot_make_a_record_large() {
        let large = "x".repeat(5_000);
        let text = format!("id:{large} stat:{large} err:{large} submit date:{large} done date:{large} text:{large}");
        let receipt = slim(&Receipt::from_text(text.as_bytes()));
        assert_eq!(receipt, Receipt { state: Some(MessageState::UNKNOWN), ..Receipt::default() });
    }
}
