use crate::codec::wire;
use crate::command::commands;
use crate::types::{Coding, GenFields, Octets, Password, Pid, UssdType};

commands! {
    /// What a client sends to the gateway.
    Request {
        Login,
        SendSms,
        LinkCheck,
        SendBinarySms,
        Logout,
        SendUssdMessage,
        SendMmsMessage,
        SendWapPushMessage,
        SendExtendedUssdMessage,
        ImsiLookup,
    }
}

/// The first line on a new connection; answered by an ACK of type 1 or a NACK.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Login {
    /// The account; no comma.
    pub username: Octets,
    /// Its password.
    pub password: Password,
}
wire!("1" LOGIN => Login { username, password });

/// A text SMS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SendSms {
    /// How long the gateway tries, in minutes; `0` is its default, a week.
    pub validity: Octets,
    /// Recipient.
    pub msisdn: Octets,
    /// Text; 160 characters are said to be the most, and nobody enforces it.
    pub message: Octets,
}
wire!("2" SEND_SMS => SendSms { validity, msisdn, message });

impl Default for SendSms {
    fn default() -> Self {
        Self { validity: DEFAULT_VALIDITY, msisdn: Octets::default(), message: Octets::default() }
    }
}

/// Asks whether the gateway is there; answered by an ACK of type 2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkCheck {}
wire!("3" LINK_CHECK => LinkCheck {});

/// A binary SMS. [`binary`](crate::binary) builds its payload and takes it apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SendBinarySms {
    /// How long the gateway tries, in minutes; `0` is its default, a week.
    pub validity: Octets,
    /// Recipient.
    pub msisdn: Octets,
    /// Protocol identifier.
    pub pid: Pid,
    /// Data coding scheme.
    pub coding: Coding,
    /// User data, with its header if it has one, in hexadecimal: 280 digits at most for one SMS.
    pub hex_msg: Octets,
}
wire!("4" SEND_BINARY_SMS => SendBinarySms { validity, msisdn, pid, coding, hex_msg });

impl Default for SendBinarySms {
    fn default() -> Self {
        Self {
            validity: DEFAULT_VALIDITY,
            msisdn: Octets::default(),
            pid: Pid::default(),
            coding: Coding::default(),
            hex_msg: Octets::default(),
        }
    }
}

/// The client leaves. No answer is described; the gateway closes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Logout {}
wire!("99" LOGOUT => Logout {});

/// USSD text to a phone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SendUssdMessage {
    /// The phone.
    pub msisdn: Octets,
    /// [`Response`](UssdType::Response), [`End`](UssdType::End), [`Redirect`](UssdType::Redirect) or
    /// [`Initiate`](UssdType::Initiate).
    pub ussd_type: UssdType,
    /// Text to show; the code of the other service in a redirect.
    pub message: Octets,
}
wire!("110" SEND_USSD_MESSAGE => SendUssdMessage { msisdn, ussd_type = "type", message });

/// An MMS of one part.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SendMmsMessage {
    /// Recipient.
    pub msisdn: Octets,
    /// Subject; no comma.
    pub subject: Octets,
    /// File name; no comma.
    pub name: Octets,
    /// The file in hexadecimal: some 8,000 octets fit into a line.
    pub content: Octets,
}
wire!("111" SEND_MMS_MESSAGE => SendMmsMessage { msisdn, subject, name, content });

/// A WAP push (service indication); the gateway builds the binary message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SendWapPushMessage {
    /// Recipient.
    pub msisdn: Octets,
    /// Text to show; no comma.
    pub subject: Octets,
    /// The link.
    pub url: Octets,
}
wire!("112" SEND_WAP_PUSH_MESSAGE => SendWapPushMessage { msisdn, subject, url });

/// USSD text to a phone, with genfields. What the gateway expects in them is not public; those received are the
/// sensible ones to send.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SendExtendedUssdMessage {
    /// The phone.
    pub msisdn: Octets,
    /// As in [`SendUssdMessage`]; txssmi allows types 1, 2 and 3 alone.
    pub ussd_type: UssdType,
    /// Values between colons; no comma.
    pub genfields: GenFields,
    /// Text to show.
    pub message: Octets,
}
wire!("120" SEND_EXTENDED_USSD_MESSAGE => SendExtendedUssdMessage { msisdn, ussd_type = "type", genfields, message });

/// Asks for the SIM card of a number, or the number of a SIM card; answered by an
/// [`ImsiLookupReply`](super::ImsiLookupReply) of the same sequence.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ImsiLookup {
    /// Chosen by the client, echoed in the reply.
    pub sequence: Octets,
    /// The number, or empty.
    pub msisdn: Octets,
    /// The SIM card, or empty.
    pub imsi: Octets,
}
wire!("600" IMSI_LOOKUP => ImsiLookup { sequence, msisdn, imsi });

const DEFAULT_VALIDITY: Octets = Octets::from_static(b"0");
