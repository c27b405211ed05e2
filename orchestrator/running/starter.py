"""How a stage becomes a process that is ready, and how a process ends: files, socket, readiness, drain.

The starter holds what outlives a single process: the listening socket and the processes that have not ended yet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from ..sockets import bind, is_free, why_not
from ..spec import StageSpec
from ..system import can_hand_on_sockets
from .process import Child, OnLine, Spawner
from .readiness import wait_ready
from .status import describe_exit

START_SECONDS = 20.0
OUTSIDE_SECONDS = 5.0
# How long a process that was replaced may go on with what it streams.
RETIRED_SECONDS = 3600.0
# How long it may take to say that it takes nothing new; it closes a socket for that.
REFUSE_SECONDS = 3.0
# A stage cuts off what still streams when its drain time is over, and needs a moment to say so to its clients.
DRAIN_GRACE_SECONDS = 1.0
KILL_GRACE_SECONDS = 2.0
POLL_SECONDS = 0.02

Files = Callable[[StageSpec], None]


class NotUpError(Exception):
    """The stage did not become ready. The message says how it ended, as a part of a sentence; `detail` what the system said."""

    def __init__(self, how: str, detail: str | None = None) -> None:
        super().__init__(how)
        self.detail = detail


class Starter:
    """`spec` is what the next process is started from; it may be given another one between two. `files` puts a stage's
    configuration in place before a start, `settled` may take it away after.

    `running` are the processes that have not ended, each with what it was started from.
    """

    def __init__(self, spec: StageSpec, spawner: Spawner, listening: socket.socket | None, files: Files, settled: Files) -> None:
        self.spec = spec
        self.running: dict[Child, StageSpec] = {}
        self._spawner = spawner
        self._listening = listening
        self._files = files
        self._settled = settled
        self._hurried = asyncio.Event()

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

    async def retire(self, child: Child) -> None:
        """Let it finish what it streams, however long that takes (an hour at most), until `hurry`; then `drain` it."""
        if self._hurried.is_set():
            await self.drain(child)
            return
        child.dismiss()
        hurried = asyncio.create_task(self._hurried.wait())
        waiting: set[asyncio.Future[object]] = {child.exited, hurried}  # pyright: ignore[reportAssignmentType]  # not covariant
        await asyncio.wait(waiting, timeout=RETIRED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        await self.drain(child)

    def hurry(self) -> None:
        """From now on the drain time counts for those too that were retired."""
        self._hurried.set()

    async def drain(self, child: Child) -> None:
        """Its drain time to finish; then the end, for it and its children."""
        child.terminate()
        drain_seconds = self.running.get(child, self.spec).drain_seconds
        done, _ = await asyncio.wait({child.exited}, timeout=drain_seconds + DRAIN_GRACE_SECONDS)
        if not done:
            child.kill()
            await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS)
        else:
            self.ended(child)

    async def refused(self, child: Child) -> None:
        """Returns when a process that was told to go takes nothing new any more, so that whatever comes meets its successor."""
        await asyncio.wait({child.said_draining, child.exited}, timeout=REFUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    async def vacated(self, child: Child) -> None:
        """The same for a process that has bound its port itself: another one can bind it then. One that holds on to it beyond its
        drain time is killed."""
        try:
            async with asyncio.timeout(self.running.get(child, self.spec).drain_seconds + DRAIN_GRACE_SECONDS):
                while not child.exited.done() and not is_free(self.spec.host, self.spec.port):  # noqa: ASYNC110  # it sends no event
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            child.kill()
            await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS)

    def ended(self, child: Child) -> str:
        """How a process ended. What a foreign program left behind may hold the port that its successor needs, and goes too."""
        if self.spec.kind == "command":
            child.sweep()
        return child.epitaph or describe_exit(child.exited.result())

    def kill(self) -> None:
        """End every process of this stage now, those that still drain included."""
        for child in list(self.running):
            child.kill()

    def close_socket(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def _spawn(self, on_line: OnLine) -> Child:
        self._take_address()
        try:
            self._files(self.spec)
            child = await self._spawner.spawn(self.spec, self._listening.fileno() if self._listening else None, on_line)
        except OSError as error:
            what = self.spec.argv[0] if self.spec.argv else self.spec.name
            raise NotUpError("it could not be started", f"{what}: {error.strerror or error}") from error
        self.running[child] = self.spec
        child.exited.add_done_callback(lambda _: self.running.pop(child, None))
        return child

    def _take_address(self) -> None:
        """A program that somebody else has come before would not come up, and his answers would be taken for its own."""
        try:
            if self.spec.inherits and can_hand_on_sockets():
                self.open_socket()
            else:
                bind(self.spec.host, self.spec.port).close()
        except OSError as error:
            raise NotUpError(why_not(self.spec.host, self.spec.port, error)) from error

    async def _wait_until_ready(self, child: Child, stopping: asyncio.Event) -> None:
        ready = await self._readiness(child, stopping, START_SECONDS)
        if child.exited.done():
            raise NotUpError(self.ended(child))
        if not ready:
            await self._abandon(child)
            raise NotUpError(f"it was not ready within {START_SECONDS:.0f} seconds")

    async def _abandon(self, child: Child) -> None:
        """What was never ready has nothing to finish."""
        child.terminate()
        if not (await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS))[0]:
            child.kill()
            await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS)
        if child.exited.done():
            self.ended(child)

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
