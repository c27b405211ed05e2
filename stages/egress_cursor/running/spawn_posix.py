"""Starts a program behind a warden (warden.py): Linux, macOS and their kin.

Not asyncio's own subprocesses: how they learn of an end differs between asyncio, its versions and uvloop, and some wait for every
process that holds a pipe. Here the warden tells, over a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from .child import AT_ONCE, GENTLY, Launch, Order, StartError
from .pipes import Inlet, Outlet, Report, Tail

WARDEN = str(Path(__file__).with_name("warden.py"))
# For what the warden promises in its own times, on a busy machine.
PATIENCE_SECONDS = 3.0
_LAST_SECONDS = 1.0
_STEP = 0.002


class PosixChild:
    """See `Child`."""

    def __init__(self, launch: Launch) -> None:
        loop = asyncio.get_running_loop()
        self.stdout = Inlet()
        self.stderr = Tail()
        self.exited: asyncio.Future[int | None] = loop.create_future()
        self.outgrew = False
        self.pid = 0
        self._stdin = Outlet()
        self._launch = launch
        self._problem = 0
        self._left: int | None = None
        self._over = asyncio.Event()  # the warden has closed its end
        self._control: Any = None
        self._warden: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Raises `StartError`. Ends what it has begun where it is cancelled."""
        ours, theirs = socket.socketpair()
        ends: list[int] = []
        try:
            ends = self._spawn(theirs.fileno())
            theirs.close()
            loop = asyncio.get_running_loop()
            self._control, _ = await loop.create_unix_connection(lambda: Report(self._take, self._gone), sock=ours)
            await loop.connect_read_pipe(lambda: self.stdout, os.fdopen(ends.pop(), "rb", buffering=0))
            await loop.connect_read_pipe(lambda: self.stderr, os.fdopen(ends.pop(), "rb", buffering=0))
            await loop.connect_write_pipe(lambda: self._stdin, os.fdopen(ends.pop(), "wb", buffering=0))
        except BaseException:
            for descriptor in ends:
                os.close(descriptor)
            theirs.close()
            if self._control is None:
                ours.close()
            raise
        self._stdin.send(self._launch.content)

    async def end(self, order: Order) -> bool:
        if self._warden is None:
            return True  # nothing was started
        if self._control is not None and not self._over.is_set():
            self._control.write(order.encode())
        elif self._control is None:
            self._over.set()  # it was never connected to, and has seen its end of the socket close
        seconds = self._seconds(order)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        await self._bury(self._warden)
        for each in (self._stdin, self.stdout, self.stderr, self._control):
            if each is not None:
                each.close()
        return self._left == 0

    def _spawn(self, control: int) -> list[int]:
        """Descriptors of our ends of standard input, error and output."""
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        try:
            self._warden = subprocess.Popen(  # noqa: S603  # our own warden; what it starts is the user's own cursor-agent
                [sys.executable, "-I", "-S", WARDEN, str(control), *self._settings(), "--", *self._launch.argv],
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs_err,
                env=self._launch.environ,
                cwd=self._launch.folder,
                pass_fds=[control],
                start_new_session=True,
            )
        except OSError as error:
            for descriptor in (ours_in, ours_out, ours_err):
                os.close(descriptor)
            raise StartError(error.errno, f"{error.filename}: {error.strerror}") from error
        finally:
            for descriptor in (theirs_in, theirs_out, theirs_err):
                os.close(descriptor)
        self.pid = self._warden.pid
        return [ours_in, ours_err, ours_out]

    def _settings(self) -> list[str]:
        launch = self._launch
        times = {"linger": launch.linger, "term": launch.term, "last": _LAST_SECONDS, "memory_every": launch.memory_every}
        return [f"{name}={value}" for name, value in {**times, "memory": launch.memory, **launch.limits}.items()]

    def _seconds(self, order: Order) -> float:
        own = {AT_ONCE: 0.0, GENTLY: self._launch.linger + self._launch.term}.get(order, self._launch.term)
        return own + _LAST_SECONDS + PATIENCE_SECONDS

    def _take(self, line: str) -> None:
        word, _, number = line.partition(" ")
        if word == "exit":
            self._exit(int(number))
        elif word == "failed":
            self._problem = int(number)
        elif word == "memory":
            self.outgrew = True
        elif word == "left":
            self._left = int(number)

    def _exit(self, code: int | None) -> None:
        if self.exited.done():
            return
        if self._problem:
            why = os.strerror(self._problem) if self._problem != errno.ENOEXEC else "it is no program of this system"
            self.exited.set_exception(StartError(self._problem, f"{self._launch.argv[0]}: {why}"))
            self.exited.exception()  # whether anybody asks is up to them
        else:
            self.exited.set_result(code)
        self.stdout.end_when_quiet()

    def _gone(self) -> None:
        self._exit(None)
        self._over.set()

    async def _bury(self, warden: subprocess.Popen[bytes]) -> None:
        """A warden that has said its last word ends at once; one that does not say it is killed, and the sweep does its work."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while warden.poll() is None:
            if not self._over.is_set() or asyncio.get_running_loop().time() > give_up_at:
                warden.kill()
                self._over.set()
            await asyncio.sleep(_STEP)


async def spawn(launch: Launch) -> PosixChild:
    """Raises `StartError`. What was started is ended where this is cancelled."""
    child = PosixChild(launch)
    try:
        await child.start()
    except BaseException:
        await asyncio.shield(child.end(AT_ONCE))
        raise
    return child
