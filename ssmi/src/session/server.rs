use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use bytes::BytesMut;

use super::timers::{Timer, TimerTable};
use super::{CloseReason, Input, Output, SendError, ServerConfig, ServerEvent, State};
use crate::command::{Ack, Login, Nack, RemoteLogout, Request, Response};
use crate::framing::BadLine;
use crate::types::{AckType, NackType, Octets};

/// The gateway's end of one connection.
///
/// [The module](super) says in which order to call. In addition:
///
/// * [`ServerEvent::LoginRequested`] is answered with [`accept`](Self::accept) or [`refuse`](Self::refuse). Until
///   then [`wants_input`](Self::wants_input) is false and what the client sends is to be left unread.
/// * Before the login, every other line is answered with NACK 1. Afterwards an unknown id is answered with NACK 2, too
///   few fields and a bad header with NACK 3, and a link check with ACK 2.
/// * That an account has one connection is known to whoever knows all connections: [`replace`](Self::replace) tells the
///   older one.
#[derive(Clone, Debug)]
pub struct ServerSession {
    config: ServerConfig,
    state: State,
    outputs: VecDeque<Output<Response, ServerEvent>>,
    timers: TimerTable,
    /// Where a response is written once, to see that it can be.
    scratch: BytesMut,
}

impl ServerSession {
    /// A session on a stream that was just accepted.
    pub fn new(config: ServerConfig, now: Instant) -> Self {
        let mut timers = TimerTable::default();
        timers.set(Timer::Login, now, config.login_timeout);
        Self { config, state: State::LoggingIn, outputs: VecDeque::new(), timers, scratch: BytesMut::new() }
    }

    /// Takes what the stream brought.
    pub fn handle(&mut self, input: impl Into<Input<Request>>, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        match input.into() {
            Input::Line(line) => {
                self.not_idle(now);
                match line {
                    Ok(request) => self.request(request),
                    Err(bad) => self.bad_line(bad),
                }
            }
            Input::TooLong(error) => {
                self.event(ServerEvent::LineTooLong(error));
                self.end(CloseReason::LineTooLong(error));
            }
            Input::PeerClosed => self.end(CloseReason::PeerClosed),
            Input::Failed(kind) => self.end(CloseReason::Failed(kind)),
        }
    }

    /// Does what is due. To be called at [`next_timeout`](Self::next_timeout); earlier calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.take_due(Timer::Login, now) {
            self.end(CloseReason::LoginTimeout);
        }
        if self.timers.take_due(Timer::Idle, now) {
            self.end(CloseReason::IdleTimeout);
        }
    }

    /// Accepts the login that was asked for, with ACK 1.
    ///
    /// # Errors
    ///
    /// No login waits for an answer.
    pub fn accept(&mut self, now: Instant) -> Result<(), SendError> {
        self.decided()?;
        self.state = State::Open;
        self.timers.stop(Timer::Login);
        self.not_idle(now);
        self.push(Ack { ack_type: AckType::Login });
        self.event(ServerEvent::LoggedIn);
        Ok(())
    }

    /// Refuses the login that was asked for, and closes if [so configured](ServerConfig#structfield.close_refused).
    ///
    /// # Errors
    ///
    /// No login waits for an answer, or the type cannot be written.
    pub fn refuse(&mut self, nack_type: NackType) -> Result<(), SendError> {
        self.decided()?;
        let nack = Response::from(Nack { nack_type: nack_type.clone() });
        self.check(&nack)?;
        self.outputs.push_back(Output::Send(nack));
        self.event(ServerEvent::LoginRefused(nack_type.clone()));
        if self.config.close_refused {
            self.end(CloseReason::LoginRefused(nack_type));
        } else {
            self.state = State::LoggingIn;
        }
        Ok(())
    }

    /// Sends a response to a client that is logged in.
    ///
    /// # Errors
    ///
    /// Says why it was not sent; the session is as it was.
    pub fn send(&mut self, response: impl Into<Response>) -> Result<(), SendError> {
        let response = response.into();
        if self.state != State::Open {
            return Err(SendError::NotOpen { state: self.state });
        }
        self.check(&response)?;
        self.outputs.push_back(Output::Send(response));
        Ok(())
    }

    /// The account has logged in on another connection, from this address if it has one: tells the client (199) and
    /// closes.
    pub fn replace(&mut self, ip: Option<IpAddr>) {
        if self.state == State::Open {
            let ip = ip.map(|ip| Octets::from(ip.to_string())).unwrap_or_default();
            self.push(RemoteLogout { ip });
        }
        self.end(CloseReason::RemoteLogout);
    }

    /// Closes at once.
    pub fn close(&mut self) {
        self.end(CloseReason::Closed);
    }

    /// Whether lines may be handed in: not while a login waits for its answer. Leave them in the buffer, then the
    /// client is held back and nothing grows. One that is handed in all the same is answered with NACK 1.
    pub fn wants_input(&self) -> bool {
        self.state != State::Deciding
    }

    /// The next thing to do, none if there is nothing more.
    pub fn poll(&mut self) -> Option<Output<Response, ServerEvent>> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); none for never.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next_timeout()
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    fn request(&mut self, request: Request) {
        match (self.state, request) {
            (State::LoggingIn, Request::Login(login)) => self.login(login),
            (State::Open, Request::LinkCheck(_)) => self.push(Ack { ack_type: AckType::LinkCheck }),
            (State::Open, Request::Logout(_)) => self.end(CloseReason::LoggedOut),
            (State::Open, Request::Unknown(unknown)) => {
                self.push(Nack { nack_type: NackType::MessageType });
                self.event(ServerEvent::Unknown(unknown));
            }
            (State::Open, request @ Request::Login(_)) => self.refuse_request(request, NackType::MessageType),
            (State::Open, request) => self.event(ServerEvent::Received(request)),
            (_, request) => self.refuse_request(request, NackType::Credentials),
        }
    }

    fn login(&mut self, login: Login) {
        self.state = State::Deciding;
        self.event(ServerEvent::LoginRequested(login));
    }

    fn refuse_request(&mut self, request: Request, nack_type: NackType) {
        self.push(Nack { nack_type: nack_type.clone() });
        self.event(ServerEvent::Refused { request, nack_type });
    }

    fn bad_line(&mut self, bad: BadLine) {
        let nack_type = if self.state == State::Open { bad.error.nack() } else { NackType::Credentials };
        self.push(Nack { nack_type: nack_type.clone() });
        self.event(ServerEvent::BadLine { bad, nack_type });
    }

    fn decided(&self) -> Result<(), SendError> {
        if self.state == State::Deciding { Ok(()) } else { Err(SendError::NotOpen { state: self.state }) }
    }

    fn check(&mut self, response: &Response) -> Result<(), SendError> {
        response.encode(&mut self.scratch)?;
        self.scratch.clear();
        Ok(())
    }

    fn not_idle(&mut self, now: Instant) {
        if let (State::Open, Some(idle)) = (self.state, self.config.idle_timeout) {
            self.timers.set(Timer::Idle, now, idle);
        }
    }

    fn push(&mut self, response: impl Into<Response>) {
        self.outputs.push_back(Output::Send(response.into()));
    }

    fn event(&mut self, event: ServerEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    fn end(&mut self, reason: CloseReason) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.timers = TimerTable::default();
        self.outputs.push_back(Output::Close(reason));
    }
}
