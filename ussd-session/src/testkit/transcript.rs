//! Tests as plain text.

use std::fmt;

use super::{
    line::{Line, LineError},
    world::{Mismatch, World},
};

/// A dialogue as plain text: what a tester types, and what is to be seen.
///
/// ```text
/// # A comment. The phone in hand:
/// @ +27831234567
/// > *120*663*79#
/// < Choose:
///   1. Airtime
///   2. *
/// > 1
/// ! wait 70s
/// ! closed the user was too slow
/// > *120*663*79#
/// < Choose:*
/// x
/// ```
///
/// | line | means |
/// |---|---|
/// | `@ number` | this phone is in hand from here on |
/// | `> text` | types an answer; dials where no dialogue is open |
/// | `x` | hangs up |
/// | `< text` | this is on the screen, and the dialogue goes on; lines that begin with two blanks belong to it |
/// | `<. text` | the same, and the dialogue is over |
/// | `! wait 70s` | time passes (`ms`, `s`, `m`) |
/// | `! redial code` | dials anew without hanging up |
/// | `! timeout` | the network stops waiting for the user |
/// | `! closed reason` | the last session of the phone has ended so |
/// | `! twice`, `! late 3s` | the next message of a phone comes twice, or late |
/// | `! lose`, `! refuse`, `! slow 3s` | the next screen is lost, refused, or late |
/// | `! down`, `! up`, `! crash` | the link breaks, is back; the node dies and starts anew |
/// | `# text` | a comment |
///
/// A `*` in what is expected stands for anything. Nothing is typed before the screen is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transcript {
    /// What is done and expected, each with its line's number, from 1.
    pub lines: Vec<(usize, Line)>,
}

/// Why a text is no transcript, or a transcript is not what happens.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TranscriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It cannot be read.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It is not what happens.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    /// Names the first line that is none.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut lines: Vec<(usize, Line)> = Vec::new();
        for (at, line) in (1..).zip(text.lines()) {
            let wrong = |problem: LineError| TranscriptError { line: at, problem: problem.into() };
            match (line.strip_prefix("  "), lines.last_mut()) {
                (Some(more), Some((_, Line::See { text, .. }))) => {
                    text.push('\n');
                    text.push_str(more.trim_end());
                }
                (Some(more), _) if !more.trim().is_empty() => return Err(wrong(LineError::Continued)),
                _ => lines.extend(Line::read(line).map_err(wrong)?.map(|line| (at, line))),
            }
        }
        Ok(Self { lines })
    }

    /// Plays it.
    ///
    /// # Errors
    /// Names the first line that is not what happens.
    pub fn play(&self, world: &mut World) -> Result<(), TranscriptError> {
        self.lines.iter().try_for_each(|(at, line)| {
            world.play(line).map_err(|mismatch| TranscriptError { line: *at, problem: mismatch.into() })
        })
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|(_, line)| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "@ 27831234567\n> *1#\n< Menu\n  1. a\n\n# a note\n> 1\n<. Bye\n";
        let transcript = Transcript::parse(text).unwrap();
        let lines: Vec<usize> = transcript.lines.iter().map(|(at, _)| *at).collect();
        assert_eq!(lines, [1, 2, 3, 7, 8]);
        assert_eq!(transcript.to_string(), text.replace("\n# a note", "").replace("a\n\n", "a\n"));
        let error = Transcript::parse("> 1\n  more").unwrap_err();
        assert_eq!(error.to_string(), "line 2: only a line with `<` can go on");
    }
}
