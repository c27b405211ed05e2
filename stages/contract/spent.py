"""What was spent today. The orchestrator, which counts it, writes it to a file; the router reads that before it sends on what a
limit in dollars concerns, so that neither a restart nor a reload forgets. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Item(msgspec.Struct, frozen=True, array_like=True):
    """`project` is the folder that Codex worked in, empty where it did not say."""

    slug: str
    project: str
    dollars: float


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Of one `day` by the clock of this machine, like `2026-11-21`."""

    day: str = ""
    items: list[Item] = []


def decode(content: bytes) -> Spent:
    """Nothing where the file is not ours."""
    try:
        return msgspec.json.decode(content, type=Spent)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Spent()


def encode(day: str, items: Iterable[Item]) -> bytes:
    return msgspec.json.encode(Spent(day=day, items=[item for item in items if item.dollars > 0]))
