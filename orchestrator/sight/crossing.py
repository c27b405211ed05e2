"""One request and its answer as they crossed a hop, put together from the records that a probe tells of them. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

Record = dict[str, Any]

# Of exchanges that never end, or whose ends were dropped, the oldest are forgotten; of what is kept of all answers together there
# is a limit too. Whoever only looks on must not fill this machine's memory.
MOST_OPEN = 1000
MOST_KEPT_CHARACTERS = 256 * 2**20


class Crossing(msgspec.Struct, kw_only=True):
    """`ts` is seconds since the epoch when the request came, `ms`, `first_ms` and the first value of each piece of `answer` are
    milliseconds since then; `body` and `answer` are there only where the probe was asked for them. `lost` tells that a part of it
    was dropped on the way to whoever watched."""

    hop: str
    id: str
    ts: float = 0.0
    method: str = ""
    path: str = ""
    headers: dict[str, str] = {}
    model: str | None = None
    session: str | None = None
    body: str | None = None
    status: int | None = None
    answer_headers: dict[str, str] = {}
    answer: list[tuple[float, str]] = []
    outcome: str = ""
    ms: float | None = None
    first_ms: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    lost: bool = False

    @property
    def text(self) -> str:
        """All of the answer's body that is known."""
        return "".join(piece for _, piece in self.answer)


class Gatherer:
    """Feed it the records of any number of hops, in the order of each; it gives back the crossings that have ended."""

    def __init__(self, most_open: int = MOST_OPEN, most_kept: int = MOST_KEPT_CHARACTERS) -> None:
        self._open: dict[tuple[str, str], Crossing] = {}
        self._most_open = most_open
        self._most_kept = most_kept
        self._kept = 0

    def feed(self, record: Record) -> Crossing | None:
        """The crossing that this record ends. What began before anybody watched is left out."""
        kind, key = record.get("type"), key_of(record)
        if kind == "request":
            self._begin(key, record)
        elif kind == "dropped":
            self._mark_lost(str(record.get("hop")))
        elif (crossing := self._open.get(key)) is not None:
            return self._go_on(crossing, kind, record)
        return None

    def _begin(self, key: tuple[str, str], record: Record) -> None:
        self._forget(key)
        if len(self._open) >= self._most_open:
            self._forget(next(iter(self._open)))
        self._open[key] = Crossing(
            hop=key[0],
            id=key[1],
            ts=float(record.get("ts") or 0),
            method=str(record.get("method") or ""),
            path=str(record.get("path") or ""),
            headers=record.get("headers") or {},
            model=record.get("model"),
            session=record.get("session"),
            body=record.get("body"),
            answer=[],
        )

    def _go_on(self, crossing: Crossing, kind: Any, record: Record) -> Crossing | None:
        if kind == "response":
            crossing.status, crossing.answer_headers = record.get("status"), record.get("headers") or {}
        elif kind == "chunk":
            self._keep(crossing, record)
        elif kind == "end":
            self._forget((crossing.hop, crossing.id))
            for name in ("outcome", "ms", "first_ms", "bytes_in", "bytes_out"):
                setattr(crossing, name, record.get(name, getattr(crossing, name)))
            return crossing
        return None

    def _keep(self, crossing: Crossing, record: Record) -> None:
        text = str(record.get("data") or "")
        if self._kept + len(text) > self._most_kept:
            crossing.lost = True
            return
        self._kept += len(text)
        offset = (float(record.get("ts") or crossing.ts) - crossing.ts) * 1000
        crossing.answer.append((round(max(offset, 0.0), 1), text))

    def _forget(self, key: tuple[str, str]) -> None:
        if (crossing := self._open.pop(key, None)) is not None:
            self._kept -= sum(len(text) for _, text in crossing.answer)

    def _mark_lost(self, hop: str) -> None:
        """Nobody knows whose records they were."""
        for crossing in self._open.values():
            if crossing.hop == hop:
                crossing.lost = True


def key_of(record: Record) -> tuple[str, str]:
    """By which the records of one crossing belong together."""
    return str(record.get("hop") or ""), str(record.get("id") or "")
