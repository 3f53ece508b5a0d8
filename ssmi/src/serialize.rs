//! Commands and values for people and logs: field names as the sheet has them, octets as text, secrets as `***`.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::codec::is_secret;
use crate::command::*;
use crate::types::*;

/// The fields of one command, as a map.
struct Fields<'a>(&'a [(&'static str, &'a [u8])]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match is_secret(name) {
                true => map.serialize_entry(name, "***")?,
                false => map.serialize_entry(name, &Octets::from(value.to_vec()).to_text())?,
            }
        }
        map.end()
    }
}

macro_rules! serialize_table {
    ($($table:ty),*) => {
        /// A map of `command`, `id` and `fields`.
        $(impl Serialize for $table {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.with_fields(|name, id, fields| {
                    let mut command = serializer.serialize_struct("Command", 3)?;
                    command.serialize_field("command", name)?;
                    command.serialize_field("id", &Octets::from(id.to_vec()))?;
                    command.serialize_field("fields", &Fields(fields))?;
                    command.end()
                })
            }
        })*
    };
}

macro_rules! serialize_command {
    ($($command:ty),* $(,)?) => {
        $(impl Serialize for $command {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Fields(crate::codec::Wire::fields(self).as_ref()).serialize(serializer)
            }
        })*
    };
}

macro_rules! serialize_text {
    ($($value:ty),* $(,)?) => {
        $(impl Serialize for $value {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let octets: &[u8] = self.as_ref();
                serializer.serialize_str(&Octets::from(octets.to_vec()).to_text())
            }
        })*
    };
}

serialize_table!(Request, Response);
serialize_command!(
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
    Seq,
    Ack,
    Nack,
    Mo,
    DeliveryReport,
    FreeForm,
    BinaryMo,
    PremiumMo,
    PremiumBinaryMo,
    UssdMessage,
    ExtendedUssdMessage,
    RemoteLogout,
    ImsiLookupReply,
);
serialize_text!(Octets, GenFields, AckType, NackType, DeliveryCode, UssdType, UssdPhase, Pid, Coding);

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl Serialize for Msisdn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn a_command_in_the_words_of_the_sheet() {
        let ussd = UssdMessage { msisdn: "27".into(), message: Octets::from_static(b"Zo\xeb"), ..Default::default() };
        let fields = json!({"msisdn": "27", "type": "2", "phase": "0", "message": "Zo\u{eb}"});
        assert_eq!(to_value(&ussd).unwrap(), fields);
        let expect = json!({"command": "USSD_MESSAGE", "id": "110", "fields": fields});
        assert_eq!(to_value(Response::from(ussd)).unwrap(), expect);
    }

    #[test]
    fn a_password_is_never_written() {
        let login = Login { username: "kudu".into(), password: "marmalade".into() };
        let text = serde_json::to_string(&Request::from(login.clone())).unwrap();
        assert!(text.contains("kudu") && text.contains("***") && !text.contains("marmalade"), "{text}");
        assert!(!serde_json::to_string(&login).unwrap().contains("marmalade"));
        assert_eq!(to_value(Password::from("marmalade")).unwrap(), json!("***"));
    }
}
