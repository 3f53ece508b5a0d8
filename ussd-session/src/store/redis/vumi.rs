//! Where Vumi's transports keep their sessions, and what they write there.

use std::fmt::Write as _;

use crate::{ids::NetId, store::Foreign, subscriber::Subscriber, time::Millis};

/// Where one Vumi transport keeps its sessions: a hash each, under `[<key_prefix>:]<manager>:session:<name>`, with
/// `created_at` in seconds and fields of the transport's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VumiLayout {
    transport: VumiTransport,
    /// All before `:session:`.
    manager: String,
}

/// A transport of Vumi that keeps USSD sessions.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum VumiTransport {
    /// TruTeq (SSMI): by phone.
    TruTeq,
    /// SMPP with the 6D processor: by phone and `its_session_info`. The name is the session manager's prefix: the
    /// `split_bind_prefix`, or else `<system_id>@<transport name>`.
    SixDee,
    /// SMPP with the Mica processor: by phone and `user_message_reference`. The name is as for 6D.
    Mica,
    /// Airtel: by the gateway's id.
    Airtel,
    /// Cellulant: by phone and the gateway's id.
    Cellulant,
    /// Dmark: by the gateway's id; the code is not kept.
    Dmark,
    /// IMImobile: by phone.
    ImiMobile,
    /// Infobip: by the gateway's id.
    Infobip,
    /// mTech: by the gateway's id.
    MTech,
    /// MTN Nigeria: by the gateway's id.
    MtnNigeria,
    /// MTN Rwanda: by the gateway's id.
    MtnRwanda,
    /// Safaricom: by the gateway's id.
    Safaricom,
    /// TrueAfrican: by the gateway's id.
    TrueAfrican,
}

/// What a session is called.
enum Name {
    /// `+27831234567`
    Msisdn,
    /// `27831234567`
    Digits,
    /// The gateway's id.
    Net,
    /// `27831234567:<id>`
    DigitsAndNet,
    /// `27831234567+00a2`: 16 bits in hex, without the lowest.
    DigitsAndSessionInfo,
    /// `27831234567+162`: 16 bits in decimal.
    DigitsAndReference,
}

impl VumiTransport {
    /// What the session manager's prefix begins with, how sessions are called, and which field holds the code.
    fn layout(self) -> (&'static str, Name, Option<&'static str>) {
        match self {
            Self::TruTeq => ("", Name::Msisdn, Some("ussd_code")),
            Self::SixDee => ("", Name::DigitsAndSessionInfo, Some("ussd_code")),
            Self::Mica => ("", Name::DigitsAndReference, Some("ussd_code")),
            Self::Airtel => ("vumi.transports.airtel:", Name::Net, Some("to_addr")),
            Self::Cellulant => ("vumi.transports.cellulant:", Name::DigitsAndNet, Some("ussd")),
            Self::Dmark => ("vumi.transports.dmark_ussd:", Name::Net, None),
            Self::ImiMobile => ("vumi.transports.imimobile_ussd:", Name::Digits, Some("to_addr")),
            Self::Infobip => ("infobip:", Name::Net, Some("to_addr")),
            Self::MTech => ("mtech_ussd:", Name::Net, Some("to_addr")),
            Self::MtnNigeria => ("vumi.transports.mtn_nigeria:", Name::Net, Some("ussd_code")),
            Self::MtnRwanda => ("vumi.transports.mtn_rwanda:", Name::Net, Some("to_addr")),
            Self::Safaricom => ("vumi.transports.safaricom:", Name::Net, Some("to_addr")),
            Self::TrueAfrican => ("trueafrican:", Name::Net, Some("to_addr")),
        }
    }
}

impl VumiLayout {
    /// Where a transport of this name keeps its sessions, if Redis has no `key_prefix` in its configuration.
    #[must_use]
    pub fn new(transport: VumiTransport, name: &str) -> Self {
        let (before, ..) = transport.layout();
        let after = if transport == VumiTransport::TruTeq { ":ussd_codes" } else { "" };
        Self { transport, manager: format!("{before}{name}{after}") }
    }

    /// The same with the `key_prefix` of Vumi's configuration for Redis.
    #[must_use]
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.manager = format!("{prefix}:{}", self.manager);
        self
    }

    /// The key of a phone's session; none if it cannot be told without the network's id.
    pub(super) fn key(&self, subscriber: Subscriber, net: &NetId) -> Option<String> {
        let (digits, octets) = (subscriber.digits(), net.as_bytes());
        let (digits, word) = (digits.as_str(), octets.try_into().ok().map(u16::from_be_bytes));
        let id = std::str::from_utf8(octets).ok().filter(|id| !id.is_empty());
        let mut key = format!("{}:session:", self.manager);
        match self.transport.layout().1 {
            Name::Msisdn => write!(key, "{subscriber}"),
            Name::Digits => write!(key, "{digits}"),
            Name::Net => write!(key, "{}", id?),
            Name::DigitsAndNet => write!(key, "{digits}:{}", id?),
            Name::DigitsAndSessionInfo => write!(key, "{digits}+{:04x}", word? & 0xFFFE),
            Name::DigitsAndReference => write!(key, "{digits}+{}", word?),
        }
        .ok()?;
        Some(key)
    }

    /// The session, if the fields are those of one, and of this phone as far as they say.
    pub(super) fn read(&self, subscriber: Subscriber, fields: &[(String, Vec<u8>)]) -> Option<Foreign> {
        let field = |name: &str| {
            let (_, value) = fields.iter().find(|(field, _)| field == name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let of_this_phone = field("from_addr").is_none_or(|from| from.parse() == Ok(subscriber));
        if fields.is_empty() || !of_this_phone {
            return None;
        }
        let dialled = self.transport.layout().2.and_then(field).unwrap_or_default();
        Some(Foreign { dialled, opened: field("created_at").and_then(|at| seconds(&at)) })
    }
}

/// A time in seconds with a fraction, as Python writes it.
fn seconds(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = format!("{fraction:0<3}");
    let thousandths: u64 = thousandths.get(..3)?.parse().ok()?;
    Some(Millis(whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(thousandths)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(transport: VumiTransport, name: &str, phone: &str, net: &[u8]) -> Option<String> {
        VumiLayout::new(transport, name).key_prefix("v").key(phone.parse().unwrap(), &NetId::new(net).unwrap())
    }

    #[test]
    fn keys() {
        let key = |transport, name, net| key(transport, name, "27831234567", net);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(key(VumiTransport::TruTeq, "tt", b""), some("v:tt:ussd_codes:session:+27831234567"));
        assert_eq!(key(VumiTransport::SixDee, "me@six", b"\x12\x35"), some("v:me@six:session:27831234567+1234"));
        assert_eq!(key(VumiTransport::Mica, "me@mica", b"\x00\xA2"), some("v:me@mica:session:27831234567+162"));
        assert_eq!(
            key(VumiTransport::ImiMobile, "imi", b""),
            some("v:vumi.transports.imimobile_ussd:imi:session:27831234567")
        );
        assert_eq!(key(VumiTransport::Airtel, "air", b"42"), some("v:vumi.transports.airtel:air:session:42"));
        for (transport, net) in [
            (VumiTransport::SixDee, &b""[..]),
            (VumiTransport::Mica, b"\x01"),
            (VumiTransport::Airtel, b""),
            (VumiTransport::Cellulant, b"\xFF"),
        ] {
            assert_eq!(key(transport, "x", net), None, "{transport:?}");
        }
    }

    #[test]
    fn seconds_as_python_writes_them() {
        assert_eq!(seconds("1795219693.57"), Some(Millis(1_795_219_693_570)));
        assert_eq!(seconds("1795219693"), Some(Millis(1_795_219_693_000)));
        assert_eq!(seconds("1795219693.123456"), Some(Millis(1_795_219_693_123)));
        for text in ["", "x", "-5.0", "1e9", "99999999999999999999", "1.é"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
