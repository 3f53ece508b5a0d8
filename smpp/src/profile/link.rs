use std::time::Duration;

use super::Profile;
use crate::session::{Config, config};

config! {
    /// Windows, rates and times of a link. They are those of [`Config`] of the same name, and of the client.
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    LinkProfile {
        /// How many requests of this end may be unanswered. 10.
        window: usize = 10,
        /// How many requests of the peer may be unanswered. 100.
        peer_window: usize = 100,
        /// PDUs a second that are sent, long messages counted by their parts; 0 for no limit. 0.
        tps: u32 = 0,
        /// enquire_link is sent when no PDU came for so long; `None` (in a file `false`) for never. 30 seconds.
        #[cfg_attr(feature = "serde", serde(with = "super::seconds::or_never"))]
        enquire_link: Option<Duration> = Some(Duration::from_secs(30)),
        /// This end unbinds when the link was not used for so long; `None` (in a file `false`) for never. Never.
        #[cfg_attr(feature = "serde", serde(with = "super::seconds::or_never"))]
        inactivity: Option<Duration> = None,
        /// How long a request may stay unanswered. 60 seconds.
        #[cfg_attr(feature = "serde", serde(with = "super::seconds"))]
        response_timeout: Duration = Duration::from_secs(60),
        /// How long a bind may stay unanswered. 30 seconds.
        #[cfg_attr(feature = "serde", serde(with = "super::seconds"))]
        bind_timeout: Duration = Duration::from_secs(30),
        /// Largest command_length, both ways. 128 KiB.
        max_pdu: u32 = Config::default().max_pdu,
    }
}

impl Profile {
    /// The configuration of a session with this message centre.
    pub fn session(&self) -> Config {
        self.session_over(Config::default())
    }

    /// The same, with what the profile does not say taken from another one.
    pub fn session_over(&self, config: Config) -> Config {
        let link = &self.link;
        config
            .version(self.interface_version)
            .assumed_version(self.assumed_version)
            .window(link.window)
            .peer_window(link.peer_window)
            .enquire_link(link.enquire_link)
            .inactivity(link.inactivity)
            .response_timeout(link.response_timeout)
            .bind_timeout(link.bind_timeout)
            .max_pdu(link.max_pdu)
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        fn read(json: &str) -> serde_json::Result<LinkProfile> {
            serde_json::from_str(json)
        }
        let link = read(r#"{"enquire_link": 55, "response_timeout": 0.5, "inactivity": false}"#).unwrap();
        assert_eq!(link.enquire_link, Some(Duration::from_secs(55)));
        assert_eq!((link.response_timeout, link.inactivity), (Duration::from_millis(500), None));
        assert_eq!(read(&serde_json::to_string(&link).unwrap()).unwrap(), link);
        for bad in [r#"{"bind_timeout": -1}"#, r#"{"enquire_link": true}"#, r#"{"enquire_link": "soon"}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
