//! By the first word of the text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::memory::Memory;
use super::table::Names;
use super::to_addr::to_sender;
use super::{At, Dropped, MemoryLimits, Queue, Route, Routing, Saved, TableError};
use crate::{Event, Timestamp, UserMessage};

/// The table of [`Router::ContentKeyword`](super::Router::ContentKeyword). It needs a rule, a keyword or a fallback.
#[doc(alias = "ContentKeywordRouter")]
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContentKeywordTable {
    /// The rules, each of which sends a copy where it matches.
    #[serde(default)]
    pub rules: Vec<KeywordRule>,
    /// More rules, of a keyword alone: application to keyword.
    #[serde(default)]
    pub keyword_mappings: BTreeMap<String, String>,
    /// Gets what no rule matches. Default: nobody does.
    #[serde(default)]
    pub fallback_application: Option<String>,
    /// The transport of each outbound `from_addr`.
    pub transport_mappings: BTreeMap<String, String>,
    /// How long it is remembered who sent a message, so that its events find back. Default: seven days, as in vumi.
    #[serde(default = "seven_days")]
    pub memory: MemoryLimits,
}

impl Default for ContentKeywordTable {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            keyword_mappings: BTreeMap::new(),
            fallback_application: None,
            transport_mappings: BTreeMap::new(),
            memory: seven_days(),
        }
    }
}

fn seven_days() -> MemoryLimits {
    MemoryLimits::of_seconds(7 * 24 * 3_600)
}

/// When an application gets a message.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordRule {
    /// The exposed name.
    pub app: String,
    /// The first word of the text, up to the first blank; case does not count.
    pub keyword: String,
    /// Also the address that the message is for, if given.
    #[serde(default)]
    pub to_addr: Option<String>,
    /// Also how the address that it is from starts, if given.
    #[serde(default)]
    pub prefix: Option<String>,
}

impl KeywordRule {
    fn matches(&self, keyword: &str, message: &UserMessage) -> bool {
        let from_addr = message.from_addr.as_deref().unwrap_or_default();
        self.keyword == keyword
            && (self.to_addr.is_none() || self.to_addr == message.to_addr)
            && self.prefix.as_ref().is_none_or(|prefix| from_addr.starts_with(prefix))
    }
}

impl ContentKeywordTable {
    pub(super) fn build(self, names: &Names) -> Result<ContentKeyword, TableError> {
        let mut rules = self.rules;
        for (index, rule) in rules.iter().enumerate() {
            names.check_exposed(|| format!("rules[{index}].app"), &rule.app)?;
        }
        for (app, keyword) in self.keyword_mappings {
            names.check_exposed(|| format!("keyword_mappings.{app}"), &app)?;
            rules.push(KeywordRule { app, keyword, ..KeywordRule::default() });
        }
        match &self.fallback_application {
            Some(app) => names.check_exposed(|| "fallback_application".to_owned(), app)?,
            None if rules.is_empty() => return Err(TableError::empty("rules")),
            None => {}
        }
        names.check_transports(TRANSPORT_MAPPINGS, &self.transport_mappings)?;
        for rule in &mut rules {
            rule.keyword = rule.keyword.to_lowercase();
        }
        Ok(ContentKeyword {
            rules,
            fallback: self.fallback_application,
            transports: self.transport_mappings,
            senders: Memory::new(self.memory.check()?),
        })
    }
}

const TRANSPORT_MAPPINGS: &str = "transport_mappings";

#[derive(Debug)]
pub(super) struct ContentKeyword {
    rules: Vec<KeywordRule>,
    fallback: Option<String>,
    transports: BTreeMap<String, String>,
    senders: Memory,
}

impl Routing for ContentKeyword {
    fn inbound(&mut self, _at: &At<'_>, message: &UserMessage) -> Route {
        let content = message.content.as_deref().unwrap_or_default();
        let keyword = content.split(' ').next().unwrap_or_default().to_lowercase();
        let matching = self.rules.iter().filter(|rule| rule.matches(&keyword, message));
        let mut apps: Vec<&String> = matching.map(|rule| &rule.app).collect();
        if apps.is_empty() {
            apps.extend(&self.fallback);
        }
        Route::copies(apps, Queue::Inbound, message.clone())
    }

    fn outbound(&mut self, at: &At<'_>, message: &UserMessage) -> Route {
        let Some(from_addr) = &message.from_addr else {
            return Dropped::Null { field: "from_addr" }.into();
        };
        let Some(transport) = self.transports.get(from_addr) else {
            return Dropped::NoEntry { table: TRANSPORT_MAPPINGS, key: from_addr.clone() }.into();
        };
        self.senders.insert(&message.message_id, at.connector, at.now);
        Route::outbound(transport, message.clone())
    }

    fn event(&mut self, at: &At<'_>, event: &Event) -> Route {
        to_sender(&self.senders, at, event)
    }

    fn save(&self) -> Saved {
        Saved { remembered: self.senders.save(), ..Saved::default() }
    }

    fn restore(&mut self, saved: Saved, names: &Names, now: Timestamp) {
        self.senders.restore(saved.remembered, now, |name| names.is_exposed(name));
    }
}
