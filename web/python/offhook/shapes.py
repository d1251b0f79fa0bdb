"""What the server tells of, as values. Members that this version does not know are in `members`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Message:
    number: int
    #: Who wrote it: `customer`, `agent` or `system`.
    author: Literal["customer", "agent", "system"]
    text: str
    #: Unix milliseconds.
    at: int
    #: The agent's name, the customer's id, or what the workspace tells.
    name: str
    files: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Message:
        kind, name = next(iter(members["author"].items()))
        return cls(
            number=int(members["number"]),
            author=kind if kind in ("customer", "agent") else "system",
            text=str(members["text"]),
            at=int(members["at"]),
            name=str(name),
            files=tuple(members.get("files", ())),
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    state: str
    channel: str
    queue: str
    #: What its customer called itself.
    name: str | None
    #: Whether somebody vouched for that.
    known: bool
    metadata: Mapping[str, str]
    last_number: int
    owner: str | None
    members: Mapping[str, Any]

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Conversation:
        return cls(
            id=str(members["conversation"]),
            state=str(members["state"]),
            channel=str(members["channel"]),
            queue=str(members["queue"]),
            name=members.get("name"),
            known=bool(members.get("known")),
            metadata=dict(members.get("metadata") or {}),
            last_number=int(members["last_number"]),
            owner=members.get("owner"),
            members=dict(members),
        )


@dataclass(frozen=True, slots=True)
class Offer:
    id: str
    conversation: Conversation
    left_ms: int
    members: Mapping[str, Any]

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Offer:
        conversation = Conversation.of(members["conversation"])
        return cls(str(members["offer"]), conversation, int(members["left_ms"]), dict(members))
