//! Random transcripts for an application.

use std::{fmt, time::Duration};

use fastrand::Rng;

use super::{
    explore::leave_out,
    line::Line,
    transcript::Transcript,
    world::{Mismatch, World},
};

/// Plays random transcripts on an application: two phones that dial, type, hang up and wait, a gateway that repeats,
/// delays and loses, a link that breaks, a node that dies. What goes wrong is cut down to the shortest transcript that
/// still does, in the form that [`Transcript`] reads.
///
/// It is wrong if a callback panics, drops its turn, or says what fits no screen, if a session is left over, or if the
/// test's own check says so.
///
/// ```
/// use ussd_session::{Dialled, Done, Policy, Session, Turn, UssdApp, testkit::{Rehearsal, World}};
///
/// struct Till;
/// impl UssdApp for Till {
///     type State = u32;
///     async fn new_session(&self, _: &mut Session<u32>, turn: Turn, _: Dialled<'_>) -> Done {
///         turn.cont("How many?")
///     }
///     async fn existing_session(&self, session: &mut Session<u32>, turn: Turn, message: &str) -> Done {
///         session.state += message.parse::<u32>().unwrap(); // a bug
///         turn.cont(format!("{} so far", session.state))
///     }
/// }
///
/// let rehearsal = Rehearsal::new(1, "*120#", &["1", "two"]);
/// let flop = rehearsal.run(100, || World::new(Till, Policy::default()), |_| Ok(())).unwrap_err();
/// assert_eq!(flop.transcript.to_string(), "@ +27830000000\n! redial *120#\n> two\n");
/// ```
#[derive(Clone, Debug)]
pub struct Rehearsal {
    seed: u64,
    code: String,
    inputs: Vec<String>,
    longest: usize,
}

/// What goes wrong, and the shortest transcript found for it.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Flop {
    /// The seed of the search.
    pub seed: u64,
    /// What is to be done for it.
    pub transcript: Transcript,
    /// What is wrong then.
    pub problem: String,
}

impl fmt::Display for Flop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}\n{}", self.seed, self.problem, self.transcript)
    }
}

impl Rehearsal {
    /// Transcripts of up to 20 lines in which `code` is dialled and `inputs` are typed. The same seed gives the same.
    #[must_use]
    pub fn new(seed: u64, code: &str, inputs: &[&str]) -> Self {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        Self { seed, code: code.to_owned(), inputs, longest: 20 }
    }

    /// The most lines of a transcript.
    #[must_use]
    pub fn longest(mut self, lines: usize) -> Self {
        self.longest = lines.max(1);
        self
    }

    /// Plays `count` transcripts, each on a world of its own.
    ///
    /// # Errors
    /// The shortest transcript found that goes wrong.
    pub fn run(
        &self,
        count: u64,
        mut make: impl FnMut() -> World,
        mut check: impl FnMut(&mut World) -> Result<(), String>,
    ) -> Result<(), Flop> {
        let mut random = Rng::with_seed(self.seed);
        let mut fails = |lines: &[Line]| play(lines, &mut make(), &mut check).err();
        for _ in 0..count {
            let len = random.usize(1..=self.longest);
            let lines: Vec<Line> = (0..len).map(|_| self.draw(&mut random)).collect();
            if let Some(problem) = fails(&lines) {
                let (mut best, mut problem) = (lines, problem);
                while let Some((shorter, why)) = leave_out(&best, &mut fails) {
                    (best, problem) = (shorter, why);
                }
                let lines = with_a_phone(&best).into_iter().map(|line| (0, line)).collect();
                return Err(Flop { seed: self.seed, transcript: Transcript { lines }, problem });
            }
        }
        Ok(())
    }

    fn draw(&self, random: &mut Rng) -> Line {
        let span = Duration::from_millis(random.choice(SPANS).unwrap_or(1_000));
        match random.u8(0..100) {
            0..10 => Line::Phone(random.choice(PHONES).unwrap_or(PHONES[0]).to_owned()),
            10..30 => Line::Redial(self.code.clone()),
            30..60 => Line::Type(random.choice(&self.inputs).cloned().unwrap_or_default()),
            60..64 => Line::HangUp,
            64..72 => Line::Wait(span),
            72..78 => Line::Twice,
            78..81 => Line::Late(span),
            81..84 => Line::Lose,
            84..87 => Line::Refuse,
            87..90 => Line::Slow(span),
            90..92 => Line::NetTimeout,
            92..94 => Line::Down,
            94..96 => Line::Up,
            _ => Line::Crash,
        }
    }
}

const PHONES: [&str; 2] = ["+27830000000", "+27830000001"];

const SPANS: [u64; 5] = [50, 1_000, 9_000, 31_000, 70_000];

/// The lines with a phone in hand from the first.
fn with_a_phone(lines: &[Line]) -> Vec<Line> {
    let has = matches!(lines.first(), Some(Line::Phone(_)));
    let phone = (!has).then(|| Line::Phone(PHONES[0].to_owned()));
    phone.into_iter().chain(lines.iter().cloned()).collect()
}

fn play(
    lines: &[Line],
    world: &mut World,
    check: &mut impl FnMut(&mut World) -> Result<(), String>,
) -> Result<(), String> {
    for line in with_a_phone(lines) {
        // Nobody types without being asked.
        if matches!(line, Line::Type(_)) && !world.is_open() {
            continue;
        }
        match world.play(&line) {
            Ok(()) | Err(Mismatch::Waits) => {}
            Err(mismatch) => return Err(mismatch.to_string()),
        }
    }
    world.run_out();
    if world.failures() > 0 {
        return Err("a callback failed".to_owned());
    }
    match world.sessions() {
        0 => check(world),
        left => Err(format!("{left} sessions are left")),
    }
}
