"""An agent that is a program: it connects, takes what it is offered, and answers, however often the connection is lost meanwhile.

    agent = Agent("https://desk.example", token=fetch_token)

    @agent.on_message
    async def answer(talk, message):
        async with talk.answer() as answer:
            async for piece in model(message.text):
                await answer.write(piece)

    asyncio.run(agent.run())
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import json
import logging
import random
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from .errors import FOR_NOW, Refused, Stopped
from .link import Again, Over, advised_ms, after_close, after_refusal
from .outbox import Frame, Outbox, new_id
from .shapes import Conversation, Message, Offer
from .talk import Talk

log = logging.getLogger("offhook")

Token = str | Callable[[], str | Awaitable[str]]
OnMessage = Callable[[Talk, Message], Awaitable[None]]
OnTalk = Callable[[Talk], Awaitable[None]]
#: `True` takes the offer; a reason code of the workspace's rejects it.
OnOffer = Callable[[Offer], Awaitable[bool | str]]
OnFailure = Callable[[Talk, Message, Exception], Awaitable[None]]

#: Commands that wait for an answer at once; whoever has more to ask waits.
COMMANDS_MAX = 1_000
FRAME_BYTES_MAX = 1 << 20
OPEN_S = 20.0
#: So long before a token ends a new one is asked for.
TOKEN_MARGIN_S = 60.0
AGAIN_MS = 1_000


class Agent:
    def __init__(self, url: str, *, token: Token) -> None:
        """`token`: an agent's token, or a function (which may be a coroutine's) that fetches one; a function is asked again before a
        token ends, and when one was refused."""
        parts = urllib.parse.urlsplit(url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        self._address = f"{scheme}://{parts.netloc}/v1/agent"
        self._source = token
        self._token = ""
        self._ticket = ""
        self._outbox = Outbox()
        self._places = asyncio.Semaphore(COMMANDS_MAX)
        self._wake = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._void_to = 0
        self._offers: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wants: tuple[str, Sequence[str] | None] | None = None
        self._over: Over | None = None
        self._on_message: OnMessage | None = None
        self._on_start: OnTalk | None = None
        self._on_end: OnTalk | None = None
        self._on_offer: OnOffer | None = None
        self._on_failure: OnFailure | None = None
        #: Its name, once it was welcomed.
        self.name = ""
        #: Conversations that it has, by their ids.
        self.talks: dict[str, Talk] = {}
        #: As the welcome has it: statuses, channels, reject reasons, limits.
        self.settings: Mapping[str, Any] = {}

    # what it does

    def on_message(self, do: OnMessage) -> OnMessage:
        """Called for each message of a customer that no agent has answered, once and in order: one at a time in a conversation, and in
        many conversations at once."""
        self._on_message = do
        return do

    def on_start(self, do: OnTalk) -> OnTalk:
        """Called when it has a conversation, before its messages: also for what it had before this process began."""
        self._on_start = do
        return do

    def on_end(self, do: OnTalk) -> OnTalk:
        """Called when a talk is over and wrap-up begins, which this must then end. Without it, wrap-up is ended at once."""
        self._on_end = do
        return do

    def on_offer(self, do: OnOffer) -> OnOffer:
        """Called for each offer. Without it, all are taken."""
        self._on_offer = do
        return do

    def on_failure(self, do: OnFailure) -> OnFailure:
        """Called when `on_message` raised: a good place to hand the conversation to people. It is logged in any case."""
        self._on_failure = do
        return do

    # the connection

    async def run(self, *, status: str = "available", channels: Sequence[str] | None = None) -> None:
        """Works until it is cancelled or signed out. `channels`: those switched on; absent: all.

        Raises `Stopped` when the server says not to come back.
        """
        self._wants = (status, channels)
        attempt = 0
        fresh_token = True
        try:
            while True:
                began = time.monotonic()
                self._token = await self._fetch() if fresh_token or not self._token else self._token
                welcomed, end = await self._once(attempt)
                attempt = 0 if welcomed else attempt + 1
                if isinstance(end, Again) and end.fresh_token and isinstance(self._source, str):
                    end = Over("the token is not good, and there is no function that fetches another")
                if isinstance(end, Over):
                    self._over = end
                    if end.why == "signed_out":
                        return
                    raise Stopped(end.why)
                fresh_token = end.fresh_token
                log.info("the connection ended after %.1f s; again in %d ms", time.monotonic() - began, end.after_ms)
                await asyncio.sleep(end.after_ms / 1_000)
        finally:
            self._over = self._over or Over("stopped")
            self._outbox.fail(Stopped(self._over.why))
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def sign_out(self) -> None:
        """Takes the agent offline at once; `run` then ends."""
        await self.command("sign_out")

    async def _once(self, attempt: int) -> tuple[bool, Again | Over]:
        """One connection, to its end: whether it was welcomed, and what comes then."""
        protocols = ["offhook.agent.v1", f"offhook.token.{self._token}"]
        protocols += [f"offhook.ticket.{self._ticket}"] if self._ticket else []
        welcomed = False
        beside: list[asyncio.Task[None]] = []
        try:
            async with connect(
                self._address,
                subprotocols=[Subprotocol(protocol) for protocol in protocols],
                max_size=FRAME_BYTES_MAX,
                open_timeout=OPEN_S,
            ) as socket:
                welcome = json.loads(await socket.recv())
                welcomed = True
                self._welcome(socket, welcome)
                beside = [asyncio.create_task(self._pump(socket)), asyncio.create_task(self._renew())]
                while True:
                    self._hear(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            told = closed.rcvd
            return welcomed, after_close(told.code if told else None, told.reason if told else "", attempt, random.random())
        except InvalidStatus as refused:
            response = refused.response
            return False, after_refusal(response.status_code, _retry_after_ms(response), attempt, random.random())
        except (OSError, EOFError, TimeoutError, WebSocketException) as broken:
            log.debug("no connection: %s", broken)
            return welcomed, after_close(None, "", attempt, random.random())
        finally:
            self._socket = None
            self._outbox.disconnected()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _pump(self, socket: ClientConnection) -> None:
        """Sends what was given, in order; after a reconnect, also what was never answered."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._wake.clear()
                for entry in self._outbox.unsent():
                    entry.sent = True
                    await socket.send(json.dumps(entry.frame, ensure_ascii=False))
                await self._wake.wait()

    async def _fetch(self) -> str:
        if isinstance(self._source, str):
            return self._source
        token = self._source()
        return await token if inspect.isawaitable(token) else token

    async def _renew(self) -> None:
        """A new token before the old one ends, where there is somebody to ask."""
        while not isinstance(self._source, str):
            ends_at = _expires_at(self._token)
            if ends_at is None:
                return
            left = ends_at - time.time()
            await asyncio.sleep(max(left - min(TOKEN_MARGIN_S, left / 4), 1.0))
            try:
                self._token = await self._fetch()
                await self.command("refresh", token=self._token)
            except Exception as error:  # noqa: BLE001 (the session goes on until the old one ends, and then asks again)
                log.warning("no new token: %s", error)

    # commands

    async def command(self, kind: str, **members: Any) -> Frame:
        """Any command of docs/wire.md, and its reply. It is done once: a lost connection or a killed server only makes it wait; what
        cannot be done now is asked again. Raises `Refused`, or `Stopped` when nobody will ever answer."""
        async with self._places:
            if self._over is not None:
                raise Stopped(self._over.why)
            entry = self._outbox.add({"type": kind, **members})
            try:
                while True:
                    self._wake.set()
                    reply = await entry.answered
                    error = reply.get("error")
                    if error is None:
                        return reply
                    if error.get("code") not in FOR_NOW:
                        raise Refused(error)
                    await asyncio.sleep(advised_ms(error.get("retry_after_ms") or AGAIN_MS, random.random()) / 1_000)
                    entry.answered = asyncio.get_running_loop().create_future()
                    entry.sent = False
            finally:
                self._outbox.drop(entry)

    async def signal(self, kind: str, **members: Any) -> None:
        """What is passed on and forgotten: typing and drafts. Without a connection it is forgotten at once."""
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(json.dumps({"type": kind, "id": new_id(), **members}, ensure_ascii=False))

    # what it hears

    def _welcome(self, socket: ClientConnection, frame: Frame) -> None:
        self.name = frame["agent"]["name"]
        self.settings = frame["settings"]
        self._ticket = frame["ticket"]
        self._socket = socket
        self._snapshot(frame)

    def _snapshot(self, frame: Frame) -> None:
        self._void_to = frame["position"]
        snapshot = frame["snapshot"]
        self._do(self._complete(snapshot, self._void_to))
        if self._wants is not None:
            status, channels = self._wants
            if snapshot["status"] != status or channels is not None and set(channels) != set(snapshot["channels"]):
                self._do(self._choose(status, channels))

    async def _choose(self, status: str, channels: Sequence[str] | None) -> None:
        chosen = list(self.settings["channels"]) if channels is None else list(channels)
        await self.command("set_status", status=status, channels=chosen)

    async def _complete(self, page: Frame, position: int) -> None:
        """All pages of a snapshot: what is on none of them is gone, unless it came since."""
        here = set()
        while True:
            for offer in page["offers"]:
                self._offered(offer)
            for conversation in page["conversations"]:
                here.add(conversation["conversation"])
                self._has(conversation)
            cursor = page.get("cursor")
            if cursor is None:
                break
            try:
                page = await self.command("own", cursor=cursor)
            except Refused as refused:
                log.warning("the agent's own conversations: %s", refused)
                return
            if self._void_to != position:
                return  # A fresh snapshot goes before what is left of this one.
        for talk in list(self.talks.values()):
            if talk.id not in here and talk._heard_at <= position:
                self._lost(talk.id)

    def _hear(self, frame: Frame) -> None:
        kind = frame.get("type")
        if kind == "reply":
            self._outbox.reply(frame)
            return
        if kind == "snapshot":
            self._snapshot(frame)
            return
        if frame.get("position", self._void_to + 1) <= self._void_to:
            return
        if kind == "offer":
            self._offered(frame["offer"])
        elif kind in ("conversation", "conversation_ended"):
            self._has(frame["conversation"], frame["position"])
        elif kind == "conversation_gone":
            self._lost(frame["conversation"])
        elif kind == "message" and (talk := self.talks.get(frame["conversation"])):
            talk._thread.hear(Message.of(frame))
            talk._wake.set()

    def _offered(self, members: Mapping[str, Any]) -> None:
        offer = Offer.of(members)
        if offer.id not in self._offers:
            self._offers.add(offer.id)
            self._do(self._take(offer))

    async def _take(self, offer: Offer) -> None:
        try:
            await self.command("delivered", offer=offer.id)
            answer = True if self._on_offer is None else await self._on_offer(offer)
            if answer is True:
                await self.command("accept", offer=offer.id)
            elif isinstance(answer, str):
                await self.command("reject", offer=offer.id, reason=answer)
        except Refused as refused:
            # It has ended: by its time, by another who was quicker, by its customer.
            log.debug("the offer %s: %s", offer.id, refused)
        finally:
            self._offers.discard(offer.id)

    def _has(self, members: Mapping[str, Any], heard_at: int = 0) -> None:
        conversation = Conversation.of(members)
        talk = self.talks.get(conversation.id)
        if talk is None:
            talk = self.talks[conversation.id] = Talk(self, conversation)
        talk.conversation, talk._heard_at = conversation, heard_at
        talk._thread.exists(conversation.last_number)
        talk._wake.set()
        if talk._worker is None:
            talk._worker = self._do(self._work(talk))
        if conversation.state != "wrap_up":
            talk._ends = False
        elif not talk._ends:
            talk._ends = True
            self._do(self._wrap_up(talk))

    def _lost(self, conversation: str) -> None:
        talk = self.talks.pop(conversation, None)
        if talk is not None:
            talk.gone = True
            talk._wake.set()

    # what it does about it

    async def _work(self, talk: Talk) -> None:
        """One conversation: its messages, one after the other."""
        thread = talk._thread
        begun = False
        while not talk.gone:
            talk._wake.clear()
            if not talk.is_mine:
                await talk._wake.wait()
                continue
            try:
                if thread.given is None:
                    thread.begin(await talk.history())
                if not begun and self._on_start is not None:
                    await self._on_start(talk)
                begun = True
                message = thread.take()
                if message is None and thread.after is not None:
                    thread.read(await talk.history(after=thread.after))
                    message = thread.take()
            except Refused as refused:
                # It is another's by now; the delta that says so is under way.
                log.debug("%s: %s", talk.id, refused)
                message = None
            if message is None:
                await talk._wake.wait()
            elif message.author == "customer" and self._on_message is not None:
                await self._answer(talk, message, self._on_message)

    async def _answer(self, talk: Talk, message: Message, do: OnMessage) -> None:
        try:
            await do(talk, message)
        except Exception as error:
            if isinstance(error, Refused) and talk.gone:
                return
            log.exception("message %d of %s was not answered", message.number, talk.id)
            if self._on_failure is not None:
                try:
                    await self._on_failure(talk, message, error)
                except Exception:
                    log.exception("nor was that failure dealt with")

    async def _wrap_up(self, talk: Talk) -> None:
        try:
            if self._on_end is not None:
                await self._on_end(talk)
            else:
                await self.command("wrap_up_done", conversation=talk.id)
        except Refused as refused:
            log.warning("the wrap-up of %s: %s", talk.id, refused)

    def _do(self, deed: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Each on its own, so that one that waits keeps nobody else waiting."""
        task = asyncio.create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Stopped):
            log.error("a deed of the agent failed", exc_info=error)


def _expires_at(token: str) -> float | None:
    """When a JWT ends, in Unix seconds."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _retry_after_ms(response: Any) -> int | None:
    """From the body, which is exact, or from the header, which is in whole seconds."""
    try:
        return int(json.loads(response.body)["retry_after_ms"])
    except (KeyError, TypeError, ValueError):
        pass
    try:
        return int(response.headers["Retry-After"]) * 1_000
    except (KeyError, ValueError):
        return None
