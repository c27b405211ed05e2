"""What a probe says of one exchange to the orchestrator, which compares it with what the probe on the other side of a stage says.

Two lines of the log for each exchange, `crossing` when it begins and `crossed` when it has ended. The orchestrator takes them out
of the log again (orchestrator/sight/findings.py). Moments are seconds since the epoch; ids are hashes of no use to anybody else.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from ..contract.check.digest import Hasher, RequestDigest
from ..contract.check.stream import StreamCheck
from ..contract.check.violation import Violation
from ..kit.exchange import Exchange
from ..kit.logs import Log

# Of what an answer holds, so much is compared; a line of the log must not be long.
_MOST_IDS = 64


class Report:
    """`request`, `answer` and `stream` are filled in as they become known."""

    def __init__(self, hop: str, exchange: Exchange, log: Log, hasher: Hasher) -> None:
        self.digest: RequestDigest | None = None
        self.stream: StreamCheck | None = None
        self.request: list[Violation] = []
        self.answer: list[Violation] = []
        self._hop = hop
        self._exchange = exchange
        self._log = log
        self._hasher = hasher
        self._began = time.time()
        self._first = self._last = 0.0
        self._chunks = 0
        log.event("crossing", hop=hop, request_id=exchange.request_id, began=self._began)

    def chunk(self) -> None:
        self._last = time.time()
        self._first = self._first or self._last
        self._chunks += 1

    def end(self, outcome: str) -> None:
        stream = self.stream
        self._log.event(
            "crossed",
            hop=self._hop,
            request_id=self._exchange.request_id,
            began=self._began,
            ended=time.time(),
            first=self._first or None,
            last=self._last or None,
            chunks=self._chunks,
            outcome=outcome,
            request=_listed(self.request),
            answer=_listed(self.answer),
            digest=msgspec.to_builtins(self.digest) if self.digest else None,
            stream=self._facts(stream) if stream else None,
        )

    def _facts(self, stream: StreamCheck) -> dict[str, Any]:
        ids = [id for pair in stream.items[:_MOST_IDS] for id in pair if id]
        return {
            "events": stream.events,
            "terminal": stream.terminal,
            "ids": [self._hasher.text(id) for id in [stream.response_id or "", *ids]],
            "unknown": stream.unknown,
            "replaced": stream.replaced,
        }


def _listed(violations: list[Violation]) -> list[list[str]]:
    return [[*violation] for violation in violations]
