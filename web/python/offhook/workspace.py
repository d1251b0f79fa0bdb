"""A workspace over HTTP, with an API key: a channel of one's own, the event feed, and any other call of the admin API.

It needs `httpx` (`pip install offhook[http]`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from .errors import FOR_NOW, Refused
from .link import advised_ms, full_jitter_ms
from .outbox import new_id

log = logging.getLogger("offhook")

DeliveryState = Literal["sent", "failed", "delivered", "read"]

ANSWER_S = 30.0
#: The server sends something every 15 s: whoever hears nothing for longer comes back.
SILENCE_S = 40.0


@dataclass(frozen=True, slots=True)
class Received:
    """Where a customer's message went."""

    conversation: str
    number: int
    #: It began that conversation.
    started: bool


@dataclass(frozen=True, slots=True)
class Outside:
    """How a channel's service calls the customer of a conversation, and the thread that it goes on in."""

    channel: str
    customer: str
    thread: str


class Workspace:
    """`async with Workspace(url, "demo", key=…) as workspace: …`"""

    def __init__(self, url: str, workspace: str, *, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(ANSWER_S)
        )
        self._path = f"/v1/workspaces/{quote(workspace, safe='')}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    # a channel of one's own

    async def receive(
        self,
        channel: str,
        customer: str,
        text: str,
        *,
        id: str,
        thread: str = "",
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        attributes: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Received:
        """Hands in what a customer wrote. `customer`, `thread` and `id` are the channel's own names of who wrote, where, and of the
        message: one that is handed in again is there once."""
        who = {"id": customer, "name": name, "email": email, "phone": phone, "attributes": attributes}
        body = {"customer": _without_none(who), "thread": thread, "text": text, "metadata": metadata}
        path = f"/channel/{quote(channel, safe='')}/messages"
        told = await self.call("POST", path, _without_none(body), id=id)
        return Received(told["conversation"], told["number"], told["started"])

    async def report(
        self, channel: str, conversation: str, number: int, state: DeliveryState, reason: str | None = None
    ) -> None:
        """Says what became of a message to a customer. What says less than is known changes nothing, so the order of reports is no
        matter."""
        path = f"/channel/{quote(channel, safe='')}/conversations/{conversation}/messages/{number}/delivery"
        await self.call("POST", path, _without_none({"state": state, "reason": reason}))

    async def outside(self, conversation: str) -> Outside | None:
        """Where a conversation goes on; `None` for one that no channel of one's own began."""
        facts = await self.call("GET", f"/conversations/{conversation}")
        names = facts.get("outside")
        return Outside(facts["channel"], names["customer"], names.get("thread", "")) if names else None

    # the event feed

    async def events(
        self, *, after: str | None = None, types: Iterable[str] = (), texts: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """All that happens, in order, from behind `after` (an event's `id`; absent: from the first that is kept; `latest`: from now on),
        for ever: a stream that ends is opened again where it was. Raises `Refused` where the server says that this is no use."""
        wanted = {"types": ",".join(types), "texts": "true" if texts else ""}
        query = {name: value for name, value in wanted.items() if value}
        attempt = 0
        while True:
            wait_ms = full_jitter_ms(attempt, random.random()) if attempt else 0
            try:
                async for id, data in self._stream("/events", query | ({"after": after} if after is not None else {})):
                    attempt = 0
                    after = id or after
                    if data is not None:
                        yield data
                log.debug("the feed ended; it is opened again")
            except Refused as refused:
                if refused.code not in FOR_NOW:
                    raise
                wait_ms = advised_ms(refused.retry_after_ms or 1_000, random.random())
            except httpx.TransportError as broken:
                log.info("the feed broke: %s", broken)
            attempt += 1
            # As long as the server asked for, or longer each time.
            await asyncio.sleep(wait_ms / 1_000)

    async def _stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[tuple[str, dict[str, Any] | None]]:
        """Server-sent events: the id and the data of each. A stream without a cursor begins with what happens from then on, so what it
        was sent last counts."""
        headers = {"Accept": "text/event-stream"}
        timeout = httpx.Timeout(ANSWER_S, read=SILENCE_S)
        async with self._client.stream("GET", self._path + path, params=query, headers=headers, timeout=timeout) as told:
            if told.status_code != 200:
                raise _refused(told.status_code, await told.aread())
            fields: dict[str, str] = {}
            async for line in told.aiter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                if fields.get("event") == "gone":
                    raise Refused({"code": "cursor_gone", "message": "the events from there on are not kept any more", **json.loads(fields["data"])})
                if "id" in fields or "data" in fields:
                    yield fields.get("id", ""), json.loads(fields["data"]) if "data" in fields else None
                fields = {}

    # anything else

    async def call(self, method: str, path: str, body: Any = None, *, id: str | None = None) -> Any:
        """Any call below the workspace. What cannot be done now, and what was not answered, is asked again with the same id."""
        headers = {} if method == "GET" else {"Idempotency-Key": id or new_id()}
        attempt = 0
        while True:
            try:
                told = await self._client.request(method, self._path + path, json=body, headers=headers)
                if told.is_success:
                    return told.json() if told.content else None
                refused = _refused(told.status_code, told.content)
                if refused.code not in FOR_NOW:
                    raise refused
                wait_ms = advised_ms(refused.retry_after_ms or 1_000, random.random())
            except httpx.TransportError as broken:
                log.info("%s %s: %s", method, path, broken)
                wait_ms = full_jitter_ms(attempt, random.random())
            attempt += 1
            # As long as the server asked for, or longer each time.
            await asyncio.sleep(wait_ms / 1_000)


def _refused(status: int, body: bytes) -> Refused:
    try:
        error = json.loads(body)
    except ValueError:
        error = None
    if not isinstance(error, dict) or "code" not in error:
        # A proxy's answer, or that of a server which is only being started.
        error = {"code": "unavailable" if status in (429, 502, 503, 504) else "unknown", "message": f"the server answered {status}"}
    return Refused(error)


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
