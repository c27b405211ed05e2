"""One run of `cursor-agent`: started, fed, read, watched, and ended with all that it has started, whatever happens.

    async with Run(launch, options) as run:
        while chunk := await run.read(begun=…, open_tools=…):
            …
        code, stderr = await run.last_words()

Leaving the block begins the end and does not wait for it: a client that has its answer, or has left, is kept no longer. `ended` is
the task that does it. It belongs to nobody's request, so no cancellation reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Self

from ...contract.errors import HopError
from .. import failures
from ..config import Options
from . import tree
from .child import AT_ONCE, GENTLY, NOW, Child, Launch, Order
from .environment import RUN_ID
from .limits import next_deadline

if sys.platform == "win32":
    from .spawn_windows import spawn
else:
    from .spawn_posix import spawn

# Between the end of its output and the news of its end.
FAREWELL_SECONDS = 1.0
_MIB = 1 << 20


class Run:
    """`good` is set by whoever has read a result: then the program may end by itself, for a moment."""

    def __init__(self, launch: Launch, options: Options) -> None:
        self._launch = launch
        self._options = options
        self._run_id = launch.environ[RUN_ID]
        self._started = self._heard = asyncio.get_running_loop().time()
        self._starting: asyncio.Task[Child] | None = None
        self._child: Child | None = None
        self.good = False
        self.ended: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        """Raises `StartError` where the program cannot be started."""
        self._starting = asyncio.create_task(spawn(self._launch))
        try:
            self._child = await asyncio.shield(self._starting)
        except BaseException:
            self._begin_to_end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._begin_to_end()

    @property
    def pid(self) -> int:
        """What the run can be found by besides its mark."""
        return self._child.pid if self._child else 0

    async def read(self, *, begun: bool, open_tools: int) -> bytes:
        """The next piece of standard output, empty at its end. Raises `HopError` where a clock has run out or a cap is reached."""
        child = self._running()
        loop = asyncio.get_running_loop()
        self._heard = loop.time()  # the program may have waited for us
        deadline = next_deadline(self._options, started=self._started, heard=self._heard, begun=begun, open_tools=open_tools)
        try:
            async with asyncio.timeout_at(deadline.at):
                chunk = await child.stdout.read()
        except TimeoutError:
            raise HopError(failures.timeout(deadline.clock, deadline.seconds)) from None
        if child.stdout.total > self._options.output_mib * _MIB:
            raise HopError(failures.too_much("output", f"{self._options.output_mib} MiB"))
        if not chunk:
            await self._farewell()
        if child.outgrew:
            raise HopError(failures.too_much("memory", f"{self._options.memory_mib} MiB"))
        return chunk

    async def last_words(self) -> tuple[int | None, str]:
        """Exit code and the end of standard error. Raises `StartError` where the program could not be executed."""
        child = self._running()
        return child.exited.result() if child.exited.done() else None, child.stderr.text()

    async def hurry(self) -> None:
        """End it at once, and wait for that: the worker itself is about to end."""
        self._begin_to_end()
        if self._child is not None:
            await self._child.end(AT_ONCE)
        assert self.ended is not None
        await self.ended

    def _running(self) -> Child:
        assert self._child is not None, "the block has not been entered"
        return self._child

    async def _farewell(self) -> None:
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await asyncio.shield(self._running().exited)

    def _begin_to_end(self) -> None:
        if self.ended is None:
            self.ended = asyncio.create_task(self._end(GENTLY if self.good else NOW))

    async def _end(self, order: Order) -> bool:
        """Whether nothing is left of the run. What the warden says is not enough: its slot is looked at before it is used again."""
        assert self._starting is not None
        try:
            self._child = await self._starting
        except OSError:
            return True
        await self._child.end(order)
        return not await asyncio.to_thread(tree.sweep, [self._run_id])
