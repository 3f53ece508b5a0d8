//! An application: airtime by code, with a long list, a PIN, and a shortcut.

use ussd_session::{Dialled, Done, Screen, Session, Turn, UssdApp};

/// The code of the service. `*120*1*5#` is a shortcut to bundle 5.
pub(crate) const CODE: &str = "*120*1#";

const BUNDLES: [&str; 12] = [
    "10 minutes to all networks, today",
    "30 minutes to all networks, 7 days",
    "60 minutes to all networks, 30 days",
    "50 MB, today",
    "200 MB, 7 days",
    "1 GB, 30 days",
    "5 GB, 30 days",
    "20 GB, 30 days",
    "100 text messages, 7 days",
    "500 text messages, 30 days",
    "Night data, 2 GB, 30 days",
    "Weekend data, 3 GB",
];

/// Sells bundles.
pub(crate) struct Airtime;

/// Where a session is.
#[derive(Default)]
pub(crate) enum Step {
    #[default]
    Menu,
    Pin(&'static str),
}

impl UssdApp for Airtime {
    type State = Step;

    async fn new_session(&self, session: &mut Session<Step>, turn: Turn, _dialled: Dialled<'_>) -> Done {
        let chosen = session.shortcut().next().and_then(bundle);
        match chosen {
            Some(bundle) => ask_pin(session, turn, bundle),
            None => turn.cont(menu()),
        }
    }

    async fn existing_session(&self, session: &mut Session<Step>, turn: Turn, message: &str) -> Done {
        match session.state {
            Step::Menu => match bundle(message) {
                Some(bundle) => ask_pin(session, turn, bundle),
                None => turn.cont(format!("There is no {message}.\n{}", menu())),
            },
            Step::Pin(bundle) if message == "1234" => turn.end(format!("You have {bundle}.")),
            Step::Pin(_) => turn.cont(Screen::new("Wrong PIN. Your PIN?").expecting_secret()),
        }
    }
}

fn ask_pin(session: &mut Session<Step>, turn: Turn, bundle: &'static str) -> Done {
    session.state = Step::Pin(bundle);
    turn.cont(Screen::new(format!("{bundle}\nYour PIN? (1234)")).expecting_secret())
}

fn menu() -> String {
    let options = (1..).zip(BUNDLES).map(|(number, bundle)| format!("\n{number}. {bundle}"));
    format!("Choose:{}", options.collect::<String>())
}

fn bundle(number: &str) -> Option<&'static str> {
    let number: usize = number.trim().parse().ok()?;
    BUNDLES.get(number.checked_sub(1)?).copied()
}
