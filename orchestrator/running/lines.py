"""Cuts what a process prints into lines, and lets nobody flood us.

A process may print faster than anybody can keep it. What is beyond its allowance is read, counted and forgotten, so that neither it
nor the orchestrator waits; only one that prints at the full speed of a pipe has to wait for its reader. The allowance is far beyond
what a stage of ours logs under the heaviest load.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from .status import LAST_LINES

MAX_LINE = 16 * 1024

# In bytes a second; a line costs more than its bytes, because each is handed on one by one.
ALLOWED = 4 * 1024 * 1024
LINE_COST = 256
# What may be read and forgotten in a second. Beyond it even reading is work that other stages need done.
READ_AT_MOST = 64 * 1024 * 1024
# Of what is left out the end is kept.
TAIL = 4096

TakeLine = Callable[[bytes], None]


class Allowance:
    """How much of what is printed is kept, second by second. Pure: the time is the caller's."""

    def __init__(self, allowed: int = ALLOWED, read_at_most: int = READ_AT_MOST) -> None:
        self._allowed = allowed
        self._read_at_most = read_at_most
        self._until = 0.0  # the end of the second that counts now
        self._kept = 0
        self._read = 0
        self.lines = 0  # that were left out, and not told of yet
        self.bytes = 0

    def admits(self, data: bytes, now: float) -> bool:
        """Whether it is kept; counted in either case."""
        if now >= self._until:
            self._until, self._kept, self._read = now + 1.0, 0, 0
        self._read += len(data)
        lines = data.count(b"\n")
        if self._kept > self._allowed:
            self.lines += lines
            self.bytes += len(data)
            return False
        self._kept += len(data) + LINE_COST * lines
        return True

    def pause(self, now: float) -> float:
        """For how many seconds nothing more should be read."""
        return max(0.0, self._until - now) if self._read > self._read_at_most else 0.0

    def told(self) -> bytes | None:
        """A line about what was left out, once."""
        if not self.bytes:
            return None
        line = f"[codex-shim] left out {self.lines} lines ({self.bytes / 1024 / 1024:.1f} MiB): printed faster than can be kept"
        self.lines = self.bytes = 0
        return line.encode()


class LineProtocol(asyncio.Protocol):
    """One pipe. `clock` and `later` are those of the event loop."""

    def __init__(
        self,
        take_line: TakeLine,
        clock: Callable[[], float] | None = None,
        later: Callable[[float, Callable[[], None]], object] | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        loop = asyncio.get_running_loop() if clock is None or later is None else None
        self._take_line = take_line
        self._clock = clock or loop.time  # pyright: ignore[reportOptionalMemberAccess]
        self._later = later or loop.call_later  # pyright: ignore[reportOptionalMemberAccess]
        self._allowance = allowance or Allowance()
        self._partial = b""
        self._cut = False  # the line that is under way has lost its beginning
        self._tail = b""  # the end of what is being left out
        self._transport: asyncio.ReadTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = self._clock()
        if not self._allowance.admits(data, now):
            self._leave_out(data, now)
            return
        self._tell()
        *lines, rest = (self._partial + data).split(b"\n")
        if self._cut and lines:
            del lines[0]
            self._cut = False
        self._partial = rest[:MAX_LINE]
        for line in lines:
            self._take_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell()
        if self._partial and not self._cut:
            self._take_line(self._partial)

    def _leave_out(self, data: bytes, now: float) -> None:
        """Only a pipe of our own can be let fill; then its writer waits."""
        if not self._tail:
            self._later(1.0, self._tell)
        self._tail = (self._tail + data if len(data) < TAIL else data)[-TAIL:]
        seconds = self._allowance.pause(now)
        if self._transport is not None and seconds:
            self._transport.pause_reading()
            self._later(seconds, self._transport.resume_reading)

    def _tell(self) -> None:
        """What was left out, and how it ended: these may be the last words of the process."""
        if (told := self._allowance.told()) is None:
            return
        self._take_line(told)
        _, *lines, rest = [b"", *self._tail.split(b"\n")]
        self._partial, self._cut, self._tail = rest, not lines, b""
        for line in lines[1:][-LAST_LINES:]:
            self._take_line(line)


async def read_lines(descriptor: int, take_line: TakeLine) -> None:
    """Start reading a pipe; it is closed at its end."""
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: LineProtocol(take_line), os.fdopen(descriptor, "rb", buffering=0))
