"""A visitor of the messenger, by `httpx`: calls, and the event stream, which it comes back to with the last id."""

import asyncio
import json
import secrets

import httpx

PATIENCE_S = 60


class Customer:
    def __init__(self, url, workspace):
        self.client = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S)
        self.base = f"/v1/messenger/{workspace}"
        self.headers = {}
        self.events = []
        self.heard = asyncio.Condition()

    async def call(self, method, path, body=None):
        """The same again, with the same id, until it is answered."""
        headers = {**self.headers, "Idempotency-Key": secrets.token_hex(16)}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    told = await self.client.request(method, self.base + path, json=body, headers=headers)
                    if told.status_code != 503:
                        assert told.is_success, f"{method} {path}: {told.status_code} {told.text}"
                        return told.json() if told.content else None
                except httpx.TransportError:
                    pass
                # A server that was killed is starting again.
                await asyncio.sleep(0.05)

    async def start(self, text):
        started = await self.call("POST", "/conversations", {"text": text})
        self.headers = {"Authorization": f"Bearer {started['token']}"}
        self.conversation = started["conversation"]["conversation"]
        self.path = f"/conversations/{self.conversation}"
        self.following = asyncio.create_task(self.follow(started["events"]))
        return self

    async def post(self, text):
        return (await self.call("POST", f"{self.path}/messages", {"text": text}))["number"]

    async def messages(self):
        page = await self.call("GET", f"{self.path}/messages?after=0&limit=200")
        return [(message["author"], message["text"]) for message in page["messages"]]

    async def follow(self, path):
        last = None
        while True:
            try:
                headers = {} if last is None else {"Last-Event-ID": last}
                async with self.client.stream("GET", path, headers=headers) as stream:
                    fields = {}
                    async for line in stream.aiter_lines():
                        if line:
                            name, _, value = line.partition(":")
                            fields[name] = value.removeprefix(" ")
                            continue
                        last = fields.get("id", last)
                        if "data" in fields:
                            await self.hear({"event": fields["event"], **json.loads(fields["data"])})
                        fields = {}
            except httpx.TransportError:
                pass
            # As an EventSource does, which comes back after a moment.
            await asyncio.sleep(0.05)

    async def hear(self, event):
        async with self.heard:
            self.events.append(event)
            self.heard.notify_all()

    async def until(self, what, wanted):
        """The first event that is wanted, come already or still to come."""
        async with self.heard:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        if found := next((event for event in self.events if wanted(event)), None):
                            return found
                        await self.heard.wait()
            except TimeoutError:
                raise AssertionError(f"{what} did not come: {self.events}") from None

    async def message(self, text):
        return await self.until(f"the message {text!r}", lambda event: event["event"] == "message" and event["text"] == text)
