use bytes::Bytes;

use super::attack;
use crate::pdu::{BindReceiverResp, BindTransceiverResp, DeliverSm, EnquireLinkResp, GenericNack, SubmitSm};
use crate::testkit::hostile::octets::{Message, raw, request, response, tlv};
use crate::testkit::hostile::{Attack, Step, Victim};
use crate::types::{CommandId, CommandStatus};

/// What only an ESME has to withstand.
pub(super) fn client() -> Vec<Attack> {
    let on = |name, about| attack(Victim::Client, name, about);
    let bind = |name, about, octets: Bytes| {
        on(name, about).bound(None).step(Step::Answer { command_id: CommandId::BIND_TRANSCEIVER, octets })
    };
    let long = [b"id:1 stat:".as_slice(), &b" stat:".repeat(10_000)].concat();
    let receipts =
        Message::Deliver.with(7, 0x04, 0, b"id:guess sub:001 dlvrd:001 stat:DELIVRD err:000 text:", Default::default());
    vec![
        bind(
            "bind_by_another_response",
            "The bind is answered by another bind's response",
            response(0, CommandStatus::ROK, BindReceiverResp::default()),
        )
        .either(),
        bind(
            "bind_by_generic_nack",
            "The bind is answered by generic_nack",
            response(0, CommandStatus::RINVCMDID, GenericNack::default()),
        )
        .closes(),
        bind(
            "bind_refused",
            "The bind is refused",
            response(0, CommandStatus::RINVPASWD, BindTransceiverResp::default()),
        )
        .closes(),
        bind(
            "message_at_once",
            "A message in the same segment as the answer to the bind",
            [response(0, CommandStatus::ROK, BindTransceiverResp::default()), Message::Deliver.proper(0)]
                .concat()
                .into(),
        )
        .step(Step::Await(CommandId::DELIVER_SM_RESP))
        .lives(),
        on("bind_never_answered", "The bind is never answered").bound(None).closes(),
        on("gone_at_once", "The stream ends before anything is said").bound(None).step(Step::HangUp).closes(),
        on("submit_to_client", "submit_sm, which only an ESME sends")
            .write(request(7, SubmitSm::default()))
            .expect(CommandId::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS, 7)
            .lives(),
        on("failures_that_are_not_there", "submit_multi_resp says 255 failures and has none")
            .write(raw(CommandId::SUBMIT_MULTI_RESP, 7, b"id\0\xff"))
            .lives(),
        on("receipts_of_nothing", "A thousand receipts for messages that were never sent")
            .step(Step::Flood(receipts, 1000))
            .lives(),
        on("long_receipt", "A receipt of 60,000 octets, to tire a parser that looks back")
            .write(Message::Deliver.with_tail(7, &tlv(0x0424, &long)))
            .lives(),
        on("unasked_enquire_link_resp", "An enquire_link_resp to nothing")
            .write(response(0x1234, CommandStatus::ROK, EnquireLinkResp::default()))
            .lives(),
        on("empty_message", "deliver_sm in which everything is empty").write(request(7, DeliverSm::default())).lives(),
    ]
}
