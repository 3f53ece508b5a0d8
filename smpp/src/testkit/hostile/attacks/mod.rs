//! The attacks themselves.

mod both;
mod client;
mod server;
mod storms;
mod work;

use bytes::Bytes;

use self::both::both;
use self::client::client;
use self::server::server;
pub use self::storms::storms_against_server;
use self::work::at_work;
use super::octets::Message;
use super::{Attack, Outcome, Step, Victim};
use crate::session::BindKind;
use crate::types::{CommandId, CommandStatus};

/// Every attack on a message centre.
pub fn against_server() -> Vec<Attack> {
    let mut attacks = both(Victim::Server, Message::Submit);
    attacks.extend(server());
    attacks
}

/// Every attack on an ESME. It has to bind as a transceiver, once for each of them.
pub fn against_client() -> Vec<Attack> {
    let mut attacks = both(Victim::Client, Message::Deliver);
    attacks.extend(client());
    attacks
}

/// Every attack on a message centre that has messages to deliver meanwhile, see
/// [`at_work`](Attack#structfield.at_work).
///
/// ```
/// # use std::time::Duration;
/// use smpp::server::DeliverError;
/// use smpp::testkit::{Smsc, hostile};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), hostile::Failure> {
/// let smsc = Smsc::start();
/// let work = async {
///     loop {
///         if let Err(DeliverError::NotBound) = smsc.deliver(Default::default()).await {
///             tokio::time::sleep(Duration::from_secs(1)).await;
///         }
///     }
/// };
/// let attacks = async {
///     for attack in hostile::against_working_server() {
///         attack.run(smsc.connect()).await?;
///     }
///     Ok(())
/// };
/// tokio::select! {
///     withstood = attacks => withstood,
///     () = work => Ok(()),
/// }
/// # }
/// ```
pub fn against_working_server() -> Vec<Attack> {
    at_work(Victim::Server)
}

/// Every attack on an ESME that has messages to submit meanwhile, see [`at_work`](Attack#structfield.at_work). It has to
/// bind as a transceiver, once for each of them.
pub fn against_working_client() -> Vec<Attack> {
    at_work(Victim::Client)
}

/// A chain of steps that makes an attack.
struct Script(Attack);

fn attack(victim: Victim, name: &'static str, about: &'static str) -> Script {
    let bound = Some(BindKind::Transceiver);
    Script(Attack { name, about, victim, bound, at_work: false, steps: Vec::new(), outcome: Outcome::Lives })
}

impl Script {
    fn step(mut self, step: Step) -> Self {
        self.0.steps.push(step);
        self
    }

    fn steps(self, step: &Step, times: usize) -> Self {
        (0..times).fold(self, |script, _| script.step(step.clone()))
    }

    fn bound(mut self, bound: Option<BindKind>) -> Self {
        self.0.bound = bound;
        self
    }

    /// The program has to be at work.
    fn at_work(mut self) -> Self {
        self.0.at_work = true;
        self
    }

    fn write(self, octets: impl Into<Bytes>) -> Self {
        self.step(Step::Write(octets.into()))
    }

    fn expect(self, command_id: CommandId, status: CommandStatus, number: u32) -> Self {
        self.step(Step::Expect { command_id, status, number })
    }

    fn lives(self) -> Attack {
        self.0
    }

    fn closes(mut self) -> Attack {
        self.0.outcome = Outcome::Closes;
        self.0
    }

    fn either(mut self) -> Attack {
        self.0.outcome = Outcome::Either;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Those of the table in the documentation.
    fn documented(victim: &str) -> Vec<&'static str> {
        let rows = include_str!("../dangers.md").lines().map(|line| line.split('|').collect::<Vec<_>>());
        let names = rows.filter(|row| row.len() == 5 && row[2].contains(victim)).map(|row| row[3]);
        names.flat_map(|names| names.split('`').skip(1).step_by(2)).collect()
    }

    #[test]
    fn each_attack_stands_in_the_table_once() {
        let names = |attacks: Vec<Attack>| attacks.iter().map(|attack| attack.name).collect::<BTreeSet<_>>();
        let storms: BTreeSet<_> = storms_against_server().iter().map(|storm| storm.name).collect();
        let at_work = names([against_working_server(), against_working_client()].concat());
        for (victim, all) in
            [("S", names(against_server())), ("C", names(against_client())), ("W", at_work), ("N", storms)]
        {
            let documented = documented(victim);
            assert_eq!(documented.iter().copied().collect::<BTreeSet<_>>(), all, "{victim}");
            assert_eq!(documented.len(), all.len(), "{victim}");
        }
    }

    #[test]
    fn who_has_to_be_at_work_is_told() {
        for attack in [against_server(), against_client()].concat() {
            assert!(!attack.at_work, "{}", attack.name);
        }
        for attack in [against_working_server(), against_working_client()].concat() {
            assert!(attack.at_work, "{}", attack.name);
        }
    }
}
