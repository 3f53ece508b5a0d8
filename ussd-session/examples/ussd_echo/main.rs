//! An echo service behind a TruTeq gateway: the main job of these crates, whole.
//!
//! ```text
//! cargo run --example ussd_echo
//! cargo run --example ussd_echo -- --json
//! cargo run --example ussd_echo -- --connect HOST:PORT --username U --password P
//! ```
//!
//! Without arguments it starts a gateway with two phones in the process, and ends when they have hung up. It prints
//! what each layer sees: the SSMI line, the event of the session, the Vumi message for the application, its reply. With
//! `--connect` it serves a real gateway until it is interrupted; progress goes to standard error.

mod echo;
mod gateway;
mod show;

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ssmi::client::{self, Client};
use ssmi::command::{Login, Response};
use ssmi::session::ClientEvent;
use tokio::sync::mpsc;
use ussd_session::adapters::ssmi::{self as line, Dialect};
use ussd_session::adapters::vumi::{self, Via};
use ussd_session::{
    Action, Callback, Config, Event, FrameKind, LinkId, OwnedEffect, OwnedEvent, Runner, SendWhy, SessionId,
};
use vumi_message::{SessionEvent, Stamp, UserMessage};

use crate::echo::EchoService;
use crate::show::Show;

/// An echo service behind a TruTeq gateway.
#[derive(Parser)]
struct Args {
    /// Serve the gateway at this address, instead of one in the process.
    #[arg(long, value_name = "HOST:PORT", requires = "username", requires = "password")]
    connect: Option<String>,
    /// Account on the gateway.
    #[arg(long)]
    username: Option<String>,
    /// Its password.
    #[arg(long)]
    password: Option<String>,
    /// Print one JSON object for each event.
    #[arg(long)]
    json: bool,
}

/// The only link of this program.
const LINK: LinkId = LinkId(0);

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ussd_echo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let show = Show { json: args.json };
    match args.connect {
        Some(address) => {
            let login = Login {
                username: args.username.unwrap_or_default().into(),
                password: args.password.unwrap_or_default().into(),
            };
            eprintln!("connecting to {address}; interrupt to end");
            let client = Client::connect(address, login, client::Config::default())?;
            serve(client, show, |_closed| async {
                let _ = tokio::signal::ctrl_c().await;
                eprintln!("logging out");
            })
            .await
        }
        None => {
            let address = gateway::start().await?;
            let client = Client::connect(address.to_string(), gateway::login(), client::Config::default())?;
            serve(client, show, |mut closed| async move {
                for _ in 0..gateway::PHONES {
                    closed.recv().await;
                }
            })
            .await
        }
    }
}

/// Joins gateway, sessions and application, until `end`, which is told of every session that is over.
async fn serve<E: Future<Output = ()>>(
    client: Client,
    show: Show,
    end: impl FnOnce(mpsc::UnboundedReceiver<()>) -> E,
) -> Result<(), Box<dyn Error>> {
    let (events, inbox) = mpsc::channel(64);
    let (outbox, effects) = mpsc::channel(64);
    let (over, closed) = mpsc::unbounded_channel();
    let lines = client.events().ok_or("the events are taken")?;
    let runner = tokio::spawn(Runner::new(EchoService, Config::default()).run(inbox, outbox));
    let outbound = tokio::spawn(outbound(effects, client.clone(), events.downgrade(), over, show));
    let mut inbound = tokio::spawn(inbound(lines, events, show));
    let result = tokio::select! {
        () = end(closed) => Ok(()),
        stopped = &mut inbound => Err(stopped?.into()),
    };
    // Without its sender the inbox is closed: open sessions get a last text, and the runner ends.
    inbound.abort();
    runner.await?;
    outbound.await?;
    client.logout().await;
    result
}

/// From the gateway to the sessions.
///
/// Ends when the client has stopped for good.
async fn inbound(mut lines: client::Events, events: mpsc::Sender<(LinkId, OwnedEvent)>, show: Show) -> String {
    while let Some(event) = lines.recv().await {
        let event = match event {
            client::Event::Up => {
                eprintln!("logged in");
                Some(Event::LinkUp.into())
            }
            client::Event::Down { why, retry_in } => {
                eprintln!("down: {why}; next try in {retry_in:.1?}");
                Some(Event::LinkDown.into())
            }
            client::Event::Stopped(why) => return why.to_string(),
            client::Event::Session(ClientEvent::Received(response)) => session_event(&response, show),
            _ => None,
        };
        if let Some(event) = event
            && events.send((LINK, event)).await.is_err()
        {
            break;
        }
    }
    "the client is gone".to_owned()
}

/// What a line means to a session, if it is about one.
fn session_event(response: &Response, show: Show) -> Option<OwnedEvent> {
    match line::event(response, &Dialect::default()) {
        Ok(Some(event)) => {
            show.line_in(response);
            show.event(&event);
            Some(event)
        }
        Ok(None) => None,
        Err(error) => {
            eprintln!("left out: {error}");
            None
        }
    }
}

/// From the sessions to the gateway.
async fn outbound(
    mut effects: mpsc::Receiver<OwnedEffect>,
    client: Client,
    events: mpsc::WeakSender<(LinkId, OwnedEvent)>,
    over: mpsc::UnboundedSender<()>,
    show: Show,
) {
    let via = Via { transport_name: "ussd_echo".to_owned(), ..Via::default() };
    // Messages whose reply is to come: one for each session that waits for the application.
    let mut waiting: HashMap<SessionId, UserMessage> = HashMap::new();
    while let Some(effect) = effects.recv().await {
        let effect = effect.as_effect();
        if let Some(message) = vumi::message(&effect, &Stamp::now(), &via) {
            show.vumi(&message);
            if let Action::Call(Callback::New { token, .. } | Callback::Existing { token, .. }) = &effect.action {
                waiting.insert(token.session, message);
            }
        }
        if let Action::Closed(summary) = &effect.action {
            waiting.remove(&summary.session);
            // Nobody may be waiting for it.
            let _ = over.send(());
        }
        let Action::Send(frame) = &effect.action else { continue };
        show.reply(effect.subscriber, frame);
        if let Some(message) = frame.token.and_then(|token| waiting.remove(&token.session)) {
            let close = (frame.kind != FrameKind::Prompt).then_some(SessionEvent::Close);
            show.vumi(&message.reply(Stamp::now(), frame.text.as_str(), close));
        }
        let sent = match line::request(frame, effect.subscriber, &Dialect::default()) {
            Ok(request) => {
                show.line_out(&request);
                client.request(request).await.map_err(|error| (error.to_string(), SendWhy::NoLink))
            }
            Err(error) => Err((error.to_string(), SendWhy::Unencodable)),
        };
        if let (Err((error, why)), Some(token)) = (sent, frame.token) {
            eprintln!("not sent: {error}");
            let failed = Event::SendFailed { to: effect.subscriber, token, why };
            // Not awaited: the runner may be waiting for this very task.
            let _ = events.upgrade().map(|events| events.try_send((LINK, failed.into())));
        }
    }
}
