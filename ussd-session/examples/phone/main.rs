//! A phone in a terminal, and the state of its session beside it.
//!
//! ```text
//! cargo run --example phone                                # dial *120*1#, answer, and see
//! cargo run --example phone -- --script FILE               # plays a transcript and checks it
//! ```
//!
//! A line is what is dialled or typed; `x` hangs up; `! wait 70s` lets time pass, which stands still otherwise; what
//! else there is stands in the documentation of `ussd_session::testkit::Transcript`.
#![allow(clippy::print_stdout, reason = "it is a program")]

mod airtime;

use std::{
    error::Error,
    io::{BufRead, Write},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use ussd_session::testkit::{Line, Transcript, World};
use ussd_session::{Fit, Policy, Resume};

use crate::airtime::Airtime;

/// A phone in a terminal, and the state of its session beside it.
#[derive(Parser)]
struct Args {
    /// Play this transcript instead of what is typed, and check it.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// The number of the phone.
    #[arg(long, default_value = "+27831234567")]
    number: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let resume = Resume::Ask {
        question: "You were not done.\n1. Go on\n2. Start anew".into(),
        go_on: "1".into(),
        start: "2".into(),
    };
    let policy = Policy::default().fit(Fit::default()).resume(resume).service(airtime::CODE);
    let mut world = World::new(Airtime, policy).user_timer(Duration::from_secs(60));
    world.play(&Line::Phone(args.number))?;
    match args.script {
        Some(file) => {
            let transcript = Transcript::parse(&std::fs::read_to_string(file)?)?;
            for (number, line) in transcript.lines {
                println!("{line}");
                world.play(&line).map_err(|mismatch| format!("line {number}: {mismatch}"))?;
                if !matches!(line, Line::See { .. } | Line::Closed(_)) {
                    show(&mut world);
                }
            }
        }
        None => typed(&mut world)?,
    }
    Ok(())
}

/// What is typed, line by line.
fn typed(world: &mut World) -> Result<(), Box<dyn Error>> {
    println!("Dial {}. `x` hangs up, `! wait 70s` lets time pass, end of input leaves.", airtime::CODE);
    let mut input = std::io::stdin().lock().lines();
    loop {
        print!("> ");
        std::io::stdout().flush()?;
        let Some(line) = input.next().transpose()? else { return Ok(()) };
        let marked = line == "x" || line.starts_with(['!', '@', '#']);
        let line = if marked { line } else { format!("> {line}") };
        match Transcript::parse(&line) {
            Ok(transcript) => match transcript.play(world) {
                Ok(()) => show(world),
                Err(error) => println!("{}", error.problem),
            },
            Err(error) => println!("{}", error.problem),
        }
    }
}

/// The screen, and beside it what the session layer did and where the session is.
fn show(world: &mut World) {
    let screen = world.screen();
    let open = if world.is_open() { "[          answer  cancel ]" } else { "[                 dismiss ]" };
    let mut left = vec![format!("+{}+", "-".repeat(WIDTH + 2))];
    for line in screen.as_deref().unwrap_or_default().lines() {
        left.extend(folded(line).into_iter().map(|line| format!("| {line:<WIDTH$} |")));
    }
    if screen.is_some() {
        left.push(format!("| {open:^WIDTH$} |"));
    }
    left.push(format!("+{}+", "-".repeat(WIDTH + 2)));
    let mut right = world.watch();
    right.push(format!("=> {}", world.state()));
    for at in 0..left.len().max(right.len()) {
        let cell = |column: &[String]| column.get(at).cloned().unwrap_or_default();
        println!("  {:<32}  {}", cell(&left), cell(&right));
    }
}

const WIDTH: usize = 28;

/// A line of the text as lines of the screen.
fn folded(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    match characters.is_empty() {
        true => vec![String::new()],
        false => characters.chunks(WIDTH).map(|part| part.iter().collect()).collect(),
    }
}
