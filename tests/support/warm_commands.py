"""Commands of `codex-shim` at a fraction of their price, each a process of its own (programs/warm_cli.py says how).

An interpreter that starts and imports everything takes a third of a second of a processor's time, and the suite has hundreds of
commands. Where there is no fork server (other systems than Linux) they are started as a user starts them.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CLI = [sys.executable, "-P", "-m", "codex_shim.orchestrator.cli"]

_PROGRAM = Path(__file__).parent / "programs" / "warm_cli.py"


def run(arguments: Sequence[str], environ: Mapping[str, str], cwd: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` would with its output captured and no input. Raises `TimeoutExpired`."""
    if sys.platform != "linux":
        return subprocess.run(
            [*CLI, *arguments], env=environ, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )
    reading, told = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(reading, "rb") as ending:
        try:
            _warm.order({"argv": list(arguments), "env": dict(environ), "cwd": str(cwd)}, [out.fileno(), err.fileno(), told])
        finally:
            os.close(told)
        code = _ended(ending.fileno(), [*CLI, *arguments], seconds)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([*CLI, *arguments], code, out.read().decode(), err.read().decode())


def _ended(told: int, command: list[str], seconds: float) -> int:
    """The exit code, which is told behind the pid."""
    give_up_at, text = time.monotonic() + seconds, b""
    while text.count(b"\n") < 2:
        readable, _, _ = select.select([told], [], [], max(0, give_up_at - time.monotonic()))
        if not readable:
            if text:
                os.kill(int(text), signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, seconds)
        piece = os.read(told, 100)
        assert piece, "the process that runs the commands has died"
        text += piece
    return int(text.splitlines()[1])


class _Warm:
    """One process for all commands of this one; started with the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None

    def order(self, order: dict[str, object], descriptors: list[int]) -> None:
        with self._lock:
            self._requests = self._requests or self._start()
            socket.send_fds(self._requests, [json.dumps(order).encode()], descriptors)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
            )
        atexit.register(lambda: (ours.close(), process.wait()))
        return ours


_warm = _Warm()
