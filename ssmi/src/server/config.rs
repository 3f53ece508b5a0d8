use crate::driver::IoConfig;
use crate::session::{ServerConfig, config};

config! {
    /// What a [`Server`](super::Server) allows.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ssmi::server::Config;
    /// use ssmi::session::ServerConfig;
    ///
    /// let session = ServerConfig::default().idle_timeout(Some(Duration::from_secs(300)));
    /// let config = Config::default().session(session).max_per_address(4);
    /// assert_eq!(config.max_connections, 1_000);
    /// ```
    Config {
        /// Times and choices of each session; the time to log in is there.
        session: ServerConfig = ServerConfig::default(),
        /// How octets are moved.
        io: IoConfig = IoConfig::default(),
        /// How many connections there may be. 1,000.
        max_connections: usize = 1_000,
        /// How many of them may not be logged in yet. 100.
        max_before_login: usize = 100,
        /// How many of them may come from one address. 100.
        max_per_address: usize = 100,
        /// How many events may wait for the program, each of which may hold on to a read of some 8 KiB. 1,024; at
        /// least 1.
        max_events: usize = 1024,
    }
}
