use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;
use url::Url;

use crate::pdu::{BindReceiver, BindTransceiver, BindTransmitter, Pdu};
use crate::profile::Profile;
use crate::session::{BindKind, config};
use crate::text::{Charset, LongMessages};
use crate::types::{Address, COctetString, InterfaceVersion, InvalidCOctetString, Password};

config! {
    /// Where a link goes, who binds it and how: what a URL says, with the same defaults.
    ///
    /// ```text
    /// smpp://user:password@host:port?bind=trx&window=20&tps=50
    /// ```
    ///
    /// `smpps` is SMPP in TLS (feature `rustls`). Without a port it is 2775, with TLS 3550. A user or password with
    /// `@`, `:`, `/`, `?`, `#` or `%` is written with percent signs. Parameters, each at most once:
    ///
    /// | parameter | values | default |
    /// |---|---|---|
    /// | `bind` | `trx`, `tx`, `rx` | `trx` |
    /// | `profile` | a shipped profile (feature `profiles`); it comes before all others | that of [`Profile`] |
    /// | `version` | `3.3`, `3.4`, `5.0` | the profile's, as all below |
    /// | `window`, `peer_window` | 1 to 1,000,000 | |
    /// | `tps` | PDUs a second, 0 for no limit | |
    /// | `alphabet` | what data_coding 0 is: `gsm7`, `latin1`, `ascii`, `ucs2`, `utf8` | |
    /// | `long` | `udh8`, `udh16`, `sar`, `payload` | |
    /// | `enquire_link`, `inactivity` | seconds, or `never` | |
    /// | `response_timeout`, `bind_timeout` | seconds | |
    /// | `max_password` | octets, 8 to 255 | |
    /// | `system_type` | at most 12 octets | empty |
    /// | `address_range` | at most 40 octets | empty |
    ///
    /// `Debug`, `Display` and serde show the password as `***`.
    ///
    /// ```
    /// use smpp::client::LinkSettings;
    /// use smpp::session::BindKind;
    ///
    /// let settings: LinkSettings = "smpp://kudu:s%40fe@smsc.example?bind=tx&window=20".parse()?;
    /// assert_eq!((settings.port, settings.bind, settings.profile.link.window), (2775, BindKind::Transmitter, 20));
    /// assert_eq!(settings.to_string(), "smpp://kudu:***@smsc.example:2775?bind=tx");
    /// let error = "smpp://smsc.example?windw=20".parse::<LinkSettings>().unwrap_err();
    /// assert_eq!(error.to_string(), "windw: there is no such parameter");
    /// # Ok::<(), smpp::client::InvalidSettings>(())
    /// ```
    LinkSettings {
        /// Name or address of the message centre's host.
        host: String = String::new(),
        /// Its port. 2775.
        port: u16 = PORT,
        /// Whether the link is in TLS. No.
        tls: bool = false,
        /// Who binds, at most 15 octets.
        system_id: String = String::new(),
        /// The password. Empty.
        password: Password = Password::default(),
        /// Which bind. Transceiver.
        bind: BindKind = BindKind::Transceiver,
        /// system_type of the bind, at most 12 octets. Empty.
        system_type: String = String::new(),
        /// Whose messages a receiver wants, at most 40 octets. Empty.
        address_range: String = String::new(),
        /// What is known of the message centre.
        profile: Profile = Profile::default(),
    }
}

/// The port that is registered for SMPP.
const PORT: u16 = 2775;
/// The port that is registered for SMPP in TLS.
const TLS_PORT: u16 = 3550;
/// Most requests of a window.
const MAX_WINDOW: u64 = 1_000_000;

/// Settings are wrong: which, and how.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{parameter}: {problem}")]
pub struct InvalidSettings {
    /// The part of a URL (`url`, `scheme`, `host`, `user`, `password`, `fragment`, `path`) or its parameter.
    pub parameter: String,
    /// What is wrong with it.
    pub problem: SettingsProblem,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SettingsProblem {
    /// It is not a URL.
    #[error(transparent)]
    Url(#[from] url::ParseError),
    /// Neither `smpp` nor `smpps`.
    #[error("neither smpp nor smpps")]
    Scheme,
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// A part that means nothing here.
    #[error("it means nothing here")]
    Meaningless,
    /// A parameter that does not exist.
    #[error("there is no such parameter")]
    Unknown,
    /// A parameter that is there twice.
    #[error("it is there twice")]
    Twice,
    /// A value that is not allowed.
    #[error("it must be {expected}")]
    Value {
        /// What is.
        expected: &'static str,
    },
    /// Too long for its field, or a NUL inside.
    #[error(transparent)]
    Octets(#[from] InvalidCOctetString),
}

impl LinkSettings {
    /// The bind.
    ///
    /// # Errors
    ///
    /// Names the setting that does not fit its field. The password is bounded by the profile's
    /// [`max_password`](Profile#structfield.max_password), and never cut.
    pub fn bind_pdu(&self) -> Result<Pdu, InvalidSettings> {
        let length = self.password.expose().len();
        let max = usize::from(self.profile.max_password);
        if length > max {
            return Err(invalid("password", InvalidCOctetString::TooLong { length, max }));
        }
        let system_id: COctetString<16> = self.system_id.parse().map_err(|error| invalid("user", error))?;
        let system_type: COctetString<13> = self.system_type.parse().map_err(|error| invalid("system_type", error))?;
        let range = self.address_range.parse().map_err(|error| invalid("address_range", error))?;
        let address_range = Address { addr: range, ..Address::<41>::default() };
        let (password, interface_version) = (self.password.clone(), self.profile.interface_version);
        macro_rules! bind {
            ($bind:ident) => {
                $bind { system_id, password, system_type, interface_version, address_range, ..Default::default() }
                    .into()
            };
        }
        Ok(match self.bind {
            BindKind::Transmitter => bind!(BindTransmitter),
            BindKind::Receiver => bind!(BindReceiver),
            BindKind::Transceiver => bind!(BindTransceiver),
        })
    }

    fn set(&mut self, parameter: &str, value: &str) -> Result<(), InvalidSettings> {
        let wrong = |expected| invalid(parameter, SettingsProblem::Value { expected });
        let number = |from: u64, to: u64, expected| {
            value.parse().ok().filter(|number| (from..=to).contains(number)).ok_or_else(|| wrong(expected))
        };
        let window = || {
            let window = number(1, MAX_WINDOW, "a number from 1 to 1000000")?;
            usize::try_from(window).map_err(|_| wrong("a smaller number"))
        };
        let seconds = |expected| {
            let seconds = value.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
            seconds.ok_or_else(|| wrong(expected))
        };
        let or_never = || match value {
            "never" => Ok(None),
            _ => seconds("a number of seconds, or never").map(Some),
        };
        let link = &mut self.profile.link;
        match parameter {
            "bind" => {
                self.bind = match value {
                    "trx" => BindKind::Transceiver,
                    "tx" => BindKind::Transmitter,
                    "rx" => BindKind::Receiver,
                    _ => return Err(wrong("trx, tx or rx")),
                }
            }
            "profile" => {}
            "version" => {
                self.profile.interface_version = match value {
                    "3.3" => InterfaceVersion::V3_3,
                    "3.4" => InterfaceVersion::V3_4,
                    "5.0" => InterfaceVersion::V5_0,
                    _ => return Err(wrong("3.3, 3.4 or 5.0")),
                }
            }
            "window" => link.window = window()?,
            "peer_window" => link.peer_window = window()?,
            "tps" => {
                let tps = number(0, u32::MAX.into(), "a number of PDUs a second")?;
                link.tps = u32::try_from(tps).map_err(|_| wrong("a smaller number"))?;
            }
            "alphabet" => {
                self.profile.text.default_alphabet = match value {
                    "gsm7" => Charset::Gsm7,
                    "latin1" => Charset::Latin1,
                    "ascii" => Charset::Ascii,
                    "ucs2" => Charset::Ucs2,
                    "utf8" => Charset::Utf8,
                    _ => return Err(wrong("gsm7, latin1, ascii, ucs2 or utf8")),
                }
            }
            "long" => {
                self.profile.text.long_messages = match value {
                    "udh8" => LongMessages::Udh8,
                    "udh16" => LongMessages::Udh16,
                    "sar" => LongMessages::Sar,
                    "payload" => LongMessages::Payload,
                    _ => return Err(wrong("udh8, udh16, sar or payload")),
                }
            }
            "enquire_link" => link.enquire_link = or_never()?,
            "inactivity" => link.inactivity = or_never()?,
            "response_timeout" => link.response_timeout = seconds("a number of seconds")?,
            "bind_timeout" => link.bind_timeout = seconds("a number of seconds")?,
            "max_password" => {
                let octets = number(8, 255, "a number from 8 to 255")?;
                self.profile.max_password = u8::try_from(octets).unwrap_or(u8::MAX);
            }
            "system_type" => self.system_type = value.to_owned(),
            "address_range" => self.address_range = value.to_owned(),
            _ => return Err(invalid(parameter, SettingsProblem::Unknown)),
        }
        Ok(())
    }
}

impl FromStr for LinkSettings {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, InvalidSettings> {
        let url = Url::parse(text).map_err(|error| invalid("url", error))?;
        let tls = match url.scheme() {
            "smpp" => false,
            "smpps" => true,
            _ => return Err(invalid("scheme", SettingsProblem::Scheme)),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| invalid("host", SettingsProblem::Missing))?;
        for (part, there) in [("path", !matches!(url.path(), "" | "/")), ("fragment", url.fragment().is_some())] {
            if there {
                return Err(invalid(part, SettingsProblem::Meaningless));
            }
        }
        let password = decoded(url.password().unwrap_or_default(), "password")?;
        let mut settings = Self {
            // An address of version 6 stands in brackets, which no resolver wants.
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(if tls { TLS_PORT } else { PORT }),
            tls,
            system_id: decoded(url.username(), "user")?,
            password: Password::over_long(&password).map_err(|error| invalid("password", error))?,
            ..Self::default()
        };
        let parameters: Vec<_> = url.query_pairs().collect();
        for (at, (parameter, value)) in parameters.iter().enumerate() {
            if parameters.iter().take(at).any(|(other, _)| other == parameter) {
                return Err(invalid(parameter, SettingsProblem::Twice));
            }
            if parameter == "profile" {
                settings.profile = shipped(value)?;
            }
        }
        for (parameter, value) in &parameters {
            settings.set(parameter, value)?;
        }
        settings.bind_pdu()?;
        Ok(settings)
    }
}

#[cfg(feature = "profiles")]
fn shipped(name: &str) -> Result<Profile, InvalidSettings> {
    let expected = "the name of a shipped profile, such as generic-3.4";
    Profile::shipped(name).ok_or_else(|| invalid("profile", SettingsProblem::Value { expected }))
}

#[cfg(not(feature = "profiles"))]
fn shipped(_: &str) -> Result<Profile, InvalidSettings> {
    let expected = "left out: the crate was built without its feature `profiles`";
    Err(invalid("profile", SettingsProblem::Value { expected }))
}

/// The URL, without its password and without what the profile says.
impl fmt::Display for LinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "smpps" } else { "smpp" };
        let user = utf8_percent_encode(&self.system_id, ESCAPED);
        let bind = match self.bind {
            BindKind::Transmitter => "tx",
            BindKind::Receiver => "rx",
            BindKind::Transceiver => "trx",
        };
        let [open, close] = if self.host.contains(':') { ["[", "]"] } else { ["", ""] };
        write!(f, "{scheme}://{user}:***@{open}{}{close}:{}?bind={bind}", self.host, self.port)
    }
}

/// What stands for itself in the user of a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

#[cfg(feature = "serde")]
impl serde::Serialize for LinkSettings {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for LinkSettings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let url = String::deserialize(deserializer)?;
        url.parse().map_err(serde::de::Error::custom)
    }
}

fn decoded(text: &str, parameter: &str) -> Result<String, InvalidSettings> {
    let expected = "UTF-8";
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| invalid(parameter, SettingsProblem::Value { expected }))?.into_owned())
}

fn invalid(parameter: &str, problem: impl Into<SettingsProblem>) -> InvalidSettings {
    InvalidSettings { parameter: parameter.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<LinkSettings, InvalidSettings> {
        url.parse()
    }

    #[test]
    fn every_parameter() {
        let url = "smpps://kudu:secret@[::1]:4444?bind=rx&version=5.0&window=20&peer_window=7&tps=50&alphabet=latin1\
                   &long=sar&enquire_link=never&inactivity=300&response_timeout=1.5&bind_timeout=3&max_password=16\
                   &system_type=OTA&address_range=%5E27";
        let settings = parse(url).unwrap();
        assert_eq!((settings.host.as_str(), settings.port, settings.tls), ("::1", 4444, true));
        assert_eq!((settings.bind, settings.profile.max_password), (BindKind::Receiver, 16));
        let link = &settings.profile.link;
        assert_eq!((link.window, link.peer_window, link.tps), (20, 7, 50));
        assert_eq!((link.enquire_link, link.inactivity), (None, Some(Duration::from_secs(300))));
        assert_eq!((link.response_timeout, link.bind_timeout), (Duration::from_millis(1_500), Duration::from_secs(3)));
        let text = &settings.profile.text;
        assert_eq!((text.default_alphabet, text.long_messages), (Charset::Latin1, LongMessages::Sar));
        let Pdu::BindReceiver(bind) = settings.bind_pdu().unwrap() else { panic!() };
        assert_eq!((&bind.system_type, &bind.address_range.addr), (&"OTA".parse().unwrap(), &"^27".parse().unwrap()));
        assert_eq!(bind.interface_version, InterfaceVersion::V5_0);
        assert_eq!(*bind.password.expose(), "secret");
        assert_eq!(settings.to_string(), "smpps://kudu:***@[::1]:4444?bind=rx");
        assert_eq!(parse("smpps://h").unwrap().port, 3550);
    }

    #[test]
    fn the_parameter_at_fault_is_named() {
        for (url, says) in [
            ("nonsense", "url: relative URL without a base"),
            ("http://h", "scheme: neither smpp nor smpps"),
            ("smpp:h", "host: it is missing"),
            ("smpp://h/path", "path: it means nothing here"),
            ("smpp://h#x", "fragment: it means nothing here"),
            ("smpp://a234567890123456@h", "user: "),
            ("smpp://a:123456789@h", "password: "),
            ("smpp://a:b%00@h", "password: "),
            ("smpp://a:%ff@h", "password: it must be UTF-8"),
            ("smpp://h?window=0", "window: it must be a number from 1 to 1000000"),
            ("smpp://h?window=1&window=1", "window: it is there twice"),
            ("smpp://h?bind=both", "bind: it must be trx, tx or rx"),
            ("smpp://h?tps=-1", "tps: it must be a number of PDUs a second"),
            ("smpp://h?enquire_link=soon", "enquire_link: it must be a number of seconds, or never"),
            ("smpp://h?response_timeout=NaN", "response_timeout: it must be a number of seconds"),
            ("smpp://h?alphabet=klingon", "alphabet: it must be gsm7"),
            ("smpp://h?max_password=7", "max_password: it must be a number from 8 to 255"),
            ("smpp://h?system_type=thirteen+long", "system_type: "),
            ("smpp://h?profile=nobody", "profile: it must be "),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.starts_with(says), "{url}: {error}");
        }
    }

    #[test]
    fn a_long_password_is_sent_whole_or_not_at_all() {
        assert!(parse("smpp://a:123456789@h").is_err());
        let settings = parse("smpp://a:123456789@h?max_password=9").unwrap();
        let Pdu::BindTransceiver(bind) = settings.bind_pdu().unwrap() else { panic!() };
        assert_eq!(*bind.password.expose(), "123456789");
    }

    #[test]
    fn nothing_shows_the_password() {
        let settings = parse("smpp://kudu:hunter2@h").unwrap();
        let shown = format!("{settings} {settings:?} {settings:#?}");
        assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
        let error = parse("smpp://kudu:hunter2longer@h").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[cfg(feature = "profiles")]
    #[test]
    fn a_profile_comes_before_the_other_parameters() {
        let settings = parse("smpp://h?window=3&profile=kannel").unwrap();
        assert_eq!((settings.profile.name.as_str(), settings.profile.link.window), ("kannel", 3));
        assert_eq!(settings.profile.link.max_pdu, 7424);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn serde_redacts() {
        let settings: LinkSettings = serde_json::from_str(r#""smpp://kudu:hunter2@h?bind=tx""#).unwrap();
        assert_eq!(*settings.password.expose(), "hunter2");
        assert_eq!(serde_json::to_string(&settings).unwrap(), r#""smpp://kudu:***@h:2775?bind=tx""#);
    }
}
