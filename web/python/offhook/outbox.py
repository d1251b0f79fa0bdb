"""Commands that were given and are not answered. Each keeps the id that it got first, so that it is done once however often it is
sent: over another connection, or to a server that was killed meanwhile. Pure but for the futures that its askers wait for."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


def new_id() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


@dataclass(slots=True)
class Entry:
    frame: Frame
    answered: asyncio.Future[Frame] = field(repr=False)
    #: Over the connection that there is now.
    sent: bool = False


class Outbox:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, frame: Frame) -> Entry:
        """A command, with an id of its own where it has none."""
        frame = {"id": new_id(), **frame}
        entry = Entry(frame, asyncio.get_running_loop().create_future())
        self._entries[frame["id"]] = entry
        return entry

    def unsent(self) -> Iterator[Entry]:
        """In the order in which they were given."""
        return (entry for entry in list(self._entries.values()) if not entry.sent)

    def disconnected(self) -> None:
        """What was sent may have been done or not: all of it is sent again."""
        for entry in self._entries.values():
            entry.sent = False

    def reply(self, frame: Frame) -> bool:
        """Whether somebody waits for this."""
        entry = self._entries.get(str(frame.get("id")))
        if entry is None or entry.answered.done():
            return False
        entry.answered.set_result(frame)
        return True

    def drop(self, entry: Entry) -> None:
        self._entries.pop(entry.frame["id"], None)

    def fail(self, error: BaseException) -> None:
        """Nobody will ever answer."""
        for entry in self._entries.values():
            if not entry.answered.done():
                entry.answered.set_exception(error)
        self._entries.clear()
