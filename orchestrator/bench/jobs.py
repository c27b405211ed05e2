"""What the load process is told, and what it tells back: one JSON line each way per job."""

from __future__ import annotations

import msgspec

from .answer import Wire
from .script import Script


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests go, and which language the answer is in."""

    host: str
    port: int
    path: str
    wire: Wire
    model: str
    headers: dict[str, str] = {}

    def __repr__(self) -> str:  # headers hold a token
        return f"Target({self.host}:{self.port}{self.path})"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` in all, from `concurrency` connections at once, each of which sends `warmup` unmeasured ones first.

    Bodies are `size` bytes; every answer must be the one that `script` gives. `seconds` bounds the whole.
    """

    target: Target
    script: Script
    size: int
    concurrency: int = 1
    requests: int = 1
    warmup: int = 1
    seconds: float = 60.0


class Outcome(msgspec.Struct, kw_only=True):
    """`first_ms` and `total_ms` by request; `seconds` from the first byte sent to the last one received, without the warm-up.

    `wrong` says what was the matter with answers that were not the right ones; they are in no other number.
    """

    first_ms: list[float] = []
    total_ms: list[float] = []
    seconds: float = 0.0
    bytes: int = 0
    wrong: list[str] = []
