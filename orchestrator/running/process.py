"""One child process: its pipes, its end, and how it is told to stop.

Lines arrive as they are written; a line longer than `MAX_LINE` is cut. A stage of ours says that it is ready in a line of its log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol

from ..spec import StageSpec
from .lines import MAX_LINE

OnLine = Callable[[str], None]


class Child:
    """A running process. `exited` resolves with its exit code, negative for a signal; `said_ready` when its log says so, and
    `said_draining` when it says that it takes nothing new any more."""

    def __init__(self, pid: int, lifeline: int | None, on_line: OnLine) -> None:
        loop = asyncio.get_running_loop()
        self.pid = pid
        self.exited: asyncio.Future[int] = loop.create_future()
        self.said_ready: asyncio.Future[None] = loop.create_future()
        self.said_draining: asyncio.Future[None] = loop.create_future()
        self.epitaph: str | None = None  # why it ended, where its exit code does not tell
        self._lifeline = lifeline
        self._on_line = on_line

    def take_line(self, raw: bytes) -> None:
        line = raw[:MAX_LINE].decode("utf-8", "replace").rstrip()
        if line.startswith("{"):
            for said, event in ((self.said_ready, '"event":"ready"'), (self.said_draining, '"event":"draining"')):
                if event in line and not said.done():
                    said.set_result(None)
        if line:
            self._on_line(line)

    def set_exited(self, code: int) -> None:
        self._close_lifeline()
        if not self.exited.done():
            self.exited.set_result(code)

    def dismiss(self) -> None:
        """Ask it to take nothing new, and to go when what runs has ended, however long that takes."""
        self._signal(signal.SIGTERM)

    def terminate(self) -> None:
        """Ask it to go within its drain time, both ways: a signal, and the end of its standard input."""
        self._close_lifeline()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and whatever it has started."""
        self._signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM, group=True)

    def sweep(self) -> None:
        """End what the process may have left behind in its group."""
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: int, *, group: bool = False) -> None:
        if self.exited.done():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if group and sys.platform != "win32":
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def _close_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


class Spawner(Protocol):
    """Starts processes. Two exist: one asks the fork server, one executes a new interpreter."""

    async def spawn(self, spec: StageSpec, listening: int | None, on_line: OnLine) -> Child:
        """`listening` is the descriptor of the socket to inherit. Raises `OSError` where the program cannot be started."""
        ...

    async def close(self) -> None: ...
