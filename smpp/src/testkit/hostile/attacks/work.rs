use std::time::Duration;

use bytes::Bytes;

use super::attack;
use crate::pdu::{DeliverSmResp, QuerySmResp, SubmitSmResp};
use crate::session::BindKind;
use crate::testkit::hostile::octets::{Message, enquire_link, response};
use crate::testkit::hostile::{Attack, Step, Victim};
use crate::types::{COctetString, CommandStatus};

/// What has to be withstood while messages go out.
pub(super) fn at_work(victim: Victim) -> Vec<Attack> {
    let message = match victim {
        Victim::Server => Message::Deliver,
        Victim::Client => Message::Submit,
    };
    let on = |name, about| attack(victim, name, about).at_work();
    let request = message.command_id();
    let first = Step::Await(request);
    let wrong = response(0, CommandStatus::ROK, QuerySmResp::default());
    let right = answer(message);
    let all = |octets: &Bytes, after| Step::AnswerAll { command_id: request, octets: octets.clone(), after };
    // With a request in between, for what answers nothing may be a reason to close.
    let unit = [&response(0x1234_5678, CommandStatus::ROK, SubmitSmResp::default()).repeat(10), &enquire_link(7)[..]];
    let flood = Step::FloodUntil { command_id: request, octets: unit.concat().into(), most: 100_000 };
    let mut attacks = vec![
        on("requests_never_answered", "The link is kept alive, and no message is ever answered: they must not pile up")
            .step(first.clone())
            .step(Step::Wait(HALF_AN_HOUR))
            .either(),
        on("requests_answered_late", "Each message is answered at the last moment: 59 of the usual 60 seconds later")
            .step(all(&right, Duration::from_secs(59)))
            .step(first.clone())
            .step(Step::Wait(HALF_AN_HOUR))
            .step(first.clone())
            .lives(),
        on("requests_answered_wrongly", "Each message is answered by query_sm_resp")
            .step(all(&wrong, Duration::ZERO))
            .steps(&first, 200)
            .either(),
        on("responses_in_the_way", "Responses to nothing without end: they must not keep the other end from its work")
            .step(all(&right, Duration::ZERO))
            .step(first.clone())
            .steps(&flood, 100)
            .either(),
        on("requests_answered_twice", "Each message is answered twice")
            .step(all(&right.repeat(2).into(), Duration::ZERO))
            .steps(&first, 200)
            .either(),
    ];
    if victim == Victim::Server {
        attacks.push(
            on("receiver_that_never_answers", "A receiver that takes deliveries and answers enquire_link only")
                .bound(Some(BindKind::Receiver))
                .step(first)
                .step(Step::Wait(HALF_AN_HOUR))
                .either(),
        );
    }
    attacks
}

/// The message is taken.
fn answer(message: Message) -> Bytes {
    match message {
        Message::Deliver => response(0, CommandStatus::ROK, DeliverSmResp::default()),
        Message::Submit => {
            let message_id = COctetString::from_valid(b"1");
            response(0, CommandStatus::ROK, SubmitSmResp { message_id, ..Default::default() })
        }
    }
}

/// Longer than any request waits.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
