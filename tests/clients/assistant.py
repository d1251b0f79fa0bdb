"""An AI agent, as a program on the agents' own protocol: it takes whatever it is offered, talks in many conversations at once, and
gives to people what it cannot do, with a note that says why.

Where a model would answer, this one repeats what was said. It asks for nothing but `websockets`.
"""

import asyncio
import json
import os
import secrets
import urllib.parse

import websockets

URL = urllib.parse.urlsplit(os.environ["OFFHOOK_URL"])
TOKEN = os.environ["OFFHOOK_TOKEN"]
FOR_PEOPLE = "person"


class Assistant:
    def __init__(self, socket):
        self.socket = socket
        self.waiting = {}
        # Messages that it has read, since one that is told while the history is fetched comes in both.
        self.read = set()

    async def ask(self, frame):
        """One command and its reply. Frames that come meanwhile are heard as they come."""
        frame = {"id": secrets.token_hex(16), **frame}
        reply = self.waiting[frame["id"]] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(json.dumps(frame))
            return await reply
        finally:
            del self.waiting[frame["id"]]

    async def take(self, offer):
        await self.ask({"type": "delivered", "offer": offer["offer"]})
        await self.ask({"type": "accept", "offer": offer["offer"]})

    async def begin(self, conversation):
        """It is its own now: what was said before."""
        history = await self.ask({"type": "history", "conversation": conversation})
        while again_ms := history.get("error", {}).get("retry_after_ms"):
            await asyncio.sleep(again_ms / 1000)
            history = await self.ask({"type": "history", "conversation": conversation})
        for message in history.get("messages", []):
            await self.hear(conversation, message)

    async def hear(self, conversation, message):
        if (conversation, message["number"]) in self.read:
            return
        self.read.add((conversation, message["number"]))
        if "customer" not in message["author"]:
            return
        if FOR_PEOPLE in message["text"]:
            await self.hand_over(conversation, f"asked for a person: {message['text']!r}")
        else:
            text = f"you said: {message['text']}"
            await self.ask({"type": "send", "conversation": conversation, "text": text})

    async def hand_over(self, conversation, reason):
        """To the queue that it came from. It has given it away, so it is not asked again at once, and people are."""
        await self.ask({"type": "note", "conversation": conversation, "text": reason})
        await self.ask({"type": "transfer", "conversation": conversation, "queue": os.environ["OFFHOOK_QUEUE"]})
        print(f"handed over {conversation}", flush=True)

    async def run(self):
        available = {"type": "set_status", "status": "available", "channels": ["chat"]}
        tasks = {asyncio.create_task(self.ask(available))}
        print("available", flush=True)
        async for text in self.socket:
            frame = json.loads(text)
            match frame["type"]:
                case "reply" if frame["id"] in self.waiting:
                    self.waiting[frame["id"]].set_result(frame)
                    continue
                case "offer":
                    deed = self.take(frame["offer"])
                case "conversation":
                    deed = self.begin(frame["conversation"]["conversation"])
                case "message":
                    deed = self.hear(frame["conversation"], frame)
                case _:
                    continue
            # Each on its own, so that one that waits keeps nobody else waiting.
            tasks.add(asyncio.create_task(deed))
            for done in {task for task in tasks if task.done()}:
                done.result()
                tasks.remove(done)


async def main():
    protocols = ["offhook.agent.v1", f"offhook.token.{TOKEN}"]
    async with websockets.connect(f"ws://{URL.netloc}/v1/agent", subprotocols=protocols, max_size=1 << 20) as socket:
        assert json.loads(await socket.recv())["type"] == "welcome"
        await Assistant(socket).run()


asyncio.run(main())
