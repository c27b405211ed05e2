"""Starts a program in a job object (windows_job.py), which takes the place of the warden. Not run on any machine of ours."""

from __future__ import annotations

import asyncio
import contextlib

from .child import GENTLY, Launch, Order, StartError
from .pipes import Inlet, Outlet, Tail
from .windows_job import CREATION_FLAGS, Job
from .windows_program import direct

PATIENCE_SECONDS = 3.0
_STEP = 0.01


class _Protocol(asyncio.SubprocessProtocol):
    def __init__(self, child: WindowsChild) -> None:
        self._child = child

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        (self._child.stdout if fd == 1 else self._child.stderr).data_received(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self._child.stdout.end()

    def process_exited(self) -> None:
        self._child.has_exited()


class WindowsChild:
    """See `Child`. `outgrew` is never set: beyond its share of memory the program fails by itself."""

    def __init__(self, launch: Launch) -> None:
        self.stdout = Inlet()
        self.stderr = Tail()
        self.exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.outgrew = False
        self.pid = 0
        self._stdin = Outlet()
        self._launch = launch
        self._job: Job | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    async def start(self) -> None:
        """Raises `StartError`."""
        try:
            self._job = Job(self._launch.memory)
            self._transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Protocol(self),
                *direct(self._launch.argv),
                env=self._launch.environ,
                cwd=self._launch.folder,
                creationflags=CREATION_FLAGS,
            )
            self.pid = self._transport.get_pid()
            self._connect(self._transport)
            self._job.adopt(self.pid)
        except OSError as error:
            raise StartError(error.errno, f"{self._launch.argv[0]}: {error.strerror or error}") from error
        self._stdin.send(self._launch.content)

    def has_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(self._transport.get_returncode() if self._transport else None)
        self.stdout.end_when_quiet()

    async def end(self, order: Order) -> bool:
        left = 0
        if self._job is not None:
            if order == GENTLY:
                await self._wait_for_exit(self._launch.linger)
            self._job.end()
            left = await self._count_down(self._job)
            self._job.close()
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()  # one that never came into its job
            self._transport.close()
        return left == 0

    def _connect(self, transport: asyncio.SubprocessTransport) -> None:
        for descriptor, end in enumerate((self._stdin, self.stdout, self.stderr)):
            pipe = transport.get_pipe_transport(descriptor)
            assert pipe is not None, "all three are pipes"
            end.connection_made(pipe)

    async def _wait_for_exit(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self.exited)

    async def _count_down(self, job: Job) -> int:
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while (left := job.living()) and asyncio.get_running_loop().time() < give_up_at:  # noqa: ASYNC110  # nobody would tell
            await asyncio.sleep(_STEP)
        return left


async def spawn(launch: Launch) -> WindowsChild:
    """Raises `StartError`."""
    child = WindowsChild(launch)
    try:
        await child.start()
    except BaseException:
        await child.end(GENTLY)
        raise
    return child
