"""One line per thing that happened: JSON for the orchestrator, words for a terminal.

A stage never waits for its reader: where the pipe is full, lines are dropped and counted. No body, header value or key is ever
handed to this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any

import msgspec

from ..contract.log_fields import FOR_PROGRAMS

STDERR = 2
FLUSH_SECONDS = 0.02
# Beyond this the reader is not reading, and lines are dropped and counted.
MOST_WAITING = 256 * 1024


class Log:
    """Writes whole lines to a descriptor, standard error by default."""

    def __init__(self, stage: str, descriptor: int = STDERR) -> None:
        self._stage = stage
        self._descriptor = descriptor
        self._terminal = os.isatty(descriptor)
        self._dropped = 0
        self._waiting: list[bytes] = []
        self._size = 0
        self._flushing: asyncio.TimerHandle | None = None

    def request(self, **fields: Any) -> None:
        """The line of one exchange. It may wait a moment for others: each write wakes the process that reads the log."""
        self._add("request", fields)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def event(self, event: str, **fields: Any) -> None:
        """Anything else, written at once. `fields` must be JSON values; None is left out."""
        self._add(event, fields)
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        text = b"".join(self._waiting)
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # the reader is slow or gone; the next line tries again
            text = text[os.write(self._descriptor, text) :]
        self._waiting, self._size = [text] if text else [], len(text)

    def _add(self, event: str, fields: dict[str, Any]) -> None:
        if self._size > MOST_WAITING:
            self._dropped += 1
            return
        record = {"ts": round(time.time(), 3), "stage": self._stage, "event": event}
        record |= {name: value for name, value in fields.items() if value is not None}
        if self._dropped:
            record["lines_dropped"], self._dropped = self._dropped, 0
        line = (_words(record) if self._terminal else msgspec.json.encode(record)) + b"\n"
        self._waiting.append(line)
        self._size += len(line)


def _words(record: dict[str, Any]) -> bytes:
    clock = time.strftime("%H:%M:%S", time.localtime(record.pop("ts")))
    stage, event = record.pop("stage"), record.pop("event")
    rest = " ".join(f"{name}={value}" for name, value in record.items() if name not in FOR_PROGRAMS)
    return f"{clock} {stage:<12} {event:<10} {rest}".encode()
