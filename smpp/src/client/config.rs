use std::time::Duration;

use crate::driver::IoConfig;
use crate::session::{self, config};

config! {
    /// How a [`Link`](super::Link) connects and what it holds.
    LinkConfig {
        /// Times, windows and bounds of the session.
        session: session::Config = session::Config::default(),
        /// How octets are moved.
        io: IoConfig = IoConfig::default(),
        /// How long connecting over TCP may take. 10 seconds.
        connect_timeout: Duration = Duration::from_secs(10),
        /// How many events may wait for the program, each of which may hold on to a read of up to 64 KiB. One more is
        /// dropped; of a request of the peer, the answer is then ESME_RX_T_APPN. 1,024; at least 1.
        max_events: usize = 1024,
    }
}
