//! What must hold of the sessions whatever happens, in which order, and when.
#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::time::{Duration, Instant};

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use ssmi::command::*;
use ssmi::framing::{Framing, LineCutter};
use ssmi::session::{
    ClientConfig, ClientEvent, ClientSession, Input, Output, SendError, ServerConfig, ServerEvent, ServerSession,
    State, Ticket, Unanswered,
};
use ssmi::types::Octets;

const SECOND: Duration = Duration::from_secs(1);

/// What happens to a client that is logged in.
#[derive(Clone, Debug)]
enum Step {
    Submit(u8),
    Lookup,
    Seq(u8, u8),
    Report(u8, u8),
    /// The reply to this of the lookups so far.
    Reply(u8),
    Claim(u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0..3_u8;
    prop_oneof![
        4 => small.clone().prop_map(Step::Submit),
        2 => Just(Step::Lookup),
        4 => (small.clone(), 0..6_u8).prop_map(|(number, sequence)| Step::Seq(number, sequence)),
        3 => (small.clone(), 0..6_u8).prop_map(|(number, sequence)| Step::Report(number, sequence)),
        2 => (0..8_u8).prop_map(Step::Reply),
        1 => small.prop_map(Step::Claim),
        3 => prop_oneof![Just(0), Just(1), 2..40_u64].prop_map(Step::Pass),
    ]
}

/// The same in the plainest way: lists that are searched from the front.
#[derive(Default)]
struct Model {
    now: u64,
    waiting: Vec<(u8, Ticket, u64)>,
    unclaimed: Vec<(u8, u8, u64)>,
    reports: Vec<(u8, u8, Ticket, u64)>,
    lookups: Vec<(String, Ticket, u64)>,
    told: Vec<Told>,
}

/// An event, as far as the model has one.
#[derive(Debug, PartialEq)]
enum Told {
    Sequenced(Ticket),
    NotSequenced(Ticket, Unanswered),
    Unclaimed,
    Report(Option<Ticket>),
    NotReported(Ticket, Unanswered),
    LookedUp(Ticket),
    NotLookedUp(Ticket, Unanswered),
    Stray,
}

const BOUND: usize = 3;
const AGE: u64 = 30;
const REPORT_AGE: u64 = 50;

fn config() -> ClientConfig {
    ClientConfig::default()
        .link_check(None)
        .max_waiting(BOUND)
        .max_unclaimed(BOUND)
        .max_reports(BOUND)
        .max_lookups(BOUND)
        .sequence_timeout(AGE as u32 * SECOND)
        .unclaimed_age(AGE as u32 * SECOND)
        .lookup_timeout(AGE as u32 * SECOND)
        .report_timeout(REPORT_AGE as u32 * SECOND)
}

impl Model {
    fn submit(&mut self, number: u8, ticket: Ticket) {
        if self.waiting.len() == BOUND {
            let (_, oldest, _) = self.waiting.remove(0);
            self.told.push(Told::NotSequenced(oldest, Unanswered::Forgotten));
        }
        self.waiting.push((number, ticket, self.now + AGE));
    }

    fn seq(&mut self, number: u8, sequence: u8) {
        let Some(at) = self.waiting.iter().position(|(waiting, _, _)| *waiting == number) else {
            if self.unclaimed.len() == BOUND {
                self.unclaimed.remove(0);
            }
            self.unclaimed.push((number, sequence, self.now + AGE));
            self.told.push(Told::Unclaimed);
            return;
        };
        let (_, ticket, _) = self.waiting.remove(at);
        let forgotten = (self.reports.len() == BOUND).then(|| self.reports.remove(0).2);
        self.reports.push((number, sequence, ticket, self.now + REPORT_AGE));
        self.told.push(Told::Sequenced(ticket));
        self.told.extend(forgotten.map(|ticket| Told::NotReported(ticket, Unanswered::Forgotten)));
    }

    fn report(&mut self, number: u8, sequence: u8) {
        let at = self.reports.iter().position(|known| (known.0, known.1) == (number, sequence));
        let ticket = at.map(|at| self.reports.remove(at).2);
        self.told.push(Told::Report(ticket));
    }

    fn reply(&mut self, sequence: &str) {
        match self.lookups.iter().position(|(known, _, _)| known == sequence) {
            Some(at) => {
                let (_, ticket, _) = self.lookups.remove(at);
                self.told.push(Told::LookedUp(ticket));
            }
            None => self.told.push(Told::Stray),
        }
    }

    fn claim(&mut self, number: u8) -> Option<u8> {
        let at = self.unclaimed.iter().position(|(unclaimed, _, _)| *unclaimed == number)?;
        Some(self.unclaimed.remove(at).1)
    }

    /// A second passes.
    fn tick(&mut self) {
        self.now += 1;
        let now = self.now;
        for (_, ticket, _) in self.waiting.extract_if(.., |(_, _, at)| *at <= now) {
            self.told.push(Told::NotSequenced(ticket, Unanswered::TimedOut));
        }
        for (_, ticket, _) in self.lookups.extract_if(.., |(_, _, at)| *at <= now) {
            self.told.push(Told::NotLookedUp(ticket, Unanswered::TimedOut));
        }
        self.unclaimed.retain(|(_, _, at)| *at > now);
        for (_, _, ticket, _) in self.reports.extract_if(.., |(_, _, _, at)| *at <= now) {
            self.told.push(Told::NotReported(ticket, Unanswered::TimedOut));
        }
    }
}

/// A number in one of several spellings.
fn number(number: u8, spelling: usize) -> Octets {
    let prefix = ["2783000000", "+2783000000", "002783000000", "27 83 000-000"][spelling % 4];
    format!("{prefix}{number}").into()
}

/// What the session says; what it sends is given besides.
fn drain(session: &mut ClientSession, told: &mut Vec<Told>) -> Vec<Request> {
    let mut sent = Vec::new();
    while let Some(output) = session.poll() {
        let event = match output {
            Output::Send(request) => {
                sent.push(request);
                continue;
            }
            Output::Event(event) => event,
            Output::Close(reason) => panic!("{reason}"),
        };
        told.push(match event {
            ClientEvent::LoggedIn => continue,
            ClientEvent::Sequenced { ticket, .. } => Told::Sequenced(ticket),
            ClientEvent::NotSequenced { ticket, why } => Told::NotSequenced(ticket, why),
            ClientEvent::Unclaimed(_) => Told::Unclaimed,
            ClientEvent::Report { ticket, .. } => Told::Report(ticket),
            ClientEvent::NotReported { ticket, why } => Told::NotReported(ticket, why),
            ClientEvent::LookedUp { ticket, .. } => Told::LookedUp(ticket),
            ClientEvent::NotLookedUp { ticket, why } => Told::NotLookedUp(ticket, why),
            ClientEvent::Received(Response::ImsiLookupReply(_)) => Told::Stray,
            other => panic!("{other:?}"),
        });
    }
    sent
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_order_the_session_does_as_the_model(steps in vec(step(), 0..60)) {
        let start = Instant::now();
        let mut session = ClientSession::new(config(), Login::default(), start).unwrap();
        session.handle(Ok(Ack::default().into()), start);
        let (mut model, mut told) = (Model::default(), Vec::new());
        drain(&mut session, &mut told);
        for (spelling, step) in steps.into_iter().enumerate() {
            let now = start + model.now as u32 * SECOND;
            match step {
                Step::Submit(to) => {
                    let sms = SendSms { msisdn: number(to, spelling), ..SendSms::default() };
                    let ticket = session.request(sms, now).unwrap();
                    model.submit(to, ticket);
                }
                Step::Lookup => match session.request(ImsiLookup::default(), now) {
                    Ok(ticket) => {
                        let sent = drain(&mut session, &mut told);
                        let Some(Request::ImsiLookup(lookup)) = sent.last() else { panic!("a lookup") };
                        let sequence = lookup.sequence.to_text().into_owned();
                        prop_assert!(model.lookups.iter().all(|(known, _, _)| *known != sequence));
                        model.lookups.push((sequence, ticket, model.now + AGE));
                        prop_assert!(model.lookups.len() <= BOUND);
                    }
                    Err(error) => {
                        prop_assert_eq!(error, SendError::TooManyLookups);
                        prop_assert_eq!(model.lookups.len(), BOUND);
                    }
                },
                Step::Seq(to, sequence) => {
                    let seq = Seq { msisdn: number(to, spelling), sequence: sequence.to_string().into() };
                    session.handle(Ok(seq.into()), now);
                    model.seq(to, sequence);
                }
                Step::Report(to, sequence) => {
                    let sequence_text = sequence.to_string().into();
                    let report =
                        DeliveryReport { msisdn: number(to, spelling), sequence: sequence_text, ..Default::default() };
                    session.handle(Ok(report.into()), now);
                    model.report(to, sequence);
                }
                Step::Reply(sequence) => {
                    let reply = ImsiLookupReply { sequence: sequence.to_string().into(), ..Default::default() };
                    session.handle(Ok(reply.into()), now);
                    model.reply(&sequence.to_string());
                }
                Step::Claim(to) => {
                    let claimed = session.claim(&number(to, spelling));
                    prop_assert_eq!(claimed, model.claim(to).map(|sequence| sequence.to_string().into()));
                }
                Step::Pass(seconds) => for _ in 0..seconds {
                    model.tick();
                    let now = start + model.now as u32 * SECOND;
                    // It may be asked early; it must be asked when it says so.
                    if session.next_timeout().is_some_and(|at| at <= now) {
                        session.handle_timeout(now);
                    }
                },
            }
            drain(&mut session, &mut told);
            prop_assert_eq!(&told, &model.told);
        }
        let left: Vec<_> = model.waiting.iter().map(|waiting| Told::NotSequenced(waiting.1, Unanswered::Closed))
            .chain(model.lookups.iter().map(|lookup| Told::NotLookedUp(lookup.1, Unanswered::Closed)))
            .collect();
        session.close();
        let mut told = Vec::new();
        let mut closed = false;
        while let Some(output) = session.poll() {
            prop_assert!(!closed, "nothing follows the close");
            match output {
                Output::Event(ClientEvent::NotSequenced { ticket, why }) => told.push(Told::NotSequenced(ticket, why)),
                Output::Event(ClientEvent::NotLookedUp { ticket, why }) => told.push(Told::NotLookedUp(ticket, why)),
                Output::Close(_) => closed = true,
                other => panic!("{other:?}"),
            }
        }
        prop_assert!(closed);
        prop_assert_eq!(told, left, "everything that waits is told");
    }

    #[test]
    fn no_octets_stop_a_client(octets in octets(), login: bool, strict: bool) {
        let now = Instant::now();
        let mut session = ClientSession::new(ClientConfig::default(), Login::default(), now).unwrap();
        if login {
            session.handle(Ok(Ack::default().into()), now);
        }
        let (mut cutter, mut buffer) = (cutter(strict), BytesMut::from(&octets[..]));
        let mut closed = false;
        loop {
            let mut outputs = 0;
            while let Some(output) = session.poll() {
                prop_assert!(!closed, "nothing follows the close");
                outputs += 1;
                closed = matches!(output, Output::Close(_));
            }
            prop_assert!(outputs <= 4, "an input has few consequences, not {}", outputs);
            match cutter.cut(&mut buffer) {
                Ok(Some(line)) => session.handle(line.response(), now),
                Ok(None) if session.state() == State::Closed => break,
                Ok(None) => session.handle(Input::PeerClosed, now),
                Err(_) if session.state() == State::Closed => break,
                Err(error) => session.handle(Input::TooLong(error), now),
            }
        }
        prop_assert!(closed);
        prop_assert_eq!(session.next_timeout(), None);
    }

    #[test]
    fn no_octets_stop_a_server(octets in octets(), accepted: bool, strict: bool) {
        let now = Instant::now();
        let mut session = ServerSession::new(ServerConfig::default(), now);
        let (mut cutter, mut buffer) = (cutter(strict), BytesMut::from(&octets[..]));
        let (mut lines, mut nacks, mut open, mut closed) = (0, 0, false, false);
        loop {
            while let Some(output) = session.poll() {
                prop_assert!(!closed, "nothing follows the close");
                match output {
                    Output::Event(ServerEvent::LoginRequested(_)) if accepted => session.accept(now).unwrap(),
                    Output::Event(ServerEvent::LoginRequested(_)) => session.refuse(Default::default()).unwrap(),
                    Output::Event(ServerEvent::LoggedIn) => open = true,
                    Output::Event(ServerEvent::Received(_)) => prop_assert!(open, "nothing passes before the login"),
                    Output::Event(_) => {}
                    Output::Send(Response::Nack(_)) => nacks += 1,
                    Output::Send(response) => prop_assert_eq!(response.name(), "ACK"),
                    Output::Close(_) => closed = true,
                }
            }
            prop_assert!(nacks <= lines);
            match cutter.cut(&mut buffer) {
                Ok(Some(line)) => {
                    lines += 1;
                    session.handle(line.request(), now);
                }
                Ok(None) if session.state() == State::Closed => break,
                Ok(None) => session.handle(Input::PeerClosed, now),
                Err(_) if session.state() == State::Closed => break,
                Err(error) => session.handle(Input::TooLong(error), now),
            }
        }
        prop_assert!(closed);
    }
}

fn cutter(strict: bool) -> LineCutter {
    LineCutter::new(if strict { Framing::Strict } else { Framing::Tolerant }).with_limit(200)
}

/// Lines that are commands, nearly so, or nothing of the kind.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "SSMI,(1|2|3|4|99|100|101|102|103|104|105|110|111|112|120|199|600|7?)(,[a-z0-9:\n]{0,6}){0,6}",
        2 => Just("SSMI,1,vodka,marmalade".to_owned()),
        1 => "(SSMI)?.{0,20}",
        1 => Just("\n".to_owned()),
        1 => Just("z".repeat(250)),
    ];
    let lines = vec((line, prop_oneof![9 => Just("\r"), 1 => Just("\r\n"), 1 => Just("")]), 0..20);
    prop_oneof![
        4 => lines.prop_map(|lines| lines.into_iter().flat_map(|(line, end)| (line + end).into_bytes()).collect()),
        1 => vec(any::<u8>(), 0..400),
    ]
}

/// A gateway that sends without end: what the session keeps is bounded, and short.
#[test]
fn a_flood_does_not_make_a_session_grow() {
    let now = Instant::now();
    let config = ClientConfig::default().max_unclaimed(10).max_waiting(10).max_reports(10);
    let mut session = ClientSession::new(config, Login::default(), now).unwrap();
    session.handle(Ok(Ack::default().into()), now);
    let before = format!("{session:?}").len();
    for number in 0..10_000_u32 {
        let long = Octets::from(vec![b'1'; if number % 2 == 0 { 10_000 } else { 20 }]);
        let sms = SendSms { msisdn: number.to_string().into(), ..SendSms::default() };
        session.request(sms, now).unwrap();
        for seq in [
            Seq { msisdn: number.to_string().into(), sequence: long.clone() },
            Seq { msisdn: number.to_string().into(), sequence: number.to_string().into() },
            Seq { msisdn: long, sequence: number.to_string().into() },
        ] {
            session.handle(Ok(seq.into()), now);
        }
        while session.poll().is_some() {}
    }
    let after = format!("{session:?}").len();
    assert!(after < before + 20_000, "{before} octets of state became {after}");
}
