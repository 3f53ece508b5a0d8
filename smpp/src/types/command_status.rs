use std::fmt;

/// The outcome that a response states. Any value is possible: reserved and vendor codes arrive and are kept.
///
/// `Display` says it in the specification's words; [`name`](Self::name) is the specification's constant.
///
/// ```
/// use smpp::types::CommandStatus;
///
/// assert_eq!(CommandStatus::RTHROTTLED.name(), Some("ESME_RTHROTTLED"));
/// assert!(CommandStatus::RTHROTTLED.is_throttling());
/// assert_eq!(CommandStatus(0x0400).to_string(), "Message centre vendor-specific error 0x00000400");
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CommandStatus(pub u32);

macro_rules! statuses {
    ($($constant:ident $name:literal $(/ $old:literal)? = $code:literal, $words:literal;)*) => {
        impl CommandStatus {
            $(
                #[doc = concat!("`", $name, "`", $(" (3.4: `", $old, "`)",)? ": ", $words, ".")]
                #[doc(alias = $name)]
                $(#[doc(alias = $old)])?
                pub const $constant: Self = Self($code);
            )*

            /// The name that version 5.0 gives it, such as `ESME_RTHROTTLED`; none for reserved and vendor codes.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)*
                    _ => None,
                }
            }

            /// The name that version 3.4 gives it; five codes were renamed, and those from 0x100 on are new in 5.0.
            pub const fn name_34(self) -> Option<&'static str> {
                match self.0 {
                    $($($code => Some($old),)?)*
                    0x100.. => None,
                    _ => self.name(),
                }
            }

            const fn words(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($words),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    ROK "ESME_ROK" = 0x0000_0000, "No error";
    RINVMSGLEN "ESME_RINVMSGLEN" = 0x0000_0001, "Message length is invalid";
    RINVCMDLEN "ESME_RINVCMDLEN" = 0x0000_0002, "Command length is invalid";
    RINVCMDID "ESME_RINVCMDID" = 0x0000_0003, "Invalid command ID";
    RINVBNDSTS "ESME_RINVBNDSTS" = 0x0000_0004, "Incorrect bind status for given command";
    RALYBND "ESME_RALYBND" = 0x0000_0005, "ESME already in bound state";
    RINVPRTFLG "ESME_RINVPRTFLG" = 0x0000_0006, "Invalid priority flag";
    RINVREGDLVFLG "ESME_RINVREGDLVFLG" = 0x0000_0007, "Invalid registered delivery flag";
    RSYSERR "ESME_RSYSERR" = 0x0000_0008, "System error";
    RINVSRCADR "ESME_RINVSRCADR" = 0x0000_000a, "Invalid source address";
    RINVDSTADR "ESME_RINVDSTADR" = 0x0000_000b, "Invalid destination address";
    RINVMSGID "ESME_RINVMSGID" = 0x0000_000c, "Message ID is invalid";
    RBINDFAIL "ESME_RBINDFAIL" = 0x0000_000d, "Bind failed";
    RINVPASWD "ESME_RINVPASWD" = 0x0000_000e, "Invalid password";
    RINVSYSID "ESME_RINVSYSID" = 0x0000_000f, "Invalid system ID";
    RCANCELFAIL "ESME_RCANCELFAIL" = 0x0000_0011, "Cancel SM failed";
    RREPLACEFAIL "ESME_RREPLACEFAIL" = 0x0000_0013, "Replace SM failed";
    RMSGQFUL "ESME_RMSGQFUL" = 0x0000_0014, "Message queue full";
    RINVSERTYP "ESME_RINVSERTYP" = 0x0000_0015, "Invalid service type";
    RINVNUMDESTS "ESME_RINVNUMDESTS" = 0x0000_0033, "Invalid number of destinations";
    RINVDLNAME "ESME_RINVDLNAME" = 0x0000_0034, "Invalid distribution list name";
    RINVDESTFLAG "ESME_RINVDESTFLAG" = 0x0000_0040, "Destination flag is invalid";
    RINVSUBREP "ESME_RINVSUBREP" = 0x0000_0042, "Submit with replace request not possible";
    RINVESMCLASS "ESME_RINVESMCLASS" = 0x0000_0043, "Invalid esm_class field data";
    RCNTSUBDL "ESME_RCNTSUBDL" = 0x0000_0044, "Cannot submit to distribution list";
    RSUBMITFAIL "ESME_RSUBMITFAIL" = 0x0000_0045, "Submit failed";
    RINVSRCTON "ESME_RINVSRCTON" = 0x0000_0048, "Invalid source address TON";
    RINVSRCNPI "ESME_RINVSRCNPI" = 0x0000_0049, "Invalid source address NPI";
    RINVDSTTON "ESME_RINVDSTTON" = 0x0000_0050, "Invalid destination address TON";
    RINVDSTNPI "ESME_RINVDSTNPI" = 0x0000_0051, "Invalid destination address NPI";
    RINVSYSTYP "ESME_RINVSYSTYP" = 0x0000_0053, "Invalid system_type field";
    RINVREPFLAG "ESME_RINVREPFLAG" = 0x0000_0054, "Invalid replace_if_present flag";
    RINVNUMMSGS "ESME_RINVNUMMSGS" = 0x0000_0055, "Invalid number of messages";
    RTHROTTLED "ESME_RTHROTTLED" = 0x0000_0058, "Throttling error: message limits exceeded";
    RINVSCHED "ESME_RINVSCHED" = 0x0000_0061, "Invalid scheduled delivery time";
    RINVEXPIRY "ESME_RINVEXPIRY" = 0x0000_0062, "Invalid message validity period";
    RINVDFTMSGID "ESME_RINVDFTMSGID" = 0x0000_0063, "Predefined message ID is invalid or not found";
    RX_T_APPN "ESME_RX_T_APPN" = 0x0000_0064, "ESME receiver temporary application error";
    RX_P_APPN "ESME_RX_P_APPN" = 0x0000_0065, "ESME receiver permanent application error";
    RX_R_APPN "ESME_RX_R_APPN" = 0x0000_0066, "ESME receiver reject message error";
    RQUERYFAIL "ESME_RQUERYFAIL" = 0x0000_0067, "Query SM failed";
    RINVTLVSTREAM "ESME_RINVTLVSTREAM" / "ESME_RINVOPTPARSTREAM" = 0x0000_00c0, "Error in the optional part of the PDU body";
    RTLVNOTALLWD "ESME_RTLVNOTALLWD" / "ESME_ROPTPARNOTALLWD" = 0x0000_00c1, "TLV not allowed";
    RINVTLVLEN "ESME_RINVTLVLEN" / "ESME_RINVPARLEN" = 0x0000_00c2, "Invalid parameter length";
    RMISSINGTLV "ESME_RMISSINGTLV" / "ESME_RMISSINGOPTPARAM" = 0x0000_00c3, "Expected TLV missing";
    RINVTLVVAL "ESME_RINVTLVVAL" / "ESME_RINVOPTPARAMVAL" = 0x0000_00c4, "Invalid TLV value";
    RDELIVERYFAILURE "ESME_RDELIVERYFAILURE" = 0x0000_00fe, "Transaction delivery failure";
    RUNKNOWNERR "ESME_RUNKNOWNERR" = 0x0000_00ff, "Unknown error";
    RSERTYPUNAUTH "ESME_RSERTYPUNAUTH" = 0x0000_0100, "ESME not authorised to use the specified service type";
    RPROHIBITED "ESME_RPROHIBITED" = 0x0000_0101, "ESME prohibited from using the specified operation";
    RSERTYPUNAVAIL "ESME_RSERTYPUNAVAIL" = 0x0000_0102, "Specified service type is unavailable";
    RSERTYPDENIED "ESME_RSERTYPDENIED" = 0x0000_0103, "Specified service type is denied";
    RINVDCS "ESME_RINVDCS" = 0x0000_0104, "Invalid data coding scheme";
    RINVSRCADDRSUBUNIT "ESME_RINVSRCADDRSUBUNIT" = 0x0000_0105, "Source address subunit is invalid";
    RINVDSTADDRSUBUNIT "ESME_RINVDSTADDRSUBUNIT" = 0x0000_0106, "Destination address subunit is invalid";
    RINVBCASTFREQINT "ESME_RINVBCASTFREQINT" = 0x0000_0107, "Broadcast frequency interval is invalid";
    RINVBCASTALIAS_NAME "ESME_RINVBCASTALIAS_NAME" = 0x0000_0108, "Broadcast alias name is invalid";
    RINVBCASTAREAFMT "ESME_RINVBCASTAREAFMT" = 0x0000_0109, "Broadcast area format is invalid";
    RINVNUMBCAST_AREAS "ESME_RINVNUMBCAST_AREAS" = 0x0000_010a, "Number of broadcast areas is invalid";
    RINVBCASTCNTTYPE "ESME_RINVBCASTCNTTYPE" = 0x0000_010b, "Broadcast content type is invalid";
    RINVBCASTMSGCLASS "ESME_RINVBCASTMSGCLASS" = 0x0000_010c, "Broadcast message class is invalid";
    RBCASTFAIL "ESME_RBCASTFAIL" = 0x0000_010d, "broadcast_sm operation failed";
    RBCASTQUERYFAIL "ESME_RBCASTQUERYFAIL" = 0x0000_010e, "query_broadcast_sm operation failed";
    RBCASTCANCELFAIL "ESME_RBCASTCANCELFAIL" = 0x0000_010f, "cancel_broadcast_sm operation failed";
    RINVBCAST_REP "ESME_RINVBCAST_REP" = 0x0000_0110, "Number of repeated broadcasts is invalid";
    RINVBCASTSRVGRP "ESME_RINVBCASTSRVGRP" = 0x0000_0111, "Broadcast service group is invalid";
    RINVBCASTCHANIND "ESME_RINVBCASTCHANIND" = 0x0000_0112, "Broadcast channel indicator is invalid";
}

impl CommandStatus {
    /// Whether it states success.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether the peer asks the whole link to slow down: `ESME_RTHROTTLED` and `ESME_RMSGQFUL`.
    pub const fn is_throttling(self) -> bool {
        matches!(self, Self::RTHROTTLED | Self::RMSGQFUL)
    }

    /// Whether the same request may succeed later: throttling, `ESME_RSYSERR`, `ESME_RX_T_APPN`, `ESME_RUNKNOWNERR`
    /// and `ESME_RSERTYPUNAVAIL`.
    ///
    /// `ESME_RDELIVERYFAILURE` is temporary if its TLV delivery_failure_reason says 0 or 3, which a status alone does
    /// not tell: here it is permanent.
    pub const fn is_temporary(self) -> bool {
        self.is_throttling()
            || matches!(self, Self::RSYSERR | Self::RX_T_APPN | Self::RUNKNOWNERR | Self::RSERTYPUNAVAIL)
    }

    /// Whether it is an error that will not go away by itself: every code that is neither success nor temporary,
    /// unknown ones included.
    pub const fn is_permanent(self) -> bool {
        !self.is_ok() && !self.is_temporary()
    }

    /// Whether it lies in the range that message centre vendors give meanings of their own: 0x400 to 0x4FF.
    pub const fn is_vendor(self) -> bool {
        matches!(self.0, 0x400..=0x4ff)
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => f.pad(words),
            None if self.is_vendor() => write!(f, "Message centre vendor-specific error {:#010x}", self.0),
            None => write!(f, "Reserved status {:#010x}", self.0),
        }
    }
}

impl fmt::Debug for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "CommandStatus({:#010x})", self.0),
        }
    }
}

impl From<u32> for CommandStatus {
    fn from(status: u32) -> Self {
        Self(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_in_one_class() {
        for code in (0..=0x600).chain([0x0009_9999, u32::MAX]) {
            let status = CommandStatus(code);
            let classes = [status.is_ok(), status.is_temporary(), status.is_permanent()];
            assert_eq!(classes.iter().filter(|class| **class).count(), 1, "{status:?}");
            assert!(!status.is_throttling() || status.is_temporary(), "{status:?}");
        }
    }

    #[test]
    fn names_of_both_versions() {
        let status = CommandStatus(0xc2);
        assert_eq!((status.name_34(), status.name()), (Some("ESME_RINVPARLEN"), Some("ESME_RINVTLVLEN")));
        assert_eq!((CommandStatus::RINVDCS.name_34(), CommandStatus::RINVDCS.name()), (None, Some("ESME_RINVDCS")));
        assert_eq!((CommandStatus(0x22).name(), CommandStatus(0x22).name_34()), (None, None));
        assert_eq!(CommandStatus(0x22).to_string(), "Reserved status 0x00000022");
    }
}
