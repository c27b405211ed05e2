"""Starts processes through the fork server (stages/kit/forkserver.py, Linux). If it dies, the next start brings up a new one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from ..spec import StageSpec
from .lines import read_lines
from .process import Child, OnLine

MODULE = "codex_shim.stages.kit.forkserver"


class ForkSpawner:
    """`environ` is the scrubbed environment that the fork server itself gets; each child is given its own."""

    def __init__(self, environ: dict[str, str], cwd: Path) -> None:
        self._environ = environ
        self._cwd = cwd
        self._ids = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._children: dict[int, Child] = {}
        self._early: dict[int, int] = {}  # exits that were told before their start was
        self._orphans: list[int] = []  # descriptors of what a fork server that died has left

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Bring the fork server up; it imports while the caller goes on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=self._environ,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        asyncio.get_running_loop().add_reader(ours, self._receive)

    async def spawn(self, spec: StageSpec, listening: int | None, on_line: OnLine) -> Child:
        if self._control is None:
            self.start()
        assert self._control is not None
        stdin_r, stdin_w = os.pipe()
        out_r, out_w = os.pipe()
        err_r, err_w = os.pipe()
        number = next(self._ids)
        message = {
            "id": number,
            "kind": spec.kind,
            "argv": spec.argv,
            "env": spec.env,
            "cwd": str(self._cwd),
            "title": f"codex-shim: {spec.name}",
        }
        given = [stdin_r, out_w, err_w, *([] if listening is None else [listening])]
        try:
            child = Child(await self._fork(message, given), stdin_w, on_line)
        except OSError:
            _close(stdin_w, out_r, err_r)
            raise
        finally:
            _close(stdin_r, out_w, err_w)
        await read_lines(out_r, child.take_line)
        await read_lines(err_r, child.take_line)
        self._adopt(child)
        return child

    async def _fork(self, message: dict[str, Any], given: list[int]) -> int:
        """The pid. Raises `OSError` where the fork server is gone, whether or not that is known already."""
        assert self._control is not None
        answer = self._answers[message["id"]] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._control, [msgspec.json.encode(message)], given)
        except OSError:
            del self._answers[message["id"]]
            raise
        return await answer

    async def close(self) -> None:
        self._disconnect()
        for orphan in self._orphans:
            _kill(orphan)
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, 2)

    def _adopt(self, child: Child) -> None:
        if child.pid in self._early:
            child.set_exited(self._early.pop(child.pid))
        else:
            self._children[child.pid] = child

    def _receive(self) -> None:
        assert self._control is not None
        try:
            packet = self._control.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if packet:
            self._handle(msgspec.json.decode(packet))
        else:
            self._lost()

    def _handle(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers.pop(message["id"]).set_result(message["pid"])
            return
        pid, code = message["pid"], os.waitstatus_to_exitcode(message["status"])
        child = self._children.pop(pid, None)
        if child:
            child.set_exited(code)
        else:
            self._early[pid] = code

    def _lost(self) -> None:
        """The fork server died. Its children live on without a parent, so they are replaced: nobody could tell of their end."""
        self._disconnect()
        if self._process:
            self._process.poll()
        for answer in self._answers.values():
            answer.set_exception(OSError("the fork server died"))
        self._answers.clear()
        orphans, self._children = self._children, {}
        for child in orphans.values():
            self._remember(child.pid)
            child.terminate()
            child.epitaph = "its parent, the fork server, died"
            child.set_exited(-signal.SIGHUP)

    def _remember(self, pid: int) -> None:
        """An orphan may finish what it streams, but not outlive the chain. A descriptor cannot come to mean another process."""
        with contextlib.suppress(OSError):
            self._orphans.append(os.pidfd_open(pid))

    def _disconnect(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)
    os.close(process)
