use std::time::Duration;

use super::attack;
use crate::pdu::{BindTransceiver, CancelSm};
use crate::testkit::hostile::octets::{RECIPIENT, SENDER, request};
use crate::testkit::hostile::{Step, Storm, Victim};
use crate::types::CommandId;

/// Every attack on a message centre that takes many connections, or somebody else to attack.
pub fn storms_against_server() -> Vec<Storm> {
    let on = |name, about| attack(Victim::Server, name, about);
    let guesses = |name, about, times| on(name, about).bound(None).steps(&Step::Guess, times).closes();
    let half_a_bind = request(7, BindTransceiver::default()).slice(..20);
    let source = SENDER.parse().unwrap_or_default();
    let cancel = CancelSm { source, destination: RECIPIENT.parse().unwrap_or_default(), ..Default::default() };
    let mut meddling = on("ids_of_others", "Another account's message is asked for, cancelled and replaced by its id");
    for command_id in [CommandId::QUERY_SM, CommandId::CANCEL_SM, CommandId::REPLACE_SM] {
        meddling = meddling.step(Step::Meddle(command_id));
    }
    let about = "One account binds over and over: not all of it may be let in, and another account still binds";
    vec![
        Storm::of(on("connections_that_wait", "Two hundred connections that never bind").bound(None).closes(), 200),
        Storm::of(
            on("binds_that_drip", "Two hundred binds that come octet by octet and never become whole")
                .bound(None)
                .step(Step::Drip(half_a_bind, Duration::from_secs(5)))
                .closes(),
            200,
        ),
        Storm::of(
            guesses("passwords_at_once", "Wrong passwords for one account, five over each of fifty connections", 5),
            50,
        ),
        Storm {
            rounds: 20,
            at_least: Duration::from_secs(2),
            ..Storm::of(
                guesses(
                    "passwords_in_turn",
                    "Twenty wrong passwords, each over a new connection: in 2 seconds at best",
                    1,
                ),
                1,
            )
        },
        Storm { some_kept_out: true, ..Storm::of(on("binds_of_one_account", about).lives(), 100) },
        Storm::of(meddling.lives(), 1),
        Storm::of(
            on("addresses_of_others", "All messages between two addresses are cancelled: those of another account too")
                .write(request(7, cancel))
                .lives(),
            1,
        ),
    ]
}
