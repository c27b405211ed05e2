"""Hears what probes say of the contract, and writes into the log which stage broke it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from .judging import Finding, Judging

TICK_SECONDS = 0.25
_MARKS = ('"event":"crossing"', '"event":"crossed"')

Printed = Callable[[str, str], None]


class Findings:
    """Stands between the stages' lines and the log: `take` passes on all of them but the probes' reports, which are long and for
    nobody else. `counts` tells how often each stage was found to break the contract."""

    def __init__(self, log: Printed) -> None:
        self.counts: Counter[str] = Counter()
        self._log = log
        self._judging = Judging()
        self._ticking: asyncio.TimerHandle | None = None

    def take(self, stage: str, line: str) -> None:
        """One line that a stage has printed."""
        if not stage.startswith("probe-") or not any(mark in line for mark in _MARKS):
            self._log(stage, line)
            return
        try:
            self._judging.feed(json.loads(line), time.time())
        except (ValueError, KeyError, TypeError, msgspec.ValidationError):
            self._log(stage, line)  # it only looks like one
            return
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def close(self) -> None:
        """No more lines come. What is not judged by now will not be."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def _tick(self) -> None:
        for finding in self._judging.due(time.time()):
            self._tell(finding)
        again = not self._judging.idle
        self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick) if again else None

    def _tell(self, finding: Finding) -> None:
        self.counts[finding.stage] += 1
        record = {"ts": round(time.time(), 3), "event": "violation", **msgspec.to_builtins(finding)}
        self._log(finding.stage, json.dumps(record, ensure_ascii=False))
