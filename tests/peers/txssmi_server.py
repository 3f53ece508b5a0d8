"""A gateway made of txssmi's parser: python txssmi_server.py USERNAME PASSWORD

Listens on a loopback port and prints it. To whoever logs in it plays one phone with a plain USSD dialogue, and when
that has ended another one with an extended dialogue; it answers what a gateway answers. Prints every request as JSON,
a line each, and ends with the connection.
"""

import sys

from twisted.internet import protocol, reactor
from twisted.protocols.basic import LineReceiver
from txssmi import commands, constants
from txssmi.builder import SSMIRequest

from txssmi_octets import report, stop_after

PHONE = "27831234567"
EXTENDED_PHONE = "27845550123"
GENFIELDS = "655071122334455:1:3:4411902:2"


class Gateway(LineReceiver):
    delimiter = b"\r"
    sequence = 9000

    def lineReceived(self, line):
        command = SSMIRequest.parse(line.decode("latin-1"))
        report(command.command_name, **command.values)
        getattr(self, "handle_" + command.command_name)(command)

    def send(self, *responses):
        self.transport.write(b"".join(str(response).encode("latin-1") + b"\r" for response in responses))

    def handle_LOGIN(self, login):
        if [login.username, login.password] != self.factory.account:
            return self.send(commands.Nack(nack_type="1"))
        code = "*120*8864*1377#"
        dials = commands.USSDMessage(msisdn=PHONE, type=constants.USSD_NEW, phase="2", message=code)
        self.send(commands.Ack(ack_type="1"), dials)

    def handle_LINK_CHECK(self, _):
        self.send(commands.Ack(ack_type="2"))

    def handle_SEND_USSD_MESSAGE(self, message):
        if message.type == constants.USSD_RESPONSE:
            self.send(commands.USSDMessage(msisdn=message.msisdn, type="2", phase="2", message="Zo\xeb, 1"))
        elif message.type == constants.USSD_END:
            self.send(
                commands.ExtendedUSSDMessage(
                    msisdn=EXTENDED_PHONE, type="1", phase="1", genfields=GENFIELDS, message="*120*8864*1108"
                )
            )

    def handle_SEND_EXTENDED_USSD_MESSAGE(self, message):
        if message.type == constants.USSD_RESPONSE:
            self.send(
                commands.ExtendedUSSDMessage(
                    msisdn=message.msisdn, type="2", phase="1", genfields=message.genfields, message="2, thanks"
                )
            )

    def submitted(self, message):
        self.sequence += 1
        sequence = str(self.sequence)
        self.send(commands.Seq(msisdn=message.msisdn, sequence=sequence))
        self.send(commands.DrMessage(msisdn=message.msisdn, sequence=sequence, ret_code="0"))

    handle_SEND_SMS = submitted
    handle_SEND_BINARY_SMS = submitted
    handle_SEND_WAP_PUSH_MESSAGE = submitted
    handle_SEND_MMS_MESSAGE = submitted

    def handle_IMSI_LOOKUP(self, question):
        self.send(
            commands.IMSILookupReply(
                sequence=question.sequence, msisdn=question.msisdn, imsi="655011234509876", spid="65501"
            )
        )

    def handle_LOGOUT(self, _):
        self.transport.loseConnection()

    def connectionLost(self, reason):
        report("closed")
        if reactor.running:
            reactor.stop()


if __name__ == "__main__":
    stop_after(30)
    factory = protocol.Factory.forProtocol(Gateway)
    factory.account = sys.argv[1:3]
    listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
    report("listening", port=listening.getHost().port)
    reactor.run()
