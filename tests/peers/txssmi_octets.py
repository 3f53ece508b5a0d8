"""txssmi 0.3.0 on Python 3: it reads and writes text, the wire has octets."""

import json
import sys

from twisted.internet import reactor
from txssmi.protocol import SSMIProtocol


class OctetsProtocol(SSMIProtocol):
    """txssmi's client, with a line as octets on the wire and as ISO-8859-1 inside."""

    def sendLine(self, line):
        super().sendLine(line.encode("latin-1"))

    def lineReceived(self, line):
        super().lineReceived(line.decode("latin-1"))


def report(kind, **values):
    """One JSON object a line, for the test that started this program."""
    print(json.dumps(dict(kind=kind, **values)), flush=True)


def stop_after(seconds):
    """Ends the program if nobody else does."""

    def too_late():
        report("too late")
        if reactor.running:
            reactor.stop()

    reactor.callLater(seconds, too_late)


def fail(failure):
    """Ends the program with what went wrong on standard error."""
    failure.printTraceback(file=sys.stderr)
    if reactor.running:
        reactor.stop()
