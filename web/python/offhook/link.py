"""When to come back, and when not: what each end of a connection means. Pure: no clock, no chance, no network of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

FIRST_MS = 1_000
MOST_MS = 30_000
ADVISED_JITTER_MS_MAX = 1_000

_FAULTS = frozenset({1002, 1003, 1007, 1009})
_ADVICE = re.compile(r"retry_after_ms=(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Again:
    """It comes back after so long; `fresh_token`: not with the token that it had."""

    after_ms: int
    fresh_token: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """It does not come back."""

    why: str


def full_jitter_ms(attempt: int, chance: float) -> int:
    """Anywhere from 0 to 1 s, doubling to 30 s."""
    return round(chance * min(FIRST_MS << min(attempt, 16), MOST_MS))


def advised_ms(ms: int, chance: float) -> int:
    """Not before it was advised, and not all at once."""
    return round(ms + chance * min(ms / 4, ADVISED_JITTER_MS_MAX))


def after_close(code: int | None, reason: str, attempt: int, chance: float) -> Again | Over:
    """After a close with this code (`None`: the connection broke), the `attempt`th in a row without a welcome, from 0."""
    if code is None or code in (1001, 1006, 1011, 1012, 1013):
        return Again(full_jitter_ms(attempt, chance))
    if code == 1000:
        return Over("closed")
    if code == 4001:
        return Again(full_jitter_ms(attempt, chance), fresh_token=True)
    if code in (4201, 4202):
        return Again(0)
    if 4100 <= code < 4300:
        advice = _ADVICE.search(reason)
        return Again(advised_ms(int(advice[1]), chance) if advice else full_jitter_ms(attempt, chance))
    if code in _FAULTS:
        return Over(f"the server closed with {code}: a fault of this client")
    return Over(reason or f"the server closed with {code}")


def after_refusal(status: int, retry_after_ms: int | None, attempt: int, chance: float) -> Again | Over:
    """After a handshake that was answered over HTTP."""
    if status in (429, 502, 503, 504):
        return Again(full_jitter_ms(attempt, chance) if retry_after_ms is None else advised_ms(retry_after_ms, chance))
    if status == 401:
        return Again(full_jitter_ms(attempt, chance), fresh_token=True)
    return Over(f"the server answered {status}: is this its address, and its version?")
