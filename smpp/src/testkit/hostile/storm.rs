use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use super::bystander::Bystander;
use super::peer::Peer;
use super::step::Cast;
use super::{At, Attack, Failure, Problem};
use crate::driver;
use crate::types::{COctetString, Password};

/// An attack on a message centre by many at once, while somebody else wants to be served.
///
/// All attackers connect and play the same [`Attack`]. Who is not let in (turned away, or whose bind is refused) is as
/// well kept out; the others' links have to end as the attack says. Before, all along and after it a bystander with an
/// account of its own connects, binds, submits a message and unbinds, and that has to succeed each time; in the end its
/// first message must not have been cancelled.
///
/// Any attack can be made by many: [`Storm::of`].
///
/// ```
/// use smpp::testkit::{Smsc, hostile};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let smsc = Smsc::with(Default::default());
/// smsc.account("hostile".parse()?, "hostile".try_into()?);
/// smsc.account("bystander".parse()?, "bystand".try_into()?);
/// for storm in hostile::storms_against_server() {
///     storm.run(|_| async { Ok(smsc.connect()) }).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Storm {
    /// Its name, such as `connections_that_wait`.
    pub name: &'static str,
    /// What the attackers do, and why that is a danger.
    pub about: &'static str,
    /// What each attacker does.
    pub attack: Attack,
    /// How many attackers there are at once.
    pub attackers: u32,
    /// How often each of them connects and plays the attack; only the last connection is kept, and judged.
    pub rounds: u32,
    /// Whether somebody has to be kept out in the end: not let in, or closed again.
    pub some_kept_out: bool,
    /// How long it has to take all in all, if nobody is kept out.
    pub at_least: Duration,
}

/// Who connects to the attacked end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Caller {
    /// One of the attackers; they may all have the same address.
    Attacker,
    /// Who keeps to the rules. For a message centre with limits by address it is to come from another one, such as
    /// 127.0.0.2.
    Bystander,
}

impl Storm {
    /// An attack on a message centre, by so many at once.
    pub fn of(attack: Attack, attackers: u32) -> Self {
        let Attack { name, about, .. } = attack;
        Self { name, about, attack, attackers, rounds: 1, some_kept_out: false, at_least: Duration::ZERO }
    }

    /// Plays it over streams to the attacked end, in memory or over TCP. The message centre has to accept binds as
    /// `hostile` with the password `hostile`, and as `bystander` with the password `bystand`; see
    /// [`run_as`](Self::run_as).
    ///
    /// # Errors
    ///
    /// The attacked end did something else than it has to.
    pub async fn run<IO, C>(&self, connect: impl Fn(Caller) -> C) -> Result<(), Failure>
    where
        C: Future<Output = io::Result<IO>>,
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let attacker = (COctetString::from_valid(b"hostile"), COctetString::from_valid(b"hostile").into());
        let bystander = (COctetString::from_valid(b"bystander"), COctetString::from_valid(b"bystand").into());
        self.run_as(connect, attacker, bystander).await
    }

    /// As [`run`](Self::run), with two accounts that the message centre knows, by system_id and password. They have to be
    /// different accounts.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_as<IO, C>(
        &self,
        connect: impl Fn(Caller) -> C,
        attacker: (COctetString<16>, Password),
        bystander: (COctetString<16>, Password),
    ) -> Result<(), Failure>
    where
        C: Future<Output = io::Result<IO>>,
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let fails = |at| move |problem| Failure { attack: self.name, at, problem };
        let (account, password) = bystander;
        let bystander = Bystander { connect: &connect, system_id: account.clone(), password };
        let message_id = bystander.visit().await.map_err(fails(At::Bystander))?;
        let cast = Cast { system_id: attacker.0, password: attacker.1, account, message_id };

        let (began, over) = (driver::now(), AtomicBool::new(false));
        let attacks = async {
            let attackers = join_all((0..self.attackers).map(|_| self.attacker(&connect, &cast))).await;
            over.store(true, Ordering::Relaxed);
            Ok((attackers, driver::now().saturating_duration_since(began)))
        };
        let visits = async {
            loop {
                // Once more after it all is done, with all attackers still there.
                let last = over.load(Ordering::Relaxed);
                bystander.visit().await.map_err(fails(At::Bystander))?;
                if last {
                    return Ok(());
                }
                sleep(BETWEEN_VISITS).await;
            }
        };
        let ((attackers, took), ()) = tokio::try_join!(attacks, visits)?;
        let kept_out = self.judge(attackers).await?;
        if kept_out == 0 && self.some_kept_out {
            return Err(fails(At::End)(Problem::AllIn(self.attackers)));
        }
        if kept_out == 0 && took < self.at_least {
            return Err(fails(At::End)(Problem::TooFast(took)));
        }
        bystander.look_after(&cast.message_id).await.map_err(fails(At::Bystander))
    }

    /// One attacker, up to the end of the attack's steps.
    async fn attacker<IO, C>(&self, connect: &impl Fn(Caller) -> C, cast: &Cast) -> Attacker<IO>
    where
        C: Future<Output = io::Result<IO>>,
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut round = 0;
        loop {
            let Ok(io) = connect(Caller::Attacker).await else { return Attacker::KeptOut(None) };
            let mut peer = Peer::new(io);
            match self.attack.play(&mut peer, cast).await {
                Err(failure) if failure.at == At::Bind => return Attacker::KeptOut(Some(failure)),
                _ if self.is_kept_out(&peer) => return Attacker::KeptOut(None),
                Err(failure) => return Attacker::Failed(failure),
                Ok(()) => {}
            }
            round += 1;
            if round >= self.rounds {
                return Attacker::In(peer);
            }
        }
    }

    /// Whether a connection was turned away without a word, or closed where that is what has to happen.
    fn is_kept_out<IO>(&self, peer: &Peer<IO>) -> bool {
        peer.closed && (self.some_kept_out || !peer.heard)
    }

    /// How many were kept out, if all others' links ended as they have to.
    async fn judge<IO>(&self, attackers: Vec<Attacker<IO>>) -> Result<u32, Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let judged = attackers.into_iter().map(|attacker| async {
            let Attacker::In(mut peer) = attacker else { return attacker };
            match self.attack.judge(&mut peer).await {
                Ok(()) => Attacker::In(peer),
                Err(_) if self.is_kept_out(&peer) => Attacker::KeptOut(None),
                Err(failure) => Attacker::Failed(failure),
            }
        });
        let (mut kept_out, mut refused, mut in_all) = (0u32, None, 0u32);
        for attacker in join_all(judged).await {
            match attacker {
                Attacker::In(_) => in_all = in_all.saturating_add(1),
                Attacker::KeptOut(why) => {
                    kept_out = kept_out.saturating_add(1);
                    refused = refused.or(why);
                }
                Attacker::Failed(failure) => return Err(Failure { attack: self.name, ..failure }),
            }
        }
        match refused {
            // Nobody could try: the account is not known.
            Some(failure) if in_all == 0 => Err(Failure { attack: self.name, ..failure }),
            _ => Ok(kept_out),
        }
    }
}

/// How it goes for one attacker.
enum Attacker<IO> {
    /// It has played the attack; its link is kept until all have.
    In(Peer<IO>),
    /// It was turned away, or by this its bind was refused.
    KeptOut(Option<Failure>),
    /// The attacked end did something else than it has to.
    Failed(Failure),
}

/// How long the bystander waits to come again.
const BETWEEN_VISITS: Duration = Duration::from_secs(1);
