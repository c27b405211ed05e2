"""A process that the benchmark starts and, whatever happens, ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from . import proc

_GRACE_SECONDS = 10.0
# Nothing that is measured may be sent through a proxy, or hear of keys.
_PASSED = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED if name in os.environ}


@contextmanager
def started(
    module: str,
    arguments: Sequence[str] = (),
    *,
    extra: Mapping[str, str] | None = None,
    inherit: Sequence[int] = (),
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -P -m module`, in a session of its own: Ctrl-C is for us to act upon. Its standard input closes when we die."""
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**environment(), **(extra or {})},
        pass_fds=inherit,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, and kill what is left of it and of the processes it had."""
    members = proc.family([process.pid])
    process.terminate()
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in members:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
