"""Finds and ends every process of a run, by the run's mark in its environment: all that a program starts inherits it.

This is the second net. The warden ends its tree by itself; here we look whether that is so before a slot is used again, and end
what a warden that was killed has left. A zombie is dead: its environment is empty, and it is not found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from .environment import RUN_ID

SWEEP_SECONDS = 2.0
_STEP = 0.01
_PROC = Path("/proc")
_PS_SECONDS = 10


def marked(run_ids: Iterable[str]) -> list[int]:
    """The processes of these runs. Blocking: from half a millisecond to a few of them."""
    marks = [f"{RUN_ID}={run_id}".encode() for run_id in run_ids]
    if not marks or sys.platform == "win32":  # there a job object holds the tree
        return []
    return _by_proc(marks) if _PROC.is_dir() else _by_ps(marks)


def sweep(run_ids: Iterable[str], seconds: float = SWEEP_SECONDS) -> list[int]:
    """End all processes of these runs, those included that begin meanwhile. Returns what would not end. Blocking."""
    run_ids = list(run_ids)
    give_up_at = time.monotonic() + seconds
    while left := marked(run_ids):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        if time.monotonic() > give_up_at:
            return left
        time.sleep(_STEP)
    return []


def began(pid: int) -> str:
    """When a process was started, in the system's own words; empty where it is gone. A pid alone may be another's by now."""
    if sys.platform == "win32":
        return ""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "" if _PROC.is_dir() else _ps("-o", "lstart=", "-p", str(pid)).decode("utf-8", "replace").strip()


def end_group(pid: int, since: str) -> None:
    """End a process that we once started, and its group, where it is still the same. For systems that hide environments."""
    if since and began(pid) == since and sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _by_proc(marks: list[bytes]) -> list[int]:
    names = os.listdir(_PROC)  # noqa: PTH208  # thousands of Path objects are what takes the time
    others = [name for name in names if name.isdigit() and int(name) != os.getpid()]
    return [int(name) for name in others if not _entries(name).isdisjoint(marks)]


def _entries(name: str) -> set[bytes]:
    try:
        descriptor = os.open(f"/proc/{name}/environ", os.O_RDONLY)
    except OSError:
        return set()
    try:
        return set(_all_of(descriptor).split(b"\0"))
    except OSError:
        return set()
    finally:
        os.close(descriptor)


def _all_of(descriptor: int) -> bytes:
    pieces: list[bytes] = []
    while piece := os.read(descriptor, 1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def _by_ps(marks: list[bytes]) -> list[int]:
    """`ps` shows the environment behind the command (macOS, BSD)."""
    found: list[int] = []
    for line in _ps("-Eww", "-axo", "pid=,stat=,command=").splitlines():
        pid, _, rest = line.strip().partition(b" ")
        if pid.isdigit() and not rest.lstrip().startswith(b"Z") and any(mark in rest for mark in marks):
            found.append(int(pid))
    return [pid for pid in found if pid != os.getpid()]


def _ps(*arguments: str) -> bytes:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = ["/bin/ps", *arguments]
        return subprocess.run(command, capture_output=True, timeout=_PS_SECONDS, check=False).stdout  # noqa: S603
    return b""
