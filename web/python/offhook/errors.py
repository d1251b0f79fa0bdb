"""What goes wrong, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The server did not do it, and says why: `code` is one of docs/wire.md, *Errors*."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code = str(error.get("code", "unknown"))
        self.field: str | None = error.get("field")
        self.retry_after_ms: int | None = error.get("retry_after_ms")
        self.members = dict(error)
        super().__init__(f"{self.code}: {error.get('message', error.get('detail', ''))}")


class Stopped(Exception):
    """The connection has ended, and does not come back."""


#: Nothing happened, and the same command may be sent again.
FOR_NOW = frozenset({"busy", "unavailable", "behind", "rate_limited"})
