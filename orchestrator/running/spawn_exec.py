"""Starts each process by executing it anew: macOS and Windows, where forking a loaded interpreter is not safe or not possible."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from codex_shim.stages.contract.handshake import DRAIN_WORD, LISTEN_FD

from ..spec import StageSpec
from .lines import LineProtocol
from .process import Child, OnLine


class _Output(asyncio.SubprocessProtocol):
    """Lines of both pipes, and the end of the process."""

    def __init__(self) -> None:
        self.child: Child | None = None
        self._early: list[bytes] = []
        self._cutters = {1: LineProtocol(self._take), 2: LineProtocol(self._take)}
        self.transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self.transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._cutters[fd].data_received(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd in self._cutters:
            self._cutters[fd].connection_lost(exc)

    def process_exited(self) -> None:
        assert self.transport is not None
        code = self.transport.get_returncode()
        if self.child is not None and code is not None:
            self.child.set_exited(code)

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended and both pipes are read to their end."""
        if self.transport is not None:
            self.transport.close()

    def adopt(self, child: Child) -> None:
        self.child = child
        for line in self._early:
            child.take_line(line)
        assert self.transport is not None
        if (code := self.transport.get_returncode()) is not None:
            child.set_exited(code)

    def _take(self, line: bytes) -> None:
        if self.child is None:
            self._early.append(line)
        else:
            self.child.take_line(line)


class _ExecChild(Child):
    """Its standard input belongs to the transport."""

    def __init__(self, transport: asyncio.SubprocessTransport, on_line: OnLine) -> None:
        super().__init__(transport.get_pid(), None, on_line)
        self._transport = transport

    def dismiss(self) -> None:
        if sys.platform != "win32":
            super().dismiss()
            return
        stdin = self._transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport):
            stdin.write(DRAIN_WORD + b"\n")

    def terminate(self) -> None:
        stdin = self._transport.get_pipe_transport(0)
        if stdin is not None:
            stdin.close()
        if sys.platform != "win32":  # there the closed pipe is the way to ask; SIGTERM would be the end at once
            super().terminate()

    def kill(self) -> None:
        if sys.platform != "win32":
            super().kill()  # not the transport's way: it would reap the process, and the loop would never learn its exit code
        else:
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()


class ExecSpawner:
    """A new interpreter for each stage, the program itself for a foreign one."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd

    async def spawn(self, spec: StageSpec, listening: int | None, on_line: OnLine) -> Child:
        argv = [sys.executable, "-P", "-m", *spec.argv] if spec.kind == "module" else list(spec.argv)
        inherit = listening is not None and sys.platform != "win32"
        environment = {**spec.env, LISTEN_FD: str(listening)} if inherit else spec.env
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            _Output,
            *argv,
            env=environment,
            cwd=self._cwd,
            pass_fds=[listening] if inherit else [],
            start_new_session=sys.platform != "win32",
        )
        child = _ExecChild(transport, on_line)
        protocol.adopt(child)
        return child

    async def close(self) -> None:
        """Nothing is held."""
