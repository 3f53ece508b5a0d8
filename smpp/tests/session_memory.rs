//! What a session takes from the allocator: nothing for a message once it runs, and a bounded amount whatever the peer
//! sends.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::alloc::System;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use smpp::pdu::*;
use smpp::session::{Config, Event, Input, Output, Role, Session};
use smpp::types::{CommandId, CommandStatus};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn feed(session: &mut Session, number: u32, pdu: impl Into<Pdu>, now: Instant) {
    session.handle(Input::Pdu(Ok(Frame::response(number, CommandStatus::ROK, pdu))), now);
}

/// Takes what is to be written, as a driver does.
fn write(session: &mut Session) {
    let octets = session.unwritten_mut();
    octets.advance(octets.len());
}

fn bound(role: Role, config: Config, now: Instant) -> Session {
    let mut session = Session::new(role, config, now);
    match role {
        Role::Esme => {
            session.request(BindTransceiver::default(), now).unwrap();
            feed(&mut session, 1, BindTransceiverResp::default(), now);
        }
        Role::MessageCentre => {
            feed(&mut session, 1, BindTransceiver::default(), now);
            let Some(Output::Event(Event::Request { ticket, .. })) = session.poll() else { panic!("no bind") };
            session.respond(ticket, CommandStatus::ROK, BindTransceiverResp::default(), now).unwrap();
        }
    }
    while session.poll().is_some() {}
    write(&mut session);
    session
}

/// A window of requests of this end, and one of the peer's.
fn window(session: &mut Session, now: Instant) {
    let mut numbers = [0; 10];
    for number in &mut numbers {
        *number = session.request(SubmitSm::default(), now).unwrap().get();
    }
    for number in 0..10 {
        feed(session, number, DeliverSm::default(), now);
    }
    for number in numbers {
        feed(session, number, SubmitSmResp::default(), now);
    }
    while let Some(output) = session.poll() {
        if let Output::Event(Event::Request { ticket, .. }) = output {
            session.respond(ticket, CommandStatus::ROK, DeliverSmResp::default(), now).unwrap();
        }
    }
    session.next_timeout();
    write(session);
}

// One test, so that no other allocates meanwhile.
#[test]
fn a_session_takes_no_more_than_it_should() {
    let now = Instant::now();
    let mut session = bound(Role::Esme, Config::default(), now);
    for _ in 0..10 {
        window(&mut session, now);
    }
    // The threads of the test harness allocate too, when they start.
    let least = (0..10).map(|_| {
        let region = Region::new(ALLOCATOR);
        for _ in 0..100 {
            window(&mut session, now);
        }
        region.change().allocations + region.change().reallocations
    });
    assert_eq!(least.min(), Some(0), "for a message");

    session.shrink();
    let before = Region::new(ALLOCATOR);
    drop(session);
    let held = before.change().bytes_deallocated;
    assert!(held < 2 * 1024, "an idle session holds {held} octets");

    for role in [Role::Esme, Role::MessageCentre] {
        let flood = |pdu: &dyn Fn(u32) -> Pdu| {
            let mut session = bound(role, Config::default().max_faults(None), now);
            let region = Region::new(ALLOCATOR);
            for number in 0..50_000 {
                feed(&mut session, number, pdu(number), now);
                // The program takes events and answers nothing; what is written is taken when there is too much.
                while session.poll().is_some() {}
                if !session.wants_input() {
                    write(&mut session);
                }
            }
            let change = region.change();
            let held = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
            assert!(held < 1024 * 1024, "{} to {role:?}: {held} octets", pdu(0).name());
        };
        flood(&|_| SubmitSm::default().into());
        flood(&|_| DeliverSm::default().into());
        flood(&|_| EnquireLink::default().into());
        flood(&|_| SubmitSmResp::default().into());
        flood(&|_| GenericNack::default().into());
        flood(&|_| BindTransceiver::default().into());
        flood(&|number| Unknown { command_id: CommandId(0x200 + number), body: Bytes::new() }.into());
    }

    // A peer that answers nothing: what timed out is remembered up to a bound.
    let mut session = bound(Role::Esme, Config::default().window(1_000).enquire_link(None), now);
    let region = Region::new(ALLOCATOR);
    let mut time = now;
    for _ in 0..100 {
        while session.room() > 0 {
            session.request(QuerySm::default(), time).unwrap();
        }
        write(&mut session);
        time += Duration::from_secs(60);
        session.handle_timeout(time);
        while session.poll().is_some() {}
    }
    let change = region.change();
    let held = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
    assert!(held < 1024 * 1024, "{held} octets");
    assert_eq!(session.counters().timed_out, 100_000);
}
