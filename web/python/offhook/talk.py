"""One conversation of an agent's, and what the agent does in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .draft import Answer
from .shapes import Conversation, Message
from .thread import Thread

if TYPE_CHECKING:
    from .agent import Agent


class Talk:
    """It stays the same object as long as the agent has the conversation, over lost connections and restarts of the server."""

    def __init__(self, agent: Agent, conversation: Conversation) -> None:
        self._agent = agent
        self._thread = Thread()
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        #: The position of the delta that brought it; 0: a snapshot did.
        self._heard_at = 0
        #: Its wrap-up is being dealt with.
        self._ends = False
        #: As it was told last.
        self.conversation = conversation
        #: The agent has it no longer: whatever is asked is refused.
        self.gone = False

    @property
    def id(self) -> str:
        return self.conversation.id

    @property
    def is_mine(self) -> bool:
        """Whether it is this agent's to answer: it owns it, and the talk goes on."""
        return not self.gone and self.conversation.owner == self._agent.name and self.conversation.state == "active"

    async def send(self, text: str, files: Sequence[str] = ()) -> int:
        """The number of the message, once it is committed. Over a lost connection it waits, and is there once."""
        members: dict[str, Any] = {"files": list(files)} if files else {}
        reply = await self._ask("send", text=text, **members)
        return int(reply["number"])

    def answer(self) -> Answer:
        """A message that its customer sees grow: `async with talk.answer() as answer: await answer.write("…")`."""
        return Answer(self)

    async def typing(self) -> None:
        await self._agent.signal("typing", conversation=self.id)

    async def draft(self, text: str) -> None:
        """Shows its customer what there is of an answer; empty: takes it back. Sent once or not at all, and never stored."""
        await self._agent.signal("typing", conversation=self.id, text=text)

    async def note(self, text: str) -> int:
        """For agents only."""
        return int((await self._ask("note", text=text))["note"])

    async def hand_over(self, *, queue: str | None = None, agent: str | None = None, note: str | None = None) -> None:
        """Gives it away, to a queue (where people are asked) or to one agent, with a note that says why."""
        if (queue is None) == (agent is None):
            raise ValueError("hand_over needs a queue or an agent")
        if note is not None:
            await self.note(note)
        await self._ask("transfer", **({"queue": queue} if agent is None else {"agent": agent}))

    async def read(self, number: int) -> None:
        await self._ask("read", number=number)

    async def label(self, **labels: Any) -> None:
        """`disposition`, `tags`, `fields`; what is absent stays as it is."""
        await self._ask("label", **labels)

    async def close(self, **labels: Any) -> None:
        """Ends it, labelled in the same step."""
        await self._ask("close", **labels)

    async def history(self, *, after: int | None = None, before: int | None = None, limit: int = 50) -> list[Message]:
        """Messages in ascending order; the last ones when neither end is given."""
        ends: Mapping[str, int] = {"after": after} if after is not None else {"before": before} if before is not None else {}
        reply = await self._ask("history", limit=limit, **ends)
        return [Message.of(members) for members in reply["messages"]]

    async def _ask(self, kind: str, **members: Any) -> dict[str, Any]:
        return await self._agent.command(kind, conversation=self.id, **members)
