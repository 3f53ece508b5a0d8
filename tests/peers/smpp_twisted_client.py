"""An ESME made of smpp.twisted3: PORT, then `transceiver`, `pair` for a transmitter and a receiver, or `unbound` for a
transceiver that waits for the other end to unbind."""
import json
import logging
import sys

from smpp.pdu import operations, pdu_types as t
from smpp.pdu.constants import command_status_name_map as STATUSES, message_state_name_map as STATES
from smpp.pdu.error import SMPPTransactionError
from smpp.twisted.client import SMPPClientReceiver, SMPPClientTransceiver, SMPPClientTransmitter
from smpp.twisted.config import SMPPClientConfig
from twisted.internet import defer, task

PORT, KIND = int(sys.argv[1]), sys.argv[2]
LONG = b"0123456789" * 20
PARTS = [LONG[:120], LONG[120:]]
logging.disable(logging.CRITICAL)
delivered = []
waiting = []
CODINGS = {
    t.DataCodingDefault.SMSC_DEFAULT_ALPHABET: (0, "latin-1"),
    t.DataCodingDefault.LATIN_1: (3, "latin-1"),
    t.DataCodingDefault.UCS2: (8, "utf-16-be"),
}


def say(**line):
    print(json.dumps(line), flush=True)


def text(octets):
    return octets.decode("latin-1") if isinstance(octets, bytes) else octets


def received(_, pdu):
    fields = pdu.params
    delivered.append(pdu)
    while waiting and len(delivered) >= waiting[0][0]:
        waiting.pop(0)[1].callback(None)
    if pdu.commandId == t.CommandId.data_sm:
        return say(step="mo_data", text=text(fields["message_payload"]), coding=0)
    receipt = fields["esm_class"].type == t.EsmClassType.SMSC_DELIVERY_RECEIPT
    code, codec = CODINGS[fields["data_coding"].schemeData]
    state = fields.get("message_state")
    octets = fields.get("message_payload") or fields["short_message"]
    # It does not take the header off.
    udhi = t.EsmClassGsmFeatures.UDHI_INDICATOR_SET in fields["esm_class"].gsmFeatures
    header = octets[:octets[0] + 1] if udhi else b""
    sar = [fields.get(name) for name in ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")]
    say(step="receipt" if receipt else "mo", text=octets[len(header):].decode(codec), coding=code, header=list(header),
        sar=sar, id=text(fields.get("receipted_message_id")), state=state and STATES[state.name])


def deliveries(count):
    waiter = defer.Deferred()
    if len(delivered) >= count:
        waiter.callback(None)
    else:
        waiting.append((count, waiter))
    return waiter


async def bind(kind, password):
    config = SMPPClientConfig(host="127.0.0.1", port=PORT, username="kudu", password=password)
    maker = {"transmitter": SMPPClientTransmitter, "receiver": SMPPClientReceiver, "transceiver": SMPPClientTransceiver}[kind]
    client = maker(config) if kind == "transmitter" else maker(config, received)
    try:
        link = await client.connectAndBind()
        say(step=f"bind_{kind}", status=0)
        return link
    except SMPPTransactionError as error:
        say(step=f"bind_{kind}", status=STATUSES[error.response.status.name])


async def step(name, link, pdu, more=lambda fields: {}):
    try:
        answer = (await link.sendDataRequest(pdu)).response
        say(step=name, status=0, id=text(answer.params.get("message_id")), **more(answer.params))
    except SMPPTransactionError as error:
        say(step=name, status=STATUSES[error.response.status.name])


async def main(_):
    await bind("transceiver", "wrong")
    if KIND == "unbound":
        link = await bind("transceiver", "secret")
        return await link.getDisconnectedDeferred()
    if KIND == "pair":
        tx = await bind("transmitter", "secret")
        links = [tx, await bind("receiver", "secret")]
    else:
        tx = await bind("transceiver", "secret")
        links = [tx]

    def submit(name, octets, to="1001", coding="SMSC_DEFAULT_ALPHABET", **fields):
        kinds = dict(dest_addr_ton=t.AddrTon.INTERNATIONAL, dest_addr_npi=t.AddrNpi.ISDN)
        data_coding = t.DataCoding(t.DataCodingScheme.DEFAULT, getattr(t.DataCodingDefault, coding))
        pdu = operations.SubmitSM(source_addr="31234", destination_addr=to, short_message=octets, data_coding=data_coding,
                                  **kinds, **fields)
        return step(name, tx, pdu)

    receipt = t.RegisteredDelivery(t.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED)
    await submit("gsm", b"Hello \x00 \x05 \x1b\x28\x1b\x65\x1b\x29", registered_delivery=receipt)
    await deliveries(2)
    await submit("latin1", "caf\u00e9 \u00eb".encode("latin-1"), coding="LATIN_1")
    await submit("ucs2", "h\u00e9 \U0001f600".encode("utf-16-be"), coding="UCS2")
    await deliveries(4)
    udhi = t.EsmClass(t.EsmClassMode.DEFAULT, t.EsmClassType.DEFAULT, [t.EsmClassGsmFeatures.UDHI_INDICATOR_SET])
    for at, part in enumerate(PARTS):
        await submit("udh", bytes([5, 0, 3, 42, 2, at + 1]) + part, esm_class=udhi)
    for at, part in enumerate(PARTS):
        await submit("sar", part, sar_msg_ref_num=7, sar_total_segments=2, sar_segment_seqnum=at + 1)
    # It knows the length of a message_payload only after it has read one, so that goes as octets of any kind.
    payload = [(0x0424, None, "OctetString", LONG)]
    await submit("payload", b"", custom_tlvs=payload)
    await deliveries(9)
    await submit("throttled", b"x", to="1002")
    await step("data", tx, operations.DataSM(source_addr="31234", destination_addr="1001", custom_tlvs=payload))
    await deliveries(10)
    await step("query", tx, operations.QuerySM(message_id="id-1", source_addr="31234"),
               lambda fields: {"state": STATES[fields["message_state"].name]})
    await step("cancel", tx, operations.CancelSM(message_id="id-1", source_addr="31234", destination_addr="27831234567"))
    answer = await tx.sendRequest(operations.EnquireLink(), 10)
    say(step="enquire_link", status=STATUSES[answer.response.status.name])
    asked, answer_it = defer.Deferred(), tx.onPDURequest_enquire_link
    tx.onPDURequest_enquire_link = lambda pdu: (answer_it(pdu), asked.called or asked.callback(None))
    await asked
    say(step="asked")
    for link in links:
        await link.unbindAndDisconnect()
        say(step="unbind", status=0)

task.react(lambda *arguments: defer.ensureDeferred(main(*arguments)))
