"""A router of one's own, with nothing but Python's own library: follows the decisions that Offhook wants, and answers them.

The rule, as an example: the candidate with the most room, and of several the last by name. What nobody can take any more, or is
over by then, is no fault: Offhook asks anew, or has decided by itself.
"""

import http.client
import json
import os
import secrets
import time
import urllib.parse

URL = urllib.parse.urlsplit(os.environ["OFFHOOK_URL"])
HEADERS = {"Authorization": f"Bearer {os.environ['OFFHOOK_KEY']}", "Content-Type": "application/json"}
WORKSPACE = f"/v1/workspaces/{os.environ['OFFHOOK_WORKSPACE']}"
# The server sends a comment every 15 s: whoever hears nothing for longer comes back.
SILENCE_S = 40


def choose(wanted):
    best = max(wanted["candidates"], key=lambda candidate: (candidate["room"], candidate["agent"]), default=None)
    return {"agent": best["agent"]} if best else "offhook"


def decide(wanted):
    answer = {
        "decision": wanted["decision"],
        "expected_owner": wanted["expected_owner"],
        "to": choose(wanted),
    }
    connection = http.client.HTTPConnection(URL.netloc, timeout=SILENCE_S)
    path = f"{WORKSPACE}/conversations/{wanted['conversation']}/decide"
    connection.request("POST", path, json.dumps(answer), {**HEADERS, "Idempotency-Key": secrets.token_hex(16)})
    response = connection.getresponse()
    said = response.read()
    connection.close()
    print(f"{wanted['decision']} {wanted['conversation']} {json.dumps(answer['to'])}: {response.status}", flush=True)
    # 409: it is over, or that agent cannot take it any more. 503: nothing happened. Anything else is a fault of ours.
    assert response.status in (200, 204, 409, 503), said


def events(response):
    """Server-sent events: the name and the data of each."""
    fields = {}
    while line := response.readline():
        line = line.rstrip(b"\n").decode("utf-8")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield fields["event"], json.loads(fields["data"])
            fields = {}


def follow():
    connection = http.client.HTTPConnection(URL.netloc, timeout=SILENCE_S)
    connection.request("GET", f"{WORKSPACE}/decisions", headers=HEADERS)
    response = connection.getresponse()
    assert response.status in (200, 503), response.read()
    if response.status == 503:
        return
    for event, data in events(response):
        if event == "list":
            # What is pending comes next, whole: a router that was away begins anew with every stream.
            print("following", flush=True)
        elif event == "wanted":
            decide(data)


while True:
    try:
        follow()
    except (OSError, http.client.HTTPException):
        pass
    # A server that is starting again is not hammered meanwhile.
    time.sleep(0.2)
