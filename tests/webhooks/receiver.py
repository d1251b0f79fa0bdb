"""A receiver of webhooks that verifies what it is sent with the published library of Standard Webhooks, and does as it is told.

Each message that is good is a line of JSON in the file OFFHOOK_KEPT: its id, its event, and under which secret it was signed. What it answers is in the
file OFFHOOK_ANSWER, read at each request: {"status": 200, "only": "c3", "headers": {"Retry-After": "1"}, "delay_s": 0}. With "only", messages of other conversations
are answered 200.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

KEPT = open(os.environ["OFFHOOK_KEPT"], "a", buffering=1)
ONE = threading.Lock()


def secrets():
    with open(os.environ["OFFHOOK_SECRETS"]) as kept:
        return kept.read().split()


def verified(headers, body):
    """The event, and the places of the secrets that it is signed with."""
    good, event = [], None
    for place, secret in enumerate(secrets()):
        try:
            event = Webhook(secret).verify(body, headers)
            good.append(place)
        except WebhookVerificationError:
            pass
    return event, good


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        event, good = verified(dict(self.headers), body)
        with open(os.environ["OFFHOOK_ANSWER"]) as kept:
            answer = json.load(kept)
        meant = answer.get("only") in (None, (event or {}).get("conversation"))
        status = answer["status"] if meant else 200
        if event is None:
            status = 401
        with ONE:
            line = {"id": self.headers["webhook-id"], "status": status, "secrets": good, "event": event}
            KEPT.write(json.dumps(line) + "\n")
        if meant:
            # An endpoint that is slow, where a test says so.
            time.sleep(answer.get("delay_s", 0))
        self.send_response(status)
        for name, value in (answer.get("headers", {}) if meant else {}).items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Receiver)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
