"""Which messages of a conversation have been given to whoever answers them: each once and in order, whatever was told twice, out of
order, or not at all while the connection was away. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from .shapes import Message

#: Messages that wait here; what is beyond is asked of the server when its turn comes.
WAITING_MAX = 50


class Thread:
    def __init__(self) -> None:
        #: The last message that was given; `None`: not known yet where to begin.
        self.given: int | None = None
        #: The last that there is.
        self.last = 0
        self._waiting: deque[Message] = deque()

    def exists(self, number: int) -> None:
        self.last = max(self.last, number)

    def hear(self, message: Message) -> None:
        """A message, as it was told."""
        self.exists(message.number)
        behind = self._waiting[-1].number if self._waiting else self.given
        if behind is not None and message.number == behind + 1 and len(self._waiting) < WAITING_MAX:
            self._waiting.append(message)

    def begin(self, page: Sequence[Message]) -> None:
        """The last messages there are: what no agent has answered yet is what begins."""
        numbers = [message.number for message in page if message.author == "agent"]
        first = page[0].number - 1 if page else self.last
        self.given = max(numbers, default=first)
        self.read(page)

    def read(self, page: Sequence[Message]) -> None:
        """A page that was asked for, from behind `after`."""
        for message in page:
            self.hear(message)

    def take(self) -> Message | None:
        """The next message. Where there is none, `after` says from where on one is missing."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self.given = message.number
        return message

    @property
    def after(self) -> int | None:
        """Behind this there are messages that were not told; `None`: there are none."""
        if self.given is None or self._waiting or self.given >= self.last:
            return None
        return self.given
