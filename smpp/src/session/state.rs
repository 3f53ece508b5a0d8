use crate::types::{CommandId, CommandStatus};

/// Which end of a link this is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// The application's end (External Short Messaging Entity): it binds.
    Esme,
    /// The message centre's end (MC, SMSC): it is bound to.
    MessageCentre,
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Esme => Self::MessageCentre,
            Self::MessageCentre => Self::Esme,
        }
    }
}

/// Which bind a link has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BindKind {
    /// bind_transmitter: the ESME submits.
    Transmitter,
    /// bind_receiver: the message centre delivers.
    Receiver,
    /// bind_transceiver: both.
    Transceiver,
}

impl BindKind {
    /// The bind of this operation; none if it is not a bind.
    pub const fn of(command_id: CommandId) -> Option<Self> {
        match command_id {
            CommandId::BIND_TRANSMITTER => Some(Self::Transmitter),
            CommandId::BIND_RECEIVER => Some(Self::Receiver),
            CommandId::BIND_TRANSCEIVER => Some(Self::Transceiver),
            _ => None,
        }
    }

    /// The state that it leads to.
    pub const fn state(self) -> State {
        match self {
            Self::Transmitter => State::BoundTx,
            Self::Receiver => State::BoundRx,
            Self::Transceiver => State::BoundTrx,
        }
    }
}

/// Where a session stands (section 2.4 of 5.0). Both ends use the same names.
///
/// ```text
///        connected
///            |
///            v      outbind
///          Open -------------> Outbound
///            |                    |
///            | bind accepted      | bind accepted
///            v                    v
///   BoundTx, BoundRx or BoundTrx, as the bind was
///            |
///            | unbind answered, by whichever end
///            v
///         Unbound -----------> Closed
///                  closes
/// ```
///
/// A refused bind leaves the state as it is. From every state, a command_length that cannot be, the end of the stream,
/// and `close` lead to `Closed`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// Connected, and not bound.
    Open,
    /// The message centre has asked for a bind with an outbind.
    Outbound,
    /// Bound as transmitter: the ESME submits.
    BoundTx,
    /// Bound as receiver: the message centre delivers.
    BoundRx,
    /// Bound as transceiver: both.
    BoundTrx,
    /// An unbind was answered; what is left is to close.
    Unbound,
    /// Over.
    Closed,
}

impl State {
    /// Whether there is a bind.
    pub const fn is_bound(self) -> bool {
        matches!(self, Self::BoundTx | Self::BoundRx | Self::BoundTrx)
    }

    /// Which bind there is.
    pub const fn bind_kind(self) -> Option<BindKind> {
        match self {
            Self::BoundTx => Some(BindKind::Transmitter),
            Self::BoundRx => Some(BindKind::Receiver),
            Self::BoundTrx => Some(BindKind::Transceiver),
            Self::Open | Self::Outbound | Self::Unbound | Self::Closed => None,
        }
    }

    /// Whether an end may send a request in this state: the table of section 2.4 of 5.0, with data_sm both ways in every
    /// bound state as 3.4 has it. An operation that is not known may be sent either way while bound.
    ///
    /// # Errors
    ///
    /// The status that refuses the request: ESME_RALYBND for a second bind, ESME_RINVBNDSTS otherwise.
    pub const fn allows(self, sender: Role, request: CommandId) -> Result<(), CommandStatus> {
        let (direction, allowed) = match request {
            CommandId::ENQUIRE_LINK => (true, !matches!(self, Self::Closed)),
            CommandId::UNBIND | CommandId::DATA_SM => (true, self.is_bound()),
            CommandId::OUTBIND => (matches!(sender, Role::MessageCentre), matches!(self, Self::Open)),
            CommandId::DELIVER_SM | CommandId::ALERT_NOTIFICATION => {
                (matches!(sender, Role::MessageCentre), matches!(self, Self::BoundRx | Self::BoundTrx))
            }
            CommandId::BIND_RECEIVER | CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSCEIVER => {
                if matches!(sender, Role::Esme) && self.is_bound() {
                    return Err(CommandStatus::RALYBND);
                }
                (matches!(sender, Role::Esme), matches!(self, Self::Open | Self::Outbound))
            }
            known if known.name().is_some() => {
                (matches!(sender, Role::Esme), matches!(self, Self::BoundTx | Self::BoundTrx))
            }
            _ => (true, self.is_bound()),
        };
        if direction && allowed { Ok(()) } else { Err(CommandStatus::RINVBNDSTS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 2.4 of 5.0, a column a state: who may send it.
    const TABLE: [(&[CommandId], [&str; 6]); 8] = [
        (
            &[CommandId::BIND_RECEIVER, CommandId::BIND_TRANSMITTER, CommandId::BIND_TRANSCEIVER],
            ["E", "E", "", "", "", ""],
        ),
        (&[CommandId::OUTBIND], ["M", "", "", "", "", ""]),
        (
            &[
                CommandId::SUBMIT_SM,
                CommandId::SUBMIT_MULTI,
                CommandId::QUERY_SM,
                CommandId::CANCEL_SM,
                CommandId::REPLACE_SM,
                CommandId::BROADCAST_SM,
                CommandId::QUERY_BROADCAST_SM,
                CommandId::CANCEL_BROADCAST_SM,
            ],
            ["", "", "E", "", "E", ""],
        ),
        (&[CommandId::DELIVER_SM, CommandId::ALERT_NOTIFICATION], ["", "", "", "M", "M", ""]),
        (&[CommandId::DATA_SM], ["", "", "EM", "EM", "EM", ""]),
        (&[CommandId::UNBIND], ["", "", "EM", "EM", "EM", ""]),
        (&[CommandId::ENQUIRE_LINK], ["EM", "EM", "EM", "EM", "EM", "EM"]),
        (&[CommandId(0x0001_0200)], ["", "", "EM", "EM", "EM", ""]),
    ];

    #[test]
    fn the_table() {
        let states = [State::Open, State::Outbound, State::BoundTx, State::BoundRx, State::BoundTrx, State::Unbound];
        for (commands, senders) in TABLE {
            for command in commands {
                for (state, senders) in states.into_iter().zip(senders) {
                    for (role, letter) in [(Role::Esme, 'E'), (Role::MessageCentre, 'M')] {
                        let allowed = state.allows(role, *command).is_ok();
                        assert_eq!(allowed, senders.contains(letter), "{command} of {role:?} in {state:?}");
                    }
                }
                assert!(State::Closed.allows(Role::Esme, *command).is_err());
            }
        }
        assert_eq!(State::BoundRx.allows(Role::Esme, CommandId::BIND_TRANSMITTER), Err(CommandStatus::RALYBND));
        assert_eq!(
            State::BoundRx.allows(Role::MessageCentre, CommandId::BIND_TRANSMITTER),
            Err(CommandStatus::RINVBNDSTS)
        );
    }
}
