//! One line of a transcript.

use std::{fmt, time::Duration};

/// One thing that a tester does or expects: a line of a [`Transcript`](super::Transcript).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Line {
    /// `@ +27831234567`: the phone in hand from here on.
    Phone(String),
    /// `> text`: types an answer, or dials where no dialogue is open.
    Type(String),
    /// `> text` in a dialogue that the user leaves for a new one, without a word to the network: `! redial text`.
    Redial(String),
    /// `x`: hangs up.
    HangUp,
    /// `< text`: this is on the screen, and the dialogue goes on. `<. text`: and it is over. A `*` stands for anything.
    See {
        /// The text, lines joined by line feeds.
        text: String,
        /// True if the dialogue is over with it.
        last: bool,
    },
    /// `! wait 70s`, `! wait 250ms`: time passes.
    Wait(Duration),
    /// `! twice`: the gateway passes the next message of a phone on twice.
    Twice,
    /// `! late 3s`: the next message of a phone takes that long; the user does not wait.
    Late(Duration),
    /// `! lose`: the next screen never reaches its phone.
    Lose,
    /// `! refuse`: the gateway refuses the next screen.
    Refuse,
    /// `! slow 3s`: the next screen takes that long.
    Slow(Duration),
    /// `! timeout`: the network stops waiting for the phone in hand.
    NetTimeout,
    /// `! down`: the link breaks.
    Down,
    /// `! up`: the link is back.
    Up,
    /// `! crash`: the node dies and starts anew.
    Crash,
    /// `! closed ended by the user`: the last session of the phone in hand has ended so
    /// ([`CloseReason`](crate::CloseReason), as displayed).
    Closed(String),
}

/// Why a line is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It begins with none of the marks.
    #[error("a line begins with `>`, `<`, `<.`, `x`, `@`, `!`, `#`, or two blanks")]
    Mark,
    /// No such command follows the `!`.
    #[error("no such command")]
    Command,
    /// A span is a number and `ms`, `s` or `m`.
    #[error("a span is a number and `ms`, `s` or `m`")]
    Span,
    /// Two blanks go on with an expected screen, and there is none before.
    #[error("only a line with `<` can go on")]
    Continued,
}

impl Line {
    /// Reads a line; none if it is empty or a comment.
    pub(super) fn read(line: &str) -> Result<Option<Self>, LineError> {
        let line = line.trim_end();
        let rest = |mark: &str| line.strip_prefix(mark).map(|rest| rest.strip_prefix(' ').unwrap_or(rest).to_owned());
        Ok(Some(if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        } else if line == "x" {
            Self::HangUp
        } else if let Some(text) = rest("<.") {
            Self::See { text, last: true }
        } else if let Some(text) = rest("<") {
            Self::See { text, last: false }
        } else if let Some(text) = rest(">") {
            Self::Type(text)
        } else if let Some(number) = rest("@") {
            Self::Phone(number)
        } else if let Some(command) = rest("!") {
            Self::command(&command)?
        } else {
            return Err(LineError::Mark);
        }))
    }

    fn command(command: &str) -> Result<Self, LineError> {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        Ok(match word {
            "wait" => Self::Wait(span(rest)?),
            "late" => Self::Late(span(rest)?),
            "slow" => Self::Slow(span(rest)?),
            "redial" => Self::Redial(rest.to_owned()),
            "closed" => Self::Closed(rest.to_owned()),
            "twice" => Self::Twice,
            "lose" => Self::Lose,
            "refuse" => Self::Refuse,
            "timeout" => Self::NetTimeout,
            "down" => Self::Down,
            "up" => Self::Up,
            "crash" => Self::Crash,
            _ => return Err(LineError::Command),
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => write!(f, "@ {number}"),
            Self::Type(text) => write!(f, "> {text}"),
            Self::Redial(code) => write!(f, "! redial {code}"),
            Self::HangUp => f.write_str("x"),
            Self::See { text, last } => {
                write!(f, "{} {}", if *last { "<." } else { "<" }, text.replace('\n', "\n  "))
            }
            Self::Wait(span) => write!(f, "! wait {}ms", span.as_millis()),
            Self::Late(span) => write!(f, "! late {}ms", span.as_millis()),
            Self::Slow(span) => write!(f, "! slow {}ms", span.as_millis()),
            Self::Twice => f.write_str("! twice"),
            Self::Lose => f.write_str("! lose"),
            Self::Refuse => f.write_str("! refuse"),
            Self::NetTimeout => f.write_str("! timeout"),
            Self::Down => f.write_str("! down"),
            Self::Up => f.write_str("! up"),
            Self::Crash => f.write_str("! crash"),
            Self::Closed(reason) => write!(f, "! closed {reason}"),
        }
    }
}

fn span(text: &str) -> Result<Duration, LineError> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u64 = digits.parse().map_err(|_| LineError::Span)?;
    // A year is more than any timer, and less than any clock.
    let count = count.min(365 * 24 * 3_600);
    match text.get(digits.len()..) {
        Some("ms") => Ok(Duration::from_millis(count)),
        Some("s") => Ok(Duration::from_secs(count)),
        Some("m") => Ok(Duration::from_secs(count * 60)),
        _ => Err(LineError::Span),
    }
}

/// True if the text is as the pattern says; a `*` in it stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_written() {
        for line in [
            "@ +27831234567",
            "> *120#",
            "> ",
            "x",
            "< Menu*",
            "<. Bye",
            "! wait 70000ms",
            "! redial *120#",
            "! late 3000ms",
            "! slow 10ms",
            "! twice",
            "! lose",
            "! refuse",
            "! timeout",
            "! down",
            "! up",
            "! crash",
            "! closed ended by the user",
        ] {
            assert_eq!(Line::read(line).unwrap().unwrap().to_string(), line);
        }
        assert_eq!(Line::read("! wait 2m"), Ok(Some(Line::Wait(Duration::from_secs(120)))));
        assert_eq!((Line::read(""), Line::read("# a note")), (Ok(None), Ok(None)));
        assert_eq!(Line::read("hello"), Err(LineError::Mark));
        assert_eq!(Line::read("! sleep"), Err(LineError::Command));
        assert_eq!(Line::read("! wait 70"), Err(LineError::Span));
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("Hello", "Hello", true),
            ("Hello", "Hello.", false),
            ("Hello*", "Hello..", true),
            ("*1. Pay*2. Go", "Menu\n1. Pay\n2. Go", true),
            ("*b*b", "ab", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
