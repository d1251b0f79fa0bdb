"""The main job with Python's `websockets` and Python's own HTTP client."""

import asyncio
import http.client
import json
import os
import secrets
import sys
import threading
import urllib.parse
from pathlib import Path

import websockets

URL = urllib.parse.urlsplit(os.environ["OFFHOOK_URL"])
WORKSPACE = os.environ["OFFHOOK_WORKSPACE"]
TOKEN = os.environ["OFFHOOK_TOKEN"]
TEXTS = json.loads((Path(__file__).parent / "texts.json").read_text("utf-8"))
PATIENCE_S = 60


def same(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


class Agent:
    """One agent's socket. Frames that nobody has waited for yet are kept, in order."""

    async def connect(self, ticket=None):
        protocols = ["offhook.agent.v1", f"offhook.token.{TOKEN}"]
        if ticket:
            protocols.append(f"offhook.ticket.{ticket}")
        self.kept = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    self.socket = await websockets.connect(
                        f"ws://{URL.netloc}/v1/agent", subprotocols=protocols, max_size=1 << 20
                    )
                    break
                except (OSError, websockets.exceptions.WebSocketException, EOFError):
                    await asyncio.sleep(0.05)
        same(self.socket.subprotocol, "offhook.agent.v1", "the subprotocol that was chosen")
        return await self.frame("welcome")

    async def frame(self, kind, **members):
        def is_wanted(frame):
            return frame["type"] == kind and all(frame.get(name) == value for name, value in members.items())

        for at, frame in enumerate(self.kept):
            if is_wanted(frame):
                return self.kept.pop(at)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    frame = json.loads(await self.socket.recv())
                    if is_wanted(frame):
                        return frame
                    self.kept.append(frame)
        except TimeoutError:
            raise AssertionError(f"{kind} {members} did not come; kept: {self.kept}") from None

    async def send(self, frame):
        frame = {"id": secrets.token_hex(16), **frame}
        # As the characters themselves, not as \u escapes.
        await self.socket.send(json.dumps(frame, ensure_ascii=False))
        return frame["id"]

    async def must(self, frame):
        reply = await self.frame("reply", id=await self.send(frame))
        assert reply.get("ok") is True, f"{frame}: {reply}"
        return reply


class Customer:
    """A visitor: calls over HTTP, and the event stream on a thread of its own."""

    token = None

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(URL.netloc, timeout=PATIENCE_S)
        headers = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8")
        connection.request(method, f"/v1/messenger/{WORKSPACE}{path}", sent, headers)
        response = connection.getresponse()
        answer = response.read()
        assert 200 <= response.status < 300, f"{method} {path}: {response.status} {answer!r}"
        connection.close()
        return json.loads(answer) if answer else None

    async def start(self, body):
        started = await asyncio.to_thread(self.call, "POST", "/conversations", body)
        self.token = started["token"]
        shape = started["conversation"]
        self.conversation = shape["conversation"] if isinstance(shape, dict) else shape
        self.path = f"/conversations/{self.conversation}"
        self.numbers = []
        self.kept = []
        self.events = asyncio.Queue()
        loop = asyncio.get_running_loop()
        follow = threading.Thread(target=self.follow, args=(started["events"], loop), daemon=True)
        follow.start()
        await self.event("opened")

    def follow(self, path, loop):
        """What a browser does: reads, and comes back with the last id."""
        last = None
        again = threading.Event()
        while True:
            try:
                connection = http.client.HTTPConnection(URL.netloc, timeout=PATIENCE_S)
                connection.request("GET", path, headers={} if last is None else {"Last-Event-ID": last})
                response = connection.getresponse()
                assert response.status == 200, response.status
                fields = {}
                while line := response.readline():
                    line = line.rstrip(b"\n").decode("utf-8")
                    if not line:
                        if "data" in fields:
                            if "id" in fields:
                                last = fields["id"]
                                self.numbers.append(int(last))
                            event = {"event": fields["event"], **json.loads(fields["data"])}
                            loop.call_soon_threadsafe(self.events.put_nowait, event)
                        fields = {}
                    elif ": " in line:
                        name, value = line.split(": ", 1)
                        fields[name] = value
            except (OSError, http.client.HTTPException):
                pass
            again.wait(0.1)

    async def event(self, name, **members):
        def is_wanted(event):
            return event["event"] == name and all(event.get(member) == value for member, value in members.items())

        for at, event in enumerate(self.kept):
            if is_wanted(event):
                return self.kept.pop(at)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    event = await self.events.get()
                    if is_wanted(event):
                        return event
                    self.kept.append(event)
        except TimeoutError:
            raise AssertionError(f"{name} {members} did not come; kept: {self.kept}") from None

    async def post(self, path, body=None):
        return await asyncio.to_thread(self.call, "POST", f"{self.path}/{path}", body)


async def restart_server():
    print("kill", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def main():
    agent = Agent()
    welcome = await agent.connect()
    same(welcome["snapshot"]["available"], False, "available at first sign-in")
    await agent.must({"type": "set_status", "status": "available", "channels": ["chat"]})
    await agent.frame("status", available=True, cause="chosen")

    customer = Customer()
    await customer.start({"text": TEXTS[1], "name": TEXTS[5], "metadata": {"page": TEXTS[6]}})
    offer = (await agent.frame("offer"))["offer"]
    offered = offer["conversation"]
    same(offered["conversation"], customer.conversation, "the offered conversation")
    same((offered["name"], offered["metadata"]["page"]), (TEXTS[5], TEXTS[6]), "who writes")
    await agent.must({"type": "delivered", "offer": offer["offer"]})
    accept = {"type": "accept", "offer": offer["offer"], "id": secrets.token_hex(16)}
    same((await agent.must(accept))["conversation"], customer.conversation, "the accepted conversation")
    same((await agent.must(accept))["conversation"], customer.conversation, "the accept, repeated")
    await agent.frame("conversation", cause="accepted")
    await customer.event("joined")

    number = 1
    for text in TEXTS:
        number += 1
        posted = await customer.post("messages", {"text": text})
        same(posted["number"], number, "the number of a message")
        same((await agent.frame("message", number=number))["text"], text, "what the agent reads")
        number += 1
        sent = await agent.must({"type": "send", "conversation": customer.conversation, "text": text})
        same(sent["number"], number, "the number of an answer")
        same((await customer.event("message", number=number))["text"], text, "what the customer reads")

    # Who writes has read what came before, so something new to read first.
    question, answer = "have you read this?", "yes, and you?"
    number += 1
    same((await customer.post("messages", {"text": question}))["number"], number, "the number")
    await agent.must({"type": "read", "conversation": customer.conversation, "number": number})
    await customer.event("read", number=number)
    number += 1
    sent = await agent.must({"type": "send", "conversation": customer.conversation, "text": answer})
    same(sent["number"], number, "the number")
    await customer.post("read", {"number": number})
    await agent.frame("read", reader="customer", number=number)
    await agent.send({"type": "typing", "conversation": customer.conversation})
    await customer.event("typing")
    await customer.post("typing")
    await agent.frame("typing", conversation=customer.conversation)

    last = {"type": "send", "conversation": customer.conversation, "text": "the last before", "id": secrets.token_hex(16)}
    kept = await agent.must(last)
    await restart_server()
    try:
        while True:
            await agent.socket.recv()
    except websockets.ConnectionClosed as closed:
        same(closed.rcvd, None, "a kill ends the connection without a word")
    again = await agent.connect(welcome["ticket"])
    same(again["snapshot"]["status"], "available", "status after the restart")
    same([c["last_number"] for c in again["snapshot"]["conversations"]], [kept["number"]], "own conversations")
    same((await agent.must(last))["number"], kept["number"], "a repeated command")
    after = await agent.must({"type": "send", "conversation": customer.conversation, "text": "the first after"})
    same(after["number"], kept["number"] + 1, "numbers go on")
    same((await customer.event("message", number=kept["number"]))["text"], "the last before", "the stream")
    same((await customer.event("message", number=after["number"]))["text"], "the first after", "the stream")

    await agent.must({"type": "close", "conversation": customer.conversation})
    await agent.frame("conversation_gone", cause="closed")
    same((await customer.event("ended"))["by"], "agent", "who ended it")
    page = await asyncio.to_thread(customer.call, "GET", f"{customer.path}/messages?after=0&limit=200")
    wanted = [TEXTS[1], *[text for text in TEXTS for _ in range(2)], question, answer, "the last before", "the first after"]
    same([message["text"] for message in page["messages"]], wanted, "the whole history")
    same(customer.numbers, list(range(1, len(customer.numbers) + 1)), "numbered events, each once and in order")

    await agent.must({"type": "sign_out"})
    try:
        while True:
            await agent.socket.recv()
    except websockets.ConnectionClosed as closed:
        same((closed.rcvd.code, closed.rcvd.reason), (4000, "signed_out"), "the close of a sign-out")


asyncio.run(main())
print("done", flush=True)
