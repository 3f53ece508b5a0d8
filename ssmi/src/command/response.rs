use crate::codec::wire;
use crate::command::commands;
use crate::types::{AckType, Coding, DeliveryCode, GenFields, NackType, Octets, Pid, UssdPhase, UssdType};

commands! {
    /// What the gateway sends to a client.
    Response {
        UssdMessage,
        ExtendedUssdMessage,
        Seq,
        Ack,
        Nack,
        Mo,
        DeliveryReport,
        FreeForm,
        BinaryMo,
        PremiumMo,
        PremiumBinaryMo,
        RemoteLogout,
        ImsiLookupReply,
    }
}

/// The gateway's id for something just submitted to a number. Not every submission gets one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seq {
    /// Recipient of what was submitted.
    pub msisdn: Octets,
    /// The id, opaque; a delivery report names it again.
    pub sequence: Octets,
}
wire!("100" SEQ => Seq { msisdn, sequence });

/// A login or a link check succeeded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ack {
    /// Which of the two.
    pub ack_type: AckType,
}
wire!("101" ACK => Ack { ack_type });

/// Something was refused; what it was, only the state of the session tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Nack {
    /// Why.
    pub nack_type: NackType,
}
wire!("102" NACK => Nack { nack_type });

/// An SMS from a phone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mo {
    /// Sender.
    pub msisdn: Octets,
    /// The message's own id. There is no way to acknowledge it.
    pub sequence: Octets,
    /// Text.
    pub message: Octets,
}
wire!("103" MO => Mo { msisdn, sequence, message });

/// What became of a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeliveryReport {
    /// Recipient of the message.
    pub msisdn: Octets,
    /// The id that a [`Seq`] gave it.
    pub sequence: Octets,
    /// The outcome.
    pub ret_code: DeliveryCode,
}
wire!("104" DR => DeliveryReport { msisdn, sequence, ret_code });

/// A notice of the operator, for the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FreeForm {
    /// Text.
    pub text: Octets,
}
wire!("105" FREE_FORM => FreeForm { text });

/// A binary SMS from a phone. [`binary`](crate::binary) takes its payload apart.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BinaryMo {
    /// Sender.
    pub msisdn: Octets,
    /// The message's own id.
    pub sequence: Octets,
    /// Protocol identifier.
    pub pid: Pid,
    /// Data coding scheme.
    pub coding: Coding,
    /// User data in hexadecimal.
    pub hex_msg: Octets,
}
wire!("106" BINARY_MO => BinaryMo { msisdn, sequence, pid, coding, hex_msg });

/// An SMS from a phone to a premium number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PremiumMo {
    /// Sender.
    pub msisdn: Octets,
    /// The message's own id.
    pub sequence: Octets,
    /// The premium number.
    pub destination: Octets,
    /// Text.
    pub message: Octets,
}
wire!("107" PREMIUM_MO => PremiumMo { msisdn, sequence, destination, message });

/// A binary SMS from a phone to a premium number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PremiumBinaryMo {
    /// Sender.
    pub msisdn: Octets,
    /// The message's own id.
    pub sequence: Octets,
    /// Protocol identifier.
    pub pid: Pid,
    /// Data coding scheme.
    pub coding: Coding,
    /// The premium number.
    pub destination: Octets,
    /// User data in hexadecimal.
    pub hex_msg: Octets,
}
wire!("108" PREMIUM_BINARY_MO => PremiumBinaryMo { msisdn, sequence, pid, coding, destination, hex_msg });

/// USSD from a phone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UssdMessage {
    /// The phone.
    pub msisdn: Octets,
    /// [`New`](UssdType::New), [`Response`](UssdType::Response), [`End`](UssdType::End) or
    /// [`Timeout`](UssdType::Timeout).
    pub ussd_type: UssdType,
    /// The phone's USSD phase.
    pub phase: UssdPhase,
    /// The code dialled, in a new session; afterwards what the user typed.
    pub message: Octets,
}
wire!("110" USSD_MESSAGE => UssdMessage { msisdn, ussd_type = "type", phase, message });

/// USSD from a phone, with genfields. The gateway sends these in place of [`UssdMessage`] to accounts that are
/// switched to it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExtendedUssdMessage {
    /// The phone.
    pub msisdn: Octets,
    /// As in [`UssdMessage`].
    pub ussd_type: UssdType,
    /// The phone's USSD phase.
    pub phase: UssdPhase,
    /// SIM card, operator, session.
    pub genfields: GenFields,
    /// The code dialled, in a new session; afterwards what the user typed.
    pub message: Octets,
}
wire!("111" EXTENDED_USSD_MESSAGE => ExtendedUssdMessage { msisdn, ussd_type = "type", phase, genfields, message });

/// The account has logged in elsewhere; this connection is over.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RemoteLogout {
    /// Address of the other client.
    pub ip: Octets,
}
wire!("199" LOGOUT => RemoteLogout { ip });

/// The answer to an [`ImsiLookup`](super::ImsiLookup).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ImsiLookupReply {
    /// The sequence of the question.
    pub sequence: Octets,
    /// The number.
    pub msisdn: Octets,
    /// The SIM card; presumably empty if it is not known.
    pub imsi: Octets,
    /// Service provider id.
    pub spid: Octets,
}
wire!("600" IMSI_LOOKUP_REPLY => ImsiLookupReply { sequence, msisdn, imsi, spid });
