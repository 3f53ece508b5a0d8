use std::time::Duration;

use crate::driver::IoConfig;
use crate::session::{ClientConfig, config};
use crate::types::TextEncoding;

config! {
    /// How a [`Client`](super::Client) connects, sends and reconnects.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ssmi::client::{Config, WhenDown};
    /// use ssmi::types::TextEncoding;
    ///
    /// let config = Config::default()
    ///     .encoding(TextEncoding::Utf8)
    ///     .when_down(WhenDown::Wait(Duration::from_secs(10)));
    /// assert_eq!(config.first_delay, Duration::from_secs(1));
    /// ```
    Config {
        /// Times and bounds of each session.
        session: ClientConfig = ClientConfig::default(),
        /// How octets are moved.
        io: IoConfig = IoConfig::default(),
        /// How the text of the send methods becomes octets. ISO-8859-1.
        encoding: TextEncoding = TextEncoding::Latin1,
        /// What becomes of a request while there is no session. It fails.
        when_down: WhenDown = WhenDown::Fail,
        /// How long connecting may take. 10 seconds.
        connect_timeout: Duration = Duration::from_secs(10),
        /// Longest delay before the first attempt to reconnect; each further one doubles it, and a login, not a mere
        /// connection, begins anew. Each delay is drawn at random from its upper half. 1 second.
        first_delay: Duration = Duration::from_secs(1),
        /// Longest delay between two attempts. 5 minutes.
        max_delay: Duration = Duration::from_secs(5 * 60),
        /// Delay after a refused login. 5 minutes.
        refused_delay: Duration = Duration::from_secs(5 * 60),
        /// Delay after a login refused since the account is suspended; `None` stops the client. None.
        suspended_delay: Option<Duration> = None,
        /// Delay after a remote logout; `None` stops the client. None: two clients that always come back throw each
        /// other out for ever.
        remote_logout_delay: Option<Duration> = None,
        /// How many events may wait for the program, each of which may hold on to a read of some 8 KiB. 1,024; at
        /// least 1.
        max_events: usize = 1024,
    }
}

/// What becomes of a request while there is no session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WhenDown {
    /// It fails at once.
    #[default]
    Fail,
    /// It waits for the next session, for at most so long; then it fails.
    Wait(Duration),
}
