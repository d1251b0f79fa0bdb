"""A channel of one's own: text messages, over a gateway that speaks lines of JSON.

The gateway says `{"from", "text", "id"}` for a text that came and `{"ref", "state", "reason"}` for what became of one that went; it takes
`{"to", "text", "ref"}`, and sends a text with the same `ref` once. Whatever is killed in between, nothing is lost and nothing is sent twice.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from offhook import Refused
from offhook.workspace import Workspace

CHANNEL = "sms"
STATES = {"accepted": "sent", "delivered": "delivered", "undeliverable": "failed"}


async def inbound(workspace, gateway):
    """What the gateway says. It says again what was not taken with `ok`."""
    async for line in gateway.reader:
        told = json.loads(line)
        if "from" in told:
            number = told["from"]
            await workspace.receive(CHANNEL, number, told["text"], id=told["id"], phone=number)
            await gateway.say({"ok": told["id"]})
        else:
            conversation, number = told["ref"].split("/")
            reason = told.get("reason") if told["state"] == "undeliverable" else None
            await workspace.report(CHANNEL, conversation, int(number), STATES[told["state"]], reason)


async def outbound(workspace, gateway, place):
    """What agents, and the workspace itself, say in conversations of this channel. Where it was is kept once it was handed over."""
    if not place.exists():
        place.write_text((await workspace.call("GET", "/events?after=latest"))["next"])
    after = place.read_text()
    places = {}
    async for event in workspace.events(after=after, types=["message.posted"], texts=True):
        conversation = event["conversation"]
        if "customer" not in event["author"] and event["text"]:
            if conversation not in places:
                places[conversation] = await workspace.outside(conversation)
            outside = places[conversation]
            if outside is not None and outside.channel == CHANNEL:
                ref = f"{conversation}/{event['number']}"
                await gateway.say({"to": outside.customer, "text": event["text"], "ref": ref})
        place.write_text(event["id"])


class Gateway:
    @classmethod
    async def connect(cls, address):
        gateway = cls()
        host, port = address.rsplit(":", 1)
        gateway.reader, gateway.writer = await asyncio.open_connection(host, int(port))
        return gateway

    async def say(self, told):
        self.writer.write(json.dumps(told).encode() + b"\n")
        await self.writer.drain()


async def main():
    gateway = await Gateway.connect(os.environ["SMS_GATEWAY"])
    async with Workspace(os.environ["OFFHOOK_URL"], os.environ["OFFHOOK_WORKSPACE"], key=os.environ["OFFHOOK_KEY"]) as workspace:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(inbound(workspace, gateway))
            tasks.create_task(outbound(workspace, gateway, Path(os.environ["SMS_PLACE"])))


try:
    asyncio.run(main())
except* Refused as refused:
    sys.exit(f"Offhook refuses this channel: {refused.exceptions[0]}")
