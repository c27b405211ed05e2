"""What one exchange took at this hop: a few looks at the clock for a request, two for a chunk.

`began` is when it came, in seconds since the epoch; everything else in the log is in milliseconds from there:

    sent_ms      the request went on to the next hop, for the first time where it was asked again
    headers_ms   the status of the answer was known
    read_ms      the first piece of the answer's body was there
    first_ms     the first piece of our own answer was written
    ended_ms     the last piece of the next hop's answer was there
    chunks       how many pieces were written
    chunk_ms     between having read a piece and having written what it caused, for all of them together
    retries      why the next hop was asked again, and how often
"""

from __future__ import annotations

import time
from time import perf_counter
from typing import Any


class Timing:
    """The clock of one exchange. A moment that has not come is 0."""

    __slots__ = ("_answered", "_at", "_began", "_busy", "_chunks", "_ended", "_first", "_read", "_retries", "_sent", "_since")

    def __init__(self) -> None:
        self._at = time.time()
        self._began = perf_counter()
        self._sent = self._answered = self._read = self._first = self._ended = self._since = self._busy = 0.0
        self._chunks = 0
        self._retries: dict[str, int] = {}

    def sent(self) -> None:
        self._sent = self._sent or perf_counter()

    def answered(self) -> None:
        self._answered = perf_counter()

    def read(self) -> None:
        """A piece of the next hop's answer is there."""
        self._since = self._ended = perf_counter()
        self._read = self._read or self._ended

    def written(self) -> None:
        """A piece of our own answer is out."""
        now = perf_counter()
        self._first = self._first or now
        self._chunks += 1
        if self._since:
            self._busy += now - self._since
            self._since = 0.0

    def again(self, why: str) -> None:
        """The next hop is asked once more."""
        self._retries[why] = self._retries.get(why, 0) + 1

    def fields(self) -> dict[str, Any]:
        """For the log; None for what has not come."""
        return {
            "began": round(self._at, 6),
            "sent_ms": self._ms(self._sent),
            "headers_ms": self._ms(self._answered),
            "read_ms": self._ms(self._read),
            "first_ms": self._ms(self._first),
            "ended_ms": self._ms(self._ended),
            "ms": self._ms(perf_counter()),
            "chunks": self._chunks or None,
            "chunk_ms": round(self._busy * 1000, 3) if self._busy else None,
            "retries": self._retries or None,
        }

    def _ms(self, moment: float) -> float | None:
        return round((moment - self._began) * 1000, 3) if moment else None
