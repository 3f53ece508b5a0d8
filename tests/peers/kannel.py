"""Kannel as an ESME: PORT, then `transceiver`, or `pair` for a transmitter and a receiver; then the password.

Starts bearerbox and smsbox, sends what the others send, and says what came back: messages of mobiles and reports, for
which it is an HTTP server of its own. Kannel is ended by process id, when the standard input ends.
"""
import ctypes
import http.server
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

PORT, KIND, PASSWORD = sys.argv[1:4]
LONG = "0123456789" * 20
# An address of this process's own, so that no other's ports are in the way.
OWN = "127.%d.%d.%d" % (1 + os.getpid() // 65536 % 254, os.getpid() // 256 % 256, os.getpid() % 256)
heard = queue.Queue()


def say(**line):
    print(json.dumps(line), flush=True)


def free_ports(count):
    sockets = [socket.create_server((OWN, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Heard(http.server.BaseHTTPRequestHandler):
    """What Kannel tells: /mo and /report, with all that there is to tell in the query."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, encoding="latin-1"))
        if "text" in fields:
            codec = "utf-16-be" if fields["coding"] == "2" else "utf-8"
            fields["text"] = fields["text"].encode("latin-1").decode(codec)
        self.send_response(200)
        self.end_headers()
        heard.put({"step": path[1:], **fields})

    def log_message(self, *_):
        pass


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heard)
threading.Thread(target=web.serve_forever, daemon=True).start()
here = f"http://127.0.0.1:{web.server_port}"
smsc = f"""
group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
smsc-username = kudu
smsc-password = {PASSWORD}
system-type = ""
interface-version = 34
source-addr-ton = 0
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1
enquire-link-interval = 1
reconnect-delay = 1
"""
links = [f"port = {PORT}", f"receive-port = {PORT}"] if KIND == "pair" else [f"port = {PORT}\ntransceiver-mode = true"]


def configuration(admin, box, sendsms):
    return f"""
group = core
admin-port = {admin}
admin-interface = {OWN}
admin-password = x
smsbox-port = {box}
smsbox-interface = {OWN}
box-allow-ip = 127.0.0.1
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = 1
{"".join(smsc + link + chr(10) for link in links)}
group = smsbox
bearerbox-host = {OWN}
bearerbox-port = {box}
sendsms-port = {sendsms}
sendsms-interface = {OWN}
global-sender = 31234

group = sendsms-user
username = x
password = x
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "{here}/mo?from=%p&to=%P&text=%b&coding=%c"
max-messages = 0
accepted-smsc = ours
catch-all = true
"""


def start(program, until):
    """Starts a program and reads its log until a line holds the text; the rest is read and thrown away."""
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    # Should this program be killed, its children go with it (PR_SET_PDEATHSIG).
    child = subprocess.Popen([path, "-v", "1", "kannel.conf"], cwd=folder, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                             preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
    children.append(child)
    while until not in (line := child.stderr.readline()):
        if not line:
            raise OSError(f"{program} did not start")
    threading.Thread(target=child.stderr.read, daemon=True).start()


def stop():
    while children:
        child = children.pop()
        child.terminate()
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def start_both():
    """On ports that are free, which another program may take first: then on others."""
    for attempt in range(5):
        ports = free_ports(3)
        with open(os.path.join(folder, "kannel.conf"), "w") as file:
            file.write(configuration(*ports))
        try:
            start("bearerbox", "Start-up done")
            start("smsbox", "onnected to bearerbox")
            return ports[2]
        except OSError:
            stop()
    raise OSError("no port is free")


def send(name, text, to="27831234567", **fields):
    report = {"dlr-mask": 31, "dlr-url": f"{here}/report?of={name}&kind=%d&answer=%A"}
    query = {"username": "x", "password": "x", "to": to, "text": text, "charset": "UTF-8", **report, **fields}
    with urllib.request.urlopen(f"http://{OWN}:{sendsms}/cgi-bin/sendsms?" + urllib.parse.urlencode(query)) as answer:
        say(step=name, answer=answer.read().decode())


children = []
folder = tempfile.mkdtemp()
threading.Thread(target=lambda: (sys.stdin.read(), heard.put(None)), daemon=True).start()
try:
    sendsms = start_both()
    if PASSWORD == "secret":
        send("gsm", "Hello @ \u00e9 {\u20ac}", to="1001", coding=0)
        send("ucs2", "h\u00e9 \U0001f600", to="1001", coding=2)
        send("udh", LONG, to="1001", coding=0)
        send("forms", "more", to="1003", coding=0)
        send("flash", "now", coding=0, mclass=0)
        send("throttled", "x", to="1002", coding=0)
    while (line := heard.get()) is not None:
        say(**line)
finally:
    stop()
    shutil.rmtree(folder)
