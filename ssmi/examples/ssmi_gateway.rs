//! A gateway without a network behind it, to try any SSMI client against.
//!
//! ```text
//! cargo run --example ssmi_gateway -- --listen 127.0.0.1:50008
//! cargo run --example ssmi_gateway -- --listen 127.0.0.1:50008 --phone script.txt --once
//! ```
//!
//! It prints every line: `<-` from a client, `->` to a client, `--` what happens otherwise. Messages get a SEQ and a
//! delivery report, IMSI lookups an invented answer. The phone is played by whoever sits at the terminal, or by a
//! script. Both know the same commands, one a line:
//!
//! ```text
//! phone NUMBER       the phone that the next commands are about; at first 27831112222
//! dial CODE          dials a code, such as *120*8864#
//! type TEXT          answers with this text, which may be empty
//! cancel             leaves the session
//! timeout            lets the network end the session, as if the user had not answered
//! wait [SECONDS]     waits until the application shows something; 10 seconds unless told
//! sms TEXT           sends an SMS to the application
//! pause SECONDS      lets time pass
//! quit               ends the gateway
//! ```
//!
//! Blank lines and lines that begin with `;` are skipped. Commands wait until a client is logged in. With `--once` the
//! gateway ends after the script, or at a `wait` in vain, and then with exit status 1.
#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::BytesMut;
use clap::Parser;
use ssmi::command::{
    DeliveryReport, ExtendedUssdMessage, ImsiLookup, ImsiLookupReply, Mo, Request, Response, Seq, UssdMessage,
};
use ssmi::server::{Config, Event, Server, What};
use ssmi::session::ServerEvent;
use ssmi::types::{DeliveryCode, NackType, Octets, TextEncoding, UssdPhase, UssdType};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// A gateway without a network behind it.
#[derive(Parser)]
struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50008")]
    listen: String,
    /// Script of the phone.
    #[arg(long, value_name = "SCRIPT")]
    phone: Option<PathBuf>,
    /// End after the script.
    #[arg(long, requires = "phone")]
    once: bool,
    /// The only account that may log in; any may unless told.
    #[arg(long, requires = "password")]
    username: Option<String>,
    /// Its password.
    #[arg(long, requires = "username")]
    password: Option<String>,
    /// Send extended USSD (111) in place of plain (110).
    #[arg(long)]
    extended: bool,
    /// Text is UTF-8 in place of ISO-8859-1.
    #[arg(long)]
    utf8: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ssmi_gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the script went well.
async fn run(args: Args) -> Result<bool, String> {
    let steps = match &args.phone {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            script(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None if std::io::stdin().is_terminal() => keyboard(),
        None => mpsc::channel(1).1,
    };
    let account = args.username.clone().zip(args.password.clone());
    let hook = move |login: ssmi::command::Login, _| {
        let known = account.as_ref().is_none_or(|(username, password)| {
            login.username == username.as_str() && *login.password.expose() == password.as_str()
        });
        async move { if known { Ok(()) } else { Err(NackType::Credentials) } }
    };
    let server = Server::new(hook, Config::default());
    let address = server.listen(&args.listen).await.map_err(|error| format!("{}: {error}", args.listen))?;
    let mut gateway = Gateway::new(server.clone(), &args);
    gateway.say("--", "", format!("listening on {address}"));
    let all_well = gateway.run(steps).await;
    server.shutdown(Duration::from_secs(5)).await;
    Ok(all_well)
}

/// What the phone does.
#[derive(Clone, Debug)]
enum Step {
    Phone(String),
    Dial(String),
    Type(String),
    Cancel,
    Timeout,
    Wait(Duration),
    Sms(String),
    Pause(Duration),
    Quit,
}

impl Step {
    /// Reads one line; none if there is nothing in it.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim_start().trim_end_matches(['\r', '\n']);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let seconds = |default: Option<f64>| {
            let given = if rest.trim().is_empty() { default } else { rest.trim().parse().ok() };
            given
                .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| format!("{word}: how many seconds?"))
        };
        let needed = || {
            let rest = rest.trim();
            if rest.is_empty() { Err(format!("{word}: what?")) } else { Ok(rest.to_owned()) }
        };
        Ok(Some(match word {
            "" => return Ok(None),
            comment if comment.starts_with(';') => return Ok(None),
            "phone" => Self::Phone(needed()?),
            "dial" => Self::Dial(needed()?),
            "type" => Self::Type(rest.to_owned()),
            "cancel" => Self::Cancel,
            "timeout" => Self::Timeout,
            "wait" => Self::Wait(seconds(Some(10.0))?),
            "sms" => Self::Sms(rest.to_owned()),
            "pause" => Self::Pause(seconds(None)?),
            "quit" => Self::Quit,
            other => {
                return Err(format!("{other}: one of phone, dial, type, cancel, timeout, wait, sms, pause, quit"));
            }
        }))
    }
}

/// The steps of a script, all checked before the first is taken.
fn script(text: &str) -> Result<mpsc::Receiver<Step>, String> {
    let mut steps = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        steps.extend(Step::parse(line).map_err(|error| format!("line {number}: {error}"))?);
    }
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for step in steps {
            if sender.send(step).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// The steps that somebody types.
fn keyboard() -> mpsc::Receiver<Step> {
    let (sender, receiver) = mpsc::channel(1);
    // A thread of its own, since reading a terminal cannot be cancelled; it ends with the program.
    std::thread::spawn(move || {
        eprintln!("phone NUMBER, dial CODE, type TEXT, cancel, timeout, wait, sms TEXT, quit");
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match Step::parse(&line) {
                Ok(Some(step)) => {
                    if sender.blocking_send(step).is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => eprintln!("{error}"),
            }
        }
        let _ = sender.blocking_send(Step::Quit);
    });
    receiver
}

struct Gateway {
    server: Server,
    encoding: TextEncoding,
    extended: bool,
    once: bool,
    started: Instant,
    /// The latest account to log in.
    account: Option<Octets>,
    /// The phone in hand.
    phone: String,
    /// Whether the application has shown something since the phone did something.
    shown: bool,
    /// When the next step may be taken, if not before; whether something is to be shown until then.
    waiting: Option<(Instant, bool)>,
    sequence: u32,
}

impl Gateway {
    fn new(server: Server, args: &Args) -> Self {
        Self {
            server,
            encoding: if args.utf8 { TextEncoding::Utf8 } else { TextEncoding::Latin1 },
            extended: args.extended,
            once: args.once,
            started: Instant::now(),
            account: None,
            phone: "27831112222".to_owned(),
            shown: false,
            waiting: None,
            sequence: 9000,
        }
    }

    /// Runs until somebody ends it. Whether the script went well.
    async fn run(&mut self, mut steps: mpsc::Receiver<Step>) -> bool {
        let Some(mut events) = self.server.events() else { return false };
        let mut more = true;
        loop {
            let wake = self.waiting.map(|(at, _)| at);
            let ready = more && wake.is_none() && self.account.is_some();
            tokio::select! {
                Some(event) = events.recv() => self.event(event).await,
                () = sleep_until(wake.unwrap_or(self.started)), if wake.is_some() => {
                    if let Some((_, true)) = self.waiting.take() {
                        let phone = self.phone.clone();
                        self.say("--", &phone, "the application has shown nothing".to_owned());
                        if self.once {
                            return false;
                        }
                    }
                }
                step = steps.recv(), if ready => match step {
                    Some(Step::Quit) => return true,
                    Some(step) => self.step(step).await,
                    None if self.once => return true,
                    None => more = false,
                },
                _ = tokio::signal::ctrl_c() => return true,
            }
        }
    }

    /// The phone does something.
    async fn step(&mut self, step: Step) {
        match step {
            Step::Phone(number) => self.phone = number,
            Step::Dial(code) => self.ussd(UssdType::New, &code).await,
            Step::Type(text) => self.ussd(UssdType::Response, &text).await,
            Step::Cancel => self.ussd(UssdType::End, "").await,
            Step::Timeout => self.ussd(UssdType::Timeout, "").await,
            Step::Wait(_) if self.shown => self.shown = false,
            Step::Wait(duration) => self.waiting = Some((Instant::now() + duration, true)),
            Step::Pause(duration) => self.waiting = Some((Instant::now() + duration, false)),
            Step::Sms(text) => {
                let sequence = self.next_sequence();
                let Some(message) = self.encode(&text) else { return };
                self.send(Mo { msisdn: self.phone.as_str().into(), sequence, message }).await;
            }
            Step::Quit => {}
        }
    }

    async fn ussd(&mut self, ussd_type: UssdType, text: &str) {
        self.shown = false;
        let (msisdn, phase) = (Octets::from(self.phone.as_str()), UssdPhase::Two);
        let Some(message) = self.encode(text) else { return };
        if self.extended {
            let genfields = format!("655011234567890:1:3:{}:7", self.sequence).into();
            self.send(ExtendedUssdMessage { msisdn, ussd_type, phase, genfields, message }).await;
        } else {
            self.send(UssdMessage { msisdn, ussd_type, phase, message }).await;
        }
    }

    /// A client does something.
    async fn event(&mut self, event: Event) {
        let account = event.account.to_text().into_owned();
        match event.what {
            What::Session(ServerEvent::LoggedIn) => {
                self.say(
                    "--",
                    &account,
                    format!("logged in from {}", event.peer.map_or("-".into(), |p| p.to_string())),
                );
                self.account = Some(event.account);
            }
            What::Session(ServerEvent::Received(request)) => {
                self.say("<-", &account, line(|wire| request.encode(wire)));
                self.answer(request).await;
            }
            What::Session(ServerEvent::Refused { request, nack_type }) => {
                self.say("<-", &account, format!("{} refused: {nack_type:?}", request.name()));
            }
            What::Session(ServerEvent::BadLine { bad, nack_type }) => {
                self.say("<-", &account, format!("{} refused: {nack_type:?}", bad.line.octets.escape_ascii()));
            }
            What::Session(other) => self.say("--", &account, format!("{other:?}")),
            What::Closed(reason) => {
                self.say("--", &account, format!("closed: {reason}"));
                if !self.server.accounts().iter().any(|known| Some(known) == self.account.as_ref()) {
                    self.account = None;
                }
            }
            _ => {}
        }
    }

    /// What a network would answer.
    async fn answer(&mut self, request: Request) {
        match request {
            Request::SendUssdMessage(ussd) => self.show(&ussd.msisdn),
            Request::SendExtendedUssdMessage(ussd) => self.show(&ussd.msisdn),
            Request::SendSms(sms) => self.deliver(sms.msisdn).await,
            Request::SendBinarySms(sms) => self.deliver(sms.msisdn).await,
            Request::SendMmsMessage(mms) => self.deliver(mms.msisdn).await,
            Request::SendWapPushMessage(push) => self.deliver(push.msisdn).await,
            Request::ImsiLookup(ImsiLookup { sequence, msisdn, imsi }) => {
                let imsi = if imsi.is_empty() { "655011234567890".into() } else { imsi };
                self.send(ImsiLookupReply { sequence, msisdn, imsi, spid: "65501".into() }).await;
            }
            _ => {}
        }
    }

    fn show(&mut self, msisdn: &Octets) {
        if *msisdn == self.phone.as_str() {
            // Whoever waits has seen it now; else the next to wait has.
            self.shown = !matches!(self.waiting, Some((_, true)));
            self.waiting.take_if(|(_, shown)| *shown);
        }
    }

    async fn deliver(&mut self, msisdn: Octets) {
        let sequence = self.next_sequence();
        self.send(Seq { msisdn: msisdn.clone(), sequence: sequence.clone() }).await;
        self.send(DeliveryReport { msisdn, sequence, ret_code: DeliveryCode::Success }).await;
    }

    async fn send(&mut self, response: impl Into<Response>) {
        let response = response.into();
        let Some(account) = self.account.clone() else { return };
        let text = line(|wire| response.encode(wire));
        let sent = self.server.send(&account, response).await;
        self.say("->", &account.to_text(), sent.map_or_else(|error| format!("{text}: {error}"), |()| text.clone()));
    }

    fn encode(&self, text: &str) -> Option<Octets> {
        self.encoding.encode(text).map_err(|error| self.say("--", "", error.to_string())).ok()
    }

    fn next_sequence(&mut self) -> Octets {
        self.sequence += 1;
        self.sequence.to_string().into()
    }

    fn say(&self, direction: &str, who: &str, text: String) {
        let at = self.started.elapsed().as_secs_f64();
        // Whoever read this may have seen enough; the gateway goes on.
        let _ = writeln!(std::io::stdout(), "{at:>9.3}  {who:<12} {direction} {text}");
    }
}

/// A command as its line, in printable characters.
fn line<E>(encode: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> String {
    let mut wire = BytesMut::new();
    // What cannot be written is told when it is sent.
    let _ = encode(&mut wire);
    wire.strip_suffix(b"\r").unwrap_or(&wire).escape_ascii().to_string()
}
