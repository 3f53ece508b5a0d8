use std::time::Duration;

/// Declares a configuration: its fields with documentation and default, and a setter for each.
macro_rules! config {
    ($(#[$meta:meta])* $config:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub struct $config {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Default for $config {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $config {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

#[cfg(any(feature = "tokio", feature = "vumi"))]
pub(crate) use config;

config! {
    /// Times and bounds of a [`ClientSession`](super::ClientSession).
    ///
    /// ```
    /// use std::time::Duration;
    /// use ssmi::session::ClientConfig;
    ///
    /// let config = ClientConfig::default().link_check(Some(Duration::from_secs(30))).max_lookups(10);
    /// assert_eq!(config.login_timeout, Duration::from_secs(30));
    /// ```
    ClientConfig {
        /// How long the gateway may take to answer LOGIN. 30 seconds.
        login_timeout: Duration = Duration::from_secs(30),
        /// Time between two link checks, the first of which follows the login; `None` for no checks. 60 seconds; at
        /// least 10 milliseconds.
        link_check: Option<Duration> = Some(Duration::from_secs(60)),
        /// The gateway is dead when a link check is due and this many are unanswered. 2; at least 1.
        max_unanswered: u32 = 2,
        /// How long the gateway may take to close after LOGOUT; then this end closes. 5 seconds.
        logout_timeout: Duration = Duration::from_secs(5),
        /// How long a submission waits for its SEQ, which does not always come. 60 seconds.
        sequence_timeout: Duration = Duration::from_secs(60),
        /// How many submissions wait for their SEQ; one more makes the oldest stop waiting. 10,000.
        max_waiting: usize = 10_000,
        /// How long a SEQ that nobody waits for is kept. 60 seconds.
        unclaimed_age: Duration = Duration::from_secs(60),
        /// How many SEQ that nobody waits for are kept; one more makes the oldest go. 1,000.
        max_unclaimed: usize = 1_000,
        /// How long the delivery report of a submission with a SEQ is waited for. 8 days: a message lives a week.
        report_timeout: Duration = Duration::from_secs(8 * 24 * 60 * 60),
        /// How many submissions wait for their delivery report; one more makes the oldest stop waiting. 100,000, about
        /// 30 MB.
        max_reports: usize = 100_000,
        /// How long an IMSI lookup waits for its reply. 30 seconds.
        lookup_timeout: Duration = Duration::from_secs(30),
        /// How many IMSI lookups may be unanswered; one more is refused. 1,000.
        max_lookups: usize = 1_000,
        /// How many commands [`ClientEvent::Nacked`](super::ClientEvent::Nacked) lists, the latest ones. 5.
        recent_commands: usize = 5,
    }
}

config! {
    /// Times and choices of a [`ServerSession`](super::ServerSession).
    ServerConfig {
        /// How long a client may take from connecting until it is logged in, the program's decision included.
        /// 30 seconds.
        login_timeout: Duration = Duration::from_secs(30),
        /// A client that sends nothing for this long is closed; `None` for never. Never, since it is not known that
        /// the gateway does so; clients send a link check a minute.
        idle_timeout: Option<Duration> = None,
        /// Whether a refused login closes the connection; else the client may try again until `login_timeout`. Yes.
        close_refused: bool = true,
    }
}
