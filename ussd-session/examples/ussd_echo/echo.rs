//! The application: Richmond's echo service.

use ussd_session::{Dialled, Done, EndWhy, Session, Side, Turn, UssdApp};

pub(crate) struct EchoService;

impl UssdApp for EchoService {
    type State = ();

    async fn new_session(&self, _session: &mut Session<()>, turn: Turn, _dialled: Dialled<'_>) -> Done {
        turn.cont("Hello..")
    }

    async fn existing_session(&self, _session: &mut Session<()>, turn: Turn, message: &str) -> Done {
        if message == "0" { turn.end("quitting, goodbye!") } else { turn.cont(message) }
    }

    async fn timed_out_session(&self, session: &mut Session<()>, _side: Side) {
        eprintln!("{} timed out, removing client", session.subscriber());
    }

    async fn end_session(&self, session: &mut Session<()>, _why: EndWhy) {
        eprintln!("{} ended the session, removing client", session.subscriber());
    }
}
