"""An answer that is shown while it grows: the customer sees what there is of it, some times a second, and then the message.

A draft is never stored, and is shed when memory is short: it is the message that counts, and that is sent at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from .talk import Talk

#: Between two looks at it, and how long one is shown while nothing is written: pages take a silence of 6 s for the end of it.
EVERY_S = 0.15
AGAIN_S = 3.0


class Answer:
    """`async with talk.answer() as answer: await answer.write("…")`: at the end it is sent. What raises inside takes it back."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._pieces: list[str] = []
        self._shown = False
        self._changed = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None
        #: Of the message, once it was sent.
        self.number: int | None = None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    async def write(self, piece: str) -> None:
        self._pieces.append(piece)
        self._changed.set()
        # Who writes without ever waiting gives the connection its turn.
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        await self._talk.typing()
        self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._showing is not None
        self._showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._showing
        text = self.text
        if kind is None and text.strip():
            self.number = await self._talk.send(text)
        elif self._shown:
            await self._talk.draft("")

    async def _show(self) -> None:
        while True:
            # Not wait_for, which before Python 3.12 forgets that it was cancelled when what it waits for comes in that moment.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._changed.wait()
            self._changed.clear()
            text = self.text
            if text.strip():
                await self._talk.draft(text)
                self._shown = True
            else:
                await self._talk.typing()
            # What is written meanwhile goes together.
            await asyncio.sleep(EVERY_S)
