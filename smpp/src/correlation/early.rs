use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use crate::receipt::{IdRule, Receipt};

/// Receipts whose message is not known, or not for sure: the response that names it may be on its way.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// By number, which grows with time.
    held: BTreeMap<u64, Held>,
    /// Those that a response of this form would name.
    by_form: HashMap<(IdRule, String), Vec<u64>>,
    /// Those that name a message, but not for sure: by what they wait for.
    unsure: BTreeSet<(u64, u64)>,
    next: u64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) receipt: Receipt,
    pub(super) since: Instant,
    /// Parts with a lower number were on their way before it came: their responses may name it.
    pub(super) until: u64,
}

impl Early {
    /// Holds a receipt. More than `max` makes the oldest go.
    pub(super) fn hold(&mut self, held: Held, unsure: bool, max: usize) -> Option<Receipt> {
        let oldest = self.held.first_key_value().map(|(number, _)| *number);
        let dropped = oldest.filter(|_| self.held.len() >= max.max(1)).and_then(|number| self.take(number));
        let number = self.next;
        self.next = self.next.saturating_add(1);
        for form in forms(&held.receipt) {
            self.by_form.entry(form).or_default().push(number);
        }
        if unsure {
            self.unsure.insert((held.until, number));
        }
        self.held.insert(number, held);
        dropped.map(|held| held.receipt)
    }

    /// Those that a response with this identifier may name by any rule, in the order in which they came.
    pub(super) fn named_by(&self, id: &str) -> Vec<u64> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let forms = IdRule::ALL.into_iter().filter_map(|rule| Some((rule, rule.of_response(id)?)));
        let mut numbers: Vec<u64> = forms.filter_map(|form| self.by_form.get(&form)).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The first that was unsure, and no longer has to wait now that nothing below `number` is on its way.
    pub(super) fn ripe(&self, number: u64) -> Option<u64> {
        self.unsure.first().filter(|(until, _)| *until <= number).map(|(_, held)| *held)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Held> {
        self.held.get(&number)
    }

    /// Whether it is to wait until it is sure.
    pub(super) fn set_unsure(&mut self, number: u64, unsure: bool) {
        if let Some(held) = self.held.get(&number) {
            let entry = (held.until, number);
            if unsure {
                self.unsure.insert(entry)
            } else {
                self.unsure.remove(&entry)
            };
        }
    }

    pub(super) fn take(&mut self, number: u64) -> Option<Held> {
        let held = self.held.remove(&number)?;
        self.unsure.remove(&(held.until, number));
        for form in forms(&held.receipt) {
            if let Some(numbers) = self.by_form.get_mut(&form) {
                numbers.retain(|other| *other != number);
                if numbers.is_empty() {
                    self.by_form.remove(&form);
                }
            }
        }
        Some(held)
    }

    /// The oldest.
    pub(super) fn first(&self) -> Option<(u64, Instant)> {
        self.held.first_key_value().map(|(number, held)| (*number, held.since))
    }
}

fn forms(receipt: &Receipt) -> impl Iterator<Item = (IdRule, String)> {
    let ids = receipt.id.iter().chain(&receipt.text_id);
    ids.flat_map(|id| IdRule::ALL.into_iter().filter_map(move |rule| Some((rule, rule.of_receipt(id)?))))
}
