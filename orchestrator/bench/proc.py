"""What the kernel says of processes (Linux): who belongs to whom, the CPU they used, the memory that is theirs.

PSS counts a page that n processes share as 1/n of it in each, so the sum over a chain is what the chain costs. The only file that
reads /proc for the benchmark; where there is none, there is nothing to tell.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_TITLE = "codex-shim: "


class Stat(msgspec.Struct, frozen=True):
    parent: int
    ticks: int


def parse_stat(text: str) -> Stat:
    """The name in it may hold blanks and parentheses; what follows the last one is in columns (proc(5))."""
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), sum(map(int, fields[11:15])))  # utime, stime, cutime, cstime


def parse_pss_kb(text: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def label(command: str) -> str:
    """A short name for a command line: words that end in NUL, or one text where the process has named itself."""
    if command.startswith(_TITLE):
        return command.removeprefix(_TITLE).strip("\0 ")
    words = command.replace("\0", " ").split()
    if not words:
        return "?"
    module = next((words[place + 1] for place, word in enumerate(words[:-1]) if word == "-m"), "")
    known = {"orchestrator.cli": "orchestrator", "kit.forkserver": "fork server", "kit.bare": "bare relay"}
    return next((name for end, name in known.items() if module.endswith(end)), module or Path(words[0]).name)


def cpu_seconds(pids: Iterable[int]) -> dict[int, float]:
    """What each has used in its life, its ended children included. Those that have gone are left out."""
    found: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            found[pid] = parse_stat((_PROC / str(pid) / "stat").read_text()).ticks / os.sysconf("SC_CLK_TCK")
    return found


def pss_mb(pids: Iterable[int]) -> dict[int, float]:
    """Each one's share of the memory now."""
    found: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            found[pid] = parse_pss_kb((_PROC / str(pid) / "smaps_rollup").read_text()) / 1024
    return found


def by_name(values: Mapping[int, float]) -> dict[str, float]:
    """The same by the names of the processes; those of one name are one."""
    found: dict[str, float] = {}
    for pid, value in values.items():
        with contextlib.suppress(OSError):
            name = label((_PROC / str(pid) / "cmdline").read_text())
            found[name] = found.get(name, 0.0) + value
    return found


def family(roots: Iterable[int]) -> list[int]:
    """The processes themselves, then their descendants."""
    children: dict[int, list[int]] = {}
    for pid, stat in _all_stats().items():
        children.setdefault(stat.parent, []).append(pid)
    members = list(roots)
    for pid in members:  # grows while it is walked
        members += children.get(pid, [])
    return members


def _all_stats() -> dict[int, Stat]:
    stats: dict[int, Stat] = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stats[int(entry.name)] = parse_stat((entry / "stat").read_text())
    return stats
