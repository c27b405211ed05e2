"""One line per thing that happened: JSON for the orchestrator, words for a terminal.

A stage never waits for its reader: where the pipe is full, lines are dropped and counted. No body, header value or key is ever
handed to this module.
"""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec

STDERR = 2


class Log:
    """Writes whole lines to a descriptor, standard error by default."""

    def __init__(self, stage: str, descriptor: int = STDERR) -> None:
        self._stage = stage
        self._descriptor = descriptor
        self._terminal = os.isatty(descriptor)
        self._dropped = 0
        self._unwritten = b""  # the rest of a line that the pipe took half of

    def event(self, event: str, **fields: Any) -> None:
        """`fields` must be JSON values; None is left out."""
        record = {"ts": round(time.time(), 3), "stage": self._stage, "event": event}
        record |= {name: value for name, value in fields.items() if value is not None}
        if self._dropped:
            record["lines_dropped"] = self._dropped
        line = _words(record) if self._terminal else msgspec.json.encode(record)
        try:
            self._write(line + b"\n")
        except (BlockingIOError, BrokenPipeError):
            self._dropped += 1

    def _write(self, line: bytes) -> None:
        data = self._unwritten + line
        written = os.write(self._descriptor, data)
        self._unwritten, self._dropped = data[written:], 0


def _words(record: dict[str, Any]) -> bytes:
    clock = time.strftime("%H:%M:%S", time.localtime(record.pop("ts")))
    stage, event = record.pop("stage"), record.pop("event")
    rest = " ".join(f"{name}={value}" for name, value in record.items())
    return f"{clock} {stage:<12} {event:<10} {rest}".encode()
