"""A consumer of the event feed with a library for server-sent events that is not Offhook's: keeps what it hears, one event a line, and goes
on behind the last line that it has. So it may be killed at any time, and hears each event once.
"""

import json
import os
import time

import httpx
import httpx_sse

URL = f"{os.environ['OFFHOOK_URL']}/v1/workspaces/{os.environ['OFFHOOK_WORKSPACE']}/events"
KEPT = os.environ["OFFHOOK_KEPT"]
# The server sends a comment every 15 s: whoever hears nothing for longer comes back.
SILENCE_S = 40


def last_id():
    """Of the last whole line; half a line, of a writer that was killed, is taken away."""
    if not os.path.exists(KEPT):
        return None
    with open(KEPT, "r+b") as kept:
        whole = kept.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        kept.truncate(len(whole))
    lines = whole.splitlines()
    return json.loads(lines[-1])["id"] if lines else None


def follow(client):
    headers = {"Authorization": f"Bearer {os.environ['OFFHOOK_KEY']}"}
    if last := last_id():
        headers["Last-Event-ID"] = last
    with httpx_sse.connect_sse(client, "GET", URL, headers=headers) as source:
        source.response.raise_for_status()
        print("following", flush=True)
        with open(KEPT, "ab") as kept:
            for event in source.iter_sse():
                # A comment, or an id alone.
                if event.data:
                    kept.write(event.data.encode() + b"\n")
                    kept.flush()
                    print(event.id, flush=True)


with httpx.Client(timeout=SILENCE_S) as client:
    while True:
        try:
            follow(client)
        except httpx.HTTPError:
            pass
        # A server that is starting again is not hammered meanwhile.
        time.sleep(0.1)
