"""A whole session of a real SSMI client: python txssmi_client.py PORT USERNAME PASSWORD

Answers a plain USSD dialogue and then an extended one; when that has ended it sends an SMS, a binary SMS, looks up a
SIM card, and logs out. Prints what it received as JSON, a line each.
"""

import sys

from twisted.internet import defer, endpoints, reactor
from txssmi import constants

from txssmi_octets import OctetsProtocol, fail, report, stop_after

SENDER = "27831112222"


class Application(OctetsProtocol):
    def handle_USSD_MESSAGE(self, message):
        report("ussd", **message.values)
        if message.type == constants.USSD_NEW:
            self.send_ussd_message(message.msisdn, "Pick one, please:\n1. Zo\xeb", constants.USSD_RESPONSE)
        elif message.type == constants.USSD_RESPONSE:
            self.send_ussd_message(message.msisdn, "You said " + message.message, constants.USSD_END)

    def handle_EXTENDED_USSD_MESSAGE(self, message):
        report("extended ussd", **message.values)
        genfields = message.genfields.split(":")
        if message.type == constants.USSD_NEW:
            self.send_extended_ussd_message(message.msisdn, "More?", constants.USSD_RESPONSE, genfields)
        elif message.type == constants.USSD_RESPONSE:
            self.send_extended_ussd_message(message.msisdn, "Bye", constants.USSD_END, genfields)
            self.send_the_rest().addErrback(fail)

    def handle_DR(self, report_):
        report("report", **report_.values)

    def handle_MO(self, message):
        report("mo", **message.values)

    @defer.inlineCallbacks
    def send_the_rest(self):
        yield self.send_message(SENDER, "Lunch at 13:00, usual place?", validity="60")
        sequence = yield self.wait_for_reply(SENDER)
        report("sequence", of="sms", **sequence.values)
        sequence = yield self.send_binary_message(SENDER, "68656c6c6f", coding=constants.CODING_8BIT)
        report("sequence", of="binary", **sequence.values)
        reply = yield self.imsi_lookup(SENDER, sequence="17", imsi="")
        report("imsi", **reply.values)
        yield self.logout()
        report("logged out")

    def connectionLost(self, reason):
        report("closed")
        if reactor.running:
            reactor.stop()


@defer.inlineCallbacks
def main(port, username, password):
    endpoint = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    client = yield endpoints.connectProtocol(endpoint, Application())
    answer = yield client.authenticate(username, password)
    report("login", accepted=client.authenticated, **answer.values)
    if client.authenticated:
        client.link_check.start(60)
    else:
        client.transport.loseConnection()


if __name__ == "__main__":
    stop_after(30)
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3]).addErrback(fail)
    reactor.run()
