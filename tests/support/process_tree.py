"""Which processes belong to a chain, and which of them live. A process is its pid and its start time, since pids are used again.

Where there is no /proc, only the pids a chain tells of itself are known, and only whether they exist.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Process(NamedTuple):
    """`started` is in clock ticks since boot; empty where the system does not tell."""

    pid: int
    started: str = ""


def find(pid: int) -> Process | None:
    """None for a process that has ended, also where its parent has not been told yet (a zombie)."""
    if not _PROC.exists():
        return Process(pid) if _exists(pid) else None
    facts = _facts(pid)
    return None if facts is None or facts[0] == "Z" else Process(pid, facts[19])


def alive(processes: Iterable[Process]) -> list[Process]:
    return [process for process in processes if find(process.pid) == process]


def family(*pids: int) -> set[Process]:
    """These processes and all their living descendants."""
    children: dict[int, list[int]] = {}
    for each in _all_pids():
        if facts := _facts(each):
            children.setdefault(int(facts[1]), []).append(each)
    seen, waiting = set[int](), list(pids)
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += children.get(current, [])
    return {process for pid in seen if (process := find(pid))}


def kill(processes: Iterable[Process]) -> None:
    for process in alive(processes):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def shown(process: Process) -> Iterator[tuple[str, bytes]]:
    """What any program of the user may read of it: the name of each place, and its entries. Nothing where it has ended."""
    for place in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            yield from ((place, entry) for entry in (_PROC / str(process.pid) / place).read_bytes().split(b"\0") if entry)


def name(process: Process) -> str:
    """What the system calls it, which is none of its arguments."""
    with contextlib.suppress(OSError):
        return (_PROC / str(process.pid) / "comm").read_text().strip()
    return "a process that has ended"


def describe(process: Process) -> str:
    """The pid and, where the system tells, the command line."""
    with contextlib.suppress(OSError):
        words = (_PROC / str(process.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return f"{process.pid} {words.strip()}"
    return str(process.pid)


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()] if _PROC.exists() else []


def _facts(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; the name before them may hold anything."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # where `os.kill` with 0 is Ctrl-C, for this process too
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        handle = kernel.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE
        running = bool(handle) and kernel.WaitForSingleObject(handle, 0) == 0x102  # WAIT_TIMEOUT
        kernel.CloseHandle(handle)
        return running
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def parent(pid: int) -> int:
    """Needs /proc."""
    facts = _facts(pid)
    assert facts is not None, f"process {pid} has ended"
    return int(facts[1])
