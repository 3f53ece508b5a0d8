"""A message centre made of smpp.twisted3. Prints its port, then what it is sent; ends with its standard input."""
import json
import logging
import sys

from smpp.pdu import operations, pdu_types as t
from smpp.pdu.constants import command_status_name_map as STATUSES
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import defer, protocol, reactor, stdio

logging.disable(logging.CRITICAL)
count = 0
Status = t.CommandStatus
SAR = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")


def say(**line):
    print(json.dumps(line), flush=True)


def show(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value.name if hasattr(value, "name") else value if isinstance(value, (int, type(None))) else str(value)


def deliver(source, destination, kind=operations.DeliverSM, **fields):
    link = factory.getBoundConnections("kudu").getNextBindingForDelivery()
    if link is not None:
        link.sendDataRequest(kind(source_addr=source, destination_addr=destination, **fields))


def handle(system_id, link, pdu):
    global count
    fields = pdu.params
    octets = fields.get("message_payload") or fields.get("short_message") or b""
    coding = fields.get("data_coding")
    udhi = "esm_class" in fields and t.EsmClassGsmFeatures.UDHI_INDICATOR_SET in fields["esm_class"].gsmFeatures
    say(step=pdu.commandId.name, to=show(fields.get("destination_addr")), octets=octets.hex(), udhi=udhi,
        coding=coding and show(coding.schemeData), id=show(fields.get("message_id")))
    if pdu.commandId == t.CommandId.query_sm:
        if fields["message_id"] == b"nope":
            return Status.ESME_RQUERYFAIL
        return DataHandlerResponse(Status.ESME_ROK, message_id=fields["message_id"], final_date=None,
                                   message_state=t.MessageState.DELIVERED, error_code=0)
    if pdu.commandId not in (t.CommandId.submit_sm, t.CommandId.data_sm):
        return Status.ESME_ROK
    if fields["destination_addr"] == b"1002":
        return Status.ESME_RTHROTTLED
    count += 1
    id = f"id-{count}"
    to, of = fields["source_addr"], fields["destination_addr"]
    if of == b"1001" and pdu.commandId == t.CommandId.data_sm:
        payload = [(0x0424, None, "OctetString", octets)]
        reactor.callLater(0, deliver, of, to, kind=operations.DataSM, custom_tlvs=payload)
    elif of == b"1001":
        form = {name: fields[name] for name in SAR if fields.get(name) is not None}
        if fields.get("message_payload"):
            form.update(short_message=b"", custom_tlvs=[(0x0424, None, "OctetString", octets)])
        else:
            form["short_message"] = octets
        reactor.callLater(0, deliver, of, to, data_coding=coding, esm_class=fields["esm_class"], **form)
    if fields["registered_delivery"].receipt == t.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED:
        receipt = t.EsmClass(t.EsmClassMode.DEFAULT, t.EsmClassType.SMSC_DELIVERY_RECEIPT)
        words = f"id:{id} sub:001 dlvrd:001 submit date:2609170800 done date:2609170801 stat:DELIVRD err:000 text:x"
        reactor.callLater(0, deliver, of, to, short_message=words, esm_class=receipt, receipted_message_id=id,
                          message_state=t.MessageState.DELIVERED)
    return DataHandlerResponse(Status.ESME_ROK, message_id=id)


SYSTEMS = {"kudu": {"max_bindings": 10}, "leave": {"max_bindings": 1}}


class Accounts:
    """The one method of a portal that the factory calls."""

    def login(self, credentials, mind, *interfaces):
        if credentials.username in SYSTEMS and credentials.password == "secret":
            return defer.succeed((interfaces[0], credentials.username, lambda: None))
        return defer.fail(UnauthorizedLogin())


class Factory(SMPPServerFactory):
    def addBoundConnection(self, connection):
        super().addBoundConnection(connection)
        say(step=connection.bind_type.name, ok=True)
        if connection.system_id == "leave":
            reactor.callLater(0, defer.ensureDeferred, leave(connection))


async def leave(connection):
    """Asks the ESME whether it is there, and unbinds it."""
    answer = await connection.sendRequest(operations.EnquireLink(), 10)
    say(step="enquire_link_resp", status=STATUSES[answer.response.status.name])
    answer = await connection.unbind()
    say(step="unbind_resp", status=STATUSES[answer.response.status.name])
    connection.disconnect()


class Input(protocol.Protocol):
    def connectionLost(self, reason=None):
        if reactor.running:
            reactor.stop()


config = SMPPServerConfig(systems=SYSTEMS, msgHandler=handle)
factory = Factory(config, Accounts())
listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
stdio.StandardIO(Input())
say(step="listening", port=listening.getHost().port)
reactor.run()
