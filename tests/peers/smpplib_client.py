"""An ESME made of smpplib: PORT, then `transceiver`, `pair` for a transmitter and a receiver, or `unbound` for a
transceiver that waits for the other end to unbind."""
import json
import logging
import struct
import sys

import smpplib.client
import smpplib.exceptions
import smpplib.smpp

PORT, KIND = int(sys.argv[1]), sys.argv[2]
LONG = "0123456789" * 20
PARTS = [LONG[:120], LONG[120:]]
logging.disable(logging.CRITICAL)


def say(**line):
    print(json.dumps(line), flush=True)


class Esme:
    """One connection; what is received is said and counted."""

    def __init__(self):
        self.client = smpplib.client.Client("127.0.0.1", PORT, timeout=10, allow_unknown_opt_params=True)
        self.client.connect()
        self.delivered = 0
        self.answers = []
        self.client.set_message_received_handler(self.received)
        self.client.set_message_sent_handler(self.answer)
        self.client.set_query_resp_handler(self.answer)
        self.client.set_error_pdu_handler(self.answer)
        self.asked = False
        answer = self.client._enquire_link_received
        self.client._enquire_link_received = lambda pdu: (answer(pdu), setattr(self, "asked", True))

    def answer(self, pdu, **_):
        self.answers.append(pdu)

    def received(self, pdu):
        self.delivered += 1
        receipt = pdu.esm_class & 4
        coding = "utf-16-be" if pdu.data_coding == 8 else "latin-1"
        id = pdu.receipted_message_id
        octets = pdu.message_payload or pdu.short_message
        # It does not take the header off.
        header = octets[:octets[0] + 1] if pdu.esm_class & 0x40 else b""
        sar = pdu.sar_msg_ref_num and [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum]
        say(step="receipt" if receipt else "mo", text=octets[len(header):].decode(coding), coding=pdu.data_coding,
            header=list(header), sar=sar, id=id.rstrip(b"\0").decode() if id else None, state=pdu.message_state)

    def bind(self, kind, password):
        try:
            pdu = getattr(self.client, f"bind_{kind}")(system_id="kudu", password=password)
            say(step=f"bind_{kind}", status=pdu.status, version=pdu.sc_interface_version)
        except smpplib.exceptions.PDUError as error:
            say(step=f"bind_{kind}", status=error.args[1])

    def answered(self, name, pdu, **more):
        while not self.answers:
            self.client.read_once()
        answer = self.answers[0]
        self.answers.clear()  # A refusal goes to two handlers.
        assert answer.sequence == pdu.sequence, (answer.sequence, pdu.sequence)
        id = getattr(answer, "message_id", None)
        say(step=name, status=answer.status, id=id.decode() if id else None,
            **{name: getattr(answer, field) for name, field in more.items()})

    def submit(self, name, text, to="1001", **fields):
        pdu = self.client.send_message(source_addr="31234", destination_addr=to, dest_addr_ton=1, dest_addr_npi=1,
                                       short_message=text, **fields)
        self.answered(name, pdu)

    def response(self, command):
        """Reads until this comes; answers enquire_link."""
        while (pdu := self.client.read_pdu()).command != command:
            assert pdu.command == "enquire_link", pdu.command
            self.client._enquire_link_received(pdu)
        return pdu

    def deliveries(self, count):
        while self.delivered < count:
            self.client.read_once()

    def unbind(self):
        pdu = self.client.unbind()
        say(step="unbind", status=pdu.status)
        self.client.disconnect()


wrong = Esme()
wrong.bind("transceiver", "wrong")
wrong.client.disconnect()

tx = rx = Esme()
if KIND == "unbound":
    tx.bind("transceiver", "secret")
    while (pdu := tx.client.read_pdu()).command != "unbind":
        pass
    # It leaves that to the program.
    tx.client.send_pdu(smpplib.smpp.make_pdu("unbind_resp", client=tx.client, sequence=pdu.sequence))
    sys.exit()
if KIND == "pair":
    tx.bind("transmitter", "secret")
    rx = Esme()
    rx.bind("receiver", "secret")
else:
    tx.bind("transceiver", "secret")
tx.submit("gsm", b"Hello \x00 \x05 \x1b\x28\x1b\x65\x1b\x29", registered_delivery=1)
rx.deliveries(2)
tx.submit("latin1", "caf\u00e9 \u00eb".encode("latin-1"), data_coding=3)
tx.submit("ucs2", "h\u00e9 \U0001f600".encode("utf-16-be"), data_coding=8)
rx.deliveries(4)
for at, part in enumerate(PARTS):
    tx.submit("udh", bytes([5, 0, 3, 42, 2, at + 1]) + part.encode(), esm_class=0x40)
for at, part in enumerate(PARTS):
    tx.submit("sar", part.encode(), sar_msg_ref_num=7, sar_total_segments=2, sar_segment_seqnum=at + 1)
tx.submit("payload", b"", message_payload=LONG.encode())
rx.deliveries(9)
tx.submit("throttled", b"x", to="1002")
if KIND != "pair":  # It refuses to ask on a transmitter's link.
    for name, id in [("query", "id-1"), ("query_unknown", "nope")]:
        pdu = tx.client.query_message(message_id=id, source_addr="31234", source_addr_ton=0, source_addr_npi=0)
        tx.answered(name, pdu, **({"state": "message_state"} if name == "query" else {}))
link = smpplib.smpp.make_pdu("enquire_link", client=tx.client)
tx.client.send_pdu(link)
say(step="enquire_link", status=tx.response("enquire_link_resp").status)
tx.asked = False
while not tx.asked:
    tx.client.read_once()
say(step="asked")
# It has no class for an operation that nobody knows.
tx.client._socket.sendall(struct.pack(">4I", 16, 0x0201, 0, 999))
pdu = tx.response("generic_nack")
say(step="unknown", status=pdu.status, number=pdu.sequence)
tx.unbind()
if rx is not tx:
    rx.unbind()
