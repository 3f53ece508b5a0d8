//! The words that some fields are limited to: closed lists, and open ones that keep what they do not know.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A closed list: any other word is refused.
macro_rules! closed_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
        }

        impl $name {
            /// Every value as the wire writes it.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value of a word on the wire, if it is one; case counts.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::from_word(&word).ok_or_else(|| de::Error::unknown_variant(&word, Self::WORDS))
            }
        }
    };
}

/// An open list: a word that is not on it is kept as `Other`.
macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
            /// A word that is not on the list, kept as it came. Only `From` makes one.
            Other(Unlisted),
        }

        impl $name {
            /// The words on Vumi's list.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Other(Unlisted(word.into())),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(Unlisted(word.into())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

/// A word outside an open list, such as the `Other` of a [`TransportType`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Unlisted(Box<str>);

impl Unlisted {
    /// The word as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

closed_words! {
    /// Where in a session a message stands (`session_event`). The wire's null, no event, is `None` around this.
    ///
    /// From the network null means that there is no session. Towards the network null and [`Resume`](Self::Resume) keep
    /// the session open.
    SessionEvent {
        /// From the network: the session begins. Towards it: open one (a push).
        New => "new",
        /// The session goes on.
        Resume => "resume",
        /// From the network: the session is over, nothing can be answered. Towards it: end after this text.
        Close => "close",
    }
}

closed_words! {
    /// What became of a message (`delivery_status`).
    DeliveryStatus {
        /// Not decided yet.
        Pending => "pending",
        /// It will not arrive.
        Failed => "failed",
        /// It arrived.
        Delivered => "delivered",
    }
}

closed_words! {
    /// How well a component is (`status`).
    #[derive(Default)]
    StatusLevel {
        /// It works: the default.
        #[default]
        Ok => "ok",
        /// It works badly.
        Degraded => "degraded",
        /// It does not work.
        Down => "down",
    }
}

open_words! {
    /// The kind of network (`transport_type`). Vumi's list is not binding: real transports also write
    /// `old_simple_http` and others, which vumi2 refuses.
    TransportType {
        /// A program over HTTP.
        HttpApi => "http_api",
        /// Internet Relay Chat.
        Irc => "irc",
        /// Telnet.
        Telnet => "telnet",
        /// Twitter.
        Twitter => "twitter",
        /// Short messages.
        Sms => "sms",
        /// Sessions on a phone's dial pad.
        Ussd => "ussd",
        /// XMPP (Jabber).
        Xmpp => "xmpp",
        /// MXit.
        Mxit => "mxit",
        /// WeChat.
        Wechat => "wechat",
    }
}

open_words! {
    /// The kind of an address (`to_addr_type`, `from_addr_type`).
    AddressType {
        /// A nickname on IRC.
        IrcNickname => "irc_nickname",
        /// A name on Twitter.
        TwitterHandle => "twitter_handle",
        /// A phone number.
        Msisdn => "msisdn",
        /// A Google Talk id.
        GtalkId => "gtalk_id",
        /// A Jabber id.
        JabberId => "jabber_id",
        /// A MXit id.
        MxitId => "mxit_id",
        /// A WeChat id.
        WechatId => "wechat_id",
    }
}

open_words! {
    /// Whether it helps to try again (`failure_code`). Vumi checks nothing here.
    FailureCode {
        /// It will fail again.
        Permanent => "permanent",
        /// Try later.
        Temporary => "temporary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back() {
        for word in SessionEvent::WORDS {
            assert_eq!(SessionEvent::from_word(word).unwrap().as_str(), *word);
        }
        for word in TransportType::WORDS {
            let value = TransportType::from(*word);
            assert!(!matches!(value, TransportType::Other(_)));
            assert_eq!(value.as_str(), *word);
        }
    }

    #[test]
    fn the_lists_are_vumis() {
        assert_eq!(
            TransportType::WORDS,
            ["http_api", "irc", "telnet", "twitter", "sms", "ussd", "xmpp", "mxit", "wechat"]
        );
        assert_eq!(
            AddressType::WORDS,
            ["irc_nickname", "twitter_handle", "msisdn", "gtalk_id", "jabber_id", "mxit_id", "wechat_id"]
        );
        assert_eq!(SessionEvent::WORDS, ["new", "resume", "close"]);
        assert_eq!(DeliveryStatus::WORDS, ["pending", "failed", "delivered"]);
        assert_eq!(StatusLevel::WORDS, ["ok", "degraded", "down"]);
        assert_eq!(FailureCode::WORDS, ["permanent", "temporary"]);
    }

    #[test]
    fn closed_lists_refuse_and_open_ones_keep() {
        assert_eq!(SessionEvent::from_word("NEW"), None);
        assert_eq!(DeliveryStatus::from_word("DELIVRD"), None);
        assert_eq!(TransportType::from("old_simple_http").as_str(), "old_simple_http");
        assert_eq!(TransportType::from("SMS".to_owned()), TransportType::from("SMS"));
        assert_ne!(TransportType::from("SMS"), TransportType::Sms);
        assert_eq!(serde_json::from_str::<AddressType>("\"email\"").unwrap().to_string(), "email");
        assert!(serde_json::from_str::<StatusLevel>("\"major\"").is_err());
    }
}
