use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::early::{Early, Held};
use super::report::slim;
use super::{MessageKey, MessageReport, PartReport};
use crate::profile::{Profile, ReceiptProfile};
use crate::receipt::{IdIndex, IdMatch, IdMatcher, IdMatching, IdRule, Receipt};
use crate::session::config;

config! {
    /// Bounds and times of a [`Correlator`].
    CorrelationConfig {
        /// How the message centre's identifiers and receipts are read.
        receipts: ReceiptProfile = ReceiptProfile::default(),
        /// How long the receipts of a message are waited for. 8 days: a message lives a week.
        age: Duration = Duration::from_secs(8 * 86_400),
        /// How long a message is remembered after its final receipt: the same receipt may come again. 1 hour.
        finished_age: Duration = Duration::from_secs(3_600),
        /// How many messages are remembered; one more makes that go whose time would be over first. 100,000.
        max_messages: usize = 100_000,
        /// How long a receipt waits for the response that names its message. 5 minutes.
        early_age: Duration = Duration::from_secs(5 * 60),
        /// How many receipts of an account wait for it; one more makes the oldest go. 1,000.
        max_early: usize = 1_000,
    }
}

impl From<&Profile> for CorrelationConfig {
    fn from(profile: &Profile) -> Self {
        Self::default().receipts(profile.receipts.clone())
    }
}

/// What came of a part that was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// The message centre took it, and named it so; the name may be empty. It may come late.
    Accepted {
        /// message_id of the response.
        id: String,
    },
    /// It was refused, or not sent.
    Refused,
    /// There was no answer in time. A late one may still come.
    Unanswered,
}

/// What a receipt was for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Credit {
    /// A message.
    Credited(Credited),
    /// Not known yet: it waits for responses that are on their way.
    Held,
    /// Nothing that is known, or more than one message.
    Unmatched {
        /// Identifiers that came near, each with its rule.
        candidates: Vec<(IdRule, String)>,
    },
}

/// A message that a receipt was credited to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Credited {
    /// The message.
    pub message: MessageKey,
    /// Its parts that the receipt is for, by their numbers from 1: more than one if they share an identifier.
    pub parts: Vec<u8>,
    /// What is known of the message now.
    pub report: MessageReport,
    /// Whether the receipt has changed that; not if it came after a final one.
    pub news: bool,
}

/// What was given up.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Expired {
    /// A message whose receipts did not all come, or that had to make room.
    Message {
        /// The message.
        message: MessageKey,
        /// What was known of it.
        report: MessageReport,
    },
    /// A receipt that no response named a message for.
    Receipt(Box<Receipt>),
}

/// Finds the messages that receipts are for. It reads no clock: `now` is an argument, and does not go back.
///
/// Nothing is credited to a message that it could be wrong for:
///
/// * An identifier that two messages share, neither of which is finished, names none of them.
/// * A receipt that is not named exactly, on a link whose rule is still to be found out, waits until all parts that were
///   on their way when it came are answered: one of them might be the one. So does a receipt that beats its response.
///
/// [`IdMatching::Auto`], which is the default, cannot be as sure until three receipts have told it the rule: it takes an
/// identifier that is there exactly, though by the rule in force it might name another, and does not wait for parts that
/// stay unanswered. Identifiers that are the same number in the other base can then be taken for each other. Where that
/// must not be, say the rule in the profile.
///
/// An account is what shares identifiers: all links of one system_id to one message centre.
///
/// ```
/// use std::time::Instant;
///
/// use smpp::correlation::{Answer, Correlator, Credit};
/// use smpp::receipt::{Outcome, Receipt};
///
/// # fn example(now: Instant) {
/// let mut correlator = Correlator::new(Default::default());
/// let message = "order 4711".into();
/// correlator.open(1, &message, 2, now);
/// correlator.answered(&message, 1, Answer::Accepted { id: "a1".into() }, now);
/// // The receipt of the second part beats its response.
/// assert_eq!(correlator.receipt(1, &Receipt::from_text(b"id:a2 stat:DELIVRD"), now), Credit::Held);
/// let credited = correlator.answered(&message, 2, Answer::Accepted { id: "a2".into() }, now);
/// assert_eq!((&credited[0].parts[..], credited[0].report.outcome()), (&[2][..], Outcome::Pending));
/// let credit = correlator.receipt(1, &Receipt::from_text(b"id:a1 stat:DELIVRD"), now);
/// let Credit::Credited(credited) = credit else { panic!() };
/// assert_eq!((credited.message, credited.report.outcome()), (message, Outcome::Delivered));
/// # }
/// # #[expect(clippy::disallowed_methods)]
/// # example(Instant::now());
/// ```
#[derive(Debug)]
pub struct Correlator {
    config: CorrelationConfig,
    messages: HashMap<MessageKey, Message>,
    /// When each message is given up; the number tells those of one instant apart.
    deadlines: BTreeMap<(Instant, u64), MessageKey>,
    accounts: HashMap<u64, Account>,
    next: u64,
}

#[derive(Debug)]
struct Message {
    account: u64,
    report: MessageReport,
    /// Of each part that may still be answered: its number on the way.
    on_way: BTreeMap<u8, OnWay>,
    deadline: (Instant, u64),
}

/// A part that may still be answered.
#[derive(Clone, Copy, Debug)]
enum OnWay {
    /// The answer is waited for.
    Awaited(u64),
    /// It may come late.
    Late,
}

#[derive(Debug, Default)]
struct Account {
    index: IdIndex,
    /// The parts that an identifier names.
    owners: HashMap<String, Vec<(MessageKey, u8)>>,
    matcher: IdMatcher,
    /// Numbers of parts whose answers are waited for.
    on_way: BTreeSet<u64>,
    /// How many parts may be answered late.
    late: usize,
    early: Early,
}

impl Correlator {
    /// A correlator that knows no message.
    pub fn new(config: CorrelationConfig) -> Self {
        Self { config, messages: HashMap::new(), deadlines: BTreeMap::new(), accounts: HashMap::new(), next: 0 }
    }

    /// A message of so many parts is about to be sent. To be told before anything is written: an answer may come at once.
    /// One with a key that is in use takes its place. Gives back what had to make room.
    pub fn open(&mut self, account: u64, message: &MessageKey, parts: u8, now: Instant) -> Vec<Expired> {
        self.forget(message);
        let mut expired = self.expire(now);
        while self.messages.len() >= self.config.max_messages.max(1)
            && let Some((_, oldest)) = self.deadlines.first_key_value()
        {
            let oldest = oldest.clone();
            expired.extend(self.give_up(&oldest));
        }
        let matching = self.config.receipts.ids;
        let links = self.accounts.entry(account).or_insert_with(|| Account::new(matching));
        let mut on_way = BTreeMap::new();
        for part in 1..=parts {
            self.next = self.next.saturating_add(1);
            links.on_way.insert(self.next);
            on_way.insert(part, OnWay::Awaited(self.next));
        }
        let report =
            MessageReport { parts: vec![PartReport::default(); usize::from(parts)], per: self.config.receipts.per };
        self.next = self.next.saturating_add(1);
        let deadline = (after(now, self.config.age), self.next);
        self.deadlines.insert(deadline, message.clone());
        self.messages.insert(message.clone(), Message { account, report, on_way, deadline });
        expired
    }

    /// A part, by its number from 1, was answered or will not be. Gives back what that let receipts be credited to. Of an
    /// unknown message, or of a part that has its answer, it has no effect.
    pub fn answered(&mut self, message: &MessageKey, part: u8, answer: Answer, now: Instant) -> Vec<Credited> {
        let Some(record) = self.messages.get_mut(message) else { return Vec::new() };
        let Some(account) = self.accounts.get_mut(&record.account) else { return Vec::new() };
        let number = record.account;
        match record.on_way.remove(&part) {
            None => return Vec::new(),
            Some(OnWay::Awaited(number)) => {
                account.on_way.remove(&number);
            }
            Some(OnWay::Late) => account.late = account.late.saturating_sub(1),
        }
        let mut retry = Vec::new();
        match answer {
            Answer::Accepted { id } if !id.is_empty() => {
                if let Some(report) = part.checked_sub(1).and_then(|at| record.report.parts.get_mut(usize::from(at))) {
                    report.id = Some(id.clone());
                }
                let owners = account.owners.entry(id.clone()).or_default();
                let messages = &self.messages;
                // The identifier is used again: those that are finished make way.
                owners.retain(|(owner, _)| {
                    owner == message || messages.get(owner).is_some_and(|owner| !owner.report.is_final())
                });
                owners.push((message.clone(), part));
                account.index.insert(&id);
                retry = account.early.named_by(&id);
            }
            Answer::Accepted { .. } => {}
            Answer::Unanswered => {
                record.on_way.insert(part, OnWay::Late);
                account.late = account.late.saturating_add(1);
            }
            Answer::Refused => {
                let known = |part: &PartReport| part.id.is_some();
                if record.on_way.is_empty() && !record.report.parts.iter().any(known) {
                    self.forget(message);
                }
            }
        }
        let mut credited = Vec::new();
        for held in retry {
            credited.extend(self.retry(number, held, now));
        }
        while let Some(account) = self.accounts.get(&number)
            && let Some(held) = account.early.ripe(account.first_on_way())
        {
            credited.extend(self.retry(number, held, now));
        }
        credited
    }

    /// A receipt has come on a link of an account.
    pub fn receipt(&mut self, account: u64, receipt: &Receipt, now: Instant) -> Credit {
        let number = account;
        let receipt = slim(receipt);
        let matching = self.config.receipts.ids;
        let account = self.accounts.entry(number).or_insert_with(|| Account::new(matching));
        let first_on_way = account.first_on_way();
        let until = self.next.saturating_add(1);
        let unsure = match account.find(&receipt, until <= first_on_way) {
            Found::Named(id) => {
                return match self.credit(number, &id, &receipt, now) {
                    Some(credited) => Credit::Credited(credited),
                    None => Credit::Unmatched { candidates: vec![(IdRule::Exact, id)] },
                };
            }
            Found::Unsure => true,
            Found::Unknown(candidates) => {
                let may_be_named = !account.on_way.is_empty() || account.late > 0;
                if !may_be_named || (receipt.id.is_none() && receipt.text_id.is_none()) {
                    return Credit::Unmatched { candidates };
                }
                false
            }
        };
        account.early.hold(Held { receipt, since: now, until }, unsure, self.config.max_early);
        Credit::Held
    }

    /// Gives up what has waited too long. To be called at [`next_timeout`](Self::next_timeout).
    pub fn expire(&mut self, now: Instant) -> Vec<Expired> {
        let mut expired = Vec::new();
        while let Some(((deadline, _), message)) = self.deadlines.first_key_value()
            && *deadline <= now
        {
            let message = message.clone();
            expired.extend(self.give_up(&message));
        }
        for account in self.accounts.values_mut() {
            while let Some((number, since)) = account.early.first()
                && after(since, self.config.early_age) <= now
            {
                let held = account.early.take(number);
                expired.extend(held.map(|held| Expired::Receipt(Box::new(held.receipt))));
            }
        }
        expired
    }

    /// When to call [`expire`](Self::expire); none if nothing is known.
    pub fn next_timeout(&self) -> Option<Instant> {
        let early = self.accounts.values().filter_map(|account| account.early.first());
        let early = early.map(|(_, since)| after(since, self.config.early_age));
        early.chain(self.deadlines.first_key_value().map(|((deadline, _), _)| *deadline)).min()
    }

    /// What is known of a message; none if it is not remembered.
    pub fn report(&self, message: &MessageKey) -> Option<&MessageReport> {
        self.messages.get(message).map(|message| &message.report)
    }

    /// Number of messages that are remembered.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The rule that an account's identifiers follow, if it is known.
    pub fn rule(&self, account: u64) -> Option<IdRule> {
        self.accounts.get(&account)?.matcher.rule()
    }

    /// Tries a receipt again that was held.
    fn retry(&mut self, number: u64, held: u64, now: Instant) -> Option<Credited> {
        let account = self.accounts.get_mut(&number)?;
        let Held { receipt, until, .. } = account.early.get(held)?;
        let (receipt, sure) = (receipt.clone(), *until <= account.first_on_way());
        let found = account.find(&receipt, sure);
        account.early.set_unsure(held, matches!(found, Found::Unsure));
        let Found::Named(id) = found else { return None };
        let credited = self.credit(number, &id, &receipt, now)?;
        self.accounts.get_mut(&number)?.early.take(held);
        Some(credited)
    }

    /// Credits a receipt to the message that an identifier names, if that is one.
    fn credit(&mut self, account: u64, id: &str, receipt: &Receipt, now: Instant) -> Option<Credited> {
        let owners = self.accounts.get(&account)?.owners.get(id)?;
        let (message, _) = owners.first()?;
        if owners.iter().any(|(owner, _)| owner != message) {
            return None;
        }
        let (message, parts): (_, Vec<u8>) = (message.clone(), owners.iter().map(|(_, part)| *part).collect());
        let record = self.messages.get_mut(&message)?;
        let was_final = record.report.is_final();
        let mut news = false;
        for part in parts.iter().filter_map(|part| part.checked_sub(1)) {
            if let Some(report) = record.report.parts.get_mut(usize::from(part)) {
                news |= report.take(receipt.clone(), &self.config.receipts.states);
            }
        }
        if !was_final && record.report.is_final() {
            let deadline = after(now, self.config.finished_age).min(record.deadline.0);
            self.deadlines.remove(&record.deadline);
            record.deadline.0 = deadline;
            self.deadlines.insert(record.deadline, message.clone());
        }
        Some(Credited { message, parts, report: record.report.clone(), news: news && !was_final })
    }

    /// Forgets a message; tells of it unless it was finished.
    fn give_up(&mut self, message: &MessageKey) -> Option<Expired> {
        let report = self.forget(message)?;
        (!report.is_final()).then(|| Expired::Message { message: message.clone(), report })
    }

    fn forget(&mut self, message: &MessageKey) -> Option<MessageReport> {
        let record = self.messages.remove(message)?;
        self.deadlines.remove(&record.deadline);
        let account = self.accounts.get_mut(&record.account)?;
        for on_way in record.on_way.values() {
            match on_way {
                OnWay::Awaited(number) => {
                    account.on_way.remove(number);
                }
                OnWay::Late => account.late = account.late.saturating_sub(1),
            }
        }
        for id in record.report.parts.iter().filter_map(|part| part.id.as_ref()) {
            if let Some(owners) = account.owners.get_mut(id) {
                owners.retain(|(owner, _)| owner != message);
                if owners.is_empty() {
                    account.owners.remove(id);
                    account.index.remove(id);
                }
            }
        }
        Some(record.report)
    }
}

/// What a receipt names.
enum Found {
    /// This identifier, for sure.
    Named(String),
    /// One, but another that is on its way might be the one.
    Unsure,
    /// None, or more than one.
    Unknown(Vec<(IdRule, String)>),
}

impl Account {
    fn new(matching: IdMatching) -> Self {
        Self { matcher: IdMatcher::new(matching), ..Self::default() }
    }

    /// Number of the first part on its way, or the highest number there is.
    fn first_on_way(&self) -> u64 {
        self.on_way.first().copied().unwrap_or(u64::MAX)
    }

    /// Looks for the identifier that a receipt names; `alone` says that no part on its way can be the one. The matcher
    /// learns only from what is sure.
    fn find(&mut self, receipt: &Receipt, alone: bool) -> Found {
        let settled = self.matcher.rule().is_some();
        let mut matcher = self.matcher.clone();
        match matcher.find_for(receipt, &self.index) {
            IdMatch::Matched { id, rule } if settled || alone || rule == IdRule::Exact => {
                self.matcher = matcher;
                Found::Named(id)
            }
            IdMatch::Matched { .. } => Found::Unsure,
            IdMatch::Unmatched { candidates } => Found::Unknown(candidates),
        }
    }
}

/// As late as the clock can say, if it cannot say more.
fn after(instant: Instant, span: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(10 * 365 * 86_400);
    instant.checked_add(span).or_else(|| instant.checked_add(FAR)).unwrap_or(instant)
}
