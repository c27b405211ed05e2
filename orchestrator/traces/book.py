"""The last requests in memory: the lines of all hops, put together by the id of the request. Pure.

Bounded twice, by number and by size. A line costs one search, and its decoding where it is a request's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from . import line
from .line import Line

MOST_REQUESTS = 200
MOST_CHARACTERS = 4 * 1024 * 1024
# A request that never comes to its end, of hops that repeat themselves, is no reason to keep all of their lines.
MOST_LINES = 64


class Record:
    """One request: `lines` are (stage, line) in the order they came. It is over with the door's line, and then `turn` says the how
    manieth that was."""

    __slots__ = ("lines", "request_id", "size", "turn")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.lines: list[tuple[str, Line]] = []
        self.turn = 0
        self.size = 0

    @property
    def complete(self) -> bool:
        return self.turn > 0


class TraceBook:
    """`door` is the name of the first stage. Only requests for a model are kept: Codex asks for the list of models all the time."""

    def __init__(self, door: str, most: int = MOST_REQUESTS, most_characters: int = MOST_CHARACTERS) -> None:
        self._door = door
        self._most = most
        self._most_characters = most_characters
        self._records: OrderedDict[int, Record] = OrderedDict()
        self._latest: dict[str, Record] = {}
        self._size = 0
        self._number = 0
        self.turns = 0  # how many requests are over

    def feed(self, stage: str, text: str) -> Line | None:
        """The line, where it is one of a request."""
        told = line.read(text)
        if told is not None and told.method == "POST" and told.request_id:
            self._add(stage, told, len(text))
        return told

    def complete(self) -> Iterator[Record]:
        """Requests that are over, oldest first."""
        return (record for record in self._records.values() if record.complete)

    def find(self, prefix: str) -> list[Record]:
        """All whose id begins so, also those that are not over, newest first."""
        return [record for record in reversed(self._records.values()) if record.request_id.startswith(prefix)]

    def _add(self, stage: str, told: Line, size: int) -> None:
        record = self._record(told)
        if len(record.lines) >= MOST_LINES:
            return
        record.lines.append((stage, told))
        if stage == self._door and not record.complete:
            self.turns += 1
            record.turn = self.turns
        record.size += size
        self._size += size
        while len(self._records) > self._most or (self._size > self._most_characters and len(self._records) > 1):
            self._forget()

    def _record(self, told: Line) -> Record:
        """A client may name two requests alike: what begins behind the end of the first is another one."""
        known = self._latest.get(told.request_id)
        if known is not None and not (known.complete and told.start >= self._end_of(known)):
            return known
        self._number += 1
        record = self._records[self._number] = self._latest[told.request_id] = Record(told.request_id)
        return record

    def _end_of(self, record: Record) -> float:
        return max(told.end for stage, told in record.lines if stage == self._door)

    def _forget(self) -> None:
        _, oldest = self._records.popitem(last=False)
        self._size -= oldest.size
        if self._latest.get(oldest.request_id) is oldest:
            del self._latest[oldest.request_id]
