use std::time::Duration;

use crate::codec::Limits;
use crate::framing::{MAX_PDU, MAX_PDU_UNBOUND};
use crate::types::{InterfaceVersion, SequenceNumber};

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

pub(crate) use config;

config! {
    /// Times, bounds and choices of a [`Session`](super::Session), the same for both roles where nothing else is said.
    ///
    /// ```
    /// use std::time::Duration;
    /// use smpp::session::Config;
    ///
    /// let config = Config::default().window(20).enquire_link(Some(Duration::from_secs(55)));
    /// assert_eq!(config.response_timeout, Duration::from_secs(60));
    /// ```
    Config {
        /// What is taken and forgiven in the peer's PDUs; `None` for what the role does by default. None.
        limits: Option<Limits> = None,
        /// Highest version that this end speaks. What holds is the lowest of this, the interface_version of the bind and
        /// the sc_interface_version of its answer. 5.0; a bind says 3.4 by default.
        version: InterfaceVersion = InterfaceVersion::V5_0,
        /// ESME: what a message centre speaks that answers a bind without sc_interface_version. By the specification it
        /// knows no TLVs, and is to be taken for 3.3; in the field it is an ordinary 3.4. 3.4.
        assumed_version: InterfaceVersion = InterfaceVersion::V3_4,
        /// How many requests of this end may be unanswered. enquire_link, bind and unbind do not count. 10, the most that
        /// 3.4 recommends; 1 to 1,000,000.
        window: usize = 10,
        /// How many requests of the peer may be unanswered. One more is answered at once: by a message centre with
        /// ESME_RTHROTTLED, by an ESME with ESME_RX_T_APPN. 100; 1 to 1,000,000.
        peer_window: usize = 100,
        /// Whether the stream is not read while [`peer_window`](Self#structfield.peer_window) is full, instead of
        /// refusing. It is read all the same while a request of this end is unanswered. No.
        stop_reading: bool = false,
        /// Message centre: time from the connection until a bind is accepted. ESME: until it sends a bind, or after an
        /// outbind. The connection is then closed. 10 seconds.
        session_init: Duration = Duration::from_secs(10),
        /// ESME: how long a bind may stay unanswered; then the connection is closed. 30 seconds.
        bind_timeout: Duration = Duration::from_secs(30),
        /// While bound, enquire_link is sent when no PDU came for so long; `None` for never. 30 seconds; at least 10
        /// milliseconds.
        enquire_link: Option<Duration> = Some(Duration::from_secs(30)),
        /// The peer is dead when it neither answers an enquire_link nor sends anything else for so long. 30 seconds.
        enquire_link_timeout: Duration = Duration::from_secs(30),
        /// While bound, this end unbinds when no request and no response but enquire_link went either way for so long;
        /// `None` for never. None.
        inactivity: Option<Duration> = None,
        /// How long a request of this end may stay unanswered; what became of it is then unknown. 60 seconds.
        response_timeout: Duration = Duration::from_secs(60),
        /// How long a PDU may take from its first octet to its last; then the connection is closed. 10 seconds.
        read_timeout: Duration = Duration::from_secs(10),
        /// How long requests that are unanswered, of either end, hold back an unbind. 5 seconds.
        drain_timeout: Duration = Duration::from_secs(5),
        /// How long the answer to an unbind may take, and the peer's closing after its own was answered; then this end
        /// closes. 5 seconds.
        unbind_timeout: Duration = Duration::from_secs(5),
        /// Message centre: whether a refused bind closes the connection; else the ESME may try again until
        /// [`session_init`](Self#structfield.session_init). Yes.
        close_refused: bool = true,
        /// Largest command_length that is taken while bound, and the largest that is sent. 128 KiB.
        max_pdu: u32 = MAX_PDU,
        /// Largest command_length that is taken before. 1 KiB.
        max_pdu_unbound: u32 = MAX_PDU_UNBOUND,
        /// While so many octets wait to be written, the stream is not to be read. 256 KiB.
        max_unwritten: usize = 256 * 1024,
        /// For how long a request that timed out is remembered, so that its late response is known for what it is.
        /// 5 minutes.
        late_age: Duration = Duration::from_secs(5 * 60),
        /// How many of them are remembered; one more makes the oldest go. 1,000.
        max_late: usize = 1_000,
        /// So many PDUs in a row that are refused for their form or their place, or answer nothing, close the connection;
        /// `None` for never. 100.
        max_faults: Option<u32> = Some(100),
        /// Number of the first request. 1.
        first_number: SequenceNumber = SequenceNumber::MIN,
    }
}
