//! What must hold of a session, and of two that speak with each other, whatever happens, in which order, and when.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use smpp::framing::StreamDecoder;
use smpp::pdu::*;
use smpp::session::{
    CloseReason, Config, Event, Input, Output, RequestError, Role, Sent, Session, State, Ticket, Unanswered,
};
use smpp::types::{CommandId, CommandStatus, SequenceNumber};

const SECOND: Duration = Duration::from_secs(1);
const WINDOW: usize = 3;
const TIMEOUT: u64 = 10;
const LATE: u64 = 25;
const MAX_LATE: usize = 2;

fn config() -> Config {
    Config::default()
        .window(WINDOW)
        .peer_window(4)
        .response_timeout(SECOND * 10)
        .late_age(SECOND * 25)
        .max_late(MAX_LATE)
        .max_faults(None)
        .enquire_link(None)
        .drain_timeout(SECOND * 3)
}

/// What happens to an ESME that is bound.
#[derive(Clone, Debug)]
enum Step {
    Submit,
    Query,
    Enquire,
    /// An answer to the request that was made so many requests ago, by submit_sm_resp or by query_sm_resp.
    Answer(usize, bool),
    /// The same by generic_nack.
    Nack(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Submit),
        2 => Just(Step::Query),
        1 => Just(Step::Enquire),
        6 => (0..6_usize, any::<bool>()).prop_map(|(ago, submit)| Step::Answer(ago, submit)),
        1 => (0..6_usize).prop_map(Step::Nack),
        3 => prop_oneof![Just(0), Just(1), 2..30_u64].prop_map(Step::Pass),
    ]
}

/// The same in the plainest way: lists that are searched from the front.
#[derive(Default)]
struct Model {
    now: u64,
    /// All numbers ever given.
    given: Vec<SequenceNumber>,
    outstanding: Vec<(SequenceNumber, CommandId, u64)>,
    late: Vec<(SequenceNumber, u64)>,
    told: Vec<Told>,
}

/// An event, as far as the model has one.
#[derive(Debug, PartialEq)]
enum Told {
    Response(SequenceNumber),
    Mismatched(SequenceNumber),
    TimedOut(SequenceNumber),
    Late(SequenceNumber),
    Stray,
}

impl Model {
    fn windowed(&self) -> usize {
        self.outstanding.iter().filter(|(_, id, _)| *id != CommandId::ENQUIRE_LINK).count()
    }

    fn answer(&mut self, number: SequenceNumber, response: CommandId) {
        self.late.retain(|(_, until)| *until > self.now);
        if let Some(at) = self.outstanding.iter().position(|(given, _, _)| *given == number) {
            let (_, request, _) = self.outstanding.remove(at);
            let fits = request.response() == Some(response) || response == CommandId::GENERIC_NACK;
            self.told.push(if fits { Told::Response(number) } else { Told::Mismatched(number) });
        } else if let Some(at) = self.late.iter().position(|(given, _)| *given == number) {
            self.late.remove(at);
            self.told.push(Told::Late(number));
        } else {
            self.told.push(Told::Stray);
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        while let Some((number, _, until)) =
            self.outstanding.first().copied().filter(|(_, _, until)| *until <= self.now)
        {
            assert!(until <= self.now);
            self.outstanding.remove(0);
            self.told.push(Told::TimedOut(number));
            self.late.retain(|(_, until)| *until > self.now);
            self.late.push((number, self.now + LATE));
            if self.late.len() > MAX_LATE {
                self.late.remove(0);
            }
        }
    }
}

fn told(event: Event) -> Told {
    match event {
        Event::Response { request, .. } => Told::Response(request.number),
        Event::Mismatched { request, .. } => Told::Mismatched(request.number),
        Event::Unanswered { request, why: Unanswered::TimedOut } => Told::TimedOut(request.number),
        Event::Late { request, .. } => Told::Late(request.number),
        Event::Duplicate(_) | Event::Unexpected(_) => Told::Stray,
        other => panic!("{other:?}"),
    }
}

fn feed(session: &mut Session, number: u32, pdu: impl Into<Pdu>, now: Instant) {
    session.handle(Input::Pdu(Ok(Frame::response(number, CommandStatus::ROK, pdu))), now);
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll()).collect()
}

proptest! {
    /// Numbers, window, time-outs and late answers are those of plain lists, across the end of the numbers too.
    #[test]
    fn a_session_keeps_the_books_of_the_model(
        first in prop_oneof![1..5_u32, SequenceNumber::MAX - 20..=SequenceNumber::MAX],
        steps in vec(step(), 0..60),
    ) {
        let start = Instant::now();
        let mut session = Session::esme(config().first_number(first.try_into().unwrap()), start);
        let bind = session.request(BindTransceiver::default(), start).unwrap();
        feed(&mut session, bind.get(), BindTransceiverResp::default(), start);
        outputs(&mut session);
        let mut model = Model { given: vec![bind], ..Model::default() };
        for step in steps {
            let now = start + SECOND * u32::try_from(model.now).unwrap();
            match step {
                Step::Submit | Step::Query | Step::Enquire => {
                    let (pdu, id): (Pdu, _) = match step {
                        Step::Submit => (SubmitSm::default().into(), CommandId::SUBMIT_SM),
                        Step::Query => (QuerySm::default().into(), CommandId::QUERY_SM),
                        _ => (EnquireLink::default().into(), CommandId::ENQUIRE_LINK),
                    };
                    let full = id != CommandId::ENQUIRE_LINK && model.windowed() >= WINDOW
                        || id == CommandId::ENQUIRE_LINK && model.outstanding.len() - model.windowed() >= 16;
                    match session.request(pdu, now) {
                        Ok(number) => {
                            prop_assert!(!full);
                            prop_assert!(!model.outstanding.iter().any(|(given, _, _)| *given == number));
                            model.given.push(number);
                            model.outstanding.push((number, id, model.now + TIMEOUT));
                        }
                        Err(error) => {
                            prop_assert_eq!(error, RequestError::WindowFull);
                            prop_assert!(full);
                        }
                    }
                }
                Step::Answer(ago, submit) => {
                    let number = model.given[model.given.len().saturating_sub(ago + 1)];
                    match submit {
                        true => feed(&mut session, number.get(), SubmitSmResp::default(), now),
                        false => feed(&mut session, number.get(), QuerySmResp::default(), now),
                    }
                    model.answer(number, if submit { CommandId::SUBMIT_SM_RESP } else { CommandId::QUERY_SM_RESP });
                }
                Step::Nack(ago) => {
                    let number = model.given[model.given.len().saturating_sub(ago + 1)];
                    feed(&mut session, number.get(), GenericNack::default(), now);
                    model.answer(number, CommandId::GENERIC_NACK);
                }
                Step::Pass(seconds) => {
                    model.pass(seconds);
                    session.handle_timeout(start + SECOND * u32::try_from(model.now).unwrap());
                }
            }
            prop_assert_eq!(session.unanswered_requests(), model.outstanding.len());
            prop_assert_eq!(session.room(), WINDOW - model.windowed());
            let next = model.outstanding.first().map(|(_, _, until)| start + SECOND * u32::try_from(*until).unwrap());
            prop_assert_eq!(session.next_timeout(), next);
        }
        let events: Vec<Told> = outputs(&mut session)
            .into_iter()
            .map(|output| match output {
                Output::Event(event) => told(event),
                Output::Close(reason) => panic!("{reason}"),
            })
            .collect();
        prop_assert_eq!(events, model.told);
    }
}

/// One end, and what is on its way to it.
struct End {
    session: Session,
    arriving: Vec<(u64, Frame)>,
    sent: HashMap<SequenceNumber, usize>,
    /// Requests that were sent, and outcomes that were told.
    requests: usize,
    outcomes: usize,
    to_answer: Vec<(Ticket, CommandId)>,
    closed: Option<CloseReason>,
}

impl End {
    fn new(role: Role, now: Instant) -> Self {
        Self {
            session: Session::new(role, config(), now),
            arriving: Vec::new(),
            sent: HashMap::new(),
            requests: 0,
            outcomes: 0,
            to_answer: Vec::new(),
            closed: None,
        }
    }

    fn outcome(&mut self, request: Sent) {
        let unanswered = self.sent.remove(&request.number);
        assert!(unanswered.is_some(), "a second outcome, or one of nothing: {request:?}");
        self.outcomes += 1;
    }

    fn request(&mut self, pdu: impl Into<Pdu>, now: Instant) {
        if let Ok(number) = self.session.request(pdu, now) {
            self.requests += 1;
            assert_eq!(self.sent.insert(number, self.requests), None, "a number that is unanswered");
        }
    }

    fn pump(&mut self) {
        while let Some(output) = self.session.poll() {
            assert_eq!(self.closed, None, "nothing follows the end, as {output:?}");
            match output {
                Output::Event(Event::Request { ticket, request }) => {
                    self.to_answer.push((ticket, request.pdu.command_id()));
                }
                Output::Event(
                    Event::Response { request, .. }
                    | Event::Mismatched { request, .. }
                    | Event::Unanswered { request, .. },
                ) => self.outcome(request),
                Output::Event(_) => {}
                Output::Close(reason) => self.closed = Some(reason),
            }
        }
        assert!(self.session.to_be_answered() <= 4, "the window");
        assert!(self.session.unanswered_requests() <= WINDOW + 16);
    }
}

/// What happens to two ends.
#[derive(Clone, Debug)]
enum Turn {
    Request(bool),
    Answer(bool, usize),
    Drop(bool, usize),
    Unbind(bool),
    /// The link is lost, as one end sees it.
    Lose(bool),
    Pass(u64),
}

/// What becomes of a PDU on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives(u64),
    Twice(u64),
    Lost,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        6 => any::<bool>().prop_map(Turn::Request),
        6 => (any::<bool>(), 0..5_usize).prop_map(|(end, which)| Turn::Answer(end, which)),
        1 => (any::<bool>(), 0..5_usize).prop_map(|(end, which)| Turn::Drop(end, which)),
        6 => prop_oneof![Just(0), Just(1), 2..12_u64].prop_map(Turn::Pass),
        // Seldom, or there is little to see before.
        1 => prop::sample::select(vec![Turn::Pass(1); 6].into_iter().chain([false, true].map(Turn::Unbind)).chain([false, true].map(Turn::Lose)).collect::<Vec<_>>()),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Arrives(0)),
        4 => (0..15_u64).prop_map(Fate::Arrives),
        1 => (0..5_u64).prop_map(Fate::Twice),
        1 => Just(Fate::Lost),
    ]
}

fn transfer(from: &mut Session, to: &mut Vec<(u64, Frame)>, time: u64, fates: &mut impl Iterator<Item = Fate>) {
    let mut octets: BytesMut = std::mem::take(from.unwritten_mut());
    let mut decoder = StreamDecoder::default();
    while let Some(frame) = decoder.decode(&mut octets).unwrap() {
        let frame = frame.unwrap();
        match fates.next().unwrap_or(Fate::Arrives(0)) {
            Fate::Arrives(delay) => to.push((time + delay, frame)),
            Fate::Twice(delay) => {
                to.push((time, frame.clone()));
                to.push((time + delay, frame));
            }
            Fate::Lost => {}
        }
    }
    assert!(octets.is_empty());
}

proptest! {
    /// Whatever the way does to the PDUs, every request has exactly one outcome, nothing beyond a window is held, and
    /// both ends close when they are told to.
    #[test]
    fn every_request_has_one_outcome(turns in vec(turn(), 0..80), fates in vec(fate(), 0..120)) {
        let start = Instant::now();
        let at = |time: u64| start + SECOND * u32::try_from(time).unwrap();
        let mut ends = [End::new(Role::Esme, start), End::new(Role::MessageCentre, start)];
        let mut fates = fates.into_iter();
        let mut time = 0;
        ends[0].request(BindTransceiver::default(), start);
        for turn in turns {
            match turn {
                Turn::Request(false) => ends[0].request(SubmitSm::default(), at(time)),
                Turn::Request(true) => ends[1].request(DeliverSm::default(), at(time)),
                Turn::Answer(end, which) | Turn::Drop(end, which) => {
                    let end = &mut ends[usize::from(end)];
                    if which < end.to_answer.len() {
                        let (ticket, request) = end.to_answer.remove(which);
                        let response: Pdu = match request {
                            CommandId::BIND_TRANSCEIVER => BindTransceiverResp::default().into(),
                            CommandId::SUBMIT_SM => SubmitSmResp::default().into(),
                            _ => DeliverSmResp::default().into(),
                        };
                        let answered = match turn {
                            Turn::Answer(..) => end.session.respond(ticket, CommandStatus::ROK, response, at(time)),
                            _ => end.session.refuse(ticket, CommandStatus::RSYSERR, at(time)),
                        };
                        prop_assert!(answered.is_ok() || matches!(end.session.state(), State::Closed | State::Unbound));
                    }
                }
                Turn::Unbind(end) => ends[usize::from(end)].session.unbind(at(time)),
                Turn::Lose(end) => ends[usize::from(end)].session.handle(Input::PeerClosed, at(time)),
                Turn::Pass(seconds) => time += seconds,
            }
            for _ in 0..3 {
                let [esme, centre] = &mut ends;
                transfer(&mut esme.session, &mut centre.arriving, time, &mut fates);
                transfer(&mut centre.session, &mut esme.arriving, time, &mut fates);
                for end in &mut ends {
                    end.session.handle_timeout(at(time));
                    let arriving = std::mem::take(&mut end.arriving);
                    let (now, later): (Vec<_>, Vec<_>) = arriving.into_iter().partition(|(due, _)| *due <= time);
                    end.arriving = later;
                    for (_, frame) in now {
                        end.session.handle(Input::Pdu(Ok(frame)), at(time));
                    }
                    end.pump();
                }
            }
        }
        for end in &mut ends {
            prop_assert_eq!(end.requests, end.outcomes + end.sent.len());
            prop_assert_eq!(end.session.unanswered_requests(), end.sent.len());
            end.session.unbind(at(time));
            for _ in 0..20 {
                time += 1;
                end.session.handle_timeout(at(time));
            }
            end.pump();
            prop_assert!(end.closed.is_some() && end.sent.is_empty());
            prop_assert_eq!((end.session.next_timeout(), end.requests), (None, end.outcomes));
        }
    }
}
