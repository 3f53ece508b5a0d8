use std::collections::{BTreeSet, HashMap};

use super::Receipt;

/// How the identifier in a receipt relates to the one in the response to the submission.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum IdRule {
    /// It is the same.
    #[default]
    Exact,
    /// Letters may be in the other case.
    IgnoreCase,
    /// One may have zeros in front that the other has not.
    LeadingZeros,
    /// The response has it in hexadecimal, the receipt in decimal.
    HexInResponse,
    /// The response has it in decimal, the receipt in hexadecimal.
    HexInReceipt,
}

impl IdRule {
    /// All of them, `Exact` first.
    pub const ALL: [Self; 5] =
        [Self::Exact, Self::IgnoreCase, Self::LeadingZeros, Self::HexInResponse, Self::HexInReceipt];

    /// A form of a response's identifier that is equal to [`of_receipt`](Self::of_receipt) of the identifiers of its
    /// receipts; none if the rule cannot apply to it. Numbers are read up to 128 bits.
    ///
    /// ```
    /// use smpp::receipt::IdRule;
    ///
    /// assert_eq!(IdRule::HexInResponse.of_response("38601fa"), IdRule::HexInResponse.of_receipt("0059113978"));
    /// assert_eq!(IdRule::HexInResponse.of_response("SAR-7"), None);
    /// ```
    pub fn of_response(self, id: &str) -> Option<String> {
        match self {
            Self::HexInResponse => number(id, 16),
            Self::HexInReceipt => number(id, 10),
            _ => Some(self.same_base(id)),
        }
    }

    /// The same of a receipt's identifier.
    pub fn of_receipt(self, id: &str) -> Option<String> {
        match self {
            Self::HexInResponse => number(id, 10),
            Self::HexInReceipt => number(id, 16),
            _ => Some(self.same_base(id)),
        }
    }

    fn same_base(self, id: &str) -> String {
        match self {
            Self::IgnoreCase => id.to_ascii_lowercase(),
            Self::LeadingZeros => match id.trim_start_matches('0') {
                "" if !id.is_empty() => "0".to_owned(),
                trimmed => trimmed.to_owned(),
            },
            _ => id.to_owned(),
        }
    }
}

fn number(id: &str, base: u32) -> Option<String> {
    let is_number = id.chars().all(|digit| digit.is_digit(base));
    let number = u128::from_str_radix(id, base).ok().filter(|_| is_number)?;
    Some(number.to_string())
}

/// Which rule a link goes by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum IdMatching {
    /// This one.
    Rule(IdRule),
    /// To be found out. An identifier that is there exactly is taken. By another rule one is credited only if exactly
    /// one rule gives exactly one outstanding identifier. Three different identifiers in a row that agree on a rule
    /// settle it: from then on only that rule counts.
    Auto,
}

impl Default for IdMatching {
    fn default() -> Self {
        Self::Rule(IdRule::Exact)
    }
}

/// Identifiers of a link's messages whose receipts are still to come: what an [`IdMatcher`] searches. [`IdIndex`] is one
/// in memory; a store that outlives the process keeps the forms of each identifier
/// ([`IdRule::of_response`]) beside it.
pub trait OutstandingIds {
    /// Outstanding identifiers whose form by this rule is `form`; at most `limit` of them.
    fn find(&self, rule: IdRule, form: &str, limit: usize) -> Vec<String>;
}

/// Outstanding identifiers of one link, in memory. Its holder bounds how many.
#[derive(Clone, Debug, Default)]
pub struct IdIndex {
    by_form: HashMap<(IdRule, String), BTreeSet<String>>,
}

impl IdIndex {
    /// Adds the identifier that a response gave.
    pub fn insert(&mut self, id: &str) {
        for (rule, form) in forms(id) {
            self.by_form.entry((rule, form)).or_default().insert(id.to_owned());
        }
    }

    /// Takes an identifier out; says whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let mut was_there = false;
        for key in forms(id) {
            if let Some(ids) = self.by_form.get_mut(&key) {
                was_there |= ids.remove(id);
                if ids.is_empty() {
                    self.by_form.remove(&key);
                }
            }
        }
        was_there
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_form.is_empty()
    }
}

impl OutstandingIds for IdIndex {
    fn find(&self, rule: IdRule, form: &str, limit: usize) -> Vec<String> {
        let ids = self.by_form.get(&(rule, form.to_owned()));
        ids.map(|ids| ids.iter().take(limit).cloned().collect()).unwrap_or_default()
    }
}

fn forms(id: &str) -> impl Iterator<Item = (IdRule, String)> {
    IdRule::ALL.into_iter().filter_map(move |rule| Some((rule, rule.of_response(id)?)))
}

/// Finds the message that a receipt is for, on one link.
///
/// ```
/// use smpp::receipt::{IdIndex, IdMatch, IdMatcher, IdMatching, IdRule};
///
/// let mut outstanding = IdIndex::default();
/// outstanding.insert("38601fa");
/// outstanding.insert("38601fb");
/// let mut matcher = IdMatcher::new(IdMatching::Auto);
/// let found = matcher.find("0059113978", &outstanding);
/// assert_eq!(found, IdMatch::Matched { id: "38601fa".into(), rule: IdRule::HexInResponse });
/// ```
#[derive(Clone, Debug, Default)]
pub struct IdMatcher {
    matching: IdMatching,
    settled: Option<IdRule>,
    /// Different identifiers in a row that agreed on a rule; fewer than [`AGREEING`].
    agreed: Vec<String>,
    on: IdRule,
}

/// What an [`IdMatcher`] has found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdMatch {
    /// The message.
    Matched {
        /// Its identifier as the response gave it.
        id: String,
        /// The rule that led to it.
        rule: IdRule,
    },
    /// None, or more than one.
    Unmatched {
        /// Outstanding identifiers that came near, each with its rule; at most eight for each rule.
        candidates: Vec<(IdRule, String)>,
    },
}

/// How many identifiers settle a rule.
const AGREEING: usize = 3;
/// Candidates by one rule that are told.
const CANDIDATES: usize = 8;

impl IdMatcher {
    /// A matcher that has learned nothing yet.
    pub fn new(matching: IdMatching) -> Self {
        Self { matching, ..Self::default() }
    }

    /// The rule that counts: the one that was set, or that `Auto` has settled on.
    pub fn rule(&self) -> Option<IdRule> {
        match self.matching {
            IdMatching::Rule(rule) => Some(rule),
            IdMatching::Auto => self.settled,
        }
    }

    /// Finds the message of a receipt: by its identifier, or else by that in its text if that differs.
    pub fn find_for(&mut self, receipt: &Receipt, outstanding: &impl OutstandingIds) -> IdMatch {
        let mut candidates = Vec::new();
        for id in receipt.id.iter().chain(&receipt.text_id) {
            match self.find(id, outstanding) {
                IdMatch::Unmatched { candidates: more } => candidates.extend(more),
                matched => return matched,
            }
        }
        candidates.dedup();
        IdMatch::Unmatched { candidates }
    }

    /// Finds a message by an identifier of a receipt.
    pub fn find(&mut self, id: &str, outstanding: &impl OutstandingIds) -> IdMatch {
        let by = |rule: IdRule| {
            let form = rule.of_receipt(id);
            let ids = form.map(|form| outstanding.find(rule, &form, CANDIDATES)).unwrap_or_default();
            ids.into_iter().map(move |id| (rule, id)).collect::<Vec<_>>()
        };
        if let Some(rule) = self.rule() {
            return match <[_; 1]>::try_from(by(rule)) {
                Ok([(rule, id)]) => IdMatch::Matched { id, rule },
                Err(candidates) => IdMatch::Unmatched { candidates },
            };
        }
        let exact = by(IdRule::Exact);
        let found = if exact.is_empty() { IdRule::ALL.into_iter().skip(1).flat_map(by).collect() } else { exact };
        match <[_; 1]>::try_from(found) {
            Ok([(rule, id)]) => {
                self.learn(rule, &id);
                IdMatch::Matched { id, rule }
            }
            Err(candidates) => IdMatch::Unmatched { candidates },
        }
    }

    fn learn(&mut self, rule: IdRule, id: &str) {
        if self.on != rule {
            self.on = rule;
            self.agreed.clear();
        }
        if !self.agreed.iter().any(|agreed| agreed == id) {
            self.agreed.push(id.to_owned());
        }
        if self.agreed.len() >= AGREEING {
            self.settled = Some(rule);
            self.agreed.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outstanding(ids: &[&str]) -> IdIndex {
        let mut index = IdIndex::default();
        ids.iter().for_each(|id| index.insert(id));
        index
    }

    fn matched(id: &str, rule: IdRule) -> IdMatch {
        IdMatch::Matched { id: id.into(), rule }
    }

    #[test]
    fn one_rule_that_was_set() {
        for (rule, response, receipt) in [
            (IdRule::Exact, "42", "42"),
            (IdRule::IgnoreCase, "SAR-4f", "sar-4F"),
            (IdRule::LeadingZeros, "0000000042", "42"),
            (IdRule::LeadingZeros, "42", "0000000042"),
            (IdRule::LeadingZeros, "0", "0000"),
            (IdRule::HexInResponse, "38601fa", "0059113978"),
            (IdRule::HexInResponse, "6AAD5", "0000436949"),
            (IdRule::HexInResponse, "18d0e03a", "0416342074"),
            (IdRule::HexInResponse, "812FC7470000001B", "9308878062554710043"),
            (IdRule::HexInResponse, "333c6d799286cdcb6", "59071138615259880630"),
            (IdRule::HexInReceipt, "59113978", "038601FA"),
        ] {
            let index = outstanding(&[response]);
            let mut matcher = IdMatcher::new(IdMatching::Rule(rule));
            assert_eq!(matcher.find(receipt, &index), matched(response, rule));
            let exact = IdMatcher::default().find(receipt, &index);
            assert_eq!(matches!(exact, IdMatch::Matched { .. }), response == receipt);
        }
    }

    #[test]
    fn a_rule_that_gives_two_credits_none() {
        let index = outstanding(&["ab", "AB", "x"]);
        let mut matcher = IdMatcher::new(IdMatching::Rule(IdRule::IgnoreCase));
        let candidates = vec![(IdRule::IgnoreCase, "AB".into()), (IdRule::IgnoreCase, "ab".into())];
        assert_eq!(matcher.find("Ab", &index), IdMatch::Unmatched { candidates });
        assert_eq!(matcher.find("nothing", &index), IdMatch::Unmatched { candidates: vec![] });
    }

    #[test]
    fn auto_prefers_what_is_there_exactly() {
        // 16 is 10 in hexadecimal.
        let index = outstanding(&["16", "10"]);
        assert_eq!(IdMatcher::new(IdMatching::Auto).find("16", &index), matched("16", IdRule::Exact));
    }

    #[test]
    fn auto_credits_nothing_that_could_be_another() {
        let mut matcher = IdMatcher::new(IdMatching::Auto);
        // Without its zeros, or the decimal form of 0x10.
        let candidates = vec![(IdRule::LeadingZeros, "16".into()), (IdRule::HexInResponse, "10".into())];
        assert_eq!(matcher.find("0016", &outstanding(&["16", "10"])), IdMatch::Unmatched { candidates });
        // One message, but three rules lead to it: none of them is known to be the link's.
        let candidates =
            [IdRule::LeadingZeros, IdRule::HexInResponse, IdRule::HexInReceipt].map(|rule| (rule, "7".into()));
        assert_eq!(matcher.find("07", &outstanding(&["7"])), IdMatch::Unmatched { candidates: candidates.into() });
        assert_eq!(matcher.rule(), None);
    }

    #[test]
    fn three_different_identifiers_settle_the_rule() {
        let index = outstanding(&["a1", "a2", "a3", "a4", "20"]);
        let mut matcher = IdMatcher::new(IdMatching::Auto);
        // The same receipt again is no second witness.
        for receipt in ["161", "161", "161", "162"] {
            matcher.find(receipt, &index);
            assert_eq!(matcher.rule(), None);
        }
        // Another rule in between begins anew.
        assert_eq!(matcher.find("A4", &index), matched("a4", IdRule::IgnoreCase));
        for receipt in ["161", "162", "163"] {
            assert_eq!(matcher.rule(), None);
            matcher.find(receipt, &index);
        }
        assert_eq!(matcher.rule(), Some(IdRule::HexInResponse));
        assert_eq!(matcher.find("32", &index), matched("20", IdRule::HexInResponse));
        // Settled: what is there exactly is another message's by this rule.
        assert_eq!(matcher.find("20", &index), IdMatch::Unmatched { candidates: vec![] });
    }

    #[test]
    fn the_identifier_in_the_text_comes_second() {
        let receipt = Receipt { id: Some("18d0e03a".into()), text_id: Some("0416342074".into()), ..Default::default() };
        let mut matcher = IdMatcher::default();
        assert_eq!(matcher.find_for(&receipt, &outstanding(&["18d0e03a"])), matched("18d0e03a", IdRule::Exact));
        assert_eq!(matcher.find_for(&receipt, &outstanding(&["0416342074"])), matched("0416342074", IdRule::Exact));
        assert_eq!(
            matcher.find_for(&Receipt::default(), &outstanding(&["1"])),
            IdMatch::Unmatched { candidates: vec![] }
        );
    }

    #[test]
    fn numbers_are_digits_alone() {
        for id in ["+16", "-16", " 16", "1_6", "", "\u{661}", "340282366920938463463374607431768211456"] {
            assert_eq!(IdRule::HexInReceipt.of_response(id), None, "{id}");
        }
        assert!(IdRule::HexInResponse.of_response("ffffffffffffffffffffffffffffffff").is_some());
    }

    #[test]
    fn what_is_taken_out_leaves_nothing() {
        let mut index = outstanding(&["1", "01", "a", "A"]);
        for id in ["1", "01", "a", "A"] {
            assert!(index.remove(id) && !index.remove(id));
        }
        assert!(index.is_empty());
    }

    proptest! {
        /// The naive model of `Auto` before a rule is settled: every rule is tried on every identifier.
        #[test]
        fn auto_as_the_naive_model(ids in prop::collection::btree_set("[0-2aAb]{1,3}", 0..8), receipt in "[0-2aAb]{1,4}") {
            let mut index = IdIndex::default();
            ids.iter().for_each(|id| index.insert(id));
            let leads = |rule: IdRule, id: &str| {
                let form = rule.of_receipt(&receipt);
                form.is_some() && form == rule.of_response(id)
            };
            let mut expected = IdMatch::Unmatched { candidates: vec![] };
            let near: Vec<_> = IdRule::ALL[1..]
                .iter()
                .flat_map(|rule| ids.iter().filter(|id| leads(*rule, id)).map(|id| (*rule, id.clone())))
                .collect();
            if ids.contains(&receipt) {
                expected = matched(&receipt, IdRule::Exact);
            } else if let [(rule, id)] = &near[..] {
                expected = matched(id, *rule);
            } else if !near.is_empty() {
                expected = IdMatch::Unmatched { candidates: near };
            }
            prop_assert_eq!(IdMatcher::new(IdMatching::Auto).find(&receipt, &index), expected);
        }
    }
}
