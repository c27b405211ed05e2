"""The end of an answer, where its usage stands. Pure.

The router relays bytes and decodes none of them, so it looks for `usage` in the last piece of what went by: a quotation mark inside
a JSON string is escaped, so what looks like that key is one.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any, NamedTuple

# What stands behind the usage in a last event: little, or an echo of what was asked.
MOST_BYTES = 256 * 1024
_KEY = '"usage"'

_decoder = json.JSONDecoder()


class Used(NamedTuple):
    """Tokens; `cached` is a part of `input`."""

    input: int
    cached: int
    output: int


class Tail:
    """Feed it the answer as it goes by."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size - len(self._pieces[0]) >= MOST_BYTES:
            self._size -= len(self._pieces.popleft())

    def used(self) -> Used | None:
        """None where nothing of the kind is there."""
        text = b"".join(self._pieces).decode("utf-8", "replace")
        end = len(text)
        while (at := text.rfind(_KEY, 0, end)) >= 0:
            if (found := _read(text, at + len(_KEY))) is not None:
                return found
            end = at
        return None


def _read(text: str, at: int) -> Used | None:
    """A tool may have a property of that name, which holds no numbers."""
    start = text.find("{", at, at + 4)
    if start < 0:
        return None
    try:
        told, _ = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    numbers = _count(told.get("input_tokens")), _count(told.get("output_tokens"))
    details = told.get("input_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    if numbers[0] is None or numbers[1] is None:
        return None
    return Used(numbers[0], min(cached or 0, numbers[0]), numbers[1])


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
