use std::time::Duration;

use super::IoConfig;
use crate::session::{self, config};
use crate::types::COctetString;

config! {
    /// What a [`Server`](super::Server) allows. Every limit is on by default.
    ///
    /// ```
    /// use smpp::server::{AccountLimits, Config};
    ///
    /// let config = Config::default().max_per_address(4).account(AccountLimits::default().rate(Some(50)));
    /// assert_eq!(config.max_connections, 10_000);
    /// ```
    Config {
        /// What the message centre calls itself when it accepts a bind. `SMSC`.
        system_id: COctetString<16> = COctetString::from_valid(b"SMSC"),
        /// Times and choices of each session; its windows are the [account's](AccountLimits), and the time to bind is
        /// [`session_init`](session::Config#structfield.session_init).
        session: session::Config = session::Config::default(),
        /// How octets are moved.
        io: IoConfig = IoConfig::default(),
        /// What an account may do whose [`Account`](super::Account) does not say otherwise.
        account: AccountLimits = AccountLimits::default(),
        /// How many connections there may be. 10,000.
        max_connections: usize = 10_000,
        /// How many of them may not be bound yet. 500.
        max_before_bind: usize = 500,
        /// How many of them may come from one address. 100.
        max_per_address: usize = 100,
        /// How many binds are decided on at once; the next wait, and their time runs. 64; at least 1.
        max_deciding: usize = 64,
        /// How long a refused bind waits for its answer, to slow down who tries passwords. 1 second.
        refusal_delay: Duration = Duration::from_secs(1),
        /// How many methods of the [`Service`](super::Service) may be at work for one link at once. With 1 they run in
        /// the order of the requests; with more they begin in that order. 1; at least 1.
        max_handlers: usize = 1,
    }
}

config! {
    /// What one account may do, over all its links.
    AccountLimits {
        /// How many links it may have. 10.
        max_binds: usize = 10,
        /// How many requests of each of its links may be unanswered; one more is answered `ESME_RTHROTTLED`. 100.
        window: usize = 100,
        /// How many requests a second it may send over all its links, at most a second's worth at once; more are
        /// answered `ESME_RTHROTTLED`. 1,000; none is no limit.
        rate: Option<u32> = Some(1_000),
        /// How many deliveries to each of its links may be unanswered; the next wait. 10; at least 1.
        delivery_window: usize = 10,
    }
}
