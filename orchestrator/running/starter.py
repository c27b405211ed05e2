"""How a stage becomes a process that is ready, and how a process ends: files, socket, readiness, drain.

The starter holds what outlives a single process: the listening socket and the processes that have not ended yet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from ..sockets import bind
from ..spec import StageSpec
from ..system import can_hand_on_sockets
from .process import Child, OnLine, Spawner
from .readiness import wait_ready
from .status import describe_exit

START_SECONDS = 20.0
OUTSIDE_SECONDS = 5.0
# A stage cuts off what still streams when its drain time is over, and needs a moment to say so to its clients.
DRAIN_GRACE_SECONDS = 1.0
KILL_GRACE_SECONDS = 2.0

Files = Callable[[StageSpec], None]


class NotUpError(Exception):
    """The stage did not become ready. The message says how it ended, as a part of a sentence; `detail` what the system said."""

    def __init__(self, how: str, detail: str | None = None) -> None:
        super().__init__(how)
        self.detail = detail


class Starter:
    """`files` puts a stage's configuration in place before a start, `settled` may take it away after."""

    def __init__(self, spec: StageSpec, spawner: Spawner, listening: socket.socket | None, files: Files, settled: Files) -> None:
        self.spec = spec
        self._spawner = spawner
        self._listening = listening
        self._files = files
        self._settled = settled
        self._children: set[Child] = set()

    @property
    def holds_socket(self) -> bool:
        """Whether a new process can take over while the old one still serves."""
        return self._listening is not None

    async def start(self, stopping: asyncio.Event, on_line: OnLine) -> Child | None:
        """A ready process; None for an outside proxy that answers. Raises `NotUpError`."""
        if self.spec.kind == "url":
            await self._wait_for_outside(stopping)
            return None
        try:
            child = await self._spawn(on_line)
            await self._wait_until_ready(child, stopping)
            return child
        finally:
            self._settled(self.spec)

    def open_socket(self) -> socket.socket:
        """The listening socket, bound anew where it was given up or lent. Raises `OSError`."""
        if self._listening is None:
            self._listening = bind(self.spec.host, self.spec.port)
        return self._listening

    async def drain(self, child: Child) -> None:
        """SIGTERM and time to finish; then the end, for it and its children."""
        child.terminate()
        done, _ = await asyncio.wait({child.exited}, timeout=self.spec.drain_seconds + DRAIN_GRACE_SECONDS)
        if not done:
            child.kill()
            await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS)
        else:
            self.ended(child)

    def ended(self, child: Child) -> str:
        """How a process ended. What a foreign program left behind may hold the port that its successor needs, and goes too."""
        if self.spec.kind == "command":
            child.sweep()
        return child.epitaph or describe_exit(child.exited.result())

    def kill(self) -> None:
        """End every process of this stage now, those that still drain included."""
        for child in list(self._children):
            child.kill()

    def close_socket(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def _spawn(self, on_line: OnLine) -> Child:
        try:
            self._files(self.spec)
            if self.spec.inherits and can_hand_on_sockets():
                self.open_socket()
            child = await self._spawner.spawn(self.spec, self._listening.fileno() if self._listening else None, on_line)
        except OSError as error:
            what = self.spec.argv[0] if self.spec.argv else self.spec.name
            raise NotUpError("it could not be started", f"{what}: {error.strerror or error}") from error
        self._children.add(child)
        child.exited.add_done_callback(lambda _: self._children.discard(child))
        return child

    async def _wait_until_ready(self, child: Child, stopping: asyncio.Event) -> None:
        ready = await self._readiness(child, stopping, START_SECONDS)
        if child.exited.done():
            raise NotUpError(self.ended(child))
        if not ready:
            await self.drain(child)
            raise NotUpError(f"it was not ready within {START_SECONDS:.0f} seconds")

    async def _wait_for_outside(self, stopping: asyncio.Event) -> None:
        """An outside proxy is somebody else's process: it can only be waited for."""
        if not await self._readiness(None, stopping, OUTSIDE_SECONDS):
            raise NotUpError(f"nothing answers at {self.spec.url}")

    async def _readiness(self, child: Child | None, stopping: asyncio.Event, seconds: float) -> bool:
        """Whether the stage is ready before it ends, before somebody says stop, and before the time is over."""
        ready = asyncio.create_task(wait_ready(self.spec, child))
        stop = asyncio.create_task(stopping.wait())
        waiting: set[asyncio.Future[object]] = {ready, stop}  # pyright: ignore[reportAssignmentType]  # futures are not covariant
        if child is not None:
            waiting.add(child.exited)  # pyright: ignore[reportArgumentType]
        done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        stop.cancel()
        return ready in done
