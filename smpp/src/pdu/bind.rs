use crate::codec::wire;
use crate::tlv::Tlvs;
use crate::types::{Address, COctetString, InterfaceVersion, Password};

/// The three binds have the same fields; which one it is says in which direction messages go.
macro_rules! bind {
    (
        $(#[$meta:meta])* $bind:ident $id:ident $alias:literal,
        $(#[$resp_meta:meta])* $resp:ident $resp_id:ident $resp_alias:literal
    ) => {
        $(#[$meta])*
        #[doc(alias = $alias)]
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $bind {
            /// The account.
            pub system_id: COctetString<16>,
            /// Its password.
            pub password: Password,
            /// Category of the ESME, such as `VMS`; empty nearly always.
            pub system_type: COctetString<13>,
            /// Version of the protocol that the ESME speaks. Default 3.4: some message centres refuse any other.
            pub interface_version: InterfaceVersion,
            /// Addresses that the ESME serves: an address, or a regular expression. Empty nearly always.
            pub address_range: Address<41>,
            /// None by the specification.
            pub tlvs: Tlvs,
        }
        wire!(CommandId::$id => $bind {
            system_id, password, system_type, interface_version, address_range, tlvs
        });

        impl Default for $bind {
            fn default() -> Self {
                Self {
                    system_id: COctetString::EMPTY,
                    password: Password::default(),
                    system_type: COctetString::EMPTY,
                    interface_version: InterfaceVersion::V3_4,
                    address_range: Address::default(),
                    tlvs: Tlvs::new(),
                }
            }
        }

        $(#[$resp_meta])*
        #[doc(alias = $resp_alias)]
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $resp {
            /// The message centre's name.
            pub system_id: COctetString<16>,
            /// sc_interface_version; in 5.0 congestion_state as well.
            pub tlvs: Tlvs,
        }
        wire!(CommandId::$resp_id => $resp { system_id, tlvs });
    };
}

bind! {
    /// Opens a session in which the ESME receives (section 4.1.3 of 3.4).
    BindReceiver BIND_RECEIVER "bind_receiver",
    /// Whether the session is open (section 4.1.4 of 3.4).
    BindReceiverResp BIND_RECEIVER_RESP "bind_receiver_resp"
}

bind! {
    /// Opens a session in which the ESME submits (section 4.1.1 of 3.4).
    BindTransmitter BIND_TRANSMITTER "bind_transmitter",
    /// Whether the session is open (section 4.1.2 of 3.4).
    BindTransmitterResp BIND_TRANSMITTER_RESP "bind_transmitter_resp"
}

bind! {
    /// Opens a session in both directions (section 4.1.5 of 3.4); there is none in 3.3.
    BindTransceiver BIND_TRANSCEIVER "bind_transceiver",
    /// Whether the session is open (section 4.1.6 of 3.4).
    BindTransceiverResp BIND_TRANSCEIVER_RESP "bind_transceiver_resp"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Leniency, Limits};
    use crate::pdu::known_answer::{known, known_frame, octets};
    use crate::pdu::{Frame, InvalidFrame, Pdu};
    use crate::types::CommandStatus;

    #[test]
    fn typical() {
        let bind = BindTransceiver {
            system_id: "vumi".parse().unwrap(),
            password: "hunter2".try_into().unwrap(),
            ..Default::default()
        };
        assert!(!format!("{bind:?}").contains("hunter2"));
        known("0000002200000009000000000000000176756d690068756e74657232000034000000", 1, bind);
    }

    #[test]
    fn response_with_a_version() {
        let response =
            BindTransceiverResp { system_id: "MC5".parse().unwrap(), tlvs: Tlvs::new().with(&InterfaceVersion::V5_0) };
        known("000000198000000900000000000000014d4335000210000150", 1, response);
    }

    #[test]
    fn bound_without_a_body() {
        assert_eq!(known_frame("00000010800000090000000000000001").pdu, Pdu::BindTransceiverResp(None));
        assert_eq!(known_frame("00000010800000010000000000000001").pdu, Pdu::BindReceiverResp(None));
        assert_eq!(known_frame("00000010800000020000000000000001").pdu, Pdu::BindTransmitterResp(None));
    }

    #[test]
    fn a_long_password_is_a_setting() {
        let nine = octets("000000210000000900000000000000017300707070707070707070000034000000");
        let strict = Limits::esme().refusing(Leniency::OverLongString);
        let Err(InvalidFrame::Bad(bad)) = Frame::decode(nine.clone(), &strict) else { panic!() };
        assert_eq!(bad.answer().unwrap().header.command_status, CommandStatus::RINVPASWD);
        let longer = strict.with_max_password(9);
        let Pdu::BindTransceiver(bind) = Frame::decode(nine, &longer).unwrap().pdu else { panic!() };
        assert_eq!(bind.password, Password::over_long("ppppppppp").unwrap());
    }
}
